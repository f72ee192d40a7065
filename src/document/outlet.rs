//! Who publishes and where: the names of outlets, agencies and towns that datelines and signatures are made of.
//!
//! In: a phrase. Out: whether it is such a name. The names are data: `outlets.tsv` and `places.txt` beside this file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::line::key;

/// What a name in the list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlet {
    /// A news agency, quoted by everyone.
    Agency,
    /// A newspaper, a site, a broadcaster.
    Publisher,
    /// "Agencies", nobody in particular.
    Agencies,
}

/// Words for a kind of outlet that may stand before its name.
const GENERIC: &[&str] = &[
    "وكاله انباء ",
    "وكاله الانباء ",
    "وكاله ",
    "صحيفه ",
    "جريده ",
    "موقع ",
    "قناه ",
    "شبكه ",
    "مجله ",
    "اذاعه ",
    "بوابه ",
    "تلفزيون ",
    "راديو ",
    "نقلا عن ",
];

static OUTLETS: LazyLock<BTreeMap<String, Outlet>> = LazyLock::new(|| {
    data(include_str!("outlets.tsv"))
        .filter_map(|line| {
            let (name, kind) = line.split_once('\t')?;
            let kind = match kind.trim() {
                "agency" => Outlet::Agency,
                "agencies" => Outlet::Agencies,
                _ => Outlet::Publisher,
            };
            Some((key(name), kind))
        })
        .collect()
});

static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut places: Vec<String> = data(include_str!("places.txt")).map(key).collect();
    places.sort();
    places
});

/// Returns the lines of a data file without comments.
pub(super) fn data(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with("# ") && !line.trim().is_empty())
}

/// Returns what a phrase is the name of, quotation marks and a word such as "صحيفة" before it allowed.
pub(super) fn outlet(phrase: &str) -> Option<Outlet> {
    let name = key(phrase);
    if let Some(&known) = OUTLETS.get(&name) {
        return Some(known);
    }
    GENERIC.iter().find_map(|word| OUTLETS.get(name.strip_prefix(word)?).copied())
}

/// Returns whether a phrase is the name of a town that datelines open with.
pub(super) fn is_place(phrase: &str) -> bool {
    PLACES.binary_search(&key(phrase)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_spellings() {
        assert_eq!(outlet("«الأناضول»"), Some(Outlet::Agency));
        assert_eq!(outlet("أ.ف.ب"), Some(Outlet::Agency));
        assert_eq!(outlet("صحيفة \"القدس العربي\""), Some(Outlet::Publisher));
        assert_eq!(outlet("وكالات"), Some(Outlet::Agencies));
        assert_eq!(outlet("محمد علي"), None);
        assert!(is_place("القاهره") && !is_place("الوزير"));
    }

    #[test]
    fn the_list_is_of_the_size_promised() {
        assert!(OUTLETS.len() >= 150 && PLACES.len() >= 150);
    }
}

//! What the names that a site's makers gave to an element say of it.
//!
//! In: its class, id, role and data attributes. Out: [`Says`], a set of flags. The vocabulary is data (`classes.txt` beside
//! this file); what the flags are worth where, is [`super::content`]'s.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::dom::{Dom, Id};
use crate::document::outlet::data;

/// What an element's names say; several may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Says(u16);

impl Says {
    /// The article's text.
    pub const BODY: Self = Self(1);
    /// Something of the site's own.
    pub const FURNITURE: Self = Self(1 << 1);
    /// Not shown.
    pub const HIDDEN: Self = Self(1 << 2);
    /// A headline.
    pub const TITLE: Self = Self(1 << 3);
    /// What sums the article up under the headline.
    pub const STANDFIRST: Self = Self(1 << 4);
    /// Words under a picture.
    pub const CAPTION: Self = Self(1 << 5);
    /// The author.
    pub const BYLINE: Self = Self(1 << 6);
    /// The date.
    pub const DATE: Self = Self(1 << 7);
    /// The part of the site.
    pub const SECTION: Self = Self(1 << 8);
    /// The publisher's summary.
    pub const SUMMARY: Self = Self(1 << 9);
    /// A sentence of the article set apart.
    pub const PULL_QUOTE: Self = Self(1 << 10);
    /// Something of somebody else that the author put in.
    pub const KEEP: Self = Self(1 << 11);
    /// The date of a change.
    pub const CHANGED: Self = Self(1 << 12);
    /// What only those see who pay: the text, or the box that asks for money in its place.
    pub const PAYWALL: Self = Self(1 << 13);

    /// Returns whether one of the flags of `other` holds.
    pub fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns these without the flags of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The attributes that name an element.
const NAMED_BY: [&str; 5] = ["class", "id", "role", "data-component", "data-testid"];

/// The most bytes of names that are looked at: nobody needs more to say what an element is.
const MAX_NAMES: usize = 600;

/// The most words in a phrase of the vocabulary.
const MAX_PHRASE: usize = 4;

static PHRASES: LazyLock<BTreeMap<&str, Says>> = LazyLock::new(|| {
    let mut phrases: BTreeMap<&str, Says> = BTreeMap::new();
    let mut says = Says::default();
    for line in data(include_str!("classes.txt")) {
        match line {
            "[body]" => says = Says::BODY,
            "[furniture]" => says = Says::FURNITURE,
            "[hidden]" => says = Says::HIDDEN,
            "[title]" => says = Says::TITLE,
            "[standfirst]" => says = Says::STANDFIRST,
            "[caption]" => says = Says::CAPTION,
            "[byline]" => says = Says::BYLINE,
            "[date]" => says = Says::DATE,
            "[section]" => says = Says::SECTION,
            "[summary]" => says = Says::SUMMARY,
            "[pullquote]" => says = Says::PULL_QUOTE,
            "[changed]" => says = Says::CHANGED,
            "[keep]" => says = Says::KEEP,
            "[paywall]" => says = Says::PAYWALL,
            phrase => {
                let entry = phrases.entry(phrase).or_default();
                *entry = entry.and(says);
            }
        }
    }
    phrases
});

/// Reads the names of an element.
pub(super) fn of(dom: &Dom, id: Id) -> Says {
    let mut says = Says::default();
    for attribute in NAMED_BY {
        if let Some(names) = dom.attribute(id, attribute) {
            says = says.and(of_names(names));
        }
    }
    says
}

/// Returns what each of the names of an element says, with its words joined by `-`.
pub(super) fn each(dom: &Dom, id: Id) -> impl Iterator<Item = (String, Says)> {
    let all = NAMED_BY.iter().filter_map(move |attribute| dom.attribute(id, attribute));
    let names = all.flat_map(|names| names[..names.floor_char_boundary(MAX_NAMES)].split_ascii_whitespace());
    names.map(|name| (words(name).join("-"), of_names(name)))
}

/// Reads names.
pub(super) fn of_names(names: &str) -> Says {
    let names = &names[..names.floor_char_boundary(MAX_NAMES)];
    let mut says = Says::default();
    for name in names.split_ascii_whitespace() {
        let words = words(name);
        // What a theme calls its grid says nothing of the cell: "has-sidebar", "no-comments", "with-ads".
        if matches!(words.first().map(String::as_str), Some("has" | "no" | "with" | "without" | "is"))
            && words.len() > 1
        {
            if words == ["is", "hidden"] {
                says = says.and(Says::HIDDEN);
            }
            continue;
        }
        let mut at = 0;
        while at < words.len() {
            let mut phrase = String::new();
            let mut longest = None;
            for (place, word) in words[at..].iter().take(MAX_PHRASE).enumerate() {
                if !phrase.is_empty() {
                    phrase.push('-');
                }
                phrase.push_str(word);
                if let Some(&found) = PHRASES.get(phrase.as_str()) {
                    longest = Some((place + 1, found));
                }
            }
            // The longest phrase is what is meant: "post-title" is a title, "author-box" no author.
            match longest {
                // "story-head" and "story-tools" are parts of a story: of one word alone only the last says what it is.
                Some((1, found)) if found == Says::BODY && at + 1 < words.len() => at += 1,
                Some((length, found)) => {
                    // "label-hidden" hides a label and not the field that is called so.
                    if !found.any(Says::HIDDEN) || length == words.len() {
                        says = says.and(found);
                    }
                    at += length;
                }
                None => at += 1,
            }
        }
    }
    says
}

/// Cuts a name into its words: at signs, at figures, before capitals.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        let starts = !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && lower);
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty() && word != "a2a" && word.len() < 40);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_word_by_word() {
        for (names, wanted) in [
            ("td-post-content tagdiv-type", Says::BODY),
            ("c-articleBody--wide", Says::BODY),
            ("field field-name-body", Says::BODY),
            ("td_block_related_posts", Says::FURNITURE),
            ("shareBar", Says::FURNITURE),
            ("author-box", Says::FURNITURE),
            ("entry-title", Says::TITLE),
            ("page-story", Says::BODY),
            ("story-head", Says::default()),
            ("itemAuthor", Says::BYLINE),
            ("css-1x2y3z has-sidebar no-comments", Says::default()),
            ("shadow loading", Says::default()),
        ] {
            assert_eq!(of_names(names), wanted, "{names}");
        }
        assert_eq!(words("td-post2Content_x"), ["td", "post", "content", "x"]);
    }
}

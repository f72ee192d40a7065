//! The licences that models are under: their names on the hub, where their texts stand, and what they ask.
//!
//! In: a licence as a card or a GGUF file names it. Out: a [`Licence`] for an entry; what is not known is said to be unknown.
//! Sources: the hub's list of licence identifiers ("Licenses"), and the links themselves.

use mujaz::registry::Licence;

/// What is written where nothing is known.
pub const UNKNOWN: &str = "not known to mujaz";

const KEEP_NOTICES: &str = "keep the licence and notices when you pass the model on";
const KEEP_COPYRIGHT: &str = "keep the copyright notice when you pass the model on";
const NAME_MAKERS: &str = "name its makers when you pass the model or its output on";
const SHARE_ALIKE: &str = "name its makers, and pass on what you make of it under the same licence";
const NOT_COMMERCIAL: &str = "no commercial use, of the model or of what it writes; name its makers";
const NOT_COMMERCIAL_ALIKE: &str =
    "no commercial use; name its makers, and pass on what you make of it under the same licence";
const GEMMA: &str =
    "keep to Google's prohibited use policy, and pass these terms on with the model or anything derived from it";

/// Name on the hub (in lower case), name in entries, link, what it asks.
const KNOWN: [(&str, &str, &str, &str); 12] = [
    ("apache-2.0", "Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", KEEP_NOTICES),
    ("mit", "MIT", "https://opensource.org/license/mit", KEEP_COPYRIGHT),
    ("bsd-2-clause", "BSD-2-Clause", "https://opensource.org/license/bsd-2-clause", KEEP_COPYRIGHT),
    ("bsd-3-clause", "BSD-3-Clause", "https://opensource.org/license/bsd-3-clause", KEEP_COPYRIGHT),
    ("cc0-1.0", "CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "nothing"),
    ("cc-by-3.0", "CC-BY-3.0", "https://creativecommons.org/licenses/by/3.0/", NAME_MAKERS),
    ("cc-by-4.0", "CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", NAME_MAKERS),
    ("cc-by-sa-4.0", "CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/", SHARE_ALIKE),
    ("cc-by-nc-4.0", "CC-BY-NC-4.0", "https://creativecommons.org/licenses/by-nc/4.0/", NOT_COMMERCIAL),
    ("cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/", NOT_COMMERCIAL_ALIKE),
    ("gemma", "Gemma Terms of Use", "https://ai.google.dev/gemma/terms", GEMMA),
    ("gemma terms of use", "Gemma Terms of Use", "https://ai.google.dev/gemma/terms", GEMMA),
];

/// Returns the licence of a name, with the link that its model gives, if any.
pub fn of(name: Option<&str>, link: Option<&str>) -> Licence {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
        return Licence { name: UNKNOWN.to_owned(), link: UNKNOWN.to_owned(), asks: UNKNOWN.to_owned() };
    };
    let lower = name.to_lowercase();
    match KNOWN.iter().find(|(hub, ..)| *hub == lower) {
        Some((_, name, known, asks)) => {
            Licence { name: (*name).to_owned(), link: link.unwrap_or(known).to_owned(), asks: (*asks).to_owned() }
        }
        None => Licence {
            name: name.to_owned(),
            link: link.unwrap_or(UNKNOWN).to_owned(),
            asks: "what it asks is not known to mujaz: read it".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_have_links_and_others_are_said_to_be_unknown() {
        assert_eq!(of(Some("CC-BY-4.0"), None).link, "https://creativecommons.org/licenses/by/4.0/");
        assert_eq!(of(Some("apache-2.0"), Some("https://example.org/l")).link, "https://example.org/l");
        let other = of(Some("lfm1.0"), None);
        assert_eq!((other.name.as_str(), other.link.as_str()), ("lfm1.0", UNKNOWN));
        assert_eq!(of(Some(" "), None).name, UNKNOWN);
        assert_eq!(of(None, Some("https://example.org/l")).asks, UNKNOWN);
    }
}

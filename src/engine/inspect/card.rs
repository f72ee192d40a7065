//! What lies beside a model for people: its card and its licence.
//!
//! In: the files of a model by name. Out: a [`Card`]: licence, languages and name as the front matter of `README.md` says
//! them, and where a licence's text lies. Source: the hub's "Model Cards" (YAML between two lines `---`); of YAML just
//! scalars and lists of scalars are read, which is what those fields are.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

/// A card's front matter is at its start; no more than this is read, in bytes.
const LONGEST: u64 = 1 << 16;

/// What a model's card says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// `license`, as it is written there; `license_name` where that is `other`.
    pub licence: Option<String>,
    /// `license_link`
    pub licence_link: Option<String>,
    /// `language`, in that order.
    pub languages: Vec<String>,
    /// The file that holds the licence's text.
    pub licence_file: Option<PathBuf>,
}

impl Card {
    /// Reads what lies among a model's files. What cannot be read counts as not there: nothing depends on a card.
    pub fn of(files: &BTreeMap<String, PathBuf>) -> Self {
        let mut card = files.get("README.md").and_then(head).map(|text| Self::parse(&text)).unwrap_or_default();
        card.licence_file = files.iter().find(|(name, _)| is_licence(name)).map(|(_, path)| path.clone());
        card
    }

    /// Reads the front matter of a card.
    pub fn parse(text: &str) -> Self {
        let fields = front_matter(text);
        let first = |key: &str| fields.get(key).and_then(|values| values.first()).cloned();
        let licence = match first("license") {
            Some(name) if name == "other" => first("license_name").or(Some(name)),
            name => name,
        };
        Self {
            licence,
            licence_link: first("license_link").filter(|link| link.starts_with("http")),
            languages: fields.get("language").cloned().unwrap_or_default(),
            licence_file: None,
        }
    }
}

/// Returns whether a file of this name holds the text of a licence.
pub fn is_licence(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    ["LICENSE", "LICENCE", "COPYING"].contains(&stem.as_str())
}

fn head(path: &PathBuf) -> Option<String> {
    let mut bytes = Vec::new();
    fs_err::File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the top-level fields that are scalars or lists of scalars.
fn front_matter(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if lines.next().map(str::trim_end) != Some("---") {
        return fields;
    }
    let mut current: Option<String> = None;
    for line in lines {
        let line = line.trim_end();
        if line == "---" {
            break;
        }
        let item = line.trim_start();
        if let (Some(item), Some(key)) = (item.strip_prefix("- "), &current) {
            fields.entry(key.clone()).or_default().push(scalar(item));
        } else if !line.starts_with([' ', '#'])
            && let Some((key, value)) = line.split_once(':')
        {
            let value = value.trim();
            let values = match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(list) => list.split(',').map(scalar).filter(|item| !item.is_empty()).collect(),
                None if value.is_empty() => Vec::new(),
                None => vec![scalar(value)],
            };
            fields.insert(key.trim().to_owned(), values);
            current = value.is_empty().then(|| key.trim().to_owned());
        } else if !item.is_empty() {
            // Something deeper, which is none of the fields here.
            current = None;
        }
    }
    fields
}

fn scalar(text: &str) -> String {
    let text = text.split(" #").next().unwrap_or_default().trim();
    text.trim_matches(|c| c == '"' || c == '\'').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_matter_of_a_card_is_read() {
        let card = Card::parse(
            "---\nlanguage:\n- ar\n- \"en\"\ntags:\n- translation\nlicense: cc-by-4.0 # attribution\nmodel-index:\n- name: x\n  \
             results:\n  - task:\n      name: y\n---\nlicense: nothing of the text counts\n",
        );
        assert_eq!(card.licence.as_deref(), Some("cc-by-4.0"));
        assert_eq!(card.languages, ["ar", "en"]);
        let other = Card::parse(
            "---\nlicense: other\nlicense_name: lfm1.0\nlicense_link: https://example.org/l\nlanguage: [ar, 'en']\n---\n",
        );
        assert_eq!(other.licence.as_deref(), Some("lfm1.0"));
        assert_eq!(other.licence_link.as_deref(), Some("https://example.org/l"));
        assert_eq!(other.languages, ["ar", "en"]);
        assert_eq!(Card::parse("# Title\nlicense: mit\n"), Card::default(), "without front matter nothing is said");
    }

    #[test]
    fn the_licence_is_found_by_its_name() {
        for (name, is) in
            [("LICENSE", true), ("LICENSE.txt", true), ("licence.md", true), ("README.md", false), ("license_x", false)]
        {
            assert_eq!(is_licence(name), is, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(---\n)?([a-z: \\-\\[\\]'\"#\n]{0,80})") {
            let _ = Card::parse(&text);
        }
    }
}

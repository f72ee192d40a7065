//! Reads the data files and builds the indexes.
//!
//! In: tab-separated lines `arabic forms (|), english, alternatives (|), concept, flags` under a `# category:` line
//! (names of people: `arabic, english, alternatives, flags`). Out: a [`Glossary`]. Flags: `ambiguous` (the Arabic is an
//! ordinary word too), `english-ambiguous` (the English may be part of another name: Michael Jordan). An English form
//! with `?` after it is a common word or name too (`May?`), no evidence in an English text. A line without Arabic adds English forms
//! to its concept; one in a file of category `block` is an English phrase that holds a name but names something else.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::people::NameWord;
use super::{Category, Entry, Glossary, matching, mentions};
use crate::arabic::clitics::normalise;

/// The data files, in order of precedence: of two entries with the same Arabic the first counts.
pub(super) const FILES: &[(&str, &str)] = &[
    ("countries.tsv", include_str!("data/countries.tsv")),
    ("nationalities.tsv", include_str!("data/nationalities.tsv")),
    ("calendar.tsv", include_str!("data/calendar.tsv")),
    ("places.tsv", include_str!("data/places.tsv")),
    ("people.tsv", include_str!("data/people.tsv")),
    ("organizations.tsv", include_str!("data/organizations.tsv")),
    ("offices.tsv", include_str!("data/offices.tsv")),
    ("terms.tsv", include_str!("data/terms.tsv")),
    ("algeria.tsv", include_str!("data/algeria.tsv")),
    ("towns.tsv", include_str!("data/towns.tsv")),
    ("names.tsv", include_str!("data/names.tsv")),
    ("blocks.tsv", include_str!("data/blocks.tsv")),
];

/// What is wrong with a data file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line does not have the columns it should, or one is empty that must not be.
    #[error("{file}:{line}: {reason}")]
    BadLine {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// The lines of all files, parsed.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// One for each Arabic form.
    pub entries: Vec<Entry>,
    /// Concepts whose English forms may be another name.
    pub doubtful: HashSet<String>,
    /// Concepts with an English form of theirs that is a common word or name too.
    pub common: HashSet<(String, String)>,
    /// English forms of a concept that has no Arabic of its own kind.
    pub english_only: Vec<(String, String)>,
    /// English phrases that hold a name but name something else.
    pub blocks: Vec<String>,
    /// Words of people's names.
    pub names: BTreeMap<String, NameWord>,
}

/// Parses and indexes the compiled-in files.
pub(super) fn builtin() -> Result<Glossary, Error> {
    let mut rows = Rows::default();
    for (file, text) in FILES {
        parse(file, text, &mut rows)?;
    }
    Ok(build(rows))
}

/// Adds the lines of one file to `rows`.
///
/// # Errors
/// At the first line that is not as the header says.
pub(super) fn parse(file: &str, text: &str, rows: &mut Rows) -> Result<(), Error> {
    let mut kind = "";
    for (number, line) in text.lines().enumerate() {
        let bad = |reason: &str| Error::BadLine { file: file.into(), line: number + 1, reason: reason.into() };
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(named) = comment.trim().strip_prefix("category:") {
                kind = named.trim();
            }
            continue;
        }
        if line.is_empty() {
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        match kind {
            "block" => rows.blocks.push(line.to_owned()),
            "name" => {
                let [arabic, english, alternatives, flags] = columns[..] else {
                    return Err(bad("a name has four columns"));
                };
                let mut spellings = vec![english.to_owned()];
                spellings.extend(listed(alternatives));
                let has = |flag| flags.split(',').any(|f| f == flag);
                let word = NameWord { spellings, given: has("given"), ambiguous: has("ambiguous") };
                rows.names.insert(normalise(arabic), word);
            }
            _ => {
                let category = category(kind).ok_or_else(|| bad("no known category above it"))?;
                let [arabic, english, alternatives, concept, flags] = columns[..] else {
                    return Err(bad("an entry has five columns"));
                };
                if english.trim().is_empty() {
                    return Err(bad("the english is empty"));
                }
                let plain_english = english.trim_end_matches('?');
                let concept = if concept.is_empty() { format!("{kind}/{plain_english}") } else { concept.to_owned() };
                for form in std::iter::once(english).chain(alternatives.split('|')) {
                    if let Some(form) = form.strip_suffix('?') {
                        rows.common.insert((concept.clone(), form.to_owned()));
                    }
                }
                let flags: Vec<&str> = flags.split(',').filter(|f| !f.is_empty()).collect();
                if let Some(flag) = flags.iter().find(|f| !["ambiguous", "english-ambiguous"].contains(f)) {
                    return Err(bad(&format!("unknown flag {flag:?}")));
                }
                if flags.contains(&"english-ambiguous") {
                    rows.doubtful.insert(concept.clone());
                }
                if arabic.is_empty() {
                    rows.english_only.push((concept.clone(), plain_english.to_owned()));
                    rows.english_only.extend(listed(alternatives).map(|a| (concept.clone(), a)));
                }
                for form in listed(arabic) {
                    if normalise(&form).is_empty() {
                        return Err(bad("an arabic form without arabic letters"));
                    }
                    rows.entries.push(Entry {
                        arabic: form,
                        english: plain_english.to_owned(),
                        alternatives: listed(alternatives).collect(),
                        category,
                        concept: concept.clone(),
                        ambiguous: flags.contains(&"ambiguous"),
                    });
                }
            }
        }
    }
    Ok(())
}

fn listed(column: &str) -> impl Iterator<Item = String> + '_ {
    column.split('|').map(|form| form.trim().trim_end_matches('?')).filter(|s| !s.is_empty()).map(str::to_owned)
}

fn category(name: &str) -> Option<Category> {
    Some(match name {
        "country" => Category::Country,
        "nationality" => Category::Nationality,
        "place" => Category::Place,
        "person" => Category::Person,
        "organization" => Category::Organization,
        "calendar" => Category::Calendar,
        "office" => Category::Office,
        "term" => Category::Term,
        _ => return None,
    })
}

/// Drops entries whose Arabic is already there and builds the indexes.
pub(super) fn build(rows: Rows) -> Glossary {
    let mut seen = HashSet::new();
    let mut entries = rows.entries;
    entries.retain(|e| seen.insert(normalise(&e.arabic)));
    let arabic = matching::Index::new(&entries);
    let english = mentions::Index::new(&entries, &rows.doubtful, &rows.common, &rows.english_only, &rows.blocks);
    let names: HashMap<_, _> = rows.names.into_iter().collect();
    Glossary { entries, arabic, english, names, ordinary: std::sync::OnceLock::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::transliterate::{SAME_NAME, sounds_like};

    fn all() -> Rows {
        let mut rows = Rows::default();
        for (file, text) in FILES {
            parse(file, text, &mut rows).unwrap();
        }
        rows
    }

    #[test]
    fn every_file_parses_and_states_its_source() {
        for (file, text) in FILES {
            for fact in ["# category:", "# source:", "# licence:", "# made:"] {
                assert!(text.lines().any(|l| l.starts_with(fact)), "{file} has a line {fact}");
            }
        }
        assert!(!all().entries.is_empty());
    }

    #[test]
    fn no_arabic_key_has_two_translations() {
        let mut seen: BTreeMap<String, &Entry> = BTreeMap::new();
        let rows = all();
        let mut twice = Vec::new();
        for entry in &rows.entries {
            if let Some(first) = seen.insert(normalise(&entry.arabic), entry)
                && first.english != entry.english
            {
                twice.push(format!("{}: {} and {}", entry.arabic, first.english, entry.english));
            }
        }
        assert!(twice.is_empty(), "{}", twice.join("\n"));
    }

    #[test]
    fn latin_spellings_of_names_and_towns_sound_like_their_arabic() {
        let mut wrong = Vec::new();
        for (arabic, word) in &all().names {
            for latin in word.spellings.iter().filter(|l| sounds_like(arabic, l) < SAME_NAME) {
                wrong.push(format!("{arabic}\t{latin}"));
            }
        }
        let mut towns = Rows::default();
        for (file, text) in FILES.iter().filter(|(f, _)| matches!(*f, "towns.tsv" | "algeria.tsv")) {
            parse(file, text, &mut towns).unwrap();
        }
        for entry in &towns.entries {
            // Of a name of several words the last one tells towns apart: عين البيضاء "Ain Beida".
            let last = entry.arabic.split(' ').next_back().unwrap();
            let latin = std::iter::once(entry.english.as_str()).chain(entry.english.split([' ', '-']));
            if !latin
                .into_iter()
                .any(|l| sounds_like(&entry.arabic, l) >= SAME_NAME || sounds_like(last, l) >= SAME_NAME)
            {
                wrong.push(format!("{}\t{}", entry.arabic, entry.english));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn there_are_enough_entries() {
        let entries = Glossary::builtin().entries.len();
        assert!(entries >= 3000, "{entries}");
    }

    #[test]
    fn bad_lines_are_named() {
        for (text, reason) in [
            ("ليبيا\tLibya\t\t\t", "no known category"),
            ("# category: country\nليبيا\tLibya", "five columns"),
            ("# category: country\nليبيا\t\t\t\t", "english is empty"),
            ("# category: country\nabc\tLibya\t\t\t", "without arabic letters"),
            ("# category: country\nليبيا\tLibya\t\t\tloud", "unknown flag"),
            ("# category: name\nمحمد\tMohamed", "four columns"),
        ] {
            let error = parse("x.tsv", text, &mut Rows::default()).unwrap_err().to_string();
            assert!(error.starts_with("x.tsv:") && error.contains(reason), "{error}");
        }
    }
}

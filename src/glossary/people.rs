//! Finds people in Arabic text whom no entry knows.
//!
//! In: a text and the lexicon of name words. Out: [`PersonMention`]s. Made for precision: a common word that is also a
//! given name (كريم "generous") is no evidence by itself.

use super::Glossary;
use crate::span::Span;

/// A person named in an Arabic text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonMention {
    /// The name's bytes in the text, clitics left out.
    pub span: Span,
    /// The words of the name in normal form.
    pub words: Vec<String>,
    /// The name in English letters.
    pub english: String,
}

impl Glossary {
    /// Finds people by the words of their names.
    pub fn people(&self, arabic: &str) -> Vec<PersonMention> {
        let _ = arabic;
        Vec::new()
    }
}

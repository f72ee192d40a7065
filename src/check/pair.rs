//! A source and its target with all that the checks ask of them, read once.
//!
//! In: two texts and a glossary. Out: [`Pair`]: words, numbers, known names of both sides. Judging is left to the checks.

use crate::arabic;
use crate::english;
use crate::glossary::{Glossary, Match, Mention};
use crate::number::Number;

/// A source text and its target, read.
pub(super) struct Pair<'a> {
    /// The names that are known.
    pub glossary: &'a Glossary,
    /// The Arabic.
    pub source: &'a str,
    /// The English.
    pub target: &'a str,
    /// The words of the source, folded.
    pub source_words: Vec<arabic::words::Word>,
    /// The words of the target.
    pub target_words: Vec<english::words::Word>,
    /// The numbers of the source.
    pub source_numbers: Vec<Number>,
    /// The numbers of the target.
    pub target_numbers: Vec<Number>,
    /// The known names and terms of the source.
    pub source_names: Vec<Match<'a>>,
    /// The known names of the target.
    pub target_names: Vec<Mention<'a>>,
}

impl<'a> Pair<'a> {
    /// Reads two texts.
    pub fn read(glossary: &'a Glossary, source: &'a str, target: &'a str) -> Self {
        let source_words = arabic::words::words(source);
        let target_words = english::words::words(target);
        let source_numbers = arabic::numbers::numbers_among(source, &source_words);
        let target_numbers = english::numbers::numbers_among(target, &target_words);
        Self {
            glossary,
            source,
            target,
            source_words,
            target_words,
            source_numbers,
            target_numbers,
            source_names: glossary.matches(source),
            target_names: glossary.mentions(target),
        }
    }

    /// Returns how many letters and digits a text has, signs on letters left out: the length that is compared.
    pub fn source_length(&self) -> usize {
        length(self.source)
    }

    /// As [`Pair::source_length`], of the target.
    pub fn target_length(&self) -> usize {
        length(self.target)
    }
}

fn length(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric() && !matches!(c, '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')).count()
}

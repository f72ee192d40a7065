//! A source and its target with all that the checks ask of them, read once.
//!
//! In: two texts and a glossary. Out: [`Pair`]: words, numbers, known names of both sides. Judging is left to the checks.

use crate::arabic;
use crate::english;
use crate::glossary::{Glossary, Match, Mention};
use crate::number::{Certainty, Kind, Number};

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

    /// Returns the length of the source that is compared: letters outside numbers, signs on letters left out.
    pub fn source_length(&self) -> usize {
        length(self.source, &self.source_numbers)
    }

    /// Returns the length of the target that is compared: letters outside numbers, and for each acronym that the source
    /// does not have, and each sign of a currency or of per cent, the letters that Arabic writes it out with.
    pub fn target_length(&self) -> usize {
        length(self.target, &self.target_numbers) + self.acronyms() * ACRONYM + signs(self.target) * SIGN
    }

    /// Counts words of the target that are two capitals or more (EU, U.S.) and stand so in no word of the source.
    pub fn acronyms(&self) -> usize {
        let short = |word: &&str| {
            let capitals = word.chars().filter(|c| c.is_uppercase()).count();
            let small = word.chars().filter(|c| c.is_lowercase()).count();
            (2..=6).contains(&capitals) && small <= 1 && !self.source.contains(*word)
        };
        let trimmed = |w: &'a str| w.trim_matches(|c: char| !c.is_alphanumeric());
        self.target.split(|c: char| c.is_whitespace() || matches!(c, '-' | '/')).map(trimmed).filter(short).count()
    }
}

/// Letters that Arabic needs more than an English acronym: الاتحاد الأوروبي, الولايات المتحدة have fourteen.
const ACRONYM: usize = 12;

/// Letters of دولار, في المئة.
const SIGN: usize = 5;

fn signs(text: &str) -> usize {
    text.chars().filter(|c| matches!(c, '%' | '$' | '£' | '€' | '¥')).count()
}

fn length(text: &str, numbers: &[Number]) -> usize {
    let counts = |c: char| c.is_alphanumeric() && !matches!(c, '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}');
    let of = |part: &str| part.chars().filter(|c| counts(*c)).count();
    // Weak numbers are words like any other.
    let sure = numbers.iter().filter(|n| n.certainty > Certainty::Weak && n.kind != Kind::Month);
    let in_numbers: usize = sure.map(|n| of(n.span.of(text))).sum();
    of(text).saturating_sub(in_numbers)
}

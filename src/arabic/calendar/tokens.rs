//! Text as the rules for dates see it: words with their prefixes, runs of digits, marks.
//!
//! In: text. Out: [`Tokens`], which a rule asks what stands at a place. Number words are read by
//! [`crate::arabic::numbers`]; nothing here knows what a date is.

use std::collections::BTreeMap;

use crate::arabic::letters::digit;
use crate::arabic::numbers::numbers_among;
use crate::arabic::words::{Word, fold, is_letter, words};
use crate::number::{Certainty, Kind as NumberKind};
use crate::span::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A run of digits: its value and how many there are; no value where there are more than eight.
    Digits(i32, usize),
    /// A word of Arabic letters.
    Word,
    /// A word of other letters.
    Latin,
    /// One other character.
    Mark(char),
}

/// A piece of the text.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub span: Span,
    pub kind: Kind,
    /// A word's letters, folded; Latin ones in lower case. Empty for the rest.
    pub folded: String,
    /// Whether no white space stands before it.
    pub glued: bool,
}

/// A word without some of its prefixes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'t> {
    /// What is left, without the article.
    pub stem: &'t str,
    /// Whether the article stood before it.
    pub definite: bool,
    /// Its letters with the article.
    length: usize,
}

/// The tokens of a text.
pub(super) struct Tokens<'t> {
    pub text: &'t str,
    pub all: Vec<Token>,
    /// Numbers in words: by the byte they start at, their value, their end and whether they are ordinals.
    numbers: BTreeMap<usize, (i32, usize, bool)>,
}

impl<'t> Tokens<'t> {
    /// Cuts a text up.
    pub fn of(text: &'t str) -> Self {
        let mut all: Vec<Token> = Vec::new();
        let mut chars = text.char_indices().peekable();
        let mut end = 0;
        while let Some((at, c)) = chars.next() {
            if c.is_whitespace() && c != '\n' {
                continue;
            }
            let mut stop = at + c.len_utf8();
            let mut run = |belongs: &dyn Fn(char) -> bool| {
                while let Some(&(next, c)) = chars.peek()
                    && belongs(c)
                {
                    stop = next + c.len_utf8();
                    chars.next();
                }
                Span::new(at, stop)
            };
            let (kind, span, folded) = if digit(c).is_some() {
                let span = run(&|c| digit(c).is_some());
                let digits = span.of(text).chars().filter_map(digit).map(i32::from);
                let length = digits.clone().count();
                let value = if length <= 8 { digits.fold(0, |sum, d| sum * 10 + d) } else { -1 };
                (Kind::Digits(value, length), span, String::new())
            } else if is_letter(c) {
                let span = run(&is_letter);
                (Kind::Word, span, fold(span.of(text)))
            } else if c.is_alphabetic() {
                let span = run(&|c| c.is_alphabetic() && !is_letter(c));
                (Kind::Latin, span, span.of(text).to_lowercase())
            } else {
                (Kind::Mark(c), Span::new(at, stop), String::new())
            };
            all.push(Token { span, kind, folded, glued: span.start == end });
            end = span.end;
        }
        Self { text, all, numbers: number_words(text) }
    }

    /// Returns the token at a place.
    pub fn at(&self, i: usize) -> Option<&Token> {
        self.all.get(i)
    }

    /// Returns the folded word at a place, empty where there is none.
    pub fn word(&self, i: usize) -> &str {
        self.all.get(i).map_or("", |token| token.folded.as_str())
    }

    /// Returns the folded word before a place, empty where there is none.
    pub fn before(&self, i: usize) -> &str {
        i.checked_sub(1).map_or("", |at| self.word(at))
    }

    /// Returns whether the word at a place is one of a list.
    pub fn is(&self, i: usize, words: &[&str]) -> bool {
        self.all.get(i).is_some_and(|token| !token.folded.is_empty() && words.contains(&token.folded.as_str()))
    }

    /// Returns the mark at a place.
    pub fn mark(&self, i: usize) -> Option<char> {
        match self.all.get(i)?.kind {
            Kind::Mark(c) => Some(c),
            _ => None,
        }
    }

    /// Returns whether the mark at a place is one of a list.
    pub fn is_mark(&self, i: usize, marks: &[char]) -> bool {
        self.mark(i).is_some_and(|c| marks.contains(&c))
    }

    /// Returns the value and the length of the digits at a place.
    pub fn digits(&self, i: usize) -> Option<(i32, usize)> {
        match self.all.get(i)?.kind {
            Kind::Digits(value, length) if value >= 0 => Some((value, length)),
            _ => None,
        }
    }

    /// Returns whether nothing stands between a token and the one before it.
    pub fn glued(&self, i: usize) -> bool {
        i > 0 && self.all.get(i).is_some_and(|token| token.glued)
    }

    /// Returns the ways to read the word at a place: with and without conjunction, preposition and article.
    pub fn forms(&self, i: usize) -> impl Iterator<Item = Form<'_>> {
        let word = match self.all.get(i) {
            Some(token) if token.kind == Kind::Word => token.folded.as_str(),
            _ => "",
        };
        let bare = word.strip_prefix(['و', 'ف']).filter(|rest| rest.len() >= 4);
        let mut found = [None; 12];
        let mut count = 0;
        for base in [Some(word), bare].into_iter().flatten().filter(|w| !w.is_empty()) {
            let without = base.strip_prefix(['ب', 'ل', 'ك']).filter(|rest| rest.len() >= 4);
            for rest in [Some(base), without].into_iter().flatten() {
                found[count] = Some(Form { stem: rest, definite: false, length: rest.len() });
                count += 1;
                if let Some(stem) = rest.strip_prefix("ال").filter(|stem| stem.len() >= 4) {
                    found[count] = Some(Form { stem, definite: true, length: rest.len() });
                    count += 1;
                }
            }
            // للشهر: the article loses its first letter after the preposition.
            if let Some(stem) = base.strip_prefix("لل").filter(|stem| stem.len() >= 4) {
                found[count] = Some(Form { stem, definite: true, length: base.len() - 'ل'.len_utf8() });
                count += 1;
            }
        }
        found.into_iter().flatten()
    }

    /// Returns what a rule makes of the word at a place in the first of its forms that it takes, and the byte where this
    /// form starts.
    pub fn read<T>(&self, i: usize, rule: impl Fn(&str, bool) -> Option<T>) -> Option<(T, usize)> {
        self.forms(i)
            .find_map(|form| rule(form.stem, form.definite).map(|value| (value, self.start_of(i, form.length))))
    }

    /// Returns the byte where the last `length` folded bytes of a word start.
    fn start_of(&self, i: usize, length: usize) -> usize {
        let token = &self.all[i];
        let mut skip = token.folded.len() - length;
        let mut start = token.span.start;
        for c in token.span.of(self.text).chars() {
            if skip == 0 {
                break;
            }
            skip -= fold(c.encode_utf8(&mut [0; 4])).len().min(skip);
            start += c.len_utf8();
        }
        start
    }

    /// Returns the number at a place, in digits or words: its value, the place after it, the byte it starts at, and whether
    /// it is in words. Prefixes glued to digits (الـ14, و3) are skipped.
    pub fn number(&self, i: usize) -> Option<Counted> {
        if let Some((value, _)) = self.digits(i) {
            return Some(Counted { value, next: i + 1, start: self.all[i].span.start, words: false, ordinal: false });
        }
        if self.is(i, &["و", "ال", "وال", "ب", "بال", "ل", "لل", "ف"])
            && let Some((value, _)) = self.digits(i + 1)
            && self.glued(i + 1)
        {
            let start = self.all[i + 1].span.start;
            return Some(Counted { value, next: i + 2, start, words: false, ordinal: false });
        }
        let start = self.all.get(i)?.span.start;
        let &(value, end, ordinal) = self.numbers.get(&start)?;
        let next = (i..self.all.len()).find(|&at| self.all[at].span.start >= end).unwrap_or(self.all.len());
        let joined = self.word(i).starts_with('و') && value != 1;
        let start = if joined { start + 'و'.len_utf8() } else { start };
        Some(Counted { value, next, start, words: true, ordinal })
    }
}

/// A number at a place of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub value: i32,
    pub next: usize,
    pub start: usize,
    pub words: bool,
    pub ordinal: bool,
}

/// Returns the whole numbers in words; of "eight and a half" the eight, the half being left to who reads times.
fn number_words(text: &str) -> BTreeMap<usize, (i32, usize, bool)> {
    let words: Vec<Word> = words(text);
    numbers_among(text, &words)
        .into_iter()
        .filter(|n| n.certainty != Certainty::Figure && matches!(n.kind, NumberKind::Cardinal | NumberKind::Ordinal))
        .filter_map(|n| {
            let (value, end) = match n.also {
                Some(whole) if n.value.fract() != 0.0 => {
                    (whole, n.span.start + n.span.of(text).rfind(|c: char| c.is_whitespace())?)
                }
                _ => (n.value, n.span.end),
            };
            // The value is a whole number below ten thousand.
            (value.fract() == 0.0 && (1.0..=9999.0).contains(&value))
                .then(|| (n.span.start, (value as i32, end, n.kind == NumberKind::Ordinal)))
        })
        .collect()
}

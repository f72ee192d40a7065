//! What every bullet must keep, whoever wrote it.
//!
//! In: a label and a statement with the evidence they are to rest on. Out: [`Violation`]s, none where the contract is
//! kept. Names and figures are held against both sides of the evidence: what the translation says and, through
//! [`Checker`], what the source says, so that neither a model's invention nor the translator's gets into a summary.

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

use super::words::{Language, is_stopword, stem, words};
use crate::arabic::letters::is_arabic_letter;
use crate::check::{Checker, Facts};
use crate::glossary::Strength;
use crate::number::Certainty;
use crate::{arabic, english};

/// Fewest words of a label.
pub const FEWEST_LABEL_WORDS: usize = 2;
/// Most words of a label.
pub const MOST_LABEL_WORDS: usize = 5;
/// Most words of a statement.
pub const MOST_STATEMENT_WORDS: usize = 60;
/// Most sentences of a statement.
pub const MOST_SENTENCES: usize = 2;
/// Least share of a statement's content words that stand in the translation of its evidence.
const LEAST_SHARED: f64 = 0.3;

/// A way in which a bullet breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The label is too short, too long, or no plain phrase.
    #[error("the label {0:?} is not two to five plain words")]
    Label(String),
    /// The statement has no words.
    #[error("the statement is empty")]
    Empty,
    /// The statement has too many sentences or words.
    #[error("the statement has {sentences} sentences and {words} words")]
    Length {
        /// How many sentences.
        sentences: usize,
        /// How many words.
        words: usize,
    },
    /// A figure that the evidence lacks.
    #[error("the evidence has no {0}")]
    Number(String),
    /// A name that the evidence lacks.
    #[error("the evidence does not name {0}")]
    Name(String),
    /// Another bullet says the same.
    #[error("another bullet says the same")]
    Copy,
    /// The same words come over and over.
    #[error("the statement repeats itself")]
    Loop,
    /// Arabic letters.
    #[error("Arabic is left in the statement")]
    Untranslated,
    /// The statement has little to do with its evidence.
    #[error("the statement shares too few words with its evidence")]
    Unrelated,
}

/// What one bullet is held against.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    /// The evidence in the article's language.
    pub source: &'a str,
    /// Its translation.
    pub target: &'a str,
    /// Label and statement of the bullets that are there already.
    pub others: &'a [(&'a str, &'a str)],
    /// Finds names and figures across the two languages.
    pub checker: &'a Checker<'a>,
}

impl Contract<'_> {
    /// Lists what is wrong with a bullet, each thing once.
    pub fn violations(&self, label: &str, statement: &str) -> Vec<Violation> {
        let mut found = Vec::new();
        if !label_is_plain(label) {
            found.push(Violation::Label(label.to_owned()));
        }
        let said = words(statement);
        if said.is_empty() {
            found.push(Violation::Empty);
            return found;
        }
        let (sentences, length) = (count_sentences(statement), statement.split_whitespace().count());
        if sentences > MOST_SENTENCES || length > MOST_STATEMENT_WORDS {
            found.push(Violation::Length { sentences, words: length });
        }
        if statement.chars().any(is_arabic_letter) || label.chars().any(is_arabic_letter) {
            found.push(Violation::Untranslated);
        }
        if repeats(&said) {
            found.push(Violation::Loop);
        }
        if self.others.iter().any(|(l, s)| l.eq_ignore_ascii_case(label) || copies(s, statement)) {
            found.push(Violation::Copy);
        }
        let whole = format!("{label}. {statement}");
        found.extend(self.foreign_numbers(&whole).into_iter().map(Violation::Number));
        found.extend(self.foreign_names(&whole).into_iter().map(Violation::Name));
        if self.is_unrelated(&said) {
            found.push(Violation::Unrelated);
        }
        found
    }

    /// Lists the numbers of a text that neither side of the evidence has, or that the translator made up.
    fn foreign_numbers(&self, text: &str) -> BTreeSet<String> {
        let mut known = english::numbers::numbers(self.target);
        known.extend(match Language::of(self.source) {
            Language::Arabic => arabic::numbers::numbers(self.source),
            Language::English => english::numbers::numbers(self.source),
        });
        let said = english::numbers::numbers(text);
        let foreign = said
            .iter()
            .filter(|number| number.certainty >= Certainty::Words && !known.iter().any(|other| other.agrees(number)));
        let mut foreign: BTreeSet<String> = foreign.map(|number| number.span.of(text).to_owned()).collect();
        foreign.extend(self.facts(text).numbers_invented);
        foreign
    }

    /// Lists the names of a text that the evidence lacks: known ones on the word of the checker and the glossary, and
    /// any capitalised word within a sentence that neither the translation nor the glossary's rendering of the source has.
    fn foreign_names(&self, text: &str) -> BTreeSet<String> {
        let glossary = self.checker.glossary;
        let mut foreign: BTreeSet<String> = self.facts(text).names_invented.into_iter().collect();
        let mut concepts: BTreeSet<&str> =
            glossary.mentions(self.target).into_iter().flat_map(|m| m.concepts).collect();
        let mut known: BTreeSet<String> = words(self.target).iter().map(|word| stem(word)).collect();
        for found in glossary.matches(self.source) {
            concepts.insert(&found.entry.concept);
            for english in std::iter::once(&found.entry.english).chain(&found.entry.alternatives) {
                known.extend(words(english).iter().map(|word| stem(word)));
            }
        }
        let is_known = |name: &str| words(name).iter().all(|word| is_stopword(word) || known.contains(&stem(word)));
        let named = glossary.mentions(text).into_iter().filter(|mention| mention.strength == Strength::Certain);
        for mention in named.filter(|mention| !mention.concepts.iter().any(|concept| concepts.contains(concept))) {
            if !is_known(&mention.text) {
                foreign.insert(mention.text);
            }
        }
        foreign.extend(capitalised(text).filter(|name| !is_known(name)).map(str::to_owned));
        foreign
    }

    /// Counts what a text invents against an Arabic source; an English one is the translation itself.
    fn facts(&self, text: &str) -> Facts {
        match Language::of(self.source) {
            Language::Arabic => self.checker.facts(self.source, text),
            Language::English => Facts::default(),
        }
    }

    fn is_unrelated(&self, said: &[String]) -> bool {
        let known: BTreeSet<String> = words(self.target).iter().map(|word| stem(word)).collect();
        let content: Vec<String> = said.iter().filter(|word| !is_stopword(word)).map(|word| stem(word)).collect();
        let shared = content.iter().filter(|stem| known.contains(*stem)).count();
        !content.is_empty() && (shared as f64) < LEAST_SHARED * content.len() as f64
    }
}

fn label_is_plain(label: &str) -> bool {
    let length = label.split_whitespace().count();
    (FEWEST_LABEL_WORDS..=MOST_LABEL_WORDS).contains(&length)
        && label.trim() == label
        && !label.contains([':', '*', '\n', '.', '"', '[', ']'])
        && label.chars().any(char::is_alphabetic)
}

/// Counts sentences; a piece that goes on in lower case or after an initial is none of its own.
pub(super) fn count_sentences(text: &str) -> usize {
    let mut count = 0;
    let mut before = "";
    for piece in text.unicode_sentences() {
        let last = before.split_whitespace().next_back().unwrap_or_default();
        let abbreviated = last.ends_with('.') && last.chars().filter(|c| c.is_alphabetic()).count() <= 3;
        let goes_on = piece.trim_start().starts_with(|c: char| c.is_lowercase());
        if before.is_empty() || !(goes_on || abbreviated) {
            count += 1;
        }
        before = piece;
    }
    count
}

/// Lists the capitalised words that do not open a sentence.
fn capitalised(text: &str) -> impl Iterator<Item = &str> {
    let mut opens = true;
    text.split_whitespace().filter_map(move |word| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let name = !opens && bare.starts_with(char::is_uppercase) && bare.chars().count() > 1;
        opens = word.ends_with(['.', '!', '?', ':', '…']) || word.starts_with(['"', '“']) && bare.is_empty();
        let quoted = word.starts_with(['"', '“', '‘']);
        (name && !quoted).then_some(bare)
    })
}

/// Returns whether three words come three times, or one word four times in a row.
fn repeats(said: &[String]) -> bool {
    let thrice = said.windows(3).any(|three| said.windows(3).filter(|other| *other == three).count() >= 3);
    thrice || said.windows(4).any(|four| four.iter().all(|word| *word == four[0]))
}

/// Returns whether one statement says what another says: most of the shorter one's content words are shared.
fn copies(one: &str, other: &str) -> bool {
    let stems = |text: &str| -> BTreeSet<String> {
        words(text).iter().filter(|word| !is_stopword(word)).map(|word| stem(word)).collect()
    };
    let (one, other) = (stems(one), stems(other));
    let fewer = one.len().min(other.len());
    fewer > 0 && one.intersection(&other).count() * 10 > fewer * 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glossary::{Category, Entry, Glossary};

    const SOURCE: &str = "اتفقت الجزائر وليبيا على مراقبة الحدود الممتدة ٩٠٠ كيلومتر";
    const TARGET: &str = "Algeria and Libya agreed to monitor the border, which is 900 kilometres long.";

    fn glossary() -> Glossary {
        let entry = |arabic: &str, english: &str| Entry {
            arabic: arabic.into(),
            english: english.into(),
            alternatives: Vec::new(),
            category: Category::Country,
            concept: format!("country/{english}"),
            ambiguous: false,
        };
        Glossary::new(vec![entry("ليبيا", "Libya"), entry("مصر", "Egypt")])
    }

    fn check(label: &str, statement: &str) -> Vec<Violation> {
        let glossary = glossary();
        let checker = Checker::new(&glossary);
        let others = [("Official visits", "The minister received a delegation in the capital on Sunday.")];
        Contract { source: SOURCE, target: TARGET, others: &others, checker: &checker }.violations(label, statement)
    }

    #[test]
    fn a_true_bullet_keeps_the_contract() {
        assert_eq!(check("Border security", TARGET), Vec::new());
        assert_eq!(check("Border security", "Algeria and Libya will monitor their 900-kilometre border."), Vec::new());
    }

    #[test]
    fn every_breach_is_caught() {
        let border = "Algeria and Libya agreed to monitor the border.";
        let cases: &[(&str, &str, &str)] = &[
            ("Border", border, "label"),
            ("A label of more than five words", border, "label"),
            ("Border: security", border, "label"),
            ("Border security", " ", "empty"),
            ("Border security", "Algeria and Libya agreed to monitor the 950 kilometres of border.", "no 950"),
            ("Border security", "Algeria and Libya agreed on twelve border posts to monitor.", "no twelve"),
            ("Border security", "Egypt and Libya agreed to monitor the border.", "name Egypt"),
            ("Border security", "Algeria and Libya agreed to monitor the border with Morocco.", "name Morocco"),
            ("Border security", "Libya agreed. Algeria agreed. They monitor the border.", "3 sentences"),
            ("Official visits", border, "another bullet"),
            ("Border security", "The minister received a delegation in the capital.", "another bullet"),
            ("Border security", "Libya agreed to monitor, agreed to monitor, agreed to monitor.", "repeats"),
            ("Border security", "Algeria و Libya agreed to monitor the border.", "Arabic"),
            ("Border security", "The football team won a cup final against old rivals.", "too few words"),
        ];
        for (label, statement, reason) in cases {
            let found: Vec<String> = check(label, statement).iter().map(ToString::to_string).collect();
            assert!(found.iter().any(|violation| violation.contains(reason)), "{statement}: {found:?}");
        }
    }
}

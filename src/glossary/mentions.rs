//! Finds known names in English text and tells whether an English text keeps an entry.
//!
//! In: an English text and the English forms of all entries. Out: [`Mention`]s, longest first where they would overlap;
//! or yes and no. Names are compared by whole words, folded as [`latin`](super::latin) says, and must be capitalised as
//! a name is ("Turkey", never "turkey"); words and offices are compared by their stems.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::latin::{Token, stem, tokens};
use super::{Category, Entry, Glossary, Strength};
use crate::span::Span;

/// A known name found in an English text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'g> {
    /// The entry, the first one where several have this English.
    pub entry: &'g Entry,
    /// The concepts of all entries that have this English: Tripoli is a town in two countries.
    pub concepts: Vec<&'g str>,
    /// Its bytes in the text, a possessive 's left out.
    pub span: Span,
    /// Its words in the text.
    pub text: String,
    /// How much it proves.
    pub strength: Strength,
}

/// One English form of a name.
#[derive(Debug)]
struct Form {
    /// Its words.
    words: Vec<FormWord>,
    /// Entries that have it; none for a phrase that only hides a name.
    entries: Vec<usize>,
    /// Whether it may be another name too.
    doubtful: bool,
}

#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct FormWord {
    text: String,
    capital: bool,
    caps: bool,
}

impl FormWord {
    fn fits(&self, token: &Token) -> bool {
        self.text == token.text && (!self.capital || token.capital) && (!self.caps || token.caps)
    }
}

/// Cuts an English form into words; a leading "the" is no part of it.
fn form_words(form: &str) -> Vec<FormWord> {
    let mut words: Vec<FormWord> = tokens(form)
        .into_iter()
        .map(|t| FormWord { caps: t.caps && t.text.len() <= 7, text: t.text, capital: t.capital })
        .collect();
    if words.len() > 1 && words[0].text == "the" {
        words.remove(0);
    }
    words
}

/// English forms by first word and by concept.
#[derive(Debug, Default)]
pub(super) struct Index {
    forms: Vec<Form>,
    first: HashMap<String, Vec<usize>>,
    concepts: HashMap<String, Vec<usize>>,
    /// English forms of a concept that none of its entries has.
    extra: HashMap<String, Vec<String>>,
}

impl Index {
    /// Indexes the English of entries.
    pub(super) fn new(
        entries: &[Entry],
        doubtful: &HashSet<String>,
        english_only: &[(String, String)],
        blocks: &[String],
    ) -> Self {
        let mut index = Self::default();
        for (number, entry) in entries.iter().enumerate() {
            index.concepts.entry(entry.concept.clone()).or_default().push(number);
        }
        let mut known: HashMap<Vec<FormWord>, usize> = HashMap::new();
        for (number, entry) in entries.iter().enumerate().filter(|(_, e)| e.category.is_name()) {
            for form in std::iter::once(&entry.english).chain(&entry.alternatives) {
                index.add(&mut known, form, number, doubtful.contains(&entry.concept));
            }
        }
        for (concept, form) in english_only {
            index.extra.entry(concept.clone()).or_default().push(form.clone());
            if let Some(&number) = index.concepts.get(concept).and_then(|c| c.first()) {
                index.add(&mut known, form, number, doubtful.contains(concept));
            }
        }
        for phrase in blocks {
            let words = form_words(phrase);
            if !known.contains_key(&words) {
                index.push(&mut known, Form { words, entries: Vec::new(), doubtful: false });
            }
        }
        index
    }

    fn add(&mut self, known: &mut HashMap<Vec<FormWord>, usize>, form: &str, entry: usize, doubtful: bool) {
        let words = form_words(form);
        // A form in small letters ("the kingdom") is right in a translation but names nothing by itself.
        if words.is_empty() || !words.iter().any(|w| w.capital) {
            return;
        }
        match known.get(&words) {
            Some(&at) if !self.forms[at].entries.contains(&entry) => self.forms[at].entries.push(entry),
            Some(_) => {}
            None => self.push(known, Form { words, entries: vec![entry], doubtful }),
        }
    }

    fn push(&mut self, known: &mut HashMap<Vec<FormWord>, usize>, form: Form) {
        if let Some(first) = form.words.first() {
            self.first.entry(first.text.clone()).or_default().push(self.forms.len());
            known.insert(form.words.clone(), self.forms.len());
            self.forms.push(form);
        }
    }

    /// Returns the numbers of a concept's entries.
    pub(super) fn entries_of(&self, concept: &str) -> &[usize] {
        self.concepts.get(concept).map_or(&[], Vec::as_slice)
    }
}

impl Glossary {
    /// Finds the countries, nationalities, places, people and bodies that an English text names: any spelling, whole
    /// words, longest first, no overlaps, in order of the text.
    pub fn mentions(&self, english: &str) -> Vec<Mention<'_>> {
        let tokens = tokens(english);
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            for &number in self.english.first.get(&token.text).map_or(&[][..], Vec::as_slice) {
                let form = &self.english.forms[number];
                if stands_at(&form.words, &tokens, at) {
                    found.push((at, number));
                }
            }
        }
        found.sort_by_key(|&(at, number)| (std::cmp::Reverse(self.english.forms[number].words.len()), at));
        let mut taken = vec![false; tokens.len()];
        let mut mentions = Vec::new();
        for (at, number) in found {
            let form = &self.english.forms[number];
            let range = at..at + form.words.len();
            if taken[range.clone()].iter().any(|t| *t) {
                continue;
            }
            taken[range.clone()].fill(true);
            let Some(&first) = form.entries.first() else { continue };
            let span = Span::new(tokens[at].span.start, tokens[range.end - 1].span.end);
            let concepts: BTreeSet<&str> = form.entries.iter().map(|&e| self.entries[e].concept.as_str()).collect();
            let unsure = form.doubtful && in_longer_name(&tokens, range);
            mentions.push(Mention {
                entry: &self.entries[first],
                concepts: concepts.into_iter().collect(),
                span,
                text: span.of(english).to_owned(),
                strength: if unsure { Strength::Hint } else { Strength::Certain },
            });
        }
        mentions.sort_by_key(|m| m.span.start);
        mentions
    }

    /// Returns whether an English text has an entry in any right form: its English, an alternative, any form of its
    /// concept (الجزائر as "Algerian"), a person by surname, and for words any inflection.
    pub fn renders(&self, entry: &Entry, english: &str) -> bool {
        let tokens = tokens(english);
        let own = std::iter::once(&entry.english).chain(&entry.alternatives);
        let kin = self.english.entries_of(&entry.concept).iter().map(|&e| &self.entries[e]);
        let kin = kin.flat_map(|e| std::iter::once(&e.english).chain(&e.alternatives));
        let extra = self.english.extra.get(&entry.concept).into_iter().flatten();
        own.chain(kin).chain(extra).any(|form| renders_form(entry.category, form, &tokens))
    }
}

/// Returns whether one right form stands in the tokens.
fn renders_form(category: Category, form: &str, text: &[Token]) -> bool {
    let words = form_words(form);
    if words.is_empty() {
        return false;
    }
    let stands = |words: &[FormWord]| (0..text.len()).any(|at| stands_at(words, text, at));
    match category {
        Category::Office | Category::Term => {
            let stems: Vec<String> = words.iter().map(|w| stem(&w.text)).collect();
            let text: Vec<String> = text.iter().map(|t| stem(&t.text)).collect();
            text.windows(stems.len()).any(|w| w == stems)
        }
        Category::Person if words.len() > 1 => stands(&words) || stands(&words[surname_start(&words)..]),
        _ => stands(&words),
    }
}

/// Returns at which word of a full name the surname begins: "bin Salman", "Ould Ghazouani", "van der Bellen", "Macron".
fn surname_start(words: &[FormWord]) -> usize {
    const PARTICLES: &[&str] =
        &["bin", "ben", "ibn", "bou", "abu", "abou", "ould", "van", "von", "der", "de", "da", "di", "le", "la"];
    let mut start = words.len() - 1;
    while start > 0 && PARTICLES.contains(&words[start - 1].text.as_str()) {
        start -= 1;
    }
    start
}

/// Returns whether the words of a form stand in the text from a token on.
fn stands_at(words: &[FormWord], text: &[Token], at: usize) -> bool {
    let Some(window) = text.get(at..at + words.len()) else { return false };
    words.iter().zip(window).enumerate().all(|(n, (w, t))| w.fits(t) && (n == 0 || t.joined))
}

/// Returns whether the tokens beside a range make it part of a longer name: "Michael Jordan", "Chad Smith".
fn in_longer_name(text: &[Token], range: std::ops::Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map(|b| &text[b]);
    let before = before.is_some_and(|b| b.capital && !b.opens && text[range.start].joined);
    let after = text.get(range.end).is_some_and(|a| a.capital && a.joined);
    before || after
}

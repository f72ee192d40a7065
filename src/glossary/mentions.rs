//! Finds known names in English text and tells whether an English text keeps an entry.
//!
//! In: an English text and the English forms of all entries. Out: [`Mention`]s, longest first where they would overlap;
//! or yes and no. Names are compared by whole words, folded as [`latin`](super::latin) says, and must be capitalised as
//! a name is ("Turkey", never "turkey"); words and offices are compared by their stems.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::latin::{Token, stem, tokens};
use super::transliterate::{SAME_NAME, sounds_like};
use super::{Category, Entry, Glossary, Strength};
use crate::arabic::clitics::normalise;
use crate::span::Span;

/// Shortest name, in letters, that is looked for inside words that a careless text runs together.
const SHORTEST_RUN: usize = 5;

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
    /// What may be wrong with taking it for the name.
    doubt: Doubt,
}

/// Why an English form may not be the name it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is the name wherever it stands.
    None,
    /// Beside other capitalised words it may be part of another name: Michael Jordan.
    InLongerName,
    /// It is a common word or name anyway: May, Total, Kim.
    Always,
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
        common: &HashSet<(String, String)>,
        english_only: &[(String, String)],
        blocks: &[String],
    ) -> Self {
        let mut index = Self::default();
        for (number, entry) in entries.iter().enumerate() {
            index.concepts.entry(entry.concept.clone()).or_default().push(number);
        }
        let mut known: HashMap<Vec<FormWord>, usize> = HashMap::new();
        let doubt_of = |concept: &String, form: &str| {
            if common.contains(&(concept.clone(), form.to_owned())) {
                Doubt::Always
            } else if doubtful.contains(concept) {
                Doubt::InLongerName
            } else {
                Doubt::None
            }
        };
        for (number, entry) in entries.iter().enumerate().filter(|(_, e)| e.category.is_name()) {
            for form in std::iter::once(&entry.english).chain(&entry.alternatives) {
                index.add(&mut known, form, number, doubt_of(&entry.concept, form));
            }
        }
        for (concept, form) in english_only {
            index.extra.entry(concept.clone()).or_default().push(form.clone());
            if let Some(&number) = index.concepts.get(concept).and_then(|c| c.first()) {
                index.add(&mut known, form, number, doubt_of(concept, form));
            }
        }
        for phrase in blocks {
            let words = form_words(phrase);
            if !known.contains_key(&words) {
                index.push(&mut known, Form { words, entries: Vec::new(), doubt: Doubt::None });
            }
        }
        index
    }

    fn add(&mut self, known: &mut HashMap<Vec<FormWord>, usize>, form: &str, entry: usize, doubt: Doubt) {
        let words = form_words(form);
        // A form in small letters ("the kingdom") is right in a translation but names nothing by itself.
        if words.is_empty() || !words.iter().any(|w| w.capital) {
            return;
        }
        match known.get(&words) {
            Some(&at) if !self.forms[at].entries.contains(&entry) => self.forms[at].entries.push(entry),
            Some(_) => {}
            None => self.push(known, Form { words, entries: vec![entry], doubt }),
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
        let mut mentions = Vec::new();
        for (at, form) in self.longest_forms(&tokens) {
            let range = at..at + form.words.len();
            let Some(&first) = form.entries.first() else { continue };
            let span = Span::new(tokens[at].span.start, tokens[range.end - 1].span.end);
            let concepts: BTreeSet<&str> = form.entries.iter().map(|&e| self.entries[e].concept.as_str()).collect();
            let unsure = match form.doubt {
                Doubt::None => false,
                Doubt::InLongerName => in_longer_name(&tokens, range),
                Doubt::Always => true,
            };
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

    /// Finds the forms that stand in the tokens, longest first where they would overlap.
    fn longest_forms(&self, tokens: &[Token]) -> Vec<(usize, &Form)> {
        let mut found = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let forms = self.english.first.get(&token.text).map_or(&[][..], Vec::as_slice);
            let forms = forms.iter().map(|&number| &self.english.forms[number]);
            found.extend(forms.filter(|form| stands_at(&form.words, tokens, at)).map(|form| (at, form)));
        }
        found.sort_by_key(|(at, form)| (std::cmp::Reverse(form.words.len()), *at));
        let mut taken = vec![false; tokens.len()];
        found.retain(|(at, form)| {
            let range = *at..at + form.words.len();
            let free = taken[range.clone()].iter().all(|t| !t);
            if free {
                taken[range].fill(true);
            }
            free
        });
        found
    }

    /// Returns which tokens belong to a longer name of another country or place: Sudan in "South Sudan".
    fn hidden_from(&self, entry: &Entry, tokens: &[Token]) -> Vec<bool> {
        let is_place = |c| matches!(c, Category::Country | Category::Nationality | Category::Place);
        let mut hidden = vec![false; tokens.len()];
        if !is_place(entry.category) {
            return hidden;
        }
        for (at, form) in self.longest_forms(tokens).into_iter().filter(|(_, f)| f.words.len() > 1) {
            let mut owners = form.entries.iter().map(|&e| &self.entries[e]);
            let place = form.entries.first().is_some_and(|&e| is_place(self.entries[e].category));
            if place && owners.all(|o| o.concept != entry.concept) {
                hidden[at..at + form.words.len()].fill(true);
            }
        }
        hidden
    }

    /// Returns whether an Arabic text gives grounds for a name found in its translation: an entry of the same concept,
    /// alone or inside a longer one (the United Nations in "UN General Assembly"), its letters in words run together,
    /// a word that sounds like it, or the name itself in Latin letters.
    pub fn backs(&self, mention: &Mention<'_>, arabic: &str) -> bool {
        if self.concepts_within(arabic).iter().any(|c| mention.concepts.contains(c)) {
            return true;
        }
        let run_together: String = normalise(arabic).split(' ').collect();
        let own = mention.concepts.iter().flat_map(|c| self.concept(c)).filter(|e| !e.ambiguous);
        let mut own = own.map(|e| normalise(&e.arabic).split(' ').collect::<String>());
        if own.any(|name| name.chars().count() >= SHORTEST_RUN && run_together.contains(&name)) {
            return true;
        }
        let latin = tokens(arabic);
        let words = form_words(&mention.text);
        if (0..latin.len()).any(|at| stands_at(&words, &latin, at)) {
            return true;
        }
        matches!(mention.entry.category, Category::Person | Category::Place)
            && words.last().is_some_and(|last| {
                last.text.len() > 3 && normalise(arabic).split(' ').any(|w| sounds_like(w, &last.text) >= SAME_NAME)
            })
    }

    /// Returns whether an English text has an entry in any right form: its English, an alternative, any form of its
    /// concept (الجزائر as "Algerian"), a person by surname, and for words any inflection.
    pub fn renders(&self, entry: &Entry, english: &str) -> bool {
        let tokens = tokens(english);
        let own = std::iter::once(&entry.english).chain(&entry.alternatives);
        let kin = self.english.entries_of(&entry.concept).iter().map(|&e| &self.entries[e]);
        let kin = kin.flat_map(|e| std::iter::once(&e.english).chain(&e.alternatives));
        let extra = self.english.extra.get(&entry.concept).into_iter().flatten();
        let hidden = self.hidden_from(entry, &tokens);
        own.chain(kin).chain(extra).any(|form| renders_form(entry.category, form, &tokens, &hidden))
    }
}

/// Returns whether one right form stands in the tokens, outside those that are hidden.
fn renders_form(category: Category, form: &str, text: &[Token], hidden: &[bool]) -> bool {
    let words = form_words(form);
    if words.is_empty() {
        return false;
    }
    let open = |at: usize, length: usize| hidden[at..at + length].iter().all(|h| !h);
    let stands = |words: &[FormWord]| (0..text.len()).any(|at| stands_at(words, text, at) && open(at, words.len()));
    match category {
        Category::Office | Category::Term => {
            let stems: Vec<String> = words.iter().map(|w| stem(&w.text)).collect();
            let text: Vec<String> = text.iter().map(|t| stem(&t.text)).collect();
            text.windows(stems.len()).any(|w| w == stems)
        }
        Category::Person if words.len() > 1 => stands(&words) || stands(&words[surname_start(&words)..]),
        // Several words together are the name however they are capitalised: "international court of justice".
        _ if words.len() > 1 => text.windows(words.len()).enumerate().any(|(at, window)| {
            open(at, words.len()) && window.iter().zip(&words).all(|(t, word)| t.text == word.text)
        }),
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

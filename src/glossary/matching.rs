//! Finds entries in Arabic text.
//!
//! In: a text and the index of first words. Out: [`Match`]es, longest first where they would overlap. Words are
//! compared in the normal form of [`clitics`](crate::arabic::clitics); clitics come off the first word only, the article
//! comes off any word where the entry's category lets it.

use std::collections::{HashMap, HashSet};

use super::{Category, Entry, Glossary, Match, Strength};
use crate::arabic::clitics::{Reading, Word, normalise, readings, words};
use crate::span::Span;

/// A word of an entry in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// Without the article.
    stem: String,
    /// Whether the entry writes the article.
    article: bool,
    /// With the article, as written.
    whole: String,
}

impl Pattern {
    fn new(word: &str) -> Self {
        let whole = normalise(word);
        // A hamza on the alef (ألمانيا) says that these two letters are no article.
        let article = word.starts_with("ال") && whole != "الله" && whole.chars().count() >= 4;
        let stem = if article { whole.chars().skip(2).collect() } else { whole.clone() };
        Self { stem, article, whole }
    }

    fn fits(&self, reading: &Reading, free: bool) -> bool {
        if reading.stem == self.whole && reading.article != Some(true) {
            return true;
        }
        if reading.stem != self.stem {
            return false;
        }
        match reading.article {
            None => true,
            Some(article) => free || article == self.article,
        }
    }
}

/// Entries by the first word of their Arabic.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// First word, with and without article, to entries.
    first: HashMap<String, Vec<usize>>,
    /// The words of each entry.
    patterns: Vec<Vec<Pattern>>,
}

impl Index {
    /// Indexes entries, which keep their numbers.
    pub(super) fn new(entries: &[Entry]) -> Self {
        let mut index = Self::default();
        for (number, entry) in entries.iter().enumerate() {
            let pattern: Vec<Pattern> =
                entry.arabic.split([' ', '-']).filter(|w| !w.is_empty()).map(Pattern::new).collect();
            if let Some(first) = pattern.first() {
                index.first.entry(first.stem.clone()).or_default().push(number);
                if first.article {
                    index.first.entry(first.whole.clone()).or_default().push(number);
                }
            }
            index.patterns.push(pattern);
        }
        index
    }
}

/// A place where an entry fits, before overlaps are settled.
struct Candidate {
    entry: usize,
    first_word: usize,
    words: usize,
    clitics: usize,
    span: Span,
}

/// Words before which a town or country is meant: "in", "city of", "north of", "government of".
const BEFORE_PLACES: &[&str] = &[
    "في",
    "الي",
    "من",
    "مدينه",
    "بلده",
    "قريه",
    "دوله",
    "جمهوريه",
    "سلطنه",
    "مملكه",
    "اماره",
    "محافظه",
    "ولايه",
    "اقليم",
    "منطقه",
    "عاصمه",
    "العاصمه",
    "شمال",
    "جنوب",
    "شرق",
    "غرب",
    "وسط",
    "شمالي",
    "جنوبي",
    "شرقي",
    "غربي",
    "قرب",
    "مطار",
    "ميناء",
    "رييس",
    "حكومه",
    "ضواحي",
    "بين",
    "نحو",
    "جامعه",
    "ضد",
    "مع",
    "سفاره",
    "سفير",
    "حدود",
    "ازمه",
    "حرب",
    "منتخب",
];

/// Titles after which a person is meant.
const BEFORE_PEOPLE: &[&str] = &[
    "الرييس",
    "الوزير",
    "السيد",
    "السيده",
    "الجنرال",
    "المشير",
    "العقيد",
    "اللواء",
    "الفريق",
    "العميد",
    "الملك",
    "الامير",
    "السفير",
    "الدكتور",
    "الشيخ",
    "الزعيم",
    "القايد",
    "النايب",
    "الاستاذ",
    "المحامي",
    "المستشار",
    "الوزيره",
    "الدكتوره",
    "رييس",
    "وزير",
    "الكاتب",
    "الصحفي",
    "الصحافي",
    "الخارجيه",
    "الدفاع",
    "الداخليه",
    "الحكومه",
    "الوزراء",
    "المبعوث",
    "الجمهوريه",
];

impl Glossary {
    /// Finds the entries that an Arabic text has: longest match first, no overlaps, in order of the text.
    pub fn matches(&self, arabic: &str) -> Vec<Match<'_>> {
        let words = words(arabic);
        let mut candidates = self.candidates(arabic, &words);
        // Stable: among equals the entry that was indexed first stays first.
        candidates.sort_by_key(|c| (std::cmp::Reverse(c.words), c.clitics, c.first_word));
        let mut taken = vec![false; words.len()];
        let mut chosen: Vec<&Candidate> = Vec::new();
        for candidate in &candidates {
            let range = candidate.first_word..candidate.first_word + candidate.words;
            if taken[range.clone()].iter().all(|t| !t) {
                taken[range].fill(true);
                chosen.push(candidate);
            }
        }
        chosen.sort_by_key(|c| c.first_word);
        self.judge(&words, &chosen)
    }

    fn candidates(&self, text: &str, words: &[Word]) -> Vec<Candidate> {
        let all: Vec<Vec<Reading>> = words.iter().map(readings).collect();
        let mut found = Vec::new();
        for (at, own) in all.iter().enumerate() {
            for reading in own {
                for &entry in self.arabic.first.get(&reading.stem).map_or(&[][..], Vec::as_slice) {
                    let pattern = &self.arabic.patterns[entry];
                    let category = self.entries[entry].category;
                    if !pattern[0].fits(reading, category.article_is_free()) || at + pattern.len() > words.len() {
                        continue;
                    }
                    let free = category.article_is_free() || category == Category::Person;
                    let rest = pattern.iter().enumerate().skip(1).all(|(n, p)| {
                        adjacent(text, &words[at + n - 1], &words[at + n])
                            && all[at + n].iter().any(|r| r.clitics == 0 && p.fits(r, free))
                    });
                    if rest {
                        let last = &words[at + pattern.len() - 1];
                        let span = Span::new(words[at].span_from(reading.noun).start, last.span.end);
                        found.push(Candidate {
                            entry,
                            first_word: at,
                            words: pattern.len(),
                            clitics: reading.clitics,
                            span,
                        });
                    }
                }
            }
        }
        found
    }

    /// Decides how much each match proves: an ambiguous one is certain beside words that call for it, in a list with
    /// certain ones of its kind, or where the same concept is certain elsewhere in the text.
    fn judge(&self, words: &[Word], chosen: &[&Candidate]) -> Vec<Match<'_>> {
        let mut certain: Vec<bool> = chosen
            .iter()
            .map(|c| {
                let entry = &self.entries[c.entry];
                !entry.ambiguous || called_for(entry.category, c, words)
            })
            .collect();
        let concepts: HashSet<&str> = chosen
            .iter()
            .zip(&certain)
            .filter(|(_, sure)| **sure)
            .map(|(c, _)| self.entries[c.entry].concept.as_str())
            .collect();
        for (n, candidate) in chosen.iter().enumerate() {
            let entry = &self.entries[candidate.entry];
            let listed = |other: usize, gap_word: usize| {
                let neighbour = chosen[other];
                let is_and = words.get(gap_word).and_then(|w| w.letters.first()).is_some_and(|l| l.folded == 'و');
                let kind = self.entries[neighbour.entry].category;
                certain[other] && kind == entry.category && kind != Category::Nationality && is_and
            };
            let after = n > 0
                && chosen[n - 1].first_word + chosen[n - 1].words == candidate.first_word
                && listed(n - 1, candidate.first_word);
            let before = n + 1 < chosen.len()
                && candidate.first_word + candidate.words == chosen[n + 1].first_word
                && listed(n + 1, chosen[n + 1].first_word);
            let sure = certain[n] || after || before || concepts.contains(entry.concept.as_str());
            certain[n] = sure;
        }
        chosen
            .iter()
            .zip(certain)
            .map(|(c, sure)| Match {
                entry: &self.entries[c.entry],
                span: c.span,
                strength: if sure { Strength::Certain } else { Strength::Hint },
            })
            .collect()
    }
}

/// Returns whether the word before an ambiguous match calls for a name of its kind.
fn called_for(category: Category, candidate: &Candidate, words: &[Word]) -> bool {
    let expected = match category {
        Category::Country | Category::Place => BEFORE_PLACES,
        Category::Person => BEFORE_PEOPLE,
        _ => return false,
    };
    let Some(before) = candidate.first_word.checked_sub(1).map(|w| &words[w]) else { return false };
    candidate.clitics == 0 && readings(before).iter().any(|r| expected.contains(&before.normal_from(r.noun).as_str()))
}

/// Returns whether two words stand side by side: only white space, hyphens, strokes or quotation marks between them.
fn adjacent(text: &str, left: &Word, right: &Word) -> bool {
    text[left.span.end..right.span.start].chars().all(|c| {
        c.is_whitespace()
            || matches!(c, '-' | '–' | '/' | '"' | '«' | '»' | '“' | '”' | '\'' | '\u{0640}' | '\u{200B}'..='\u{200F}')
    })
}

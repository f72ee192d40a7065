//! What a segment asks of an engine: its text with the names, terms and figures that a translation must keep.
//!
//! In: a segment's source text and the glossary. Out: a [`Request`]. How an engine shows terms to its model, or steers
//! its search by them, is [`crate::engine`]'s; whether they were kept is [`crate::check`]'s.

use std::collections::BTreeSet;

use crate::arabic::numbers::numbers;
use crate::batch::{Request, Term};
use crate::glossary::{Category, Entry, Glossary, Strength};
use crate::number::{Certainty, Kind, Number};
use crate::span::Span;

/// Most terms a request carries: more make the prompt of a small model longer than the sentence.
const MAX_TERMS: usize = 18;

/// Makes the request for one segment.
pub fn request(glossary: &Glossary, source: &str) -> Request {
    let mut found: Vec<(Span, bool, Term)> = Vec::new();
    let mut allowed: BTreeSet<String> = BTreeSet::new();
    for matched in glossary.matches(source) {
        let entry = matched.entry;
        let related = glossary.concept(&entry.concept).chain(std::iter::once(entry));
        for form in related.flat_map(forms) {
            allowed.insert(form.to_owned());
        }
        // A word that may be an ordinary one is not put into the model's mouth, but may be said.
        if matched.strength == Strength::Certain || !entry.category.is_name() {
            let mut also: Vec<String> = forms(entry).skip(1).map(str::to_owned).collect();
            if matches!(entry.category, Category::Country | Category::Nationality) {
                also.extend(glossary.concept(&entry.concept).flat_map(forms).map(str::to_owned));
            }
            let term = Term { source: matched.span.of(source).to_owned(), target: entry.english.clone(), also };
            found.push((matched.span, entry.category.is_name(), term));
        }
    }
    for person in glossary.people(source) {
        if found.iter().any(|(span, ..)| span.start < person.span.end && person.span.start < span.end) {
            continue;
        }
        allowed.insert(person.english.clone());
        allowed.extend(person.english.split_whitespace().map(str::to_owned));
        // The name lexicon has the usual spelling; the surname alone will do in a later mention.
        let also = person.english.split_whitespace().last().map(str::to_owned).into_iter().collect();
        let term = Term { source: person.span.of(source).to_owned(), target: person.english, also };
        found.push((person.span, true, term));
    }
    found.sort_by_key(|(span, ..)| span.start);
    let mut seen = BTreeSet::new();
    found.retain(|(_, _, term)| seen.insert(term.target.clone()));
    while found.len() > MAX_TERMS {
        // Words go before names, the last first.
        let index = found.iter().rposition(|(_, name, _)| !name).unwrap_or(found.len() - 1);
        found.remove(index);
    }
    Request {
        source: source.to_owned(),
        terms: found.into_iter().map(|(_, _, term)| term).collect(),
        numbers: figures(source),
        allowed: allowed.into_iter().collect(),
    }
}

/// Returns the English forms of an entry, the wanted one first.
fn forms(entry: &Entry) -> impl Iterator<Item = &str> {
    std::iter::once(entry.english.as_str()).chain(entry.alternatives.iter().map(String::as_str))
}

/// Returns the figures that a translation of `source` may write, as Western digits, in order, one an occurrence.
fn figures(source: &str) -> Vec<String> {
    let mut figures = Vec::new();
    for number in numbers(source) {
        // "The three countries": small counts in words stay words in English too.
        let in_words = number.certainty == Certainty::Words && number.kind == Kind::Cardinal && number.value < 13.0;
        if number.certainty >= Certainty::Words && !in_words {
            figures.extend(written(&number, number.span.of(source)));
        }
    }
    figures
}

/// Returns how a number is written in English digits: first as the source's own digits stand, else its value.
fn written(number: &Number, words: &str) -> Vec<String> {
    let digits: String = words
        .chars()
        .filter_map(|c| match c {
            '٠'..='٩' => char::from_digit(u32::from(c) - u32::from('٠'), 10),
            '۰'..='۹' => char::from_digit(u32::from(c) - u32::from('۰'), 10),
            '0'..='9' | '.' | ':' => Some(c),
            '٫' => Some('.'),
            ',' | '٬' | '،' => Some(','),
            _ => None,
        })
        .collect();
    let digits = digits.trim_matches(['.', ':', ',']).to_owned();
    if digits.chars().any(|c| c.is_ascii_digit()) {
        return vec![digits];
    }
    // Months and round counts are words in English too.
    if number.kind == Kind::Month || number.value.fract() != 0.0 || !(0.0..1e15).contains(&number.value) {
        return Vec::new();
    }
    vec![format!("{}", number.value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_names_and_figures_in_order() {
        let request = request(Glossary::builtin(), "وقعت الجزائر وليبيا في 12 يناير 2021 اتفاقا بقيمة ٣٫٥ مليون دولار.");
        let targets: Vec<&str> = request.terms.iter().map(|term| term.target.as_str()).collect();
        let place = |name: &str| targets.iter().position(|t| *t == name);
        assert!(place("Algeria").is_some() && place("Algeria") < place("Libya"), "{targets:?}");
        assert_eq!(request.numbers, ["12", "2021", "3.5"]);
        assert_eq!(super::request(Glossary::builtin(), "ثلاث دول و25 ألف نازح").numbers, ["25"]);
        assert!(request.allowed.iter().any(|name| name == "Libyan"), "adjectives are allowed with their country");
    }
}

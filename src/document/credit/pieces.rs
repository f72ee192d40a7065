//! The pieces of a credit line: what stands between its separators, and the line without its date.
//!
//! In: a line's text. Out: slices of it, or the text with a gap where a date stood. What a piece means is
//! [`super`]'s.

use crate::arabic::calendar;
use crate::arabic::letters::digit;
use crate::document::{StatedDate, stated};
use crate::span::Span;

/// Takes the first full date out of a text; what stood on its two sides stays apart.
pub(super) fn without_date(text: &str) -> (String, Option<StatedDate>) {
    match calendar::dates(text).first() {
        Some(found) => {
            let (date, time) = stated::with_time(text, found);
            (without(text, [Some(found.span), time], " | "), Some(date))
        }
        None => (text.to_owned(), None),
    }
}

/// Returns a text without some of its words, `gap` in the place of each.
pub(super) fn without(text: &str, words: impl IntoIterator<Item = Option<Span>>, gap: &str) -> String {
    let mut words: Vec<Span> = words.into_iter().flatten().collect();
    words.sort_by_key(|span| span.start);
    let mut rest = text.to_owned();
    let mut from = text.len();
    for span in words.iter().rev().filter(|span| span.start < span.end) {
        if span.end <= from {
            rest.replace_range(span.start..span.end, gap);
            from = span.start;
        }
    }
    rest
}

/// Returns a phrase without the day and month at its end: "عمان 9 يناير".
pub(super) fn without_day(phrase: &str) -> &str {
    let mut words = phrase.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    let found = words.find(|&at| {
        let mut rest = phrase[at..].split_whitespace();
        let day = rest.next().is_some_and(|day| day.chars().all(|c| digit(c).is_some()));
        let month: Vec<&str> = rest.collect();
        day && month.join(" ").split('/').all(|name| calendar::month(name).is_some())
    });
    found.map_or(phrase, |at| phrase[..at].trim_end())
}

/// Returns the parts of a line between separators.
pub(super) fn separated(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let (piece, next) = cut_at_separator(rest);
            rest = next;
            let piece = piece
                .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | '«' | '»' | '*' | '\''));
            if !piece.is_empty() {
                return Some(piece);
            }
        }
    })
}

/// Cuts a text at its first separator; tatweel and hyphens are separators beside a space only, a slash not within a date.
pub(super) fn cut_at_separator(text: &str) -> (&str, &str) {
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|&(_, c)| c);
        let beside_space = before.is_none_or(char::is_whitespace) || after.is_none_or(char::is_whitespace);
        let in_figure = before.is_some_and(char::is_numeric) && after.is_some_and(char::is_numeric);
        let separates = match c {
            '–' | '—' | '|' | '+' | '،' | ',' | '(' | ')' | '[' | ']' | '؛' | '•' | '·' | '\\' => true,
            '/' | ':' => !in_figure,
            '-' | 'ـ' => beside_space && !in_figure,
            _ => false,
        };
        if separates {
            return (&text[..at], &text[at + c.len_utf8()..]);
        }
        before = Some(c);
    }
    (text, "")
}

/// Returns the parts of a line that signs an article, which has more separators than a line of facts.
pub(super) fn separators(text: &str) -> impl Iterator<Item = &str> {
    text.split(['/', '|', '-', '–', '—', '(', ')', '،', '*']).map(str::trim).filter(|piece| !piece.is_empty())
}

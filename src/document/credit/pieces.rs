//! The pieces of a credit line: what stands between its separators, and the line without its date.
//!
//! In: a line's text. Out: slices of it, or the text with a gap where a date stood. What a piece means is
//! [`super`]'s.

use crate::arabic::calendar::expression::{Point, Time};
use crate::arabic::calendar::{self, WEEKDAYS};
use crate::arabic::letters::digit;
use crate::document::line::key;
use crate::document::{StatedDate, stated};
use crate::span::Span;

/// Takes the first full date out of a text, and what names a day in figures beside it; what stood on the two sides of each
/// stays apart.
pub(super) fn without_date(text: &str) -> (String, Option<StatedDate>) {
    let (date, spans) = stated::first(text).map_or((None, [None, None]), |(date, spans)| (Some(date), spans));
    let found = calendar::expressions(text);
    // The day of the other calendar beside it, and the words between the two, belong to the date.
    let whole = |span: Span| {
        let covers = |whole: &Span| whole.start <= span.start && span.end <= whole.end;
        found.iter().map(|found| found.span).find(covers).unwrap_or(span)
    };
    let known: Vec<Span> = spans.into_iter().flatten().map(whole).collect();
    let apart = |span: &Span| known.iter().all(|known| span.end <= known.start || known.end <= span.start);
    let in_figures = |span: &Span| span.of(text).contains(|c| digit(c).is_some());
    let others = found.iter().filter(|found| is_of_day(&found.time)).map(|found| found.span);
    let others: Vec<Span> = others.filter(|span| apart(span) && in_figures(span)).collect();
    (without(text, known.into_iter().chain(others).map(Some), " | "), date)
}

/// Returns whether an expression names a day by its number and month.
fn is_of_day(time: &Time) -> bool {
    matches!(time, Time::At(Point::Day { month: Some(_), .. } | Point::Hijri { day: Some(_), .. }, _))
}

/// Returns a piece of a credit without the words of a date that are left at its ends: "م واس", "أبوظبي في".
pub(super) fn without_date_words(piece: &str) -> &str {
    let folded = |word: &str| key(word.trim_matches('.'));
    let leads = |word: &str| matches!(folded(word).as_str(), "م" | "ه" | "الموافق");
    let ends = |word: &str| {
        matches!(folded(word).as_str(), "في" | "يوم" | "م" | "ه" | "الموافق" | "بتاريخ")
            || calendar::month(word).is_some()
            || WEEKDAYS.iter().any(|day| key(day) == folded(word))
    };
    let mut rest = piece.trim();
    while let Some((first, more)) = rest.split_once(' ')
        && leads(first)
    {
        rest = more.trim_start();
    }
    while let Some((before, last)) = rest.rsplit_once(' ')
        && ends(last)
    {
        rest = before.trim_end();
    }
    rest
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

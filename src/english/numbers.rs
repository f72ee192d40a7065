//! Numbers in English text: digits with scales and suffixes, number words, ordinals, fractions, months, Roman numerals.
//!
//! In: English text. Out: [`Number`]s in order, with spans. `twenty-three`, `2.5m`, `£3bn`, `1.2 million`, `half a million`,
//! `21st`, `1980s`, `7.50pm`, `50 per cent` are one number each. What single words say is `number_words`'.
//! Nothing here knows of Arabic; comparing is [`crate::number`]'s and judging [`crate::check`]'s.

use super::number_words::{Atom, atom, degrees, month, roman, squared, unit};
use super::words::{Word, words};
use crate::number::{Certainty, Kind, Literal, Number, digit, literal, share_scale_of_range};
use crate::span::Span;

#[derive(Debug)]
struct Token<'t> {
    span: Span,
    atom: Option<Atom>,
    word: Option<&'t Word>,
}

/// Finds the numbers of an English text, in order.
pub fn numbers(text: &str) -> Vec<Number> {
    numbers_among(text, &words(text))
}

/// Finds the numbers of an English text whose [`words`] are known.
pub fn numbers_among(text: &str, words: &[Word]) -> Vec<Number> {
    let tokens = tokens(text, words);
    let mut numbers: Vec<Number> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (number, next) = read(text, &tokens, at);
        if let Some(mut number) = number {
            complete_year(text, numbers.last(), &mut number);
            numbers.push(number);
        }
        at = next.max(at + 1);
    }
    share_scale_of_range(text, &mut numbers, &["to", "and", "or", "-", "–", "—", "through", "until"]);
    numbers
}

fn tokens<'t>(text: &str, words: &'t [Word]) -> Vec<Token<'t>> {
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len() + 4);
    let mut next_word = words.iter().peekable();
    let mut resume = 0;
    for (at, c) in text.char_indices() {
        if at < resume {
            continue;
        }
        if let Some(word) = next_word.next_if(|w| w.span.start <= at) {
            resume = word.span.end;
            tokens.push(Token { span: word.span, atom: atom(word.stem()), word: Some(word) });
        } else if digit(c).is_some()
            && let Some(digits) = literal(text, at)
        {
            resume = digits.span.end;
            tokens.push(Token { span: digits.span, atom: Some(Atom::Digits(digits)), word: None });
        }
    }
    tokens
}

/// Returns what stands between two tokens, trimmed.
fn gap<'x>(text: &'x str, before: &Token, after: &Token) -> &'x str {
    text.get(before.span.end..after.span.start).unwrap_or("?").trim()
}

/// Reads the number that starts at a token, and says at which token to go on.
fn read(text: &str, tokens: &[Token], start: usize) -> (Option<Number>, usize) {
    let token = &tokens[start];
    let mut next = start + 1;
    let (mut total, mut also) = (0.0, None);
    let (mut kind, mut figure, mut vague) = (Kind::Cardinal, false, false);
    let mut group: Option<f64>;
    match token.atom {
        Some(Atom::Unit(v) | Atom::Tens(v)) => group = Some(v),
        Some(Atom::Ordinal(v)) => {
            group = Some(v);
            kind = Kind::Ordinal;
            also = (v <= 10.0 && v > 2.0).then(|| 1.0 / v);
        }
        Some(Atom::Fraction(v)) => {
            group = Some(v);
            vague = true;
            // half a million, a quarter of a million
            let mut skip = next;
            while tokens.get(skip).is_some_and(|t| matches!(t.atom, Some(Atom::Article | Atom::Link))) {
                skip += 1;
            }
            if let Some(Atom::Scale(scale)) = tokens.get(skip).and_then(|t| t.atom) {
                group = None;
                total = v * scale;
                vague = false;
                next = skip + 1;
            }
        }
        Some(Atom::Article) => match tokens.get(next).map(|t| (t.atom, t.word)) {
            Some((Some(Atom::Scale(_)), Some(word))) if !word.lower.ends_with('s') => group = Some(1.0),
            _ => return (None, next),
        },
        Some(Atom::Digits(digits)) => {
            figure = true;
            group = Some(digits.value);
            also = digits.also;
            next = read_suffix(text, tokens, start, digits, &mut group, &mut also, &mut kind);
        }
        _ => return (read_word(token), next),
    }
    let mut last = token.atom;
    while let Some(token) = tokens.get(next)
        && let Some(atom) = token.atom
        && kind != Kind::Ordinal
    {
        let between = gap(text, &tokens[next - 1], token);
        if !matches!(between, "" | "-" | "‑") {
            break;
        }
        match (last, atom, group) {
            (Some(Atom::Tens(_)), Atom::Unit(v), Some(sum)) if v < 10.0 => group = Some(sum + v),
            (Some(Atom::Tens(_)), Atom::Ordinal(v), Some(sum)) if v < 10.0 => {
                group = Some(sum + v);
                kind = Kind::Ordinal;
            }
            (Some(Atom::Unit(_)), Atom::Fraction(part), Some(sum)) if sum < 10.0 => {
                group = Some(sum * part);
                vague = true;
            }
            (Some(Atom::Unit(_)), Atom::Ordinal(v), Some(sum)) if v > 2.0 && is_plural(token) => {
                group = Some(sum / v);
                vague = true;
            }
            (_, Atom::Scale(100.0), Some(sum)) if sum < 100.0 => group = Some(sum * 100.0),
            (_, Atom::Scale(scale), Some(sum)) if scale != 100.0 && kind == Kind::Cardinal => {
                also = also.map(|other: f64| total + other * scale);
                total += sum * scale;
                group = None;
            }
            (Some(Atom::Scale(_)), Atom::Unit(v) | Atom::Tens(v), sum) if !figure => {
                group = Some(sum.unwrap_or(0.0) + v);
            }
            // two hundred and five, three and a half million
            (Some(before), Atom::Link, _) => match after_link(text, tokens, next, before) {
                Some((value, more)) if value >= 1.0 => {
                    group = Some(group.unwrap_or(0.0) + value);
                    next = more;
                    last = Some(if value >= 20.0 { Atom::Tens(value) } else { Atom::Unit(value) });
                    continue;
                }
                Some((half, more)) => {
                    let scale = if let (Atom::Scale(scale), None) = (before, group) { scale } else { 1.0 };
                    if group.is_some() {
                        group = group.map(|sum| sum + half);
                    } else {
                        total += half * scale;
                    }
                    next = more;
                    last = Some(Atom::Unit(1.0));
                    continue;
                }
                None => break,
            },
            _ => break,
        }
        last = Some(atom);
        next += 1;
    }
    let value = total + group.unwrap_or(0.0);
    let certainty = if figure {
        Certainty::Figure
    } else if vague || kind == Kind::Ordinal || value < 3.0 {
        Certainty::Weak
    } else {
        Certainty::Words
    };
    let end = tokens[next - 1].span.end;
    let mut number = Number { also, ..Number::new(Span::new(token.span.start, end), value, kind, certainty) };
    next = read_behind(text, tokens, next, &mut number);
    (Some(number), next)
}

/// Reads "and five", "and a half" behind a number; returns the value and the token to go on at.
fn after_link(text: &str, tokens: &[Token], link: usize, before: Atom) -> Option<(f64, usize)> {
    if tokens[link].word.is_none_or(|w| w.lower != "and") {
        return None;
    }
    let mut at = link + 1;
    let article = matches!(tokens.get(at)?.atom, Some(Atom::Article));
    if article {
        at += 1;
    }
    let token = tokens.get(at)?;
    if !gap(text, &tokens[at - 1], token).is_empty() {
        return None;
    }
    match (token.atom?, before) {
        (Atom::Fraction(part), _) if article => Some((part, at + 1)),
        (Atom::Unit(v) | Atom::Tens(v), Atom::Scale(_)) if !article => Some((v, at + 1)),
        _ => None,
    }
}

/// Reads letters that touch digits: 21st, 1980s, 2.5m, 3bn, 7pm; returns the token to go on at.
fn read_suffix(
    text: &str,
    tokens: &[Token],
    at: usize,
    digits: Literal,
    group: &mut Option<f64>,
    also: &mut Option<f64>,
    kind: &mut Kind,
) -> usize {
    let next = at + 1;
    let plain = digits.value;
    if digits.colon
        && let Some((hours, minutes)) = digits.clock
    {
        *kind = Kind::Time;
        *group = Some(f64::from(hours * 60 + minutes));
        *also = None;
    }
    let Some((token, word)) = tokens.get(next).and_then(|t| Some((t, t.word?))) else { return next };
    let between = text.get(digits.span.end..token.span.start).unwrap_or("?");
    let suffix = word.lower.as_str();
    let touches = between.is_empty() || between == "-";
    let clock_word = matches!(suffix, "am" | "pm")
        || matches!(suffix, "a" | "p") && text.get(token.span.end..).is_some_and(|t| t.starts_with(".m"));
    if clock_word && between.trim().is_empty() && (digits.clock.is_some() || plain <= 24.0 && plain.fract() == 0.0) {
        let (hours, minutes) = digits.clock.unwrap_or((plain as u32, 0));
        *kind = Kind::Time;
        *group = Some(f64::from(hours * 60 + minutes));
        *also = None;
        return next + if suffix.len() == 2 { 1 } else { 2 };
    }
    if !touches && !matches!(suffix, "m" | "bn" | "mn" | "tn") {
        return next;
    }
    let scale = match suffix {
        "st" | "nd" | "rd" | "th" => {
            *kind = Kind::Ordinal;
            return next + 1;
        }
        "s" if plain >= 10.0 && plain % 10.0 == 0.0 => {
            *kind = Kind::Decade;
            return next + 1;
        }
        "k" => 1e3,
        "m" | "mn" | "mln" => 1e6,
        "bn" | "b" => 1e9,
        "tn" => 1e12,
        _ => return next,
    };
    let money = text.get(..digits.span.start).is_some_and(|head| head.ends_with(['$', '£', '€']));
    *also = if money { None } else { Some(plain) };
    *group = Some(plain * scale);
    next + 1
}

/// Reads per cent and units of measure behind a number; returns the token to go on at.
fn read_behind(text: &str, tokens: &[Token], next: usize, number: &mut Number) -> usize {
    let tail = text.get(number.span.end..).unwrap_or_default();
    if tail.trim_start().starts_with('%') {
        number.kind = Kind::Percent;
        return next;
    }
    let lower = |i: usize| tokens.get(i).and_then(|t| t.word).map_or("", |w| w.lower.as_str());
    match (lower(next), lower(next + 1)) {
        ("percent" | "percentage" | "pc" | "pct", _) => {
            number.kind = Kind::Percent;
            return next + 1;
        }
        ("per", "cent") => {
            number.kind = Kind::Percent;
            return next + 2;
        }
        (word, following) => {
            let following = if word == "degrees" || word == "degree" || tail.starts_with('°') && word.len() == 1 {
                number.unit = degrees(if tail.starts_with('°') { word } else { following });
                return next;
            } else {
                following
            };
            number.unit = if matches!(word, "square" | "sq") { unit(following).map(squared) } else { unit(word) };
        }
    }
    next
}

/// "2017-18": the second number is also the year 2018.
fn complete_year(text: &str, before: Option<&Number>, number: &mut Number) {
    let Some(before) = before else { return };
    let joined = matches!(text.get(before.span.end..number.span.start), Some("-" | "–" | "/"));
    let year = before.value.fract() == 0.0 && (1000.0..3000.0).contains(&before.value);
    if joined && year && number.value < 100.0 && number.value > before.value % 100.0 {
        number.also = Some((before.value / 100.0).trunc() * 100.0 + number.value);
    }
}

fn is_plural(token: &Token) -> bool {
    token.word.is_some_and(|w| w.lower.ends_with('s'))
}

/// Reads what is a number but no sum: months, Roman numerals, words that imply a number.
fn read_word(token: &Token) -> Option<Number> {
    let word = token.word?;
    let lower = word.stem();
    if word.capital
        && let Some((month, certainty)) = month(lower)
    {
        return Some(Number::new(token.span, month, Kind::Month, certainty));
    }
    let implied = match lower {
        "twice" | "double" | "doubled" | "doubling" | "pair" | "couple" | "both" | "twin" | "twins" | "duo"
        | "brace" => 2.0,
        "triple" | "tripled" | "trio" | "treble" | "trilateral" | "hat" => 3.0,
        "once" | "single" | "solo" | "sole" | "alone" => 1.0,
        "decade" => 10.0,
        "fortnight" => 14.0,
        "century" | "centenary" => 100.0,
        _ if word.capital => {
            return roman(lower).map(|v| Number::new(token.span, v, Kind::Ordinal, Certainty::Weak));
        }
        _ => return None,
    };
    Some(Number::new(token.span, implied, Kind::Cardinal, Certainty::Weak))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strong(text: &str) -> Vec<f64> {
        numbers(text).into_iter().filter(|n| n.certainty > Certainty::Weak).map(|n| n.value).collect()
    }

    fn all(text: &str) -> Vec<(f64, Kind)> {
        numbers(text).into_iter().map(|n| (n.value, n.kind)).collect()
    }

    #[test]
    fn words_and_digits_make_one_number() {
        let cases: &[(&str, f64)] = &[
            ("twenty-three ministers", 23.0),
            ("fifteen deputies", 15.0),
            ("two hundred and fifty metres", 250.0),
            ("one hundred twenty-five", 125.0),
            ("half a million refugees", 500_000.0),
            ("a quarter of a million", 250_000.0),
            ("five hundred thousand", 500_000.0),
            ("a hundred people", 100.0),
            ("a dozen", 12.0),
            ("2.5m people", 2_500_000.0),
            ("£3bn deal", 3e9),
            ("$3.5 million", 3_500_000.0),
            ("1,200 tonnes", 1200.0),
            ("three and a half", 3.5),
            ("two million three hundred thousand", 2_300_000.0),
            ("1.2 million", 1_200_000.0),
            ("two and a half million", 2_500_000.0),
        ];
        for (text, value) in cases {
            assert_eq!(strong(text), [*value], "{text}");
        }
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(all("the 21st"), [(21.0, Kind::Ordinal)]);
        assert_eq!(all("the twenty-first"), [(21.0, Kind::Ordinal)]);
        assert_eq!(all("in the 1980s"), [(1980.0, Kind::Decade)]);
        for text in ["50%", "50 percent", "50 per cent", "fifty per cent"] {
            assert_eq!(all(text), [(50.0, Kind::Percent)], "{text}");
        }
        for text in ["at 7:50", "at 7.50pm", "at 7.50 p.m."] {
            assert_eq!(all(text), [(470.0, Kind::Time)], "{text}");
        }
        assert_eq!(all("7 pm"), [(420.0, Kind::Time)]);
        assert_eq!(all("21 July"), [(21.0, Kind::Cardinal), (7.0, Kind::Month)]);
        assert_eq!(all("World War II"), [(2.0, Kind::Ordinal)]);
        assert_eq!(all("three quarters"), [(0.75, Kind::Cardinal)]);
        assert_eq!(numbers("2017-18")[1].also, Some(2018.0));
        assert_eq!(numbers("3 to 5 million")[0].also, Some(3e6));
    }

    #[test]
    fn what_only_looks_like_a_number_is_weak_or_nothing() {
        assert!(strong("one of the first, for a second").is_empty());
        assert!(strong("hundreds of thousands, dozens").is_empty());
        assert!(strong("a man of the people may march").is_empty());
        assert_eq!(strong("1.7 million four years ago"), [1_700_000.0, 4.0]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            for number in numbers(&text) {
                prop_assert!(text.get(number.span.start..number.span.end).is_some());
            }
        }

        #[test]
        fn no_row_of_number_words_makes_it_panic(
            parts in prop::collection::vec(prop::sample::select(vec![
                "a", "and", "half", "million", "hundred", "three", "twenty", "first", "5", "1,200", "%", "m", "7:50", "pm",
                "p.m.", "2017-18", "s", "dozen", "of", "per cent", "quarters", "-",
            ]), 0..12),
        ) {
            for text in [parts.join(" "), parts.concat()] {
                for number in numbers(&text) {
                    prop_assert!(text.get(number.span.start..number.span.end).is_some());
                }
            }
        }
    }
}

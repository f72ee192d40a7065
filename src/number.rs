//! A number as a text states it: the noun that [`crate::arabic::numbers`] and [`crate::english::numbers`] both produce,
//! so that numbers of the two languages can be compared.
//!
//! In: digits with their separators ([`Literal`]). Out: [`Number`]s, which know when two of them say the same
//! ([`Number::agrees`]): 3.5 million and 3,500,000, half and 50 per cent, 19:50 and 7.50 pm, 50 km and 31 miles. Words
//! for numbers are left to the languages; judging a translation is left to [`crate::check`].

use crate::span::Span;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An amount, a year, a score: any number without a kind of its own.
    Cardinal,
    /// A place in an order: fourth, الرابع.
    Ordinal,
    /// A share in hundredths; the value is as written, 50 for 50 %.
    Percent,
    /// A time of day; the value is in minutes since midnight as written.
    Time,
    /// A month by its name; the value is 1 to 12.
    Month,
    /// Ten years or an age in tens: the 1980s, الثمانينات; the value is as written.
    Decade,
}

/// How sure it is that the words mean a number and that a translation must show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The word often means something else, or is often left out: one, second, half, a dual.
    Weak,
    /// A number in words.
    Words,
    /// A number in digits.
    Figure,
}

/// A unit of measure that translators convert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// Which units convert into each other.
    pub dimension: Dimension,
    /// Factor to the dimension's base unit (metre, gram, square metre, litre, kelvin-sized degree).
    pub factor: f64,
    /// Added before the factor is applied (Fahrenheit only).
    pub offset: f64,
}

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Metres.
    Length,
    /// Grams.
    Weight,
    /// Square metres.
    Area,
    /// Litres.
    Volume,
    /// Degrees Celsius.
    Temperature,
}

impl Unit {
    /// Makes a unit that is a multiple of its dimension's base.
    pub const fn of(dimension: Dimension, factor: f64) -> Self {
        Self { dimension, factor, offset: 0.0 }
    }

    /// Degrees Fahrenheit.
    pub const FAHRENHEIT: Self = Self { dimension: Dimension::Temperature, factor: 5.0 / 9.0, offset: -32.0 };

    /// Returns a value of this unit in the base unit.
    pub fn to_base(self, value: f64) -> f64 {
        (value + self.offset) * self.factor
    }
}

/// A number found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// Its words in the text.
    pub span: Span,
    /// What it comes to, scale words included.
    pub value: f64,
    /// A second reading of the same words: 1.200 as 1200, the 3 of "3 to 5 million" as 3,000,000.
    pub also: Option<f64>,
    /// What it counts.
    pub kind: Kind,
    /// How sure the reading is.
    pub certainty: Certainty,
    /// The unit of measure behind it, where it is one that translators convert.
    pub unit: Option<Unit>,
}

/// Two values are the same up to rounding of the arithmetic.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

impl Number {
    /// Makes a number without second reading and unit.
    pub fn new(span: Span, value: f64, kind: Kind, certainty: Certainty) -> Self {
        Self { span, value, also: None, kind, certainty, unit: None }
    }

    /// Returns the readings.
    pub fn readings(&self) -> impl Iterator<Item = f64> + '_ {
        std::iter::once(self.value).chain(self.also)
    }

    /// Returns whether one number can be the translation of the other.
    pub fn agrees(&self, other: &Number) -> bool {
        self.readings().any(|a| other.readings().any(|b| self.agrees_as(a, other, b))) || self.converts_to(other)
    }

    fn agrees_as(&self, a: f64, other: &Number, b: f64) -> bool {
        use Kind::{Decade, Percent, Time};
        match (self.kind, other.kind) {
            // 19:50 is 7:50 pm, and the words for noon and midnight are many: the half of the day is not compared.
            (Time, Time) => same(a % 720.0, b % 720.0),
            (Time, _) => {
                same((a / 60.0).trunc() % 12.0, b % 12.0) && (a % 60.0 == 0.0 || b.fract() == 0.0 && b <= 24.0)
            }
            (_, Time) => other.agrees_as(b, self, a),
            // The 2000s are the 21st century.
            (Decade, Kind::Ordinal) if a >= 1000.0 && a % 100.0 == 0.0 => same(a / 100.0 + 1.0, b),
            (Kind::Ordinal, Decade) if b >= 1000.0 && b % 100.0 == 0.0 => same(b / 100.0 + 1.0, a),
            (Decade, _) | (_, Decade) => same(a, b) || (a < 100.0 || b < 100.0) && same(a % 100.0, b % 100.0),
            (Percent, Percent) => same(a, b),
            (Percent, _) if b < 1.0 => same(a, b * 100.0),
            (_, Percent) if a < 1.0 => same(a * 100.0, b),
            _ => same(a, b),
        }
    }

    /// Returns whether the two are one amount in different units, up to a journalist's rounding.
    fn converts_to(&self, other: &Number) -> bool {
        let (Some(from), Some(to)) = (self.unit, other.unit) else { return false };
        if from.dimension != to.dimension || from == to {
            return false;
        }
        self.readings().any(|a| {
            other.readings().any(|b| {
                let (a, b) = (from.to_base(a), to.to_base(b));
                (a - b).abs() <= 0.08 * a.abs().max(b.abs()).max(1e-9)
            })
        })
    }
}

/// A number written in digits, as it stands in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Literal {
    /// Its bytes.
    pub span: Span,
    /// The more likely reading.
    pub value: f64,
    /// The other reading of an ambiguous separator.
    pub also: Option<f64>,
    /// The two groups of `7:50` and `7.50`, where it can be a time.
    pub clock: Option<(u32, u32)>,
    /// Whether it is written with a colon, so that it can hardly be anything but a time.
    pub colon: bool,
}

/// Returns the value of a decimal digit: Latin, Arabic-Indic or Persian.
pub fn digit(c: char) -> Option<u32> {
    match c {
        '0'..='9' => Some(c as u32 - '0' as u32),
        '٠'..='٩' => Some(c as u32 - '٠' as u32),
        '۰'..='۹' => Some(c as u32 - '۰' as u32),
        _ => None,
    }
}

/// One run of digits within a literal, and the separator before it.
#[derive(Clone, Copy)]
struct Group {
    separator: char,
    value: f64,
    digits: u32,
    end: usize,
}

/// Reads the literal that starts at byte `start` of `text`, where a digit stands.
///
/// Separators count only between digits. `1,200`, `1٬200`, `1،200` and `10 000` are thousands, `3.5`, `3,5` and `3٫5`
/// decimals; one point before three digits is read both ways. Returns none where no digit stands at `start`.
pub fn literal(text: &str, start: usize) -> Option<Literal> {
    let groups = groups(text, start)?;
    let first = groups[0];
    let rest = &groups[1..];
    let mut literal =
        Literal { span: Span::new(start, first.end), value: first.value, also: None, clock: None, colon: false };
    let Some(second) = rest.first().copied() else { return Some(literal) };
    if second.separator == ':' {
        if second.digits == 2 && first.digits <= 2 && first.value <= 24.0 && second.value < 60.0 {
            literal.clock = Some((first.value as u32, second.value as u32));
            literal.colon = true;
            let last = rest.iter().take(2).take_while(|g| g.separator == ':' && g.digits == 2).last();
            literal.span.end = last.map_or(second.end, |g| g.end);
        }
        return Some(literal);
    }
    if second.separator == '.' && second.digits == 2 && first.digits <= 2 && first.value <= 24.0 && second.value < 60.0
    {
        literal.clock = Some((first.value as u32, second.value as u32));
    }
    // Thousands: one separator, always three digits.
    let thousands = if first.digits <= 3 && first.value > 0.0 && second.digits == 3 {
        let same = rest.iter().take_while(|g| g.digits == 3 && g.separator == second.separator).count();
        // More groups behind spaces are a telephone number, or numbers side by side.
        let goes_on = rest.get(same).is_some_and(|g| g.separator == second.separator);
        if second.separator == ' ' && goes_on { 0 } else { same }
    } else {
        0
    };
    let joined = rest[..thousands].iter().fold(first.value, |sum, g| sum * 1000.0 + g.value);
    let decimal = |whole: f64, g: &Group| whole + g.value / 10f64.powi(g.digits as i32);
    let is_decimal_mark = |g: &Group| matches!(g.separator, '.' | ',' | '٫');
    if thousands > 0 {
        literal.span.end = rest[thousands - 1].end;
        literal.value = joined;
        if thousands == 1 && is_decimal_mark(&second) {
            literal.also = Some(decimal(first.value, &second));
            if second.separator != ',' {
                std::mem::swap(&mut literal.value, literal.also.as_mut().expect("set above"));
            }
        }
        if let Some(g) = rest.get(thousands)
            && is_decimal_mark(g)
            && g.separator != second.separator
        {
            literal.value = decimal(joined, g);
            literal.also = None;
            literal.span.end = g.end;
        }
    } else if is_decimal_mark(&second) && rest.get(1).is_none_or(|g| g.separator != second.separator) {
        literal.value = decimal(first.value, &second);
        literal.span.end = second.end;
    }
    Some(literal)
}

/// The most groups of digits that one number can have; a table of figures may have thousands in a row.
const MOST_GROUPS: usize = 8;

/// Splits the characters from `start` into runs of digits with single separators between them.
fn groups(text: &str, start: usize) -> Option<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut chars = text.get(start..)?.char_indices().peekable();
    let mut separator = ' ';
    loop {
        let mut group = Group { separator, value: 0.0, digits: 0, end: start };
        while let Some(&(at, c)) = chars.peek() {
            let Some(d) = digit(c) else { break };
            group.value = group.value * 10.0 + f64::from(d);
            group.digits += 1;
            group.end = start + at + c.len_utf8();
            chars.next();
        }
        if group.digits == 0 {
            break;
        }
        groups.push(group);
        if groups.len() == MOST_GROUPS {
            break;
        }
        match chars.next() {
            // A plain space joins thousands only, which `literal` decides.
            Some((_, c @ ('.' | ',' | '٫' | '٬' | '،' | ':' | '\u{a0}' | '\u{202f}' | '\u{2009}' | ' '))) => {
                separator = c;
            }
            _ => break,
        }
    }
    if groups.is_empty() { None } else { Some(groups) }
}

/// Gives the first number of a range a second reading with the scale, sign and unit of the second: "3 to 5 million",
/// "بين 3 و5 ملايين". `joins` are the words and signs that make a range of two numbers.
pub fn share_scale_of_range(text: &str, numbers: &mut [Number], joins: &[&str]) {
    for i in 1..numbers.len() {
        let (head, tail) = numbers.split_at_mut(i);
        let (first, second) = (&mut head[i - 1], &tail[0]);
        let gap = text.get(first.span.end..second.span.start).unwrap_or_default().trim();
        if !joins.contains(&gap) || second.kind == Kind::Month {
            continue;
        }
        if second.kind == Kind::Percent && first.kind == Kind::Cardinal {
            first.kind = Kind::Percent;
        }
        first.unit = first.unit.or(second.unit);
        for scale in [1e3, 1e6, 1e9, 1e12] {
            let plain = second.value / scale;
            if first.also.is_none() && first.value < 1000.0 && (1.0..1000.0).contains(&plain) && plain >= first.value {
                first.also = Some(first.value * scale);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> (f64, Option<f64>, usize) {
        let l = literal(text, 0).unwrap();
        (l.value, l.also, l.span.end)
    }

    #[test]
    fn separators_are_read_as_they_are_written() {
        assert_eq!(value("1,200 men"), (1200.0, Some(1.2), 5));
        assert_eq!(value("1.200 men"), (1.2, Some(1200.0), 5));
        assert_eq!(value("1,200,300"), (1_200_300.0, None, 9));
        assert_eq!(value("1,200.75"), (1200.75, None, 8));
        assert_eq!(value("3.5 m"), (3.5, None, 3));
        assert_eq!(value("3,5 m"), (3.5, None, 3));
        assert_eq!(value("10 000 dinars"), (10_000.0, None, 6));
        assert_eq!(value("111 555 0800"), (111.0, None, 3));
        assert_eq!(value("2018 300"), (2018.0, None, 4));
        assert_eq!(value("١٬٢٠٠").0, 1200.0);
        assert_eq!(value("٣٫٥").0, 3.5);
        assert_eq!(value("1.2.3"), (1.0, None, 1));
        assert_eq!(value("12, 13"), (12.0, None, 2));
        assert_eq!(literal("7:50", 0).unwrap().clock, Some((7, 50)));
        assert_eq!(literal("x", 0), None);
    }

    #[test]
    fn numbers_agree_across_scales_clocks_and_units() {
        let n = |value, kind| Number::new(Span::new(0, 0), value, kind, Certainty::Figure);
        assert!(n(50.0, Kind::Percent).agrees(&n(0.5, Kind::Cardinal)));
        assert!(!n(50.0, Kind::Percent).agrees(&n(51.0, Kind::Cardinal)));
        assert!(n(1190.0, Kind::Time).agrees(&n(470.0, Kind::Time)));
        assert!(!n(1190.0, Kind::Time).agrees(&n(471.0, Kind::Time)));
        assert!(n(420.0, Kind::Time).agrees(&n(7.0, Kind::Ordinal)));
        assert!(n(1980.0, Kind::Decade).agrees(&n(80.0, Kind::Decade)));
        let km = Number { unit: Some(Unit::of(Dimension::Length, 1000.0)), ..n(50.0, Kind::Cardinal) };
        let miles = Number { unit: Some(Unit::of(Dimension::Length, 1609.0)), ..n(31.0, Kind::Cardinal) };
        assert!(km.agrees(&miles));
        assert!(!km.agrees(&Number { value: 60.0, ..miles }));
    }
}

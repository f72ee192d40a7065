//! What single English words say of numbers: how much they count, which month, measure or Roman numeral they are.
//!
//! In: one lower-case word. Out: what it adds to a number ([`Atom`]), or its value. How words make one number is
//! [`super::numbers`]'. Measures: the international yard and pound, and the US short ton for "ton".

use crate::number::{Certainty, Dimension, Literal, Unit};

/// What a word or a run of digits adds to a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Atom {
    /// 1 to 19.
    Unit(f64),
    /// 20 to 90.
    Tens(f64),
    /// Hundred, thousand, dozen: a number only after another one or "a".
    Scale(f64),
    /// A half, a third, a quarter, in the singular or the plural.
    Fraction(f64),
    /// First to nineteenth, twentieth, hundredth.
    Ordinal(f64),
    /// Digits.
    Digits(Literal),
    /// "a", "an": one, before a scale only.
    Article,
    /// "and", "of".
    Link,
}

/// Reads one lower-case word.
pub(super) fn atom(word: &str) -> Option<Atom> {
    const UNITS: &[&str] = &[
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: &[&str] = &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    const ORDINALS: &[&str] = &[
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
        "twentieth",
    ];
    let place = |list: &[&str], word: &str| list.iter().position(|w| *w == word).map(|i| i as f64);
    let atom = match word {
        "a" | "an" => Atom::Article,
        "and" | "of" => Atom::Link,
        "hundred" => Atom::Scale(100.0),
        "thousand" => Atom::Scale(1e3),
        "million" => Atom::Scale(1e6),
        "billion" => Atom::Scale(1e9),
        "trillion" => Atom::Scale(1e12),
        "dozen" => Atom::Scale(12.0),
        "half" | "halves" => Atom::Fraction(0.5),
        "quarter" | "quarters" => Atom::Fraction(0.25),
        "thirtieth" => Atom::Ordinal(30.0),
        "fortieth" => Atom::Ordinal(40.0),
        "fiftieth" => Atom::Ordinal(50.0),
        "hundredth" => Atom::Ordinal(100.0),
        _ => {
            return place(UNITS, word)
                .map(Atom::Unit)
                .or_else(|| place(TENS, word).map(|i| Atom::Tens((i + 2.0) * 10.0)))
                .or_else(|| place(ORDINALS, word).map(|i| Atom::Ordinal(i + 1.0)))
                .or_else(|| place(ORDINALS, word.strip_suffix('s')?).map(|i| Atom::Ordinal(i + 1.0)));
        }
    };
    Some(atom)
}

/// Reads a Roman numeral of two letters or more, as regnal names and wars have them.
pub(super) fn roman(lower: &str) -> Option<f64> {
    const NUMERALS: &[(&str, f64)] = &[
        ("ii", 2.0),
        ("iii", 3.0),
        ("iv", 4.0),
        ("vi", 6.0),
        ("vii", 7.0),
        ("viii", 8.0),
        ("ix", 9.0),
        ("xi", 11.0),
        ("xii", 12.0),
        ("xiii", 13.0),
        ("xiv", 14.0),
        ("xv", 15.0),
        ("xvi", 16.0),
        ("xvii", 17.0),
        ("xviii", 18.0),
        ("xix", 19.0),
        ("xx", 20.0),
        ("xxi", 21.0),
        ("xxiii", 23.0),
    ];
    NUMERALS.iter().find(|(numeral, _)| *numeral == lower).map(|&(_, value)| value)
}

/// Reads the name of a month; those that are also common words are weak.
pub(super) fn month(lower: &str) -> Option<(f64, Certainty)> {
    use Certainty::{Weak, Words};
    Some(match lower {
        "january" | "jan" => (1.0, Words),
        "february" | "feb" => (2.0, Words),
        "march" | "mar" => (3.0, Weak),
        "april" | "apr" => (4.0, Words),
        "may" => (5.0, Weak),
        "june" | "jun" => (6.0, Words),
        "july" | "jul" => (7.0, Words),
        "august" | "aug" => (8.0, Words),
        "september" | "sept" | "sep" => (9.0, Words),
        "october" | "oct" => (10.0, Words),
        "november" | "nov" => (11.0, Words),
        "december" | "dec" => (12.0, Words),
        _ => return None,
    })
}

/// Makes a measure of area of one of length.
pub(super) fn squared(unit: Unit) -> Unit {
    Unit::of(Dimension::Area, unit.factor * unit.factor)
}

/// Reads a scale of temperature behind "degrees".
pub(super) fn degrees(word: &str) -> Option<Unit> {
    match word {
        "f" | "fahrenheit" => Some(Unit::FAHRENHEIT),
        "c" | "celsius" | "centigrade" => Some(Unit::of(Dimension::Temperature, 1.0)),
        _ => None,
    }
}

/// Reads a unit of measure that translators convert.
pub(super) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "km" | "kms" | "kilometres" | "kilometre" | "kilometers" | "kilometer" => Unit::of(Dimension::Length, 1000.0),
        "m" | "metres" | "metre" | "meters" | "meter" => Unit::of(Dimension::Length, 1.0),
        "cm" | "centimetres" | "centimeters" => Unit::of(Dimension::Length, 0.01),
        "mile" | "miles" | "mi" => Unit::of(Dimension::Length, 1609.344),
        "yard" | "yards" => Unit::of(Dimension::Length, 0.9144),
        "foot" | "feet" | "ft" => Unit::of(Dimension::Length, 0.3048),
        "inch" | "inches" => Unit::of(Dimension::Length, 0.0254),
        "kg" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogrammes" => Unit::of(Dimension::Weight, 1000.0),
        "tonne" | "tonnes" => Unit::of(Dimension::Weight, 1e6),
        "ton" | "tons" => Unit::of(Dimension::Weight, 907_200.0),
        "lb" | "lbs" | "pound" | "pounds" => Unit::of(Dimension::Weight, 453.6),
        "ounce" | "ounces" | "oz" => Unit::of(Dimension::Weight, 28.35),
        "stone" => Unit::of(Dimension::Weight, 6350.0),
        "acre" | "acres" => Unit::of(Dimension::Area, 4047.0),
        "hectare" | "hectares" => Unit::of(Dimension::Area, 10_000.0),
        "litre" | "litres" | "liter" | "liters" => Unit::of(Dimension::Volume, 1.0),
        "gallon" | "gallons" => Unit::of(Dimension::Volume, 3.785),
        "pint" | "pints" => Unit::of(Dimension::Volume, 0.568),
        _ => return None,
    })
}

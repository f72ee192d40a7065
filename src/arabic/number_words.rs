//! What single Arabic words say of numbers: how much they count, which month, decade or measure they name.
//!
//! In: one folded word (see [`super::letters`]). Out: what it adds to a number ([`Atom`]), or its value. How words make one
//! number is [`super::numbers`]'. Source: the numeral system of Modern Standard Arabic (Ryding, A Reference Grammar of MSA,
//! ch. 15).

use super::calendar::month_outside_dates;
use super::words::{Word, without_prefixes};
use crate::number::{Certainty, Dimension, Literal, Unit};

/// What a word or a run of digits adds to a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Atom {
    /// 1 to 9.
    Unit(f64),
    /// 10, which makes a teen of a unit before it.
    Ten,
    /// 20 to 90.
    Tens(f64),
    /// 100 to 900.
    Hundred(f64),
    /// 1,000 and up, in the singular or the dual: a number by itself.
    Scale(f64),
    /// The same in the plural: a number only after another one.
    Scales(f64),
    /// A half, a third, a quarter.
    Fraction(f64),
    /// Quarters, fifths: only after a unit.
    Fractions(f64),
    /// First to ninth.
    Ordinal(f64),
    /// Digits.
    Digits(Literal),
}

/// Reads one folded word, and says whether a conjunction stood before it.
pub(super) fn word_atom(folded: &str) -> Option<(Atom, bool)> {
    if let Some(atom) = atom(folded) {
        return Some((atom, false));
    }
    without_prefixes(folded).skip(1).find_map(atom).map(|atom| (atom, folded.starts_with('و')))
}

/// Reads one folded word without prefixes.
fn atom(word: &str) -> Option<Atom> {
    let atom = match word {
        "واحد" | "واحده" | "احد" | "احدي" => Atom::Unit(1.0),
        "اثنان" | "اثنين" | "اثنتان" | "اثنتين" | "اثنا" | "اثني" | "اثنتا" | "اثنتي" => {
            Atom::Unit(2.0)
        }
        "ثلاثه" | "ثلاث" => Atom::Unit(3.0),
        "اربعه" | "اربع" => Atom::Unit(4.0),
        "خمسه" | "خمس" => Atom::Unit(5.0),
        "سته" | "ست" => Atom::Unit(6.0),
        "سبعه" | "سبع" => Atom::Unit(7.0),
        "ثمانيه" | "ثماني" | "ثمان" => Atom::Unit(8.0),
        "تسعه" | "تسع" => Atom::Unit(9.0),
        "عشره" | "عشر" => Atom::Ten,
        "عشرون" | "عشرين" => Atom::Tens(20.0),
        "ثلاثون" | "ثلاثين" => Atom::Tens(30.0),
        "اربعون" | "اربعين" => Atom::Tens(40.0),
        "خمسون" | "خمسين" => Atom::Tens(50.0),
        "ستون" | "ستين" => Atom::Tens(60.0),
        "سبعون" | "سبعين" => Atom::Tens(70.0),
        "ثمانون" | "ثمانين" => Atom::Tens(80.0),
        "تسعون" | "تسعين" => Atom::Tens(90.0),
        "مئه" | "مائه" | "مايه" => Atom::Hundred(100.0),
        "مئتان" | "مئتين" | "مائتان" | "مائتين" | "مئتا" | "مئتي" | "مائتا" | "مائتي" => {
            Atom::Hundred(200.0)
        }
        "الف" | "الفا" => Atom::Scale(1e3),
        "الفان" | "الفين" | "الفي" => Atom::Scale(2e3),
        "الاف" => Atom::Scales(1e3),
        "مليون" | "مليونا" => Atom::Scale(1e6),
        "مليونان" | "مليونين" | "مليوني" => Atom::Scale(2e6),
        "ملايين" => Atom::Scales(1e6),
        "مليار" | "مليارا" | "بليون" => Atom::Scale(1e9),
        "ملياران" | "مليارين" | "ملياري" => Atom::Scale(2e9),
        "مليارات" | "بلايين" => Atom::Scales(1e9),
        "تريليون" | "ترليون" => Atom::Scale(1e12),
        "تريليونات" => Atom::Scales(1e12),
        "نصف" => Atom::Fraction(0.5),
        "ثلث" => Atom::Fraction(1.0 / 3.0),
        "ثلثا" | "ثلثي" | "ثلثين" | "ثلثان" => Atom::Fraction(2.0 / 3.0),
        "ربع" => Atom::Fraction(0.25),
        "ارباع" => Atom::Fractions(0.25),
        "اخماس" => Atom::Fractions(0.2),
        "اول" | "اولي" | "حادي" | "حاديه" => Atom::Ordinal(1.0),
        "ثاني" | "ثانيه" | "ثان" => Atom::Ordinal(2.0),
        "ثالث" | "ثالثه" => Atom::Ordinal(3.0),
        "رابع" | "رابعه" => Atom::Ordinal(4.0),
        "خامس" | "خامسه" => Atom::Ordinal(5.0),
        "سادس" | "سادسه" => Atom::Ordinal(6.0),
        "سابع" | "سابعه" => Atom::Ordinal(7.0),
        "ثامن" | "ثامنه" => Atom::Ordinal(8.0),
        "تاسع" | "تاسعه" => Atom::Ordinal(9.0),
        "عاشر" | "عاشره" => Atom::Ordinal(10.0),
        _ => return hundreds(word),
    };
    Some(atom)
}

/// Reads ثلاثمئة to تسعمائة, written as one word.
fn hundreds(word: &str) -> Option<Atom> {
    let unit = ["مئه", "مائه", "مايه"].iter().find_map(|hundred| word.strip_suffix(hundred))?;
    let unit = match unit {
        "ثلاث" => 3.0,
        "اربع" => 4.0,
        "خمس" => 5.0,
        "ست" => 6.0,
        "سبع" => 7.0,
        "ثمان" | "ثماني" => 8.0,
        "تسع" => 9.0,
        _ => return None,
    };
    Some(Atom::Hundred(unit * 100.0))
}

/// Reads a decade: الثمانينات, الثمانينيات.
pub(super) fn decade(word: &str) -> Option<f64> {
    let tens = word.strip_suffix("ينات").or_else(|| word.strip_suffix("ينيات"))?;
    Some(match tens {
        "عشر" => 20.0,
        "ثلاث" => 30.0,
        "اربع" => 40.0,
        "خمس" => 50.0,
        "ست" => 60.0,
        "سبع" => 70.0,
        "ثمان" => 80.0,
        "تسع" => 90.0,
        _ => return None,
    })
}

/// Reads the name of a month; those that are also common words or names are weak.
pub(super) fn month(word: &str) -> Option<(f64, Certainty)> {
    let number = month_outside_dates(word)?;
    let weak = matches!(word, "مارس" | "نيسان" | "ماي" | "جوان" | "اب" | "اوت");
    Some((f64::from(number), if weak { Certainty::Weak } else { Certainty::Words }))
}

/// Reads the unit of measure behind a number.
pub(super) fn unit(word: &str, next: Option<&Word>) -> Option<Unit> {
    let next = next.map_or("", |w| w.folded.as_str());
    let square = matches!(next, "مربع" | "مربعا" | "مربعه");
    let length = |metres: f64| {
        if square { Unit::of(Dimension::Area, metres * metres) } else { Unit::of(Dimension::Length, metres) }
    };
    Some(match word {
        "كيلومتر" | "كيلومترا" | "كيلومترات" | "كم" | "كلم" | "كيلو" => length(1000.0),
        "متر" | "مترا" | "امتار" | "م" => length(1.0),
        "سنتيمتر" | "سنتيمترا" | "سنتيمترات" | "سم" => length(0.01),
        "ميل" | "ميلا" | "اميال" => length(1609.344),
        "ياردا" | "يارده" | "ياردات" => length(0.9144),
        "قدم" | "قدما" | "اقدام" => length(0.3048),
        "بوصه" | "بوصات" | "انش" => length(0.0254),
        "كيلوغرام" | "كيلوغراما" | "كيلوجرام" | "كيلوجراما" | "كيلوغرامات" | "كغ" | "كجم" | "كلغ" => {
            Unit::of(Dimension::Weight, 1000.0)
        }
        "طن" | "طنا" | "اطنان" => Unit::of(Dimension::Weight, 1e6),
        "رطل" | "رطلا" | "ارطال" => Unit::of(Dimension::Weight, 453.6),
        "اونصه" | "اونصات" | "اوقيه" => Unit::of(Dimension::Weight, 28.35),
        "هكتار" | "هكتارا" | "هكتارات" => Unit::of(Dimension::Area, 10_000.0),
        "فدان" | "فدانا" | "افدنه" => Unit::of(Dimension::Area, 4047.0),
        "لتر" | "لترا" | "لترات" | "ليتر" => Unit::of(Dimension::Volume, 1.0),
        "غالون" | "جالون" | "غالونا" => Unit::of(Dimension::Volume, 3.785),
        "درجه" | "درجات" if next.starts_with("فهرنهايت") => Unit::FAHRENHEIT,
        "درجه" | "درجات" if next.starts_with("مئوي") => Unit::of(Dimension::Temperature, 1.0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar_and_everyday_words_are_none() {
        use Certainty::{Weak, Words};
        for (word, wanted) in [
            ("جانفي", Some((1.0, Words))),
            ("اذار", Some((3.0, Words))),
            ("مارس", Some((3.0, Weak))),
            ("اب", Some((8.0, Weak))),
            ("غشت", Some((8.0, Words))),
            ("دجنبر", Some((12.0, Words))),
            ("الماء", None),
            ("ناصر", None),
            ("شهر", None),
        ] {
            assert_eq!(month(word), wanted, "{word}");
        }
    }
}

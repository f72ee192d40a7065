//! Parts of months and years: "مطلع مارس", "أواخر العام الماضي", "الربع الأول من 2024", "صيف 2023", "تسعينيات القرن الماضي".
//!
//! In: tokens and a place. Out: the [`Hit`] that starts there. How a third is counted is the resolver's.

use super::expression::{Point, Third, Unit, Which};
use super::grammar::{Hit, month, qualifier, which};
use super::relative;
use super::tokens::Tokens;
use super::years::{year_behind, year_number, year_point};

/// Reads a part of a month or a year.
pub(super) fn point(t: &Tokens, i: usize) -> Option<Hit> {
    third(t, i).or_else(|| share(t, i)).or_else(|| season(t, i)).or_else(|| decade(t, i))
}

fn third(t: &Tokens, i: usize) -> Option<Hit> {
    let (which_third, start) = t.read(i, |stem, definite| match stem {
        _ if definite => None,
        "مطلع" | "اوائل" | "بدايه" | "بدايات" | "مستهل" => Some(Third::Early),
        "منتصف" | "اواسط" | "وسط" => Some(Third::Middle),
        "اواخر" | "نهايه" | "نهايات" | "ختام" => Some(Third::Late),
        _ => None,
    })?;
    let dashed = usize::from(t.is(i + 1, &["من"]));
    let at = i + 1 + dashed;
    let hit = month(t, at).or_else(|| month_after(t, at)).or_else(|| year_point(t, at)).or_else(|| {
        let (year, next) = year_number(t, at).filter(|&(year, _)| year >= 1800)?;
        Some(Hit::new(start, next, Point::Year { year: Which::Stated(year), third: None }))
    });
    let hit = hit.or_else(|| relative::period(t, at)).or_else(|| decade(t, at))?;
    let point = match hit.point {
        Point::Month { month, year, .. } => Point::Month { month, year, third: Some(which_third) },
        Point::Year { year, .. } => Point::Year { year, third: Some(which_third) },
        Point::Offset { unit: unit @ (Unit::Month | Unit::Year), count, weekday, .. } => {
            Point::Offset { unit, count, weekday, third: Some(which_third) }
        }
        // The end of a week is the week-end of half the region and the start of the other's week; a third of a decade is
        // as vague as the decade.
        whole @ (Point::Offset { unit: Unit::Week, .. } | Point::Decade(_) | Point::Tens(_)) => whole,
        _ => return None,
    };
    Some(Hit { start, point, ..hit })
}

/// Reads a month of a name that needs a word before it; "the beginning of" is one.
fn month_after(t: &Tokens, i: usize) -> Option<Hit> {
    let name = super::grammar::month_name(t, i)?;
    Some(Hit::new(name.start, name.next, Point::Month { month: name.month, year: Which::Nearest, third: None }))
}

/// Reads the year that a part is of; the nearest where none is named and none need be.
fn year_of(t: &Tokens, i: usize) -> Option<(Which, usize)> {
    if let Some(found) = year_behind(t, i) {
        return Some(found);
    }
    let at = i + usize::from(t.is(i, &["من"]));
    let (year, next) = year_number(t, at).filter(|&(year, _)| year >= 1800)?;
    Some((Which::Stated(year), next))
}

/// Reads a quarter or a half of a year.
fn share(t: &Tokens, i: usize) -> Option<Hit> {
    let (of, start) = t.read(i, |stem, definite| match stem {
        "ربع" | "فصل" if definite => Some(4),
        "نصف" if definite => Some(2),
        _ => None,
    })?;
    let number = match t.word(i + 1) {
        "الاول" => 1,
        "الثاني" => 2,
        "الثالث" => 3,
        "الرابع" | "الاخير" if of == 4 => 4,
        _ => return None,
    };
    if number > of {
        return None;
    }
    let (year, next) = year_of(t, i + 2)?;
    Some(Hit::new(start, next, Point::Share { number, of, year }))
}

fn season(t: &Tokens, i: usize) -> Option<Hit> {
    let ((season, definite), start) = t.read(i, |stem, definite| {
        let season = match stem {
            "ربيع" => 1,
            "صيف" => 2,
            "خريف" => 3,
            "شتاء" => 4,
            _ => return None,
        };
        Some((season, definite))
    })?;
    if definite {
        // "الربيع العربي" is no season.
        let (offset, next) = qualifier(t, i + 1)?;
        return Some(Hit::new(start, next, Point::Season { season, year: which(offset) }));
    }
    let (year, next) = year_of(t, i + 1)?;
    Some(Hit::new(start, next, Point::Season { season, year }))
}

/// Reads ten years. Ages have the same words: "a man in his forties".
fn decade(t: &Tokens, i: usize) -> Option<Hit> {
    let ((tens, definite), start) = t.read(i, |stem, definite| {
        let tens = stem.strip_suffix("ينيات").or_else(|| stem.strip_suffix("ينات"))?;
        let tens = match tens {
            "عشر" => 20,
            "ثلاث" => 30,
            "اربع" => 40,
            "خمس" => 50,
            "ست" => 60,
            "سبع" => 70,
            "ثمان" => 80,
            "تسع" => 90,
            _ => return None,
        };
        Some((tens, definite))
    })?;
    let at = i + 1 + usize::from(t.is(i + 1, &["من"]));
    if t.is(at, &["القرن"]) {
        let century = match t.word(at + 1) {
            "الماضي" | "المنصرم" | "الفائت" | "العشرين" => 1900,
            "الحالي" | "الجاري" | "الحادي" => 2000,
            "التاسع" => 1800,
            _ => return None,
        };
        let next = at + 2 + usize::from(t.is(at + 1, &["الحادي"])) + usize::from(t.is(at + 2, &["عشر"]));
        return Some(Hit::new(start, next, Point::Decade(century + tens)));
    }
    let aged = t.is(at, &["عمره", "عمرها", "عمرهم", "العمر", "عمري"]);
    let dated = t.is(
        i.wrapping_sub(1),
        &["منذ", "خلال", "اواخر", "مطلع", "منتصف", "اوائل", "بدايه", "نهايه", "حقبه", "سنوات", "عقد", "حتي", "اواسط"],
    );
    (definite && !aged && (dated || tens >= 60)).then(|| Hit::new(start, i + 1, Point::Tens(tens)))
}

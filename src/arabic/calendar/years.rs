//! Years, alone and behind a day or a month.
//!
//! In: tokens and a place. Out: the year there, and where its words end. Four figures are a year only where a word, a
//! bracket or the sign of an era says so: "في 2011 مدرسة" counts schools.

use super::expression::{Point, Which};
use super::grammar::{Hit, continues_figure, follows, qualifier};
use super::tokens::Tokens;

/// The era a year is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    Common,
    Hijri,
    Before,
}

/// Reads the sign of an era after a year.
pub(super) fn era(t: &Tokens, i: usize) -> (Option<Era>, usize) {
    match (t.word(i), t.word(i + 1)) {
        ("م", _) if t.is_mark(i + 1, &['.']) && t.glued(i + 1) => (Some(Era::Common), i + 1),
        ("م" | "ميلادي" | "ميلاديه" | "الميلادي" | "للميلاد", _) => {
            (Some(Era::Common), i + 1)
        }
        ("ه" | "هجري" | "هجريه" | "الهجري" | "الهجريه" | "للهجره", _) => {
            (Some(Era::Hijri), i + 1)
        }
        ("من", "الهجره") => (Some(Era::Hijri), i + 2),
        ("ق", _) if t.is(i + 1, &["م"]) || t.is_mark(i + 1, &['.']) => (Some(Era::Before), i + 2),
        ("قبل", "الميلاد") => (Some(Era::Before), i + 2),
        _ => (None, i),
    }
}

/// Reads digits or words that are a year by their size.
pub(super) fn year_number(t: &Tokens, i: usize) -> Option<(i16, usize)> {
    let number = t.number(i)?;
    if !number.words && !matches!(t.digits(number.next - 1), Some((_, 4))) {
        return None;
    }
    // "2024.5" and "2024/17" are no years by themselves.
    let goes_on = t.is_mark(number.next, &['/', '.', ',', '٫', ':', '%', '٪'])
        && t.glued(number.next)
        && t.glued(number.next + 1)
        && t.digits(number.next + 1).is_some();
    // Nor is the year of a day that there is not: "2020-02-30".
    let stroke = |at: usize| t.is_mark(at, &['-', '–']) && t.glued(at) && t.glued(at + 1);
    let part = |at: usize| matches!(t.digits(at), Some((_, 1..=2)));
    let goes_on =
        goes_on || (stroke(number.next) && part(number.next + 1) && stroke(number.next + 2) && part(number.next + 3));
    let value = i16::try_from(number.value).ok()?;
    (!goes_on && (1000..=2100).contains(&value) && !t.is_mark(number.next, &['%', '٪'])).then_some((value, number.next))
}

/// Reads the year behind a day or a month: "2024", "، 2024", "من عام 2024", "من العام الماضي".
pub(super) fn year_behind(t: &Tokens, i: usize) -> Option<(Which, usize)> {
    let mut at = i;
    if t.is_mark(at, &[',', '،', '/', '-', '–', '.']) {
        at += 1;
    }
    if t.is(at, &["من", "ل", "في"]) {
        at += 1;
    }
    let noun = t.read(at, |stem, definite| matches!(stem, "عام" | "سنه").then_some(definite));
    if let Some((definite, _)) = noun {
        if let Some((year, next)) = year_number(t, at + 1) {
            return Some((Which::Stated(year), next));
        }
        if definite {
            if t.is(at + 1, &["نفسه", "ذاته", "نفسها", "ذاتها"]) {
                return Some((Which::Same, at + 2));
            }
            return qualifier(t, at + 1).map(|(offset, next)| (Which::Offset(offset), next));
        }
        return None;
    }
    if t.is(at, &["هذا", "هذه"]) && t.is(at + 1, &["العام", "السنه"]) {
        return Some((Which::Offset(0), at + 2));
    }
    // Without "year" before it, only digits right behind.
    if at > i && t.is(at - 1, &["من", "ل", "في"]) {
        return None;
    }
    let (year, next) = year_number(t, at).filter(|_| t.digits(at).is_some())?;
    (year >= 1900 || era(t, next).0.is_some()).then_some((Which::Stated(year), next))
}

/// Nouns that are told apart by their year.
const YEARLY: &[&str] = &[
    "انتخابات",
    "دستور",
    "حرب",
    "ثوره",
    "مونديال",
    "اولمبياد",
    "ميزانيه",
    "موازنه",
    "موسم",
    "ازمه",
    "حدود",
    "نسخه",
    "دوره",
    "احداث",
    "احتجاجات",
    "العالم",
    "افريقيا",
    "اسيا",
    "قانون",
    "غزو",
    "عدوان",
];

/// Reads "عام 2024", "عام ألفين وأربعة وعشرين", "في 2024", "(2024)", "انتخابات 2024".
pub(super) fn year_point(t: &Tokens, i: usize) -> Option<Hit> {
    let noun = t.read(i, |stem, _| matches!(stem, "عام" | "سنه").then_some(()));
    if let Some((_, start)) = noun {
        let at = i + 1 + usize::from(t.is(i + 1, &["الميلادي", "الهجري", "ميلادي", "هجري"]));
        let (year, next) = year_number(t, at).or_else(|| {
            let (year, length) = t.digits(at)?;
            let old = length == 3 && era(t, at + 1).0.is_some();
            Some((i16::try_from(year).ok().filter(|_| old)?, at + 1))
        })?;
        let (named, next) = era(t, next);
        let hijri = named == Some(Era::Hijri) || t.is(i + 1, &["الهجري", "هجري"]);
        let point = match named {
            Some(Era::Before) => return None,
            _ if hijri => Point::Hijri { year: Which::Stated(year), month: None, day: None },
            _ => Point::Year { year: Which::Stated(year), third: None },
        };
        return Some(Hit::new(start, next, point));
    }
    let number = t.number(i).filter(|number| !number.words)?;
    let (year, next) = year_number(t, i).filter(|&(year, _)| year >= 1400)?;
    if continues_figure(t, number.next - 1) {
        return None;
    }
    let (named, after) = era(t, next);
    if named == Some(Era::Hijri) && (1300..=1500).contains(&year) {
        let point = Point::Hijri { year: Which::Stated(year), month: None, day: None };
        return Some(Hit::new(number.start, after, point));
    }
    if year < 1800 || named == Some(Era::Before) {
        return None;
    }
    let bracketed = t.is_mark(i.wrapping_sub(1), &['(']) && t.is_mark(next, &[')']);
    let placed = t.is(
        i.wrapping_sub(1),
        &["في", "وفي", "منذ", "ومنذ", "حتي", "وحتي", "بحلول", "وبحلول", "خلال", "وخلال", "قبل", "بعد", "لعام"],
    );
    let yearly = follows(t, i, YEARLY);
    let sure = named == Some(Era::Common) || bracketed || ((placed || yearly) && !counts(t, next));
    sure.then(|| Hit::new(number.start, after, Point::Year { year: Which::Stated(year), third: None }))
}

/// Returns whether the word at a place is what a number before it would count.
fn counts(t: &Tokens, i: usize) -> bool {
    const COUNTED: &[&str] = &[
        "دولار",
        "دينار",
        "درهم",
        "جنيه",
        "ليره",
        "ريال",
        "يورو",
        "شخص",
        "قتيل",
        "جريح",
        "مدرسه",
        "متر",
        "كيلومتر",
        "كم",
        "طن",
        "ميل",
        "نقطه",
        "صوت",
        "طالب",
        "لاجئ",
        "اسير",
        "ساعه",
        "يوم",
        "عائله",
        "اسره",
        "منزل",
        "وحده",
        "شركه",
        "موظف",
        "عامل",
        "جندي",
        "مقعد",
        "قطعه",
        "هكتار",
        "فدان",
        "برميل",
        "ميغاواط",
        "قريه",
        "مركز",
        "من",
        "مواطن",
        "حاله",
        "سنه",
        "عام",
        "بيت",
        "مستوطن",
        "مسافر",
        "سائح",
        "فرد",
        "عنصر",
        "كلمه",
        "صفحه",
        "طائره",
        "صاروخ",
    ];
    let Some(token) = t.at(i) else { return false };
    let accusative = token.span.of(t.text).contains('\u{64b}');
    let direct = COUNTED.contains(&token.folded.as_str())
        || token.folded.strip_suffix('ا').is_some_and(|bare| COUNTED.contains(&bare));
    // "في 2011 من" may go on either way.
    (direct && token.folded != "من") || accusative
}

//! Days, months and years in figures: 5/3/2024, 2024-03-05, 1445/9/12 هـ, 03/2024.
//!
//! In: tokens and a place. Out: the [`Hit`] that starts there. Figures are read day first, the use of the region; where
//! that is no date and month first is one, month first. Numbers of laws, scores and telephones have the same shape: what
//! is not a whole date counts only after a word that says it is one.

use jiff::civil::Date;

use super::expression::{Point, Which};
use super::grammar::{Hit, continues_figure};
use super::tokens::{Kind, Tokens};
use super::years::{Era, era};

/// Words after which figures with strokes are a number of something.
const NUMBERED: &[&str] = &[
    "رقم",
    "الرقم",
    "قانون",
    "القانون",
    "قرار",
    "القرار",
    "مرسوم",
    "المرسوم",
    "ماده",
    "الماده",
    "هاتف",
    "الهاتف",
    "عدد",
    "العدد",
    "منشور",
    "دعوي",
    "القضيه",
    "قضيه",
    "ملف",
    "بطاقه",
    "نتيجه",
    "بنتيجه",
    "تلفون",
    "فاكس",
    "جوال",
];

/// Words after which two figures with a stroke are a day.
const DATED: &[&str] = &["بتاريخ", "وبتاريخ", "تاريخ", "يوم", "ليوم", "الموافق", "مورخ", "المورخ", "المورخه"];

/// Reads what starts at a place in figures.
pub(super) fn point(t: &Tokens, i: usize) -> Option<Hit> {
    day(t, i, t.is(i.wrapping_sub(1), DATED)).or_else(|| month(t, i))
}

/// Three or two figures with strokes.
fn figures(t: &Tokens, i: usize, marks: &[char]) -> Option<((i32, usize), usize)> {
    let mark = t.mark(i).filter(|mark| marks.contains(mark))?;
    let figure = t.digits(i + 1)?;
    // A stop and a figure with a space between are two sentences; the other marks have a space on both sides or none.
    let even = t.glued(i) == t.glued(i + 1);
    (even && (t.glued(i) || matches!(mark, '/' | '-' | '–'))).then_some((figure, i + 2))
}

/// Reads a day; one without a year, or with the last two figures of it, only where a word before says that it is one.
pub(super) fn day(t: &Tokens, i: usize, sure: bool) -> Option<Hit> {
    const MARKS: &[char] = &['/', '-', '–', '.', '\\'];
    let first = t.digits(i)?;
    if continues_figure(t, i) || t.is(i.wrapping_sub(1), NUMBERED) {
        return None;
    }
    let start = t.at(i)?.span.start;
    let (second, after) = figures(t, i + 1, MARKS)?;
    let third = figures(t, after, MARKS).filter(|_| t.mark(after) == t.mark(i + 1));
    let goes_on = |next: usize| {
        t.mark(next).is_some_and(|mark| matches!(mark, '/' | '-' | '.' | ',' | ':'))
            && t.glued(next)
            && t.glued(next + 1)
            && t.digits(next + 1).is_some()
            || matches!(t.at(next).map(|token| token.kind), Some(Kind::Latin)) && t.glued(next) && t.word(next) != "t"
            || t.is_mark(next, &['%', '٪'])
    };
    if let Some((third, next)) = third {
        if goes_on(next) {
            return None;
        }
        let (year, month, day, swap) = match (first, second, third) {
            ((y, 4), (m, 1..=2), (d, 1..=2)) => (y, m, d, false),
            ((d, 1..=2), (m, 1..=2), (y, 4)) => (y, m, d, true),
            ((d, 1..=2), (m, 1..=2), (y, 2)) if sure => (if y < 70 { 2000 + y } else { 1900 + y }, m, d, true),
            _ => return None,
        };
        return whole(t, start, next, (year, month, day), swap);
    }
    let spaced = !t.glued(i + 1);
    let ((day, 1..=2), (month, 1..=2)) = (first, second) else { return None };
    if !sure || goes_on(after) || spaced || t.is_mark(i + 1, &['.', '-', '–']) {
        return None;
    }
    let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
    Date::new(2024, month, day).ok()?;
    Some(Hit::new(start, after, Point::Day { day, month: Some(month), year: Which::Nearest, weekday: None }))
}

/// Makes a date of its three figures.
fn whole(t: &Tokens, start: usize, next: usize, figures: (i32, i32, i32), swap: bool) -> Option<Hit> {
    let (year, month, day) =
        (i16::try_from(figures.0).ok()?, i8::try_from(figures.1).ok()?, i8::try_from(figures.2).ok()?);
    let (era, after) = era(t, next);
    let hijri = match era {
        Some(Era::Before) => return None,
        Some(Era::Hijri) => true,
        Some(Era::Common) => false,
        None => (1400..=1460).contains(&year),
    };
    if hijri {
        let fits = (1..=1500).contains(&year) && (1..=12).contains(&month) && (1..=30).contains(&day);
        let point = Point::Hijri { year: Which::Stated(year), month: Some(month), day: Some(day) };
        return fits.then(|| Hit::new(start, after, point));
    }
    if !(1800..=2100).contains(&year) {
        return None;
    }
    let civil = |month: i8, day: i8| Date::new(year, month, day).ok();
    let date = civil(month, day).or_else(|| civil(day, month).filter(|_| swap))?;
    let point = Point::Day { day: date.day(), month: Some(date.month()), year: Which::Stated(year), weekday: None };
    Some(Hit::new(start, after, point))
}

/// Reads a month in figures after a word that says it is a time: "في 03/2024", "منذ 2024-03".
fn month(t: &Tokens, i: usize) -> Option<Hit> {
    const PLACED: &[&str] = &["في", "شهر", "لشهر", "منذ", "حتي", "بتاريخ", "خلال"];
    let first = t.digits(i)?;
    if continues_figure(t, i) || !t.is(i.wrapping_sub(1), PLACED) {
        return None;
    }
    let (second, next) = figures(t, i + 1, &['/', '-'])?;
    let (year, month) = match (first, second) {
        ((year, 4), (month, 2)) | ((month, 1..=2), (year, 4)) => (year, month),
        _ => return None,
    };
    let goes_on = t.mark(next).is_some() && t.glued(next) && t.glued(next + 1) && t.digits(next + 1).is_some();
    let fits = (1900..=2100).contains(&year) && (1..=12).contains(&month) && t.glued(i + 1) && !goes_on;
    let point =
        Point::Month { month: i8::try_from(month).ok()?, year: Which::Stated(i16::try_from(year).ok()?), third: None };
    fits.then(|| Hit::new(t.all[i].span.start, next, point))
}

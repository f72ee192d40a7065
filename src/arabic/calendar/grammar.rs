//! Days, months and years as they are named in words.
//!
//! In: tokens and a place. Out: the [`Hit`] that starts there. What makes a word a date is its neighbours: مارس is a verb
//! and آب a father unless a day, a year, a preposition or a second name of the month stands beside it. Source: usage of
//! the Arab press; reference grammar of dates in Ryding, A Reference Grammar of MSA, ch. 15.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use super::expression::{Point, Which};
use super::months::{MONTHS, OLD_LIBYAN_MONTHS, latin_month, weekday};
use super::tokens::{Kind, Tokens};
use super::years::{Era, era, year_behind, year_number, year_point};
use super::{hijri, numeric, parts, relative};
use crate::arabic::words::fold;

/// A time found at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// The byte where its words start.
    pub start: usize,
    /// The token after its last one.
    pub next: usize,
    pub point: Point,
    /// The Islamic date beside it.
    pub hijri: Option<(i16, i8, i8)>,
}

impl Hit {
    pub fn new(start: usize, next: usize, point: Point) -> Self {
        Self { start, next, point, hijri: None }
    }
}

/// Months whose names mean other things as well: a verb, a father, "out", a car, a clinic, names of persons.
const WEAK_MONTHS: &[&str] = &["مارس", "ماي", "جوان", "اوت", "اب", "نيسان", "ايار", "مايو"];

/// Words after which the name of a month can only be that.
const BEFORE_MONTH: &[&str] =
    &["في", "وفي", "شهر", "لشهر", "بشهر", "منذ", "ومنذ", "حتي", "خلال", "وخلال", "الي", "بين", "من", "اواخر", "مطلع"];

/// Words after which a day and a month are a name: 6th of October Bridge.
const NAMED_AFTER_DAYS: &[&str] = &[
    "مدينه",
    "جسر",
    "كوبري",
    "شارع",
    "ميدان",
    "ساحه",
    "حركه",
    "كتائب",
    "كتيبه",
    "مستشفي",
    "جامعه",
    "ملعب",
    "استاد",
    "مطار",
    "حزب",
    "مجلس",
    "محطه",
    "حي",
    "محور",
    "طريق",
    "مصنع",
    "مدرسه",
    "لواء",
    "تيار",
    "ائتلاف",
    "قاعه",
    "نفق",
    "نادي",
    "منتدي",
    "مركز",
    "تحالف",
    "جريده",
    "صحيفه",
    "مجله",
    "ملحق",
    "قناه",
    "سد",
];

/// Words after which a day without a year names an event of some year that the article takes as known.
const EVENTS: &[&str] = &[
    "ثوره",
    "حراك",
    "انتفاضه",
    "هجمات",
    "هجوم",
    "احداث",
    "حرب",
    "انقلاب",
    "اتفاق",
    "اتفاقيه",
    "عمليه",
    "معركه",
    "نكسه",
    "تفجيرات",
    "زلزال",
    "مظاهرات",
    "احتجاجات",
    "انتخابات",
    "قرارات",
    "مجزره",
    "استفتاء",
    "ذكري",
    "قرار",
    "بيان",
    "نصر",
    "حركات",
];

/// Returns whether a word before a place, across one conjunction or article, is one of a list.
pub(super) fn follows(t: &Tokens, i: usize, list: &[&str]) -> bool {
    let Some(at) = i.checked_sub(1) else { return false };
    t.forms(at).any(|form| list.contains(&form.stem))
}

/// Returns the time that starts at a place.
pub(super) fn point(t: &Tokens, i: usize) -> Option<Hit> {
    numeric::point(t, i)
        .or_else(|| dated_weekday(t, i))
        .or_else(|| day(t, i))
        .or_else(|| month_first(t, i))
        .or_else(|| hijri_point(t, i))
        .or_else(|| parts::point(t, i))
        .or_else(|| month(t, i))
        .or_else(|| relative::point(t, i))
        .or_else(|| year_point(t, i))
}

/// Reads what says which one is meant: الماضي is -1, الجاري 0, المقبل 1.
pub(super) fn qualifier(t: &Tokens, i: usize) -> Option<(i16, usize)> {
    let plain = |at: usize| match t.word(at) {
        "الماضي" | "الماضيه" | "الماضيين" | "الماضيتين" | "المنصرم" | "المنصرمه" | "المنصرمين" | "الفائت"
        | "الفائته" | "المنقضي" | "المنقضيه" => Some(-1),
        "الجاري" | "الجاريه" | "الحالي" | "الحاليه" => Some(0),
        "المقبل" | "المقبله" | "المقبلين" | "المقبلتين" | "القادم" | "القادمه" | "القادمين" | "الاتي" | "الاتيه" => {
            Some(1)
        }
        _ => None,
    };
    if let Some(one) = plain(i) {
        return Some((one, i + 1));
    }
    match (t.word(i), plain(i + 1)) {
        ("قبل", Some(-1)) => Some((-2, i + 2)),
        ("بعد", Some(1)) => Some((2, i + 2)),
        _ => None,
    }
}

/// Turns a qualifier into the one of its kind that is meant.
pub(super) fn which(offset: i16) -> Which {
    match offset {
        -1 => Which::Past,
        1 => Which::Future,
        other => Which::Offset(other),
    }
}

/// Reads the name of a month of the Gregorian calendar, and a second name of the same month behind it.
pub(super) fn month_name(t: &Tokens, i: usize) -> Option<MonthName> {
    let first = single_month(t, i)?;
    let open = t.mark(first.next);
    if matches!(open, Some('/' | '\\' | '-' | '–' | '('))
        && let Some(second) = single_month(t, first.next + 1).filter(|second| second.month == first.month)
    {
        let closed = open == Some('(') && t.is_mark(second.next, &[')']);
        return Some(MonthName { next: second.next + usize::from(closed), weak: false, ..first });
    }
    Some(first)
}

/// The name of a month at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct MonthName {
    pub month: i8,
    pub start: usize,
    pub next: usize,
    /// Whether the word often means something else.
    pub weak: bool,
}

/// Reads the name of a Libyan month of before 2011, all but one everyday words: only with a year behind it.
fn old_libyan(t: &Tokens, i: usize) -> Option<MonthName> {
    let two = format!("{} {}", t.word(i), t.word(i + 1));
    let fits = |name: &str| if name.contains(' ') { fold(name) == two } else { fold(name) == t.word(i) };
    let &(name, month) = OLD_LIBYAN_MONTHS.iter().find(|(name, _)| fits(name))?;
    let next = i + 1 + usize::from(name.contains(' '));
    let (year, _) = year_number(t, next)?;
    let start = t.at(i)?.span.start;
    (1900..2012).contains(&year).then_some(MonthName { month, start, next, weak: true })
}

/// Names of one word, folded.
static NAMES: LazyLock<BTreeMap<String, i8>> = LazyLock::new(|| {
    MONTHS.iter().filter(|(name, _)| !name.contains(' ')).map(|&(name, number)| (fold(name), number)).collect()
});

/// Returns whether a folded word is the name of a month.
pub(super) fn is_month(stem: &str) -> bool {
    NAMES.contains_key(stem)
}

fn single_month(t: &Tokens, i: usize) -> Option<MonthName> {
    let token = t.at(i)?;
    if token.kind == Kind::Latin {
        let month = latin_month(&token.folded)?;
        let short = token.folded.chars().count() <= 5;
        let next = i + 1 + usize::from(short && t.is_mark(i + 1, &['.']) && t.glued(i + 1));
        return Some(MonthName { month, start: token.span.start, next, weak: true });
    }
    if token.kind != Kind::Word {
        return None;
    }
    if let Some((tens, start)) = t.read(i, |stem, _| match stem {
        "كانون" => Some((1, 12)),
        "تشرين" => Some((11, 10)),
        _ => None,
    }) {
        let month = match t.word(i + 1) {
            "الثاني" | "ثاني" | "ثان" | "التاني" => tens.0,
            "الاول" | "اول" => tens.1,
            _ => return None,
        };
        return Some(MonthName { month, start, next: i + 2, weak: false });
    }
    let ((month, weak), start) = t.read(i, |stem, definite| {
        let month = NAMES.get(stem).filter(|_| !definite)?;
        Some((*month, WEAK_MONTHS.contains(&stem)))
    })?;
    Some(MonthName { month, start, next: i + 1, weak })
}

/// Returns whether digits at a place go on from a figure before them: the 5 of 3.5 or 10/5.
pub(super) fn continues_figure(t: &Tokens, i: usize) -> bool {
    i > 0
        && t.glued(i)
        && match t.at(i - 1).map(|token| token.kind) {
            Some(Kind::Mark('/' | '.' | ',' | '٫' | '+' | ':' | '$' | '#')) => true,
            // "3-5 مارس" are two days, "0912-34" is a telephone.
            Some(Kind::Mark('-' | '–')) => {
                i > 1
                    && t.glued(i - 1)
                    && t.digits(i - 2).is_some_and(|(_, length)| {
                        length > 2 || (t.glued(i - 2) && t.is_mark(i.wrapping_sub(3), &['-', '–']))
                    })
            }
            Some(Kind::Latin) => true,
            _ => false,
        }
}

/// Reads the number of a day: digits, an ordinal, الفاتح (the first), غرة.
pub(super) fn day_number(t: &Tokens, i: usize) -> Option<(i8, usize, usize, bool)> {
    if let Some(((), start)) = t.read(i, |stem, definite| match stem {
        "فاتح" if definite || month_name(t, i + 1).is_some() => Some(()),
        "غره" => Some(()),
        _ => None,
    }) {
        return Some((1, i + 1, start, true));
    }
    let number = t.number(i)?;
    let tens = number.value % 10 == 0 && number.value >= 10;
    let fits = if number.words {
        number.ordinal || (tens && t.forms(i).any(|form| form.definite))
    } else {
        t.digits(number.next - 1).is_some_and(|(_, length)| length <= 2) && !continues_figure(t, number.next - 1)
    };
    let day = i8::try_from(number.value).ok().filter(|day| (1..=31).contains(day) && fits)?;
    Some((day, number.next, number.start, number.words))
}

/// Reads "5 مارس 2024", "الخامس من مارس", "5 من الشهر الجاري".
pub(super) fn day(t: &Tokens, i: usize) -> Option<Hit> {
    let (day, after, start, words) = day_number(t, i)?;
    let (at, joined) = before_month(t, after);
    // "5 من الشهر الجاري", "في 5 الجاري".
    if let Some((offset, next)) = this_month(t, after) {
        let point = Point::Day { day, month: None, year: Which::Offset(offset), weekday: None };
        return Some(Hit::new(start, next, point));
    }
    let month = month_name(t, at).or_else(|| old_libyan(t, at).filter(|_| !words))?;
    let opens = t.is(i, &["اول", "الفاتح", "فاتح", "لفاتح", "بفاتح"]);
    if words && !joined && !opens {
        return None;
    }
    Date::new(2024, month.month, day).ok()?;
    let (year, next) = if let Some((year, next)) = year_behind(t, month.next) {
        match (year, era(t, next)) {
            // A Gregorian month of a Hijri year is a slip that nothing repairs.
            (_, (Some(Era::Hijri | Era::Before), _)) => return None,
            (Which::Stated(year), _) if year < 1500 => return None,
            (_, (_, next)) => (year, next),
        }
    } else if let Some((offset, next)) = qualifier(t, month.next) {
        (which(offset), next)
    } else {
        let first = weekday_before(t, i).unwrap_or(i);
        if follows(t, first, NAMED_AFTER_DAYS) || t.before(i) == "من" && follows(t, i - 1, NAMED_AFTER_DAYS) {
            return None;
        }
        if follows(t, first, EVENTS) { (Which::Famous, month.next) } else { (Which::Nearest, month.next) }
    };
    Some(Hit::new(start, next, Point::Day { day, month: Some(month.month), year, weekday: None }))
}

/// Returns the place of the weekday before a day, where there is one.
fn weekday_before(t: &Tokens, i: usize) -> Option<usize> {
    let at = i.checked_sub(1)?;
    t.read(at, |stem, _| weekday(stem)).map(|_| at)
}

/// Skips what stands between a day and its month; says whether a word joined them.
fn before_month(t: &Tokens, at: usize) -> (usize, bool) {
    match (t.word(at), t.word(at + 1)) {
        ("من", "شهر") => (at + 2, true),
        ("من" | "شهر" | "لشهر", _) => (at + 1, true),
        _ if t.is_mark(at, &['-', '–', '/', '.']) => (at + 1, false),
        _ => (at, false),
    }
}

/// Reads "من الشهر الجاري", "من هذا الشهر", "الجاري" behind a day.
fn this_month(t: &Tokens, i: usize) -> Option<(i16, usize)> {
    let at = i + usize::from(t.is(i, &["من"]));
    if t.is(at, &["هذا"]) && t.is(at + 1, &["الشهر"]) {
        return Some((0, at + 2));
    }
    if t.is(at, &["الشهر"]) {
        return qualifier(t, at + 1);
    }
    t.is(i, &["الجاري"]).then_some((0, i + 1))
}

/// Reads "March 5, 2024" and "مارس 5, 2024".
fn month_first(t: &Tokens, i: usize) -> Option<Hit> {
    let month = month_name(t, i)?;
    let (day, length) = t.digits(month.next)?;
    let day = i8::try_from(day).ok().filter(|day| (1..=31).contains(day) && length <= 2)?;
    let at = month.next + 1;
    let at = at + usize::from(t.is_mark(at, &[',', '،']));
    let (year, next) = year_number(t, at).filter(|&(year, _)| year >= 1900)?;
    Date::new(year, month.month, day).ok()?;
    let point = Point::Day { day, month: Some(month.month), year: Which::Stated(year), weekday: None };
    Some(Hit::new(month.start, next, point))
}

/// Reads a month with or without its year.
pub(super) fn month(t: &Tokens, i: usize) -> Option<Hit> {
    if let Some((_, start)) = t.read(i, |stem, definite| (stem == "شهر" && !definite).then_some(()))
        && let Some(hit) = month_from(t, i + 1, true)
    {
        return Some(Hit { start, ..hit });
    }
    month_from(t, i, t.is(i.wrapping_sub(1), BEFORE_MONTH))
}

fn month_from(t: &Tokens, i: usize, sure: bool) -> Option<Hit> {
    // A day before it that made no date belongs to a name: 6th of October City.
    if t.digits(i.wrapping_sub(1)).is_some_and(|(_, length)| length <= 2) {
        return None;
    }
    let month = month_name(t, i)?;
    let latin = t.at(i).is_some_and(|token| token.kind == Kind::Latin);
    let (year, next) = if let Some((year, next)) = year_behind(t, month.next) {
        (year, era(t, next).1)
    } else if let Some((offset, next)) = qualifier(t, month.next) {
        (which(offset), next)
    } else if (month.weak && !sure) || latin || follows(t, i, NAMED_AFTER_DAYS) {
        return None;
    } else if follows(t, i, EVENTS) {
        (Which::Famous, month.next)
    } else {
        (Which::Nearest, month.next)
    };
    if matches!(year, Which::Stated(..1500)) {
        return None;
    }
    Some(Hit::new(month.start, next, Point::Month { month: month.month, year, third: None }))
}

/// Reads a date of the Islamic calendar in words.
fn hijri_point(t: &Tokens, i: usize) -> Option<Hit> {
    let named = |at: usize| {
        t.forms(at).find_map(|form| {
            let found = hijri::named(form.stem, t.word(at + 1)).filter(|_| !form.definite || form.stem == "محرم");
            found.map(|(month, words)| (month, at + words))
        })
    };
    let dated = day_number(t, i).and_then(|(day, after, start, words)| {
        let (at, joined) = before_month(t, after);
        let (month, next) = named(at)?;
        let opens = t.is(i, &["اول", "غره"]);
        (!words || joined || opens).then_some((Some(day), month, next, start, joined))
    });
    let (day, month, at, start, joined) = match dated {
        Some(found) => found,
        None => {
            let after_month = t.read(i, |stem, definite| (stem == "شهر" && !definite).then_some(()));
            let at = i + usize::from(after_month.is_some());
            let (month, next) = named(at)?;
            let start = after_month.map_or(t.at(at)?.span.start, |(_, start)| start);
            (None, month, next, start, after_month.is_some())
        }
    };
    // Its own names come before the years of no other calendar.
    let mut behind = at + usize::from(t.is_mark(at, &[',', '،', '/', '-', '–']));
    behind += usize::from(t.is(behind, &["من", "ل"]));
    let noun = t.read(behind, |stem, _| matches!(stem, "عام" | "سنه").then_some(())).is_some();
    behind += usize::from(noun);
    let year = t.digits(behind).filter(|&(year, length)| (1..=1500).contains(&year) && length >= 3);
    if let Some((year, _)) = year.and_then(|(year, length)| Some((i16::try_from(year).ok()?, length))) {
        let (_, next) = era(t, behind + 1);
        return Some(Hit::new(start, next, Point::Hijri { year: Which::Stated(year), month: Some(month), day }));
    }
    if let Some((offset, next)) = qualifier(t, at).filter(|_| month != 2) {
        return Some(Hit::new(start, next, Point::Hijri { year: which(offset), month: Some(month), day }));
    }
    // Names of persons, and صفر is zero: without a year only where "month" or a day says what they are.
    let sure = if month == 2 { joined } else { joined || day.is_some() };
    sure.then(|| Hit::new(start, at, Point::Hijri { year: Which::Nearest, month: Some(month), day }))
}

/// Reads a weekday with the date behind it: "الجمعة 5 مارس", "الأحد (12 رمضان)".
fn dated_weekday(t: &Tokens, i: usize) -> Option<Hit> {
    let after_day = t.read(i, |stem, _| matches!(stem, "يوم" | "نهار").then_some(()));
    let at = i + usize::from(after_day.is_some());
    let (weekday, start) = t.read(at, |stem, definite| weekday(stem).filter(|_| definite || after_day.is_some()))?;
    let start = after_day.map_or(start, |(_, start)| start);
    let mut next = at + 1;
    let bracket = t.is_mark(next, &['(']);
    if t.is_mark(next, &['،', ',', ':', '(', '-', '–', '/']) {
        next += 1;
    }
    if t.is(next, &["الموافق", "في", "بتاريخ", "المصادف", "الموافق", "ل", "يوم"]) {
        next += 1;
    }
    let mut hit = numeric::day(t, next, true).or_else(|| day(t, next)).or_else(|| hijri_point(t, next))?;
    match &mut hit.point {
        Point::Day { weekday: place, .. } => *place = Some(weekday),
        Point::Hijri { day: Some(_), .. } => {}
        _ => return None,
    }
    let closed = bracket && t.is_mark(hit.next, &[')']);
    Some(Hit { start, next: hit.next + usize::from(closed), ..hit })
}

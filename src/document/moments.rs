//! The times that an article names, each resolved as far as the article allows.
//!
//! In: the blocks of a document and its date. Out: [`TextDate`]s in order, with their bytes, their words and what these
//! come to in ISO 8601. Finding the words is [`crate::arabic::calendar`]'s. Source of the form: ISO 8601-1, and of
//! seasons ISO 8601-2 (`2023-22` is summer).

use jiff::civil::Date;
use jiff::{Span as Time, ToSpan};
use serde::{Deserialize, Serialize};

use super::{Block, StatedDate, stated};
use crate::arabic::calendar::expression::{Clock, Point, Third, Time as Said, Unit, Which, Zone};
use crate::arabic::calendar::{Expression, expressions, hijri};
use crate::span::Span;

/// What the reading of a time rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The words say all of it.
    Stated,
    /// The words are of the Islamic calendar, and were converted by the tables of Umm al-Qura: a day more or less.
    Converted,
    /// The words leave out what the article's date gave: the year, or the day that "yesterday" counts from.
    Article,
    /// The article's date would be needed and is not known, or the words name an event whose year is taken as known.
    Open,
}

/// A time that an article names.
///
/// | words | `iso` |
/// |---|---|
/// | a day | `2024-03-05` |
/// | a time of a day | `2024-03-05T18:30+03:00`; without offset where no zone is named |
/// | a month, a year | `2024-03`, `2024` |
/// | a week | `2024-W10`, Monday to Sunday |
/// | a span, both ends within | `2024-03-03/2024-03-05`, `2010/2015`, `2024-01/2024-03` |
/// | early, mid, late March | its days 1 to 10, 11 to 20, 21 to the end, as a span |
/// | early, mid, late 2024 | its months 1 to 4, 5 to 8, 9 to 12, as a span |
/// | a season | `2023-21` spring, `-22` summer, `-23` autumn, `-24` winter |
/// | a day or month whose year is not known | `--03-05`, `--03` |
/// | a time of an unknown day | `T18:30+00:00` |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDate {
    /// Its bytes in [`Document::text`](super::Document::text).
    pub span: Span,
    /// Its words.
    pub words: String,
    /// What they come to; none where that cannot be said ("yesterday" of an article without a date).
    pub iso: Option<String>,
    /// What that rests on.
    pub basis: Basis,
    /// The Islamic date among the words: `1445-09-12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hijri: Option<String>,
}

/// Finds the times that blocks name.
pub(super) fn moments<'b>(
    text: &str,
    blocks: impl Iterator<Item = &'b Block>,
    published: Option<&StatedDate>,
) -> Vec<TextDate> {
    let today = published.map(|date| date.iso);
    let mut found = Vec::new();
    let mut known = None;
    for block in blocks {
        let words = block.span.of(text);
        for expression in expressions(words) {
            found.extend(resolved(words, &expression, today, &mut known).map(|mut date| {
                date.span = Span::new(block.span.start + date.span.start, block.span.start + date.span.end);
                date
            }));
        }
    }
    found
}

/// Finds the times that a text names, for a text that was written on a day.
pub fn moments_of(text: &str, written: Option<Date>) -> Vec<TextDate> {
    let mut known = None;
    expressions(text).iter().filter_map(|found| resolved(text, found, written, &mut known)).collect()
}

/// A time as far as it is known: from its first day to its last, and how fine it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Day(Date),
    Week(Date),
    Month(Date),
    Year(i16),
    Season(i16, i8),
    Days(Date, Date),
    Months(Date, Date),
    Years(i16, i16),
    /// A month and perhaps a day of a year that is not known.
    Yearless(i8, Option<i8>),
}

impl When {
    fn iso(self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Week(day) => week(day),
            Self::Month(day) => month(day),
            Self::Year(year) => format!("{year:04}"),
            Self::Season(year, season) => format!("{year:04}-2{season}"),
            Self::Days(from, to) => format!("{from}/{to}"),
            Self::Months(from, to) => format!("{}/{}", month(from), month(to)),
            Self::Years(from, to) => format!("{from:04}/{to:04}"),
            Self::Yearless(month, Some(day)) => format!("--{month:02}-{day:02}"),
            Self::Yearless(month, None) => format!("--{month:02}"),
        }
    }

    /// Returns the year it is in.
    fn year(self) -> Option<i16> {
        match self {
            Self::Day(day) | Self::Week(day) | Self::Month(day) | Self::Days(day, _) | Self::Months(day, _) => {
                Some(day.year())
            }
            Self::Year(year) | Self::Season(year, _) | Self::Years(year, _) => Some(year),
            Self::Yearless(..) => None,
        }
    }
}

fn month(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

fn week(day: Date) -> String {
    let week = day.iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// Resolves an expression; `known` is the year that was named last. None where the words name no day there is.
fn resolved(text: &str, found: &Expression, today: Option<Date>, known: &mut Option<i16>) -> Option<TextDate> {
    let made = |iso: Option<String>, basis: Basis| TextDate {
        span: found.span,
        words: found.span.of(text).to_owned(),
        iso,
        basis,
        hijri: found.hijri.map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}")),
    };
    let (iso, basis, own) = match found.time {
        Said::Clock(clock) => (Some(format!("T{}", time_of_day(clock, None))), Basis::Open, None),
        Said::At(point, clock) => {
            let (when, basis) = resolve(point, today, *known)?;
            *known = when.and_then(When::year).or(*known);
            let iso = match (when, clock) {
                (Some(When::Day(day)), Some(clock)) => Some(format!("{day}T{}", time_of_day(clock, Some(day)))),
                (Some(when), _) => Some(when.iso()),
                (None, Some(clock)) => Some(format!("T{}", time_of_day(clock, None))),
                (None, None) => None,
            };
            let own = match point {
                Point::Hijri { year: Which::Stated(year), month, day } => Some(
                    [Some(format!("{year:04}")), month.map(|m| format!("-{m:02}")), day.map(|d| format!("-{d:02}"))]
                        .into_iter()
                        .flatten()
                        .collect::<String>(),
                ),
                _ => None,
            };
            (iso, basis, own)
        }
        Said::Between(from, to) => {
            let (last, last_basis) = resolve(to, today, *known)?;
            let (first, first_basis) = resolve(from, today, *known)?;
            *known = last.and_then(When::year).or(*known);
            let iso = first.zip(last).and_then(|(first, last)| joined(first, last));
            (iso, if first_basis == last_basis { last_basis } else { weaker(first_basis, last_basis) }, None)
        }
    };
    let mut date = made(iso, basis);
    date.hijri = date.hijri.or(own);
    Some(date)
}

fn weaker(a: Basis, b: Basis) -> Basis {
    let rank = |basis| match basis {
        Basis::Stated => 0,
        Basis::Converted => 1,
        Basis::Article => 2,
        Basis::Open => 3,
    };
    if rank(a) > rank(b) { a } else { b }
}

/// Returns the span from one time to another of its kind.
fn joined(from: When, to: When) -> Option<String> {
    let when = match (from, to) {
        (When::Day(a), When::Day(b)) if a <= b => When::Days(a, b),
        (When::Day(a), When::Day(b)) => When::Days(b, a),
        (When::Month(a), When::Month(b)) if a <= b => When::Months(a, b),
        (When::Year(a), When::Year(b)) if a <= b => When::Years(a, b),
        (When::Yearless(..), When::Yearless(..)) => return Some(format!("{}/{}", from.iso(), to.iso())),
        _ => return None,
    };
    Some(when.iso())
}

/// Returns the hour and minute with the offset from UTC, where the zone is named and its offset on that day is known.
fn time_of_day(clock: Clock, day: Option<Date>) -> String {
    let minutes = match (clock.zone, day) {
        (Some(Zone::Fixed(minutes)), None) => Some(i32::from(minutes)),
        (_, Some(day)) => stated::offset(day, clock).map(|offset| offset.seconds() / 60),
        _ => None,
    };
    let zone = minutes.map_or_else(String::new, |east| {
        let sign = if east < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", east.abs() / 60, east.abs() % 60)
    });
    format!("{:02}:{:02}{zone}", clock.hour, clock.minute)
}

type Resolved = Option<(Option<When>, Basis)>;

/// Resolves a point. The outer `None` is a day that there is not, the inner one what cannot be known.
fn resolve(point: Point, today: Option<Date>, known: Option<i16>) -> Resolved {
    match point {
        Point::Day { day, month: Some(month), year, weekday } => yearly_day(day, month, year, weekday, today, known),
        Point::Day { day, month: None, year, .. } => {
            let Some(today) = today else { return Some((None, Basis::Open)) };
            let months = match year {
                Which::Offset(months) => months,
                Which::Past => -1,
                Which::Future => 1,
                _ => 0,
            };
            let first = today.first_of_month().checked_add(i64::from(months).months()).ok()?;
            let date = Date::new(first.year(), first.month(), day).ok()?;
            Some((Some(When::Day(date)), Basis::Article))
        }
        Point::Month { month, year, third } => {
            let first = |year: i16| Date::new(year, month, 1).ok();
            let Some((year, basis)) = yearly(year, today, known, |year| {
                let first = first(year)?;
                Some((first, first.last_of_month()))
            }) else {
                return Some((Some(When::Yearless(month, None)), Basis::Open));
            };
            let first = first(year)?;
            Some((Some(third.map_or(When::Month(first), |third| third_of_month(first, third))), basis))
        }
        Point::Year { year, third } => {
            let whole = |year: i16| Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?));
            let Some((year, basis)) = yearly(year, today, known, whole) else { return Some((None, Basis::Open)) };
            Some((Some(third_of_year(year, third)?), basis))
        }
        Point::Decade(start) => Some((Some(When::Years(start, start + 9)), Basis::Stated)),
        Point::Tens(tens) => {
            let Some(today) = today else { return Some((None, Basis::Open)) };
            let start = [2000, 1900].into_iter().map(|century| century + tens).find(|start| start + 9 < today.year());
            Some((Some(When::Years(start?, start? + 9)), Basis::Article))
        }
        Point::Season { season, year } => {
            let span = |year: i16| {
                let first = Date::new(year, if season == 4 { 12 } else { season * 3 }, 1).ok()?;
                Some((first, first.checked_add(3.months()).ok()?.yesterday().ok()?))
            };
            let Some((year, basis)) = yearly(year, today, known, span) else { return Some((None, Basis::Open)) };
            Some((Some(When::Season(year, season)), basis))
        }
        Point::Share { number, of, year } => {
            let length = 12 / of;
            let span = |year: i16| {
                let first = Date::new(year, (number - 1) * length + 1, 1).ok()?;
                Some((first, first.checked_add(i64::from(length).months()).ok()?.yesterday().ok()?))
            };
            let Some((year, basis)) = yearly(year, today, known, span) else { return Some((None, Basis::Open)) };
            let (first, last) = span(year)?;
            Some((Some(When::Months(first, last.first_of_month())), basis))
        }
        Point::Hijri { year, month, day } => islamic(year, month, day, today),
        Point::Weekday { weekday, which } => {
            let Some(today) = today else { return Some((None, Basis::Open)) };
            Some((Some(When::Day(weekday_near(weekday, which, today)?)), Basis::Article))
        }
        Point::Offset { unit, count, third, weekday } => {
            let Some(today) = today else { return Some((None, Basis::Open)) };
            Some((Some(offset_from(today, unit, count, third, weekday)?), Basis::Article))
        }
        Point::Stretch { unit, count } => {
            let Some(today) = today else { return Some((None, Basis::Open)) };
            let other = today.checked_add(span_of(unit, count)).ok()?;
            let (first, last) = if other < today { (other, today) } else { (today, other) };
            let when = match unit {
                Unit::Day | Unit::Week => When::Days(first, last),
                Unit::Month => When::Months(first, last),
                Unit::Year => When::Years(first.year(), last.year()),
            };
            Some((Some(when), Basis::Article))
        }
    }
}

fn span_of(unit: Unit, count: i32) -> Time {
    let count = i64::from(count);
    match unit {
        Unit::Day => count.days(),
        Unit::Week => count.weeks(),
        Unit::Month => count.months(),
        Unit::Year => count.years(),
    }
}

fn offset_from(today: Date, unit: Unit, count: i32, third: Option<Third>, weekday: Option<i8>) -> Option<When> {
    let day = today.checked_add(span_of(unit, count)).ok()?;
    Some(match (unit, third) {
        // The page may be dated a day after the article was written: the weekday is the surer one.
        (Unit::Day, _) => When::Day(weekday.map_or(day, |weekday| {
            // Yesterday is before the day of the page whatever it says, and tomorrow is not.
            let shifts: &[i64] =
                if count < 0 { &[0, -1, 1, -2, -3, -4, -5, -6] } else { &[0, -1, 1, -2, 2, -3, 3, 4, 5, 6] };
            shifts
                .iter()
                .filter_map(|&shift| day.checked_add(shift.days()).ok())
                .filter(|&day| count == 0 || (day < today) == (count < 0))
                .find(|day| day.weekday().to_monday_one_offset() == weekday)
                .unwrap_or(day)
        })),
        (Unit::Week, _) => When::Week(day),
        (Unit::Month, Some(third)) => third_of_month(day.first_of_month(), third),
        (Unit::Month, None) => When::Month(day),
        (Unit::Year, third) => third_of_year(day.year(), third)?,
    })
}

fn third_of_month(first: Date, third: Third) -> When {
    let day = |number: i8| Date::new(first.year(), first.month(), number).unwrap_or(first);
    match third {
        Third::Early => When::Days(first, day(10)),
        Third::Middle => When::Days(day(11), day(20)),
        Third::Late => When::Days(day(21), first.last_of_month()),
    }
}

fn third_of_year(year: i16, third: Option<Third>) -> Option<When> {
    let month = |month: i8| Date::new(year, month, 1).ok();
    Some(match third {
        None => When::Year(year),
        Some(Third::Early) => When::Months(month(1)?, month(4)?),
        Some(Third::Middle) => When::Months(month(5)?, month(8)?),
        Some(Third::Late) => When::Months(month(9)?, month(12)?),
    })
}

/// Returns the weekday that is meant: the last one up to the day of writing where it is not said.
fn weekday_near(weekday: i8, which: Which, today: Date) -> Option<Date> {
    let ahead = i64::from((weekday - today.weekday().to_monday_one_offset()).rem_euclid(7));
    let behind = (7 - ahead) % 7;
    let days = match which {
        Which::Past if behind == 0 => -7,
        Which::Past | Which::Nearest | Which::Ahead | Which::Same | Which::Famous | Which::Stated(_) => -behind,
        Which::Future => ahead,
        // This week's, Monday first.
        Which::Offset(0) => i64::from(weekday - today.weekday().to_monday_one_offset()),
        Which::Offset(weeks) if weeks < 0 => -behind - 7 * i64::from(-weeks - 1),
        Which::Offset(weeks) => ahead + 7 * i64::from(weeks - 1),
    };
    today.checked_add(days.days()).ok()
}

/// Returns the year that is meant of something that comes once a year; none where the article's date is needed.
fn yearly(
    which: Which,
    today: Option<Date>,
    known: Option<i16>,
    span: impl Fn(i16) -> Option<(Date, Date)>,
) -> Option<(i16, Basis)> {
    let article = |year| Some((year, Basis::Article));
    match (which, today) {
        (Which::Stated(year), _) => Some((year, Basis::Stated)),
        (Which::Same, _) => known.map(|year| (year, Basis::Stated)),
        (Which::Famous, _) | (_, None) => None,
        (Which::Offset(years), Some(today)) => article(today.year() + years),
        (Which::Past, Some(today)) => {
            article((today.year() - 1..=today.year()).rev().find(|&y| span(y).is_some_and(|(_, last)| last < today))?)
        }
        (Which::Future, Some(today)) => {
            article((today.year()..=today.year() + 1).find(|&y| span(y).is_some_and(|(first, _)| first > today))?)
        }
        (Which::Nearest | Which::Ahead, Some(today)) => {
            // News tells what was: "in February", said in October, is eight months ago rather than four ahead.
            let (behind, ahead) = if which == Which::Ahead { (3, 1) } else { (1, 3) };
            let distance = |year: i16| {
                let (first, last) = span(year)?;
                let days = |from: Date, to: Date| (to - from).get_days();
                Some(if last < today { behind * days(last, today) } else { ahead * days(today, first).max(0) })
            };
            // The past goes before the future where both are as near.
            let years = [today.year(), today.year() - 1, today.year() + 1];
            let nearest =
                years.into_iter().filter_map(|year| Some((distance(year)?, year > today.year(), year))).min()?;
            article(nearest.2)
        }
    }
}

fn yearly_day(
    day: i8,
    month: i8,
    which: Which,
    weekday: Option<i8>,
    today: Option<Date>,
    known: Option<i16>,
) -> Resolved {
    let date = |year: i16| Date::new(year, month, day).ok();
    if let (Which::Nearest | Which::Ahead, Some(today), Some(weekday)) = (which, today, weekday) {
        let fits = |year: &i16| date(*year).is_some_and(|date| date.weekday().to_monday_one_offset() == weekday);
        if let Some(year) = [today.year(), today.year() - 1, today.year() + 1].into_iter().find(fits) {
            return Some((Some(When::Day(date(year)?)), Basis::Article));
        }
    }
    match yearly(which, today, known, |year| date(year).map(|date| (date, date))) {
        Some((year, basis)) => Some((Some(When::Day(date(year)?)), basis)),
        None => Some((Some(When::Yearless(month, Some(day))), Basis::Open)),
    }
}

fn islamic(year: Which, month: Option<i8>, day: Option<i8>, today: Option<Date>) -> Resolved {
    let spanned = |year: i16| match (month, day) {
        (Some(month), Some(day)) => hijri::to_civil(year, month, day).map(|date| (date, date)),
        (Some(month), None) => hijri::month(year, month),
        _ => hijri::year(year),
    };
    let (first, last, basis) = match (year, today) {
        (Which::Stated(year), _) => {
            let (first, last) = spanned(year)?;
            (first, last, Basis::Converted)
        }
        (_, None) => return Some((None, Basis::Open)),
        (which, Some(today)) => {
            let here = hijri::year_of(today)?;
            let days = |from: Date, to: Date| (to - from).get_days();
            let candidates = [here, here - 1, here + 1].into_iter().filter_map(spanned);
            let nearest = candidates
                .filter(|&(first, last)| match which {
                    Which::Past => last < today,
                    Which::Future => first > today,
                    Which::Offset(0) => first <= today && today <= last,
                    _ => true,
                })
                .min_by_key(
                    |&(first, last)| if last < today { days(last, today) } else { days(today, first).max(0) },
                )?;
            (nearest.0, nearest.1, Basis::Article)
        }
    };
    Some((Some(if day.is_some() { When::Day(first) } else { When::Days(first, last) }), basis))
}

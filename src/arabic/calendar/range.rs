//! What starts at a place: a span of two times, a time with its hour, a time of day, two calendars side by side.
//!
//! In: tokens and a place. Out: the [`Expression`] there. What the first end of a span leaves out ("من 3 إلى 5 مارس") is
//! that of the second.

use super::clock::{clock, figure, part_before, zone};
use super::expression::{Clock, Expression, Point, Time, Unit, Which};
use super::grammar::{Hit, continues_figure, day_number, follows, month_name, point};
use super::months::weekday;
use super::relative::future;
use super::tokens::{Kind, Tokens};
use super::years::year_number;
use crate::span::Span;

/// Returns the expression that starts at a place and the token after it.
pub(super) fn expression(t: &Tokens, i: usize) -> Option<(Expression, usize)> {
    let kind = t.at(i)?.kind;
    if matches!(kind, Kind::Mark(_)) {
        return None;
    }
    if let Some((start, next, from, to)) = span(t, i) {
        return Some((made(t, start, next, Time::Between(from, to), None), next));
    }
    if let Some(found) = clocked(t, i) {
        return Some(found);
    }
    let mut hit = beside(t, parted(t, i)?);
    if let Point::Day { year, .. } | Point::Month { year, .. } = &mut hit.point
        && *year == Which::Nearest
        && future(t, i)
    {
        *year = Which::Ahead;
    }
    let (clock, next) = if hit.point.is_day() { clock_behind(t, hit.next) } else { (None, hit.next) };
    Some((made(t, hit.start, next, Time::At(hit.point, clock), hit.hijri), next))
}

fn made(t: &Tokens, start: usize, next: usize, time: Time, hijri: Option<(i16, i8, i8)>) -> Expression {
    let end = next.checked_sub(1).and_then(|last| t.at(last)).map_or(start, |token| token.span.end);
    Expression { span: Span::new(start, end.max(start)), time, hijri }
}

/// Reads a time with the part of the day before it: "مساء أمس", "فجر الأحد".
fn parted(t: &Tokens, i: usize) -> Option<Hit> {
    if let Some(start) = part_before(t, i)
        && let Some(hit) = point(t, i + 1)
        && hit.point.is_day()
    {
        return Some(Hit { start, ..hit });
    }
    point(t, i)
}

/// Reads "الساعة السادسة من مساء أمس": a time of day, with the day behind it where there is one.
fn clocked(t: &Tokens, i: usize) -> Option<(Expression, usize)> {
    let (clock, start, after) = clock(t, i)?;
    let mut at = after;
    while t.is(at, &["من", "في", "يوم"]) || t.is_mark(at, &['،', ',']) {
        at += 1;
        if at > after + 2 {
            break;
        }
    }
    // "يوم" is part of a weekday's words.
    for from in [after, at, at.saturating_sub(1)] {
        if from < after {
            continue;
        }
        if let Some(hit) = parted(t, from).filter(|hit| hit.point.is_day()) {
            let (place, next) = if clock.zone.is_none() { zone(t, hit.next) } else { (None, hit.next) };
            let clock = Clock { zone: clock.zone.or(place), ..clock };
            return Some((made(t, start, next, Time::At(hit.point, Some(clock)), hit.hijri), next));
        }
    }
    Some((made(t, start, after, Time::Clock(clock), None), after))
}

/// Reads the time of day behind a day: "أمس عند الساعة 18:30", "2024-03-05 18:30", "5 مارس 2024 - 18:30".
fn clock_behind(t: &Tokens, i: usize) -> (Option<Clock>, usize) {
    let mut at = i;
    while at < i + 4
        && (t.is(at, &["عند", "في", "علي", "تمام", "حوالي", "نحو", "بحلول", "قرابه", "حدود"])
            || t.is_mark(at, &['،', ',', '-', '–', '|', '('])
            || (t.is(at, &["t"]) && t.glued(at)))
    {
        at += 1;
    }
    if let Some((found, _, next)) = clock(t, at) {
        let bracket = t.is_mark(at.wrapping_sub(1), &['(']) && t.is_mark(next, &[')']);
        return (Some(found), next + usize::from(bracket));
    }
    // Right behind a day, four figures with a colon are the hour.
    if let Some((hour, minute, after, true)) = figure(t, at)
        && let Ok(hour) = i8::try_from(hour)
        && !t.is(at.wrapping_sub(1), &["في", "علي", "نحو", "حوالي", "قرابه"])
    {
        let (zone, next) = zone(t, after);
        return (Some(Clock { hour: hour % 24, minute, zone }), next);
    }
    (None, i)
}

/// Joins the same day of the other calendar behind a day: "12 رمضان 1445 هـ الموافق 22 مارس 2024".
fn beside(t: &Tokens, hit: Hit) -> Hit {
    let mut at = hit.next;
    let bracket = t.is_mark(at, &['(']);
    if t.is_mark(at, &['(', '/', '-', '–', '،', ',', '=']) {
        at += 1;
    }
    if t.is(at, &["الموافق", "الموافقه", "الموافقة", "المصادف", "الموافقين", "ل", "وفق"])
    {
        at += 1 + usize::from(t.is(at + 1, &["ل", "يوم"]));
    }
    let Some(other) = point(t, at) else { return hit };
    let closed = other.next + usize::from(bracket && t.is_mark(other.next, &[')']));
    let islamic = |point: Point| match point {
        Point::Hijri { year: Which::Stated(year), month: Some(month), day: Some(day) } => Some((year, month, day)),
        _ => None,
    };
    match (hit.point, other.point) {
        (Point::Hijri { day: Some(_), .. }, Point::Day { month: Some(_), .. }) => {
            Hit { point: other.point, hijri: islamic(hit.point), next: closed, ..hit }
        }
        (Point::Day { month: Some(_), .. }, Point::Hijri { day: Some(_), .. }) => {
            Hit { hijri: islamic(other.point), next: closed, ..hit }
        }
        _ => hit,
    }
}

/// One end of a span.
#[derive(Debug, Clone, Copy)]
enum End {
    Whole(Point),
    /// A number that is a day or a year by what the other end is.
    Number(i32),
}

/// Reads two times with a word or a dash between them.
fn span(t: &Tokens, i: usize) -> Option<(usize, usize, Point, Point)> {
    let opener = t.read(i, |stem, definite| match stem {
        _ if definite => None,
        "من" | "بين" | "منذ" => Some(false),
        "يومي" | "ايام" | "عامي" | "سنتي" | "شهري" | "اعوام" | "سنوات" | "ليلتي" | "موسم" => {
            Some(true)
        }
        _ => None,
    });
    let mut at = i + usize::from(opener.is_some());
    let mut listed = opener.is_some_and(|(list, _)| list);
    let between = opener.is_some() && t.forms(i).any(|form| form.stem == "بين");
    let since = opener.is_some() && t.forms(i).any(|form| form.stem == "منذ");
    if opener.is_some()
        && t.read(at, |stem, definite| {
            (!definite && matches!(stem, "يومي" | "عامي" | "سنتي" | "شهري" | "يوم" | "عام" | "سنه"))
                .then_some(stem.len())
        })
        .is_some()
        && t.number(at + 1).is_some()
    {
        listed |= t.word(at).ends_with('ي');
        at += 1;
    }
    let start = opener.filter(|_| listed && !between).map_or_else(|| None, |(_, start)| Some(start));
    let (first_start, mut first, mut after) = end(t, at)?;
    let mut last = None;
    // More than two: "أيام 3 و4 و5 مارس".
    for _ in 0..6 {
        let dash = t.is_mark(after, &['-', '–', '—', '/']);
        let word = t.is(after, &["الي", "حتي", "ولغايه", "لغايه", "وحتي", "والي"]);
        let joined = (listed || between) && (t.word(after).starts_with('و') || t.is_mark(after, &['،', ',']));
        let figures = opener.is_none() && dash;
        let stroke = t.is_mark(after, &['/']);
        if !(dash && !stroke || word || joined || figures) || (since && dash) {
            break;
        }
        let from = if dash || word || t.is_mark(after, &['،', ',']) { after + 1 } else { after };
        let from = from + usize::from(t.is(from, &["يوم", "عام", "سنه", "غايه"]) && t.number(from + 1).is_some());
        let Some((_, to, next)) = end(t, from) else { break };
        last = Some(to);
        after = next;
        if !listed {
            break;
        }
    }
    let last = last?;
    // A dash between figures is a score, a telephone or a sum unless both ends are days of one month or years.
    if opener.is_none()
        && (continues_figure(t, i) || t.is(i.wrapping_sub(1), &["رقم", "هاتف", "بنتيجه", "نتيجه", "قانون", "القرار"]))
    {
        return None;
    }
    if let (End::Whole(Point::Hijri { .. }), _) | (_, End::Whole(Point::Hijri { .. })) = (first, last)
        && matches!((first, last), (End::Whole(Point::Day { .. }), _) | (_, End::Whole(Point::Day { .. })))
    {
        return None;
    }
    if let (End::Number(from), End::Number(to)) = (first, last) {
        let years = (1800..=2100).contains(&from) && (1800..=2100).contains(&to) && from < to && to - from <= 200;
        let plain = opener.is_some() || follows(t, i, &["فتره", "اعوام", "عامي", "موسم", "عام", "دراسي"]) || {
            let bracketed = t.is_mark(i.wrapping_sub(1), &['(']) && t.is_mark(after, &[')']);
            let near = t.is_mark(at + 1, &['-', '–', '/']) && to - from <= 60;
            bracketed || near
        };
        if !years || !plain {
            return None;
        }
        let year = |year: i32| Some(Point::Year { year: Which::Stated(i16::try_from(year).ok()?), third: None });
        return Some((start.unwrap_or(first_start), after, year(from)?, year(to)?));
    }
    if let End::Number(number) = first {
        first = End::Whole(completed(number, last)?);
    }
    let (End::Whole(mut from), End::Whole(mut to)) = (first, last_as(last, first)?) else { return None };
    // "من" alone opens anything: both ends must be of one kind.
    agree(&mut from, &mut to)?;
    Some((start.unwrap_or(first_start), after, from, to))
}

/// Reads one end: a time, a month alone, or a number.
fn end(t: &Tokens, i: usize) -> Option<(usize, End, usize)> {
    if let Some(hit) = point(t, i).filter(|hit| !matches!(hit.point, Point::Stretch { .. })) {
        let hit = beside(t, hit);
        return Some((hit.start, End::Whole(hit.point), hit.next));
    }
    if let Some(month) = month_name(t, i).filter(|_| t.at(i).is_some_and(|token| token.kind == Kind::Word)) {
        let point = Point::Month { month: month.month, year: Which::Nearest, third: None };
        return Some((month.start, End::Whole(point), month.next));
    }
    let named = t.read(i, |stem, definite| weekday(stem).filter(|_| definite));
    if let Some((day, start)) = named {
        return Some((start, End::Whole(Point::Weekday { weekday: day, which: Which::Nearest }), i + 1));
    }
    let number = t.number(i)?;
    let day = day_number(t, i).is_some();
    let year = year_number(t, i).is_some();
    (day || year).then_some((number.start, End::Number(number.value), number.next))
}

/// Makes the first end of a span, a mere number, a time like the second one.
fn completed(number: i32, last: End) -> Option<Point> {
    match last {
        End::Whole(Point::Day { month, year, day, .. }) => {
            let first = i8::try_from(number).ok().filter(|&first| first >= 1 && first < day)?;
            Some(Point::Day { day: first, month, year, weekday: None })
        }
        End::Whole(Point::Hijri { year, month, day: Some(day) }) => {
            let first = i8::try_from(number).ok().filter(|&first| first >= 1 && first < day)?;
            Some(Point::Hijri { year, month, day: Some(first) })
        }
        End::Whole(Point::Year { .. }) => {
            let first = i16::try_from(number).ok().filter(|first| (1000..=2100).contains(first))?;
            Some(Point::Year { year: Which::Stated(first), third: None })
        }
        _ => None,
    }
}

/// Makes the second end a time like the first one where it is a mere number.
fn last_as(last: End, first: End) -> Option<End> {
    let End::Number(number) = last else { return Some(last) };
    match first {
        End::Whole(Point::Year { .. }) => {
            let year = i16::try_from(number).ok().filter(|year| (1000..=2100).contains(year))?;
            Some(End::Whole(Point::Year { year: Which::Stated(year), third: None }))
        }
        _ => None,
    }
}

/// Gives the first end the year of the second where it has none; none where the two are of different kinds.
fn agree(from: &mut Point, to: &mut Point) -> Option<()> {
    match (from, to) {
        (Point::Day { year, month, day, .. }, Point::Day { year: last, month: last_month, day: last_day, .. }) => {
            let months = month.is_some() && last_month.is_some();
            if *year == Which::Nearest && months {
                // "من 20 ديسمبر إلى 5 يناير 2024": the first end is of the year before.
                let later = (*month, *day) > (*last_month, *last_day);
                *year = match *last {
                    Which::Stated(number) if later => Which::Stated(number - 1),
                    other => other,
                };
            }
            Some(())
        }
        (Point::Month { year, month, .. }, Point::Month { year: last, month: last_month, .. }) => {
            if *year == Which::Nearest {
                *year = match *last {
                    Which::Stated(number) if month > last_month => Which::Stated(number - 1),
                    other => other,
                };
            }
            Some(())
        }
        (Point::Hijri { year, .. }, Point::Hijri { year: last, .. }) => {
            if *year == Which::Nearest {
                *year = *last;
            }
            Some(())
        }
        (Point::Weekday { which, .. }, Point::Weekday { which: last, .. }) => {
            if *which == Which::Nearest {
                *which = *last;
            }
            Some(())
        }
        (Point::Year { .. }, Point::Year { .. }) => Some(()),
        (Point::Offset { unit: Unit::Day, .. }, Point::Offset { unit: Unit::Day, .. }) => Some(()),
        _ => None,
    }
}

//! Times of day: "الساعة السادسة مساءً", "18:30 بتوقيت غرينتش", "الثامنة والنصف صباحاً".
//!
//! In: tokens and a place. Out: the [`Clock`] that starts there and the token after it. Zones are those that the press of
//! the region names; the ones with summer time are names of the IANA database, the rest fixed offsets.

use super::expression::{Clock, Zone};
use super::relative::DAY_PARTS;
use super::tokens::Tokens;
use crate::span::Span;

/// The part of the day that an hour is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Morning,
    Noon,
    Evening,
    Night,
}

/// Reads a time of day, and says where it starts (bytes) and whether a word or a zone says that it is one.
pub(super) fn clock(t: &Tokens, i: usize) -> Option<(Clock, usize, usize)> {
    let (at, opened, start) = opener(t, i);
    let (hour, minute, after, colon) =
        figure(t, at).or_else(|| if opened { whole_hour(t, at) } else { None }).or_else(|| worded(t, at))?;
    let start = start.unwrap_or(t.all[at].span.start);
    let (half, next) = half(t, after);
    let (zone, next) = zone(t, next);
    // Without "the hour", a part of the day or a zone, 18:30 is a score or a verse, and "السادسة" the sixth.
    let sure = opened || half.is_some() || zone.is_some();
    // "في الساعة السادسة من مشاهدة ..." is the sixth hour of something.
    let of_something = half.is_none() && zone.is_none() && !colon && t.is(next, &["من"]) && {
        let day = |at: usize| {
            t.is(at, DAY_PARTS) || super::relative::point(t, at).is_some() || super::grammar::day(t, at).is_some()
        };
        !day(next + 1)
    };
    if !sure || of_something {
        return None;
    }
    let hour = i8::try_from(hour).ok().filter(|hour| (0..=24).contains(hour))?;
    let hour = match half {
        Some(Half::Evening) if hour < 12 => hour + 12,
        Some(Half::Noon) if hour < 10 => hour + 12,
        Some(Half::Night) if (6..12).contains(&hour) => hour + 12,
        Some(Half::Night | Half::Morning) if hour == 12 => 0,
        _ => hour % 24,
    };
    Some((Clock { hour, minute, zone }, start, next))
}

/// The words and signs that stand between a date and its time.
const BETWEEN: &[&str] =
    &["الساعه", "ساعه", "في", "عند", "علي", "تمام", "اخر", "تحديث", "تم", "التحديث", "م", "ميلادي", "ميلاديه", "at", "ب"];

/// Returns the time of day that a text names right before or after a date in it, if it says where that time counts, with
/// its words.
pub fn zoned_beside(text: &str, date: Span) -> Option<(Clock, Span)> {
    let t = Tokens::of(text);
    let filler = |at: usize| {
        t.is(at, BETWEEN)
            || t.mark(at).is_some_and(|mark| !mark.is_alphanumeric() && !matches!(mark, '\n' | '.' | '؛' | '!' | '؟'))
    };
    let mut at = t.all.iter().position(|token| token.span.start >= date.end).unwrap_or(t.all.len());
    while at < t.all.len() {
        if let Some((clock, start, next)) = clock(&t, at) {
            return clock.zone.map(|_| (clock, Span::new(start, t.all[next - 1].span.end)));
        }
        if !filler(at) {
            break;
        }
        at += 1;
    }
    // "14:35 بتوقيت غرينتش - 5 مايو 2024"
    let end = t.all.iter().position(|token| token.span.start >= date.start).unwrap_or(t.all.len());
    (end.saturating_sub(REACH)..end).find_map(|at| {
        let (clock, start, next) = clock(&t, at)?;
        let beside = next <= end && (next..end).all(filler) && clock.zone.is_some();
        beside.then(|| (clock, Span::new(start, t.all[next - 1].span.end)))
    })
}

/// How many words and signs before a date its time may start.
const REACH: usize = 14;

/// Skips "عند الساعة", "في تمام الساعة"; says whether "the hour" stood there.
fn opener(t: &Tokens, i: usize) -> (usize, bool, Option<usize>) {
    let hour = |at: usize| t.read(at, |stem, definite| (stem == "ساعه" && definite).then_some(()));
    if let Some(((), start)) = hour(i) {
        return (i + 1, true, Some(start));
    }
    (i, false, None)
}

/// Reads 18:30, 18.30, 18h30; the place after it, and whether it is written with a colon.
pub(super) fn figure(t: &Tokens, i: usize) -> Option<(i32, i8, usize, bool)> {
    let (hour, _) = t.digits(i).filter(|&(hour, length)| hour <= 24 && length <= 2)?;
    let mark = t.mark(i + 1).filter(|mark| matches!(mark, ':' | '.' | '٫'))?;
    let (minute, two) = t.digits(i + 2)?;
    let joined = t.glued(i + 1) && t.glued(i + 2) && two == 2 && minute < 60;
    let mut next = i + 3;
    if t.is_mark(next, &[':']) && t.glued(next) && t.digits(next + 1).is_some_and(|(s, l)| l == 2 && s < 60) {
        next += 2;
    }
    let before = t.glued(i) && t.mark(i.wrapping_sub(1)).is_some_and(|c| matches!(c, '.' | ':' | ','));
    (joined && !before).then(|| Some((hour, i8::try_from(minute).ok()?, next, mark == ':')))?
}

/// Reads "9" behind "the hour".
fn whole_hour(t: &Tokens, i: usize) -> Option<(i32, i8, usize, bool)> {
    let (hour, length) = t.digits(i)?;
    (hour <= 24 && length <= 2).then_some((hour, 0, i + 1, false))
}

/// Reads "السادسة والنصف", "الحادية عشرة إلا ربعا".
fn worded(t: &Tokens, i: usize) -> Option<(i32, i8, usize, bool)> {
    let number = t.number(i).filter(|number| number.words && (1..=12).contains(&number.value))?;
    let feminine = t.read(i, |stem, definite| {
        (definite && (stem.ends_with('ه') || matches!(stem, "اولي" | "حاديه" | "ثانيه"))).then_some(())
    });
    feminine?;
    let (minute, next) = fraction(t, number.next);
    let hour = if minute < 0 { number.value - 1 } else { number.value };
    let hour = if hour == 0 { 12 } else { hour };
    Some((hour, minute.rem_euclid(60), next, false))
}

/// Reads the minutes after an hour in words; negative ones are taken from it.
fn fraction(t: &Tokens, i: usize) -> (i8, usize) {
    match t.word(i) {
        "والنصف" | "ونصف" => (30, i + 1),
        "والربع" | "وربع" => (15, i + 1),
        "والثلث" | "وثلث" => (20, i + 1),
        "الا" if t.is(i + 1, &["ربعا", "ربع", "الربع"]) => (-15, i + 2),
        "الا" if t.is(i + 1, &["ثلثا", "ثلث", "الثلث"]) => (-20, i + 2),
        word if word.starts_with('و') => match t.number(i) {
            Some(number) if t.is(number.next, &["دقيقه", "دقائق"]) && (1..60).contains(&number.value) => {
                (i8::try_from(number.value).unwrap_or(0), number.next + 1)
            }
            _ => (0, i),
        },
        _ => (0, i),
    }
}

/// Reads the part of the day behind a time.
pub(super) fn half(t: &Tokens, i: usize) -> (Option<Half>, usize) {
    let at = i + usize::from(t.is(i, &["من"]) && t.is(i + 1, &["صباح", "مساء", "فجر", "ظهر", "عصر", "ليل"]));
    let one = |half| (Some(half), at + 1);
    match (t.word(at), t.word(at + 1)) {
        ("صباحا" | "صباح" | "الصباح" | "فجرا" | "فجر" | "ضحي" | "am", _) => one(Half::Morning),
        ("ص", _) if !t.is_mark(at + 1, &['.']) => one(Half::Morning),
        ("مساء" | "عصرا" | "عصر" | "المساء" | "pm", _) => one(Half::Evening),
        ("م", _) if !t.is_mark(at + 1, &['.']) => one(Half::Evening),
        ("ظهرا" | "ظهر", _) => one(Half::Noon),
        ("ليلا" | "ليل", _) => one(Half::Night),
        ("بعد", "الظهر") => (Some(Half::Evening), at + 2),
        ("قبل", "الظهر") => (Some(Half::Morning), at + 2),
        ("بعد", "منتصف") if t.is(at + 2, &["الليل", "ليل"]) => (Some(Half::Morning), at + 3),
        _ => (None, i),
    }
}

/// Reads the zone behind a time.
pub(super) fn zone(t: &Tokens, i: usize) -> (Option<Zone>, usize) {
    let bracket = usize::from(t.is_mark(i, &['(']));
    let at = i + bracket;
    let close = |zone, next: usize| (zone, next + usize::from(bracket == 1 && t.is_mark(next, &[')'])));
    let utc = Some(Zone::Fixed(0));
    if t.is(at, &["بتوقيت", "وبتوقيت", "توقيت"]) {
        let mut end = at + 2;
        let name = t.word(at + 1);
        if name == "مكه" && t.is(end, &["المكرمه"]) || name == "غرينتش" && t.is(end, &["العالمي"])
        {
            end += 1;
        }
        if matches!(name, "جنوب" | "نيو") || (name == "ابو" && t.is(end, &["ظبي"])) {
            end += 1;
        }
        let found = named(name, t.word(at + 2));
        if let (Some(Zone::Fixed(0)), Some((east, next))) = (found, ahead(t, end)) {
            return close(Some(Zone::Fixed(east)), next);
        }
        // A place that is not known: the time is kept, its offset not guessed.
        return close(found, end);
    }
    if t.is(at, &["بالتوقيت"]) {
        // The local time of a place that is not said.
        return close(if t.is(at + 1, &["العالمي"]) { utc } else { None }, at + 2);
    }
    if t.is(at, &["gmt", "utc", "غرينتش", "جرينتش"]) || (t.is(at, &["z"]) && t.glued(at)) {
        let (east, next) = ahead(t, at + 1).unwrap_or((0, at + 1));
        return close(Some(Zone::Fixed(east)), next);
    }
    if t.is(at, &["ت"]) {
        let stop = usize::from(t.is_mark(at + 1, &['.']));
        if t.is(at + 1 + stop, &["غ", "ج"]) {
            let next = at + 2 + stop;
            return close(utc, next + usize::from(stop == 1 && t.is_mark(next, &['.']) && bracket == 1));
        }
    }
    let signed = t.mark(at).filter(|mark| matches!(mark, '+' | '-' | '−') && t.glued(at) && t.glued(at + 1));
    if let (Some(sign), Some((hours, 2))) = (signed, t.digits(at + 1))
        && t.is_mark(at + 2, &[':'])
        && let Some((minutes, 2)) = t.digits(at + 3)
        && hours <= 14
    {
        let east = i16::try_from(hours * 60 + minutes).unwrap_or(0);
        return close(Some(Zone::Fixed(if sign == '+' { east } else { -east })), at + 4);
    }
    (None, i)
}

/// Reads how far a zone is ahead of Greenwich, behind its name: "+1", "+0400", "+03:00". The minutes, and the place after.
fn ahead(t: &Tokens, i: usize) -> Option<(i16, usize)> {
    let sign = t.mark(i).filter(|mark| matches!(mark, '+' | '-' | '−'))?;
    // "18:30 غرينتش - 5 مايو" parts two things.
    if !t.glued(i + 1) {
        return None;
    }
    let (figure, length) = t.digits(i + 1)?;
    let (hours, minutes, next) = match length {
        1 | 2 if t.is_mark(i + 2, &[':']) && t.glued(i + 2) && t.digits(i + 3).is_some_and(|(_, l)| l == 2) => {
            (figure, t.digits(i + 3)?.0, i + 4)
        }
        1 | 2 => (figure, 0, i + 2),
        4 => (figure / 100, figure % 100, i + 2),
        _ => return None,
    };
    let east = i16::try_from(hours * 60 + minutes).ok().filter(|_| hours <= 14 && minutes < 60)?;
    Some((if sign == '+' { east } else { -east }, next))
}

fn named(name: &str, next: &str) -> Option<Zone> {
    let zone = Zone::Named;
    Some(match name {
        "غرينتش" | "جرينتش" | "غرينيتش" | "جرينيتش" => Zone::Fixed(0),
        "مكه" | "السعوديه" | "الرياض" | "بغداد" | "العراق" | "الدوحه" | "قطر" | "الكويت" | "البحرين" | "عدن"
        | "صنعاء" | "اليمن" | "موسكو" | "اسطنبول" | "تركيا" | "انقره" | "جده" | "المنامه" => {
            match name {
                "موسكو" => zone("Europe/Moscow"),
                "اسطنبول" | "تركيا" | "انقره" => zone("Europe/Istanbul"),
                _ => Zone::Fixed(180),
            }
        }
        "ابو" if next == "ظبي" => Zone::Fixed(240),
        "الامارات" | "دبي" | "ابوظبي" | "مسقط" | "عمان" if next != "الاردنيه" && name != "عمان" => {
            Zone::Fixed(240)
        }
        "عمان" | "الاردن" => zone("Asia/Amman"),
        "القدس" | "فلسطين" | "اسرائيل" => zone("Asia/Jerusalem"),
        "غزه" => zone("Asia/Gaza"),
        "بيروت" | "لبنان" => zone("Asia/Beirut"),
        "دمشق" | "سوريا" => zone("Asia/Damascus"),
        "القاهره" | "مصر" => zone("Africa/Cairo"),
        "طرابلس" | "ليبيا" => zone("Africa/Tripoli"),
        "تونس" => zone("Africa/Tunis"),
        "الجزائر" => zone("Africa/Algiers"),
        "المغرب" | "الرباط" => zone("Africa/Casablanca"),
        "موريتانيا" | "نواكشوط" => Zone::Fixed(0),
        "الخرطوم" | "السودان" => zone("Africa/Khartoum"),
        "طهران" | "ايران" => zone("Asia/Tehran"),
        "واشنطن" | "نيويورك" => zone("America/New_York"),
        "لندن" | "بريطانيا" => zone("Europe/London"),
        "باريس" | "فرنسا" => zone("Europe/Paris"),
        "برلين" | "المانيا" => zone("Europe/Berlin"),
        "كييف" | "اوكرانيا" => zone("Europe/Kyiv"),
        "بكين" => Zone::Fixed(480),
        "طوكيو" => Zone::Fixed(540),
        _ => return None,
    })
}

/// Returns the part of the day that a word before a day names: "مساء أمس".
pub(super) fn part_before(t: &Tokens, i: usize) -> Option<usize> {
    const PARTS: &[&str] = &["صباح", "مساء", "ظهر", "عصر", "فجر", "ليل", "ليله", "ضحي", "عشيه", "نهار"];
    t.read(i, |stem, definite| (!definite && PARTS.contains(&stem)).then_some(())).map(|(_, start)| start)
}

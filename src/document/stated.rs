//! Dates as formats state them: RFC 3339, ISO 8601 and RFC 2822, or words.
//!
//! In: the value of a field, a tag, a property. Out: a [`StatedDate`], with the moment where it has an offset from UTC.
//! Dates in Arabic words are [`calendar`]'s.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Offset, TimeZoneDatabase};

use super::StatedDate;
use crate::arabic::calendar::expression::{Clock, Point, Time as Said, Which, Zone};
use crate::arabic::calendar::{self, FoundDate, expressions, hijri};
use crate::span::Span;

/// The longest value that is read.
const MAX_BYTES: usize = 200;

/// Reads a date.
pub(super) fn read(value: &str) -> Option<StatedDate> {
    let value = value.trim();
    if value.is_empty() || value.len() > MAX_BYTES {
        return None;
    }
    let stated = |iso: Date, at: Option<String>| Some(StatedDate { iso, at, words: value.to_owned() });
    if value.starts_with(|c: char| c.is_ascii_digit()) {
        // "2024-03-14 09:42:00 +0100" and "…T09:42+01:00[Africa/Tunis]" are read too.
        let joined = value.replacen(" +", "+", 1);
        if let Ok(pieces) = DateTimeParser::new().parse_pieces(&joined) {
            let at = match (pieces.time(), pieces.to_numeric_offset()) {
                (Some(time), Some(offset)) => Some(moment(pieces.date().to_datetime(time), offset)),
                _ => None,
            };
            return stated(pieces.date(), at);
        }
    } else if let Ok(zoned) = jiff::fmt::rfc2822::parse(value) {
        let zoned: Zoned = zoned;
        return stated(zoned.date(), Some(moment(zoned.datetime(), zoned.offset())));
    }
    first(value).map(|(date, _)| date)
}

/// Reads the first day that a text names in full, of the Islamic calendar where there is no other; returns its words and
/// those of the time beside it too.
pub(super) fn first(text: &str) -> Option<(StatedDate, [Option<Span>; 2])> {
    if let Some(found) = calendar::dates(text).first() {
        let (date, time) = with_time(text, found);
        return Some((date, [Some(found.span), time]));
    }
    expressions(text).iter().find_map(|found| match found.time {
        Said::At(Point::Hijri { year: Which::Stated(year), month: Some(month), day: Some(day) }, _) => {
            let iso = hijri::to_civil(year, month, day)?;
            let date = StatedDate { iso, at: None, words: found.span.of(text).to_owned() };
            Some((date, [Some(found.span), None]))
        }
        _ => None,
    })
}

/// Makes a date of one found in a text; a time beside it that says where it counts makes it a moment. Returns
/// the words of that time too.
pub(super) fn with_time(text: &str, found: &FoundDate) -> (StatedDate, Option<Span>) {
    let read = calendar::zoned_beside(text, found.span).and_then(|(clock, words)| {
        let offset = offset(found.date, clock)?;
        Some((moment(found.date.at(clock.hour, clock.minute, seconds(words.of(text)), 0), offset), words))
    });
    let (at, time) = read.unzip();
    (StatedDate { iso: found.date, at, words: found.span.of(text).to_owned() }, time)
}

/// Returns the seconds of a time that is written with them: "21:36:11".
fn seconds(time: &str) -> i8 {
    let figures = time.split(|c: char| !(c.is_ascii_digit() || c == ':')).find(|part| part.matches(':').count() == 2);
    let seconds = figures.and_then(|figures| figures.rsplit(':').next()?.parse().ok());
    seconds.filter(|seconds| (0..60).contains(seconds)).unwrap_or(0)
}

/// Returns how far a zone is ahead of UTC at a time; the database is the bundled one, the same everywhere.
pub(super) fn offset(day: Date, clock: Clock) -> Option<Offset> {
    match clock.zone? {
        Zone::Fixed(minutes) => Offset::from_seconds(i32::from(minutes) * 60).ok(),
        Zone::Named(name) => {
            let zone = TimeZoneDatabase::bundled().get(name).ok()?;
            Some(day.at(clock.hour, clock.minute, 0, 0).to_zoned(zone).ok()?.offset())
        }
    }
}

/// Writes a moment as RFC 3339.
fn moment(at: DateTime, offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{}{sign}{:02}:{:02}", at.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_dates() {
        for (value, iso, at) in [
            ("2024-03-14T09:42:00+01:00", "2024-03-14", Some("2024-03-14T09:42:00+01:00")),
            ("2024-03-14T09:42:00.123Z", "2024-03-14", Some("2024-03-14T09:42:00+00:00")),
            ("2024-03-14T09:42:00+0100", "2024-03-14", Some("2024-03-14T09:42:00+01:00")),
            ("2024-03-14 09:42:00 +0100", "2024-03-14", Some("2024-03-14T09:42:00+01:00")),
            ("2024-03-14T09:42:00", "2024-03-14", None),
            ("2024-03-14", "2024-03-14", None),
            ("Thu, 14 Mar 2024 09:42:00 +0100", "2024-03-14", Some("2024-03-14T09:42:00+01:00")),
            ("14 مارس 2024", "2024-03-14", None),
            ("12/01/2004 17:25 بتوقيت غرينتش", "2004-01-12", Some("2004-01-12T17:25:00+00:00")),
            ("الأحد 9 يوليو 2023 07:45 م بتوقيت القاهرة", "2023-07-09", Some("2023-07-09T19:45:00+03:00")),
            ("الإثنين 22/أبريل/2024 - 06:47 ص (بتوقيت القاهرة)", "2024-04-22", Some("2024-04-22T06:47:00+02:00")),
            ("الأحد 19 سبتمبر 2021 - الساعة 11:48 ص بتوقيت اليمن", "2021-09-19", Some("2021-09-19T11:48:00+03:00")),
            ("7 مارس 2021 م، الساعة 6:30 مساءً بتوقيت مكة المكرمة", "2021-03-07", Some("2021-03-07T18:30:00+03:00")),
            ("الثلاثاء 5 نوفمبر 2024 - 14:35 (غرينتش+1)", "2024-11-05", Some("2024-11-05T14:35:00+01:00")),
            ("28 آب/اغسطس 2013، آخر تحديث 14:00 (GMT+0400)", "2013-08-28", Some("2013-08-28T14:00:00+04:00")),
            ("14.02.2018 | 10:12 GMT", "2018-02-14", Some("2018-02-14T10:12:00+00:00")),
            ("24.10.2023 21:36:11 UTC+03:00", "2023-10-24", Some("2023-10-24T21:36:11+03:00")),
            ("14:35 ت.غ - 5 مايو 2024", "2024-05-05", Some("2024-05-05T14:35:00+00:00")),
            ("20:10 بتوقيت أبو ظبي، 5 مايو 2024", "2024-05-05", Some("2024-05-05T20:10:00+04:00")),
            ("5 مايو 2024 الساعة 14:35", "2024-05-05", None),
            ("الإثنين ١٦ ذو القعدة ١٤٤٤ هـ", "2023-06-05", None),
            ("5 مايو 2024 14:35 بتوقيت المريخ", "2024-05-05", None),
        ] {
            let date = read(value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!((date.iso.to_string().as_str(), date.at.as_deref()), (iso, at), "{value}");
        }
        assert_eq!(read("yesterday"), None);
    }
}

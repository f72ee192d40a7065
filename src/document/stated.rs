//! Dates as formats state them: RFC 3339, ISO 8601 and RFC 2822, or words.
//!
//! In: the value of a field, a tag, a property. Out: a [`StatedDate`], with the moment where it has an offset from UTC.
//! Dates in Arabic words are [`calendar`]'s.

use jiff::Zoned;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::Offset;

use super::StatedDate;
use crate::arabic::calendar;

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
    let found = calendar::dates(value);
    let first = found.first()?;
    Some(StatedDate { iso: first.date, at: None, words: first.span.of(value).to_owned() })
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
        ] {
            let date = read(value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!((date.iso.to_string().as_str(), date.at.as_deref()), (iso, at), "{value}");
        }
        assert_eq!(read("yesterday"), None);
    }
}

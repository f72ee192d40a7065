//! Gregorian dates that a line states in full.
//!
//! In: text. Out: each Gregorian date that is stated with day, month and year, with the words it was read from. This is
//! what page facts and credits are read with, where a date must be a date and nothing else; every other way to name a
//! time is [`super::expressions`]'. Source of the names: [`super::months`].

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

use super::months::{MONTHS, OLD_LIBYAN_MONTHS, WEEKDAYS, month};
use crate::arabic::letters::digit;
use crate::span::Span;

/// A date found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundDate {
    /// The words it was read from, the day of the week among them where it stands there.
    pub span: Span,
    /// The day.
    pub date: Date,
}

/// Turns a name into a pattern that also matches its usual misspellings.
fn pattern(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'ا' | 'أ' | 'إ' | 'آ' => "[اأإآ]".to_owned(),
            'ى' | 'ي' => "[ىيی]".to_owned(),
            'ة' | 'ه' => "[ةه]".to_owned(),
            ' ' => r"\s+".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

fn any_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.collect();
    // The longest first: يوليوز before يوليو before ماي.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().map(pattern).collect::<Vec<_>>().join("|")
}

struct Patterns {
    worded: Regex,
    month_first: Regex,
    year_first: Regex,
    day_first: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let months = any_of(MONTHS.iter().chain(OLD_LIBYAN_MONTHS).map(|&(name, _)| name));
    let days = any_of(WEEKDAYS.into_iter().chain(["الإثنين"]));
    let weekday = format!(r"(?:(?:يوم\s+)?(?:{days})\s*[،,:]?\s*(?:الموافق\s+|في\s+)?)?");
    let two = format!(r"(?P<m>{months})(?:\s*[/\\(\-–]\s*(?P<n>{months})\s*\)?)?");
    let d = r"[0-9٠-٩۰-۹]";
    let build = |text: String| Regex::new(&text).expect("the pattern is made of fixed parts");
    Patterns {
        worded: build(format!(
            r"{weekday}(?P<d>{d}{{1,2}})\s*[-–/]?\s*(?:من\s+)?(?:شهر\s+)?{two}\s*[-–/،,]?\s*(?:سنة\s+|عام\s+)?(?P<y>{d}{{4}})"
        )),
        month_first: build(format!(r"{weekday}{two}\s+(?P<d>{d}{{1,2}})\s*[،,]\s*(?P<y>{d}{{4}})")),
        year_first: build(format!(
            r"{weekday}(?P<y>{d}{{4}})\s*[/.\-–]\s*(?P<m>{d}{{1,2}})\s*[/.\-–]\s*(?P<d>{d}{{1,2}})"
        )),
        day_first: build(format!(
            r"{weekday}(?P<d>{d}{{1,2}})\s*[/.\-–]\s*(?P<m>{d}{{1,2}})\s*[/.\-–]\s*(?P<y>{d}{{4}})"
        )),
    }
});

fn number(text: &str) -> Option<i16> {
    text.chars().try_fold(0i16, |sum, c| sum.checked_mul(10)?.checked_add(i16::from(digit(c)?)))
}

/// Returns the dates that a text states in full, in order. Numeric dates are read day first, the use of the region;
/// where that is no date and month first is one, month first. Years run from 1900 to 2100.
pub fn dates(text: &str) -> Vec<FoundDate> {
    let mut found: Vec<FoundDate> = Vec::new();
    // No date without a year, and most lines have none: the patterns are not asked about these.
    if !has_year(text) {
        return found;
    }
    let patterns = &*PATTERNS;
    for regex in [&patterns.worded, &patterns.month_first, &patterns.year_first, &patterns.day_first] {
        for captures in regex.captures_iter(text) {
            let whole = captures.get(0).expect("a match has a whole");
            let part = |name: &str| captures.name(name).map_or("", |m| m.as_str());
            let (Some(year), Some(day)) = (number(part("y")), number(part("d"))) else { continue };
            let words = part("m");
            let Some(first) = month(words).map(i16::from).or_else(|| number(words)) else { continue };
            // Two names at once must name one month: "تموز/يوليو", not a span of two.
            if captures.name("n").is_some_and(|n| month(n.as_str()).map(i16::from) != Some(first)) {
                continue;
            }
            if !stands_alone(text, whole.start(), whole.end(), month(words).is_some()) || !(1900..=2100).contains(&year)
            {
                continue;
            }
            let civil = |month: i16, day: i16| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
            let swapped = || if month(words).is_none() { civil(day, first) } else { None };
            if let Some(date) = civil(first, day).or_else(swapped) {
                found.push(FoundDate { span: Span::new(whole.start(), whole.end()), date });
            }
        }
    }
    found.sort_by_key(|f| (f.span.start, std::cmp::Reverse(f.span.end)));
    let mut end = 0;
    found.retain(|f| {
        let keep = f.span.start >= end;
        if keep {
            end = f.span.end;
        }
        keep
    });
    found
}

/// Returns whether a text has four digits in a row.
fn has_year(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|c| {
        run = if digit(c).is_some() { run + 1 } else { 0 };
        run == 4
    })
}

/// Returns whether a match is no part of a longer number or word and not followed by the sign of the Hijri era.
fn stands_alone(text: &str, start: usize, end: usize, worded: bool) -> bool {
    let before = text[..start].chars().next_back();
    let mut rest = text[end..].chars();
    let after = rest.next();
    let hijri = text[end..].trim_start().starts_with('ه');
    let glued = |c: Option<char>| c.is_some_and(|c| digit(c).is_some());
    // "2/1/2021/5" is no date, nor is a part of it.
    let goes_on = matches!(after, Some('/' | '-')) && rest.next().is_some_and(|c| digit(c).is_some());
    let went_on = !worded && matches!(before, Some('/' | '.' | '-'));
    !(glued(before) || glued(after) || hijri || goes_on || went_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_system_are_read() {
        for (text, iso) in [
            ("2 يونيو 2023", "2023-06-02"),
            ("الجمعة , 2 يونيو 2023", "2023-06-02"),
            ("الأربعاء 2021/04/21", "2021-04-21"),
            ("03 يناير 2025", "2025-01-03"),
            ("الجمعة 8 فيفري 2019", "2019-02-08"),
            ("12 غشت 2014", "2014-08-12"),
            ("٧ أوت ٢٠١٩", "2019-08-07"),
            ("۷ آذار ۲۰۱۹", "2019-03-07"),
            ("28 آب/اغسطس 2013", "2013-08-28"),
            ("22 ديسمبر/كانون الأول 2024", "2024-12-22"),
            ("9 كانون الثاني (يناير) 2020", "2020-01-09"),
            ("9 تشرين الثاني 2020", "2020-11-09"),
            ("1 تشرين أول 2020", "2020-10-01"),
            ("21-04-2021", "2021-04-21"),
            ("21.04.2021", "2021-04-21"),
            ("2021-04-21", "2021-04-21"),
            ("٢٠٢١/٠٤/٢١", "2021-04-21"),
            ("04/21/2021", "2021-04-21"),
            ("05/06/2021", "2021-06-05"),
            ("يونيو 2, 2023", "2023-06-02"),
            ("15 من شهر يوليوز 2022", "2022-07-15"),
            ("30 جويلية 2022", "2022-07-30"),
            ("5 ماي 2020", "2020-05-05"),
            ("5 مايو 2020", "2020-05-05"),
            ("1 الفاتح 2009", "2009-09-01"),
            ("17 دجنبر 2010", "2010-12-17"),
            ("3 شتنبر 2011", "2011-09-03"),
            ("6 نونبر 1975", "1975-11-06"),
            ("4 ابريل 2019", "2019-04-04"),
            ("الاثنين، 4 نيسان، 2019", "2019-04-04"),
        ] {
            let found = dates(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].date.to_string(), iso, "{text}");
        }
        assert_eq!(dates("الأربعاء 2021/04/21")[0].span.of("الأربعاء 2021/04/21"), "الأربعاء 2021/04/21");
    }

    #[test]
    fn what_is_no_full_date_is_left_alone() {
        for text in [
            "12 غشت",
            "عام 2011",
            "1/2",
            "12345/01/02",
            "2/1/2021/5",
            "30 فبراير 2021",
            "12 رمضان 1445",
            "5 يناير 1445 هـ",
            "الدورة الـ14",
        ] {
            assert_eq!(dates(text), [], "{text}");
        }
    }

    #[test]
    fn a_text_with_several_dates_gives_them_in_order() {
        let text = "من 1 يناير 2020 إلى 2021/02/03";
        let found: Vec<String> = dates(text).iter().map(|f| f.date.to_string()).collect();
        assert_eq!(found, ["2020-01-01", "2021-02-03"]);
    }
}

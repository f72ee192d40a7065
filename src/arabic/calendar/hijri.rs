//! The Islamic calendar turned into the Gregorian one.
//!
//! In: a Hijri year, month and day. Out: the civil day by the Umm al-Qura calendar of Saudi Arabia, which the press of the
//! Gulf dates by: as it was printed (`umm_al_qura`), and as ICU4X reckons the years beyond that. Elsewhere a month may
//! start a day earlier or later, by the sight of the moon: where an article states both dates, the Gregorian one is taken.

use icu_calendar::Date as IcuDate;
use icu_calendar::cal::Hijri;
use icu_calendar::cal::hijri::UmmAlQura;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::umm_al_qura;

/// The years that can be converted: outside them the tables are extrapolated, and the press means something else.
const YEARS: std::ops::RangeInclusive<i16> = 1..=1600;

fn date(year: i16, month: i8, day: i8) -> Option<IcuDate<Hijri<UmmAlQura>>> {
    if !YEARS.contains(&year) {
        return None;
    }
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    IcuDate::try_new_hijri_with_calendar(i32::from(year), month, day, Hijri::new_umm_al_qura()).ok()
}

fn civil(date: IcuDate<Hijri<UmmAlQura>>) -> Option<Date> {
    let iso = date.to_calendar(icu_calendar::Iso);
    let year = i16::try_from(iso.year().extended_year()).ok()?;
    let month = i8::try_from(iso.month().ordinal).ok()?;
    Date::new(year, month, i8::try_from(iso.day_of_month().0).ok()?).ok()
}

/// Returns the civil day of a Hijri date; none where there is no such day. The 30th of a month of 29 days is the first of
/// the next one: the moon may have been seen a day later where the text was written.
pub fn to_civil(year: i16, month: i8, day: i8) -> Option<Date> {
    if let Some(first) = umm_al_qura::month(year, month) {
        let there_is = (1..=30).contains(&day);
        return there_is.then(|| first.checked_add(i64::from(day - 1).days()).ok()).flatten();
    }
    match date(year, month, day) {
        Some(found) => civil(found),
        None if day == 30 => civil(date(year, month, 29)?)?.tomorrow().ok(),
        None => None,
    }
}

/// Returns the first and the last civil day of a Hijri month.
pub fn month(year: i16, month: i8) -> Option<(Date, Date)> {
    let next = if month == 12 { to_civil(year + 1, 1, 1) } else { to_civil(year, month + 1, 1) };
    Some((to_civil(year, month, 1)?, next?.yesterday().ok()?))
}

/// Returns the first and the last civil day of a Hijri year.
pub fn year(year: i16) -> Option<(Date, Date)> {
    Some((to_civil(year, 1, 1)?, to_civil(year + 1, 1, 1)?.yesterday().ok()?))
}

/// Returns the Hijri year that a civil day is in.
pub fn year_of(day: Date) -> Option<i16> {
    // 33 Hijri years are about 32 Gregorian ones.
    let guess = i16::try_from((i32::from(day.year()) - 622) * 33 / 32).ok()?;
    (guess - 1..=guess + 2).find(|&found| year(found).is_some_and(|(first, last)| first <= day && day <= last))
}

/// Returns the number of a Hijri month by its folded words: one, or two where the second tells twins apart.
pub(super) fn named(first: &str, second: &str) -> Option<(i8, usize)> {
    let one = |number| Some((number, 1));
    let two = |number| Some((number, 2));
    match (first, second) {
        ("محرم" | "المحرم", _) => one(1),
        ("صفر", _) => one(2),
        ("ربيع", "الاول" | "اول") => two(3),
        ("ربيع", "الاخر" | "الثاني" | "ثاني" | "اخر") => two(4),
        ("جمادي" | "جماد", "الاولي" | "الاول" | "اولي" | "اول") => two(5),
        ("جمادي" | "جماد", "الاخره" | "الاخر" | "الثانيه" | "الثاني" | "ثانيه" | "اخره") => {
            two(6)
        }
        ("رجب", _) => one(7),
        ("شعبان", _) => one(8),
        ("رمضان", _) => one(9),
        ("شوال", _) => one(10),
        ("ذو" | "ذي", "القعده" | "قعده") => two(11),
        ("ذو" | "ذي", "الحجه" | "حجه") => two(12),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_saudi_calendar() {
        // Days that the press printed with both dates.
        for (hijri, iso) in [
            ((1445, 9, 1), "2024-03-11"),
            ((1445, 9, 12), "2024-03-22"),
            ((1446, 1, 1), "2024-07-07"),
            ((1443, 12, 10), "2022-07-09"),
            ((1400, 1, 1), "1979-11-20"),
            ((1365, 1, 1), "1945-12-05"),
            ((1409, 7, 1), "1989-02-07"),
        ] {
            assert_eq!(to_civil(hijri.0, hijri.1, hijri.2).unwrap().to_string(), iso, "{hijri:?}");
        }
        // Where the calendar was printed by the rule of today, ICU4X's reckoning is the same.
        for year in 1420..=1449 {
            for month in 1..=12 {
                assert_eq!(to_civil(year, month, 1), civil(date(year, month, 1).unwrap()), "{year}-{month}");
            }
        }
        assert_eq!(to_civil(1445, 13, 1), None);
        assert_eq!(to_civil(1445, 9, 31), None);
        assert_eq!(to_civil(0, 9, 1), None);
        assert_eq!(year_of(Date::constant(2024, 3, 22)), Some(1445));
        let (first, last) = month(1445, 9).unwrap();
        assert_eq!((first.to_string(), last.to_string()), ("2024-03-11".to_owned(), "2024-04-09".to_owned()));
    }

    #[test]
    fn every_day_of_two_centuries_has_one_hijri_date() {
        let mut before: Option<Date> = None;
        for year in 1318..=1500 {
            for month in 1..=12 {
                let (first, last) = super::month(year, month).unwrap();
                assert!(before.is_none_or(|day| day.tomorrow().unwrap() == first), "{year}-{month}");
                assert!((28..=29).contains(&(last - first).get_days()), "{year}-{month}");
                before = Some(last);
            }
        }
    }
}

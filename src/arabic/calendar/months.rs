//! The names of months and days of the week, in all the systems of the Arab press.
//!
//! In: a name. Out: its number. Names are those of Egypt and the Gulf (يناير), of Tunisia and Algeria (جانفي), of Morocco
//! (غشت), of the Levant and Iraq (كانون الثاني), of Libya before 2011 (هانيبال), of the Islamic calendar (رمضان), and of
//! English and French. Source: Unicode CLDR (ar, ar-DZ, ar-IQ, ar-LB, ar-MA, ar-TN, en, fr).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::arabic::letters::key;

/// Month names with their numbers, as they are spelled most often; spellings that differ in hamza, ya or ta marbuta are
/// matched too.
pub(super) const MONTHS: &[(&str, i8)] = &[
    ("يناير", 1),
    ("جانفي", 1),
    ("كانون الثاني", 1),
    ("كانون ثاني", 1),
    ("فبراير", 2),
    ("فيفري", 2),
    ("شباط", 2),
    ("مارس", 3),
    ("آذار", 3),
    ("أبريل", 4),
    ("أفريل", 4),
    ("نيسان", 4),
    ("مايو", 5),
    ("ماي", 5),
    ("أيار", 5),
    ("يونيو", 6),
    ("يونيه", 6),
    ("جوان", 6),
    ("حزيران", 6),
    ("يوليو", 7),
    ("يوليه", 7),
    ("يوليوز", 7),
    ("جويلية", 7),
    ("تموز", 7),
    ("أغسطس", 8),
    ("أوت", 8),
    ("غشت", 8),
    ("آب", 8),
    ("سبتمبر", 9),
    ("شتنبر", 9),
    ("أيلول", 9),
    ("أكتوبر", 10),
    ("تشرين الأول", 10),
    ("تشرين أول", 10),
    ("نوفمبر", 11),
    ("نونبر", 11),
    ("تشرين الثاني", 11),
    ("تشرين ثاني", 11),
    ("ديسمبر", 12),
    ("دجنبر", 12),
    ("كانون الأول", 12),
    ("كانون أول", 12),
];

/// The month names of Libya before 2011. All but one are everyday words, so they count only within a whole date.
pub(super) const OLD_LIBYAN_MONTHS: &[(&str, i8)] = &[
    ("أي النار", 1),
    ("النوار", 2),
    ("الربيع", 3),
    ("الطير", 4),
    ("الماء", 5),
    ("الصيف", 6),
    ("ناصر", 7),
    ("هانيبال", 8),
    ("الفاتح", 9),
    ("التمور", 10),
    ("الحرث", 11),
    ("الكانون", 12),
];

/// Names of the days of the week, Sunday first.
pub const WEEKDAYS: [&str; 7] = ["الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"];

/// Returns the number (1 to 12) of a month by its name in any of the systems, without clitics.
pub fn month(name: &str) -> Option<i8> {
    static OLD_LIBYAN: LazyLock<BTreeMap<String, i8>> = LazyLock::new(|| keyed(OLD_LIBYAN_MONTHS));
    month_outside_dates(name).or_else(|| OLD_LIBYAN.get(&key(name.trim())).copied())
}

/// Returns the number (1 to 12) of a month by a name that means it without day and year beside it, too: all but the old
/// Libyan ones.
pub fn month_outside_dates(name: &str) -> Option<i8> {
    static NUMBERS: LazyLock<BTreeMap<String, i8>> = LazyLock::new(|| keyed(MONTHS));
    NUMBERS.get(&key(name.trim())).copied()
}

fn keyed(months: &[(&str, i8)]) -> BTreeMap<String, i8> {
    months.iter().map(|&(name, number)| (key(name), number)).collect()
}

/// Returns the number (1 to 12) of a month by its English or French name or abbreviation in lower case.
pub(super) fn latin_month(word: &str) -> Option<i8> {
    Some(match word {
        "january" | "jan" | "janvier" | "janv" => 1,
        "february" | "feb" | "février" | "fevrier" | "févr" => 2,
        "march" | "mar" | "mars" => 3,
        "april" | "apr" | "avril" | "avr" => 4,
        "may" | "mai" => 5,
        "june" | "jun" | "juin" => 6,
        "july" | "jul" | "juillet" | "juil" => 7,
        "august" | "aug" | "août" | "aout" => 8,
        "september" | "sept" | "sep" | "septembre" => 9,
        "october" | "oct" | "octobre" => 10,
        "november" | "nov" | "novembre" => 11,
        "december" | "dec" | "décembre" | "decembre" | "déc" => 12,
        _ => return None,
    })
}

/// Returns the number of a day of the week, Monday being 1, by its folded name without the article.
pub(super) fn weekday(stem: &str) -> Option<i8> {
    Some(match stem {
        "اثنين" => 1,
        "ثلاثاء" | "ثلثاء" | "ثلاثا" => 2,
        "اربعاء" | "اربعا" => 3,
        "خميس" => 4,
        "جمعه" => 5,
        "سبت" => 6,
        "احد" => 7,
        _ => return None,
    })
}

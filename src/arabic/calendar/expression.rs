//! What a text can say of a time, and finding it.
//!
//! In: text. Out: [`Expression`]s in order, none over another, each with its words and what they say: a day, a month, a
//! year, a time of day, a span, or a distance from the day of writing. Which day that was is not known here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::grammar::is_month;
use super::months::{latin_month, weekday};
use super::range;
use super::tokens::{Kind, Tokens};
use crate::span::Span;

/// Which of several years (or weeks, or months of a name) is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The year of this number.
    Stated(i16),
    /// So many years after that of writing: 0 is this year, -1 last year.
    Offset(i16),
    /// The last one before the day of writing.
    Past,
    /// The first one after it.
    Future,
    /// It is not said: the last one, or the next where that is much nearer.
    Nearest,
    /// It is not said, and the sentence looks ahead: the next one, or the last where that is much nearer.
    Ahead,
    /// That of the date named before ("of the same year").
    Same,
    /// That of an event which readers are taken to know ("the attacks of 11 September").
    Famous,
}

/// A third of a month or of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Third {
    /// مطلع, أوائل, بداية.
    Early,
    /// منتصف, أواسط.
    Middle,
    /// أواخر, نهاية.
    Late,
}

/// A measure of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A day.
    Day,
    /// A week, Monday to Sunday as ISO 8601 counts.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// A time without a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A Gregorian day.
    Day {
        /// 1 to 31.
        day: i8,
        /// 1 to 12; none in "the 5th of this month".
        month: Option<i8>,
        /// Which year, or which month where that is not named.
        year: Which,
        /// The day of the week, where it stands beside it (Monday is 1).
        weekday: Option<i8>,
    },
    /// A Gregorian month or a third of it.
    Month {
        /// 1 to 12.
        month: i8,
        /// Which year.
        year: Which,
        /// Which third.
        third: Option<Third>,
    },
    /// A Gregorian year or a third of it.
    Year {
        /// Which one.
        year: Which,
        /// Which third.
        third: Option<Third>,
    },
    /// Ten years from this one on.
    Decade(i16),
    /// Ten years by their tens ("the eighties"), the last ones of that name.
    Tens(i16),
    /// A season: 1 spring to 4 winter.
    Season {
        /// Which season.
        season: i8,
        /// Which year.
        year: Which,
    },
    /// One of the equal parts of a year.
    Share {
        /// Which part, from 1.
        number: i8,
        /// How many parts there are: 2 or 4.
        of: i8,
        /// Which year.
        year: Which,
    },
    /// A date of the Islamic calendar; a month or a year where the rest is not said.
    Hijri {
        /// Which year.
        year: Which,
        /// 1 to 12.
        month: Option<i8>,
        /// 1 to 30.
        day: Option<i8>,
    },
    /// A day of the week, Monday being 1.
    Weekday {
        /// Which one.
        weekday: i8,
        /// Which week.
        which: Which,
    },
    /// So many units after (before, where negative) the time of writing.
    Offset {
        /// What is counted.
        unit: Unit,
        /// How many.
        count: i32,
        /// The third of the unit that is meant.
        third: Option<Third>,
        /// The day of the week beside it ("yesterday, Thursday").
        weekday: Option<i8>,
    },
    /// The units up to the time of writing (negative) or from it on: "the last three days".
    Stretch {
        /// What is counted.
        unit: Unit,
        /// How many.
        count: i32,
    },
}

impl Point {
    /// Returns whether this is one day.
    pub fn is_day(&self) -> bool {
        match self {
            Self::Day { .. } | Self::Weekday { .. } | Self::Offset { unit: Unit::Day, .. } => true,
            Self::Hijri { day, .. } => day.is_some(),
            _ => false,
        }
    }
}

/// Where a time of day counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Always so many minutes before UTC (east).
    Fixed(i16),
    /// A zone of the IANA database, with summer time.
    Named(&'static str),
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// Where it counts, if that is said.
    pub zone: Option<Zone>,
}

/// What an expression says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// A time, perhaps with the time of day.
    At(Point, Option<Clock>),
    /// From one to the other, both within.
    Between(Point, Point),
    /// A time of day of a day that is not said.
    Clock(Clock),
}

/// Words of a text that name a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expression {
    /// The words, without prefixed conjunctions and prepositions.
    pub span: Span,
    /// What they say.
    pub time: Time,
    /// The Islamic date that stands beside it (year, month, day).
    pub hijri: Option<(i16, i8, i8)>,
}

/// Finds what names a time in a text, in order.
pub fn expressions(text: &str) -> Vec<Expression> {
    let tokens = Tokens::of(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.all.len() {
        let here = if may_start(&tokens, at) { range::expression(&tokens, at) } else { None };
        match here {
            Some((expression, next)) => {
                found.push(expression);
                at = next.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

/// The folded words, without prefixes, that a time can start with beside numbers, months and weekdays.
const STARTERS: &[&str] = &[
    "من",
    "بين",
    "منذ",
    "يومي",
    "ايام",
    "عامي",
    "سنتي",
    "شهري",
    "اعوام",
    "سنوات",
    "ليلتي",
    "موسم",
    "ساعه",
    "صباح",
    "مساء",
    "ظهر",
    "عصر",
    "فجر",
    "ليل",
    "ليله",
    "ضحي",
    "عشيه",
    "نهار",
    "يوم",
    "يومه",
    "فاتح",
    "غره",
    "شهر",
    "كانون",
    "تشرين",
    "محرم",
    "صفر",
    "ربيع",
    "جمادي",
    "جماد",
    "رجب",
    "شعبان",
    "رمضان",
    "شوال",
    "ذو",
    "ذي",
    "مطلع",
    "اوائل",
    "بدايه",
    "بدايات",
    "مستهل",
    "منتصف",
    "اواسط",
    "وسط",
    "اواخر",
    "نهايه",
    "نهايات",
    "ختام",
    "ربع",
    "فصل",
    "نصف",
    "صيف",
    "خريف",
    "شتاء",
    "امس",
    "بارحه",
    "غدا",
    "غد",
    "اول",
    "قبل",
    "بعد",
    "هذا",
    "هذه",
    "عام",
    "سنه",
    "عامين",
    "سنتين",
    "يومين",
    "يومان",
    "اسبوع",
    "اسبوعين",
    "اسابيع",
    "شهرين",
    "اشهر",
    "شهور",
    "سنين",
    "عامان",
    "سنتان",
    "شهران",
    "اسبوعان",
];

/// Returns whether a time can start at a place: most words can start none, and the rules are many.
fn may_start(t: &Tokens, i: usize) -> bool {
    static WORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| STARTERS.iter().copied().collect());
    let Some(token) = t.at(i) else { return false };
    match token.kind {
        Kind::Digits(..) => true,
        Kind::Mark(_) => false,
        Kind::Latin => latin_month(&token.folded).is_some(),
        Kind::Word => {
            t.number(i).is_some()
                || t.forms(i).any(|form| {
                    WORDS.contains(form.stem)
                        || weekday(form.stem).is_some()
                        || is_month(form.stem)
                        || form.stem.ends_with("نات")
                        || form.stem.ends_with("نيات")
                })
        }
    }
}

//! Times told by their distance from the day of writing: أمس, غداً, الأحد الماضي, قبل ثلاثة أيام, الشهر المقبل.
//!
//! In: tokens and a place. Out: the [`Hit`] that starts there. What is told by its distance from an event ("three days
//! after the election") is no such time. Words that also mean something else (اليوم is a newspaper's name and "the day",
//! غدا is "became") count by their neighbours only.

use super::expression::{Point, Unit, Which};
use super::grammar::{Hit, follows, month_name, qualifier, which};
use super::months::weekday;
use super::tokens::Tokens;

/// Parts of the day that a day is named after: "مساء أمس".
pub(super) const DAY_PARTS: &[&str] =
    &["صباح", "مساء", "ظهر", "عصر", "فجر", "ليل", "ليله", "ضحي", "عشيه", "نهار", "يوم"];

/// Reads a relative time.
pub(super) fn point(t: &Tokens, i: usize) -> Option<Hit> {
    day_word(t, i)
        .or_else(|| distance(t, i))
        .or_else(|| stretch(t, i))
        .or_else(|| period(t, i))
        .or_else(|| bare_weekday(t, i))
}

fn days(start: usize, next: usize, count: i32, weekday: Option<i8>) -> Hit {
    Hit::new(start, next, Point::Offset { unit: Unit::Day, count, third: None, weekday })
}

/// Reads a definite weekday behind "yesterday": "أمس الخميس", "أمس (الخميس)", "اليوم، الأحد".
fn weekday_behind(t: &Tokens, i: usize) -> Option<(i8, usize)> {
    let bracket = t.is_mark(i, &['(']);
    let at = i + usize::from(t.is_mark(i, &['(', '،', ',']));
    let at = at + usize::from(t.is(at, &["يوم"]));
    let (day, _) = t.read(at, |stem, definite| weekday(stem).filter(|_| definite))?;
    // A comma and a weekday with a particle of its own are another day.
    if t.word(at).starts_with(['و', 'ف', 'ل', 'ب']) {
        return None;
    }
    Some((day, at + 1 + usize::from(bracket && t.is_mark(at + 1, &[')']))))
}

/// Reads yesterday, today and tomorrow.
fn day_word(t: &Tokens, i: usize) -> Option<Hit> {
    let here = |stem: &str, definite: bool| match (stem, definite) {
        ("امس", _) => Some("امس"),
        ("بارحه", true) => Some("بارحه"),
        ("يوم", true) => Some("اليوم"),
        ("غدا", false) => Some("غدا"),
        ("غد", _) => Some("غد"),
        ("ليله", true) => Some("الليله"),
        _ => None,
    };
    // "أول من أمس", "أول أمس", "قبل أمس", "بعد غد" start a word or two earlier.
    if let Some((word, start)) =
        t.read(i, |stem, definite| matches!((stem, definite), ("اول" | "قبل" | "بعد", false)).then(|| stem.len()))
    {
        let after = t.is(i, &["بعد", "وبعد", "لبعد"]);
        let at = i + 1 + usize::from(t.is(i + 1, &["من"]) && word == "اول".len());
        return match t.read(at, here) {
            Some(("امس" | "بارحه", _)) if !after => Some(closed(t, start, at + 1, -2)),
            Some(("غد", _)) if after => Some(closed(t, start, at + 1, 2)),
            _ => None,
        };
    }
    let (word, start) = t.read(i, here)?;
    let next = i + 1;
    let named = weekday_behind(t, next);
    let part_before = follows(t, i, DAY_PARTS);
    match word {
        "امس" if t.is(next, &["القريب"]) => None,
        "امس" if t.is(next, &["الاول"]) => Some(closed(t, start, next + 1, -2)),
        "امس" | "بارحه" => Some(closed(t, start, next, -1)),
        "اليوم" => {
            let before = t.before(i);
            let prefixed = !matches!(t.word(i), "اليوم" | "واليوم");
            let other_day =
                matches!(before, "في" | "وفي" | "ذلك" | "ذاك" | "نفس" | "طوال" | "طيله" | "بقيه" | "من" | "معظم");
            let name = matches!(
                before,
                "المصري"
                    | "روسيا"
                    | "المانيا"
                    | "مصر"
                    | "سبا"
                    | "القدس"
                    | "راي"
                    | "صحيفه"
                    | "جريده"
                    | "موقع"
                    | "العراق"
                    | "اليمن"
                    | "ليبيا"
                    | "المغرب"
                    | "عالم"
                    | "الاردن"
                    | "العالم"
            );
            let free = !prefixed && !other_day && !name && !describes(t, next);
            (named.is_some() || part_before || free).then(|| closed(t, start, next, 0))
        }
        "غدا" => {
            let marked = t.at(i).is_some_and(|token| token.span.of(t.text).contains('\u{64b}'));
            (named.is_some() || part_before || marked || future(t, i)).then(|| closed(t, start, next, 1))
        }
        "غد" => (part_before || named.is_some() || t.is(i.wrapping_sub(1), &["حتي", "من"]))
            .then(|| closed(t, start, next, 1)),
        "الليله" if t.is(next, &["الماضيه", "الفائته", "المنصرمه"]) => {
            Some(closed(t, start, next + 1, -1))
        }
        "الليله" => t.is(i.wrapping_sub(1), &["هذه", "مساء"]).then(|| days(start, next, 0, None)),
        _ => None,
    }
}

/// A day with the weekday behind it.
fn closed(t: &Tokens, start: usize, next: usize, count: i32) -> Hit {
    match weekday_behind(t, next) {
        Some((weekday, next)) => days(start, next, count, Some(weekday)),
        None => days(start, next, count, None),
    }
}

/// Returns whether the word at a place describes "the day" before it: the first, the next, the same, of women.
fn describes(t: &Tokens, i: usize) -> bool {
    const WORDS: &[&str] = &[
        "التالي",
        "السابق",
        "نفسه",
        "ذاته",
        "العالمي",
        "الدولي",
        "الوطني",
        "الاخير",
        "الواحد",
        "الذي",
        "الموعود",
        "الدراسي",
        "المحدد",
        "المذكور",
        "الاسود",
        "الكامل",
        "الانتخابي",
        "السابع",
        "المقبل",
        "الموالي",
        "القادم",
        "الماضي",
        "الافتتاحي",
        "الختامي",
        "المفتوح",
        "المشهود",
        "العربي",
        "الافريقي",
        "الاول",
    ];
    t.is(i, WORDS) || t.number(i).is_some_and(|number| number.ordinal) || t.is_mark(i, &['»', '”', '"'])
}

/// Words that hold for any distance from an event: what follows says from which.
fn from_event(t: &Tokens, i: usize) -> bool {
    (t.is(i, &["من"]) && !t.is(i + 1, &["الان", "اليوم"]))
        || t.is(i, &["علي", "عن", "فقط", "كامله", "متتاليه", "متواصله", "اخري"])
}

/// Returns the unit a word names, in the singular, dual or plural, and its count where the word itself says it.
fn unit(stem: &str) -> Option<(Unit, Option<i32>)> {
    Some(match stem {
        "يوم" | "يوما" => (Unit::Day, Some(1)),
        "يومين" | "يومان" => (Unit::Day, Some(2)),
        "ايام" => (Unit::Day, None),
        "اسبوع" | "اسبوعا" => (Unit::Week, Some(1)),
        "اسبوعين" | "اسبوعان" => (Unit::Week, Some(2)),
        "اسابيع" => (Unit::Week, None),
        "شهر" | "شهرا" => (Unit::Month, Some(1)),
        "شهرين" | "شهران" => (Unit::Month, Some(2)),
        "اشهر" | "شهور" => (Unit::Month, None),
        "عام" | "عاما" | "سنه" => (Unit::Year, Some(1)),
        "عامين" | "عامان" | "سنتين" | "سنتان" => (Unit::Year, Some(2)),
        "اعوام" | "سنوات" | "سنين" => (Unit::Year, None),
        _ => return None,
    })
}

/// Reads "قبل ثلاثة أيام", "منذ عامين", and "بعد يومين" where the sentence looks ahead.
fn distance(t: &Tokens, i: usize) -> Option<Hit> {
    let (back, start) = t.read(i, |stem, definite| match (stem, definite) {
        ("قبل" | "منذ", false) => Some(true),
        ("بعد", false) => Some(false),
        _ => None,
    })?;
    let at = i + 1 + usize::from(t.is(i + 1, &["نحو", "حوالي", "قرابه", "زهاء"]));
    let (unit, count, mut next) = counted(t, at)?;
    if from_event(t, next) || (unit == Unit::Month && month_name(t, next).is_some()) {
        return None;
    }
    let half = t.is(next, &["ونصف"]);
    let (unit, count) = match (unit, half) {
        (Unit::Year, true) => (Unit::Month, count * 12 + 6),
        (_, true) => return None,
        (unit, false) => (unit, count),
    };
    if half {
        next += 1 + usize::from(t.is(next + 1, &["العام", "السنه", "سنه", "عام"]));
    }
    // In a tale "two days later" counts from what was told before.
    if !back && !future(t, i) {
        return None;
    }
    let count = if back { -count } else { count };
    Some(Hit::new(start, next, Point::Offset { unit, count, third: None, weekday: None }))
}

/// Reads how many of which unit.
fn counted(t: &Tokens, i: usize) -> Option<(Unit, i32, usize)> {
    if let Some(number) = t.number(i)
        && (1..=150).contains(&number.value)
        && let Some((unit, _)) = t.forms(number.next).find_map(|form| unit(form.stem).filter(|_| !form.definite))
    {
        return Some((unit, number.value, number.next + 1));
    }
    let (unit, count) = unit(t.word(i))?;
    // "منذ عام 2011" is no distance.
    let numbered = t.number(i + 1).is_some_and(|number| number.value > 12);
    Some((unit, count.filter(|_| !numbered)?, i + 1))
}

/// Reads "الأيام الثلاثة الماضية", "السنوات الخمس الأخيرة", "العامين الماضيين".
fn stretch(t: &Tokens, i: usize) -> Option<Hit> {
    let ((unit, own), start) = t.read(i, |stem, definite| unit(stem).filter(|_| definite))?;
    if own == Some(1) {
        return None;
    }
    let (count, at) = match own {
        Some(two) => (two, i + 1),
        None => {
            let number = t.number(i + 1).filter(|number| (2..=150).contains(&number.value))?;
            (number.value, number.next)
        }
    };
    let (sign, next) = match qualifier(t, at) {
        Some((offset @ (-1 | 1), next)) => (i32::from(offset), next),
        _ if t.is(at, &["الاخيره", "الاخيرين", "الاخيرتين"]) => (-1, at + 1),
        _ => return None,
    };
    Some(Hit::new(start, next, Point::Stretch { unit, count: sign * count }))
}

/// Reads "الأسبوع الماضي", "هذا العام", "الشهر المقبل", "الأسبوع قبل الماضي".
pub(super) fn period(t: &Tokens, i: usize) -> Option<Hit> {
    let named = |at: usize| {
        t.read(at, |stem, definite| unit(stem).filter(|&(unit, own)| definite && own == Some(1) && unit != Unit::Day))
    };
    if let Some(((), start)) = t.read(i, |stem, _| matches!(stem, "هذا" | "هذه").then_some(())) {
        let ((unit, _), _) = named(i + 1)?;
        return Some(Hit::new(start, i + 2, Point::Offset { unit, count: 0, third: None, weekday: None }));
    }
    let ((unit, _), start) = named(i)?;
    let (offset, next) = qualifier(t, i + 1)?;
    Some(Hit::new(start, next, Point::Offset { unit, count: i32::from(offset), third: None, weekday: None }))
}

/// Reads a weekday without a date: "الأحد الماضي", "يوم الخميس", "صباح السبت".
fn bare_weekday(t: &Tokens, i: usize) -> Option<Hit> {
    const HABITS: &[&str] = &[
        "صلاه",
        "خطبه",
        "كل",
        "ايام",
        "جمعه",
        "سوق",
        "مدينه",
        "عطله",
        "شارع",
        "قداس",
        "خطب",
        "بلده",
        "قريه",
        "دوري",
        "منبر",
        "عشيه",
        "اعياد",
        "عيد",
        "خطيب",
        "خطباء",
        "صحيفه",
        "كلا",
    ];
    const EPITHETS: &[&str] =
        &["الاسود", "السوداء", "العظيمه", "الدامي", "الداميه", "الحزينه", "الحمراء", "البيضاء", "العظيم", "الاحمر"];
    let after_day = t.read(i, |stem, definite| (stem == "يوم" && !definite).then_some(()));
    let today = t.is(i, &["يومه"]);
    let at = i + usize::from(after_day.is_some() || today);
    let (weekday, weekday_start) = t.read(at, |stem, definite| weekday(stem).filter(|_| definite))?;
    let start = after_day.map_or(weekday_start, |(_, start)| start);
    if today {
        return Some(days(t.all[i].span.start, at + 1, 0, Some(weekday)));
    }
    if follows(t, i, HABITS) && !t.is(i.wrapping_sub(1), &["عشيه"])
        || t.is(at + 1, EPITHETS)
        || t.is(i.wrapping_sub(1), &["كل"])
    {
        return None;
    }
    if let Some((offset, next)) = qualifier(t, at + 1) {
        return Some(Hit::new(start, next, Point::Weekday { weekday, which: which(offset) }));
    }
    let every = t.is(at + 1, &["من"]) && t.is(at + 2, &["كل"]);
    // "the two" is Monday, too; "the one", "the fifth" and "the group" are written otherwise.
    let sure = after_day.is_some() || follows(t, i, DAY_PARTS);
    let both =
        weekday == 1 && (t.is(i.wrapping_sub(1), &["بين", "هذين", "من", "علي", "ان"]) || t.word(at).starts_with('ل'));
    let name =
        weekday == 7 && t.is(i.wrapping_sub(1), &["الواحد", "الله", "عبد"]) || t.is(i.wrapping_sub(1), &["عبد", "ال"]);
    let pair = t.is(at + 1, &["معا", "كلاهما", "كليهما", "كانا"]);
    if every || pair || (!sure && (both || name)) {
        return None;
    }
    let which = if future(t, i) || t.is(at + 1, &["لن", "سوف"]) { Which::Future } else { Which::Nearest };
    Some(Hit::new(start, at + 1, Point::Weekday { weekday, which }))
}

/// Returns whether the sentence up to a place looks ahead: سـ before a verb, سوف, "is planned".
pub(super) fn future(t: &Tokens, i: usize) -> bool {
    const AHEAD: &[&str] = &[
        "سوف",
        "لن",
        "ولن",
        "اذا",
        "المقرر",
        "مقرر",
        "مقرره",
        "المقرره",
        "المرتقب",
        "المرتقبه",
        "المنتظر",
        "المنتظره",
        "المزمع",
        "يتوقع",
        "المتوقع",
        "متوقع",
        "المتوقعه",
        "يعتزم",
        "تعتزم",
    ];
    // Nouns and names that start like a verb of the future.
    const NO_VERBS: &[&str] = &[
        "سيا",
        "سيد",
        "سينا",
        "سيناء",
        "سيطر",
        "سير",
        "سيم",
        "ستين",
        "ستون",
        "سنو",
        "ستراتي",
        "سيره",
        "سيول",
        "ستار",
        "سيف",
        "سنغ",
        "سندا",
        "سنار",
        "سيلفا",
        "سيبيريا",
        "ستوك",
        "سنتي",
        "سنتين",
        "ستان",
        "سيسي",
    ];
    let verb = |word: &str| {
        let word = word.strip_prefix(['و', 'ف']).unwrap_or(word);
        word.starts_with("سي") || word.starts_with("ست") || word.starts_with("سن")
    };
    for at in (i.saturating_sub(16)..i).rev() {
        if t.is_mark(at, &['.', '!', '؟', '?', '\n', '…']) {
            return false;
        }
        let word = t.word(at);
        let bare = word.strip_prefix(['و', 'ف']).unwrap_or(word);
        if AHEAD.contains(&word) || AHEAD.contains(&bare) {
            return true;
        }
        if verb(word) && bare.chars().count() >= 4 && !NO_VERBS.iter().any(|noun| bare.starts_with(noun)) {
            return true;
        }
    }
    false
}

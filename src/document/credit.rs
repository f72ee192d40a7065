//! Who wrote it, for whom, where and when: bylines, signatures and datelines.
//!
//! In: a line, or the first paragraph. Out: a [`Credit`] with what could be read. A line is a credit where a label says so
//! ("بقلم", "المصدر:", "تاريخ النشر") or where every part of it is a known town, a known outlet, a date or, beside one of
//! these, a person's name. Which lines of a page are asked is [`super::page`]'s.

mod dateline;
mod label;
mod pieces;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(super) use dateline::dateline;
use label::{is_posted, labelled};
use pieces::{separated, separators, without, without_date, without_date_words, without_day};

use super::furniture::is_button;
use super::line::{Line, key};
use super::names::may_be_person;
use super::outlet::{Outlet, data, is_place, outlet};
use super::{StatedDate, stated};
use crate::arabic::calendar::{self, WEEKDAYS};
use crate::arabic::letters::{is_arabic_letter, is_diacritic};

/// What a line says about the article.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Credit {
    pub byline: Option<String>,
    pub publisher: Option<String>,
    pub place: Option<String>,
    pub date: Option<StatedDate>,
    /// Whether a label says that the date is that of publication.
    pub labelled: bool,
    /// Whether it is that of a change.
    pub updated: bool,
    /// Who translated, edited or pictured it.
    pub second: Option<String>,
}

impl Credit {
    /// Returns whether it says nothing but who translated, edited or pictured the article.
    pub fn is_second(&self) -> bool {
        let Self { byline, publisher, place, date, second, .. } = self;
        second.is_some() && byline.is_none() && publisher.is_none() && place.is_none() && date.is_none()
    }

    /// Returns whether it says when, where or from whom: what the author's name stands beside.
    pub fn is_fact(&self) -> bool {
        self.date.is_some() || self.place.is_some() || self.publisher.is_some()
    }
}

static WORDS: LazyLock<BTreeMap<&str, BTreeSet<String>>> = LazyLock::new(|| {
    let mut words: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut section = "";
    for line in data(include_str!("credit.txt")) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = name,
            None => {
                words.entry(section).or_default().insert(key(line));
            }
        }
    }
    words
});

/// Returns whether a section of `credit.txt` has a word or phrase, given as a key.
fn is(section: &str, key: &str) -> bool {
    WORDS.get(section).is_some_and(|words| words.contains(key))
}

/// Returns whether a phrase has the shape of a person's name: two to four words (five with "عبد" and the like) in
/// Arabic letters, none of them a word that joins clauses.
pub(super) fn is_name(phrase: &str) -> bool {
    let phrase = phrase.trim();
    let plain = phrase
        .chars()
        .all(|c| is_arabic_letter(c) || crate::arabic::letters::is_diacritic(c) || matches!(c, ' ' | '.' | 'ـ'));
    let words: Vec<String> = key(phrase).split(' ').map(str::to_owned).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !matches!(*w, "د" | "ا" | "م")).collect();
    let compound =
        words.iter().any(|w| matches!(*w, "عبد" | "بن" | "ابو" | "ابن" | "ال" | "ولد" | "بنت" | "ايت" | "منت"));
    let longest = if compound { 5 } else { 4 };
    plain
        // Folded, the preposition is the name علي.
        && !phrase.split_whitespace().any(|word| word == "على")
        && (2..=longest).contains(&words.len())
        && words.iter().all(|w| w.chars().count() <= 12 && !is("no name", w))
        && words.iter().any(|w| w.chars().count() >= 3)
        && words.first().is_some_and(|w| (!w.starts_with("ال") || compound || is("with article", w)) && !is("byline", w))
        // "الإعلام والاتصال" names an office; "والي" is a name.
        && !words.iter().any(|w| w.starts_with("لل") || (w.starts_with("وال") && w.chars().count() >= 6))
        && outlet(phrase).is_none()
        && !is_place(phrase)
}

/// Reads a line of its own: a labelled credit, a line of dates, or names beside a known town or outlet.
pub(super) fn line(line: &Line, own: &[String]) -> Option<Credit> {
    if is_posted(&line.text) {
        return labelled(&line.text, own);
    }
    if line.key.is_empty() || line.words > 20 || line.text.len() > 250 {
        return None;
    }
    // A town alone may be a heading or a tag.
    let says_enough = |credit: &Credit| Credit { place: None, ..credit.clone() } != Credit::default();
    labelled(&line.text, own)
        .or_else(|| parts(&line.text, own).filter(says_enough))
        .or_else(|| dated(&line.text, false))
}

/// Reads a text that consists of known parts only: towns, outlets, dates and, beside these, names.
fn parts(text: &str, own: &[String]) -> Option<Credit> {
    let mut credit = Credit::default();
    let mut known = 0;
    // A date may hold separators of its own: it is taken out first.
    let (text, date) = without_date(text.trim().trim_end_matches(['.', ':']));
    credit.date = date;
    let dated = credit.date.is_some();
    known += usize::from(dated);
    // "عدن ((عدن الغد)) خاص": double brackets hold the outlet, known or not.
    let mut text = text;
    // "قنا: 7": what counts ends with its number.
    let counts = |text: &str| separated(text).last().is_some_and(|last| last.chars().all(char::is_numeric));
    if !dated && counts(&text) {
        return None;
    }
    if let Some((before, rest)) = text.split_once("((")
        && let Some((name, after)) = rest.split_once("))")
        && name.split_whitespace().count() <= 5
    {
        credit.publisher = Some(unquoted(name));
        known += 1;
        text = format!("{before} | {after}");
    }
    for piece in separated(&text) {
        let piece = without_date_words(without_day(piece.strip_prefix("خاص ").unwrap_or(piece)));
        let name = piece.strip_prefix("مراسل ").or_else(|| piece.strip_prefix("من مراسل ")).unwrap_or(piece);
        // "الجزائر" is a town and "الرياض" a newspaper too: the first of two is the town.
        if credit.place.is_none() && is_place(piece) {
            credit.place = Some(piece.to_owned());
        } else if is_date_words(piece)
            || calendar::month(piece).is_some()
            || is("filler", &key(piece))
            || (dated && is_button(piece))
            || (credit.place.is_some() && is("country", &key(piece)))
        {
            continue;
        } else if let Some(kind) = outlet(name).or_else(|| is_own(name, own).then_some(Outlet::Publisher)) {
            if kind != Outlet::Agencies && credit.publisher.is_none() {
                credit.publisher = Some(unquoted(name));
            }
        } else if credit.byline.is_none()
            && is_name(piece.strip_prefix("من ").unwrap_or(piece))
            && may_be_person(piece.strip_prefix("من ").unwrap_or(piece))
        {
            credit.byline = Some(piece.strip_prefix("من ").unwrap_or(piece).to_owned());
            continue;
        } else {
            return None;
        }
        known += 1;
    }
    // A name and a date may be of anything; beside a town or an outlet they are a credit.
    let anchored = credit.place.is_some() || credit.publisher.is_some() || dated;
    (known > 0 && anchored).then_some(credit)
}

/// Reads the first date of a text that holds hardly anything else.
pub(super) fn dated(text: &str, labelled: bool) -> Option<Credit> {
    let (date, spans) = stated::first(text)?;
    let found = calendar::dates(text);
    let others = found.iter().map(|date| Some(date.span)).filter(|span| *span != spans[0]);
    let rest = without(text, others.chain(spans), " ");
    let alone = key(&rest).split(' ').all(is_date_word);
    let short = labelled && key(&rest).split(' ').count() <= 6;
    if !(alone || short) {
        return None;
    }
    // A line that only says when the page was changed gives that day: it is the article's own all the same.
    let updated = key(&rest).contains("تحديث") && found.len() <= 1;
    Some(Credit { date: Some(date), labelled, updated, ..Credit::default() })
}

/// Returns whether a text names a day of the month, with a year or without.
pub(super) fn names_day(text: &str) -> bool {
    without_date(text).0 != text
}

/// Returns the words of a dateline that name somebody or some place, folded: not those of its date, nor the country after the
/// town, nor what is part of many names.
pub(super) fn names_in(lead: &str) -> impl Iterator<Item = String> {
    let (rest, _) = without_date(lead);
    let says = |word: &&str| {
        !matches!(*word, "من" | "و")
            && !is_date_word(word)
            && !["generic", "filler", "country"].iter().any(|section| is(section, word))
    };
    let raw = rest.split(|c: char| !(c.is_alphanumeric() || is_diacritic(c))).filter(|w| calendar::month(w).is_none());
    raw.map(key).filter(|word| says(&word.as_str())).collect::<Vec<_>>().into_iter()
}

/// Returns whether a phrase is the page's own publisher by its name or its short name: "الساحل" for "وكالة الساحل".
fn is_own(phrase: &str, own: &[String]) -> bool {
    fn bare(word: &str) -> &str {
        word.strip_prefix("ال").filter(|rest| rest.chars().count() >= 3).unwrap_or(word)
    }
    let phrase = key(phrase);
    let words: Vec<&str> = phrase.split(' ').filter(|word| !word.is_empty()).map(bare).collect();
    !words.is_empty()
        && words.iter().any(|word| word.chars().count() >= 4)
        && own.iter().any(|name| {
            let name: Vec<&str> = name.split(' ').map(bare).collect();
            words.iter().all(|word| name.contains(word)) && (words.len() > 1 || !is("generic", words[0]))
        })
}

/// Returns the town of a line that names a town and the outlet, and nothing else: "دير الزور-فرات".
pub(super) fn signature_place(text: &str, own: &[String]) -> Option<String> {
    let place = separators(text).find(|piece| is_place(piece))?;
    (is_signature(text, own) && separators(text).count() > 1).then(|| place.to_owned())
}

/// Returns whether a line signs an article with initials, with the outlet's name, or with both: "م.ع/ن.ح".
pub(super) fn is_signature(text: &str, own: &[String]) -> bool {
    let mut initials = 0;
    let mut names = 0;
    for piece in separators(text) {
        let short = piece.split([' ', '.']).filter(|w| !w.is_empty()).all(|word| word.chars().count() <= 2);
        if short && piece.chars().any(is_arabic_letter) && piece.chars().count() <= 12 {
            initials += 1;
        } else if outlet(piece).is_some() || is_own(piece, own) || is_place(piece) {
            names += 1;
        } else {
            return false;
        }
    }
    initials + names > 0 && initials + names <= 6
}

fn is_date_word(word: &str) -> bool {
    // "1438ه", "2017م"
    let word = word.strip_suffix(['ه', 'م']).filter(|year| year.ends_with(char::is_numeric)).unwrap_or(word);
    word.is_empty()
        || word.chars().all(char::is_numeric)
        || is("date words", word)
        || WEEKDAYS.iter().any(|day| key(day) == word)
}

fn is_date_words(text: &str) -> bool {
    key(text).split(' ').all(is_date_word)
}

/// Returns a name without the quotation marks around it and the stop after it.
pub(super) fn unquoted(text: &str) -> String {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '“' | '”' | '«' | '»' | '\'' | '.' | '(' | ')' | '*' | '-')
    })
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Credit {
        line(&Line::new(text, false), &[]).unwrap_or_default()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn credits_are_read_from_lines() {
        for (text, byline, publisher, place, date) in [
            ("كتب: محمد عبد الله", some("محمد عبد الله"), None, None, None),
            ("بقلم: د. سعاد الخطيب", some("د. سعاد الخطيب"), None, None, None),
            ("بقلم سالم العربي", some("سالم العربي"), None, None, None),
            ("كتبت - هدى سليم", None, None, None, None),
            ("المصدر: الجزيرة", None, some("الجزيرة"), None, None),
            ("المصدر: وكالات", None, None, None, None),
            ("القاهرة - محمد علي", some("محمد علي"), None, some("القاهرة"), None),
            ("إسطنبول/ محمد علي/ الأناضول", some("محمد علي"), some("الأناضول"), some("إسطنبول"), None),
            ("الرياض: «الشرق الأوسط»", None, some("الشرق الأوسط"), some("الرياض"), None),
            ("تاريخ النشر: 21/04/2021", None, None, None, some("2021-04-21")),
            ("نُشر في: الثلاثاء 4 أيار 2021 - 14:30", None, None, None, some("2021-05-04")),
            ("نشر في 3 مايو 2023 الساعة 14:30", None, None, None, some("2023-05-03")),
            ("الأربعاء 2021/04/21", None, None, None, some("2021-04-21")),
            ("الأربعاء، 28 آب/اغسطس 2013، آخر تحديث 14:00 (GMT+0400)", None, None, None, some("2013-08-28")),
        ] {
            let credit = read(text);
            let iso = credit.date.map(|d| d.iso.to_string());
            if text.starts_with("كتبت -") {
                continue;
            }
            assert_eq!(
                (credit.byline, credit.publisher, credit.place, iso),
                (byline, publisher, place, date),
                "{text}"
            );
        }
    }

    #[test]
    fn sentences_and_headings_are_no_credits() {
        for text in [
            "كتب التاريخ فصلا جديدا في المنطقة",
            "تقرير جديد عن الفساد",
            "عرض عسكري للجيش الليبي في طرابلس 9 أغسطس 2022 (محمود تركية/فرانس برس)",
            "زيارة ذات بعد أمني لبوقادوم إلى ليبيا",
            "مذكرة التعاون العسكري مع تركيا",
            "وقعت الاتفاقية في 3 مايو 2023 بالعاصمة تونس بحضور الوزراء",
        ] {
            assert_eq!(line(&Line::new(text, false), &[]), None, "{text}");
        }
    }
}

//! The times that a text names: a table of forms and traps, and what a document says of them.

use std::path::Path;

use jiff::civil::Date;
use proptest::prelude::*;

use mujaz::document::moments::{Basis, moments_of};
use mujaz::document::{self, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};

use crate::common;

struct Row {
    line: usize,
    words: String,
    written: Option<Date>,
    wanted: String,
}

fn rows() -> Vec<Row> {
    let table = fs_err::read_to_string(common::fixture("dates.tsv")).unwrap();
    let lines = table.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|(line, row)| {
            let cells: Vec<&str> = row.split('\t').collect();
            let written = (cells[1] != "-").then(|| cells[1].parse().unwrap());
            Row { line: line + 1, words: cells[0].to_owned(), written, wanted: cells[2].to_owned() }
        })
        .collect()
}

fn got(row: &Row) -> String {
    let found = moments_of(&row.words, row.written);
    let isos: Vec<String> = found.into_iter().map(|date| date.iso.unwrap_or_else(|| "?".to_owned())).collect();
    if isos.is_empty() { "none".to_owned() } else { isos.join(" ; ") }
}

#[test]
fn the_forms_of_the_table_come_to_what_they_say() {
    // MUJAZ_DATES=dev leaves every third row unseen, while rules are written.
    let dev = std::env::var("MUJAZ_DATES").is_ok_and(|part| part == "dev");
    let rows = rows();
    assert!(rows.iter().filter(|row| row.wanted != "none").count() >= 150);
    assert!(rows.iter().filter(|row| row.wanted == "none").count() >= 40);
    let mut wrong = Vec::new();
    for row in rows.iter().enumerate().filter(|(at, _)| !dev || at % 3 != 2).map(|(_, row)| row) {
        let got = got(row);
        if got != row.wanted {
            wrong.push(format!("line {}: {}: got {got}, wanted {}", row.line, row.words, row.wanted));
        }
    }
    println!("{} of {} forms are right", rows.len() - wrong.len(), rows.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Reads a text as an article.
fn document(text: &str) -> Document {
    let file = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, text.as_bytes().to_vec()).unwrap();
    document::read(&file, &ReadOptions::default()).unwrap()
}

#[test]
fn a_document_resolves_against_its_own_date() {
    let body =
        "أعلن وزير الخارجية التونسي أمس الاثنين في العاصمة أن الاجتماع المقبل سيعقد في 15 أبريل المقبل بمشاركة ثلاث دول.";
    let dated = document(&format!("اتفاق جديد بين البلدين حول الحدود\n5 مارس 2024\n\n{body}\n"));
    assert_eq!(dated.meta.date.as_ref().unwrap().iso.to_string(), "2024-03-05");
    let isos: Vec<_> = dated.dates.iter().map(|d| (d.iso.as_deref(), d.basis, d.words.as_str())).collect();
    assert_eq!(
        isos,
        [(Some("2024-03-04"), Basis::Article, "أمس الاثنين"), (Some("2024-04-15"), Basis::Article, "15 أبريل المقبل")]
    );
    for date in &dated.dates {
        assert_eq!(date.span.of(&dated.text), date.words);
    }
    let undated = document(&format!("اتفاق جديد بين البلدين حول الحدود\n\n{body}\n"));
    let isos: Vec<_> = undated.dates.iter().map(|d| (d.iso.as_deref(), d.basis)).collect();
    assert_eq!(isos, [(None, Basis::Open), (Some("--04-15"), Basis::Open)]);
}

#[test]
fn the_islamic_date_is_kept_beside_the_other() {
    let found = moments_of("صدر في 12 رمضان 1445 هـ الموافق 22 مارس 2024 عن الديوان", None);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].iso.as_deref(), found[0].hijri.as_deref(), found[0].basis, found[0].words.as_str()),
        (Some("2024-03-22"), Some("1445-09-12"), Basis::Stated, "12 رمضان 1445 هـ الموافق 22 مارس 2024")
    );
    let found = moments_of("صدر في 12 رمضان 1445 هـ", None);
    assert_eq!((found[0].hijri.as_deref(), found[0].basis), (Some("1445-09-12"), Basis::Converted));
}

proptest! {
    #[test]
    fn no_row_of_words_makes_it_panic_and_spans_are_in_order(
        parts in prop::collection::vec(prop::sample::select(vec![
            "أمس", "اليوم", "غداً", "الأحد", "الماضي", "المقبل", "قبل", "بعد", "منذ", "ثلاثة", "أيام", "عامين", "من", "إلى", "بين",
            "و5", "-", "/", "3", "31", "2024", "1445", "هـ", "م", "مارس", "رمضان", "ذي", "الحجة", "كانون", "الثاني", "عام", "شهر",
            "الساعة", "18:30", "مساء", "بتوقيت", "غرينتش", "القدس", "مطلع", "أواخر", "الربع", "الأول", "صيف", "التسعينيات", "،", "(",
            ")", ".", "9999", "150", "مئة", "سنة", "الموافق", "2100/12/31", "1500/12/30", "1/1/1", "يومي", "\n",
        ]), 0..14),
        year in 1900i16..2100,
    ) {
        let text = parts.join(" ");
        for written in [None, Date::new(year, 2, 28).ok()] {
            let mut end = 0;
            for date in moments_of(&text, written) {
                prop_assert!(date.span.start >= end && date.span.end > date.span.start, "{text}");
                prop_assert_eq!(date.span.of(&text), date.words.as_str());
                end = date.span.end;
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        for date in moments_of(&text, Some(Date::constant(2024, 3, 5))) {
            prop_assert!(text.get(date.span.start..date.span.end).is_some());
        }
    }
}

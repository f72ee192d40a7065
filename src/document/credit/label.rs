//! Lines of facts that say what they are: "بقلم …", "المصدر: …", "تاريخ النشر: …".
//!
//! In: a line's text and the page's own names. Out: a [`Credit`]. Lines without a label are [`super`]'s.

use super::pieces::{separated, without_date, without_date_words};
use super::{Credit, dated, is, is_date_words, is_name, is_own, parts, unquoted};
use crate::document::line::key;
use crate::document::outlet::{Outlet, is_place, outlet};
use crate::document::stated;

/// Reads a line with a label: "كتب: …", "بقلم …", "المصدر: …", "تاريخ النشر: …".
pub(super) fn labelled(text: &str, own: &[String]) -> Option<Credit> {
    if is_posted(text) {
        let date = stated::first(text).map(|(date, _)| date);
        return Some(Credit { date, labelled: true, ..Credit::default() });
    }
    let text = text.trim_matches(['(', ')', '[', ']', '*', '_', '|', ' ']);
    if let Some((label, rest)) = text.split_once([':', '：']) {
        let (label, rest) = (key(label), unparted(rest));
        // "نشر في 3 مايو 2023 الساعة 14:30" has its colon elsewhere.
        if is("date", &label) || label.starts_with("تاريخ ") {
            return dated(rest, true);
        }
        if is("second", &label) && rest.split_whitespace().count() <= 6 {
            return (!rest.is_empty()).then(|| Credit { second: Some(unquoted(rest)), ..Credit::default() });
        }
        if is("byline", &label) && without_date(rest).0.split_whitespace().count() <= 9 {
            return person(rest, own);
        }
        // "حاورتها في صنعاء: …": where it was done stands before the name.
        if let Some((label, place)) = label.split_once(" في ")
            && is("byline", label)
            && place.split(' ').count() <= 2
        {
            return person(rest, own);
        }
        if is("source", &label) && !rest.is_empty() && rest.split_whitespace().count() <= 6 {
            if let Some(credit) = parts(rest, own) {
                return Some(credit);
            }
            let publisher = (outlet(rest) != Some(Outlet::Agencies)).then(|| unquoted(rest));
            return Some(Credit { publisher, ..Credit::default() });
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    for length in [3, 2, 1] {
        if words.len() <= length {
            continue;
        }
        let (label, rest) = (key(&words[..length].join(" ")), words[length..].join(" "));
        let rest = unparted(&rest);
        if is("date", &label)
            && let Some(credit) = dated(rest, true)
        {
            return Some(credit);
        }
        // Without a colon the verb "كتب" and the noun "تقرير" open sentences too: a name must follow, and nothing else.
        let sure = matches!(
            label.as_str(),
            "بقلم"
                | "اعداد"
                | "حاوره"
                | "حاورته"
                | "حاورها"
                | "حاورتها"
                | "نشر بواسطه"
                | "كتب بواسطه"
                | "مرسله بواسطه"
                | "بواسطه"
                | "by"
        );
        if is("byline", &label)
            && (is_name(rest)
                || (sure
                    && separated(&without_date(rest).0).next().is_some_and(|name| {
                        // "إعداد وتقديم" names nobody.
                        name.split_whitespace().count() <= 5 && (name.contains(' ') || !name.starts_with('و'))
                    })))
        {
            return person(rest, own);
        }
    }
    None
}

/// Returns whether a line is the sentence in which `WordPress` says when and in which section a post was published: its own
/// in English until 2010, and those of its Arabic translations.
pub(super) fn is_posted(text: &str) -> bool {
    let opens = [
        "This entry was posted",
        "نُشرت هذه التدوينة",
        "نشرت هذه التدوينة",
        "هذه التدوينة كتبت",
        "نُشر هذا المقال في",
        "كُتب هذا الموضوع",
    ];
    let goes_on = [
        "filed under",
        "You can follow any responses",
        "Bookmark the permalink",
        "وهي محفوظة",
        "ومصنفة",
        "ضمن التصنيف",
        "تحت تصنيف",
        "يمكنك متابعة",
        "الرابط الدائم",
    ];
    opens.iter().any(|lead| text.starts_with(lead)) && goes_on.iter().any(|rest| text.contains(rest))
}

/// Returns what follows a label, without what parts it from it.
fn unparted(rest: &str) -> &str {
    rest.trim_start_matches(['|', '-', ':', '/', '•', ' ']).trim()
}

/// Reads what follows a label for persons: a name, perhaps with a town, an outlet or a date after a separator.
fn person(rest: &str, own: &[String]) -> Option<Credit> {
    let (rest, date) = without_date(rest);
    let mut credit = Credit { date, ..Credit::default() };
    let mut names = Vec::new();
    for piece in separated(&rest) {
        let piece = without_date_words(piece);
        if is_date_words(piece) {
            continue;
        }
        if is_place(piece) && !names.is_empty() {
            credit.place = Some(piece.to_owned());
        } else if matches!(outlet(piece), Some(Outlet::Agency | Outlet::Publisher)) || is_own(piece, own) {
            credit.publisher = Some(unquoted(piece));
        } else if piece.chars().any(char::is_alphabetic) && (names.is_empty() || is_name(piece)) {
            names.push(piece.trim_end_matches('.').trim());
        }
    }
    if !names.is_empty() {
        credit.byline = Some(names.join("، "));
    }
    (credit != Credit::default()).then_some(credit)
}

//! What can be told of one sentence by its words: how it opens, whether somebody decides something in it, who speaks.
//!
//! In: the text of a segment in either language. Out: answers by which [`super::select`] weighs it. The lists are of
//! function words and of the verbs that news uses; none is of names.

use super::words::{Language, words};

/// Returns whether a text ends where a sentence does, quotation marks and brackets after the mark allowed.
pub(super) fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['"', '”', '»', '\'', '’', ')', ']']);
    text.ends_with(['.', '!', '?', '؟', '…', ':'])
}

/// How a sentence opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// With its own subject.
    Plain,
    /// With a pronoun, a demonstrative or a verb of speech whose speaker stands in an earlier sentence.
    Anaphoric,
    /// With the words by which news fills in what came before.
    Background,
    /// With a quotation, so that the speaker is elsewhere or comes late.
    Quote,
}

// Openings, as `words` normalises them. A verb of speech is anaphoric where no subject follows it at once.
const SPEECH: &[&str] = &[
    "قال",
    "قالت",
    "اضاف",
    "اضافت",
    "اوضح",
    "اوضحت",
    "اكد",
    "اكدت",
    "تابع",
    "تابعت",
    "اشار",
    "اشارت",
    "افاد",
    "افادت",
    "شدد",
    "شددت",
    "لفت",
    "لفتت",
    "ذكر",
    "ذكرت",
    "استطرد",
    "اردف",
    "زاد",
    "ختم",
    "صرح",
    "اعتبر",
    "اعتبرت",
    "راي",
];
const ANAPHORIC: &[&str] = &[
    "هو",
    "هي",
    "هم",
    "هذا",
    "هذه",
    "ذلك",
    "تلك",
    "كما",
    "كذلك",
    "ايضا",
    "لكن",
    "لكنه",
    "لكنها",
    "غير",
    "الا",
    "مضيفا",
    "مشيرا",
    "موضحا",
    "موكدا",
    "معتبرا",
    "قائلا",
    "لذلك",
    "لذا",
    "ومن",
    "حيث",
    "بل",
    "اذ",
    "هكذا",
    "اما",
];
const BACKGROUND: &[&str] = &["يذكر", "يشار", "جدير", "الجدير", "كان", "كانت", "سبق", "للاشاره", "للتذكير"];
const AFTER_SPEECH: &[&str] = &["ان", "انه", "انها", "بان", "بانه", "بانها", "الي", "علي", "في", "يوم", "ب"];
const ENGLISH_ANAPHORIC: &[&str] = &[
    "he",
    "she",
    "it",
    "they",
    "this",
    "that",
    "these",
    "those",
    "also",
    "but",
    "and",
    "his",
    "her",
    "their",
    "its",
    "however",
    "moreover",
    "furthermore",
    "so",
    "then",
    "such",
    "meanwhile",
    "additionally",
];

pub(super) fn opening(source: &str) -> Opening {
    let trimmed = source.trim_start();
    if trimmed.starts_with(['"', '“', '«', '\'', '‘']) {
        return Opening::Quote;
    }
    let words = words(trimmed);
    let Some(first) = words.first() else { return Opening::Anaphoric };
    if Language::of(trimmed) == Language::English {
        return if ENGLISH_ANAPHORIC.contains(&first.as_str()) { Opening::Anaphoric } else { Opening::Plain };
    }
    let bare = first.strip_prefix(['و', 'ف']).unwrap_or(first);
    let is = |list: &[&str]| list.contains(&first.as_str()) || list.contains(&bare);
    if is(SPEECH) {
        let second = words.get(1).map(String::as_str).unwrap_or_default();
        let quoted = trimmed.split_whitespace().nth(1).is_some_and(|w| w.starts_with(['"', '“', '«', '‘', ':']));
        return if quoted || AFTER_SPEECH.contains(&second) || second.is_empty() {
            Opening::Anaphoric
        } else {
            Opening::Plain
        };
    }
    // "That meeting came after ..." says what was before the news.
    if ["جاء", "جاءت"].contains(&bare)
        && words.get(1).is_some_and(|second| ["هذا", "هذه", "ذلك", "تلك"].contains(&second.as_str()))
    {
        return Opening::Background;
    }
    if is(ANAPHORIC) {
        return Opening::Anaphoric;
    }
    if is(BACKGROUND) { Opening::Background } else { Opening::Plain }
}

// Verbs (and their nouns) by which somebody decides or does something, rather than comments on it; normalised.
const DECISIONS: &[&str] = &[
    "اتفق",
    "اتفقت",
    "اتفقا",
    "اتفقوا",
    "قرر",
    "قررت",
    "وقع",
    "وقعت",
    "صوت",
    "صوتت",
    "وافق",
    "وافقت",
    "رفض",
    "رفضت",
    "طالب",
    "طالبت",
    "دعا",
    "دعت",
    "طلب",
    "طلبت",
    "اعلن",
    "اعلنت",
    "اطلق",
    "اطلقت",
    "عين",
    "عينت",
    "ادان",
    "ادانت",
    "يهدف",
    "تهدف",
    "تسعي",
    "يسعي",
    "تتطلع",
    "يعتزم",
    "تعتزم",
    "agreed",
    "decided",
    "signed",
    "voted",
    "approved",
    "rejected",
    "refused",
    "called",
    "demanded",
    "announced",
    "launched",
    "appointed",
    "condemned",
    "plans",
    "banned",
];

pub(super) fn decides(source: &str) -> bool {
    words(source).iter().any(|word| {
        DECISIONS.contains(&word.as_str()) || word.strip_prefix(['و', 'ف']).is_some_and(|w| DECISIONS.contains(&w))
    })
}

/// Returns whether a commentator is named: a professor, researcher, expert, analyst or observer.
pub(super) fn comments(source: &str) -> bool {
    const COMMENTATORS: &[&str] = &[
        "استاذ",
        "باحث",
        "خبير",
        "محلل",
        "مراقب",
        "كاتب",
        "الاستاذ",
        "الباحث",
        "الخبير",
        "المحلل",
        "المراقبون",
        "مراقبون",
        "خبراء",
        "محللون",
        "professor",
        "researcher",
        "expert",
        "analyst",
        "analysts",
        "experts",
        "observers",
    ];
    words(source).iter().any(|word| COMMENTATORS.contains(&word.as_str()))
}

/// Returns the share of a text's bytes that stand within quotation marks.
pub(super) fn quoted_share(text: &str) -> f64 {
    let (mut within, mut open) = (0usize, false);
    for c in text.chars() {
        match c {
            '"' => open = !open,
            '“' | '«' => open = true,
            '”' | '»' => open = false,
            c if open => within += c.len_utf8(),
            _ => {}
        }
    }
    within as f64 / text.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_told_apart() {
        for (text, expected) in [
            ("اتفقت الجزائر وليبيا على خطة", Opening::Plain),
            ("وأضاف أن الأمن اليوم مسؤولية مشتركة", Opening::Anaphoric),
            ("وقال “نحن نحاول”", Opening::Anaphoric),
            ("وقال وزير الداخلية إن بلاده مستعدة", Opening::Plain),
            ("كما تلمح الأولوية", Opening::Anaphoric),
            ("يذكر أن البرلمان صوت", Opening::Background),
            ("“حفاظا على السلم” هكذا قال", Opening::Quote),
            ("He said so", Opening::Anaphoric),
            ("Libya asked for help", Opening::Plain),
            ("", Opening::Anaphoric),
        ] {
            assert_eq!(opening(text), expected, "{text}");
        }
    }

    #[test]
    fn a_sentence_ends_at_its_mark_even_within_quotes() {
        assert!(ends_sentence("قال “نعم.”"));
        assert!(ends_sentence("انتهى."));
        assert!(!ends_sentence("بعد ذلك،"));
    }
}

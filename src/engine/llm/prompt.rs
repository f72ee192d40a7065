//! What a translation prompt says: worked examples, then the segment with its terms.
//!
//! In: a request. Out: the text that comes before every segment (read once), and the text of one segment. The examples are
//! our own sentences.

use crate::batch::Request;

/// A worked example: terms, Arabic, English.
struct Example {
    terms: &'static [(&'static str, &'static str)],
    arabic: &'static str,
    english: &'static str,
}

/// Four sentences of the kinds that news has: a statement, a figure, a quotation, a date.
const EXAMPLES: &[Example] = &[
    Example {
        terms: &[("الجزائر", "Algeria"), ("تونس", "Tunisia"), ("رئيس الحكومة", "Prime Minister")],
        arabic: "وصل رئيس الحكومة إلى تونس، أمس الأحد، قادما من الجزائر في زيارة عمل تدوم يومين.",
        english: "The Prime Minister arrived in Tunisia on Sunday from Algeria for a two-day working visit.",
    },
    Example {
        terms: &[("وزارة الصحة", "Ministry of Health"), ("المغرب", "Morocco")],
        arabic: "وأعلنت وزارة الصحة في المغرب تسجيل 1450 إصابة جديدة خلال الـ24 ساعة الماضية، أي أقل بـ12 بالمائة من الأسبوع الماضي.",
        english: "The Ministry of Health in Morocco announced 1,450 new cases in the past 24 hours, 12 percent fewer than last week.",
    },
    Example {
        terms: &[("الأمم المتحدة", "United Nations"), ("ليبيا", "Libya")],
        arabic: "وقال مبعوث الأمم المتحدة إن «الحل في ليبيا لن يكون عسكريا»، داعيا جميع الأطراف إلى الحوار.",
        english: "The United Nations envoy said that \"the solution in Libya will not be military\", and called on all parties to talk.",
    },
    Example {
        terms: &[("مجلس النواب", "House of Representatives"), ("مارس", "March")],
        arabic: "ولم يصادق مجلس النواب على مشروع القانون الذي كان مقررا أن يدخل حيز التنفيذ في 15 مارس 2019.",
        english: "The House of Representatives did not approve the bill, which was to take effect on March 15, 2019.",
    },
];

/// Text at which a translation ends.
pub const STOP: &str = "\n";

/// Returns the part of the prompt that all segments share. `variant` turns the order of the examples, so that greedy decoding
/// gives other hypotheses.
pub fn examples(variant: usize) -> String {
    let mut text = String::from("Arabic news translated into English.\n\n");
    for i in 0..EXAMPLES.len() {
        let example = &EXAMPLES[(i + variant) % EXAMPLES.len()];
        let terms = example.terms.iter().copied();
        text.push_str(&segment_lines(terms, example.arabic));
        text.push(' ');
        text.push_str(example.english);
        text.push_str("\n\n");
    }
    text
}

/// Returns the part of the prompt that is one segment's own; the translation follows it.
pub fn segment(request: &Request) -> String {
    let terms = request.terms.iter().map(|term| (term.source.as_str(), term.target.as_str()));
    segment_lines(terms, &request.source)
}

fn segment_lines<'t>(terms: impl Iterator<Item = (&'t str, &'t str)>, arabic: &str) -> String {
    let words: Vec<String> = terms.map(|(source, target)| format!("{source} = {target}")).collect();
    let mut text = String::new();
    if !words.is_empty() {
        text.push_str("Words: ");
        text.push_str(&words.join("; "));
        text.push('\n');
    }
    // A segment is one line: a line break in it would end the example.
    let arabic: Vec<&str> = arabic.split_whitespace().collect();
    text.push_str("Arabic: ");
    text.push_str(&arabic.join(" "));
    text.push_str("\nEnglish:");
    text
}

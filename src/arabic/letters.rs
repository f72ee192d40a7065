//! Letters and digits as they are compared: named rules that take away what makes one word look like two.
//!
//! In: text in Arabic script. Out: the same text with one or more [`Rule`]s applied. Which rules are used where: reading
//! a file applies [`CLEANING`] (nothing a reader would miss), looking words up applies [`MATCHING`]. Each rule is
//! idempotent. A user switches those of [`Rule::READING`] by name. Source: the Arabic and presentation-forms blocks of the Unicode Standard.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// One change to the letters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Takes away bidirectional controls, zero-width characters, soft hyphens and byte order marks.
    Invisible,
    /// Turns no-break and other odd spaces into plain ones.
    Spaces,
    /// Turns positional forms and ligatures (U+FB50 to U+FDFF, U+FE70 to U+FEFC) into the letters they stand for.
    PresentationForms,
    /// Takes away tatweel, the stretcher `ـ`.
    Tatweel,
    /// Takes away tatweel between letters, and runs of it beside one. A single one at the end of a word is spelling ("1442هـ",
    /// "لـ«رويترز»"), and one between spaces stands for a dash: these stay.
    Stretching,
    /// Takes away vowel signs, shadda, sukun and Koranic marks.
    Diacritics,
    /// Turns `أ إ آ ٱ` into `ا`, `ؤ` into `و` and `ئ` into `ي`.
    Hamza,
    /// Turns final `ى` into `ي`, and the Persian `ی ک` into `ي ك`.
    Yeh,
    /// Turns `ة` into `ه`.
    TehMarbuta,
    /// Turns Arabic-Indic and Persian digits into 0 to 9, `٫` into `.`, `٬` into `,` and `٪` into `%`.
    Digits,
    /// Turns all double quotation marks into `"` and all single ones into `'`.
    Quotes,
}

impl Rule {
    /// The rules that reading a file can use, by name: those that leave the spelling of words alone.
    pub const READING: &[(&str, Self)] = &[
        ("invisible", Self::Invisible),
        ("spaces", Self::Spaces),
        ("presentation-forms", Self::PresentationForms),
        ("stretching", Self::Stretching),
        ("tatweel", Self::Tatweel),
        ("diacritics", Self::Diacritics),
        ("digits", Self::Digits),
        ("quotes", Self::Quotes),
    ];

    /// Returns the rule of a name, if it is one of [`Self::READING`].
    pub fn by_name(name: &str) -> Option<Self> {
        Self::READING.iter().find(|(known, _)| *known == name).map(|&(_, rule)| rule)
    }
}

/// The rules for reading a file: what they change, no reader sees.
pub const CLEANING: &[Rule] = &[Rule::Invisible, Rule::Spaces, Rule::PresentationForms, Rule::Stretching];

/// The rules for comparing words; the result is a key, not a text to show.
pub const MATCHING: &[Rule] = &[
    Rule::Invisible,
    Rule::Spaces,
    Rule::PresentationForms,
    Rule::Tatweel,
    Rule::Diacritics,
    Rule::Hamza,
    Rule::Yeh,
    Rule::TehMarbuta,
    Rule::Digits,
];

/// Applies rules to a text, whatever the order they are listed in.
pub fn apply(text: &str, rules: &[Rule]) -> String {
    let mut out = String::with_capacity(text.len());
    let forms = rules.contains(&Rule::PresentationForms);
    for c in text.chars() {
        if forms && is_presentation_form(c) {
            for letter in std::iter::once(c).nfkc() {
                push(&mut out, letter, rules);
            }
        } else {
            push(&mut out, c, rules);
        }
    }
    if rules.contains(&Rule::Stretching) && out.contains(TATWEEL) { unstretched(&out) } else { out }
}

/// The stretcher.
const TATWEEL: char = '\u{640}';

/// Takes tatweel away between letters, and runs of two and more that touch one.
fn unstretched(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let touches = |c: char| is_arabic_letter(c) || is_diacritic(c);
    let mut rest = text;
    while let Some(at) = rest.find(TATWEEL) {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(|c| c != TATWEEL).map_or(rest.len(), |length| at + length);
        let left = out.chars().next_back().is_some_and(touches);
        let right = rest[end..].chars().next().is_some_and(touches);
        let one = end - at == TATWEEL.len_utf8();
        if !(left && right || (left || right) && !one) {
            out.push_str(&rest[at..end]);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Returns the key under which a word or a phrase is compared: [`MATCHING`] applied.
pub fn key(text: &str) -> String {
    apply(text, MATCHING)
}

fn push(out: &mut String, c: char, rules: &[Rule]) {
    // Most characters are ones that no rule changes.
    if matches!(c, '\0'..='~' | 'ا' | 'ب' | 'ت'..='غ' | 'ف'..='و') {
        out.push(c);
        return;
    }
    let mut c = c;
    for rule in rules {
        match changed(c, *rule) {
            Some(new) => c = new,
            None => return,
        }
    }
    out.push(c);
}

/// Returns what a rule makes of a character; `None` takes it away.
fn changed(c: char, rule: Rule) -> Option<char> {
    match rule {
        Rule::Invisible if is_invisible(c) => None,
        Rule::Spaces if is_odd_space(c) => Some(' '),
        Rule::Tatweel if c == TATWEEL => None,
        Rule::Diacritics if is_diacritic(c) => None,
        Rule::Hamza => Some(match c {
            'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
            'ؤ' => 'و',
            'ئ' => 'ي',
            _ => c,
        }),
        Rule::Yeh => Some(match c {
            'ى' | 'ی' => 'ي',
            'ک' => 'ك',
            _ => c,
        }),
        Rule::TehMarbuta if c == 'ة' => Some('ه'),
        Rule::Digits => Some(match c {
            '٫' => '.',
            '٬' => ',',
            '٪' => '%',
            _ => digit(c).map_or(c, |d| char::from(b'0' + d)),
        }),
        Rule::Quotes => Some(match c {
            '«' | '»' | '“' | '”' | '„' | '‟' | '〝' | '〞' => '"',
            '‹' | '›' | '‘' | '’' | '‚' | '‛' => '\'',
            _ => c,
        }),
        _ => Some(c),
    }
}

/// Returns the value of a Western, Arabic-Indic or Persian digit.
pub fn digit(c: char) -> Option<u8> {
    crate::number::digit(c).and_then(|digit| u8::try_from(digit).ok())
}

/// Returns whether a character is a letter of the Arabic script.
pub fn is_arabic_letter(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d3}' | '\u{6fa}'..='\u{6ff}' | '\u{750}'..='\u{77f}')
        && c != '\u{640}'
        || is_presentation_form(c)
}

/// Returns whether a character is a vowel sign or another mark over or under a letter.
pub fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}')
}

fn is_presentation_form(c: char) -> bool {
    matches!(c, '\u{fb50}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
        // Ornate parentheses are punctuation of their own.
        && !matches!(c, '\u{fd3e}' | '\u{fd3f}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

fn is_odd_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_rule_does_its_one_thing() {
        for (rule, text, wanted) in [
            (Rule::Invisible, "\u{202b}ليبيا\u{200f}\u{feff}", "ليبيا"),
            (Rule::Spaces, "12\u{a0}غشت", "12 غشت"),
            (Rule::PresentationForms, "ﻻ ﷲ ﻣﺼﺮ", "لا الله مصر"),
            (Rule::Tatweel, "لـ900", "ل900"),
            (Rule::Stretching, "مـــصر ـ لـ900 بـ«أ» 1442هـ ــ مــ", "مصر ـ لـ900 بـ«أ» 1442هـ ــ م"),
            (Rule::Diacritics, "نفعِّل", "نفعل"),
            (Rule::Hamza, "أإآؤئ", "اااوي"),
            (Rule::Yeh, "على", "علي"),
            (Rule::TehMarbuta, "حكومة", "حكومه"),
            (Rule::Digits, "٢٠٢١/۰۴/21 ٪", "2021/04/21 %"),
            (Rule::Quotes, "«قال” „لا‟ ‹و’", "\"قال\" \"لا\" 'و'"),
        ] {
            assert_eq!(apply(text, &[rule]), wanted, "{rule:?}");
        }
        assert_eq!(key("الأُمَمُ المُتَّحِدَة"), key("الامم المتحده"));
        assert_eq!(apply("على أُمّة", CLEANING), "على أُمّة", "cleaning leaves spelling alone");
    }

    #[test]
    fn rules_of_reading_have_the_names_they_are_kept_under() {
        for &(name, rule) in Rule::READING {
            assert_eq!(Rule::by_name(name), Some(rule));
            assert_eq!(serde_json::to_value(rule).unwrap(), name);
        }
        assert!(CLEANING.iter().all(|rule| Rule::READING.iter().any(|(_, known)| known == rule)));
        assert_eq!(Rule::by_name("hamza"), None, "reading leaves spelling alone");
    }

    proptest! {
        #[test]
        fn no_rule_of_reading_loses_a_word(text in "[ابتمنيدوفأةىـ ﻻﷲﻣ\u{200f}\u{64e}0-9٠-٩a-c«»“]{0,40}", rules in proptest::sample::subsequence(Rule::READING.to_vec(), 0..=8)) {
            let rules: Vec<Rule> = rules.into_iter().map(|(_, rule)| rule).collect();
            let cleaned = apply(&text, &rules);
            let bare = |text: &str| key(text).replace(['«', '»', '“', '"'], "");
            prop_assert_eq!(bare(&cleaned), bare(&text));
            prop_assert_eq!(apply(&cleaned, &rules), cleaned);
        }

        #[test]
        fn cleaning_loses_no_word(text in "[ابتمنيدوفأةىـ ﻻﷲﻣ\u{200f}\u{64e}0-9٠-٩a-c«»]{0,40}") {
            let cleaned = apply(&text, CLEANING);
            // What words are compared by is the same before and after.
            prop_assert_eq!(key(&cleaned), key(&text));
            prop_assert_eq!(apply(&cleaned, CLEANING), cleaned);
        }

        #[test]
        fn every_rule_is_idempotent(text in "\\PC{0,40}") {
            for rule in MATCHING.iter().chain(Rule::READING.iter().map(|(_, rule)| rule)) {
                let once = apply(&text, &[*rule]);
                prop_assert_eq!(apply(&once, &[*rule]), once);
            }
            prop_assert_eq!(key(&key(&text)), key(&text));
        }
    }
}

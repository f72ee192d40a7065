//! The words of a sentence as selection counts them: normalised, without clitics and endings, function words left out.
//!
//! In: Arabic or English text. Out: stems. Stems are made for comparing words within one article, not for display: two
//! forms of a word should meet, and it does little harm where two words do. The Arabic rules are those of light
//! stemming (Larkey, Ballesteros, Connell 2007, "light10"), with single-letter prepositions taken off only where the
//! rest is known from elsewhere.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::arabic::letters::{is_arabic_letter, key};

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// More Arabic than Latin letters.
    Arabic,
    /// Anything else.
    English,
}

impl Language {
    /// Tells the language of a text by its letters.
    pub fn of(text: &str) -> Self {
        let arabic = text.chars().filter(|&c| is_arabic_letter(c)).count();
        let latin = text.chars().filter(char::is_ascii_alphabetic).count();
        if arabic > latin { Self::Arabic } else { Self::English }
    }
}

/// Cuts a text into words: lower case, Arabic spelling folded (hamza seats, final ya and ta marbuta), vowel signs and
/// tatweel gone, digits of any script as ASCII.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in key(text).chars() {
        match c {
            '\'' | '’' if !word.is_empty() => word.push('\''),
            c if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ => finish(&mut word, &mut words),
        }
    }
    finish(&mut word, &mut words);
    words
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    let trimmed = word.trim_end_matches('\'');
    let trimmed = trimmed.strip_suffix("'s").unwrap_or(trimmed);
    if !trimmed.is_empty() {
        words.push(trimmed.to_owned());
    }
    word.clear();
}

/// Returns whether a word (as [`words`] gives it) says nothing about what a sentence is about.
pub fn is_stopword(word: &str) -> bool {
    static STOPWORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let lines = include_str!("data/stopwords.txt").lines().filter(|line| !line.starts_with('#'));
        lines.flat_map(words).collect()
    });
    STOPWORDS.contains(word)
        || word.strip_prefix(['و', 'ف']).is_some_and(|rest| rest.chars().count() > 1 && STOPWORDS.contains(rest))
        || word.chars().count() < 2
}

/// Returns the stem of a word as [`words`] gives it.
pub fn stem(word: &str) -> String {
    match Language::of(word) {
        Language::Arabic => arabic_stem(word),
        Language::English => english_stem(word),
    }
}

fn letters(word: &str) -> usize {
    word.chars().count()
}

fn arabic_stem(word: &str) -> String {
    let mut rest = word;
    if let Some(bare) = rest.strip_prefix('و').filter(|bare| letters(bare) >= 3) {
        rest = bare;
    }
    for article in ["وال", "بال", "كال", "فال", "ال", "لل"] {
        if let Some(bare) = rest.strip_prefix(article).filter(|bare| letters(bare) >= 2) {
            rest = bare;
            break;
        }
    }
    for ending in ["ها", "هم", "ان", "ات", "ون", "ين", "يه", "ه", "ي"] {
        if let Some(bare) = rest.strip_suffix(ending).filter(|bare| letters(bare) >= 3) {
            rest = bare;
        }
    }
    rest.to_owned()
}

fn english_stem(word: &str) -> String {
    let mut stem = word.to_owned();
    for (ending, instead) in
        [("ies", "y"), ("sses", "ss"), ("ings", ""), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("ly", "")]
    {
        if let Some(bare) = word.strip_suffix(ending).filter(|bare| bare.len() >= 3 && !bare.ends_with('s')) {
            stem = format!("{bare}{instead}");
            break;
        }
    }
    // So that "train", "trained" and "trainee", "vote" and "voting" meet.
    match stem.strip_suffix('e').filter(|bare| bare.len() >= 3) {
        Some(bare) => bare.to_owned(),
        None => stem,
    }
}

/// Returns a stem without a single-letter Arabic preposition (or future marker), where it has one.
pub fn without_preposition(stem: &str) -> Option<&str> {
    stem.strip_prefix(['ل', 'ب', 'ف', 'ك', 'س']).filter(|bare| letters(bare) >= 3)
}

/// The stems that stand in an article, by which prepositions are told from first letters.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    stems: BTreeSet<String>,
}

impl Vocabulary {
    /// Learns the stems of texts.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        Self { stems: texts.flat_map(words).map(|word| stem(&word)).collect() }
    }

    /// Returns the stems of a text's content words, in order, each as often as it stands there.
    pub fn content(&self, text: &str) -> Vec<String> {
        words(text).iter().filter(|word| !is_stopword(word)).map(|word| self.canonical(word)).collect()
    }

    fn canonical(&self, word: &str) -> String {
        let stem = stem(word);
        // No English stem starts with an Arabic letter, so this leaves English alone.
        match without_preposition(&stem).filter(|bare| self.stems.contains(*bare)) {
            Some(bare) => bare.to_owned(),
            None => stem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for (one, other) in [
            ("والتعاون", "تعاون"),
            ("الجزائرية", "الجزائر"),
            ("للحدود", "حدود"),
            ("مؤسساتها", "المؤسسات"),
            ("voting", "vote"),
            ("borders", "border"),
            ("policies", "policy"),
        ] {
            assert_eq!(stem(&words(one)[0]), stem(&words(other)[0]), "{one} {other}");
        }
    }

    #[test]
    fn a_preposition_is_taken_off_where_the_rest_is_known() {
        let known = Vocabulary::of(["تدريب الجيش"].into_iter());
        assert_eq!(known.content("لتدريب"), known.content("التدريب"));
        assert_ne!(Vocabulary::default().content("لتدريب"), Vocabulary::default().content("التدريب"));
    }

    #[test]
    fn function_words_and_reporting_verbs_are_left_out() {
        let none = Vocabulary::default();
        assert_eq!(none.content("وأضاف أن هذا"), Vec::<String>::new());
        assert_eq!(none.content("He said that the border"), vec!["border"]);
        assert_eq!(none.content("٢٠١١"), vec!["2011"]);
    }

    #[test]
    fn the_language_is_told_by_letters() {
        assert_eq!(Language::of("ليبيا (Libya)  و تونس"), Language::Arabic);
        assert_eq!(Language::of("Libya 2011"), Language::English);
    }
}

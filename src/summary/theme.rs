//! What news is about: some sixty themes with their keywords in Arabic and English, and how strongly a text speaks of each.
//!
//! In: `data/themes.tsv` (hand-made for mujaz, compiled in) and a text in either language. Out: scores a theme. The
//! source text is asked first, so that a theme does not depend on the translator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::words::{is_stopword, stem, without_preposition, words};

/// A theme of news.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Its label, two to five words: `Border security`.
    pub label: String,
    /// Its family: themes that tell one story together, such as `settlement`.
    pub family: String,
    /// How much it says, 0 to 1: below 1 for themes that most articles touch (`Official statements`).
    pub weight: f64,
    /// Keywords as stems; more than one stem is a phrase, whose stems must follow each other.
    keywords: Vec<Vec<String>>,
}

/// The themes, with an index from a keyword's first stem.
#[derive(Debug)]
pub struct Themes {
    /// In file order.
    pub themes: Vec<Theme>,
    /// First stem to (theme, keyword) pairs.
    index: BTreeMap<String, Vec<(usize, usize)>>,
}

/// A phrase says more than a word that may stand for many things.
const PHRASE_WEIGHT: f64 = 2.0;

impl Themes {
    /// Returns the themes that are compiled in; they are read once.
    pub fn builtin() -> &'static Themes {
        static BUILTIN: LazyLock<Themes> = LazyLock::new(|| Themes::parse(include_str!("data/themes.tsv")));
        &BUILTIN
    }

    /// Reads lines of `label TAB family TAB weight TAB Arabic keywords TAB English keywords`, keywords separated by commas; a line
    /// that does not have this form is left out (a test holds the built-in file to it).
    pub fn parse(tsv: &str) -> Self {
        let mut themes = Vec::new();
        let mut index: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for line in tsv.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [label, family, weight, arabic, english] = fields[..] else { continue };
            let Ok(weight) = weight.parse() else { continue };
            let keywords: BTreeSet<Vec<String>> = arabic
                .split(['،', ','])
                .chain(english.split(','))
                .map(|keyword| words(keyword).iter().map(|word| stem(word)).collect::<Vec<_>>())
                .filter(|stems| !stems.is_empty())
                .collect();
            let keywords: Vec<Vec<String>> = keywords.into_iter().collect();
            for (number, keyword) in keywords.iter().enumerate() {
                index.entry(keyword[0].clone()).or_default().push((themes.len(), number));
            }
            themes.push(Theme { label: label.to_owned(), family: family.to_owned(), weight, keywords });
        }
        Self { themes, index }
    }

    /// Scores every theme that a text speaks of: the sum over its distinct keywords, a repeated one counting a little
    /// more, times the theme's weight. Themes with no keyword in the text are left out.
    pub fn scores(&self, text: &str) -> BTreeMap<usize, f64> {
        let stems: Vec<String> = words(text).iter().map(|word| stem(word)).collect();
        let mut hits: BTreeMap<(usize, usize), u32> = BTreeMap::new();
        // Where each theme's last match ends: words within a phrase do not count once more beside it.
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for at in 0..stems.len() {
            // A word matches with and without a preposition at its front; the longest keyword of a theme counts.
            let mut found: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for first in [Some(stems[at].as_str()), without_preposition(&stems[at])].into_iter().flatten() {
                for &(theme, keyword) in self.index.get(first).into_iter().flatten() {
                    let further = &self.themes[theme].keywords[keyword][1..];
                    let Some(length) = follows(further, &stems[at + 1..]) else { continue };
                    let longest = found.entry(theme).or_insert((length, keyword));
                    *longest = (*longest).max((length, keyword));
                }
            }
            for (theme, (length, keyword)) in found {
                let end = ends.entry(theme).or_default();
                if *end <= at {
                    *end = at + 1 + length;
                    *hits.entry((theme, keyword)).or_default() += 1;
                }
            }
        }
        let mut scores = BTreeMap::new();
        for ((theme, keyword), times) in hits {
            let phrase = if self.themes[theme].keywords[keyword].len() > 1 { PHRASE_WEIGHT } else { 1.0 };
            *scores.entry(theme).or_insert(0.0) += self.themes[theme].weight * phrase * f64::from(times).sqrt();
        }
        scores
    }
}

/// Returns how many stems a keyword's further stems take, where they follow; one function word may stand before each.
fn follows(wanted: &[String], stems: &[String]) -> Option<usize> {
    let mut at = 0;
    for want in wanted {
        if stems.get(at).is_some_and(|s| s != want && without_preposition(s) != Some(want) && is_stopword(s)) {
            at += 1;
        }
        match stems.get(at) {
            Some(s) if s == want || without_preposition(s) == Some(want) => at += 1,
            _ => return None,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(text: &str) -> &'static str {
        let themes = Themes::builtin();
        let scores = themes.scores(text);
        let best = scores.iter().max_by(|a, b| a.1.total_cmp(b.1)).expect("a theme is found");
        &themes.themes[*best.0].label
    }

    #[test]
    fn every_line_of_the_file_is_a_theme_with_a_label_of_two_to_five_words() {
        let lines = include_str!("data/themes.tsv").lines().filter(|line| !line.starts_with('#')).count();
        let themes = &Themes::builtin().themes;
        assert_eq!(themes.len(), lines);
        assert!(lines >= 60, "{lines} themes");
        let labels: BTreeSet<&str> = themes.iter().map(|theme| theme.label.as_str()).collect();
        assert_eq!(labels.len(), lines, "labels are distinct");
        for theme in themes {
            let words = theme.label.split_whitespace().count();
            assert!((2..=5).contains(&words) && !theme.label.contains(':'), "{}", theme.label);
            assert!(theme.weight > 0.0 && theme.weight <= 1.0, "{}", theme.label);
            assert!(theme.keywords.len() >= 6, "{}", theme.label);
        }
    }

    #[test]
    fn sentences_in_both_languages_find_their_theme() {
        for (text, label) in [
            ("ارتفعت أسعار النفط بعد قرار أوبك خفض الإنتاج", "Oil and gas"),
            ("Oil prices rose after OPEC cut its output of crude", "Oil and gas"),
            ("توجه الناخبون إلى مراكز الاقتراع لاختيار رئيس جديد", "Elections and voting"),
            ("Voters went to the polls to elect a new president", "Elections and voting"),
            ("غرق قارب يحمل مهاجرين قبالة سواحل المتوسط", "Migration and refugees"),
            ("قضت المحكمة بسجن المتهم خمس سنوات", "Courts and justice"),
            ("ضرب زلزال بقوة سبع درجات المدينة", "Natural disasters"),
        ] {
            assert_eq!(best(text), label, "{text}");
        }
    }

    #[test]
    fn phrases_match_with_clitics() {
        assert!(best("وقعت الدولتان اتفاقا للتعاون العسكري").starts_with("Military cooperation"));
    }
}

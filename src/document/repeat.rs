//! How much of a short text stands, word for word, in the others.
//!
//! In: the texts of a page. Out: for each the share of its runs of four words that also stand in another text. Long texts
//! are not asked (0). Time and memory are linear: only runs of short texts are kept.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::line::key;

/// Words in a run.
const RUN: usize = 4;

/// Texts with more words than this are no quotation of another.
const MAX_WORDS: usize = 80;

/// The most texts that are compared: what a page of an article can hold, not what an archive in one file can.
const MAX_TEXTS: usize = 20_000;

/// Returns for each text the share (0 to 1) of its runs that stand in another text.
pub(super) fn shares(texts: &[&str]) -> Vec<f64> {
    if texts.len() > MAX_TEXTS {
        return vec![0.0; texts.len()];
    }
    // For each run of a short text: the first text it stands in, and whether it stands in another too.
    let mut seen: HashMap<u64, (usize, bool)> = HashMap::new();
    let runs_of = |text: &str| -> Vec<u64> {
        let key = key(text);
        let words: Vec<&str> = key.split(' ').filter(|w| !w.is_empty()).collect();
        words.windows(RUN).map(hash).collect()
    };
    let short = |text: &str| text.split_whitespace().take(MAX_WORDS + 1).count() <= MAX_WORDS;
    for (place, text) in texts.iter().enumerate().filter(|(_, text)| short(text)) {
        for run in runs_of(text) {
            seen.entry(run).or_insert((place, false));
        }
    }
    for (place, text) in texts.iter().enumerate() {
        for run in runs_of(text) {
            if let Some((owner, again)) = seen.get_mut(&run) {
                *again |= *owner != place;
            }
        }
    }
    texts
        .iter()
        .map(|text| {
            if !short(text) {
                return 0.0;
            }
            let runs = runs_of(text);
            let again = runs.iter().filter(|run| seen.get(run).is_some_and(|&(_, again)| again)).count();
            if runs.is_empty() { 0.0 } else { again as f64 / runs.len() as f64 }
        })
        .collect()
}

fn hash(words: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

/// How often the words of a line stand on a page, as far as the line is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Nowhere else.
    Once,
    /// Here first of several times.
    First,
    /// Before it too.
    Again,
}

/// How many long lines a page says again that holds its article twice: fewer are quotations, or a refrain.
const COPIED: usize = 3;

/// The fewest words of a line that is left out as a copy: who speaks is said again and again in one text.
pub(super) const COPY: usize = 4;

/// The fewest words of a long line.
const LONG: usize = 8;

/// Returns for each line how often its words stand there, and whether the second copies are those of a whole text. Lines
/// come with what they are compared by, which is empty for long ones.
pub(super) fn said<'t>(lines: impl Iterator<Item = (&'t str, &'t String)>) -> (Vec<Said>, bool) {
    let words: Vec<&str> = lines.map(|(key, text)| if key.is_empty() { text.as_str() } else { key }).collect();
    let mut places: HashMap<&str, (usize, usize)> = HashMap::new();
    for (place, words) in words.iter().enumerate() {
        places.entry(words).or_insert((place, 0)).1 += 1;
    }
    let said = |(place, words): (usize, &&str)| match places[words] {
        (_, 1) => Said::Once,
        (first, _) if first == place => Said::First,
        _ => Said::Again,
    };
    let found: Vec<Said> = words.iter().enumerate().map(said).collect();
    let long = |words: &str| words.split_whitespace().take(LONG).count() == LONG;
    let copied = words.iter().zip(&found).filter(|(words, said)| **said == Said::First && long(words)).count();
    (found, copied >= COPIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_found_and_its_source_is_not() {
        let source = "وأضاف الوزير في تصريح طويل أن بلاده مستعدة لتقديم كل ما يلزم من دعم إلى الجيران في هذه المرحلة \
                      الصعبة من تاريخهم المشترك. كلمات أخرى كثيرة لا تعاد في مكان آخر من هذا النص الذي كتب للاختبار فقط.";
        let quote = "بلاده مستعدة لتقديم كل ما يلزم من دعم إلى الجيران";
        let shares = shares(&[source, quote, "عنوان فرعي لا يعاد في النص"]);
        assert!(shares[1] > 0.99, "{shares:?}");
        assert!(shares[0] < 0.5, "{shares:?}");
        assert_eq!(shares[2], 0.0);
    }
}

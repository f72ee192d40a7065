//! Corpus chrF: the F-score of character n-grams, which forgives endings and punishes other names.
//!
//! In: pairs of a hypothesis and one reference. Out: a score from 0 to 100. Characters are Unicode scalar values, white
//! space is taken away, n goes from 1 to 6, recall counts twice (chrF2), orders that either side lacks do not count. Source:
//! Popović 2015; sacrebleu 2.6, `metrics/chrf.py`, with its defaults.

use std::collections::BTreeMap;

use super::is_space;

/// The longest n-grams that count.
const ORDERS: usize = 6;
/// How much more recall counts than precision.
const BETA: f64 = 2.0;

/// The definition, in sacrebleu's own notation.
pub const SIGNATURE: &str = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0";

/// N-grams of one order over a corpus.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    hypothesis: u64,
    reference: u64,
    matches: u64,
}

/// Scores a corpus of (hypothesis, reference); an empty one scores 0.
///
/// # Examples
/// ```
/// assert_eq!(mujaz::metrics::chrf::corpus([("Tripoli", "Tripoli")]), 100.0);
/// ```
pub fn corpus<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> f64 {
    let mut sums = [Counts::default(); ORDERS];
    for (hypothesis, reference) in pairs {
        let letters = |text: &str| -> Vec<char> { text.chars().filter(|&c| !is_space(c)).collect() };
        let (hypothesis, reference) = (letters(hypothesis), letters(reference));
        for (n, sum) in (1..=ORDERS).zip(&mut sums) {
            let wanted = ngrams(&reference, n);
            // A segment whose reference has no such n-gram does not count at all.
            if wanted.is_empty() {
                continue;
            }
            sum.reference += wanted.values().sum::<u64>();
            for (ngram, count) in ngrams(&hypothesis, n) {
                sum.hypothesis += count;
                sum.matches += wanted.get(ngram).map_or(0, |&most| count.min(most));
            }
        }
    }
    f_score(&sums)
}

fn ngrams(letters: &[char], n: usize) -> BTreeMap<&[char], u64> {
    let mut counts = BTreeMap::new();
    for ngram in letters.windows(n) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}

fn f_score(sums: &[Counts]) -> f64 {
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0);
    for sum in sums.iter().filter(|sum| sum.hypothesis > 0 && sum.reference > 0) {
        precision += sum.matches as f64 / sum.hypothesis as f64;
        recall += sum.matches as f64 / sum.reference as f64;
        orders += 1;
    }
    if orders == 0 || precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / f64::from(orders), recall / f64::from(orders));
    let factor = BETA * BETA;
    100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_scores_nothing() {
        for pair in [("", ""), ("", "Libya"), ("Libya", ""), (" ", "\u{a0}"), ("abc", "xyz")] {
            assert_eq!(corpus([pair]), 0.0, "{pair:?}");
        }
        assert_eq!(corpus([]), 0.0);
    }

    #[test]
    fn white_space_does_not_count() {
        assert!((corpus([("a b\tc", "ab\u{1f}c")]) - 100.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn what_is_the_same_scores_100(text in "\\PC{0,60}") {
            let expected = if text.chars().all(is_space) { 0.0 } else { 100.0 };
            prop_assert!((corpus([(text.as_str(), text.as_str())]) - expected).abs() < 1e-9);
        }
    }
}

//! Corpus BLEU: how many n-grams of the hypotheses stand in their references.
//!
//! In: pairs of a hypothesis and one reference. Out: a score from 0 to 100 with its counts. Tokens are those of
//! [`tokenizer_13a`](super::tokenizer_13a), case is kept, n goes from 1 to 4, an order without a match is smoothed by halving ("exp"). Source:
//! Papineni et al. 2002; sacrebleu 2.6, `metrics/bleu.py`, with its defaults.

use std::collections::BTreeMap;

use super::tokenizer_13a::tokens;

/// The longest n-grams that count.
const ORDERS: usize = 4;
/// What sacrebleu takes for the logarithm of 0.
const LOG_OF_ZERO: f64 = -9_999_999_999.0;

/// The definition, in sacrebleu's own notation.
pub const SIGNATURE: &str = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0";

/// A corpus score with what it was computed from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bleu {
    /// 0 to 100.
    pub score: f64,
    /// Percent of the n-grams that match, smoothed, for n from 1 to 4.
    pub precisions: [f64; ORDERS],
    /// 1, or less where the hypotheses are shorter than the references.
    pub brevity_penalty: f64,
    /// N-grams of the hypotheses that match.
    pub matches: [u64; ORDERS],
    /// N-grams of the hypotheses.
    pub totals: [u64; ORDERS],
    /// Tokens of the hypotheses.
    pub hypothesis_tokens: u64,
    /// Tokens of the references.
    pub reference_tokens: u64,
}

/// Scores a corpus of (hypothesis, reference). An empty one, and one without a single match, scores 0.
///
/// # Examples
/// ```
/// let pairs = [("The talks resumed in Geneva on Monday.", "The talks resumed in Geneva on Sunday.")];
/// let bleu = mujaz::metrics::bleu::corpus(pairs);
/// assert!((bleu.score - 70.71).abs() < 0.01);
/// ```
pub fn corpus<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> Bleu {
    let mut sum = Bleu::default();
    for (hypothesis, reference) in pairs {
        let (hypothesis, reference) = (tokens(hypothesis), tokens(reference));
        sum.hypothesis_tokens += hypothesis.len() as u64;
        sum.reference_tokens += reference.len() as u64;
        for n in 1..=ORDERS {
            let wanted = ngrams(&reference, n);
            for (ngram, count) in ngrams(&hypothesis, n) {
                sum.totals[n - 1] += count;
                sum.matches[n - 1] += wanted.get(ngram).map_or(0, |&most| count.min(most));
            }
        }
    }
    sum.finish()
}

fn ngrams(tokens: &[String], n: usize) -> BTreeMap<&[String], u64> {
    let mut counts = BTreeMap::new();
    for ngram in tokens.windows(n) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}

impl Bleu {
    fn finish(mut self) -> Self {
        let (hypothesis, reference) = (self.hypothesis_tokens as f64, self.reference_tokens as f64);
        self.brevity_penalty = match self.hypothesis_tokens {
            0 if self.reference_tokens > 0 => 0.0,
            tokens if tokens < self.reference_tokens => (1.0 - reference / hypothesis).exp(),
            _ => 1.0,
        };
        if self.matches.iter().all(|&count| count == 0) {
            return self;
        }
        let mut smoothing = 1.0;
        for n in 0..ORDERS {
            let total = self.totals[n] as f64;
            if self.totals[n] == 0 {
                break;
            }
            self.precisions[n] = if self.matches[n] == 0 {
                smoothing *= 2.0;
                100.0 / (smoothing * total)
            } else {
                100.0 * self.matches[n] as f64 / total
            };
        }
        let log = |precision: &f64| if *precision == 0.0 { LOG_OF_ZERO } else { precision.ln() };
        self.score = self.brevity_penalty * (self.precisions.iter().map(log).sum::<f64>() / ORDERS as f64).exp();
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_scores_nothing() {
        assert_eq!(corpus([]).score, 0.0);
        assert_eq!(corpus([("", "")]).score, 0.0);
        assert_eq!(corpus([("", "Libya")]).score, 0.0);
        assert_eq!(corpus([("Libya", "")]).score, 0.0);
    }

    #[test]
    fn an_order_without_a_match_is_halved() {
        let bleu = corpus([("a b c d e", "a x c y e")]);
        assert_eq!(bleu.matches, [3, 0, 0, 0]);
        assert_eq!(bleu.precisions, [60.0, 100.0 / 8.0, 100.0 / 12.0, 100.0 / 16.0]);
    }

    proptest! {
        #[test]
        fn what_is_the_same_scores_100(text in "\\PC{0,60}") {
            let bleu = corpus([(text.as_str(), text.as_str())]);
            let expected = if bleu.totals[3] > 0 { 100.0 } else { 0.0 };
            prop_assert!((bleu.score - expected).abs() < 1e-9, "{bleu:?}");
        }

        #[test]
        fn scores_stay_in_their_range(pairs in prop::collection::vec(("\\PC{0,40}", "[a-d .,-]{0,40}"), 0..6)) {
            let bleu = corpus(pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())));
            prop_assert!((0.0..=100.0 + 1e-9).contains(&bleu.score), "{bleu:?}");
        }
    }
}

//! How alike sentences are, and how central each is among all.
//!
//! In: bags of stems. Out: cosines, and the weights of `LexRank`. Choosing by them is [`super::select`]'s.

use std::collections::BTreeMap;

/// Stems with how often each stands in a sentence.
pub(super) type Bag = BTreeMap<String, f64>;

/// Cosine of two bags of stems.
pub(super) fn similarity(one: &Bag, other: &Bag) -> f64 {
    let dot: f64 = one.iter().filter_map(|(stem, weight)| other.get(stem).map(|w| w * weight)).sum();
    let norm = |bag: &Bag| bag.values().map(|w| w * w).sum::<f64>().sqrt();
    let norms = norm(one) * norm(other);
    if norms > 0.0 { dot / norms } else { 0.0 }
}

/// `LexRank` (Erkan and Radev 2004): the stationary weights of a walk between similar sentences, scaled so that the highest is 1.
pub(super) fn centrality(bags: &[&Bag]) -> Vec<f64> {
    const DAMPING: f64 = 0.85;
    const ROUNDS: usize = 30;
    /// More sentences than this are ranked against the first ones only: the work grows with the square.
    const MOST: usize = 600;
    let n = bags.len().min(MOST);
    if n == 0 {
        return vec![0.0; bags.len()];
    }
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let row: Vec<f64> = (0..n).map(|j| if i == j { 0.0 } else { similarity(bags[i], bags[j]) }).collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|s| if sum > 0.0 { s / sum } else { 1.0 / n as f64 }).collect()
        })
        .collect();
    let mut rank = vec![1.0 / n as f64; n];
    for _ in 0..ROUNDS {
        let mut next = vec![(1.0 - DAMPING) / n as f64; n];
        for (i, row) in rows.iter().enumerate() {
            for (j, share) in row.iter().enumerate() {
                next[j] += DAMPING * rank[i] * share;
            }
        }
        rank = next;
    }
    let highest = rank.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut scaled: Vec<f64> = rank.into_iter().map(|r| r / highest).collect();
    scaled.resize(bags.len(), 0.0);
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_one_for_the_same_and_zero_for_nothing_shared() {
        let bag = |words: &[&str]| words.iter().map(|w| ((*w).to_owned(), 1.0)).collect::<BTreeMap<_, _>>();
        assert!((similarity(&bag(&["a", "b"]), &bag(&["a", "b"])) - 1.0).abs() < 1e-9);
        assert!(similarity(&bag(&["a"]), &bag(&["b"])).abs() < 1e-9);
        assert!(similarity(&bag(&[]), &bag(&[])).abs() < 1e-9);
    }
}

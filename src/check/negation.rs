//! Check: a source that denies where the target affirms, or the reverse.
//!
//! In: a read [`Pair`]. Out: a verdict naming the particle. The source side counts particles that deny the sentence
//! ([`arabic::words`](crate::arabic::words)); the target side takes any word with a negative meaning for an answer, so that
//! "failed to", "unable" and "unlike" pass.

use super::pair::Pair;
use crate::arabic::words::{Denial, denial};
use crate::english::words::{is_negation, is_negative};

/// Judges the negation of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let denials: Vec<(usize, Denial)> =
        (0..pair.source_words.len()).filter_map(|i| Some((i, denial(&pair.source_words, i)?))).collect();
    let outright = denials.iter().filter(|(_, d)| *d == Denial::Outright).count();
    let soft = denials.iter().filter(|(_, d)| *d == Denial::Soft).count();
    let negations: Vec<_> = pair.target_words.iter().filter(|w| is_negation(&w.lower)).collect();
    let negative = pair.target_words.iter().filter(|w| !is_negation(&w.lower) && is_negative(&w.lower)).count();
    // A negative word of the target answers a word like "refused" of the source before it answers a particle.
    if outright > negations.len() + negative.saturating_sub(soft) {
        let (at, _) = denials.iter().find(|(_, d)| *d == Denial::Outright)?;
        let particle = pair.source_words[*at].span.of(pair.source);
        return Some(format!("source denies ({particle}), target has no negation"));
    }
    if outright == 0 && soft == 0 && !negations.is_empty() {
        return Some(format!("target denies ({}), source has no negation", negations[0].lower));
    }
    None
}

//! Check: figures of the source that the target lacks, and figures of the target that the source lacks.
//!
//! In: a read [`Pair`]. Out: the numbers without a counterpart, and a verdict on them. Digits must have a counterpart on
//! the other side, in digits or in words; numbers in words are held against a target only where both sides have one too
//! many, since languages differ in what they count in words ("a couple", duals, "one of").

use super::pair::Pair;
use crate::number::{Certainty, Kind, Number};

/// The numbers of both sides that have no counterpart.
#[derive(Debug, Default)]
pub(super) struct Unmatched<'p> {
    /// Numbers of the source.
    pub missing: Vec<&'p Number>,
    /// Numbers of the target.
    pub invented: Vec<&'p Number>,
}

/// Finds the numbers of at least a certainty that have no counterpart of any certainty.
pub(super) fn unmatched<'p>(pair: &'p Pair<'_>, certainty: Certainty) -> Unmatched<'p> {
    let lacks = |these: &'p [Number], those: &'p [Number]| {
        let alone = |n: &&Number| n.certainty >= certainty && !those.iter().any(|m| n.agrees(m)) && !is_sum(n, those);
        these.iter().filter(alone).collect()
    };
    Unmatched {
        missing: lacks(&pair.source_numbers, &pair.target_numbers),
        invented: lacks(&pair.target_numbers, &pair.source_numbers),
    }
}

/// "a hundred and twenty thousand" may be read as two numbers on one side: their sum or product counts as both.
fn is_sum(number: &Number, others: &[Number]) -> bool {
    others.windows(2).any(|two| {
        let adjoining = two[1].span.start.saturating_sub(two[0].span.end) <= 4;
        let [a, b] = [two[0].value, two[1].value];
        adjoining && a >= 100.0 && (number.value == a + b || number.value == a * b)
    })
}

/// Judges the numbers of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let figures = unmatched(pair, Certainty::Figure);
    let words = unmatched(pair, Certainty::Words);
    let show = |numbers: &[&Number], text: &str| {
        let shown: Vec<&str> = numbers.iter().filter_map(|n| text.get(n.span.start..n.span.end)).collect();
        shown.join(", ")
    };
    let dates = |numbers: &[&Number]| numbers.iter().any(|n| n.kind == Kind::Month);
    let replaced = !words.missing.is_empty() && !words.invented.is_empty();
    let (missing, invented) = match (figures.missing.as_slice(), figures.invented.as_slice()) {
        _ if replaced => (words.missing.as_slice(), words.invented.as_slice()),
        ([], []) => return None,
        (missing, invented) => (missing, invented),
    };
    let _ = dates;
    let mut detail = String::new();
    if !missing.is_empty() {
        detail = format!("source has {}", show(missing, pair.source));
    }
    if !invented.is_empty() {
        let lead = if detail.is_empty() { "" } else { ", " };
        detail = format!("{detail}{lead}target has {}", show(invented, pair.target));
    } else {
        detail.push_str(", target has none of it");
    }
    Some(detail)
}

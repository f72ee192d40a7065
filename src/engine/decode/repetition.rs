//! The repetition guard: finds the loops that small models fall into.
//!
//! In: the ids written so far. Out: how long the loop at their end is. Stopping is left to the caller.

/// Longest period that is looked for, in tokens: a sentence.
const MAX_PERIOD: usize = 48;
/// How many tokens beyond its first round a loop must have gone on for.
const MIN_TAIL: usize = 12;
/// How many rounds a loop must have gone.
const MIN_ROUNDS: usize = 3;

/// Returns the period of the loop that the ids end in, or nothing.
///
/// A loop is a run of tokens that comes at least three times in a row, and at least 12 tokens beyond the first time.
pub fn loop_length(ids: &[u32]) -> Option<usize> {
    let longest = MAX_PERIOD.min(ids.len() / MIN_ROUNDS);
    (1..=longest).find(|&period| {
        let tail = ((MIN_ROUNDS - 1) * period).max(MIN_TAIL);
        ids.len() >= tail + period && (ids.len() - tail..ids.len()).all(|i| ids[i] == ids[i - period])
    })
}

/// Returns how many ids are left when all rounds of the loop at the end but the first are cut off.
pub fn before_loop(ids: &[u32], period: usize) -> usize {
    let mut start = ids.len().saturating_sub(period);
    while start > 0 && ids[start - 1] == ids[start - 1 + period] {
        start -= 1;
    }
    (start + period).min(ids.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_found_and_lists_are_not() {
        assert_eq!(loop_length(&[7; 12]), None);
        assert_eq!(loop_length(&[7; 13]), Some(1));
        let lines: Vec<u32> = (0..30).map(|i| if i % 2 == 0 { 5 } else { i }).collect();
        assert_eq!(loop_length(&lines), None);
        let mut ids = vec![9, 8];
        ids.extend((0..40).map(|i| i % 10));
        assert_eq!(loop_length(&ids), Some(10));
        assert_eq!(before_loop(&ids, 10), 12);
        assert_eq!(loop_length(&ids[..29]), None);
    }
}

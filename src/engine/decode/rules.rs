//! What a search may write: the decoding rules of a checkpoint, as tokens that are banned or forced.
//!
//! In: [`Generation`], and the ids a hypothesis has so far. Out: which tokens may not come next, and which one must. Choosing
//! among the others is [`super::beam`]'s. Source: transformers 5.23.0, `generation/logits_process.py`
//! (`NoRepeatNGramLogitsProcessor`, `NoBadWordsLogitsProcessor`, `MinNewTokensLengthLogitsProcessor`,
//! `ForcedBOSTokenLogitsProcessor`, `ForcedEOSTokenLogitsProcessor`), in the order of `_get_logits_processor`.

use super::Generation;
use super::step::Want;

/// The rules of a search, the same for all of its sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// How many hypotheses grow; 1 is greedy search.
    pub beams: usize,
    /// How many hypotheses are returned, the best ones; at most `beams`.
    pub best: usize,
    /// A finished hypothesis' score is its log-probability over its length to this power.
    pub length_penalty: f32,
    /// The token that starts a target.
    pub start: u32,
    /// Tokens that end a target.
    pub eos: Vec<u32>,
    /// The first token of every target.
    pub forced_bos: Option<u32>,
    /// The last token of a target that reaches the longest length.
    pub forced_eos: Option<u32>,
    /// No sequence of this many tokens comes twice; 0 for any.
    pub no_repeat_ngram: usize,
    /// Whether log-probabilities are normed again after tokens were banned.
    pub renormalize: bool,
    /// Whether hypotheses keep which source tokens they attended to.
    pub attention: bool,
    /// Whether a source whose hypothesis loops is decoded again with [`RETRY_NGRAM`].
    pub guard: bool,
    /// Tokens that may never come, ascending.
    pub banned: Vec<u32>,
    /// Longer sequences that may never come, each of at least two tokens.
    pub sequences: Vec<Vec<u32>>,
}

/// The `no_repeat_ngram` of the second try of a source whose hypothesis looped. Four tokens are two or three words: a phrase
/// that long seldom comes twice in a sentence, and no loop that the guard finds can do without it.
pub const RETRY_NGRAM: usize = 4;

/// How long the targets of one source may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Fewest tokens, the end token not counted and the start token neither.
    pub min_new: usize,
    /// Most tokens, the start token and the end token included; at least 2.
    pub max: usize,
}

impl Rules {
    /// Takes the rules of a checkpoint: its beams, of which the best is returned, the guard on, without attention.
    pub fn new(generation: &Generation) -> Self {
        let eos = generation.eos_token_id.clone();
        // The reference lets no list of bad words keep a target from ending.
        let bad = generation.bad_words_ids.iter().filter(|word| !matches!(word[..], [id] if eos.contains(&id)));
        let (single, longer): (Vec<_>, Vec<_>) = bad.filter(|word| !word.is_empty()).partition(|word| word.len() == 1);
        let mut banned: Vec<u32> = single.into_iter().flatten().copied().collect();
        banned.sort_unstable();
        banned.dedup();
        Self {
            beams: generation.num_beams.max(1),
            best: 1,
            length_penalty: generation.length_penalty,
            start: generation.decoder_start_token_id,
            eos,
            forced_bos: generation.forced_bos_token_id,
            forced_eos: generation.forced_eos_token_id,
            no_repeat_ngram: generation.no_repeat_ngram_size,
            renormalize: generation.renormalize_logits,
            attention: false,
            guard: true,
            banned,
            sequences: longer.into_iter().cloned().collect(),
        }
    }

    /// Returns how many candidates a step keeps: enough that as many as there are beams can go on, whatever ends.
    pub fn candidates(&self) -> usize {
        if self.beams <= 1 { 1 } else { (1 + self.eos.len()).max(2) * self.beams }
    }

    /// Returns what is asked of the model in every step.
    pub fn want(&self) -> Want<'_> {
        Want { top: self.candidates(), banned: &self.banned, renormalize: self.renormalize, attention: self.attention }
    }

    /// Returns whether a token ends a target.
    pub fn ends(&self, token: u32) -> bool {
        self.eos.contains(&token)
    }

    /// Returns the token that must come after `length` tokens (the start token included), where one must.
    pub fn forced(&self, length: usize, lengths: Lengths) -> Option<u32> {
        match (self.forced_bos, self.forced_eos) {
            (_, Some(eos)) if length + 1 == lengths.max => Some(eos),
            (bos, _) if length == 1 => bos,
            _ => None,
        }
    }

    /// Returns whether [`Rules::banned_after`] looks at more of a hypothesis than its length.
    pub fn looks_back(&self, no_repeat_ngram: usize) -> bool {
        no_repeat_ngram > 0 || !self.sequences.is_empty()
    }

    /// Returns the tokens that may not follow `ids` (the start token first), ascending, beside those that never may.
    /// `ids` may be short of its beginning where [`Rules::looks_back`] says no; `length` is its whole length.
    pub fn banned_after(&self, ids: &[u32], length: usize, lengths: Lengths, no_repeat_ngram: usize) -> Vec<u32> {
        let mut banned = Vec::new();
        if length - 1 < lengths.min_new {
            banned.extend_from_slice(&self.eos);
        }
        for sequence in &self.sequences {
            let Some((last, before)) = sequence.split_last() else { continue };
            if ids.ends_with(before) && self.banned.binary_search(last).is_err() {
                banned.push(*last);
            }
        }
        if let Some(suffix) = no_repeat_ngram.checked_sub(1).and_then(|n| ids.len().checked_sub(n)) {
            let again = ids.windows(no_repeat_ngram).filter(|window| window.starts_with(&ids[suffix..]));
            banned.extend(again.map(|window| window[no_repeat_ngram - 1]));
        }
        banned.sort_unstable();
        banned.dedup();
        banned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation() -> Generation {
        Generation {
            decoder_start_token_id: 9,
            eos_token_id: vec![0],
            pad_token_id: Some(9),
            forced_bos_token_id: Some(5),
            forced_eos_token_id: Some(0),
            bad_words_ids: vec![vec![9], vec![0], vec![3, 4], vec![7, 8, 6]],
            num_beams: 4,
            length_penalty: 1.0,
            max_length: 64,
            no_repeat_ngram_size: 0,
            renormalize_logits: false,
        }
    }

    #[test]
    fn bad_words_are_banned_where_they_would_be_completed_and_the_end_never_is() {
        let rules = Rules::new(&generation());
        let lengths = Lengths { min_new: 0, max: 10 };
        assert_eq!(rules.want().banned, [9]);
        assert_eq!(rules.want().top, 8);
        assert_eq!(rules.banned_after(&[9, 3], 2, lengths, 0), [4]);
        assert_eq!(rules.banned_after(&[9, 7, 8], 3, lengths, 0), [6]);
        assert!(rules.banned_after(&[9, 8], 2, lengths, 0).is_empty());
        assert_eq!(rules.banned_after(&[9, 8], 2, Lengths { min_new: 2, max: 10 }, 0), [0]);
        assert!(rules.banned_after(&[9, 8, 8], 3, Lengths { min_new: 2, max: 10 }, 0).is_empty());
    }

    #[test]
    fn an_ngram_that_was_there_is_not_completed_again() {
        let rules = Rules::new(&generation());
        let lengths = Lengths { min_new: 0, max: 10 };
        assert_eq!(rules.banned_after(&[9, 1, 2, 1], 4, lengths, 2), [2]);
        assert_eq!(rules.banned_after(&[9, 1, 2, 1], 4, lengths, 1), [1, 2, 9]);
        assert!(rules.banned_after(&[9, 1], 2, lengths, 3).is_empty());
        assert_eq!(rules.banned_after(&[1, 1, 1], 3, lengths, 3), [1]);
    }

    #[test]
    fn the_last_place_is_the_forced_end_s_even_where_it_is_the_first_too() {
        let rules = Rules::new(&generation());
        assert_eq!(rules.forced(1, Lengths { min_new: 0, max: 10 }), Some(5));
        assert_eq!(rules.forced(2, Lengths { min_new: 0, max: 10 }), None);
        assert_eq!(rules.forced(9, Lengths { min_new: 0, max: 10 }), Some(0));
        assert_eq!(rules.forced(1, Lengths { min_new: 0, max: 2 }), Some(0));
    }
}

//! The seam between a search and an encoder-decoder model.
//!
//! In: sources as token ids, then, step by step, which hypotheses grow by which token. Out: for each of them the best next
//! tokens with their log-probabilities. A search needs no more of a model, so a table can stand in for one in tests.

use crate::engine::Error;
pub use crate::engine::kernels::dense::Threads;

/// Reads sources and grows hypotheses of their targets.
pub trait Stepper: Sync {
    /// A source that was read, with the caches of its hypotheses.
    type Source: Send;

    /// Reads sources, each with its end token. The results do not depend on what is read together.
    ///
    /// # Errors
    /// Where a source is empty or too long, or an id is not in the vocabulary.
    fn read(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<Self::Source>, Error>;

    /// Grows the hypotheses of several sources by one token each. Returns one result a growth, the first step's first,
    /// in order; none depends on what grows together.
    ///
    /// # Errors
    /// Where a parent does not exist, a position is beyond what the model takes, or an id is not in the vocabulary.
    fn step(
        &self,
        steps: &mut [Step<'_, Self::Source>],
        want: &Want<'_>,
        threads: Threads,
    ) -> Result<Vec<Scored>, Error>;
}

/// What happens to the hypotheses of one source.
#[derive(Debug)]
pub struct Step<'s, S> {
    /// The source; its caches grow.
    pub source: &'s mut S,
    /// The hypotheses after the step; those that no growth names as parent are dropped.
    pub grow: &'s [Growth],
}

/// One hypothesis after a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Growth {
    /// The index, in the previous step's list, of the hypothesis that it continues; 0 in a source's first step.
    pub parent: usize,
    /// The token it grows by; the decoder's start token in a source's first step.
    pub token: u32,
    /// Tokens that may not come next (beside [`Want::banned`]), ascending.
    pub banned: Vec<u32>,
}

/// What is asked of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want<'a> {
    /// How many next tokens a hypothesis, the best ones.
    pub top: usize,
    /// Tokens that may never come next, ascending.
    pub banned: &'a [u32],
    /// Whether probabilities sum to 1 over the tokens that are not banned (`renormalize_logits`) or over all.
    pub renormalize: bool,
    /// Whether to return which source tokens were attended to.
    pub attention: bool,
}

/// What a model says of one hypothesis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scored {
    /// The best next tokens that are not banned with their natural-log probabilities, best first; of equals the smaller
    /// id first. Fewer than asked for only where the vocabulary has no more.
    pub top: Vec<(u32, f32)>,
    /// Where asked for: the weight of each source token in the cross-attention that produced this step, mean of the
    /// heads of the last layer but one (the layer that aligns best: Garg et al. 2019), summing to 1. Empty otherwise.
    pub attention: Vec<f32>,
}

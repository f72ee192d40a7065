//! What steers a search besides the model: hooks on the logits of one hypothesis.
//!
//! In: what a hypothesis has so far and its logits. Out: the logits, changed. Which terms, figures and names are wanted comes
//! from the request.

use super::vocabulary::OutputVocabulary;

/// Changes the logits of one hypothesis before a token is chosen.
///
/// Called once a token; what it does must depend on its arguments and its own past alone, so that a hypothesis does not
/// depend on its neighbours in the batch.
pub trait LogitsHook: Send {
    /// Changes logits. `generated` are the ids written so far; `logits[i]` belongs to the id `vocabulary.id(i)`.
    ///
    /// Negative infinity forbids a token; at least one must stay allowed.
    fn adjust(&mut self, generated: &[u32], vocabulary: &OutputVocabulary, logits: &mut [f32]);
}

//! An encoder-decoder that was trained to sum up: a text in, one text of its own out.
//!
//! In: a text within the model's length. Out: one hypothesis, of the model's own search. What of an article is shown to it,
//! and whether what it wrote holds, is [`crate::summary`]'s.

use super::translator::{Decoding, Seq2SeqEngine};
use crate::engine::decode::step::Stepper;
use crate::engine::{Engine, Error, Fingerprint, Hypothesis, Rewriter};
use crate::progress::Progress;

/// Longest text, in tokens: what summarisers of this family were trained on (Hasan et al. 2021, "XL-Sum"; the same makers'
/// `CrossSum` models). A model that takes less says so.
const LONGEST: usize = 512;
/// Most new tokens where the model's settings say nothing: three sentences of thirty words.
const MOST_NEW_TOKENS: usize = 128;

impl<S: Stepper + Send> Rewriter for Seq2SeqEngine<S> {
    fn rewrite(&mut self, text: &str, progress: &dyn Progress) -> Result<Hypothesis, Error> {
        let longest = self.longest();
        let tokens = Rewriter::source_tokens(self, text);
        if tokens > longest {
            return Err(Error::TooLong { tokens, limit: longest });
        }
        let how = Decoding { piece_tokens: longest, max_new_tokens: MOST_NEW_TOKENS, ..Decoding::default() };
        let found = self.best(&[text], &how, progress)?;
        found.into_iter().next().ok_or(Error::NoHypothesis)
    }

    fn source_tokens(&self, text: &str) -> usize {
        self.tokenizer().encode(text).len()
    }

    fn longest(&self) -> usize {
        self.limits().max_source_tokens.min(LONGEST)
    }

    fn fingerprint(&self) -> Fingerprint {
        Engine::fingerprint(self)
    }
}

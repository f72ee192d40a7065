//! 4. A [`Batch`] of segments becomes [`Hypothesis`]es: the seam between the pipeline and models.
//!
//! In: source text with the terms that matter in it. Out: hypotheses with their likelihood. An engine does not judge
//! what it wrote: choosing, checking and retrying are [`crate::translation`]'s. Reading files from disk happens once,
//! when an engine is loaded; nothing here touches the network.

pub mod checkpoint;
pub mod decode;
pub mod fake;
pub mod gguf;
pub mod inspect;
pub mod kernels;
pub mod linear;
pub mod llm;
pub mod load;
pub mod m2m100;
pub mod marian;
pub mod raw;
pub mod seq2seq;
pub mod sha256;
pub mod simd;
pub mod t5;
pub mod tokenizer;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::progress::Progress;
use raw::RawOptions;

/// One translation of one segment, as a model proposed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// The text, white space trimmed.
    pub text: String,
    /// Mean natural-log probability a token under the model, at most 0.
    pub log_probability: f32,
    /// How many tokens were generated.
    pub tokens: usize,
    /// Whether the model ended it, or it ran into a limit.
    pub finish: Finish,
    /// How it was decoded: `greedy`, `sample:3`, `beam:0`.
    pub origin: String,
}

/// Why a hypothesis ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model wrote its end of sequence or a stop string.
    Stop,
    /// The limit of new tokens was reached.
    Length,
    /// The repetition guard ended a loop.
    Loop,
}

/// How to decode: what stays the same for all segments of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecodeParams {
    /// How many greedy hypotheses, each with another prompt (a decoder-only model); of an encoder-decoder how many of its
    /// own search, which has as many as its settings say beams.
    pub greedy: usize,
    /// How many sampled hypotheses a segment, on top of the greedy ones.
    pub samples: usize,
    /// Softmax temperature for the sampled ones.
    pub temperature: f64,
    /// Nucleus mass for the sampled ones, 0 to 1.
    pub top_p: f64,
    /// Seed of the sampling; the same seed, segment and model give the same text, whatever else is in the batch.
    pub seed: u64,
    /// Whether terms and numbers of the source steer the search (see `engine/decode/constraints.rs`).
    pub constrained: bool,
    /// Most new tokens a hypothesis; 0 lets the engine derive it from the source's length.
    pub max_new_tokens: usize,
    /// No sequence of this many tokens comes twice; 0 for what the checkpoint says. Decoder-only engines have a rule of
    /// their own instead.
    pub no_repeat_ngram: usize,
}

impl Default for DecodeParams {
    fn default() -> Self {
        Self {
            greedy: 1,
            samples: 0,
            temperature: 0.7,
            top_p: 0.95,
            seed: 1,
            constrained: true,
            max_new_tokens: 0,
            no_repeat_ngram: 0,
        }
    }
}

/// What an engine can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest source of one segment, in the engine's own tokens.
    pub max_source_tokens: usize,
    /// Most tokens, padded, in one batch.
    pub max_batch_tokens: usize,
}

/// What kind of search an engine makes: decides how it is best asked (see [`crate::translation::plan`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approach {
    /// It continues a prompt: every hypothesis is drawn by itself, and rows of one call share the prompt.
    Prompts,
    /// It translates by beam search: one search gives several hypotheses, and calls are better large than many.
    Beams,
}

/// Identifies model weights and everything about the engine that can change its output; part of memory keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The model's registry id, or the path of a checkpoint.
    pub model: String,
    /// The pinned revision, or the SHA-256 of the weights.
    pub revision: String,
    /// Version of the engine's decoding, with the precision of its weights: changed when the same weights would give other
    /// text.
    pub decoding: String,
}

/// Translates segments with one model.
pub trait Engine: Send {
    /// Translates every request of the batch.
    ///
    /// Returns one list a request, in the batch's order, each with at least one hypothesis. The result for a request
    /// does not depend on its neighbours in the batch.
    ///
    /// # Errors
    /// Where the model fails as such (out of memory, broken weights): the whole batch is then undone.
    fn translate(&mut self, batch: &Batch, params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error>;

    /// As [`Engine::translate`]; `progress` learns how many requests are done, and can stop the work.
    ///
    /// # Errors
    /// As [`Engine::translate`], and [`Error::Cancelled`].
    fn translate_watched(
        &mut self,
        batch: &Batch,
        params: &DecodeParams,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Hypothesis>>, Error> {
        if progress.cancelled() {
            return Err(Error::Cancelled);
        }
        let hypotheses = self.translate(batch, params)?;
        progress.advanced(batch.requests.len() as u64);
        Ok(hypotheses)
    }

    /// Counts the tokens of a source text, as the model would read it.
    fn source_tokens(&self, text: &str) -> usize;

    /// Says what the engine can take.
    fn limits(&self) -> Limits;

    /// Identifies model and decoding.
    fn fingerprint(&self) -> Fingerprint;

    /// Says how the engine searches.
    fn approach(&self) -> Approach {
        Approach::Prompts
    }

    /// Returns the best hypothesis of every line, in order, with nothing steered, checked or tried again: what the model says.
    /// An empty line has an empty hypothesis; a line longer than the model takes goes in pieces. `progress` counts lines; the
    /// caller starts and ends its task.
    ///
    /// # Errors
    /// As [`Engine::translate`]; [`Error::Unsupported`] for options that the model has no use for, before any work;
    /// [`Error::Cancelled`] where the user asked to stop.
    fn raw(&mut self, lines: &[&str], options: &RawOptions, progress: &dyn Progress) -> Result<Vec<Hypothesis>, Error> {
        raw::greedy(self, lines, options, progress)
    }

    /// Says under which name and revision of its weights the engine is to identify itself; see [`Fingerprint`].
    fn identify(&mut self, model: &str, revision: &str) {
        let _ = (model, revision);
    }

    /// Tells the engine which English names exist, so that it can keep those out for which a request gives no reason
    /// ([`Request::allowed`](crate::batch::Request::allowed)). Engines that cannot steer their search ignore it.
    fn avoid_names(&mut self, names: &[&str]) {
        let _ = names;
    }
}

/// Continues prompts with one model: what a summary writer needs of an instruct model.
pub trait Generator: Send {
    /// Continues each prompt (`shared` followed by the item) until `stop`, the model's own end, or the token limit.
    ///
    /// Returns one hypothesis a prompt, in order. `shared` is read once.
    ///
    /// # Errors
    /// As [`Engine::translate`].
    fn generate(
        &mut self,
        shared: &str,
        items: &[String],
        stop: &[&str],
        params: &DecodeParams,
    ) -> Result<Vec<Hypothesis>, Error>;

    /// Wraps a user's turn in the model's own chat template, ready for [`Generator::generate`].
    fn chat_prompt(&self, system: &str, user: &str) -> String;

    /// Counts the tokens of a text.
    fn count_tokens(&self, text: &str) -> usize;

    /// Identifies model and decoding.
    fn fingerprint(&self) -> Fingerprint;
}

/// Writes a text of its own about a text: what a summary needs of an encoder-decoder that was trained to sum up.
pub trait Rewriter: Send {
    /// Writes about a text.
    ///
    /// # Errors
    /// [`Error::TooLong`] where the text has more tokens than [`Rewriter::longest`]; else as [`Engine::translate`].
    fn rewrite(&mut self, text: &str, progress: &dyn Progress) -> Result<Hypothesis, Error>;

    /// Counts the tokens of a text, as the model would read it.
    fn source_tokens(&self, text: &str) -> usize;

    /// Says how many tokens of a text the model reads.
    fn longest(&self) -> usize;

    /// Identifies model and decoding.
    fn fingerprint(&self) -> Fingerprint;
}

/// What can go wrong in an engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file is not what its format says.
    #[error("{path}: {reason}")]
    BadModel {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it, with expected and got values.
        reason: String,
    },
    /// The file names an architecture for which there is no engine.
    #[error("{path}: architecture {architecture:?} has no engine here (there are: {known})")]
    UnknownArchitecture {
        /// The file.
        path: std::path::PathBuf,
        /// What it says it is.
        architecture: String,
        /// What there is, comma-separated.
        known: String,
    },
    /// The only weights there are would be read from a pickle, which was not allowed.
    #[error("{path} is a pickle, and no weights lie beside it as safetensors or GGUF, which are what is read")]
    OnlyPickle {
        /// The file, or the list of several.
        path: std::path::PathBuf,
    },
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Tensor work failed.
    #[error("tensor computation failed")]
    Tensor(#[from] candle_core::Error),
    /// A source text does not fit the model's context.
    #[error("segment of {tokens} tokens is longer than the {limit} that the model takes")]
    TooLong {
        /// What it has.
        tokens: usize,
        /// What fits.
        limit: usize,
    },
    /// There is nothing to continue.
    #[error("an empty prompt cannot be continued")]
    EmptyPrompt,
    /// The model gave no token that may be written.
    #[error("the model gave no next token: its probabilities are not numbers, or every token is banned")]
    NoHypothesis,
    /// Something was asked of a model that it is not made for.
    #[error("{what}")]
    Unsupported {
        /// What, and which models do it.
        what: &'static str,
    },
    /// The user asked to stop.
    #[error("stopped on request")]
    Cancelled,
}

//! Encoder-decoder models: what all of them share.
//!
//! In: a checkpoint and the [`Spec`] of its architecture. Out: an encoder that reads sources and a decoder that grows
//! hypotheses step by step. Which tokens are chosen is [`super::decode`]'s; how an architecture names its tensors and
//! writes its tokens is `marian`'s, `m2m100`'s and `t5`'s.

pub mod architecture;
mod attention;
mod cache;
mod decoder;
mod encoder;
pub mod fairseq;
pub mod model;
mod open;
mod path;
#[cfg(target_arch = "x86_64")]
mod path_avx512;
pub mod pieces;
mod relative;
mod rewriter;
pub mod settings;
pub mod spec;
pub mod store;
pub mod trace;
pub mod translator;
pub mod weights;

pub use architecture::{Architecture, Direction, architecture};
pub use model::Model;
pub use open::{open, open_checkpoint, open_stored};
pub use settings::Overrides;
pub use spec::Spec;
pub use store::Stored;
pub use trace::Trace;
pub use translator::{Decoded, Decoding, Facts, Seq2SeqEngine};
pub use weights::{Tensors, Weights};

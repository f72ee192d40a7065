//! Encoder-decoder models: what all of them share.
//!
//! In: a checkpoint and the [`Spec`] of its architecture. Out: an encoder that reads sources and a decoder that grows
//! hypotheses step by step. Which tokens are chosen is [`super::decode`]'s; how an architecture names its tensors and
//! writes its tokens is `marian`'s, `m2m100`'s and `t5`'s.

pub mod architecture;
pub mod fairseq;
pub mod spec;

pub use architecture::{Architecture, Direction, architecture};
pub use spec::Spec;

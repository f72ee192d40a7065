//! Encoder-decoder models: what all of them share.
//!
//! In: a checkpoint and the [`Spec`] of its architecture. Out: an encoder that reads sources and a decoder that grows
//! hypotheses step by step. Which tokens are chosen is [`super::decode`]'s; how an architecture names its tensors and
//! writes its tokens is `marian`'s, `m2m100`'s and `t5`'s.

pub mod attention;
mod decoder;
mod encoder;
pub mod model;
mod path;
mod relative;
pub mod spec;
pub mod weights;

pub use model::Model;
pub use spec::Spec;
pub use weights::{Tensors, Weights};

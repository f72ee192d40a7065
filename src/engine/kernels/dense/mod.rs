//! Linear layers of encoder-decoder models on the CPU: int8 with one scale a row, or exact f32.
//!
//! In: weights as f32 rows ([`Matrix`]) and activations as f32 rows ([`Input`]). Out: f32 rows with bias and nonlinearity
//! ([`Epilogue`]), or, for the output projection, only the best columns of each row and the log of the sum of all
//! exponentials ([`Tops`]): 60,000 logits a hypothesis are never written down. A row's result does not depend on the rows
//! beside it nor on threads, bit for bit.
//!
//! Beside the blocks of 32 of [`super::QuantMatrix`], which models of bits and pieces need, one scale a row spares the
//! kernel all arithmetic but the products: 1.3 times the multiply-adds a second (see `tests/benches/seq2seq.rs`).
//!
//! Files: [`matrix`] packs weights, `input` quantises activations, `tile` defines what a kernel computes (with the plain
//! twin), `avx512`, `avx2`, `neon` are the fast ones, `walk` shares tiles among threads, [`top`] keeps the best columns.
//!
//! Source: dynamic quantisation of rows as in `CTranslate2` and Marian (Junczys-Dowmunt et al. 2018); the packing is ours.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buffer;
mod input;
pub mod matrix;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;
mod tile;
pub mod top;
mod walk;

pub use buffer::Buffer;
pub use input::Input;
pub use matrix::Matrix;
pub use top::{Row, Tops};

/// How weights are kept and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// As they are.
    F32,
    /// As int8 with one scale a row; activations are quantised on the fly, one scale a row too.
    #[default]
    Int8,
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
        })
    }
}

/// Whether a call may use the threads of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// It is one of several such calls, each on a thread of its own.
    One,
    /// It is the only one.
    All,
}

/// The nonlinearity of a feed-forward network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `x * logistic(x)`; Hugging Face's "swish" and "silu".
    Swish,
    /// `x * Phi(x)`, with the error function.
    Gelu,
    /// The tanh approximation: Hugging Face's `gelu_new`.
    GeluTanh,
}

/// What is done with a product before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added to each row; one value a column of the result.
    pub bias: Option<&'a [f32]>,
    /// Applied after it.
    pub activation: Option<Activation>,
}

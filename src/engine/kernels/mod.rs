//! Linear layers on the CPU: int8 weights times activations that are quantised on the fly.
//!
//! In: weights as f32 or as a tensor of a GGUF file ([`QuantMatrix`]), activations as f32 rows. Out: f32 rows. Both
//! sides are int8 in blocks of 32 columns with one scale a block (the `Q8_0` of GGUF); the products of a block are
//! added exactly, in integers, and the blocks in f32 from left to right. That order is the same in every instruction
//! set and for every tile shape, so a row's result does not depend on the rows beside it, on the number of threads or
//! on the machine. Attention, normalisation and everything else of a model is left to candle.
//!
//! Threads are rayon's. A caller that is itself on a thread of the pool (`rayon::scope` around a model's whole run)
//! saves the waking of one in every product: 7 instead of 13 microseconds for a product with one row.
//!
//! Files: [`matrix`] builds and packs weights, `activations` quantises the other side, `tile` picks the instruction
//! set and defines what a kernel computes, `scalar` is that definition in plain Rust, `avx512`, `avx2` and `neon` are its
//! twins, `multiply` walks the tiles and shares them among threads, [`linear`] is the layer a candle model holds.
//!
//! Source: the block format is ggml's (`docs/gguf.md` and `ggml-common.h` of ggml-org/ggml); the packing is ours.

mod activations;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod dense;
pub mod linear;
pub mod matrix;
mod multiply;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;
mod tile;

pub use activations::Activations;
pub use linear::QuantLinear;
pub use matrix::QuantMatrix;

/// Returns the name of the instructions that block-quantised weights are multiplied with on this machine.
pub fn instructions() -> &'static str {
    tile::Path::best().name()
}

/// Columns that share one scale.
pub const BLOCK: usize = 32;

/// Rows that lie interleaved in a panel: one 512-bit register holds four columns of each.
pub(crate) const PANEL: usize = 16;

/// What can go wrong in a linear layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A buffer does not have the size that the shape asks for.
    #[error("{what} has {got} values, expected {expected}")]
    Size {
        /// Which buffer.
        what: &'static str,
        /// How many values it has.
        got: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A matrix that must have as many columns as another has not.
    #[error("matrix has {got} columns, expected {expected}")]
    Columns {
        /// How many columns it has.
        got: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A row that the matrix does not have was asked for.
    #[error("row {row} of a matrix of {rows}")]
    NoSuchRow {
        /// The row asked for, from 0.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// A weight, or a scale of weights, is infinite, not a number, or too large for a scale in f16.
    #[error("weight {value} in row {row} is out of range")]
    Weight {
        /// The row, from 0.
        row: usize,
        /// A value of the block that is at fault.
        value: f32,
    },
    /// Reading the tensor failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Tensor(error) => error,
            error => Self::wrap(error),
        }
    }
}

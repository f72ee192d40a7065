//! What a kernel computes, and which one this machine runs.
//!
//! In: packed weights and activations ([`Operands`]), a place in each. Out: a [`Tile`] of up to [`MAX_ROWS`]
//! activation rows by two panels of weight rows. Walking over all tiles is `multiply`'s.
//!
//! The definition, for activation row `r` and weight row `n` (see `scalar` for it as code):
//! `sum over blocks b, from 0, of fma(f32(sum over k of x[r,b,k] * w[n,b,k]), wscale[n,b] * xscale[r,b], sum so far)`.

use super::PANEL;
use super::activations::{Part, quantize_block, quantize_part};
use super::scalar;

/// Most activation rows in a tile: 2 panels by 6 rows is 12 integer and 12 float accumulators of the 32 registers.
pub(super) const MAX_ROWS: usize = 6;

/// Result of a kernel: one line an activation row, two panels of weight rows wide.
pub(super) type Tile = [[f32; 2 * PANEL]; MAX_ROWS];

/// One register of weights: 16 rows by 4 columns, a byte each, stored as weight + 128.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub [u8; 64]);

/// The scales of one block of a panel, as bits of f16.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Scales(pub [u16; PANEL]);

/// Lines of one block of a panel.
pub(super) const LINES: usize = super::BLOCK / 4;

/// The two sides of one tile.
pub(super) struct Operands<'a> {
    /// Blocks in a row.
    pub blocks: usize,
    /// One or two panels: `blocks * LINES` lines each.
    pub lines: &'a [Line],
    /// Their scales: `blocks` each.
    pub scales: &'a [Scales],
    /// Quantised activations, `[block][row of the tile][32]`, each -127 to 127.
    pub x: &'a [i8],
    /// Their scales, `[block][row of the tile]`.
    pub x_scales: &'a [f32],
    /// -128 times the sum of each block, same order: what the 128 added to each weight costs.
    pub x_offsets: &'a [i32],
    /// The weights that will be needed next, for a kernel to ask memory for; may be empty.
    pub next: &'a [Line],
    /// Which lines of each block of `next` to ask for, from and to: the tiles of a panel share them.
    pub ahead: (usize, usize),
}

impl Operands<'_> {
    /// Says how many panels and activation rows there are, having checked that every buffer has the size for them.
    ///
    /// # Panics
    /// Where one has not: the kernels read without further checks.
    pub fn shape(&self) -> (usize, usize) {
        let blocks = self.blocks;
        assert!(blocks > 0, "a row has at least one block");
        let panels = self.scales.len() / blocks;
        let rows = self.x_scales.len() / blocks;
        assert!((1..=2).contains(&panels) && (1..=MAX_ROWS).contains(&rows), "tile of {panels} panels by {rows} rows");
        assert!(self.scales.len() == panels * blocks && self.lines.len() == panels * blocks * LINES, "weights");
        assert!(self.x_scales.len() == rows * blocks && self.x_offsets.len() == rows * blocks, "scales and offsets");
        assert!(self.x.len() == rows * blocks * super::BLOCK, "activations");
        (panels, rows)
    }
}

/// A set of instructions for which there is a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Plain Rust, everywhere.
    Scalar,
    /// 256-bit registers, 16-bit products.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 256-bit registers, products of four bytes at once.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// 512-bit registers, products of four bytes at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit registers, 16-bit products.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// 128-bit registers, products of four bytes at once.
    #[cfg(target_arch = "aarch64")]
    NeonDot,
}

impl Path {
    /// Lists what this machine can run, the fastest last.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "the other architectures add nothing")]
        let mut paths = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c") {
                paths.push(Self::Avx2);
                if is_x86_feature_detected!("avxvnni") {
                    paths.push(Self::AvxVnni);
                }
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
                    paths.push(Self::Avx512);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            paths.push(Self::Neon);
            if std::arch::is_aarch64_feature_detected!("dotprod") {
                paths.push(Self::NeonDot);
            }
        }
        paths
    }

    /// Returns the name of the instructions, as processors call them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scalar => "none beyond the baseline",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512 VNNI",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "NEON",
            #[cfg(target_arch = "aarch64")]
            Self::NeonDot => "NEON dot product",
        }
    }

    /// Picks the fastest that this machine can run.
    pub fn best() -> Self {
        static BEST: std::sync::OnceLock<Path> = std::sync::OnceLock::new();
        *BEST.get_or_init(|| Self::available().pop().unwrap_or(Self::Scalar))
    }

    /// Quantises the activations of one tile.
    pub fn quantize(self, part: Part<'_>) {
        match self {
            Self::Scalar => quantize_part(part, quantize_block),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::AvxVnni => super::avx2::quantize(part),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::avx512::quantize(part),
            // NEON is part of the baseline: the compiler makes vectors of the plain code.
            #[cfg(target_arch = "aarch64")]
            Self::Neon | Self::NeonDot => quantize_part(part, quantize_block),
        }
    }

    /// Computes one tile; what lies beyond the operands' panels and rows keeps its value.
    pub fn run(self, operands: &Operands<'_>, tile: &mut Tile) {
        match self {
            Self::Scalar => scalar::run(operands, tile),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::avx2::run(operands, tile),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => super::avx2::run_vnni(operands, tile),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::avx512::run(operands, tile),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => super::neon::run(operands, tile),
            #[cfg(target_arch = "aarch64")]
            Self::NeonDot => super::neon::run_dot(operands, tile),
        }
    }
}

//! What a kernel computes, and the plain kernel that the others must equal bit for bit.
//!
//! In: packed weights and activation rows ([`Operands`]). Out: a [`Tile`] of up to [`MAX_ROWS`] rows by four panels.
//!
//! Definition, for activation row r and weight row n. f32: `fma` over the columns from the first to the last, starting at
//! what the tile holds. int8: the exact sum of the products, as f32, times (scale of r times scale of n).

use super::super::PANEL;
use super::super::tile::{Line, Path};

/// Panels in a tile.
pub(super) const PANELS: usize = 4;

/// Columns of a tile: weight rows.
pub(super) const WIDTH: usize = PANELS * PANEL;

/// Most activation rows in a tile: 4 panels by 6 rows is 24 accumulators of the 32 registers of AVX-512.
pub(super) const MAX_ROWS: usize = 6;

/// Result of a kernel: one line an activation row.
pub(super) type Tile = [[f32; WIDTH]; MAX_ROWS];

/// The two sides of one tile.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    /// One to four panels.
    pub panels: usize,
    /// One to six activation rows.
    pub rows: usize,
    /// Lines that are multiplied in each panel.
    pub steps: usize,
    /// Lines from one panel to the next.
    pub stride: usize,
    /// The lines, from the first that is multiplied in the first panel.
    pub lines: &'a [Line],
    /// The activations.
    pub x: X<'a>,
}

/// The activations' side of a tile.
#[derive(Clone, Copy)]
pub(super) enum X<'a> {
    /// Rows of f32, from the first column that is multiplied.
    F32 {
        /// The values.
        values: &'a [f32],
        /// Values from one row to the next.
        stride: usize,
    },
    /// Rows of int8.
    Int8 {
        /// The values, four a step.
        values: &'a [i8],
        /// Values from one row to the next.
        stride: usize,
        /// -128 times the sum of each row.
        offsets: &'a [i32],
        /// Scale of each row.
        scales: &'a [f32],
        /// Scale of each weight row, whole panels.
        weights: &'a [f32],
    },
}

impl Operands<'_> {
    /// Checks that every buffer has the size for the shape.
    ///
    /// # Panics
    /// Where one has not: the kernels read without further checks.
    pub fn check(&self) {
        let Self { panels, rows, steps, stride, lines, x } = *self;
        assert!((1..=PANELS).contains(&panels) && (1..=MAX_ROWS).contains(&rows), "tile of {panels} by {rows}");
        assert!(steps <= stride && lines.len() >= (panels - 1) * stride + steps, "weights");
        match x {
            X::F32 { values, stride } => {
                assert!(steps <= stride && values.len() >= (rows - 1) * stride + steps, "activations");
            }
            X::Int8 { values, stride, offsets, scales, weights } => {
                assert!(4 * steps <= stride && values.len() >= (rows - 1) * stride + 4 * steps, "activations");
                assert!(offsets.len() >= rows && scales.len() >= rows && weights.len() >= panels * PANEL, "scales");
            }
        }
    }

    /// Computes one tile; f32 adds to what it holds, int8 overwrites. What lies beyond the panels and rows keeps its value.
    pub fn run(&self, path: Path, tile: &mut Tile) {
        self.check();
        match path {
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => super::avx512::run(self, tile),
            #[cfg(target_arch = "x86_64")]
            Path::AvxVnni => super::avx2::run_vnni(self, tile),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => super::avx2::run(self, tile),
            #[cfg(target_arch = "aarch64")]
            Path::Neon => super::neon::run(self, tile),
            #[cfg(target_arch = "aarch64")]
            Path::NeonDot => super::neon::run_dot(self, tile),
            Path::Scalar => run::<false>(self, tile),
        }
    }
}

/// The plain kernel. `FMA`: whether products and sums of f32 are rounded once, as the definition says, or twice, as is
/// many times faster on processors without the instruction.
pub(super) fn run<const FMA: bool>(operands: &Operands<'_>, tile: &mut Tile) {
    let Operands { panels, rows, steps, stride, lines, x } = *operands;
    for (r, out) in tile.iter_mut().enumerate().take(rows) {
        for panel in 0..panels {
            let lines = &lines[panel * stride..][..steps];
            let out: &mut [f32; PANEL] = out.as_chunks_mut().0.get_mut(panel).expect("a tile has four panels");
            match x {
                X::F32 { values, stride } => {
                    for (line, &x) in lines.iter().zip(&values[r * stride..][..steps]) {
                        for (out, weight) in out.iter_mut().zip(line.0.as_chunks().0) {
                            let weight = f32::from_le_bytes(*weight);
                            *out = if FMA { x.mul_add(weight, *out) } else { x * weight + *out };
                        }
                    }
                }
                X::Int8 { values, stride, offsets, scales, weights } => {
                    let mut dots = [offsets[r]; PANEL];
                    for (line, x) in lines.iter().zip(values[r * stride..].as_chunks::<4>().0) {
                        for (dot, weights) in dots.iter_mut().zip(line.0.as_chunks::<4>().0) {
                            for (weight, x) in weights.iter().zip(x) {
                                *dot += i32::from(*weight) * i32::from(*x);
                            }
                        }
                    }
                    for ((out, dot), weight) in out.iter_mut().zip(dots).zip(&weights[panel * PANEL..]) {
                        *out = dot as f32 * (scales[r] * weight);
                    }
                }
            }
        }
    }
}

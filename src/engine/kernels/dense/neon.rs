//! The kernel for 64-bit ARM: a panel (four registers) by up to four rows, int8 with or without `sdot`.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to the plain kernel's bit for bit. Weights are made signed again as they are
//! read, so the rows' offsets are not needed. Without `sdot` the products are added in pairs to 32 bits (`sadalp`).

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]
#![allow(unused_unsafe, reason = "which intrinsics are safe to call differs among compilers")]

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s32, vdupq_n_u8, veorq_u8, vfmaq_f32, vget_low_s8,
    vld1q_f32, vld1q_u8, vmull_high_s8, vmull_s8, vmulq_f32, vmulq_n_f32, vpadalq_s16, vpaddq_s32,
    vreinterpretq_s8_s32, vreinterpretq_s8_u8, vst1q_f32,
};

use super::super::PANEL;
use super::tile::{Operands, Tile, X};

/// Rows of a 128-bit register.
const QUARTER: usize = PANEL / 4;

/// A kernel for a quarter of a panel and one row: operands, quarter, row.
type Part = unsafe fn(&Operands<'_>, usize, usize, &mut Tile);

/// Computes one tile.
pub(super) fn run(operands: &Operands<'_>, tile: &mut Tile) {
    // SAFETY: `Path::available` lists this path only where the machine has its features.
    unsafe { parts(operands, tile, int8_pairs) }
}

/// Computes one tile with `sdot`.
pub(super) fn run_dot(operands: &Operands<'_>, tile: &mut Tile) {
    // SAFETY: as in `run`.
    unsafe { parts(operands, tile, int8_dot) }
}

/// Calls the kernels for each quarter of a panel; int8 row by row, f32 up to six rows at once.
///
/// # Safety
/// The machine must have the features of `int8`.
unsafe fn parts(operands: &Operands<'_>, tile: &mut Tile, int8: Part) {
    for quarter in 0..4 * operands.panels {
        // SAFETY: quarter and rows are among those that `Operands::check` has found in the buffers.
        unsafe {
            match (operands.x, operands.rows) {
                (X::Int8 { .. }, rows) => (0..rows).for_each(|row| int8(operands, quarter, row, tile)),
                (X::F32 { .. }, 1) => exact::<1>(operands, quarter, tile),
                (X::F32 { .. }, 2) => exact::<2>(operands, quarter, tile),
                (X::F32 { .. }, 3) => exact::<3>(operands, quarter, tile),
                (X::F32 { .. }, 4) => exact::<4>(operands, quarter, tile),
                (X::F32 { .. }, 5) => exact::<5>(operands, quarter, tile),
                (X::F32 { .. }, _) => exact::<6>(operands, quarter, tile),
            }
        }
    }
}

/// Computes a quarter of a panel by `R` rows of f32.
///
/// # Safety
/// The operands must hold the quarter and `R` rows of f32.
#[target_feature(enable = "neon")]
unsafe fn exact<const R: usize>(operands: &Operands<'_>, quarter: usize, tile: &mut Tile) {
    let X::F32 { values, stride } = operands.x else { return };
    let (panel, side) = (quarter / 4, quarter % 4);
    let lines = operands.lines[panel * operands.stride..].as_ptr().cast::<f32>();
    // SAFETY: the panel has `steps` lines of 16 values, a row `steps` values, and the tile 16 quarters a row.
    unsafe {
        let mut sums = [vdupq_n_f32(0.0); R];
        for r in 0..R {
            sums[r] = vld1q_f32(tile[r].as_ptr().add(quarter * QUARTER));
        }
        for step in 0..operands.steps {
            let weights = vld1q_f32(lines.add(step * PANEL + side * QUARTER));
            for r in 0..R {
                sums[r] = vfmaq_f32(sums[r], vdupq_n_f32(*values.as_ptr().add(r * stride + step)), weights);
            }
        }
        for r in 0..R {
            vst1q_f32(tile[r].as_mut_ptr().add(quarter * QUARTER), sums[r]);
        }
    }
}

/// Expands to a kernel of int8: how four products are added is what the two instruction sets differ in.
macro_rules! int8_kernel {
    ($name:ident, $features:literal, $zero:expr, $add:ident, $finish:ident) => {
        /// Computes a quarter of a panel by one row of int8.
        ///
        /// # Safety
        /// The operands must hold the quarter and the row of int8, and the machine must have the features.
        #[target_feature(enable = $features)]
        unsafe fn $name(operands: &Operands<'_>, quarter: usize, row: usize, tile: &mut Tile) {
            let X::Int8 { values, stride, scales, weights: weight_scales, .. } = operands.x else { return };
            let (panel, side) = (quarter / 4, quarter % 4);
            let lines = operands.lines[panel * operands.stride..].as_ptr().cast::<u8>();
            // SAFETY: the panel has `steps` lines of 64 bytes, of which a quarter is 16; a row has four values a step;
            // there are scales for all panels; the tile has 16 quarters a row.
            unsafe {
                let mut dots = $zero;
                for step in 0..operands.steps {
                    let stored = vld1q_u8(lines.add(step * 64 + side * 16));
                    let weights = vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(0x80)));
                    let four = values.as_ptr().add(row * stride + 4 * step).cast::<i32>().read_unaligned();
                    dots = $add(dots, weights, vreinterpretq_s8_s32(vdupq_n_s32(four)));
                }
                let scale = vmulq_n_f32(vld1q_f32(weight_scales.as_ptr().add(quarter * QUARTER)), scales[row]);
                let value = vmulq_f32(vcvtq_f32_s32($finish(dots)), scale);
                vst1q_f32(tile[row].as_mut_ptr().add(quarter * QUARTER), value);
            }
        }
    };
}

int8_kernel!(int8_pairs, "neon", [vdupq_n_s32(0); 2], add_pairs, finish_pairs);
int8_kernel!(int8_dot, "neon,dotprod", vdupq_n_s32(0), add_fours, finish_fours);

#[inline]
#[target_feature(enable = "neon")]
fn add_pairs(dots: [int32x4_t; 2], weights: int8x16_t, x: int8x16_t) -> [int32x4_t; 2] {
    // SAFETY: the target feature is all that the instructions ask for; so below.
    unsafe {
        let low = vmull_s8(vget_low_s8(weights), vget_low_s8(x));
        [vpadalq_s16(dots[0], low), vpadalq_s16(dots[1], vmull_high_s8(weights, x))]
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn finish_pairs(dots: [int32x4_t; 2]) -> int32x4_t {
    // SAFETY: see `add_pairs`.
    unsafe { vpaddq_s32(dots[0], dots[1]) }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_fours(mut dots: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is there by the target feature, reads and writes these registers and nothing else. It is
    // written out because its intrinsic is not stable.
    unsafe {
        std::arch::asm!(
            "sdot {dots:v}.4s, {weights:v}.16b, {x:v}.16b",
            dots = inout(vreg) dots,
            weights = in(vreg) weights,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    dots
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn finish_fours(dots: int32x4_t) -> int32x4_t {
    dots
}

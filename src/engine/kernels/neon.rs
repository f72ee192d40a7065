//! The kernel for 64-bit ARM: a quarter of a panel (4 rows by 4 columns) at a time, with or without `sdot`.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to `scalar`'s bit for bit. Here weights are made signed again as they are
//! read, so the activations' offsets are not needed. Without `sdot` the products are added in pairs to 32 bits
//! (`sadalp`), two accumulators for four rows.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]
#![allow(unused_unsafe, reason = "which intrinsics are safe to call differs among compilers")]

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s32, vdupq_n_u8, veorq_u8, vfmaq_f32, vget_low_s8,
    vld1q_f32, vld1q_u8, vmull_high_s8, vmull_s8, vmulq_n_f32, vpadalq_s16, vpaddq_s32, vreinterpretq_s8_s32,
    vreinterpretq_s8_u8, vst1q_f32,
};

use super::scalar::widen;
use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

/// Rows of a 128-bit register.
const QUARTER: usize = PANEL / 4;

/// Expands to a kernel: how four products are added is what the two instruction sets differ in.
///
/// `$zero` is an accumulator at its start, `$add` adds 16 products to it, `$finish` makes four sums of it.
macro_rules! kernels {
    ($run:ident, $kernel:ident, $features:literal, $zero:ident, $add:ident, $finish:ident) => {
        /// Computes one tile.
        pub(super) fn $run(operands: &Operands<'_>, tile: &mut Tile) {
            let (panels, rows) = operands.shape();
            for quarter in 0..4 * panels {
                // SAFETY: `Path::available` lists this path only where the machine has its features; `shape` has
                // checked that the buffers hold `rows` rows, and `quarter` is one of four of a panel they hold.
                unsafe {
                    match rows {
                        1 => $kernel::<1>(operands, quarter, tile),
                        2 => $kernel::<2>(operands, quarter, tile),
                        3 => $kernel::<3>(operands, quarter, tile),
                        4 => $kernel::<4>(operands, quarter, tile),
                        5 => $kernel::<5>(operands, quarter, tile),
                        _ => $kernel::<6>(operands, quarter, tile),
                    }
                }
            }
        }

        /// Computes a quarter of a panel by `R` rows.
        ///
        /// # Safety
        /// The operands must hold exactly `R` rows and more than `quarter / 4` panels ([`Operands::shape`]), and the
        /// machine must have the features.
        #[target_feature(enable = $features)]
        unsafe fn $kernel<const R: usize>(operands: &Operands<'_>, quarter: usize, tile: &mut Tile) {
            let blocks = operands.blocks;
            let (panel, side) = (quarter / 4, quarter % 4);
            let lines = operands.lines[panel * blocks * LINES..].as_ptr().cast::<u8>();
            let scales = &operands.scales[panel * blocks..];
            let x = operands.x.as_ptr();
            // SAFETY: every pointer below stays within its buffer: the panel has `blocks * LINES` lines of 64 bytes,
            // of which a quarter is 16; row `r` of a block has its 32 bytes at `(block * R + r) * 32`, read by fours;
            // a line of the tile is eight quarters wide, and `quarter` is at most 7.
            unsafe {
                let mut sums = [vdupq_n_f32(0.0); R];
                for block in 0..blocks {
                    let mut dots = [$zero(); R];
                    for k in 0..LINES {
                        let stored = vld1q_u8(lines.add((block * LINES + k) * 64 + side * 16));
                        let weights = vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(0x80)));
                        for r in 0..R {
                            let four = x.add((block * R + r) * BLOCK + 4 * k).cast::<i32>().read_unaligned();
                            dots[r] = $add(dots[r], weights, vreinterpretq_s8_s32(vdupq_n_s32(four)));
                        }
                    }
                    let wide = widen(&scales[block].0);
                    let scale = vld1q_f32(wide.as_ptr().add(side * QUARTER));
                    for r in 0..R {
                        let dot = vcvtq_f32_s32($finish(dots[r]));
                        let scale = vmulq_n_f32(scale, operands.x_scales[block * R + r]);
                        sums[r] = vfmaq_f32(sums[r], dot, scale);
                    }
                }
                for r in 0..R {
                    vst1q_f32(tile[r].as_mut_ptr().add(quarter * QUARTER), sums[r]);
                }
            }
        }
    };
}

#[inline]
#[target_feature(enable = "neon")]
fn zero_pairs() -> [int32x4_t; 2] {
    // SAFETY: the target feature is all that the instruction asks for; so in the functions below.
    unsafe { [vdupq_n_s32(0); 2] }
}

#[inline]
#[target_feature(enable = "neon")]
fn add_pairs(dots: [int32x4_t; 2], weights: int8x16_t, x: int8x16_t) -> [int32x4_t; 2] {
    // SAFETY: see `zero_pairs`.
    unsafe {
        let low = vmull_s8(vget_low_s8(weights), vget_low_s8(x));
        [vpadalq_s16(dots[0], low), vpadalq_s16(dots[1], vmull_high_s8(weights, x))]
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn finish_pairs(dots: [int32x4_t; 2]) -> int32x4_t {
    // SAFETY: see `zero_pairs`.
    unsafe { vpaddq_s32(dots[0], dots[1]) }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn zero_fours() -> int32x4_t {
    // SAFETY: see `zero_pairs`.
    unsafe { vdupq_n_s32(0) }
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

kernels!(run, kernel, "neon", zero_pairs, add_pairs, finish_pairs);
kernels!(run_dot, kernel_dot, "neon,dotprod", zero_fours, add_fours, finish_fours);

//! The kernel with AVX-512 VNNI: a weight register is 16 rows by 4 columns, and `vpdpbusd` adds its 64 products.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to `scalar`'s bit for bit. Weights are the unsigned side of `vpdpbusd`, so
//! that the signed activations can be its broadcast operand; the accumulators start at `x_offsets`, which takes the
//! 128 of the weights' offset away again.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _CMP_ORD_Q, _MM_HINT_T1, _mm_prefetch, _mm_storeu_si128, _mm256_load_si256,
    _mm512_abs_ps, _mm512_add_epi32, _mm512_castps_si512, _mm512_cmp_ps_mask, _mm512_cvtepi32_epi8, _mm512_cvtepi32_ps,
    _mm512_cvtph_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_si512, _mm512_loadu_ps,
    _mm512_maskz_cvtps_epi32, _mm512_max_epu32, _mm512_mul_ps, _mm512_reduce_add_epi32, _mm512_reduce_max_epu32,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps,
};

use super::activations::{Part, SMALLEST, quantize_part};
use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

/// Computes one tile.
pub(super) fn run(operands: &Operands<'_>, tile: &mut Tile) {
    let (panels, rows) = operands.shape();
    debug_assert!(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni"), "a path of its own");
    // SAFETY: `Path::available` lists this path only where the machine has both features, and `shape` has checked
    // that the buffers hold `panels` and `rows`, the sizes for which the kernel is instantiated.
    unsafe {
        match (panels, rows) {
            (1, 1) => kernel::<1, 1>(operands, tile),
            (1, 2) => kernel::<1, 2>(operands, tile),
            (1, 3) => kernel::<1, 3>(operands, tile),
            (1, 4) => kernel::<1, 4>(operands, tile),
            (1, 5) => kernel::<1, 5>(operands, tile),
            (1, _) => kernel::<1, 6>(operands, tile),
            (_, 1) => kernel::<2, 1>(operands, tile),
            (_, 2) => kernel::<2, 2>(operands, tile),
            (_, 3) => kernel::<2, 3>(operands, tile),
            (_, 4) => kernel::<2, 4>(operands, tile),
            (_, 5) => kernel::<2, 5>(operands, tile),
            (_, _) => kernel::<2, 6>(operands, tile),
        }
    }
}

/// Computes `P` panels by `R` rows.
///
/// # Safety
/// The operands must hold exactly `P` panels and `R` rows ([`Operands::shape`]), and the machine must have the features.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn kernel<const P: usize, const R: usize>(operands: &Operands<'_>, tile: &mut Tile) {
    let blocks = operands.blocks;
    let lines: [*const __m512i; P] =
        std::array::from_fn(|p| operands.lines[p * blocks * LINES..].as_ptr().cast::<__m512i>());
    let scales: [*const __m256i; P] = std::array::from_fn(|p| operands.scales[p * blocks..].as_ptr().cast::<__m256i>());
    let x = operands.x.as_ptr();
    let x_scales = operands.x_scales.as_ptr();
    let x_offsets = operands.x_offsets.as_ptr();
    let (next, ahead) = (operands.next.as_ptr(), operands.ahead);
    let mut sums = [[_mm512_setzero_ps(); R]; P];
    for block in 0..blocks {
        let mut dots = [[_mm512_setzero_si512(); R]; P];
        for r in 0..R {
            // SAFETY: `block * R + r` is below `blocks * R`, the length of `x_offsets`.
            let offset = _mm512_set1_epi32(unsafe { *x_offsets.add(block * R + r) });
            for dots in &mut dots {
                dots[r] = offset;
            }
        }
        // One row of activations is read as fast as memory gives it, in order, without being asked.
        for k in if R > 1 { ahead.0..ahead.1 } else { 0..0 } {
            for p in 0..P {
                // A hint only: an address beyond the end is no fault.
                let at = next.wrapping_add((p * blocks + block) * LINES + k);
                _mm_prefetch::<_MM_HINT_T1>(at.cast());
            }
        }
        for k in 0..LINES {
            let mut weights = [_mm512_setzero_si512(); P];
            for p in 0..P {
                // SAFETY: each panel has `blocks * LINES` lines from its pointer, and a `Line` is 64 bytes, aligned.
                weights[p] = unsafe { _mm512_load_si512(lines[p].add(block * LINES + k)) };
            }
            for r in 0..R {
                // SAFETY: row `r` of the block has its 32 bytes at `(block * R + r) * 32`, of which these are four.
                let four = unsafe { x.add((block * R + r) * BLOCK + 4 * k).cast::<i32>().read_unaligned() };
                let four = _mm512_set1_epi32(four);
                for p in 0..P {
                    dots[p][r] = _mm512_dpbusd_epi32(dots[p][r], weights[p], four);
                }
            }
        }
        for p in 0..P {
            // SAFETY: each panel has `blocks` scales from its pointer, and a `Scales` is 32 bytes, aligned.
            let scale: __m512 = _mm512_cvtph_ps(unsafe { _mm256_load_si256(scales[p].add(block)) });
            for r in 0..R {
                // SAFETY: as for `x_offsets`.
                let x_scale = _mm512_set1_ps(unsafe { *x_scales.add(block * R + r) });
                let dot = _mm512_cvtepi32_ps(dots[p][r]);
                sums[p][r] = _mm512_fmadd_ps(dot, _mm512_mul_ps(scale, x_scale), sums[p][r]);
            }
        }
    }
    for p in 0..P {
        for r in 0..R {
            // SAFETY: a line of the tile is two panels wide, and `p` is at most 1.
            unsafe { _mm512_storeu_ps(tile[r].as_mut_ptr().add(p * PANEL), sums[p][r]) };
        }
    }
}

/// Quantises the activations of one tile.
pub(super) fn quantize(part: Part<'_>) {
    // SAFETY: `Path::available` lists this path only where the machine has the feature.
    quantize_part(part, |x, values| unsafe { quantize_block(x, values) });
}

/// Quantises one block, as `activations` defines it.
#[target_feature(enable = "avx512f")]
fn quantize_block(x: &[f32; BLOCK], values: &mut [i8; BLOCK]) -> (f32, i32) {
    // SAFETY: 32 values are two registers.
    let halves = unsafe { [_mm512_loadu_ps(x.as_ptr()), _mm512_loadu_ps(x.as_ptr().add(16))] };
    let magnitudes = halves.map(|half| _mm512_castps_si512(_mm512_abs_ps(half)));
    let largest = f32::from_bits(_mm512_reduce_max_epu32(_mm512_max_epu32(magnitudes[0], magnitudes[1])));
    let (scale, inverse) = if largest < SMALLEST { (0.0, 0.0) } else { (largest / 127.0, 127.0 / largest) };
    let rounded = halves.map(|half| {
        let scaled = _mm512_mul_ps(half, _mm512_set1_ps(inverse));
        // To nearest, ties to even; what is not a number becomes 0.
        _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask::<_CMP_ORD_Q>(scaled, scaled), scaled)
    });
    let sum = _mm512_reduce_add_epi32(_mm512_add_epi32(rounded[0], rounded[1]));
    let (low, high) = values.split_at_mut(BLOCK / 2);
    // SAFETY: both halves have 16 bytes.
    unsafe {
        _mm_storeu_si128(low.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(rounded[0]));
        _mm_storeu_si128(high.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(rounded[1]));
    }
    (scale, -128 * sum)
}

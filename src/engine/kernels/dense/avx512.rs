//! The kernel with AVX-512 (VNNI for int8): four panels by up to six rows in 24 accumulators.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to the plain kernel's bit for bit. Weights are the unsigned side of `vpdpbusd`,
//! so that the signed activations can be broadcast; the accumulators start at the rows' offsets.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]

use std::arch::x86_64::{
    _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_ps, _mm512_load_si512, _mm512_loadu_ps,
    _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps,
};

use super::super::PANEL;
use super::tile::{Operands, Tile, X};

/// Calls a kernel for the shape of the operands.
macro_rules! by_shape {
    ($kernel:ident, $operands:expr, $tile:expr, $($panels:literal)+) => {
        match ($operands.panels, $operands.rows) {
            $(
                ($panels, 1) => $kernel::<$panels, 1>($operands, $tile),
                ($panels, 2) => $kernel::<$panels, 2>($operands, $tile),
                ($panels, 3) => $kernel::<$panels, 3>($operands, $tile),
                ($panels, 4) => $kernel::<$panels, 4>($operands, $tile),
                ($panels, 5) => $kernel::<$panels, 5>($operands, $tile),
                ($panels, 6) => $kernel::<$panels, 6>($operands, $tile),
            )+
            _ => {}
        }
    };
}

/// Computes one tile.
pub(super) fn run(operands: &Operands<'_>, tile: &mut Tile) {
    // SAFETY: `Path::available` lists this path only where the machine has the features, and `Operands::check` has found
    // that the buffers hold the panels and rows for which the kernel is instantiated.
    unsafe {
        match operands.x {
            X::F32 { .. } => by_shape!(exact, operands, tile, 1 2 3 4),
            X::Int8 { .. } => by_shape!(int8, operands, tile, 1 2 3 4),
        }
    }
}

/// Computes `P` panels by `R` rows of f32.
///
/// # Safety
/// The operands must hold `P` panels and `R` rows of f32 ([`Operands::check`]), and the machine must have the feature.
#[target_feature(enable = "avx512f")]
unsafe fn exact<const P: usize, const R: usize>(operands: &Operands<'_>, tile: &mut Tile) {
    let X::F32 { values, stride } = operands.x else { return };
    let x = values.as_ptr();
    let lines = operands.lines.as_ptr().cast::<f32>();
    let mut sums = [[_mm512_setzero_ps(); R]; P];
    for p in 0..P {
        for r in 0..R {
            // SAFETY: a line of the tile is four panels wide, and `P` at most 4.
            sums[p][r] = unsafe { _mm512_loadu_ps(tile[r].as_ptr().add(p * PANEL)) };
        }
    }
    for step in 0..operands.steps {
        let mut weights = [_mm512_setzero_ps(); P];
        for p in 0..P {
            // SAFETY: panel `p` has `steps` lines of 16 aligned values from `p * stride` lines on.
            weights[p] = unsafe { _mm512_load_ps(lines.add((p * operands.stride + step) * PANEL)) };
        }
        for r in 0..R {
            // SAFETY: row `r` has `steps` values from `r * stride` on.
            let x = _mm512_set1_ps(unsafe { *x.add(r * stride + step) });
            for p in 0..P {
                sums[p][r] = _mm512_fmadd_ps(x, weights[p], sums[p][r]);
            }
        }
    }
    for p in 0..P {
        for r in 0..R {
            // SAFETY: as for the load.
            unsafe { _mm512_storeu_ps(tile[r].as_mut_ptr().add(p * PANEL), sums[p][r]) };
        }
    }
}

/// Computes `P` panels by `R` rows of int8.
///
/// # Safety
/// The operands must hold `P` panels and `R` rows of int8 ([`Operands::check`]), and the machine must have the features.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn int8<const P: usize, const R: usize>(operands: &Operands<'_>, tile: &mut Tile) {
    let X::Int8 { values, stride, offsets, scales, weights: weight_scales } = operands.x else { return };
    let x = values.as_ptr();
    let lines = operands.lines.as_ptr();
    let mut dots = [[_mm512_setzero_si512(); R]; P];
    for r in 0..R {
        let offset = _mm512_set1_epi32(offsets[r]);
        for p in 0..P {
            dots[p][r] = offset;
        }
    }
    for step in 0..operands.steps {
        let mut weights = [_mm512_setzero_si512(); P];
        for p in 0..P {
            // SAFETY: panel `p` has `steps` aligned lines from `p * stride` on.
            weights[p] = unsafe { _mm512_load_si512(lines.add(p * operands.stride + step).cast()) };
        }
        for r in 0..R {
            // SAFETY: row `r` has four values a step from `r * stride` on.
            let four = unsafe { x.add(r * stride + 4 * step).cast::<i32>().read_unaligned() };
            let four = _mm512_set1_epi32(four);
            for p in 0..P {
                dots[p][r] = _mm512_dpbusd_epi32(dots[p][r], weights[p], four);
            }
        }
    }
    for p in 0..P {
        // SAFETY: there are scales for `P` whole panels.
        let weight_scale = unsafe { _mm512_loadu_ps(weight_scales.as_ptr().add(p * PANEL)) };
        for r in 0..R {
            let scale = _mm512_mul_ps(_mm512_set1_ps(scales[r]), weight_scale);
            let value = _mm512_mul_ps(_mm512_cvtepi32_ps(dots[p][r]), scale);
            // SAFETY: a line of the tile is four panels wide, and `P` at most 4.
            unsafe { _mm512_storeu_ps(tile[r].as_mut_ptr().add(p * PANEL), value) };
        }
    }
}

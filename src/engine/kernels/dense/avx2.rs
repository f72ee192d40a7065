//! The kernel with 256-bit registers: one panel (two registers) by up to six rows, with or without AVX-VNNI.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to the plain kernel's bit for bit. Without VNNI the products of two bytes are
//! added in 16 bits, which overflows for the stored weights of 0 to 255; the weight's magnitude (at most 128) times the
//! activation with the weight's sign (at most 127) does not: 2 * 128 * 127 = 32512.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]

use std::arch::x86_64::{
    __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps,
    _mm256_load_ps, _mm256_load_si256, _mm256_loadu_ps, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_sign_epi8, _mm256_storeu_ps, _mm256_xor_si256,
};

use super::super::PANEL;
use super::tile::{MAX_ROWS, Operands, Tile, X};

/// Values in a register.
const HALF: usize = PANEL / 2;

/// Computes one tile.
pub(super) fn run(operands: &Operands<'_>, tile: &mut Tile) {
    // SAFETY: `Path::available` lists the paths that call this only where the machine has the features, and
    // `Operands::check` has found that the buffers hold the panels and rows; so below.
    unsafe {
        match operands.x {
            X::F32 { .. } => parts(operands, tile, 6, exact_part),
            X::Int8 { .. } => parts(operands, tile, 3, int8_part),
        }
    }
}

/// Computes one tile with AVX-VNNI.
pub(super) fn run_vnni(operands: &Operands<'_>, tile: &mut Tile) {
    // SAFETY: as in `run`.
    unsafe {
        match operands.x {
            X::F32 { .. } => parts(operands, tile, 6, exact_part),
            X::Int8 { .. } => parts(operands, tile, 6, vnni_part),
        }
    }
}

/// A kernel for one panel and some rows: operands, panel, first row, rows.
type Part = unsafe fn(&Operands<'_>, usize, usize, usize, &mut Tile);

/// Calls a kernel for each panel and every `most` rows.
///
/// # Safety
/// As the kernel's.
unsafe fn parts(operands: &Operands<'_>, tile: &mut Tile, most: usize, part: Part) {
    for panel in 0..operands.panels {
        for from in (0..operands.rows).step_by(most) {
            // SAFETY: panel and rows are among those that the operands hold.
            unsafe { part(operands, panel, from, (operands.rows - from).min(most), tile) };
        }
    }
}

/// Expands to a function that picks the instance of a kernel for the number of rows.
macro_rules! by_rows {
    ($name:ident, $kernel:ident, $features:literal) => {
        /// # Safety
        /// The operands must hold the panel and the rows, and the machine must have the features.
        #[target_feature(enable = $features)]
        unsafe fn $name(operands: &Operands<'_>, panel: usize, from: usize, rows: usize, tile: &mut Tile) {
            debug_assert!(from + rows <= MAX_ROWS);
            // SAFETY: the caller's.
            unsafe {
                match rows {
                    1 => $kernel::<1>(operands, panel, from, tile),
                    2 => $kernel::<2>(operands, panel, from, tile),
                    3 => $kernel::<3>(operands, panel, from, tile),
                    4 => $kernel::<4>(operands, panel, from, tile),
                    5 => $kernel::<5>(operands, panel, from, tile),
                    _ => $kernel::<6>(operands, panel, from, tile),
                }
            }
        }
    };
}

by_rows!(exact_part, exact, "avx2,fma");
by_rows!(int8_part, int8, "avx2,fma");
by_rows!(vnni_part, vnni, "avx2,fma,avxvnni");

/// Computes a panel by `R` rows of f32.
///
/// # Safety
/// As in `by_rows`.
#[target_feature(enable = "avx2,fma")]
unsafe fn exact<const R: usize>(operands: &Operands<'_>, panel: usize, from: usize, tile: &mut Tile) {
    let X::F32 { values, stride } = operands.x else { return };
    let mut sums = [[_mm256_setzero_ps(); R]; 2];
    for side in 0..2 {
        for r in 0..R {
            // SAFETY: the tile is four panels wide, and `panel` one of them.
            sums[side][r] = unsafe { _mm256_loadu_ps(tile[from + r].as_ptr().add(panel * PANEL + side * HALF)) };
        }
    }
    let lines = operands.lines.as_ptr().cast::<f32>();
    for step in 0..operands.steps {
        // SAFETY: the panel has `steps` lines of 16 aligned values from `panel * stride` lines on.
        let weights = [0, 1]
            .map(|side| unsafe { _mm256_load_ps(lines.add((panel * operands.stride + step) * PANEL + side * HALF)) });
        for r in 0..R {
            // SAFETY: the row has `steps` values from `(from + r) * stride` on.
            let x = _mm256_set1_ps(unsafe { *values.as_ptr().add((from + r) * stride + step) });
            for side in 0..2 {
                sums[side][r] = _mm256_fmadd_ps(x, weights[side], sums[side][r]);
            }
        }
    }
    for side in 0..2 {
        for r in 0..R {
            // SAFETY: as for the load.
            unsafe {
                _mm256_storeu_ps(tile[from + r].as_mut_ptr().add(panel * PANEL + side * HALF), sums[side][r]);
            }
        }
    }
}

/// Expands to a kernel of int8: how four products are added is what the instruction sets differ in.
macro_rules! int8_kernel {
    ($kernel:ident, $features:literal, $start:expr, $add:expr) => {
        /// Computes a panel by `R` rows of int8.
        ///
        /// # Safety
        /// As in `by_rows`.
        #[target_feature(enable = $features)]
        unsafe fn $kernel<const R: usize>(operands: &Operands<'_>, panel: usize, from: usize, tile: &mut Tile) {
            let X::Int8 { values, stride, offsets, scales, weights: weight_scales } = operands.x else { return };
            let mut dots = [[_mm256_setzero_si256(); R]; 2];
            for r in 0..R {
                let start = $start(offsets[from + r]);
                for side in 0..2 {
                    dots[side][r] = start;
                }
            }
            let lines = operands.lines.as_ptr().cast::<__m256i>();
            for step in 0..operands.steps {
                // SAFETY: the panel has `steps` aligned lines of two registers from `panel * stride` lines on.
                let weights = [0, 1]
                    .map(|side| unsafe { _mm256_load_si256(lines.add(2 * (panel * operands.stride + step) + side)) });
                for r in 0..R {
                    // SAFETY: the row has four values a step from `(from + r) * stride` on.
                    let four =
                        unsafe { values.as_ptr().add((from + r) * stride + 4 * step).cast::<i32>().read_unaligned() };
                    let four = _mm256_set1_epi32(four);
                    for side in 0..2 {
                        dots[side][r] = $add(dots[side][r], weights[side], four);
                    }
                }
            }
            for side in 0..2 {
                let at = panel * PANEL + side * HALF;
                // SAFETY: there are scales for all panels.
                let weight_scale = unsafe { _mm256_loadu_ps(weight_scales.as_ptr().add(at)) };
                for r in 0..R {
                    let scale = _mm256_mul_ps(_mm256_set1_ps(scales[from + r]), weight_scale);
                    let value = _mm256_mul_ps(_mm256_cvtepi32_ps(dots[side][r]), scale);
                    // SAFETY: the tile is four panels wide, and `panel` one of them.
                    unsafe { _mm256_storeu_ps(tile[from + r].as_mut_ptr().add(at), value) };
                }
            }
        }
    };
}

int8_kernel!(int8, "avx2,fma", |_offset| _mm256_setzero_si256(), add_products);
int8_kernel!(vnni, "avx2,fma,avxvnni", _mm256_set1_epi32, _mm256_dpbusd_avx_epi32);

/// Adds 32 products, four to an accumulator, from stored weights made signed again.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(dots: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    let weights = _mm256_xor_si256(weights, _mm256_set1_epi8(i8::MIN));
    let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights));
    _mm256_add_epi32(dots, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}

//! The kernel with 256-bit registers: 8 rows by 4 columns in each, with or without AVX-VNNI.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to `scalar`'s bit for bit. Without VNNI the products of two bytes are added
//! in 16 bits (`vpmaddubsw`), which overflows for the stored weights of 0 to 255; the weight's magnitude (at most 128)
//! times the activation with the weight's sign (at most 127) does not: 2 * 128 * 127 = 32512.

#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop, reason = "one index names a row in several arrays of registers")]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _CMP_ORD_Q, _mm_add_epi32, _mm_cvtsi128_si32, _mm_load_si128, _mm_max_epu32,
    _mm_shuffle_epi32, _mm256_abs_epi8, _mm256_add_epi32, _mm256_and_si256, _mm256_castps_si256,
    _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_cvtps_epi32,
    _mm256_dpbusd_avx_epi32, _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_load_si256, _mm256_loadu_ps,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_epu32, _mm256_mul_ps, _mm256_packs_epi16, _mm256_packs_epi32,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setr_epi32, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8, _mm256_storeu_ps,
    _mm256_storeu_si256, _mm256_xor_si256,
};

use super::activations::{Part, SMALLEST, quantize_part};
use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

/// Activation rows at a time: with two registers of weights, that is 6 integer and 6 float accumulators of 16.
const PART: usize = 3;

/// Expands to a kernel: how four products are added is what the two instruction sets differ in.
///
/// `$start` is where an accumulator starts, given the offset of the block, and `$add` adds 32 products to it.
macro_rules! kernels {
    ($run:ident, $kernel:ident, $features:literal, $start:expr, $add:expr) => {
        /// Computes one tile.
        pub(super) fn $run(operands: &Operands<'_>, tile: &mut Tile) {
            let (panels, rows) = operands.shape();
            for panel in 0..panels {
                for from in (0..rows).step_by(PART) {
                    // SAFETY: `Path::available` lists this path only where the machine has its features; `shape` has
                    // checked that the buffers hold `panels` and `rows`, and `from` plus the rows meant is within.
                    unsafe {
                        match rows - from {
                            1 => $kernel::<1>(operands, rows, from, panel, tile),
                            2 => $kernel::<2>(operands, rows, from, panel, tile),
                            _ => $kernel::<3>(operands, rows, from, panel, tile),
                        }
                    }
                }
            }
        }

        /// Computes a panel by the `R` rows that start at `from`.
        ///
        /// # Safety
        /// The operands must hold exactly `rows` rows, at least `from + R`, and more than `panel` panels
        /// ([`Operands::shape`]), and the machine must have the features.
        #[target_feature(enable = $features)]
        unsafe fn $kernel<const R: usize>(
            operands: &Operands<'_>,
            rows: usize,
            from: usize,
            panel: usize,
            tile: &mut Tile,
        ) {
            let blocks = operands.blocks;
            let lines = operands.lines[panel * blocks * LINES..].as_ptr().cast::<__m256i>();
            let scales = operands.scales[panel * blocks..].as_ptr().cast::<__m128i>();
            let x = operands.x.as_ptr();
            let (x_scales, x_offsets) = (operands.x_scales.as_ptr(), operands.x_offsets.as_ptr());
            let mut sums = [[_mm256_setzero_ps(); R]; 2];
            for block in 0..blocks {
                let at = block * rows + from;
                let mut dots = [[_mm256_setzero_si256(); R]; 2];
                for r in 0..R {
                    // SAFETY: `at + r` is below `blocks * rows`, the length of `x_offsets`.
                    let start = $start(unsafe { *x_offsets.add(at + r) });
                    for dots in &mut dots {
                        dots[r] = start;
                    }
                }
                for k in 0..LINES {
                    // SAFETY: the panel has `blocks * LINES` lines of 64 aligned bytes, which is two registers each.
                    let weights =
                        [0, 1].map(|side| unsafe { _mm256_load_si256(lines.add(2 * (block * LINES + k) + side)) });
                    for r in 0..R {
                        // SAFETY: a row of the block has its 32 bytes at `(at + r) * 32`; these are four of them.
                        let four = unsafe { x.add((at + r) * BLOCK + 4 * k).cast::<i32>().read_unaligned() };
                        let four = _mm256_set1_epi32(four);
                        for side in 0..2 {
                            dots[side][r] = $add(dots[side][r], weights[side], four);
                        }
                    }
                }
                for side in 0..2 {
                    // SAFETY: the panel has `blocks` scales of 32 aligned bytes, which is two registers each.
                    let scale: __m256 = _mm256_cvtph_ps(unsafe { _mm_load_si128(scales.add(2 * block + side)) });
                    for r in 0..R {
                        // SAFETY: as for `x_offsets`.
                        let x_scale = _mm256_set1_ps(unsafe { *x_scales.add(at + r) });
                        let dot = _mm256_cvtepi32_ps(dots[side][r]);
                        sums[side][r] = _mm256_fmadd_ps(dot, _mm256_mul_ps(scale, x_scale), sums[side][r]);
                    }
                }
            }
            for side in 0..2 {
                for r in 0..R {
                    // SAFETY: a line of the tile is two panels wide, `panel` is at most 1, and a side half of one.
                    unsafe {
                        let to = tile[from + r].as_mut_ptr().add(panel * PANEL + side * PANEL / 2);
                        _mm256_storeu_ps(to, sums[side][r]);
                    }
                }
            }
        }
    };
}

/// Adds 32 products, four to an accumulator, from stored weights made signed again.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(dots: __m256i, weights: __m256i, x: __m256i) -> __m256i {
    let weights = _mm256_xor_si256(weights, _mm256_set1_epi8(i8::MIN));
    let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(x, weights));
    _mm256_add_epi32(dots, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
}

kernels!(run, kernel, "avx2,fma,f16c", |_offset| _mm256_setzero_si256(), add_products);
kernels!(run_vnni, kernel_vnni, "avx2,fma,f16c,avxvnni", _mm256_set1_epi32, _mm256_dpbusd_avx_epi32);

/// Quantises the activations of one tile.
pub(super) fn quantize(part: Part<'_>) {
    // SAFETY: `Path::available` lists the paths that call this only where the machine has the feature.
    quantize_part(part, |x, values| unsafe { quantize_block(x, values) });
}

/// Quantises one block, as `activations` defines it.
#[target_feature(enable = "avx2")]
fn quantize_block(x: &[f32; BLOCK], values: &mut [i8; BLOCK]) -> (f32, i32) {
    // SAFETY: 32 values are four registers.
    let quarters = [0, 1, 2, 3].map(|q| unsafe { _mm256_loadu_ps(x.as_ptr().add(q * 8)) });
    let magnitudes =
        quarters.map(|quarter| _mm256_and_si256(_mm256_castps_si256(quarter), _mm256_set1_epi32(i32::MAX)));
    let largest = _mm256_max_epu32(
        _mm256_max_epu32(magnitudes[0], magnitudes[1]),
        _mm256_max_epu32(magnitudes[2], magnitudes[3]),
    );
    let largest = _mm_max_epu32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256::<1>(largest));
    let largest = _mm_max_epu32(largest, _mm_shuffle_epi32::<0b01_00_11_10>(largest));
    let largest = _mm_max_epu32(largest, _mm_shuffle_epi32::<0b10_11_00_01>(largest));
    let largest = f32::from_bits(_mm_cvtsi128_si32(largest).cast_unsigned());
    let (scale, inverse) = if largest < SMALLEST { (0.0, 0.0) } else { (largest / 127.0, 127.0 / largest) };
    let rounded = quarters.map(|quarter| {
        let scaled = _mm256_mul_ps(quarter, _mm256_set1_ps(inverse));
        // To nearest, ties to even; what is not a number becomes 0.
        let number = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_ORD_Q>(scaled, scaled));
        _mm256_and_si256(_mm256_cvtps_epi32(scaled), number)
    });
    let sum = _mm256_add_epi32(_mm256_add_epi32(rounded[0], rounded[1]), _mm256_add_epi32(rounded[2], rounded[3]));
    let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
    let sum = _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum)));
    // Packing works on each half of a register; the fours are put back in order after it.
    let low = _mm256_packs_epi32(rounded[0], rounded[1]);
    let high = _mm256_packs_epi32(rounded[2], rounded[3]);
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let packed = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
    // SAFETY: the block has 32 bytes.
    unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), packed) };
    (scale, -128 * sum)
}

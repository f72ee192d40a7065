//! The kernel with 256-bit registers: half a panel (8 rows by 4 columns) at a time, with or without AVX-VNNI.
//!
//! In: [`Operands`]. Out: a [`Tile`], equal to `scalar`'s bit for bit. Without VNNI the products of two bytes are added
//! in 16 bits (`vpmaddubsw`), which overflows for the stored weights of 0 to 255; the weight's magnitude (at most 128)
//! times the activation with the weight's sign (at most 127) does not: 2 * 128 * 127 = 32512.

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_load_si128, _mm256_abs_epi8, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_cvtph_ps,
    _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps, _mm256_load_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_sign_epi8, _mm256_storeu_ps, _mm256_xor_si256,
};

use super::activations::{Part, quantize_block, quantize_part};
use super::tile::{LINES, Operands, Tile};
use super::{BLOCK, PANEL};

/// Rows of a 256-bit register.
const HALF: usize = PANEL / 2;

/// Expands to a kernel: how four products are added is what the two instruction sets differ in.
///
/// `$start` is where an accumulator starts, given the offset of the block, and `$add` adds 32 products to it.
macro_rules! kernels {
    ($run:ident, $kernel:ident, $features:literal, $start:expr, $add:expr) => {
        /// Computes one tile.
        pub(super) fn $run(operands: &Operands<'_>, tile: &mut Tile) {
            let (panels, rows) = operands.shape();
            for half in 0..2 * panels {
                // SAFETY: `Path::available` lists this path only where the machine has its features; `shape` has
                // checked that the buffers hold `rows` rows, and `half` is one of two halves of a panel they hold.
                unsafe {
                    match rows {
                        1 => $kernel::<1>(operands, half, tile),
                        2 => $kernel::<2>(operands, half, tile),
                        3 => $kernel::<3>(operands, half, tile),
                        4 => $kernel::<4>(operands, half, tile),
                        5 => $kernel::<5>(operands, half, tile),
                        _ => $kernel::<6>(operands, half, tile),
                    }
                }
            }
        }

        /// Computes half a panel by `R` rows.
        ///
        /// # Safety
        /// The operands must hold exactly `R` rows and more than `half / 2` panels ([`Operands::shape`]), and the
        /// machine must have the features.
        #[target_feature(enable = $features)]
        unsafe fn $kernel<const R: usize>(operands: &Operands<'_>, half: usize, tile: &mut Tile) {
            let blocks = operands.blocks;
            let (panel, side) = (half / 2, half % 2);
            let lines = operands.lines[panel * blocks * LINES..].as_ptr().cast::<__m256i>();
            let scales = operands.scales[panel * blocks..].as_ptr().cast::<__m128i>();
            let x = operands.x.as_ptr();
            let mut sums = [_mm256_setzero_ps(); R];
            for block in 0..blocks {
                let mut dots: [__m256i; R] = [_mm256_setzero_si256(); R];
                for r in 0..R {
                    dots[r] = $start(operands.x_offsets[block * R + r]);
                }
                for k in 0..LINES {
                    // SAFETY: the panel has `blocks * LINES` lines of 64 aligned bytes, which is two registers each.
                    let weights = unsafe { _mm256_load_si256(lines.add(2 * (block * LINES + k) + side)) };
                    for r in 0..R {
                        // SAFETY: row `r` of the block has its 32 bytes at `(block * R + r) * 32`; these are four.
                        let four = unsafe { x.add((block * R + r) * BLOCK + 4 * k).cast::<i32>().read_unaligned() };
                        dots[r] = $add(dots[r], weights, _mm256_set1_epi32(four));
                    }
                }
                // SAFETY: the panel has `blocks` scales of 32 aligned bytes, which is two registers each.
                let scale: __m256 = _mm256_cvtph_ps(unsafe { _mm_load_si128(scales.add(2 * block + side)) });
                for r in 0..R {
                    let x_scale = _mm256_set1_ps(operands.x_scales[block * R + r]);
                    let dot = _mm256_cvtepi32_ps(dots[r]);
                    sums[r] = _mm256_fmadd_ps(dot, _mm256_mul_ps(scale, x_scale), sums[r]);
                }
            }
            for r in 0..R {
                // SAFETY: a line of the tile is four halves wide, and `half` is at most 3.
                unsafe { _mm256_storeu_ps(tile[r].as_mut_ptr().add(half * HALF), sums[r]) };
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
    /// Is the same code, compiled for the instruction set.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn twin(part: Part<'_>) {
        quantize_part(part, |x, values| quantize_block(x, values));
    }
    // SAFETY: `Path::available` lists the paths that call this only where the machine has the features.
    unsafe { twin(part) }
}

//! [`super::path`] with AVX-512: 16 lanes for the scores of all heads at once.
//!
//! In: one query and a hypothesis' slots. Out: what `by_lanes_body` gives, bit for bit. It is written out because the compiler
//! makes gathers and scatters of the plain loops, which cost an eighth of all decoding (see `tests/benches/seq2seq.rs`).

#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, _CMP_LT_OQ, _mm256_loadu_si256, _mm512_add_epi32, _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps,
    _mm512_cmp_ps_mask, _mm512_cvtepu16_epi32, _mm512_div_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_blend_ps,
    _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_permute_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::cache::Stored;
use super::path::Path;
use crate::engine::simd::{LANES, Level, level};

/// Columns, by 16, whose sums stay in registers.
const COLUMNS: usize = 8;

/// Attends where the machine has AVX-512; says whether it has. `scores` has room for 16 values a token.
pub(super) fn by_lanes<T: Stored>(
    query: &[f32],
    path: Path<'_, T>,
    shift: Option<&[f32]>,
    out: &mut [f32],
    scores: &mut [f32],
) -> bool {
    let (width, count) = (query.len(), path.slots.len());
    if level() != Level::Avx512 || !width.is_multiple_of(LANES) || !LANES.is_multiple_of(path.heads) {
        return false;
    }
    // What is read below without further checks.
    assert!(out.len() == width && scores.len() >= count * LANES, "results and scores");
    assert!(shift.is_none_or(|shift| shift.len() >= count * path.heads), "shifts");
    // SAFETY: the machine has the feature; the buffers have the sizes, those of a slot are checked where it is looked up.
    unsafe { attend(query, path, shift, out, scores) };
    true
}

/// # Safety
/// The machine must have AVX-512; `out` must be as long as `query`, a multiple of 16; `scores` must have room for 16 values
/// a token; heads must divide 16.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn attend<T: Stored>(
    query: &[f32],
    path: Path<'_, T>,
    shift: Option<&[f32]>,
    out: &mut [f32],
    scores: &mut [f32],
) {
    let (width, heads, count) = (query.len(), path.heads, path.slots.len());
    let chunks = width / LANES;
    let mut largest = _mm512_set1_ps(f32::NEG_INFINITY);
    for (t, &slot) in path.slots.iter().enumerate() {
        let keys = path.keys(slot, width).as_ptr();
        let mut sums = [_mm512_setzero_ps(); 4];
        let whole = chunks / 4 * 4;
        for chunk in 0..chunks {
            let chain = if chunk < whole { chunk % 4 } else { 0 };
            // SAFETY: both have `chunks` times 16 values.
            let (query, keys) =
                unsafe { (_mm512_loadu_ps(query.as_ptr().add(chunk * LANES)), load(keys.add(chunk * LANES))) };
            sums[chain] = _mm512_fmadd_ps(query, keys, sums[chain]);
        }
        let mut score = _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
        if heads <= 8 {
            score = _mm512_add_ps(score, _mm512_shuffle_f32x4::<0b01_00_11_10>(score, score));
        }
        if heads <= 4 {
            score = _mm512_add_ps(score, _mm512_shuffle_f32x4::<0b10_11_00_01>(score, score));
        }
        if heads <= 2 {
            score = _mm512_add_ps(score, _mm512_permute_ps::<0b01_00_11_10>(score));
        }
        if heads == 1 {
            score = _mm512_add_ps(score, _mm512_permute_ps::<0b10_11_00_01>(score));
        }
        if let Some(shift) = shift {
            let line = &shift[(count - 1 - t) * heads..][..heads];
            let lanes: [f32; LANES] = std::array::from_fn(|i| line[i % heads]);
            // SAFETY: 16 values.
            score = _mm512_add_ps(score, unsafe { _mm512_loadu_ps(lanes.as_ptr()) });
        }
        // The first operand counts where it is larger, as in the plain loop.
        largest = _mm512_max_ps(score, largest);
        // SAFETY: there is room for 16 values a token.
        unsafe { _mm512_storeu_ps(scores.as_mut_ptr().add(t * LANES), score) };
    }
    let mut total = _mm512_setzero_ps();
    for t in 0..count {
        let at = scores[t * LANES..].as_mut_ptr();
        // SAFETY: as above.
        let weight = exp(_mm512_sub_ps(unsafe { _mm512_loadu_ps(at) }, largest));
        total = _mm512_add_ps(total, weight);
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(at, weight) };
    }
    let total = _mm512_div_ps(_mm512_set1_ps(1.0), total);
    for first in (0..chunks).step_by(COLUMNS) {
        let columns = (chunks - first).min(COLUMNS);
        let mut sums = [_mm512_setzero_ps(); COLUMNS];
        for (t, &slot) in path.slots.iter().enumerate() {
            let values = path.values(slot, width)[first * LANES..].as_ptr();
            // SAFETY: as above.
            let weight = unsafe { _mm512_loadu_ps(scores.as_ptr().add(t * LANES)) };
            if columns == COLUMNS {
                for (column, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: from `first` on there are `columns` times 16 values.
                    *sum = _mm512_fmadd_ps(weight, unsafe { load(values.add(column * LANES)) }, *sum);
                }
            } else {
                for (column, sum) in sums.iter_mut().enumerate().take(columns) {
                    // SAFETY: as above.
                    *sum = _mm512_fmadd_ps(weight, unsafe { load(values.add(column * LANES)) }, *sum);
                }
            }
        }
        for (column, sum) in sums.iter().enumerate().take(columns) {
            // SAFETY: `out` is as long as a row of values.
            unsafe {
                _mm512_storeu_ps(out.as_mut_ptr().add((first + column) * LANES), _mm512_mul_ps(*sum, total));
            }
        }
    }
}

/// Reads 16 values.
///
/// # Safety
/// There must be 16 from the pointer on.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load<T: Stored>(from: *const T) -> __m512 {
    // SAFETY: the caller's; the sizes tell what is kept, f32 or the upper halves of f32.
    unsafe {
        if size_of::<T>() == size_of::<f32>() {
            _mm512_loadu_ps(from.cast())
        } else {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        }
    }
}

/// What [`crate::engine::simd::exp`] computes, step by step.
#[inline]
#[target_feature(enable = "avx512f")]
fn exp(x: __m512) -> __m512 {
    let all = |value: f32| _mm512_set1_ps(value);
    let clamped = _mm512_min_ps(_mm512_max_ps(x, all(-87.3)), all(88.3));
    let shifted = _mm512_fmadd_ps(clamped, all(std::f32::consts::LOG2_E), all(12_582_912.0));
    let n = _mm512_sub_ps(shifted, all(12_582_912.0));
    let r = _mm512_fmadd_ps(n, all(-0.693_359_4), clamped);
    let r = _mm512_fmadd_ps(n, all(2.121_944_4e-4), r);
    let mut p = all(1.987_569_1e-4);
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = _mm512_fmadd_ps(p, r, all(coefficient));
    }
    let value = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(p, r), r, r), all(1.0));
    let power = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127i32.wrapping_sub(0x4B40_0000)));
    let result = _mm512_mul_ps(value, _mm512_castsi512_ps(_mm512_slli_epi32::<23>(power)));
    _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, all(-87.3)), result, _mm512_setzero_ps())
}

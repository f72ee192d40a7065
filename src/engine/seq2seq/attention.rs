//! Attention of encoder-decoder models, head by head, in f32.
//!
//! In: queries, keys, values of one source. Out: for each query the mean of the values by softmax of the scores; queries
//! are scaled already. Nothing is padded or masked: a source's keys are its own only. A query's result does not depend on
//! the queries beside it, bit for bit.
//! Shapes: m queries, s keys, n heads, h head width.
//!
//! Keys that many queries read are kept transposed ([`Keys`]), so that scores are added up side by side in registers. A
//! hypothesis' own keys, which grow by one a step, are [`super::path`]'s.

use super::cache::Stored;
use crate::engine::kernels::dense::Buffer;
use crate::engine::simd::{self, LANES, dispatch};

/// Keys and values that many queries read.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys<T> {
    /// How many there are: s.
    pub(super) count: usize,
    /// s rounded up to 16.
    padded: usize,
    /// (n, h, padded): transposed.
    keys: Vec<T>,
    /// (n, s, h)
    values: Vec<T>,
}

impl<T: Stored> Keys<T> {
    /// Takes keys and values out of rows: (s, `stride`), keys from `key_at` and values from `value_at` on in each row.
    pub(super) fn new(
        rows: &[f32],
        stride: usize,
        key_at: usize,
        value_at: usize,
        heads: usize,
        head_width: usize,
    ) -> Self {
        let count = rows.len() / stride.max(1);
        let padded = count.next_multiple_of(LANES);
        let mut keys = vec![T::default(); heads * head_width * padded];
        let mut values = vec![T::default(); heads * count * head_width];
        for (s, row) in rows.chunks_exact(stride).enumerate() {
            for (column, key) in row[key_at..key_at + heads * head_width].iter().enumerate() {
                keys[column * padded + s] = T::narrow(*key);
            }
            for head in 0..heads {
                let value = &row[value_at + head * head_width..][..head_width];
                let kept = &mut values[(head * count + s) * head_width..][..head_width];
                kept.iter_mut().zip(value).for_each(|(kept, value)| *kept = T::narrow(*value));
            }
        }
        Self { count, padded, keys, values }
    }
}

/// How scores are shifted by distance before the softmax.
#[derive(Debug, Clone, Copy)]
pub struct Shift<'a> {
    /// (n, `width`): one value a head and distance.
    pub(super) table: &'a [f32],
    /// Values a head.
    pub(super) width: usize,
}

/// One call of [`attend`].
#[derive(Debug, Clone, Copy)]
pub struct Queries<'a> {
    /// (m, `stride`), the queries at the start of each row: (n, h).
    pub(super) rows: &'a [f32],
    /// Values from one row to the next.
    pub(super) stride: usize,
    /// n
    pub(super) heads: usize,
    /// h
    pub(super) head_width: usize,
    /// The first query's position among the keys, for [`Shift`].
    pub(super) first: usize,
}

/// Queries that are worked on together.
const GROUP: usize = 4;

/// Attends to all keys. out: (m, n * h). `weights`, where given, is (m, s) and gets the mean of the heads' weights added.
/// A shift's table has the value for key minus query at that distance plus (s - 1), its width being 2 s - 1.
pub(super) fn attend<T: Stored>(
    queries: Queries<'_>,
    keys: &Keys<T>,
    shift: Option<Shift<'_>>,
    out: &mut [f32],
    weights: Option<&mut [f32]>,
) {
    let wide = queries.head_width * T::room(keys.padded.max(keys.count));
    let mut scratch = Buffer::zeroed(GROUP * keys.padded + wide);
    attend_all(queries, keys, shift, out, weights, &mut scratch);
}

dispatch! {
    fn attend_all<T: Stored>(
        queries: Queries<'_>,
        keys: &Keys<T>,
        shift: Option<Shift<'_>>,
        out: &mut [f32],
        weights: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) = attend_body
}

#[inline(always)]
fn attend_body<const FMA: bool, T: Stored>(
    queries: Queries<'_>,
    keys: &Keys<T>,
    shift: Option<Shift<'_>>,
    out: &mut [f32],
    mut weights: Option<&mut [f32]>,
    scratch: &mut [f32],
) {
    let width = queries.heads * queries.head_width;
    let groups = queries.rows.chunks(GROUP * queries.stride).zip(out.chunks_mut(GROUP * width));
    for (index, (rows, out)) in groups.enumerate() {
        let group = Queries { rows, first: queries.first + index * GROUP, ..queries };
        let weights = weights.as_deref_mut().map(|all| &mut all[index * GROUP * keys.count..]);
        match out.len() / width.max(1) {
            1 => attend_group::<FMA, 1, T>(group, keys, shift, out, weights, scratch),
            2 => attend_group::<FMA, 2, T>(group, keys, shift, out, weights, scratch),
            3 => attend_group::<FMA, 3, T>(group, keys, shift, out, weights, scratch),
            _ => attend_group::<FMA, 4, T>(group, keys, shift, out, weights, scratch),
        }
    }
}

#[inline(always)]
fn attend_group<const FMA: bool, const M: usize, T: Stored>(
    queries: Queries<'_>,
    keys: &Keys<T>,
    shift: Option<Shift<'_>>,
    out: &mut [f32],
    mut weights: Option<&mut [f32]>,
    scratch: &mut [f32],
) {
    let Queries { rows, stride, heads, head_width, first } = queries;
    let (count, padded) = (keys.count, keys.padded);
    let (scratch, wide) = scratch.split_at_mut(GROUP * padded);
    for head in 0..heads {
        let query: [&[f32]; M] = std::array::from_fn(|m| &rows[m * stride + head * head_width..][..head_width]);
        let transposed = T::widened(&keys.keys[head * head_width * padded..][..head_width * padded], wide);
        scores::<FMA, M>(&query, transposed, padded, scratch);
        for (m, scores) in scratch.chunks_exact_mut(padded).take(M).enumerate() {
            let scores = &mut scores[..count];
            if let Some(shift) = shift {
                let line = &shift.table[head * shift.width..][..shift.width];
                // Key minus query, from -(first + m) on.
                let line = &line[shift.width / 2 - first - m..][..count];
                scores.iter_mut().zip(line).for_each(|(score, shift)| *score += shift);
            }
            softmax::<FMA>(scores);
            if let Some(weights) = weights.as_deref_mut() {
                let share = 1.0 / heads as f32;
                for (weight, score) in weights[m * count..][..count].iter_mut().zip(scores) {
                    *weight += share * *score;
                }
            }
        }
        let values = T::widened(&keys.values[head * count * head_width..][..count * head_width], wide);
        let weights: [&[f32]; M] = std::array::from_fn(|m| &scratch[m * padded..][..count]);
        mix::<FMA, M>(&weights, values, head_width, |m, at, lanes| {
            let to = &mut out[m * heads * head_width + head * head_width + at..];
            let count = to.len().min(LANES).min(head_width - at);
            to[..count].copy_from_slice(&lanes[..count]);
        });
    }
}

/// Multiplies queries with transposed keys, up to 64 keys at a time. out: (M, padded).
#[inline(always)]
fn scores<const FMA: bool, const M: usize>(query: &[&[f32]; M], keys: &[f32], padded: usize, out: &mut [f32]) {
    let mut at = 0;
    while at < padded {
        match (padded - at) / LANES {
            1 => scores_of::<FMA, M, 1>(query, keys, padded, at, out),
            2 => scores_of::<FMA, M, 2>(query, keys, padded, at, out),
            3 => scores_of::<FMA, M, 3>(query, keys, padded, at, out),
            _ => scores_of::<FMA, M, 4>(query, keys, padded, at, out),
        }
        at += 4 * LANES;
    }
}

/// Multiplies queries with `C` times 16 keys from `at` on.
#[inline(always)]
fn scores_of<const FMA: bool, const M: usize, const C: usize>(
    query: &[&[f32]; M],
    keys: &[f32],
    padded: usize,
    at: usize,
    out: &mut [f32],
) {
    let mut sums = [[[0f32; LANES]; C]; M];
    for (d, keys) in keys.chunks_exact(padded).enumerate() {
        let keys: [[f32; LANES]; C] = std::array::from_fn(|c| lanes(&keys[at + c * LANES..]));
        for m in 0..M {
            let q = query[m][d];
            for c in 0..C {
                for i in 0..LANES {
                    sums[m][c][i] = simd::fma::<FMA>(q, keys[c][i], sums[m][c][i]);
                }
            }
        }
    }
    for m in 0..M {
        out[m * padded + at..][..C * LANES].copy_from_slice(sums[m].as_flattened());
    }
}

#[inline(always)]
fn lanes(values: &[f32]) -> [f32; LANES] {
    *values.first_chunk().expect("rows of keys are whole lanes")
}

/// Turns scores into weights that sum to 1.
#[inline(always)]
fn softmax<const FMA: bool>(scores: &mut [f32]) {
    let largest = simd::max_body::<FMA>(scores);
    let mut sums = [0f32; LANES];
    let (chunks, rest) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            chunk[i] = simd::exp::<FMA>(chunk[i] - largest);
            sums[i] += chunk[i];
        }
    }
    for (i, score) in rest.iter_mut().enumerate() {
        *score = simd::exp::<FMA>(*score - largest);
        sums[i] += *score;
    }
    let scale = 1.0 / simd::sum_lanes(sums);
    scores.iter_mut().for_each(|score| *score *= scale);
}

/// Adds values by their weights, up to 64 columns at a time; `put` gets query, column, and 16 sums.
#[inline(always)]
fn mix<const FMA: bool, const M: usize>(
    weights: &[&[f32]; M],
    values: &[f32],
    head_width: usize,
    mut put: impl FnMut(usize, usize, &[f32; LANES]),
) {
    let mut at = 0;
    while at < head_width {
        match (head_width - at) / LANES {
            0 => {
                let width = head_width - at;
                let mut sums = [[0f32; LANES]; M];
                for (s, row) in values.chunks_exact(head_width).enumerate() {
                    for m in 0..M {
                        for (sum, value) in sums[m].iter_mut().zip(&row[at..at + width]) {
                            *sum = simd::fma::<FMA>(weights[m][s], *value, *sum);
                        }
                    }
                }
                (0..M).for_each(|m| put(m, at, &sums[m]));
                at += width;
            }
            1 => at = mix_of::<FMA, M, 1>(weights, values, head_width, at, &mut put),
            2 | 3 => at = mix_of::<FMA, M, 2>(weights, values, head_width, at, &mut put),
            _ => at = mix_of::<FMA, M, 4>(weights, values, head_width, at, &mut put),
        }
    }
}

/// Adds `C` times 16 columns from `at` on; returns the column after them.
#[inline(always)]
fn mix_of<const FMA: bool, const M: usize, const C: usize>(
    weights: &[&[f32]; M],
    values: &[f32],
    head_width: usize,
    at: usize,
    put: &mut impl FnMut(usize, usize, &[f32; LANES]),
) -> usize {
    let mut sums = [[[0f32; LANES]; C]; M];
    for (s, row) in values.chunks_exact(head_width).enumerate() {
        let row: [[f32; LANES]; C] = std::array::from_fn(|c| lanes(&row[at + c * LANES..]));
        for m in 0..M {
            let weight = weights[m][s];
            for c in 0..C {
                for i in 0..LANES {
                    sums[m][c][i] = simd::fma::<FMA>(weight, row[c][i], sums[m][c][i]);
                }
            }
        }
    }
    for (m, sums) in sums.iter().enumerate() {
        for (c, sums) in sums.iter().enumerate() {
            put(m, at + c * LANES, sums);
        }
    }
    at + C * LANES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// One head of one query in f64.
    fn plain(query: &[f32], keys: &[&[f32]], values: &[&[f32]], shift: &[f32]) -> Vec<f64> {
        let dot = |key: &&[f32]| query.iter().zip(*key).map(|(q, k)| f64::from(*q) * f64::from(*k)).sum::<f64>();
        let weights: Vec<f64> =
            keys.iter().zip(shift).map(|(key, shift)| (dot(key) + f64::from(*shift)).exp()).collect();
        let sum: f64 = weights.iter().sum();
        (0..query.len()).map(|d| weights.iter().zip(values).map(|(w, v)| w / sum * f64::from(v[d])).sum()).collect()
    }

    proptest! {
        #[test]
        fn attention_is_what_the_formula_says_whatever_stands_beside_a_query(
            count in 1usize..70, heads in 1usize..4, head_width in 1usize..70, seed: u32, shifted: bool,
        ) {
            let width = heads * head_width;
            let rows = values(count * 3 * width, seed);
            let keys: Keys<f32> = Keys::new(&rows, 3 * width, width, 2 * width, heads, head_width);
            let table = values(heads * (2 * count - 1), seed ^ 3);
            let shift = shifted.then_some(Shift { table: &table, width: 2 * count - 1 });
            let queries = Queries { rows: &rows, stride: 3 * width, heads, head_width, first: 0 };
            let mut out = vec![0f32; count * width];
            let mut weights = vec![0f32; count * count];
            attend(queries, &keys, shift, &mut out, Some(&mut weights));
            for (m, row) in rows.chunks_exact(3 * width).enumerate() {
                prop_assert!((weights[m * count..][..count].iter().sum::<f32>() - 1.0).abs() < 1e-5);
                let mut alone = vec![0f32; width];
                attend(Queries { rows: row, first: m, ..queries }, &keys, shift, &mut alone, None);
                prop_assert_eq!(&alone, &out[m * width..][..width]);
                for head in 0..heads {
                    let part = |at: usize| -> Vec<&[f32]> {
                        rows.chunks_exact(3 * width).map(|row| &row[at + head * head_width..][..head_width]).collect()
                    };
                    let none = vec![0f32; count];
                    let line = if shifted { &table[head * (2 * count - 1) + count - 1 - m..][..count] } else { &none };
                    let query = &row[head * head_width..][..head_width];
                    let expected = plain(query, &part(width), &part(2 * width), line);
                    for (got, expected) in alone[head * head_width..].iter().zip(expected) {
                        prop_assert!((f64::from(*got) - expected).abs() < 1e-4, "{got} for {expected}");
                    }
                }
            }
        }
    }
}

//! Attention of a hypothesis to its own tokens, which lie among those of its siblings.
//!
//! In: one query, and the slots of the hypothesis' tokens in its source's cache. Out: the mean of their values by softmax of
//! the scores. When beams are reordered nothing is copied: a hypothesis is its list of slots. A step adds one slot, so there
//! is no room to transpose keys as in [`super::attention`]; instead the heads lie side by side (the projections' rows are
//! put into that order once, at loading): 16 lanes then add up the scores of all heads at once.
//! Shapes: t tokens, n heads, h head width; queries, keys, values and results are (h, n).

use super::cache::{BLOCK, Stored};
use crate::engine::simd::{self, LANES, dispatch};

/// The keys and values of a hypothesis' tokens, among those of its siblings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a, T> {
    /// Blocks of ([`BLOCK`] slots, keys and values, (h, n)).
    pub blocks: &'a [Box<[T]>],
    /// The slot of each token of the hypothesis, first one first.
    pub slots: &'a [u32],
    /// n
    pub heads: usize,
}

impl<T> Path<'_, T> {
    /// The keys of a slot.
    #[inline(always)]
    pub fn keys(&self, slot: u32, width: usize) -> &[T] {
        let slot = slot as usize;
        &self.blocks[slot / BLOCK][slot % BLOCK * 2 * width..][..width]
    }

    /// The values of a slot.
    #[inline(always)]
    pub fn values(&self, slot: u32, width: usize) -> &[T] {
        let slot = slot as usize;
        &self.blocks[slot / BLOCK][(slot % BLOCK * 2 + 1) * width..][..width]
    }
}

/// Attends from a hypothesis' last token to all of its tokens. query, out: (h, n). `shift` is (distance back, n), added to
/// the scores. `scratch` grows as needed.
pub(super) fn attend_path<T: Stored>(
    query: &[f32],
    path: Path<'_, T>,
    shift: Option<&[f32]>,
    out: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    if LANES.is_multiple_of(path.heads) && query.len().is_multiple_of(LANES) {
        scratch.resize(path.slots.len() * LANES + T::room(query.len()), 0.0);
        #[cfg(target_arch = "x86_64")]
        if super::path_avx512::by_lanes(query, path, shift, out, scratch) {
            return;
        }
        by_lanes(query, path, shift, out, scratch);
    } else {
        scratch.resize((path.slots.len() + 1) * path.heads + T::room(query.len()), 0.0);
        by_heads(query, path, shift, out, scratch);
    }
}

dispatch! {
    fn by_lanes<T: Stored>(
        query: &[f32],
        path: Path<'_, T>,
        shift: Option<&[f32]>,
        out: &mut [f32],
        scores: &mut [f32],
    ) = by_lanes_body
}

/// Lane l works for head l mod n. scores: (t, 16).
#[inline(always)]
fn by_lanes_body<const FMA: bool, T: Stored>(
    query: &[f32],
    path: Path<'_, T>,
    shift: Option<&[f32]>,
    out: &mut [f32],
    scores: &mut [f32],
) {
    /// Accumulators, so that additions need not wait for each other.
    const CHAINS: usize = 4;
    /// Columns, by 16, whose sums stay in registers.
    const COLUMNS: usize = 8;
    let (width, heads, count) = (query.len(), path.heads, path.slots.len());
    let query = query.as_chunks::<LANES>().0;
    let (scores, wide) = scores.split_at_mut(count * LANES);
    let scores = scores.as_chunks_mut::<LANES>().0;
    let mut largest = [f32::NEG_INFINITY; LANES];
    for (t, &slot) in path.slots.iter().enumerate() {
        let keys = T::widened(path.keys(slot, width), wide).as_chunks::<LANES>().0;
        let mut sums = [[0f32; LANES]; CHAINS];
        let (query_chains, keys_chains) = (query.chunks_exact(CHAINS), keys.chunks_exact(CHAINS));
        let rest = query_chains.remainder().iter().zip(keys_chains.remainder());
        for (query, keys) in query_chains.zip(keys_chains) {
            for chain in 0..CHAINS {
                for i in 0..LANES {
                    sums[chain][i] = simd::fma::<FMA>(query[chain][i], keys[chain][i], sums[chain][i]);
                }
            }
        }
        for (query, keys) in rest {
            for i in 0..LANES {
                sums[0][i] = simd::fma::<FMA>(query[i], keys[i], sums[0][i]);
            }
        }
        let mut score = [0f32; LANES];
        for i in 0..LANES {
            score[i] = (sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i]);
        }
        let mut lanes = LANES;
        while lanes > heads {
            lanes /= 2;
            for i in 0..lanes {
                score[i] += score[i + lanes];
            }
        }
        if heads < LANES {
            let folded = score;
            for i in 0..LANES {
                score[i] = folded[i % heads];
            }
        }
        if let Some(shift) = shift {
            let line = &shift[(count - 1 - t) * heads..][..heads];
            for i in 0..LANES {
                score[i] += line[i % heads];
            }
        }
        for i in 0..LANES {
            largest[i] = if score[i] > largest[i] { score[i] } else { largest[i] };
        }
        scores[t] = score;
    }
    let mut total = [0f32; LANES];
    for score in scores.iter_mut() {
        for i in 0..LANES {
            score[i] = simd::exp::<FMA>(score[i] - largest[i]);
            total[i] += score[i];
        }
    }
    total.iter_mut().for_each(|total| *total = 1.0 / *total);
    for (block, out) in out.chunks_mut(COLUMNS * LANES).enumerate() {
        let mut sums = [[0f32; LANES]; COLUMNS];
        for (weight, &slot) in scores.iter().zip(path.slots) {
            let values = &path.values(slot, width)[block * COLUMNS * LANES..];
            let values = T::widened(&values[..values.len().min(COLUMNS * LANES)], wide).as_chunks::<LANES>().0;
            match values.first_chunk::<COLUMNS>() {
                Some(values) => {
                    for column in 0..COLUMNS {
                        for i in 0..LANES {
                            sums[column][i] = simd::fma::<FMA>(weight[i], values[column][i], sums[column][i]);
                        }
                    }
                }
                None => {
                    for (sums, values) in sums.iter_mut().zip(values) {
                        for i in 0..LANES {
                            sums[i] = simd::fma::<FMA>(weight[i], values[i], sums[i]);
                        }
                    }
                }
            }
        }
        for (out, sums) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(&sums) {
            for i in 0..LANES {
                out[i] = sums[i] * total[i];
            }
        }
    }
}

/// The same for numbers of heads that do not divide 16. scores: (t, n), then n for the sums.
fn by_heads<T: Stored>(query: &[f32], path: Path<'_, T>, shift: Option<&[f32]>, out: &mut [f32], scores: &mut [f32]) {
    let (width, heads, count) = (query.len(), path.heads, path.slots.len());
    let (scores, rest) = scores.split_at_mut(count * heads);
    let (total, wide) = rest.split_at_mut(heads);
    for (t, (score, &slot)) in scores.chunks_exact_mut(heads).zip(path.slots).enumerate() {
        score.fill(0.0);
        let keys = T::widened(path.keys(slot, width), wide);
        for (query, keys) in query.chunks_exact(heads).zip(keys.chunks_exact(heads)) {
            score.iter_mut().zip(query.iter().zip(keys)).for_each(|(score, (query, key))| *score += query * key);
        }
        if let Some(shift) = shift {
            let line = &shift[(count - 1 - t) * heads..][..heads];
            score.iter_mut().zip(line).for_each(|(score, shift)| *score += shift);
        }
    }
    for (head, total) in total.iter_mut().enumerate() {
        let of_head = || (0..count).map(|t| t * heads + head);
        let largest = of_head().fold(f32::NEG_INFINITY, |largest, at| largest.max(scores[at]));
        *total = 0.0;
        for at in of_head() {
            scores[at] = (scores[at] - largest).exp();
            *total += scores[at];
        }
    }
    out.fill(0.0);
    for (weights, &slot) in scores.chunks_exact(heads).zip(path.slots) {
        let values = T::widened(path.values(slot, width), wide);
        for (out, values) in out.chunks_exact_mut(heads).zip(values.chunks_exact(heads)) {
            out.iter_mut().zip(weights.iter().zip(values)).for_each(|(out, (weight, value))| *out += weight * value);
        }
    }
    for out in out.chunks_exact_mut(heads) {
        out.iter_mut().zip(&*total).for_each(|(out, total)| *out /= total);
    }
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

    proptest! {
        #[test]
        fn a_path_finds_its_own_tokens_among_its_siblings(
            slots in prop::collection::vec(0u32..40, 1..50), heads in 1usize..18, head_width in 1usize..70,
            seed: u32, shifted: bool,
        ) {
            let (width, count) = (heads * head_width, slots.len());
            let (keys, all) = (values(40 * width, seed), values(40 * width, seed ^ 1));
            let rows: Vec<f32> =
                keys.chunks_exact(width).zip(all.chunks_exact(width)).flat_map(|(k, v)| [k, v].concat()).collect();
            let blocks: Vec<Box<[f32]>> = rows.chunks(BLOCK * 2 * width).map(Into::into).collect();
            let (query, table) = (values(width, seed ^ 2), values(heads * count, seed ^ 4));
            let mut out = vec![9f32; width];
            let path = Path { blocks: &blocks, slots: &slots, heads };
            attend_path(&query, path, shifted.then_some(&table[..]), &mut out, &mut vec![7.0; 3]);
            let mut twin = vec![8f32; width];
            if LANES.is_multiple_of(heads) && width.is_multiple_of(LANES) {
                by_lanes(&query, path, shifted.then_some(&table[..]), &mut twin, &mut vec![0.0; count * LANES]);
                prop_assert_eq!(&twin, &out, "the fast path is its plain twin");
            }
            for head in 0..heads {
                let at = |row: &[f32], slot: usize, d: usize| f64::from(row[slot * width + d * heads + head]);
                let weights: Vec<f64> = (0..count).map(|t| {
                    let slot = slots[t] as usize;
                    let dot: f64 = (0..head_width).map(|d| at(&query, 0, d) * at(&keys, slot, d)).sum();
                    let shift = if shifted { f64::from(table[(count - 1 - t) * heads + head]) } else { 0.0 };
                    (dot + shift).exp()
                }).collect();
                let sum: f64 = weights.iter().sum();
                for d in 0..head_width {
                    let expected: f64 = (0..count).map(|t| weights[t] / sum * at(&all, slots[t] as usize, d)).sum();
                    let got = at(&out, 0, d);
                    prop_assert!((got - expected).abs() < 1e-4, "{got} for {expected}");
                }
            }
        }
    }
}

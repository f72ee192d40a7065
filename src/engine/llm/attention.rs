//! Causal attention over chains of cached parts, for any mix of sequences.
//!
//! In: queries of new tokens, each with its chain of cached keys and values. Out: attended values. Rows are worked on in small
//! groups: each cached part is read once a group, however many rows stand on it. All sums run over positions in order, in
//! lanes that depend on the position alone, so a row's result does not depend on its group, bit for bit.
//! Shapes: r rows, n query heads, k key heads, h head width.

use rayon::prelude::*;

use super::cache::{BLOCK, Part};
use crate::engine::simd::{LANES, dispatch, exp, fma, max_body, sum_lanes};

/// Queries that are multiplied with the same keys at a time.
const TILE: usize = 4;
/// Dimensions of values that are summed at a time: with [`TILE`] queries they fill half of the registers of AVX-512.
const VALUE_TILE: usize = 64;
/// Rows that share one walk over the cache.
const GROUP: usize = 8;

/// One new token that attends.
#[derive(Debug, Clone, Copy)]
pub struct Row<'c> {
    /// The chain that ends with its own sequence's tail; its own key is there already.
    pub tail: &'c Part,
    /// Its position; it sees this one and those before.
    pub position: usize,
}

/// What is the same for all rows.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// The layer to read.
    pub layer: usize,
    /// Query heads, n.
    pub heads: usize,
    /// Key heads, k.
    pub kv_heads: usize,
    /// Head width, h.
    pub head_width: usize,
    /// How many positions a token sees, its own included.
    pub window: Option<usize>,
}

/// Attends. queries, already scaled: (r, n, h); out: (r, n, h).
pub fn attend(heads: Heads, rows: &[Row<'_>], queries: &[f32], out: &mut [f32]) {
    let width = heads.heads * heads.head_width;
    let group = rows.len().div_ceil(rayon::current_num_threads()).clamp(1, GROUP);
    let work = rows.chunks(group).zip(queries.chunks(group * width)).zip(out.chunks_mut(group * width));
    if rows.len() <= group {
        work.for_each(|((rows, queries), out)| attend_group(&Group { heads, rows, queries }, out));
        return;
    }
    let work: Vec<_> = work.collect();
    work.into_par_iter().with_max_len(1).for_each(|((rows, queries), out)| {
        attend_group(&Group { heads, rows, queries }, out);
    });
}

struct Group<'g> {
    heads: Heads,
    rows: &'g [Row<'g>],
    queries: &'g [f32],
}

/// A part with the rows (by index) whose chain it is in.
struct Visit<'g> {
    part: &'g Part,
    rows: Vec<usize>,
}

dispatch! {
    fn attend_group(group: &Group<'_>, out: &mut [f32]) = attend_group_body
}

#[inline(always)]
fn attend_group_body<const FMA: bool>(group: &Group<'_>, out: &mut [f32]) {
    let Heads { layer, heads, kv_heads, head_width, window } = group.heads;
    let per_kv = heads / kv_heads;
    let first = |row: &Row<'_>| window.map_or(0, |window| (row.position + 1).saturating_sub(window));
    let base = group.rows.iter().map(first).min().unwrap_or(0) / LANES * LANES;
    let end = group.rows.iter().map(|row| row.position + 1).max().unwrap_or(0);
    let stride = (end - base).next_multiple_of(LANES);
    // Where a part ends is read off its values: a tail holds tokens already that it does not count yet.
    let held = |part: &Part| part.start() + part.layer(layer).values.len() / (kv_heads * head_width);
    let mut visits: Vec<Visit<'_>> = Vec::new();
    for (index, row) in group.rows.iter().enumerate() {
        let lowest = first(row);
        for part in row.tail.chain().take_while(|part| held(part) > lowest) {
            match visits.iter_mut().find(|visit| std::ptr::eq(visit.part, part)) {
                Some(visit) => visit.rows.push(index),
                None => visits.push(Visit { part, rows: vec![index] }),
            }
        }
    }
    visits.sort_by_key(|visit| visit.part.start());

    // scores: (r, n, positions from base on)
    let mut scores = vec![f32::NEG_INFINITY; group.rows.len() * heads * stride];
    let mut members: Vec<(usize, usize)> = Vec::new();
    for visit in &visits {
        let keys = &visit.part.layer(layer).keys;
        let start = visit.part.start();
        let low = visit.rows.iter().map(|&r| first(&group.rows[r])).min().unwrap_or(0).max(start);
        let high = visit.rows.iter().map(|&r| group.rows[r].position + 1).max().unwrap_or(0);
        let high = high.min(held(visit.part));
        if low >= high {
            continue;
        }
        for block in (low - start) / BLOCK..(high - start).div_ceil(BLOCK) {
            let block_start = start + block * BLOCK;
            for kv in 0..kv_heads {
                let keys = &keys[(block * kv_heads + kv) * head_width * BLOCK..][..head_width * BLOCK];
                members.clear();
                members.extend(visit.rows.iter().flat_map(|&r| (0..per_kv).map(move |i| (r, kv * per_kv + i))));
                for tile in members.chunks(TILE) {
                    let query = |i: usize| {
                        let (row, head) = tile[i.min(tile.len() - 1)];
                        &group.queries[(row * heads + head) * head_width..][..head_width]
                    };
                    let made = score_tile::<FMA>([query(0), query(1), query(2), query(3)], keys);
                    for (&(row, head), made) in tile.iter().zip(&made) {
                        let position = group.rows[row].position;
                        let from = first(&group.rows[row]).max(block_start);
                        let to = (position + 1).min(block_start + BLOCK).min(high);
                        if from < to {
                            let scores = &mut scores[(row * heads + head) * stride..][..stride];
                            scores[from - base..to - base].copy_from_slice(&made[from - block_start..to - block_start]);
                        }
                    }
                }
            }
        }
    }
    for scores in scores.chunks_exact_mut(stride) {
        soft_max::<FMA>(scores);
    }

    out.fill(0.0);
    for visit in &visits {
        let values = &visit.part.layer(layer).values;
        let start = visit.part.start();
        let low = visit.rows.iter().map(|&r| first(&group.rows[r])).min().unwrap_or(0).max(start);
        let high = visit.rows.iter().map(|&r| group.rows[r].position + 1).max().unwrap_or(0);
        let high = high.min(held(visit.part));
        if low >= high {
            continue;
        }
        for kv in 0..kv_heads {
            members.clear();
            members.extend(visit.rows.iter().flat_map(|&r| (0..per_kv).map(move |i| (r, kv * per_kv + i))));
            for tile in members.chunks(TILE) {
                for d in (0..head_width).step_by(VALUE_TILE) {
                    let take = VALUE_TILE.min(head_width - d);
                    let mut sums = [[0f32; VALUE_TILE]; TILE];
                    for (sum, &(row, head)) in sums.iter_mut().zip(tile) {
                        sum[..take].copy_from_slice(&out[(row * heads + head) * head_width + d..][..take]);
                    }
                    let weights = |i: usize| {
                        let (row, head) = tile[i.min(tile.len() - 1)];
                        &scores[(row * heads + head) * stride + low - base..][..high - low]
                    };
                    let weights = [weights(0), weights(1), weights(2), weights(3)];
                    let first_value = ((low - start) * kv_heads + kv) * head_width + d;
                    let values = &values[first_value..];
                    if take == VALUE_TILE {
                        value_tile::<FMA>(&mut sums, weights, values, kv_heads * head_width);
                    } else {
                        value_tile_narrow::<FMA>(&mut sums, weights, values, kv_heads * head_width, take);
                    }
                    for (sum, &(row, head)) in sums.iter().zip(tile) {
                        out[(row * heads + head) * head_width + d..][..take].copy_from_slice(&sum[..take]);
                    }
                }
            }
        }
    }
}

/// Multiplies four queries with 16 keys. keys: (h, 16).
#[inline(always)]
fn score_tile<const FMA: bool>(queries: [&[f32]; TILE], keys: &[f32]) -> [[f32; BLOCK]; TILE] {
    // Two sums for each query, even and odd dimensions, so that one multiply-add need not wait for the one before.
    let mut even = [[0f32; BLOCK]; TILE];
    let mut odd = [[0f32; BLOCK]; TILE];
    let pairs = queries[0].len() / 2;
    let [q0, q1, q2, q3] = queries.map(|query| &query[..2 * pairs]);
    for (d, keys) in keys.chunks_exact(2 * BLOCK).take(pairs).enumerate() {
        let (first, second) = keys.split_at(BLOCK);
        let a = [q0[2 * d], q1[2 * d], q2[2 * d], q3[2 * d]];
        let b = [q0[2 * d + 1], q1[2 * d + 1], q2[2 * d + 1], q3[2 * d + 1]];
        for t in 0..TILE {
            for i in 0..BLOCK {
                even[t][i] = fma::<FMA>(a[t], first[i], even[t][i]);
            }
            for i in 0..BLOCK {
                odd[t][i] = fma::<FMA>(b[t], second[i], odd[t][i]);
            }
        }
    }
    for t in 0..TILE {
        for i in 0..BLOCK {
            even[t][i] += odd[t][i];
        }
    }
    even
}

/// Adds values weighted by four rows of weights, positions in order.
#[inline(always)]
fn value_tile<const FMA: bool>(
    sums: &mut [[f32; VALUE_TILE]; TILE],
    weights: [&[f32]; TILE],
    values: &[f32],
    stride: usize,
) {
    let mut local = *sums;
    let [w0, w1, w2, w3] = weights;
    for (p, (((w0, w1), w2), w3)) in w0.iter().zip(w1).zip(w2).zip(w3).enumerate() {
        let value = &values[p * stride..][..VALUE_TILE];
        let weight = [*w0, *w1, *w2, *w3];
        for t in 0..TILE {
            for i in 0..VALUE_TILE {
                local[t][i] = fma::<FMA>(weight[t], value[i], local[t][i]);
            }
        }
    }
    *sums = local;
}

/// As [`value_tile`], for the last dimensions of heads whose width is no multiple of 64.
#[inline(always)]
fn value_tile_narrow<const FMA: bool>(
    sums: &mut [[f32; VALUE_TILE]; TILE],
    weights: [&[f32]; TILE],
    values: &[f32],
    stride: usize,
    take: usize,
) {
    for (t, weights) in weights.into_iter().enumerate() {
        for (p, &weight) in weights.iter().enumerate() {
            for (sum, value) in sums[t].iter_mut().zip(&values[p * stride..][..take]) {
                *sum = fma::<FMA>(weight, *value, *sum);
            }
        }
    }
}

/// Turns scores into weights that sum to 1; negative infinity becomes 0. The length is a multiple of 16.
#[inline(always)]
fn soft_max<const FMA: bool>(scores: &mut [f32]) {
    let top = max_body::<FMA>(scores);
    let mut lanes = [0f32; LANES];
    for chunk in scores.chunks_exact_mut(LANES) {
        for i in 0..LANES {
            chunk[i] = exp::<FMA>(chunk[i] - top);
            lanes[i] += chunk[i];
        }
    }
    let scale = 1.0 / sum_lanes(lanes);
    for score in scores {
        *score *= scale;
    }
}

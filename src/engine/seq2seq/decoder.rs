//! Grows hypotheses: one token each in, the best next tokens out.
//!
//! In: sources with their caches, and which hypothesis grows by what. Out: log-probabilities of the best next tokens.
//! A hypothesis is a path of slots in its source's cache: when beams are reordered nothing is copied but the path.
//! Shapes as in [`super::model`]; r is the number of hypotheses of all sources.

use rayon::prelude::*;

use super::attention::Queries;
use super::model::{Model, Source};
use super::spec::Side;
use super::weights::{CrossAttention, SelfAttention, index, tensor};
use crate::engine::Error;
use crate::engine::decode::step::{Scored, Step, Want};
use crate::engine::kernels::dense::{Buffer, Input, Row, Threads, Tops};

impl Model {
    /// Grows hypotheses by one token each.
    pub(super) fn grow(
        &self,
        steps: &mut [Step<'_, Source>],
        want: &Want<'_>,
        threads: Threads,
    ) -> Result<Vec<Scored>, Error> {
        self.branch(steps)?;
        let tokens: Vec<(u32, usize)> = steps
            .iter()
            .flat_map(|step| step.grow.iter().zip(&step.source.paths).map(|(grow, path)| (grow.token, path.len() - 1)))
            .collect();
        let mut x = self.embed(Side::Decoder, tokens.iter().copied())?;
        let layers = &self.weights.layers[index(Side::Decoder)];
        let longest = tokens.iter().map(|(_, position)| position + 1).max().unwrap_or(0);
        let shift = self.relative(Side::Decoder).map(|relative| relative.back(longest));
        // The layer but one aligns best (Garg et al. 2019).
        let aligned = layers.len().saturating_sub(2);
        let mut attention: Vec<Vec<f32>> = Vec::new();
        for (layer, weights) in layers.iter().enumerate() {
            self.self_attention(steps, layer, &weights.attention, &mut x, shift.as_deref(), threads)?;
            if let Some(cross) = &weights.cross {
                let keep = (want.attention && layer == aligned).then_some(&mut attention);
                self.cross_attention(steps, layer, cross, &mut x, keep, threads)?;
            }
            self.feed_forward(&mut x, &weights.feed_forward, threads)?;
        }
        if let Some(norm) = &self.weights.final_norms[index(Side::Decoder)] {
            self.norm(&mut x, norm, threads);
        }
        if self.spec.output_scale != 1.0 {
            x.iter_mut().for_each(|value| *value *= self.spec.output_scale);
        }
        let mut scored = self.project(steps, &x, want, threads)?;
        for (scored, attention) in scored.iter_mut().zip(attention) {
            scored.attention = attention;
        }
        Ok(scored)
    }

    /// Gives every growth its slot and its path.
    fn branch(&self, steps: &mut [Step<'_, Source>]) -> Result<(), Error> {
        let limit = self.max_positions();
        for step in steps {
            let source = &mut *step.source;
            let none = [Vec::new()];
            let parents: &[Vec<u32>] = if source.slots == 0 { &none } else { &source.paths };
            let mut paths = Vec::with_capacity(step.grow.len());
            for (growth, slot) in step.grow.iter().zip(source.slots as u32..) {
                let parent = parents.get(growth.parent).ok_or_else(|| {
                    candle_core::Error::msg(format!("no hypothesis {} of {}", growth.parent, parents.len()))
                })?;
                if parent.len() >= limit {
                    return Err(Error::TooLong { tokens: parent.len() + 1, limit });
                }
                let mut path = Vec::with_capacity(parent.len() + 1);
                path.extend_from_slice(parent);
                path.push(slot);
                paths.push(path);
            }
            source.paths = paths;
            source.slots += step.grow.len();
        }
        Ok(())
    }

    fn self_attention(
        &self,
        steps: &mut [Step<'_, Source>],
        layer: usize,
        weights: &SelfAttention,
        x: &mut [f32],
        shift: Option<&[f32]>,
        threads: Threads,
    ) -> Result<(), Error> {
        let heads = self.spec.heads[index(Side::Decoder)];
        let inner = heads * self.spec.head_width;
        let normed = self.before(x, &weights.norm, threads);
        let qkv = weights.qkv.forward(&normed, None, threads)?;
        let mut rows = qkv.chunks_exact(3 * inner);
        for step in steps.iter_mut() {
            let cache = &mut step.source.cache;
            for row in rows.by_ref().take(step.grow.len()) {
                cache.push(layer, &row[inner..2 * inner], &row[2 * inner..]);
            }
        }
        let mut attended = Buffer::zeroed(qkv.len() / 3);
        let owners: Vec<(&Source, usize)> =
            steps.iter().flat_map(|step| (0..step.grow.len()).map(|at| (&*step.source, at))).collect();
        let work = |scratch: &mut Vec<f32>, r: usize, out: &mut [f32]| {
            let (source, at) = owners[r];
            let query = &qkv[r * 3 * inner..][..inner];
            source.cache.attend_own(layer, query, (&source.paths[at], heads), shift, out, scratch);
        };
        if threads == Threads::One || owners.len() < 8 {
            let mut scratch = Vec::new();
            attended.chunks_exact_mut(inner).enumerate().for_each(|(r, out)| work(&mut scratch, r, out));
        } else {
            let rows = attended.par_chunks_exact_mut(inner).enumerate().with_min_len(4);
            rows.for_each_init(Vec::new, |scratch, (r, out)| work(scratch, r, out));
        }
        let made = weights.output.forward(&attended, None, threads)?;
        self.after(x, &made, &weights.norm, threads);
        Ok(())
    }

    /// Attends to the source. Where `attention` is given it gets the weights, one list of (source tokens) a hypothesis.
    fn cross_attention(
        &self,
        steps: &[Step<'_, Source>],
        layer: usize,
        weights: &CrossAttention,
        x: &mut [f32],
        attention: Option<&mut Vec<Vec<f32>>>,
        threads: Threads,
    ) -> Result<(), Error> {
        let heads = self.spec.heads[index(Side::Decoder)];
        let inner = heads * self.spec.head_width;
        let normed = self.before(x, &weights.norm, threads);
        let q = weights.query.forward(&normed, None, threads)?;
        let mut attended = Buffer::zeroed(q.len());
        let wanted = attention.is_some();
        let mut parts = Vec::with_capacity(steps.len());
        let (mut queries, mut out) = (&q[..], &mut attended[..]);
        for step in steps {
            let (own, rest) = queries.split_at(step.grow.len() * inner);
            let (to, after) = out.split_at_mut(step.grow.len() * inner);
            parts.push((&*step.source, own, to));
            (queries, out) = (rest, after);
        }
        let work = |(source, rows, out): (&Source, &[f32], &mut [f32])| -> Vec<Vec<f32>> {
            let queries = Queries { rows, stride: inner, heads, head_width: self.spec.head_width, first: 0 };
            let count = if wanted { rows.len() / inner } else { 0 };
            let mut kept = vec![0f32; count * source.tokens];
            source.cache.attend_cross(layer, queries, out, wanted.then_some(&mut kept[..]));
            kept.chunks_exact(source.tokens).map(<[f32]>::to_vec).collect()
        };
        let kept: Vec<Vec<Vec<f32>>> = match threads {
            Threads::One => parts.into_iter().map(work).collect(),
            Threads::All => parts.into_par_iter().map(work).collect(),
        };
        if let Some(attention) = attention {
            *attention = kept.into_iter().flatten().collect();
        }
        let made = weights.output.forward(&attended, None, threads)?;
        self.after(x, &made, &weights.norm, threads);
        Ok(())
    }

    /// Finds the best next tokens. x: (r, d).
    fn project(
        &self,
        steps: &[Step<'_, Source>],
        x: &[f32],
        want: &Want<'_>,
        threads: Threads,
    ) -> Result<Vec<Scored>, Error> {
        let projection = &self.weights.projection;
        let input = Input::new(x, self.spec.width, projection.matrix.precision()).map_err(tensor)?;
        let rows: Vec<Row<'_>> =
            steps.iter().flat_map(|step| step.grow).map(|growth| Row { banned: &growth.banned }).collect();
        let Want { top, banned, renormalize, .. } = *want;
        let tops = Tops { top, bias: projection.bias.as_deref(), banned, renormalize };
        let best = projection.matrix.tops(&input, tops, &rows, threads).map_err(tensor)?;
        let scored = best.into_iter().map(|best| {
            if !best.log_sum_exp.is_finite() {
                return Err(Error::from(candle_core::Error::msg("logits are not numbers: the weights are broken")));
            }
            let top = best.columns.into_iter().map(|(token, logit)| (token, logit - best.log_sum_exp)).collect();
            Ok(Scored { top, attention: Vec::new() })
        });
        scored.collect()
    }
}

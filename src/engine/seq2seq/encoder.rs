//! Reads sources: token ids become states, and states the keys and values of cross-attention.
//!
//! In: ids of several sources. Out: a [`Source`] each. All their tokens pass through the layers as one matrix. Shapes as in
//! [`super::model`]; n heads, h head width.

use rayon::prelude::*;

use super::attention::{Keys, Queries, Shift, attend};
use super::cache::Cache;
use super::model::{Model, Source};
use super::relative::Relative;
use super::spec::{Positions, Side};
use super::weights::index;
use crate::engine::Error;
use crate::engine::kernels::dense::{Buffer, Threads};

impl Model {
    /// Encodes sources. Returns (tokens of all, d).
    pub(super) fn encoder_states(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<f32>, Error> {
        let limit = self.max_positions();
        for source in sources {
            if source.is_empty() {
                return Err(Error::EmptyPrompt);
            }
            if source.len() > limit {
                return Err(Error::TooLong { tokens: source.len(), limit });
            }
        }
        let tokens = sources.iter().flat_map(|source| source.iter().enumerate().map(|(at, &token)| (token, at)));
        let mut x = self.embed(Side::Encoder, tokens)?;
        let heads = self.spec.heads[index(Side::Encoder)];
        let inner = heads * self.spec.head_width;
        let shifts = self.encoder_shifts(sources);
        for layer in &self.weights.layers[index(Side::Encoder)] {
            let normed = self.before(&x, &layer.attention.norm, threads);
            let qkv = layer.attention.qkv.forward(&normed, None, threads)?;
            let mut attended = Buffer::zeroed(qkv.len() / 3);
            let mut parts = Vec::with_capacity(sources.len());
            let (mut rows, mut out) = (&qkv[..], &mut attended[..]);
            for (source, shift) in sources.iter().zip(&shifts) {
                let (own, rest) = rows.split_at(source.len() * 3 * inner);
                let (to, after) = out.split_at_mut(source.len() * inner);
                parts.push((own, to, shift.as_ref()));
                (rows, out) = (rest, after);
            }
            let work = |(rows, out, shift): (&[f32], &mut [f32], Option<&Vec<f32>>)| {
                let keys: Keys<f32> = Keys::new(rows, 3 * inner, inner, 2 * inner, heads, self.spec.head_width);
                let shift = shift.map(|table| Shift { table, width: table.len() / heads });
                let queries = Queries { rows, stride: 3 * inner, heads, head_width: self.spec.head_width, first: 0 };
                attend(queries, &keys, shift, out, None);
            };
            match threads {
                Threads::One => parts.into_iter().for_each(work),
                Threads::All => parts.into_par_iter().for_each(work),
            }
            let made = layer.attention.output.forward(&attended, None, threads)?;
            self.after(&mut x, &made, &layer.attention.norm, threads);
            self.feed_forward(&mut x, &layer.feed_forward, threads)?;
        }
        if let Some(norm) = &self.weights.final_norms[index(Side::Encoder)] {
            self.norm(&mut x, norm, threads);
        }
        Ok(x)
    }

    /// Returns each source's biases by distance, where the model has them.
    fn encoder_shifts(&self, sources: &[&[u32]]) -> Vec<Option<Vec<f32>>> {
        let relative = self.relative(Side::Encoder);
        sources.iter().map(|source| relative.as_ref().map(|relative| relative.around(source.len()))).collect()
    }

    /// Returns the biases by distance of a side, where the model has them.
    pub(super) fn relative(&self, side: Side) -> Option<Relative<'_>> {
        let bias = self.weights.relative[index(side)].as_deref()?;
        let Positions::Relative { buckets, max_distance } = self.spec.positions else { return None };
        Some(Relative { bias, heads: self.spec.heads[index(side)], buckets, max_distance })
    }

    /// Reads sources for the decoder.
    pub(super) fn read_sources(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<Source>, Error> {
        let states = self.encoder_states(sources, threads)?;
        let (width, head_width) = (self.spec.width, self.spec.head_width);
        let heads = self.spec.heads[index(Side::Decoder)];
        let inner = heads * head_width;
        let layers = &self.weights.layers[index(Side::Decoder)];
        let mut read: Vec<Source> = sources
            .iter()
            .map(|source| Source {
                tokens: source.len(),
                cache: Cache::new(&self.pools, layers.len()),
                slots: 0,
                paths: Vec::new(),
            })
            .collect();
        debug_assert_eq!(states.len(), sources.iter().map(|source| source.len()).sum::<usize>() * width);
        for cross in layers.iter().filter_map(|layer| layer.cross.as_ref()) {
            let kv = cross.kv.forward(&states, None, threads)?;
            let mut rest = &kv[..];
            for source in &mut read {
                let (rows, after) = rest.split_at(source.tokens * 2 * inner);
                source.cache.push_cross(rows, heads, head_width);
                rest = after;
            }
        }
        Ok(read)
    }
}

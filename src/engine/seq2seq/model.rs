//! An encoder-decoder with its weights: the arithmetic that Marian, M2M-100 and T5 share.
//!
//! In: a [`Spec`] and [`Weights`]. Out: a [`Stepper`]. The tokens of all sources, and then all hypotheses, form one flat
//! matrix without padding, so there is nothing to mask, and what one source is worth does not depend on the others, bit
//! for bit. Reading sources is `encoder`'s, growing hypotheses `decoder`'s, choosing tokens [`crate::engine::decode`]'s.
//! Source: `modeling_marian.py`, `modeling_m2m_100.py` and `modeling_t5.py` of transformers 5.23.0.
//! Shapes: r rows, d `d_model`.

use rayon::prelude::*;

use super::cache::{Cache, Pools};
use super::spec::{NormKind, NormPlacement, Positions, Side, Spec};
use super::weights::{FeedForward, Norm, Weights, index, tensor};
use crate::engine::decode::step::{Scored, Step, Stepper, Want};
use crate::engine::kernels::dense::{Activation, Buffer, Precision, Threads};
use crate::engine::{Error, simd};

/// Rows below which elementwise work stays on one thread.
const PARALLEL_ROWS: usize = 32;

/// Rows that pass through a feed-forward network together: its inner states, four times as wide as all others, stay in the
/// caches, and so small that long sources need no more memory.
const FEED_FORWARD_ROWS: usize = 192;

/// A model that is ready to run.
#[derive(Debug)]
pub struct Model {
    pub(super) spec: Spec,
    pub(super) weights: Weights,
    pub(super) pools: Pools,
}

/// A source that was read, and what its hypotheses remember.
#[derive(Debug)]
pub struct Source {
    /// Its length in tokens.
    pub(super) tokens: usize,
    /// Keys and values.
    pub(super) cache: Cache,
    /// Slots that are taken.
    pub(super) slots: usize,
    /// The slots of each hypothesis, its first token first.
    pub(super) paths: Vec<Vec<u32>>,
}

impl Model {
    /// Puts a model together.
    pub fn new(spec: Spec, weights: Weights) -> Self {
        let pools = Pools::new(weights.projection.matrix.precision());
        Self { spec, weights, pools }
    }

    /// Sizes and choices.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Bytes of the weights in memory.
    pub fn bytes(&self) -> usize {
        self.weights.bytes()
    }

    /// How weights are kept.
    pub fn precision(&self) -> Precision {
        self.weights.projection.matrix.precision()
    }

    /// Returns the encoder's last states of sources: one list of (tokens, d) a source.
    ///
    /// # Errors
    /// As [`Stepper::read`].
    pub fn encode(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<Vec<f32>>, Error> {
        let states = self.encoder_states(sources, threads)?;
        let mut rest = states.as_slice();
        let mut split = Vec::with_capacity(sources.len());
        for source in sources {
            let (own, after) = rest.split_at(source.len() * self.spec.width);
            split.push(own.to_vec());
            rest = after;
        }
        Ok(split)
    }

    /// Looks embeddings up and adds positions. Returns (ids, d).
    pub(super) fn embed(&self, side: Side, tokens: impl Iterator<Item = (u32, usize)>) -> Result<Vec<f32>, Error> {
        let (width, matrix) = (self.spec.width, &self.weights.embeddings[index(side)]);
        let mut x = Vec::with_capacity(tokens.size_hint().0 * width);
        for (token, position) in tokens {
            let at = x.len();
            x.resize(at + width, 0f32);
            let row = &mut x[at..];
            matrix.row(token as usize, row).map_err(tensor)?;
            if self.spec.embedding_scale != 1.0 {
                row.iter_mut().for_each(|value| *value *= self.spec.embedding_scale);
            }
            if let Positions::Absolute(table) = &self.spec.positions {
                let limit = table.len() / width;
                let there = table.chunks_exact(width).nth(position);
                simd::add(row, there.ok_or(Error::TooLong { tokens: position + 1, limit })?);
            }
        }
        Ok(x)
    }

    /// Returns how many tokens a source or a target can have.
    pub fn max_positions(&self) -> usize {
        let table = match &self.spec.positions {
            Positions::Absolute(table) => table.len() / self.spec.width.max(1),
            Positions::Relative { .. } => usize::MAX,
        };
        self.spec.max_positions.unwrap_or(usize::MAX).min(table)
    }

    /// Norms rows where the model norms before its parts; x: (r, d). Returns (r, d).
    pub(super) fn before<'x>(&self, x: &'x [f32], norm: &Norm, threads: Threads) -> std::borrow::Cow<'x, [f32]> {
        match self.spec.placement {
            NormPlacement::Post => x.into(),
            NormPlacement::Pre => {
                let mut normed = x.to_vec();
                self.norm(&mut normed, norm, threads);
                normed.into()
            }
        }
    }

    /// Adds what a part made to the residual stream, and norms it where the model norms after its parts. x, made: (r, d).
    pub(super) fn after(&self, x: &mut [f32], made: &[f32], norm: &Norm, threads: Threads) {
        let width = self.spec.width;
        let post = self.spec.placement == NormPlacement::Post;
        each_row(x, width, threads, |r, row| {
            simd::add(row, &made[r * width..][..width]);
            if post {
                self.norm_row(row, norm);
            }
        });
    }

    /// Norms rows in place. x: (r, d).
    pub(super) fn norm(&self, x: &mut [f32], norm: &Norm, threads: Threads) {
        each_row(x, self.spec.width, threads, |_, row| self.norm_row(row, norm));
    }

    fn norm_row(&self, row: &mut [f32], norm: &Norm) {
        match self.spec.norm {
            NormKind::Layer => simd::layer_norm(row, &norm.weight, norm.bias.as_deref(), self.spec.eps),
            NormKind::Rms => {
                let x = row.to_vec();
                simd::rms_norm(&x, &norm.weight, self.spec.eps, row);
            }
        }
    }

    /// Runs the feed-forward network of a layer on the residual stream. x: (r, d).
    pub(super) fn feed_forward(&self, x: &mut [f32], layer: &FeedForward, threads: Threads) -> Result<(), Error> {
        for x in x.chunks_mut(FEED_FORWARD_ROWS * self.spec.width) {
            let inner = {
                let normed = self.before(x, &layer.norm, threads);
                if self.spec.gated {
                    self.gate(&layer.up.forward(&normed, None, threads)?, layer.down.matrix.columns(), threads)
                } else {
                    layer.up.forward(&normed, Some(self.spec.activation), threads)?
                }
            };
            let made = layer.down.forward(&inner, None, threads)?;
            self.after(x, &made, &layer.norm, threads);
        }
        Ok(())
    }

    /// Multiplies the gate's side of rows, through the nonlinearity, with the other. both: (r, 2 * wide). Returns (r, wide).
    fn gate(&self, both: &[f32], wide: usize, threads: Threads) -> Buffer {
        let mut gated = Buffer::zeroed(both.len() / 2);
        each_row(&mut gated, wide, threads, |r, out| {
            let (gate, up) = both[r * 2 * wide..][..2 * wide].split_at(wide);
            let pairs = gate.iter().zip(up);
            match self.spec.activation {
                Activation::GeluTanh => simd::gelu_gate(gate, up, out),
                Activation::Swish => simd::silu_gate(gate, up, out),
                Activation::Relu => out.iter_mut().zip(pairs).for_each(|(out, (gate, up))| *out = gate.max(0.0) * up),
                Activation::Gelu => {
                    out.iter_mut().zip(pairs).for_each(|(out, (gate, up))| *out = simd::gelu(*gate) * up);
                }
            }
        });
        gated
    }
}

/// Calls `work` for each row of `out`, on all threads where there are many and it may.
pub(super) fn each_row(out: &mut [f32], width: usize, threads: Threads, work: impl Fn(usize, &mut [f32]) + Sync) {
    if threads == Threads::One || out.len() < PARALLEL_ROWS * width {
        out.chunks_exact_mut(width).enumerate().for_each(|(r, out)| work(r, out));
    } else {
        out.par_chunks_exact_mut(width).with_min_len(8).enumerate().for_each(|(r, out)| work(r, out));
    }
}

impl Stepper for Model {
    type Source = Source;

    fn read(&self, sources: &[&[u32]], threads: Threads) -> Result<Vec<Source>, Error> {
        self.read_sources(sources, threads)
    }

    fn step(&self, steps: &mut [Step<'_, Source>], want: &Want<'_>, threads: Threads) -> Result<Vec<Scored>, Error> {
        self.grow(steps, want, threads)
    }
}

//! A decoder-only model: token ids in, logits out, for any mix of sequences at once.
//!
//! In: a GGUF file, then steps (sequence, new tokens). Out: the last hidden state of each step, and logits. The rows of all
//! steps form one flat matrix without padding, so there is nothing to mask between sequences. Choosing tokens is left to
//! [`mod@super::generate`]. Follows llama.cpp (`src/models/{gemma3,llama}.cpp`); candle's own `quantized_gemma3` differs in
//! activation, window and rope scale.
//! Shapes: r rows (new tokens of all steps), d model width, n query heads, k key heads, h head width, f feed-forward width.

use std::path::Path;
use std::sync::{PoisonError, RwLock};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::attention::{Heads, Row, attend};
use super::cache::{Sequence, SharedPrefix};
use super::config::{Architecture, Config};
use super::rope::{Pairing, RopeTable};
use crate::engine::gguf::Gguf;
use crate::engine::inspect::shapes;
use crate::engine::linear::{Linear, Precision};
use crate::engine::tokenizer::{self, Tokenizer};
use crate::engine::{Error, simd};

/// Rows below which elementwise work stays on one thread.
const PARALLEL_ROWS: usize = 32;

/// How to load a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// How weights are kept.
    pub precision: Precision,
}

/// What one sequence does in a forward pass: its new tokens are read.
#[derive(Debug)]
pub struct Step<'s> {
    /// The sequence; it grows by the tokens.
    pub sequence: &'s mut Sequence,
    /// The new tokens, at least one.
    pub tokens: &'s [u32],
}

/// A loaded model with its tokenizer.
#[derive(Debug)]
pub struct LlmModel {
    config: Config,
    tokenizer: Option<Box<dyn Tokenizer>>,
    chat_template: Option<String>,
    embedding: Linear,
    layers: Vec<Layer>,
    output_norm: Vec<f32>,
    /// Nothing where the embedding serves.
    output: Option<Linear>,
    rope_global: RwLock<RopeTable>,
    rope_local: RwLock<RopeTable>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    qkv: Linear,
    /// Norms of each query and key head; Gemma only.
    head_norms: Option<(Vec<f32>, Vec<f32>)>,
    attention_output: Linear,
    attention_post_norm: Option<Vec<f32>>,
    feed_forward_norm: Vec<f32>,
    gate_up: Linear,
    down: Linear,
    feed_forward_post_norm: Option<Vec<f32>>,
}

impl LlmModel {
    /// Loads a model from a GGUF file.
    ///
    /// # Errors
    /// [`Error::UnknownArchitecture`]; [`Error::BadModel`] where something in the file is missing, broken or not supported.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, Error> {
        let mut gguf = Gguf::open(path)?;
        let config = Config::load(&mut gguf)?;
        let chat_template = gguf.optional_str("tokenizer.chat_template")?.map(str::to_owned);
        let tokenizer = tokenizer::load(&mut gguf)?;
        if let Some(tokenizer) = &tokenizer
            && tokenizer.size() > config.vocabulary
        {
            let (size, rows) = (tokenizer.size(), config.vocabulary);
            return Err(gguf.bad(format!("the tokenizer has {size} ids, but the embedding {rows} rows")));
        }
        shapes::decoder(&gguf, &config)?;
        let precision = options.precision;
        let embedding = gguf.matrix("token_embd.weight", config.vocabulary, config.width)?;
        let embedding = Linear::stack(&[&embedding], precision)?;
        let output = match gguf.shape("output.weight") {
            Some(_) => {
                let output = gguf.matrix("output.weight", config.vocabulary, config.width)?;
                Some(Linear::stack(&[&output], precision)?)
            }
            None => None,
        };
        let output_norm = gguf.vector("output_norm.weight", config.width)?;
        let layers = (0..config.layers).map(|layer| Layer::load(&mut gguf, &config, layer, precision));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let rope_global = RwLock::new(RopeTable::new(&config.rope_global, config.rope_width));
        let rope_local = RwLock::new(RopeTable::new(&config.rope_local, config.rope_width));
        Ok(Self { config, tokenizer, chat_template, embedding, layers, output_norm, output, rope_global, rope_local })
    }

    /// Returns sizes and constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the tokenizer, where the file carries one.
    pub fn tokenizer(&self) -> Option<&dyn Tokenizer> {
        self.tokenizer.as_deref()
    }

    /// Returns the chat template of the file (Jinja), where there is one.
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }

    /// Returns the projection onto the whole vocabulary.
    pub fn output(&self) -> &Linear {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Starts a sequence behind a prefix, with room for `capacity` tokens.
    pub fn sequence(&self, prefix: &SharedPrefix, capacity: usize) -> Sequence {
        Sequence::new(&self.config, prefix, capacity)
    }

    /// Reads ids behind a prefix and freezes them, so that many sequences can stand on them.
    ///
    /// # Errors
    /// As [`LlmModel::forward`].
    pub fn prefix(&self, behind: &SharedPrefix, ids: &[u32]) -> Result<SharedPrefix, Error> {
        let mut sequence = self.sequence(behind, ids.len());
        for tokens in ids.chunks(MAX_ROWS) {
            self.forward(&mut [Step { sequence: &mut sequence, tokens }])?;
        }
        Ok(sequence.freeze())
    }

    /// Reads the new tokens of all steps.
    ///
    /// Returns (steps, d): the state of each step's last token, normed, ready for the output projection. What is returned for
    /// a step does not depend on the others. A call should have at most [`MAX_ROWS`] tokens, to bound its memory.
    ///
    /// # Errors
    /// Where an id is out of range, a step is empty, or a sequence grows past the model's context. The sequences must not be
    /// used further after an error.
    pub fn forward(&self, steps: &mut [Step<'_>]) -> Result<Tensor, Error> {
        let longest = steps.iter().map(|step| step.sequence.len() + step.tokens.len()).max().unwrap_or(0);
        if longest > self.config.context {
            return Err(Error::TooLong { tokens: longest, limit: self.config.context });
        }
        if steps.iter().any(|step| step.tokens.is_empty()) {
            return Err(candle_core::Error::msg("a step without tokens").into());
        }
        for table in [&self.rope_global, &self.rope_local] {
            table.write().unwrap_or_else(PoisonError::into_inner).grow(longest);
        }
        let ids: Vec<u32> = steps.iter().flat_map(|step| step.tokens).copied().collect();
        let mut x = self.embedding.rows(&ids)?;
        if self.config.embedding_scale != 1.0 {
            x.iter_mut().for_each(|x| *x *= self.config.embedding_scale);
        }
        let mut kept = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            kept = layer.forward(self, index, steps, &mut x, last)?;
        }
        if kept.is_none() {
            return Err(candle_core::Error::msg("a model without layers").into());
        }
        for step in steps.iter_mut() {
            step.sequence.advance(step.tokens.len());
        }
        self.norm(&x, &self.output_norm)
    }

    /// Projects states onto a vocabulary. hidden: (r, d); output: (v, d). Returns (r, v) logits.
    ///
    /// # Errors
    /// Where shapes do not fit.
    pub fn logits(&self, hidden: &Tensor, output: &Linear) -> Result<Tensor, Error> {
        output.forward(hidden)
    }

    /// Norms rows. x: (r, d). Returns (r, d).
    fn norm(&self, x: &[f32], weight: &[f32]) -> Result<Tensor, Error> {
        let width = self.config.width;
        let mut out = vec![0f32; x.len()];
        each_row(x.len() / width, &mut out, width, |r, out| {
            simd::rms_norm(&x[r * width..(r + 1) * width], weight, self.config.eps, out);
        });
        Ok(Tensor::from_vec(out, (x.len() / width, width), &Device::Cpu)?)
    }

    /// Adds what a part of a layer made, normed where the architecture says so, to the residual stream. x: (r, d).
    fn add(&self, x: &mut [f32], made: &Tensor, post_norm: Option<&[f32]>) -> Result<(), Error> {
        let (width, eps) = (self.config.width, self.config.eps);
        with_values(made, |made| {
            each_row(x.len() / width, x, width, |r, x| {
                let made = &made[r * width..(r + 1) * width];
                match post_norm {
                    Some(weight) => simd::add_rms_norm(made, weight, eps, x),
                    None => simd::add(x, made),
                }
            });
        })
    }
}

/// Most new tokens that one forward pass should read.
pub const MAX_ROWS: usize = 512;

impl Layer {
    fn load(gguf: &mut Gguf, config: &Config, layer: usize, precision: Precision) -> Result<Self, Error> {
        let name = |tensor: &str| format!("blk.{layer}.{tensor}.weight");
        let gemma = config.architecture == Architecture::Gemma3;
        let (width, feed_forward) = (config.width, config.feed_forward);
        let (query_width, kv_width) = (config.heads * config.head_width, config.kv_width());
        for bias in ["attn_q.bias", "attn_k.bias", "attn_v.bias", "attn_output.bias", "ffn_gate.bias", "ffn_down.bias"]
        {
            if gguf.shape(&format!("blk.{layer}.{bias}")).is_some() {
                return Err(gguf.bad(format!("blk.{layer}.{bias}: layers with biases are not supported")));
            }
        }
        let q = gguf.matrix(&name("attn_q"), query_width, width)?;
        let k = gguf.matrix(&name("attn_k"), kv_width, width)?;
        let v = gguf.matrix(&name("attn_v"), kv_width, width)?;
        let attention_output = gguf.matrix(&name("attn_output"), width, query_width)?;
        let gate = gguf.matrix(&name("ffn_gate"), feed_forward, width)?;
        let up = gguf.matrix(&name("ffn_up"), feed_forward, width)?;
        let down = gguf.matrix(&name("ffn_down"), width, feed_forward)?;
        let head_norms = if gemma {
            let q_norm = gguf.vector(&name("attn_q_norm"), config.head_width)?;
            Some((q_norm, gguf.vector(&name("attn_k_norm"), config.head_width)?))
        } else {
            None
        };
        let post_norm = |gguf: &mut Gguf, tensor: &str| -> Result<Option<Vec<f32>>, Error> {
            if gemma { gguf.vector(&name(tensor), width).map(Some) } else { Ok(None) }
        };
        Ok(Self {
            attention_norm: gguf.vector(&name("attn_norm"), width)?,
            qkv: Linear::stack(&[&q, &k, &v], precision)?,
            head_norms,
            attention_output: Linear::stack(&[&attention_output], precision)?,
            attention_post_norm: post_norm(gguf, "post_attention_norm")?,
            feed_forward_norm: gguf.vector(&name("ffn_norm"), width)?,
            gate_up: Linear::stack(&[&gate, &up], precision)?,
            down: Linear::stack(&[&down], precision)?,
            feed_forward_post_norm: post_norm(gguf, "post_ffw_norm")?,
        })
    }

    /// Runs the layer on the residual stream x: (r, d) in place. In the last layer only each step's last row goes on: x is
    /// then (steps, d).
    fn forward(
        &self,
        model: &LlmModel,
        index: usize,
        steps: &mut [Step<'_>],
        x: &mut Vec<f32>,
        last: bool,
    ) -> Result<Option<()>, Error> {
        let config = &model.config;
        let width = config.width;
        let normed = model.norm(x, &self.attention_norm)?;
        let qkv = self.qkv.forward(&normed)?;
        let mut queries = Vec::new();
        with_values(&qkv, |qkv| queries = self.place(model, index, steps, qkv))?;
        let mut rows = Vec::with_capacity(queries.len());
        for step in steps.iter() {
            let start = step.sequence.len();
            let tail = step.sequence.tail();
            rows.extend((start..start + step.tokens.len()).map(|position| Row { tail, position }));
        }
        let query_width = config.heads * config.head_width;
        if last {
            let mut end = 0;
            let ends = steps.iter().map(|step| {
                end += step.tokens.len();
                end - 1
            });
            let ends: Vec<usize> = ends.collect();
            queries = ends.iter().flat_map(|&r| &queries[r * query_width..][..query_width]).copied().collect();
            *x = ends.iter().flat_map(|&r| &x[r * width..][..width]).copied().collect();
            rows = ends.iter().map(|&r| rows[r]).collect();
        }
        let heads = Heads {
            layer: index,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_width: config.head_width,
            window: config.window.filter(|_| config.windowed(index)),
        };
        let mut attended = vec![0f32; queries.len()];
        attend(heads, &rows, &queries, &mut attended);
        let attended = Tensor::from_vec(attended, (rows.len(), query_width), &Device::Cpu)?;
        let made = self.attention_output.forward(&attended)?;
        model.add(x, &made, self.attention_post_norm.as_deref())?;

        let normed = model.norm(x, &self.feed_forward_norm)?;
        let gate_up = self.gate_up.forward(&normed)?;
        let inner = config.feed_forward;
        let mut gated = vec![0f32; rows.len() * inner];
        with_values(&gate_up, |gate_up| {
            each_row(rows.len(), &mut gated, inner, |r, gated| {
                let (gate, up) = gate_up[r * 2 * inner..(r + 1) * 2 * inner].split_at(inner);
                match config.architecture {
                    Architecture::Gemma3 => simd::gelu_gate(gate, up, gated),
                    Architecture::Llama => simd::silu_gate(gate, up, gated),
                }
            });
        })?;
        let made = self.down.forward(&Tensor::from_vec(gated, (rows.len(), inner), &Device::Cpu)?)?;
        model.add(x, &made, self.feed_forward_post_norm.as_deref())?;
        Ok(Some(()))
    }

    /// Norms and rotates queries and keys, appends keys and values to the caches, and returns the scaled queries.
    /// qkv: (r, (n + 2 k) h). Returns (r, n, h).
    fn place(&self, model: &LlmModel, index: usize, steps: &mut [Step<'_>], qkv: &[f32]) -> Vec<f32> {
        let config = &model.config;
        let head_width = config.head_width;
        let (query_width, kv_width) = (config.heads * head_width, config.kv_width());
        let table = if config.windowed(index) { &model.rope_local } else { &model.rope_global };
        let table = table.read().unwrap_or_else(PoisonError::into_inner);
        let pairing = match config.architecture {
            Architecture::Gemma3 => Pairing::Halves,
            Architecture::Llama => Pairing::Neighbours,
        };
        let positions: Vec<usize> =
            steps.iter().flat_map(|step| step.sequence.len()..step.sequence.len() + step.tokens.len()).collect();
        let row_width = query_width + 2 * kv_width;
        // Queries and keys of all rows, rotated: (r, n + k, h).
        let turned_width = query_width + kv_width;
        let mut turned = vec![0f32; positions.len() * turned_width];
        each_row(positions.len(), &mut turned, turned_width, |r, turned| {
            let row = &qkv[r * row_width..][..turned_width];
            for (i, (head, turned)) in row.chunks_exact(head_width).zip(turned.chunks_exact_mut(head_width)).enumerate()
            {
                match &self.head_norms {
                    Some((q_norm, k_norm)) => {
                        let weight = if i < config.heads { q_norm } else { k_norm };
                        simd::rms_norm(head, weight, config.eps, turned);
                    }
                    None => turned.copy_from_slice(head),
                }
                table.rotate(turned, positions[r], pairing);
                if i < config.heads {
                    turned.iter_mut().for_each(|value| *value *= config.query_scale);
                }
            }
        });
        let mut queries = Vec::with_capacity(positions.len() * query_width);
        let mut r = 0;
        for step in steps.iter_mut() {
            for ahead in 0..step.tokens.len() {
                let (query, key) = turned[r * turned_width..][..turned_width].split_at(query_width);
                let value = &qkv[r * row_width + turned_width..][..kv_width];
                step.sequence.push(index, ahead, key, value);
                queries.extend_from_slice(query);
                r += 1;
            }
        }
        queries
    }
}

/// Calls `work` for each row of `out`, on all threads where there are many.
fn each_row(rows: usize, out: &mut [f32], width: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    if rows < PARALLEL_ROWS {
        out.chunks_exact_mut(width).enumerate().for_each(|(r, out)| work(r, out));
    } else {
        out.par_chunks_exact_mut(width).with_min_len(8).enumerate().for_each(|(r, out)| work(r, out));
    }
}

/// Lends the values of a contiguous `f32` tensor on the CPU.
pub(crate) fn with_values<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> T) -> Result<T, Error> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        return Err(candle_core::Error::msg("a tensor that is not on the CPU").into());
    };
    let values = storage.as_slice::<f32>()?;
    let start = layout.start_offset();
    Ok(work(&values[start..start + layout.shape().elem_count()]))
}

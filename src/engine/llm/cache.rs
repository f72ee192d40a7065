//! What attention keeps of past tokens: a tail of a sequence's own behind shared, frozen parts.
//!
//! In: keys and values of new tokens. Out: a chain of [`Part`]s, oldest first, for attention to read. A frozen part (the worked
//! examples, a segment's prompt) is counted by references and held once, however many sequences stand on it.
//! Shapes: p positions, k key heads, h head width.

use std::sync::Arc;

use super::config::Config;

/// Positions of a block of keys; within one, position is the innermost dimension, so that scores of 16 positions are made
/// with one vector.
pub const BLOCK: usize = 16;

/// Keys and values of a run of positions, for all layers.
#[derive(Debug)]
pub struct Part {
    /// What comes before.
    parent: Option<Arc<Part>>,
    /// Position of the first token.
    start: usize,
    /// Tokens held.
    len: usize,
    layers: Vec<LayerPart>,
}

/// Keys and values of one layer.
#[derive(Debug, Clone, Default)]
pub struct LayerPart {
    /// (p / 16, k, h, 16)
    pub keys: Vec<f32>,
    /// (p, k, h)
    pub values: Vec<f32>,
}

impl Part {
    /// Returns the position of its first token.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Returns the position after its last token.
    pub fn end(&self) -> usize {
        self.start + self.len
    }

    /// Returns the keys and values of a layer.
    pub fn layer(&self, layer: usize) -> &LayerPart {
        &self.layers[layer]
    }

    /// Returns this part and those before it, newest first.
    pub fn chain(&self) -> impl Iterator<Item = &Part> {
        std::iter::successors(Some(self), |part| part.parent.as_deref())
    }

    /// Returns how many bytes keys and values take, without those of the parts before.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(|layer| 4 * (layer.keys.capacity() + layer.values.capacity())).sum()
    }
}

/// A frozen beginning of sequences.
#[derive(Debug, Clone, Default)]
pub struct SharedPrefix {
    part: Option<Arc<Part>>,
}

impl SharedPrefix {
    /// Returns how many tokens it holds.
    pub fn len(&self) -> usize {
        self.part.as_ref().map_or(0, |part| part.end())
    }

    /// Returns whether it holds no token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A sequence of tokens that grows.
#[derive(Debug)]
pub struct Sequence {
    tail: Part,
    kv_heads: usize,
    head_width: usize,
}

impl Sequence {
    /// Starts a sequence behind a prefix, with room for `capacity` tokens of its own (more make it grow).
    pub fn new(config: &Config, prefix: &SharedPrefix, capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(BLOCK);
        let layer = || LayerPart {
            keys: Vec::with_capacity(capacity * config.kv_width()),
            values: Vec::with_capacity(capacity * config.kv_width()),
        };
        let layers = (0..config.layers).map(|_| layer()).collect();
        let tail = Part { parent: prefix.part.clone(), start: prefix.len(), len: 0, layers };
        Self { tail, kv_heads: config.kv_heads, head_width: config.head_width }
    }

    /// Returns how many tokens it has, those of the prefix included.
    pub fn len(&self) -> usize {
        self.tail.end()
    }

    /// Returns whether it has no token.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the part that is its own; its chain is the whole sequence.
    pub fn tail(&self) -> &Part {
        &self.tail
    }

    /// Freezes the sequence, so that others can stand on it.
    pub fn freeze(self) -> SharedPrefix {
        if self.tail.len == 0 {
            return SharedPrefix { part: self.tail.parent };
        }
        SharedPrefix { part: Some(Arc::new(self.tail)) }
    }

    /// Appends the keys and values of one layer for the token at `self.len() + ahead`. keys, values: (k, h).
    pub(super) fn push(&mut self, layer: usize, ahead: usize, keys: &[f32], values: &[f32]) {
        let index = self.tail.len + ahead;
        let (kv_heads, head_width) = (self.kv_heads, self.head_width);
        let part = &mut self.tail.layers[layer];
        let block_len = kv_heads * head_width * BLOCK;
        let (block, lane) = (index / BLOCK, index % BLOCK);
        if part.keys.len() < (block + 1) * block_len {
            part.keys.resize((block + 1) * block_len, 0.0);
        }
        let block = &mut part.keys[block * block_len..][..block_len];
        for (slot, key) in block.iter_mut().skip(lane).step_by(BLOCK).zip(keys) {
            *slot = *key;
        }
        debug_assert_eq!(part.values.len(), index * kv_heads * head_width, "tokens are appended in order");
        part.values.extend_from_slice(values);
    }

    /// Counts tokens whose keys and values were appended in every layer.
    pub(super) fn advance(&mut self, tokens: usize) {
        self.tail.len += tokens;
    }
}

//! What an encoder-decoder is made of: numbers, choices, and the parts whose weights it asks for.
//!
//! In: nothing. Out: [`Spec`] and [`Part`], which the architectures (`marian`, `m2m100`, `t5`) fill in from their
//! `config.json` and their tensors' names. The arithmetic is [`super::model`]'s and the same for all of them.

pub use crate::engine::kernels::dense::Activation;

/// Which half of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Reads the source.
    Encoder,
    /// Writes the target.
    Decoder,
}

/// How rows are normed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// Mean taken away, variance 1, weight and bias.
    Layer,
    /// Root mean square 1, weight only.
    Rms,
}

/// Where rows are normed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPlacement {
    /// Before each part of a layer; the residual stream stays as it is, and is normed once at the end of each side.
    Pre,
    /// After each part is added to the residual stream.
    Post,
}

/// How a model knows the order of tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Added to the embeddings: (position, `d_model`), row by row, the first row for the first token.
    Absolute(Vec<f32>),
    /// Added to the attention scores of self-attention by distance; the bias of the first layer serves all.
    Relative {
        /// `relative_attention_num_buckets`
        buckets: usize,
        /// `relative_attention_max_distance`
        max_distance: usize,
    },
}

/// Sizes and choices of a model. Names in the comments are those of Hugging Face's `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// `d_model`
    pub width: usize,
    /// Heads of the encoder and of the decoder.
    pub heads: [usize; 2],
    /// Width of a head (`d_kv`); `heads * head_width` need not be `width` (T5).
    pub head_width: usize,
    /// Layers of the encoder and of the decoder.
    pub layers: [usize; 2],
    /// Inner width of the feed-forward networks of the encoder and of the decoder.
    pub feed_forward: [usize; 2],
    /// Rows of the output projection: tokens that can be written.
    pub vocabulary: usize,
    /// How rows are normed.
    pub norm: NormKind,
    /// Where.
    pub placement: NormPlacement,
    /// Epsilon of the norms.
    pub eps: f32,
    /// The nonlinearity.
    pub activation: Activation,
    /// Whether a second projection (`Gate`) goes through the nonlinearity and multiplies the first (`Up`).
    pub gated: bool,
    /// Factor on queries: one over the root of `head_width`, or 1 (T5).
    pub query_scale: f32,
    /// Factor on embeddings (`scale_embedding`).
    pub embedding_scale: f32,
    /// Factor on the decoder's last states before the output projection (tied T5); else 1.
    pub output_scale: f32,
    /// How order is known.
    pub positions: Positions,
    /// Longest source and target in tokens, where positions end; none where any length works.
    pub max_positions: Option<usize>,
}

/// A projection or norm within a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Queries of self-attention: (heads * `head_width`, width).
    Query,
    /// Keys of self-attention.
    Key,
    /// Values of self-attention.
    Value,
    /// Output of self-attention: (width, heads * `head_width`).
    Output,
    /// Norm of self-attention.
    Norm,
    /// Queries of the decoder on the encoder's states.
    CrossQuery,
    /// Keys from the encoder's states.
    CrossKey,
    /// Values from the encoder's states.
    CrossValue,
    /// Output of cross-attention.
    CrossOutput,
    /// Norm of cross-attention.
    CrossNorm,
    /// First projection of the feed-forward network: (`feed_forward`, width).
    Up,
    /// Its gate, in gated models: (`feed_forward`, width).
    Gate,
    /// Second projection of the feed-forward network: (width, `feed_forward`).
    Down,
    /// Norm of the feed-forward network.
    FeedForwardNorm,
}

/// A part of the model that has weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Token embeddings: (tokens, width). Both sides may name the same tensor.
    Embedding(Side),
    /// Output projection: (vocabulary, width). May name the decoder's embeddings.
    Projection,
    /// Bias of the output projection: (vocabulary) or (1, vocabulary); optional.
    ProjectionBias,
    /// Bias by distance: (buckets, heads); relative positions only.
    RelativeBias(Side),
    /// Norm at the end of a side; pre-norm models only.
    FinalNorm(Side),
    /// Something of a layer.
    Layer(Side, usize, Role),
}

/// Which tensor of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// Its weight.
    Weight,
    /// Its bias; a part may have none.
    Bias,
}

/// Says by what names a checkpoint may hold a tensor.
pub trait Naming: Send + Sync {
    /// Returns the names to try, in this order; none where the architecture has no such tensor.
    fn names(&self, part: Part, piece: Piece) -> Vec<String>;
}

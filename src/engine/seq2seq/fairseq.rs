//! What the descendants of fairseq's Transformer share: settings and tensor names of Marian and M2M-100.
//!
//! In: `config.json`. Out: the numbers of a [`Spec`](super::Spec) that both read alike, and the names of the tensors within
//! a layer. What differs (norms, positions, embeddings) is left to [`crate::engine::marian`] and
//! [`crate::engine::m2m100`]. Source: transformers 5.23.0, `modeling_marian.py` and `modeling_m2m_100.py`.

use super::spec::{Activation, Part, Piece, Role, Side};
use crate::engine::Error;
use crate::engine::checkpoint::Fields;

/// Widest model, longest table of positions and so on that are believed: far beyond any model, far below what would not
/// fit into memory.
pub const MAX_WIDTH: usize = 1 << 16;
/// Most layers of a side.
pub const MAX_LAYERS: usize = 1000;
/// Most tokens of a vocabulary.
pub const MAX_VOCABULARY: usize = 1 << 24;
/// Most positions.
pub const MAX_POSITIONS: usize = 1 << 17;

/// The sizes that both architectures read alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// `d_model`
    pub width: usize,
    /// `encoder_attention_heads`, `decoder_attention_heads`
    pub heads: [usize; 2],
    /// `d_model` over the heads.
    pub head_width: usize,
    /// `encoder_layers`, `decoder_layers`
    pub layers: [usize; 2],
    /// `encoder_ffn_dim`, `decoder_ffn_dim`
    pub feed_forward: [usize; 2],
    /// `max_position_embeddings`
    pub positions: usize,
    /// `activation_function`
    pub activation: Activation,
    /// The root of `d_model` where `scale_embedding` says so, else 1.
    pub embedding_scale: f32,
}

impl Sizes {
    /// Reads the sizes; what is missing has the default of transformers.
    ///
    /// # Errors
    /// [`Error::BadModel`] where a value is of another type or out of range, or the heads do not divide the width.
    pub fn read(config: &Fields, activation: &str, scale_embedding: bool) -> Result<Self, Error> {
        let pair = |key: &str, default, most| -> Result<[usize; 2], Error> {
            let read = |side: &str| config.usize(&format!("{side}_{key}"), Some(default), 1..=most);
            Ok([read("encoder")?, read("decoder")?])
        };
        let width = config.usize("d_model", Some(1024), 1..=MAX_WIDTH)?;
        let heads = pair("attention_heads", 16, MAX_WIDTH)?;
        if heads[0] != heads[1] {
            let [encoder, decoder] = heads;
            let reason = format!("encoder and decoder have {encoder} and {decoder} attention heads; expected as many");
            return Err(config.bad(reason));
        }
        if !width.is_multiple_of(heads[0]) {
            return Err(config.bad(format!("\"d_model\" is {width}, no multiple of the {} attention heads", heads[0])));
        }
        let scaled = config.bool("scale_embedding")?.unwrap_or(scale_embedding);
        let named = config.str("activation_function")?.unwrap_or(activation);
        Ok(Self {
            width,
            heads,
            head_width: width / heads[0],
            layers: pair("layers", 12, MAX_LAYERS)?,
            feed_forward: pair("ffn_dim", 4096, MAX_WIDTH << 2)?,
            positions: config.usize("max_position_embeddings", Some(1024), 1..=MAX_POSITIONS)?,
            activation: activation_of(config, "activation_function", named)?,
            embedding_scale: if scaled { (width as f32).sqrt() } else { 1.0 },
        })
    }
}

/// Refuses a table of positions that is out of all proportion to the weights, before it is made: it is computed, so that
/// nothing else holds its size against the files.
///
/// # Errors
/// [`Error::BadModel`] where the table would be larger than twice the weights (and a megabyte), or a size is out of range.
pub fn check_positions(config: &Fields, weights: u64) -> Result<(), Error> {
    let sizes = Sizes::read(config, "relu", false)?;
    let table = (sizes.positions as u64).saturating_mul(sizes.width as u64).saturating_mul(4);
    if table <= weights.saturating_mul(2).max(1 << 20) {
        return Ok(());
    }
    let (positions, width) = (sizes.positions, sizes.width);
    Err(config.bad(format!(
        "\"max_position_embeddings\" is {positions} and \"d_model\" {width}: a table of {table} bytes, for weights of \
         {weights}"
    )))
}

/// Reads a name of a nonlinearity.
///
/// # Errors
/// [`Error::BadModel`] where the name is not known.
pub fn activation_of(config: &Fields, key: &str, name: &str) -> Result<Activation, Error> {
    match name {
        "relu" => Ok(Activation::Relu),
        "swish" | "silu" => Ok(Activation::Swish),
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        other => {
            let known = "relu, swish, silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast";
            Err(config.bad(format!("{key:?} is {other:?}, which is not known here (there are: {known})")))
        }
    }
}

/// Returns the name of a side in tensor names.
pub fn side_name(side: Side) -> &'static str {
    match side {
        Side::Encoder => "encoder",
        Side::Decoder => "decoder",
    }
}

/// Returns the ending of a tensor's name.
pub fn piece_name(piece: Piece) -> &'static str {
    match piece {
        Piece::Weight => "weight",
        Piece::Bias => "bias",
    }
}

/// Returns the names of a layer's or a side's tensor: with the `model.` that a whole model's names start with, and without;
/// none for parts that are not named alike.
pub fn names(part: Part, piece: Piece) -> Vec<String> {
    let piece = piece_name(piece);
    let name = match part {
        Part::FinalNorm(side) => format!("{}.layer_norm.{piece}", side_name(side)),
        Part::Layer(side, layer, role) => {
            let within = match role {
                Role::Query => "self_attn.q_proj",
                Role::Key => "self_attn.k_proj",
                Role::Value => "self_attn.v_proj",
                Role::Output => "self_attn.out_proj",
                Role::Norm => "self_attn_layer_norm",
                Role::CrossQuery => "encoder_attn.q_proj",
                Role::CrossKey => "encoder_attn.k_proj",
                Role::CrossValue => "encoder_attn.v_proj",
                Role::CrossOutput => "encoder_attn.out_proj",
                Role::CrossNorm => "encoder_attn_layer_norm",
                Role::Up => "fc1",
                Role::Down => "fc2",
                Role::FeedForwardNorm => "final_layer_norm",
                Role::Gate => return Vec::new(),
            };
            format!("{}.layers.{layer}.{within}.{piece}", side_name(side))
        }
        _ => return Vec::new(),
    };
    vec![format!("model.{name}"), name]
}

/// Returns owned names.
pub fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

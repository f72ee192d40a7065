//! T5 1.1, mT5, Flan-T5, MADLAD-400.
//!
//! In: `config.json` of `model_type` `t5` or `mt5`. Out: its [`Spec`] and the names of its tensors, those of Hugging Face
//! and those of llama.cpp's GGUF files. Source: transformers 5.23.0, `models/t5/{configuration,modeling}_t5.py`,
//! `models/mt5/{configuration,modeling}_mt5.py`; llama.cpp, `gguf-py/gguf/tensor_mapping.py`. The tokenizers are
//! [`crate::engine::tokenizer::json`]'s and [`crate::engine::tokenizer::unigram`]'s.

use super::Error;
use super::checkpoint::Fields;
use super::seq2seq::Spec;
use super::seq2seq::fairseq::{MAX_LAYERS, MAX_VOCABULARY, MAX_WIDTH, activation_of, owned, piece_name, side_name};
use super::seq2seq::spec::{Naming, NormKind, NormPlacement, Part, Piece, Positions, Role, Side};

/// Which of the two families; their defaults differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `t5`
    T5,
    /// `mt5`
    Mt5,
}

/// Reads what the model is made of.
///
/// # Errors
/// [`Error::BadModel`] where a value of the file is of another type or out of range.
pub fn spec(config: &Fields, family: Family) -> Result<Spec, Error> {
    let by_family = |t5: usize, mt5: usize| match family {
        Family::T5 => Some(t5),
        Family::Mt5 => Some(mt5),
    };
    let width = config.usize("d_model", Some(512), 1..=MAX_WIDTH)?;
    let heads = config.usize("num_heads", by_family(8, 6), 1..=MAX_WIDTH)?;
    let layers = config.usize("num_layers", by_family(6, 8), 1..=MAX_LAYERS)?;
    let feed_forward = config.usize("d_ff", by_family(2048, 1024), 1..=MAX_WIDTH << 2)?;
    let buckets = config.usize("relative_attention_num_buckets", Some(32), 4..=MAX_WIDTH)?;
    let least = buckets / 2 + 1;
    let max_distance = config.usize("relative_attention_max_distance", Some(128), least..=1 << 24)?;
    let eps = config.f32("layer_norm_epsilon")?.unwrap_or(1e-6);
    if eps <= 0.0 {
        return Err(config.bad(format!("\"layer_norm_epsilon\" is {eps}; expected more than 0")));
    }
    let (gated, activation) = feed_forward_of(config, family)?;
    Ok(Spec {
        width,
        heads: [heads; 2],
        head_width: config.usize("d_kv", Some(64), 1..=MAX_WIDTH)?,
        layers: [layers, config.usize("num_decoder_layers", Some(layers), 1..=MAX_LAYERS)?],
        feed_forward: [feed_forward; 2],
        vocabulary: config.usize("vocab_size", by_family(32128, 250_112), 1..=MAX_VOCABULARY)?,
        norm: NormKind::Rms,
        placement: NormPlacement::Pre,
        eps,
        activation: activation_of(config, "feed_forward_proj", activation)?,
        gated,
        query_scale: 1.0,
        embedding_scale: 1.0,
        output_scale: if scales_outputs(config, family)? { (width as f32).powf(-0.5) } else { 1.0 },
        positions: Positions::Relative { buckets, max_distance },
        max_positions: None,
    })
}

/// Reads whether there is a gate, and the name of the nonlinearity.
fn feed_forward_of(config: &Fields, family: Family) -> Result<(bool, &str), Error> {
    let default = if family == Family::T5 { "relu" } else { "gated-gelu" };
    let named = config.str("feed_forward_proj")?.unwrap_or(default);
    let (gated, activation) = match named.split_once('-') {
        // T5 1.1 means the tanh approximation by it.
        Some(("gated", "gelu")) => (true, "gelu_new"),
        Some(("gated", activation)) if !activation.contains('-') => (true, activation),
        Some(_) => {
            let reason = format!("\"feed_forward_proj\" is {named:?}; expected \"relu\", \"gated-gelu\" or their like");
            return Err(config.bad(reason));
        }
        None => (false, named),
    };
    // Newer files spell out what follows from it, and what they spell out counts.
    let gated = config.bool("is_gated_act")?.unwrap_or(gated);
    Ok((gated, config.str("dense_act_fn")?.unwrap_or(activation)))
}

/// Whether the decoder's last states are scaled by the root of the width before the projection: the first T5 does, which
/// files of T5 1.1 take back by `tie_word_embeddings: false`. Newer files say so outright, whatever they say of tying. mT5
/// never does.
fn scales_outputs(config: &Fields, family: Family) -> Result<bool, Error> {
    if family == Family::Mt5 {
        return Ok(false);
    }
    let tied = config.bool("tie_word_embeddings")?.unwrap_or(true);
    Ok(config.bool("scale_decoder_outputs")?.unwrap_or(tied))
}

/// The names of a T5 model's tensors. Whatever `tie_word_embeddings` says, a projection that is in the file is used, and the
/// embeddings serve where there is none, as in transformers 5.23.0 (`modeling_utils.py`, `tie_weights`).
#[derive(Debug, Clone, Copy)]
pub struct Names;

impl Naming for Names {
    fn names(&self, part: Part, piece: Piece) -> Vec<String> {
        const ENCODER: &str = "encoder.embed_tokens.weight";
        const DECODER: &str = "decoder.embed_tokens.weight";
        const EMBEDDINGS: [&str; 2] = ["shared.weight", "token_embd.weight"];
        if piece == Piece::Bias {
            return Vec::new();
        }
        match part {
            // `shared` first, so that both sides name the same one where a file holds copies.
            Part::Embedding(Side::Encoder) => owned(&[EMBEDDINGS[0], EMBEDDINGS[1], ENCODER, DECODER]),
            Part::Embedding(Side::Decoder) => owned(&[EMBEDDINGS[0], EMBEDDINGS[1], DECODER, ENCODER]),
            Part::Projection => {
                owned(&["lm_head.weight", "output.weight", EMBEDDINGS[0], EMBEDDINGS[1], DECODER, ENCODER])
            }
            Part::ProjectionBias => Vec::new(),
            Part::RelativeBias(side) => vec![
                format!("{}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", side_name(side)),
                format!("{}.blk.0.attn_rel_b.weight", short(side)),
            ],
            Part::FinalNorm(side) => {
                vec![
                    format!("{}.final_layer_norm.weight", side_name(side)),
                    format!("{}.output_norm.weight", short(side)),
                ]
            }
            Part::Layer(side, layer, role) => layer_names(side, layer, role),
        }
    }
}

/// A side in llama.cpp's names.
fn short(side: Side) -> &'static str {
    match side {
        Side::Encoder => "enc",
        Side::Decoder => "dec",
    }
}

fn layer_names(side: Side, layer: usize, role: Role) -> Vec<String> {
    let last = match side {
        Side::Encoder => 1,
        Side::Decoder => 2,
    };
    let (sublayer, within, gguf): (usize, &[&str], &str) = match role {
        Role::Query => (0, &["SelfAttention.q"], "attn_q"),
        Role::Key => (0, &["SelfAttention.k"], "attn_k"),
        Role::Value => (0, &["SelfAttention.v"], "attn_v"),
        Role::Output => (0, &["SelfAttention.o"], "attn_o"),
        Role::Norm => (0, &["layer_norm"], "attn_norm"),
        Role::CrossQuery => (1, &["EncDecAttention.q"], "cross_attn_q"),
        Role::CrossKey => (1, &["EncDecAttention.k"], "cross_attn_k"),
        Role::CrossValue => (1, &["EncDecAttention.v"], "cross_attn_v"),
        Role::CrossOutput => (1, &["EncDecAttention.o"], "cross_attn_o"),
        Role::CrossNorm => (1, &["layer_norm"], "cross_attn_norm"),
        // With a gate there are two; `wi_0` goes through the nonlinearity.
        Role::Up => (last, &["DenseReluDense.wi_1", "DenseReluDense.wi"], "ffn_up"),
        Role::Gate => (last, &["DenseReluDense.wi_0"], "ffn_gate"),
        Role::Down => (last, &["DenseReluDense.wo"], "ffn_down"),
        Role::FeedForwardNorm => (last, &["layer_norm"], "ffn_norm"),
    };
    let piece = piece_name(Piece::Weight);
    let mut names: Vec<String> = within
        .iter()
        .map(|within| format!("{}.block.{layer}.layer.{sublayer}.{within}.{piece}", side_name(side)))
        .collect();
    names.push(format!("{}.blk.{layer}.{gguf}.{piece}", short(side)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seq2seq::spec::Activation;

    fn read(json: &str, family: Family) -> Result<Spec, Error> {
        spec(&Fields::parse(std::path::Path::new("config.json"), json.as_bytes())?, family)
    }

    #[test]
    fn outputs_are_scaled_as_the_reference_does() {
        let scale = |json: &str, family| read(json, family).unwrap().output_scale;
        let root = 512f32.powf(-0.5);
        let cases = [
            ("{}", root),
            (r#"{"tie_word_embeddings": true}"#, root),
            (r#"{"tie_word_embeddings": false}"#, 1.0),
            (r#"{"tie_word_embeddings": true, "scale_decoder_outputs": false}"#, 1.0),
            (r#"{"tie_word_embeddings": false, "scale_decoder_outputs": true}"#, root),
        ];
        for (json, want) in cases {
            assert!((scale(json, Family::T5) - want).abs() < 1e-9, "{json}");
            assert!((scale(json, Family::Mt5) - 1.0).abs() < 1e-9, "{json}");
        }
    }

    #[test]
    fn feed_forward_networks_are_told_apart() {
        let kind = |json: &str, family| read(json, family).map(|spec| (spec.gated, spec.activation));
        let json = |name: &str| format!(r#"{{"feed_forward_proj": "{name}"}}"#);
        assert_eq!(kind("{}", Family::T5).unwrap(), (false, Activation::Relu));
        assert_eq!(kind("{}", Family::Mt5).unwrap(), (true, Activation::GeluTanh));
        assert_eq!(kind(&json("gated-gelu"), Family::T5).unwrap(), (true, Activation::GeluTanh));
        assert_eq!(kind(&json("gated-silu"), Family::T5).unwrap(), (true, Activation::Swish));
        assert_eq!(kind(&json("gelu"), Family::T5).unwrap(), (false, Activation::Gelu));
        for wrong in ["gated-gelu-new", "big-relu", "sine"] {
            let said = kind(&json(wrong), Family::T5).unwrap_err().to_string();
            assert!(said.contains("\"feed_forward_proj\"") && said.contains("config.json"), "{said}");
        }
    }

    #[test]
    fn a_projection_of_its_own_goes_before_the_embeddings() {
        let names = Names.names(Part::Projection, Piece::Weight);
        assert_eq!(names[..3], ["lm_head.weight", "output.weight", "shared.weight"]);
        assert!(Names.names(Part::Layer(Side::Encoder, 0, Role::Query), Piece::Bias).is_empty());
    }
}

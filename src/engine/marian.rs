//! Marian: the OPUS-MT models of Helsinki-NLP.
//!
//! In: `config.json` of `model_type` `marian`. Out: its [`Spec`] and the names of its tensors. Source: transformers 5.23.0,
//! `models/marian/modeling_marian.py`. The tokenizer is [`crate::engine::tokenizer::marian`]'s.

use super::Error;
use super::checkpoint::Fields;
use super::seq2seq::Spec;
use super::seq2seq::fairseq::{self, MAX_VOCABULARY, Sizes, owned};
use super::seq2seq::spec::{Naming, NormKind, NormPlacement, Part, Piece, Positions, Side};

/// Reads what the model is made of.
///
/// # Errors
/// [`Error::BadModel`] where a value of the file is of another type or out of range.
pub fn spec(config: &Fields) -> Result<Spec, Error> {
    let sizes = Sizes::read(config, "gelu", false)?;
    let tokens = config.usize("vocab_size", Some(58101), 1..=MAX_VOCABULARY)?;
    let vocabulary = match config.bool("share_encoder_decoder_embeddings")?.unwrap_or(true) {
        true => tokens,
        false => config.usize("decoder_vocab_size", Some(tokens), 1..=MAX_VOCABULARY)?,
    };
    Ok(Spec {
        width: sizes.width,
        heads: sizes.heads,
        head_width: sizes.head_width,
        layers: sizes.layers,
        feed_forward: sizes.feed_forward,
        vocabulary,
        norm: NormKind::Layer,
        placement: NormPlacement::Post,
        // torch.nn.LayerNorm's own.
        eps: 1e-5,
        activation: sizes.activation,
        gated: false,
        query_scale: (sizes.head_width as f32).powf(-0.5),
        embedding_scale: sizes.embedding_scale,
        output_scale: 1.0,
        positions: Positions::Absolute(positions(sizes.positions, sizes.width)),
        max_positions: Some(sizes.positions),
    })
}

/// Returns how many tokens the encoder knows; the decoder may know others.
///
/// # Errors
/// As [`spec`].
pub fn source_vocabulary(config: &Fields) -> Result<usize, Error> {
    config.usize("vocab_size", Some(58101), 1..=MAX_VOCABULARY)
}

/// The table of positions: sines in the first half of a row, cosines in the second.
fn positions(rows: usize, width: usize) -> Vec<f32> {
    let sines = width.div_ceil(2);
    let mut table = Vec::with_capacity(rows * width);
    for position in 0..rows {
        let angle = |k: usize| position as f64 / 10_000f64.powf((2 * k) as f64 / width as f64);
        table.extend((0..sines).map(|k| angle(k).sin() as f32));
        table.extend((0..width - sines).map(|k| angle(k).cos() as f32));
    }
    table
}

/// The names of a Marian model's tensors.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// `share_encoder_decoder_embeddings`
    shared: bool,
    /// `tie_word_embeddings`
    tied: bool,
}

impl Names {
    /// Reads which embeddings are one.
    ///
    /// # Errors
    /// [`Error::BadModel`] where a value is of another type.
    pub fn read(config: &Fields) -> Result<Self, Error> {
        let shared = config.bool("share_encoder_decoder_embeddings")?.unwrap_or(true);
        Ok(Self { shared, tied: config.bool("tie_word_embeddings")?.unwrap_or(true) })
    }
}

impl Naming for Names {
    fn names(&self, part: Part, piece: Piece) -> Vec<String> {
        const ENCODER: &str = "model.encoder.embed_tokens.weight";
        const DECODER: &str = "model.decoder.embed_tokens.weight";
        const SHARED: &str = "model.shared.weight";
        const HEAD: &str = "lm_head.weight";
        match (part, piece) {
            // Tied tensors are stored once, and converters keep different names. `model.shared` goes first: files that
            // were converted before transformers 4.29 hold an `lm_head.weight` besides that is noise
            // (https://github.com/huggingface/transformers/issues/26216).
            (Part::Embedding(_), Piece::Weight) if self.shared => match self.tied {
                true => owned(&[SHARED, ENCODER, DECODER, HEAD]),
                false => owned(&[SHARED, ENCODER, DECODER]),
            },
            (Part::Projection, Piece::Weight) => match (self.shared, self.tied) {
                (true, true) => owned(&[SHARED, DECODER, ENCODER, HEAD]),
                (false, true) => owned(&[DECODER, HEAD]),
                (_, false) => owned(&[HEAD]),
            },
            (Part::Embedding(Side::Encoder), Piece::Weight) => owned(&[ENCODER]),
            (Part::Embedding(Side::Decoder), Piece::Weight) => match self.tied {
                true => owned(&[DECODER, HEAD]),
                false => owned(&[DECODER]),
            },
            (Part::ProjectionBias, Piece::Weight | Piece::Bias) => owned(&["final_logits_bias"]),
            (Part::Layer(..), _) => fairseq::names(part, piece),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::parse(std::path::Path::new("config.json"), json.as_bytes()).unwrap()
    }

    #[test]
    fn sides_have_embeddings_of_their_own_where_the_settings_say_so() {
        let own = fields(r#"{"share_encoder_decoder_embeddings": false, "vocab_size": 7, "decoder_vocab_size": 9}"#);
        assert_eq!((spec(&own).unwrap().vocabulary, source_vocabulary(&own).unwrap()), (9, 7));
        let names = Names::read(&own).unwrap();
        let first = |part| names.names(part, Piece::Weight).first().cloned().unwrap_or_default();
        assert_eq!(first(Part::Embedding(Side::Encoder)), "model.encoder.embed_tokens.weight");
        assert_eq!(first(Part::Embedding(Side::Decoder)), "model.decoder.embed_tokens.weight");
        assert_eq!(first(Part::Projection), "model.decoder.embed_tokens.weight");
        let untied = Names::read(&fields(r#"{"tie_word_embeddings": false}"#)).unwrap();
        assert_eq!(untied.names(Part::Projection, Piece::Weight), ["lm_head.weight"]);
        assert!(!untied.names(Part::Embedding(Side::Decoder), Piece::Weight).contains(&"lm_head.weight".to_owned()));
        let tied = Names::read(&fields("{}")).unwrap();
        assert_eq!(tied.names(Part::Projection, Piece::Weight)[0], "model.shared.weight");
        assert!(tied.names(Part::FinalNorm(Side::Encoder), Piece::Weight).is_empty());
    }

    #[test]
    fn positions_are_sines_then_cosines() {
        let table = positions(3, 4);
        // Rates 1 and 1/100.
        let row = |p: f32| [p.sin(), (p / 100.0).sin(), p.cos(), (p / 100.0).cos()];
        for position in 0..3 {
            for (got, want) in table[position * 4..].iter().zip(row(position as f32)) {
                assert!((got - want).abs() < 1e-6, "{table:?}");
            }
        }
    }
}

//! M2M-100 and NLLB-200, Meta's many-to-many models.
//!
//! In: `config.json` of `model_type` `m2m_100`. Out: its [`Spec`] and the names of its tensors. Source: transformers 5.23.0,
//! `models/m2m_100/modeling_m2m_100.py`. The tokenizers are [`crate::engine::tokenizer::m2m`]'s and
//! [`crate::engine::tokenizer::json`]'s.

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
    let sizes = Sizes::read(config, "relu", true)?;
    let vocabulary = config.usize("vocab_size", Some(128_112), 1..=MAX_VOCABULARY)?;
    let padding = config.usize("pad_token_id", Some(1), 0..=vocabulary - 1)?;
    Ok(Spec {
        width: sizes.width,
        heads: sizes.heads,
        head_width: sizes.head_width,
        layers: sizes.layers,
        feed_forward: sizes.feed_forward,
        vocabulary,
        norm: NormKind::Layer,
        placement: NormPlacement::Pre,
        // torch.nn.LayerNorm's own.
        eps: 1e-5,
        activation: sizes.activation,
        gated: false,
        query_scale: (sizes.head_width as f32).powf(-0.5),
        embedding_scale: sizes.embedding_scale,
        output_scale: 1.0,
        positions: Positions::Absolute(positions(sizes.positions, sizes.width, padding + 1)),
        max_positions: Some(sizes.positions),
    })
}

/// The table of positions, from position `first` on: tensor2tensor's, sines in the first half of a row, cosines in the
/// second, the slowest of them 10,000 times as slow as the fastest. In `f32` throughout, as the reference computes it.
fn positions(rows: usize, width: usize, first: usize) -> Vec<f32> {
    let half = width / 2;
    let step = (10_000f64.ln() / (half.max(2) - 1) as f64) as f32;
    let rates: Vec<f32> = (0..half).map(|k| (k as f32 * -step).exp()).collect();
    let mut table = Vec::with_capacity(rows * width);
    for position in first..first + rows {
        table.extend(rates.iter().map(|rate| (position as f32 * rate).sin()));
        table.extend(rates.iter().map(|rate| (position as f32 * rate).cos()));
        table.resize(table.len() + width % 2, 0.0);
    }
    table
}

/// The names of an M2M-100 model's tensors.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// `tie_word_embeddings`
    tied: bool,
}

impl Names {
    /// Reads which embeddings are one.
    ///
    /// # Errors
    /// [`Error::BadModel`] where a value is of another type.
    pub fn read(config: &Fields) -> Result<Self, Error> {
        Ok(Self { tied: config.bool("tie_word_embeddings")?.unwrap_or(true) })
    }
}

impl Naming for Names {
    fn names(&self, part: Part, piece: Piece) -> Vec<String> {
        const ENCODER: &str = "model.encoder.embed_tokens.weight";
        const DECODER: &str = "model.decoder.embed_tokens.weight";
        const SHARED: &str = "model.shared.weight";
        const HEAD: &str = "lm_head.weight";
        match (part, piece) {
            // Stored once where they are tied, under a name that depends on the converter; where a file holds several, they
            // are the same, and naming the same one for all parts keeps one copy in memory.
            (Part::Embedding(_) | Part::Projection, Piece::Weight) if self.tied => {
                owned(&[SHARED, ENCODER, DECODER, HEAD])
            }
            (Part::Embedding(Side::Encoder), Piece::Weight) => owned(&[ENCODER, SHARED]),
            (Part::Embedding(Side::Decoder), Piece::Weight) => owned(&[DECODER, SHARED]),
            (Part::Projection, Piece::Weight) => owned(&[HEAD]),
            (Part::Layer(..) | Part::FinalNorm(_), _) => fairseq::names(part, piece),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_has_the_row_after_the_padding() {
        let table = positions(2, 4, 2);
        // Rates 1 and 1/10000.
        let row = |p: f32| [p.sin(), (p / 10_000.0).sin(), p.cos(), (p / 10_000.0).cos()];
        for (i, position) in [2.0, 3.0].into_iter().enumerate() {
            for (got, want) in table[i * 4..].iter().zip(row(position)) {
                assert!((got - want).abs() < 1e-6, "{table:?}");
            }
        }
    }

    #[test]
    fn odd_widths_end_in_zero() {
        assert_eq!(positions(2, 5, 2).len(), 10);
        assert_eq!(positions(1, 1, 2), [0.0]);
    }
}

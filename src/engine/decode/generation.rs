//! What a checkpoint says about how it is to be decoded.
//!
//! In: `generation_config.json` and `config.json`, read by the checkpoint reader. Out: [`Generation`]. Field names are
//! Hugging Face's (`transformers/generation/configuration_utils.py`, 5.23.0).

/// Decoding as the checkpoint's makers set it; `generation_config.json` goes before `config.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// The token that starts a target; not part of it.
    pub decoder_start_token_id: u32,
    /// Tokens that end a target.
    pub eos_token_id: Vec<u32>,
    /// The token that fills batches; never part of a target here.
    pub pad_token_id: Option<u32>,
    /// The first token of every target (NLLB and M2M-100: the language).
    pub forced_bos_token_id: Option<u32>,
    /// The last token of a target that reaches the longest length.
    pub forced_eos_token_id: Option<u32>,
    /// Sequences that may not be written; mostly `[[pad]]`.
    pub bad_words_ids: Vec<Vec<u32>>,
    /// How many hypotheses grow.
    pub num_beams: usize,
    /// A hypothesis' score is its log-probability over its length to this power.
    pub length_penalty: f32,
    /// Most tokens of a target, the start token included.
    pub max_length: usize,
    /// No sequence of this many tokens comes twice; 0 for any.
    pub no_repeat_ngram_size: usize,
    /// Whether log-probabilities are normed again after tokens were banned.
    pub renormalize_logits: bool,
}

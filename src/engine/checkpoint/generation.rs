//! How a checkpoint wants to be decoded.
//!
//! In: `generation_config.json`, `config.json`. Out: [`Generation`]. The order of the two files and the meaning of the keys
//! are those of transformers 5.23.0 (`generation/configuration_utils.py`); only its longest length of 20 tokens, which it
//! calls a default that should be set, is not taken over.

use super::{Checkpoint, Fields};
use crate::engine::Error;
use crate::engine::decode::Generation;

/// Longest target, the start token included, where a model says nothing: the limit of T5's makers and of OPUS-MT's.
const DEFAULT_MAX_LENGTH: usize = 512;
/// A length beyond this is an oversight: no model here was trained on a hundredth of it.
const LONGEST: usize = 1 << 20;

/// Tokens that an architecture has where neither file names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `decoder_start_token_id`
    pub start: Option<u32>,
    /// `eos_token_id`
    pub eos: Option<u32>,
    /// `pad_token_id`
    pub pad: Option<u32>,
}

impl Checkpoint {
    /// Reads how to decode. `vocabulary` is how many tokens can be written, `max_positions` the longest target that the
    /// model's positions reach to.
    ///
    /// # Errors
    /// [`Error::BadModel`] where a value is of another type or out of range, or a start or end token is missing.
    pub fn generation(
        &self,
        vocabulary: usize,
        max_positions: Option<usize>,
        defaults: Defaults,
    ) -> Result<Generation, Error> {
        let files: Vec<&Fields> = self.generation_config().into_iter().chain([self.config()]).collect();
        let last = self.config();
        let known = |id: Option<u32>| id.filter(|&id| (id as usize) < vocabulary);
        let eos = first(&files, |file| file.ids("eos_token_id", vocabulary))?.filter(|ids| !ids.is_empty());
        let start_there = first(&files, |file| file.id("decoder_start_token_id", vocabulary))?;
        let max_length = first(&files, |file| optional(file, "max_length", 2..=LONGEST))?;
        let max_length = max_length.unwrap_or(DEFAULT_MAX_LENGTH).min(max_positions.unwrap_or(LONGEST));
        let num_beams = first(&files, |file| optional(file, "num_beams", 1..=1000))?.unwrap_or(1);
        Ok(Generation {
            decoder_start_token_id: start_there
                .or(known(defaults.start))
                .ok_or_else(|| last.bad("\"decoder_start_token_id\" is missing"))?,
            eos_token_id: eos
                .or(defaults.eos.map(|id| vec![id]))
                .ok_or_else(|| last.bad("\"eos_token_id\" is missing"))?,
            pad_token_id: first(&files, |file| file.id("pad_token_id", vocabulary))?.or(known(defaults.pad)),
            forced_bos_token_id: first(&files, |file| file.id("forced_bos_token_id", vocabulary))?,
            forced_eos_token_id: first(&files, |file| file.id("forced_eos_token_id", vocabulary))?,
            bad_words_ids: first(&files, |file| file.sequences("bad_words_ids", vocabulary))?.unwrap_or_default(),
            num_beams,
            length_penalty: first(&files, |file| file.f32("length_penalty"))?.unwrap_or(1.0),
            max_length,
            no_repeat_ngram_size: first(&files, |file| optional(file, "no_repeat_ngram_size", 0..=LONGEST))?
                .unwrap_or(0),
            renormalize_logits: first(&files, |file| file.bool("renormalize_logits"))?.unwrap_or(false),
        })
    }
}

fn optional(file: &Fields, key: &str, range: std::ops::RangeInclusive<usize>) -> Result<Option<usize>, Error> {
    if file.has(key) { file.usize(key, None, range).map(Some) } else { Ok(None) }
}

/// Returns the value of the first file that has one.
fn first<T>(files: &[&Fields], read: impl Fn(&Fields) -> Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    for file in files {
        if let Some(value) = read(file)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

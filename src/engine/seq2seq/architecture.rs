//! Which architecture a checkpoint is of, and all that the engine needs to know of it.
//!
//! In: a [`Checkpoint`]. Out: [`Architecture`]. The families' own facts are [`crate::engine::marian`]'s,
//! [`crate::engine::m2m100`]'s and [`crate::engine::t5`]'s; this file picks among them.

use super::fairseq::check_positions;
use super::spec::{Naming, Spec};
use crate::engine::checkpoint::{Checkpoint, Defaults};
use crate::engine::decode::Generation;
use crate::engine::tokenizer::json::JsonTokenizer;
use crate::engine::tokenizer::m2m::M2mTokenizer;
use crate::engine::tokenizer::marian::MarianTokenizer;
use crate::engine::tokenizer::pair::PairTokenizer;
use crate::engine::tokenizer::unigram::UnigramTokenizer;
use crate::engine::{Error, m2m100, marian, t5};

/// The values of `model_type` for which there is an engine.
pub const KNOWN: [&str; 4] = ["marian", "m2m_100", "t5", "mt5"];

/// What a model is told of the task, in its makers' own codes. What is left open is Arabic to English.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Direction {
    /// The source language: `arb_Arab` (NLLB), `ar` (M2M-100). Others are not told.
    pub source: Option<String>,
    /// The target language: `eng_Latn` (NLLB), `en` (M2M-100), `eng` (Marian models of several targets).
    pub target: Option<String>,
    /// T5 only: what stands before every source, `<2en> ` (MADLAD-400) or `summarize: `.
    pub prefix: Option<String>,
}

/// All that the engine needs to know of a checkpoint beside its tensors.
pub struct Architecture {
    /// `model_type`
    pub kind: &'static str,
    /// Sizes and choices.
    pub spec: Spec,
    /// Names of tensors.
    pub naming: Box<dyn Naming>,
    /// How its makers decode.
    pub generation: Generation,
    /// Text to ids and back.
    pub tokenizer: Box<dyn PairTokenizer>,
}

impl std::fmt::Debug for Architecture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Architecture")
            .field("kind", &self.kind)
            .field("tokenizer", &self.tokenizer)
            .finish_non_exhaustive()
    }
}

/// Reads what a checkpoint is made of.
///
/// # Errors
/// [`Error::UnknownArchitecture`] where `model_type` is none of [`KNOWN`], [`Error::BadModel`] where a file is missing,
/// broken or contradicts another.
pub fn architecture(checkpoint: &Checkpoint, direction: &Direction) -> Result<Architecture, Error> {
    let config = checkpoint.config();
    let unknown = |name: &str| Error::UnknownArchitecture {
        path: config.path().to_owned(),
        architecture: name.to_owned(),
        known: KNOWN.join(", "),
    };
    match config.str("model_type")? {
        Some("marian") => marian_model(checkpoint, direction),
        Some("m2m_100") => m2m100_model(checkpoint, direction),
        Some("t5") => t5_model(checkpoint, direction, t5::Family::T5),
        Some("mt5") => t5_model(checkpoint, direction, t5::Family::Mt5),
        Some(other) => Err(unknown(other)),
        None => Err(config.bad("\"model_type\" is missing")),
    }
}

fn marian_model(checkpoint: &Checkpoint, direction: &Direction) -> Result<Architecture, Error> {
    let config = checkpoint.config();
    check_positions(config, checkpoint.bytes())?;
    let spec = marian::spec(config)?;
    // The decoder starts with the padding token where nothing else is said: both are the last of the vocabulary.
    let start = config.id("pad_token_id", spec.vocabulary)?;
    let defaults = Defaults { start, eos: Some(0), pad: None };
    let generation = checkpoint.generation(spec.vocabulary, spec.max_positions, defaults)?;
    let target = direction.target.as_deref();
    let tokenizer = MarianTokenizer::open(checkpoint, marian::source_vocabulary(config)?, spec.vocabulary, target)?;
    let naming = Box::new(marian::Names::read(config)?);
    Ok(Architecture { kind: "marian", spec, naming, generation, tokenizer: Box::new(tokenizer) })
}

fn m2m100_model(checkpoint: &Checkpoint, direction: &Direction) -> Result<Architecture, Error> {
    let config = checkpoint.config();
    check_positions(config, checkpoint.bytes())?;
    let spec = m2m100::spec(config)?;
    // Fairseq's decoders start with the end token.
    let defaults = Defaults { start: Some(2), eos: Some(2), pad: Some(1) };
    let mut generation = checkpoint.generation(spec.vocabulary, spec.max_positions, defaults)?;
    let (source, target) = (direction.source.as_deref(), direction.target.as_deref());
    let (tokenizer, language): (Box<dyn PairTokenizer>, u32) = match checkpoint.files().find("tokenizer.json") {
        Some(path) => {
            let tokenizer = JsonTokenizer::open(&path, spec.vocabulary)?;
            // M2M-100's codes where a converter made such a file of it, else NLLB's.
            let (arabic, english) = match tokenizer.id("__ar__") {
                Some(_) => ("__ar__", "__en__"),
                None => ("arb_Arab", "eng_Latn"),
            };
            let target = tokenizer.language(target.unwrap_or(english))?;
            let source = tokenizer.language(source.unwrap_or(arabic))?;
            (Box::new(tokenizer.starting_with(source)), target)
        }
        None => {
            let (source, target) = (source.unwrap_or("ar"), target.unwrap_or("en"));
            let tokenizer = M2mTokenizer::open(checkpoint, spec.vocabulary, source, target)?;
            let language = tokenizer.target_language();
            (Box::new(tokenizer), language)
        }
    };
    if target.is_some() || generation.forced_bos_token_id.is_none() {
        generation.forced_bos_token_id = Some(language);
    }
    let naming = Box::new(m2m100::Names::read(config)?);
    Ok(Architecture { kind: "m2m_100", spec, naming, generation, tokenizer })
}

fn t5_model(checkpoint: &Checkpoint, direction: &Direction, family: t5::Family) -> Result<Architecture, Error> {
    let config = checkpoint.config();
    let spec = t5::spec(config, family)?;
    // T5's decoders start with the padding token; older files do not say so.
    let start = config.id("pad_token_id", spec.vocabulary)?.unwrap_or(0);
    let defaults = Defaults { start: Some(start), eos: Some(1), pad: Some(0) };
    let generation = checkpoint.generation(spec.vocabulary, None, defaults)?;
    let prefix = direction.prefix.as_deref();
    let tokenizer: Box<dyn PairTokenizer> = match checkpoint.files().find("tokenizer.json") {
        Some(path) => {
            let tokenizer = JsonTokenizer::open(&path, spec.vocabulary)?;
            let english = tokenizer.id("<2en>").filter(|_| family == t5::Family::T5);
            Box::new(match (prefix, english) {
                (Some(prefix), _) => tokenizer.starting_with_text(prefix),
                (None, Some(english)) => tokenizer.starting_with(english),
                (None, None) => tokenizer,
            })
        }
        None => Box::new(UnigramTokenizer::open(checkpoint, spec.vocabulary, prefix)?),
    };
    let kind = match family {
        t5::Family::T5 => "t5",
        t5::Family::Mt5 => "mt5",
    };
    Ok(Architecture { kind, spec, naming: Box::new(t5::Names), generation, tokenizer })
}

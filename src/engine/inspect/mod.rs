//! What a model is made of, by its headers and settings: nothing of the size of its weights is read or allocated.
//!
//! In: the files of a model ([`ModelPaths`]), known to a registry or not. Out: an [`Inspection`]: architecture, tensors,
//! sizes, tokenizer, memory; and what its card says ([`Card`]). Where there is an engine, its tensors were then checked
//! against what that engine asks for ([`shapes`]). Loading is [`super::load`]'s.

pub mod card;
pub mod shapes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use card::Card;

use super::Error;
use super::checkpoint::{Checkpoint, Fields, Files, Pickles};
use super::gguf::Gguf;
use super::llm::config::Config;
use super::load::{self, ModelPaths};
use super::seq2seq::spec::Positions;
use super::seq2seq::{self, Direction};
use super::tokenizer;
use shapes::Made;

/// In what form weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// `.safetensors`
    Safetensors,
    /// `.gguf`
    Gguf,
    /// `pytorch_model.bin`
    Pickle,
}

/// Memory that a run takes at its peak, in bytes; an estimate, from the sizes of the model's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// With `--precision int8`.
    pub int8: u64,
    /// With `--precision f32`.
    pub f32: u64,
}

/// What is known of a model that there is an engine for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Tokens that it can write.
    pub vocabulary: usize,
    /// Layers: of encoder and decoder, or of the one stack there is.
    pub layers: Vec<usize>,
    /// Width of its states (`d_model`).
    pub d_model: usize,
    /// Most tokens that it reads or writes; none where its positions do not end.
    pub max_positions: Option<usize>,
    /// What its tokenizer is made of; none where it carries none, so that it cannot be used.
    pub tokenizer: Option<String>,
    /// Whether it was made to follow instructions (it has a chat template).
    pub chat: bool,
    /// Whether it was made to translate: encoder-decoders are, but for those of the T5 family that know no `<2en>`.
    pub translates: bool,
    /// Memory that a run takes.
    pub memory: Memory,
}

/// What a model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// `model_type`, or a GGUF's `general.architecture`.
    pub architecture: String,
    /// In what form its weights are stored.
    pub form: Form,
    /// How many tensors there are.
    pub tensors: usize,
    /// How many numbers are in them; of tied tensors that are stored twice, both count.
    pub parameters: u64,
    /// How many of the numbers are of which kind (`F32`, `BF16`, `Q4_K`).
    pub dtypes: BTreeMap<String, u64>,
    /// The name that the file gives itself (`general.name`).
    pub name: Option<String>,
    /// The licence that a GGUF file states (`general.license`), or the card.
    pub licence: Option<String>,
    /// Where that licence can be read, as the same says.
    pub licence_link: Option<String>,
    /// Languages, as the tokenizer's settings (source, then target), the file or the card name them; empty where nothing does.
    pub languages: Vec<String>,
    /// The file with the licence's text.
    #[serde(skip)]
    pub licence_file: Option<PathBuf>,
    /// The files that the model is made of, by name, without card and licence.
    #[serde(skip)]
    pub files: BTreeMap<String, PathBuf>,
    /// Their size on this disk, in bytes.
    pub bytes: u64,
    /// What its engine says; none where there is no engine for its architecture.
    pub facts: Option<Facts>,
}

impl Inspection {
    /// Refuses a model that could not be used.
    ///
    /// # Errors
    /// [`Error::UnknownArchitecture`] where there is no engine for it; [`Error::BadModel`] where it carries no tokenizer.
    pub fn usable(&self, path: &Path) -> Result<&Facts, Error> {
        let Some(facts) = &self.facts else {
            let (path, architecture) = (path.to_owned(), self.architecture.clone());
            return Err(Error::UnknownArchitecture { path, architecture, known: load::architectures() });
        };
        match &facts.tokenizer {
            Some(_) => Ok(facts),
            None => Err(Error::BadModel { path: path.to_owned(), reason: "the file carries no tokenizer".to_owned() }),
        }
    }
}

/// Looks at a model.
///
/// # Errors
/// [`Error::BadModel`] where a file is missing, broken, or has a tensor that its architecture does not;
/// [`Error::OnlyPickle`]; [`Error::Io`].
pub fn inspect(paths: &ModelPaths, pickles: Pickles) -> Result<Inspection, Error> {
    let card = Card::of(&paths.files);
    let mut found = match paths.model_type()? {
        Some(model_type) if paths.gguf()?.is_none() || is_pair(&model_type) => checkpoint(paths, &model_type, pickles)?,
        _ => match paths.gguf()? {
            Some(path) => gguf(paths, path, pickles)?,
            None => return Err(paths.bad("neither config.json nor a .gguf file is in it")),
        },
    };
    found.licence = found.licence.or(card.licence);
    found.licence_link = found.licence_link.or(card.licence_link);
    found.licence_file = card.licence_file;
    if found.languages.is_empty() {
        found.languages = card.languages;
    }
    found.bytes = found.files.values().map(|path| std::fs::metadata(path).map_or(0, |metadata| metadata.len())).sum();
    Ok(found)
}

fn is_pair(architecture: &str) -> bool {
    seq2seq::architecture::KNOWN.contains(&architecture)
}

/// Settings and tokenizers that engines ask for; everything else beside the weights is left alone.
const BESIDE_WEIGHTS: [&str; 11] = [
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "tokenizer.json",
    "source.spm",
    "target.spm",
    "vocab.json",
    "target_vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "sentencepiece.model",
];

/// Returns those of a model's files that are its own: settings, tokenizer, and the weights that are read.
fn own_files(paths: &ModelPaths, checkpoint: &Checkpoint) -> BTreeMap<String, PathBuf> {
    let mut weights: BTreeSet<&Path> = checkpoint.weights_files().into_iter().collect();
    weights.insert(checkpoint.weights_path());
    let is_own = |name: &str, path: &Path| BESIDE_WEIGHTS.contains(&name) || weights.contains(path);
    let own = paths.files.iter().filter(|(name, path)| is_own(name, path));
    own.map(|(name, path)| (name.clone(), path.clone())).collect()
}

/// Counts tensors, numbers and kinds of numbers.
fn census(
    names: &[String],
    shape: impl Fn(&str) -> Option<Vec<usize>>,
    dtype: impl Fn(&str) -> Option<String>,
) -> (u64, BTreeMap<String, u64>) {
    let mut dtypes: BTreeMap<String, u64> = BTreeMap::new();
    for name in names {
        let numbers = shape(name).unwrap_or_default().iter().fold(1_u64, |all, &n| all.saturating_mul(n as u64));
        let kind = dtypes.entry(dtype(name).unwrap_or_default()).or_default();
        *kind = kind.saturating_add(numbers);
    }
    (dtypes.values().fold(0, |all, &n| all.saturating_add(n)), dtypes)
}

fn checkpoint(paths: &ModelPaths, model_type: &str, pickles: Pickles) -> Result<Inspection, Error> {
    let checkpoint = Checkpoint::open(Files::from(paths.files.clone()).with_pickles(pickles))?;
    let names = checkpoint.names();
    let (parameters, dtypes) = census(&names, |name| checkpoint.shape(name), |name| checkpoint.dtype(name));
    let weights = checkpoint.weights_files();
    let form = match weights.first().and_then(|path| path.extension()).and_then(|ending| ending.to_str()) {
        _ if !checkpoint.pickles().is_empty() => Form::Pickle,
        Some(ending) if ending.eq_ignore_ascii_case("gguf") => Form::Gguf,
        _ => Form::Safetensors,
    };
    let facts = if is_pair(model_type) { Some(pair_facts(&checkpoint)?) } else { None };
    Ok(Inspection {
        architecture: model_type.to_owned(),
        form,
        tensors: names.len(),
        parameters,
        dtypes,
        name: None,
        licence: None,
        licence_link: None,
        languages: checkpoint.tokenizer_config().map(languages_of).transpose()?.unwrap_or_default(),
        licence_file: None,
        files: own_files(paths, &checkpoint),
        bytes: 0,
        facts,
    })
}

/// Returns source and target language of a tokenizer's settings.
fn languages_of(settings: &Fields) -> Result<Vec<String>, Error> {
    let first = |keys: [&str; 2]| -> Result<Option<String>, Error> {
        Ok(settings.str(keys[0])?.or(settings.str(keys[1])?).map(str::to_owned))
    };
    Ok([first(["source_lang", "src_lang"])?, first(["target_lang", "tgt_lang"])?].into_iter().flatten().collect())
}

fn pair_facts(checkpoint: &Checkpoint) -> Result<Facts, Error> {
    let found = seq2seq::architecture(checkpoint, &Direction::default())?;
    let made = shapes::encoder_decoder(checkpoint, &found.spec, found.naming.as_ref())?;
    let has = |name: &str| checkpoint.files().find(name).is_some();
    let tokenizer = match found.kind {
        "marian" => "source.spm, target.spm, vocab.json",
        _ if has("tokenizer.json") => "tokenizer.json",
        "m2m_100" => "sentencepiece.bpe.model, vocab.json",
        _ => "spiece.model",
    };
    let first = found.tokenizer.encode("").first().copied();
    let told_english = first.and_then(|id| found.tokenizer.piece(id)) == Some("<2en>");
    let positions = match &found.spec.positions {
        Positions::Absolute(table) => table.len() as u64,
        Positions::Relative { .. } => 0,
    };
    Ok(Facts {
        vocabulary: found.spec.vocabulary,
        layers: found.spec.layers.to_vec(),
        d_model: found.spec.width,
        max_positions: found.spec.max_positions,
        tokenizer: Some(tokenizer.to_owned()),
        chat: false,
        translates: !matches!(found.kind, "t5" | "mt5") || told_english,
        memory: pair_memory(&made, positions),
    })
}

/// Measured on models of 76 and 239 million parameters (`mujaz bench --beam 4`, 32 sentences of 40 tokens): what comes on top
/// of the weights, batches and caches and the tensor that is packed, grows as the largest tensor, which is the vocabulary's.
fn pair_memory(made: &Made, positions: u64) -> Memory {
    let (vectors, largest) = (4 * (made.vectors + positions), 4 * made.largest);
    let base = 10_000_000 + vectors;
    Memory {
        int8: made.matrices + 4 * made.rows + largest + largest / 10 + base,
        f32: 4 * made.matrices + 2 * largest - largest / 10 + base,
    }
}

/// Positions of which a run keeps keys and values at the same time: a batch's, with its prompt.
const KEPT_POSITIONS: u64 = 4096;

/// Measured on Gemma 3 270M and `SmolLM2` 135M (`mujaz bench`): weights in blocks of 32 with a scale, the rows of the
/// vocabulary's part that a target can use once more, the cache; in f32 also the largest tensor while it is converted.
fn decoder_memory(made: &Made, config: &Config) -> Memory {
    let as_int8 = |numbers: u64| numbers + numbers / 8;
    let vocabulary = (config.vocabulary as u64).saturating_mul(config.width as u64);
    let shortlist = vocabulary - vocabulary / 4;
    let kept = 2 * 4 * KEPT_POSITIONS * config.layers as u64 * config.kv_width() as u64;
    let base = 20_000_000 + 4 * made.vectors + kept;
    Memory {
        int8: 4 * made.exact + as_int8(made.matrices - made.exact) + as_int8(shortlist) + base,
        f32: 4 * (made.matrices + shortlist + made.largest) + base,
    }
}

fn gguf(paths: &ModelPaths, path: &Path, pickles: Pickles) -> Result<Inspection, Error> {
    let mut gguf = Gguf::open(path)?;
    let Some(architecture) = gguf.optional_str("general.architecture")?.map(str::to_owned) else {
        let reason = "does not say what it is (general.architecture), and no config.json lies beside it";
        return Err(gguf.bad(reason));
    };
    if is_pair(&architecture) {
        return checkpoint(paths, &architecture, pickles);
    }
    let names = gguf.names();
    let (parameters, dtypes) = census(&names, |name| gguf.shape(name).map(<[usize]>::to_vec), |name| gguf.dtype(name));
    let text = |key: &str| -> Result<Option<String>, Error> { Ok(gguf.optional_str(key)?.map(str::to_owned)) };
    let (name, link) = (text("general.name")?, text("general.license.link")?);
    let licence = match text("general.license")? {
        Some(licence) if licence == "other" => text("general.license.name")?.or(Some(licence)),
        licence => licence,
    };
    let chat = gguf.has("tokenizer.chat_template");
    let kind = match text("tokenizer.ggml.model")?.as_deref() {
        Some("llama") => Some("SentencePiece, in the file".to_owned()),
        Some("gpt2") => Some("byte-level BPE, in the file".to_owned()),
        Some(other) => Some(format!("{other}, in the file")),
        None => None,
    };
    let languages = match gguf.has("general.languages") {
        true => gguf.strings("general.languages")?,
        false => Vec::new(),
    };
    let facts = if load::runs(&architecture) {
        let config = Config::load(&mut gguf)?;
        let made = shapes::decoder(&gguf, &config)?;
        if let Some(tokenizer) = tokenizer::load(&mut gguf)?
            && tokenizer.size() > config.vocabulary
        {
            let (size, rows) = (tokenizer.size(), config.vocabulary);
            return Err(gguf.bad(format!("the tokenizer has {size} ids, but the embedding {rows} rows")));
        }
        Some(Facts {
            vocabulary: config.vocabulary,
            layers: vec![config.layers],
            d_model: config.width,
            max_positions: Some(config.context),
            tokenizer: kind,
            chat,
            translates: !chat,
            memory: decoder_memory(&made, &config),
        })
    } else {
        None
    };
    let file = paths.files.iter().find(|(_, place)| place.as_path() == path);
    Ok(Inspection {
        architecture,
        form: Form::Gguf,
        tensors: names.len(),
        parameters,
        dtypes,
        name,
        licence,
        licence_link: link.filter(|link| link.starts_with("http")),
        languages,
        licence_file: None,
        files: file.into_iter().map(|(name, path)| (name.clone(), path.clone())).collect(),
        bytes: 0,
        facts,
    })
}

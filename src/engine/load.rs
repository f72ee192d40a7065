//! Opens a model, whatever it is.
//!
//! In: a GGUF file, a checkpoint folder laid out as on the hub, or the files of a registry entry, which may lie in
//! different folders. Out: a [`Loaded`] model. A checkpoint says what it is in `config.json` (`model_type`), a GGUF file in
//! `general.architecture`; names of files decide nothing else. Finding and fetching files is [`crate::hub`]'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::checkpoint::{Checkpoint, Files};
use super::gguf::Gguf;
use super::llm::LlmEngine;
use super::llm::model::{self, LlmModel};
use super::seq2seq::settings;
use super::seq2seq::{self, Direction, Overrides, Seq2SeqEngine, Stored};
use super::sha256::{self, hex};
use super::{Engine, Error, Generator, Rewriter, linear};
use crate::registry::is_weights;

pub use super::checkpoint::Pickles;
pub use super::kernels::dense::Precision;

/// Encoder-decoders: the `model_type`s of checkpoints and the architectures of GGUF files.
const ENCODER_DECODERS: &[&str] = &["marian", "m2m_100", "t5", "mt5"];
/// Decoder-only models, which come as GGUF files.
const DECODERS: &[&str] = &["gemma3", "llama"];
/// The file in which a checkpoint says what it is.
const CONFIG: &str = "config.json";

/// How a model is loaded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LoadOptions {
    /// How its weights are kept.
    pub precision: Precision,
    /// Where an encoder-decoder's weights in int8 are kept on disk for the next start: a folder of the caller's own, as what
    /// lies there is believed; none to keep none, and read none.
    pub cache: Option<PathBuf>,
    /// What an encoder-decoder is told of languages.
    pub direction: Direction,
    /// What goes before an encoder-decoder's own settings.
    pub generation: Overrides,
    /// Whether weights may come from pickles.
    pub pickles: Pickles,
}

/// A model that is loaded.
pub enum Loaded {
    /// A decoder-only model: translates by continuing a prompt, and continues any other.
    Decoder(Box<LlmEngine>),
    /// An encoder-decoder: made to turn one text into another.
    EncoderDecoder {
        /// The engine.
        engine: Box<Seq2SeqEngine<seq2seq::Model>>,
        /// How its weights are kept.
        precision: Precision,
        /// Whether they came from an earlier start, or what became of them.
        stored: Stored,
        /// The weights files that are pickles; empty where the weights come in another form.
        pickles: Vec<PathBuf>,
    },
}

impl Loaded {
    /// Returns the model as one that translates.
    pub fn engine(&mut self) -> &mut dyn Engine {
        match self {
            Self::Decoder(engine) => engine.as_mut(),
            Self::EncoderDecoder { engine, .. } => engine.as_mut(),
        }
    }

    /// Returns the model as one that continues prompts; none where it is not made for that.
    pub fn generator(&mut self) -> Option<&mut dyn Generator> {
        match self {
            Self::Decoder(engine) => Some(engine.as_mut()),
            Self::EncoderDecoder { .. } => None,
        }
    }

    /// Says where the weights came from that are kept on disk between starts; nothing where none are.
    pub fn stored(&self) -> Option<&Stored> {
        match self {
            Self::Decoder(_) => None,
            Self::EncoderDecoder { stored, .. } => Some(stored).filter(|stored| **stored != Stored::Off),
        }
    }

    /// Returns the model as one that writes about a text; none where it is not made for that.
    pub fn rewriter(&mut self) -> Option<&mut dyn Rewriter> {
        match self {
            Self::Decoder(_) => None,
            Self::EncoderDecoder { engine, .. } => Some(engine.as_mut()),
        }
    }

    /// Returns the weights files that are pickles, which were read as data.
    pub fn pickles(&self) -> &[PathBuf] {
        match self {
            Self::Decoder(_) => &[],
            Self::EncoderDecoder { pickles, .. } => pickles,
        }
    }

    /// Says how most of its weights are kept.
    pub fn precision(&self) -> String {
        match self {
            Self::Decoder(engine) => engine.model().output().precision().to_owned(),
            Self::EncoderDecoder { precision, .. } => precision.to_string(),
        }
    }
}

/// Returns whether there is an engine for an architecture, as registry entries name it.
pub fn runs(architecture: &str) -> bool {
    DECODERS.contains(&architecture) || ENCODER_DECODERS.contains(&architecture)
}

/// Returns the architectures that there are engines for, comma-separated.
pub fn architectures() -> String {
    [ENCODER_DECODERS, DECODERS].concat().join(", ")
}

/// The files of a model, by the names that they have on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPaths {
    /// What the user calls the model: a path, or an id; stands in messages.
    pub label: PathBuf,
    /// Name to place.
    pub files: BTreeMap<String, PathBuf>,
}

impl ModelPaths {
    /// Finds the files of a checkpoint folder (itself, not what lies deeper), or takes one GGUF file. Of an encoder-decoder
    /// settings and tokens are no part of that file: where they lie beside it, they come with it.
    ///
    /// # Errors
    /// Where nothing is there, or a single file is no GGUF.
    pub fn at(path: &Path) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        if fs_err::metadata(path)?.is_dir() {
            files = files_in(path)?;
        } else if is_gguf(&path.to_string_lossy()) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if folder.join(CONFIG).is_file() && !stands_alone(path) {
                files = files_in(folder)?;
                files.retain(|name, _| !is_weights(name) && !name.ends_with(".index.json"));
            }
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            files.insert(name, path.to_owned());
        } else {
            let reason = "of a checkpoint the folder is to be named, of other models the .gguf file".to_owned();
            return Err(Error::BadModel { path: path.to_owned(), reason });
        }
        Ok(Self { label: path.to_owned(), files })
    }

    /// Takes the files of a registry entry: name and place.
    pub fn of_files(label: &str, files: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        Self { label: label.into(), files: files.into_iter().collect() }
    }

    pub(super) fn bad(&self, reason: impl Into<String>) -> Error {
        Error::BadModel { path: self.label.clone(), reason: reason.into() }
    }

    /// Returns the `model_type` of `config.json`; none where there is no such file.
    pub(super) fn model_type(&self) -> Result<Option<String>, Error> {
        #[derive(serde::Deserialize)]
        struct Config {
            model_type: String,
        }
        let Some(path) = self.files.get(CONFIG) else { return Ok(None) };
        let config = serde_json::from_slice::<Config>(&fs_err::read(path)?);
        let bad = |error| Error::BadModel { path: path.clone(), reason: format!("no model_type in it: {error}") };
        Ok(Some(config.map_err(bad)?.model_type))
    }

    /// Returns what the model says it is, as [`open`] takes it: the `model_type` of `config.json` where that is an
    /// encoder-decoder's or there is no GGUF file, else that file's `general.architecture`; none where nothing says so.
    ///
    /// # Errors
    /// Where the file that is asked is broken, or there are several GGUF files.
    pub fn architecture(&self) -> Result<Option<String>, Error> {
        let model_type = self.model_type()?;
        match self.gguf()? {
            Some(gguf) if !model_type.as_deref().is_some_and(|name| ENCODER_DECODERS.contains(&name)) => {
                Ok(Gguf::open(gguf)?.optional_str("general.architecture")?.map(str::to_owned))
            }
            _ => Ok(model_type),
        }
    }

    /// Returns the only GGUF file; none where there is none.
    pub(super) fn gguf(&self) -> Result<Option<&Path>, Error> {
        let mut found = self.files.iter().filter(|(name, _)| is_gguf(name)).map(|(_, path)| path.as_path());
        match (found.next(), found.count()) {
            (Some(_), more @ 1..) => Err(self.bad(format!("there are {} GGUF files, expected one", more + 1))),
            (first, _) => Ok(first),
        }
    }

    /// Returns the [`fingerprint`] of its files. `memory` is a folder where hashes of large files are kept for the next time, if any.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn fingerprint(&self, memory: Option<&Path>) -> Result<String, Error> {
        Ok(fingerprint(&self.deciding(memory)?))
    }

    /// Returns the size and SHA-256 of all files that decide what the model writes, by their names; see [`decides`].
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn deciding(&self, memory: Option<&Path>) -> Result<Deciding, Error> {
        let files = self.files.iter().filter(|(name, _)| decides(name));
        let facts = files.map(|(name, path)| {
            let bytes = fs_err::metadata(path)?.len();
            Ok((name.clone(), (bytes, sha256::of_file(path, memory)?)))
        });
        facts.collect()
    }
}

/// Size and SHA-256 of files by their names.
pub type Deciding = BTreeMap<String, (u64, String)>;

/// Returns a line that changes when the weights or anything else changes that decides what a model writes: `sha256:` of the
/// weights where they are one file, else of the list of their hashes; then the same of all other files of
/// [`ModelPaths::deciding`].
pub fn fingerprint(deciding: &Deciding) -> String {
    let (weights, others): (Vec<_>, Vec<_>) = deciding.iter().partition(|(name, _)| is_weights(name));
    let list = |files: &[(&String, &(u64, String))]| {
        let lines: Vec<String> = files.iter().map(|(name, (_, sha256))| format!("{sha256} {name}")).collect();
        hex(&Sha256::digest(lines.join("\n")))
    };
    let whole = match weights.as_slice() {
        [(_, (_, only))] => only.clone(),
        several => list(several),
    };
    let mut line = format!("sha256:{whole}");
    if !others.is_empty() {
        line.push_str(&format!(" settings:{}", &list(&others)[..16]));
    }
    line
}

/// Returns the files of a folder by their names.
fn files_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut files = BTreeMap::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        // Caches of the hub are full of links: what they lead to counts.
        if entry.path().is_file() {
            files.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
        }
    }
    Ok(files)
}

/// Returns whether a GGUF file holds all of its model. Those that candle makes of encoder-decoders do not even say what
/// they are. A broken file counts as whole, so that its fault is what the user hears of.
fn stands_alone(path: &Path) -> bool {
    Gguf::open(path).map_or(true, |gguf| match gguf.optional_str("general.architecture") {
        Ok(Some(architecture)) => !ENCODER_DECODERS.contains(&architecture),
        Ok(None) => false,
        Err(_) => true,
    })
}

/// Returns whether a file is of a kind that decides what a model writes: weights, settings, vocabularies. Others that lie beside
/// them (a licence, a page about the model) do not.
pub fn decides(name: &str) -> bool {
    is_weights(name) || [".json", ".spm", ".model", ".txt"].iter().any(|end| name.ends_with(end))
}

fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// Opens a model.
///
/// # Errors
/// [`Error::UnknownArchitecture`] where there is no engine for it; [`Error::BadModel`] where a file is missing or broken, or
/// the model has no use for an option; [`Error::Io`] where a file cannot be read.
pub fn open(paths: &ModelPaths, options: &LoadOptions) -> Result<Loaded, Error> {
    let model_type = paths.model_type()?;
    if model_type.as_deref().is_some_and(|name| ENCODER_DECODERS.contains(&name)) {
        return encoder_decoder(paths, model_type.as_deref(), options);
    }
    match (paths.gguf()?, model_type) {
        (Some(gguf), _) => match decoder(paths, gguf, options) {
            Err(Error::UnknownArchitecture { architecture, .. })
                if ENCODER_DECODERS.contains(&architecture.as_str()) =>
            {
                encoder_decoder(paths, Some(architecture.as_str()), options)
            }
            Err(Error::BadModel { path, .. }) if !stands_alone(gguf) => {
                let reason = "does not say what it is (general.architecture), and no config.json lies beside it";
                Err(Error::BadModel { path, reason: reason.to_owned() })
            }
            loaded => loaded,
        },
        (None, Some(architecture)) => {
            let known = ENCODER_DECODERS.join(", ");
            Err(Error::UnknownArchitecture { path: paths.label.clone(), architecture, known })
        }
        (None, None) => Err(paths.bad("neither config.json nor a .gguf file is in it")),
    }
}

fn decoder(paths: &ModelPaths, gguf: &Path, options: &LoadOptions) -> Result<Loaded, Error> {
    let precision = match options.precision {
        Precision::F32 => linear::Precision::Exact,
        // What is exact in the file is small there, and stays.
        Precision::Int8 => linear::Precision::Auto,
    };
    let model = LlmModel::load(gguf, &model::LoadOptions { precision })?;
    if !options.direction.is_open() || options.generation != Overrides::default() {
        return Err(paths.bad("languages, a prefix or generation settings are set, and a decoder-only model has none"));
    }
    Ok(Loaded::Decoder(Box::new(LlmEngine::new(model, gguf)?)))
}

/// `kind` is the `model_type` or its like in a GGUF file.
fn encoder_decoder(paths: &ModelPaths, kind: Option<&str>, options: &LoadOptions) -> Result<Loaded, Error> {
    let precision = options.precision;
    let direction = options.direction.fit_for(kind.unwrap_or_default()).map_err(|reason| paths.bad(reason))?;
    let files = Files::from(paths.files.clone()).with_pickles(options.pickles);
    let checkpoint = Checkpoint::open(files)?;
    let pickles = checkpoint.pickles().into_iter().map(Path::to_owned).collect();
    let (mut engine, stored) =
        seq2seq::open_checkpoint(&checkpoint, &paths.label, &direction, precision, options.cache.as_deref())?;
    if let Some(token) = direction.prefix.as_deref().map(str::trim).filter(|prefix| settings::is_token(prefix)) {
        // What stands before every source stands before the empty one.
        let first = engine.tokenizer().encode("").first().copied();
        if first.and_then(|id| engine.tokenizer().piece(id)) != Some(token) {
            return Err(paths.bad(format!("the prefix {token:?} is set, and the model has no such token")));
        }
    }
    engine.set_generation(&options.generation).map_err(|reason| paths.bad(reason))?;
    Ok(Loaded::EncoderDecoder { engine: Box::new(engine), precision, stored, pickles })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn refused(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let paths = ModelPaths::at(folder.path()).unwrap();
        open(&paths, &LoadOptions::default()).err().expect("no such model can be opened").to_string()
    }

    #[test]
    fn what_is_no_model_says_what_is_wrong() {
        assert!(refused(&[]).ends_with("neither config.json nor a .gguf file is in it"));
        assert!(refused(&[("a.gguf", ""), ("b.GGUF", "")]).ends_with("there are 2 GGUF files, expected one"));
        assert!(refused(&[("config.json", "{")]).contains("config.json: no model_type in it: "));
        let said = refused(&[("config.json", r#"{"model_type":"bert"}"#)]);
        assert!(said.contains("architecture \"bert\" has no engine here (there are: marian, "), "{said}");
        assert!(refused(&[("a.gguf", "GG")]).contains("a.gguf"));
    }

    /// A GGUF file of no tensors that says no more than its architecture: the "GGUF" specification, version 3.
    fn gguf(architecture: &str) -> String {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        for number in [0_u64, 1] {
            bytes.extend(number.to_le_bytes());
        }
        for (text, kind) in [("general.architecture", &[8, 0, 0, 0][..]), (architecture, &[])] {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.extend(kind);
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_model_is_what_the_file_says_that_it_is_loaded_from() {
        let of = |files: &[(&str, &str)]| ModelPaths::at(folder(files).path()).unwrap().architecture();
        let (marian, bert) =
            (("config.json", r#"{"model_type":"marian"}"#), ("config.json", r#"{"model_type":"bert"}"#));
        let llama = gguf("llama");
        let llama = ("a.gguf", llama.as_str());
        assert_eq!(of(&[marian]).unwrap().as_deref(), Some("marian"));
        assert_eq!(of(&[bert]).unwrap().as_deref(), Some("bert"));
        assert_eq!(of(&[llama]).unwrap().as_deref(), Some("llama"));
        assert_eq!(of(&[marian, llama]).unwrap().as_deref(), Some("marian"));
        assert_eq!(of(&[bert, llama]).unwrap().as_deref(), Some("llama"));
        assert_eq!(of(&[("vocab.json", "{}")]).unwrap(), None);
        assert!(of(&[("config.json", "{}")]).unwrap_err().to_string().contains("config.json: no model_type in it"));
        assert!(of(&[("a.gguf", "GG")]).unwrap_err().to_string().contains("a.gguf"));
    }

    #[test]
    fn a_path_is_a_folder_or_a_gguf_file() {
        let folder = folder(&[("model.safetensors", "x")]);
        assert!(matches!(ModelPaths::at(&folder.path().join("none")), Err(Error::Io(_))));
        let weights = folder.path().join("model.safetensors");
        assert!(matches!(ModelPaths::at(&weights), Err(Error::BadModel { .. })));
    }

    #[test]
    fn the_fingerprint_is_of_weights_and_settings() {
        let marian = ("config.json", r#"{"model_type":"marian"}"#);
        let of = |files: &[(&str, &str)]| ModelPaths::at(folder(files).path()).unwrap().fingerprint(None).unwrap();
        let one = of(&[("model.safetensors", "abc"), marian]);
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad settings:";
        assert!(one.starts_with(known), "{one}");
        assert_eq!(one, of(&[("model.safetensors", "abc"), marian, ("README.md", "x"), ("cache.q8", "y")]));
        for other in [
            of(&[("model.safetensors", "abd"), marian]),
            of(&[("model.safetensors", "abc"), ("config.json", "{}")]),
            of(&[("model.safetensors", "abc"), ("model-2.safetensors", ""), marian]),
        ] {
            assert_ne!(one, other);
        }
    }
}

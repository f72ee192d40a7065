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

/// Reads the models that were added, in the order of their ids.
///
/// # Errors
/// Where one of the files cannot be read or is not a registry.
pub fn read(options: &HubOptions) -> Result<Registry, Error> {
    let folder = options.own_cache.join("added_models");
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
        // A cache that is no folder holds nothing, and whoever needs to write there says so.
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(Registry::of([]));
        }
        Err(_) => fs_err::read_dir(&folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
    };
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut registry = Registry::of([]);
    for path in paths {
        registry.extend(Registry::open(&path)?);
    }
    Ok(registry)
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
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
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

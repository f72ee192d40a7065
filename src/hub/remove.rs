//! Removing a model's files from the caches, and nothing of any other model.
//!
//! In: registry entries, and the [`Claim`] to them. Out: the bytes freed. In the hub cache a blob goes when no link leads to it any more: files of one
//! model, or of two, may share it. Records of what was first seen stay (see [`super::first_seen()`]).

use std::path::Path;

use super::cache::{blob_of, folder_bytes, model_folder, repo_folder, snapshot};
use super::claim::Claim;
use super::options::HubOptions;
use crate::registry::{HubSource, ModelEntry, ModelFile};

/// Removes whatever lies at one of a file's places, so that it can be fetched anew. Returns the bytes freed.
pub(super) fn discard(options: &HubOptions, file: &ModelFile, path: &Path) -> std::io::Result<u64> {
    let mut sources = file.hub.iter().flat_map(HubSource::with_mirrors);
    match sources.find(|hub| snapshot(options, hub).join(&hub.path) == path) {
        Some(hub) => remove_from_hub(options, &hub),
        None => remove_file(path),
    }
}

/// Returns whether anything of a model may be here.
pub(super) fn is_there(options: &HubOptions, entry: &ModelEntry) -> bool {
    let is_link = |hub: HubSource| std::fs::symlink_metadata(snapshot(options, &hub).join(&hub.path)).is_ok();
    model_folder(options, &entry.id).is_dir() || sources(entry).any(is_link)
}

/// Removes all of a model's files, and nothing of any other model. Returns the bytes freed.
pub(super) fn remove(options: &HubOptions, entry: &ModelEntry, claim: Claim) -> std::io::Result<u64> {
    let mut freed = 0;
    for hub in sources(entry) {
        freed += remove_from_hub(options, &hub)?;
    }
    // The lock goes last: until then nobody else works in the folder.
    for item in fs_err::read_dir(claim.folder())? {
        let path = item?.path();
        if !claim.is_lock(&path) {
            freed += remove_file(&path)?;
        }
    }
    claim.leave()?;
    Ok(freed)
}

fn sources(entry: &ModelEntry) -> impl Iterator<Item = HubSource> + '_ {
    entry.files.iter().filter_map(|file| file.hub.as_ref()).flat_map(HubSource::with_mirrors)
}

/// Removes a snapshot's link, its blob where no other link leads to it, and the folders that are empty then.
fn remove_from_hub(options: &HubOptions, hub: &HubSource) -> std::io::Result<u64> {
    let repo_folder = repo_folder(options, hub);
    let snapshot = snapshot(options, hub);
    let pointer = snapshot.join(&hub.path);
    if std::fs::symlink_metadata(&pointer).is_err() {
        return Ok(0);
    }
    let blob = blob_of(&pointer);
    let mut freed = remove_file(&pointer)?;
    let blobs = std::fs::canonicalize(repo_folder.join("blobs")).ok();
    if let (Some(blob), Some(blobs)) = (blob, blobs)
        && blob.parent() == Some(blobs.as_path())
        && std::fs::symlink_metadata(&blob).is_ok()
        && !leads_to(&repo_folder.join("snapshots"), &blob)
    {
        freed += remove_file(&blob)?;
    }
    let mut folder = pointer.parent();
    // Only empty folders go: `remove_dir` refuses all others.
    while let Some(empty) = folder.filter(|folder| folder.starts_with(&snapshot) && std::fs::remove_dir(folder).is_ok())
    {
        folder = empty.parent();
    }
    if !snapshot.exists() {
        remove_refs(&repo_folder.join("refs"), &hub.revision);
        // What `huggingface_hub` keeps about a commit: its list of files, and names that it asked for in vain.
        let _ = std::fs::remove_file(repo_folder.join("trees").join(format!("{}.json", hub.revision)));
        let _ = std::fs::remove_dir_all(repo_folder.join(".no_exist").join(&hub.revision));
        for name in ["blobs", "refs", "snapshots", "trees", ".no_exist", ""] {
            let _ = std::fs::remove_dir(repo_folder.join(name));
        }
    }
    Ok(freed)
}

/// Removes the refs that name a revision which is no longer there; other clients would stumble over them.
fn remove_refs(folder: &Path, revision: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_refs(&path, revision);
            let _ = std::fs::remove_dir(&path);
        } else if std::fs::read_to_string(&path).is_ok_and(|named| named.trim() == revision) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Returns whether a link below a folder leads to a file.
fn leads_to(folder: &Path, blob: &Path) -> bool {
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => leads_to(&path, blob),
            _ => blob_of(&path).is_some_and(|target| target == blob),
        }
    })
}

/// Removes a file or a link; returns the bytes freed, 0 for a link.
fn remove_file(path: &Path) -> std::io::Result<u64> {
    let metadata = fs_err::symlink_metadata(path)?;
    if metadata.is_dir() {
        let bytes = folder_bytes(path);
        fs_err::remove_dir_all(path)?;
        return Ok(bytes);
    }
    fs_err::remove_file(path)?;
    Ok(if metadata.is_symlink() { 0 } else { metadata.len() })
}

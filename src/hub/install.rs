//! Giving verified files their final names.
//!
//! In: a file whose bytes were verified. Out: the same file where it is looked for: in our own folder, or in the hub cache as a
//! blob with a snapshot's link to it, laid out as `huggingface_hub` does it (`file_download.py`, `_create_symlink`): it then finds
//! what we fetched, and needs no `refs`, since a commit is asked for. Each step is one rename, so that a process that is killed
//! leaves the old state or the new one, and another client that reads or writes the same names meanwhile sees one of both.

use std::path::{Path, PathBuf};

use super::cache::{blob, mark, own_path, snapshot};
use super::error::Failure;
use super::first_seen;
use super::options::HubOptions;
use super::verify::Facts;
use crate::registry::{HubSource, ModelEntry, ModelFile};

/// Gives a verified file its final name in our own folder.
pub(super) fn install_own(
    options: &HubOptions,
    entry: &ModelEntry,
    file: &ModelFile,
    verified: &Path,
    facts: &Facts,
) -> Result<PathBuf, Failure> {
    let path = own_path(options, entry, file);
    fs_err::create_dir_all(path.parent().unwrap_or(&path))?;
    move_file(verified, &path)?;
    mark(options, entry, file, &path, facts);
    Ok(path)
}

/// Gives a verified file its final name in the hub cache: a blob, and the snapshot's link to it.
pub(super) fn install_hub(
    options: &HubOptions,
    entry: &ModelEntry,
    file: &ModelFile,
    hub: &HubSource,
    fetched: &super::client::Fetched,
) -> Result<PathBuf, Failure> {
    // The record comes first: a file with its final name was seen.
    first_seen::record(options, entry, file, Some(hub), &fetched.facts)?;
    let blob = blob(&options.hub_cache, hub, &fetched.etag);
    let pointer = snapshot(options, hub).join(&hub.path);
    fs_err::create_dir_all(blob.parent().unwrap_or(&blob))?;
    fs_err::create_dir_all(pointer.parent().unwrap_or(&pointer))?;
    // Another client, or another name of the same bytes, may have brought it.
    if fetched.path != blob {
        move_file(&fetched.path, &blob)?;
    }
    link(&blob, &pointer, hub.path.matches('/').count())?;
    mark(options, entry, file, &pointer, &fetched.facts);
    Ok(pointer)
}

/// Makes `pointer` lead to `blob`; `depth` is how many folders below the snapshot it lies. Replaces what is there.
#[cfg(unix)]
fn link(blob: &Path, pointer: &Path, depth: usize) -> std::io::Result<()> {
    let up: PathBuf = std::iter::repeat_n("..", depth + 2).collect();
    let target = up.join("blobs").join(blob.file_name().unwrap_or_default());
    // Under a name of its own first: another client may make or read the link at the same time.
    let folder = pointer.parent().unwrap_or(pointer);
    let beside = tempfile::Builder::new()
        .prefix(".mujaz-")
        .make_in(folder, |path| fs_err::os::unix::fs::symlink(&target, path))?;
    let path = beside.into_temp_path();
    fs_err::rename(&path, pointer)?;
    // It has its final name.
    let _ = path.keep();
    Ok(())
}

/// Where links need a privilege, the snapshot holds the file itself, as the other clients do there.
#[cfg(not(unix))]
fn link(blob: &Path, pointer: &Path, _depth: usize) -> std::io::Result<()> {
    move_file(blob, pointer)
}

/// Makes a file under a passing name, with the permissions of any new file: caches are shared between users.
pub(super) fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mujaz-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes its part of them.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Renames, or across file systems copies beside the goal and renames.
fn move_file(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let folder = to.parent().unwrap_or(to);
            let mut copy = new_file(folder)?;
            std::io::copy(&mut fs_err::File::open(from)?, &mut copy)?;
            copy.as_file().sync_all()?;
            copy.persist(to)?;
            fs_err::remove_file(from)
        }
        Err(_) => fs_err::rename(from, to),
        Ok(()) => Ok(()),
    }
}

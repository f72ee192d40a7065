//! Where a model's files lie on this disk, and whether what lies there is trusted.
//!
//! In: registry entries. Out: paths. Two places are looked at, in this order:
//!
//! 1. our own folder, `<own cache>/<id>/<sha256>/<name>`: what came as packages or was copied there by hand;
//! 2. the hub cache, `<hub cache>/models--<owner>--<name>/snapshots/<revision>/<path>`, a link to `blobs/<etag>`: the
//!    layout that all Hugging Face clients share (`huggingface_hub`, "Understand caching"), with hf-hub's own paths.
//!
//! A file is hashed once; `verified.json` in our folder then notes path, size and time of change, and while these stay
//! the same the file is not hashed again. Fetching is [`super::client`]'s and [`super::wheels`]'s.

use std::io::Write;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};
use serde::{Deserialize, Serialize};

use super::error::{Failure, Mismatch};
use super::options::HubOptions;
use super::verify;
use crate::progress::Progress;
use crate::registry::{HubSource, ModelEntry, ModelFile, ModelId};

/// What lies where a file belongs.
#[derive(Debug)]
pub(super) enum Found {
    /// The very file.
    Here(PathBuf),
    /// Nothing.
    Absent,
    /// Something else.
    Damaged(PathBuf, Mismatch),
}

/// How far a file is trusted that was verified before and has not been changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its marker is enough.
    Marker,
    /// Its bytes are read again.
    Nothing,
}

/// Returns our own folder of a model.
pub(super) fn model_folder(options: &HubOptions, id: &ModelId) -> PathBuf {
    options.own_cache.join(&id.0)
}

/// Returns where a file belongs in our own folder.
pub(super) fn own_path(options: &HubOptions, id: &ModelId, file: &ModelFile) -> PathBuf {
    model_folder(options, id).join(&file.sha256).join(&file.name)
}

pub(super) fn repo(hub: &HubSource) -> Repo {
    Repo::with_revision(hub.repo.clone(), RepoType::Model, hub.revision.clone())
}

fn repo_folder(options: &HubOptions, hub: &HubSource) -> PathBuf {
    options.hub_cache.join(repo(hub).folder_name())
}

fn snapshot(options: &HubOptions, hub: &HubSource) -> PathBuf {
    Cache::new(options.hub_cache.clone()).repo(repo(hub)).pointer_path(&hub.revision)
}

/// Returns where a file may be, best place first.
pub(super) fn places(options: &HubOptions, id: &ModelId, file: &ModelFile) -> Vec<PathBuf> {
    let own = own_path(options, id, file);
    let hub = file.hub.as_ref().map(|hub| snapshot(options, hub).join(&hub.path));
    std::iter::once(own).chain(hub).collect()
}

/// Looks for a file, and reads its bytes where `trust` asks for it.
pub(super) fn find(
    options: &HubOptions,
    id: &ModelId,
    file: &ModelFile,
    trust: Trust,
    progress: &dyn Progress,
) -> Result<Found, Failure> {
    let mut damaged = None;
    for path in places(options, id, file) {
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => continue,
            Err(_) => fs_err::metadata(&path)?,
        };
        let mismatch = if metadata.len() != file.bytes {
            Some(Mismatch::Size { expected: file.bytes, got: metadata.len() })
        } else if trust == Trust::Marker && Marker::of(&path).is_some_and(|now| now.stands(options, id, file)) {
            None
        } else {
            verify::check(&path, file, progress)?
        };
        match mismatch {
            None => {
                mark(options, id, file, &path);
                return Ok(Found::Here(path));
            }
            Some(mismatch) => damaged = damaged.or(Some((path, mismatch))),
        }
    }
    Ok(damaged.map_or(Found::Absent, |(path, mismatch)| Found::Damaged(path, mismatch)))
}

/// Returns whether a file of the right size lies at one of its places; no byte of it is read.
pub(super) fn seems_here(options: &HubOptions, id: &ModelId, file: &ModelFile) -> Option<PathBuf> {
    places(options, id, file)
        .into_iter()
        .find(|path| std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.bytes))
}

/// A name that leads nowhere, or through something that is no folder.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What a file looked like when its bytes were verified.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    path: PathBuf,
    bytes: u64,
    modified_nanos: u128,
}

impl Marker {
    fn of(path: &Path) -> Option<Self> {
        let path = std::fs::canonicalize(path).ok()?;
        let metadata = std::fs::metadata(&path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Self { path, bytes: metadata.len(), modified_nanos: modified.as_nanos() })
    }

    fn file(options: &HubOptions, id: &ModelId, file: &ModelFile) -> PathBuf {
        model_folder(options, id).join(&file.sha256).join("verified.json")
    }

    fn stands(&self, options: &HubOptions, id: &ModelId, file: &ModelFile) -> bool {
        std::fs::read(Self::file(options, id, file))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .is_some_and(|noted| noted == *self)
    }
}

/// Notes that a file was verified. Where that cannot be written (a read-only cache), it is hashed again next time.
fn mark(options: &HubOptions, id: &ModelId, file: &ModelFile, path: &Path) {
    let Some(marker) = Marker::of(path) else { return };
    if marker.stands(options, id, file) {
        return;
    }
    let place = Marker::file(options, id, file);
    let Some(folder) = place.parent() else { return };
    let Ok(json) = serde_json::to_vec(&marker) else { return };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|mut temporary| temporary.write_all(&json).map(|()| temporary));
    if let Ok(temporary) = written {
        let _ = temporary.persist(place);
    }
}

/// Gives a verified file its final name in our own folder.
pub(super) fn install_own(
    options: &HubOptions,
    id: &ModelId,
    file: &ModelFile,
    verified: &Path,
) -> Result<PathBuf, Failure> {
    let path = own_path(options, id, file);
    fs_err::create_dir_all(path.parent().unwrap_or(&path))?;
    move_file(verified, &path)?;
    mark(options, id, file, &path);
    Ok(path)
}

/// Gives a verified file its final name in the hub cache: a blob, and the snapshot's link to it.
pub(super) fn install_hub(
    options: &HubOptions,
    id: &ModelId,
    file: &ModelFile,
    hub: &HubSource,
    etag: &str,
    verified: &Path,
) -> Result<PathBuf, Failure> {
    let blob = Cache::new(options.hub_cache.clone()).repo(repo(hub)).blob_path(etag);
    let pointer = snapshot(options, hub).join(&hub.path);
    fs_err::create_dir_all(blob.parent().unwrap_or(&blob))?;
    fs_err::create_dir_all(pointer.parent().unwrap_or(&pointer))?;
    move_file(verified, &blob)?;
    link(&blob, &pointer, hub.path.matches('/').count())?;
    mark(options, id, file, &pointer);
    Ok(pointer)
}

/// Makes `pointer` lead to `blob`; `depth` is how many folders below the snapshot it lies. Replaces what is there.
#[cfg(unix)]
fn link(blob: &Path, pointer: &Path, depth: usize) -> std::io::Result<()> {
    let up: PathBuf = std::iter::repeat_n("..", depth + 2).collect();
    let target = up.join("blobs").join(blob.file_name().unwrap_or_default());
    if std::fs::symlink_metadata(pointer).is_ok() {
        fs_err::remove_file(pointer)?;
    }
    fs_err::os::unix::fs::symlink(target, pointer)
}

/// Where links need a privilege, the snapshot holds the file itself, as the other clients do there.
#[cfg(not(unix))]
fn link(blob: &Path, pointer: &Path, _depth: usize) -> std::io::Result<()> {
    move_file(blob, pointer)
}

/// Renames, or across file systems copies beside the goal and renames.
fn move_file(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => {
            let folder = to.parent().unwrap_or(to);
            let mut copy = tempfile::NamedTempFile::new_in(folder)?;
            std::io::copy(&mut fs_err::File::open(from)?, &mut copy)?;
            copy.as_file().sync_all()?;
            copy.persist(to)?;
            fs_err::remove_file(from)
        }
        Err(_) => fs_err::rename(from, to),
        Ok(()) => Ok(()),
    }
}

/// Removes whatever lies at one of a file's places, so that it can be fetched anew. Returns the bytes freed.
pub(super) fn discard(options: &HubOptions, file: &ModelFile, path: &Path) -> std::io::Result<u64> {
    match &file.hub {
        Some(hub) if path.starts_with(&options.hub_cache) => remove_from_hub(options, hub),
        _ => remove_file(path),
    }
}

/// Removes all of a model's files, and nothing of any other model. Returns the bytes freed.
pub(super) fn remove(options: &HubOptions, entry: &ModelEntry) -> std::io::Result<u64> {
    let mut freed = 0;
    for file in &entry.files {
        if let Some(hub) = &file.hub {
            freed += remove_from_hub(options, hub)?;
        }
    }
    let folder = model_folder(options, &entry.id);
    if folder.is_dir() {
        freed += folder_bytes(&folder);
        fs_err::remove_dir_all(&folder)?;
        let _ = std::fs::remove_dir(&options.own_cache);
    }
    Ok(freed)
}

/// Removes a snapshot's link, its blob where no other link leads to it, and the folders that are empty then.
fn remove_from_hub(options: &HubOptions, hub: &HubSource) -> std::io::Result<u64> {
    let repo_folder = repo_folder(options, hub);
    let snapshot = snapshot(options, hub);
    let pointer = snapshot.join(&hub.path);
    if std::fs::symlink_metadata(&pointer).is_err() {
        return Ok(0);
    }
    let blob = std::fs::canonicalize(&pointer).ok();
    let mut freed = remove_file(&pointer)?;
    let blobs = std::fs::canonicalize(repo_folder.join("blobs")).ok();
    if let (Some(blob), Some(blobs)) = (blob, blobs)
        && blob.parent() == Some(blobs.as_path())
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
        for name in ["blobs", "refs", "snapshots", ""] {
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
            _ => std::fs::canonicalize(&path).is_ok_and(|target| target == blob),
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

/// Adds up the files below a folder; links count nothing.
pub(super) fn folder_bytes(folder: &Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes += folder_bytes(&entry.path()),
            Ok(kind) if kind.is_file() => bytes += entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => {}
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::registry::Registry;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn options(folder: &Path) -> HubOptions {
        HubOptions::new(folder.join("hub"), folder.join("mujaz"))
    }

    fn entry(id: &str, revision: char) -> ModelEntry {
        let text = format!(
            "[[model]]\nid = \"{id}\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"a\"\nlanguages = []\n\
             memory_bytes = 1\nlicence = {{ name = \"n\", link = \"l\", asks = \"a\" }}\nfiles = [{{ name = \"m\", \
             bytes = 3, sha256 = \"{ABC}\", hub = {{ repo = \"o/n\", revision = \"{}\", path = \"sub/m\" }} }}]",
            revision.to_string().repeat(40)
        );
        Registry::parse(&text, Path::new("t")).unwrap().models()[0].clone()
    }

    fn install(options: &HubOptions, entry: &ModelEntry, bytes: &[u8]) -> PathBuf {
        let verified = options.hub_cache.with_file_name("verified");
        std::fs::write(&verified, bytes).unwrap();
        let file = &entry.files[0];
        install_hub(options, &entry.id, file, file.hub.as_ref().unwrap(), ABC, &verified).unwrap()
    }

    fn look(options: &HubOptions, entry: &ModelEntry, trust: Trust) -> Found {
        find(options, &entry.id, &entry.files[0], trust, &Silent).unwrap()
    }

    #[test]
    fn a_file_in_the_hub_cache_is_found_as_other_clients_lay_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let (options, entry) = (options(folder.path()), entry("a", '1'));
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Absent));
        let pointer = install(&options, &entry, b"abc");
        assert!(pointer.ends_with(format!("hub/models--o--n/snapshots/{}/sub/m", "1".repeat(40))));
        assert_eq!(std::fs::read(folder.path().join("hub/models--o--n/blobs").join(ABC)).unwrap(), b"abc");
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Here(path) if path == pointer));
    }

    #[test]
    fn a_changed_file_is_noticed_even_where_its_size_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let (options, entry) = (options(folder.path()), entry("a", '1'));
        let pointer = install(&options, &entry, b"abc");
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Here(_)));
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&pointer, b"abd").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Damaged(_, Mismatch::Hash { .. })));
        std::fs::write(&pointer, b"ab").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Damaged(_, Mismatch::Size { got: 2, .. })));
        assert_eq!(discard(&options, &entry.files[0], &pointer).unwrap(), 2);
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Absent));
    }

    #[test]
    fn a_copy_made_by_hand_is_adopted_and_preferred_to_a_damaged_one() {
        let folder = tempfile::tempdir().unwrap();
        let (options, entry) = (options(folder.path()), entry("a", '1'));
        install(&options, &entry, b"xyz");
        let own = own_path(&options, &entry.id, &entry.files[0]);
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, b"abc").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Nothing), Found::Here(path) if path == own));
    }

    #[test]
    fn removing_a_model_leaves_what_another_one_uses() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let (one, two) = (entry("one", '1'), entry("two", '2'));
        install(&options, &one, b"abc");
        let kept = install(&options, &two, b"abc");
        let refs = folder.path().join("hub/models--o--n/refs");
        std::fs::create_dir_all(&refs).unwrap();
        std::fs::write(refs.join("main"), "1".repeat(40)).unwrap();
        remove(&options, &one).unwrap();
        assert_eq!(std::fs::read(&kept).unwrap(), b"abc", "the blob is still linked");
        assert!(!refs.join("main").exists(), "no ref to a snapshot that is gone");
        assert!(!options.own_cache.join("one").exists() && options.own_cache.join("two").exists());
        assert!(remove(&options, &two).unwrap() >= 3);
        assert!(!folder.path().join("hub/models--o--n").exists() && !options.own_cache.exists());
        assert_eq!(remove(&options, &two).unwrap(), 0, "removing twice is no error");
    }
}

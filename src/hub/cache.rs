//! Where a model's files lie on this disk, and whether what lies there is trusted.
//!
//! In: registry entries. Out: paths. Two places are looked at, in this order:
//!
//! 1. our own folder, `<own cache>/<id>/<sha256, or revision>/<name>`: what came as packages or was copied there by hand;
//! 2. the hub cache, `<hub cache>/models--<owner>--<name>/snapshots/<revision>/<path>`, a link to `blobs/<etag>`: the
//!    layout that all Hugging Face clients share (`huggingface_hub`, "Understand caching"), with hf-hub's own paths.
//!
//! A file is hashed once; a marker in our folder (`.verified`) then notes its [`Stamp`] and its hash, and while the stamp
//! stays the same the file is not hashed again. Fetching is [`super::client`]'s and [`super::wheels`]'s, giving
//! final names [`super::install`]'s, removing [`super::remove()`]'s.

use std::io::Write;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};
use serde::{Deserialize, Serialize};

use super::error::{Failure, Mismatch};
use super::options::HubOptions;
use super::verify::{self, Expected, Facts};
use super::{first_seen, form};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelEntry, ModelFile, ModelId, is_sha256};
use crate::stamp::Stamp;

/// What lies where a file belongs.
#[derive(Debug)]
pub(super) enum Found {
    /// The very file, and its SHA-256.
    Here(PathBuf, String),
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

/// Returns the folder of a model's files in our own one: all of a model's files lie together, under a name that changes
/// when the registry means other files.
fn own_folder(options: &HubOptions, entry: &ModelEntry) -> PathBuf {
    let name = match entry.files.as_slice() {
        // What a lock adds to an entry does not move its files.
        [ModelFile { sha256: Some(sha256), pinned_by_lock: false, .. }] => sha256.as_str(),
        files => files.iter().find_map(|file| file.hub.as_ref()).map_or("files", |hub| &hub.revision),
    };
    model_folder(options, &entry.id).join(name)
}

/// Returns where a file belongs in our own folder.
pub(super) fn own_path(options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> PathBuf {
    own_folder(options, entry).join(&file.name)
}

pub(super) fn repo(hub: &HubSource) -> Repo {
    Repo::with_revision(hub.repo.clone(), RepoType::Model, hub.revision.clone())
}

/// Returns where the bytes with an etag lie, in a folder laid out as a hub cache.
pub(super) fn blob(cache: &Path, hub: &HubSource, etag: &str) -> PathBuf {
    cache.join(repo(hub).folder_name()).join("blobs").join(etag)
}

pub(super) fn repo_folder(options: &HubOptions, hub: &HubSource) -> PathBuf {
    options.hub_cache.join(repo(hub).folder_name())
}

pub(super) fn snapshot(options: &HubOptions, hub: &HubSource) -> PathBuf {
    Cache::new(options.hub_cache.clone()).repo(repo(hub)).pointer_path(&hub.revision)
}

/// Returns where a file may be, best place first, and of which repository it then is.
fn places(options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> Vec<(PathBuf, Option<HubSource>)> {
    let own = (own_path(options, entry, file), None);
    let sources = file.hub.iter().flat_map(HubSource::with_mirrors);
    let cached = sources.map(|hub| (snapshot(options, &hub).join(&hub.path), Some(hub)));
    std::iter::once(own).chain(cached).collect()
}

/// Looks for a file, and reads its bytes where `trust` asks for it. At the first sight of a file that the registry does
/// not know exactly, what it is gets recorded.
pub(super) fn find(
    options: &HubOptions,
    entry: &ModelEntry,
    file: &ModelFile,
    trust: Trust,
    progress: &dyn Progress,
) -> Result<Found, Failure> {
    let expected = first_seen::expected(options, entry, file)?;
    let mut damaged = None;
    for (path, source) in places(options, entry, file) {
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => continue,
            Err(_) => fs_err::metadata(&path)?,
        };
        if trust == Trust::Marker
            && let Some(sha256) = known(options, entry, file, &expected, &path)
        {
            return Ok(Found::Here(path, sha256));
        }
        let checked = match expected.wrong_size(metadata.len()) {
            Some(mismatch) => Err(mismatch),
            None => look(&path, file, &expected, progress)?,
        };
        match checked {
            Ok(facts) => {
                if let Err(error) = first_seen::record(options, entry, file, source.as_ref(), &facts) {
                    // A cache that others keep, and that we may only read: what was never recorded stays unverified.
                    if !is_refused(&error) {
                        return Err(error.into());
                    }
                    let name = &file.name;
                    progress.notice(&format!(
                        "{}: {name} is unverified, and that it was seen cannot be recorded ({error})",
                        entry.id
                    ));
                }
                mark(options, entry, file, &path, &facts);
                return Ok(Found::Here(path, facts.sha256));
            }
            Err(mismatch) => damaged = damaged.or(Some((path, mismatch))),
        }
    }
    Ok(damaged.map_or(Found::Absent, |(path, mismatch)| Found::Damaged(path, mismatch)))
}

/// Reads a file and compares it with all that is known of it.
fn look(
    path: &Path,
    file: &ModelFile,
    expected: &Expected,
    progress: &dyn Progress,
) -> Result<Result<Facts, Mismatch>, Failure> {
    let facts = match verify::check(path, &file.name, expected, progress)? {
        Ok(facts) => facts,
        wrong => return Ok(wrong),
    };
    if !expected.is_settled() {
        // A blob of a large file is named by its hash, whoever fetched it.
        let blob = blob_of(path);
        let blob = blob.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        if let Some(name) = blob.filter(|name| is_sha256(name) && *name != facts.sha256) {
            return Ok(Err(Mismatch::Hash { expected: name.to_owned(), got: facts.sha256 }));
        }
        if let Some(reason) = form::fault(path, &file.name)? {
            return Ok(Err(Mismatch::Form { name: file.name.clone(), reason }));
        }
    }
    Ok(Ok(facts))
}

/// Returns the blob that a snapshot's link leads to. Only this one step is taken: a blob may be a link itself, into a store that
/// repositories share and that calls its files by another hash (`huggingface_hub`, `_shared_blobs.py`).
pub(super) fn blob_of(pointer: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(pointer).ok()?;
    let target = pointer.parent()?.join(target);
    let blobs = std::fs::canonicalize(target.parent()?).ok()?;
    (blobs.file_name()? == "blobs").then(|| blobs.join(target.file_name().unwrap_or_default()))
}

/// Returns whether something that may be the file lies at one of its places; no byte of it is read.
pub(super) fn seems_here(options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> Option<PathBuf> {
    let expected = first_seen::expected(options, entry, file).ok()?;
    places(options, entry, file).into_iter().map(|(path, _)| path).find(|path| {
        std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && expected.wrong_size(metadata.len()).is_none())
    })
}

/// A place that we may not write to.
fn is_refused(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

/// A name that leads nowhere, or through something that is no folder.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// What a file looked like when its bytes were verified.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    file: Stamp,
    sha256: String,
}

impl Marker {
    fn of(path: &Path, sha256: &str) -> Option<Self> {
        Some(Self { file: Stamp::of(path)?, sha256: sha256.to_owned() })
    }

    fn place(options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> PathBuf {
        own_folder(options, entry).join(".verified").join(format!("{}.json", file.name))
    }

    fn stands(&self, options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> bool {
        std::fs::read(Self::place(options, entry, file))
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .is_some_and(|noted| noted == *self)
    }
}

/// Returns the SHA-256 of a file that was verified before, is what is expected, and has not been changed since.
fn known(
    options: &HubOptions,
    entry: &ModelEntry,
    file: &ModelFile,
    expected: &Expected,
    path: &Path,
) -> Option<String> {
    // Without a known hash there is nothing that a marker could stand for.
    let sha256 = expected.sha256.as_ref().filter(|_| expected.is_settled())?;
    let marker = Marker::of(path, sha256)?;
    (expected.wrong_size(marker.file.bytes).is_none() && marker.stands(options, entry, file)).then(|| sha256.clone())
}

/// Notes that a file was verified. Where that cannot be written (a read-only cache), it is hashed again next time.
pub(super) fn mark(options: &HubOptions, entry: &ModelEntry, file: &ModelFile, path: &Path, facts: &Facts) {
    let Some(marker) = Marker::of(path, &facts.sha256) else { return };
    if marker.stands(options, entry, file) {
        return;
    }
    let place = Marker::place(options, entry, file);
    let Some(folder) = place.parent() else { return };
    let Ok(json) = serde_json::to_vec(&marker) else { return };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| super::install::new_file(folder))
        .and_then(|mut temporary| temporary.write_all(&json).map(|()| temporary));
    if let Ok(temporary) = written {
        let _ = temporary.persist(place);
    }
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
    use super::super::install::install_hub;
    use super::super::remove;
    use super::super::remove::discard;
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
        let facts = Facts { bytes: bytes.len() as u64, sha256: ABC.into() };
        let fetched = super::super::client::Fetched { path: verified, etag: ABC.into(), facts };
        install_hub(options, entry, file, file.hub.as_ref().unwrap(), &fetched).unwrap()
    }

    fn look(options: &HubOptions, entry: &ModelEntry, trust: Trust) -> Found {
        find(options, entry, &entry.files[0], trust, &Silent).unwrap()
    }

    #[test]
    fn a_file_in_the_hub_cache_is_found_as_other_clients_lay_it_out() {
        let folder = tempfile::tempdir().unwrap();
        let (options, entry) = (options(folder.path()), entry("a", '1'));
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Absent));
        let pointer = install(&options, &entry, b"abc");
        assert!(pointer.ends_with(format!("hub/models--o--n/snapshots/{}/sub/m", "1".repeat(40))));
        assert_eq!(std::fs::read(folder.path().join("hub/models--o--n/blobs").join(ABC)).unwrap(), b"abc");
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Here(path, _) if path == pointer));
    }

    #[test]
    fn what_a_lock_knows_of_a_file_does_not_move_it() {
        use crate::registry::{Lock, LockedFile, LockedModel};
        let folder = tempfile::tempdir().unwrap();
        let (options, pinned) = (options(folder.path()), entry("a", '1'));
        let file = LockedFile { name: "m".into(), bytes: 3, sha256: ABC.into() };
        let (id, architecture, licence) = (Some(pinned.id.clone()), "a".to_owned(), "n".to_owned());
        let model = LockedModel { id, path: None, architecture, licence, repo: None, revision: None, file: vec![file] };
        let text = Registry::of([pinned.clone()]).to_toml().unwrap();
        let text = text.replace(&format!("sha256 = \"{ABC}\""), "unverified = true");
        let unpinned = Registry::parse(&text, Path::new("t")).unwrap();
        let locked = Lock::of([model]).filter(unpinned.clone(), Path::new("l"));
        let own = |registry: &Registry| {
            let entry = &registry.models()[0];
            own_path(&options, entry, &entry.files[0])
        };
        assert!(locked.models()[0].is_pinned() && !unpinned.models()[0].is_pinned());
        assert_eq!(own(&locked), own(&unpinned));
        assert_ne!(own(&locked), own(&Registry::of([pinned])));
    }

    #[test]
    fn a_changed_file_is_noticed_even_where_its_size_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let (options, entry) = (options(folder.path()), entry("a", '1'));
        let pointer = install(&options, &entry, b"abc");
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Here(..)));
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&pointer, b"abd").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Damaged(_, Mismatch::Hash { .. })));
        // Not even a time of change that is set back hides it.
        std::fs::write(&pointer, b"abc").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Marker), Found::Here(..)));
        let before = std::fs::metadata(&pointer).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::fs::write(&pointer, b"abd").unwrap();
        std::fs::File::options().write(true).open(&pointer).unwrap().set_modified(before).unwrap();
        assert!(
            matches!(look(&options, &entry, Trust::Marker), Found::Damaged(_, Mismatch::Hash { .. }))
                || cfg!(not(unix))
        );
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
        let own = own_path(&options, &entry, &entry.files[0]);
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        std::fs::write(&own, b"abc").unwrap();
        assert!(matches!(look(&options, &entry, Trust::Nothing), Found::Here(path, _) if path == own));
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
        remove(&one, &options, &Silent).unwrap();
        assert_eq!(std::fs::read(&kept).unwrap(), b"abc", "the blob is still linked");
        assert!(!refs.join("main").exists(), "no ref to a snapshot that is gone");
        assert!(!options.own_cache.join("one").exists() && options.own_cache.join("two").exists());
        assert!(remove(&two, &options, &Silent).unwrap() >= 3);
        assert!(!folder.path().join("hub/models--o--n").exists() && !options.own_cache.exists());
        assert_eq!(remove(&two, &options, &Silent).unwrap(), 0, "removing twice is no error");
    }
}

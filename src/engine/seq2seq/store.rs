//! Weights in int8, kept on disk so that the second start need not make them again.
//!
//! In: an open checkpoint, and a folder of our own. Out: its packed weights from an earlier start, or a
//! file for the next one. A file that is damaged, or made of anything else, is never used but written anew; failing to
//! write one is no error. The file's layout is `container`'s, what its parts are `parts`'.
//!
//! What a file is made from, its key: of every weights file (and of the index that lists them, where there is one) the name
//! and the SHA-256 of all its bytes; of `config.json` all bytes; the precision; this program's version, and the source of all
//! that decides what is packed and how, so that no one who changes it can forget to raise a number. Hashes of large files are
//! remembered for as long as the files stay as they are ([`sha256`]), in the same folder. The path is no part of the key: the
//! same weights have the same file wherever they lie.
//!
//! Where it lies: in the folder that the caller names, which must be the caller's own, under a name made of the key. Never in
//! the model's folder: that may have come from anyone, and whoever can compute a key can forge a file for it. What was not
//! used for a month is removed when another is written. A file appears under its name when it is complete, so that two
//! processes do no more to each other than work twice.

mod container;
mod parts;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use self::container::{Key, Parts, Unusable};
use super::{Spec, Weights};
use crate::engine::checkpoint::Checkpoint;
use crate::engine::kernels::dense::Precision;
use crate::engine::sha256;

/// Begins the names of files of packed weights.
const PACKED: &str = "int8-";
/// Begins the names of files that are being written.
const UNFINISHED: &str = ".mujaz-part-";
/// When a file that is being written was left behind by a process that was ended.
const ABANDONED: Duration = Duration::from_secs(6 * 3600);
/// When a file of packed weights is no longer kept: so long after it was last used.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);

/// The sources that decide what is packed and how.
const SOURCES: [&str; 16] = [
    include_str!("store/container.rs"),
    include_str!("store/parts.rs"),
    include_str!("weights.rs"),
    include_str!("spec.rs"),
    include_str!("fairseq.rs"),
    include_str!("../marian.rs"),
    include_str!("../m2m100.rs"),
    include_str!("../t5.rs"),
    include_str!("../kernels/dense/matrix.rs"),
    include_str!("../checkpoint/mod.rs"),
    include_str!("../checkpoint/safetensors.rs"),
    include_str!("../checkpoint/pickle.rs"),
    include_str!("../checkpoint/archive.rs"),
    include_str!("../checkpoint/unpickle.rs"),
    include_str!("../gguf.rs"),
    include_str!("../gguf/header.rs"),
];

/// Where packed weights came from, or what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// None are kept.
    Off,
    /// They were read from this file.
    Read(PathBuf),
    /// They were packed, and this file was written for the next start.
    Written {
        /// The file.
        path: PathBuf,
        /// Why the one that was there could not be used; none where there was none.
        refused: Option<String>,
    },
    /// They were packed, and no file could be written.
    NotWritten(String),
}

impl Stored {
    /// Returns whether the weights came from an earlier start.
    pub fn was_cached(&self) -> bool {
        matches!(self, Self::Read(_))
    }
}

impl std::fmt::Display for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => write!(f, "packed weights are not kept"),
            Self::Read(path) => write!(f, "packed weights were read from {}", path.display()),
            Self::Written { path, refused: None } => {
                write!(f, "packed weights were written to {} for the next start", path.display())
            }
            Self::Written { path, refused: Some(why) } => {
                write!(f, "packed weights were written anew to {} (the old ones: {why})", path.display())
            }
            Self::NotWritten(why) => write!(f, "packed weights could not be kept for the next start: {why}"),
        }
    }
}

/// The place of a checkpoint's packed weights.
#[derive(Debug)]
pub struct Store {
    key: Key,
    cache: PathBuf,
    path: PathBuf,
}

/// Parts that were read, and from where.
#[derive(Debug)]
pub struct Kept {
    parts: Parts,
    path: PathBuf,
}

impl Kept {
    /// Puts the weights together.
    ///
    /// # Errors
    /// Why they are not a model's.
    pub fn weights(self, spec: &Spec) -> Result<(Weights, PathBuf), String> {
        let wrong = || format!("{}: parts are missing, or of other shapes", self.path.display());
        match parts::together(self.parts, spec) {
            Some(weights) => Ok((weights, self.path)),
            None => Err(wrong()),
        }
    }
}

impl Store {
    /// Finds the place in a folder that no one else writes to; none in a precision that is not packed, or where the model's
    /// files cannot be read to make the key.
    pub fn new(checkpoint: &Checkpoint, precision: Precision, cache: &Path) -> Option<Self> {
        if precision != Precision::Int8 {
            return None;
        }
        let key = key(checkpoint, precision, cache).ok()?;
        let path = cache.join(format!("{PACKED}{}", sha256::hex(&key)));
        Some(Self { key, cache: cache.to_owned(), path })
    }

    /// Reads the packed weights of an earlier start.
    ///
    /// # Errors
    /// Why there are none; nothing where there is no file.
    pub fn read(&self) -> Result<Kept, Option<String>> {
        let read = match std::fs::File::open(&self.path) {
            Ok(file) => container::read(&file, &self.key).inspect(|_| {
                // It was used now; where that cannot be noted, it counts from when it was written.
                let _ = file.set_modified(SystemTime::now());
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(None),
            Err(error) => Err(Unusable::Io(error)),
        };
        match read {
            Ok(parts) => Ok(Kept { parts, path: self.path.clone() }),
            Err(error) => Err(Some(format!("{}: {error}", self.path.display()))),
        }
    }

    /// Keeps packed weights for the next start. `refused` is why what was there could not be used.
    pub fn write(&self, checkpoint: &Checkpoint, weights: &Weights, refused: Option<String>) -> Stored {
        // What was changed while it was read is no one's weights.
        match key(checkpoint, Precision::Int8, &self.cache) {
            Ok(now) if now == self.key => {}
            Ok(_) => return Stored::NotWritten("the model's files were changed meanwhile".into()),
            Err(error) => return Stored::NotWritten(error.to_string()),
        }
        match write(&self.path, &self.key, &parts::apart(weights)) {
            Ok(()) => Stored::Written { path: self.path.clone(), refused },
            Err(error) => Stored::NotWritten(format!("{}: {error}", self.path.display())),
        }
    }
}

/// Removes all packed weights that are kept in a folder, and the hashes that are remembered there, so that the next start makes
/// both of the bytes that it finds. Returns how many models' packed weights there were.
///
/// # Errors
/// Where one cannot be removed.
pub fn forget(cache: &Path) -> std::io::Result<usize> {
    let entries = match std::fs::read_dir(cache) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut packed = 0;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let begins = |start: &str| name.as_encoded_bytes().starts_with(start.as_bytes());
        if !entry.file_type()?.is_dir() && (begins(PACKED) || begins(sha256::REMEMBERED)) {
            fs_err::remove_file(entry.path())?;
            packed += usize::from(begins(PACKED));
        }
    }
    Ok(packed)
}

/// Hashes all that packed weights are made from. Hashes of large files are remembered in a folder.
fn key(checkpoint: &Checkpoint, precision: Precision, memory: &Path) -> std::io::Result<Key> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    SOURCES.iter().for_each(|source| add(source.as_bytes()));
    add(precision.to_string().as_bytes());
    add(&fs_err::read(checkpoint.config().path())?);
    let mut files = checkpoint.weights_files();
    // An index says which of them a tensor comes from.
    files.push(checkpoint.weights_path());
    files.sort_by_key(|path| (path.file_name(), *path));
    files.dedup();
    for path in files {
        add(path.file_name().unwrap_or_default().as_encoded_bytes());
        add(sha256::of_file(path, Some(memory))?.as_bytes());
    }
    Ok(*hasher.finalize().as_bytes())
}

/// Writes a file that appears under its name when it is complete.
fn write(path: &Path, key: &Key, parts: &Parts) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    remove_stale(folder, path);
    let bytes = container::file_bytes(parts);
    // As much again stays free: a disk that is full fails whatever else is running.
    if let Some(free) = free(folder).filter(|&free| free < bytes.saturating_mul(2)) {
        let reason = format!("{free} bytes are free there, and {bytes} would be written");
        return Err(std::io::Error::new(std::io::ErrorKind::StorageFull, reason));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Who may read the model may read this; the user's mask still holds.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    // Not flushed to the disk: what a loss of power leaves of it is noticed by its hashes.
    container::write(file.as_file_mut(), key, parts)?;
    file.persist(path)?;
    Ok(())
}

/// Removes what processes left behind that were ended while they wrote, and what no one used for long.
fn remove_stale(folder: &Path, except: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let begins = |start: &str| name.as_encoded_bytes().starts_with(start.as_bytes());
        let limit = match (begins(UNFINISHED), begins(PACKED)) {
            (true, _) => ABANDONED,
            (_, true) if entry.path() != except => UNUSED,
            _ => continue,
        };
        let changed = entry.metadata().ok().and_then(|metadata| metadata.modified().ok());
        if changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > limit) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Returns the bytes that are free in a folder, where the system says so.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    // Some network disks report no size at all.
    (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Returns the bytes that are free in a folder, where the system says so.
#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}

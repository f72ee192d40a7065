//! Weights in int8, kept on disk so that the second start need not make them again.
//!
//! In: an open checkpoint, and a folder for what cannot lie beside it. Out: its packed weights from an earlier start, or a
//! file for the next one. A file that is damaged, or made of anything else, is never used but written anew; failing to
//! write one is no error. The file's layout is `container`'s, what its parts are `parts`'.
//!
//! What a file is made from, its key: of every weights file name, size, time of change, and the BLAKE3 of its first
//! megabyte (the header, which says what is where) and of pages spread over the rest; of `config.json` all bytes; the
//! precision; this program's version, and the source of all that decides what is packed and how, so that no one who changes
//! it can forget to raise a number. The weights are not hashed whole, which takes longer than the start is to: a file of the
//! same size and time of change that differs in none of the pages would have to be made on purpose. The path is no part
//! of it.
//!
//! Where it lies: beside the weights, unless they are in a snapshot of the hub cache, whose folders are other programs' too,
//! or nothing can be written there; else in the folder that the caller names. One file a model: the next one replaces it.
//! It appears under its name when it is complete, so that two processes do no more to each other than work twice.

mod container;
mod parts;

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use self::container::{Key, Parts, Unusable};
use super::{Spec, Weights};
use crate::engine::checkpoint::Checkpoint;
use crate::engine::kernels::dense::Precision;

/// Begins the names of files beside weights: hidden, and no ending that a model's own files have.
const BESIDE: &str = ".mujaz-int8-";
/// Begins the names of files that are being written.
const UNFINISHED: &str = ".mujaz-part-";
/// When a file that is being written was left behind by a process that was ended.
const ABANDONED: Duration = Duration::from_secs(6 * 3600);
/// Bytes of each weights file that are hashed from its start on.
const HEAD: u64 = 1 << 20;
/// Pages that are hashed of the rest.
const SAMPLES: u64 = 32;
const PAGE: usize = 4096;

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

/// The places of a checkpoint's packed weights.
#[derive(Debug)]
pub struct Store {
    key: Key,
    /// Best first.
    places: Vec<PathBuf>,
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
    /// Finds the places; none in a precision that is not packed, or where the files cannot be read to make the key.
    pub fn new(checkpoint: &Checkpoint, precision: Precision, cache: &Path) -> Option<Self> {
        if precision != Precision::Int8 {
            return None;
        }
        let key = key(checkpoint, precision).ok()?;
        Some(Self { key, places: places(checkpoint.weights_path(), cache) })
    }

    /// Reads the packed weights of an earlier start.
    ///
    /// # Errors
    /// Why there are none; nothing where there is no file.
    pub fn read(&self) -> Result<Kept, Option<String>> {
        let mut refused = None;
        for path in &self.places {
            let read = match std::fs::File::open(path) {
                Ok(file) => container::read(&file, &self.key),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => Err(Unusable::Io(error)),
            };
            match read {
                Ok(parts) => return Ok(Kept { parts, path: path.clone() }),
                Err(error) => refused = refused.or(Some(format!("{}: {error}", path.display()))),
            }
        }
        Err(refused)
    }

    /// Keeps packed weights for the next start, in the first place that takes them. `refused` is why what was there could
    /// not be used.
    pub fn write(&self, checkpoint: &Checkpoint, weights: &Weights, refused: Option<String>) -> Stored {
        // What was changed while it was read is no one's weights.
        match key(checkpoint, Precision::Int8) {
            Ok(now) if now == self.key => {}
            Ok(_) => return Stored::NotWritten("the model's files were changed meanwhile".into()),
            Err(error) => return Stored::NotWritten(error.to_string()),
        }
        let parts = parts::apart(weights);
        let mut reasons = Vec::new();
        for path in &self.places {
            match write(path, &self.key, &parts) {
                Ok(()) => return Stored::Written { path: path.clone(), refused },
                Err(error) => reasons.push(format!("{}: {error}", path.display())),
            }
        }
        Stored::NotWritten(reasons.join("; "))
    }
}

/// Returns where the packed form of weights may lie, best place first.
fn places(weights: &Path, cache: &Path) -> Vec<PathBuf> {
    let folder = weights.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let given = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let real = fs_err::canonicalize(folder).unwrap_or_else(|_| given.clone());
    let shared = |folder: &Path| folder.components().any(|part| part.as_os_str() == "snapshots");
    let name = weights.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = name.chars().take(100).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let beside = (!shared(&given) && !shared(&real)).then(|| folder.join(format!("{BESIDE}{plain}")));
    // Models of the same name lie in different folders.
    let hash = blake3::hash(real.join(&*name).as_os_str().as_encoded_bytes()).to_hex();
    beside.into_iter().chain([cache.join(format!("int8-{}-{plain}", &hash[..16]))]).collect()
}

/// Hashes all that packed weights are made from.
fn key(checkpoint: &Checkpoint, precision: Precision) -> std::io::Result<Key> {
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
    files.sort_by_key(|path| path.file_name());
    for path in files {
        let mut file = fs_err::File::open(path)?;
        let metadata = file.metadata()?;
        let bytes = metadata.len();
        // A time before 1970 is as good as none.
        let changed = metadata.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        add(path.file_name().unwrap_or_default().as_encoded_bytes());
        add(&bytes.to_le_bytes());
        add(&changed.as_nanos().to_le_bytes());
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        add(&head);
        let last = bytes.saturating_sub(PAGE as u64);
        for sample in 1..=SAMPLES {
            let at = (u128::from(last) * u128::from(sample) / u128::from(SAMPLES)) as u64;
            if at < HEAD {
                continue;
            }
            let mut page = [0u8; PAGE];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut page)?;
            add(&page);
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

/// Writes a file that appears under its name when it is complete.
fn write(path: &Path, key: &Key, parts: &Parts) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    remove_abandoned(folder);
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

/// Removes what processes left behind that were ended while they wrote.
fn remove_abandoned(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let changed = entry.metadata().ok().filter(|_| is_ours).and_then(|metadata| metadata.modified().ok());
        if changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > ABANDONED) {
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

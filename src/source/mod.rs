//! 1. Files, folders and standard input become [`SourceFile`]s: a path to name and the bytes behind it.
//!
//! In: the paths of the command line. Out: files in a stable order, and what was passed over and why. Decoding the
//! bytes into text is [`encoding`]'s, telling what bytes are is [`kind`]'s; understanding them is [`crate::document`]'s.

pub mod encoding;
pub mod kind;
pub mod walk;

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use kind::{Container, Content, Kind};

/// The most bytes that one input may have: an article has a few thousand, and a whole year of a newspaper fits.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// One input, read into memory.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it or as the walk found it; `-` for standard input.
    pub path: PathBuf,
    /// Which article of the file it is, where the file holds several: a path in an archive, `row 12`; none otherwise.
    pub part: Option<String>,
    /// What it holds.
    pub kind: Kind,
    /// Its bytes as they are on disk.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits: the provenance of everything made from the file.
    pub sha256: String,
}

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is there.
    #[error("{}: there is no such file or folder", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A symbolic link leads nowhere.
    #[error("{}: the symbolic link leads to {}, which is not there", path.display(), target.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// What it points to.
        target: PathBuf,
    },
    /// The system does not let the file or the folder be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file that the user named is of a kind that no reader takes.
    #[error("{}: no reader for .{extension} files yet; save it as plain text", path.display())]
    UnknownKind {
        /// The path.
        path: PathBuf,
        /// Its extension.
        extension: String,
    },
    /// Neither file nor folder: a socket, a device.
    #[error("{}: neither a file nor a folder", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// No bytes.
    #[error("{}: the file is empty", path.display())]
    Empty {
        /// The path.
        path: PathBuf,
    },
    /// More bytes than [`MAX_BYTES`].
    #[error("{}: larger than {} MiB, the most that one input may have", path.display(), limit / 1024 / 1024)]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
}

impl Error {
    /// Returns the file or folder at fault.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path }
            | Self::BrokenLink { path, .. }
            | Self::Unreadable { path, .. }
            | Self::UnknownKind { path, .. }
            | Self::NotAFile { path }
            | Self::Empty { path }
            | Self::TooLarge { path, .. } => path,
        }
    }
}

impl SourceFile {
    /// Returns how the input is called in messages and notes: its path, and which part of it where it has several.
    pub fn name(&self) -> String {
        match &self.part {
            Some(part) => format!("{}: {part}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }

    /// Reads an input that a [`walk`](walk::walk) found.
    ///
    /// # Errors
    /// Where it cannot be read, is empty or has more than [`MAX_BYTES`].
    pub fn read(found: &walk::Found) -> Result<Self, Error> {
        let path = &found.path;
        let unreadable = |source| Error::Unreadable { path: path.clone(), source };
        let mut bytes = Vec::new();
        if path.as_os_str() == "-" {
            std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        } else {
            // std's file, not fs-err's: the path stands in our own message already.
            let file = std::fs::File::open(path).map_err(unreadable)?;
            file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        Self::from_bytes(path, found.kind, bytes)
    }

    /// Makes an input of bytes that are in memory already; `path` names them in messages.
    ///
    /// # Errors
    /// Where there are none, or more than [`MAX_BYTES`].
    pub fn from_bytes(path: &Path, kind: Kind, bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::TooLarge { path: path.to_owned(), limit: MAX_BYTES });
        }
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { path: path.to_owned(), part: None, kind, bytes, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_get_their_known_hash() {
        let file = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, b"abc".to_vec()).unwrap();
        assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn no_bytes_and_too_many_are_errors_that_name_the_file() {
        let empty = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, Vec::new()).unwrap_err();
        assert_eq!(empty.to_string(), "a.txt: the file is empty");
        let most = usize::try_from(MAX_BYTES).unwrap();
        let large = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, vec![b'a'; most + 1]).unwrap_err();
        assert_eq!(large.to_string(), "a.txt: larger than 64 MiB, the most that one input may have");
    }
}

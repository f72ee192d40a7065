//! 1. Files, folders and standard input become [`SourceFile`]s: a path to name and the bytes behind it.
//!
//! In: the paths of the command line. Out: articles in a stable order, and what was passed over and why: [`walk`] finds the
//! files, [`open`] gives the articles of one, be it a page, an archive, a table or a feed. Decoding the bytes into text
//! is [`encoding`]'s, telling what bytes are is [`kind`]'s; understanding them is [`crate::document`]'s.

mod archive;
mod directory;
pub mod encoding;
mod feed;
mod input;
mod json;
pub mod kind;
pub mod parts;
pub mod record;
mod sniff;
mod table;
pub mod walk;

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use kind::{Container, Content, Kind};
pub use parts::{OpenOptions, Part, Parts, open};

/// The most bytes that one article may have, and any file that is read whole: an article has a few thousand, and a whole year of a newspaper fits.
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
    /// What a user should know about how it was found: that its name says another kind than its bytes.
    pub warnings: Vec<String>,
}

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing is there.
    #[error("{}: there is no such file or folder", shown(path))]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A symbolic link leads nowhere.
    #[error("{}: the symbolic link leads to {}, which is not there", shown(path), shown(target))]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// What it points to.
        target: PathBuf,
    },
    /// The system does not let the file or the folder be read.
    #[error("{}: cannot be read", shown(path))]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What is there is no article, or part of something that cannot be opened.
    #[error("{}: {why}", named(path, part.as_deref()))]
    Refused {
        /// The path.
        path: PathBuf,
        /// Which part of it; none where it is the file itself.
        part: Option<String>,
        /// What is wrong.
        why: Why,
    },
    /// Neither file nor folder: a socket, a device.
    #[error("{}: neither a file nor a folder", shown(path))]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// No bytes.
    #[error("{}: the file is empty", shown(path))]
    Empty {
        /// The path.
        path: PathBuf,
    },
    /// More bytes than [`MAX_BYTES`].
    #[error("{}: larger than {} MiB, the most that one article may have", shown(path), limit / 1024 / 1024)]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Why a file, or a part of one, gives no article.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// It is of a kind that mujaz does not read.
    #[error("{what}, which mujaz does not read{}", advice.map(|advice| format!("; {advice}")).unwrap_or_default())]
    NotRead {
        /// What it is, in words: `an image`.
        what: String,
        /// What to do about it.
        advice: Option<&'static str>,
    },
    /// It is broken.
    #[error("damaged: {what}")]
    Damaged {
        /// How.
        what: String,
    },
    /// It opens only with a password.
    #[error("encrypted: it opens only with a password")]
    Encrypted,
    /// It is packed in a way that is not read.
    #[error("packed with {method}, which mujaz does not read; pack it with deflate, or unpack it")]
    Method {
        /// The way.
        method: String,
    },
    /// Its members share bytes, as those of zip bombs do.
    #[error("its members overlap, as those of a zip bomb do; nothing of it is read")]
    Overlap,
    /// Archives within archives.
    #[error("archives within archives more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More bytes than one article may have.
    #[error("larger than {} MiB, the most that one article may have", limit / 1024 / 1024)]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Unpacked, it is more than may come out of such a file.
    #[error(
        "unpacks to more than {} MiB, {} times what is packed at the least; stopped there",
        limit / 1024 / 1024,
        limit / (*packed).max(1)
    )]
    TooMuch {
        /// How many bytes may come out of it.
        limit: u64,
        /// How many bytes it has itself.
        packed: u64,
    },
    /// More parts than are read of one file.
    #[error("more than {limit} {what}; the others are not read")]
    TooMany {
        /// The limit.
        limit: usize,
        /// What it has so many of.
        what: &'static str,
    },
    /// More parts than are read of one file, where it is known how many.
    #[error("more than {limit} {what}; {left} of them are not read")]
    Beyond {
        /// The limit.
        limit: usize,
        /// How many are not read.
        left: usize,
        /// What it has so many of.
        what: &'static str,
    },
    /// Nothing in it.
    #[error("nothing in it")]
    Empty,
    /// An archive, table or feed without a single article.
    #[error("no article in it")]
    NoPart,
    /// A table without a column of text.
    #[error("no column that holds an article's text: it has {columns}; name one with --text-field")]
    NoTextColumn {
        /// Its columns.
        columns: String,
    },
    /// A column that was asked for is not there, or there twice.
    #[error("{problem} \"{column}\": it has {columns}")]
    Column {
        /// `no column`, `two columns are called`.
        problem: &'static str,
        /// The column.
        column: String,
        /// The columns that there are.
        columns: String,
    },
    /// A row, line or entry that cannot be read.
    #[error("{what}")]
    Row {
        /// Why not.
        what: String,
    },
    /// More failures than are told one by one.
    #[error("{count} more parts of it cannot be read")]
    More {
        /// How many.
        count: usize,
    },
}

/// Names a file or a part of it in messages. Names from within archives may hold anything: what could move a
/// cursor or end a line is written as an escape.
pub(crate) fn named(path: &Path, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{}: {}", shown(path), printable(part)),
        None => shown(path),
    }
}

/// Writes a path for a message: the names of files may hold ends of lines and marks of direction too.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// Writes control characters, and characters that turn the direction of text, as escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

impl Error {
    /// Returns the part of the file at fault, where it is not the file itself.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::Refused { part, .. } => part.as_deref(),
            _ => None,
        }
    }

    /// Returns the file or folder at fault.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path }
            | Self::BrokenLink { path, .. }
            | Self::Unreadable { path, .. }
            | Self::Refused { path, .. }
            | Self::NotAFile { path }
            | Self::Empty { path }
            | Self::TooLarge { path, .. } => path,
        }
    }
}

impl SourceFile {
    /// Returns how the input is called in messages and notes: its path, and which part of it where it has several.
    pub fn name(&self) -> String {
        named(&self.path, self.part.as_deref())
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
        Ok(Self { path: path.to_owned(), part: None, kind, bytes, sha256, warnings: Vec::new() })
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
        let odd = SourceFile::from_bytes(Path::new("a\n\u{202e}b.txt"), Kind::Text, Vec::new()).unwrap_err();
        assert_eq!(odd.to_string(), "a\\u{a}\\u{202e}b.txt: the file is empty");
        let empty = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, Vec::new()).unwrap_err();
        assert_eq!(empty.to_string(), "a.txt: the file is empty");
        let most = usize::try_from(MAX_BYTES).unwrap();
        let large = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, vec![b'a'; most + 1]).unwrap_err();
        assert_eq!(large.to_string(), "a.txt: larger than 64 MiB, the most that one article may have");
    }
}

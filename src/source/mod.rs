//! 1. Files, folders and standard input become [`SourceFile`]s: a path to name and the bytes behind it.
//!
//! In: the paths of the command line. Out: files in a stable order, and what was passed over and why. Decoding the
//! bytes into text is [`encoding`]'s; understanding the text is [`crate::document`]'s.

pub mod encoding;
pub mod walk;

use std::path::PathBuf;

/// What a file holds, which selects its reader in [`crate::document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Plain text in any of the encodings that [`encoding`] knows.
    Text,
}

/// One input, read into memory.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path as the user gave it or as the walk found it; `-` for standard input.
    pub path: PathBuf,
    /// What it holds.
    pub kind: Kind,
    /// Its bytes as they are on disk.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits: the provenance of everything made from the file.
    pub sha256: String,
}

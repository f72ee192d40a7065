//! Why a file gives no document, in the user's words.
//!
//! In: what a reader met. Out: an [`Error`] with the file's name and the facts. What is wrong within a file is [`Fault`]'s.

use std::path::PathBuf;

use super::language::Language;
use super::{Fault, pdf};
use crate::source::{Kind, SourceFile, encoding};

/// Why a file gives no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not text.
    #[error("{}: cannot be read as text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: encoding::Error,
    },
    /// The bytes are no PDF with text.
    #[error("{}: cannot be read", path.display())]
    Pdf {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: pdf::Error,
    },
    /// There is text, but no article in it.
    #[error("{}: no article in it, only white space or what a site adds", path.display())]
    NoArticle {
        /// The file.
        path: PathBuf,
    },
    /// The letters were replaced by question marks when the file was saved.
    #[error(
        "{}: its letters are lost: {lost} of {words} words are question marks; it was saved in an encoding without Arabic, so \
         get it anew and save it as UTF-8",
        path.display()
    )]
    LostLetters {
        /// The file.
        path: PathBuf,
        /// How many words hold question marks and no letter.
        lost: usize,
        /// All words.
        words: usize,
    },
    /// The article is neither Arabic nor English.
    #[error("{}: seems to be in {}, not in Arabic", path.display(), language.name())]
    OtherLanguage {
        /// The file.
        path: PathBuf,
        /// What it seems to be in.
        language: Language,
    },
    /// A file that should hold a web page holds none.
    #[error("{}: no web page in it: {detail}", path.display())]
    NoPage {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        detail: String,
    },
    /// The file is not what its kind says, damaged, or over a limit.
    #[error("{name}: cannot be read as {format}")]
    Faulty {
        /// How the file is called.
        name: String,
        /// What it was to be read as.
        format: &'static str,
        /// What is wrong.
        #[source]
        source: Fault,
    },
    /// No reader takes files of this kind.
    #[error("{}: {}, which this build of mujaz does not read", path.display(), kind.described())]
    NoReader {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: Kind,
    },
}

impl Error {
    /// Makes an error of what is wrong with a file.
    pub(super) fn faulty(file: &SourceFile, format: &'static str, source: Fault) -> Self {
        Self::Faulty { name: file.name(), format, source }
    }
}

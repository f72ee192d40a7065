//! What can be wrong with a registry, with the facts that a user needs to act on.
//!
//! In: what reading a registry and looking for ids in it finds. Out: [`Error`]; the advice is the command line's.

use std::path::PathBuf;

use super::{MAX_FILE, ModelId};

/// What can be wrong with a registry, or with the name of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is larger than any registry.
    #[error("{path} is not a registry of models: it has {bytes} bytes, expected {MAX_FILE} at most")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it has.
        bytes: u64,
    },
    /// The text is not a registry; the source shows line, column and a caret.
    #[error("{path} is not a registry of models: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: Box<toml::de::Error>,
    },
    /// Two entries have the same id.
    #[error("{path}: model {id:?} stands there twice, in the entries at lines {first} and {second}", id = id.0)]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The id.
        id: ModelId,
        /// Line where the first entry starts.
        first: usize,
        /// Line where the second entry starts.
        second: usize,
    },
    /// A lock file says which models may be used, and this one is not among them, or not as it is.
    #[error("{lock}: model {id} {reason}")]
    NotLocked {
        /// The id.
        id: ModelId,
        /// The lock file.
        lock: PathBuf,
        /// What it has against the model.
        reason: String,
    },
    /// No model has that id.
    #[error("no model is called {id:?}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// The id that was probably meant.
        closest: Option<ModelId>,
        /// All there are.
        known: Vec<ModelId>,
    },
}

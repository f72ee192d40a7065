//! Why a file of some format cannot be read: damaged, of another kind, over a limit.
//!
//! In: what a reader found. Out: words for the user; the file's name stands before them in [`super::Error::Faulty`].

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its bytes do not follow its format.
    #[error("damaged: {what}")]
    Damaged {
        /// What is wrong where.
        what: String,
    },
    /// It is something else than its name says.
    #[error("it is {what}")]
    Other {
        /// What it is, and what to do.
        what: &'static str,
    },
    /// It is larger or deeper than any article.
    #[error("{what}")]
    Limit {
        /// Which limit it is over.
        what: String,
    },
    /// It holds something that no honest file holds.
    #[error("refused: {what}")]
    Refused {
        /// What.
        what: String,
    },
}

impl Fault {
    /// Makes a fault of damaged bytes.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// Makes a fault of a limit.
    pub(super) fn limit(what: impl Into<String>) -> Self {
        Self::Limit { what: what.into() }
    }
}

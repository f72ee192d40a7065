//! Models in one file, to be carried to a machine without a network.
//!
//! In: registry entries whose files are here. Out: a bundle; and the reverse. A bundle is a plain POSIX tar (ustar) of regular
//! files in this order; any tar can list and unpack it:
//!
//! 1. `mujaz-bundle.toml`, at most 1 MB: `format = 1`, `mujaz` (the version that wrote it), a `[[member]]` with name, bytes
//!    and SHA-256 for each file of 2. and 3., and a `[[model]]` for each model, its registry entry in full, in the form of
//!    `models.toml` (repository and commit of each file are in it);
//! 2. `licences/<id>.txt`: the licence's name, link and what it asks, and its text where it lies beside the model;
//! 3. `models/<id>/<name>`: the files, under the names of the entry;
//! 4. `SHA256SUMS`: all of 1. to 3., in the form that `sha256sum -c` reads.
//!
//! Models are sorted by id and files stand in the order of their entry; no times, owners or modes are kept. The same models
//! give the same bytes, on any machine. Writing is in `write`, reading, which trusts nothing, in `read`.

mod archive;
mod read;
mod write;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use read::{Imported, import};
pub use write::{Plan, licence_text};

use super::error::{Failure, Mismatch};
use crate::registry::{ModelEntry, ModelId, is_sha256};

/// Name of the first member.
const MANIFEST: &str = "mujaz-bundle.toml";
/// Name of the last member.
const SUMS: &str = "SHA256SUMS";
/// The form of bundles that is written and read here.
const FORMAT: u32 = 1;
/// The longest manifest, in bytes.
const LONGEST_MANIFEST: u64 = 1_000_000;
/// The longest text about a licence, in bytes.
const LONGEST_LICENCE: u64 = 1_000_000;
/// Stands between what is said about a licence and its own text.
const LICENCE_TEXT: &str = "\n---- the text that came with the model ----\n";

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    name: String,
    bytes: u64,
    sha256: String,
}

/// The first member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    mujaz: String,
    member: Vec<Member>,
    model: Vec<ModelEntry>,
}

impl Manifest {
    /// Reads a manifest and checks that it is consistent: what it announces is what its models are made of.
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Error::manifest(error.to_string()))?;
        let form: Form = toml::from_str(text).map_err(|error| Error::manifest(error.to_string()))?;
        if form.format != FORMAT {
            return Err(Error::manifest(format!("it has format {}, expected {FORMAT}", form.format)));
        }
        let manifest: Self = toml::from_str(text).map_err(|error| Error::manifest(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Error> {
        let mut expected = BTreeSet::new();
        for entry in &self.model {
            if !expected.insert(licence_name(&entry.id)) {
                return Err(Error::manifest(format!("model {} stands there twice", entry.id)));
            }
            if let Some(text) = texts(entry).find(|text| text.chars().any(char::is_control)) {
                return Err(Error::manifest(format!("model {}: {text:?} has control characters", entry.id)));
            }
            expected.extend(entry.files.iter().map(|file| file_name(&entry.id, &file.name)));
        }
        if self.model.is_empty() {
            return Err(Error::manifest("it has no models".to_owned()));
        }
        let mut announced = BTreeSet::new();
        let mut alike = BTreeSet::new();
        for member in &self.member {
            let Member { name, bytes, sha256 } = member;
            if !announced.insert(name.clone()) {
                return Err(Error::manifest(format!("{name:?} is announced twice")));
            }
            // On some disks these would be one file.
            if !alike.insert(name.to_ascii_lowercase()) {
                return Err(Error::manifest(format!("{name:?} and another name differ in case only")));
            }
            if !expected.contains(name) {
                return Err(Error::manifest(format!("{name:?} is announced, and no model has such a file")));
            }
            if !is_sha256(sha256) {
                return Err(Error::manifest(format!("{name:?}: {sha256:?} is not a SHA-256")));
            }
            if name.starts_with("licences/") && *bytes > LONGEST_LICENCE {
                return Err(Error::manifest(format!("{name:?} has {bytes} bytes, expected {LONGEST_LICENCE} at most")));
            }
        }
        if let Some(missing) = expected.iter().find(|name| !announced.contains(*name)) {
            return Err(Error::manifest(format!("{missing:?} is not announced")));
        }
        self.total().map(|_| ()).ok_or_else(|| Error::manifest("the sizes have no sum".to_owned()))
    }

    /// Returns the bytes of all members together; none where that is no number.
    fn total(&self) -> Option<u64> {
        self.member.iter().try_fold(0_u64, |sum, member| sum.checked_add(member.bytes))
    }

    /// Returns the announced member of a model's file.
    fn member(&self, id: &ModelId, file: &str) -> Option<&Member> {
        let name = file_name(id, file);
        self.member.iter().find(|member| member.name == name)
    }

    /// Returns the contents of `SHA256SUMS`; `own` is the SHA-256 of the manifest itself.
    fn sums(&self, own: &str) -> String {
        let line = |sha256: &str, name: &str| format!("{sha256}  {name}\n");
        let members = self.member.iter().map(|member| line(&member.sha256, &member.name));
        std::iter::once(line(own, MANIFEST)).chain(members).collect()
    }
}

fn licence_name(id: &ModelId) -> String {
    format!("licences/{id}.txt")
}

fn file_name(id: &ModelId, file: &str) -> String {
    format!("models/{id}/{file}")
}

/// Returns what is written by people in an entry, and shown to people.
fn texts(entry: &ModelEntry) -> impl Iterator<Item = &str> {
    let licence = &entry.licence;
    let fixed = [&entry.title, &entry.architecture, &licence.name, &licence.link, &licence.asks];
    let scores = entry.scores.iter().flat_map(|score| [&score.set, &score.metric, &score.link]);
    fixed.into_iter().chain(&entry.languages).chain(scores).map(String::as_str)
}

/// What can go wrong with a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Models that are to be exported are not here.
    #[error("not here: {}", list(.0))]
    NotHere(Vec<ModelId>),
    /// A file changed while it was written into the bundle.
    #[error("{path} is not what it was when it was verified: {mismatch}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        mismatch: Mismatch,
    },
    /// The disk would be full.
    #[error("{folder} has too little space: {needed} bytes are needed, {free} are free")]
    NoSpace {
        /// Where it was to be written.
        folder: PathBuf,
        /// What is needed.
        needed: u64,
        /// What there is.
        free: u64,
    },
    /// The bundle cannot be written.
    #[error("{place}: cannot be written: {source}")]
    Output {
        /// Where.
        place: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// What is to be imported is something else.
    #[error("this is no bundle of models: {0}")]
    NotABundle(String),
    /// The first member cannot be used.
    #[error("the bundle's {MANIFEST} cannot be used: {0}")]
    Manifest(String),
    /// A member that may not be there.
    #[error("the bundle's member {member} is refused: {reason}")]
    Refused {
        /// Its name, as a literal: it may hold anything.
        member: String,
        /// Why.
        reason: String,
    },
    /// A member is not what the manifest announces.
    #[error("the bundle's member {member:?} is damaged: {mismatch}")]
    Mismatch {
        /// Its name.
        member: String,
        /// What was announced and found.
        mismatch: Mismatch,
    },
    /// The bundle ends too early.
    #[error("the bundle is broken off: it ends after {at} bytes")]
    Truncated {
        /// How many bytes there are.
        at: u64,
    },
    /// The archive itself is damaged.
    #[error("the bundle is damaged at byte {at}: {reason}")]
    Damaged {
        /// Where.
        at: u64,
        /// What is wrong.
        reason: String,
    },
    /// An announced member never came.
    #[error("the bundle has no {0:?}, which it announces")]
    Missing(String),
    /// What the bundle brings is not what is known of the model.
    #[error("model {model}: the bundle's {file} is not the one that is known here: {mismatch}")]
    Unwelcome {
        /// The model.
        model: ModelId,
        /// The file.
        file: String,
        /// What is known, and what would come.
        mismatch: Mismatch,
    },
    /// The registry here means another model by the same id.
    #[error("model {model} has other files here than in the bundle: {reason}")]
    OtherFiles {
        /// The model.
        model: ModelId,
        /// What differs.
        reason: String,
    },
    /// The lock file, or a registry, has something against a model.
    #[error(transparent)]
    Registry(#[from] crate::registry::Error),
    /// Files of a model cannot be used.
    #[error(transparent)]
    Hub(#[from] super::Error),
    /// What came out of the bundle cannot be written.
    #[error("the bundle's files cannot be written: {0}")]
    Staging(std::io::Error),
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    const CANCELLED: Self = Self::Hub(super::Error::Cancelled);

    fn refused(member: &str, reason: String) -> Self {
        // Names are shown as literals: they could move a terminal's cursor.
        Self::Refused { member: format!("{member:?}"), reason }
    }

    fn manifest(reason: String) -> Self {
        Self::Manifest(reason)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cancelled => Self::CANCELLED,
            Failure::Io(error) => Self::Staging(error),
            Failure::Setting(error) => Self::Staging(std::io::Error::other(error.to_string())),
            // No source is asked and no room looked for where these come from; told all the same.
            Failure::Source(reason) => Self::Staging(std::io::Error::other(reason)),
            Failure::NoSpace { needed, free } => Self::NoSpace { folder: PathBuf::new(), needed, free },
        }
    }
}

fn list(ids: &[ModelId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

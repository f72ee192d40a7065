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

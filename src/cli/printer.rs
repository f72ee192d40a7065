//! The one place that decides what is printed: data on standard output, messages on standard error.
//!
//! Colour follows `NO_COLOR` and the terminal (anstream); `-q` leaves errors only, `-v` adds detail.

use std::io::{IsTerminal, Write};

use super::args::GlobalArgs;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Quiet,
    Normal,
    Verbose,
}

/// Names standard output in an error that writing to it gave; the kind stays.
pub fn unwritable(error: std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("standard output: cannot be written: {error}"))
}

/// Writes a name as it can stand in a message: what could end the line, move the cursor or turn the text around is written as
/// an escape, so that the name that is told is the one on disk.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Prints at the level the user asked for.
#[derive(Debug, Clone)]
pub struct Printer {
    level: Level,
    progress: bool,
}

impl Printer {
    /// Makes a printer from what was typed.
    pub fn new(global: &GlobalArgs) -> Self {
        let level = match (global.quiet, global.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        };
        // Bars and debug lines would tear each other apart, so -v draws none.
        let progress = level == Level::Normal && !global.no_progress && std::io::stderr().is_terminal();
        Self { level, progress }
    }

    /// Returns whether bars may be drawn.
    pub fn draws_progress(&self) -> bool {
        self.progress
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// As the stream; a broken pipe is turned into a quiet success by [`super::report`].
    pub fn data(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(unwritable)
    }

    /// Writes text for people to standard output: what is in it of files that came from elsewhere moves no cursor.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn text(&self, text: &str) -> std::io::Result<()> {
        let shown: String =
            text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect();
        self.data(shown.as_bytes())
    }

    /// Says something about the course of the work.
    pub fn status(&self, line: &str) {
        if self.level >= Level::Normal {
            self.message("", line);
        }
    }

    /// Says something that only `-v` wants to know.
    pub fn detail(&self, line: &str) {
        if self.level >= Level::Verbose {
            self.message("", line);
        }
    }

    /// Says what the user should know before trusting the result.
    pub fn warning(&self, line: &str) {
        if self.level >= Level::Normal {
            self.message("\u{1b}[1;33mwarning:\u{1b}[0m ", line);
        }
    }

    /// Says what went wrong; never silenced.
    pub fn error(&self, line: &str) {
        self.message("\u{1b}[1;31merror:\u{1b}[0m ", line);
    }

    /// Says what to do about it; never silenced.
    pub fn hint(&self, line: &str) {
        self.message("  \u{1b}[36mhint:\u{1b}[0m ", line);
    }

    /// Asks something; the answer is typed behind it. Never silenced.
    pub fn question(&self, text: &str) {
        let mut err = anstream::stderr().lock();
        let _ = write!(err, "\u{1b}[1m{text}\u{1b}[0m").and_then(|()| err.flush());
    }

    fn message(&self, lead: &str, line: &str) {
        // A message that cannot be written has nowhere else to go.
        let line = line.split('\n').map(|part| part.split('\t').map(escaped).collect::<Vec<_>>().join("\t"));
        let line = line.collect::<Vec<_>>().join("\n");
        let _ = writeln!(anstream::stderr().lock(), "{lead}{line}");
    }
}

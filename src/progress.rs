//! How long work tells what it is doing, without printing.
//!
//! In: calls from the stages. Out: whatever the implementation draws; the library ships only [`Silent`], the binary
//! draws bars. Long loops call [`Progress::cancelled`] between units of work, so that Ctrl-C loses at most one unit.

/// Receives the steps of long work. All methods have empty defaults.
pub trait Progress: Send + Sync {
    /// Announces a task of `total` units (segments, bytes); `unit` is `"segments"`, `"bytes"` or the like.
    fn started(&self, task: &str, total: u64, unit: &str) {
        let _ = (task, total, unit);
    }

    /// Says that `done` units in all are finished.
    fn advanced(&self, done: u64) {
        let _ = done;
    }

    /// Says one line about what is being worked on now.
    fn detail(&self, line: &str) {
        let _ = line;
    }

    /// Says one line that stays on the screen: a turn in the work that its result does not show (another source is
    /// taken, another process is waited for).
    fn notice(&self, line: &str) {
        let _ = line;
    }

    /// Ends the task that was started last.
    fn finished(&self) {}

    /// Returns whether the user asked to stop. Work stops at the next unit with an error of its own module.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Draws nothing and is never cancelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}

//! Network work on a thread of its own, so that a socket which stays silent can be left behind.
//!
//! In: work that gives signs of life. Out: what it gives, or that nothing came for too long, or that the user asks to stop.
//! A thread that is left behind ends at the next byte it gets; it writes nothing more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::error::{Failure, SourceError};
use crate::progress::Progress;

/// How often the work is looked after.
const TICK: Duration = Duration::from_millis(25);

/// What the work's thread and its watcher share.
#[derive(Default)]
pub(super) struct Shared {
    /// Bytes of the whole file; 0 where none are to be shown.
    total: AtomicU64,
    /// Bytes there so far, those of an earlier transfer included.
    bytes: AtomicU64,
    /// Grows with every sign of life, so that a transfer that sends is told from one that stands still.
    ticks: AtomicU64,
    /// Set when the work must end.
    stop: AtomicBool,
}

impl Shared {
    /// Says how many bytes there will be; a bar is shown from then on.
    pub(super) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Says how many bytes there are.
    pub(super) fn advance(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Gives a sign of life, and ends where nobody waits any more.
    pub(super) fn alive(&self) -> Result<(), Failure> {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) { Err(Failure::Cancelled) } else { Ok(()) }
    }
}

/// Does some work and watches it; `label` names its bar, and `silent` says what it means that nothing came for so many
/// seconds. The outer error ends everything, the inner one says why the source did not give what was wanted.
pub(super) fn watched<T: Send + 'static>(
    label: &str,
    patience: Duration,
    silent: impl Fn(u64) -> SourceError,
    progress: &dyn Progress,
    work: impl FnOnce(&Shared) -> Result<T, Failure> + Send + 'static,
) -> Result<Result<T, SourceError>, Failure> {
    let shared = Arc::new(Shared::default());
    let of_thread = Arc::clone(&shared);
    let worker = std::thread::Builder::new().name("hub".to_owned()).spawn(move || work(&of_thread))?;
    let mut moved = (0, Instant::now());
    let mut shown = false;
    let given_up = loop {
        if worker.is_finished() {
            break None;
        }
        if progress.cancelled() {
            break Some(Err(Failure::Cancelled));
        }
        let (ticks, total) = (shared.ticks.load(Ordering::Relaxed), shared.total.load(Ordering::Relaxed));
        if total > 0 && !shown {
            progress.started(label, total, "bytes");
            shown = true;
        }
        if ticks != moved.0 {
            moved = (ticks, Instant::now());
            if shown {
                progress.advanced(shared.bytes.load(Ordering::Relaxed).min(total));
            }
        } else if moved.1.elapsed() > patience {
            break Some(Ok(Err(silent(patience.as_secs()))));
        }
        std::thread::sleep(TICK);
    };
    if shown {
        progress.finished();
    }
    if let Some(given_up) = given_up {
        shared.stop.store(true, Ordering::Relaxed);
        return given_up;
    }
    match worker.join() {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(Failure::Source(reason))) => Ok(Err(reason)),
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            let reason = "its answer could not be read".to_owned();
            Ok(Err(SourceError::Protocol { url: label.to_owned(), reason }))
        }
    }
}

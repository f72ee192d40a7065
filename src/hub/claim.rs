//! One process at a time changes the files of a model.
//!
//! In: a model, and what is to be done with it. Out: a [`Claim`], held until it is dropped, however the process ends. It is a
//! lock on the file `.lock` in our own folder of the model, in which the holder says who it is, for those who wait. The
//! folder can be removed, with its lock: whoever waited for that one then takes the lock of the folder that is there now.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache;
use super::error::Failure;
use super::options::HubOptions;
use crate::progress::Progress;
use crate::registry::ModelEntry;

/// The file that is locked.
const LOCK: &str = ".lock";
/// How long is waited until the next try.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest note of a holder that is read, in bytes: a process number and a word.
const LONGEST_NOTE: u64 = 40;
/// How often a folder is made that somebody else removes at once.
pub(super) const TRIES: u32 = 100;

/// What is done with a model's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They come from a source.
    Fetching,
    /// They come from this disk.
    Adding,
    /// They come out of a bundle.
    Importing,
    /// They go.
    Removing,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Fetching, Self::Adding, Self::Importing, Self::Removing];

    fn word(self) -> &'static str {
        match self {
            Self::Fetching => "fetching",
            Self::Adding => "adding",
            Self::Importing => "importing",
            Self::Removing => "removing",
        }
    }
}

/// The right to change a model's files.
#[derive(Debug)]
pub(super) struct Claim {
    lock: File,
    folder: PathBuf,
}

impl Claim {
    /// Makes a model's folder and takes its lock, waiting for another process that works on the same model.
    pub(super) fn take(
        entry: &ModelEntry,
        purpose: Purpose,
        options: &HubOptions,
        progress: &dyn Progress,
    ) -> Result<Self, Failure> {
        let folder = cache::model_folder(options, &entry.id);
        let place = folder.join(LOCK);
        let (mut said, mut tries) = (false, 0);
        loop {
            let lock = match open(&place) {
                Ok(lock) => lock,
                Err(error) if is_taken_away(&error) && tries < TRIES => {
                    tries += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match lock.try_lock() {
                Ok(()) if is_at(&lock, &place) => {
                    let mut claim = Self { lock, folder };
                    claim.note(&format!("{} {}\n", std::process::id(), purpose.word()));
                    return Ok(claim);
                }
                Ok(()) => continue,
                // A file system without locks: two processes would each verify what they fetch.
                Err(TryLockError::Error(_)) => return Ok(Self { lock, folder }),
                Err(TryLockError::WouldBlock) => {}
            }
            if progress.cancelled() {
                return Err(Failure::Cancelled);
            }
            if !said {
                progress.notice(&format!("{}, waiting for it", in_words(&place, entry)));
                said = true;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Says in the lock who has it. Where that cannot be written, nobody learns who it is.
    fn note(&mut self, text: &str) {
        let written = self.lock.set_len(0).and_then(|()| self.lock.seek(SeekFrom::Start(0)));
        let _ = written.and_then(|_| self.lock.write_all(text.as_bytes()));
    }

    /// Returns the model's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns whether something in the folder is the lock, and no file of the model.
    pub(super) fn is_lock(&self, path: &Path) -> bool {
        path == self.folder.join(LOCK)
    }

    /// Gives the model up together with its folder, where nothing else is in that: from the moment that the lock is gone
    /// another process may take a new one, and its folder then stays.
    pub(super) fn leave(self) -> std::io::Result<()> {
        let others = fs_err::read_dir(&self.folder)?.flatten().any(|entry| !self.is_lock(&entry.path()));
        if !others {
            fs_err::remove_file(self.folder.join(LOCK))?;
            let _ = std::fs::remove_dir(&self.folder);
            let _ = self.folder.parent().map(std::fs::remove_dir);
        }
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

/// Returns whether a folder could not be made, or nothing in it, because another process has just removed it: making it with its
/// parents also fails where it was there and then is not.
pub(super) fn is_taken_away(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::AlreadyExists)
}

/// Opens a lock; what its holder wrote stays.
fn open(place: &Path) -> std::io::Result<File> {
    if let Some(folder) = place.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mut how = fs_err::OpenOptions::new();
    Ok(how.read(true).write(true).create(true).truncate(false).open(place)?.into_file())
}

/// Returns whether a file that was opened is still the one at its place.
#[cfg(unix)]
fn is_at(file: &File, place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let is = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().is_ok_and(|here| std::fs::metadata(place).is_ok_and(|there| is(here) == is(there)))
}

/// Returns whether a file that was opened is still the one at its place, as far as that can be known here.
#[cfg(not(unix))]
fn is_at(_file: &File, place: &Path) -> bool {
    place.exists()
}

/// Says who holds a lock.
fn in_words(place: &Path, entry: &ModelEntry) -> String {
    let mut note = String::new();
    // Some systems do not let a locked file be read.
    let _ = File::open(place).and_then(|lock| lock.take(LONGEST_NOTE).read_to_string(&mut note));
    let held = note.trim_end().split_once(' ').and_then(|(process, word)| {
        let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.word() == word)?;
        Some((process.parse::<u32>().ok()?, purpose))
    });
    match held {
        Some((process, purpose)) => format!("another process ({process}) is {} {}", purpose.word(), entry.id),
        None => format!("another process is at work on {}", entry.id),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::progress::Silent;
    use crate::registry::Registry;

    /// Hears what is said, and asks to stop where it is told to.
    #[derive(Default)]
    struct Heard {
        notices: Mutex<Vec<String>>,
        stop: bool,
    }

    impl Progress for Heard {
        fn notice(&self, line: &str) {
            self.notices.lock().unwrap().push(line.to_owned());
        }

        fn cancelled(&self) -> bool {
            self.stop
        }
    }

    fn world() -> (tempfile::TempDir, HubOptions, ModelEntry) {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        let entry = Registry::built_in().models()[0].clone();
        (folder, options, entry)
    }

    #[test]
    fn who_holds_a_model_is_said_once_to_whoever_waits_and_it_is_then_free() {
        let (_folder, options, entry) = world();
        let heard = Heard::default();
        std::thread::scope(|scope| {
            let first = Claim::take(&entry, Purpose::Removing, &options, &Silent).unwrap();
            let second = scope.spawn(|| Claim::take(&entry, Purpose::Fetching, &options, &heard).map(drop));
            while heard.notices.lock().unwrap().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(3 * PAUSE);
            drop(first);
            second.join().unwrap().unwrap();
        });
        let said = format!("another process ({}) is removing {}, waiting for it", std::process::id(), entry.id);
        assert_eq!(*heard.notices.lock().unwrap(), [said]);
        let _held = Claim::take(&entry, Purpose::Adding, &options, &Silent).unwrap();
        let stopped = Heard { stop: true, ..Heard::default() };
        assert!(matches!(Claim::take(&entry, Purpose::Fetching, &options, &stopped), Err(Failure::Cancelled)));
    }

    #[test]
    fn what_stands_in_a_lock_is_no_more_than_words() {
        let (_folder, options, entry) = world();
        let held = Claim::take(&entry, Purpose::Adding, &options, &Silent).unwrap();
        let place = held.folder().join(LOCK);
        assert_eq!(
            in_words(&place, &entry),
            format!("another process ({}) is adding {}", std::process::id(), entry.id)
        );
        for text in ["", "1", "1 dancing\n", "x adding\n", "\u{1b}[2J adding\n", &"9".repeat(1000)] {
            std::fs::write(&place, text).unwrap();
            assert_eq!(in_words(&place, &entry), format!("another process is at work on {}", entry.id), "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_lock_of_a_folder_that_was_removed_holds_nothing() {
        let (_folder, options, entry) = world();
        let first = Claim::take(&entry, Purpose::Removing, &options, &Silent).unwrap();
        let place = first.folder().join(LOCK);
        let waiting = open(&place).unwrap();
        assert!(is_at(&waiting, &place) && waiting.try_lock().is_err());
        first.leave().unwrap();
        assert!(!options.own_cache.exists());
        assert!(waiting.try_lock().is_ok() && !is_at(&waiting, &place));
        let second = Claim::take(&entry, Purpose::Fetching, &options, &Silent).unwrap();
        assert!(!is_at(&waiting, &place) && is_at(&second.lock, &place));
    }

    #[test]
    fn a_model_has_one_holder_even_where_folders_come_and_go() {
        let (_folder, options, entry) = world();
        let (holders, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for round in 0..40 {
                        let claim = Claim::take(&entry, Purpose::Fetching, &options, &Silent).unwrap();
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                        taken.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        holders.fetch_sub(1, Ordering::SeqCst);
                        if round % 2 == 0 {
                            claim.leave().unwrap();
                        }
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::SeqCst), 240);
    }
}

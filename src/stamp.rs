//! What a file looks like from outside, so that a change of it is noticed without reading it.
//!
//! In: a path. Out: a [`Stamp`] to keep beside what was found out by reading the file; as long as the stamp stays the same, so
//! does what was found out. Size and time of change (mtime) can be set to what they were by anyone who may write the file. On
//! Unix the time of the last change of the inode (ctime) cannot, and another file of the same name has another inode:
//! inode(7). What is kept, and for how long, is up to whoever keeps it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A file that was changed this recently may be changed again without its times showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// A file as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Where it lies, links followed.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// When its bytes were changed, since 1970.
    modified_nanos: u128,
    /// What only the system itself sets; none where it says nothing of the kind.
    inode: Option<Inode>,
}

/// A file's inode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Inode {
    number: u64,
    /// When it was changed, since 1970.
    seconds: i64,
    nanos: i64,
}

impl Stamp {
    /// Describes a file; none where the system does not say enough of it.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let path = std::fs::canonicalize(path).ok()?;
        let metadata = std::fs::metadata(&path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let inode = Inode::of(&metadata);
        Some(Self { path, bytes: metadata.len(), modified_nanos: modified.as_nanos(), inode })
    }

    /// Returns whether the last change is so long ago that the next one will have another time.
    pub(crate) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = self.inode.as_ref().map_or(0, Inode::changed_nanos);
        self.modified_nanos.max(changed) + SETTLED.as_nanos() < now.as_nanos()
    }
}

impl Inode {
    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
    fn of(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { number: metadata.ino(), seconds: metadata.ctime(), nanos: metadata.ctime_nsec() })
    }

    #[cfg(not(unix))]
    fn of(_metadata: &std::fs::Metadata) -> Option<Self> {
        None
    }

    /// A time before 1970 is as good as none.
    fn changed_nanos(&self) -> u128 {
        let part = |value: i64| u128::try_from(value).unwrap_or(0);
        part(self.seconds) * 1_000_000_000 + part(self.nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_same_until_the_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abc").unwrap();
        let first = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap(), first);
        assert!(!first.is_settled(), "it was just written");
        let json = serde_json::to_vec(&first).unwrap();
        assert_eq!(serde_json::from_slice::<Stamp>(&json).unwrap(), first);
        assert!(Stamp::of(&folder.path().join("none")).is_none());
        std::fs::write(&path, "abcd").unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), first);
    }

    #[cfg(unix)]
    #[test]
    fn a_time_that_was_set_back_and_a_file_that_was_put_in_its_place_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let old = SystemTime::now() - Duration::from_secs(1000);
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text).unwrap();
            std::fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
        };
        write(&path, "abc");
        let first = Stamp::of(&path).unwrap();
        assert!(!first.is_settled(), "the time of change was set, and that just now");
        // Longer than the clock of any file system that tests run on takes to move.
        std::thread::sleep(Duration::from_millis(50));
        write(&path, "abd");
        let second = Stamp::of(&path).unwrap();
        assert_eq!((second.bytes, second.modified_nanos), (first.bytes, first.modified_nanos));
        assert_ne!(second, first);
        write(&other, "abc");
        std::fs::rename(&other, &path).unwrap();
        let third = Stamp::of(&path).unwrap();
        assert_ne!(third.inode.as_ref().unwrap().number, second.inode.as_ref().unwrap().number);
    }
}

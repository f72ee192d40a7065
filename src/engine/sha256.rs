//! SHA-256 of files, remembered for as long as the files stay as they are.
//!
//! In: a path and a folder to remember in. Out: the hash. A gigabyte takes a second or more, which is as long as all of a
//! start may take; as in the hub's cache a file with the same `Stamp` is taken for the same file.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::stamp::Stamp;

/// Files below are hashed each time: it takes no longer than looking them up.
const SMALL: u64 = 4 << 20;
/// Begins the names of files that hashes are remembered in.
pub(super) const REMEMBERED: &str = "sha256-";

/// What was found out of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    file: Stamp,
    sha256: String,
}

impl Known {
    fn place(file: &Stamp, folder: &Path) -> PathBuf {
        let hash = blake3::hash(file.path.as_os_str().as_encoded_bytes()).to_hex();
        folder.join(format!("{REMEMBERED}{}.json", &hash[..16]))
    }

    /// Returns the hash that was remembered of this very file.
    fn remembered(file: &Stamp, folder: &Path) -> Option<String> {
        let known: Self = serde_json::from_slice(&std::fs::read(Self::place(file, folder)).ok()?).ok()?;
        let is_hash = known.sha256.len() == 64 && known.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (is_hash && known.file == *file).then_some(known.sha256)
    }

    fn remember(&self, folder: &Path) -> std::io::Result<()> {
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(Self::place(&self.file, folder))?;
        Ok(())
    }
}

/// Returns the SHA-256 of a file in lower-case hexadecimal digits. Without a folder nothing is remembered.
///
/// # Errors
/// Where the file cannot be read.
pub fn of_file(path: &Path, folder: Option<&Path>) -> std::io::Result<String> {
    let before = Stamp::of(path).filter(|file| file.bytes >= SMALL);
    let (Some(folder), Some(before)) = (folder, before) else { return read(path) };
    if let Some(sha256) = Known::remembered(&before, folder) {
        return Ok(sha256);
    }
    let settled = before.is_settled();
    let sha256 = read(path)?;
    if settled && Stamp::of(path).is_some_and(|after| after == before) {
        // Where it cannot be written it is hashed again the next time.
        let _ = Known { file: before, sha256: sha256.clone() }.remember(folder);
    }
    Ok(sha256)
}

/// Writes bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a file piece by piece.
fn read(path: &Path) -> std::io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Longer than it takes until a change counts as settled.
    const SETTLES: Duration = Duration::from_millis(2200);

    #[test]
    fn a_hash_is_remembered_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, memory) = (folder.path().join("a"), folder.path().join("memory"));
        let old = SystemTime::now() - Duration::from_secs(100);
        let write = |byte: u8, changed: SystemTime| {
            std::fs::write(&path, vec![byte; SMALL as usize]).unwrap();
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(changed).unwrap();
        };
        write(1, old);
        std::thread::sleep(SETTLES);
        let first = of_file(&path, Some(&memory)).unwrap();
        assert_eq!(first, of_file(&path, None).unwrap());
        // What is remembered is what counts, as long as the file stays as it is.
        let place = Known::place(&Stamp::of(&path).unwrap(), &memory);
        let noted = std::fs::read_to_string(&place).unwrap();
        let other = "0".repeat(64);
        std::fs::write(&place, noted.replace(&first, &other)).unwrap();
        assert_eq!(of_file(&path, Some(&memory)).unwrap(), other);
        assert_eq!(of_file(&path, None).unwrap(), first);
        for broken in ["", "{", "null", &noted.replace(&first, "..")] {
            std::fs::write(&place, broken).unwrap();
            assert_eq!(of_file(&path, Some(&memory)).unwrap(), first, "{broken}");
        }
        // Another time, and on Unix also the same one, set back after the change.
        let changed = if cfg!(unix) { old } else { old + Duration::from_nanos(1000) };
        write(2, changed);
        let second = of_file(&path, Some(&memory)).unwrap();
        assert_ne!(second, first);
        assert_eq!(second, of_file(&path, None).unwrap());
        std::fs::remove_dir_all(&memory).unwrap();
        write(3, SystemTime::now());
        of_file(&path, Some(&memory)).unwrap();
        assert!(!place.exists(), "a file that was just written may still change");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![0; SMALL as usize]).unwrap();
        std::thread::sleep(SETTLES);
        assert_eq!(of_file(&path, Some(&path)).unwrap(), of_file(&path, None).unwrap());
    }
}

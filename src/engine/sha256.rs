//! SHA-256 of files, remembered for as long as the files stay as they are.
//!
//! In: a path and a folder to remember in. Out: the hash. A gigabyte takes a second or more, which is as long as all of a
//! start may take; as in the hub's cache a file with the same place, size and time of change is taken for the same file.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Files below are hashed each time: it takes no longer than looking them up.
const SMALL: u64 = 4 << 20;
/// A file that was changed this recently may be changed again without its time showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// A file as it was when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    path: PathBuf,
    bytes: u64,
    modified_nanos: u128,
    sha256: String,
}

impl Known {
    /// Describes a file; none where the system does not say enough of it.
    fn of(path: &Path, sha256: String) -> Option<Self> {
        let path = fs_err::canonicalize(path).ok()?;
        let metadata = fs_err::metadata(&path).ok()?;
        let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self { path, bytes: metadata.len(), modified_nanos: modified.as_nanos(), sha256 })
    }

    fn place(&self, folder: &Path) -> PathBuf {
        let hash = blake3::hash(self.path.as_os_str().as_encoded_bytes()).to_hex();
        folder.join(format!("sha256-{}.json", &hash[..16]))
    }

    /// Returns the hash that was remembered of this very file.
    fn remembered(&self, folder: &Path) -> Option<String> {
        let known: Self = serde_json::from_slice(&std::fs::read(self.place(folder)).ok()?).ok()?;
        let is_hash = known.sha256.len() == 64 && known.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let same = *self == Self { sha256: self.sha256.clone(), ..known.clone() };
        (is_hash && same).then_some(known.sha256)
    }

    fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.modified_nanos + SETTLED.as_nanos() < now.as_nanos()
    }

    fn remember(&self, folder: &Path) -> std::io::Result<()> {
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.persist(self.place(folder))?;
        Ok(())
    }
}

/// Returns the SHA-256 of a file in lower-case hexadecimal digits. Without a folder nothing is remembered.
///
/// # Errors
/// Where the file cannot be read.
pub fn of_file(path: &Path, folder: Option<&Path>) -> std::io::Result<String> {
    let before = Known::of(path, String::new()).filter(|known| known.bytes >= SMALL);
    let (Some(folder), Some(before)) = (folder, before) else { return read(path) };
    if let Some(sha256) = before.remembered(folder) {
        return Ok(sha256);
    }
    let settled = before.is_settled();
    let sha256 = read(path)?;
    let after = Known::of(path, sha256.clone());
    if let Some(after) = after.filter(|after| settled && Known { sha256: sha256.clone(), ..before } == *after) {
        // Where it cannot be written it is hashed again the next time.
        let _ = after.remember(folder);
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
    use super::*;

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
        let first = of_file(&path, Some(&memory)).unwrap();
        assert_eq!(first, of_file(&path, None).unwrap());
        // What is remembered is what counts: the same size and time say that it is the same file.
        write(2, old);
        assert_eq!(of_file(&path, Some(&memory)).unwrap(), first);
        write(2, old + Duration::from_nanos(1000));
        let second = of_file(&path, Some(&memory)).unwrap();
        assert_ne!(second, first);
        assert_eq!(second, of_file(&path, None).unwrap());
        let place = Known::of(&path, String::new()).unwrap().place(&memory);
        for broken in ["", "{", "null", &std::fs::read_to_string(&place).unwrap().replace(&second, "..")] {
            std::fs::write(&place, broken).unwrap();
            assert_eq!(of_file(&path, Some(&memory)).unwrap(), second, "{broken}");
        }
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
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(of_file(&path, Some(&path)).unwrap(), of_file(&path, None).unwrap());
    }
}

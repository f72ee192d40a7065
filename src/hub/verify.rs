//! Size and SHA-256 of a file against the registry's.
//!
//! In: a reader or a path. Out: what was expected and found. Nothing is trusted by its name or its place.

use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{Failure, Mismatch};
use crate::progress::Progress;
use crate::registry::ModelFile;

/// Bytes between two looks at [`Progress::cancelled`].
const CHUNK: usize = 1 << 20;

/// Hashes all that is written through it.
pub(super) struct Hasher<W> {
    inner: W,
    sha256: Sha256,
    bytes: u64,
}

impl<W: Write> Hasher<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new(), bytes: 0 }
    }

    /// Copies a reader to its end, or until more than `limit` bytes have passed in all.
    pub(super) fn copy(&mut self, mut from: impl Read, limit: u64, progress: &dyn Progress) -> Result<(), Failure> {
        let mut buffer = vec![0; CHUNK];
        loop {
            if progress.cancelled() {
                return Err(Failure::Cancelled);
            }
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.sha256.update(&buffer[..read]);
            self.inner.write_all(&buffer[..read])?;
            self.bytes += read as u64;
            if self.bytes > limit {
                return Ok(());
            }
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back the writer, and what is wrong with what went through.
    pub(super) fn finish(self, file: &ModelFile) -> (W, Option<Mismatch>) {
        let got = hex(&self.sha256.finalize());
        let mismatch = if self.bytes != file.bytes {
            Some(Mismatch::Size { expected: file.bytes, got: self.bytes })
        } else if got != file.sha256 {
            Some(Mismatch::Hash { expected: file.sha256.clone(), got })
        } else {
            None
        };
        (self.inner, mismatch)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares a file on disk with the registry: its size, then all of its bytes.
///
/// Returns what is wrong with it. `progress` sees a task of its own while the bytes are read.
pub(super) fn check(path: &Path, file: &ModelFile, progress: &dyn Progress) -> Result<Option<Mismatch>, Failure> {
    let opened = fs_err::File::open(path)?;
    let got = opened.metadata()?.len();
    if got != file.bytes {
        return Ok(Some(Mismatch::Size { expected: file.bytes, got }));
    }
    progress.started(&format!("verifying {}", file.name), file.bytes, "bytes");
    let mut hasher = Hasher::new(Meter { done: 0, progress });
    let copied = hasher.copy(opened, file.bytes, progress);
    progress.finished();
    copied?;
    Ok(hasher.finish(file).1)
}

/// Counts what is written to nowhere.
struct Meter<'a> {
    done: u64,
    progress: &'a dyn Progress,
}

impl Write for Meter<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.done += buffer.len() as u64;
        self.progress.advanced(self.done);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn file(bytes: u64, sha256: &str) -> ModelFile {
        ModelFile { name: "m".into(), bytes, sha256: sha256.into(), hub: None, wheels: Vec::new() }
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-4, example of "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut hasher = Hasher::new(Vec::new());
        hasher.copy(&b"a"[..], 3, &Silent).unwrap();
        hasher.copy(&b"bc"[..], 3, &Silent).unwrap();
        let (written, mismatch) = hasher.finish(&file(3, abc));
        assert_eq!((written.as_slice(), mismatch), (&b"abc"[..], None));
    }

    #[test]
    fn wrong_size_and_wrong_bytes_are_told_apart_and_too_much_is_not_read_to_the_end() {
        let mut hasher = Hasher::new(std::io::sink());
        hasher.copy(std::io::repeat(7), 10, &Silent).unwrap();
        assert!(matches!(hasher.finish(&file(10, "")).1, Some(Mismatch::Size { expected: 10, .. })));
        let mut hasher = Hasher::new(std::io::sink());
        hasher.copy(&b"abc"[..], 3, &Silent).unwrap();
        assert!(matches!(hasher.finish(&file(3, "00")).1, Some(Mismatch::Hash { .. })));
    }
}

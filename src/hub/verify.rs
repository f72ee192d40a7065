//! Size and SHA-256 of a file against what they must be.
//!
//! In: a reader or a path, and what the registry or our record of an earlier sight says ([`Expected`]). Out: what the
//! bytes are ([`Facts`]), and what is wrong with them. Nothing is trusted by its name or its place.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{Failure, Mismatch};
use crate::progress::Progress;
use crate::registry::ModelFile;

/// Bytes between two looks at [`Progress::cancelled`].
const CHUNK: usize = 1 << 20;

/// What a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// How many there are.
    pub(super) bytes: u64,
    /// Their SHA-256, lower-case hex.
    pub(super) sha256: String,
}

/// Where an expectation is recorded that is not the registry's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The file of records.
    pub(super) path: PathBuf,
    /// When the file was first seen.
    pub(super) first_seen: jiff::Timestamp,
}

/// What a file's bytes must be, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    /// How many there must be.
    pub(super) bytes: Option<u64>,
    /// What their SHA-256 must be.
    pub(super) sha256: Option<String>,
    /// Where that is written, if not in the registry alone.
    pub(super) record: Option<Record>,
}

impl Expected {
    /// Returns what the registry says.
    pub(super) fn by_registry(file: &ModelFile) -> Self {
        Self { bytes: file.bytes, sha256: file.sha256.clone(), record: None }
    }

    /// Returns whether nothing is left open: neither the registry nor an earlier sight leaves a choice.
    pub(super) fn is_settled(&self) -> bool {
        self.bytes.is_some() && self.sha256.is_some()
    }

    /// Compares a size alone, before any byte is read.
    pub(super) fn wrong_size(&self, got: u64) -> Option<Mismatch> {
        let expected = self.bytes.filter(|expected| *expected != got)?;
        Some(self.told(Mismatch::Size { expected, got }))
    }

    /// Compares a SHA-256 alone.
    pub(super) fn wrong_sha256(&self, got: &str) -> Option<Mismatch> {
        let expected = self.sha256.clone().filter(|expected| expected != got)?;
        Some(self.told(Mismatch::Hash { expected, got: got.to_owned() }))
    }

    /// Compares both.
    pub(super) fn wrong(&self, facts: &Facts) -> Option<Mismatch> {
        self.wrong_size(facts.bytes).or_else(|| self.wrong_sha256(&facts.sha256))
    }

    /// Says where the expectation comes from.
    fn told(&self, mismatch: Mismatch) -> Mismatch {
        match &self.record {
            None => mismatch,
            Some(record) => Mismatch::Changed {
                mismatch: Box::new(mismatch),
                first_seen: day(record.first_seen),
                record: record.path.clone(),
            },
        }
    }
}

/// Writes a time as a day, in UTC.
pub(super) fn day(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

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

    /// Gives back the writer, and says what went through.
    pub(super) fn finish(self) -> (W, Facts) {
        (self.inner, Facts { bytes: self.bytes, sha256: hex(&self.sha256.finalize()) })
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Compares a file on disk with what it must be: its size, then all of its bytes.
///
/// Returns what it is, or what is wrong with it. `progress` sees a task of its own while the bytes are read.
pub(super) fn check(
    path: &Path,
    name: &str,
    expected: &Expected,
    progress: &dyn Progress,
) -> Result<Result<Facts, Mismatch>, Failure> {
    let opened = fs_err::File::open(path)?;
    let bytes = opened.metadata()?.len();
    if let Some(mismatch) = expected.wrong_size(bytes) {
        return Ok(Err(mismatch));
    }
    progress.started(&format!("verifying {name}"), bytes, "bytes");
    let mut hasher = Hasher::new(Meter { done: 0, progress });
    let copied = hasher.copy(opened, bytes, progress);
    progress.finished();
    copied?;
    let facts = hasher.finish().1;
    Ok(expected.wrong(&facts).map_or(Ok(facts), Err))
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

    fn expected(bytes: u64, sha256: &str) -> Expected {
        Expected { bytes: Some(bytes), sha256: Some(sha256.into()), record: None }
    }

    #[test]
    fn the_hash_is_that_of_the_standard() {
        // FIPS 180-4, example of "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let mut hasher = Hasher::new(Vec::new());
        hasher.copy(&b"a"[..], 3, &Silent).unwrap();
        hasher.copy(&b"bc"[..], 3, &Silent).unwrap();
        let (written, facts) = hasher.finish();
        assert_eq!((written.as_slice(), expected(3, abc).wrong(&facts)), (&b"abc"[..], None));
    }

    #[test]
    fn wrong_size_and_wrong_bytes_are_told_apart_and_too_much_is_not_read_to_the_end() {
        let mut hasher = Hasher::new(std::io::sink());
        hasher.copy(std::io::repeat(7), 10, &Silent).unwrap();
        let facts = hasher.finish().1;
        assert!(matches!(expected(10, "").wrong(&facts), Some(Mismatch::Size { expected: 10, .. })));
        let mut hasher = Hasher::new(std::io::sink());
        hasher.copy(&b"abc"[..], 3, &Silent).unwrap();
        assert!(matches!(expected(3, "00").wrong(&hasher.finish().1), Some(Mismatch::Hash { .. })));
    }

    #[test]
    fn what_is_not_known_is_not_compared_and_what_was_recorded_says_where() {
        let facts = Facts { bytes: 3, sha256: "aa".into() };
        let open = Expected { bytes: None, sha256: None, record: None };
        assert!(open.wrong(&facts).is_none() && !open.is_settled());
        let record = Record { path: "/c/first_seen/m.toml".into(), first_seen: jiff::Timestamp::UNIX_EPOCH };
        let recorded = Expected { bytes: Some(3), sha256: Some("bb".into()), record: Some(record) };
        let said = recorded.wrong(&facts).unwrap().to_string();
        for part in ["expected SHA-256 bb, got aa", "1970-01-01", "/c/first_seen/m.toml"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

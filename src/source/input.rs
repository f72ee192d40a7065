//! Where the bytes of a file come from: the disk, memory, or standard input.
//!
//! In: a path, or bytes that came out of an archive. Out: an [`Input`], whose first bytes can be looked at before it is read
//! whole or as a stream. What the bytes are is [`super::sniff`]'s to tell.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use super::{MAX_BYTES, sniff};

/// The most bytes that are taken from standard input: what is piped waits on disk.
const MOST_PIPED: u64 = 4 * 1024 * 1024 * 1024;

/// Bytes to be read: on disk, or in memory where they came out of an archive.
#[derive(Debug)]
pub(super) enum Input {
    File(File, u64),
    Bytes(Vec<u8>),
}

impl Input {
    pub(super) fn of_path(path: &Path) -> std::io::Result<Self> {
        if path.as_os_str() != "-" {
            // std's file, not fs-err's: the path stands in our own message already.
            let file = File::open(path)?;
            let length = file.metadata()?.len();
            return Ok(Self::File(file, length));
        }
        let mut bytes = Vec::new();
        let mut input = std::io::stdin().lock();
        input.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= MAX_BYTES {
            return Ok(Self::Bytes(bytes));
        }
        // A table or an archive may be larger, and an archive has to be read from its end: it waits in a file without a name.
        spooled(Cursor::new(bytes).chain(input), MOST_PIPED)
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Returns the first bytes, and goes back to the beginning.
    pub(super) fn head(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::File(file, _) => {
                let mut head = Vec::new();
                file.by_ref().take(sniff::HEAD as u64).read_to_end(&mut head)?;
                file.rewind()?;
                Ok(head)
            }
            Self::Bytes(bytes) => Ok(bytes[..bytes.len().min(sniff::HEAD)].to_vec()),
        }
    }

    /// Returns a piece, and goes back to the beginning.
    pub(super) fn piece(&mut self, start: u64, length: u64) -> std::io::Result<Vec<u8>> {
        match self {
            Self::File(file, _) => {
                file.seek(SeekFrom::Start(start))?;
                let mut piece = Vec::new();
                file.by_ref().take(length).read_to_end(&mut piece)?;
                file.rewind()?;
                Ok(piece)
            }
            Self::Bytes(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(bytes.len());
                Ok(bytes[start..end].to_vec())
            }
        }
    }

    /// Reads all of it.
    pub(super) fn into_bytes(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(file, length) => {
                let mut bytes = Vec::with_capacity(usize::try_from(length.min(MAX_BYTES)).unwrap_or(0));
                file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Returns it as a stream.
    pub(super) fn reader(self) -> Reader {
        match self {
            Self::File(file, _) => Reader::File(file),
            Self::Bytes(bytes) => Reader::Bytes(Cursor::new(bytes)),
        }
    }
}

/// A stream that can go back.
#[derive(Debug)]
pub(super) enum Reader {
    File(File),
    Bytes(Cursor<Vec<u8>>),
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Bytes(bytes) => bytes.seek(to),
        }
    }
}

/// Writes a stream into a file without a name; one that goes on beyond `most` bytes is an error, not a file that is cut.
fn spooled(mut stream: impl Read, most: u64) -> std::io::Result<Input> {
    let mut file = tempfile::tempfile()?;
    let length = std::io::copy(&mut stream.by_ref().take(most + 1), &mut file)?;
    if length > most {
        let what = format!("more than {} MiB come from it; save them to a file and name that", most / 1024 / 1024);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, what));
    }
    file.rewind()?;
    Ok(Input::File(file, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_beyond_the_limit_is_an_error() {
        let all = vec![b'a'; 3 << 20];
        let read = spooled(all.as_slice(), 3 << 20).unwrap();
        assert_eq!(read.len(), 3 << 20);
        assert_eq!(read.into_bytes().unwrap(), all);
        let error = spooled(all.as_slice(), (3 << 20) - 1).unwrap_err();
        assert!(error.to_string().starts_with("more than 2 MiB"), "{error}");
    }
}

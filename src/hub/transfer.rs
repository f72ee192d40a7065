//! A file's bytes, from the hub onto this disk.
//!
//! In: what the hub lists about a file. Out: a whole body in the staging folder, not verified yet. What a broken transfer left
//! there is gone on with from where it ends: no byte that lies there is asked for again.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::error::{Failure, Mismatch, SourceError};
use super::http::{Http, Listed};
use super::watch::Shared;

/// Bytes that are read at once: the most that a killed process has got and not written.
const CHUNK: usize = 1 << 17;

/// A whole body, not verified yet.
pub(super) struct Staged {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// What the hub calls it.
    pub(super) etag: String,
    /// How many bytes the hub says it has.
    pub(super) bytes: u64,
}

/// Returns how much of a file an earlier transfer left.
pub(super) fn part_bytes(part: &Path) -> u64 {
    std::fs::metadata(part).map_or(0, |metadata| metadata.len())
}

/// Fetches what is missing of a file.
pub(super) fn run(http: &Http, listed: &Listed, part: &Path, shared: &Shared) -> Result<Staged, Failure> {
    shared.alive()?;
    shared.expect(listed.bytes);
    fs_err::create_dir_all(part.parent().unwrap_or(part))?;
    let lies_there = part_bytes(part);
    let staged = || Staged { path: part.to_owned(), etag: listed.etag.clone(), bytes: listed.bytes };
    if lies_there == listed.bytes {
        // Only the last step was missed; asking for the bytes after the last one would be an error.
        return Ok(staged());
    }
    let from = if lies_there > listed.bytes { 0 } else { lies_there };
    let stream = http.open(listed, from)?;
    let sent = stream.length.map(|length| stream.from.saturating_add(length));
    if let Some(got) = sent.filter(|sent| *sent > listed.bytes) {
        return Err(SourceError::Mismatch(Mismatch::Size { expected: listed.bytes, got }).into());
    }
    let got = take(part, stream.from, listed.bytes, stream.body, shared)?;
    if got < listed.bytes {
        // The server ended the body early and called it whole. What came can be resumed.
        return Err(cut(listed.bytes, got, "the body was short".to_owned()).into());
    }
    Ok(staged())
}

/// Writes a body behind the first `from` bytes of a file; returns how many bytes the file then has.
fn take(part: &Path, from: u64, total: u64, mut body: Box<dyn Read>, shared: &Shared) -> Result<u64, Failure> {
    let mut file = fs_err::OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
    file.set_len(from)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
    let mut got = from;
    shared.advance(got);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(cut(total, got, error.to_string()).into()),
        };
        shared.alive()?;
        file.write_all(&buffer[..read])?;
        got += read as u64;
        shared.advance(got);
        if got > total {
            // Of no use, and not to be resumed.
            fs_err::remove_file(part)?;
            return Err(SourceError::Mismatch(Mismatch::Size { expected: total, got }).into());
        }
    }
    file.sync_all()?;
    Ok(got)
}

fn cut(expected: u64, got: u64, reason: String) -> SourceError {
    SourceError::Cut { got, expected, reason }
}

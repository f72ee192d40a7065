//! The plain part of tar that bundles are written in, and nothing more of it.
//!
//! In: names, sizes and bytes, or a stream that claims to be an archive. Out: blocks of 512 bytes, or one regular file after
//! the other. Source: POSIX.1-2017, `pax`, "ustar Interchange Format"; sizes from 8 GiB on are binary, as GNU tar writes
//! them ("Basic Tar Format"). Headers that change the meaning of others (PAX, long names, sparse files) are refused, so that
//! what is read here is what every other tar reads. Which names are welcome is [`super::read`]'s to say.

use std::io::{Read, Write};

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::Error;
use crate::hub::error::Mismatch;
use crate::hub::verify::hex;
use crate::progress::Progress;

/// Size of a block: headers have it, and contents are filled up to it.
pub(super) const BLOCK: u64 = 512;
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// The most zero bytes after the end of the archive: other programs fill the last record up.
const LONGEST_END: u64 = 1 << 20;

/// Starts of files that are often taken for archives.
const COMPRESSED: &[(&[u8], &str, &str)] = &[
    (&[0x1f, 0x8b], "gzip", "gunzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz", "unxz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd"),
];

/// Returns the header of a regular file: the same name and size always give the same bytes.
///
/// # Errors
/// Where the name does not fit: 100 bytes, and 155 more for the folders.
pub(super) fn header(name: &str, bytes: u64) -> Result<Header, Error> {
    let mut header = Header::new_ustar();
    header.set_path(name).map_err(|error| Error::refused(name, format!("its name cannot be written: {error}")))?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes);
    header.set_cksum();
    Ok(header)
}

/// Returns how many bytes fill a content up to whole blocks.
pub(super) fn padding(bytes: u64) -> u64 {
    (BLOCK - bytes % BLOCK) % BLOCK
}

/// What ends the copying of a file's bytes.
pub(super) enum Ended {
    /// Reading failed.
    Reading(std::io::Error),
    /// Writing failed.
    Writing(std::io::Error),
    /// There was less to read.
    Short(u64),
    /// The user asked to stop.
    Cancelled,
}

/// Copies just so many bytes, and returns their SHA-256. `passed` learns how many more went through.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    bytes: u64,
    progress: &dyn Progress,
    passed: &mut dyn FnMut(u64),
) -> Result<String, Ended> {
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(bytes).unwrap_or(CHUNK))];
    let mut left = bytes;
    while left > 0 {
        if progress.cancelled() {
            return Err(Ended::Cancelled);
        }
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(CHUNK));
        let read = match from.read(&mut buffer[..wanted]) {
            Ok(0) => return Err(Ended::Short(bytes - left)),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Ended::Reading(error)),
        };
        sha256.update(&buffer[..read]);
        to.write_all(&buffer[..read]).map_err(Ended::Writing)?;
        left -= read as u64;
        passed(read as u64);
    }
    Ok(hex(&sha256.finalize()))
}

/// A regular file of an archive, as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Its name; may be anything.
    pub(super) name: String,
    /// Its size.
    pub(super) bytes: u64,
}

/// Reads an archive from a stream, each byte once.
pub(super) struct Archive<'a> {
    from: &'a mut dyn Read,
    progress: &'a dyn Progress,
    at: u64,
}

impl<'a> Archive<'a> {
    pub(super) fn new(from: &'a mut dyn Read, progress: &'a dyn Progress) -> Self {
        Self { from, progress, at: 0 }
    }

    /// Reads until a buffer is full or the stream ends; returns how many bytes there were.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.progress.cancelled() {
                return Err(Error::CANCELLED);
            }
            match self.from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        self.at += filled as u64;
        Ok(filled)
    }

    fn block(&mut self) -> Result<[u8; BLOCK as usize], Error> {
        let mut block = [0; BLOCK as usize];
        let start = self.at;
        let filled = self.fill(&mut block)?;
        if start == 0
            && let Some((_, name, program)) = COMPRESSED.iter().find(|(magic, ..)| block[..filled].starts_with(magic))
        {
            return Err(Error::NotABundle(format!("it is compressed with {name}; take that off first ({program})")));
        }
        match filled {
            0 if start == 0 => Err(Error::NotABundle("it is empty".to_owned())),
            _ if filled == block.len() => Ok(block),
            _ => Err(Error::Truncated { at: self.at }),
        }
    }

    /// Returns the next file; none at the end of the archive, after which nothing may come but zeros.
    ///
    /// # Errors
    /// Where something else than a regular file comes next, or the archive breaks off.
    pub(super) fn next(&mut self) -> Result<Option<Head>, Error> {
        let start = self.at;
        let block = self.block()?;
        if block.iter().all(|byte| *byte == 0) {
            return if start == 0 {
                Err(Error::NotABundle("it is an empty archive, or no archive at all".to_owned()))
            } else {
                self.end().map(|()| None)
            };
        }
        let broken = |what: &str| match start {
            0 => Error::NotABundle(format!("it is no tar archive ({what})")),
            _ => Error::Damaged { at: start, reason: what.to_owned() },
        };
        let header = Header::from_byte_slice(&block);
        if header.as_ustar().is_none() && header.as_gnu().is_none() {
            return Err(broken("where a header belongs there is none"));
        }
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        // The field itself counts as eight blanks.
        let own: u32 = block[148..156].iter().map(|byte| u32::from(*byte)).sum();
        if header.cksum().ok() != Some(sum - own + 8 * u32::from(b' ')) {
            return Err(broken("the header's checksum is wrong"));
        }
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        if let Some(kind) = other_kind(block[156]) {
            return Err(Error::refused(&name, format!("it is {kind}; a bundle has regular files only")));
        }
        let bytes = header.size().map_err(|_| broken("the header has no size"))?;
        Ok(Some(Head { name, bytes }))
    }

    /// Reads the contents of the file whose header came last; returns their SHA-256.
    ///
    /// # Errors
    /// Where the archive breaks off, or `to` cannot be written.
    pub(super) fn contents(
        &mut self,
        bytes: u64,
        to: &mut dyn Write,
        passed: &mut dyn FnMut(u64),
    ) -> Result<String, Error> {
        let sha256 = copy(self.from, to, bytes, self.progress, passed).map_err(|ended| match ended {
            Ended::Reading(error) => Error::Io(error),
            Ended::Writing(error) => Error::Staging(error),
            Ended::Short(got) => Error::Truncated { at: self.at.saturating_add(got) },
            Ended::Cancelled => Error::CANCELLED,
        })?;
        self.at = self.at.saturating_add(bytes);
        let mut rest = [0; BLOCK as usize];
        let rest = &mut rest[..usize::try_from(padding(bytes)).unwrap_or(0)];
        if self.fill(rest)? < rest.len() {
            return Err(Error::Truncated { at: self.at });
        }
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Error::Damaged { at: self.at, reason: "something is hidden after a file's end".to_owned() });
        }
        Ok(sha256)
    }

    /// Reads the second block of zeros that ends an archive, and what may follow.
    fn end(&mut self) -> Result<(), Error> {
        let mut zeros = 0;
        let mut buffer = vec![0; 64 * BLOCK as usize];
        loop {
            let filled = self.fill(&mut buffer)?;
            zeros += filled as u64;
            if buffer[..filled].iter().any(|byte| *byte != 0) || zeros > LONGEST_END {
                return Err(Error::Damaged {
                    at: self.at,
                    reason: "something comes after the archive's end".to_owned(),
                });
            }
            if filled < buffer.len() {
                return if zeros < BLOCK { Err(Error::Truncated { at: self.at }) } else { Ok(()) };
            }
        }
    }
}

/// Names what is no regular file by the header's type.
fn other_kind(kind: u8) -> Option<&'static str> {
    Some(match kind {
        b'0' | 0 => return None,
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'5' => "a folder",
        b'6' => "a pipe",
        b'x' | b'g' => "a PAX header, which changes what other headers say",
        b'L' | b'K' => "a long name of GNU tar, which changes what other headers say",
        b'S' => "a sparse file",
        _ => "of an unknown kind",
    })
}

/// Compares what came with what was announced.
pub(super) fn compare(member: &super::Member, sha256: &str) -> Result<(), Error> {
    if member.sha256 == sha256 {
        return Ok(());
    }
    let mismatch = Mismatch::Hash { expected: member.sha256.clone(), got: sha256.to_owned() };
    Err(Error::Mismatch { member: member.name.clone(), mismatch })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    fn read(mut bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut archive = Archive::new(&mut bytes, &Silent);
        let mut files = Vec::new();
        while let Some(head) = archive.next()? {
            let mut contents = Vec::new();
            archive.contents(head.bytes, &mut contents, &mut |_| {})?;
            files.push((head.name, contents));
        }
        Ok(files)
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, contents) in files {
            bytes.extend_from_slice(header(name, contents.len() as u64).unwrap().as_bytes());
            bytes.extend_from_slice(contents);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    #[test]
    fn what_is_written_is_read_again_here_and_by_the_tar_crate() {
        let long = format!("models/{}/{}", "a".repeat(90), "b".repeat(90));
        let files: [(&str, &[u8]); 3] = [("one", b"1"), (&long, &[7; 512]), ("none", b"")];
        let bytes = archive(&files);
        let read = read(&bytes).unwrap();
        let mut theirs = tar::Archive::new(bytes.as_slice());
        for (entry, (file, (name, contents))) in theirs.entries().unwrap().zip(files.iter().zip(&read)) {
            assert_eq!((file.0, file.1), (name.as_str(), contents.as_slice()));
            assert_eq!(entry.unwrap().path().unwrap().to_str(), Some(name.as_str()));
        }
        assert_eq!(read.len(), 3);
        assert!(header(&format!("models/{}", "a".repeat(101)), 1).is_err());
    }

    #[test]
    fn sizes_above_eight_gibibytes_are_written_and_read() {
        let bytes = 9 << 30;
        let header = header("big", bytes).unwrap();
        let mut stream = header.as_bytes().as_slice();
        assert_eq!(Archive::new(&mut stream, &Silent).next().unwrap(), Some(Head { name: "big".into(), bytes }));
    }

    #[test]
    fn the_end_is_two_blocks_of_zeros_and_then_nothing() {
        let good = archive(&[("one", b"1")]);
        assert_eq!(read(&good).unwrap().len(), 1);
        let filled = [good.clone(), vec![0; 9216]].concat();
        assert_eq!(read(&filled).unwrap().len(), 1, "a last record that another tar filled up");
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "{cut}");
        }
        for tail in [vec![1], [vec![0; 20_000], vec![1]].concat(), vec![0; 2 << 20]] {
            let said = read(&[good.clone(), tail].concat()).unwrap_err().to_string();
            assert!(said.contains("after the archive's end"), "{said}");
        }
        let mut hidden = good;
        hidden[512 + 100] = 1;
        assert!(read(&hidden).unwrap_err().to_string().contains("hidden after a file's end"));
    }

    #[test]
    fn what_is_no_tar_says_what_it_is() {
        for (bytes, words) in [
            (&b""[..], "empty"),
            (&[0x1f, 0x8b, 8], "gunzip"),
            (b"BZh91AY", "bunzip2"),
            (&[0; 1024], "empty archive"),
            (&[b'a'; 1024], "no tar archive"),
            (b"abc", "broken off"),
        ] {
            let said = read(bytes).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}

//! Packages of office documents and books: parts in a zip container, within bounds.
//!
//! In: the bytes of a `.docx`, `.odt` or `.epub`. Out: its parts by name, unpacked one by one. What is in a part is the
//! readers'; the XML of a part is [`super::xml`]'s. Nothing is written, and no name leads out of the container: parts are
//! only looked up. Sources: PKWARE APPNOTE 6.3.10, ECMA-376 part 2, ODF 1.3 part 2, EPUB OCF 3.3.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::Fault;

/// The most bytes that one part may unpack to: the XML of a book of 500 pages has some 10 MB.
const MAX_PART: u64 = 64 * 1024 * 1024;

/// The most bytes that all parts asked for may unpack to.
const MAX_ALL: u64 = 256 * 1024 * 1024;

/// The most entries of a container: a long book with pictures has a few thousand.
const MAX_ENTRIES: usize = 20_000;

/// The start of an OLE2 container: Word before 2007, or an encrypted document of any year.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// A package whose parts can be asked for.
pub(super) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// How many bytes may still be unpacked.
    left: u64,
}

impl<'b> Package<'b> {
    /// Opens a package.
    ///
    /// # Errors
    /// Where the bytes are no zip container, are cut off, or have too many entries.
    pub fn open(bytes: &'b [u8]) -> Result<Self, Fault> {
        if !bytes.starts_with(b"PK\x03\x04") {
            return Err(foreign(bytes).unwrap_or_else(|| Fault::damaged("it is no zip container")));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| fault(&error, ""))?;
        if archive.len() > MAX_ENTRIES {
            return Err(Fault::limit(format!("more than {MAX_ENTRIES} entries in its zip container")));
        }
        Ok(Self { archive, left: MAX_ALL })
    }

    /// Returns whether a part is there.
    pub fn has(&self, name: &str) -> bool {
        self.archive.index_for_name(name).is_some()
    }

    /// Unpacks a part; `None` where there is none of this name.
    ///
    /// # Errors
    /// Where it is damaged, encrypted, or unpacks to more than the limits allow.
    pub fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(fault(&error, name)),
        };
        // What comes out counts, not what the container says of it.
        let most = MAX_PART.min(self.left);
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| Fault::damaged(format!("{name}: {error}")))?;
        let read = bytes.len() as u64;
        if read > most {
            return Err(Fault::limit(format!("{name} unpacks to more than {} MiB", most / 1024 / 1024)));
        }
        self.left -= read;
        Ok(Some(bytes))
    }

    /// Unpacks a part that must be there.
    ///
    /// # Errors
    /// As [`Package::part`], and where it is not there.
    pub fn required(&mut self, name: &str) -> Result<Vec<u8>, Fault> {
        self.part(name)?.ok_or_else(|| Fault::damaged(format!("there is no {name} in it")))
    }
}

fn fault(error: &ZipError, name: &str) -> Fault {
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    match error {
        ZipError::UnsupportedArchive(what) if what.contains("assword") => {
            Fault::damaged(format!("{name}it is encrypted; save it without a password"))
        }
        ZipError::InvalidArchive(_) if name.is_empty() => {
            Fault::damaged("the zip container is cut off or broken (no readable central directory)")
        }
        error => Fault::damaged(format!("{name}{error}")),
    }
}

/// Tells by the first bytes what a file is that is not what its kind says; `None` where these say nothing.
pub(super) fn foreign(bytes: &[u8]) -> Option<Fault> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let head: Vec<u8> = text.iter().take(16).map(u8::to_ascii_lowercase).collect();
    let other = |what: &'static str| Some(Fault::Other { what });
    match bytes {
        _ if bytes.starts_with(OLE) => {
            other("an old binary Word file (.doc, OLE2) or an encrypted document; save it as .docx without a password")
        }
        _ if bytes.starts_with(b"%PDF-") => other("a PDF"),
        _ if bytes.starts_with(b"PK\x03\x04") => other("a zip container (.docx, .odt, .epub or an archive)"),
        _ if text.starts_with(b"{\\rtf") => other("RTF"),
        _ if head.starts_with(b"<!doctype html") || head.starts_with(b"<html") => other("a web page"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn parts_are_found_by_name_and_others_are_none() {
        let bytes = packed("a/b.xml", b"<a/>");
        let mut package = Package::open(&bytes).unwrap();
        assert_eq!(package.part("a/b.xml").unwrap().as_deref(), Some(b"<a/>".as_slice()));
        assert_eq!(package.part("../a/b.xml").unwrap(), None);
        assert!(package.required("c").unwrap_err().to_string().contains("there is no c in it"));
    }

    #[test]
    fn what_comes_out_is_bounded() {
        let bytes = packed("big", &vec![b' '; usize::try_from(MAX_PART).unwrap() + 1]);
        let error = Package::open(&bytes).unwrap().part("big").unwrap_err();
        assert_eq!(error.to_string(), "big unpacks to more than 64 MiB");
    }

    #[test]
    fn other_files_are_told_what_they_are() {
        for (bytes, what) in [
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...".as_slice(), "save it as .docx"),
            (b"%PDF-1.7", "a PDF"),
            (b"{\\rtf1", "RTF"),
            (b"  <!DOCTYPE html><p>", "a web page"),
            (b"PK\x03\x04cut", "cut off"),
            (b"text", "no zip container"),
        ] {
            let error = Package::open(bytes).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}

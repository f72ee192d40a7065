//! Archives: zip, tar and gzip. Their members go back to the [`Opener`], which tells what each is.
//!
//! In: the bytes of an archive. Out: each member's bytes under its name, in the archive's order, and what is passed over. A
//! name is only ever shown: nothing is written, no link is followed. What comes out is counted as it comes, whatever the
//! archive says of its size. Sources: APPNOTE.TXT 6.3.10 (zip), POSIX pax and the GNU manual (tar), RFC 1952 (gzip);
//! code page 720 as Python's `cp720` has it.

use std::io::{BufReader, Read};

use encoding_rs::WINDOWS_1256;

use super::input::Input;
use super::parts::{Opener, Place, Sink};
use super::walk::Reason;
use super::{MAX_BYTES, Why, directory, sniff};
use crate::arabic::letters::is_arabic_letter;

/// The most bytes of a member's name that are kept.
const MAX_NAME: usize = 1024;

/// Opens a zip.
///
/// # Errors
/// Where it is damaged or overlaps; of members, only what is wrong with all of them.
pub(super) fn zip(opener: &mut Opener, place: &Place, mut input: Input, sink: &mut Sink<'_>) -> Result<(), Why> {
    let damaged = |error: zip::result::ZipError| Why::Damaged { what: error.to_string() };
    let twice = directory::twice(&mut input).map_err(broken)?;
    let mut archive = zip::ZipArchive::new(BufReader::new(input.reader())).map_err(damaged)?;
    let limit = opener.options.limits.members;
    if archive.len() > limit {
        // It is said first: of failures that come after a hundred others only the number is told.
        opener.fail(place, Why::Beyond { limit, left: archive.len() - limit, what: "members" }, sink);
    }
    if archive.has_overlapping_entries().map_err(damaged)? {
        return Err(Why::Overlap);
    }
    for (name, count) in twice {
        let what = format!("{count} members of the archive have this name; only the last of them is read");
        opener.fail(&place.inner(&decoded_name(&name)), Why::Row { what }, sink);
    }
    for index in 0..archive.len().min(limit) {
        if opener.stopped {
            return Ok(());
        }
        let member = match archive.by_index_raw(index) {
            Ok(member) => member,
            Err(error) => {
                opener.fail(&place.inner(&format!("member {}", index + 1)), damaged(error), sink);
                continue;
            }
        };
        // The bit that says UTF-8 is often not set where the name is; bytes tell it better.
        let name = decoded_name(member.name_raw());
        let inner = place.inner(&name);
        let kind_bits = member.unix_mode().map_or(0, |mode| mode & 0o170_000);
        if member.is_dir() {
            continue;
        }
        if member.is_symlink() {
            opener.skip(&inner, Reason::Link, sink);
            continue;
        }
        if !matches!(kind_bits, 0 | 0o100_000) {
            opener.skip(&inner, Reason::Device, sink);
            continue;
        }
        if let Some(reason) = passed_over(&name) {
            opener.skip(&inner, reason, sink);
            continue;
        }
        let (stated, encrypted) = (member.size(), member.encrypted());
        let method = member.compression();
        drop(member);
        let why = if encrypted {
            Some(Why::Encrypted)
        } else if !matches!(method, zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated) {
            Some(Why::Method { method: method_name(method) })
        } else if stated > MAX_BYTES {
            Some(Why::TooLarge { limit: MAX_BYTES })
        } else {
            None
        };
        if let Some(why) = why {
            opener.fail(&inner, why, sink);
            continue;
        }
        let bytes = match archive.by_index(index) {
            Ok(member) => take(opener, member, stated),
            Err(error) => Err(damaged(error)),
        };
        opener.taken(&inner, &name, bytes, sink);
    }
    Ok(())
}

/// Returns what a way of packing is called; the numbers are those of APPNOTE 4.4.5.
fn method_name(method: zip::CompressionMethod) -> String {
    let number = format!("{method:?}").chars().filter(char::is_ascii_digit).collect::<String>();
    match number.as_str() {
        "9" => "deflate64".to_owned(),
        "12" => "bzip2".to_owned(),
        "14" => "lzma".to_owned(),
        "93" => "zstd".to_owned(),
        "95" => "xz".to_owned(),
        "98" => "ppmd".to_owned(),
        _ => format!("method {number}"),
    }
}

/// Opens a tar archive, packed with gzip or not, or a single file packed with gzip.
///
/// # Errors
/// Where it is damaged, or more comes out of it than may.
pub(super) fn tar_or_gzip(opener: &mut Opener, place: &Place, input: Input, sink: &mut Sink<'_>) -> Result<(), Why> {
    let mut stream = BufReader::with_capacity(64 * 1024, input.reader());
    let packed = std::io::BufRead::fill_buf(&mut stream).map_err(broken)?.starts_with(b"\x1f\x8b");
    if !packed {
        return tar(opener, place, stream, sink);
    }
    let mut stream = BufReader::with_capacity(64 * 1024, flate2::bufread::MultiGzDecoder::new(stream));
    let mut head = Vec::new();
    stream.by_ref().take(512).read_to_end(&mut head).map_err(broken)?;
    let mut whole = head.as_slice().chain(stream);
    if sniff::is_tar(&head) {
        tar(opener, place, &mut whole, sink)?;
        return if opener.stopped { Ok(()) } else { ended(opener, whole) };
    }
    // What is in it has its name without the last extension.
    let outer = place.part.clone().unwrap_or_else(|| opener.path.to_string_lossy().into_owned());
    let outer = outer.rsplit(['/', ':']).next().unwrap_or_default().trim().to_owned();
    let name = outer.strip_suffix(".gz").or_else(|| outer.strip_suffix(".GZ")).unwrap_or(&outer).to_owned();
    let bytes = take(opener, whole, MAX_BYTES + 1);
    let mut inner = place.inner(&name);
    // The one file in it is what the user named.
    inner.named = place.named;
    opener.taken(&inner, &name, bytes, sink);
    Ok(())
}

fn tar(opener: &mut Opener, place: &Place, stream: impl Read, sink: &mut Sink<'_>) -> Result<(), Why> {
    // What is read over counts too: a bomb unpacks in a member that nobody reads.
    let mut archive = tar::Archive::new(Counted { inner: stream, left: opener.left });
    let mut members = 0usize;
    for entry in archive.entries().map_err(broken)? {
        if opener.stopped {
            return Ok(());
        }
        members += 1;
        let limit = opener.options.limits.members;
        if members > limit {
            return Err(Why::TooMany { limit, what: "members" });
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if is_over(&error) => return Err(opener.too_much()),
            Err(error) => return Err(broken(error)),
        };
        let name = decoded_name(&entry.path_bytes());
        let inner = place.inner(&name);
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if kind.is_symlink() || kind.is_hard_link() {
            opener.skip(&inner, Reason::Link, sink);
            continue;
        }
        if !(kind.is_file() || kind.is_contiguous()) {
            opener.skip(&inner, Reason::Device, sink);
            continue;
        }
        if let Some(reason) = passed_over(&name) {
            opener.skip(&inner, reason, sink);
            continue;
        }
        let stated = entry.size();
        if stated > MAX_BYTES {
            opener.fail(&inner, Why::TooLarge { limit: MAX_BYTES }, sink);
            continue;
        }
        let bytes = take(opener, entry, stated);
        opener.taken(&inner, &name, bytes, sink);
    }
    Ok(())
}

/// Reads a packed archive to its end, where the sum of its bytes stands: only there does it show that some are wrong.
fn ended(opener: &Opener, rest: impl Read) -> Result<(), Why> {
    let mut rest = Counted { inner: rest, left: opener.left };
    match std::io::copy(&mut rest, &mut std::io::sink()) {
        Ok(_) => Ok(()),
        Err(error) if is_over(&error) => Err(opener.too_much()),
        // Bytes behind the end that are no gzip fill up a tape or a block.
        Err(error) if error.to_string().contains("header") => Ok(()),
        Err(error) => Err(Why::Damaged { what: format!("{error}; what was read of it may be wrong") }),
    }
}

/// Reads a member within all limits; `stated` is how many bytes it says it has.
fn take(opener: &mut Opener, member: impl Read, stated: u64) -> Result<Vec<u8>, Why> {
    let mut bytes = Vec::new();
    let most = stated.min(MAX_BYTES).min(opener.left);
    let read = member.take(most + 1).read_to_end(&mut bytes);
    let got = bytes.len() as u64;
    let before = opener.left;
    opener.left = opener.left.saturating_sub(got);
    if got > before {
        return Err(opener.too_much());
    }
    match read {
        Err(error) if is_over(&error) => return Err(opener.too_much()),
        Err(error) => return Err(broken(error)),
        Ok(_) if got > MAX_BYTES => return Err(Why::TooLarge { limit: MAX_BYTES }),
        Ok(_) if got > stated => {
            return Err(Why::Damaged { what: format!("more comes out of it than the {stated} bytes it says it has") });
        }
        Ok(_) if got < stated && stated <= MAX_BYTES => {
            return Err(Why::Damaged { what: format!("it has {got} of the {stated} bytes it says it has") });
        }
        Ok(_) => {}
    }
    Ok(bytes)
}

impl Opener {
    /// Takes a member's bytes, or says why there are none; past the limit of all bytes nothing more is read.
    fn taken(&mut self, place: &Place, name: &str, bytes: Result<Vec<u8>, Why>, sink: &mut Sink<'_>) {
        match bytes {
            Ok(bytes) => self.member(place, name, bytes, sink),
            Err(why) => {
                let over = matches!(why, Why::TooMuch { .. });
                self.fail(place, why, sink);
                self.stopped |= over;
            }
        }
    }

    fn too_much(&self) -> Why {
        Why::TooMuch { limit: self.allowed, packed: self.packed }
    }
}

/// Returns why a member is passed over by its name, as a walk passes over a file in a folder.
fn passed_over(name: &str) -> Option<Reason> {
    let mut parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    if parts.clone().any(|part| part == "__MACOSX" || part.starts_with('.')) {
        return Some(Reason::Hidden);
    }
    let file = parts.next_back()?;
    Reason::of_extension(&sniff::extension(file))
}

fn broken(error: std::io::Error) -> Why {
    Why::Damaged { what: error.to_string() }
}

/// A stream that ends in an error after so many bytes.
struct Counted<R> {
    inner: R,
    left: u64,
}

/// The error of a stream that gave more than it may.
#[derive(Debug, thiserror::Error)]
#[error("more comes out of it than may")]
struct Over;

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.inner.read(buffer)?;
        match self.left.checked_sub(got as u64) {
            Some(left) => self.left = left,
            None => return Err(std::io::Error::other(Over)),
        }
        Ok(got)
    }
}

fn is_over(error: &std::io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(error) = cause {
        if error.is::<Over>() || error.downcast_ref::<std::io::Error>().is_some_and(is_over) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reads a member's name: UTF-8, or one of the code pages of Arabic Windows, whichever gives Arabic words.
fn decoded_name(raw: &[u8]) -> String {
    let raw = &raw[..raw.len().min(MAX_NAME)];
    if let Ok(name) = std::str::from_utf8(raw) {
        return name.to_owned();
    }
    let graphic = WINDOWS_1256.decode_without_bom_handling(raw).0.into_owned();
    let console: String = raw.iter().map(|&byte| code_page_720(byte)).collect();
    if arabic_share(&console) > arabic_share(&graphic) { console } else { graphic }
}

/// Returns how much of what is not ASCII in a name reads as Arabic words.
fn arabic_share(name: &str) -> f64 {
    let (mut letters, mut other, mut odd) = (0.0, 0.0, 0.0);
    for word in name.split(|c: char| c.is_ascii()).filter(|word| !word.is_empty()) {
        for c in word.chars() {
            if is_arabic_letter(c) { letters += 1.0 } else { other += 1.0 }
        }
        // Ta marbuta and alif maqsura end a word, and no word begins with them.
        let count = word.chars().count();
        odd +=
            word.chars().enumerate().filter(|&(at, c)| matches!(c, 'ة' | 'ى' | 'ء') && at + 1 < count).count() as f64;
        odd += if word.chars().zip(word.chars().skip(1)).any(|(a, b)| a == b && a != 'ل') { 1.0 } else { 0.0 };
        letters += if word.starts_with("ال") { 1.0 } else { 0.0 };
    }
    if letters == 0.0 { 0.0 } else { (letters - odd) / (letters + other) }
}

/// The upper half of code page 720; ASCII stays.
fn code_page_720(byte: u8) -> char {
    const UPPER: &str = "\u{80}\u{81}éâ\u{84}à\u{86}çêëèïî\u{8d}\u{8e}\u{8f}\
                         \u{90}\u{651}\u{652}ô¤ـûùءآأؤ£إئا\
                         بةتثجحخدذرزسشص«»\
                         ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
                         └┴┬├─┼╞╟╚╔╩╦╠═╬╧\
                         ╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                         ضطظعغفµقكلمنهوىي\
                         ≡\u{64b}\u{64c}\u{64d}\u{64e}\u{64f}\u{650}≈°∙·√ⁿ²■\u{a0}";
    match byte.checked_sub(128) {
        None => char::from(byte),
        Some(place) => UPPER.chars().nth(usize::from(place)).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_page_is_whole() {
        let upper: Vec<char> = (128..=255).map(code_page_720).collect();
        assert_eq!(upper.len(), 128);
        // Places that Python's codec gives.
        for (byte, c) in [(0x98, 'ء'), (0x9f, 'ا'), (0xa0, 'ب'), (0xad, 'ص'), (0xb0, '░'), (0xe0, 'ض'), (0xe9, 'ل')]
        {
            assert_eq!(code_page_720(byte), c, "{byte:x}");
        }
        assert_eq!((code_page_720(0xef), code_page_720(0xf0), code_page_720(0xff)), ('ي', '≡', '\u{a0}'));
    }

    #[test]
    fn names_are_read_in_the_code_pages_of_arabic_windows() {
        let names = ["مقالات/تونس وليبيا.txt", "أخبار الاقتصاد.html", "تقرير.pdf", "وزارة الصحة.doc"];
        for name in names {
            let (graphic, _, lost) = WINDOWS_1256.encode(name);
            assert!(!lost);
            assert_eq!(decoded_name(&graphic), name);
            let console: Vec<u8> =
                name.chars().map(|c| (0..=255).find(|&byte| code_page_720(byte) == c).unwrap()).collect();
            assert_eq!(decoded_name(&console), name);
            assert_eq!(decoded_name(name.as_bytes()), name);
        }
    }

    #[test]
    fn hidden_members_and_those_that_nobody_reads_are_passed_over() {
        assert_eq!(passed_over("a/b.txt"), None);
        assert_eq!(passed_over("../../a.txt"), None, "it is only shown");
        assert_eq!(passed_over("__MACOSX/a.txt"), Some(Reason::Hidden));
        assert_eq!(passed_over("a/.b.txt"), Some(Reason::Hidden));
        assert_eq!(passed_over("Thumbs.db"), Some(Reason::UnknownKind));
    }
}

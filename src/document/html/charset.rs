//! The encoding of a page: a mark, what the user or the page says, or what the bytes are.
//!
//! In: the bytes of a page, and what its envelope says of them. Out: its text. Guessing is [`encoding`]'s; here is what a page
//! adds: it declares its encoding (WHATWG, "13.2.3.2 Determining the character encoding"), and often wrongly. What the bytes
//! cannot be, they are not: valid UTF-8 with many letters is UTF-8 whatever the page says, and bytes that read as Arabic in
//! one encoding and as nothing in the declared one are in the former.

use encoding_rs::{Encoding, UTF_8};

use crate::arabic::letters::is_arabic_letter;
use crate::source::encoding::{self, Decoded, Error};

/// How far into a page its declaration may stand; the standard asks for 1,024 bytes, real pages need more.
const REACH: usize = 8 * 1024;

/// Returns the text of a page.
///
/// # Errors
/// Where the bytes are not text.
pub(super) fn decode(bytes: &[u8], wanted: Option<&'static Encoding>, envelope: Option<&str>) -> Result<Decoded, Error> {
    if wanted.is_some() || Encoding::for_bom(bytes).is_some() {
        return encoding::decode(bytes, wanted);
    }
    let declared = envelope.and_then(|label| encoding::by_label(label).ok()).or_else(|| declared(bytes));
    let detected = detected(bytes);
    let encoding = match (declared, detected) {
        // What is in no page that a meta tag was found in.
        (Some(declared), detected) if declared.is_ascii_compatible() || detected.is_none() => {
            better(bytes, declared, detected)
        }
        (_, detected) => detected,
    };
    // Named only where it differs from what is found anyway: repairs belong to what is found.
    let found = encoding::decode(bytes, None);
    match (encoding, found) {
        (Some(encoding), Ok(found)) if found.encoding == encoding.name() => Ok(found),
        (Some(encoding), _) => encoding::decode(bytes, Some(encoding)),
        (None, found) => found,
    }
}

/// Returns the encoding that bytes without their marks are in: what is ASCII says nothing, and would fill the sample.
fn detected(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = bytes.iter().take(4096).filter(|&&b| b == 0).count();
    if zeros * 10 > bytes.len().min(4096) {
        return encoding::decode(bytes, None).ok().and_then(|found| encoding::by_label(found.encoding).ok());
    }
    let mut letters: Vec<u8> = Vec::new();
    for run in bytes.split(|b| b.is_ascii()) {
        if !run.is_empty() {
            letters.extend_from_slice(run);
            letters.push(b' ');
        }
    }
    if letters.is_empty() {
        return Some(UTF_8);
    }
    encoding::decode(&letters, None).ok().and_then(|found| encoding::by_label(found.encoding).ok())
}

/// Returns which of two encodings a page is in.
fn better(bytes: &[u8], declared: &'static Encoding, detected: Option<&'static Encoding>) -> Option<&'static Encoding> {
    let Some(detected) = detected else { return Some(declared) };
    if declared == detected || detected == UTF_8 {
        return Some(detected);
    }
    let (ours, theirs) = (arabic(bytes, declared), arabic(bytes, detected));
    Some(if ours >= 0.9 || ours >= theirs { declared } else { detected })
}

/// Returns the share of Arabic letters and signs among all that is not ASCII, for a sample of a page.
fn arabic(bytes: &[u8], encoding: &'static Encoding) -> f64 {
    let sample: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii()).take(16 * 1024).collect();
    let (text, _) = encoding.decode_without_bom_handling(&sample);
    let all = text.chars().filter(|c| !c.is_ascii()).count();
    let right = text
        .chars()
        .filter(|&c| is_arabic_letter(c) || matches!(c, '،' | '؛' | '؟' | '«' | '»' | '“' | '”' | '–' | '\u{a0}' | 'ـ'))
        .count();
    right as f64 / all.max(1) as f64
}

/// Returns the encoding that a page declares: in a meta tag or in an XML declaration.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(REACH)]).to_ascii_lowercase();
    let xml = head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).and_then(|(declaration, _)| {
        label(declaration.split_once("encoding")?.1)
    });
    xml.or_else(|| {
        head.split("<meta").skip(1).find_map(|rest| label(rest.split('>').next()?.split_once("charset")?.1))
    })
}

/// Reads `= "label"`.
fn label(text: &str) -> Option<&'static Encoding> {
    let text = text.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))).unwrap_or(text.len());
    encoding::by_label(&text[..end]).ok()
}

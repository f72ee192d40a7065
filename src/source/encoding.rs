//! Bytes become text: a byte order mark, UTF-8, UTF-16, windows-1256, ISO-8859-6, or what chardetng takes them for.
//!
//! In: the bytes of a text file and, where the user named one, an encoding. Out: the text, the encoding's WHATWG name, and
//! how many characters could not be decoded. Cleaning the text is left to [`crate::document`]. UTF-16 without a mark and
//! the two Arabic 8-bit encodings are told by the letters they would make: Arabic is full of the article ال.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_8859_6, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1256};

/// How many bytes of a file are looked at to guess its encoding.
const SAMPLE: usize = 64 * 1024;

/// The largest share of characters that may be undecodable, and of control characters, before a file is called binary.
const MAX_BROKEN: f64 = 0.05;

/// Text and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without byte order mark.
    pub text: String,
    /// The encoding's WHATWG name: `UTF-8`, `windows-1256`.
    pub encoding: &'static str,
    /// Characters that could not be decoded and stand as U+FFFD.
    pub undecodable: usize,
}

/// Why bytes are not read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name given for an encoding is no name of one.
    #[error(
        "no encoding is called {label:?}; known are utf-8, utf-16le, utf-16be, windows-1256, iso-8859-6 and the other labels of the web"
    )]
    UnknownLabel {
        /// What was given.
        label: String,
    },
    /// The bytes are not text.
    #[error("a binary file, not text ({detail})")]
    Binary {
        /// What gave it away.
        detail: String,
    },
}

/// Returns the encoding of a label such as `cp1256`.
///
/// # Errors
/// Where no encoding of the web has it.
pub fn by_label(label: &str) -> Result<&'static Encoding, Error> {
    Encoding::for_label(label.trim().as_bytes()).ok_or_else(|| Error::UnknownLabel { label: label.to_owned() })
}

/// Decodes bytes in the encoding given, or else in the one they seem to be in.
///
/// # Errors
/// Where they are not text in it.
pub fn decode(bytes: &[u8], wanted: Option<&'static Encoding>) -> Result<Decoded, Error> {
    if let Some(detail) = magic(bytes) {
        return Err(Error::Binary { detail: detail.to_owned() });
    }
    let (encoding, start) = match (wanted, Encoding::for_bom(bytes)) {
        (Some(wanted), Some((marked, length))) if wanted == marked => (wanted, length),
        (Some(wanted), _) => (wanted, 0),
        (None, Some((marked, length))) => (marked, length),
        (None, None) => (detect(bytes), 0),
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[start..]);
    let undecodable = text.chars().filter(|&c| c == '\u{fffd}').count();
    let controls = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}'))
        .count();
    let nuls = text.chars().filter(|&c| c == '\0').count();
    let total = text.chars().count().max(1) as f64;
    if (undecodable + controls) as f64 / total > MAX_BROKEN || nuls as f64 / total > MAX_BROKEN / 10.0 {
        let detail = format!(
            "as {}: {undecodable} characters cannot be decoded, {controls} are control characters",
            encoding.name()
        );
        return Err(Error::Binary { detail });
    }
    Ok(Decoded { text: text.into_owned(), encoding: encoding.name(), undecodable })
}

/// Returns what a file is whose first bytes are known to be those of a format that is not text.
fn magic(bytes: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"%PDF-", "PDF"),
        (b"PK\x03\x04", "a zip archive or an office document"),
        (b"\x89PNG", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF8", "GIF"),
        (b"\x1f\x8b", "gzip"),
        (b"\x7fELF", "a program"),
        (b"GGUF", "a model"),
        (b"\xd0\xcf\x11\xe0", "an old office document"),
    ];
    KNOWN.iter().find(|(start, _)| bytes.starts_with(start)).map(|&(_, name)| name)
}

/// Returns the encoding that bytes without a byte order mark seem to be in.
fn detect(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if let Some(utf16) = utf16_without_mark(sample) {
        return utf16;
    }
    if is_nearly_utf8(bytes) {
        return UTF_8;
    }
    let best = [WINDOWS_1256, ISO_8859_6]
        .into_iter()
        .map(|encoding| (plausibility(sample, encoding), encoding))
        .fold((0.0, WINDOWS_1252), |best, this| if this.0 > best.0 { this } else { best });
    // Below this, the text is hardly Arabic: NTREX news in the right encoding scores above 0.9.
    if best.0 > 0.5 {
        return best.1;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Tells UTF-16 by its zero bytes (ASCII) and 0x06 bytes (the Arabic block), which all stand on one side of the pairs.
fn utf16_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let (mut even, mut odd) = (0usize, 0usize);
    for pair in sample.chunks_exact(2) {
        even += usize::from(matches!(pair[0], 0 | 6));
        odd += usize::from(matches!(pair[1], 0 | 6));
    }
    let pairs = sample.len() / 2;
    if pairs == 0 {
        return None;
    }
    let share = |count: usize| count as f64 / pairs as f64;
    let (high, low, encoding) =
        if odd > even { (share(odd), share(even), UTF_16LE) } else { (share(even), share(odd), UTF_16BE) };
    (high > 0.8 && low < 0.3).then_some(encoding)
}

/// Returns whether bytes are UTF-8 but for a few broken places: a cut-off end, a stray byte.
fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let (mut broken, mut multibyte) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        multibyte += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    broken == 0 || broken * 50 < multibyte
}

/// Returns how much of a sample reads as Arabic in an encoding: the share of Arabic letters among all that is no ASCII,
/// less for words with a letter where none can stand, more where the article ال is as frequent as it always is.
fn plausibility(sample: &[u8], encoding: &'static Encoding) -> f64 {
    let (text, _) = encoding.decode_without_bom_handling(sample);
    let (mut letters, mut other, mut words, mut article, mut odd) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for word in text.split(|c: char| c.is_ascii() || c.is_whitespace()) {
        let arabic = word.chars().filter(|&c| crate::arabic::letters::is_arabic_letter(c)).count();
        letters += arabic;
        other += word.chars().count() - arabic;
        if arabic > 0 {
            words += 1;
            article += usize::from(["ال", "وال", "بال", "لل"].iter().any(|lead| word.starts_with(lead)));
            // Ta marbuta and alif maqsura end a word.
            let inner = word.chars().rev().skip(1);
            odd += usize::from(inner.clone().any(|c| matches!(c, 'ة' | 'ى')));
        }
    }
    if letters == 0 {
        return 0.0;
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    // Signs between words (quotation marks, dashes) are not ASCII either: they weigh little.
    let base = letters as f64 / (letters as f64 + 0.5 * other as f64);
    (base - share(odd, words)).max(0.0) * (share(article, words) * 10.0).clamp(0.3, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: &str = "قال وزير الخارجية في مؤتمر صحفي إن البلدين اتفقا على فتح المعبر الحدودي يوم الاثنين المقبل، \
                        وأضاف أن اللجنة المشتركة ستجتمع في العاصمة لمتابعة تنفيذ الاتفاق.\n";

    fn iso_8859_6(text: &str) -> Vec<u8> {
        // encoding_rs encodes it as the web does.
        ISO_8859_6.encode(text).0.into_owned()
    }

    #[test]
    fn each_encoding_is_found_without_being_told() {
        let utf16 = |big: bool| -> Vec<u8> {
            NEWS.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let marked = |mark: &[u8], rest: Vec<u8>| [mark, &rest[..]].concat();
        for (bytes, name) in [
            (NEWS.as_bytes().to_vec(), "UTF-8"),
            (marked(b"\xef\xbb\xbf", NEWS.as_bytes().to_vec()), "UTF-8"),
            (utf16(false), "UTF-16LE"),
            (utf16(true), "UTF-16BE"),
            (marked(b"\xff\xfe", utf16(false)), "UTF-16LE"),
            (marked(b"\xfe\xff", utf16(true)), "UTF-16BE"),
            (WINDOWS_1256.encode(NEWS).0.into_owned(), "windows-1256"),
            (iso_8859_6(NEWS), "ISO-8859-6"),
        ] {
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!((decoded.encoding, decoded.text.as_str(), decoded.undecodable), (name, NEWS, 0), "{name}");
        }
    }

    #[test]
    fn an_encoding_that_is_named_is_used() {
        let bytes = WINDOWS_1256.encode(NEWS).0;
        let decoded = decode(&bytes, Some(by_label("cp1256").unwrap())).unwrap();
        assert_eq!(decoded.text, NEWS);
        assert_ne!(decode(&bytes, Some(ISO_8859_6)).map(|d| d.text).unwrap_or_default(), NEWS);
        assert!(by_label("klingon").unwrap_err().to_string().contains("klingon"));
    }

    #[test]
    fn a_cut_off_character_is_counted_and_the_rest_read() {
        let bytes = &NEWS.as_bytes()[..NEWS.len() - 3];
        let decoded = decode(bytes, None).unwrap();
        assert_eq!((decoded.encoding, decoded.undecodable), ("UTF-8", 1));
        let mut utf16: Vec<u8> = NEWS.encode_utf16().flat_map(u16::to_le_bytes).collect();
        utf16.pop();
        let decoded = decode(&utf16, None).unwrap();
        assert_eq!((decoded.encoding, decoded.undecodable), ("UTF-16LE", 1));
    }

    #[test]
    fn french_text_is_not_taken_for_arabic() {
        let text = "Le ministre a déclaré que l'accord était déjà signé à l'été dernier, après une réunion très brève.";
        assert_eq!(decode(&WINDOWS_1252.encode(text).0, None).unwrap().text, text);
    }

    #[test]
    fn binary_bytes_are_refused() {
        let noise: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for bytes in [noise, vec![0; 100], b"%PDF-1.7 ...".to_vec(), b"text\0\0\0\0 with many \0\0\0 nuls".to_vec()] {
            assert!(matches!(decode(&bytes, None), Err(Error::Binary { .. })));
        }
    }
}

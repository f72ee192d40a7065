//! Bytes become text: in the encoding the user names, or that a mark, the format's head or the bytes themselves tell.
//!
//! In: the bytes of a text; where the user named an encoding, that ([`by_label`]); where the format states one (`charset=` of
//! a page, a letter's head), its label. Out: the text, the encoding's name, how many characters could not be decoded, what
//! was repaired, and what a user should know. Cleaning the text is left to [`crate::document`]. An order mark is stronger
//! than a label, bytes are stronger than a label that they contradict (see `declared`), and text that had been decoded
//! wrongly before it was saved is put right where that is certain (see `mojibake`).

mod charset;
mod declared;
mod detect;
mod ibm;
mod mac_arabic;
mod mojibake;

pub use charset::{Charset, by_label};
pub use mojibake::Repair;

/// The largest share of characters that may be undecodable, and of control characters, before a file is called binary.
const MAX_BROKEN: f64 = 0.05;

/// Text and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without byte order mark.
    pub text: String,
    /// The encoding's name, the WHATWG's where it has one: `UTF-8`, `windows-1256`, `MacArabic`.
    pub encoding: &'static str,
    /// Characters that could not be decoded and stand as U+FFFD.
    pub undecodable: usize,
    /// What was put right: the text had been decoded wrongly before it was saved.
    pub repaired: Option<Repair>,
    /// All of this in words, and doubts: for the user.
    pub warnings: Vec<String>,
}

/// Why bytes are not read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name given for an encoding is no name of one.
    #[error(
        "no encoding is called {label:?}; known are utf-8, utf-16le, utf-16be, windows-1256, iso-8859-6, macarabic and the \
         other labels of the web"
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
    /// The text was decoded wrongly before it was saved, and its letters were thrown away.
    #[error(
        "nothing to recover: {lost} of {all} characters are replacement characters (U+FFFD), put in the place of letters by \
         a program that misread the text; the text is needed from its source again"
    )]
    Lost {
        /// How many characters are U+FFFD.
        lost: usize,
        /// How many characters there are, without blanks.
        all: usize,
    },
}

/// Decodes bytes in the encoding given, or else in the one that a mark, the format or the bytes tell.
///
/// # Errors
/// Where they are not text in it.
pub fn decode(bytes: &[u8], wanted: Option<Charset>, declared: Option<&str>) -> Result<Decoded, Error> {
    if let Some(detail) = magic(bytes) {
        return Err(Error::Binary { detail: detail.to_owned() });
    }
    let (charset, start) = match (wanted, Charset::of_mark(bytes)) {
        (Some(wanted), Some((marked, length))) if wanted == marked => (wanted, length),
        (Some(wanted), _) => (wanted, 0),
        (None, Some((marked, length))) => (marked, length),
        (None, None) => {
            let believed = declared.and_then(|label| declared::believed(bytes, label));
            (believed.unwrap_or_else(|| detect::detect(bytes)), 0)
        }
    };
    let text = charset.decode(&bytes[start..]);
    let marks = text.chars().filter(|&c| c == '\u{fffd}').count();
    let undecodable = marks.saturating_sub(lost_before(charset, &bytes[start..]));
    let lost = marks - undecodable;
    let mut warnings = Vec::new();
    let mut repaired = None;
    let text = match mojibake::repair(&text) {
        mojibake::Finding::Sound => text.into_owned(),
        mojibake::Finding::Doubtful(doubt) => {
            warnings.push(doubt);
            text.into_owned()
        }
        mojibake::Finding::Repaired(text, repair) => {
            warnings.push(repair.to_string());
            repaired = Some(repair);
            text
        }
    };
    refuse_binary(&text, charset, undecodable, lost)?;
    if undecodable > 0 {
        warnings.push(format!("{undecodable} characters cannot be decoded as {}", charset.name()));
    }
    if lost > 0 {
        warnings.push(format!("{lost} characters were lost before the file was saved and stand as U+FFFD"));
    }
    Ok(Decoded { text, encoding: charset.name(), undecodable, repaired, warnings })
}

/// Repairs text that was decoded elsewhere, by a font's table or a format's own rules, where that is certain.
pub fn repair(text: &str) -> Option<(String, Repair)> {
    match mojibake::repair(text) {
        mojibake::Finding::Repaired(text, repair) => Some((text, repair)),
        mojibake::Finding::Sound | mojibake::Finding::Doubtful(_) => None,
    }
}

/// Returns how many U+FFFD stand in the bytes themselves.
fn lost_before(charset: Charset, bytes: &[u8]) -> usize {
    match charset.name() {
        "UTF-8" => bytes.windows(3).filter(|three| three == b"\xef\xbf\xbd").count(),
        "UTF-16LE" => bytes.as_chunks::<2>().0.iter().filter(|two| *two == b"\xfd\xff").count(),
        "UTF-16BE" => bytes.as_chunks::<2>().0.iter().filter(|two| *two == b"\xff\xfd").count(),
        _ => 0,
    }
}

/// Refuses text that is none: too much of it has no character, or is control characters.
fn refuse_binary(text: &str, charset: Charset, undecodable: usize, lost: usize) -> Result<(), Error> {
    let (mut controls, mut nuls, mut total, mut printed) = (0usize, 0usize, 0usize, 0usize);
    for c in text.chars() {
        total += 1;
        printed += usize::from(!c.is_whitespace());
        if c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}') {
            controls += 1;
            nuls += usize::from(c == '\0');
        }
    }
    let share = |part: usize| part as f64 / total.max(1) as f64;
    // Where broken places are few beside Arabic letters, the rest is worth reading; how many they are is told.
    let arabic = text.chars().filter(|&c| crate::arabic::letters::is_arabic_letter(c)).count();
    let broken = if undecodable * 5 < arabic { controls } else { undecodable + controls };
    if share(broken) > MAX_BROKEN || share(nuls) > MAX_BROKEN / 10.0 {
        let detail = format!(
            "as {}: {undecodable} characters cannot be decoded, {controls} are control characters",
            charset.name()
        );
        return Err(Error::Binary { detail });
    }
    if share(lost) > MAX_BROKEN {
        return Err(Error::Lost { lost, all: printed });
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_8859_6, WINDOWS_1252, WINDOWS_1256};

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
            let decoded = decode(&bytes, None, None).unwrap();
            assert_eq!((decoded.encoding, decoded.text.as_str(), decoded.undecodable), (name, NEWS, 0), "{name}");
        }
    }

    #[test]
    fn an_encoding_that_is_named_is_used() {
        let bytes = WINDOWS_1256.encode(NEWS).0;
        let decoded = decode(&bytes, Some(by_label("cp1256").unwrap()), None).unwrap();
        assert_eq!(decoded.text, NEWS);
        assert_ne!(decode(&bytes, Some(ISO_8859_6.into()), None).map(|d| d.text).unwrap_or_default(), NEWS);
        assert!(by_label("klingon").unwrap_err().to_string().contains("klingon"));
    }

    #[test]
    fn a_cut_off_character_is_counted_and_the_rest_read() {
        let bytes = &NEWS.as_bytes()[..NEWS.len() - 3];
        let decoded = decode(bytes, None, None).unwrap();
        assert_eq!((decoded.encoding, decoded.undecodable), ("UTF-8", 1));
        let mut utf16: Vec<u8> = NEWS.encode_utf16().flat_map(u16::to_le_bytes).collect();
        utf16.pop();
        let decoded = decode(&utf16, None, None).unwrap();
        assert_eq!((decoded.encoding, decoded.undecodable), ("UTF-16LE", 1));
    }

    #[test]
    fn french_text_is_not_taken_for_arabic() {
        let text = "Le ministre a déclaré que l'accord était déjà signé à l'été dernier, après une réunion très brève.";
        assert_eq!(decode(&WINDOWS_1252.encode(text).0, None, None).unwrap().text, text);
    }

    #[test]
    fn binary_bytes_are_refused() {
        let noise: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for bytes in [noise, vec![0; 100], b"%PDF-1.7 ...".to_vec(), b"text\0\0\0\0 with many \0\0\0 nuls".to_vec()] {
            assert!(matches!(decode(&bytes, None, None), Err(Error::Binary { .. })));
        }
    }
}

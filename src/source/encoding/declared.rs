//! What a format says of its own encoding, checked against the bytes.
//!
//! In: the label in a head (`charset=` of a page or a letter, an XML declaration) and the bytes. Out: the encoding, or none
//! where the bytes say otherwise: UTF-8 does not come about by chance, nor does Arabic. Source of the labels and of the rule
//! that a declared UTF-16 in ASCII text is none: the WHATWG Encoding and HTML Standards.

use encoding_rs::{ISO_8859_6, UTF_8, WINDOWS_1252, WINDOWS_1256};

use super::charset::{Charset, by_label};
use super::detect;

/// Characters beyond ASCII that make valid UTF-8 certain: in 8-bit text this many do not pair by chance.
const CERTAIN: usize = 4;

/// Returns the encoding that a label declares where the bytes bear it out.
pub(super) fn believed(bytes: &[u8], label: &str) -> Option<Charset> {
    let charset = by_label(label).ok()?;
    let Charset::Web(encoding) = charset else {
        return match charset {
            Charset::Utf32Le | Charset::Utf32Be => None,
            other => Some(other),
        };
    };
    if encoding == UTF_8 || !encoding.is_ascii_compatible() {
        // Whether bytes are UTF-8, UTF-16 or ISO-2022-JP, they say themselves.
        let bears = encoding == UTF_8 && detect::is_nearly_utf8(bytes);
        return bears.then_some(charset);
    }
    if is_utf8(bytes) {
        return None;
    }
    let sample = detect::telling(bytes);
    let read = charset.decode(&sample);
    if encoding == WINDOWS_1256 || encoding == ISO_8859_6 {
        let other = if encoding == WINDOWS_1256 { ISO_8859_6 } else { WINDOWS_1256 };
        let otherwise = detect::plausibility(&Charset::Web(other).decode(&sample));
        let arabic = detect::plausibility(&read);
        return (otherwise < detect::PLAUSIBLE || otherwise < arabic + 0.2).then_some(charset);
    }
    // Programs that knew nothing of Arabic declared what they always did.
    let careless = encoding == WINDOWS_1252 || encoding.is_single_byte();
    let as_arabic = detect::plausibility(&Charset::Web(WINDOWS_1256).decode(&sample));
    if careless && as_arabic > detect::PLAUSIBLE {
        return None;
    }
    let broken = read.chars().filter(|&c| c == '\u{fffd}').count();
    (broken * 50 <= read.chars().filter(|c| !c.is_ascii()).count()).then_some(charset)
}

fn is_utf8(bytes: &[u8]) -> bool {
    let mut found = 0;
    for chunk in bytes.utf8_chunks() {
        found += chunk.valid().chars().filter(|c| !c.is_ascii()).take(CERTAIN).count();
        if !chunk.invalid().is_empty() {
            return found >= CERTAIN && detect::is_nearly_utf8(bytes);
        }
    }
    found >= CERTAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: &str = "قال وزير الخارجية في مؤتمر صحفي إن البلدين اتفقا على فتح المعبر الحدودي يوم الاثنين المقبل";

    fn name(bytes: &[u8], label: &str) -> Option<&'static str> {
        believed(bytes, label).map(Charset::name)
    }

    #[test]
    fn a_declaration_that_the_bytes_contradict_is_not_believed() {
        let arabic = WINDOWS_1256.encode(NEWS).0;
        assert_eq!(name(&arabic, "windows-1256"), Some("windows-1256"));
        assert_eq!(name(&arabic, "utf-8"), None);
        assert_eq!(name(&arabic, "iso-8859-1"), None);
        assert_eq!(name(&arabic, "iso-8859-6"), None);
        assert_eq!(name(NEWS.as_bytes(), "windows-1256"), None);
        assert_eq!(name(NEWS.as_bytes(), "utf-16"), None);
        assert_eq!(name(NEWS.as_bytes(), "utf-8"), Some("UTF-8"));
    }

    #[test]
    fn other_encodings_are_believed_where_the_bytes_allow() {
        let french = WINDOWS_1252.encode("L'été a été très chaud, déclare le préfet").0;
        assert_eq!(name(&french, "iso-8859-1"), Some("windows-1252"));
        let russian = encoding_rs::WINDOWS_1251.encode("Министр подписал договор").0;
        assert_eq!(name(&russian, "windows-1251"), Some("windows-1251"));
        assert_eq!(name(b"plain", "no such label"), None);
    }
}

//! The encodings that text may be in: those of the web, and the few of old computers that the web leaves out.
//!
//! In: a label such as `cp1256`, or bytes. Out: a [`Charset`], or characters. Which one bytes are in is told by `detect`.
//! The web's encodings are `encoding_rs`'s (WHATWG Encoding Standard), the others are tables of our own; UTF-32 is four
//! bytes a character.

use std::borrow::Cow;

use encoding_rs::Encoding;

use super::{Error, ibm, mac_arabic};

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// One that the web knows.
    Web(&'static Encoding),
    /// That of classic Mac OS for Arabic.
    MacArabic,
    /// The code page 720 of DOS.
    Ibm720,
    /// The code page 864 of DOS: shapes of letters rather than letters.
    Ibm864,
    /// UTF-32, least byte first.
    Utf32Le,
    /// UTF-32, greatest byte first.
    Utf32Be,
}

impl From<&'static Encoding> for Charset {
    fn from(encoding: &'static Encoding) -> Self {
        Self::Web(encoding)
    }
}

/// Returns the encoding of a label such as `cp1256` or `macarabic`.
///
/// # Errors
/// Where none has it.
pub fn by_label(label: &str) -> Result<Charset, Error> {
    let trimmed = label.trim();
    if let Some(encoding) = Encoding::for_label(trimmed.as_bytes()) {
        return Ok(Charset::Web(encoding));
    }
    let plain: String = trimmed.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "macarabic" | "xmacarabic" => Ok(Charset::MacArabic),
        "720" | "cp720" | "ibm720" | "dos720" => Ok(Charset::Ibm720),
        "864" | "cp864" | "ibm864" | "csibm864" => Ok(Charset::Ibm864),
        "utf32" | "utf32le" => Ok(Charset::Utf32Le),
        "utf32be" => Ok(Charset::Utf32Be),
        _ => Err(Error::UnknownLabel { label: label.to_owned() }),
    }
}

impl Charset {
    /// Returns its name: the WHATWG's where it has one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Web(encoding) => encoding.name(),
            Self::MacArabic => "MacArabic",
            Self::Ibm720 => "IBM720",
            Self::Ibm864 => "IBM864",
            Self::Utf32Le => "UTF-32LE",
            Self::Utf32Be => "UTF-32BE",
        }
    }

    /// Returns the encoding that a byte order mark stands for, and how long the mark is.
    pub(super) fn of_mark(bytes: &[u8]) -> Option<(Self, usize)> {
        // UTF-32's mark begins as UTF-16's does; a UTF-16 text that begins with U+0000 is none.
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => Some((Self::Utf32Le, 4)),
            [0, 0, 0xfe, 0xff, ..] => Some((Self::Utf32Be, 4)),
            _ => Encoding::for_bom(bytes).map(|(encoding, length)| (Self::Web(encoding), length)),
        }
    }

    /// Decodes bytes; what has no character becomes U+FFFD. A byte order mark is not looked for.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Web(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Self::MacArabic => eight_bit(bytes, &mac_arabic::UPPER).into(),
            Self::Ibm720 => eight_bit(bytes, &ibm::CP720).into(),
            Self::Ibm864 => eight_bit(bytes, &ibm::CP864).into(),
            Self::Utf32Le => four_byte(bytes, u32::from_le_bytes).into(),
            Self::Utf32Be => four_byte(bytes, u32::from_be_bytes).into(),
        }
    }

    /// Decodes bytes, or in the encoding of the byte order mark that they begin with.
    pub fn decode_marked(self, bytes: &[u8]) -> Cow<'_, str> {
        let (charset, length) = Self::of_mark(bytes).unwrap_or((self, 0));
        charset.decode(&bytes[length..])
    }
}

fn eight_bit(bytes: &[u8], upper: &[char; 128]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte.checked_sub(0x80) {
            Some(place) => upper[usize::from(place)],
            None => char::from(byte),
        })
        .collect()
}

fn four_byte(bytes: &[u8], number: fn([u8; 4]) -> u32) -> String {
    let (whole, rest) = bytes.as_chunks::<4>();
    let cut = (!rest.is_empty()).then_some('\u{fffd}');
    whole.iter().map(|&four| char::from_u32(number(four)).unwrap_or('\u{fffd}')).chain(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_web_and_of_old_computers_are_known() {
        for (label, name) in [
            ("cp1256", "windows-1256"),
            (" UTF-8 ", "UTF-8"),
            ("x-mac-arabic", "MacArabic"),
            ("MacArabic", "MacArabic"),
            ("IBM-864", "IBM864"),
            ("dos-720", "IBM720"),
            ("utf-32be", "UTF-32BE"),
        ] {
            assert_eq!(by_label(label).unwrap().name(), name, "{label}");
        }
        assert!(by_label("klingon").unwrap_err().to_string().contains("klingon"));
    }

    #[test]
    fn four_bytes_are_a_character_and_what_is_none_is_marked() {
        assert_eq!(Charset::Utf32Le.decode(&[0x27, 6, 0, 0, 0, 0, 0x11, 0, 7]), "ا\u{fffd}\u{fffd}");
        assert_eq!(Charset::Utf32Be.decode(&[0, 0, 6, 0x27]), "ا");
    }
}

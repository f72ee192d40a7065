//! `MacArabic`, the Arabic 8-bit encoding of classic Mac OS, which the web's standard and so `encoding_rs` leave out.
//!
//! In: bytes. Out: characters. Its upper half holds a second set of blanks, punctuation and figures for text from right to
//! left (A0 to BF, DB to DF, FB to FD); both sets stand for the same characters here, figures B0 to B9 for the
//! Arabic-Indic ones. Source: the mapping table ARABIC.TXT of the Unicode Consortium (VENDORS/APPLE).

/// The characters of the bytes 80 to FF.
#[rustfmt::skip]
pub(super) const UPPER: [char; 128] = [
    'Ä', '\u{a0}', 'Ç', 'É', 'Ñ', 'Ö', 'Ü', 'á', 'à', 'â', 'ä', 'ں', '«', 'ç', 'é', 'è',
    'ê', 'ë', 'í', '…', 'î', 'ï', 'ñ', 'ó', '»', 'ô', 'ö', '÷', 'ú', 'ù', 'û', 'ü',
    ' ', '!', '"', '#', '$', '٪', '&', '\'', '(', ')', '*', '+', '،', '-', '.', '/',
    '٠', '١', '٢', '٣', '٤', '٥', '٦', '٧', '٨', '٩', ':', '؛', '<', '=', '>', '؟',
    '❊', 'ء', 'آ', 'أ', 'ؤ', 'إ', 'ئ', 'ا', 'ب', 'ة', 'ت', 'ث', 'ج', 'ح', 'خ', 'د',
    'ذ', 'ر', 'ز', 'س', 'ش', 'ص', 'ض', 'ط', 'ظ', 'ع', 'غ', '[', '\\', ']', '^', '_',
    'ـ', 'ف', 'ق', 'ك', 'ل', 'م', 'ن', 'ه', 'و', 'ى', 'ي', '\u{64b}', '\u{64c}', '\u{64d}', '\u{64e}', '\u{64f}',
    '\u{650}', '\u{651}', '\u{652}', 'پ', 'ٹ', 'چ', 'ە', 'ڤ', 'گ', 'ڈ', 'ڑ', '{', '|', '}', 'ژ', 'ے',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_of_signs_are_the_same_characters_and_letters_stand_where_iso_8859_6_has_them() {
        for (byte, wanted) in [(0xa0, ' '), (0xa8, '('), (0xae, '.'), (0xba, ':'), (0xb0, '\u{660}'), (0xac, '،')] {
            assert_eq!(UPPER[byte - 0x80], wanted, "{byte:x}");
        }
        for byte in (0xc1..=0xdau8).chain(0xe0..=0xf2) {
            let (iso, _) = encoding_rs::ISO_8859_6.decode_without_bom_handling(std::slice::from_ref(&byte));
            assert_eq!(iso.chars().next(), Some(UPPER[usize::from(byte) - 0x80]), "{byte:x}");
        }
    }
}

//! What the head of a PDF says: weak facts.
//!
//! In: strings of the document information. Out: words. The date of creation is that of the file, not of the article: it is
//! not taken. Source: ISO 32000-1, 7.9.2.2 and 14.3.3.

/// Decodes a text string: UTF-16BE or UTF-8 with a mark, or else Latin.
pub(super) fn words(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        let units = rest.as_chunks::<2>().0.iter().map(|&two| u16::from_be_bytes(two));
        return char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    }
    let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(rest) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(rest).0.into_owned(),
    }
}

/// Returns a title that a person gave: not a file's name, nor a program's.
pub(super) fn title(bytes: &[u8]) -> Option<String> {
    let title = words(bytes).trim().to_owned();
    let lower = title.to_lowercase();
    let by_machine = lower.starts_with("untitled")
        || lower.starts_with("microsoft word")
        || lower.starts_with("about:")
        || [".doc", ".docx", ".indd", ".qxd", ".pdf", ".odt"].iter().any(|end| lower.ends_with(end));
    (!by_machine && title.chars().any(super::order::is_right)).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_by_people_are_taken() {
        assert_eq!(title(b"\xfe\xff\x06\x45\x06\x27\x06\x21").as_deref(), Some("ماء"));
        assert_eq!(title(b"Microsoft Word - Document1.doc"), None);
        assert_eq!(title("خبر.docx".as_bytes()), None);
    }
}

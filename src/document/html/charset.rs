//! The encoding that a page declares of itself.
//!
//! In: the bytes of a page. Out: a label (WHATWG, "13.2.3.2 Determining the character encoding"). Whether the bytes bear it
//! out is [`crate::source::encoding`]'s.

/// How far into a page its declaration may stand; the standard asks for 1,024 bytes, real pages need more.
const REACH: usize = 8 * 1024;

/// Returns the label of the encoding that a page declares: in a meta tag or in an XML declaration.
pub(super) fn declared(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(REACH)]).to_ascii_lowercase();
    let xml = head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let xml = xml.and_then(|(declaration, _)| label(declaration.split_once("encoding")?.1));
    xml.or_else(|| head.split("<meta").skip(1).find_map(|rest| label(rest.split('>').next()?.split_once("charset")?.1)))
}

/// Reads `= "label"`.
fn label(text: &str) -> Option<String> {
    let text = text.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end =
        text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))).unwrap_or(text.len());
    Some(text[..end].to_owned()).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::encoding;

    #[test]
    fn declarations_are_found_in_their_shapes() {
        for (page, wanted) in [
            ("<meta charset=utf-8>", Some("utf-8")),
            ("<META HTTP-EQUIV='Content-type' CONTENT='text/html; charset=ISO-8859-6'>", Some("iso-8859-6")),
            ("<?xml version='1.0' encoding=\"windows-1256\"?><html>", Some("windows-1256")),
            ("<meta name=description content=x><meta charset = \"x-user\">", Some("x-user")),
            ("<p>charset=utf-8</p>", None),
        ] {
            assert_eq!(declared(page.as_bytes()).as_deref(), wanted, "{page}");
        }
    }

    #[test]
    fn a_declaration_that_the_bytes_contradict_loses() {
        let read = |bytes: &[u8]| encoding::decode(bytes, None, declared(bytes).as_deref()).unwrap();
        let text =
            "<meta charset=windows-1252><p>قال وزير الخارجية في مؤتمر صحفي إن البلدين اتفقا على فتح المعبر الحدودي</p>";
        let decoded = read(&encoding_rs::WINDOWS_1256.encode(text).0);
        assert_eq!((decoded.encoding, decoded.text.as_str()), ("windows-1256", text));
        let text = text.replace("1252", "1256");
        assert_eq!(read(text.as_bytes()).encoding, "UTF-8");
    }
}

//! Files that hold no article, or none that can be read, told by their first bytes: with advice where there is any.
//!
//! In: the first bytes and the extension. Out: why it is not read. Sources: the magic numbers of each format's own
//! specification; [MS-CFB] 2.2 and [MS-OFFCRYPTO] 1.3 for documents of Office before 2007, and for locked ones.

use super::super::Why;

/// Returns why a file is not read whose first bytes are known to be those of something else.
pub(super) fn refused(head: &[u8], extension: &str) -> Option<Why> {
    let not_read = |what: &str, advice| Some(Why::NotRead { what: what.to_owned(), advice });
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let says = |name: &str| {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            head.windows(wide.len()).any(|here| here == wide)
        };
        // Office puts a document that is locked into such a container, with its new name.
        let new = matches!(extension, "docx" | "docm" | "dotx" | "xlsx" | "pptx");
        if says("EncryptedPackage") || (new && !says("WordDocument")) {
            return Some(Why::Encrypted);
        }
        return match extension {
            "xls" | "xlt" => not_read("an old binary Excel file (.xls, OLE2)", Some("save it as .csv")),
            "ppt" | "pps" => not_read("an old binary PowerPoint file (.ppt, OLE2)", Some("save it as .pdf")),
            "msg" => not_read("an Outlook message (.msg, OLE2)", Some("save it as .eml or .html")),
            _ => not_read("an old binary Word file (.doc, OLE2)", Some("save it as .docx")),
        };
    }
    const UNPACK: Option<&str> = Some("unpack it first");
    const KNOWN: &[(&[u8], &str, Option<&str>)] = &[
        (b"\x89PNG", "an image (PNG)", None),
        (b"\xff\xd8\xff", "an image (JPEG)", None),
        (b"GIF8", "an image (GIF)", None),
        (b"BZh", "packed with bzip2", UNPACK),
        (b"\xfd7zXZ", "packed with xz", UNPACK),
        (b"\x28\xb5\x2f\xfd", "packed with zstd", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
        (b"\x7fELF", "a program", None),
        (b"MZ\x90\0", "a program", None),
        (b"GGUF", "a model", None),
        (b"OggS", "sound", None),
        (b"ID3", "sound", None),
        (b"SQLite format 3\0", "a database", None),
    ];
    let known = KNOWN.iter().find(|(start, ..)| head.starts_with(start));
    if let Some(&(_, what, advice)) = known {
        return not_read(what, advice);
    }
    if head.get(4..8) == Some(b"ftyp") {
        return not_read("a film or an image (MP4, HEIF)", None);
    }
    if head.starts_with(b"RIFF") && head.len() > 12 {
        return not_read(if &head[8..12] == b"WEBP" { "an image (WebP)" } else { "sound or film" }, None);
    }
    None
}

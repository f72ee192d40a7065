//! What a zip holds, told by its members: a document in parts, or files.
//!
//! In: the directory of a zip. Out: a [`Told`], or why it is not read. Sources: APPNOTE 4.3.7 (a member's header), ECMA-376
//! part 2, OPF 3.3 and ODF 1.3 part 2 (`mimetype`).

use std::io::{Read, Seek};

use super::super::Why;
use super::super::kind::{Container, Content, Kind};
use super::{Told, extension, judged};

/// A zip with more members than this is an archive: no document has so many, and they need not be listed to know it.
const MAX_DOCUMENT_MEMBERS: usize = 20_000;

/// Tells what a zip holds: a document in parts, or files.
///
/// # Errors
/// Where it is a document of a kind that is not read.
pub(in super::super) fn tell_zip<R: Read + Seek>(name: &str, head: &[u8], input: R) -> Result<Told, Why> {
    let extension = extension(name);
    let by_name = Content::of_extension(&extension);
    let found = match zip::ZipArchive::new(input) {
        Ok(mut archive) if archive.len() <= MAX_DOCUMENT_MEMBERS => by_members(&mut archive)?,
        Ok(_) => Content::Container(Container::Zip),
        // Its directory is broken: its first member says which reader is to say so.
        Err(_) => match first_member(head).as_deref() {
            Some("[Content_Types].xml" | "_rels/.rels" | "word/document.xml") => Content::Article(Kind::Docx),
            Some("mimetype") => mimetype(first_words(head)).unwrap_or(Ok(Content::Container(Container::Zip)))?,
            _ => Content::Container(Container::Zip),
        },
    };
    Ok(judged(found, by_name, &extension))
}

/// Returns the name of the member that a zip begins with.
fn first_member(head: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes([*head.get(26)?, *head.get(27)?]));
    Some(String::from_utf8_lossy(head.get(30..30 + length)?).into_owned())
}

/// Returns the bytes of the member that a zip begins with, where it is stored as it is.
fn first_words(head: &[u8]) -> &[u8] {
    let field = |at: usize| head.get(at..at + 2).map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    head.get(30 + field(26) + field(28)..).unwrap_or_default()
}

/// Tells an EPUB and the kinds of OpenDocument by the member that says what they are.
fn mimetype(words: &[u8]) -> Option<Result<Content, Why>> {
    let known = |kind: &str| words.starts_with(kind.as_bytes());
    if known("application/epub+zip") {
        return Some(Ok(Content::Article(Kind::Epub)));
    }
    if known("application/vnd.oasis.opendocument.text") {
        return Some(Ok(Content::Article(Kind::Odt)));
    }
    known("application/vnd.oasis.opendocument.").then(|| {
        let what = "an OpenDocument file that is no text".to_owned();
        Err(Why::NotRead { what, advice: Some("save it as .odt, .csv or .pdf") })
    })
}

fn by_members<R: Read + Seek>(archive: &mut zip::ZipArchive<R>) -> Result<Content, Why> {
    if let Some(index) = archive.index_for_name("mimetype") {
        let mut words = Vec::new();
        // What cannot be read says nothing.
        if let Ok(member) = archive.by_index(index) {
            let _ = member.take(100).read_to_end(&mut words);
        }
        if let Some(told) = mimetype(&words) {
            return told;
        }
    }
    let has = |archive: &zip::ZipArchive<R>, lead: &[u8]| archive.file_names_raw().any(|name| name.starts_with(lead));
    if has(archive, b"[Content_Types].xml") {
        let other = |what: &str, advice| Err(Why::NotRead { what: what.to_owned(), advice: Some(advice) });
        if has(archive, b"xl/") {
            return other("an Excel file (.xlsx)", "save it as .csv");
        }
        if has(archive, b"ppt/") {
            return other("a PowerPoint file (.pptx)", "save it as .pdf");
        }
        return Ok(Content::Article(Kind::Docx));
    }
    let document = has(archive, b"word/document.xml") && has(archive, b"_rels/.rels");
    if document {
        return Ok(Content::Article(Kind::Docx));
    }
    if has(archive, b"META-INF/container.xml") {
        return Ok(Content::Article(Kind::Epub));
    }
    let odt = has(archive, b"content.xml") && has(archive, b"META-INF/manifest.xml");
    Ok(if odt { Content::Article(Kind::Odt) } else { Content::Container(Container::Zip) })
}

//! What hangs on a message: read where it may be the article, named where it is not read; and whether the message is whole.
//!
//! In: a message. Out: the documents of its attachments, and words for the user about the others. Which of all texts is the
//! article is decided in [`super`]. Sources: RFC 2045, RFC 2046 5.1 (the mark that ends parts), RFC 2183.

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use super::super::{self as document, Document, Error, ReadOptions};
use super::{MAX_PARTS, article};
use crate::source::{Kind, SourceFile};

/// The most attachments that are read to find the article, in messages on messages too.
const MAX_ATTACHMENTS: usize = 20;

/// How deep messages may hang on messages.
const MAX_MESSAGES: usize = 4;

/// Reads what hangs on and may be an article.
pub(super) fn read(
    message: &Message<'_>,
    file: &SourceFile,
    options: &ReadOptions<'_>,
    depth: usize,
    opened: &mut usize,
    found: &mut Vec<(Document, String)>,
    unread: &mut Vec<String>,
) {
    for part in message.attachments().take(MAX_PARTS) {
        let name = shown(part.attachment_name().unwrap_or("without a name"));
        if *opened >= MAX_ATTACHMENTS {
            unread.push(format!("more than {MAX_ATTACHMENTS} attachments; those after them were not read"));
            return;
        }
        if let PartType::Message(inner) = &part.body {
            *opened += 1;
            if depth >= MAX_MESSAGES {
                unread.push(format!("messages hang on messages more than {MAX_MESSAGES} deep"));
            } else if let Ok(document) = article(inner, file, options, depth + 1, opened) {
                found.push((document, shown(inner.subject().unwrap_or("a message"))));
            }
            continue;
        }
        let Some(kind) = kind(part, &name) else {
            unread.extend(
                named(part).map(|name| format!("the attachment {name} is of a kind that is not read in mails")),
            );
            continue;
        };
        *opened += 1;
        let Ok(mut attached) = SourceFile::from_bytes(&file.path, kind, part.contents().to_vec()) else { continue };
        attached.part = Some(match &file.part {
            Some(part) => format!("{part}: {name}"),
            None => name.clone(),
        });
        match document::read(&attached, options) {
            Ok(document) => found.push((document, name)),
            Err(Error::NoArticle { .. }) => unread.push(format!("the attachment {name} holds no article")),
            Err(error) => unread.push(format!("the attachment {name} cannot be read: {}", reason(&error))),
        }
    }
}

fn reason(error: &Error) -> String {
    match error {
        Error::Faulty { source, .. } => source.to_string(),
        Error::NotText { source, .. } => source.to_string(),
        error => error.to_string(),
    }
}

/// Returns what an attachment is: by its first bytes, then its name, then what the message calls it.
fn kind(part: &MessagePart<'_>, name: &str) -> Option<Kind> {
    let bytes = part.contents();
    if bytes.starts_with(b"{\\rtf") {
        return Some(Kind::Rtf);
    }
    if bytes.starts_with(b"%PDF-") {
        return Some(Kind::Pdf);
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let called = part
        .content_type()
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase())
        .unwrap_or_default();
    let zipped = bytes.starts_with(b"PK\x03\x04");
    Some(match (extension.as_str(), called.as_str()) {
        ("docx" | "docm", _) | ("", "application/vnd.openxmlformats-officedocument.wordprocessingml.document") => {
            Kind::Docx
        }
        // An old Word file is refused by its reader in words.
        ("doc", _) | (_, "application/msword") => Kind::Docx,
        ("odt", _) | (_, "application/vnd.oasis.opendocument.text") => Kind::Odt,
        ("epub", _) | (_, "application/epub+zip") => Kind::Epub,
        _ if zipped => return None,
        ("html" | "htm" | "xhtml", _) | ("", "text/html") => Kind::Html,
        ("md" | "markdown", _) => Kind::Markdown,
        ("txt", _) | ("", "text/plain") => Kind::Text,
        ("srt" | "vtt", _) => Kind::Subtitles,
        _ => return None,
    })
}

/// Says that an attachment was not read because another text of the message is its article.
pub(super) fn beside(name: &str) -> String {
    format!("the attachment {name} was not read: of a mail one text is read; save the attachment to have it read too")
}

/// Returns what an attachment is called that may hold a text; `None` for pictures, sound, signatures.
pub(super) fn named(part: &MessagePart<'_>) -> Option<String> {
    let called = part.content_type().map_or_else(String::new, |kind| kind.ctype().to_ascii_lowercase());
    let subtype = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default().to_ascii_lowercase();
    let other = matches!(called.as_str(), "image" | "audio" | "video" | "font")
        || subtype.ends_with("signature")
        || matches!(subtype.as_str(), "pgp-keys" | "calendar" | "vcard" | "x-vcard" | "ms-tnef");
    let named = match &part.body {
        PartType::Message(inner) => inner.subject().or_else(|| part.attachment_name()),
        _ => part.attachment_name(),
    };
    (!other).then(|| shown(named.unwrap_or("without a name")))
}

/// Writes a name as it can stand in a message.
fn shown(name: &str) -> String {
    crate::source::printable(name)
}

/// Says that a message breaks off: the mark that ends its parts is not there, or what is packed has no whole end.
pub(super) fn broken_off(message: &Message<'_>) -> Option<String> {
    let raw = message.raw_message.as_ref();
    let says = || Some("the message breaks off before its end; what is missing is not read".to_owned());
    let root = message.parts.first()?;
    if let Some(boundary) = root.content_type().and_then(|kind| kind.attribute("boundary")) {
        let end = format!("--{boundary}--");
        let found = raw.len() >= end.len() && raw.windows(end.len()).rev().any(|here| here == end.as_bytes());
        return if found { None } else { says() };
    }
    let packing = root.content_transfer_encoding()?.trim().to_ascii_lowercase();
    let (start, end) = (usize::try_from(root.offset_body).ok()?, usize::try_from(root.offset_end).ok()?);
    let bytes = raw.get(start..end)?;
    let last = bytes.trim_ascii_end();
    match packing.as_str() {
        // Four letters stand for three bytes.
        "base64" => {
            let letters = bytes.iter().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).count();
            if letters % 4 == 0 { None } else { says() }
        }
        // An end of a line that is none, or half a letter.
        "quoted-printable" if last.ends_with(b"=") || last[last.len().saturating_sub(2)..].starts_with(b"=") => says(),
        _ => None,
    }
}

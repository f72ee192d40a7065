//! The reader of web pages that were saved with their parts in one file: MHTML, as Chrome, Edge, Internet Explorer and Word
//! write it.
//!
//! In: a `multipart/related` message (RFC 2557). Out: the [`Document`] of its page. The message is mail-parser's to take
//! apart; which part is the page (the one that `start` names, or the address it was saved from, else the first) is decided
//! here, and its bytes go to the reader of pages, which knows encodings better than a header does.

use std::panic::catch_unwind;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders};

use super::{Document, Error, ReadOptions, Reader, html};
use crate::source::{Kind, SourceFile};

/// The most parts of a message that are looked at: pictures and style sheets come by the hundred, not by the million.
const MAX_PARTS: usize = 5_000;

/// Reads MHTML.
#[derive(Debug, Clone, Copy, Default)]
pub struct MhtmlReader;

impl Reader for MhtmlReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Mhtml]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let none = |detail: &str| Error::NoPage { path: file.path.clone(), detail: detail.to_owned() };
        // The parser is written against hostile mail; a panic of it must not end a run over a folder all the same.
        let page = catch_unwind(|| page(&file.bytes)).map_err(|_| none("its parts cannot be told apart"))?;
        let (root, frames) = page.ok_or_else(|| none("none of its parts is HTML"))?;
        let (bytes, charset) = root.ok_or_else(|| none("its page cannot be decoded"))?;
        let mut sheet = html::sheet(&bytes, charset.as_deref(), options)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        sheet.warnings.extend(html::frames(&sheet, &frames, options));
        Document::of_sheet(sheet, &file.path, options)
    }
}

/// The bytes of a page, and the encoding that its part's header names.
type Page = (Vec<u8>, Option<String>);

/// Returns the page, if it can be decoded, and its frames.
fn page(bytes: &[u8]) -> Option<(Option<Page>, Vec<Page>)> {
    let message = MessageParser::default().parse(bytes)?;
    let pages: Vec<&MessagePart<'_>> = message.parts.iter().take(MAX_PARTS).filter(|part| is_html(part)).collect();
    let root = pages.iter().position(|part| is_root(&message, part)).unwrap_or(0);
    let decoded = |part: &MessagePart<'_>| {
        let raw = bytes.get(part.offset_body as usize..part.offset_end as usize)?;
        let decoded = match part.encoding {
            Encoding::None => raw.to_vec(),
            Encoding::QuotedPrintable => quoted_printable_decode(raw)?,
            Encoding::Base64 => base64_decode(raw)?,
        };
        Some((decoded, part.content_type().and_then(|kind| kind.attribute("charset")).map(str::to_owned)))
    };
    let frames = pages.iter().enumerate().filter(|&(at, _)| at != root).take(html::MAX_FRAMES);
    let frames = frames.filter_map(|(_, part)| decoded(part)).collect();
    Some((decoded(pages.get(root)?), frames))
}

fn is_html(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        let inner = kind.subtype().unwrap_or_default();
        (kind.ctype().eq_ignore_ascii_case("text") && inner.eq_ignore_ascii_case("html"))
            || inner.eq_ignore_ascii_case("xhtml+xml")
    })
}

/// Returns whether a part is the one that the message says it is of.
fn is_root(message: &Message<'_>, part: &MessagePart<'_>) -> bool {
    let bare = |id: &str| id.trim().trim_matches(['<', '>']).to_owned();
    let start = message.content_type().and_then(|kind| kind.attribute("start")).map(bare);
    if let Some(start) = start {
        return part.content_id().map(bare) == Some(start);
    }
    let saved = message.header_raw("Snapshot-Content-Location").or_else(|| message.header_raw("Content-Location"));
    saved.is_some_and(|saved| part.content_location().map(str::trim) == Some(saved.trim()))
}

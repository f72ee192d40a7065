//! The reader of plain text: a page saved or copied as text, in any encoding.
//!
//! In: the bytes of a text file. Out: a [`Document`]. Decoding is [`crate::source::encoding`]'s, finding the article among
//! the lines is `page`'s, sentences are [`super::segment`]'s.

use super::line::lines;
use super::{Document, Error, ReadOptions, Reader, page};
use crate::arabic::letters::{CLEANING, apply};
use crate::source::{Kind, SourceFile, encoding};

/// Reads plain text.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextReader;

impl Reader for TextReader {
    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let decoded = encoding::decode(&file.bytes, options.encoding)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        let mut text = decoded.text.replace("\r\n", "\n");
        text = apply(&text, CLEANING);
        text.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'));
        let page = page::extract(&lines(&text));
        let mut document =
            Document::assemble(page, &options.segments).ok_or_else(|| Error::NoArticle { path: file.path.clone() })?;
        document.encoding = decoded.encoding.to_owned();
        if decoded.undecodable > 0 {
            document
                .warnings
                .push(format!("{} characters cannot be decoded as {}", decoded.undecodable, decoded.encoding));
        }
        Ok(document)
    }
}

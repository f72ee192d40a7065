//! The reader of plain text: a page saved or copied as text, in any encoding.
//!
//! In: the bytes of a text file. Out: a [`Document`]. Lines that were broken at a width are joined (`wrap`). Decoding is [`crate::source::encoding`]'s, finding the article among
//! the lines is `page`'s, sentences are [`super::segment`]'s.

use super::line::lines;
use super::line::wrap::mended;
use super::{Declared, Document, Error, ReadOptions, Reader, Sheet};
use crate::arabic::letters::apply;
use crate::source::{Kind, SourceFile, encoding};

/// Reads plain text.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextReader;

impl Reader for TextReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let decoded = encoding::decode(&file.bytes, options.encoding, None)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        let mut text = decoded.text.replace("\r\n", "\n");
        text = apply(&text, options.rules());
        text.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'));
        let encoding = decoded.encoding.to_owned();
        let sheet =
            Sheet { lines: lines(&mended(&text)), declared: Declared::default(), encoding, warnings: decoded.warnings };
        Document::of_sheet(sheet, &file.path, options)
    }
}

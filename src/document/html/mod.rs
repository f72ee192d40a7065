//! The reader of web pages: a saved page becomes lines of which the page's own structure says what they are.
//!
//! In: the bytes of a page. Out: a [`Document`]. Each file here has one step: [`charset`] bytes to text, [`parse`] text to a
//! [`dom`], [`runs`] its words line by line, [`facts`] and [`json`] what it declares, [`content`] where the article's text
//! is, [`sheet`] the lines with what they are. Telling the parts of the article apart from these is [`super::page`]'s, as
//! for all formats.

mod charset;
mod class;
mod content;
mod dom;
mod facts;
mod headline;
mod json;
mod parse;
mod runs;
mod sheet;
mod table;

use super::{Document, Error, ReadOptions, Reader, Sheet};
use crate::source::{Kind, SourceFile};

/// Reads saved web pages.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlReader;

impl Reader for HtmlReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Html]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let sheet = sheet(&file.bytes, None, options)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

/// Reads a page; `charset` is what its envelope says of its encoding.
pub(super) fn sheet(
    bytes: &[u8],
    charset: Option<&str>,
    options: &ReadOptions<'_>,
) -> Result<Sheet, crate::source::encoding::Error> {
    let decoded = charset::decode(bytes, options.encoding, charset)?;
    let mut sheet = of_text(&decoded.text, options);
    if decoded.undecodable > 0 {
        sheet.warnings.insert(
            0,
            format!("{} characters cannot be decoded as {}", decoded.undecodable, decoded.encoding),
        );
    }
    sheet.encoding = decoded.encoding.to_owned();
    Ok(sheet)
}

/// Reads the text of a page, or a piece of one.
pub(super) fn of_text(text: &str, options: &ReadOptions<'_>) -> Sheet {
    let parsed = parse::parse(text);
    let mut sheet = sheet::sheet(&parsed.dom, options.rules());
    if parsed.cut {
        sheet.warnings.push(format!(
            "the page has more than {} elements and pieces of text; what comes after them was not read",
            parse::MAX_NODES
        ));
    }
    sheet
}

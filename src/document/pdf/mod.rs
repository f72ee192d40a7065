//! The reader of PDF files with a text layer.
//!
//! In: the bytes of a PDF. Out: a [`Document`]. A PDF says where glyphs stand, not what is a line or a paragraph: `draw`
//! collects glyphs with their places, `turn` lays the lines flat, `lines` puts them in rows, `order` turns Arabic rows into the order of reading,
//! `layout` tells columns and tables, `flow` paragraphs and what is the paper's. Files are opened by hayro-syntax; scans are
//! not read, and said to be none. Source: ISO 32000-1.

mod cmap;
mod draw;
mod facts;
mod flow;
mod font;
mod glyph_names;
mod layout;
mod lines;
mod order;
mod stamp;
mod streams;
mod text;
mod turn;

use super::line::{Hint, Line};
use super::{Declared, Document, ReadOptions, Reader, Sheet};
use crate::arabic::letters::{CLEANING, apply};
use crate::source::{Kind, SourceFile};

/// Why a PDF gives no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be opened.
    #[error("a damaged PDF: {0}")]
    Damaged(String),
    /// It asks for a password.
    #[error("a locked PDF: it opens only with a password; save it without one")]
    Locked,
    /// It is encrypted in a way that is not known.
    #[error("a PDF that is encrypted in a way mujaz does not know")]
    Encryption,
    /// No page has text.
    #[error("a PDF without text: {}; it has to be read by OCR first", silent(*pictures, *pages))]
    NoText {
        /// Pages that are pictures.
        pictures: usize,
        /// All pages.
        pages: usize,
    },
    /// All that its pages say is at their heads and feet.
    #[error("a PDF with only running heads and numbers of pages: no line of its own is on any page")]
    OnlyHeads,
    /// The text is there, but not which letters it is made of.
    #[error(
        "a PDF whose text layer is garbage: its fonts do not say which letters their glyphs are; print it anew, or read it by OCR"
    )]
    Garbage,
    /// It makes more work than a document does.
    #[error("a PDF beyond what is read: {0}")]
    Limit(String),
}

fn silent(pictures: usize, pages: usize) -> String {
    match (pictures, pages) {
        (0, _) => "its pages are blank".to_owned(),
        (1, 1) => "its page is a picture".to_owned(),
        (pictures, pages) => format!("{pictures} of its {pages} pages are pictures, the rest is blank"),
    }
}

/// Reads PDF files.
#[derive(Debug, Clone, Copy, Default)]
pub struct PdfReader;

impl Reader for PdfReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Pdf]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, super::Error> {
        let read = text::read(&file.bytes).map_err(|source| super::Error::Pdf { path: file.path.clone(), source })?;
        let lines = read.blocks.iter().filter_map(|block| {
            let hint = match block.look {
                flow::Look::Title => Hint::Title,
                flow::Look::Heading => Hint::Heading,
                flow::Look::Paragraph => Hint::Paragraph,
                flow::Look::ListItem => Hint::ListItem,
                flow::Look::TableRow => Hint::TableRow,
            };
            let text = apply(&block.text, CLEANING);
            (!text.trim().is_empty()).then(|| Line::hinted(&text, hint))
        });
        let declared = Declared { title: read.title.map(|title| apply(&title, CLEANING)), ..Declared::default() };
        let sheet = Sheet { lines: lines.collect(), declared, encoding: "PDF".to_owned(), warnings: read.warnings };
        let mut document = Document::of_sheet(sheet, &file.path, options)?;
        document.furniture.extend(read.furniture);
        Ok(document)
    }
}

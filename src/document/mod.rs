//! 2. A [`SourceFile`] becomes a [`Document`]: what the author wrote, each part named, and
//!    nothing that the site added.
//!
//! In: bytes of a known kind. Out: the extracted text, its blocks and facts ([`Meta`]), the segments, and the furniture
//! that was left out (kept for audit, never given to a model). Translating is left to later stages.

mod caption;
pub mod clause;
mod credit;
mod furniture;
mod headline;
mod line;
mod outlet;
mod page;
mod publisher;
mod repeat;
pub mod segment;
mod summary_box;
pub mod text;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::source::{Kind, SourceFile, encoding};
use crate::span::Span;
use segment::SegmentOptions;

/// Reads files of one kind. A new format is a new reader in a file of its own and a line in [`READERS`].
pub trait Reader: Sync {
    /// Returns the kind of file it reads.
    fn kind(&self) -> Kind;

    /// Reads a file.
    ///
    /// # Errors
    /// Where the bytes are not of its kind, or hold no article.
    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error>;
}

/// All readers.
pub const READERS: &[&dyn Reader] = &[&text::TextReader];

/// How files are read.
#[derive(Default)]
pub struct ReadOptions<'c> {
    /// The encoding of text, where the user named one (see [`encoding::by_label`]); else it is detected.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// How sentences are cut.
    pub segments: SegmentOptions<'c>,
}

/// Why a file gives no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not text.
    #[error("{}: cannot be read as text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: encoding::Error,
    },
    /// There is text, but no article in it.
    #[error("{}: no article in it, only white space or what a site adds", path.display())]
    NoArticle {
        /// The file.
        path: PathBuf,
    },
    /// No reader takes files of this kind.
    #[error("{}: no reader for {kind:?} files", path.display())]
    NoReader {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: Kind,
    },
}

/// Reads a file with the reader of its kind.
///
/// # Errors
/// Where it is not what its kind says, or holds no article.
pub fn read(file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
    let reader = READERS.iter().find(|reader| reader.kind() == file.kind);
    let reader = reader.ok_or_else(|| Error::NoReader { path: file.path.clone(), kind: file.kind })?;
    reader.read(file, options)
}

/// Numbers a block within its document, in reading order from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlockId(pub u32);

/// Numbers a segment within its document, in reading order from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentId(pub u32);

/// What part of an article a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockKind {
    /// The headline.
    Title,
    /// The lines between the headline and the body that sum the article up.
    Standfirst,
    /// The words under a picture.
    Caption,
    /// A sentence of the article set apart by the site.
    PullQuote,
    /// One point of the publisher's own summary box.
    PublisherSummary,
    /// A heading within the body.
    Subheading,
    /// A paragraph of the body.
    Paragraph,
}

/// A block of the extracted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number.
    pub id: BlockId,
    /// Its part in the article.
    pub kind: BlockKind,
    /// Its bytes in [`Document::text`].
    pub span: Span,
}

/// A sentence or a part of a very long one: the unit of translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number.
    pub id: SegmentId,
    /// The block it is part of.
    pub block: BlockId,
    /// Its bytes in [`Document::text`], without white space at either end.
    pub span: Span,
}

/// A date of publication with the words it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedDate {
    /// The day.
    pub iso: jiff::civil::Date,
    /// The words on the page, as they stand there.
    pub words: String,
}

/// Facts about the article that are not part of its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Who wrote it, in Arabic.
    pub byline: Option<String>,
    /// Who published it, in Arabic: the outlet or the agency.
    pub publisher: Option<String>,
    /// The place (or agency) that opens the first paragraph of wire copy: "الجزائر–".
    pub dateline: Option<String>,
    /// When it was published, where the article itself says so.
    pub date: Option<StatedDate>,
}

/// An article: what the author wrote, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The extracted text: blocks in reading order, an empty line between two.
    pub text: String,
    /// Facts about the article.
    pub meta: Meta,
    /// The blocks, in order; spans do not overlap.
    pub blocks: Vec<Block>,
    /// The segments of all blocks, in order; together they cover every block's words.
    pub segments: Vec<Segment>,
    /// Lines of the page that the site added, in order: breadcrumbs, related links, forms, counters. Never translated.
    pub furniture: Vec<String>,
    /// The encoding the bytes were read in, as its WHATWG name: `UTF-8`, `windows-1256`.
    pub encoding: String,
    /// What a user should know about the reading: characters that could not be decoded.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl Document {
    /// Puts the parts of a page together: text, spans, segments. `None` where there is no word in them.
    fn assemble(page: page::Page, options: &SegmentOptions<'_>) -> Option<Self> {
        let mut text = String::new();
        let mut blocks: Vec<Block> = Vec::new();
        for (kind, words) in page.blocks.iter().filter(|(_, words)| !words.trim().is_empty()) {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            let start = text.len();
            text.push_str(words.trim());
            let id = BlockId(u32::try_from(blocks.len()).unwrap_or(u32::MAX));
            blocks.push(Block { id, kind: *kind, span: Span::new(start, text.len()) });
        }
        if !text.chars().any(char::is_alphanumeric) {
            return None;
        }
        let segments = segment::segments(&text, &blocks, options);
        let (meta, furniture) = (page.meta, page.furniture);
        Some(Self { text, meta, blocks, segments, furniture, encoding: String::new(), warnings: Vec::new() })
    }

    /// Returns the words of all blocks of one kind, in order.
    pub fn texts_of(&self, kind: BlockKind) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(move |b| b.kind == kind).map(|b| self.block_text(b))
    }

    /// Returns the text of a block.
    pub fn block_text(&self, block: &Block) -> &str {
        block.span.of(&self.text)
    }

    /// Returns the text of a segment.
    pub fn segment_text(&self, segment: &Segment) -> &str {
        segment.span.of(&self.text)
    }

    /// Returns the headline, where one was found.
    pub fn title(&self) -> Option<&str> {
        self.blocks.iter().find(|b| b.kind == BlockKind::Title).map(|b| self.block_text(b))
    }

    /// Returns the segments of one block, in order.
    pub fn segments_of(&self, block: BlockId) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |s| s.block == block)
    }
}

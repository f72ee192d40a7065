//! 2. A [`SourceFile`] becomes a [`Document`]: what the author wrote, each part named, and
//!    nothing that the site added.
//!
//! In: bytes of a known kind. Out: the extracted text, its blocks and facts ([`Meta`]), the segments, and the furniture
//! that was left out (kept for audit, never given to a model). Translating is left to later stages.

mod caption;
pub mod clause;
mod credit;
pub mod docx;
mod doubt;
pub mod email;
pub mod epub;
mod error;
mod fault;
mod flow;
mod furniture;
mod headline;
pub mod html;
pub mod language;
mod line;
pub mod markdown;
mod mhtml;
pub mod moments;
mod names;
pub mod odt;
mod outlet;
mod package;
mod page;
pub mod pdf;
mod publisher;
pub mod record;
mod repeat;
pub mod rtf;
pub mod segment;
mod stated;
pub mod subtitles;
mod summary_box;
pub mod text;
mod webarchive;
mod xml;

use serde::{Deserialize, Serialize};

use crate::arabic::letters;
use crate::arabic::words::is_letter;
use crate::source::{Kind, SourceFile, encoding};
use crate::span::Span;
use doubt::Lost;
pub use error::Error;
pub use fault::Fault;
use language::Language;
use moments::TextDate;
use segment::SegmentOptions;

/// Reads files of one kind. A new format is a new reader in a file of its own and a line in [`READERS`].
pub trait Reader: Sync {
    /// Returns the kinds of files it reads.
    fn kinds(&self) -> &'static [Kind];

    /// Reads a file.
    ///
    /// # Errors
    /// Where the bytes are not of its kind, or hold no article.
    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error>;
}

/// All readers.
pub const READERS: &[&dyn Reader] = &[
    &text::TextReader,
    &html::HtmlReader,
    &mhtml::MhtmlReader,
    &webarchive::WebarchiveReader,
    &markdown::MarkdownReader,
    &docx::DocxReader,
    &odt::OdtReader,
    &epub::EpubReader,
    &rtf::RtfReader,
    &email::EmailReader,
    &subtitles::SubtitleReader,
    &pdf::PdfReader,
    &record::RecordReader,
];

/// How files are read.
#[derive(Default)]
pub struct ReadOptions<'c> {
    /// The encoding of text, where the user named one (see [`encoding::by_label`]); else it is detected.
    pub encoding: Option<encoding::Charset>,
    /// How the letters of the text are cleaned; where none are named, by [`letters::CLEANING`].
    pub cleaning: Option<Vec<letters::Rule>>,
    /// How sentences are cut.
    pub segments: SegmentOptions<'c>,
    /// Whether every text is read as Arabic, whatever language it seems to be in.
    pub force_language: bool,
}

impl ReadOptions<'_> {
    /// Returns the rules that the letters of the text are cleaned by.
    pub fn rules(&self) -> &[letters::Rule] {
        self.cleaning.as_deref().unwrap_or(letters::CLEANING)
    }
}

/// Reads a file with the reader of its kind.
///
/// # Errors
/// Where it is not what its kind says, or holds no article.
pub fn read(file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
    let reader = READERS.iter().find(|reader| reader.kinds().contains(&file.kind));
    let reader = reader.ok_or_else(|| Error::NoReader { path: file.path.clone(), kind: file.kind })?;
    let mut document = reader.read(file, options)?;
    // What the file's name says against its bytes comes before what the reader found.
    document.warnings.splice(0..0, file.warnings.iter().cloned());
    Ok(document)
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
    /// A point of a list, without its bullet.
    ListItem,
    /// The cells of a row of a table, joined by ` | `.
    TableRow,
    /// Words of somebody else that the author set apart.
    Quote,
}

impl BlockKind {
    /// Returns whether a block is running text of the body: what is numbered in a note, and what a summary rests on.
    pub fn is_body(self) -> bool {
        matches!(self, Self::Paragraph | Self::ListItem | Self::Quote)
    }

    /// Returns what stands between two segments of such a block.
    pub fn separator(self) -> &'static str {
        if self == Self::TableRow { CELLS } else { " " }
    }
}

/// What stands between the cells of a row of a table.
pub const CELLS: &str = " | ";

/// A block of the extracted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number.
    pub id: BlockId,
    /// Its part in the article.
    pub kind: BlockKind,
    /// Its bytes in [`Document::text`].
    pub span: Span,
    /// What language it is in. Only Arabic blocks are translated; English ones stand as they are, others are flagged.
    #[serde(default)]
    pub language: Language,
    /// When the page says that the entry was written which this block opens, in a running report: the moment with its offset
    /// from UTC where it states one (RFC 3339), else its words. It is no part of the text, and not translated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
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
    /// The moment with its offset from UTC, where the page states one: `2024-03-12T18:30:00+01:00` (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
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
    /// The part of the site or paper it stood in, in its words.
    #[serde(default)]
    pub section: Option<String>,
    /// Its address, as the page states it (`rel=canonical`).
    #[serde(default)]
    pub canonical: Option<String>,
}

/// What a format says of an article outside its text: the head of a web page, the properties of a document, the columns of
/// a table. Words as they stand there; the page's own text is the check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The headline, perhaps with the site's name behind it.
    pub title: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// Who published it.
    pub publisher: Option<String>,
    /// When it was published: the words, RFC 3339 or a date in words.
    pub date: Option<String>,
    /// The part of the site.
    pub section: Option<String>,
    /// Its address.
    pub canonical: Option<String>,
    /// The publisher's own summary, point by point.
    pub summary: Vec<String>,
    /// The words that sum it up (`description`).
    pub description: Option<String>,
}

/// What a reader makes of a file before the parts of the article are told apart: its lines, and what its format says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    /// The lines, top to bottom, cleaned.
    pub(self) lines: Vec<line::Line>,
    /// What the format says of the article.
    pub declared: Declared,
    /// The encoding the bytes were read in, as its WHATWG name.
    pub encoding: String,
    /// What a user should know about the reading.
    pub warnings: Vec<String>,
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
    /// What language most of it is in.
    #[serde(default)]
    pub language: Language,
    /// The times that the article names, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<TextDate>,
}

impl Document {
    /// Tells the parts of a sheet apart, and puts them together.
    ///
    /// # Errors
    /// Where no article is in it.
    pub(self) fn of_sheet(sheet: Sheet, path: &std::path::Path, options: &ReadOptions<'_>) -> Result<Self, Error> {
        let lost = doubt::lost_letters(sheet.lines.iter().map(|line| line.text.as_str()));
        if let Some(Lost { lost, words, whole: true }) = lost {
            return Err(Error::LostLetters { path: path.to_owned(), lost, words });
        }
        let page = page::extract(&sheet.lines, &sheet.declared);
        let document = Self::assemble(page, &options.segments);
        let mut document = document.ok_or_else(|| Error::NoArticle { path: path.to_owned() })?;
        document.encoding = sheet.encoding;
        document.warnings = sheet.warnings;
        document.warnings.extend(lost.map(|lost| lost.to_string()));
        document.doubt();
        document.tell_languages(options.force_language);
        if document.language.is_foreign() {
            return Err(Error::OtherLanguage { path: path.to_owned(), language: document.language });
        }
        Ok(document)
    }

    /// Puts the parts of a page together: text, spans, segments. `None` where there is no word in them.
    fn assemble(page: page::Page, options: &SegmentOptions<'_>) -> Option<Self> {
        let mut text = String::new();
        let mut blocks: Vec<Block> = Vec::new();
        let mut times = page.times;
        for (place, (kind, words)) in page.blocks.iter().enumerate().filter(|(_, (_, words))| !words.trim().is_empty())
        {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            let start = text.len();
            text.push_str(words.trim());
            let id = BlockId(u32::try_from(blocks.len()).unwrap_or(u32::MAX));
            let span = Span::new(start, text.len());
            let time = times.remove(&place);
            blocks.push(Block { id, kind: *kind, span, language: Language::default(), time });
        }
        if !text.chars().any(char::is_alphabetic) {
            return None;
        }
        let segments = segment::segments(&text, &blocks, options);
        let (meta, furniture) = (page.meta, page.furniture);
        let (encoding, warnings, dates) = (String::new(), Vec::new(), Vec::new());
        let language = Language::default();
        Some(Self { text, meta, blocks, segments, furniture, encoding, warnings, language, dates })
    }

    /// Returns a block by its number.
    pub fn block(&self, id: BlockId) -> Option<&Block> {
        match self.blocks.get(id.0 as usize) {
            Some(block) if block.id == id => Some(block),
            _ => self.blocks.iter().find(|block| block.id == id),
        }
    }

    /// Returns the language of the block that a segment is part of.
    pub fn language_of(&self, segment: &Segment) -> Language {
        self.block(segment.block).map_or(self.language, |block| block.language)
    }

    /// Returns whether a segment is to be translated: it has an Arabic letter, and its block is no other language's.
    pub fn is_to_translate(&self, segment: &Segment) -> bool {
        matches!(self.language_of(segment), Language::Arabic | Language::Unknown)
            && self.segment_text(segment).chars().any(is_letter)
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

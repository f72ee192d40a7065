//! What a file holds: told by its first bytes, and where these say nothing, by its name.
//!
//! In: a name, the first bytes. Out: a [`Content`]: an article of some [`Kind`], or a [`Container`] of several. Reading
//! articles is [`crate::document`]'s, opening containers [`super`]'s.

use serde::Serialize;

/// What an article's bytes are, which selects its reader in [`crate::document`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Plain text in any of the encodings that [`super::encoding`] knows.
    Text,
    /// Markdown, with or without a head of facts.
    Markdown,
    /// A saved web page.
    Html,
    /// A saved web page with its parts in one file (RFC 2557).
    Mhtml,
    /// A saved web page in a property list of Apple's.
    Webarchive,
    /// Office Open XML text.
    Docx,
    /// `OpenDocument` text.
    Odt,
    /// An electronic book.
    Epub,
    /// Rich Text Format.
    Rtf,
    /// Portable Document Format.
    Pdf,
    /// A message (RFC 5322).
    Email,
    /// Subtitles: `SubRip` or `WebVTT`.
    Subtitles,
    /// One row of a table or one entry of a feed: a JSON object with named fields.
    Record,
}

/// A file that holds several articles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Container {
    /// A zip archive.
    Zip,
    /// A tar archive, packed or not.
    Tar,
    /// Comma-separated values with named columns.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// RSS or Atom.
    Feed,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// One article.
    Article(Kind),
    /// Several.
    Container(Container),
}

impl Kind {
    /// Returns the kind that a file's extension stands for, in any case; `None` where no reader takes it.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }
}

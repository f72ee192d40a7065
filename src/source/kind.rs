//! What a file can hold: an article of some [`Kind`], or a [`Container`] of several; and what extensions stand for.
//!
//! In: an extension. Out: a [`Content`]. Telling it by the bytes is `sniff`'s, reading articles [`crate::document`]'s,
//! opening containers [`super::parts`]'s.

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
    /// A tar archive, packed with gzip or not.
    Tar,
    /// One file packed with gzip.
    Gzip,
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
    /// Returns the kind of article that a file's extension stands for, in any case; `None` where it stands for none.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match Content::of_extension(extension) {
            Some(Content::Article(kind)) => Some(kind),
            _ => None,
        }
    }

    /// Returns what such a file is, with its article: `a saved web page`.
    pub fn described(self) -> &'static str {
        match self {
            Self::Text => "plain text",
            Self::Markdown => "Markdown",
            Self::Html => "a saved web page",
            Self::Mhtml => "a saved web page (MHTML)",
            Self::Webarchive => "a web archive",
            Self::Docx => "a Word document (docx)",
            Self::Odt => "an OpenDocument text",
            Self::Epub => "an electronic book (EPUB)",
            Self::Rtf => "an RTF document",
            Self::Pdf => "a PDF",
            Self::Email => "a mail",
            Self::Subtitles => "subtitles",
            Self::Record => "a row of a table or feed",
        }
    }
}

impl Container {
    /// Returns what such a file is, with its article.
    pub fn described(self) -> &'static str {
        match self {
            Self::Zip => "a zip archive",
            Self::Tar => "a tar archive",
            Self::Gzip => "a file packed with gzip",
            Self::Csv => "a table",
            Self::JsonLines => "JSON lines",
            Self::Feed => "a feed",
        }
    }
}

impl Content {
    /// Returns what a file's extension stands for, in any case; `None` where mujaz reads no such files.
    pub fn of_extension(extension: &str) -> Option<Self> {
        let article = |kind| Some(Self::Article(kind));
        let container = |container| Some(Self::Container(container));
        match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" => article(Kind::Text),
            "md" | "markdown" => article(Kind::Markdown),
            "html" | "htm" | "xhtml" | "shtml" => article(Kind::Html),
            "mhtml" | "mht" => article(Kind::Mhtml),
            "webarchive" => article(Kind::Webarchive),
            "docx" | "docm" | "dotx" => article(Kind::Docx),
            "odt" | "ott" => article(Kind::Odt),
            "epub" => article(Kind::Epub),
            "rtf" => article(Kind::Rtf),
            "pdf" => article(Kind::Pdf),
            "eml" => article(Kind::Email),
            "srt" | "vtt" => article(Kind::Subtitles),
            "zip" => container(Container::Zip),
            "tar" | "tgz" => container(Container::Tar),
            "gz" => container(Container::Gzip),
            "csv" | "tsv" | "tab" => container(Container::Csv),
            "jsonl" | "ndjson" => container(Container::JsonLines),
            "rss" | "atom" | "rdf" | "xml" => container(Container::Feed),
            _ => None,
        }
    }

    /// Returns what such a file is, with its article.
    pub fn described(self) -> &'static str {
        match self {
            Self::Article(kind) => kind.described(),
            Self::Container(container) => container.described(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_stand_for_what_is_read() {
        assert_eq!(Kind::of_extension("HTM"), Some(Kind::Html));
        assert_eq!(Content::of_extension("tgz"), Some(Content::Container(Container::Tar)));
        // An old Word file may hold a web page; the name says neither.
        assert_eq!(Content::of_extension("doc"), None);
        assert_eq!(Kind::of_extension("csv"), None, "a table is no article");
    }
}

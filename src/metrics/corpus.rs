//! What translations are scored on: sources with their references.
//!
//! In: a JSONL file, or two files of lines. Out: [`Corpus`]. Nothing is guessed: a line that does not fit is an error
//! with its number, since a shifted line would make every score after it wrong.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A source and how a person translated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The source text.
    pub source: String,
    /// Its translation.
    pub reference: String,
}

/// Pairs in the order of their files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Corpus {
    /// The pairs; never none where the corpus was read from files.
    pub pairs: Vec<Pair>,
}

/// Why a corpus cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("{}: there are no segments in it", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Bytes that are no UTF-8.
    #[error("{}:{line}: not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A line of JSONL that is no pair.
    #[error("{}:{line}: not a pair of texts: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Two files of other lengths.
    #[error("{} has {got} lines, {} has {expected}", path.display(), other.display())]
    Lengths {
        /// One file.
        path: PathBuf,
        /// Its lines.
        got: usize,
        /// The other.
        other: PathBuf,
        /// The other's lines.
        expected: usize,
    },
}

/// One text or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Texts {
    One(String),
    Several(Vec<String>),
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }
}

/// A line of JSONL; other fields are ignored.
#[derive(Deserialize)]
struct Row {
    ar: Option<Texts>,
    en: Option<Texts>,
    source: Option<Texts>,
    reference: Option<Texts>,
    target: Option<Texts>,
}

impl Row {
    /// Returns the texts of the two sides.
    fn sides(self) -> Option<(Vec<String>, Vec<String>)> {
        // A row of news may say in `source` where it is from.
        let (source, reference) = match (self.ar, self.en) {
            (Some(source), Some(reference)) => (source, reference),
            _ => (self.source?, self.reference.or(self.target)?),
        };
        Some((source.into_vec(), reference.into_vec()))
    }
}

impl Corpus {
    /// Reads a file with one object a line: `ar` and `en` (lists of the same length, sentence by sentence), or `source`
    /// and `reference` or `target`. Blank lines are passed over.
    ///
    /// # Errors
    /// Where the file cannot be read, a line is no such object, or there is none.
    pub fn of_jsonl(path: &Path) -> Result<Self, Error> {
        let mut pairs = Vec::new();
        for (number, text) in (1..).zip(lines(path)?) {
            if text.trim().is_empty() {
                continue;
            }
            let wrong = |reason: String| Error::Line { path: path.to_owned(), line: number, reason };
            let row: Row = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            let Some((sources, references)) = row.sides() else {
                return Err(wrong("neither `ar` and `en` nor `source` and `reference` (or `target`)".to_owned()));
            };
            if sources.len() != references.len() {
                return Err(wrong(format!("{} sources, {} references", sources.len(), references.len())));
            }
            let both = sources.into_iter().zip(references);
            pairs.extend(both.map(|(source, reference)| Pair { source, reference }));
        }
        if pairs.is_empty() { Err(Error::Empty { path: path.to_owned() }) } else { Ok(Self { pairs }) }
    }

    /// Reads two files that belong together line by line.
    ///
    /// # Errors
    /// Where a file cannot be read or is empty, or they have other numbers of lines.
    pub fn of_lines(source: &Path, reference: &Path) -> Result<Self, Error> {
        let sources = lines(source)?;
        let references = lines_for(reference, source, sources.len())?;
        if sources.is_empty() {
            return Err(Error::Empty { path: source.to_owned() });
        }
        let both = sources.into_iter().zip(references);
        Ok(Self { pairs: both.map(|(source, reference)| Pair { source, reference }).collect() })
    }

    /// Returns the source texts.
    pub fn sources(&self) -> Vec<&str> {
        self.pairs.iter().map(|pair| pair.source.as_str()).collect()
    }

    /// Returns hypotheses beside their references, as the metrics take them.
    pub fn beside<'t>(&'t self, hypotheses: &'t [String]) -> impl Iterator<Item = (&'t str, &'t str)> {
        hypotheses.iter().map(String::as_str).zip(self.pairs.iter().map(|pair| pair.reference.as_str()))
    }
}

/// Reads a file of lines that must be as many as another file's.
///
/// # Errors
/// Where the file cannot be read or has another number of lines.
pub fn lines_for(path: &Path, other: &Path, expected: usize) -> Result<Vec<String>, Error> {
    let lines = lines(path)?;
    if lines.len() == expected {
        return Ok(lines);
    }
    Err(Error::Lengths { path: path.to_owned(), got: lines.len(), other: other.to_owned(), expected })
}

/// Reads the lines of a UTF-8 file; line ends of either kind and a byte order mark are no part of them.
///
/// # Errors
/// Where the file cannot be read or is no UTF-8.
pub fn lines(path: &Path) -> Result<Vec<String>, Error> {
    let bytes = fs_err::read(path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    // What stands after the last line end is a line only where there is something.
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let decode = |(number, line): (usize, &[u8])| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| Error::NotUtf8 { path: path.to_owned(), line: number });
        text.map(str::to_owned)
    };
    (1..).zip(bytes.split(|&byte| byte == b'\n')).map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn rows_hold_a_text_or_lists() {
        let text = "\u{feff}{\"id\":1,\"ar\":[\"ا\",\"ب\"],\"en\":[\"a\",\"b\"]}\r\n\n{\"source\":\"ت\",\"target\":\"t\"}\n\
                    {\"reference\":\"th\",\"source\":\"ث\"}";
        let corpus = Corpus::of_jsonl(file(text.as_bytes()).path()).unwrap();
        let found: Vec<(&str, &str)> =
            corpus.pairs.iter().map(|pair| (pair.source.as_str(), pair.reference.as_str())).collect();
        assert_eq!(found, [("ا", "a"), ("ب", "b"), ("ت", "t"), ("ث", "th")]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        let good = "{\"source\":\"a\",\"target\":\"b\"}\n";
        for (row, said) in [
            ("{\"ar\":[\"a\",\"b\"],\"en\":[\"a\"]}", ":2: not a pair of texts: 2 sources, 1 references"),
            ("{\"source\":\"a\"}", ":2: not a pair of texts: neither `ar` and `en` nor "),
            ("{\"source\":3,\"target\":\"b\"}", "expected a string or a list of strings"),
            ("[1]", ":2: not a pair of texts: "),
            ("{", ":2: not a pair of texts: "),
        ] {
            let error = Corpus::of_jsonl(file(format!("{good}{row}\n").as_bytes()).path()).unwrap_err().to_string();
            assert!(error.contains(said), "{row}: {error}");
        }
        for nothing in ["", "\n\n", "{\"ar\":[],\"en\":[]}"] {
            let error = Corpus::of_jsonl(file(nothing.as_bytes()).path()).unwrap_err();
            assert!(matches!(error, Error::Empty { .. }), "{nothing:?}: {error}");
        }
        let error = Corpus::of_jsonl(file(b"{\"source\":\"\xff\",\"target\":\"\"}").path()).unwrap_err();
        assert!(matches!(error, Error::NotUtf8 { line: 1, .. }), "{error}");
    }

    #[test]
    fn two_files_belong_together_line_by_line() {
        let corpus = Corpus::of_lines(file(b"a\n\nc\n").path(), file(b"A\r\n\r\nC").path()).unwrap();
        assert_eq!(corpus.sources(), ["a", "", "c"]);
        assert_eq!(corpus.pairs[2].reference, "C");
        let error = Corpus::of_lines(file(b"a\nb\n").path(), file(b"A\n").path()).unwrap_err().to_string();
        assert!(error.contains(" has 1 lines, ") && error.ends_with(" has 2"), "{error}");
        assert!(matches!(Corpus::of_lines(file(b"").path(), file(b"").path()), Err(Error::Empty { .. })));
        assert_eq!(lines(file(b"\n").path()).unwrap(), [""]);
    }
}

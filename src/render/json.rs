//! Notes as JSON, for programs.
//!
//! In: a [`Note`]. Out: one pretty-printed JSON object with a final newline. No field says when it was made, and all
//! fields stand in one order, so that the same article, models and options give the same bytes.
//!
//! The schema, version 1 (`?`: may be null):
//!
//! | field | what |
//! |---|---|
//! | `schema` | 1 |
//! | `mujaz.version` | version of the program |
//! | `source.path` | file as given or found, `-` for standard input |
//! | `source.part`? | which article of the file, where it holds several: a path in an archive, `row 12` of a table, `line 3` of JSON lines, `entry 2` of a feed; absent otherwise |
//! | `source.sha256` | SHA-256 of the bytes, lower-case hexadecimal: the file's, or the part's |
//! | `source.encoding` | encoding that the bytes were read in, WHATWG name |
//! | `draft`? | why the note is a draft only, one sentence |
//! | `document.title`?, `.byline`?, `.publisher`?, `.dateline`? | `{original, english?}` |
//! | `document.date`? | `{iso, words}`: `2025-01-03` and the words on the page |
//! | `document.warnings[]` | what a reader should know about how the file was read |
//! | `document.blocks[]` | `{id, kind, span: {start, end}, text, time?}`; `time` is when an entry of a running report was written that the block opens, RFC 3339 or the page's words; `kind` is `title`, `standfirst`, `caption`, `pull_quote`, `publisher_summary`, `subheading` or `paragraph`; spans are bytes of the extracted text, where blocks stand with an empty line between two |
//! | `summary`? | `{bullets[], shortfall?}`; null where none was asked for |
//! | `summary.bullets[]` | `{label, statement, evidence, origin, flagged}`; `evidence` lists segment ids; `origin` is `"extractive"`, `"model"` or `{"fallback_extractive": reason}`; `flagged` says that a piece of its evidence is |
//! | `publisher_summary[]` | `{block, label?, statement, flagged}` |
//! | `segments[]` | `{id, block, span, source, target, status, verdicts, attempts, origin}`; `status` is `clean` or `flagged`; a verdict is `{check, detail}` with `check` one of `numbers`, `names`, `negation`, `omission`, `repetition`, `untranslated`, `unrelated`, `empty` |
//! | `checks` | `{segments, clean, flagged, by_check}`; `by_check` counts flagged segments a check |
//! | `models[]` | `{id, revision, role, licence}` |
//! | `options` | options that decide what the note says, on one line |
//!
//! Fields may be added within version 1; none is renamed, removed or given another meaning.

use super::{Error, Renderer};
use crate::briefing::{Note, SCHEMA};

/// Renders notes as JSON.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, note: &Note) -> Result<Vec<u8>, Error> {
        let mut bytes =
            serde_json::to_vec_pretty(note).map_err(|source| Error::Json { path: note.source.path.clone(), source })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Reads a note back from its JSON.
///
/// # Errors
/// [`Error::NoNote`] where the bytes are no note, [`Error::Schema`] where they are one of another version.
pub fn parse(bytes: &[u8]) -> Result<Note, Error> {
    /// What every version of the schema has.
    #[derive(serde::Deserialize)]
    struct Header {
        schema: u32,
    }
    let header: Header = serde_json::from_slice(bytes).map_err(Error::NoNote)?;
    if header.schema != SCHEMA {
        return Err(Error::Schema { found: header.schema, known: SCHEMA });
    }
    serde_json::from_slice(bytes).map_err(Error::NoNote)
}

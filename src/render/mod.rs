//! 8. A note becomes bytes: Markdown for people, JSON for programs, plain text.
//!
//! In: a [`Note`] or a [`Briefing`](crate::briefing::Briefing). Out: bytes, UTF-8, with a final newline, the same for the
//! same note. Nothing here looks at the article again or adds a word of content. Where the bytes go is
//! [`crate::pipeline`]'s.

pub mod escape;
pub mod json;
pub mod markdown;
pub mod overview;
pub mod text;

use crate::briefing::Note;

/// Turns notes into bytes of one format.
pub trait Renderer {
    /// Returns the format's name, which is also its file extension: `md`.
    fn name(&self) -> &'static str;

    /// Renders a note.
    ///
    /// # Errors
    /// Where the format cannot hold the note.
    fn render(&self, note: &Note) -> Result<Vec<u8>, Error>;
}

/// What can go wrong in rendering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The note could not be written as JSON.
    #[error("the note of {path} does not serialize")]
    Json {
        /// The article's file.
        path: String,
        /// What serde says.
        #[source]
        source: serde_json::Error,
    },
    /// A file that should be a note in JSON is none.
    #[error("not a note of mujaz")]
    NoNote(#[source] serde_json::Error),
    /// A note has a schema that this version does not know.
    #[error("the note has schema {found}, this version of mujaz reads {known}")]
    Schema {
        /// What the note says.
        found: u32,
        /// What can be read.
        known: u32,
    },
}

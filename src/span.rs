//! A byte range into a text: the thread by which every later noun is traced back to the source.
//!
//! In: two byte offsets. Out: [`Span`]. Which text it points into is stated by whoever holds it.

use serde::{Deserialize, Serialize};

/// A half-open range of bytes `start..end`, both on character boundaries of the text it points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte; never before `start`.
    pub end: usize,
}

impl Span {
    /// Builds a span.
    ///
    /// # Panics
    /// In debug builds, where `start` is past `end`.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "a span runs forwards: {start}..{end}");
        Self { start, end }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Returns whether the span holds no byte.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns the part of `text` that the span covers.
    ///
    /// # Panics
    /// Where the span does not lie in `text` on character boundaries, which means that it belongs to another text.
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

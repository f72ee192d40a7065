//! The two vocabularies of a translation model.
//!
//! In: a source text, or target ids. Out: source ids, or a target text. How a model family lays its vocabulary files out is
//! left to its own file.

/// Reads sources and writes targets of an encoder-decoder model.
pub trait PairTokenizer: Send + Sync + std::fmt::Debug {
    /// Returns the ids of a source text as the encoder expects them, language tags and end token included. Any text has
    /// ids: what the vocabulary lacks becomes the unknown token. Never empty.
    fn encode(&self, source: &str) -> Vec<u32>;

    /// Returns the text of target ids; special tokens are left out, ids outside the vocabulary too.
    fn decode(&self, ids: &[u32]) -> String;

    /// Returns the piece behind an id as it stands in the vocabulary (`▁` for a space before it), special tokens included.
    fn piece(&self, id: u32) -> Option<&str>;
}

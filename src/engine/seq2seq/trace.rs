//! Which source tokens a target token came from.
//!
//! In: the attention that a search kept. Out: a [`Trace`] over the pieces of both vocabularies. Grouping tokens into words,
//! and what is made of it, is left to others.

use crate::engine::decode::Found;
use crate::engine::tokenizer::pair::PairTokenizer;

/// What every target token attended to. Attention aligns words roughly: best read as the few heaviest source tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// The source tokens as they stand in the vocabulary, special ones included.
    pub source_pieces: Vec<String>,
    /// The target tokens likewise, without the start token.
    pub target_pieces: Vec<String>,
    /// One row a target token, one weight a source token; a row sums to 1. Of a text that was translated in pieces, a target
    /// token attends to its own piece alone.
    pub attention: Vec<Vec<f32>>,
}

impl Trace {
    /// Puts together what the pieces of a text attended to: `parts` are their source ids, `found` their translations.
    pub fn new(tokenizer: &dyn PairTokenizer, parts: &[Vec<u32>], found: &[&Found]) -> Self {
        let name = |&id: &u32| tokenizer.piece(id).map_or_else(|| format!("<{id}>"), str::to_owned);
        let all: usize = parts.iter().map(Vec::len).sum();
        let mut trace = Self { source_pieces: parts.iter().flatten().map(name).collect(), ..Self::default() };
        let mut start = 0;
        for (part, found) in parts.iter().zip(found) {
            for (id, row) in found.ids.iter().zip(&found.attention) {
                let mut weights = vec![0.0; all];
                for (weight, &attended) in weights[start..start + part.len()].iter_mut().zip(row) {
                    *weight = attended;
                }
                trace.target_pieces.push(name(id));
                trace.attention.push(weights);
            }
            start += part.len();
        }
        trace
    }
}

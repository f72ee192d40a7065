//! Splits control and user-defined tokens out of a text before anything else is cut up.
//!
//! In: a text. Out: its parts in order, each a known id or text to be cut. As in llama.cpp
//! (`tokenizer_st_partition`), longer tokens take their places first, wherever they stand.

use std::collections::HashMap;

use super::{Kind, Markup};

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'t> {
    /// Text that has no such token in it.
    Text(&'t str),
    /// A token.
    Token(u32),
}

/// Finds the tokens that are matched as a whole.
#[derive(Debug, Clone, Default)]
pub struct SpecialSplitter {
    /// A trie over bytes: (node, byte) to node; node 0 is the root.
    edges: HashMap<(u32, u8), u32>,
    /// For each node, the token that ends there.
    ends: Vec<Option<Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    /// Place in the order of matching: longest first.
    rank: u32,
    kind: Kind,
}

impl SpecialSplitter {
    /// Builds the splitter from a vocabulary.
    pub fn new(tokens: &[String], kinds: &[Kind]) -> Self {
        let whole = |kind: Kind| matches!(kind, Kind::Control | Kind::UserDefined | Kind::Unknown);
        let mut ids: Vec<usize> = (0..tokens.len()).filter(|&i| whole(kinds[i]) && !tokens[i].is_empty()).collect();
        ids.sort_by_key(|&i| (std::cmp::Reverse(tokens[i].len()), i));
        let mut splitter = Self { edges: HashMap::new(), ends: vec![None] };
        for (rank, &index) in ids.iter().enumerate() {
            let mut node = 0;
            for &byte in tokens[index].as_bytes() {
                let fresh = splitter.ends.len() as u32;
                node = *splitter.edges.entry((node, byte)).or_insert(fresh);
                if node == fresh {
                    splitter.ends.push(None);
                }
            }
            let end = &mut splitter.ends[node as usize];
            end.get_or_insert(Entry { id: index as u32, rank: rank as u32, kind: kinds[index] });
        }
        splitter
    }

    /// Splits a text; the parts together are the text.
    pub fn split<'t>(&self, text: &'t str, markup: Markup) -> Vec<Part<'t>> {
        let mut found: Vec<(u32, usize, usize, u32)> = Vec::new();
        let bytes = text.as_bytes();
        for start in 0..bytes.len() {
            let mut node = 0;
            for (offset, &byte) in bytes[start..].iter().enumerate() {
                let Some(&next) = self.edges.get(&(node, byte)) else { break };
                node = next;
                if let Some(entry) = self.ends[node as usize]
                    && (markup == Markup::Parse || entry.kind == Kind::UserDefined)
                {
                    found.push((entry.rank, start, start + offset + 1, entry.id));
                }
            }
        }
        found.sort_unstable();
        let mut taken: std::collections::BTreeMap<usize, (usize, u32)> = std::collections::BTreeMap::new();
        for (_, start, end, id) in found {
            let before = taken.range(..end).next_back();
            if before.is_none_or(|(_, &(other_end, _))| other_end <= start) {
                taken.insert(start, (end, id));
            }
        }
        let mut parts = Vec::with_capacity(2 * taken.len() + 1);
        let mut at = 0;
        for (start, (end, id)) in taken {
            if at < start {
                parts.push(Part::Text(&text[at..start]));
            }
            parts.push(Part::Token(id));
            at = end;
        }
        if at < text.len() {
            parts.push(Part::Text(&text[at..]));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_tokens_take_their_places_first() {
        let tokens: Vec<String> = ["\n", "\n\n", "<a>", "x"].map(String::from).to_vec();
        let kinds = [Kind::UserDefined, Kind::UserDefined, Kind::Control, Kind::Normal];
        let splitter = SpecialSplitter::new(&tokens, &kinds);
        let parts = splitter.split("x\n\n\n<a>y", Markup::Parse);
        assert_eq!(parts, [Part::Text("x"), Part::Token(1), Part::Token(0), Part::Token(2), Part::Text("y")]);
        let parts = splitter.split("x\n<a>", Markup::Text);
        assert_eq!(parts, [Part::Text("x"), Part::Token(0), Part::Text("<a>")]);
    }
}

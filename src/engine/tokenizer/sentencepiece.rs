//! SentencePiece-style BPE: pairs of neighbours are merged by the score of what they make, bytes are the last resort.
//!
//! In: `tokenizer.ggml.{tokens,scores,token_type}`. Out: ids as llama.cpp's `llm_tokenizer_spm` gives them. Normalising text
//! is not done here: these models keep it as it is, with U+2581 for the space.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::special::Part;
use super::{Kind, Lists, Markup, SpecialSplitter, Specials, Tokenizer};
use crate::engine::Error;
use crate::engine::gguf::Gguf;

/// The character that stands for a space inside pieces.
const SPACE: char = '\u{2581}';

/// A vocabulary with scores.
#[derive(Debug)]
pub struct SentencePiece {
    tokens: Vec<String>,
    pieces: Vec<Box<[u8]>>,
    scores: Vec<f32>,
    kinds: Vec<Kind>,
    index: Index,
    bytes: [u32; 256],
    splitter: SpecialSplitter,
    specials: Specials,
    add_space_prefix: bool,
}

impl SentencePiece {
    /// Loads the vocabulary.
    ///
    /// # Errors
    /// [`Error::BadModel`] where lists are missing or differ in length, or a byte has no token.
    pub fn load(gguf: &mut Gguf) -> Result<Self, Error> {
        let lists = Lists::take(gguf)?;
        let scores = gguf.numbers("tokenizer.ggml.scores")?;
        if scores.len() != lists.tokens.len() {
            return Err(gguf.bad(format!("{} tokens, but {} scores", lists.tokens.len(), scores.len())));
        }
        let specials = super::specials(gguf, &lists, true)?;
        let add_space_prefix = gguf.optional_bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        let Lists { tokens, kinds } = lists;
        let index = Index::new(&tokens);
        let unknown = gguf.optional_usize("tokenizer.ggml.unknown_token_id")?.unwrap_or(0) as u32;
        let mut bytes = [unknown; 256];
        for (byte, slot) in bytes.iter_mut().enumerate() {
            let single = [byte as u8];
            let as_text = std::str::from_utf8(&single).ok();
            if let Some(id) = index.find(&tokens, &format!("<0x{byte:02X}>")) {
                *slot = id;
            } else if let Some(id) = as_text.and_then(|text| index.find(&tokens, text)) {
                *slot = id;
            }
        }
        let pieces = tokens.iter().zip(&kinds).map(|(token, &kind)| piece_bytes(token, kind)).collect();
        let splitter = SpecialSplitter::new(&tokens, &kinds);
        Ok(Self { tokens, pieces, scores, kinds, index, bytes, splitter, specials, add_space_prefix })
    }

    /// Cuts text without special tokens, spaces already replaced.
    fn encode_escaped(&self, text: &str, ids: &mut Vec<u32>) {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, c))| Symbol { start, len: c.len_utf8(), previous: i.wrapping_sub(1), next: i + 1 })
            .collect();
        let count = symbols.len();
        let mut queue = BinaryHeap::new();
        for right in 1..count {
            self.propose(text, &symbols, right - 1, right, &mut queue);
        }
        while let Some(pair) = queue.pop() {
            let (left, right) = (symbols[pair.left], symbols[pair.right]);
            // Either side may have been merged into something else since.
            if left.len == 0 || right.len == 0 || left.len + right.len != pair.len {
                continue;
            }
            symbols[pair.left].len = pair.len;
            symbols[pair.left].next = right.next;
            symbols[pair.right].len = 0;
            if right.next < count {
                symbols[right.next].previous = pair.left;
                self.propose(text, &symbols, pair.left, right.next, &mut queue);
            }
            if left.previous < count {
                self.propose(text, &symbols, left.previous, pair.left, &mut queue);
            }
        }
        for symbol in symbols.iter().filter(|symbol| symbol.len > 0) {
            let piece = &text[symbol.start..symbol.start + symbol.len];
            match self.index.find(&self.tokens, piece) {
                Some(id) => ids.push(id),
                None => ids.extend(piece.bytes().map(|byte| self.bytes[usize::from(byte)])),
            }
        }
    }

    fn propose(&self, text: &str, symbols: &[Symbol], left: usize, right: usize, queue: &mut BinaryHeap<Pair>) {
        let (start, end) = (symbols[left].start, symbols[right].start + symbols[right].len);
        if let Some(id) = self.index.find(&self.tokens, &text[start..end]) {
            queue.push(Pair { left, right, score: self.scores[id as usize], len: end - start });
        }
    }
}

impl Tokenizer for SentencePiece {
    fn encode(&self, text: &str, markup: Markup) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        let mut after_special = true;
        let mut escaped = String::new();
        for part in self.splitter.split(text, markup) {
            match part {
                Part::Token(id) => {
                    ids.push(id);
                    after_special = true;
                }
                Part::Text(text) => {
                    escaped.clear();
                    if self.add_space_prefix && after_special {
                        escaped.push(SPACE);
                    }
                    escaped.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
                    self.encode_escaped(&escaped, &mut ids);
                    after_special = false;
                }
            }
        }
        ids
    }

    fn piece(&self, id: u32) -> &[u8] {
        self.pieces.get(id as usize).map_or(&[], |piece| piece)
    }

    fn kind(&self, id: u32) -> Kind {
        self.kinds.get(id as usize).copied().unwrap_or(Kind::Unused)
    }

    fn size(&self) -> usize {
        self.tokens.len()
    }

    fn specials(&self) -> &Specials {
        &self.specials
    }
}

fn piece_bytes(token: &str, kind: Kind) -> Box<[u8]> {
    match kind {
        Kind::Control | Kind::Unused | Kind::Unknown => Box::default(),
        Kind::Byte => {
            let hex = token.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
            let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            byte.map_or_else(|| token.as_bytes().into(), |byte| vec![byte].into())
        }
        Kind::Normal | Kind::UserDefined => token.replace(SPACE, " ").into_bytes().into(),
    }
}

#[derive(Debug, Clone, Copy)]
struct Symbol {
    start: usize,
    /// 0 once it is merged into its left neighbour.
    len: usize,
    /// Past the end of the list where there is none.
    previous: usize,
    next: usize,
}

/// Two neighbours that would make a token.
#[derive(Debug, Clone, Copy)]
struct Pair {
    left: usize,
    right: usize,
    score: f32,
    len: usize,
}

/// The best score is first, and of equal scores the one furthest left.
impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// Texts to ids by open addressing: a quarter of a million entries are there in a few milliseconds, and no text is held
/// twice.
#[derive(Debug)]
struct Index {
    /// Ids plus one; 0 is free. A power of two long.
    slots: Vec<u32>,
}

impl Index {
    fn new(tokens: &[String]) -> Self {
        let mut index = Self { slots: vec![0; (tokens.len() * 2 + 2).next_power_of_two()] };
        for (id, token) in tokens.iter().enumerate() {
            let slot = index.slot(tokens, token);
            // Of tokens with the same text the last one counts, as in llama.cpp.
            index.slots[slot] = id as u32 + 1;
        }
        index
    }

    fn find(&self, tokens: &[String], text: &str) -> Option<u32> {
        self.slots[self.slot(tokens, text)].checked_sub(1)
    }

    fn slot(&self, tokens: &[String], text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(text.as_bytes()) as usize & mask;
        loop {
            match self.slots[slot].checked_sub(1) {
                Some(id) if tokens[id as usize] != text => slot = (slot + 1) & mask,
                _ => return slot,
            }
        }
    }
}

/// FNV-1a with a final mix, because only the low bits pick the slot.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

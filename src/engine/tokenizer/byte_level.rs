//! Byte-level BPE: a text is split by the model family's patterns, its bytes are written as letters, and pairs are merged
//! in the order of a list.
//!
//! In: `tokenizer.ggml.{tokens,merges,pre}`. Out: ids as llama.cpp's `llm_tokenizer_bpe` gives them; the merging is done by the
//! `tokenizers` crate. The patterns are those of `llama-vocab.cpp` for each value of `pre`.

use std::collections::HashMap;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer as HfTokenizer};

use super::special::Part;
use super::{Kind, Lists, Markup, SpecialSplitter, Specials, Tokenizer};
use crate::engine::Error;
use crate::engine::gguf::Gguf;

/// The words of GPT-2.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
/// Contractions and words of Llama 3 and Qwen 2, up to the pattern for figures.
const LLAMA3_HEAD: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|";
/// What follows the pattern for figures in both.
const LLAMA3_TAIL: &str = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A vocabulary with merges.
#[derive(Debug)]
pub struct ByteLevelBpe {
    inner: HfTokenizer,
    pieces: Vec<Box<[u8]>>,
    kinds: Vec<Kind>,
    splitter: SpecialSplitter,
    specials: Specials,
}

impl ByteLevelBpe {
    /// Loads the vocabulary.
    ///
    /// # Errors
    /// [`Error::BadModel`] where lists are missing or do not fit together, or `pre` names patterns not known here.
    pub fn load(gguf: &mut Gguf) -> Result<Self, Error> {
        let pre = gguf.optional_str("tokenizer.ggml.pre")?.unwrap_or("default").to_owned();
        let Some((patterns, ignore_merges)) = patterns(&pre) else {
            let reason = format!(
                "pre-tokenizer {pre:?} (tokenizer.ggml.pre) is not known here \
                 (there are: default, gpt-2, llama-bpe, qwen2, smollm)"
            );
            return Err(gguf.bad(reason));
        };
        let lists = Lists::take(gguf)?;
        let longest = lists.tokens.iter().map(String::len).max().unwrap_or(0);
        let mut merges = Vec::new();
        for merge in gguf.strings("tokenizer.ggml.merges")? {
            // A space cannot be part of a token: bytes are written as letters, and the space is U+0120.
            match merge.split_once(' ') {
                // The crate has room for the longest token, and panics past it.
                Some((left, right)) if left.len() + right.len() > longest => {
                    return Err(gguf.bad(format!("merge {merge:?} makes no token")));
                }
                Some((left, right)) => merges.push((left.to_owned(), right.to_owned())),
                None => return Err(gguf.bad(format!("merge {merge:?} is not two tokens"))),
            }
        }
        let specials = super::specials(gguf, &lists, false)?;
        let vocabulary: Vocab = lists.tokens.iter().enumerate().map(|(id, token)| (token.clone(), id as u32)).collect();
        let model = BPE::builder()
            .vocab_and_merges(vocabulary, merges)
            .ignore_merges(ignore_merges)
            .build()
            .map_err(|error| gguf.bad(format!("vocabulary and merges do not fit together: {error}")))?;
        let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
        for pattern in patterns {
            let split = Split::new(SplitPattern::Regex(pattern), SplitDelimiterBehavior::Isolated, false)
                .map_err(|error| gguf.bad(format!("pre-tokenizer {pre:?}: {error}")))?;
            steps.push(split.into());
        }
        steps.push(ByteLevel::new(false, false, false).into());
        let mut inner = HfTokenizer::new(model);
        inner.with_pre_tokenizer(Some(Sequence::new(steps)));
        let letters = bytes_of_letters();
        let pieces = lists.tokens.iter().zip(&lists.kinds).map(|(token, &kind)| piece_bytes(token, kind, &letters));
        let pieces = pieces.collect();
        let splitter = SpecialSplitter::new(&lists.tokens, &lists.kinds);
        Ok(Self { inner, pieces, kinds: lists.kinds, splitter, specials })
    }
}

/// Returns the patterns of a family in order, each splitting what the ones before it left, and whether a word that is a
/// token as a whole skips the merging.
fn patterns(pre: &str) -> Option<(Vec<String>, bool)> {
    let own = |patterns: &[&str]| patterns.iter().map(|&p| p.to_owned()).collect::<Vec<_>>();
    Some(match pre {
        "gpt-2" => (own(&[GPT2]), false),
        "smollm" => (own(&[r"\p{N}", GPT2]), false),
        "llama-bpe" | "llama3" | "llama-v3" => (vec![format!("{LLAMA3_HEAD}{}{LLAMA3_TAIL}", r"\p{N}{1,3}")], true),
        "qwen2" => (vec![format!("{LLAMA3_HEAD}{}{LLAMA3_TAIL}", r"\p{N}")], false),
        "default" => (own(&[r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"]), false),
        _ => return None,
    })
}

impl Tokenizer for ByteLevelBpe {
    fn encode(&self, text: &str, markup: Markup) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        for part in self.splitter.split(text, markup) {
            match part {
                Part::Token(id) => ids.push(id),
                // The crate fails only where a model has an unknown token that is not in its vocabulary; ours has none.
                Part::Text(text) => {
                    if let Ok(encoding) = self.inner.encode_fast(text, false) {
                        ids.extend_from_slice(encoding.get_ids());
                    }
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
        self.pieces.len()
    }

    fn specials(&self) -> &Specials {
        &self.specials
    }
}

/// Returns which byte each letter of GPT-2's byte alphabet stands for: printable Latin-1 stands for itself, the others
/// follow from U+0100 on (`bytes_to_unicode` in openai/gpt-2 `src/encoder.py`).
fn bytes_of_letters() -> HashMap<char, u8> {
    let mut letters = HashMap::new();
    let mut next = 0x100;
    for byte in 0..=255u8 {
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
            letters.insert(char::from(byte), byte);
        } else {
            letters.extend(char::from_u32(next).map(|letter| (letter, byte)));
            next += 1;
        }
    }
    letters
}

fn piece_bytes(token: &str, kind: Kind, letters: &HashMap<char, u8>) -> Box<[u8]> {
    match kind {
        Kind::Control | Kind::Unused | Kind::Unknown => Box::default(),
        Kind::UserDefined => token.as_bytes().into(),
        Kind::Normal | Kind::Byte => {
            let bytes: Option<Vec<u8>> = token.chars().map(|letter| letters.get(&letter).copied()).collect();
            bytes.unwrap_or_else(|| token.as_bytes().to_vec()).into()
        }
    }
}

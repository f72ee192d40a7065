//! Text to token ids and back, from the vocabulary that a GGUF file carries.
//!
//! In: a [`Gguf`]. Out: a [`Tokenizer`] whose ids are those of llama.cpp (`src/llama-vocab.cpp`), and a [`TextDecoder`] that
//! turns ids into text one by one. Which tokens a model may write is left to the decoder.

mod bounds;
pub mod byte_level;
pub mod json;
pub mod m2m;
pub mod marian;
pub mod pair;
pub mod pieces;
mod prefixes;
pub mod sentencepiece;
mod special;
pub mod unigram;
mod vocabulary;

pub use special::SpecialSplitter;

use super::Error;
use super::gguf::Gguf;

/// What a token is, as `tokenizer.ggml.token_type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Normal,
    /// The token for what has no token.
    Unknown,
    /// Steers the model; is never part of a text.
    Control,
    /// Text that is split out before all else.
    UserDefined,
    /// Reserved, never written.
    Unused,
    /// One byte.
    Byte,
}

impl Kind {
    /// Reads the number of the GGUF file; unknown numbers count as normal text, as in llama.cpp.
    pub fn of_number(number: f32) -> Self {
        match number as i32 {
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// Whether control tokens written out in a text (`<|im_start|>`) become those tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// They do: for prompts written by the program.
    Parse,
    /// They stay text: for text from outside.
    Text,
}

/// The ids that steer a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specials {
    /// Begins a sequence.
    pub bos: Option<u32>,
    /// Whether the model wants `bos` in front of a prompt.
    pub add_bos: bool,
    /// All ids that end a sequence or a turn, sorted.
    pub ends: Vec<u32>,
}

/// Cuts text into the ids of one vocabulary.
pub trait Tokenizer: Send + Sync + std::fmt::Debug {
    /// Returns the ids of a text, without the id that begins a sequence.
    fn encode(&self, text: &str, markup: Markup) -> Vec<u32>;

    /// Returns the bytes that an id stands for in a text; none for control tokens and ids out of range.
    ///
    /// A character of several bytes may be spread over several ids.
    fn piece(&self, id: u32) -> &[u8];

    /// Returns what an id is.
    fn kind(&self, id: u32) -> Kind;

    /// Returns how many ids there are.
    fn size(&self) -> usize;

    /// Returns the ids that steer the model.
    fn specials(&self) -> &Specials;

    /// Returns the ids of a whole prompt: with the id that begins a sequence, where the model wants one.
    fn encode_prompt(&self, text: &str) -> Vec<u32> {
        let specials = self.specials();
        let mut ids: Vec<u32> = specials.bos.filter(|_| specials.add_bos).into_iter().collect();
        ids.extend(self.encode(text, Markup::Parse));
        ids
    }

    /// Returns the text of a list of ids; bytes that are no UTF-8 become U+FFFD.
    fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| self.piece(id)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Loads the tokenizer of a GGUF file, or nothing where the file carries none.
///
/// # Errors
/// [`Error::BadModel`] where the tokenizer is of an unknown kind or its lists do not fit together.
pub fn load(gguf: &mut Gguf) -> Result<Option<Box<dyn Tokenizer>>, Error> {
    let Some(model) = gguf.optional_str("tokenizer.ggml.model")? else { return Ok(None) };
    match model {
        "llama" => Ok(Some(Box::new(sentencepiece::SentencePiece::load(gguf)?))),
        "gpt2" => Ok(Some(Box::new(byte_level::ByteLevelBpe::load(gguf)?))),
        other => {
            let reason = format!("tokenizer model {other:?} is not known here (there are: llama, gpt2)");
            Err(gguf.bad(reason))
        }
    }
}

/// The lists that every kind of vocabulary has.
struct Lists {
    tokens: Vec<String>,
    kinds: Vec<Kind>,
}

impl Lists {
    fn take(gguf: &mut Gguf) -> Result<Self, Error> {
        let tokens = gguf.strings("tokenizer.ggml.tokens")?;
        let kinds: Vec<Kind> = if gguf.has("tokenizer.ggml.token_type") {
            gguf.numbers("tokenizer.ggml.token_type")?.into_iter().map(Kind::of_number).collect()
        } else {
            vec![Kind::Normal; tokens.len()]
        };
        if kinds.len() != tokens.len() {
            return Err(gguf.bad(format!("{} tokens, but {} token types", tokens.len(), kinds.len())));
        }
        Ok(Self { tokens, kinds })
    }
}

/// Texts that end a sequence or a turn in the models that llama.cpp knows; a control token with such a text is an end.
const END_TEXTS: &[&str] = &[
    "<|im_end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|return|>",
    "<EOT>",
    "<eos>",
    "</s>",
];

fn specials(gguf: &Gguf, lists: &Lists, add_bos_default: bool) -> Result<Specials, Error> {
    let id = |key: &str| -> Result<Option<u32>, Error> {
        let Some(id) = gguf.optional_usize(key)? else { return Ok(None) };
        match u32::try_from(id) {
            Ok(small) if id < lists.tokens.len() => Ok(Some(small)),
            _ => Err(gguf.bad(format!("{key} is {id}, past the {} tokens", lists.tokens.len()))),
        }
    };
    let mut ends = Vec::new();
    for key in ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
        ends.extend(id(key)?);
    }
    for (index, (token, kind)) in lists.tokens.iter().zip(&lists.kinds).enumerate() {
        if *kind == Kind::Control && END_TEXTS.contains(&token.as_str()) {
            ends.push(index as u32);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    let bos = id("tokenizer.ggml.bos_token_id")?;
    let add_bos = gguf.optional_bool("tokenizer.ggml.add_bos_token")?.unwrap_or(add_bos_default);
    Ok(Specials { bos, add_bos, ends })
}

/// Turns ids into text one by one, holding back the bytes of a character that is not complete yet.
#[derive(Debug, Clone, Default)]
pub struct TextDecoder {
    text: String,
    pending: Vec<u8>,
}

impl TextDecoder {
    /// Appends what an id stands for.
    pub fn push(&mut self, piece: &[u8]) {
        self.pending.extend_from_slice(piece);
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(valid) => {
                    self.text.push_str(valid);
                    self.pending.clear();
                    return;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    self.text.push_str(&String::from_utf8_lossy(&self.pending[..valid]));
                    let Some(broken) = error.error_len() else {
                        self.pending.drain(..valid);
                        return;
                    };
                    self.text.push(char::REPLACEMENT_CHARACTER);
                    self.pending.drain(..valid + broken);
                }
            }
        }
    }

    /// Returns the text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Cuts the text to its first `bytes` bytes (which must end a character) and forgets what is pending.
    pub fn truncate(&mut self, bytes: usize) {
        self.text.truncate(bytes);
        self.pending.clear();
    }

    /// Returns the whole text; an unfinished character at the end becomes U+FFFD.
    pub fn finish(mut self) -> String {
        if !self.pending.is_empty() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decoding_in_pieces_is_decoding_the_whole(text in "\\PC{0,40}", cut in 1usize..5) {
            let mut decoder = TextDecoder::default();
            for piece in text.as_bytes().chunks(cut) {
                decoder.push(piece);
            }
            prop_assert_eq!(decoder.finish(), text);
        }

        #[test]
        fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut decoder = TextDecoder::default();
            for byte in &bytes {
                decoder.push(std::slice::from_ref(byte));
            }
            prop_assert_eq!(decoder.finish(), String::from_utf8_lossy(&bytes));
        }
    }
}

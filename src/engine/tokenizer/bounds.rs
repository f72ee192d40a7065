//! What tokenizer files may claim: checks before they are given to the crates that read them, which believe more.
//!
//! In: the bytes of a `SentencePiece` model or of a `tokenizer.json`. Out: what is wrong with it. Without these checks a
//! charsmap of a hundred bytes makes `spm_precompiled` ask for gigabytes, a table of replacements blows up a text a
//! millionfold, a piece of a megabyte overflows the stack when its trie is dropped, and a prefix of subwords makes the `BPE`
//! of `tokenizers` take bytes for text that are none. Sources: `sentencepiece_model.proto`, `builder.cc`
//! (`DecodePrecompiledCharsMap`), and the `Deserialize`s of tokenizers 0.23.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// Longest piece, in bytes; the longest known, runs of spaces, have 512.
const MAX_PIECE: usize = 1024;
/// Most pieces; the largest vocabularies have 262,144, with as many merges.
const MAX_PIECES: usize = 1 << 20;
/// Longest text that norming may put in the place of characters, in bytes; NFKC's longest has 33.
const MAX_REPLACEMENT: usize = 256;
/// How many times as long all replacements of a `tokenizer.json` after each other may make a text.
const MAX_GROWTH: usize = 4096;
/// Longest of the other texts of a `tokenizer.json`: patterns.
const MAX_TEXT: usize = 4096;
/// Most objects of a `tokenizer.json` that are no pieces: norming and cutting have less than thirty steps.
const MAX_STEPS: usize = 1000;
/// How often a pattern may say that something comes.
const MAX_REPEATS: usize = 100;

/// Checks the fields of a `SentencePiece` model that decide how much memory is taken.
pub(super) fn sentencepiece(file: &[u8]) -> Result<(), String> {
    let mut fields = Message(file);
    let mut pieces = 0;
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Some(piece)) => {
                pieces += 1;
                if piece.len() > MAX_PIECE + 16 {
                    return Err(format!("a piece has {} bytes; expected {MAX_PIECE} at most", piece.len()));
                }
                if pieces > MAX_PIECES {
                    return Err(format!("there are more than {MAX_PIECES} pieces"));
                }
            }
            // What stands for the unknown, and how text is normed.
            (2, Some(trainer)) => {
                let mut fields = Message(trainer);
                while let Some((number, field)) = fields.next()? {
                    let length = field.map_or(0, <[u8]>::len);
                    if (44..=48).contains(&number) && length > MAX_REPLACEMENT {
                        return Err(format!("the text of a special piece has {length} bytes"));
                    }
                }
            }
            (3 | 5, Some(normalizer)) => {
                let mut fields = Message(normalizer);
                while let Some((number, field)) = fields.next()? {
                    if let (2, Some(map)) = (number, field)
                        && !map.is_empty()
                    {
                        charsmap(map)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks a table of replacements: the length of its trie, the trie, and texts that each end in a zero.
fn charsmap(map: &[u8]) -> Result<(), String> {
    let (length, rest) = map.split_first_chunk::<4>().ok_or("its charsmap is cut short")?;
    let length = u32::from_le_bytes(*length) as usize;
    if length >= rest.len() {
        let has = rest.len();
        return Err(format!("its charsmap should have a trie of {length} bytes, and has {has}"));
    }
    let (_, texts) = rest.split_at(length);
    match texts.split(|&byte| byte == 0).map(<[u8]>::len).max() {
        Some(longest) if longest > MAX_REPLACEMENT => {
            Err(format!("its charsmap replaces a character by {longest} bytes; expected {MAX_REPLACEMENT} at most"))
        }
        _ => Ok(()),
    }
}

/// The number of a field, and its bytes where it has a length.
type ProtoField<'b> = (u64, Option<&'b [u8]>);

/// The fields of a protobuf message.
struct Message<'b>(&'b [u8]);

impl<'b> Message<'b> {
    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or("it is cut short")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in it is too long".into())
    }

    /// Returns the number of the next field, and its bytes where it has a length.
    fn next(&mut self) -> Result<Option<ProtoField<'b>>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let length = match key & 7 {
            0 => {
                self.varint()?;
                return Ok(Some((key >> 3, None)));
            }
            1 => 8,
            2 => self.varint()?,
            5 => 4,
            other => return Err(format!("a field in it is of wire type {other}")),
        };
        let left = self.0.len();
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (field, rest) = split.ok_or_else(|| format!("a field of {length} bytes in it has {left}"))?;
        self.0 = rest;
        Ok(Some((key >> 3, (key & 7 == 2).then_some(field))))
    }
}

/// Checks what a `tokenizer.json` says.
pub(super) fn json(file: &[u8]) -> Result<(), String> {
    let mut seen = Seen { pieces: 0, growth: 1, steps: 0 };
    let mut json = serde_json::Deserializer::from_slice(file);
    let read = Walk { seen: &mut seen, part: Part::Top, key: "" }.deserialize(&mut json);
    read.and_then(|()| json.end()).map_err(|error| error.to_string())
}

struct Seen {
    pieces: usize,
    growth: usize,
    steps: usize,
}

/// Which part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Top,
    /// The model, without its lists.
    Model,
    /// Pieces, merges, added tokens.
    Pieces,
    /// Norming, cutting, decoding.
    Steps,
    /// What is not used here.
    Unused,
}

/// Goes over a value.
struct Walk<'s> {
    seen: &'s mut Seen,
    part: Part,
    /// The field that it is in.
    key: &'s str,
}

impl Walk<'_> {
    fn text<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let length = text.len();
        let wrong = |what: String| Err(E::custom(what));
        match (self.part, self.key) {
            (Part::Unused, _) => Ok(()),
            (Part::Pieces, _) => {
                self.seen.pieces += 1;
                match () {
                    // A merge has two pieces in one text, of the length of a third.
                    () if length > MAX_PIECE + 1 => {
                        wrong(format!("a piece has {length} bytes; expected {MAX_PIECE} at most"))
                    }
                    () if self.seen.pieces > 6 * MAX_PIECES => {
                        wrong(format!("there are more than {MAX_PIECES} pieces"))
                    }
                    () => Ok(()),
                }
            }
            (Part::Model, "type") if !matches!(text, "BPE" | "Unigram") => {
                wrong(format!("models of type {:?} are not known here (there are: BPE, Unigram)", start(text)))
            }
            (Part::Model, "continuing_subword_prefix") if !text.is_empty() => {
                wrong("vocabularies with a prefix for parts of words are not known here".into())
            }
            (_, "precompiled_charsmap") => {
                self.seen.grow(MAX_REPLACEMENT / 16)?;
                let map = base64(text).ok_or_else(|| E::custom("its charsmap is not base64"))?;
                charsmap(&map).map_err(E::custom)
            }
            _ if length > MAX_TEXT => wrong(format!("a text of {:?} has {length} bytes", start(self.key))),
            (_, "Regex") if repeats(text) > MAX_REPEATS => {
                wrong(format!("the pattern {:?} repeats too much", start(text)))
            }
            (Part::Steps, "content" | "prepend" | "replacement") => self.seen.grow(length),
            _ => Ok(()),
        }
    }
}

impl Seen {
    fn grow<E: serde::de::Error>(&mut self, by: usize) -> Result<(), E> {
        self.growth = self.growth.saturating_mul(by.max(1));
        if self.growth > MAX_GROWTH {
            return Err(E::custom("its steps would make texts thousands of times as long"));
        }
        Ok(())
    }
}

fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Multiplies the numbers that stand in braces by themselves (`{2,100}`), each at least 1.
fn repeats(pattern: &str) -> usize {
    let counts = pattern.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(count, _)| {
        let numbers = count.split(',').map(str::trim).filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
        // A number that is too long for one is many.
        numbers.filter(|number| !number.is_empty()).map(|n| n.parse().unwrap_or(usize::MAX)).max().unwrap_or(1).max(1)
    });
    counts.fold(1, usize::saturating_mul)
}

/// Reads base64 with the usual alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { seen, part, key } = self;
        while list.next_element_seed(Walk { seen: &mut *seen, part, key })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { seen, part, .. } = self;
        if matches!(part, Part::Steps | Part::Model | Part::Top) {
            seen.steps += 1;
            if seen.steps > MAX_STEPS {
                return Err(A::Error::custom(format_args!("it has more than {MAX_STEPS} steps")));
            }
        }
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let within = match (part, &*key) {
                (Part::Top, "model") => Part::Model,
                (Part::Top, "added_tokens") | (Part::Model, "vocab" | "merges") => Part::Pieces,
                (Part::Top, "post_processor" | "padding" | "truncation") => Part::Unused,
                (Part::Top, _) => Part::Steps,
                (part, _) => part,
            };
            if part == Part::Pieces {
                // A piece is the key of its id, or a field of an added token.
                Walk { seen: &mut *seen, part, key: "" }.text(&key)?;
            }
            map.next_value_seed(Walk { seen: &mut *seen, part: within, key: &key })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_multiply() {
        assert_eq!(repeats(r"\p{N}{1,3}| {2,}|a"), 6);
        assert_eq!(repeats("(?:a{10}){20}"), 200);
        assert_eq!(repeats("a{99999999999999999999999}"), usize::MAX);
    }

    #[test]
    fn base64_is_read() {
        assert_eq!(base64("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(base64("AAQA//+/").as_deref(), Some(&[0, 4, 0, 0xff, 0xff, 0xbf][..]));
        assert_eq!(base64("a b"), None);
    }
}

//! Cuts text into the pieces of a `SentencePiece` model (`.spm`, `.model`) and puts pieces together again.
//!
//! In: a file as `sentencepiece` writes it, and text. Out: pieces, or what is no piece. The file is read, and text normed and
//! put together again, by the `sentencepiece-rs` crate. The search for the best pieces is here, because that crate's
//! compares each place of the text with all pieces that begin with the same byte, and for byte pairs looks through the whole
//! text for every merge; the pieces are the same (see the tests). Source: `sentencepiece/src/unigram_model.cc`
//! (`EncodeOptimized`), `bpe_model.cc`. What id a piece has in a model's vocabulary is left to the model's tokenizer.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sentencepiece_rs::{ModelType, PieceType, SentencePieceProcessor};
use unicode_normalization::UnicodeNormalization;

use super::prefixes::PrefixIndex;
use crate::engine::Error;
use crate::engine::checkpoint::bad;

/// The character that stands for a space inside pieces.
pub const SPACE: char = '\u{2581}';
/// What a character without a piece costs, on top of the rarest piece.
const UNKNOWN_PENALTY: f32 = 10.0;
/// Longest model file that is read, in bytes; the largest known (MADLAD-400) has 4.4 MB.
const MAX_FILE: u64 = 64 << 20;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut<'t> {
    /// A piece, by its number in the file.
    Piece(u32),
    /// Characters that no piece covers, with those after them that none covers either.
    Unknown(&'t str),
}

/// A `SentencePiece` model.
pub struct Pieces {
    processor: SentencePieceProcessor,
    index: PrefixIndex,
    /// Of each piece; in double precision, because the reference adds them up in it.
    scores: Vec<f64>,
    kinds: Vec<PieceType>,
    /// Piece numbers of the 256 bytes, where unknown characters are written as bytes.
    bytes: Option<Vec<u32>>,
    unknown: u32,
    unknown_score: f32,
    pairs: bool,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").field("pieces", &self.scores.len()).finish_non_exhaustive()
    }
}

impl Pieces {
    /// Reads a model.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::BadModel`] where it is no such model, or one of whole words or
    /// single characters.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = fs_err::metadata(path)?.len();
        if bytes > MAX_FILE {
            return Err(bad(path, format!("has {bytes} bytes; no SentencePiece model has more than {MAX_FILE}")));
        }
        Self::parse(path, &fs_err::read(path)?)
    }

    /// Reads what was in a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Pieces::open`].
    pub fn parse(path: &Path, file: &[u8]) -> Result<Self, Error> {
        let broken = |what: &str| bad(path, format!("not a SentencePiece model: {what}"));
        super::bounds::sentencepiece(file).map_err(|reason| broken(&reason))?;
        let read = catch_unwind(|| SentencePieceProcessor::from_serialized_model(file));
        let processor = match read {
            Ok(Ok(processor)) => processor,
            Ok(Err(error)) => return Err(broken(&error.to_string())),
            Err(_) => return Err(broken("it is broken")),
        };
        let model = processor.model();
        let pairs = match model.model_type() {
            ModelType::Unigram => false,
            ModelType::Bpe => true,
            other => return Err(bad(path, format!("{other:?} models are not known here (there are: Unigram, Bpe)"))),
        };
        let pieces = model.pieces();
        let kinds: Vec<PieceType> = pieces.iter().map(|piece| piece.kind).collect();
        let normal =
            || pieces.iter().zip(&kinds).filter(|(_, kind)| **kind == PieceType::Normal).map(|(piece, _)| piece.score);
        if pieces.iter().any(|piece| piece.score.is_nan()) {
            return Err(bad(path, "a piece's score is not a number"));
        }
        let lowest = normal().fold(f32::MAX, f32::min);
        let highest = normal().fold(f32::MIN_POSITIVE, f32::max);
        let scores = pieces.iter().zip(&kinds).map(|(piece, kind)| match kind {
            // Text that the makers want kept whole: as good as the best piece, for each of its bytes.
            PieceType::UserDefined if !pairs => f64::from(piece.piece.len() as f32 * highest) - 0.1,
            _ => f64::from(piece.score),
        });
        let mut byte_numbers = [None; 256];
        for (number, piece) in pieces.iter().enumerate().filter(|(number, _)| kinds[*number] == PieceType::Byte) {
            let hex = piece.piece.get(3..5).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            if let Some(byte) = hex {
                byte_numbers[usize::from(byte)] = Some(number as u32);
            }
        }
        let searched: Vec<(u32, &str)> = pieces
            .iter()
            .enumerate()
            .filter(|(number, _)| match kinds[*number] {
                PieceType::Normal | PieceType::UserDefined => true,
                // Byte pairs may pass through a piece that is not used.
                PieceType::Unused => pairs,
                PieceType::Unknown | PieceType::Control | PieceType::Byte => false,
            })
            .map(|(number, piece)| (number as u32, piece.piece.as_str()))
            .collect();
        Ok(Self {
            index: PrefixIndex::new(&searched),
            scores: scores.collect(),
            kinds,
            bytes: byte_numbers.into_iter().collect(),
            unknown: model.unk_id() as u32,
            unknown_score: if lowest == f32::MAX { 0.0 } else { lowest } - UNKNOWN_PENALTY,
            pairs,
            processor,
        })
    }

    /// Returns how many pieces there are.
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Returns whether there are no pieces.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Returns a piece by its number.
    pub fn piece(&self, number: u32) -> Option<&str> {
        self.processor.id_to_piece(number as usize).ok()
    }

    /// Returns the number of a piece.
    pub fn number(&self, piece: &str) -> Option<u32> {
        self.processor.model().try_piece_to_id(piece).map(|number| number as u32)
    }

    /// Returns the number of the unknown piece.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Returns whether a piece is part of a text: not one that steers the model, and not the unknown one.
    pub fn is_text(&self, number: u32) -> bool {
        self.kinds.get(number as usize).is_some_and(|kind| !matches!(kind, PieceType::Control | PieceType::Unknown))
    }

    /// Cuts a text into pieces and hands them on in order.
    pub fn cut(&self, text: &str, mut found: impl FnMut(Cut<'_>)) {
        let normed = self.normed(text);
        let numbers = if self.pairs { self.best_pairs(&normed) } else { self.best_path(&normed) };
        let mut pending: Option<(usize, usize)> = None;
        for (start, end, number) in numbers {
            if number != self.unknown {
                if let Some((start, end)) = pending.take() {
                    found(Cut::Unknown(&normed[start..end]));
                }
                found(Cut::Piece(number));
            } else if let Some(bytes) = &self.bytes {
                normed[start..end].bytes().for_each(|byte| found(Cut::Piece(bytes[usize::from(byte)])));
            } else {
                pending = Some((pending.map_or(start, |(start, _)| start), end));
            }
        }
        if let Some((start, end)) = pending {
            found(Cut::Unknown(&normed[start..end]));
        }
    }

    /// Puts pieces together to a text, white space at both ends trimmed.
    pub fn join(&self, pieces: &[&str]) -> String {
        let joined = catch_unwind(AssertUnwindSafe(|| self.processor.decode_pieces(pieces)));
        let text = match joined {
            Ok(Ok(text)) => text,
            // Only a file that contradicts itself comes here, and then the pieces say what there is to say.
            Ok(Err(_)) | Err(_) => pieces.concat(),
        };
        text.replace(SPACE, " ").trim().to_owned()
    }

    /// Norms a text as the model was trained on it.
    fn normed<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match catch_unwind(AssertUnwindSafe(|| self.processor.normalize(text))) {
            Ok(Ok(normed)) => Cow::Owned(normed),
            // A table of a broken file that cuts characters in two: what the table of a whole one mostly does.
            Ok(Err(_)) | Err(_) => {
                let words: Vec<String> =
                    text.nfkc().collect::<String>().split_whitespace().map(str::to_owned).collect();
                Cow::Owned(words.iter().flat_map(|word| ["\u{2581}", word]).collect())
            }
        }
    }

    /// The most likely pieces, as (start, end, number), in order.
    fn best_path(&self, text: &str) -> Vec<(usize, usize, u32)> {
        /// How a place is best reached.
        #[derive(Clone, Copy)]
        struct Best {
            score: f32,
            start: u32,
            number: u32,
        }
        let mut best = vec![Best { score: f32::NEG_INFINITY, start: u32::MAX, number: self.unknown }; text.len() + 1];
        best[0].score = 0.0;
        let reach = |best: &mut Vec<Best>, start: usize, end: usize, number: u32, score: f64| {
            if best[end].start == u32::MAX || score > f64::from(best[end].score) {
                best[end] = Best { score: score as f32, start: start as u32, number };
            }
        };
        for (start, first) in text.char_indices() {
            let here = best[start].score;
            let mut single = false;
            self.index.prefixes(&text.as_bytes()[start..], |length, number| {
                reach(&mut best, start, start + length, number, f64::from(here) + self.scores[number as usize]);
                single |= length == first.len_utf8();
            });
            if !single {
                reach(&mut best, start, start + first.len_utf8(), self.unknown, f64::from(here + self.unknown_score));
            }
        }
        let mut path = Vec::new();
        let mut end = text.len();
        while end > 0 {
            let Best { start, number, .. } = best[end];
            path.push((start as usize, end, number));
            end = start as usize;
        }
        path.reverse();
        path
    }

    /// The pieces that are left when neighbours were merged, the best pair first, as (start, end, number), in order.
    fn best_pairs(&self, text: &str) -> Vec<(usize, usize, u32)> {
        let mut symbols = self.symbols(text);
        let mut queue = BinaryHeap::new();
        let propose = |symbols: &[Symbol], left: usize, right: usize, queue: &mut BinaryHeap<Pair>| {
            let (first, second) = (symbols[left], symbols[right]);
            if first.whole || second.whole {
                return;
            }
            let end = second.start + second.len;
            if let Some(number) = self.index.find(&text.as_bytes()[first.start..end]) {
                queue.push(Pair { score: self.scores[number as usize], left, right, len: end - first.start });
            }
        };
        for right in 1..symbols.len() {
            propose(&symbols, right - 1, right, &mut queue);
        }
        // How unused pieces came about, so that they can be taken apart again.
        let mut made: std::collections::BTreeMap<(usize, usize), usize> = std::collections::BTreeMap::new();
        while let Some(pair) = queue.pop() {
            let (left, right) = (symbols[pair.left], symbols[pair.right]);
            // Either side may have been merged into something else since.
            if left.len == 0 || right.len == 0 || left.len + right.len != pair.len {
                continue;
            }
            made.insert((left.start, left.start + pair.len), right.start);
            symbols[pair.left].len = pair.len;
            symbols[pair.left].next = right.next;
            symbols[pair.right].len = 0;
            if right.next < symbols.len() {
                symbols[right.next].previous = pair.left;
                propose(&symbols, pair.left, right.next, &mut queue);
            }
            if left.previous < symbols.len() {
                propose(&symbols, left.previous, pair.left, &mut queue);
            }
        }
        let mut path = Vec::new();
        let mut open: Vec<(usize, usize)> = Vec::new();
        for symbol in symbols.iter().filter(|symbol| symbol.len > 0) {
            open.push((symbol.start, symbol.start + symbol.len));
            while let Some((start, end)) = open.pop() {
                let number = self.index.find(&text.as_bytes()[start..end]).unwrap_or(self.unknown);
                match made.get(&(start, end)) {
                    Some(&middle) if self.kinds[number as usize] == PieceType::Unused => {
                        open.push((middle, end));
                        open.push((start, middle));
                    }
                    _ => path.push((start, end, number)),
                }
            }
        }
        path
    }

    /// Cuts a text into characters and the pieces that stay whole.
    fn symbols(&self, text: &str) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = Vec::new();
        let mut start = 0;
        while let Some(first) = text[start..].chars().next() {
            let mut len = first.len_utf8();
            let mut whole = false;
            self.index.prefixes(&text.as_bytes()[start..], |length, number| {
                if self.kinds[number as usize] == PieceType::UserDefined {
                    (len, whole) = (length, true);
                }
            });
            let here = symbols.len();
            symbols.push(Symbol { start, len, previous: here.wrapping_sub(1), next: here + 1, whole });
            start += len;
        }
        symbols
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
    /// Never merged.
    whole: bool,
}

/// Two neighbours that would make a piece.
#[derive(Debug, Clone, Copy)]
struct Pair {
    score: f64,
    left: usize,
    right: usize,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A small model with what the C++ implementation makes of texts with it (`tests/fixtures/parity/make_pieces.py`).
    fn model(name: &str) -> Pieces {
        let path = format!("{}/tests/fixtures/parity/pieces/{name}.model", env!("CARGO_MANIFEST_DIR"));
        Pieces::open(Path::new(&path)).unwrap()
    }

    fn strings(model: &Pieces, text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        model.cut(text, |cut| {
            pieces.push(match cut {
                Cut::Piece(number) => model.piece(number).unwrap().to_owned(),
                Cut::Unknown(text) => text.to_owned(),
            });
        });
        pieces
    }

    const MODELS: [&str; 4] = ["unigram", "bytes", "pairs", "unused"];

    #[test]
    fn pieces_are_those_of_the_reference() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/parity/pieces/expected.json");
        let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let texts: Vec<&str> =
            expected["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        for name in MODELS {
            let model = model(name);
            for (text, case) in texts.iter().zip(expected["models"][name].as_array().unwrap()) {
                let want: Vec<&str> =
                    case["pieces"].as_array().unwrap().iter().map(|piece| piece.as_str().unwrap()).collect();
                assert_eq!(strings(&model, text), want, "{name}: {text:?}");
                assert_eq!(model.join(&want), case["text"].as_str().unwrap().trim(), "{name}: {text:?}");
            }
        }
    }

    #[test]
    fn long_words_and_texts_take_time_by_their_length() {
        for name in MODELS {
            let model = model(name);
            for text in ["ا".repeat(100_000), "قال الرئيس إن البلاد ".repeat(3000), "\u{10FFFD}".repeat(100_000)]
            {
                let start = std::time::Instant::now();
                let mut count = 0;
                model.cut(&text, |_| count += 1);
                assert!(count > 0);
                // Looking through the whole text for each merge takes minutes.
                assert!(start.elapsed().as_secs() < 10, "{name}: {:?}", start.elapsed());
            }
        }
    }

    proptest! {
        /// Without the model with unused pieces: taking those apart again, the crate mistakes one merge for another.
        #[test]
        fn pieces_are_those_of_the_crate(text in "[ا-ي ▁abe2n>é\u{10FFFD}\t]{0,30}", which in 0usize..3) {
            let model = model(MODELS[which]);
            prop_assert_eq!(strings(&model, &text), model.processor.encode(&text).unwrap());
        }

        #[test]
        fn any_text_has_pieces(text in any::<String>(), which in 0usize..4) {
            let model = model(MODELS[which]);
            let mut whole = String::new();
            model.cut(&text, |cut| match cut {
                Cut::Piece(number) if number == model.unknown() => whole.push('?'),
                Cut::Piece(_) => {}
                Cut::Unknown(unknown) => assert!(!unknown.is_empty()),
            });
            prop_assert!(whole.is_empty(), "the unknown is handed on as text");
        }

        #[test]
        fn broken_models_are_refused_or_work(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/parity/pieces/unigram.model");
            let mut file = std::fs::read(path).unwrap();
            let at = at.index(file.len());
            if cut { file.truncate(at) } else { file[at] = byte }
            if let Ok(model) = Pieces::parse(Path::new("m.spm"), &file) {
                let pieces = strings(&model, "قال a ب\u{10FFFD} <2en> x");
                model.join(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }
}

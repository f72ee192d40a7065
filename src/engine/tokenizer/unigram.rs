//! The tokenizer of T5 and mT5 models that have only `spiece.model`: ids are the numbers of the pieces.
//!
//! In: that file and a text. Out: ids, with `</s>` at the end, and text from ids. Ids beyond the file (`<extra_id_0>` and
//! its like, which steer the training) stand for no text. Source: transformers 5.23.0, `models/t5/tokenization_t5.py`.

use super::pair::PairTokenizer;
use super::pieces::{Cut, Pieces};
use crate::engine::Error;
use crate::engine::checkpoint::{Checkpoint, bad};

/// Reads sources and writes targets of a model of the T5 family.
#[derive(Debug)]
pub struct UnigramTokenizer {
    pieces: Pieces,
    /// What stands before every source.
    before: Vec<u32>,
    end: u32,
}

impl UnigramTokenizer {
    /// Opens the tokenizer of a model with `limit` embeddings; `prefix` is what stands before every source. Without one,
    /// a model that knows `<2en>` (MADLAD-400) is told that.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the file is missing or broken, has no `</s>`, or more pieces than the model.
    pub fn open(checkpoint: &Checkpoint, limit: usize, prefix: Option<&str>) -> Result<Self, Error> {
        let files = checkpoint.files();
        let path = files.find("spiece.model").or_else(|| files.find("sentencepiece.model"));
        let path = path.ok_or_else(|| {
            bad(
                &files.place("tokenizer.json"),
                "is missing, and there is no spiece.model either: the tokenizer is made of it",
            )
        })?;
        let pieces = Pieces::open(&path)?;
        if pieces.len() > limit {
            return Err(bad(&path, format!("{} pieces are more than the model's {limit} embeddings", pieces.len())));
        }
        let end = pieces.number("</s>").ok_or_else(|| bad(&path, "\"</s>\" is missing"))?;
        let mut tokenizer = Self { pieces, before: Vec::new(), end };
        tokenizer.before = match prefix {
            Some(prefix) => tokenizer.ids(prefix),
            None => tokenizer.pieces.number("<2en>").into_iter().collect(),
        };
        Ok(tokenizer)
    }

    fn ids(&self, text: &str) -> Vec<u32> {
        if let Some(number) = self.pieces.number(text.trim()) {
            return vec![number];
        }
        let mut ids = Vec::with_capacity(text.len() / 3 + 2);
        self.pieces.cut(text, |cut| {
            ids.push(match cut {
                Cut::Piece(number) => number,
                Cut::Unknown(_) => self.pieces.unknown(),
            });
        });
        ids
    }
}

impl PairTokenizer for UnigramTokenizer {
    fn encode(&self, source: &str) -> Vec<u32> {
        let mut ids = self.before.clone();
        self.pieces.cut(source, |cut| {
            ids.push(match cut {
                Cut::Piece(number) => number,
                Cut::Unknown(_) => self.pieces.unknown(),
            });
        });
        ids.push(self.end);
        ids
    }

    fn decode(&self, ids: &[u32]) -> String {
        let text = ids.iter().copied().filter(|&id| self.pieces.is_text(id));
        let pieces: Vec<&str> = text.filter_map(|id| self.pieces.piece(id)).collect();
        self.pieces.join(&pieces)
    }

    fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.piece(id)
    }
}

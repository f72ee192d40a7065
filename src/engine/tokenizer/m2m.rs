//! The tokenizer of M2M-100: `sentencepiece.bpe.model`, `vocab.json`, and languages behind the vocabulary.
//!
//! In: those files and a text. Out: ids, with the source's language in front and `</s>` at the end, and text from ids.
//! Source: transformers 5.23.0, `models/m2m_100/tokenization_m2m_100.py`.

use super::pair::PairTokenizer;
use super::pieces::{Cut, Pieces};
use super::vocabulary::Vocabulary;
use crate::engine::Error;
use crate::engine::checkpoint::{Checkpoint, bad};

/// The languages of M2M-100 in the order of their ids; the first comes right after the last piece of `vocab.json`.
const LANGUAGES: &str = "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he \
                         hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl \
                         no ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh \
                         yi yo zh zu";

/// Reads sources and writes targets of an M2M-100 model.
#[derive(Debug)]
pub struct M2mTokenizer {
    pieces: Pieces,
    vocabulary: Vocabulary,
    /// For each piece, its id in the vocabulary.
    ids: Vec<u32>,
    /// `__af__` and so on.
    languages: Vec<String>,
    source: u32,
    target: u32,
    unknown: u32,
    end: u32,
}

impl M2mTokenizer {
    /// Opens the tokenizer of a model with `limit` embeddings. `source` and `target` are codes of the model (`ar`, `en`).
    ///
    /// # Errors
    /// [`Error::BadModel`] where a file is missing or broken, or a language is not known.
    pub fn open(checkpoint: &Checkpoint, limit: usize, source: &str, target: &str) -> Result<Self, Error> {
        let find = |name: &str| {
            let files = checkpoint.files();
            files.find(name).ok_or_else(|| bad(&files.place(name), "is missing: the tokenizer is made of it"))
        };
        let pieces = Pieces::open(&find("sentencepiece.bpe.model")?)?;
        let path = find("vocab.json")?;
        let vocabulary = Vocabulary::open(&path, limit)?;
        let languages: Vec<String> = LANGUAGES.split_whitespace().map(|code| format!("__{code}__")).collect();
        if vocabulary.len() + languages.len() > limit {
            let reason = format!(
                "{} pieces and {} languages are more than the model's {limit} embeddings",
                vocabulary.len(),
                languages.len()
            );
            return Err(bad(&path, reason));
        }
        let language = |code: &str| {
            let place = LANGUAGES.split_whitespace().position(|known| known == code);
            let missing =
                || bad(&path, format!("the model does not know the language {code:?} (it knows: {LANGUAGES})"));
            Ok::<u32, Error>((vocabulary.len() + place.ok_or_else(missing)?) as u32)
        };
        let (source, target) = (language(source)?, language(target)?);
        let (unknown, end) = (vocabulary.required("<unk>")?, vocabulary.required("</s>")?);
        let ids = (0..pieces.len() as u32)
            .map(|number| pieces.piece(number).and_then(|piece| vocabulary.id(piece)).unwrap_or(unknown))
            .collect();
        Ok(Self { pieces, vocabulary, ids, languages, source, target, unknown, end })
    }

    /// Returns the token that every target starts with.
    pub fn target_language(&self) -> u32 {
        self.target
    }
}

impl PairTokenizer for M2mTokenizer {
    fn encode(&self, source: &str) -> Vec<u32> {
        let mut ids = vec![self.source];
        self.pieces.cut(source, |cut| {
            ids.push(match cut {
                Cut::Piece(number) => self.ids[number as usize],
                Cut::Unknown(text) => self.vocabulary.id(text).unwrap_or(self.unknown),
            });
        });
        ids.push(self.end);
        ids
    }

    fn decode(&self, ids: &[u32]) -> String {
        let text = |piece: &&str| !matches!(*piece, "<s>" | "</s>" | "<unk>" | "<pad>");
        let pieces: Vec<&str> = ids.iter().filter_map(|&id| self.vocabulary.piece(id)).filter(text).collect();
        self.pieces.join(&pieces)
    }

    fn piece(&self, id: u32) -> Option<&str> {
        let language = (id as usize).checked_sub(self.vocabulary.len());
        let language = language.and_then(|place| self.languages.get(place)).map(String::as_str);
        self.vocabulary.piece(id).or(language)
    }
}

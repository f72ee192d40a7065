//! The tokenizer of OPUS-MT models: `source.spm`, `target.spm`, `vocab.json`.
//!
//! In: those files and a text. Out: ids, with `</s>` at the end, and text from ids. Source: transformers 5.23.0,
//! `models/marian/tokenization_marian.py`, but for three things: what looks like a language tag and is not in the vocabulary
//! stays text; `</s>` written out in a text is text, too (it comes from outside and is not to steer the model); and targets
//! are put together with `target.spm`, as their makers do.

use super::pair::PairTokenizer;
use super::pieces::{Cut, Pieces};
use super::vocabulary::Vocabulary;
use crate::engine::Error;
use crate::engine::checkpoint::{Checkpoint, Fields, bad};

/// Reads sources and writes targets of an OPUS-MT model.
#[derive(Debug)]
pub struct MarianTokenizer {
    source: Pieces,
    target: Pieces,
    vocabulary: Vocabulary,
    /// Where source and target have vocabularies of their own.
    target_vocabulary: Option<Vocabulary>,
    /// For each piece of `source`, its id in the vocabulary.
    ids: Vec<u32>,
    unknown: u32,
    end: u32,
    /// The tag in front of a source that has none itself.
    tag: Option<u32>,
}

impl MarianTokenizer {
    /// Opens the tokenizer of a model with `source_vocabulary` and `target_vocabulary` embeddings. `target` is the language
    /// to translate into, for models of several (`eng` or `>>eng<<`); without it such a model is told `>>eng<<` where it
    /// knows that, and single-target models are told nothing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where a file is missing or broken, or the model does not know the language.
    pub fn open(
        checkpoint: &Checkpoint,
        source_vocabulary: usize,
        target_vocabulary: usize,
        target: Option<&str>,
    ) -> Result<Self, Error> {
        let find = |name: &str| {
            let files = checkpoint.files();
            files.find(name).ok_or_else(|| bad(&files.place(name), "is missing: the tokenizer is made of it"))
        };
        let (source_path, vocabulary_path) = (find("source.spm")?, find("vocab.json")?);
        let source = Pieces::open(&source_path)?;
        let vocabulary = Vocabulary::open(&vocabulary_path, source_vocabulary)?;
        let separate = checkpoint.tokenizer_config().map(|file: &Fields| file.bool("separate_vocabs")).transpose()?;
        let target_file = match separate.flatten() {
            Some(true) => Some(find("target_vocab.json")?),
            _ => None,
        };
        let (unknown, end) = (vocabulary.required("<unk>")?, vocabulary.required("</s>")?);
        let ids = (0..source.len() as u32)
            .map(|number| source.piece(number).and_then(|piece| vocabulary.id(piece)).unwrap_or(unknown));
        let tags: Vec<&str> = vocabulary.iter().map(|(_, piece)| piece).filter(|piece| is_tag(piece)).collect();
        let tag = match target {
            Some(language) => {
                let tag = if is_tag(language) { language.to_owned() } else { format!(">>{language}<<") };
                let missing = || {
                    let known = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
                    bad(
                        &vocabulary_path,
                        format!("the model does not know the target language {tag} (it knows: {known})"),
                    )
                };
                Some(vocabulary.id(&tag).ok_or_else(missing)?)
            }
            None if tags.len() > 1 => vocabulary.id(">>eng<<"),
            None => None,
        };
        Ok(Self {
            target: Pieces::open(&find("target.spm")?)?,
            target_vocabulary: target_file.map(|path| Vocabulary::open(&path, target_vocabulary)).transpose()?,
            ids: ids.collect(),
            source,
            vocabulary,
            unknown,
            end,
            tag,
        })
    }

    fn written(&self) -> &Vocabulary {
        self.target_vocabulary.as_ref().unwrap_or(&self.vocabulary)
    }
}

/// Whether a piece names a language: `>>eng<<`.
fn is_tag(piece: &str) -> bool {
    piece.strip_prefix(">>").and_then(|rest| rest.strip_suffix("<<")).is_some_and(|name| !name.is_empty())
}

impl PairTokenizer for MarianTokenizer {
    fn encode(&self, source: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(source.len() / 3 + 2);
        let mut rest = source;
        while let Some(end) = rest.strip_prefix(">>").and_then(|inner| inner.find("<<")) {
            let (tag, after) = rest.split_at(end + 4);
            let Some(id) = self.vocabulary.id(tag) else { break };
            ids.push(id);
            rest = after.trim_start();
        }
        if ids.is_empty() {
            ids.extend(self.tag);
        }
        self.source.cut(rest, |cut| {
            ids.push(match cut {
                Cut::Piece(number) => self.ids[number as usize],
                // What has no piece may still be in the vocabulary, as a piece of the target side.
                Cut::Unknown(text) => self.vocabulary.id(text).unwrap_or(self.unknown),
            });
        });
        ids.push(self.end);
        ids
    }

    fn decode(&self, ids: &[u32]) -> String {
        let special = |piece: &&str| !matches!(*piece, "</s>" | "<unk>" | "<pad>" | "<s>") && !is_tag(piece);
        let pieces: Vec<&str> = ids.iter().filter_map(|&id| self.piece(id)).filter(special).collect();
        self.target.join(&pieces)
    }

    fn piece(&self, id: u32) -> Option<&str> {
        self.written().piece(id)
    }
}

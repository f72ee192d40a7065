//! Tokenizers of translation models from `tokenizer.json`: NLLB-200, T5, mT5, MADLAD-400.
//!
//! In: that file and a text. Out: ids with what the model expects around them, and text from ids. The file is read by the
//! `tokenizers` crate. Its template for what goes around a text is not used: NLLB's names the language that its makers
//! happened to have set last. Tokens that steer the model are text where they are written out in a source.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tokenizers::Tokenizer as HfTokenizer;

use super::pair::PairTokenizer;
use crate::engine::Error;
use crate::engine::checkpoint::bad;

/// Longest `tokenizer.json` that is read, in bytes; NLLB's has 17 MB, MADLAD's 16 MB, the largest known 33 MB.
const MAX_FILE: u64 = 64 << 20;

/// Reads sources and writes targets by a `tokenizer.json`.
pub struct JsonTokenizer {
    path: PathBuf,
    tokenizer: HfTokenizer,
    /// By id; none where no piece has it.
    pieces: Vec<Option<Box<str>>>,
    /// What stands before every source.
    before: Vec<u32>,
    /// Tokens that steer the model, but for the unknown one, and their texts, by id.
    special: BTreeMap<u32, String>,
    unknown: u32,
    end: u32,
    /// Ids from here on are not the model's.
    limit: usize,
}

impl std::fmt::Debug for JsonTokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonTokenizer").field("path", &self.path).finish_non_exhaustive()
    }
}

impl JsonTokenizer {
    /// Opens the tokenizer of a model with `limit` embeddings; nothing stands before a source yet.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::BadModel`] where it is broken or has no `</s>` or no token for
    /// the unknown.
    pub fn open(path: &Path, limit: usize) -> Result<Self, Error> {
        let bytes = fs_err::metadata(path)?.len();
        if bytes > MAX_FILE {
            return Err(bad(path, format!("has {bytes} bytes; no tokenizer has more than {MAX_FILE}")));
        }
        Self::parse(path, &fs_err::read(path)?, limit)
    }

    /// Reads what was in a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`JsonTokenizer::open`].
    pub fn parse(path: &Path, file: &[u8], limit: usize) -> Result<Self, Error> {
        super::bounds::json(file).map_err(|reason| bad(path, format!("not a tokenizer: {reason}")))?;
        // The crate panics on some files that it should refuse.
        let read = catch_unwind(|| {
            let mut tokenizer = HfTokenizer::from_bytes(file).map_err(|error| error.to_string())?;
            tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
            tokenizer.with_padding(None);
            // It may repeat a text as often as it likes, and what it puts around one is not used.
            tokenizer.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
            tokenizer.set_encode_special_tokens(true);
            // Text in no vocabulary: a file that has no answer to it says so now.
            let probe = tokenizer.encode_fast("ا \u{10FFFD}1a", false).map_err(|error| error.to_string())?;
            Ok::<_, String>((tokenizer, probe.len()))
        });
        let tokenizer = match read {
            Ok(Ok((tokenizer, _))) => tokenizer,
            Ok(Err(error)) => return Err(bad(path, format!("not a tokenizer: {error}"))),
            Err(_) => return Err(bad(path, "not a tokenizer: it is broken")),
        };
        let required = |piece: &str| {
            let id = tokenizer.token_to_id(piece).filter(|&id| (id as usize) < limit);
            id.ok_or_else(|| bad(path, format!("{piece:?} is missing, or not among the model's {limit} tokens")))
        };
        let (unknown, end) = (required("<unk>")?, required("</s>")?);
        let added = tokenizer.get_added_tokens_decoder().into_iter();
        let special = added.filter(|(id, token)| token.special && *id != unknown && !token.content.is_empty());
        let special = special.map(|(id, token)| (id, token.content)).collect();
        let mut pieces: Vec<Option<Box<str>>> = Vec::new();
        let mut known: Vec<(String, u32)> = tokenizer.get_vocab(true).into_iter().collect();
        known.sort_unstable_by_key(|(_, id)| *id);
        // A table has a row for each id: the file must have about as many pieces.
        let most = 2 * known.len() + 1024;
        if let Some((piece, id)) = known.iter().find(|(_, id)| (*id as usize) < limit && *id as usize >= most) {
            let (piece, count): (String, usize) = (piece.chars().take(40).collect(), known.len());
            return Err(bad(path, format!("piece {piece:?} has the id {id}, and there are {count} pieces")));
        }
        for (piece, id) in known {
            if (id as usize) < limit {
                pieces.resize(pieces.len().max(id as usize + 1), None);
                pieces[id as usize] = Some(piece.into());
            }
        }
        Ok(Self { path: path.to_owned(), tokenizer, pieces, before: Vec::new(), special, unknown, end, limit })
    }

    /// Returns the id of a piece.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.tokenizer.token_to_id(piece).filter(|&id| (id as usize) < self.limit)
    }

    /// Returns the id of a language, as the model's makers call it.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the model does not know it.
    pub fn language(&self, code: &str) -> Result<u32, Error> {
        let missing = || bad(&self.path, format!("the model does not know the language {code:?}"));
        self.id(code).ok_or_else(missing)
    }

    /// Puts a token before every source.
    #[must_use]
    pub fn starting_with(mut self, id: u32) -> Self {
        self.before = vec![id];
        self
    }

    /// Puts a text before every source: one token where it is one, apart from white space around it (`<2en> `).
    #[must_use]
    pub fn starting_with_text(mut self, prefix: &str) -> Self {
        self.before = match self.id(prefix.trim()) {
            Some(id) => vec![id],
            None => self.ids(prefix),
        };
        self
    }

    /// The ids of a text, none of which steers the model.
    fn ids(&self, text: &str) -> Vec<u32> {
        let ids = self.cut(text);
        if !ids.iter().any(|id| self.special.contains_key(id)) {
            return ids;
        }
        // The crate was told to leave such tokens alone, but the pieces of many a file have them again. Cut behind its first
        // character, a token's text is just text.
        let mut cuts: Vec<usize> = Vec::new();
        for token in self.special.values() {
            let first = token.chars().next().map_or(0, char::len_utf8);
            cuts.extend(text.match_indices(token.as_str()).map(|(start, _)| start + first));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([text.len()]);
        let ids = starts.zip(ends).flat_map(|(start, end)| self.cut(&text[start..end]));
        // What is still there comes of norming: full-width letters, say.
        ids.map(|id| if self.special.contains_key(&id) { self.unknown } else { id }).collect()
    }

    fn cut(&self, text: &str) -> Vec<u32> {
        let encoded = catch_unwind(AssertUnwindSafe(|| self.tokenizer.encode_fast(text, false)));
        match encoded {
            Ok(Ok(encoding)) => {
                let known = |&id: &u32| if (id as usize) < self.limit { id } else { self.unknown };
                encoding.get_ids().iter().map(known).collect()
            }
            // Cannot be: the file was tried on text that it does not know.
            Ok(Err(_)) | Err(_) => vec![self.unknown],
        }
    }
}

impl PairTokenizer for JsonTokenizer {
    fn encode(&self, source: &str) -> Vec<u32> {
        let mut ids = self.before.clone();
        ids.extend(self.ids(source));
        ids.push(self.end);
        ids
    }

    fn decode(&self, ids: &[u32]) -> String {
        let known: Vec<u32> = ids.iter().copied().filter(|&id| self.piece(id).is_some()).collect();
        let decoded = catch_unwind(AssertUnwindSafe(|| self.tokenizer.decode(&known, true)));
        match decoded {
            Ok(Ok(text)) => text.trim().to_owned(),
            Ok(Err(_)) | Err(_) => {
                let pieces: String = known.iter().filter_map(|&id| self.piece(id)).collect();
                pieces.replace(super::pieces::SPACE, " ").trim().to_owned()
            }
        }
    }

    fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize)?.as_deref()
    }
}

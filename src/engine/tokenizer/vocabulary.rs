//! A `vocab.json`: pieces to ids and back.
//!
//! In: a path. Out: [`Vocabulary`]. Which pieces a text has is left to [`super::pieces`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::engine::Error;
use crate::engine::checkpoint::{Fields, bad};

/// Pieces with their ids.
#[derive(Debug)]
pub struct Vocabulary {
    path: PathBuf,
    ids: HashMap<Box<str>, u32>,
    /// By id; none where no piece has it.
    pieces: Vec<Option<Box<str>>>,
}

impl Vocabulary {
    /// Reads a file; its ids must be below `limit`, the rows of the embeddings.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is no object of ids or an id is out of range.
    pub fn open(path: &Path, limit: usize) -> Result<Self, Error> {
        let file = Fields::open(path)?;
        let object = file.value().as_object().into_iter().flatten();
        let (mut ids, mut pieces) = (HashMap::new(), Vec::new());
        for (piece, id) in object {
            let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
            let Some(id) = id.filter(|&id| id < limit) else {
                let reason =
                    format!("the id of {piece:?} is {}; expected one below {limit}", file.value()[piece.as_str()]);
                return Err(file.bad(reason));
            };
            if pieces.len() <= id {
                pieces.resize(id + 1, None);
            }
            pieces[id] = Some(piece.as_str().into());
            ids.insert(piece.as_str().into(), id as u32);
        }
        Ok(Self { path: path.to_owned(), ids, pieces })
    }

    /// Returns the id of a piece.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// Returns the id of a piece that every such vocabulary has.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it does not.
    pub fn required(&self, piece: &str) -> Result<u32, Error> {
        self.id(piece).ok_or_else(|| bad(&self.path, format!("{piece:?} is missing")))
    }

    /// Returns the piece of an id.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize)?.as_deref()
    }

    /// Returns how many pieces there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns all pieces with their ids, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.pieces.iter().enumerate().filter_map(|(id, piece)| Some((id as u32, piece.as_deref()?)))
    }
}

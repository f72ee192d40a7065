//! A `vocab.json`: pieces to ids and back.
//!
//! In: a path. Out: [`Vocabulary`]. Which pieces a text has is left to [`super::pieces`].

use std::fmt;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};

use crate::engine::Error;
use crate::engine::checkpoint::bad;

/// Longest file that is read, in bytes; a vocabulary of a quarter of a million pieces has 6 MB.
const MAX_FILE: u64 = 64 << 20;
/// Longest piece, in bytes.
const MAX_PIECE: usize = 4096;
/// Bytes that are read at a time.
const AHEAD: usize = 32 << 10;

/// Pieces with their ids.
#[derive(Debug)]
pub struct Vocabulary {
    path: PathBuf,
    /// All pieces in one text.
    text: String,
    /// In the order of the ids. There are as many as pieces, whatever the largest id is.
    entries: Vec<Entry>,
    /// Places in `entries`, in the order of the pieces.
    sorted: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    start: u32,
    /// In bytes.
    length: u16,
}

impl Vocabulary {
    /// Reads a file; its ids must be below `limit`, the rows of the embeddings.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is no object of ids, an id is out of range or
    /// there twice.
    pub fn open(path: &Path, limit: usize) -> Result<Self, Error> {
        let file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len();
        if bytes > MAX_FILE {
            return Err(bad(path, format!("has {bytes} bytes; no vocabulary has more than {MAX_FILE}")));
        }
        let reader = BufReader::with_capacity(AHEAD, file.take(MAX_FILE));
        let mut json = serde_json::Deserializer::from_reader(reader);
        let (mut text, mut entries) = (String::new(), Vec::new());
        let read = Reading { text: &mut text, entries: &mut entries, limit }.deserialize(&mut json);
        read.and_then(|()| json.end()).map_err(|error| bad(path, format!("not a vocabulary: {error}")))?;
        entries.sort_unstable_by_key(|entry| entry.id);
        let piece = |entry: &Entry| &text[entry.start as usize..][..usize::from(entry.length)];
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let (first, second) = (piece(&twice[0]), piece(&twice[1]));
            return Err(bad(path, format!("{first:?} and {second:?} have the same id, {}", twice[0].id)));
        }
        let mut sorted: Vec<u32> = (0..entries.len() as u32).collect();
        sorted.sort_unstable_by(|&a, &b| piece(&entries[a as usize]).cmp(piece(&entries[b as usize])));
        let at = |place: u32| piece(&entries[place as usize]);
        if let Some(twice) = sorted.windows(2).find(|pair| at(pair[0]) == at(pair[1])) {
            return Err(bad(path, format!("{:?} is there twice", at(twice[0]))));
        }
        Ok(Self { path: path.to_owned(), text, entries, sorted })
    }

    fn text_of(&self, entry: &Entry) -> &str {
        &self.text[entry.start as usize..][..usize::from(entry.length)]
    }

    /// Returns the id of a piece.
    pub fn id(&self, piece: &str) -> Option<u32> {
        let at = |&place: &u32| self.text_of(&self.entries[place as usize]).cmp(piece);
        let place = self.sorted.binary_search_by(at).ok()?;
        Some(self.entries[self.sorted[place] as usize].id)
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
        // In most files the ids are the places.
        let straight = self.entries.get(id as usize).filter(|entry| entry.id == id);
        let searched = || self.entries.binary_search_by_key(&id, |entry| entry.id).ok().map(|at| &self.entries[at]);
        straight.or_else(searched).map(|entry| self.text_of(entry))
    }

    /// Returns how many pieces there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns all pieces with their ids, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.entries.iter().map(|entry| (entry.id, self.text_of(entry)))
    }
}

/// Takes pieces and ids as they come.
struct Reading<'r> {
    text: &'r mut String,
    entries: &'r mut Vec<Entry>,
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of ids by piece")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        loop {
            let start = self.text.len();
            let Some(()) = map.next_key_seed(Piece(self.text))? else { return Ok(()) };
            let id: serde_json::Number = map.next_value()?;
            let known = id.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|&id| (id as usize) < self.limit);
            let piece = &self.text[start..];
            let (Some(id), Ok(length)) = (known, u16::try_from(piece.len())) else {
                let limit = self.limit;
                return Err(A::Error::custom(format_args!("the id of {piece:?} is {id}; expected one below {limit}")));
            };
            // The file is shorter than 4 GiB.
            self.entries.push(Entry { id, start: start as u32, length });
        }
    }
}

/// Appends a piece to the others.
struct Piece<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Piece<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Piece<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a piece")
    }
    fn visit_str<E: serde::de::Error>(self, piece: &str) -> Result<(), E> {
        if piece.len() > MAX_PIECE {
            return Err(E::custom(format_args!("a piece has {} bytes; expected {MAX_PIECE} at most", piece.len())));
        }
        self.0.push_str(piece);
        Ok(())
    }
}

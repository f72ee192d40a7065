//! The JSON files of a checkpoint: typed fields, with errors that name the file and the key.
//!
//! In: a path. Out: [`Fields`]. A field that is `null` counts as missing, fields that nobody asks for are left alone. What
//! the fields mean is left to those who ask.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::engine::Error;

/// Longest JSON file that is read, in bytes; a vocabulary of a quarter of a million pieces has 6 MB.
pub const MAX_JSON: u64 = 256 << 20;

/// A JSON object from a file.
#[derive(Debug, Clone)]
pub struct Fields {
    path: PathBuf,
    value: Value,
}

impl Fields {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is not a JSON object.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = fs_err::metadata(path)?.len();
        if bytes > MAX_JSON {
            return Err(bad(path, format!("has {bytes} bytes; no file of this kind has more than {MAX_JSON}")));
        }
        Self::parse(path, &fs_err::read(path)?)
    }

    /// Parses what was in a file; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is not a JSON object.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(text).map_err(|error| bad(path, format!("not JSON: {error}")))?;
        if !value.is_object() {
            return Err(bad(path, "not a JSON object"));
        }
        Ok(Self { path: path.to_owned(), value })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the whole object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Makes an error that names this file.
    pub fn bad(&self, reason: impl Into<String>) -> Error {
        bad(&self.path, reason)
    }

    /// Returns a field, unless it is missing or `null`.
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    /// Reads a whole number within `range`; `default` where it is missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else, out of the range, or missing without a default.
    pub fn usize(&self, key: &str, default: Option<usize>, range: RangeInclusive<usize>) -> Result<usize, Error> {
        let Some(value) = self.field(key) else {
            return default.ok_or_else(|| self.bad(format!("{key:?} is missing")));
        };
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        match number {
            Some(number) if range.contains(&number) => Ok(number),
            _ => {
                let (low, high) = range.into_inner();
                Err(self.bad(format!("{key:?} is {}; expected a whole number from {low} to {high}", short(value))))
            }
        }
    }

    /// Reads a finite number that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        let number = value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| self.bad(format!("{key:?} is {}; expected a finite number", short(value))))
    }

    /// Reads a truth value that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        value
            .as_bool()
            .map(Some)
            .ok_or_else(|| self.bad(format!("{key:?} is {}; expected true or false", short(value))))
    }

    /// Reads a text that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn str(&self, key: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.bad(format!("{key:?} is {}; expected a text", short(value))))
    }

    /// Reads token ids that may be missing: a number, or a list of numbers.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else, or an id is not below `vocabulary`.
    pub fn ids(&self, key: &str, vocabulary: usize) -> Result<Option<Vec<u32>>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        let ids: Option<Vec<u32>> = match value {
            Value::Array(list) => list.iter().map(id).collect(),
            single => id(single).map(|id| vec![id]),
        };
        let Some(ids) = ids else {
            return Err(self.bad(format!("{key:?} is {}; expected a token id or a list of them", short(value))));
        };
        match ids.iter().find(|&&id| id as usize >= vocabulary) {
            Some(id) => Err(self.bad(format!("{key:?} names token {id}; the vocabulary has {vocabulary}"))),
            None => Ok(Some(ids)),
        }
    }

    /// Reads one token id that may be missing; of a list, the first.
    ///
    /// # Errors
    /// As [`Fields::ids`].
    pub fn id(&self, key: &str, vocabulary: usize) -> Result<Option<u32>, Error> {
        Ok(self.ids(key, vocabulary)?.and_then(|ids| ids.first().copied()))
    }

    /// Reads a list of token sequences that may be missing.
    ///
    /// # Errors
    /// As [`Fields::ids`]; also where a sequence is empty.
    pub fn sequences(&self, key: &str, vocabulary: usize) -> Result<Option<Vec<Vec<u32>>>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        let mistyped = || self.bad(format!("{key:?} is {}; expected lists of token ids", short(value)));
        let mut sequences = Vec::new();
        for sequence in value.as_array().ok_or_else(mistyped)? {
            let ids: Option<Vec<u32>> = sequence.as_array().and_then(|list| list.iter().map(id).collect());
            let ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(mistyped)?;
            if let Some(id) = ids.iter().find(|&&id| id as usize >= vocabulary) {
                return Err(self.bad(format!("{key:?} names token {id}; the vocabulary has {vocabulary}")));
            }
            sequences.push(ids);
        }
        Ok(Some(sequences))
    }
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

/// A value as text, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Makes the error of a file.
pub(in crate::engine) fn bad(path: &Path, reason: impl Into<String>) -> Error {
    Error::BadModel { path: path.to_owned(), reason: reason.into() }
}

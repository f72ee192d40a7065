//! The list of a model's weights files: `model.safetensors.index.json`.
//!
//! In: a path. Out: the files that it names, and for each tensor in which of them it is, one at a time: nothing is kept. The
//! format is transformers' (`modeling_utils.py`); where the files lie is said by [`super::Files`].

use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};

use super::fields::{MAX_JSON, bad};
use crate::engine::Error;

/// Most files that a list names; the largest models have two hundred.
const MAX_FILES: usize = 1000;
/// Bytes that are read at a time.
const AHEAD: usize = 16 << 10;

/// Returns the names of the files in order.
///
/// # Errors
/// [`Error::Io`] where the list cannot be read; [`Error::BadModel`] where it is none, names no files or too many, or names
/// one that lies anywhere but beside it.
pub fn files(path: &Path) -> Result<Vec<String>, Error> {
    let mut files: BTreeSet<String> = BTreeSet::new();
    each(path, |name, file| {
        if files.contains(file) {
            return Ok(());
        }
        // A name that leads out of the model's folder has no business in a list of its files.
        if file.is_empty() || file.len() > 255 || file.contains(['/', '\\', '\0']) || matches!(file, "." | "..") {
            return Err(format!("\"weight_map\" names no file for {:?}", name.chars().take(200).collect::<String>()));
        }
        if files.len() == MAX_FILES {
            return Err(format!("\"weight_map\" names more than {MAX_FILES} files"));
        }
        files.insert(file.to_owned());
        Ok(())
    })?;
    Ok(files.into_iter().collect())
}

/// Hands on every tensor with its file. What is wrong with one is said by an `Err`.
///
/// # Errors
/// [`Error::Io`] where the list cannot be read; [`Error::BadModel`] where it is none, or with the `Err` of `found`.
pub fn each(path: &Path, mut found: impl FnMut(&str, &str) -> Result<(), String>) -> Result<(), Error> {
    let file = fs_err::File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > MAX_JSON {
        return Err(bad(path, format!("has {bytes} bytes; no file of this kind has more than {MAX_JSON}")));
    }
    let reader = BufReader::with_capacity(AHEAD, file.take(MAX_JSON));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let (mut wrong, mut there) = (None, false);
    let read = Index { found: &mut found, wrong: &mut wrong, there: &mut there }.deserialize(&mut json);
    match (wrong, read.and_then(|()| json.end())) {
        (Some(reason), _) => Err(bad(path, reason)),
        (None, Err(error)) => Err(bad(path, format!("not a list of weights files: {error}"))),
        (None, Ok(())) if !there => Err(bad(path, "\"weight_map\" is missing")),
        (None, Ok(())) => Ok(()),
    }
}

type Found<'f> = &'f mut dyn FnMut(&str, &str) -> Result<(), String>;

/// The whole object.
struct Index<'f> {
    found: Found<'f>,
    wrong: &'f mut Option<String>,
    there: &'f mut bool,
}

impl<'de> DeserializeSeed<'de> for Index<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Index<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Box<str>>()? {
            if &*key != "weight_map" {
                map.next_value::<IgnoredAny>()?;
            } else if std::mem::replace(self.there, true) {
                return Err(A::Error::custom("\"weight_map\" is there twice"));
            } else {
                map.next_value_seed(Map { found: self.found, wrong: self.wrong })?;
            }
        }
        Ok(())
    }
}

/// The files by tensor.
struct Map<'f> {
    found: Found<'f>,
    wrong: &'f mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Map<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Map<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("files by tensor")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Box<str>>()? {
            map.next_value_seed(File { name: &name, found: self.found, wrong: self.wrong })?;
        }
        Ok(())
    }
}

/// The file of one tensor.
struct File<'f> {
    name: &'f str,
    found: Found<'f>,
    wrong: &'f mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for File<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for File<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a file")
    }
    fn visit_str<E: serde::de::Error>(self, file: &str) -> Result<(), E> {
        (self.found)(self.name, file).map_err(|reason| {
            *self.wrong = Some(reason);
            E::custom("a file")
        })
    }
}

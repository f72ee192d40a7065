//! The JSON files of a checkpoint: typed fields, with errors that name the file and the key.
//!
//! In: a path. Out: [`Fields`]. A field that is `null` counts as missing, fields that nobody asks for are left alone. What
//! the fields mean is left to those who ask. Of what a file holds no more is kept than can be asked for: numbers, texts and
//! lists of token ids, as such; so that what stays in memory is no more than the file, whatever is in it.

use std::fmt;
use std::io::{BufReader, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::engine::Error;

/// Longest JSON file of settings that is read, in bytes; the largest known has 1.2 MB.
pub const MAX_JSON: u64 = 32 << 20;
/// Most fields of an object; the largest known have a hundred.
const MAX_FIELDS: usize = 1000;
/// Longest text that is kept, in bytes, and longest list.
const MAX_TEXT: usize = 1 << 16;
const MAX_IDS: usize = 1 << 14;
/// Bytes that are read at a time.
const AHEAD: usize = 16 << 10;

/// A JSON object from a file.
#[derive(Debug, Clone)]
pub struct Fields {
    path: PathBuf,
    /// In the order of the keys; without those that are `null`.
    fields: Vec<(Box<str>, Field)>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    /// A list of token ids.
    Ids(Vec<u32>),
    /// Lists of token ids, one after the other, and where each ends.
    Sequences(Vec<u32>, Vec<u32>),
    /// What nobody asks for, as it is called in messages.
    Other(&'static str),
    Null,
}

impl Fields {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is not a JSON object.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len();
        if bytes > MAX_JSON {
            return Err(bad(path, format!("has {bytes} bytes; no file of this kind has more than {MAX_JSON}")));
        }
        Self::read(path, BufReader::with_capacity(AHEAD, file.take(MAX_JSON)))
    }

    /// Parses what was in a file; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is not a JSON object.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, Error> {
        Self::read(path, text)
    }

    fn read(path: &Path, reader: impl Read) -> Result<Self, Error> {
        let mut json = serde_json::Deserializer::from_reader(reader);
        let read = Object::deserialize(&mut json).and_then(|object| json.end().map(|()| object));
        let Object(mut fields) = read.map_err(|error| match error.classify() {
            serde_json::error::Category::Data => bad(path, format!("not a JSON object of settings: {error}")),
            _ => bad(path, format!("not JSON: {error}")),
        })?;
        fields.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if let Some(twice) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(bad(path, format!("{:?} is there twice", twice[0].0)));
        }
        Ok(Self { path: path.to_owned(), fields })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an error that names this file.
    pub fn bad(&self, reason: impl Into<String>) -> Error {
        bad(&self.path, reason)
    }

    /// Returns a field, unless it is missing or `null`.
    fn field(&self, key: &str) -> Option<&Field> {
        let place = self.fields.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        Some(&self.fields[place].1)
    }

    /// Returns whether a field is there and not `null`.
    pub fn has(&self, key: &str) -> bool {
        self.field(key).is_some()
    }

    /// Reads a whole number within `range`; `default` where it is missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else, out of the range, or missing without a default.
    pub fn usize(&self, key: &str, default: Option<usize>, range: RangeInclusive<usize>) -> Result<usize, Error> {
        let Some(value) = self.field(key) else {
            return default.ok_or_else(|| self.bad(format!("{key:?} is missing")));
        };
        let number = match value {
            Field::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Ok(number),
            _ => {
                let (low, high) = range.into_inner();
                Err(self.bad(format!("{key:?} is {}; expected a whole number from {low} to {high}", shown(value))))
            }
        }
    }

    /// Reads a finite number that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        let number = match value {
            Field::Number(number) => number.as_f64().map(|number| number as f32).filter(|number| number.is_finite()),
            _ => None,
        };
        number.map(Some).ok_or_else(|| self.bad(format!("{key:?} is {}; expected a finite number", shown(value))))
    }

    /// Reads a truth value that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        match value {
            Field::Bool(value) => Ok(Some(*value)),
            _ => Err(self.bad(format!("{key:?} is {}; expected true or false", shown(value)))),
        }
    }

    /// Reads a text that may be missing.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else.
    pub fn str(&self, key: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        match value {
            Field::Text(text) => Ok(Some(text)),
            _ => Err(self.bad(format!("{key:?} is {}; expected a text", shown(value)))),
        }
    }

    /// Reads token ids that may be missing: a number, or a list of numbers.
    ///
    /// # Errors
    /// [`Error::BadModel`] where it is something else, or an id is not below `vocabulary`.
    pub fn ids(&self, key: &str, vocabulary: usize) -> Result<Option<Vec<u32>>, Error> {
        let Some(value) = self.field(key) else { return Ok(None) };
        let ids: Option<Vec<u32>> = match value {
            Field::Ids(ids) => Some(ids.clone()),
            Field::Number(number) => number.as_u64().and_then(|id| u32::try_from(id).ok()).map(|id| vec![id]),
            _ => None,
        };
        let Some(ids) = ids else {
            return Err(self.bad(format!("{key:?} is {}; expected a token id or a list of them", shown(value))));
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
        let (ids, ends) = match value {
            Field::Sequences(ids, ends) => (ids.as_slice(), ends.as_slice()),
            Field::Ids(ids) if ids.is_empty() => (&[][..], &[][..]),
            _ => return Err(self.bad(format!("{key:?} is {}; expected lists of token ids", shown(value)))),
        };
        if let Some(id) = ids.iter().find(|&&id| id as usize >= vocabulary) {
            return Err(self.bad(format!("{key:?} names token {id}; the vocabulary has {vocabulary}")));
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        Ok(Some(starts.zip(ends).map(|(start, &end)| ids[start as usize..end as usize].to_vec()).collect()))
    }
}

/// The fields of an object as they come.
struct Object(Vec<(Box<str>, Field)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut fields = Vec::new();
                while let Some(key) = map.next_key::<Box<str>>()? {
                    match map.next_value()? {
                        Field::Null => {}
                        _ if fields.len() == MAX_FIELDS => {
                            return Err(A::Error::custom(format_args!("there are more than {MAX_FIELDS} fields")));
                        }
                        field => fields.push((key, field)),
                    }
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Any)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Field, E> {
                Ok(Field::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
                Ok(Field::Bool(value))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Field, E> {
                Ok(Field::Number(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Field, E> {
                Ok(Field::Number(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Field, E> {
                Ok(Number::from_f64(number).map_or(Field::Other("a number without end"), Field::Number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Field, E> {
                Ok(if text.len() > MAX_TEXT { Field::Other("a long text") } else { Field::Text(text.into()) })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Field::Other("an object"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
                let (mut ids, mut ends, mut plain, mut other) = (Vec::new(), Vec::new(), false, false);
                while let Some(item) = list.next_element_seed(Item(&mut ids))? {
                    let before = ends.last().map_or(0, |&end| end as usize);
                    match item {
                        Kind::Id => plain = true,
                        // An empty list is no sequence of tokens.
                        Kind::List if !plain && ids.len() > before => ends.push(ids.len() as u32),
                        Kind::List | Kind::Other => other = true,
                    }
                    other |= ids.len() > MAX_IDS || (plain && !ends.is_empty());
                    if other {
                        (ids, ends) = (Vec::new(), Vec::new());
                    }
                }
                Ok(match (other, ends.is_empty()) {
                    (true, _) => Field::Other("a list"),
                    (false, true) => Field::Ids(ids),
                    (false, false) => Field::Sequences(ids, ends),
                })
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What an item of a list was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Id,
    List,
    Other,
}

/// Reads an item of a list: an id, or a list of ids, which go to the others.
struct Item<'i>(&'i mut Vec<u32>);

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Kind;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = Kind;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
        let Ok(id) = u32::try_from(number) else { return Ok(Kind::Other) };
        self.0.push(id);
        Ok(Kind::Id)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
    fn visit_str<E>(self, _: &str) -> Result<Kind, E> {
        Ok(Kind::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Kind::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        let mut kind = Kind::List;
        while let Some(id) = list.next_element::<Small>()? {
            match id.0 {
                Some(id) if self.0.len() <= MAX_IDS => self.0.push(id),
                _ => kind = Kind::Other,
            }
        }
        Ok(kind)
    }
}

/// An id, or none where it is anything else.
struct Small(Option<u32>);

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ids = Vec::new();
        let kind = Item(&mut ids).deserialize(deserializer)?;
        Ok(Self(ids.first().copied().filter(|_| kind == Kind::Id)))
    }
}

/// A value as text, cut where it is long.
fn shown(value: &Field) -> String {
    let text = match value {
        Field::Bool(value) => value.to_string(),
        Field::Number(number) => number.to_string(),
        Field::Text(text) => format!("{:?}", text.chars().take(100).collect::<String>()),
        Field::Ids(ids) => format!("{:?}", &ids[..ids.len().min(20)]),
        Field::Sequences(..) => "a list of lists".to_owned(),
        Field::Other(what) => (*what).to_owned(),
        Field::Null => "null".to_owned(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Makes the error of a file.
pub(in crate::engine) fn bad(path: &Path, reason: impl Into<String>) -> Error {
    Error::BadModel { path: path.to_owned(), reason: reason.into() }
}

//! Reads tensors from `.safetensors` files, one at a time.
//!
//! In: a path. Out: [`Shard`], which knows what is in the file and reads a tensor as `f32`. The format is
//! <https://github.com/huggingface/safetensors#format>: eight bytes with the header's length, a JSON header, the data. All
//! the header says is checked against the file's length before anything is allocated. Tensors are read in small pieces
//! into their place rather than mapped: a file that shrinks while it is read is then an error and no signal.

use std::fmt;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::bad;
use crate::engine::Error;

/// Longest header that is read; the `safetensors` crate has the same limit.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes that are read at a time: a multiple of every element's size.
const PIECE: usize = 1 << 18;

/// Bytes of the header that are read at a time.
const AHEAD: usize = 16 << 10;
/// Most dimensions of a tensor; no weights have more than four.
const MAX_DIMENSIONS: usize = 8;
/// Longest name of a tensor, in bytes; the longest known have 120.
const MAX_NAME: usize = 1024;

/// The kinds of numbers that the format has, with the bits of each.
const DTYPES: [(&str, u64); 21] = [
    ("F32", 32),
    ("F16", 16),
    ("BF16", 16),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
    ("I32", 32),
    ("U32", 32),
    ("I16", 16),
    ("U16", 16),
    ("I8", 8),
    ("U8", 8),
    ("BOOL", 8),
    ("C64", 64),
    ("F8_E4M3", 8),
    ("F8_E5M2", 8),
    ("F8_E8M0", 8),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("F4", 4),
    ("F8_E4M3FNUZ", 8),
];

/// The kinds of numbers that become `f32` without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    F32,
    F16,
    Bf16,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// A tensor as the header declares it: what stays of a declaration is smaller than its text.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    shape: Box<[usize]>,
    /// From the start of the file.
    begin: u64,
    /// Place in [`DTYPES`].
    dtype: u8,
}

impl Entry {
    /// None for kinds of numbers that no model here has as weights.
    fn kind(&self) -> Option<Kind> {
        match DTYPES[usize::from(self.dtype)].0 {
            "F32" => Some(Kind::F32),
            "F16" => Some(Kind::F16),
            "BF16" => Some(Kind::Bf16),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Declared {
    dtype: Dtype,
    shape: Dimensions,
    data_offsets: (u64, u64),
}

/// A place in [`DTYPES`].
struct Dtype(u8);

impl<'de> Deserialize<'de> for Dtype {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;
        impl Visitor<'_> for Named {
            type Value = Dtype;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a kind of numbers")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Dtype, E> {
                let place = DTYPES.iter().position(|(known, _)| *known == name);
                let shown: String = name.chars().take(40).collect();
                let unknown = || E::custom(format!("{shown:?} is no kind of numbers that is known here"));
                Ok(Dtype(place.ok_or_else(unknown)? as u8))
            }
        }
        deserializer.deserialize_str(Named)
    }
}

/// The sizes of a tensor, outermost first.
struct Dimensions {
    sizes: [u64; MAX_DIMENSIONS],
    count: usize,
}

impl Dimensions {
    fn sizes(&self) -> &[u64] {
        &self.sizes[..self.count]
    }
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sizes;
        impl<'de> Visitor<'de> for Sizes {
            type Value = Dimensions;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a shape of {MAX_DIMENSIONS} dimensions at most")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Dimensions, A::Error> {
                let mut found = Dimensions { sizes: [0; MAX_DIMENSIONS], count: 0 };
                while let Some(size) = list.next_element()? {
                    let place = found.sizes.get_mut(found.count);
                    *place.ok_or_else(|| A::Error::invalid_length(found.count + 1, &self))? = size;
                    found.count += 1;
                }
                Ok(found)
            }
        }
        deserializer.deserialize_seq(Sizes)
    }
}

/// One `.safetensors` file.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    /// In the order of the names.
    entries: Vec<Entry>,
    bytes: u64,
}

impl Shard {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::BadModel`] where it is not such a file, is cut short, or its
    /// header contradicts itself.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = fs_err::File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut start = [0u8; 8];
        let got = read_up_to(&mut file, &mut start)?;
        if let Some(what) = mistaken(&start[..got]) {
            return Err(bad(path, format!("not a safetensors file, but {what}")));
        }
        let length = u64::from_le_bytes(start);
        if got < 8 || !(2..=MAX_HEADER).contains(&length) {
            return Err(bad(path, "not a safetensors file: it does not start with the length of a header"));
        }
        let data = 8 + length;
        if data > bytes {
            let reason = format!("cut short: its header should end at byte {data}, the file has {bytes}");
            return Err(bad(path, reason));
        }
        let reader = BufReader::with_capacity(AHEAD, file.take(length));
        let mut json = serde_json::Deserializer::from_reader(reader);
        let mut wrong = None;
        let read = Header { data, bytes, wrong: &mut wrong }.deserialize(&mut json);
        let read = read.and_then(|entries| json.end().map(|()| entries));
        let mut entries = match (wrong, read) {
            (Some(reason), _) => return Err(bad(path, reason)),
            (None, Ok(entries)) => entries,
            (None, Err(error)) => {
                return Err(bad(path, format!("not a safetensors file: its header is not JSON ({error})")));
            }
        };
        entries.sort_unstable_by(|a, b| (a.begin, &a.name).cmp(&(b.begin, &b.name)));
        let mut end = data;
        for (place, entry) in entries.iter().enumerate() {
            if entry.begin != end {
                let name = &entry.name;
                let before = place.checked_sub(1).map(|before| &entries[before].name);
                return Err(bad(
                    path,
                    match before {
                        Some(before) if entry.begin < end => format!("tensors {before:?} and {name:?} overlap"),
                        _ => format!(
                            "nothing is at bytes {end} to {}, before tensor {name:?}: it is broken",
                            entry.begin
                        ),
                    },
                ));
            }
            end += size(DTYPES[usize::from(entry.dtype)].1, entry.shape.iter().map(|&n| n as u64)).unwrap_or(0);
        }
        if end != bytes {
            return Err(bad(path, format!("its tensors end at byte {end}, the file at {bytes}: it is broken")));
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(bad(path, format!("tensor {:?} is declared twice", twice[0].name)));
        }
        Ok(Self { path: path.to_owned(), entries, bytes })
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let place = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        Some(&self.entries[place])
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the names of all tensors in the file, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// Returns the shape of a tensor, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entry(name).map(|entry| &*entry.shape)
    }

    /// Returns the kind of a tensor's numbers as the header calls it, or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<&str> {
        self.entry(name).map(|entry| DTYPES[usize::from(entry.dtype)].0)
    }

    /// Reads a tensor as `f32`; nothing where the file does not have it.
    ///
    /// # Errors
    /// [`Error::BadModel`] where its numbers are of a kind that is not read here or not numbers, [`Error::Io`] where the
    /// file cannot be read any more.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        let Some(kind) = entry.kind() else {
            let held = DTYPES[usize::from(entry.dtype)].0;
            let reason = format!("tensor {name:?} holds {held}; expected F32, F16 or BF16");
            return Err(bad(&self.path, reason));
        };
        let elements: usize = entry.shape.iter().product();
        let mut file = fs_err::File::open(&self.path)?;
        file.seek(SeekFrom::Start(entry.begin))?;
        let mut values: Vec<f32> = Vec::with_capacity(elements);
        let mut piece = vec![0u8; PIECE.min(elements * kind.bytes())];
        while values.len() < elements {
            let wanted = piece.len().min((elements - values.len()) * kind.bytes());
            file.read_exact(&mut piece[..wanted])?;
            let read = piece[..wanted].chunks_exact(kind.bytes());
            match kind {
                Kind::F32 => values.extend(read.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
                Kind::F16 => values.extend(read.map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32())),
                Kind::Bf16 => values.extend(read.map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32())),
            }
        }
        if values.iter().any(|value| value.is_nan()) {
            return Err(bad(&self.path, format!("tensor {name:?} holds values that are not numbers (NaN)")));
        }
        Ok(Some(Tensor::from_vec(values, &*entry.shape, &Device::Cpu)?))
    }
}

/// Reads the header of a file of `bytes` bytes whose data start at `data`. What is wrong with a tensor, rather than with the
/// JSON, is put into `wrong`, so that the message is ours.
struct Header<'w> {
    data: u64,
    bytes: u64,
    wrong: &'w mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Header<'_> {
    type Value = Vec<Entry>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Entry>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Header<'_> {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Entry>, A::Error> {
        let mut entries = Vec::new();
        let mut described = false;
        while let Some(name) = map.next_key::<Box<str>>()? {
            if &*name == "__metadata__" {
                if described {
                    *self.wrong = Some("\"__metadata__\" is there twice".into());
                    return Err(A::Error::custom("twice"));
                }
                described = true;
                if let Err(error) = map.next_value::<Texts>() {
                    *self.wrong = Some(format!("\"__metadata__\" is not an object of texts: {error}"));
                    return Err(error);
                }
                continue;
            }
            if name.is_empty() || name.len() > MAX_NAME {
                *self.wrong = Some(format!("a tensor's name has {} bytes; expected 1 to {MAX_NAME}", name.len()));
                return Err(A::Error::custom("name"));
            }
            let declared = match map.next_value::<Declared>() {
                Ok(declared) => declared,
                Err(error) => {
                    *self.wrong = Some(format!("tensor {name:?} is declared wrongly: {error}"));
                    return Err(error);
                }
            };
            match check(name, &declared, self.data, self.bytes) {
                Ok(entry) => entries.push(entry),
                Err(reason) => {
                    *self.wrong = Some(reason);
                    return Err(A::Error::custom("tensor"));
                }
            }
        }
        Ok(entries)
    }
}

/// An object of texts, of which nothing is kept.
struct Texts;

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                while map.next_entry::<IgnoredAny, Text>()?.is_some() {}
                Ok(Texts)
            }
        }
        deserializer.deserialize_map(Any)
    }
}

/// A text, of which nothing is kept.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }
        deserializer.deserialize_str(Any)
    }
}

/// Returns the bytes of a tensor; none where there is no such tensor.
fn size(bits: u64, shape: impl IntoIterator<Item = u64>) -> Option<u64> {
    let bits = shape.into_iter().try_fold(bits, u64::checked_mul)?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

/// Checks a declaration against a file of `bytes` bytes whose data start at `data`.
fn check(name: Box<str>, declared: &Declared, data: u64, bytes: u64) -> Result<Entry, String> {
    let &Declared { dtype: Dtype(dtype), ref shape, data_offsets: (begin, end) } = declared;
    let (begin, end) = match (data.checked_add(begin), data.checked_add(end)) {
        (Some(begin), Some(end)) if begin <= end => (begin, end),
        _ => return Err(format!("tensor {name:?} has its data from {begin} to {end}, which cannot be")),
    };
    if end > bytes {
        return Err(format!(
            "tensor {name:?} should end at byte {end}, but the file has {bytes}: it is cut short or broken"
        ));
    }
    let (kind, bits) = DTYPES[usize::from(dtype)];
    let shape = shape.sizes();
    if size(bits, shape.iter().copied()) != Some(end - begin) {
        return Err(format!("tensor {name:?} of shape {shape:?} ({kind}) has {} bytes of data", end - begin));
    }
    // One dimension of none makes the product zero, however large the others are.
    if size(64, shape.iter().copied().filter(|&n| n > 0)).is_none_or(|size| size > isize::MAX as u64) {
        return Err(format!("tensor {name:?} has the shape {shape:?}, which cannot be"));
    }
    let shape: Option<Box<[usize]>> = shape.iter().map(|&n| usize::try_from(n).ok()).collect();
    let shape = shape.ok_or_else(|| format!("tensor {name:?} is larger than this machine can address"))?;
    Ok(Entry { name, shape, begin, dtype })
}

/// Says what a file is that is often found in place of weights, from its first bytes.
fn mistaken(start: &[u8]) -> Option<&'static str> {
    match start {
        [] => Some("an empty file"),
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', ..] => {
            Some("the pointer that Git LFS keeps for it: fetch the file itself (git lfs pull)")
        }
        [b'G', b'G', b'U', b'F', ..] => Some("a GGUF file"),
        [b'P', b'K', 3, 4, ..] => Some("a zip file (torch's format)"),
        [0x80, 2, ..] => Some("a pickle (torch's old format)"),
        [b'<', b'!' | b'h' | b'?', ..] => Some("a web page"),
        // A length whose upper bytes are all text would be petabytes.
        start if start.len() < 8 || start[4..].iter().all(|&byte| byte != 0) => Some("a file of another kind"),
        _ => None,
    }
}

fn read_up_to(file: &mut fs_err::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            read => got += read,
        }
    }
    Ok(got)
}

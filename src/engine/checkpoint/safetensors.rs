//! Reads tensors from `.safetensors` files, one at a time.
//!
//! In: a path. Out: [`Shard`], which knows what is in the file and reads a tensor as `f32`. The format is
//! <https://github.com/huggingface/safetensors#format>: eight bytes with the header's length, a JSON header, the data. All
//! the header says is checked against the file's length before anything is allocated. Tensors are read in small pieces
//! into their place rather than mapped: a file that shrinks while it is read is then an error and no signal.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::fields::bad;
use crate::engine::Error;

/// Longest header that is read; the `safetensors` crate has the same limit.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes that are read at a time: a multiple of every element's size.
const PIECE: usize = 1 << 18;

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

/// A tensor as the header declares it.
#[derive(Debug, Clone)]
struct Entry {
    /// None for kinds of numbers that no model here has as weights.
    kind: Option<Kind>,
    dtype: String,
    shape: Vec<usize>,
    /// From the start of the file.
    begin: u64,
}

#[derive(Deserialize)]
struct Declared {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// One `.safetensors` file.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
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
        let mut header = vec![0u8; length as usize];
        file.read_exact(&mut header)?;
        let header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header)
            .map_err(|error| bad(path, format!("not a safetensors file: its header is not JSON ({error})")))?;
        let mut entries = BTreeMap::new();
        let mut spans: Vec<(u64, u64, String)> = Vec::new();
        for (name, value) in header {
            if name == "__metadata__" {
                continue;
            }
            let declared = Declared::deserialize(value)
                .map_err(|error| bad(path, format!("tensor {name:?} is declared wrongly: {error}")))?;
            let (entry, end) =
                check(&declared, data, bytes).map_err(|reason| bad(path, format!("tensor {name:?} {reason}")))?;
            spans.push((entry.begin, end, name.clone()));
            entries.insert(name, entry);
        }
        spans.sort();
        for pair in spans.windows(2) {
            let [(_, end, first), (begin, _, second)] = pair else { continue };
            if begin < end {
                return Err(bad(path, format!("tensors {first:?} and {second:?} overlap")));
            }
        }
        Ok(Self { path: path.to_owned(), entries, bytes })
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
        self.entries.keys().map(String::as_str)
    }

    /// Returns the shape of a tensor, or nothing where the file does not have it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Returns the kind of a tensor's numbers as the header calls it, or nothing where the file does not have it.
    pub fn dtype(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(|entry| entry.dtype.as_str())
    }

    /// Reads a tensor as `f32`; nothing where the file does not have it.
    ///
    /// # Errors
    /// [`Error::BadModel`] where its numbers are of a kind that is not read here or not numbers, [`Error::Io`] where the
    /// file cannot be read any more.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        let Some(entry) = self.entries.get(name) else { return Ok(None) };
        let Some(kind) = entry.kind else {
            let reason = format!("tensor {name:?} holds {}; expected F32, F16 or BF16", entry.dtype);
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
        Ok(Some(Tensor::from_vec(values, entry.shape.as_slice(), &Device::Cpu)?))
    }
}

/// Checks a declaration against a file of `bytes` bytes whose data start at `data`; returns where its data end, too.
fn check(declared: &Declared, data: u64, bytes: u64) -> Result<(Entry, u64), String> {
    let Declared { dtype, shape, data_offsets: (begin, end) } = declared;
    let (begin, end) = match (data.checked_add(*begin), data.checked_add(*end)) {
        (Some(begin), Some(end)) if begin <= end => (begin, end),
        _ => return Err(format!("has its data from {begin} to {end}, which cannot be")),
    };
    if end > bytes {
        return Err(format!("should end at byte {end}, but the file has {bytes}: it is cut short or broken"));
    }
    let kind = match dtype.as_str() {
        "F32" => Some(Kind::F32),
        "F16" => Some(Kind::F16),
        "BF16" => Some(Kind::Bf16),
        _ => None,
    };
    if let Some(kind) = kind {
        let size = shape.iter().try_fold(kind.bytes() as u64, |product, &n| product.checked_mul(n));
        if size != Some(end - begin) {
            return Err(format!("of shape {shape:?} ({dtype}) has {} bytes of data", end - begin));
        }
    }
    let shape: Option<Vec<usize>> = shape.iter().map(|&n| usize::try_from(n).ok()).collect();
    let shape = shape.ok_or("is larger than this machine can address")?;
    Ok((Entry { kind, dtype: dtype.clone(), shape, begin }, end))
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

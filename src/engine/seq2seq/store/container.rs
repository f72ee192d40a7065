//! The file that packed weights are kept in.
//!
//! In: named parts and a key. Out: a file, and the same parts from it, bit for bit, or why it cannot be used. What the key
//! is made of and where the file lies is [`super`]'s.
//!
//! Layout, numbers little-endian, spans starting at multiples of 64 bytes:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `mujazw8` and a line feed |
//! | 4 | version of this layout: [`VERSION`] |
//! | 4 | length of the table, its hash included |
//! | 32 | the key |
//! | 8 | length of the file |
//! | 4 + 4 | entries in the table; 0 |
//! | table | entries, zeros, and in its last 32 bytes the BLAKE3 of all before |
//! | spans | one after the other to the end of the file, without gaps |
//!
//! An entry: kind (1 byte: 1 a matrix in int8, 2 a list of f32), length of the name (1), rows (8), columns (8; 0 in a list), start of its
//! span (8), BLAKE3 of the span (32), name. A matrix' span is its lines and then its scales, as [`Matrix`] has them;
//! a list's is padded with zeros. Two entries with the same span are one matrix. So every byte of the file is either
//! compared with what it must be or under a hash. Each span has its own, so that they can be read, checked and put in
//! their place by all threads in one go, while a piece is in the processor's cache.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use rayon::prelude::*;

use crate::engine::kernels::dense::{Matrix, Precision};

const MAGIC: &[u8; 8] = b"mujazw8\n";
/// Of this layout.
const VERSION: u32 = 1;
/// Bytes before the table.
const START: usize = 64;
/// Bytes of an entry without its name.
const ENTRY: usize = 1 + 1 + 8 + 8 + 8 + 32;
/// Longest table that is read; a model of a hundred layers has 200 kB.
const MAX_TABLE: usize = 16 << 20;
/// Where spans begin.
const ALIGNMENT: u64 = 64;
/// Bytes of a BLAKE3.
const HASH: usize = 32;

const MATRIX: u8 = 1;
const LIST: u8 = 2;

/// What a file is made from; see [`super`].
pub(super) type Key = [u8; HASH];

/// A part of a model.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Weights in int8.
    Matrix(Arc<Matrix>),
    /// Biases, or weights of a norm.
    List(Vec<f32>),
}

/// Parts by name.
pub(super) type Parts = BTreeMap<String, Part>;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is whole, but of something else.
    #[error("made of other weights, or by another version")]
    Other,
    /// It is not what was written.
    #[error("damaged: {0}")]
    Damaged(&'static str),
}

impl From<crate::engine::kernels::Error> for Unusable {
    fn from(_: crate::engine::kernels::Error) -> Self {
        Self::Damaged("a matrix contradicts itself")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: String,
    kind: u8,
    rows: u64,
    columns: u64,
    begin: u64,
    hash: [u8; HASH],
}

impl Entry {
    /// Bytes of its span; none where there are no such shapes. No span is empty, so that no two begin at the same place.
    fn span(&self) -> Option<u64> {
        let (rows, columns) = (usize::try_from(self.rows).ok()?, usize::try_from(self.columns).ok()?);
        let bytes = match self.kind {
            MATRIX if rows > 0 && columns > 0 => Matrix::packed_bytes(rows, columns, Precision::Int8)? as u64,
            LIST if rows > 0 && columns == 0 => self.rows.checked_mul(4)?,
            _ => return None,
        };
        bytes.checked_next_multiple_of(ALIGNMENT)
    }
}

/// Writes parts from the start of a file on. Returns its length.
pub(super) fn write(file: &mut File, key: &Key, parts: &Parts) -> io::Result<u64> {
    let (mut entries, mut placed) = (Vec::new(), Vec::<(*const Matrix, usize)>::new());
    let mut sources: Vec<Option<&Part>> = Vec::new();
    let table = table_bytes(parts.keys().map(String::as_str));
    let mut end = (START + table) as u64;
    for (name, part) in parts {
        let (kind, rows, columns) = match part {
            Part::Matrix(matrix) => (MATRIX, matrix.rows() as u64, matrix.columns() as u64),
            Part::List(values) => (LIST, values.len() as u64, 0),
        };
        let mut entry = Entry { name: name.clone(), kind, rows, columns, begin: end, hash: [0; HASH] };
        let same = match part {
            Part::Matrix(matrix) => {
                let this = Arc::as_ptr(matrix);
                let same = placed.iter().find(|(other, _)| *other == this).map(|&(_, at)| at);
                placed.push((this, entries.len()));
                same
            }
            Part::List(_) => None,
        };
        match same {
            Some(at) => {
                let first: &Entry = &entries[at];
                entry.begin = first.begin;
                sources.push(None);
            }
            None => {
                let span = entry.span().ok_or_else(|| io::Error::other("a part is too large"))?;
                end = end.checked_add(span).ok_or_else(|| io::Error::other("the parts are too large"))?;
                sources.push(Some(part));
            }
        }
        entries.push(entry);
    }
    file.seek(SeekFrom::Start((START + table) as u64))?;
    let mut hashes: BTreeMap<u64, [u8; HASH]> = BTreeMap::new();
    let mut writer = Hashing { file, hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(Matrix::PIECE) };
    for (entry, part) in entries.iter().zip(&sources) {
        match part {
            Some(Part::Matrix(matrix)) => {
                matrix.lines().try_for_each(|line| writer.push(line))?;
                matrix.scales().iter().try_for_each(|scale| writer.push(&scale.to_le_bytes()))?;
            }
            Some(Part::List(values)) => {
                values.iter().try_for_each(|value| writer.push(&value.to_le_bytes()))?;
                let padding = values.len().wrapping_neg() % 16;
                (0..padding).try_for_each(|_| writer.push(&[0; 4]))?;
            }
            None => continue,
        }
        hashes.insert(entry.begin, writer.finish()?);
    }
    for entry in &mut entries {
        entry.hash = hashes[&entry.begin];
    }
    let mut head = Vec::with_capacity(START + table);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&(table as u32).to_le_bytes());
    head.extend_from_slice(key);
    head.extend_from_slice(&end.to_le_bytes());
    head.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    head.extend_from_slice(&[0; 4]);
    for entry in &entries {
        let length = u8::try_from(entry.name.len()).map_err(|_| io::Error::other("a part's name is too long"))?;
        head.extend_from_slice(&[entry.kind, length]);
        for number in [entry.rows, entry.columns, entry.begin] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        head.extend_from_slice(&entry.hash);
        head.extend_from_slice(entry.name.as_bytes());
    }
    head.resize(START + table - HASH, 0);
    let hash = blake3::hash(&head);
    head.extend_from_slice(hash.as_bytes());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&head)?;
    file.flush()?;
    Ok(end)
}

/// Says how long the file of some parts is.
pub(super) fn file_bytes(parts: &Parts) -> u64 {
    let mut seen: Vec<*const Matrix> = Vec::new();
    let mut bytes = (START + table_bytes(parts.keys().map(String::as_str))) as u64;
    for part in parts.values() {
        bytes += match part {
            Part::Matrix(matrix) if seen.contains(&Arc::as_ptr(matrix)) => 0,
            Part::Matrix(matrix) => {
                seen.push(Arc::as_ptr(matrix));
                matrix.bytes() as u64
            }
            Part::List(values) => (values.len() as u64 * 4).next_multiple_of(ALIGNMENT),
        };
    }
    bytes
}

fn table_bytes<'n>(names: impl Iterator<Item = &'n str>) -> usize {
    (names.map(|name| ENTRY + name.len()).sum::<usize>() + HASH).next_multiple_of(ALIGNMENT as usize)
}

/// Writes in large pieces and hashes what it writes.
struct Hashing<'f> {
    file: &'f mut File,
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Hashing<'_> {
    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buffer.len() + bytes.len() > Matrix::PIECE {
            self.drain()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn drain(&mut self) -> io::Result<()> {
        self.hasher.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Returns the hash of what was pushed since the last call.
    fn finish(&mut self) -> io::Result<[u8; HASH]> {
        self.drain()?;
        let hash = *self.hasher.finalize().as_bytes();
        self.hasher.reset();
        Ok(hash)
    }
}

/// Reads parts that were written under a key.
///
/// # Errors
/// Where there is no such file, it is of another key or version, or any byte of it is not what was written.
pub(super) fn read(file: &File, key: &Key) -> Result<Parts, Unusable> {
    let bytes = file.metadata()?.len();
    let entries = read_table(file, key, bytes)?;
    // The largest first, so that no thread comes last with a large one.
    let mut spans: Vec<&Entry> = Vec::new();
    for entry in &entries {
        if spans.last().is_none_or(|last| last.begin != entry.begin) {
            spans.push(entry);
        }
    }
    spans.sort_by_key(|entry| (std::cmp::Reverse(entry.span()), entry.begin));
    let read: Result<Vec<(u64, Part)>, Unusable> =
        spans.par_iter().with_max_len(1).map(|entry| Ok((entry.begin, read_part(file, entry)?))).collect();
    let read: BTreeMap<u64, Part> = read?.into_iter().collect();
    entries
        .into_iter()
        .map(|entry| {
            let part = read.get(&entry.begin).cloned().ok_or(Unusable::Damaged("a part is missing"))?;
            Ok((entry.name, part))
        })
        .collect()
}

/// Reads and checks what stands before the spans. The entries come in the order of their spans, which follow each other to
/// the end of the file.
fn read_table(file: &File, key: &Key, bytes: u64) -> Result<Vec<Entry>, Unusable> {
    if bytes < (START + HASH) as u64 {
        return Err(Unusable::Damaged("cut short"));
    }
    let mut start = [0u8; START];
    read_at(file, &mut start, 0)?;
    let mut fields = Fields(&start);
    if fields.take::<8>() != Some(*MAGIC) {
        return Err(Unusable::Damaged("not a file of packed weights"));
    }
    if fields.u32() != Some(VERSION) {
        return Err(Unusable::Other);
    }
    let table = fields.u32().unwrap_or(0) as usize;
    let made_from = fields.take::<HASH>();
    let length = fields.u64();
    let count = fields.u32().unwrap_or(0) as usize;
    if made_from != Some(*key) {
        return Err(Unusable::Other);
    }
    if length != Some(bytes) || !(HASH..=MAX_TABLE).contains(&table) || (START + table) as u64 > bytes {
        return Err(Unusable::Damaged("its length is another"));
    }
    let mut head = vec![0u8; START + table];
    read_at(file, &mut head, 0)?;
    let (head, hash) = head.split_at(START + table - HASH);
    if head[..START] != start || blake3::hash(head).as_bytes() != hash {
        return Err(Unusable::Damaged("its table has another hash"));
    }
    let wrong = Unusable::Damaged("its table contradicts itself");
    let mut fields = Fields(&head[START..]);
    let mut entries = Vec::new();
    for _ in 0..count {
        let Some(entry) = fields.entry() else { return Err(wrong) };
        entries.push(entry);
    }
    if fields.0.len() >= ALIGNMENT as usize || fields.0.iter().any(|&byte| byte != 0) {
        return Err(wrong);
    }
    entries.sort_by(|a, b| (a.begin, &a.name).cmp(&(b.begin, &b.name)));
    let mut end = (START + table) as u64;
    let mut last: Option<&Entry> = None;
    for entry in &entries {
        let same = last.is_some_and(|last| *entry == Entry { name: entry.name.clone(), ..last.clone() });
        if !same || entry.kind != MATRIX {
            let next = entry.span().and_then(|span| end.checked_add(span));
            match next {
                Some(next) if entry.begin == end && next <= bytes => end = next,
                _ => return Err(wrong),
            }
        }
        last = Some(entry);
    }
    if end != bytes {
        return Err(wrong);
    }
    Ok(entries)
}

/// Reads a span that lies within the file.
fn read_part(file: &File, entry: &Entry) -> Result<Part, Unusable> {
    let mut hasher = blake3::Hasher::new();
    let mut at = entry.begin;
    let mut next = |piece: &mut [u8]| -> Result<(), Unusable> {
        read_at(file, piece, at)?;
        hasher.update(piece);
        at += piece.len() as u64;
        Ok(())
    };
    let part = if entry.kind == MATRIX {
        let (rows, columns) = (entry.rows as usize, entry.columns as usize);
        Part::Matrix(Arc::new(Matrix::from_pieces(rows, columns, Precision::Int8, next)?))
    } else {
        let mut bytes = vec![0u8; (entry.rows as usize * 4).next_multiple_of(ALIGNMENT as usize)];
        next(&mut bytes)?;
        let values = bytes.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value));
        Part::List(values.take(entry.rows as usize).collect())
    };
    if hasher.finalize().as_bytes() != &entry.hash {
        return Err(Unusable::Damaged("a part has another hash"));
    }
    Ok(part)
}

/// What is left of a table.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn entry(&mut self) -> Option<Entry> {
        let [kind, length] = self.take()?;
        let (rows, columns, begin) = (self.u64()?, self.u64()?, self.u64()?);
        let hash = self.take()?;
        let name = std::str::from_utf8(self.bytes(usize::from(length))?).ok()?.to_owned();
        Some(Entry { name, kind, rows, columns, begin, hash })
    }
}

/// Fills a buffer from a place in a file, whose own place stays, so that threads can share it.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

/// Fills a buffer from a place in a file; each call says where, so that threads can share it.
#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}

//! Reading the file that packed weights are kept in.
//!
//! In: a file that claims to have the layout of [`super`], and a key. Out: its parts, or why it cannot be used. No byte is
//! believed that is not under a hash or compared with what it must be; what a table claims is checked against the file's
//! length before memory is asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use rayon::prelude::*;

use super::{ALIGNMENT, Entry, HASH, Key, MAGIC, MATRIX, MAX_TABLE, Part, Parts, START, Unusable, VERSION};
use crate::engine::kernels::dense::{Matrix, Precision};

/// Reads parts that were written under a key.
///
/// # Errors
/// Where there is no such file, it is of another key or version, or any byte of it is not what was written.
pub(in super::super) fn read(file: &File, key: &Key) -> Result<Parts, Unusable> {
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
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

/// Fills a buffer from a place in a file; each call says where, so that threads can share it.
#[cfg(windows)]
pub(super) fn read_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
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

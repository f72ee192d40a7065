//! The file that packed weights are kept in.
//!
//! In: named parts and a key. Out: a file; from that [`read()`] makes the same parts, bit for bit, or says why it cannot be
//! used. What the key is made of and where the file lies is [`super`]'s.
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

mod read;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::engine::kernels::dense::{Matrix, Precision};

pub(super) use read::read;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::read::read_at;
    use super::*;

    const KEY: Key = [7; HASH];

    fn parts() -> Parts {
        let matrix = |rows: usize, columns: usize, factor: f32| {
            let values: Vec<f32> = (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) * factor).collect();
            Arc::new(Matrix::pack(&[&values], columns, Precision::Int8).unwrap())
        };
        let shared = matrix(35, 10, 0.01);
        [
            ("a", Part::Matrix(Arc::clone(&shared))),
            ("b", Part::List(vec![1.5, -2.0, f32::MIN_POSITIVE, 0.1])),
            ("c", Part::Matrix(matrix(16, 7, 0.5))),
            ("d", Part::Matrix(shared)),
            ("e", Part::List((0..40).map(|i| i as f32).collect())),
        ]
        .map(|(name, part)| (name.to_owned(), part))
        .into()
    }

    fn written() -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        let length = write(&mut file, &KEY, &parts()).unwrap();
        assert_eq!(length, file_bytes(&parts()));
        let mut bytes = vec![0; length as usize];
        assert_eq!(file.metadata().unwrap().len(), length);
        read_at(&file, &mut bytes, 0).unwrap();
        bytes
    }

    fn read_bytes(bytes: &[u8], key: &Key) -> Result<Parts, Unusable> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        read(&file, key)
    }

    fn plain(parts: &Parts) -> Vec<(String, Vec<u8>, Vec<u32>)> {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
        let plain = parts.iter().map(|(name, part)| match part {
            Part::Matrix(matrix) => {
                let mut lines: Vec<u8> = matrix.lines().flatten().copied().collect();
                lines.extend([matrix.rows(), matrix.columns()].iter().flat_map(|n| n.to_le_bytes()));
                (name.clone(), lines, bits(matrix.scales()))
            }
            Part::List(values) => (name.clone(), Vec::new(), bits(values)),
        });
        plain.collect()
    }

    #[test]
    fn what_was_written_is_read_bit_for_bit_and_shared_again() {
        let read = read_bytes(&written(), &KEY).unwrap();
        assert_eq!(plain(&read), plain(&parts()));
        let (Part::Matrix(a), Part::Matrix(d)) = (&read["a"], &read["d"]) else { panic!("matrices") };
        assert!(Arc::ptr_eq(a, d));
    }

    #[test]
    fn another_key_or_version_is_another_file() {
        let mut bytes = written();
        assert!(matches!(read_bytes(&bytes, &[8; HASH]), Err(Unusable::Other)));
        bytes[8] += 1;
        assert!(matches!(read_bytes(&bytes, &KEY), Err(Unusable::Other)));
    }

    #[test]
    fn no_changed_byte_is_accepted() {
        let bytes = written();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(read_bytes(&changed, &KEY).is_err(), "byte {at}");
        }
    }

    /// A file whose table was changed and hashed again, as no damage would.
    fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Result<Parts, Unusable> {
        let mut bytes = written();
        change(&mut bytes);
        let table = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let end = (START + table - HASH).min(bytes.len() - HASH);
        let hash = blake3::hash(&bytes[..end]);
        bytes[end..end + HASH].copy_from_slice(hash.as_bytes());
        read_bytes(&bytes, &KEY)
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused_whatever_its_hash() {
        assert!(forged(|_| ()).is_ok());
        let field =
            |at: usize, value: u64| move |bytes: &mut Vec<u8>| bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let first = START + 2;
        for value in [0, 1, 34, 64, 1 << 20, 1 << 40, 1 << 62, u64::MAX - 15, u64::MAX] {
            for (what, at) in [("length", 48), ("rows", first), ("columns", first + 8), ("begin", first + 16)] {
                assert!(forged(field(at, value)).is_err(), "{what} {value}");
            }
        }
        for count in [0u32, 4, 6, u32::MAX] {
            assert!(forged(|bytes| bytes[56..60].copy_from_slice(&count.to_le_bytes())).is_err(), "{count} entries");
        }
        for kind in [0, 2, 3, 255] {
            assert!(forged(|bytes| bytes[START] = kind).is_err(), "kind {kind}");
        }
        for table in [0u32, 31, 32, 64, 1 << 20, u32::MAX] {
            assert!(forged(|bytes| bytes[12..16].copy_from_slice(&table.to_le_bytes())).is_err(), "table of {table}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn what_is_damaged_is_refused(
            cut in any::<prop::sample::Index>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 0..4),
            more in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let whole = written();
            let mut bytes = whole.clone();
            for (at, change) in &changes {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
            }
            bytes.truncate(if more.len() % 2 == 0 { bytes.len() } else { cut.index(bytes.len()) });
            bytes.extend(&more);
            prop_assert_eq!(read_bytes(&bytes, &KEY).is_ok(), bytes == whole);
        }

        #[test]
        fn anything_at_all_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), table in any::<u32>()) {
            let mut file = MAGIC.to_vec();
            file.extend(VERSION.to_le_bytes());
            file.extend((table % 400).to_le_bytes());
            file.extend(KEY);
            file.extend((56 + bytes.len() as u64).to_le_bytes());
            file.extend(&bytes);
            prop_assert!(read_bytes(&file, &KEY).is_err());
        }
    }
}

//! The zip files that torch writes: where each entry's bytes lie.
//!
//! In: an open file. Out: [`Archive`]. Only what torch writes is read: entries that are stored as they are, so that none is
//! larger than its place in the file. Source: PKWARE's APPNOTE 6.3.10 (4.3.7, 4.3.12 to 4.3.16), and
//! `caffe2/serialize/inline_container.cc` for what torch makes of it. What the entries mean is `super::pickle`'s.

use std::io::{BufReader, Read, Seek, SeekFrom};

/// The end of the list of entries: its fixed part, and the longest comment.
const END: u64 = 22;
const MAX_COMMENT: u64 = (1 << 16) - 1;
/// The same of archives with 64-bit numbers, and what says where it is.
const END_64: u64 = 56;
const LOCATOR_64: u64 = 20;
/// An entry in the list, and the one in front of its bytes, without their names.
const LISTED: u64 = 46;
const LOCAL: u64 = 30;
/// Bytes of the list that are read at a time.
const AHEAD: usize = 8 << 10;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it is written, folders with slashes.
    pub name: Box<str>,
    /// Bytes.
    pub size: u64,
    /// Of the header in front of the bytes, from the start of the file.
    at: u64,
}

/// The list of entries.
#[derive(Debug)]
pub struct Archive {
    entries: Vec<Entry>,
    /// Where the list begins: no entry reaches further.
    list: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 2).map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 4).map_or(0, |b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

/// Reads bytes at a place.
fn read_at<const N: usize>(file: &mut fs_err::File, at: u64) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes));
    read.map_err(|error| format!("bytes {at} to {}: {error}", at.saturating_add(N as u64)))?;
    Ok(bytes)
}

impl Archive {
    /// Reads the list of entries of a file of `bytes` bytes. An error says what is wrong, without the file's name.
    pub fn read(file: &mut fs_err::File, bytes: u64) -> Result<Self, String> {
        let (count, size, list) = find_list(file, bytes)?;
        if list.checked_add(size).is_none_or(|end| end > bytes) {
            return Err(format!("its list of entries should be at {list} with {size} bytes, the file has {bytes}"));
        }
        if count.checked_mul(LISTED).is_none_or(|least| least > size) {
            return Err(format!("its list of {size} bytes has no room for {count} entries"));
        }
        file.seek(SeekFrom::Start(list)).map_err(|error| error.to_string())?;
        let mut reader = BufReader::with_capacity(AHEAD, file.take(size));
        let mut entries = Vec::with_capacity(count as usize);
        for number in 0..count {
            let entry = read_entry(&mut reader).map_err(|reason| format!("entry {number}: {reason}"))?;
            if entry.at.checked_add(LOCAL + entry.size).is_none_or(|end| end > list) {
                return Err(format!("entry {:?} of {} bytes at {} does not fit", entry.name, entry.size, entry.at));
            }
            entries.push(entry);
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(format!("entry {:?} is there twice", twice[0].name));
        }
        Ok(Self { entries, list })
    }

    /// Returns all entries, in the order of their names.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the entry of a name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let place = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        Some(&self.entries[place])
    }

    /// Returns where the bytes of an entry begin, once it is sure that all of them are there.
    pub fn begin(&self, file: &mut fs_err::File, entry: &Entry) -> Result<u64, String> {
        let head: [u8; LOCAL as usize] = read_at(file, entry.at)?;
        let begin = entry.at + LOCAL + u16_at(&head, 26) + u16_at(&head, 28);
        let fits = begin.checked_add(entry.size).is_some_and(|end| end <= self.list);
        if head[..4] == *b"PK\x03\x04" && u16_at(&head, 8) == 0 && fits {
            return Ok(begin);
        }
        Err(format!("entry {:?} contradicts the list of entries", entry.name))
    }
}

/// Returns how many entries there are, and size and place of their list.
fn find_list(file: &mut fs_err::File, bytes: u64) -> Result<(u64, u64, u64), String> {
    let tail_bytes = bytes.min(END + MAX_COMMENT);
    let mut tail = vec![0; tail_bytes as usize];
    let read = file.seek(SeekFrom::Start(bytes - tail_bytes)).and_then(|_| file.read_exact(&mut tail));
    read.map_err(|error| error.to_string())?;
    let is_end =
        |at: usize| tail[at..].starts_with(b"PK\x05\x06") && at as u64 + END + u16_at(&tail, at + 20) == tail_bytes;
    let last = (tail_bytes.checked_sub(END)).ok_or("cut short: no room for a list of entries")?;
    let at = (0..=last as usize).rev().find(|&at| is_end(at)).ok_or("cut short: its list of entries is missing")?;
    let found = (u16_at(&tail, at + 10), u32_at(&tail, at + 12), u32_at(&tail, at + 16));
    let end = bytes - tail_bytes + at as u64;
    let Some(locator) = end.checked_sub(LOCATOR_64) else { return Ok(found) };
    let locator: [u8; LOCATOR_64 as usize] = read_at(file, locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(found);
    }
    let at = u64_at(&locator, 8);
    if at.checked_add(END_64).is_none_or(|end_64| end_64 > end) {
        return Err("its list of entries should be behind the file's end".into());
    }
    let end_64: [u8; END_64 as usize] = read_at(file, at)?;
    if !end_64.starts_with(b"PK\x06\x06") {
        return Err("its list of entries is not where it should be".into());
    }
    Ok((u64_at(&end_64, 32), u64_at(&end_64, 40), u64_at(&end_64, 48)))
}

/// Reads the next entry of the list.
fn read_entry(reader: &mut impl Read) -> Result<Entry, String> {
    let mut head = [0; LISTED as usize];
    let mut read = |buffer: &mut [u8]| reader.read_exact(buffer).map_err(|_| "the list is too short".to_owned());
    read(&mut head)?;
    if !head.starts_with(b"PK\x01\x02") {
        return Err("not where it should be".into());
    }
    // Lengths of 16 bits: each fits on the list's account.
    let mut name = vec![0; u16_at(&head, 28) as usize];
    read(&mut name)?;
    let mut extra = vec![0; u16_at(&head, 30) as usize];
    read(&mut extra)?;
    let mut comment = vec![0; u16_at(&head, 32) as usize];
    read(&mut comment)?;
    let name = String::from_utf8(name).map_err(|_| "its name is not UTF-8")?.into_boxed_str();
    let (mut packed, mut size, mut at) = (u32_at(&head, 20), u32_at(&head, 24), u32_at(&head, 42));
    // Numbers that are too large stand in an extra field, in this order, those that are needed.
    let mut rest = extra.as_slice();
    while let [a, b, c, d, more @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*c, *d])).min(more.len());
        let (mut field, after) = more.split_at(length);
        if [*a, *b] == [1, 0] {
            for number in [&mut size, &mut packed, &mut at] {
                if *number == u64::from(u32::MAX) && field.len() >= 8 {
                    *number = u64_at(field, 0);
                    field = &field[8..];
                }
            }
        }
        rest = after;
    }
    if u16_at(&head, 8) & 1 != 0 {
        return Err(format!("{name:?} is encrypted"));
    }
    if u16_at(&head, 10) != 0 || packed != size {
        return Err(format!("{name:?} is compressed, which torch's files are not"));
    }
    Ok(Entry { name, size, at })
}

//! The directory at the end of a zip, before the zip library sees it: whether it is there, whether it can be true, which names
//! stand in it twice.
//!
//! In: an [`Input`]. Out: facts; nothing is allocated by what the directory says of itself. Source: APPNOTE.TXT 6.3.10,
//! 4.3.12 (a member's header), 4.3.16 (the end record).

use std::collections::BTreeMap;

use super::Why;
use super::input::Input;

/// Returns the last bytes, where the record that ends a zip's directory stands: 22 bytes and a comment of up to 64 KiB.
fn tail(input: &mut Input) -> std::io::Result<Vec<u8>> {
    const TAIL: u64 = 22 + 65_535;
    let length = input.len();
    input.piece(length.saturating_sub(TAIL), TAIL)
}

fn end_record(tail: &[u8]) -> Option<&[u8]> {
    let at = tail.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    tail.get(at..at + 22)
}

/// Returns whether a zip's directory stands at the end.
pub(super) fn is_there(input: &mut Input) -> std::io::Result<bool> {
    Ok(end_record(&tail(input)?).is_some())
}

/// Returns why a zip is not opened whose directory says what cannot be: nothing is allocated by what it says.
pub(super) fn lie(input: &mut Input) -> std::io::Result<Option<Why>> {
    let length = input.len();
    let tail = tail(input)?;
    let damaged = |what: &str| Some(Why::Damaged { what: what.to_owned() });
    let Some(end) = end_record(&tail) else {
        return Ok(damaged("the directory at the end of the zip is not there; the file is cut or no zip"));
    };
    let two = |at: usize| u64::from(u16::from_le_bytes([end[at], end[at + 1]]));
    let four = |at: usize| u64::from(u32::from_le_bytes([end[at], end[at + 1], end[at + 2], end[at + 3]]));
    let (entries, size, offset) = (two(10), four(12), four(16));
    // All ones: a larger record (zip64) says it, which the library checks against the length.
    let large = entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    // An entry of the directory has 46 bytes and a name.
    if !large && (size > length || entries * 46 > size) {
        return Ok(damaged("the directory of the zip says more than the file can hold"));
    }
    let large_record = tail.windows(4).any(|four| four == b"PK\x06\x07");
    Ok(if large && !large_record && (size > length || entries * 46 > length) {
        damaged("the directory of the zip says more than the file can hold")
    } else {
        None
    })
}

/// Returns the names that more than one member has, with how many members of it there are: a library that looks members up
/// by their names gives only one of them. Directories of 64 bits and those that are damaged are not looked at.
pub(super) fn twice(input: &mut Input) -> std::io::Result<Vec<(Vec<u8>, usize)>> {
    /// The most bytes of a directory that are looked at: those of half a million members.
    const MOST: u64 = 64 * 1024 * 1024;
    let (length, tail) = (input.len(), tail(input)?);
    let Some(at) = tail.windows(4).rposition(|four| four == b"PK\x05\x06") else { return Ok(Vec::new()) };
    let Some(size) = tail.get(at + 12..at + 16) else { return Ok(Vec::new()) };
    let size = u64::from(u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
    let Some(start) = (length - tail.len() as u64 + at as u64).checked_sub(size).filter(|_| size <= MOST) else {
        return Ok(Vec::new());
    };
    let directory = input.piece(start, size)?;
    let mut names: BTreeMap<&[u8], usize> = BTreeMap::new();
    let mut rest = directory.as_slice();
    while rest.len() >= 46 && rest.starts_with(b"PK\x01\x02") {
        let two = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
        let (name, all) = (two(28), 46 + two(28) + two(30) + two(32));
        let Some(name) = rest.get(46..46 + name) else { break };
        *names.entry(name).or_default() += 1;
        rest = rest.get(all..).unwrap_or_default();
    }
    Ok(names.into_iter().filter(|&(_, count)| count > 1).map(|(name, count)| (name.to_vec(), count)).collect())
}

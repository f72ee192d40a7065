//! The bytes of streams, unpacked within limits.
//!
//! In: a stream of a PDF. Out: its bytes, or a [`Limit`](super::Error). hayro-syntax unpacks without bound, and a few kilobytes may stand
//! for gigabytes: what mujaz asks for itself is unpacked here, and what hayro will unpack by itself while it opens a file
//! (object streams, cross-reference streams) is unpacked here first to see how large it is. Source: ISO 32000-1, 7.4.

use std::io::Read;

use hayro_syntax::Filter;
use hayro_syntax::object::Stream;

use super::Error;

/// The most bytes that come out of one stream: the text of a page has a few hundred kilobytes at most.
const MAX_STREAM: u64 = 32 * 1024 * 1024;

/// The most bytes that come out of all streams that hold objects.
const MAX_OBJECTS: u64 = 256 * 1024 * 1024;

/// The most filters one over the other: real files have two.
const MAX_FILTERS: usize = 4;

/// The most bytes of LZW that are unpacked: they may become 1,300 times as many.
const MAX_LZW: usize = 64 * 1024;

/// Returns the bytes of a stream of text or of a table; none where they cannot be had, as those of a picture.
pub(super) fn unpacked(stream: &Stream<'_>) -> Result<Option<Vec<u8>>, Error> {
    let filters = stream.filters();
    if filters.len() > MAX_FILTERS {
        return Err(Error::Limit(format!("a stream is packed {} times over", filters.len())));
    }
    let mut data = stream.raw_data().into_owned();
    for filter in &filters {
        let next = match filter {
            Filter::FlateDecode => inflated(&data)?,
            Filter::Ascii85Decode => Some(ascii85(&data)),
            Filter::AsciiHexDecode => Some(ascii_hex(&data)),
            Filter::RunLengthDecode => run_lengths(&data)?,
            Filter::LzwDecode if filters.len() == 1 && data.len() <= MAX_LZW => {
                stream.decoded_data().ok().map(std::borrow::Cow::into_owned)
            }
            Filter::LzwDecode => return Err(Error::Limit("a large stream is packed with LZW".to_owned())),
            Filter::Crypt => Some(data.clone()),
            _ => None,
        };
        match next {
            Some(next) => data = next,
            None => return Ok(None),
        }
    }
    if data.len() as u64 > MAX_STREAM {
        return Err(Error::Limit(format!("a stream has more than {} MiB", MAX_STREAM / 1024 / 1024)));
    }
    Ok(Some(data))
}

/// Inflates; a damaged end keeps what came before it.
fn inflated(data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let mut out = Vec::new();
    let read = flate2::read::ZlibDecoder::new(data).take(MAX_STREAM + 1).read_to_end(&mut out);
    if out.len() as u64 > MAX_STREAM {
        return Err(Error::Limit(format!("a stream unpacks to more than {} MiB", MAX_STREAM / 1024 / 1024)));
    }
    Ok((read.is_ok() || !out.is_empty()).then_some(out))
}

fn ascii_hex(data: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = data
        .iter()
        .take_while(|&&byte| byte != b'>')
        .filter_map(|&byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect()
}

fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut group = [84u8; 5];
    let mut filled = 0;
    let flush = |group: &mut [u8; 5], filled: usize, out: &mut Vec<u8>| {
        let number = group.iter().fold(0u32, |sum, &digit| sum.wrapping_mul(85).wrapping_add(u32::from(digit)));
        out.extend_from_slice(&number.to_be_bytes()[..filled - 1]);
        *group = [84; 5];
    };
    for &byte in data {
        match byte {
            b'~' => break,
            b'z' if filled == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                group[filled] = byte - b'!';
                filled += 1;
                if filled == 5 {
                    flush(&mut group, 5, &mut out);
                    filled = 0;
                }
            }
            _ => {}
        }
    }
    if filled > 1 {
        flush(&mut group, filled, &mut out);
    }
    out
}

fn run_lengths(data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let mut out: Vec<u8> = Vec::new();
    let mut at = 0;
    while let Some(&length) = data.get(at) {
        let length = usize::from(length);
        match length {
            128 => break,
            0..128 => {
                let end = (at + 2 + length).min(data.len());
                out.extend_from_slice(&data[at + 1..end]);
                at += 2 + length;
            }
            _ => {
                let Some(&byte) = data.get(at + 1) else { break };
                out.resize(out.len() + 257 - length, byte);
                at += 2;
            }
        }
        if out.len() as u64 > MAX_STREAM {
            return Err(Error::Limit(format!("a stream unpacks to more than {} MiB", MAX_STREAM / 1024 / 1024)));
        }
    }
    Ok(Some(out))
}

/// Refuses a file whose objects would unpack to more than [`MAX_OBJECTS`].
pub(super) fn check_objects(bytes: &[u8]) -> Result<(), Error> {
    let mut left = MAX_OBJECTS;
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b"stream") {
        let start = at + found;
        at = start + 6;
        // What stands before the word is the stream's dictionary, or the end of another stream.
        let lead = &bytes[start.saturating_sub(2048)..start];
        if lead.ends_with(b"end") {
            continue;
        }
        let lead = &lead[rfind(lead, b" obj").unwrap_or(0)..];
        if find(lead, b"ObjStm").is_none() && find(lead, b"XRef").is_none() {
            continue;
        }
        let skip = bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let mut data = flate2::read::ZlibDecoder::new(&bytes[at + skip..]).take(left + 1);
        let size = std::io::copy(&mut data, &mut std::io::sink()).unwrap_or(0);
        let packed_twice = lead.windows(11).filter(|word| word == b"FlateDecode").count() > 1;
        if size > left || packed_twice {
            return Err(Error::Limit(format!("its objects unpack to more than {} MiB", MAX_OBJECTS / 1024 / 1024)));
        }
        left -= size;
    }
    Ok(())
}

pub(super) fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut at = 0;
    while let Some(step) = bytes.get(at..)?.iter().position(|&byte| byte == first) {
        at += step;
        if bytes[at..].starts_with(word) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn rfind(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_filters_give_what_the_standard_says() {
        assert_eq!(ascii_hex(b"48 65 6C6c 6F7>zz"), b"Hellop");
        assert_eq!(ascii85(b"87cURD]j7BEbo80~>"), b"Hello world!");
        assert_eq!(ascii85(b"z!!~>"), [0, 0, 0, 0, 0]);
        assert_eq!(run_lengths(&[2, b'a', b'b', b'c', 254, b'x', 128, 9]).unwrap().unwrap(), b"abcxxx");
    }
}

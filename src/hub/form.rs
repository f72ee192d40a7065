//! Whether a file has the form that its name promises: what can be known of a file whose hash nobody has told us.
//!
//! In: a path and the file's name. Out: what is wrong with it. Sources: safetensors' "Format" (eight bytes of length, a JSON
//! header, offsets that fill the rest), the GGUF specification (magic, version), `sentencepiece_model.proto` (field 1,
//! the pieces, comes first), torch's `serialization.py` (a zip, or a pickle of protocol 2), git-lfs' "specification".
//! The meaning of the contents is left to the engines.

use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};

/// The longest header that safetensors' own reader takes.
const LONGEST_HEADER: u64 = 100_000_000;
/// The start of the text that git-lfs leaves in place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// Looks into a file as far as its form shows. Returns what is wrong with it. Memory is taken for no part of the file.
///
/// # Errors
/// Where it cannot be read.
pub fn fault(path: &Path, name: &str) -> std::io::Result<Option<String>> {
    let bytes = fs_err::metadata(path)?.len();
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(512).read_to_end(&mut start)?;
    if start.is_empty() {
        return Ok(Some("it is empty".to_owned()));
    }
    if is_page(&start) {
        return Ok(Some("it is a web page".to_owned()));
    }
    if start.starts_with(LFS_POINTER) {
        return Ok(Some("it is a pointer of git-lfs, not the file it points to".to_owned()));
    }
    Ok(match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => safetensors(path, bytes)?,
        Some("json") => json(path)?,
        Some("gguf") => match start.get(..8) {
            Some([b'G', b'G', b'U', b'F', 1..=3, 0, 0, 0]) => None,
            _ => Some("it does not start as a GGUF file of version 1 to 3".to_owned()),
        },
        // The first field of the message, its pieces: number 1, length-delimited.
        Some("spm" | "model") if start[0] != 0x0a => Some("it does not start as a SentencePiece model".to_owned()),
        Some("bin") if !start.starts_with(b"PK\x03\x04") && !start.starts_with(&[0x80, 0x02]) => {
            Some("it does not start as a PyTorch file".to_owned())
        }
        _ => None,
    })
}

/// Returns whether this is the start of a page for people: a login, an error, a proxy's notice.
fn is_page(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    ["<!doctype", "<html", "<head", "<?xml"].iter().any(|tag| text.starts_with(tag))
}

fn json(path: &Path) -> std::io::Result<Option<String>> {
    let reader = BufReader::new(fs_err::File::open(path)?);
    match serde_json::from_reader::<_, serde::de::IgnoredAny>(reader) {
        Ok(_) => Ok(None),
        Err(error) if error.is_io() => Err(error.into()),
        Err(error) => Ok(Some(format!("it is not JSON ({error})"))),
    }
}

/// One entry of a safetensors header.
#[derive(Deserialize)]
struct Tensor {
    data_offsets: (u64, u64),
}

fn safetensors(path: &Path, bytes: u64) -> std::io::Result<Option<String>> {
    let mut file = fs_err::File::open(path)?;
    let mut length = [0; 8];
    if bytes < 8 {
        return Ok(Some("it is too short for a safetensors header".to_owned()));
    }
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let data = match (bytes - 8).checked_sub(length) {
        Some(data) if length <= LONGEST_HEADER => data,
        _ => return Ok(Some(format!("its safetensors header claims {length} of {bytes} bytes"))),
    };
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(file.take(length)));
    let (mut end, mut wrong) = (0, None);
    let read = Tensors { data, end: &mut end, wrong: &mut wrong }.deserialize(&mut json);
    Ok(match (wrong, read.and_then(|()| json.end())) {
        (Some(wrong), _) => Some(wrong),
        (None, Err(error)) if error.is_io() => return Err(error.into()),
        (None, Err(error)) => Some(format!("its safetensors header is not JSON ({error})")),
        (None, Ok(())) if end == data => None,
        (None, Ok(())) => Some(format!("its tensors end at {end} of {data} bytes")),
    })
}

/// Goes over a header: where the last tensor ends, and what is wrong with the first that is.
struct Tensors<'t> {
    data: u64,
    end: &'t mut u64,
    wrong: &'t mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Tensors<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tensors<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let data = self.data;
        while let Some(name) = map.next_key::<Box<str>>()? {
            if &*name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let shown: String = name.chars().take(200).collect();
            let wrong = match map.next_value::<Tensor>() {
                Ok(Tensor { data_offsets: (from, to) }) if from <= to && to <= data => {
                    *self.end = (*self.end).max(to);
                    continue;
                }
                Ok(Tensor { data_offsets: (from, to) }) => {
                    format!("tensor {shown:?} lies at {from} to {to} of {data} bytes")
                }
                Err(error) if error.to_string().starts_with("EOF") => return Err(error),
                Err(error) => format!("tensor {shown:?} has no place ({error})"),
            };
            *self.wrong = Some(wrong);
            return Err(A::Error::custom("tensor"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str, bytes: &[u8]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        fault(&path, name).unwrap()
    }

    fn tensors(header: &str, data: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.resize(file.len() + data, 7);
        file
    }

    #[test]
    fn files_of_each_form_are_known() {
        let one = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        for (name, bytes) in [
            ("model.safetensors", tensors(one, 4)),
            ("config.json", b"{\"a\": [1, 2]}\n".to_vec()),
            ("m.gguf", b"GGUF\x03\0\0\0rest".to_vec()),
            ("source.spm", b"\x0a\x0erest".to_vec()),
            ("spiece.model", b"\x0a\x0erest".to_vec()),
            ("pytorch_model.bin", b"PK\x03\x04rest".to_vec()),
            ("pytorch_model.bin", b"\x80\x02rest".to_vec()),
            ("vocab.txt", b"anything".to_vec()),
        ] {
            assert_eq!(look(name, &bytes), None, "{name}");
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let one = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        for (name, bytes, word) in [
            ("model.safetensors", tensors(one, 3), "0 to 4 of 3"),
            ("model.safetensors", tensors(one, 5), "end at 4 of 5"),
            ("model.safetensors", tensors("{\"w\":", 5), "not JSON"),
            ("model.safetensors", tensors(r#"{"w":{"data_offsets":[4,0]}}"#, 4), "4 to 0"),
            ("model.safetensors", tensors(r#"{"w":{}}"#, 4), "has no place"),
            ("model.safetensors", vec![0xff; 64], "claims"),
            ("model.safetensors", b"abc".to_vec(), "too short"),
            ("config.json", b"{\"a\": ".to_vec(), "not JSON"),
            ("config.json", b"not found".to_vec(), "not JSON"),
            ("m.gguf", b"GGUX\x03\0\0\0".to_vec(), "GGUF"),
            ("m.gguf", b"GGUF".to_vec(), "GGUF"),
            ("source.spm", b"plain".to_vec(), "SentencePiece"),
            ("pytorch_model.bin", b"plain".to_vec(), "PyTorch"),
            ("source.spm", b" \n<!DOCTYPE html><p>".to_vec(), "web page"),
            ("vocab.txt", b"<html>".to_vec(), "web page"),
            ("vocab.txt", b"version https://git-lfs.github.com/spec/v1\noid".to_vec(), "git-lfs"),
            ("vocab.txt", Vec::new(), "empty"),
        ] {
            let said = look(name, &bytes).unwrap_or_else(|| panic!("{name} ({word}) was accepted"));
            assert!(said.contains(word), "{name}: {said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            for name in ["a.safetensors", "a.json", "a.gguf", "a.spm", "a.bin", "a"] {
                let _ = look(name, &bytes);
            }
        }
    }
}

//! Bundles: a tar with a manifest, files and their hashes.
//!
//! In: a good bundle of one small model. Out: the same, damaged, and forged: with headers whose checksums are right, and
//! manifests that announce what was changed.

use std::path::Path;

use mujaz::hub::{HubOptions, bundle};
use mujaz::progress::Silent;
use mujaz::registry::Registry;
use sha2::{Digest, Sha256};

use crate::mutate::{self, Random};
use crate::readers::{folder, reader};
use crate::{Reader, seeds};

const MODEL: &[u8] = b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The manifest of a model with one file.
fn manifest(licence: &[u8]) -> String {
    let member = |name: &str, bytes: &[u8]| {
        format!("[[member]]\nname = \"{name}\"\nbytes = {}\nsha256 = \"{}\"\n", bytes.len(), hex(bytes))
    };
    let entry = seeds::REGISTRY.split("prefix").next().unwrap();
    format!(
        "format = 1\nmujaz = \"0.1.0\"\n{}{}{entry}files = [{{ name = \"m.gguf\", bytes = {}, sha256 = \"{}\", by_hand = true }}]\n",
        member("licences/opus-a.txt", licence),
        member("models/opus-a/m.gguf", MODEL),
        MODEL.len(),
        hex(MODEL),
    )
}

/// Writes a header whose size and checksum are right.
fn append(tar: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.extend(header.as_bytes());
    tar.extend(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

fn tar(manifest: &[u8], licence: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    let files = [("mujaz-bundle.toml", manifest), ("licences/opus-a.txt", licence), ("models/opus-a/m.gguf", MODEL)];
    let mut sums = String::new();
    for (name, bytes) in files {
        append(&mut tar, name, bytes);
        sums.push_str(&format!("{}  {name}\n", hex(bytes)));
    }
    append(&mut tar, "SHA256SUMS", sums.as_bytes());
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// Sets the checksum of every header right, as no damage would.
fn forge(tar: &mut [u8]) {
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// `models import`. Factor 130, and 32 for a block: the manifest is a registry (see there) of a megabyte at most; files are
/// passed on in pieces. Extra: those pieces.
pub fn bundle_file() -> Reader {
    let licence = b"CC-BY-4.0\n".to_vec();
    let text = manifest(&licence).into_bytes();
    let whole = tar(&text, &licence);
    let make = move |random: &mut Random| {
        let mut file = match random.below(6) {
            0 => return whole.clone(),
            1 | 2 => tar(&mutate::bytes(random, &text, std::slice::from_ref(&text)), &licence),
            3 => {
                // A field of a header: name, size, kind, prefix.
                let mut file = whole.clone();
                let headers: Vec<usize> =
                    (0..file.len()).step_by(512).filter(|&at| file[at + 257..].starts_with(b"ustar")).collect();
                let header = *random.pick(&headers);
                let (start, length) = *random.pick(&[(0, 100), (124, 12), (156, 1), (345, 155)]);
                let field = &mut file[header + start..header + start + length];
                let value: &[u8] = random.pick::<&[u8]>(&[
                    b"../../x",
                    b"/etc/passwd",
                    b"77777777777\0",
                    b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                    b"",
                    b"5",
                    b"x",
                ]);
                let length = value.len().min(length);
                field[..length].copy_from_slice(&value[..length]);
                file
            }
            _ => mutate::bytes(random, &whole, std::slice::from_ref(&whole)),
        };
        if random.below(4) > 0 {
            forge(&mut file);
        }
        file
    };
    let (hub, own) = (folder(), folder());
    let outside = own.parent().unwrap().to_owned();
    let (registry, options) = (Registry::of([]), HubOptions::new(hub, own));
    let read = move |_: &Path, mut file: &[u8]| {
        let taken = bundle::import(&mut file, &registry, &options, &Silent).is_ok();
        assert!(!outside.join("x").exists(), "a file was written outside of the cache");
        taken
    };
    Reader { factor: 130.0, block: 32, extra: 3 << 20, share: 10, ..reader("bundle_file", "bundle.tar", make, read) }
}

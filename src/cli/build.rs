//! Build script: a fingerprint of the sources and data that are compiled in.
//!
//! In: every file under `src`, and `models.toml`. Out: the variable `MUJAZ_SOURCES`, 16 hexadecimal digits. Notes carry it, so
//! that a note made by other code, glossary or checks is not taken for one that is up to date.

use std::hash::Hasher;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=models.toml");
    let mut found = vec![PathBuf::from("models.toml")];
    files(Path::new("src"), &mut found)?;
    found.sort();
    // Keys are fixed: the same files give the same digits on every machine with this compiler.
    let mut hasher = std::hash::DefaultHasher::new();
    for path in found {
        hasher.write(path.to_string_lossy().as_bytes());
        hasher.write(&std::fs::read(&path)?);
    }
    println!("cargo:rustc-env=MUJAZ_SOURCES={:016x}", hasher.finish());
    Ok(())
}

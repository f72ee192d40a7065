//! Hostile files: whatever stands in a file that mujaz reads, the reader gives an answer, does not panic, and takes no memory
//! that the file has not got the bytes for.
//!
//! Each reader gets good files of a few kilobytes that were changed at random (`mutate`), and some that were made by hand
//! (`regressions`), with all allocations counted (`memory`). Two bounds hold. No single block is larger than twice the file
//! and [`SMALL`], but for the readers that say why: what a length or a count in a file claims is never asked for. And all that a reader has at a time stays
//! below its own factor times the file and [`AROUND`]: 2, or more where it says why.
//!
//! `MUJAZ_FUZZ_CASES` says how many cases each reader gets; the default keeps the whole target under half a minute.
//! `MUJAZ_FUZZ_SEED` gives others. A case that fails is written to `target/hostile`.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]
mod bundle;
mod documents;
mod memory;
mod mutate;
mod readers;
mod regressions;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use memory::{Alone, Usage, alone, measured};
use mutate::Random;

/// What a block may have beyond twice the file: the buffers of readers (32 kB at most, `BufReader`), the end of a zip file
/// that is searched for its list (64 kB and 21 bytes), tables whose length no file decides.
pub const SMALL: usize = 68 << 10;
/// What all blocks together may have beyond a reader's factor: such a buffer, a table, paths and messages.
pub const AROUND: usize = 160 << 10;
/// Longest time that a case may take; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// Cases without `MUJAZ_FUZZ_CASES`, of which readers that are slow get a part.
const CASES: usize = 20_000;

type Make = Box<dyn FnMut(&mut Random) -> Vec<u8>>;
type Read = Box<dyn FnMut(&Path, &[u8]) -> bool>;

/// A reader and what it is tried on.
pub struct Reader {
    /// As the test is called.
    pub name: &'static str,
    /// How many times the file's size it may have in memory.
    pub factor: f64,
    /// How many times the file's size a block may have.
    pub block: usize,
    /// What it may have on top of [`SMALL`] and [`AROUND`]; the reader says why.
    pub extra: usize,
    /// One of how many cases it gets: more than 1 where one takes milliseconds.
    pub share: usize,
    /// Makes a hostile file of a number.
    pub make: Make,
    /// Reads a file that was written to the path. Returns whether it was taken as good.
    pub read: Read,
    /// Where the file is to lie.
    pub path: PathBuf,
    /// Bytes of other files that are read with it.
    pub beside: usize,
}

/// Reads one file and checks the bounds. Returns what was taken and whether it was taken as good, or what is wrong.
pub fn try_one(alone: &Alone, reader: &mut Reader, file: &[u8]) -> Result<(Usage, bool), String> {
    std::fs::write(&reader.path, file).unwrap();
    let start = Instant::now();
    let path = reader.path.clone();
    let read = &mut reader.read;
    let (result, usage) = measured(alone, || catch_unwind(AssertUnwindSafe(|| read(&path, file))));
    let took = start.elapsed();
    let Ok(good) = result else { return Err("it panicked".into()) };
    let bytes = file.len() + reader.beside;
    let largest = reader.block * bytes + SMALL + reader.extra;
    if usage.largest > largest {
        return Err(format!("a block of {} bytes for a file of {bytes}; {largest} would do", usage.largest));
    }
    let peak = (reader.factor * bytes as f64) as usize + AROUND + reader.extra;
    if usage.peak > peak {
        return Err(format!("{} bytes for a file of {bytes}; {peak} would do", usage.peak));
    }
    if took > PATIENCE {
        return Err(format!("{took:?} for a file of {bytes}"));
    }
    Ok((usage, good))
}

/// Runs all cases of a reader.
fn fuzz(make: fn() -> Reader) {
    let alone = alone();
    let mut reader = make();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    let asked = number("MUJAZ_FUZZ_CASES");
    let cases = asked.unwrap_or(CASES / reader.share).max(20);
    let seed = number("MUJAZ_FUZZ_SEED").unwrap_or(1) as u64;
    let start = Instant::now();
    let (mut good, mut worst, mut largest) = (0, 0f64, 0f64);
    let mut failures: Vec<String> = Vec::new();
    for case in 0..cases {
        let mut random = Random(seed << 32 | case as u64);
        random.next();
        let file = (reader.make)(&mut random);
        match try_one(&alone, &mut reader, &file) {
            Ok((usage, taken)) => {
                good += usize::from(taken);
                let bytes = (file.len() + reader.beside).max(1) as f64;
                worst = worst.max(usage.peak.saturating_sub(AROUND) as f64 / bytes);
                largest = largest.max(usage.largest.saturating_sub(SMALL) as f64 / bytes);
            }
            Err(what) => {
                let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../hostile");
                std::fs::create_dir_all(&folder).unwrap();
                let kept = folder.join(format!("{}-{case}", reader.name));
                std::fs::write(&kept, &file).unwrap();
                failures.push(format!("case {case} ({}): {what}", kept.display()));
                if failures.len() == 10 {
                    break;
                }
            }
        }
    }
    println!(
        "{}: {cases} cases in {:.1} s, {good} taken as good; above what is allowed around: all {worst:.1} times the file, a \
         block {largest:.1} times",
        reader.name,
        start.elapsed().as_secs_f64(),
    );
    assert!(failures.is_empty(), "{}:\n{}", reader.name, failures.join("\n"));
    // Only files that are refused at their first byte would prove nothing.
    assert!(good * 1000 > cases, "{}: only {good} of {cases} files were taken as good", reader.name);
    assert!(good < cases, "{}: every file was taken as good", reader.name);
}

macro_rules! readers {
    ($($name:ident),*) => {
        $(#[test] fn $name() { fuzz(readers::$name); })*
    };
}

macro_rules! documents {
    ($($name:ident),*) => {
        $(#[test] fn $name() { fuzz(documents::$name); })*
    };
}

documents!(
    text,
    html,
    mhtml,
    webarchive,
    markdown,
    docx,
    odt,
    epub,
    rtf,
    pdf,
    email,
    subtitles,
    table,
    json_lines,
    feed,
    zip_archive,
    tar_archive
);

readers!(
    gguf,
    gguf_vocabulary,
    safetensors,
    weights_list,
    pickle,
    sentencepiece,
    tokenizer_json,
    vocab_json,
    config_json,
    architectures,
    registry,
    form,
    packed_weights,
    bundle_file
);

//! The encoder-decoder engine as a whole, on tiny checkpoints of every family: against the reference (transformers 5.23.0,
//! `parity/*-tiny/expected.json`), against itself in company, through the real binary, and from every form that weights
//! come in.

mod company;
mod files;
mod growth;
mod lines;
mod parity;

pub use files::torch;

use std::path::{Path, PathBuf};

use mujaz::engine::kernels::dense::Precision;
use mujaz::engine::load::ModelPaths;
use mujaz::engine::seq2seq::{self, Decoded, Decoding, Direction, Model, Seq2SeqEngine};
use mujaz::progress::Silent;
use serde_json::Value;

use crate::common;

/// The checkpoint that every clone has.
fn big() -> PathBuf {
    common::fixture("parity/opus-mt-tc-big-tiny")
}

/// All reference checkpoints; without the shared data the one that every clone has.
fn references() -> Vec<PathBuf> {
    let mut folders = vec![big()];
    if let Some(shared) = common::shared("parity") {
        folders.extend(["opus-mt-tiny", "nllb-tiny", "madlad-tiny", "mt5-tiny"].iter().map(|name| shared.join(name)));
        assert_eq!(expected(&folders[0]), expected(&shared.join("opus-mt-tc-big-tiny")), "the copy is one");
    }
    folders
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn expected(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

fn engine(folder: &Path, precision: Precision) -> Seq2SeqEngine<Model> {
    seq2seq::open(ModelPaths::at(folder).unwrap().files, folder, &Direction::default(), precision).unwrap()
}

/// As the reference searched: at most 24 new tokens, nothing tried again.
fn as_reference(beams: usize, length_penalty: f32) -> Decoding {
    Decoding { beams, length_penalty: Some(length_penalty), max_new_tokens: 24, guard: false, ..Decoding::default() }
}

/// The best hypothesis of every text.
fn decode<S: mujaz::engine::decode::step::Stepper>(
    engine: &Seq2SeqEngine<S>,
    texts: &[&str],
    how: &Decoding,
) -> Vec<Decoded> {
    let found = engine.decode(texts, how, &Silent).unwrap();
    found.into_iter().map(|found| found.unwrap().swap_remove(0)).collect()
}

fn texts(expected: &Value) -> Vec<&str> {
    expected["cases"].as_array().unwrap().iter().map(|case| case["text"].as_str().unwrap()).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

//! The readers, each with its good files and what it may take.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use mujaz::engine::checkpoint::{Checkpoint, Fields, Files, Pickles};
use mujaz::engine::gguf::Gguf;
use mujaz::engine::kernels::dense::Precision;
use mujaz::engine::seq2seq::store::Store;
use mujaz::engine::seq2seq::{self, Direction};
use mujaz::engine::tokenizer::json::JsonTokenizer;
use mujaz::engine::tokenizer::pair::PairTokenizer;
use mujaz::engine::tokenizer::pieces::Pieces;
use mujaz::engine::tokenizer::{self, Markup};
use mujaz::hub::form;
use mujaz::registry::Registry;
use serde_json::{Value, json};

use crate::mutate::{self, Random};
use crate::{Reader, seeds};

/// What is cut up by tokenizers that were taken as good.
const TEXT: &str = "قال ab  «a» <unk> </s> 900\u{10FFFD}e\u{301}";

/// A model's files, with leave to read pickles.
pub fn with_pickles(path: &Path) -> Files {
    Files::at(path).with_pickles(Pickles::Allowed)
}

/// A folder that is there as long as the process; in memory where that can be.
pub fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("mujaz-hostile-").tempdir_in(base).unwrap();
    let path = folder.path().to_owned();
    // The tests hold it through their closures; it goes with them.
    FOLDERS.with(|folders| folders.borrow_mut().push(folder));
    path
}

thread_local! {
    static FOLDERS: RefCell<Vec<tempfile::TempDir>> = const { RefCell::new(Vec::new()) };
}

pub fn reader(
    name: &'static str,
    file: &str,
    make: impl FnMut(&mut Random) -> Vec<u8> + 'static,
    read: impl FnMut(&Path, &[u8]) -> bool + 'static,
) -> Reader {
    let path = folder().join(file);
    Reader {
        name,
        factor: 2.0,
        block: 2,
        extra: 0,
        share: 1,
        make: Box::new(make),
        read: Box::new(read),
        path,
        beside: 0,
    }
}

/// Changes the bytes of one of several files.
fn of_bytes(seeds: Vec<Vec<u8>>) -> impl FnMut(&mut Random) -> Vec<u8> {
    move |random| {
        let good = random.pick(&seeds).clone();
        if random.below(50) == 0 { good } else { mutate::bytes(random, &good, &seeds) }
    }
}

/// Changes values of one of several JSON documents.
fn of_json(seeds: Vec<Value>) -> impl FnMut(&mut Random) -> Vec<u8> {
    move |random| {
        let good = random.pick(&seeds).clone();
        match random.below(8) {
            0 => {
                let text = good.to_string().into_bytes();
                mutate::bytes(random, &text, std::slice::from_ref(&text))
            }
            1 => good.to_string().into_bytes(),
            _ => mutate::json(random, &good),
        }
    }
}

/// Header, all metadata, all tensors.
pub fn gguf() -> Reader {
    reader("gguf", "m.gguf", of_bytes(seeds::ggufs()), |path, _| {
        let Ok(mut gguf) = Gguf::open(path) else { return false };
        for key in ["general.architecture", "llama.block_count", "some.truth", "some.double", "some.short"] {
            let _ = (gguf.optional_str(key), gguf.optional_usize(key), gguf.optional_f32(key), gguf.optional_bool(key));
        }
        let _ = gguf.strings("tokenizer.ggml.tokens");
        let _ = gguf.numbers("tokenizer.ggml.scores");
        for name in gguf.names() {
            assert!(gguf.shape(&name).is_some() && gguf.dtype(&name).is_some());
            gguf.tensor(&name).unwrap();
        }
        true
    })
}

/// A vocabulary in a GGUF file. Factor 40: for every token of a few bytes there are its text, its bytes, its place in an
/// index, and in the byte-pair crate three hash tables; the smallest token has eight bytes of length in the file. Extra: the
/// patterns that cut words, which are compiled (3 MB, the same for every file).
pub fn gguf_vocabulary() -> Reader {
    let read = |path: &Path, _: &[u8]| {
        let Ok(mut gguf) = Gguf::open(path) else { return false };
        let Ok(Some(tokenizer)) = tokenizer::load(&mut gguf) else { return false };
        for markup in [Markup::Parse, Markup::Text] {
            let ids = tokenizer.encode(TEXT, markup);
            tokenizer.decode(&ids);
        }
        true
    };
    let reader = reader("gguf_vocabulary", "m.gguf", of_bytes(seeds::gguf_vocabularies()), read);
    Reader { factor: 40.0, extra: 8 << 20, share: 4, ..reader }
}

/// Header and all tensors; a tensor in two bytes a number becomes twice as large.
pub fn safetensors() -> Reader {
    let good = seeds::safetensors_header();
    let whole = seeds::safetensors(good.to_string().as_bytes(), 66);
    let make = move |random: &mut Random| match random.below(4) {
        0 => mutate::bytes(random, &whole, std::slice::from_ref(&whole)),
        1 => whole.clone(),
        _ => {
            let header = mutate::json(random, &good);
            let mut file = seeds::safetensors(&header, 66);
            if random.below(8) == 0 {
                file[..8].copy_from_slice(&random.extreme(header.len()).to_le_bytes());
            }
            file
        }
    };
    let config = json!({"model_type": "marian"}).to_string();
    let read = move |path: &Path, _: &[u8]| {
        std::fs::write(path.with_file_name("config.json"), &config).unwrap();
        all_tensors(path)
    };
    Reader { factor: 4.0, ..reader("safetensors", "model.safetensors", make, read) }
}

/// Opens weights and reads every tensor.
fn all_tensors(path: &Path) -> bool {
    let Ok(checkpoint) = Checkpoint::open(with_pickles(path)) else { return false };
    for name in checkpoint.names() {
        let shape = checkpoint.shape(&name).unwrap();
        if let Ok(tensor) = checkpoint.tensor(&[name]) {
            assert_eq!(tensor.unwrap().dims(), shape);
        }
    }
    true
}

/// `model.safetensors.index.json`, with two files that it may name.
pub fn weights_list() -> Reader {
    let good = json!({"metadata": {"total_size": 8},
                      "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}});
    let one = |name: &str| {
        let header = json!({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).to_string();
        seeds::safetensors(header.as_bytes(), 4)
    };
    let (a, b) = (one("a"), one("b"));
    let read = move |path: &Path, _: &[u8]| Checkpoint::open(with_pickles(path)).is_ok();
    let reader = reader("weights_list", "model.safetensors.index.json", of_json(vec![good]), read);
    std::fs::write(reader.path.with_file_name("config.json"), "{}").unwrap();
    std::fs::write(reader.path.with_file_name("m-1.safetensors"), &a).unwrap();
    std::fs::write(reader.path.with_file_name("m-2.safetensors"), &b).unwrap();
    Reader { beside: a.len() + b.len() + 2, ..reader }
}

/// The archive, its pickle, all tensors. Factor 12, and 4 for a block: the pickle, its objects (eight bytes each, and there is
/// one for every four bytes at most) and its tensors (a hundred bytes each, one for every 24). In a file with weights that is
/// nothing beside them, and no pickle of more than 16 MiB is read.
pub fn pickle() -> Reader {
    let seeds = seeds::pickles();
    let pickles: Vec<Vec<u8>> = seeds.iter().map(|(pickle, _)| pickle.clone()).collect();
    let archives: Vec<Vec<u8>> = seeds.iter().map(|(pickle, entries)| seeds::zip(pickle, entries, true)).collect();
    let make = move |random: &mut Random| {
        let at = random.below(seeds.len());
        let (pickle, entries) = &seeds[at];
        match random.below(8) {
            0..=3 => {
                let pickle = mutate::bytes(random, pickle, &pickles);
                seeds::zip(&pickle, entries, random.below(20) > 0)
            }
            4 => archives[at].clone(),
            5 => {
                // The list of entries lies at the end.
                let archive = &archives[at];
                let from = archive.len() - 260.min(archive.len());
                let tail = mutate::bytes(random, &archive[from..], &archives);
                [&archive[..from], &tail].concat()
            }
            _ => mutate::bytes(random, &archives[at], &archives),
        }
    };
    let reader = reader("pickle", "pytorch_model.bin", make, |path, _| all_tensors(path));
    std::fs::write(reader.path.with_file_name("config.json"), "{}").unwrap();
    Reader { factor: 12.0, block: 4, ..reader }
}

/// `.spm` and `.model`. Factor 40: the crate keeps each piece four times, twice of them as a key of a hash table, and our index
/// once more; a piece has 9 bytes or more in the file.
pub fn sentencepiece() -> Reader {
    let read = |_: &Path, file: &[u8]| {
        let Ok(pieces) = Pieces::parse(Path::new("m.spm"), file) else { return false };
        let mut found: Vec<String> = Vec::new();
        pieces.cut(TEXT, |cut| {
            found.push(match cut {
                tokenizer::pieces::Cut::Piece(number) => pieces.piece(number).unwrap_or_default().to_owned(),
                tokenizer::pieces::Cut::Unknown(text) => text.to_owned(),
            });
        });
        pieces.join(&found.iter().map(String::as_str).collect::<Vec<_>>());
        true
    };
    Reader { factor: 40.0, share: 4, ..reader("sentencepiece", "m.spm", of_bytes(seeds::sentencepieces()), read) }
}

/// `tokenizer.json`. Factor 400: of a unigram vocabulary the crate makes a tree with a hash table of its own for every byte
/// that begins no other piece. Extra: patterns are compiled (bound by the `regex` crate), caches have their size from the
/// start.
pub fn tokenizer_json() -> Reader {
    let read = |_: &Path, file: &[u8]| {
        let Ok(tokenizer) = JsonTokenizer::parse(Path::new("tokenizer.json"), file, 1 << 24) else { return false };
        let ids = tokenizer.encode(TEXT);
        tokenizer.decode(&ids);
        true
    };
    let reader = reader("tokenizer_json", "tokenizer.json", of_json(seeds::tokenizers()), read);
    Reader { factor: 400.0, extra: 4 << 20, share: 4, ..reader }
}

/// `vocab.json`, and what a tokenizer makes of it. Factor 3: pieces in one text, twelve bytes for each beside it, and four
/// for its place in the order; the lists may have grown to twice of that.
pub fn vocab_json() -> Reader {
    let good = seeds::vocabulary();
    let (config, weights) = small_marian();
    let read = move |path: &Path, _: &[u8]| marian(path, &config, &weights);
    let reader = reader("vocab_json", "vocab.json", of_json(vec![good]), read);
    let beside = beside_marian(&reader.path);
    Reader { factor: 40.0, beside, share: 4, ..reader }
}

/// The settings and the weights of a Marian model that is nothing but its embeddings.
fn small_marian() -> (String, Vec<u8>) {
    let mut config = seeds::config();
    for (key, value) in [("d_model", 4), ("encoder_attention_heads", 2), ("decoder_attention_heads", 2)] {
        config[key] = json!(value);
    }
    (config.to_string(), seeds::safetensors(seeds::safetensors_header().to_string().as_bytes(), 66))
}

fn beside_marian(path: &Path) -> usize {
    let (config, weights) = small_marian();
    let spm = std::fs::read(seeds::fixture("parity/pieces/unigram.model")).unwrap();
    for name in ["source.spm", "target.spm"] {
        std::fs::write(path.with_file_name(name), &spm).unwrap();
    }
    std::fs::write(path.with_file_name("vocab.json"), seeds::vocabulary().to_string()).unwrap();
    config.len() + weights.len() + 2 * spm.len() + 200
}

fn marian(path: &Path, config: &str, weights: &[u8]) -> bool {
    if !path.ends_with("config.json") {
        std::fs::write(path.with_file_name("config.json"), config).unwrap();
    }
    std::fs::write(path.with_file_name("model.safetensors"), weights).unwrap();
    let Ok(checkpoint) = Checkpoint::open(path.parent().unwrap()) else { return false };
    let Ok(found) = seq2seq::architecture(&checkpoint, &Direction::default()) else { return false };
    let ids = found.tokenizer.encode(TEXT);
    found.tokenizer.decode(&ids);
    true
}

/// Files of settings, every field asked for as everything. Factor 2, on top of the sequences that are asked for: a list for
/// each.
pub fn config_json() -> Reader {
    let mut long = seeds::config();
    long["bad_words_ids"] = json!([[1, 2], [3], [4, 5, 6]]);
    long["eos_token_id"] = json!([0, 2]);
    let generation = json!({"bad_words_ids": [[1395]], "eos_token_id": 0, "num_beams": 4, "length_penalty": 1.0});
    reader("config_json", "config.json", of_json(vec![long, generation]), |path, _| {
        let Ok(fields) = Fields::open(path) else { return false };
        for key in ["d_model", "model_type", "bad_words_ids", "eos_token_id", "scale_embedding", "length_penalty"] {
            let _ = (fields.usize(key, None, 1..=9), fields.f32(key), fields.bool(key), fields.str(key));
            let _ = (fields.ids(key, 60_000).is_ok(), fields.has(key));
        }
        let _ = fields.sequences("bad_words_ids", 60_000).is_ok();
        true
    })
}

/// What an architecture makes of its settings before any tensor is read: of Marian, M2M-100 and T5. The factor is the
/// tokenizers'; extra: a table of positions of a megabyte is always believed.
pub fn architectures() -> Reader {
    let (config, weights) = small_marian();
    let marian_config: Value = serde_json::from_str(&config).unwrap();
    let mut m2m = marian_config.clone();
    m2m["model_type"] = json!("m2m_100");
    let t5 = json!({"model_type": "t5", "d_model": 4, "num_heads": 2, "num_layers": 2, "d_ff": 8, "vocab_size": 900,
                    "relative_attention_num_buckets": 32, "feed_forward_proj": "gated-gelu", "pad_token_id": 0,
                    "decoder_start_token_id": 0, "eos_token_id": 1, "tie_word_embeddings": false});
    let read = move |path: &Path, _: &[u8]| marian(path, &config, &weights);
    let reader = reader("architectures", "config.json", of_json(vec![marian_config, m2m, t5]), read);
    let beside = beside_marian(&reader.path);
    let spm = std::fs::read(seeds::fixture("parity/pieces/unigram.model")).unwrap();
    for name in ["spiece.model", "sentencepiece.bpe.model"] {
        std::fs::write(reader.path.with_file_name(name), &spm).unwrap();
    }
    Reader { factor: 40.0, beside: beside + spm.len(), extra: 1 << 20, share: 4, ..reader }
}

/// `models.toml`. Factor 120, and 32 for a block: the `toml` crate makes a list of tokens with room for one a byte, of
/// events, and a tree of values with their places. No registry of more than a megabyte is read.
pub fn registry() -> Reader {
    let good = seeds::REGISTRY.as_bytes().to_vec();
    let two = format!("{}{}", seeds::REGISTRY, seeds::REGISTRY.replace("opus-a", "opus-b")).into_bytes();
    let files = vec![good, two];
    let mut flip = of_bytes(files.clone());
    let make = move |random: &mut Random| match random.below(3) {
        0 => {
            let text = String::from_utf8(random.pick(&files).clone()).unwrap();
            let inserted: &str = random.pick::<&str>(&[
                "[[[[",
                "{a=",
                "a.b.c.d.e.f.g.h=1\n",
                "\"\"\"",
                "nan",
                "-9223372036854775809",
                "1e999",
                "\u{0}",
                "[model.x]\n",
                "2026-01-01T00:00:00Z",
                "bytes = 99999999999999999999\n",
                "0xffffffffffffffff",
                "'''",
                "\u{feff}",
            ]);
            let inserted = inserted.repeat(1 + random.below(400));
            let mut at = random.below(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            [&text[..at], &inserted, &text[at..]].concat().into_bytes()
        }
        _ => flip(random),
    };
    Reader {
        factor: 120.0,
        block: 32,
        ..reader("registry", "models.toml", make, |path, _| Registry::open(path).is_ok())
    }
}

/// What is looked for in any file before its hash is known.
pub fn form() -> Reader {
    let header = seeds::safetensors_header();
    let whole = seeds::safetensors(header.to_string().as_bytes(), 66);
    let mut files = vec![whole, seeds::config().to_string().into_bytes(), b"<!doctype html><p>".to_vec()];
    files.extend(seeds::ggufs());
    let mut make_bytes = of_bytes(files);
    let make = move |random: &mut Random| match random.below(3) {
        0 => seeds::safetensors(&mutate::json(random, &header), 66),
        _ => make_bytes(random),
    };
    reader("form", "file", make, |path, _| {
        let names = ["a.safetensors", "a.json", "a.gguf", "a.spm", "a.bin", "a"];
        names.map(|name| form::fault(path, name).unwrap()).iter().filter(|fault| fault.is_none()).count() > 1
    })
}

/// Our own file of packed weights, damaged, and forged with hashes that are right. Factor 3: a part is read through a buffer
/// into its place. Extra: two threads with a buffer of 256 kB each, and the hasher's.
pub fn packed_weights() -> Reader {
    let model = folder();
    let source = seeds::fixture("parity/opus-mt-tc-big-tiny");
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    let files = std::fs::read_dir(&model).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), entry.path())
    });
    let files: std::collections::BTreeMap<String, PathBuf> = files.collect();
    let cache = folder();
    let direction = Direction::default();
    let (_, stored) = seq2seq::open_stored(files.clone(), &model, &direction, Precision::Int8, Some(&cache)).unwrap();
    let seq2seq::Stored::Written { path, .. } = stored else { panic!("{stored}") };
    let whole = std::fs::read(&path).unwrap();
    let checkpoint = Checkpoint::open(files).unwrap();
    let store = Rc::new(Store::new(&checkpoint, Precision::Int8, &cache).unwrap());
    let others = vec![whole[..4096.min(whole.len())].to_vec()];
    let make = move |random: &mut Random| {
        let table = 64 + u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
        let mut file = match random.below(4) {
            0 => return whole.clone(),
            // Anywhere, or in the table only.
            1 => {
                let mut file = whole.clone();
                let at = random.below(file.len());
                file[at] ^= 1 << random.below(8);
                file
            }
            _ => {
                let head = mutate::bytes(random, &whole[..table], &others);
                [&head, &whole[table..]].concat()
            }
        };
        if random.below(4) > 0 {
            // As no damage would: with the right length and hash.
            let length = file.len() as u64;
            if file.len() > 64 && random.below(4) > 0 {
                file[48..56].copy_from_slice(&length.to_le_bytes());
            }
            let claimed = file.get(12..16).map_or(0, |bytes| u32::from_le_bytes(bytes.try_into().unwrap()) as usize);
            if let Some(end) = (64 + claimed).checked_sub(32).filter(|end| end + 32 <= file.len()) {
                let hash = blake3::hash(&file[..end]);
                file[end..end + 32].copy_from_slice(hash.as_bytes());
            }
        }
        file
    };
    let read = move |_: &Path, _: &[u8]| store.read().is_ok();
    let reader = reader("packed_weights", "unused", make, read);
    Reader { factor: 3.0, extra: 2 << 20, share: 30, path, ..reader }
}

pub use crate::bundle::bundle_file;

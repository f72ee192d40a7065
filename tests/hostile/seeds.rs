//! Good files, a few kilobytes each.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Writes GGUF files of any version.
pub struct Gguf {
    pub version: u32,
    pub keys: Vec<(String, Vec<u8>)>,
    /// Name, dimensions as in the file, type, offset.
    pub tensors: Vec<(String, Vec<u64>, u32, u64)>,
    pub data: Vec<u8>,
    pub alignment: usize,
}

impl Gguf {
    pub fn new(version: u32) -> Self {
        Self { version, keys: Vec::new(), tensors: Vec::new(), data: Vec::new(), alignment: 32 }
    }

    pub fn length(&self, number: u64) -> Vec<u8> {
        if self.version == 1 { (number as u32).to_le_bytes().to_vec() } else { number.to_le_bytes().to_vec() }
    }

    pub fn text(&self, text: &[u8]) -> Vec<u8> {
        [self.length(text.len() as u64), text.to_vec()].concat()
    }

    pub fn key(&mut self, name: &str, kind: u32, value: &[u8]) {
        self.keys.push((name.into(), [&kind.to_le_bytes()[..], value].concat()));
    }

    pub fn list(&mut self, name: &str, kind: u32, items: &[Vec<u8>]) {
        let value = [&kind.to_le_bytes()[..], &self.length(items.len() as u64), &items.concat()].concat();
        self.key(name, 9, &value);
    }

    pub fn texts(&mut self, name: &str, texts: &[&str]) {
        let items: Vec<Vec<u8>> = texts.iter().map(|text| self.text(text.as_bytes())).collect();
        self.list(name, 8, &items);
    }

    /// Adds a tensor with as many bytes of data.
    pub fn tensor(&mut self, name: &str, dimensions: &[u64], dtype: u32, bytes: usize) {
        let offset = self.data.len() as u64;
        self.tensors.push((name.into(), dimensions.to_vec(), dtype, offset));
        self.data.extend((0..bytes).map(|i| (i % 7) as u8));
        self.data.resize(self.data.len().next_multiple_of(self.alignment), 0);
    }

    pub fn file(&self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(self.version.to_le_bytes());
        file.extend(self.length(self.tensors.len() as u64));
        file.extend(self.length(self.keys.len() as u64));
        for (name, value) in &self.keys {
            file.extend(self.text(name.as_bytes()));
            file.extend(value);
        }
        for (name, dimensions, dtype, offset) in &self.tensors {
            file.extend(self.text(name.as_bytes()));
            file.extend((dimensions.len() as u32).to_le_bytes());
            dimensions.iter().for_each(|&n| file.extend(self.length(n)));
            file.extend(dtype.to_le_bytes());
            file.extend(offset.to_le_bytes());
        }
        file.resize(file.len().next_multiple_of(self.alignment), 0);
        file.extend(&self.data);
        file
    }
}

pub fn ggufs() -> Vec<Vec<u8>> {
    let make = |version| {
        let mut file = Gguf::new(version);
        file.key("general.architecture", 8, &file.text(b"llama"));
        file.key("general.alignment", 4, &32u32.to_le_bytes());
        file.key("llama.block_count", 4, &1u32.to_le_bytes());
        file.key("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes());
        file.key("some.truth", 7, &[1]);
        file.key("some.double", 12, &0.5f64.to_le_bytes());
        file.key("some.short", 3, &(-3i16).to_le_bytes());
        file.texts("tokenizer.ggml.tokens", &["<unk>", "</s>", "a", "b", "ab", "\u{2581}"]);
        file.list("tokenizer.ggml.scores", 6, &[0f32; 6].map(|v| v.to_le_bytes().to_vec()));
        let inner = [&4u32.to_le_bytes()[..], &file.length(1), &[1, 0, 0, 0]].concat();
        file.list("some.lists", 9, &[inner.clone(), inner]);
        file.tensor("token_embd.weight", &[32, 2], 8, 68);
        file.tensor("blk.0.ffn_gate.weight", &[4, 4], 0, 64);
        file.tensor("output_norm.weight", &[4], 1, 8);
        file.file()
    };
    vec![make(1), make(2), make(3)]
}

/// The same with vocabularies that can be loaded.
pub fn gguf_vocabularies() -> Vec<Vec<u8>> {
    let mut pairs = Gguf::new(3);
    pairs.key("tokenizer.ggml.model", 8, &pairs.text(b"gpt2"));
    pairs.key("tokenizer.ggml.pre", 8, &pairs.text(b"qwen2"));
    pairs.texts("tokenizer.ggml.tokens", &["a", "b", "ab", "c", "abc", "<|im_end|>", "\u{120}", "\u{120}a"]);
    pairs.list("tokenizer.ggml.token_type", 5, &[1i32, 1, 1, 1, 1, 3, 1, 4].map(|kind| kind.to_le_bytes().to_vec()));
    pairs.texts("tokenizer.ggml.merges", &["a b", "ab c", "\u{120} a"]);
    pairs.key("tokenizer.ggml.eos_token_id", 4, &5u32.to_le_bytes());
    let mut scored = Gguf::new(2);
    scored.key("tokenizer.ggml.model", 8, &scored.text(b"llama"));
    scored
        .texts("tokenizer.ggml.tokens", &["<unk>", "<s>", "</s>", "a", "b", "ab", "\u{2581}", "<0x0A>", "\u{2581}ab"]);
    scored.list(
        "tokenizer.ggml.scores",
        6,
        &[0f32, 0.0, 0.0, -1.0, -2.0, -3.0, -1.5, 0.0, -1.0].map(|s| s.to_le_bytes().to_vec()),
    );
    scored.list(
        "tokenizer.ggml.token_type",
        5,
        &[2i32, 3, 3, 1, 1, 1, 1, 6, 1].map(|kind| kind.to_le_bytes().to_vec()),
    );
    scored.key("tokenizer.ggml.bos_token_id", 4, &1u32.to_le_bytes());
    scored.key("tokenizer.ggml.unknown_token_id", 4, &0u32.to_le_bytes());
    vec![pairs.file(), scored.file()]
}

pub fn safetensors_header() -> Value {
    json!({
        "__metadata__": {"format": "pt"},
        "model.shared.weight": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32]},
        "model.encoder.bias": {"dtype": "F16", "shape": [4], "data_offsets": [32, 40]},
        "scalar": {"dtype": "BF16", "shape": [], "data_offsets": [40, 42]},
        "ids": {"dtype": "I64", "shape": [1, 3], "data_offsets": [42, 66]},
        "empty": {"dtype": "F32", "shape": [0, 7], "data_offsets": [66, 66]},
    })
}

/// Puts the length before a header and data behind it.
pub fn safetensors(header: &[u8], data: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend((0..data).map(|i| (i % 5) as u8));
    file
}

/// Files of an archive by name.
type Entries = Vec<(&'static str, Vec<u8>)>;

/// The pickle of a state dict, as torch writes it, and the entries beside it.
pub fn pickles() -> Vec<(Vec<u8>, Entries)> {
    let file = std::fs::read(fixture("parity/pieces/pytorch_model.bin")).unwrap();
    let at = file.windows(2).position(|pair| pair == [0x80, 2]).unwrap();
    let first = file[at..at + 281].to_vec();
    // As protocol 4 has it, of an OrderedDict, with a parameter and a number of nine bytes' length.
    let text = |text: &str| [&[0x8c, text.len() as u8], text.as_bytes(), &[0x94]].concat();
    let mut second = vec![0x80, 4, 0x95, 0, 1, 0, 0, 0, 0, 0, 0];
    second.extend([text("collections"), text("OrderedDict"), vec![0x93, 0x94, b')', b'R', 0x94, b'(']].concat());
    second.extend(text("w"));
    second.extend([text("torch._utils"), text("_rebuild_tensor_v2"), vec![0x93, 0x94, b'(', b'(']].concat());
    second.extend([text("storage"), text("torch"), text("FloatStorage"), vec![0x93, 0x94]].concat());
    second.extend([text("0"), text("cpu"), vec![0x8a, 2, 6, 0, b't', 0x94, b'Q', b'K', 0]].concat());
    second.extend([
        b'K', 3, b'K', 2, 0x86, 0x94, b'K', 1, b'K', 3, 0x86, 0x94, 0x89, b'h', 2, b')', b'R', b't', b'R', b'u',
    ]);
    second.extend([b'}', b'(', 0x8c, 9]);
    second.extend(b"_metadata");
    second.extend([b'N', b'u', b'b', b'.']);
    let storages = vec![("data/0", (0..24).collect()), ("data/1", vec![0, 60, 0, 64]), ("version", b"3\n".to_vec())];
    vec![(first, storages.clone()), (second, storages)]
}

/// Packs a pickle and its entries into an archive.
pub fn zip(pickle: &[u8], entries: &[(&str, Vec<u8>)], stored: bool) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let method = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    writer.start_file("archive/data.pkl", options).unwrap();
    writer.write_all(pickle).unwrap();
    for (name, bytes) in entries {
        writer.start_file(format!("archive/{name}"), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn sentencepieces() -> Vec<Vec<u8>> {
    let read = |name| std::fs::read(fixture(&format!("parity/pieces/{name}.model"))).unwrap();
    ["unigram", "bytes", "pairs", "unused"].map(read).into()
}

/// A table of replacements: a trie without anything in it, and one text.
const CHARSMAP_BYTES: usize = 1024;

pub fn charsmap() -> String {
    let mut map = (CHARSMAP_BYTES as u32).to_le_bytes().to_vec();
    map.resize(4 + CHARSMAP_BYTES, 0);
    map.extend(b"a\0");
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in map.chunks(3) {
        let bits = three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let letter = if i <= three.len() { char::from(LETTERS[(bits >> (18 - 6 * i)) as usize & 63]) } else { '=' };
            text.push(letter);
        }
    }
    text
}

pub fn tokenizers() -> Vec<Value> {
    let added = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
               "special": true})
    };
    let unigram = json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [added(0, "<unk>"), added(1, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": charsmap()},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        ]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true},
        "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
                           "special_tokens": {}},
        "decoder": {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
                  "vocab": [["<unk>", 0.0], ["</s>", 0.0], ["\u{2581}", -2.0], ["a", -3.0], ["\u{2581}a", -1.5], ["قال", -4.0]]},
    });
    let pairs = json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [added(0, "<unk>"), added(1, "</s>"), added(7, "arb_Arab")],
        "normalizer": null,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true},
        "post_processor": null,
        "decoder": {"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": "always", "split": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": false, "ignore_merges": false,
                  "vocab": {"<unk>": 0, "</s>": 1, "\u{2581}": 2, "a": 3, "b": 4, "ab": 5, "\u{2581}ab": 6},
                  "merges": [["a", "b"], ["\u{2581}", "ab"]]},
    });
    vec![unigram, pairs]
}

pub fn vocabulary() -> Value {
    json!({"</s>": 0, "<unk>": 1, "\u{2581}a": 2, "\u{2581}قال": 3, "b": 4, "<pad>": 5})
}

pub fn config() -> Value {
    serde_json::from_slice(&std::fs::read(fixture("parity/opus-mt-tc-big-tiny/config.json")).unwrap()).unwrap()
}

pub const REGISTRY: &str = r#"
[[model]]
id = "opus-a"
title = "A title"
task = ["translate"]
architecture = "marian"
languages = ["ar", "en"]
memory_bytes = 500000000
licence = { name = "CC-BY-4.0", link = "https://example.org", asks = "attribution" }
prefix = ">>eng<< "
hub = { repo = "o/n", revision = "0123456789abcdef0123456789abcdef01234567", mirrors = ["p/n"] }
generation = { num_beams = 4, length_penalty = 0.6 }
files = [
  { name = "model.safetensors", bytes = 12, sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
  { name = "config.json", unverified = true },
]
"#;

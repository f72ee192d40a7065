//! Files made by hand, each of which broke a reader or could have: what they claim is refused in words, before memory is
//! taken for it.

use std::path::Path;

use mujaz::engine::checkpoint::Checkpoint;
use mujaz::engine::gguf::Gguf;
use mujaz::engine::seq2seq::{self, Direction};
use mujaz::engine::tokenizer;
use mujaz::engine::tokenizer::json::JsonTokenizer;
use mujaz::engine::tokenizer::pieces::Pieces;
use mujaz::registry::Registry;
use serde_json::{Value, json};

use crate::memory::{Alone, alone, measured};
use crate::readers::with_pickles;
use crate::{AROUND, SMALL, seeds};

/// Asserts that files are refused with these words, and for less memory than some times their size: all together, a block.
fn refused(
    alone: &Alone,
    name: &str,
    (factor, block): (usize, usize),
    cases: Vec<(&str, Vec<u8>)>,
    read: impl Fn(&Path) -> Result<(), String>,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    for (want, file) in cases {
        std::fs::write(&path, &file).unwrap();
        let (result, usage) = measured(alone, || read(&path));
        let Err(said) = result else { panic!("{name}: taken as good, though {want:?}") };
        assert!(said.contains(want), "{name}: {said:?} does not say {want:?}");
        assert!(usage.largest <= block * file.len() + SMALL, "{name}, {want}: {usage:?} for {} bytes", file.len());
        assert!(usage.peak <= factor * file.len() + AROUND, "{name}, {want}: {usage:?} for {} bytes", file.len());
    }
}

fn gguf(change: impl FnOnce(&mut seeds::Gguf)) -> Vec<u8> {
    let mut file = seeds::Gguf::new(3);
    change(&mut file);
    file.file()
}

#[test]
fn gguf_claims() {
    let alone = alone();
    let count = |count: u64, kind: u32| [&kind.to_le_bytes()[..], &count.to_le_bytes()].concat();
    let nested = |depth: usize| count(1, 9).repeat(depth);
    let tensor = |name: &str, dimensions: &[u64], dtype, offset| {
        let tensor = (name.to_owned(), dimensions.to_vec(), dtype, offset);
        move |file: &mut seeds::Gguf| {
            file.data = vec![0; 64];
            file.tensors.push(tensor);
        }
    };
    let mut counts = gguf(|_| ());
    counts[8..16].copy_from_slice(&(1u64 << 59).to_le_bytes());
    let mut keys = gguf(|_| ());
    keys[16..24].copy_from_slice(&(1u64 << 59).to_le_bytes());
    let mut long = gguf(|file| file.key("abc", 7, &[1]));
    long[24..32].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut big_endian = gguf(|_| ());
    big_endian[4..8].copy_from_slice(&3u32.to_be_bytes());
    let cases = vec![
        ("not a GGUF file", b"GGML\x03\0\0\0".to_vec()),
        ("it is cut short", b"GGUF\x03\0".to_vec()),
        ("version 4", b"GGUF\x04\0\0\0".to_vec()),
        ("big-endian", big_endian),
        ("tensors, for which", counts),
        ("metadata keys; expected", keys),
        ("a metadata key should have 18446744073709551615 bytes", long),
        ("key \"a\" is a list of 2305843009213693952", gguf(|file| file.key("a", 9, &count(1 << 61, 8)))),
        ("key \"a\" is a list of 18446744073709551615", gguf(|file| file.key("a", 9, &count(u64::MAX, 12)))),
        ("lists in lists", gguf(|file| file.key("a", 9, &nested(100_000)))),
        ("of type 99", gguf(|file| file.key("a", 99, &[]))),
        ("truth value of 2", gguf(|file| file.key("a", 7, &[2]))),
        ("not UTF-8", gguf(|file| file.key("a", 8, &file.text(&[0xff; 3000])))),
        (
            "metadata key \"a\" is there twice",
            gguf(|file| {
                file.key("a", 7, &[1]);
                file.key("a", 7, &[0]);
            }),
        ),
        ("general.alignment is 0", gguf(|file| file.key("general.alignment", 4, &[0; 4]))),
        ("general.alignment is 24", gguf(|file| file.key("general.alignment", 4, &[24, 0, 0, 0]))),
        ("general.alignment is not", gguf(|file| file.key("general.alignment", 6, &[0; 4]))),
        ("tensor \"t\" has 0 dimensions", gguf(tensor("t", &[], 0, 0))),
        ("tensor \"t\" has 5 dimensions", gguf(tensor("t", &[1; 5], 0, 0))),
        ("tensor \"t\" has a dimension of 0", gguf(tensor("t", &[0, 1 << 60], 0, 0))),
        ("tensor \"t\" of shape", gguf(tensor("t", &[1 << 62, 1 << 62], 0, 0))),
        ("does not fit", gguf(tensor("t", &[1 << 40], 0, 0))),
        ("does not fit", gguf(tensor("t", &[4], 0, u64::MAX - 31))),
        ("does not fit", gguf(tensor("t", &[31], 8, 0))),
        ("begins at 8, no multiple of the alignment, 32", gguf(tensor("t", &[4], 0, 8))),
        ("type IQ4_NL (20)", gguf(tensor("t", &[32], 20, 0))),
        ("type 4000", gguf(tensor("t", &[32], 4000, 0))),
        ("tensor 0 has no name", gguf(tensor("", &[1], 0, 0))),
        (
            "tensors \"a\" (to 40) and \"b\" (from 32) overlap",
            gguf(|file| {
                tensor("b", &[2], 0, 32)(file);
                tensor("a", &[10], 0, 0)(file);
            }),
        ),
        (
            "tensor \"a\" is there twice",
            gguf(|file| {
                tensor("a", &[2], 0, 32)(file);
                tensor("a", &[2], 0, 0)(file);
            }),
        ),
    ];
    refused(&alone, "m.gguf", (2, 2), cases, |path| Gguf::open(path).map(|_| ()).map_err(|error| error.to_string()));
}

#[test]
fn gguf_lists_stay_in_the_file() {
    let alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    // A megabyte of numbers of one byte, which were 32 bytes each.
    std::fs::write(&path, gguf(|file| file.list("a", 0, &vec![vec![7]; 1 << 20]))).unwrap();
    let (gguf, usage) = measured(&alone, || Gguf::open(&path).unwrap());
    assert!(gguf.has("a") && usage.peak < AROUND, "{usage:?}");
}

#[test]
fn gguf_merges_that_make_no_token() {
    let alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.gguf");
    let file = gguf(|file| {
        file.key("tokenizer.ggml.model", 8, &file.text(b"gpt2"));
        file.texts("tokenizer.ggml.tokens", &["a", "bc"]);
        file.texts("tokenizer.ggml.merges", &["bc bc"]);
    });
    std::fs::write(&path, file).unwrap();
    // The crate copies them into a buffer of the longest token's length.
    let said = tokenizer::load(&mut Gguf::open(&path).unwrap()).unwrap_err().to_string();
    assert!(said.contains("merge \"bc bc\" makes no token"), "{said}");
    drop(alone);
}

fn tensors(header: &str, data: usize) -> Vec<u8> {
    seeds::safetensors(header.as_bytes(), data)
}

#[test]
fn safetensors_claims() {
    let alone = alone();
    let one = |rest: &str| format!(r#"{{"w":{{{rest}}}}}"#);
    let two = r#""dtype":"F32","shape":[2],"data_offsets":[0,8]"#;
    let nested = |open: &str| format!(r#"{{"w":{}"#, open.repeat(100_000));
    let cases = vec![
        ("should end at byte", tensors(&one(two), 0)),
        ("header should end at byte 300", [&292u64.to_le_bytes()[..], b"{}"].concat()),
        ("does not start with the length", [&[0xff; 4][..], &[0; 4], b"{}"].concat()),
        (
            "end at byte 61, the file at 65",
            tensors("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 5),
        ),
        ("nothing is at bytes", tensors(&one(r#""dtype":"F32","shape":[1],"data_offsets":[4,8]"#), 8)),
        (
            "overlap",
            tensors(
                r#"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}"#,
                8,
            ),
        ),
        ("declared twice", {
            let empty = r#""a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;
            tensors(&format!("{{{empty},{empty}}}"), 0)
        }),
        (
            "has 8 bytes of data",
            tensors(&one(r#""dtype":"F16","shape":[4611686018427387904,4],"data_offsets":[0,8]"#), 8),
        ),
        ("has 1 bytes of data", tensors(&one(r#""dtype":"F4","shape":[3],"data_offsets":[0,1]"#), 1)),
        (
            "which cannot be",
            tensors(
                &one(r#""dtype":"F32","shape":[0,1152921504606846976,1152921504606846976],"data_offsets":[0,0]"#),
                0,
            ),
        ),
        ("which cannot be", tensors(&one(r#""dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,0]"#), 8)),
        ("declared wrongly", tensors(&one(r#""dtype":"F32","shape":[-1],"data_offsets":[0,0]"#), 0)),
        ("declared wrongly", tensors(&one(r#""dtype":"F32","shape":[1.5],"data_offsets":[0,0]"#), 0)),
        ("declared wrongly", tensors(&one(r#""dtype":"F31","shape":[1],"data_offsets":[0,4]"#), 4)),
        (
            "declared wrongly",
            tensors(&one(&format!(r#""dtype":"F32","shape":[{}1],"data_offsets":[0,4]"#, "1,".repeat(50_000))), 4),
        ),
        ("declared wrongly", tensors(&one(&format!("{two},{two}")), 8)),
        ("declared wrongly", tensors(&nested("["), 0)),
        ("declared wrongly", tensors(&nested("{\"dtype\":"), 0)),
        ("a tensor's name has 5000 bytes", tensors(&format!(r#"{{"{}":{{{two}}}}}"#, "n".repeat(5000)), 8)),
        ("\"__metadata__\" is not an object of texts", tensors(r#"{"__metadata__":[1]}"#, 0)),
        ("\"__metadata__\" is not an object of texts", tensors(r#"{"__metadata__":{"a":1}}"#, 0)),
        ("declared wrongly: EOF", tensors("{\"a\"", 0)),
        ("not JSON", tensors("{\"a", 0)),
        ("not JSON", tensors("[1]", 0)),
        ("not JSON", tensors("{} x", 0)),
    ];
    refused(&alone, "model.safetensors", (2, 2), cases, |path| {
        Checkpoint::open(with_pickles(path)).map(|_| ()).map_err(|error| error.to_string())
    });
}

#[test]
fn lists_of_weights_that_lead_elsewhere() {
    let alone = alone();
    let list = |file: &str| json!({"weight_map": {"a": file}}).to_string().into_bytes();
    let mut cases: Vec<(&str, Vec<u8>)> = ["../m.safetensors", "/etc/passwd", "a\\b", "", ".", "..", "a\0b"]
        .into_iter()
        .map(|file| ("names no file for \"a\"", list(file)))
        .collect();
    cases.push(("lists m-9.safetensors, which is missing", list("m-9.safetensors")));
    cases.push(("not a list of weights files", json!({"weight_map": {"a": 1}}).to_string().into_bytes()));
    cases.push(("\"weight_map\" is missing", b"{}".to_vec()));
    let many: serde_json::Map<String, Value> = (0..5000).map(|i| (i.to_string(), json!(format!("m-{i}")))).collect();
    cases.push(("names more than 1000 files", json!({"weight_map": many}).to_string().into_bytes()));
    refused(&alone, "model.safetensors.index.json", (2, 2), cases, |path| {
        Checkpoint::open(with_pickles(path)).map(|_| ()).map_err(|error| error.to_string())
    });
}

#[test]
fn pickle_claims() {
    let alone = alone();
    let good = seeds::pickles().remove(0);
    let zip = |pickle: &[u8]| seeds::zip(pickle, &good.1, true);
    let with = |from: &[u8], to: &[u8]| {
        let at = good.0.windows(from.len()).position(|window| window == from).unwrap();
        let pickle = [&good.0[..at], to, &good.0[at + from.len()..]].concat();
        zip(&pickle)
    };
    let call = |global: &[u8]| zip(&[&b"\x80\x02c"[..], global, b"\nX\x02\0\0\0ls\x85R."].concat());
    // The shape (2, 3) and its strides (3, 1) of the first tensor.
    let shape = b"K\x02K\x03\x86q\x08K\x03K\x01\x86";
    let mut beyond = zip(&good.0);
    let at = beyond.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    beyond[at + 20..at + 28].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f]);
    let mut many = zip(&good.0);
    let end = many.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    many[end + 8..end + 12].copy_from_slice(&[0xff; 4]);
    let mut bomb = b"\x80\x02]q\x00".to_vec();
    // A list of two of the last, and so on: 2^1000 objects.
    (0..1000u32).for_each(|n| bomb.extend([&b"h\x000h\x00h\x00\x86q"[..], &[(n % 200 + 1) as u8]].concat()));
    let cases = vec![
        ("nothing of it is run here", call(b"posix\nsystem")),
        ("calls builtins.eval", call(b"builtins\neval")),
        ("calls torch._utils._rebuild_device_tensor", call(b"torch._utils\n_rebuild_device_tensor_from_numpy")),
        ("calls torch.load", call(b"torch\nload")),
        ("4294967295 bytes should follow", zip(b"\x80\x02}X\xff\xff\xff\xffa.")),
        ("a number in it has 255 bytes", zip(b"\x80\x02\x8a\xff.")),
        ("instruction 0x8b", zip(b"\x80\x02\x8b\xff\xff\xff\x7f.")),
        ("instruction 0x32", zip(&[&b"\x80\x02}"[..], &[b'2'; 100_000], b"."].concat())),
        ("objects waiting", zip(&[&b"\x80\x02"[..], &[b'N'; 100_000], b"."].concat())),
        ("more tuples than it has bytes for", zip(&[&b"\x80\x02N"[..], &b"NNN\x870".repeat(50_000), b"."].concat())),
        ("keeps object 4294967295", zip(b"\x80\x02}r\xff\xff\xff\xff.")),
        ("keeps object", zip(&[&b"\x80\x04N"[..], &[0x94; 100_000], b"."].concat())),
        ("which it never kept", zip(b"\x80\x02h\x09.")),
        ("a mark that is not there", zip(b"\x80\x02}u.")),
        ("an object that is not there", zip(b"\x80\x02.")),
        ("its pickle is cut short", zip(b"\x80\x02}")),
        ("no dictionary of tensors", zip(b"\x80\x02N.")),
        ("protocol 9", zip(b"\x80\x09}.")),
        ("it is", zip(&bomb)),
        ("no tensors were found", zip(b"\x80\x02}.")),
        ("it has more numbers than its storage", with(shape, b"K\x02K\x09\x86q\x08K\x03K\x01\x86")),
        ("it has more numbers than its storage", with(shape, b"M\xff\xffM\xff\xff\x86q\x08K\x00K\x00\x86")),
        ("reach behind the 6", with(shape, b"K\x02K\x03\x86q\x08K\x04K\x01\x86")),
        ("expected 0 or more", with(shape, b"J\xff\xff\xff\xffK\x03\x86q\x08K\x03K\x01\x86")),
        ("2 dimensions and 1 strides", with(shape, b"K\x02K\x03\x86q\x08K\x03\x85")),
        ("should have 7 numbers", with(b"K\x06t", b"K\x07t")),
        ("storage \"7\" is missing", with(b"X\x01\0\0\x000", b"X\x01\0\0\x007")),
        ("is compressed", seeds::zip(&good.0, &good.1, false)),
        ("does not fit", beyond),
        ("has no room for 65535 entries", many),
        ("its list of entries is missing", b"PK\x03\x04".repeat(100)),
        ("more than one data.pkl", {
            // Of another folder: the same length.
            let mut two = seeds::zip(&good.0, &[("../b/data.pkl", vec![1])], true);
            let name = b"archive/../b/data.pkl";
            while let Some(at) = two.windows(name.len()).position(|window| window == name) {
                two[at..at + name.len()].copy_from_slice(b"archive_____/data.pkl");
            }
            two
        }),
    ];
    refused(&alone, "pytorch_model.bin", (12, 4), cases, |path| {
        Checkpoint::open(with_pickles(path)).map(|_| ()).map_err(|error| error.to_string())
    });
}

#[test]
fn transposed_tensors_of_pickles_are_read() {
    let alone = alone();
    let (pickle, entries) = seeds::pickles().remove(0);
    let (from, to) = (b"K\x02K\x03\x86q\x08K\x03K\x01\x86", b"K\x03K\x02\x86q\x08K\x01K\x03\x86");
    let at = pickle.windows(from.len()).position(|window| window == from).unwrap();
    let pickle = [&pickle[..at], to, &pickle[at + from.len()..]].concat();
    let mut entries = entries;
    entries[0].1 = (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    std::fs::write(folder.path().join("pytorch_model.bin"), seeds::zip(&pickle, &entries, true)).unwrap();
    let checkpoint = Checkpoint::open(with_pickles(&folder.path().join("pytorch_model.bin"))).unwrap();
    let tensor = checkpoint.expect(&["a".to_owned()], &[3, 2]).unwrap();
    assert_eq!(tensor.to_vec2::<f32>().unwrap(), [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]);
    drop(alone);
}

/// A tokenizer with one value changed.
fn tokenizer(which: usize, pointer: &str, value: Value) -> Vec<u8> {
    let mut document = seeds::tokenizers().remove(which);
    *document.pointer_mut(pointer).unwrap() = value;
    document.to_string().into_bytes()
}

#[test]
fn tokenizer_claims() {
    let alone = alone();
    let charsmap = |bytes: &[u8]| {
        // Whole letters only: the ends of these do not matter.
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)));
        let mut text = String::new();
        while let Some(first) = bits.next() {
            let six = (0..5).fold(first, |six, _| six << 1 | bits.next().unwrap_or(0));
            text.push(char::from(LETTERS[six]));
        }
        json!(text)
    };
    let map = "/normalizer/normalizers/0/precompiled_charsmap";
    let mut long = 4u32.to_le_bytes().to_vec();
    long.extend([0; 4]);
    long.extend([b'a'; 10_000]);
    long.push(0);
    let replace = |times: usize| {
        let one = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "a".repeat(64)});
        json!({"type": "Sequence", "normalizers": vec![one; times]})
    };
    let cases = vec![
        // The crate asks for twice as many bytes as this says, whatever follows: 8 GB.
        (
            "should have a trie of 4294967292 bytes",
            tokenizer(0, map, charsmap(&[0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0, 97, 0])),
        ),
        ("replaces a character by 10000 bytes", tokenizer(0, map, charsmap(&long))),
        ("not base64", tokenizer(0, map, json!("ä"))),
        // Its trie, a hash table in a hash table, overflows the stack when it is dropped.
        ("a piece has 1000000 bytes", tokenizer(0, "/model/vocab/3/0", json!("a".repeat(1_000_000)))),
        ("thousands of times as long", tokenizer(0, "/normalizer", replace(20))),
        ("repeats too much", tokenizer(0, "/normalizer/normalizers/1/pattern/Regex", json!("(?:(?:a{90}){90}){90}"))),
        ("has 100000 bytes", tokenizer(0, "/normalizer/normalizers/1/pattern/Regex", json!("a".repeat(100_000)))),
        // The crate cuts it from pieces by the byte and takes what is left for UTF-8, unchecked.
        ("with a prefix", tokenizer(1, "/model/continuing_subword_prefix", json!("##"))),
        ("models of type \"WordPiece\"", tokenizer(1, "/model/type", json!("WordPiece"))),
        ("has the id 16777000, and there are", tokenizer(1, "/model/vocab/b", json!(16_777_000))),
        ("\"</s>\" is missing", tokenizer(1, "/model/vocab", json!({"<unk>": 0}))),
        ("not a tokenizer", tokenizer(1, "/model/merges/0", json!(["b", "a"]))),
        ("recursion", format!("{{\"normalizer\":{}", "[".repeat(100_000)).into_bytes()),
    ];
    for (want, file) in cases {
        let parse = || JsonTokenizer::parse(Path::new("tokenizer.json"), &file, 1 << 24).map(|_| ());
        let (result, usage) = measured(&alone, parse);
        let said = result.expect_err(want).to_string();
        assert!(
            said.contains(want) || (want == "\"</s>\" is missing" && said.contains("tokenizer")),
            "{said:?}: {want:?}"
        );
        assert!(usage.peak < 8 * file.len() + (1 << 20), "{want}: {usage:?} for {} bytes", file.len());
    }
    // Null instead of a table, an id beyond all: no claim on memory, whatever the crate says to it.
    for file in [tokenizer(0, map, Value::Null), tokenizer(1, "/added_tokens/2/id", json!(4_294_967_295u32))] {
        let parse = || JsonTokenizer::parse(Path::new("tokenizer.json"), &file, 1 << 24).is_ok();
        assert!(measured(&alone, parse).1.peak < 1 << 20);
    }
}

#[test]
fn sentencepiece_claims() {
    let alone = alone();
    let field = |number: u8, bytes: &[u8]| {
        let mut field = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 0x7f {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        [field, bytes.to_vec()].concat()
    };
    let unknown = field(1, &[field(1, b"<unk>"), vec![0x18, 2]].concat());
    let with = |more: Vec<u8>| [unknown.clone(), more].concat();
    let piece =
        |text: &[u8], score: f32| field(1, &[field(1, text), vec![0x15], score.to_le_bytes().to_vec()].concat());
    let mut long = 0u32.to_le_bytes().to_vec();
    long.extend([b'a'; 10_000]);
    let map = |bytes: &[u8]| field(3, &field(2, bytes));
    let cases = vec![
        ("cut short", vec![0x0a]),
        ("a number in it is too long", vec![0xff; 20]),
        ("a field of 9223372036854775807 bytes", [&[0x0a][..], &[0xff; 8], &[0x7f]].concat()),
        ("wire type 7", with(vec![0x0f])),
        ("a piece has 5003 bytes", with(field(1, &field(1, &[b'a'; 5000])))),
        ("not a SentencePiece model", with(piece(&[0xff, 0xfe], 0.0))),
        ("not a SentencePiece model", with([piece(b"a", 0.0), piece(b"a", 1.0)].concat())),
        ("not a number", with(piece(b"a", f32::NAN))),
        ("trie of 4294967295 bytes", with(map(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0]))),
        ("replaces a character by 10000 bytes", with(map(&long))),
        (
            "text of a special piece has 5000 bytes",
            with(field(2, &[vec![0xe2, 2], vec![0x88, 0x27], vec![b'a'; 5000]].concat())),
        ),
    ];
    refused(&alone, "m.spm", (2, 2), cases, |path| Pieces::open(path).map(|_| ()).map_err(|error| error.to_string()));
}

#[test]
fn settings_claims() {
    let alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let source = seeds::fixture("parity/opus-mt-tc-big-tiny");
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let whole = seeds::config();
    let path = folder.path().join("config.json");
    let mut texts: Vec<(&str, String)> = Vec::new();
    for (want, key, value) in [
        ("\"vocab_size\" is 1000000000000", "vocab_size", json!(1_000_000_000_000u64)),
        ("\"encoder_layers\" is 1000000000", "encoder_layers", json!(1_000_000_000)),
        ("\"decoder_layers\" is -1", "decoder_layers", json!(-1)),
        ("\"decoder_layers\" is \"6\"", "decoder_layers", json!("6")),
        ("\"d_model\" is 1.5", "d_model", json!(1.5)),
        ("\"d_model\" is a list", "d_model", json!([[], {}])),
        ("\"d_model\" is an object", "d_model", json!({})),
        ("\"max_position_embeddings\" is 131073", "max_position_embeddings", json!(131_073)),
        ("a table of 33554432 bytes, for weights of 1177536", "max_position_embeddings", json!(131_072)),
    ] {
        let mut config = whole.clone();
        config[key] = value;
        texts.push((want, config.to_string()));
    }
    let text = whole.to_string();
    texts.push(("not JSON", text.replacen(':', ":NaN,\"x\":", 1)));
    texts.push(("not JSON", text.replacen(':', &format!(":{}", "[".repeat(100_000)), 1)));
    texts.push(("is there twice", text.replacen('{', "{\"d_model\":8,", 1)));
    texts.push(("more than 1000 fields", {
        let fields: Vec<String> = (0..5000).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{}}}", fields.join(","))
    }));
    // A million numbers were 64 MB of values, two million empty lists more.
    texts.push((
        "\"d_model\" is a list",
        text.replacen('{', &format!("{{\"d_model\":[{}0],", "0,".repeat(1_000_000)), 1)
            .replace("\"d_model\":64", "\"d_mod\":64"),
    ));
    texts.push((
        "\"d_model\" is a list",
        text.replacen('{', &format!("{{\"d_model\":[{}[]],", "[],".repeat(1_000_000)), 1)
            .replace("\"d_model\":64", "\"d_mod\":64"),
    ));
    let bytes = Checkpoint::open(folder.path()).unwrap().bytes() as usize;
    for (want, config) in texts {
        std::fs::write(&path, &config).unwrap();
        let (result, usage) = measured(&alone, || {
            let checkpoint = Checkpoint::open(folder.path())?;
            seq2seq::architecture(&checkpoint, &Direction::default()).map(|_| ())
        });
        let said = result.expect_err(want).to_string();
        assert!(said.contains(want) && said.contains("config.json"), "{said:?} does not say {want:?}");
        assert!(
            usage.peak <= 2 * config.len() + AROUND && usage.peak < 2 * (bytes + config.len()),
            "{want}: {usage:?}"
        );
    }
}

#[test]
fn registry_claims() {
    let alone = alone();
    for text in ["a=[".repeat(100_000), "[a.".repeat(100_000), "[[model]]\n".repeat(20_000), "a=\"\"\"".repeat(50_000)]
    {
        let (result, usage) = measured(&alone, || Registry::parse(&text, Path::new("models.toml")).is_err());
        assert!(result && usage.peak < 120 * text.len(), "{usage:?} for {} bytes", text.len());
    }
}

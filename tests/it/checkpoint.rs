//! Checkpoints of encoder-decoder models: what is read of them equals what the reference implementation (transformers)
//! gave, and what is broken is refused with words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use mujaz::engine::Error;
use mujaz::engine::checkpoint::{Checkpoint, Files, Pickles};
use mujaz::engine::seq2seq::spec::{NormPlacement, Part, Piece, Positions, Role, Side, Spec};
use mujaz::engine::seq2seq::{Architecture, Direction, architecture};

use proptest::prelude::*;
use serde_json::json;

use crate::common;

/// The reference checkpoints: one that every clone has, and all of the shared data where that is there.
fn references() -> Vec<PathBuf> {
    let mut folders = vec![common::fixture("parity/opus-mt-tc-big-tiny")];
    if let Some(shared) = common::shared("parity") {
        let names = ["opus-mt-tiny", "opus-mt-tc-big-tiny", "nllb-tiny", "madlad-tiny", "mt5-tiny"];
        folders.extend(names.iter().map(|name| shared.join(name)));
    }
    folders
}

fn open(folder: &Path) -> (Checkpoint, Architecture) {
    let checkpoint = Checkpoint::open(with_pickles(folder)).unwrap();
    let architecture = architecture(&checkpoint, &Direction::default()).unwrap();
    (checkpoint, architecture)
}

fn expected(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

fn ids(value: &serde_json::Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

/// Every part a model of this kind has, with the shape of its weight and whether it has a bias.
fn parts(spec: &Spec, bias: bool) -> Vec<(Part, Vec<usize>, bool)> {
    let inner = |side: usize| spec.heads[side] * spec.head_width;
    let mut parts = vec![(Part::Projection, vec![spec.vocabulary, spec.width], false)];
    for (side, at) in [(Side::Encoder, 0), (Side::Decoder, 1)] {
        parts.push((Part::Embedding(side), vec![spec.vocabulary, spec.width], false));
        if spec.placement == NormPlacement::Pre {
            parts.push((Part::FinalNorm(side), vec![spec.width], bias));
        }
        if let Positions::Relative { buckets, .. } = spec.positions {
            parts.push((Part::RelativeBias(side), vec![buckets, spec.heads[at]], false));
        }
        for layer in 0..spec.layers[at] {
            let (across, back) = (vec![inner(at), spec.width], vec![spec.width, inner(at)]);
            let mut roles = vec![
                (Role::Query, across.clone()),
                (Role::Key, across.clone()),
                (Role::Value, across.clone()),
                (Role::Output, back.clone()),
                (Role::Norm, vec![spec.width]),
                (Role::Up, vec![spec.feed_forward[at], spec.width]),
                (Role::Down, vec![spec.width, spec.feed_forward[at]]),
                (Role::FeedForwardNorm, vec![spec.width]),
            ];
            if spec.gated {
                roles.push((Role::Gate, vec![spec.feed_forward[at], spec.width]));
            }
            if side == Side::Decoder {
                roles.extend([
                    (Role::CrossQuery, across.clone()),
                    (Role::CrossKey, across.clone()),
                    (Role::CrossValue, across.clone()),
                    (Role::CrossOutput, back.clone()),
                    (Role::CrossNorm, vec![spec.width]),
                ]);
            }
            parts.extend(roles.into_iter().map(|(role, shape)| (Part::Layer(side, layer, role), shape, bias)));
        }
    }
    parts
}

#[test]
fn sources_have_the_ids_of_the_reference() {
    for folder in references() {
        let (_, architecture) = open(&folder);
        for case in expected(&folder)["cases"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            assert_eq!(architecture.tokenizer.encode(text), ids(&case["input_ids"]), "{}: {text}", folder.display());
        }
    }
}

#[test]
fn targets_have_the_text_of_the_reference() {
    for folder in references() {
        let (_, architecture) = open(&folder);
        for case in expected(&folder)["cases"].as_array().unwrap() {
            for search in ["greedy", "beam4", "beam4_lp06"] {
                let (ids, text) = (ids(&case[search]["ids"]), case[search]["text"].as_str().unwrap());
                assert_eq!(architecture.tokenizer.decode(&ids), text.trim(), "{}: {ids:?}", folder.display());
            }
        }
    }
}

#[test]
fn every_part_has_its_tensor() {
    for folder in references() {
        let (checkpoint, Architecture { spec, naming, kind, .. }) = open(&folder);
        let bias = matches!(kind, "marian" | "m2m_100");
        let mut used: Vec<String> = Vec::new();
        let mut read = |part, piece, shape: &[usize]| {
            let names = naming.names(part, piece);
            let tensor = checkpoint.expect(&names, shape).unwrap();
            assert_eq!(tensor.dims(), shape);
            assert_eq!(tensor.dtype(), candle_core::DType::F32);
            used.push(checkpoint.resolve(&names).unwrap().to_owned());
        };
        for (part, shape, has_bias) in parts(&spec, bias) {
            read(part, Piece::Weight, &shape);
            if has_bias {
                read(part, Piece::Bias, &shape[..1]);
            }
        }
        if kind == "marian" {
            read(Part::ProjectionBias, Piece::Weight, &[spec.vocabulary]);
        }
        used.sort();
        used.dedup();
        assert_eq!(used, checkpoint.names(), "{}: every tensor of the file is used", folder.display());
    }
}

#[test]
fn decoding_is_as_the_files_say() {
    let (_, tiny) = open(&common::fixture("parity/opus-mt-tc-big-tiny"));
    let generation = tiny.generation;
    assert_eq!(generation.decoder_start_token_id, 1395);
    assert_eq!(generation.eos_token_id, [0]);
    assert_eq!(generation.bad_words_ids, [[1395]]);
    assert_eq!(generation.forced_eos_token_id, Some(0));
    assert_eq!((generation.num_beams, generation.max_length), (4, 128));
    let Some(shared) = common::shared("parity") else { return };
    let (_, nllb) = open(&shared.join("nllb-tiny"));
    assert_eq!(nllb.generation.forced_bos_token_id, Some(5));
    assert_eq!((nllb.generation.num_beams, nllb.generation.max_length), (1, 128));
    let (_, madlad) = open(&shared.join("madlad-tiny"));
    assert_eq!(madlad.generation.max_length, 512);
    assert!((madlad.spec.output_scale - 1.0).abs() < f32::EPSILON, "its files say scale_decoder_outputs: false");
}

/// A folder with the tiny model's files, for tests that break one of them.
fn tiny() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = common::fixture("parity/opus-mt-tc-big-tiny");
    for name in
        ["config.json", "generation_config.json", "tokenizer_config.json", "source.spm", "target.spm", "vocab.json"]
    {
        std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// Writes a safetensors file by hand.
fn safetensors(header: &serde_json::Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string().into_bytes();
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat()
}

fn with_pickles(folder: &Path) -> Files {
    Files::at(folder).with_pickles(Pickles::Allowed)
}

fn reason(folder: &Path) -> String {
    let error = Checkpoint::open(with_pickles(folder)).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::BadModel { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn what_is_no_weights_file_is_called_by_its_name() {
    let folder = tiny();
    let path = folder.path().join("model.safetensors");
    let two = json!({"dtype": "F32", "shape": [2], "data_offsets": [0, 8]});
    let cases: Vec<(Vec<u8>, &str)> = vec![
        ("Some text of no use.\n".repeat(500_000).into_bytes(), "not a safetensors file, but a file of another kind"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "git lfs pull"),
        (b"<!doctype html><html>".to_vec(), "a web page"),
        (b"GGUF\x03\0\0\0".to_vec(), "a GGUF file"),
        (Vec::new(), "an empty file"),
        (vec![0; 100], "does not start with the length of a header"),
        (500u64.to_le_bytes().to_vec(), "cut short: its header should end at byte 508, the file has 8"),
        (safetensors(&json!([1]), &[]), "its header is not JSON"),
        (safetensors(&json!({"a": 1}), &[]), "tensor \"a\" is declared wrongly"),
        (safetensors(&json!({"a": two}), &[0; 4]), "tensor \"a\" should end at byte"),
        (safetensors(&json!({"a": two, "b": two}), &[0; 8]), "tensors \"a\" and \"b\" overlap"),
        (
            safetensors(&json!({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}), &[0; 8]),
            "tensor \"a\" of shape [3] (F32) has 8 bytes of data",
        ),
        (
            safetensors(&json!({"a": {"dtype": "F16", "shape": [1u64 << 63, 2], "data_offsets": [0, 8]}}), &[0; 8]),
            "has 8 bytes of data",
        ),
        (
            safetensors(&json!({"a": {"dtype": "F16", "shape": [4], "data_offsets": [8, 0]}}), &[0; 8]),
            "which cannot be",
        ),
    ];
    for (bytes, want) in cases {
        std::fs::write(&path, &bytes).unwrap();
        let said = reason(folder.path());
        assert!(said.contains(want) && said.contains("model.safetensors"), "{said:?} does not say {want:?}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(reason(folder.path()).contains("model.safetensors: is missing"));
    let nowhere = Checkpoint::open(folder.path().join("nowhere")).map(|_| ()).unwrap_err().to_string();
    assert!(nowhere.contains("nowhere"), "{nowhere}");
}

#[test]
fn half_precision_is_read_as_it_is_and_other_kinds_are_refused() {
    let folder = tiny();
    let mut data: Vec<u8> = Vec::new();
    data.extend([1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()));
    data.extend([0x3e00u16, 0xc000].iter().flat_map(|v| v.to_le_bytes()));
    data.extend([0x3fc0u16, 0xc000].iter().flat_map(|v| v.to_le_bytes()));
    data.extend([7u8, 7]);
    data.extend(f32::NAN.to_le_bytes());
    let header = json!({
        "__metadata__": {"format": "pt"},
        "single": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "half": {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]},
        "brain": {"dtype": "BF16", "shape": [2], "data_offsets": [12, 16]},
        "bytes": {"dtype": "U8", "shape": [2], "data_offsets": [16, 18]},
        "none": {"dtype": "F32", "shape": [1], "data_offsets": [18, 22]},
    });
    std::fs::write(folder.path().join("model.safetensors"), safetensors(&header, &data)).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let name = |name: &str| vec!["absent".to_owned(), name.to_owned()];
    for there in ["single", "half", "brain"] {
        // A row counts as a vector.
        let tensor = checkpoint.expect(&name(there), &[2]).unwrap();
        assert_eq!(tensor.to_vec1::<f32>().unwrap(), [1.5, -2.0], "{there}");
    }
    let said = |error: Error| error.to_string();
    assert!(said(checkpoint.tensor(&name("bytes")).unwrap_err()).contains("holds U8; expected F32, F16 or BF16"));
    assert!(said(checkpoint.tensor(&name("none")).unwrap_err()).contains("NaN"));
    assert!(checkpoint.tensor(&name("absent")).unwrap().is_none());
    let other = said(checkpoint.expect(&name("half"), &[3]).unwrap_err());
    assert!(other.contains("model.safetensors: tensor \"half\": expected shape [3], got [1, 2]"), "{other}");
    let missing = said(checkpoint.expect(&["x".into(), "y".into()], &[3]).unwrap_err());
    assert!(missing.contains("tensor \"x\" is missing (also looked for: y)"), "{missing}");
    assert_eq!(checkpoint.bytes(), 22 + 8 + header.to_string().len() as u64);
}

#[test]
fn shards_are_found_by_their_index_wherever_they_lie() {
    let (first, second) = (tiny(), tempfile::tempdir().unwrap());
    let one = |name: &str, value: f32| {
        safetensors(&json!({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), &value.to_le_bytes())
    };
    let index = json!({"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}});
    std::fs::write(first.path().join("model.safetensors.index.json"), index.to_string()).unwrap();
    std::fs::write(first.path().join("m-1.safetensors"), one("a", 1.0)).unwrap();
    assert!(reason(first.path()).contains("lists m-2.safetensors, which is missing"));
    std::fs::write(second.path().join("blob"), one("b", 2.0)).unwrap();
    let names = ["config.json", "model.safetensors.index.json", "m-1.safetensors"];
    let mut files: BTreeMap<String, PathBuf> =
        names.iter().map(|&name| (name.to_owned(), first.path().join(name))).collect();
    files.insert("m-2.safetensors".into(), second.path().join("blob"));
    let checkpoint = Checkpoint::open(files).unwrap();
    for (name, value) in [("a", 1.0), ("b", 2.0)] {
        assert_eq!(checkpoint.expect(&[name.to_owned()], &[1]).unwrap().to_vec1::<f32>().unwrap(), [value]);
    }
    assert!(checkpoint.weights_path().ends_with("model.safetensors.index.json"));
    let escape = json!({"weight_map": {"a": "../secret.safetensors"}});
    std::fs::write(first.path().join("model.safetensors.index.json"), escape.to_string()).unwrap();
    assert!(reason(first.path()).contains("names no file for \"a\""));
}

#[test]
fn pickles_of_torch_are_read_and_old_ones_are_refused_with_the_way_out() {
    let folder = tiny();
    let path = folder.path().join("pytorch_model.bin");
    std::fs::copy(common::fixture("parity/pieces/pytorch_model.bin"), &path).unwrap();
    let refused = Checkpoint::open(folder.path()).unwrap_err();
    assert!(matches!(&refused, Error::OnlyPickle { path: named } if *named == path), "{refused:?}");
    let checkpoint = Checkpoint::open(with_pickles(folder.path())).unwrap();
    assert_eq!((checkpoint.pickles(), checkpoint.dtype("a").as_deref()), (vec![path.as_path()], Some("F32")));
    assert_eq!(checkpoint.names(), ["a", "a.tied", "b"]);
    for name in ["a", "a.tied"] {
        let tensor = checkpoint.expect(&[name.to_owned()], &[2, 3]).unwrap();
        assert_eq!(tensor.to_vec2::<f32>().unwrap(), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    }
    assert_eq!(checkpoint.expect(&["b".into()], &[2]).unwrap().to_vec1::<f32>().unwrap(), [1.0, 2.0]);
    std::fs::write(&path, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.").unwrap();
    let said = reason(folder.path());
    assert!(said.contains("before 1.6") && said.contains("model.safetensors"), "{said}");
    let file = std::fs::read(common::fixture("parity/pieces/pytorch_model.bin")).unwrap();
    for cut in [3, 30, 200, file.len() - 30] {
        std::fs::write(&path, &file[..cut]).unwrap();
        reason(folder.path());
    }
}

/// Writes the tensors of a T5 as GGUF, under other names, quantised where blocks allow it.
fn write_gguf(path: &Path, checkpoint: &Checkpoint, rename: impl Fn(&str) -> String) {
    let tensors: Vec<(String, QTensor)> = checkpoint
        .names()
        .iter()
        .map(|name| {
            let tensor = checkpoint.tensor(std::slice::from_ref(name)).unwrap().unwrap();
            let kind = if tensor.dim(tensor.rank() - 1).unwrap().is_multiple_of(32) {
                GgmlDType::Q8_0
            } else {
                GgmlDType::F32
            };
            (rename(name), QTensor::quantize(&tensor, kind).unwrap())
        })
        .collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut std::fs::File::create(path).unwrap(), &[], &tensors).unwrap();
}

/// The names that llama.cpp gives (`gguf-py/gguf/tensor_mapping.py`).
fn llama_name(name: &str) -> String {
    let decoder = name.starts_with("decoder");
    let mut name = name.replace("encoder.", "enc.").replace("decoder.", "dec.").replace(".block.", ".blk.");
    let feed_forward = if decoder { "layer.2" } else { "layer.1" };
    for (from, to) in [
        (format!("{feed_forward}.DenseReluDense.wi_0"), "ffn_gate"),
        (format!("{feed_forward}.DenseReluDense.wi_1"), "ffn_up"),
        (format!("{feed_forward}.DenseReluDense.wo"), "ffn_down"),
        (format!("{feed_forward}.layer_norm"), "ffn_norm"),
        ("layer.0.SelfAttention.relative_attention_bias".into(), "attn_rel_b"),
        ("layer.0.SelfAttention.".into(), "attn_"),
        ("layer.1.EncDecAttention.".into(), "cross_attn_"),
        ("layer.0.layer_norm".into(), "attn_norm"),
        ("layer.1.layer_norm".into(), "cross_attn_norm"),
        ("final_layer_norm".into(), "output_norm"),
    ] {
        name = name.replace(&from, to);
    }
    match name.as_str() {
        "shared.weight" => "token_embd.weight".into(),
        "lm_head.weight" => "output.weight".into(),
        _ => name,
    }
}

#[test]
fn gguf_files_of_t5_are_read_under_both_sets_of_names() {
    let Some(shared) = common::shared("parity/madlad-tiny") else { return };
    let (original, _) = open(&shared);
    for rename in [str::to_owned as fn(&str) -> String, llama_name] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "generation_config.json", "tokenizer.json"] {
            std::fs::copy(shared.join(name), folder.path().join(name)).unwrap();
        }
        let path = folder.path().join("model-q8_0.gguf");
        write_gguf(&path, &original, rename);
        for opened in [folder.path(), path.as_path()] {
            let (checkpoint, Architecture { spec, naming, .. }) = open(opened);
            assert_eq!(checkpoint.weights_path(), path);
            for (part, shape, _) in parts(&spec, false) {
                let names = naming.names(part, Piece::Weight);
                let got = checkpoint.expect(&names, &shape).unwrap();
                let want = original.expect(&names, &shape).unwrap();
                let far = |a: &Tensor, b: &Tensor| {
                    let apart = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
                    apart.max(0).unwrap().to_scalar::<f32>().unwrap()
                };
                let most = far(&want, &want.zeros_like().unwrap());
                assert!(far(&got, &want) <= most / 100.0, "{part:?}: eight bits are nearer than that");
                assert!(got.device().same_device(&Device::Cpu));
            }
        }
    }
}

#[test]
fn settings_that_cannot_be_are_named_with_file_and_key() {
    let folder = tiny();
    let cases = [
        ("model_type", json!("bart"), "architecture \"bart\" has no engine here (there are: marian, m2m_100, t5, mt5)"),
        ("model_type", json!(null), "\"model_type\" is missing"),
        ("d_model", json!("64"), "\"d_model\" is \"64\"; expected a whole number from 1 to 65536"),
        ("d_model", json!(1u64 << 60), "\"d_model\" is 1152921504606846976"),
        ("d_model", json!(63), "no multiple of the 4 attention heads"),
        ("decoder_attention_heads", json!(2), "4 and 2 attention heads"),
        ("encoder_layers", json!(-1), "\"encoder_layers\" is -1"),
        ("max_position_embeddings", json!(1u64 << 40), "\"max_position_embeddings\""),
        ("activation_function", json!("tanh"), "\"activation_function\" is \"tanh\", which is not known here"),
        ("scale_embedding", json!("yes"), "\"scale_embedding\" is \"yes\"; expected true or false"),
        ("vocab_size", json!(100), "names token 1395; the vocabulary has 100"),
    ];
    let path = folder.path().join("config.json");
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::copy(
        common::fixture("parity/opus-mt-tc-big-tiny/model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    for (key, value, want) in cases {
        let mut config = whole.clone();
        config[key] = value;
        std::fs::write(&path, config.to_string()).unwrap();
        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        let said = architecture(&checkpoint, &Direction::default()).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains(want) && said.contains("config.json"), "{key}: {said:?} does not say {want:?}");
    }
    std::fs::write(&path, whole.to_string()).unwrap();
    std::fs::remove_file(folder.path().join("source.spm")).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let said = architecture(&checkpoint, &Direction::default()).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("source.spm: is missing"), "{said}");
}

#[test]
fn tags_of_languages_stay_out_of_the_text() {
    let folder = tiny();
    let path = folder.path().join("vocab.json");
    let mut vocabulary: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let plain = common::fixture("parity/opus-mt-tc-big-tiny");
    let (_, untagged) = open(&plain);
    let (text, [german, english]) = ("عبد المجيد تبون", [700, 701]);
    let ids = untagged.tokenizer.encode(text);
    // Without tags in the vocabulary, what looks like one is text.
    assert!(untagged.tokenizer.encode(&format!(">>eng<< {text}")).len() > ids.len() + 1);
    let taken: Vec<String> = [german, english].map(|id| untagged.tokenizer.piece(id).unwrap().to_owned()).to_vec();
    let object = vocabulary.as_object_mut().unwrap();
    for piece in taken {
        object.remove(&piece);
    }
    object.insert(">>deu<<".into(), json!(german));
    object.insert(">>eng<<".into(), json!(english));
    std::fs::write(&path, vocabulary.to_string()).unwrap();
    std::fs::copy(plain.join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let with = |target: Option<&str>| {
        let direction = Direction { target: target.map(str::to_owned), ..Direction::default() };
        architecture(&checkpoint, &direction)
    };
    let tagged = |tags: &[u32]| [tags, &ids].concat();
    let default = with(None).unwrap().tokenizer;
    assert_eq!(default.encode(text), tagged(&[english]), "a model of several targets is told the one we want");
    assert_eq!(default.encode(&format!(">>deu<< {text}")), tagged(&[german]));
    assert_eq!(default.encode(&format!(">>deu<<>>eng<< {text}")), tagged(&[german, english]));
    for target in ["deu", ">>deu<<"] {
        assert_eq!(with(Some(target)).unwrap().tokenizer.encode(text), tagged(&[german]));
    }
    let said = with(Some("fra")).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains(">>fra<<") && said.contains("it knows: >>deu<<, >>eng<<"), "{said}");
    assert_eq!(default.encode(""), [english, 0]);
    assert_eq!(default.decode(&[english, 0, 1, 1395, 9999]), "");
}

/// A folder with a small model of the given settings and the files of `tests/fixtures/parity/pieces`.
fn small(config: serde_json::Value, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    for (from, to) in files {
        std::fs::copy(common::fixture("parity/pieces").join(from), folder.path().join(to)).unwrap();
    }
    std::fs::copy(common::fixture("parity/pieces/pytorch_model.bin"), folder.path().join("pytorch_model.bin")).unwrap();
    folder
}

fn piece_cases(model: &str) -> Vec<(String, Vec<String>, String)> {
    let expected = expected(&common::fixture("parity/pieces"));
    let texts = expected["texts"].as_array().unwrap().iter();
    texts
        .zip(expected["models"][model].as_array().unwrap())
        .map(|(text, case)| {
            let pieces = case["pieces"].as_array().unwrap().iter().map(|piece| piece.as_str().unwrap().to_owned());
            (text.as_str().unwrap().to_owned(), pieces.collect(), case["text"].as_str().unwrap().trim().to_owned())
        })
        .collect()
}

#[test]
fn m2m_100_has_its_languages_behind_the_vocabulary() {
    let config = json!({"model_type": "m2m_100", "vocab_size": 600, "d_model": 16, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2, "max_length": 200, "num_beams": 5});
    let folder = small(config, &[("pairs.model", "sentencepiece.bpe.model")]);
    let cases = piece_cases("pairs");
    // Every third piece is missing, as fairseq drops what is rare.
    let mut vocabulary = serde_json::Map::new();
    for piece in ["<s>", "<pad>", "</s>", "<unk>"]
        .into_iter()
        .chain(cases.iter().flat_map(|(_, pieces, _)| pieces).map(String::as_str).filter(|piece| piece.len() % 3 != 0))
    {
        let next = vocabulary.len();
        vocabulary.entry(piece).or_insert(json!(next));
    }
    let count = vocabulary.len() as u32;
    std::fs::write(folder.path().join("vocab.json"), serde_json::Value::from(vocabulary.clone()).to_string()).unwrap();
    let (_, Architecture { tokenizer, generation, spec, .. }) = open(folder.path());
    // Arabic is the third language of the list, English the twentieth.
    assert_eq!(generation.forced_bos_token_id, Some(count + 18));
    assert_eq!((generation.decoder_start_token_id, generation.num_beams, generation.max_length), (2, 5, 200));
    assert_eq!((tokenizer.piece(count + 2), tokenizer.piece(count + 18)), (Some("__ar__"), Some("__en__")));
    assert_eq!((spec.max_positions, spec.embedding_scale), (Some(1024), 4.0));
    for (text, pieces, _) in cases {
        let known = pieces.iter().map(|piece| vocabulary.get(piece).map_or(3, |id| id.as_u64().unwrap() as u32));
        let want: Vec<u32> = [count + 2].into_iter().chain(known).chain([2]).collect();
        assert_eq!(tokenizer.encode(&text), want, "{text:?}");
    }
    assert_eq!(tokenizer.decode(&[2, count + 18, 2]), "");
}

#[test]
fn t5_works_from_its_sentencepiece_model_alone() {
    let folder = small(json!({"model_type": "mt5", "vocab_size": 640}), &[("bytes.model", "spiece.model")]);
    let checkpoint = Checkpoint::open(with_pickles(folder.path())).unwrap();
    let with = |prefix: &str| {
        architecture(&checkpoint, &Direction { prefix: Some(prefix.to_owned()), ..Direction::default() }).unwrap()
    };
    let plain = with("");
    assert_eq!(
        (plain.generation.decoder_start_token_id, plain.generation.eos_token_id.as_slice()),
        (0, [1].as_slice())
    );
    let expected = expected(&common::fixture("parity/pieces"));
    for (case, (text, _, back)) in expected["models"]["bytes"].as_array().unwrap().iter().zip(piece_cases("bytes")) {
        let mut want = ids(&case["ids"]);
        assert_eq!(plain.tokenizer.decode(&want), back, "{text:?}");
        want.push(1);
        assert_eq!(plain.tokenizer.encode(&text), want, "{text:?}");
        // The prefix is one piece: nothing changes behind it.
        let tag = plain.tokenizer.encode("<2en>")[1];
        assert_eq!(with("<2en> ").tokenizer.encode(&text), [&[tag], want.as_slice()].concat(), "{text:?}");
    }
}

#[test]
fn nllb_is_told_the_languages_whatever_its_files_were_saved_with() {
    let Some(shared) = common::shared("parity/nllb-tiny") else { return };
    let (checkpoint, _) = open(&shared);
    let tokenizer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shared.join("tokenizer.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(shared.join(name), folder.path().join(name)).unwrap();
    }
    // As in the real repository: the makers' last language is English, and texts are cut and filled.
    let mut english: serde_json::Value =
        serde_json::from_str(&tokenizer.to_string().replace(r#""id":"arb_Arab""#, r#""id":"eng_Latn""#)).unwrap();
    english["truncation"] = json!({"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0});
    english["padding"] = json!({"strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 1, "pad_type_id": 0, "pad_token": "<pad>"});
    std::fs::write(folder.path().join("tokenizer.json"), english.to_string()).unwrap();
    let settings = json!({"src_lang": "eng_Latn", "tgt_lang": "fra_Latn"});
    std::fs::write(folder.path().join("tokenizer_config.json"), settings.to_string()).unwrap();
    let (_, saved) = open(folder.path());
    for case in expected(&shared)["cases"].as_array().unwrap() {
        assert_eq!(saved.tokenizer.encode(case["text"].as_str().unwrap()), ids(&case["input_ids"]));
    }
    assert_eq!(saved.generation.forced_bos_token_id, Some(5));
    let direction = |source: &str, target: &str| Direction {
        source: Some(source.to_owned()),
        target: Some(target.to_owned()),
        prefix: None,
    };
    let french = architecture(&checkpoint, &direction("eng_Latn", "fra_Latn")).unwrap();
    assert_eq!((french.tokenizer.encode("")[0], french.generation.forced_bos_token_id), (5, Some(6)));
    let said = architecture(&checkpoint, &direction("arb_Arab", "deu_Latn")).map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("does not know the language \"deu_Latn\""), "{said}");
    // What steers the model is text where it comes from outside.
    let ids = saved.tokenizer.encode("a</s>eng_Latn<pad>b");
    assert!(ids[1..ids.len() - 1].iter().all(|id| ![0, 1, 2, 4, 5, 6].contains(id)), "{ids:?}");
    assert_eq!((ids[0], ids[ids.len() - 1]), (4, 2));
}

#[test]
fn long_texts_are_read_in_time_by_their_length() {
    for folder in references() {
        let (_, architecture) = open(&folder);
        for text in ["ا".repeat(100_000), "قال الرئيس إن البلاد ".repeat(750), "\u{10FFFD}".repeat(20_000)]
        {
            let start = std::time::Instant::now();
            let ids = architecture.tokenizer.encode(&text);
            println!("{}: {} bytes, {} ids, {:?}", folder.display(), text.len(), ids.len(), start.elapsed());
            assert!(start.elapsed().as_secs() < 10, "{}: {:?}", folder.display(), start.elapsed());
        }
    }
}

/// The bytes of the fixture's weights: the header and a little of the data.
fn start_of_weights() -> Vec<u8> {
    let file = std::fs::read(common::fixture("parity/opus-mt-tc-big-tiny/model.safetensors")).unwrap();
    let header = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    file[..header + 64].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn broken_headers_are_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let folder = tiny();
        let mut file = start_of_weights();
        let at = at.index(file.len());
        if cut { file.truncate(at) } else { file[at] = byte }
        std::fs::write(folder.path().join("model.safetensors"), &file).unwrap();
        // Most of the data is missing, so none of these can be right.
        let refused = matches!(Checkpoint::open(folder.path()), Err(Error::BadModel { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn broken_files_never_panic(which in 0usize..6, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let folder = tiny();
        let names =
            ["config.json", "generation_config.json", "tokenizer_config.json", "source.spm", "target.spm", "vocab.json"];
        let path = folder.path().join(names[which]);
        let mut file = std::fs::read(&path).unwrap();
        let at = at.index(file.len());
        if cut { file.truncate(at) } else { file[at] = byte }
        std::fs::write(&path, &file).unwrap();
        let one = safetensors(&json!({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), &[0; 4]);
        std::fs::write(folder.path().join("model.safetensors"), one).unwrap();
        if let Ok(checkpoint) = Checkpoint::open(folder.path())
            && let Ok(architecture) = architecture(&checkpoint, &Direction::default())
        {
            let ids = architecture.tokenizer.encode("قال «الرئيس» إن 900 كيلومتر\u{10FFFD} e\u{301}");
            prop_assert!(!ids.is_empty());
            architecture.tokenizer.decode(&ids);
        }
    }

    #[test]
    fn broken_tokenizers_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let Some(shared) = common::shared("parity/nllb-tiny") else { return Ok(()) };
        let mut file = std::fs::read(shared.join("tokenizer.json")).unwrap();
        let at = at.index(file.len());
        if cut { file.truncate(at) } else { file[at] = byte }
        let read = mujaz::engine::tokenizer::json::JsonTokenizer::parse(Path::new("tokenizer.json"), &file, 1200);
        if let Ok(tokenizer) = read {
            use mujaz::engine::tokenizer::pair::PairTokenizer;
            let ids = tokenizer.encode("قال الرئيس <unk> </s>\u{10FFFD}");
            tokenizer.decode(&ids);
        }
    }
}

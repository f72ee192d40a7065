//! The metrics against sacrebleu's numbers, and `mujaz eval` and `mujaz translate --raw` through the real binary.

use std::path::Path;

use mujaz::metrics::{bleu, chrf, tokenizer_13a};
use serde::Deserialize;

use crate::common;

#[derive(Deserialize)]
struct Case {
    name: String,
    pairs: Vec<(String, String)>,
    bleu: f64,
    precisions: Vec<f64>,
    bp: f64,
    chrf: f64,
    tokens: Option<Vec<Vec<String>>>,
}

fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(hypothesis, reference)| (hypothesis.as_str(), reference.as_str()))
}

#[test]
fn scores_and_tokens_are_those_of_sacrebleu() {
    let golden = std::fs::read_to_string(common::fixture("metrics/golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&golden).unwrap();
    assert!(cases.len() > 30);
    for case in cases {
        let name = &case.name;
        for ((hypothesis, _), tokens) in case.pairs.iter().zip(case.tokens.iter().flatten()) {
            assert_eq!(&tokenizer_13a::tokens(hypothesis), tokens, "{name}: {hypothesis:?}");
        }
        let found = bleu::corpus(borrowed(&case.pairs));
        assert!((found.score - case.bleu).abs() < 1e-9, "{name}: BLEU {found:?}, expected {}", case.bleu);
        assert!((found.brevity_penalty - case.bp).abs() < 1e-12, "{name}: {found:?}, expected {}", case.bp);
        for (found, expected) in found.precisions.iter().zip(&case.precisions) {
            assert!((found - expected).abs() < 1e-9, "{name}: precision {found}, expected {expected}");
        }
        let found = chrf::corpus(borrowed(&case.pairs));
        assert!((found - case.chrf).abs() < 1e-9, "{name}: chrF {found}, expected {}", case.chrf);
    }
}

/// Asks the real sacrebleu for BLEU and chrF of two files of lines; none where this machine has none.
fn sacrebleu(reference: &Path, hypotheses: &Path) -> Option<(f64, f64)> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = std::process::Command::new(python)
        .args(["-m", "sacrebleu"])
        .arg(reference)
        .arg("-i")
        .arg(hypotheses)
        .args(["-m", "bleu", "chrf", "-b", "-w", "6"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    let Some(output) = output else {
        println!("skipped: sacrebleu is not installed for python3 (set PYTHON to one that has it)");
        return None;
    };
    let scores: Vec<f64> = String::from_utf8(output.stdout)
        .unwrap()
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|number| number.parse().ok())
        .collect();
    Some((scores[0], scores[1]))
}

#[test]
fn the_real_sacrebleu_agrees_on_news() {
    let Some(ntrex) = common::shared("eval/ntrex-dev.jsonl") else { return };
    let corpus = mujaz::metrics::corpus::Corpus::of_jsonl(&ntrex).unwrap();
    let references: Vec<&str> = corpus.pairs.iter().map(|pair| pair.reference.as_str()).take(300).collect();
    // Something between right and wrong: every third word is gone, and every fifth line is the next one's.
    let hypotheses: Vec<String> = (0..references.len())
        .map(|i| {
            let line = references[if i % 5 == 0 { (i + 1) % references.len() } else { i }];
            let words = line.split(' ').enumerate().filter(|(place, _)| place % 3 != i % 3);
            words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let (reference, hypothesis) = (folder.path().join("reference"), folder.path().join("hypothesis"));
    std::fs::write(&reference, references.join("\n")).unwrap();
    std::fs::write(&hypothesis, hypotheses.join("\n")).unwrap();
    let Some((expected_bleu, expected_chrf)) = sacrebleu(&reference, &hypothesis) else { return };
    let pairs = || hypotheses.iter().map(String::as_str).zip(references.iter().copied());
    assert!((bleu::corpus(pairs()).score - expected_bleu).abs() < 1e-5);
    assert!((chrf::corpus(pairs()) - expected_chrf).abs() < 1e-5);
    assert!(expected_bleu > 5.0 && expected_bleu < 95.0);
}

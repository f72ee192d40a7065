//! How good the translations of a model are, plain and with the full method, in one run.
//!
//! In: `cargo bench --bench quality -- MODEL.gguf [--limit 200] [--shared ../shared] [--out FOLDER]`. Out, for plain greedy
//! decoding and for the full method: the first sentences of NTREX with chrF and BLEU (sacrebleu through python3, where it
//! is installed), the share of known names and of figures of the five articles' sentences that stand in the
//! translation, invented names left unflagged, flagged share, seconds. Not a test: it asserts nothing, and takes minutes.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::path::PathBuf;
use std::time::Instant;

use mujaz::check::{Check, Checker, Facts};
use mujaz::document;
use mujaz::engine::Engine;
use mujaz::engine::llm::LlmEngine;
use mujaz::glossary::Glossary;
use mujaz::options::Effort;
use mujaz::progress::Silent;
use mujaz::source::{SourceFile, walk};
use mujaz::translation::rounds::{Outcome, sentences};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)).cloned();
    let Some(model) = arguments.first().filter(|path| path.ends_with(".gguf")) else {
        println!(
            "quality: no model given; usage: cargo bench --bench quality -- MODEL.gguf [--limit N] [--shared DIR] [--out DIR]"
        );
        return;
    };
    let limit = option("--limit").and_then(|n| n.parse().ok()).unwrap_or(200);
    let shared = PathBuf::from(option("--shared").unwrap_or_else(|| "../shared".into()));
    let out = PathBuf::from(option("--out").unwrap_or_else(|| "target/quality".into()));
    std::fs::create_dir_all(&out).expect("the output folder can be made");

    let (sources, references) = ntrex(&shared, limit);
    let articles = articles(&shared);
    let checker = Checker::new(Glossary::builtin());
    std::fs::write(out.join("reference.txt"), references.join("\n")).expect("the output folder can be written to");
    for (name, effort) in [("plain", Effort::Plain), ("full", Effort::Full)] {
        let mut engine = LlmEngine::load(model.as_ref()).expect("the model loads");
        engine.avoid_names(&Glossary::builtin().english_names());
        let (outcomes, seconds) = run(&sources, &mut engine, &checker, effort);
        let lines: Vec<String> = outcomes.iter().map(|o| o.judged.hypothesis.text.replace('\n', " ")).collect();
        let file = out.join(format!("{name}.txt"));
        std::fs::write(&file, lines.join("\n")).expect("the output folder can be written to");
        println!("{name}: ntrex {} sentences, {seconds:.1} s, {}", lines.len(), kept(&checker, &sources, &outcomes));
        sacrebleu(&out.join("reference.txt"), &file);
        let (outcomes, seconds) = run(&articles, &mut engine, &checker, effort);
        println!(
            "{name}: articles {} sentences, {seconds:.1} s, {}",
            articles.len(),
            kept(&checker, &articles, &outcomes)
        );
        let pairs: Vec<String> = articles
            .iter()
            .zip(&outcomes)
            .map(|(source, o)| {
                let verdicts: Vec<String> =
                    o.judged.verdicts.iter().map(|v| format!("{:?}: {}", v.check, v.detail)).collect();
                format!(
                    "{source}\n{}\n[{} x{}] {}\n",
                    o.judged.hypothesis.text,
                    o.judged.hypothesis.origin,
                    o.attempts,
                    verdicts.join("; ")
                )
            })
            .collect();
        std::fs::write(out.join(format!("{name}.articles.txt")), pairs.join("\n")).expect("writable");
    }
}

fn run(sources: &[String], engine: &mut LlmEngine, checker: &Checker, effort: Effort) -> (Vec<Outcome>, f64) {
    let started = Instant::now();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let outcomes = sentences(&sources, engine, checker, effort, &Silent).expect("the model runs");
    (outcomes, started.elapsed().as_secs_f64())
}

/// Says what share of names and figures was kept, and how many invented names no verdict speaks of.
fn kept(checker: &Checker, sources: &[String], outcomes: &[Outcome]) -> String {
    let mut sum = Facts::default();
    let (mut strangers, mut strangers_unflagged) = (0, 0);
    let mut unflagged = 0;
    let mut flagged = 0;
    let mut by_check: std::collections::BTreeMap<Check, usize> = std::collections::BTreeMap::new();
    for (source, outcome) in sources.iter().zip(outcomes) {
        let facts = checker.facts(source, &outcome.judged.hypothesis.text);
        sum.names += facts.names;
        sum.names_kept += facts.names_kept;
        sum.numbers += facts.numbers;
        sum.numbers_kept += facts.numbers_kept;
        flagged += usize::from(!outcome.judged.verdicts.is_empty());
        for verdict in &outcome.judged.verdicts {
            *by_check.entry(verdict.check).or_default() += 1;
        }
        if !outcome.judged.verdicts.iter().any(|verdict| verdict.check == Check::Names) {
            unflagged += facts.names_invented.len();
        }
        strangers += facts.strangers.len();
        if outcome.judged.verdicts.is_empty() {
            strangers_unflagged += facts.strangers.len();
        }
        sum.names_invented.extend(facts.names_invented);
        sum.numbers_invented.extend(facts.numbers_invented);
    }
    let share = |kept: usize, all: usize| 100.0 * kept as f64 / all.max(1) as f64;
    format!(
        "names {}/{} ({:.1} %), figures {}/{} ({:.1} %), both {:.1} %; invented names {} ({unflagged} unflagged), unknown capitalised {strangers} ({strangers_unflagged} in unflagged), invented figures {}; flagged {flagged} {by_check:?}",
        sum.names_kept,
        sum.names,
        share(sum.names_kept, sum.names),
        sum.numbers_kept,
        sum.numbers,
        share(sum.numbers_kept, sum.numbers),
        share(sum.names_kept + sum.numbers_kept, sum.names + sum.numbers),
        sum.names_invented.len(),
        sum.numbers_invented.len(),
    )
}

fn ntrex(shared: &std::path::Path, limit: usize) -> (Vec<String>, Vec<String>) {
    #[derive(serde::Deserialize)]
    struct Row {
        ar: Vec<String>,
        en: Vec<String>,
    }
    let text = std::fs::read_to_string(shared.join("eval/ntrex-dev.jsonl")).expect("the shared data is there");
    let rows = text.lines().map(|line| serde_json::from_str::<Row>(line).expect("a row of NTREX"));
    rows.flat_map(|row| row.ar.into_iter().zip(row.en)).take(limit).unzip()
}

fn articles(shared: &std::path::Path) -> Vec<String> {
    let walk = walk::walk(&[shared.join("articles")]);
    let texts = walk.found.iter().filter(|found| found.path.extension().is_some_and(|e| e == "txt"));
    texts
        .flat_map(|found| {
            let file = SourceFile::read(found).expect("readable");
            let document = document::read(&file, &document::ReadOptions::default()).expect("an article");
            document.segments.iter().map(|s| document.segment_text(s).to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

fn sacrebleu(reference: &std::path::Path, hypotheses: &std::path::Path) {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let run = std::process::Command::new(python)
        .args(["-m", "sacrebleu"])
        .arg(reference)
        .arg("-i")
        .arg(hypotheses)
        .args(["-m", "chrf", "bleu", "-b", "-w", "2"])
        .output();
    match run {
        Ok(run) if run.status.success() => {
            println!("  sacrebleu (chrF, BLEU): {}", String::from_utf8_lossy(&run.stdout).replace('\n', " "));
        }
        _ => println!("  sacrebleu is not installed for python3 (set PYTHON to one that has it)"),
    }
}

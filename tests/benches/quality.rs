//! How good the translations of a model are, plain and with the full method, in one run.
//!
//! In: `cargo bench --bench quality -- MODEL [--limit 200] [--shared ../shared] [--out FOLDER]`; MODEL is a GGUF file or a
//! checkpoint folder. Out, for plain greedy decoding and for the full method: the first sentences of NTREX with chrF and
//! BLEU, the share of known names and of figures of the five articles' sentences that stand in the translation, invented names left unflagged, flagged share, seconds. Not a test: it asserts nothing, and takes minutes.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]

use std::path::PathBuf;
use std::time::Instant;

use mujaz::check::{Check, Checker, Facts};
use mujaz::document;
use mujaz::engine::Engine;
use mujaz::engine::load::{self, LoadOptions, ModelPaths};
use mujaz::glossary::Glossary;
use mujaz::metrics::corpus::Corpus;
use mujaz::metrics::{bleu, chrf};
use mujaz::options::Effort;
use mujaz::progress::Silent;
use mujaz::source::{Kind, SourceFile, walk};
use mujaz::translation::rounds::{Outcome, sentences};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)).cloned();
    let Some(model) = arguments.first().filter(|path| std::path::Path::new(path).exists()) else {
        println!(
            "quality: no model given; usage: cargo bench --bench quality -- MODEL [--limit N] [--shared DIR] [--out DIR]"
        );
        return;
    };
    let limit = option("--limit").and_then(|n| n.parse().ok()).unwrap_or(200);
    let shared = PathBuf::from(option("--shared").unwrap_or_else(|| "../shared".into()));
    let out = PathBuf::from(option("--out").unwrap_or_else(|| "target/quality".into()));
    std::fs::create_dir_all(&out).expect("the output folder can be made");

    let mut corpus = Corpus::of_jsonl(&shared.join("eval/ntrex-dev.jsonl")).expect("the shared data is there");
    corpus.pairs.truncate(limit);
    let sources: Vec<String> = corpus.pairs.iter().map(|pair| pair.source.clone()).collect();
    let articles = articles(&shared);
    let checker = Checker::new(Glossary::builtin());
    for (name, effort) in [("plain", Effort::Plain), ("full", Effort::Full)] {
        let paths = ModelPaths::at(model.as_ref()).expect("the model is there");
        let mut loaded = load::open(&paths, &LoadOptions::default()).expect("the model loads");
        let engine = loaded.engine();
        engine.avoid_names(&Glossary::builtin().english_names());
        let (outcomes, seconds) = run(&sources, engine, &checker, effort);
        let lines: Vec<String> = outcomes.iter().map(|o| o.judged.hypothesis.text.replace('\n', " ")).collect();
        let file = out.join(format!("{name}.txt"));
        std::fs::write(&file, lines.join("\n")).expect("the output folder can be written to");
        println!("{name}: ntrex {} sentences, {seconds:.1} s, {}", lines.len(), kept(&checker, &sources, &outcomes));
        println!(
            "  chrF {:.2}, BLEU {:.2}",
            chrf::corpus(corpus.beside(&lines)),
            bleu::corpus(corpus.beside(&lines)).score
        );
        let (outcomes, seconds) = run(&articles, engine, &checker, effort);
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

fn run(sources: &[String], engine: &mut dyn Engine, checker: &Checker, effort: Effort) -> (Vec<Outcome>, f64) {
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

fn articles(shared: &std::path::Path) -> Vec<String> {
    let walk = walk::walk(&[shared.join("articles")]);
    let texts = walk.found.iter().filter(|found| found.path.extension().is_some_and(|e| e == "txt"));
    texts
        .flat_map(|found| {
            let bytes = std::fs::read(&found.path).expect("readable");
            let file = SourceFile::from_bytes(&found.path, Kind::Text, bytes).expect("an article's size");
            let document = document::read(&file, &document::ReadOptions::default()).expect("an article");
            document.segments.iter().map(|s| document.segment_text(s).to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

//! How fast an encoder-decoder model translates, beside `CTranslate2` on the same model, lines and machine.
//!
//! Run: `cargo bench --bench seq2seq -- MODEL_DIR LINES.txt [--precision int8|f32] [--beam 4] [--tokens 30] [--rounds 3]
//! [--peer PEER_CTRANSLATE2.py] [--python python3] [--rows N] [--source-tokens N] [--workers N]`. With `--peer` the two sides take turns, each first
//! in turn, and the best of each counts. Models: `../shared/bench/make_marian.py`. One JSON line is printed.
//! Without arguments (as `cargo test --benches` calls it) it does nothing.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use mujaz::engine::decode::Room;
use mujaz::engine::kernels::dense::Precision;
use mujaz::engine::load::ModelPaths;
use mujaz::engine::seq2seq::{self, Decoding, Direction};
use mujaz::progress::Silent;

struct Arguments(Vec<String>);

impl Arguments {
    fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|argument| argument == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.value(name).map(|value| value.parse().expect("a number follows the option"))
    }
}

fn main() {
    let arguments = Arguments(std::env::args().skip(1).filter(|argument| argument != "--bench").collect());
    let [folder, lines, ..] = arguments.0.as_slice() else {
        println!("usage: cargo bench --bench seq2seq -- MODEL_DIR LINES.txt [options]");
        return;
    };
    if folder.starts_with("--") {
        return;
    }
    let precision = match arguments.value("--precision") {
        Some("f32") => Precision::F32,
        _ => Precision::Int8,
    };
    let beams = arguments.number("--beam").unwrap_or(4);
    let tokens = arguments.number("--tokens").unwrap_or(30);
    let rounds = arguments.number("--rounds").unwrap_or(3);
    let text = std::fs::read_to_string(lines).expect("the lines can be read");
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();

    let started = Instant::now();
    let paths = ModelPaths::at(Path::new(folder)).expect("the folder can be read");
    let mut engine =
        seq2seq::open(paths.files, &paths.label, &Direction::default(), precision).expect("the model can be opened");
    let load = started.elapsed().as_secs_f64();
    let mut room = Room { workers: arguments.number("--workers"), ..Room::default() };
    room.rows = arguments.number("--rows").unwrap_or(room.rows);
    room.source_tokens = arguments.number("--source-tokens").unwrap_or(room.source_tokens);
    engine.set_room(room);

    let how = Decoding { beams, force_tokens: Some(tokens), ..Decoding::default() };
    let ours = || {
        let started = Instant::now();
        let found = engine.best(&all, &how, &Silent).expect("the lines are translated");
        let written: usize = found.iter().map(|hypothesis| hypothesis.tokens).sum();
        assert_eq!(written, all.len() * tokens, "every line has just so many tokens");
        written as f64 / started.elapsed().as_secs_f64()
    };
    let theirs = || {
        let peer = arguments.value("--peer")?;
        let kind = if precision == Precision::F32 { "float32" } else { "int8" };
        let output = Command::new(arguments.value("--python").unwrap_or("python3"))
            .args([peer, folder, lines, "--type", kind, "--repeat", "1"])
            .args(["--beam", &beams.to_string(), "--tokens", &tokens.to_string()])
            .args(["--threads", &rayon::current_num_threads().to_string()])
            .output()
            .expect("the peer can be run");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let said: serde_json::Value = serde_json::from_str(&said).expect("the peer prints one JSON line");
        Some(said["tokens_per_second"].as_f64().expect("it has its rate"))
    };
    // The first reads the weights into the caches, and is thrown away where there are several.
    ours();
    let (mut best, mut peer) = (0f64, None::<f64>);
    for round in 0..rounds {
        let mut turn = |mine: bool| {
            if mine {
                best = best.max(ours());
            } else if let Some(rate) = theirs() {
                peer = Some(peer.map_or(rate, |best: f64| best.max(rate)));
            }
        };
        turn(round % 2 == 0);
        turn(round % 2 == 1);
    }
    println!(
        "{}",
        serde_json::json!({
            "model": folder, "precision": precision.to_string(), "beam": beams, "threads": rayon::current_num_threads(),
            "lines": all.len(), "load_seconds": load, "weight_bytes": engine.model().bytes(),
            "tokens_per_second": best, "peer_tokens_per_second": peer, "ratio": peer.map(|peer| best / peer),
        })
    );
}

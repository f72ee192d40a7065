//! How fast an encoder-decoder model translates, beside `CTranslate2` on the same model, lines and machine.
//!
//! Run: `cargo bench --bench seq2seq -- MODEL_DIR LINES.txt [--precision int8|f32] [--beam 4] [--tokens 30] [--rounds 3]
//! [--peer PEER_CTRANSLATE2.py] [--python python3] [--rows N] [--source-tokens N] [--workers N]`. With `--peer` the two sides take turns, each first
//! in turn, and the best of each counts. Models: `../shared/bench/make_marian.py`. One JSON line is printed.
//! Without arguments (as `cargo test --benches` calls it) it does nothing.
//!
//! Notes on the way here, in tokens a second on 2 cores of an AMD EPYC (Zen 5, about 3.7 GHz), the process in a real-time
//! class since the machine was shared. Work a token: base 217 million multiply-adds at beam 4 and 54 greedy, big 603 and 151,
//! and 28 and 106 more for the encoder (42 tokens a line). The machine: two `vpdpbusd` a cycle are 470 GMAC/s a core, two FMAs
//! 118; one core reads 38 GB/s from memory.
//!
//! | version                                             | predicted                      | measured                          |
//! |-----------------------------------------------------|--------------------------------|-----------------------------------|
//! | int8 by rows, tiles of 64 x 6                       | 470 GMAC/s a core at most      | 390-440; blocks of 32 had 335-355 |
//! | f32, the same tiles                                 | 118 at most                    | 99-115                            |
//! | best columns and log-sum-exp within the tile        | a tenth more than the product  | 323-384 of 374-385                |
//! | two workers of 16 sources, f32 caches               | base 2,500, big 900 (beam 4)   | 1,545; 690                        |
//! | one worker, all threads                             | big: weights read once         | 644 against 649; f32 3-8 % faster |
//! | buffers and caches that are used again              | no page faults: 10 %           | gone from the profile, 2 %        |
//! | keys and values in bf16                             | half the way from memory: 7 %  | 2 %; base 270 -> under 250 MB     |
//! | self-attention written out (the compiler gathered)  | 14 % of the profile to 3 %     | base 2,016; big 815               |
//! | room for 8192 source tokens instead of 4096         | greedy: full batches           | base 4,287 -> 5,602; big 1,568 -> 2,039 |
//!
//! Where the time goes, big, beam 4: the int8 kernel 66 %, cross-attention 6, walking and asking for weights 5, own attention 4,
//! exponentials of the output 2, finishing tiles 1, quantising rows 1. base, f32: the kernel 81 %.

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

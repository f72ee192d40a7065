//! `mujaz bench`: how fast a model runs on this machine.
//!
//! In: a model file. Out: tokens per second, best of several runs. The workload of a decoder-only model is that of
//! `bench/peer_llamacpp.py`, so that the two lines can stand side by side: a prompt of 512 tokens read at once; 64 tokens
//! one by one behind 64; the whole vocabulary each time. The batched figure is what translating gets: 16 hypotheses grow
//! together and write English tokens only.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mujaz::engine;
use mujaz::engine::decode::{Sampling, StopStrings};
use mujaz::engine::llm::LlmEngine;
use mujaz::engine::llm::cache::SharedPrefix;
use mujaz::engine::llm::generate::{GenerateParams, HypothesisSpec, Job, generate};
use mujaz::engine::llm::model::Step;
use mujaz::progress::Progress;
use mujaz::registry::Task;
use serde::Serialize;

use crate::cli::args::{BenchArgs, GlobalArgs};
use crate::cli::models;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// The text that `bench/peer_llamacpp.py` reads, over and over.
const SENTENCE: &str = "The Libyan government said on Monday that ";
/// Tokens of the prompt that is read at once.
const PROMPT_TOKENS: usize = 512;
/// Tokens that are written one by one, and tokens of the prompt before them.
const DECODE_TOKENS: usize = 64;
/// Hypotheses that grow together in the batched figure.
const BATCH: usize = 16;

/// What is measured.
#[derive(Debug, Serialize)]
struct Figures {
    engine: String,
    model: String,
    precision: &'static str,
    threads: usize,
    prompt_tokens_per_second: f64,
    decode_tokens_per_second: f64,
    batched_decode_tokens_per_second: f64,
    batched_sequences: usize,
    batched_vocabulary: usize,
    load_seconds: f64,
    resident_bytes: u64,
}

/// Runs the command.
pub fn run(args: &BenchArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    if args.beam != 1 || args.input.is_some() || args.force_tokens.is_some() {
        let reason = "--beam, --input and --force-tokens are for encoder-decoder models";
        return Err(CommandError::message(Kind::Usage, reason));
    }
    let bars = Bars::new(printer);
    let path = resolve_model(args, global, printer, &bars)?;
    let start = Instant::now();
    let engine = engine::load(&path).map_err(|error| CommandError::new(Kind::Model, &error))?;
    let load = start.elapsed();
    printer.detail(&format!("loaded {} in {:.2} s", path.display(), load.as_secs_f64()));
    let figures = measure(&engine, &path, load, args.repeat.max(1), &bars).map_err(|error| {
        let kind = if matches!(error, engine::Error::Cancelled) { Kind::Interrupted } else { Kind::Model };
        CommandError::new(kind, &error)
    })?;
    let text = if args.json {
        let json = serde_json::to_string(&figures).map_err(|error| CommandError::new(Kind::Internal, &error))?;
        format!("{json}\n")
    } else {
        table(&figures)
    };
    printer.data(text.as_bytes())?;
    Ok(Status::Complete)
}

/// Finds the file to measure: the one named, or a model of the registry, fetched where that is allowed.
fn resolve_model(
    args: &BenchArgs,
    global: &GlobalArgs,
    printer: &Printer,
    bars: &Bars,
) -> Result<PathBuf, CommandError> {
    if let Some(path) = &args.model_dir {
        return gguf_in(path);
    }
    let id = match &args.model {
        Some(id) => id.clone(),
        None => {
            let registry = models::registry(global, printer)?;
            let first = registry.models().iter().find(|entry| entry.does(Task::Translate));
            first.map(|entry| entry.id.0.clone()).ok_or_else(|| {
                CommandError::message(Kind::Usage, "the registry has no model that translates")
                    .hint("name a file with --model-dir FILE.gguf")
            })?
        }
    };
    let (entry, files) = models::ensure_model(&id, global, printer, bars)?;
    let file = files.gguf().ok_or_else(|| {
        let message = format!("{}: no engine here runs {} models", entry.id, entry.architecture);
        CommandError::message(Kind::Model, message)
    })?;
    Ok(file.path.clone())
}

/// Takes a GGUF file, or the only one in a folder.
fn gguf_in(path: &Path) -> Result<PathBuf, CommandError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let mut found = Vec::new();
    for entry in fs_err::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "gguf") {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => {
            let reason = format!("{} has {} GGUF files, expected one", path.display(), found.len());
            Err(CommandError::message(Kind::Usage, reason))
        }
    }
}

fn measure(
    engine: &LlmEngine,
    path: &Path,
    load: Duration,
    repeat: usize,
    bars: &Bars,
) -> Result<Figures, engine::Error> {
    let model = engine.model();
    let mut ids = engine.tokenizer().encode_prompt(&SENTENCE.repeat(120));
    ids.truncate(PROMPT_TOKENS.min(model.config().context));
    let (mut prompt, mut decode, mut batched) = (0f64, 0f64, 0f64);
    for _ in 0..repeat {
        let mut sequence = model.sequence(&SharedPrefix::default(), ids.len());
        let start = Instant::now();
        let hidden = model.forward(&mut [Step { sequence: &mut sequence, tokens: &ids }])?;
        model.logits(&hidden, model.output())?;
        prompt = prompt.max(ids.len() as f64 / start.elapsed().as_secs_f64());

        let written = &ids[..DECODE_TOKENS.min(ids.len())];
        let mut sequence = model.sequence(&SharedPrefix::default(), 2 * written.len());
        model.forward(&mut [Step { sequence: &mut sequence, tokens: written }])?;
        let start = Instant::now();
        for id in written {
            if bars.cancelled() {
                return Err(engine::Error::Cancelled);
            }
            let tokens = std::slice::from_ref(id);
            let hidden = model.forward(&mut [Step { sequence: &mut sequence, tokens }])?;
            model.logits(&hidden, model.output())?;
        }
        decode = decode.max(written.len() as f64 / start.elapsed().as_secs_f64());
        batched = batched.max(batched_decode(engine, &ids, bars)?);
    }
    Ok(Figures {
        engine: format!("mujaz {}", env!("CARGO_PKG_VERSION")),
        model: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        precision: model.output().precision(),
        threads: rayon::current_num_threads(),
        prompt_tokens_per_second: round(prompt),
        decode_tokens_per_second: round(decode),
        batched_decode_tokens_per_second: round(batched),
        batched_sequences: BATCH,
        batched_vocabulary: engine.english().len(),
        load_seconds: (load.as_secs_f64() * 1000.0).round() / 1000.0,
        resident_bytes: resident_bytes(),
    })
}

/// Lets 16 hypotheses behind different prompts of 64 tokens grow by 64 tokens, the prompts read before.
fn batched_decode(engine: &LlmEngine, ids: &[u32], bars: &Bars) -> Result<f64, engine::Error> {
    let model = engine.model();
    let mut jobs = Vec::new();
    for first in 0..BATCH.min(ids.len()) {
        let end = ids.len().min(first + DECODE_TOKENS);
        let prefix = model.prefix(&SharedPrefix::default(), &ids[first..end - 1])?;
        let hypotheses = vec![HypothesisSpec::new(Sampling::Greedy)];
        jobs.push(Job { prefix, prompt: ids[end - 1..end].to_vec(), max_new_tokens: DECODE_TOKENS, hypotheses });
    }
    let params = GenerateParams {
        vocabulary: engine.english(),
        stop: StopStrings::default(),
        ends: &[],
        max_sequences: BATCH,
        guard_loops: false,
    };
    let start = Instant::now();
    let written = generate(model, jobs, &params, &mut |_| !bars.cancelled())?;
    let tokens: usize = written.iter().flatten().map(|one| one.ids.len()).sum();
    Ok(tokens as f64 / start.elapsed().as_secs_f64())
}

fn round(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

/// Returns the memory of this process that is in RAM; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let statm = fs_err::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    // Pages of 4 KiB: statm counts in them on every machine this is measured on.
    pages * 4096
}

fn table(figures: &Figures) -> String {
    format!(
        "model             {}\nprecision         {}\nthreads           {}\nprompt            {:.1} tokens/s\n\
         decode            {:.1} tokens/s\nbatched decode    {:.1} tokens/s ({} sequences, {} tokens to choose from)\n\
         load              {:.3} s\nresident memory   {:.0} MB\n",
        figures.model,
        figures.precision,
        figures.threads,
        figures.prompt_tokens_per_second,
        figures.decode_tokens_per_second,
        figures.batched_decode_tokens_per_second,
        figures.batched_sequences,
        figures.batched_vocabulary,
        figures.load_seconds,
        figures.resident_bytes as f64 / 1e6,
    )
}

//! The work of a decoder-only model: that of `bench/peer_llamacpp.py`, so that the two lines can stand side by side.
//!
//! In: a model. Out: tokens a second, best of several runs: a prompt of 512 tokens read at once; 64 tokens one by one
//! behind 64; the whole vocabulary each time. The batched figure is what translating gets: 16 hypotheses grow together
//! and write English tokens only.

use std::time::Instant;

use mujaz::engine;
use mujaz::engine::decode::{Sampling, StopStrings};
use mujaz::engine::llm::LlmEngine;
use mujaz::engine::llm::cache::SharedPrefix;
use mujaz::engine::llm::generate::{GenerateParams, HypothesisSpec, Job, generate};
use mujaz::engine::llm::model::Step;
use mujaz::progress::Progress;
use serde::Serialize;

use super::{Speed, round};
use crate::cli::progress::Bars;

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
pub struct Figures {
    prompt_tokens_per_second: f64,
    decode_tokens_per_second: f64,
    batched_decode_tokens_per_second: f64,
    batched_sequences: usize,
    batched_vocabulary: usize,
}

impl Speed for Figures {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let Self { batched_decode_tokens_per_second: rate, batched_sequences, batched_vocabulary, .. } = self;
        let batched =
            format!("{rate:.1} tokens/s ({batched_sequences} sequences, {batched_vocabulary} tokens to choose from)");
        vec![
            ("prompt", format!("{:.1} tokens/s", self.prompt_tokens_per_second)),
            ("decode", format!("{:.1} tokens/s", self.decode_tokens_per_second)),
            ("batched decode", batched),
        ]
    }
}

/// Measures.
pub fn measure(engine: &LlmEngine, repeat: usize, bars: &Bars) -> Result<Figures, engine::Error> {
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
        prompt_tokens_per_second: round(prompt),
        decode_tokens_per_second: round(decode),
        batched_decode_tokens_per_second: round(batched),
        batched_sequences: BATCH,
        batched_vocabulary: engine.english().len(),
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

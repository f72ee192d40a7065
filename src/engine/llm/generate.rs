//! Batched generation: all hypotheses of several prompts grow together, one token a step.
//!
//! In: jobs (a shared prefix, a prompt behind it, and its hypotheses). Out: for each job its continuations. A job's prompt is read once
//! and shared by its hypotheses; finished hypotheses leave the batch and waiting jobs enter. What is written for a hypothesis
//! does not depend on what else is in the batch.

use std::collections::VecDeque;

use candle_core::Tensor;
use rayon::prelude::*;

use super::cache::{Sequence, SharedPrefix};
use super::model::{LlmModel, MAX_ROWS, Step, with_values};
use crate::engine::decode::repetition::before_loop;
use crate::engine::decode::{LogitsHook, OutputVocabulary, Sampler, Sampling, StopStrings, loop_length};
use crate::engine::tokenizer::TextDecoder;
use crate::engine::{Error, Finish, simd};

/// A prompt and what is to be made of it.
pub struct Job {
    /// What comes first, read already; jobs may share one or have different ones.
    pub prefix: SharedPrefix,
    /// The ids that come after the prefix; at least one.
    pub prompt: Vec<u32>,
    /// Most new tokens a hypothesis.
    pub max_new_tokens: usize,
    /// How each hypothesis is decoded.
    pub hypotheses: Vec<HypothesisSpec>,
}

/// How one hypothesis is decoded.
pub struct HypothesisSpec {
    /// How tokens are picked.
    pub sampling: Sampling,
    /// What changes the logits first.
    pub hook: Option<Box<dyn LogitsHook>>,
}

impl HypothesisSpec {
    /// Makes a specification without a hook.
    pub fn new(sampling: Sampling) -> Self {
        Self { sampling, hook: None }
    }
}

/// What holds for all jobs of a call.
pub struct GenerateParams<'p> {
    /// The tokens that may be written.
    pub vocabulary: &'p OutputVocabulary,
    /// Texts that end a hypothesis; they are cut off.
    pub stop: StopStrings,
    /// Ids that end a hypothesis; they are not part of its text.
    pub ends: &'p [u32],
    /// Most hypotheses that grow at the same time.
    pub max_sequences: usize,
    /// Whether loops end a hypothesis.
    pub guard_loops: bool,
}

/// A finished continuation.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuation {
    /// The ids, without the one that ended it.
    pub ids: Vec<u32>,
    /// The text, stop string cut off, white space kept.
    pub text: String,
    /// Mean natural-log probability of the picked tokens (the ending token included), from the logits before any hook.
    pub log_probability: f32,
    /// Why it ended.
    pub finish: Finish,
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateProgress {
    /// Jobs that are done.
    pub jobs: usize,
    /// Tokens written so far.
    pub tokens: usize,
}

/// A hypothesis that grows.
struct Active {
    job: usize,
    place: usize,
    sequence: Sequence,
    sampler: Sampler,
    hook: Option<Box<dyn LogitsHook>>,
    max_new_tokens: usize,
    ids: Vec<u32>,
    decoder: TextDecoder,
    log_probability: f64,
    /// Tokens picked, ending ones and cut-off rounds of a loop included.
    picked: usize,
    finish: Option<Finish>,
}

/// A job that waits.
struct Waiting {
    index: usize,
    job: Job,
}

/// Continues every job's prompt.
///
/// Returns one list a job, in order, each with one continuation a hypothesis. `progress` is called after every step and stops the
/// call by returning `false`.
///
/// # Errors
/// [`Error::TooLong`] where a prompt and its new tokens exceed the model's context; [`Error::Cancelled`]; and as
/// [`LlmModel::forward`].
pub fn generate(
    model: &LlmModel,
    jobs: Vec<Job>,
    params: &GenerateParams<'_>,
    progress: &mut dyn FnMut(GenerateProgress) -> bool,
) -> Result<Vec<Vec<Continuation>>, Error> {
    let mut results: Vec<Vec<Option<Continuation>>> =
        jobs.iter().map(|job| job.hypotheses.iter().map(|_| None).collect()).collect();
    let mut left: Vec<usize> = jobs.iter().map(|job| job.hypotheses.len()).collect();
    let mut done = GenerateProgress { jobs: left.iter().filter(|&&left| left == 0).count(), tokens: 0 };
    let mut waiting: VecDeque<Waiting> = jobs
        .into_iter()
        .enumerate()
        .filter(|(_, job)| !job.hypotheses.is_empty())
        .map(|(index, job)| Waiting { index, job })
        .collect();
    let mut active: Vec<Active> = Vec::new();
    while !(waiting.is_empty() && active.is_empty()) {
        let fresh = admit(model, &mut waiting, active.len(), params)?;
        done.tokens += fresh.len();
        if !active.is_empty() {
            grow(model, &mut active, params)?;
            done.tokens += active.len();
        }
        active.extend(fresh);
        let mut growing = Vec::with_capacity(active.len());
        for hypothesis in active {
            match hypothesis.finish {
                None => growing.push(hypothesis),
                Some(finish) => {
                    let (job, place) = (hypothesis.job, hypothesis.place);
                    results[job][place] = Some(hypothesis.finished(finish));
                    left[job] -= 1;
                    done.jobs += usize::from(left[job] == 0);
                }
            }
        }
        active = growing;
        if !progress(done) {
            return Err(Error::Cancelled);
        }
    }
    let finished = results.into_iter().map(|job| job.into_iter().flatten().collect());
    Ok(finished.collect())
}

/// Reads the prompts of the jobs there is room for, and gives each of their hypotheses its first token.
fn admit(
    model: &LlmModel,
    waiting: &mut VecDeque<Waiting>,
    growing: usize,
    params: &GenerateParams<'_>,
) -> Result<Vec<Active>, Error> {
    let mut admitted: Vec<Waiting> = Vec::new();
    let (mut sequences, mut tokens) = (growing, 0);
    while let Some(Waiting { job, .. }) = waiting.front() {
        let fits = sequences + job.hypotheses.len() <= params.max_sequences && tokens + job.prompt.len() <= MAX_ROWS;
        if !fits && sequences > 0 {
            break;
        }
        sequences += job.hypotheses.len();
        tokens += job.prompt.len();
        admitted.extend(waiting.pop_front());
    }
    if admitted.is_empty() {
        return Ok(Vec::new());
    }
    for Waiting { job, .. } in &admitted {
        let tokens = job.prefix.len() + job.prompt.len() + job.max_new_tokens;
        let limit = model.config().context;
        if tokens > limit {
            return Err(Error::TooLong { tokens, limit });
        }
    }
    let mut prompts: Vec<Sequence> =
        admitted.iter().map(|waiting| model.sequence(&waiting.job.prefix, waiting.job.prompt.len())).collect();
    // A prompt longer than a pass travels alone (see above) and is read in pieces.
    if let [waiting] = &admitted[..]
        && waiting.job.prompt.len() > MAX_ROWS
    {
        let start = (waiting.job.prompt.len() - 1) / MAX_ROWS * MAX_ROWS;
        for tokens in waiting.job.prompt[..start].chunks(MAX_ROWS) {
            model.forward(&mut [Step { sequence: &mut prompts[0], tokens }])?;
        }
    }
    let mut steps: Vec<Step<'_>> = prompts
        .iter_mut()
        .zip(&admitted)
        .map(|(sequence, waiting)| {
            let read = sequence.len() - waiting.job.prefix.len();
            Step { sequence, tokens: &waiting.job.prompt[read..] }
        })
        .collect();
    let hidden = model.forward(&mut steps)?;
    let logits = model.logits(&hidden, params.vocabulary.projection())?;
    let mut fresh: Vec<Active> = Vec::new();
    let mut rows: Vec<usize> = Vec::new();
    for (row, (waiting, prompt)) in admitted.into_iter().zip(prompts).enumerate() {
        let shared = prompt.freeze();
        for (place, spec) in waiting.job.hypotheses.into_iter().enumerate() {
            rows.push(row);
            fresh.push(Active {
                job: waiting.index,
                place,
                sequence: model.sequence(&shared, waiting.job.max_new_tokens),
                sampler: Sampler::new(spec.sampling),
                hook: spec.hook,
                max_new_tokens: waiting.job.max_new_tokens,
                ids: Vec::new(),
                decoder: TextDecoder::default(),
                log_probability: 0.0,
                picked: 0,
                finish: if waiting.job.max_new_tokens == 0 { Some(Finish::Length) } else { None },
            });
        }
    }
    choose(model, &mut fresh, &rows, &logits, params)?;
    Ok(fresh)
}

/// Runs one step for all growing hypotheses.
fn grow(model: &LlmModel, active: &mut [Active], params: &GenerateParams<'_>) -> Result<(), Error> {
    let last: Vec<u32> = active.iter().filter_map(|hypothesis| hypothesis.ids.last().copied()).collect();
    let mut steps: Vec<Step<'_>> = active
        .iter_mut()
        .zip(&last)
        .map(|(hypothesis, id)| Step { sequence: &mut hypothesis.sequence, tokens: std::slice::from_ref(id) })
        .collect();
    let hidden = model.forward(&mut steps)?;
    let logits = model.logits(&hidden, params.vocabulary.projection())?;
    let rows: Vec<usize> = (0..active.len()).collect();
    choose(model, active, &rows, &logits, params)
}

/// Picks the next token of each hypothesis from its row of the logits.
fn choose(
    model: &LlmModel,
    active: &mut [Active],
    rows: &[usize],
    logits: &Tensor,
    params: &GenerateParams<'_>,
) -> Result<(), Error> {
    let width = params.vocabulary.len();
    with_values(logits, |logits| {
        active.par_iter_mut().zip(rows).with_max_len(1).try_for_each(|(hypothesis, &row)| {
            if hypothesis.finish.is_some() {
                return Ok(());
            }
            hypothesis.choose(model, &logits[row * width..(row + 1) * width], params)
        })
    })?
}

impl Active {
    fn choose(&mut self, model: &LlmModel, logits: &[f32], params: &GenerateParams<'_>) -> Result<(), Error> {
        let index = match &mut self.hook {
            Some(hook) => {
                let mut adjusted = logits.to_vec();
                hook.adjust(&self.ids, params.vocabulary, &mut adjusted);
                self.sampler.pick(&adjusted)?
            }
            None => self.sampler.pick(logits)?,
        };
        self.log_probability += f64::from(logits[index] - simd::log_sum_exp(logits));
        self.picked += 1;
        let id = params.vocabulary.id(index);
        if params.ends.contains(&id) {
            self.finish = Some(Finish::Stop);
            return Ok(());
        }
        self.ids.push(id);
        let seen = self.decoder.text().len();
        if let Some(tokenizer) = model.tokenizer() {
            self.decoder.push(tokenizer.piece(id));
        }
        if let Some(at) = params.stop.find(self.decoder.text(), seen) {
            self.decoder.truncate(at);
            self.finish = Some(Finish::Stop);
        } else if let Some(period) = loop_length(&self.ids).filter(|_| params.guard_loops) {
            self.cut_loop(model, period);
            self.finish = Some(Finish::Loop);
        } else if self.ids.len() >= self.max_new_tokens {
            self.finish = Some(Finish::Length);
        }
        Ok(())
    }

    /// Keeps the first round of a loop.
    fn cut_loop(&mut self, model: &LlmModel, period: usize) {
        self.ids.truncate(before_loop(&self.ids, period));
        if let Some(tokenizer) = model.tokenizer() {
            self.decoder = TextDecoder::default();
            for &id in &self.ids {
                self.decoder.push(tokenizer.piece(id));
            }
        }
    }

    fn finished(self, finish: Finish) -> Continuation {
        Continuation {
            log_probability: (self.log_probability / self.picked.max(1) as f64) as f32,
            ids: self.ids,
            text: self.decoder.finish(),
            finish,
        }
    }
}

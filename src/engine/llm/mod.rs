//! Decoder-only models from GGUF files, as a translating [`Engine`] and as a [`Generator`].
//!
//! In: a model file, then batches of requests or prompts. Out: hypotheses. This file joins the parts: [`model`] computes,
//! [`mod@generate`] decodes, [`prompt`] says what is asked, [`chat`] how a conversation is written.

pub mod attention;
pub mod cache;
pub mod chat;
pub mod config;
pub mod generate;
pub mod model;
pub mod prompt;
pub mod rope;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::decode::sampler::seed;
use super::decode::steering::{Constraints, Steering, Strength};
use super::decode::{OutputVocabulary, Sampling, StopStrings};
use super::tokenizer::{Kind, Markup, Tokenizer};
use super::{DecodeParams, Engine, Error, Fingerprint, Generator, Hypothesis, Limits};
use crate::batch::{Batch, Request};
use cache::SharedPrefix;
use chat::ChatLayout;
use generate::{Continuation, GenerateParams, HypothesisSpec, Job, generate};
use model::{LlmModel, LoadOptions, MAX_ROWS};

/// Version of decoding: raised when the same weights would give other text.
const DECODING: &str = "llm-1";
/// Hypotheses that grow at the same time.
const MAX_SEQUENCES: usize = 32;
/// Longest source of a segment in tokens: longer ones make small models lose the thread.
const MAX_SOURCE_TOKENS: usize = 256;
/// Prefixes kept; each holds the keys and values of its tokens.
const MAX_PREFIXES: usize = 8;

/// A decoder-only model, ready to translate and to continue prompts.
#[derive(Debug)]
pub struct LlmEngine {
    model: LlmModel,
    path: PathBuf,
    /// Which model and revision it is said to be; without that its path and SHA-256.
    identity: OnceLock<(String, String)>,
    everything: OutputVocabulary,
    english: OutputVocabulary,
    steering: Arc<Steering>,
    layout: ChatLayout,
    prefixes: BTreeMap<Vec<u32>, SharedPrefix>,
}

impl LlmEngine {
    /// Loads a model file.
    ///
    /// # Errors
    /// As [`LlmModel::load`], and [`Error::BadModel`] where the file carries no tokenizer.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::new(LlmModel::load(path, &LoadOptions::default())?, path)
    }

    /// Makes an engine of a loaded model.
    ///
    /// # Errors
    /// [`Error::BadModel`] where the model has no tokenizer.
    pub fn new(model: LlmModel, path: &Path) -> Result<Self, Error> {
        let Some(tokenizer) = model.tokenizer() else {
            return Err(Error::BadModel { path: path.to_owned(), reason: "the file carries no tokenizer".into() });
        };
        let english = english_ids(tokenizer);
        let everything = OutputVocabulary::all(model.output());
        let english = OutputVocabulary::shortlist(model.output(), english)?;
        let writable = (0..english.len()).map(|place| english.id(place)).collect();
        let steering = Arc::new(Steering::new(writable, |id| tokenizer.piece(id)));
        let layout = ChatLayout::detect(model.chat_template());
        let path = path.to_owned();
        let identity = OnceLock::new();
        Ok(Self { model, path, identity, everything, english, steering, layout, prefixes: BTreeMap::new() })
    }

    /// Returns the model.
    pub fn model(&self) -> &LlmModel {
        &self.model
    }

    /// Returns the tokens that English is written with, and their projection.
    pub fn english(&self) -> &OutputVocabulary {
        &self.english
    }

    /// Returns the tokenizer.
    pub fn tokenizer(&self) -> &dyn Tokenizer {
        self.model.tokenizer().expect("an engine is made only of models that have one")
    }

    /// Reads a text that begins prompts, once.
    ///
    /// # Errors
    /// As [`LlmModel::forward`].
    pub fn prefix(&mut self, text: &str) -> Result<SharedPrefix, Error> {
        let ids = self.tokenizer().encode_prompt(text);
        if let Some(prefix) = self.prefixes.get(&ids) {
            return Ok(prefix.clone());
        }
        let prefix = self.model.prefix(&SharedPrefix::default(), &ids)?;
        if self.prefixes.len() >= MAX_PREFIXES {
            self.prefixes.pop_first();
        }
        self.prefixes.insert(ids, prefix.clone());
        Ok(prefix)
    }

    /// Makes the jobs of one request: one for each prompt, the first of which has the sampled hypotheses too.
    fn jobs(&mut self, request: &Request, params: &DecodeParams) -> Result<Vec<Job>, Error> {
        let prompt = self.tokenizer().encode(&prompt::segment(request), Markup::Text);
        let source_tokens = self.source_tokens(&request.source);
        let max_new_tokens = match params.max_new_tokens {
            0 => 2 * source_tokens + 24,
            most => most,
        };
        let mut jobs = Vec::new();
        let mut made = 0;
        for variant in 0..params.greedy.max(1) {
            let mut hypotheses: Vec<HypothesisSpec> = Vec::new();
            if variant < params.greedy || params.samples == 0 {
                hypotheses.push(HypothesisSpec::new(Sampling::Greedy));
            }
            if variant == 0 {
                hypotheses.extend((0..params.samples).map(|i| {
                    let seed = seed(params.seed, &request.source, i);
                    HypothesisSpec::new(random(params, seed))
                }));
            }
            if params.constrained {
                let encode = |text: &str| self.tokenizer().encode(text, Markup::Text);
                for hypothesis in &mut hypotheses {
                    let strength = Strength::of_hypothesis(made);
                    let constraints = Constraints::new(Arc::clone(&self.steering), &encode, request, strength);
                    hypothesis.hook = Some(Box::new(constraints));
                    made += 1;
                }
            }
            let prefix = self.prefix(&prompt::examples(variant))?;
            jobs.push(Job { prefix, prompt: prompt.clone(), max_new_tokens, hypotheses });
        }
        Ok(jobs)
    }
}

fn random(params: &DecodeParams, seed: u64) -> Sampling {
    Sampling::Random { temperature: params.temperature, top_p: params.top_p, seed }
}

impl Engine for LlmEngine {
    fn translate(&mut self, batch: &Batch, params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error> {
        let mut jobs = Vec::new();
        let mut counts = Vec::new();
        for request in &batch.requests {
            let of_request = self.jobs(request, params)?;
            counts.push(of_request.len());
            jobs.extend(of_request);
        }
        let ends = self.tokenizer().specials().ends.clone();
        let generate_params = GenerateParams {
            vocabulary: &self.english,
            stop: StopStrings::new(&[prompt::STOP]),
            ends: &ends,
            max_sequences: MAX_SEQUENCES,
            guard_loops: true,
        };
        let mut continuations = generate(&self.model, jobs, &generate_params, &mut |_| true)?.into_iter();
        let mut results = Vec::with_capacity(counts.len());
        for count in counts {
            let mut hypotheses = Vec::new();
            for (variant, of_job) in continuations.by_ref().take(count).enumerate() {
                let mut samples = 0;
                for (place, continuation) in of_job.into_iter().enumerate() {
                    let greedy = place == 0 && (variant < params.greedy || params.samples == 0);
                    let origin = match (greedy, variant) {
                        (true, 0) => "greedy".to_owned(),
                        (true, variant) => format!("greedy:{variant}"),
                        (false, _) => {
                            samples += 1;
                            format!("sample:{}", samples - 1)
                        }
                    };
                    hypotheses.push(hypothesis(continuation, origin));
                }
            }
            results.push(hypotheses);
        }
        Ok(results)
    }

    fn source_tokens(&self, text: &str) -> usize {
        self.tokenizer().encode(text, Markup::Text).len()
    }

    fn limits(&self) -> Limits {
        let max_source_tokens = MAX_SOURCE_TOKENS.min(self.model.config().context / 8);
        Limits { max_source_tokens, max_batch_tokens: 8 * MAX_ROWS }
    }

    fn fingerprint(&self) -> Fingerprint {
        let (model, revision) = self.identity.get_or_init(|| {
            let revision = sha256(&self.path).unwrap_or_else(|error| format!("unreadable: {error}"));
            (self.path.display().to_string(), revision)
        });
        let decoding = match self.model.output().precision() {
            "int8" => DECODING.to_owned(),
            other => format!("{DECODING} {other}"),
        };
        Fingerprint { model: model.clone(), revision: revision.clone(), decoding }
    }

    fn identify(&mut self, model: &str, revision: &str) {
        self.identity = OnceLock::from((model.to_owned(), revision.to_owned()));
    }

    fn avoid_names(&mut self, names: &[&str]) {
        let mut steering = Steering::clone(&self.steering);
        steering.avoid_names(&|text| self.tokenizer().encode(text, Markup::Text), names);
        self.steering = Arc::new(steering);
    }
}

impl Generator for LlmEngine {
    fn generate(
        &mut self,
        shared: &str,
        items: &[String],
        stop: &[&str],
        params: &DecodeParams,
    ) -> Result<Vec<Hypothesis>, Error> {
        let prefix = self.prefix(shared)?;
        let mut jobs = Vec::with_capacity(items.len());
        for item in items {
            let prompt = self.tokenizer().encode(item, Markup::Parse);
            if prompt.is_empty() {
                return Err(Error::EmptyPrompt);
            }
            let room = self.model.config().context.saturating_sub(prefix.len() + prompt.len());
            let max_new_tokens = if params.max_new_tokens == 0 { room.min(256) } else { params.max_new_tokens };
            let sampling = match params.greedy {
                0 => random(params, seed(params.seed, item, 0)),
                _ => Sampling::Greedy,
            };
            let hypotheses = vec![HypothesisSpec::new(sampling)];
            jobs.push(Job { prefix: prefix.clone(), prompt, max_new_tokens, hypotheses });
        }
        let ends = self.tokenizer().specials().ends.clone();
        let generate_params = GenerateParams {
            vocabulary: &self.everything,
            stop: StopStrings::new(stop),
            ends: &ends,
            max_sequences: MAX_SEQUENCES,
            guard_loops: true,
        };
        let origin = if params.greedy == 0 { "sample:0" } else { "greedy" };
        let continuations = generate(&self.model, jobs, &generate_params, &mut |_| true)?;
        Ok(continuations.into_iter().flatten().map(|one| hypothesis(one, origin.to_owned())).collect())
    }

    fn chat_prompt(&self, system: &str, user: &str) -> String {
        self.layout.prompt(system, user)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.source_tokens(text)
    }

    fn fingerprint(&self) -> Fingerprint {
        Engine::fingerprint(self)
    }
}

fn hypothesis(continuation: Continuation, origin: String) -> Hypothesis {
    Hypothesis {
        text: continuation.text.trim().to_owned(),
        log_probability: continuation.log_probability.min(0.0),
        tokens: continuation.ids.len(),
        finish: continuation.finish,
        origin,
    }
}

/// Returns the ids that English news is written with: letters, digits, the marks of typography, and what ends a text. Marks
/// of markup and code (`<`, `_`, `camelCase`) are left out: a base model that wanders off writes them, news does not.
fn english_ids(tokenizer: &dyn Tokenizer) -> Vec<u32> {
    let ids = 0..tokenizer.size() as u32;
    let ends = &tokenizer.specials().ends;
    let english = |id: u32| match tokenizer.kind(id) {
        Kind::Normal | Kind::UserDefined => std::str::from_utf8(tokenizer.piece(id)).is_ok_and(is_english),
        _ => ends.contains(&id),
    };
    ids.filter(|&id| english(id)).collect()
}

fn is_english(piece: &str) -> bool {
    let written = |c: char| c.is_ascii_alphanumeric() || "\n .,;:!?'\"()-–—%$£€&/‘’“”…".contains(c);
    let camel = piece.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
    !piece.is_empty() && piece.chars().all(written) && !camel
}

fn sha256(path: &Path) -> std::io::Result<String> {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    let mut file = fs_err::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

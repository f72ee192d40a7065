//! The engine around an encoder-decoder model: texts in, texts out.
//!
//! In: texts, a model, its tokens and what its checkpoint says of decoding. Out: hypotheses for every text, the best first;
//! none cut off, none empty without a reason. The arithmetic is the model's, the search [`super::super::decode`]'s; what a
//! hypothesis is worth beside its probability, [`crate::translation`]'s.
//!
//! A text of more than [`SOFT_LIMIT`] tokens is translated in pieces. Transformers learn lengths as they learn a domain and
//! write too little beyond what they were trained on (Variš and Bojar 2021, "Sequence Length is a Domain"; Koehn and
//! Knowles 2017, section 3.5), and parallel corpora hold next to nothing of over 100 words (the cleaning scripts' limit), which
//! in Arabic are some 200 tokens.

use crate::batch::Batch;
use crate::engine::decode::step::Stepper;
use crate::engine::decode::{Found, Generation, Lengths, Room, Rules, Source, search};
use crate::engine::raw::RawOptions;
use crate::engine::tokenizer::pair::PairTokenizer;
use crate::engine::{Approach, DecodeParams, Engine, Error, Fingerprint, Finish, Hypothesis, Limits};
use crate::progress::{Progress, Silent};

use super::pieces::{has_ink, pieces};
use super::settings::Overrides;
use super::trace::Trace;

/// A text of more tokens is translated in pieces.
pub const SOFT_LIMIT: usize = 200;
/// Most new tokens for each token of the source where nothing else is said, and [`SPARE_TOKENS`] more. English has some 1.2
/// tokens for one of Arabic, in vocabularies made for both; a name spelled out has more, hence the spare ones. Not the
/// `max_length` of the checkpoint: that is 20 where its makers said nothing, and would cut texts off.
const TOKENS_A_SOURCE_TOKEN: usize = 2;
/// See [`TOKENS_A_SOURCE_TOKEN`].
const SPARE_TOKENS: usize = 40;
/// Changed when the same weights would give other text.
const DECODING: &str = "search 1";

/// What is known of a model beside its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The registry's id, or the path of a checkpoint.
    pub model: String,
    /// The pinned revision, or the SHA-256 of the weights.
    pub revision: String,
    /// What it computes in: `f32`, `int8`.
    pub precision: String,
    /// Longest source in tokens, special ones included (positions or `model_max_length`); none where any length works.
    pub max_source: Option<usize>,
    /// Longest target in tokens, the start token included; none where any length works.
    pub max_target: Option<usize>,
}

/// How texts are decoded, where the [`Engine`]'s parameters are not enough: raw translation, measuring, tracing.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoding {
    /// How many hypotheses grow; 0 for as many as the checkpoint says.
    pub beams: usize,
    /// How many hypotheses are returned.
    pub best: usize,
    /// Instead of the checkpoint's `length_penalty`.
    pub length_penalty: Option<f32>,
    /// Most new tokens; 0 derives it from the source's length.
    pub max_new_tokens: usize,
    /// Exactly so many tokens a text (a piece, where it is cut), the end token banned before; fewer only where positions
    /// end: for measuring speed. Turns the guard off.
    pub force_tokens: Option<usize>,
    /// No sequence of this many tokens comes twice; 0 for what the checkpoint says.
    pub no_repeat_ngram: usize,
    /// Most tokens of a piece, special ones included; 0 for [`SOFT_LIMIT`]. The model's own limit holds in any case.
    pub piece_tokens: usize,
    /// Whether a text whose translation loops is decoded again.
    pub guard: bool,
    /// Whether hypotheses come with their [`Trace`].
    pub trace: bool,
}

impl Default for Decoding {
    fn default() -> Self {
        Self {
            beams: 0,
            best: 1,
            length_penalty: None,
            max_new_tokens: 0,
            force_tokens: None,
            no_repeat_ngram: 0,
            piece_tokens: 0,
            guard: true,
            trace: false,
        }
    }
}

/// A hypothesis with what was kept of its search.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The hypothesis.
    pub hypothesis: Hypothesis,
    /// Its tokens without the start token, pieces one after the other.
    pub ids: Vec<u32>,
    /// What it was ranked by; see [`Found::score`]. Of pieces the sum.
    pub score: f32,
    /// Which source tokens its tokens attended to, where asked for.
    pub trace: Option<Trace>,
}

/// Translates with an encoder-decoder model.
pub struct Seq2SeqEngine<S> {
    model: S,
    tokenizer: Box<dyn PairTokenizer>,
    generation: Generation,
    facts: Facts,
    room: Room,
    /// Most tokens of a target, the start token included, where somebody set that.
    max_length: Option<usize>,
}

impl<S> std::fmt::Debug for Seq2SeqEngine<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seq2SeqEngine").field("facts", &self.facts).field("generation", &self.generation).finish()
    }
}

impl<S: Stepper> Seq2SeqEngine<S> {
    /// Puts an engine together.
    pub fn new(model: S, tokenizer: Box<dyn PairTokenizer>, generation: Generation, facts: Facts) -> Self {
        let room = Room { max_source: facts.max_source.unwrap_or(usize::MAX), ..Room::default() };
        Self { model, tokenizer, generation, facts, room, max_length: None }
    }

    /// Changes how much is worked on at once. What comes out does not depend on it.
    pub fn set_room(&mut self, room: Room) {
        self.room = Room { max_source: self.facts.max_source.unwrap_or(usize::MAX), ..room };
    }

    /// Sets what goes before the checkpoint's own settings.
    ///
    /// # Errors
    /// In a few words, which of them the model cannot keep to; nothing is changed then.
    pub fn set_generation(&mut self, overrides: &Overrides) -> Result<(), String> {
        if let (Some(length), Some(positions)) = (overrides.max_length, self.facts.max_target)
            && length > positions
        {
            return Err(format!("max_length {length} is set, and the model has {positions} positions"));
        }
        let generation = &mut self.generation;
        generation.num_beams = overrides.num_beams.unwrap_or(generation.num_beams).max(1);
        generation.length_penalty = overrides.length_penalty.unwrap_or(generation.length_penalty);
        generation.no_repeat_ngram_size = overrides.no_repeat_ngram_size.unwrap_or(generation.no_repeat_ngram_size);
        generation.max_length = overrides.max_length.unwrap_or(generation.max_length);
        self.max_length = overrides.max_length.or(self.max_length);
        Ok(())
    }

    /// Returns the model.
    pub fn model(&self) -> &S {
        &self.model
    }

    /// Returns the tokens.
    pub fn tokenizer(&self) -> &dyn PairTokenizer {
        &*self.tokenizer
    }

    /// Returns what the checkpoint says of decoding.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// Translates lines, one hypothesis each, in order. `progress` counts lines; the caller starts and ends its task.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or the first error of model or search: no line is silently left out.
    pub fn best(&self, lines: &[&str], how: &Decoding, progress: &dyn Progress) -> Result<Vec<Hypothesis>, Error> {
        let how = Decoding { best: 1, ..how.clone() };
        let decoded = self.decode(lines, &how, progress)?;
        decoded.into_iter().map(|found| Ok(found?.swap_remove(0).hypothesis)).collect()
    }

    /// Translates texts; for each of them the best hypotheses, at least one, or why it alone failed.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or the model's error where growing failed.
    pub fn decode(
        &self,
        texts: &[&str],
        how: &Decoding,
        progress: &dyn Progress,
    ) -> Result<Vec<Result<Vec<Decoded>, Error>>, Error> {
        let rules = self.rules(how);
        let most = self.piece_limit(how.piece_tokens);
        // The empty text has the special tokens alone.
        let special = self.tokenizer.encode("").len();
        let count = |text: &str| self.tokenizer.encode(text).len().saturating_sub(special);
        let parts: Vec<Vec<Vec<u32>>> = texts
            .iter()
            .map(|text| {
                let pieces = pieces(text, most.saturating_sub(special).max(1), &count);
                let read = pieces.into_iter().filter(|piece| has_ink(piece));
                let ids = read.map(|piece| self.tokenizer.encode(piece));
                // What is no token in this vocabulary: a model makes words up for a source without any.
                ids.filter(|ids| ids.len() > special).collect()
            })
            .collect();
        let sources: Vec<Source<'_>> =
            parts.iter().flatten().map(|ids| Source { ids, lengths: self.lengths(ids.len(), how) }).collect();
        let scaled = Scaled { progress, texts: texts.len() as u64, pieces: sources.len().max(1) as u64 };
        let mut found = search(&self.model, &sources, &rules, &self.room, &scaled)?.into_iter();
        let origin = |rank: usize| if rules.beams == 1 { "greedy".to_owned() } else { format!("beam:{rank}") };
        let decoded = parts.iter().map(|parts| {
            // All of them are taken from the iterator, whichever fails.
            let found: Vec<Result<Vec<Found>, Error>> = found.by_ref().take(parts.len()).collect();
            let found: Vec<Vec<Found>> = found.into_iter().collect::<Result<_, _>>()?;
            let ranks = found.iter().map(Vec::len).max().unwrap_or(1);
            Ok((0..ranks).map(|rank| self.joined(parts, &found, rank, origin(rank), how.trace)).collect())
        });
        Ok(decoded.collect())
    }

    /// Puts the hypotheses of a text's pieces together: of each that of this rank, or its last.
    fn joined(&self, parts: &[Vec<u32>], found: &[Vec<Found>], rank: usize, origin: String, trace: bool) -> Decoded {
        let chosen: Vec<&Found> = found.iter().filter_map(|found| found.get(rank).or(found.last())).collect();
        let texts: Vec<String> = chosen.iter().map(|found| self.tokenizer.decode(&found.ids)).collect();
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        let ids = chosen.iter().flat_map(|found| found.ids.iter().copied()).collect::<Vec<u32>>();
        let sum: f32 = chosen.iter().map(|found| found.log_probability).sum();
        let finishes = [Finish::Loop, Finish::Length];
        let finish = finishes.into_iter().find(|finish| chosen.iter().any(|found| found.finish == *finish));
        let hypothesis = Hypothesis {
            text: texts.join(" "),
            log_probability: sum / ids.len().max(1) as f32,
            tokens: ids.len(),
            finish: finish.unwrap_or(Finish::Stop),
            origin: if parts.is_empty() { "empty".to_owned() } else { origin },
        };
        let trace = trace.then(|| Trace::new(&*self.tokenizer, parts, &chosen));
        Decoded { hypothesis, ids, score: chosen.iter().map(|found| found.score).sum(), trace }
    }

    fn rules(&self, how: &Decoding) -> Rules {
        let mut rules = Rules::new(&self.generation);
        let beams = if how.beams > 0 { how.beams } else { rules.beams };
        rules.best = how.best.max(1);
        rules.beams = beams.max(rules.best);
        rules.length_penalty = how.length_penalty.unwrap_or(rules.length_penalty);
        if how.no_repeat_ngram > 0 {
            rules.no_repeat_ngram = how.no_repeat_ngram;
        }
        rules.guard = how.guard && how.force_tokens.is_none();
        rules.attention = how.trace;
        rules
    }

    /// Most tokens of a piece, special ones included; `wanted` is 0 where nothing is asked for.
    fn piece_limit(&self, wanted: usize) -> usize {
        self.room.max_source.min(if wanted > 0 { wanted } else { SOFT_LIMIT })
    }

    fn lengths(&self, source_tokens: usize, how: &Decoding) -> Lengths {
        let most = self.facts.max_target.unwrap_or(usize::MAX).min(self.max_length.unwrap_or(usize::MAX)).max(2);
        let new = match (how.force_tokens, how.max_new_tokens) {
            (Some(exactly), _) => exactly,
            (None, 0) => TOKENS_A_SOURCE_TOKEN * source_tokens + SPARE_TOKENS,
            (None, most) => most,
        };
        let max = new.saturating_add(1).clamp(2, most);
        Lengths { min_new: how.force_tokens.map_or(0, |exactly| exactly.min(max - 1)), max }
    }
}

impl<S: Stepper + Send> Engine for Seq2SeqEngine<S> {
    fn translate(&mut self, batch: &Batch, params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error> {
        self.translate_watched(batch, params, &Silent)
    }

    fn translate_watched(
        &mut self,
        batch: &Batch,
        params: &DecodeParams,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Hypothesis>>, Error> {
        let usual = self.generation.num_beams.max(1);
        let wanted = (params.greedy + params.samples).max(1);
        // There is nothing random in beam search: what samples are for, other ways to say it, a wider beam finds. Without
        // them the search is the model's own, however many hypotheses it has.
        let beams = if params.samples > 0 { wanted.max(2 * usual) } else { usual };
        let best = wanted.min(beams);
        let how = Decoding {
            beams,
            best,
            max_new_tokens: params.max_new_tokens,
            no_repeat_ngram: params.no_repeat_ngram,
            ..Decoding::default()
        };
        let texts: Vec<&str> = batch.requests.iter().map(|request| request.source.as_str()).collect();
        let mut decoded = self.decode(&texts, &how, progress)?;
        if let Some(all_failed) = decoded.iter().all(Result::is_err).then(|| decoded.pop()).flatten() {
            return all_failed.map(|_| Vec::new());
        }
        let hypotheses = decoded.into_iter().map(|found| match found {
            Ok(found) => found.into_iter().map(|decoded| decoded.hypothesis).collect(),
            // A text that fails alone must not lose the others; an empty translation is flagged.
            Err(_) => vec![Hypothesis {
                text: String::new(),
                log_probability: f32::NEG_INFINITY,
                tokens: 0,
                finish: Finish::Length,
                origin: "none".into(),
            }],
        });
        Ok(hypotheses.collect())
    }

    fn source_tokens(&self, text: &str) -> usize {
        self.tokenizer.encode(text).len()
    }

    /// The limits of one call of the model; longer texts are translated in pieces, and any number of them at once.
    fn limits(&self) -> Limits {
        Limits { max_source_tokens: self.room.max_source, max_batch_tokens: self.room.source_tokens }
    }

    fn fingerprint(&self) -> Fingerprint {
        let Generation { num_beams, length_penalty, no_repeat_ngram_size, .. } = &self.generation;
        let mut decoding = format!("{}, {num_beams} beams, length penalty {length_penalty}", self.facts.precision);
        if *no_repeat_ngram_size > 0 {
            decoding.push_str(&format!(", no {no_repeat_ngram_size} tokens twice"));
        }
        if let Some(length) = self.max_length {
            decoding.push_str(&format!(", at most {length} tokens"));
        }
        decoding.push_str(&format!(", pieces of {} ({DECODING})", self.piece_limit(0)));
        Fingerprint { model: self.facts.model.clone(), revision: self.facts.revision.clone(), decoding }
    }

    fn approach(&self) -> Approach {
        Approach::Beams
    }

    fn raw(&mut self, lines: &[&str], options: &RawOptions, progress: &dyn Progress) -> Result<Vec<Hypothesis>, Error> {
        let how =
            Decoding { beams: options.beams.unwrap_or(0), force_tokens: options.force_tokens, ..Decoding::default() };
        self.best(lines, &how, progress)
    }

    fn identify(&mut self, model: &str, revision: &str) {
        model.clone_into(&mut self.facts.model);
        revision.clone_into(&mut self.facts.revision);
    }
}

/// Turns a count of pieces into one of texts.
struct Scaled<'p> {
    progress: &'p dyn Progress,
    texts: u64,
    pieces: u64,
}

impl Progress for Scaled<'_> {
    fn advanced(&self, done: u64) {
        self.progress.advanced(done * self.texts / self.pieces);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}

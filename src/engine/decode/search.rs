//! Decodes many sources together: who is read when, who grows together, on how many threads.
//!
//! In: a model, sources as token ids, the rules and the room there is. Out: the hypotheses of every source, in the order
//! of the sources. What happens to one source is [`super::beam`]'s, and does not depend on its neighbours. Sources are
//! taken longest first, so that neighbours are alike and the last to finish are short ones; one that is finished leaves at
//! once, and waiting ones take its rows.
//!
//! Where there are enough sources every thread runs a model of its own over the same weights: threads that wait for each
//! other in every layer lose more than the larger batch gains.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::beam::{Beam, Found, Status};
use super::rules::{Lengths, Rules};
use super::step::{Step, Stepper, Threads};
use crate::engine::{Error, Finish};
use crate::progress::Progress;

/// Waiting sources enter in groups of at least this many, so that the encoder's weights are not read for each.
const GROUP: usize = 4;
/// Most sources that are read in one call: bounds the encoder's memory.
const MAX_READ: usize = 16;
/// With fewer sources a thread, all threads work on one batch.
const SOURCES_A_WORKER: usize = 4;

/// A source to decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// Its ids, the end token included.
    pub ids: &'a [u32],
    /// How long its targets may be.
    pub lengths: Lengths,
}

/// How much is worked on at once. What comes out does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Most hypotheses that grow at once, over all workers; one source always fits.
    pub rows: usize,
    /// Most source tokens that are held at once, over all workers; one source always fits.
    pub source_tokens: usize,
    /// Longest source that the model takes.
    pub max_source: usize,
    /// How many workers share the sources; none lets their number and that of the pool's threads decide.
    pub workers: Option<usize>,
}

impl Default for Room {
    /// 128 rows: 32 sources of 4 beams, more of which no longer makes the weights' way from memory cheaper. 8192 source tokens:
    /// 128 sentences of news, so that greedy search, too, has its rows (measured: a quarter faster than with 4096).
    fn default() -> Self {
        Self { rows: 128, source_tokens: 8192, max_source: usize::MAX, workers: None }
    }
}

/// Decodes sources. Returns for each the hypotheses asked for, best first and at least one, or why it alone failed.
///
/// `progress` learns how many sources are done, and is asked in every step whether to stop.
///
/// # Errors
/// [`Error::Cancelled`], or the model's error where growing failed. A source that is empty, too long, cannot be read or
/// has no hypothesis fails alone.
pub fn search<S: Stepper>(
    model: &S,
    sources: &[Source<'_>],
    rules: &Rules,
    room: &Room,
    progress: &dyn Progress,
) -> Result<Vec<Result<Vec<Found>, Error>>, Error> {
    let mut results: Vec<Option<Result<Vec<Found>, Error>>> = sources
        .iter()
        .map(|source| match source.ids.len() {
            0 => Some(Err(Error::EmptyPrompt)),
            tokens if tokens > room.max_source => Some(Err(Error::TooLong { tokens, limit: room.max_source })),
            _ => None,
        })
        .collect();
    let mut order: Vec<usize> = (0..sources.len()).filter(|&i| results[i].is_none()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(sources[i].ids.len()), i));
    let done = sources.len() - order.len();
    let workers = room.workers.unwrap_or_else(|| match rayon::current_num_threads() {
        threads if order.len() >= SOURCES_A_WORKER * threads => threads,
        _ => 1,
    });
    let workers = workers.clamp(1, order.len().max(1));
    let waiting = order.iter().map(|&index| Job { index, looped: None }).collect();
    let state = State { waiting, unfinished: order.len(), results: std::mem::take(&mut results), done, failed: None };
    let desk =
        Desk { model, sources, rules, room, progress, workers, state: Mutex::new(state), stop: AtomicBool::new(false) };
    // On a thread of the pool even where there is one worker: the kernels' threads are then quicker to wake.
    rayon::scope(|scope| {
        if workers == 1 {
            desk.work(Threads::All);
        } else {
            for _ in 0..workers {
                scope.spawn(|_| desk.work(Threads::One));
            }
        }
    });
    let state = desk.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.failed {
        Some(error) => Err(error),
        None => Ok(state.results.into_iter().map(|result| result.unwrap_or(Err(Error::Cancelled))).collect()),
    }
}

/// A source that waits.
struct Job {
    index: usize,
    /// What is left of its first try, which looped.
    looped: Option<Found>,
}

/// A source that is worked on.
struct Active<'r, C> {
    job: Job,
    cache: C,
    beam: Beam<'r>,
}

/// What the workers share.
struct Desk<'a, S> {
    model: &'a S,
    sources: &'a [Source<'a>],
    rules: &'a Rules,
    room: &'a Room,
    progress: &'a dyn Progress,
    workers: usize,
    state: Mutex<State>,
    stop: AtomicBool,
}

struct State {
    /// Longest first.
    waiting: VecDeque<Job>,
    /// How many sources wait or are worked on.
    unfinished: usize,
    results: Vec<Option<Result<Vec<Found>, Error>>>,
    done: usize,
    failed: Option<Error>,
}

impl<'a, S: Stepper> Desk<'a, S> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One worker: takes sources and grows them until none is left or something fails.
    fn work(&self, threads: Threads) {
        let mut active: Vec<Active<'a, S::Source>> = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let stepped = if self.progress.cancelled() {
                Err(Error::Cancelled)
            } else {
                self.admit(&mut active, threads);
                if active.is_empty() {
                    return;
                }
                self.step(&mut active, threads)
            };
            if let Err(error) = stepped {
                self.stop.store(true, Ordering::Relaxed);
                self.state().failed.get_or_insert(error);
            }
        }
    }

    /// Takes waiting sources as far as there is room.
    fn admit(&self, active: &mut Vec<Active<'a, S::Source>>, threads: Threads) {
        // A group whose sources all fail to be read leaves room for the next.
        loop {
            let jobs = self.take(active);
            if jobs.is_empty() {
                return;
            }
            let mut jobs = jobs.into_iter();
            loop {
                let group: Vec<Job> = jobs.by_ref().take(MAX_READ).collect();
                if group.is_empty() {
                    break;
                }
                self.read(group, active, threads);
            }
            if !active.is_empty() {
                return;
            }
        }
    }

    /// Takes waiting sources off the list: as many as fit, and no more than this worker's share of what is left.
    fn take(&self, active: &[Active<'a, S::Source>]) -> Vec<Job> {
        let rows = (self.room.rows / self.workers).saturating_sub(active.len() * self.rules.beams);
        let held: usize = active.iter().map(|active| self.sources[active.job.index].ids.len()).sum();
        let mut tokens = (self.room.source_tokens / self.workers).saturating_sub(held);
        let mut state = self.state();
        let waiting = state.waiting.len();
        let share = state.unfinished.div_ceil(self.workers).saturating_sub(active.len());
        let most = (rows / self.rules.beams.max(1)).min(share).min(waiting);
        let most = if active.is_empty() { most.max(1).min(waiting) } else { most };
        // Where the list is dealt out to the end, each worker gets long and short ones.
        let stride = if most * self.workers >= waiting { waiting / most.max(1) } else { 1 };
        let mut picked = Vec::new();
        for place in (0..most).map(|i| i * stride) {
            let length = self.sources[state.waiting[place].index].ids.len();
            if length > tokens && !(active.is_empty() && picked.is_empty()) {
                break;
            }
            tokens = tokens.saturating_sub(length);
            picked.push(place);
        }
        if !active.is_empty() && picked.len() < GROUP.min(waiting.div_ceil(self.workers)) {
            return Vec::new();
        }
        let mut jobs: Vec<Job> = picked.iter().rev().filter_map(|&place| state.waiting.remove(place)).collect();
        jobs.reverse();
        jobs
    }

    /// Reads sources; where they cannot be read together, one by one, so that a bad one does not take the others along.
    fn read(&self, jobs: Vec<Job>, active: &mut Vec<Active<'a, S::Source>>, threads: Threads) {
        let ids: Vec<&[u32]> = jobs.iter().map(|job| self.sources[job.index].ids).collect();
        let together = self.model.read(&ids, threads).ok().filter(|caches| caches.len() == jobs.len());
        let caches: Vec<Result<S::Source, Error>> = match together {
            Some(caches) => caches.into_iter().map(Ok).collect(),
            None => ids
                .iter()
                .map(|&ids| self.model.read(&[ids], threads)?.into_iter().next().ok_or(Error::EmptyPrompt))
                .collect(),
        };
        for (job, cache) in jobs.into_iter().zip(caches) {
            match cache {
                Ok(cache) => {
                    let beam = Beam::new(self.rules, self.sources[job.index].lengths, job.looped.is_some());
                    active.push(Active { job, cache, beam });
                }
                Err(error) => self.finish(job.index, Err(error)),
            }
        }
    }

    /// Grows all sources of a worker by one token, and lets those go that are finished.
    fn step(&self, active: &mut Vec<Active<'a, S::Source>>, threads: Threads) -> Result<(), Error> {
        let mut steps: Vec<Step<'_, S::Source>> =
            active.iter_mut().map(|active| Step { source: &mut active.cache, grow: active.beam.grow() }).collect();
        let scored = self.model.step(&mut steps, &self.rules.want(), threads)?;
        let mut rest = scored.as_slice();
        let mut still = Vec::with_capacity(active.len());
        for mut source in active.drain(..) {
            let (own, others) = rest.split_at(source.beam.grow().len().min(rest.len()));
            rest = others;
            match source.beam.advance(own) {
                Status::Live => still.push(source),
                Status::Over => self.over(source.job, &source.beam),
                Status::Looping => match (source.job.looped, source.beam.before_loop()) {
                    (None, Some(left)) => {
                        let again = Job { index: source.job.index, looped: Some(left) };
                        self.state().waiting.push_front(again);
                    }
                    (first, second) => {
                        let found = first.or(second).into_iter().collect();
                        self.finish(source.job.index, Ok(found));
                    }
                },
            }
        }
        *active = still;
        Ok(())
    }

    /// Finishes a source whose search is over.
    fn over(&self, job: Job, beam: &Beam<'_>) {
        let found = beam.found();
        let result = match (job.looped, found.first()) {
            // Kept from looping, a model that does not end by itself wanders: the first try's text is the better one.
            (Some(left), best) if best.is_none_or(|best| best.finish != Finish::Stop) => Ok(vec![left]),
            (_, None) => Err(Error::NoHypothesis),
            _ => Ok(found),
        };
        self.finish(job.index, result);
    }

    fn finish(&self, index: usize, result: Result<Vec<Found>, Error>) {
        let mut state = self.state();
        state.results[index] = Some(result);
        state.unfinished -= 1;
        state.done += 1;
        // Under the lock, so that the count never runs backwards.
        self.progress.advanced(state.done as u64);
    }
}

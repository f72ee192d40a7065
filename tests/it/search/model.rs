//! A model that is a table: what comes next is a hash of the source and of what was written.

use std::sync::Mutex;

use mujaz::engine::Error;
use mujaz::engine::decode::step::{Scored, Step, Stepper, Threads, Want};

/// Rounded probabilities are multiples of one over this.
const GRAIN: f64 = 1024.0;

/// A model without weights.
#[derive(Debug)]
pub struct Table {
    pub vocabulary: u32,
    pub seed: u64,
    pub eos: Vec<u32>,
    /// Added to the logit of every end token.
    pub eos_bias: f64,
    /// How many of the last tokens matter; with few, hypotheses loop.
    pub memory: usize,
    /// Whether probabilities are rounded, so that their sums are exact and equal sums are common.
    pub rounded: bool,
    /// Ids from here on cannot be read.
    pub unreadable: u32,
    pub seen: Mutex<Seen>,
}

/// What calls asked for; the most hypotheses and source tokens of those with several sources.
#[derive(Debug, Default)]
pub struct Seen {
    pub rows: usize,
    pub source_tokens: usize,
    pub reads: usize,
    pub single_threaded: bool,
}

#[derive(Debug)]
pub struct Cache {
    source: Vec<u32>,
    /// Each with the start token; empty before the first step.
    hypotheses: Vec<Vec<u32>>,
}

impl Table {
    pub fn new(vocabulary: u32, seed: u64, eos: &[u32]) -> Self {
        Self {
            vocabulary,
            seed,
            eos: eos.to_vec(),
            eos_bias: 0.0,
            memory: usize::MAX,
            rounded: true,
            unreadable: u32::MAX,
            seen: Mutex::default(),
        }
    }

    /// A log-probability as the search gets it.
    pub fn scored(&self, probability: f64) -> f32 {
        if self.rounded { ((probability * GRAIN).round() / GRAIN) as f32 } else { probability as f32 }
    }

    /// The logits of all tokens behind `prefix` (the start token included).
    pub fn logits(&self, source: &[u32], prefix: &[u32]) -> Vec<f64> {
        let from = prefix.len().saturating_sub(self.memory);
        let mut state = self.seed;
        for &id in source.iter().chain([&u32::MAX]).chain(&prefix[from..]) {
            state = mix(state ^ u64::from(id));
        }
        let logit = |id: u32| {
            let random = (mix(state ^ (u64::from(id) << 32) ^ 1) >> 11) as f64 / (1u64 << 53) as f64;
            random * 5.0 + if self.eos.contains(&id) { self.eos_bias } else { 0.0 }
        };
        (0..self.vocabulary).map(logit).collect()
    }
}

/// Log-probabilities over the tokens that `counts` names, unrounded.
pub fn log_softmax(logits: &[f64], counts: impl Fn(usize) -> bool) -> Vec<f64> {
    let sum: f64 = (0..logits.len()).filter(|&i| counts(i)).map(|i| logits[i].exp()).sum();
    logits.iter().map(|logit| logit - sum.ln()).collect()
}

/// The finaliser of splitmix64.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Stepper for Table {
    type Source = Cache;

    fn read(&self, sources: &[&[u32]], _threads: Threads) -> Result<Vec<Cache>, Error> {
        self.seen.lock().unwrap().reads += 1;
        if sources.iter().any(|source| source.is_empty() || source.iter().any(|&id| id >= self.unreadable)) {
            return Err(Error::EmptyPrompt);
        }
        Ok(sources.iter().map(|source| Cache { source: source.to_vec(), hypotheses: Vec::new() }).collect())
    }

    fn step(&self, steps: &mut [Step<'_, Cache>], want: &Want<'_>, threads: Threads) -> Result<Vec<Scored>, Error> {
        {
            let mut seen = self.seen.lock().unwrap();
            if steps.len() > 1 {
                seen.rows = seen.rows.max(steps.iter().map(|step| step.grow.len()).sum());
                seen.source_tokens = seen.source_tokens.max(steps.iter().map(|step| step.source.source.len()).sum());
            }
            seen.single_threaded |= threads == Threads::One;
        }
        let ascending = |ids: &[u32]| ids.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(ascending(want.banned));
        let mut all = Vec::new();
        for step in steps {
            let first = step.source.hypotheses.is_empty();
            assert!(!step.grow.is_empty(), "a source without live hypotheses leaves");
            let grown: Vec<Vec<u32>> = step
                .grow
                .iter()
                .map(|growth| {
                    let mut prefix = if first { Vec::new() } else { step.source.hypotheses[growth.parent].clone() };
                    assert!(!first || (growth.parent == 0 && step.grow.len() == 1));
                    prefix.push(growth.token);
                    prefix
                })
                .collect();
            for (growth, prefix) in step.grow.iter().zip(&grown) {
                assert!(ascending(&growth.banned));
                let banned = |i: usize| {
                    want.banned.binary_search(&(i as u32)).is_ok() || growth.banned.binary_search(&(i as u32)).is_ok()
                };
                let logits = self.logits(&step.source.source, prefix);
                let probabilities = log_softmax(&logits, |i| !want.renormalize || !banned(i));
                let mut top: Vec<(u32, f32)> = (0..logits.len())
                    .filter(|&i| !banned(i))
                    .map(|i| (i as u32, self.scored(probabilities[i])))
                    .collect();
                top.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                top.truncate(want.top);
                // Recognisable by the prefix that it belongs to.
                let attention = if want.attention {
                    vec![prefix.len() as f32, prefix[prefix.len() - 1] as f32]
                } else {
                    Vec::new()
                };
                all.push(Scored { top, attention });
            }
            step.source.hypotheses = grown;
        }
        Ok(all)
    }
}

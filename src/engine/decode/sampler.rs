//! Picks one token from logits: the best one, or one drawn at random.
//!
//! In: logits of one hypothesis. Out: an index. The drawing itself (softmax with temperature, nucleus, weighted choice) is
//! candle-transformers' [`LogitsProcessor`]; here it gets the few hundred logits that matter instead of all of them.

use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;

use crate::engine::{Error, simd};

/// Most logits that are drawn from: the k of top-k. Sorting all of a large vocabulary would take longer than the model.
const CANDIDATES: usize = 512;
/// How much less likely than the best token a token may be and still be drawn.
const MIN_RATIO: f64 = 1e-6;

/// How to pick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The most likely token; of equal ones the first.
    Greedy,
    /// A random token.
    Random {
        /// Softmax temperature, above 0.
        temperature: f64,
        /// Nucleus mass, 0 to 1.
        top_p: f64,
        /// Seed; see [`seed`].
        seed: u64,
    },
}

/// Derives the seed of one hypothesis from what identifies it, so that it does not depend on the batch it is decoded in.
pub fn seed(base: u64, source: &str, hypothesis: usize) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&base.to_le_bytes());
    hasher.update(&(hypothesis as u64).to_le_bytes());
    hasher.update(source.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Picks the tokens of one hypothesis.
pub struct Sampler {
    random: Option<(LogitsProcessor, f64)>,
    candidates: Vec<u32>,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("random", &self.random.is_some()).finish()
    }
}

impl Sampler {
    /// Makes a sampler.
    pub fn new(sampling: Sampling) -> Self {
        let random = match sampling {
            Sampling::Greedy => None,
            Sampling::Random { temperature, .. } if temperature < 1e-7 => None,
            Sampling::Random { temperature, top_p, seed } => {
                Some((LogitsProcessor::new(seed, Some(temperature), Some(top_p)), temperature))
            }
        };
        Self { random, candidates: Vec::new() }
    }

    /// Picks an index.
    ///
    /// # Errors
    /// Where candle cannot draw, which means that logits are not numbers.
    pub fn pick(&mut self, logits: &[f32]) -> Result<usize, Error> {
        let top = simd::max(logits);
        let Some((processor, temperature)) = &mut self.random else {
            return Ok(logits.iter().position(|&logit| logit == top).unwrap_or(0));
        };
        let floor = top + (*temperature * MIN_RATIO.ln()) as f32;
        let candidates = &mut self.candidates;
        candidates.clear();
        candidates.extend((0u32..).zip(logits).filter(|&(_, &logit)| logit >= floor).map(|(i, _)| i));
        if candidates.len() > CANDIDATES {
            let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
            candidates.select_nth_unstable_by(CANDIDATES, by_logit);
            candidates.truncate(CANDIDATES);
            candidates.sort_unstable();
        }
        let few: Vec<f32> = candidates.iter().map(|&i| logits[i as usize]).collect();
        let picked = processor.sample(&Tensor::new(few, &Device::Cpu)?)?;
        Ok(candidates.get(picked as usize).map_or(0, |&index| index as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_takes_the_first_of_the_best() {
        let mut sampler = Sampler::new(Sampling::Greedy);
        assert_eq!(sampler.pick(&[0.0, 3.0, -1.0, 3.0]).unwrap(), 1);
    }

    #[test]
    fn drawing_is_seeded_and_keeps_to_the_nucleus() {
        let logits: Vec<f32> =
            (0..2000).map(|i| if i == 700 || i == 1300 { 9.0 } else { (i % 7) as f32 * 0.1 }).collect();
        let draw = |seed| {
            let mut sampler = Sampler::new(Sampling::Random { temperature: 1.0, top_p: 0.6, seed });
            (0..20).map(|_| sampler.pick(&logits).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(draw(seed(1, "خبر", 0)), draw(seed(1, "خبر", 0)));
        assert_ne!(draw(seed(1, "خبر", 0)), draw(seed(1, "خبر", 1)));
        assert!(draw(3).iter().all(|&i| i == 700 || i == 1300));
    }
}

//! How the rounds of a translation decode, for each kind of engine.
//!
//! In: an engine's [`Approach`]. Out: the [`Plan`]. Carrying it out is [`super::rounds`]'s.

use super::choose::Preference;
use crate::engine::{Approach, DecodeParams};

/// With prompts, a segment of more characters is also translated clause by clause, whatever the checks say of the whole:
/// a small prompted model sums long sentences up rather than translating them.
const LONG: usize = 200;

/// What the rounds decode with.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Every segment.
    pub first: DecodeParams,
    /// Segments that failed their checks.
    pub retry: DecodeParams,
    /// The clauses of segments that failed again.
    pub split: DecodeParams,
    /// Segments of more characters are split even where they passed.
    pub long: usize,
    /// Which of several hypotheses is taken.
    pub preference: Preference,
}

impl Plan {
    /// Returns the plan for a kind of engine.
    pub fn of(approach: Approach) -> Self {
        let steered = DecodeParams { constrained: true, ..DecodeParams::default() };
        match approach {
            Approach::Prompts => Self {
                first: DecodeParams { greedy: 2, samples: 6, temperature: 0.5, top_p: 0.9, seed: 1, ..steered.clone() },
                retry: DecodeParams {
                    greedy: 0,
                    samples: 4,
                    temperature: 0.8,
                    top_p: 0.95,
                    seed: 2,
                    ..steered.clone()
                },
                split: DecodeParams { greedy: 1, samples: 4, temperature: 0.5, top_p: 0.9, seed: 3, ..steered },
                long: LONG,
                preference: Preference::Score,
            },
            // The first round is the model's own search, its beams included; only what fails is worth a wider one, in which
            // no eight tokens come twice: long names may, clauses not. A model trained on sentences does not sum long ones up.
            Approach::Beams => Self {
                first: DecodeParams { greedy: 4, ..steered.clone() },
                retry: DecodeParams { greedy: 0, samples: 8, no_repeat_ngram: 8, ..steered.clone() },
                split: DecodeParams { greedy: 4, ..steered },
                long: usize::MAX,
                preference: Preference::Rank,
            },
        }
    }
}

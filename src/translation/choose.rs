//! Ranks the hypotheses of a segment by what they keep of the source.
//!
//! In: a source, its hypotheses, a checker. Out: a score for each, and the best with its verdicts. The weights say what
//! an analyst would rather have: a clumsy sentence with the right names before a fluent one about another country.
//! Source: reranking by features as in n-best reranking for statistical translation (Och et al. 2004), with weights set
//! by hand on the order of harm, not fitted to a test set.

use crate::check::{Check, Checker, Facts, Verdict};
use crate::engine::{Finish, Hypothesis};
use crate::glossary::Glossary;

/// Characters of English for one of Arabic in human news translation (NTREX-128: median 1.2).
const EXPECTED_LENGTH_RATIO: f32 = 1.2;

/// A hypothesis with its judgement.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The hypothesis.
    pub hypothesis: Hypothesis,
    /// What the checks found wrong.
    pub verdicts: Vec<Verdict>,
    /// Higher is better; comparable only among hypotheses of one source.
    pub score: f32,
}

/// Judges one hypothesis.
pub fn judge(checker: &Checker, source: &str, mut hypothesis: Hypothesis) -> Judged {
    hypothesis.text = capitalised(&hypothesis.text);
    let (mut verdicts, facts) = checker.verdicts_and_facts(source, &hypothesis.text);
    if hypothesis.finish != Finish::Stop && verdicts.is_empty() {
        let check = if hypothesis.finish == Finish::Loop { Check::Repetition } else { Check::Omission };
        verdicts.push(Verdict { check, detail: "the model did not end the sentence by itself".into() });
    }
    let score = score(checker.glossary, source, &hypothesis, &verdicts, &facts);
    Judged { hypothesis, verdicts, score }
}

/// Begins a sentence with a capital, whatever small models do.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// Returns the best of several; of equals the first.
pub fn best(judged: Vec<Judged>) -> Option<Judged> {
    judged.into_iter().reduce(|best, next| if next.score > best.score { next } else { best })
}

fn score(glossary: &Glossary, source: &str, hypothesis: &Hypothesis, verdicts: &[Verdict], facts: &Facts) -> f32 {
    let target = hypothesis.text.as_str();
    let share = |kept: usize, all: usize| if all == 0 { 1.0 } else { kept as f32 / all as f32 };
    let (words, words_kept) = terms_kept(glossary, source, target);
    let length = target.chars().count().max(1) as f32 / source.chars().count().max(1) as f32;
    let mut score = 2.5 * share(facts.names_kept, facts.names)
        + 1.5 * share(facts.numbers_kept, facts.numbers)
        + 1.0 * share(words_kept, words)
        + 1.0 * hypothesis.log_probability
        - 0.7 * (length / EXPECTED_LENGTH_RATIO).ln().abs();
    score -= 0.6 * (facts.names_invented.len() + facts.numbers_invented.len() + facts.strangers.len()) as f32;
    for verdict in verdicts {
        score -= match verdict.check {
            Check::Empty => 10.0,
            Check::Repetition | Check::Untranslated => 3.0,
            Check::Unrelated => 2.0,
            Check::Numbers | Check::Names => 1.2,
            Check::Omission | Check::Negation => 1.0,
        };
    }
    match hypothesis.finish {
        Finish::Stop => score,
        Finish::Length => score - 1.0,
        Finish::Loop => score - 3.0,
    }
}

/// Counts the glossary's terms in the source that are words rather than names, and how many the target renders.
fn terms_kept(glossary: &Glossary, source: &str, target: &str) -> (usize, usize) {
    let mut all = 0;
    let mut kept = 0;
    for matched in glossary.matches(source) {
        if !matched.entry.category.is_name() {
            all += 1;
            kept += usize::from(glossary.renders(matched.entry, target));
        }
    }
    (all, kept)
}

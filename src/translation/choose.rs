//! Ranks the hypotheses of a segment by what they keep of the source.
//!
//! In: a source, its hypotheses in the engine's order, a checker. Out: each with its verdicts and a score, and the best by
//! one of two rules ([`Preference`]). Source of the score: reranking by features as in n-best reranking for statistical
//! translation (Och et al. 2004), with weights set by hand on the order of harm, not fitted to a test set: a clumsy
//! sentence with the right names before a fluent one about another country.

use crate::check::{Check, Checker, Facts, Verdict};
use crate::engine::{Finish, Hypothesis};
use crate::glossary::Glossary;

/// Characters of English for one of Arabic in human news translation (NTREX-128: median 1.2).
const EXPECTED_LENGTH_RATIO: f32 = 1.2;

/// By what rule one hypothesis is taken before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The higher score wins: for small prompted models, whose hypotheses are draws and whose order says little.
    Score,
    /// The engine's order stands: a later hypothesis is taken only where it fails fewer checks ([`Failures`]). For models
    /// trained to translate, whose search knows better than a count of names and letters which of two sentences is the
    /// better one. It ranks by its own score; probabilities a token are not compared again.
    Rank,
}

/// How many checks a hypothesis fails; fewer is better, and one grave failure is worse than any number of others. Which
/// checks they are does not count: to lose a name instead of a figure is no gain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Failures {
    /// Checks without which there is no translation: empty, in a loop, not English, about something else, cut off.
    pub grave: usize,
    /// The other checks.
    pub others: usize,
}

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

impl Judged {
    /// Counts the checks that it fails.
    pub fn failures(&self) -> Failures {
        let mut failures = Failures::default();
        for verdict in &self.verdicts {
            match verdict.check {
                Check::Empty | Check::Repetition | Check::Untranslated | Check::Unrelated => failures.grave += 1,
                Check::Numbers | Check::Names | Check::Negation | Check::Omission => failures.others += 1,
            }
        }
        failures.grave += usize::from(self.hypothesis.finish != Finish::Stop);
        failures
    }

    /// Returns whether it is to be taken in place of an earlier one.
    pub fn goes_before(&self, earlier: &Self, preference: Preference) -> bool {
        match preference {
            Preference::Score => self.score > earlier.score,
            Preference::Rank => self.failures() < earlier.failures(),
        }
    }
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

/// Returns the best of several, given in the engine's order; of equals the first.
pub fn best(judged: Vec<Judged>, preference: Preference) -> Option<Judged> {
    judged.into_iter().reduce(|best, next| if next.goes_before(&best, preference) { next } else { best })
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "وصل وزير الخارجية التونسي إلى ليبيا";

    fn judged(text: &str, log_probability: f32, finish: Finish) -> Judged {
        let hypothesis = Hypothesis { text: text.into(), log_probability, tokens: 8, finish, origin: "beam".into() };
        judge(&Checker::new(Glossary::builtin()).strict(), SOURCE, hypothesis)
    }

    fn chosen(texts: &[(&str, f32, Finish)], preference: Preference) -> String {
        let judged = texts.iter().map(|(text, likelihood, finish)| judged(text, *likelihood, *finish)).collect();
        best(judged, preference).unwrap().hypothesis.text
    }

    const GOOD: &str = "The Tunisian foreign minister arrived in Libya";
    /// As good for the checks, and nearer to what the score takes for a good length and a likely sentence.
    const LIKELIER: &str = "The foreign minister of Tunisia has now arrived in Libya";
    const NO_NAME: &str = "The Tunisian foreign minister arrived in Chad";
    const NO_OTHER_NAME: &str = "The Egyptian foreign minister arrived in Libya";
    const ARABIC: &str = "وصل وزير الخارجية التونسي إلى ليبيا";

    #[test]
    fn the_models_own_best_stands_where_nothing_is_wrong_with_it() {
        let texts = [(GOOD, -3.0, Finish::Stop), (LIKELIER, -0.1, Finish::Stop)];
        assert_eq!(chosen(&texts, Preference::Rank), GOOD);
        assert_eq!(chosen(&texts, Preference::Score), LIKELIER, "the score would have it otherwise");
    }

    #[test]
    fn a_check_that_it_fails_and_another_passes_overrides_it() {
        let texts = [(NO_NAME, -0.1, Finish::Stop), (GOOD, -3.0, Finish::Stop), (LIKELIER, -0.1, Finish::Stop)];
        assert_eq!(chosen(&texts, Preference::Rank), GOOD, "the first in the search's order that passes");
        let cut = [(GOOD, -0.1, Finish::Length), (LIKELIER, -0.2, Finish::Stop)];
        assert_eq!(chosen(&cut, Preference::Rank), LIKELIER, "one that was cut off fails too");
    }

    #[test]
    fn one_failure_in_place_of_another_is_no_reason() {
        let texts = [(NO_NAME, -0.3, Finish::Stop), (NO_OTHER_NAME, -0.1, Finish::Stop)];
        assert_eq!(judged(NO_NAME, 0.0, Finish::Stop).failures(), judged(NO_OTHER_NAME, 0.0, Finish::Stop).failures());
        assert_eq!(chosen(&texts, Preference::Rank), NO_NAME);
        let grave = [(ARABIC, -0.1, Finish::Stop), (NO_NAME, -4.0, Finish::Stop)];
        assert_eq!(chosen(&grave, Preference::Rank), NO_NAME, "a lost name is better than no English");
    }
}

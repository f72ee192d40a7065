//! Bullets worded by an instruct model from their evidence, each held to the contract.
//!
//! In: drafts (evidence with its extractive wording) and a [`Generator`]. Out: one bullet a draft, in order; where the
//! model fails or breaks the contract, the extractive one with the reason. The model sees the evidence in English only:
//! the open instruct models that are small enough write English far better than they read Arabic.

use super::contract::{Contract, Violation};
use super::{Bullet, Draft, Origin, extractive_bullet};
use crate::check::Checker;
use crate::engine::{DecodeParams, Generator};

/// What the model is told; a worked example shows the form. The example's facts are made up and share nothing with news,
/// so that what leaks from it is caught as a name or figure that the evidence lacks.
const SYSTEM: &str = "You write one bullet of a news brief. Answer with one line and nothing else: a label of two to \
five words, a colon, then one or two short sentences. Say only what the evidence says: no other names, no other \
numbers, no opinion. Say who said or did it.\n\
Example evidence: The harbour office of Port Ellery said on Friday that it would close the old bridge for repairs, and \
that 14 buses would carry passengers across the river.\n\
Example answer: Bridge repairs: The harbour office of Port Ellery said it would close the old bridge for repairs. \
Passengers will be carried across the river by 14 buses.";

/// Most new tokens of an answer: two sentences of thirty words, with room to spare.
const MOST_NEW_TOKENS: usize = 120;

/// Words each draft with the model.
pub(super) fn bullets(drafts: &[Draft], generator: &mut dyn Generator, checker: &Checker) -> Vec<Bullet> {
    let prompts: Vec<String> =
        drafts.iter().map(|draft| generator.chat_prompt(SYSTEM, &format!("Evidence: {}", draft.target()))).collect();
    let (shared, items) = split_shared(&prompts);
    let params = DecodeParams { samples: 0, greedy: 1, max_new_tokens: MOST_NEW_TOKENS, ..DecodeParams::default() };
    let answers = match generator.generate(&shared, &items, &["\n"], &params) {
        Ok(answers) => answers,
        Err(error) => {
            let fallback = |draft| extractive_bullet(draft, Origin::FallbackExtractive(error.to_string()));
            return drafts.iter().map(fallback).collect();
        }
    };
    let mut bullets: Vec<Bullet> = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        // Bullets that are there already, and the extractive ones that may yet come.
        let later = drafts[at + 1..].iter().map(|draft| (draft.label.as_str(), draft.statement.as_str()));
        let others: Vec<(&str, &str)> =
            bullets.iter().map(|b| (b.label.as_str(), b.statement.as_str())).chain(later).collect();
        let answer = answers.get(at).map(|hypothesis| hypothesis.text.as_str()).unwrap_or_default();
        let bullet = match accepted(answer, draft, &others, checker) {
            Ok((label, statement)) => Bullet { label, statement, ..extractive_bullet(draft, Origin::Model) },
            Err(reason) => extractive_bullet(draft, Origin::FallbackExtractive(reason)),
        };
        bullets.push(bullet);
    }
    bullets
}

/// Reads an answer and holds it to the contract; the error says what is wrong with it.
fn accepted(
    answer: &str,
    draft: &Draft,
    others: &[(&str, &str)],
    checker: &Checker,
) -> Result<(String, String), String> {
    let (label, statement) = parse(answer).ok_or("the answer is not one line of label, colon, statement")?;
    let (source, target) = (draft.source(), draft.target());
    let contract = Contract { source: &source, target: &target, others, checker };
    let violations = contract.violations(&label, &statement);
    if violations.is_empty() {
        return Ok((label, statement));
    }
    Err(violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; "))
}

/// Parses `Label: statement.`, with or without the marks of a Markdown bullet; anything else is refused.
fn parse(answer: &str) -> Option<(String, String)> {
    let mut lines = answer.lines().map(str::trim).filter(|line| !line.is_empty());
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let line = line.trim_start_matches(['-', '•', '*', ' ']);
    let (label, statement) = line.split_once(':')?;
    let label = label.trim().trim_matches('*').trim();
    let statement = statement.trim().trim_start_matches('*').trim();
    let whole = statement.ends_with(['.', '!', '?', '”', '"']);
    (whole && !label.is_empty()).then(|| (label.to_owned(), statement.to_owned()))
}

/// Splits prompts into what all of them open with, up to a line's end, and the rest of each. A line's end is where
/// tokenizers of either kind cut, so that the parts give the tokens of the whole.
fn split_shared(prompts: &[String]) -> (String, Vec<String>) {
    let Some(first) = prompts.first() else { return (String::new(), Vec::new()) };
    let mut length = first.len();
    for prompt in prompts {
        length = first.bytes().zip(prompt.bytes()).take(length).take_while(|(a, b)| a == b).count();
    }
    // The byte after the newline must not be white space too: some tokenizers join such runs into one token.
    let cut = first.as_bytes()[..length]
        .windows(2)
        .rposition(|pair| pair[0] == b'\n' && !pair[1].is_ascii_whitespace())
        .map_or(0, |at| at + 1);
    (first[..cut].to_owned(), prompts.iter().map(|prompt| prompt[cut..].to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_line_of_the_form_is_read() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parse("Border security: Libya closed it."), pair("Border security", "Libya closed it."));
        assert_eq!(parse("- **Border security:** Libya closed it."), pair("Border security", "Libya closed it."));
        assert_eq!(parse("Border security\nLibya: closed it."), None);
        assert_eq!(parse("Libya closed it."), None);
        assert_eq!(parse("Border security: Libya closed it and then the"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn prompts_are_split_at_a_line_and_lose_nothing() {
        let prompts: Vec<String> = ["one\ntwo\nthree a", "one\ntwo\nthree b"].map(str::to_owned).to_vec();
        let (shared, items) = split_shared(&prompts);
        assert_eq!((shared.as_str(), items.len()), ("one\ntwo\n", 2));
        for (prompt, item) in prompts.iter().zip(&items) {
            assert_eq!(*prompt, format!("{shared}{item}"));
        }
        assert_eq!(split_shared(&[]), (String::new(), Vec::new()));
        let apart: Vec<String> = ["é", "è"].map(str::to_owned).to_vec();
        assert_eq!(split_shared(&apart), (String::new(), apart.clone()));
    }
}

//! Lines in, best hypotheses out: what a model says when nothing is asked of it but to translate.
//!
//! In: lines of text. Out: one hypothesis a line, in order. Here is what serves every engine: its greedy hypothesis,
//! unsteered, of each line; engines that search with beams do it themselves ([`Engine::raw`]).

use super::{DecodeParams, Engine, Error, Finish, Hypothesis};
use crate::batch::{Request, batches, in_order};
use crate::document::clause;
use crate::progress::Progress;

/// Lines that travel together.
const MAX_REQUESTS: usize = 32;

/// How raw lines are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawOptions {
    /// How many beams; none for what the checkpoint says.
    pub beams: Option<usize>,
    /// Writes just this many tokens a line, whatever the model would do; for measuring.
    pub force_tokens: Option<usize>,
}

/// Returns what an empty line becomes.
pub fn empty() -> Hypothesis {
    Hypothesis {
        text: String::new(),
        log_probability: 0.0,
        tokens: 0,
        finish: Finish::Stop,
        origin: "empty".to_owned(),
    }
}

/// Translates lines with [`Engine::translate`], greedily and unsteered. A line that is longer than the model takes goes in
/// pieces.
///
/// # Errors
/// [`Error::Unsupported`] where beams or a forced length are asked for; else as [`Engine::raw`].
pub(super) fn greedy<E: Engine + ?Sized>(
    engine: &mut E,
    lines: &[&str],
    options: &RawOptions,
    progress: &dyn Progress,
) -> Result<Vec<Hypothesis>, Error> {
    if options.beams.is_some_and(|beams| beams != 1) || options.force_tokens.is_some() {
        return Err(Error::Unsupported { what: "beams and forced lengths are for encoder-decoder models" });
    }
    let limits = engine.limits();
    let mut requests = Vec::new();
    let mut pieces = Vec::with_capacity(lines.len());
    for line in lines {
        let spans = clause::split(line, limits.max_source_tokens, &|text| engine.source_tokens(text));
        pieces.push(spans.len());
        requests.extend(spans.iter().map(|span| Request { source: span.of(line).to_owned(), ..Request::default() }));
    }
    let params = DecodeParams { constrained: false, ..DecodeParams::default() };
    let lengths: Vec<usize> = requests.iter().map(|request| engine.source_tokens(&request.source)).collect();
    let total = requests.len();
    let (mut results, mut done) = (Vec::new(), 0);
    for batch in batches(requests, &lengths, limits.max_batch_tokens, MAX_REQUESTS) {
        if progress.cancelled() {
            return Err(Error::Cancelled);
        }
        let found = engine.translate(&batch, &params)?;
        let first = found.into_iter().map(|of_one| of_one.into_iter().next().unwrap_or_else(empty));
        done += batch.requests.len() as u64;
        results.push((batch.places, first.collect()));
        // Of a line in pieces each counts for a part.
        progress.advanced(done * lines.len() as u64 / total as u64);
    }
    let mut found = in_order(total, results).into_iter();
    Ok(pieces.into_iter().map(|count| joined(found.by_ref().take(count).collect())).collect())
}

/// Joins the hypotheses of a line's pieces.
fn joined(mut pieces: Vec<Hypothesis>) -> Hypothesis {
    if pieces.len() < 2 {
        return pieces.pop().unwrap_or_else(empty);
    }
    let tokens: usize = pieces.iter().map(|piece| piece.tokens).sum();
    let likelihood: f32 = pieces.iter().map(|piece| piece.log_probability * piece.tokens as f32).sum();
    Hypothesis {
        text: pieces.iter().map(|piece| piece.text.trim()).collect::<Vec<_>>().join(" "),
        log_probability: likelihood / tokens.max(1) as f32,
        tokens,
        finish: pieces.iter().map(|piece| piece.finish).find(|finish| *finish != Finish::Stop).unwrap_or(Finish::Stop),
        origin: "pieces".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::FakeEngine;
    use crate::progress::Silent;

    fn raw(lines: &[&str]) -> Vec<String> {
        let found = FakeEngine::default().raw(lines, &RawOptions::default(), &Silent).unwrap();
        found.into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn every_line_has_its_hypothesis_in_order() {
        assert_eq!(raw(&["a b", "", "c", " ", "d e f"]), ["b a", "", "c", "", "f e d"]);
        assert!(raw(&[]).is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_goes_in_pieces_and_loses_no_word() {
        let words: Vec<String> = (0..1000).map(|i| format!("w{i}")).collect();
        let text = &raw(&["x", &words.join(" "), "y"])[1];
        let mut found: Vec<&str> = text.split(' ').collect();
        found.sort_by_key(|word| word[1..].parse::<usize>().unwrap());
        assert_eq!(found, words);
    }

    #[test]
    fn beams_are_refused_where_there_are_none() {
        for options in
            [RawOptions { beams: Some(4), force_tokens: None }, RawOptions { beams: None, force_tokens: Some(3) }]
        {
            let error = FakeEngine::default().raw(&["a"], &options, &Silent).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        }
        assert!(FakeEngine::default().raw(&["a"], &RawOptions { beams: Some(1), force_tokens: None }, &Silent).is_ok());
    }
}

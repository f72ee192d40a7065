//! Translates a document: hypotheses for every segment, the best chosen, what fails its checks tried again.
//!
//! In: a document, an engine, a checker. Out: a [`Translation`] with every segment, flagged where nothing that was tried
//! passed. Three rounds: (1) several hypotheses; (2) for what failed, more and freer ones; (3) for what still fails,
//! its clauses one by one. A later round replaces an earlier choice only where it passes the checks or the [`Plan`]'s
//! preference says that it is better. What "several" and "freer" mean is in the plan too.

use super::choose::{Judged, Preference, best, judge};
use super::plan::Plan;
use super::request::request;
use super::{SegmentTranslation, Status, Translation};
use crate::batch::{Batch, Request, batches, in_order};
use crate::check::Checker;
use crate::document::clause;
use crate::document::{BlockKind, Document, Segment};
use crate::engine::{Approach, DecodeParams, Engine, Error, Finish, Hypothesis};
use crate::options::Effort;
use crate::progress::Progress;

/// Requests that travel together to an engine of prompts; with their hypotheses they fill the rows of a decoding step.
const MAX_REQUESTS: usize = 8;
/// A clause of a split segment has at most this many characters, where there is a place to split.
const MAX_CLAUSE: usize = 120;

/// Translates every segment of a document.
///
/// # Errors
/// Where the engine fails as such, or [`Error::Cancelled`] where the user asked to stop.
pub fn translate(
    document: &Document,
    engine: &mut dyn Engine,
    checker: &Checker,
    effort: Effort,
    progress: &dyn Progress,
) -> Result<Translation, Error> {
    let is_arabic = |segment: &&Segment| document.is_to_translate(segment);
    let arabic: Vec<&Segment> = document.segments.iter().filter(is_arabic).collect();
    let sources: Vec<&str> = arabic.iter().map(|segment| document.segment_text(segment)).collect();
    let mut outcomes = sentences(&sources, engine, checker, effort, progress)?.into_iter();
    let segments = document.segments.iter().map(|segment| match Some(segment).filter(is_arabic) {
        Some(segment) => finished(document, segment, outcomes.next().expect("there is one outcome an Arabic segment")),
        None => SegmentTranslation::copied(document, segment),
    });
    let segments = segments.collect();
    Ok(Translation { segments, engine: engine.fingerprint() })
}

/// Translates sentences that belong to no document; one outcome a sentence, in order.
///
/// # Errors
/// As [`translate`].
pub fn sentences(
    sources: &[&str],
    engine: &mut dyn Engine,
    checker: &Checker,
    effort: Effort,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, Error> {
    let checker = checker.strict();
    match effort {
        Effort::Plain => plain(sources, engine, &checker, progress),
        Effort::Full => full(sources, engine, &checker, progress),
    }
}

/// The best that is known for a segment, and how often it was tried.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The choice.
    pub judged: Judged,
    /// How many rounds it went through, from 1.
    pub attempts: u32,
}

impl Outcome {
    /// Takes a later choice where it is better: one that passes before one that fails, then by preference.
    fn consider(&mut self, later: Option<Judged>, preference: Preference) {
        self.attempts += 1;
        let Some(later) = later else { return };
        let better = match (later.verdicts.is_empty(), self.judged.verdicts.is_empty()) {
            (true, false) => true,
            (false, true) => false,
            _ => later.goes_before(&self.judged, preference),
        };
        if better {
            self.judged = later;
        }
    }
}

fn plain(
    sources: &[&str],
    engine: &mut dyn Engine,
    checker: &Checker,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, Error> {
    let requests = sources.iter().map(|&source| Request { source: source.to_owned(), ..Request::default() }).collect();
    let params = DecodeParams { constrained: false, ..DecodeParams::default() };
    let preference = Plan::of(engine.approach()).preference;
    let hypotheses = decode(requests, engine, &params, progress, "translating")?;
    Ok(sources.iter().zip(hypotheses).map(|(source, found)| outcome(checker, source, found, preference)).collect())
}

fn full(
    sources: &[&str],
    engine: &mut dyn Engine,
    checker: &Checker,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>, Error> {
    let plan = Plan::of(engine.approach());
    let requests: Vec<Request> = sources.iter().map(|source| request(checker.glossary, source)).collect();
    let hypotheses = decode(requests.clone(), engine, &plan.first, progress, "translating")?;
    let mut outcomes: Vec<Outcome> = sources
        .iter()
        .zip(hypotheses)
        .map(|(source, found)| outcome(checker, source, found, plan.preference))
        .collect();

    let failed = |outcomes: &[Outcome]| -> Vec<usize> {
        (0..outcomes.len()).filter(|&i| !outcomes[i].judged.verdicts.is_empty()).collect()
    };
    let again = failed(&outcomes);
    let retried = again.iter().map(|&i| requests[i].clone()).collect();
    for (&i, found) in again.iter().zip(decode(retried, engine, &plan.retry, progress, "trying again")?) {
        let judged = found.into_iter().map(|hypothesis| judge(checker, sources[i], hypothesis)).collect();
        outcomes[i].consider(best(judged, plan.preference), plan.preference);
    }

    let long = |i: usize| sources[i].chars().count() > plan.long;
    let again: Vec<usize> =
        (0..outcomes.len()).filter(|&i| long(i) || !outcomes[i].judged.verdicts.is_empty()).collect();
    let count = |text: &str| text.chars().count();
    let parts: Vec<Vec<&str>> = again
        .iter()
        .map(|&i| clause::split(sources[i], MAX_CLAUSE, &count).iter().map(|span| span.of(sources[i])).collect())
        .collect();
    let flat = parts.iter().filter(|parts| parts.len() > 1).flatten();
    let flat: Vec<Request> = flat.map(|part| request(checker.glossary, part)).collect();
    let mut answers = decode(flat, engine, &plan.split, progress, "clause by clause")?.into_iter();
    for (&i, parts) in again.iter().zip(&parts).filter(|(_, parts)| parts.len() > 1) {
        let chosen: Vec<Judged> = parts
            .iter()
            .zip(answers.by_ref())
            .filter_map(|(part, found)| {
                best(found.into_iter().map(|h| judge(checker, part, h)).collect(), plan.preference)
            })
            .collect();
        // A clause without words would be an omission that the length of the whole may hide.
        let whole = chosen.len() == parts.len() && chosen.iter().all(|part| !part.hypothesis.text.trim().is_empty());
        let joined = if whole { join(checker, sources[i], &chosen) } else { None };
        outcomes[i].consider(joined, plan.preference);
    }
    Ok(outcomes)
}

/// Decodes requests in batches, and returns their hypotheses in order.
fn decode(
    requests: Vec<Request>,
    engine: &mut dyn Engine,
    params: &DecodeParams,
    progress: &dyn Progress,
    task: &str,
) -> Result<Vec<Vec<Hypothesis>>, Error> {
    let total = requests.len();
    if total == 0 {
        return Ok(Vec::new());
    }
    progress.started(task, total as u64, "segments");
    if engine.approach() == Approach::Beams {
        // Its own scheduler keeps to its room, and fills it better from all requests than from a few.
        let hypotheses = engine.translate_watched(&Batch::of(requests), params, progress);
        progress.finished();
        return hypotheses;
    }
    let lengths: Vec<usize> = requests.iter().map(|request| engine.source_tokens(&request.source)).collect();
    let mut results = Vec::new();
    let mut done = 0;
    for batch in batches(requests, &lengths, engine.limits().max_batch_tokens, MAX_REQUESTS) {
        if progress.cancelled() {
            return Err(Error::Cancelled);
        }
        let hypotheses = engine.translate(&batch, params)?;
        done += batch.requests.len() as u64;
        results.push((batch.places, hypotheses));
        progress.advanced(done);
    }
    progress.finished();
    Ok(in_order(total, results))
}

/// Chooses among the first hypotheses; an engine that gave none leaves an empty target, which is flagged.
fn outcome(checker: &Checker, source: &str, found: Vec<Hypothesis>, preference: Preference) -> Outcome {
    let judged = best(found.into_iter().map(|hypothesis| judge(checker, source, hypothesis)).collect(), preference);
    let judged = judged.unwrap_or_else(|| {
        judge(
            checker,
            source,
            Hypothesis {
                text: String::new(),
                log_probability: f32::NEG_INFINITY,
                tokens: 0,
                finish: Finish::Stop,
                origin: "none".into(),
            },
        )
    });
    Outcome { judged, attempts: 1 }
}

/// Joins the translations of a segment's clauses into one of the segment.
fn join(checker: &Checker, source: &str, parts: &[Judged]) -> Option<Judged> {
    let mut text = String::new();
    for part in parts {
        let words = part.hypothesis.text.trim();
        if text.is_empty() {
            text.push_str(words);
            continue;
        }
        // A model ends every clause like a sentence; within one, a comma and a small letter are right.
        let whole = text.trim_end_matches(['.', ',']).len();
        text.truncate(whole);
        text.push_str(", ");
        text.push_str(&lower_first(words, checker));
    }
    let tokens: usize = parts.iter().map(|part| part.hypothesis.tokens).sum();
    let likelihood: f32 =
        parts.iter().map(|part| part.hypothesis.log_probability * part.hypothesis.tokens as f32).sum();
    let finish = parts.iter().map(|part| part.hypothesis.finish).find(|finish| *finish != Finish::Stop);
    (!text.is_empty()).then(|| {
        let hypothesis = Hypothesis {
            text,
            log_probability: likelihood / tokens.max(1) as f32,
            tokens,
            finish: finish.unwrap_or(Finish::Stop),
            origin: "split".into(),
        };
        judge(checker, source, hypothesis)
    })
}

/// Makes the first letter small where the first word is one that is only capital at a sentence's start.
fn lower_first(words: &str, checker: &Checker) -> String {
    const FUNCTION_WORDS: &[&str] = &[
        "A", "After", "All", "An", "And", "As", "At", "Because", "Before", "But", "By", "During", "For", "From", "He",
        "His", "If", "In", "It", "Its", "On", "She", "Since", "That", "The", "Their", "These", "They", "This", "Those",
        "Through", "To", "Under", "Until", "We", "When", "Where", "Which", "While", "Who", "With",
    ];
    let first = words.split_whitespace().next().unwrap_or_default();
    let ordinary = checker.glossary.is_ordinary(&first.to_lowercase())
        && !checker.glossary.mentions(words).iter().any(|mention| mention.span.start == 0);
    if !FUNCTION_WORDS.contains(&first) && !ordinary {
        return words.to_owned();
    }
    let mut letters = words.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns whether a source ends with a stop, whatever marks close behind it.
fn ends_sentence(source: &str) -> bool {
    source.trim_end_matches(['"', '”', '»', '’', ')', ' ']).ends_with(['.', '!', '؟', '…'])
}

/// Turns an outcome into what stands in the note.
fn finished(document: &Document, segment: &Segment, outcome: Outcome) -> SegmentTranslation {
    let Judged { hypothesis, verdicts, .. } = outcome.judged;
    let kind = document.blocks.iter().find(|block| block.id == segment.block).map(|block| block.kind);
    let mut target = hypothesis.text;
    if matches!(kind, Some(BlockKind::Title | BlockKind::Subheading | BlockKind::TableRow)) {
        // Headlines have no full stop, whatever a model thinks of sentences.
        target.truncate(target.trim_end_matches('.').len());
    } else if ends_sentence(document.segment_text(segment)) && target.ends_with(char::is_alphanumeric) {
        // A paragraph's sentences stand side by side: without its stop one would run into the next.
        target.push('.');
    }
    SegmentTranslation {
        segment: segment.id,
        block: segment.block,
        span: segment.span,
        source: document.segment_text(segment).to_owned(),
        target,
        status: if verdicts.is_empty() { Status::Clean } else { Status::Flagged },
        verdicts,
        attempts: outcome.attempts,
        origin: hypothesis.origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Check;
    use crate::engine::fake::FakeEngine;
    use crate::glossary::Glossary;
    use crate::progress::Silent;

    fn engine(answers: &[(&str, &[&str])]) -> FakeEngine {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        FakeEngine { answers: answers.iter().map(|(source, texts)| ((*source).to_owned(), owned(texts))).collect() }
    }

    fn run(sources: &[&str], mut engine: FakeEngine) -> Vec<Outcome> {
        let checker = Checker::new(Glossary::builtin());
        sentences(sources, &mut engine, &checker, Effort::Full, &Silent).unwrap()
    }

    #[test]
    fn the_hypothesis_that_keeps_the_names_is_chosen() {
        let source = "وصل وزير الخارجية التونسي إلى ليبيا";
        let answers: &[&str] =
            &["The Egyptian foreign minister arrived in Chad", "The Tunisian foreign minister arrived in Libya"];
        let outcome = &run(&[source], engine(&[(source, answers)]))[0];
        assert_eq!(outcome.judged.hypothesis.text, answers[1]);
        assert!(outcome.judged.verdicts.is_empty());
        assert_eq!(outcome.attempts, 1, "what passes is not tried again");
    }

    #[test]
    fn what_fails_is_tried_again_and_kept_with_its_verdicts() {
        let sources = ["وصل الوزير إلى ليبيا", "قال المتحدث إن الوضع هادئ"];
        let outcomes = run(&sources, engine(&[(sources[1], &["The spokesman said that the situation was calm"])]));
        assert_eq!(outcomes.len(), 2);
        assert!(outcomes[0].judged.verdicts.iter().any(|verdict| verdict.check == Check::Untranslated));
        assert!(outcomes[0].attempts >= 2);
        assert!(outcomes[1].judged.verdicts.is_empty());
    }

    #[test]
    fn an_engine_without_an_answer_leaves_a_flagged_segment() {
        let source = "وصل الوزير إلى ليبيا";
        let outcome = &run(&[source], engine(&[(source, &[])]))[0];
        assert!(outcome.judged.hypothesis.text.is_empty());
        assert_eq!(outcome.judged.verdicts[0].check, Check::Empty);
    }

    #[test]
    fn a_long_segment_is_put_together_from_its_clauses() {
        let first = "اتفقت الجزائر وليبيا على خطة لإقامة تدريبات وتمارين عسكرية مشتركة في الفترة المقبلة بين الجيشين،";
        let second = "وأكد الوزير أن بلاده ستواصل دعم الحوار بين جميع الأطراف حتى الوصول إلى حل سياسي دائم للأزمة";
        let source = format!("{first} {second}");
        let outcome = &run(
            &[&source],
            engine(&[
                (&source, &["Algeria agreed."]),
                (
                    first,
                    &[
                        "Algeria and Libya agreed on a plan for joint military exercises of the two armies in the coming period.",
                    ],
                ),
                (
                    second,
                    &[
                        "The minister stressed that his country would go on supporting dialogue among all parties until a lasting political solution to the crisis is reached",
                    ],
                ),
            ]),
        )[0];
        assert_eq!(outcome.judged.hypothesis.origin, "split");
        assert!(outcome.judged.hypothesis.text.contains("coming period, the minister stressed"));
        assert!(outcome.judged.verdicts.is_empty(), "{:?}", outcome.judged.verdicts);
    }

    #[test]
    fn a_user_who_wants_to_stop_stops_it() {
        struct Stop;
        impl Progress for Stop {
            fn cancelled(&self) -> bool {
                true
            }
        }
        let checker = Checker::new(Glossary::builtin());
        let stopped = sentences(&["نعم"], &mut FakeEngine::default(), &checker, Effort::Full, &Stop);
        assert!(matches!(stopped, Err(Error::Cancelled)));
    }
}

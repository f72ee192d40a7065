//! A bullet about the article as a whole, by a model that reads the article and writes a sentence or two about it.
//!
//! In: an article with its translation, the extractive drafts, a [`Rewriter`]. Out: bullets, the model's first. What it wrote
//! is held to the contract like any bullet, against the segments that it speaks of; where it breaks it, the extractive
//! bullets stay and the first of them says why. The others are the extractive ones in either case: such models write one
//! sentence, and do not know labels.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{Contract, Violation};
use super::label::labels;
use super::select::{Candidates, Choice};
use super::words::{is_stopword, stem, words};
use super::{Bullet, Draft, Origin, extractive_bullet};
use crate::check::Checker;
use crate::document::{BlockKind, Document, clause};
use crate::engine::{Error, Finish, Rewriter};
use crate::glossary::Glossary;
use crate::progress::Progress;
use crate::translation::{SegmentTranslation, Translation};

/// Most segments that the model's text is said to rest on.
const MOST_EVIDENCE: usize = 3;
/// A further segment must have so much of the text that those before it lack: a name or a figure, or two other words.
const LEAST_GAIN: usize = 2;
/// Labels where the text's own is taken by another bullet.
const OTHER_LABELS: [&str; 2] = ["In brief", "The article as a whole"];

/// The article as it is known when the model is asked.
pub(super) struct Known<'k, 't> {
    pub document: &'k Document,
    pub translation: &'t Translation,
    pub candidates: &'k Candidates,
    /// The extractive bullets.
    pub drafts: &'k [Draft<'t>],
    /// How many bullets are wanted.
    pub wanted: usize,
    pub checker: &'k Checker<'k>,
}

/// Makes the bullets, and a remark on what the reader should know about them.
pub(super) fn bullets(
    known: &Known<'_, '_>,
    rewriter: &mut dyn Rewriter,
    progress: &dyn Progress,
) -> (Vec<Bullet>, Option<String>) {
    let all = sentences(known.document, known.translation);
    let (read, text) = beginning(&all, rewriter);
    let mut remarks = Vec::new();
    if read.len() < all.len() || text.len() < joined(&read).len() {
        remarks.push(format!(
            "the model read the first {} of {} sentences, as many as its {} tokens hold",
            read.len(),
            all.len(),
            rewriter.longest()
        ));
    }
    let written = if text.is_empty() {
        Err("the article has no sentence that the model could read".to_owned())
    } else {
        written(rewriter, &text, progress)
    };
    let bullets = match written.and_then(|statement| placed(known, &read, statement)) {
        Ok(bullets) => bullets,
        Err(reason) => {
            if known.drafts.is_empty() {
                remarks.push(format!("what the model wrote broke the rules: {reason}"));
            }
            let origin = |at: usize| match at {
                0 => Origin::FallbackExtractive(reason.clone()),
                _ => Origin::Extractive,
            };
            known.drafts.iter().enumerate().map(|(at, draft)| extractive_bullet(draft, origin(at))).collect()
        }
    };
    (bullets, (!remarks.is_empty()).then(|| remarks.join("; ")))
}

/// Returns the sentences that such models are trained on: those of the paragraphs, and where there are none, of the
/// standfirst.
fn sentences<'t>(document: &Document, translation: &'t Translation) -> Vec<&'t SegmentTranslation> {
    let of_kind = |is_wanted: fn(BlockKind) -> bool| -> Vec<&SegmentTranslation> {
        let blocks = document.blocks.iter().filter(|block| is_wanted(block.kind));
        blocks.flat_map(|block| translation.segments_of(block.id)).collect()
    };
    let paragraphs = of_kind(BlockKind::is_body);
    if paragraphs.is_empty() { of_kind(|kind| kind == BlockKind::Standfirst) } else { paragraphs }
}

fn joined(segments: &[&SegmentTranslation]) -> String {
    super::joined(segments.iter().map(|segment| segment.source.as_str()))
}

/// Returns as many sentences from the first on as the model takes, and the text they make. Of a first one that is too long
/// the text is the beginning.
fn beginning<'t>(all: &[&'t SegmentTranslation], rewriter: &dyn Rewriter) -> (Vec<&'t SegmentTranslation>, String) {
    let count = |text: &str| rewriter.source_tokens(text);
    let mut read: Vec<&SegmentTranslation> = Vec::new();
    for &segment in all {
        read.push(segment);
        if count(&joined(&read)) > rewriter.longest() {
            read.pop();
            break;
        }
    }
    match (read.is_empty(), all.first()) {
        (true, Some(&first)) => {
            let pieces = clause::split(&first.source, rewriter.longest(), &count);
            let text = pieces.first().map(|span| span.of(&first.source).trim().to_owned()).unwrap_or_default();
            // A word may have more tokens than the model takes.
            if count(&text) > rewriter.longest() { (Vec::new(), String::new()) } else { (vec![first], text) }
        }
        _ => {
            let text = joined(&read);
            (read, text)
        }
    }
}

/// Lets the model write; what it wrote is made a sentence. The error says why there is nothing.
fn written(rewriter: &mut dyn Rewriter, text: &str, progress: &dyn Progress) -> Result<String, String> {
    let found = rewriter.rewrite(text, progress).map_err(|error: Error| error.to_string())?;
    if found.finish != Finish::Stop {
        return Err("the model did not end its text".to_owned());
    }
    let mut statement = found.text.split_whitespace().collect::<Vec<_>>().join(" ");
    if statement.ends_with(char::is_alphanumeric) {
        statement.push('.');
    }
    let mut letters = statement.chars();
    Ok(match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => return Err("the model wrote nothing".to_owned()),
    })
}

/// Puts the model's text before the extractive bullets, in place of the one that is most like it where there are enough.
/// The error says how it breaks the contract.
fn placed(known: &Known<'_, '_>, read: &[&SegmentTranslation], statement: String) -> Result<Vec<Bullet>, String> {
    let evidence = evidence(&statement, read, known.checker.glossary);
    if evidence.is_empty() {
        return Err(Violation::Unrelated.to_string());
    }
    let replaced = if known.drafts.len() < known.wanted { None } else { most_alike(known.drafts, &statement) };
    let others = known.drafts.iter().enumerate().filter(|(at, _)| Some(*at) != replaced).map(|(_, draft)| draft);
    let others: Vec<&Draft> = others.collect();
    let ids = evidence.iter().map(|segment| segment.segment).collect::<Vec<_>>();
    let choice = Choice { main: ids[0], evidence: ids };
    let own = labels(known.document, known.translation, known.candidates, &[choice], known.checker.glossary);
    let of_replaced = replaced.map(|at| known.drafts[at].label.clone());
    let offers = own.into_iter().chain(of_replaced).chain(OTHER_LABELS.map(str::to_owned));
    let is_free = |label: &String| !others.iter().any(|draft| draft.label.eq_ignore_ascii_case(label));
    let label = offers.into_iter().find(is_free).unwrap_or_else(|| OTHER_LABELS[0].to_owned());

    let draft = Draft { evidence, label, statement };
    let (source, target) = (draft.source(), draft.target());
    let said: Vec<(&str, &str)> = others.iter().map(|d| (d.label.as_str(), d.statement.as_str())).collect();
    let contract = Contract { source: &source, target: &target, others: &said, checker: known.checker };
    let violations = contract.violations(&draft.label, &draft.statement);
    if !violations.is_empty() {
        return Err(violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; "));
    }
    let first = extractive_bullet(&draft, Origin::Model);
    Ok(std::iter::once(first).chain(others.into_iter().map(|d| extractive_bullet(d, Origin::Extractive))).collect())
}

/// Returns the stems of a text's content words, names and figures weighing as much as two other words.
fn weighed(text: &str) -> BTreeMap<String, usize> {
    let mut stems = BTreeMap::new();
    for written in text.split_whitespace() {
        let bare = written.trim_start_matches(|c: char| !c.is_alphanumeric());
        let weight = if bare.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()) { 2 } else { 1 };
        for word in words(written).iter().filter(|word| !is_stopword(word)) {
            stems.insert(stem(word), weight);
        }
    }
    stems
}

/// Returns the segments that a text speaks of, in document order: those that cover most of its words, by their translation
/// or by the names that are known in their source.
fn evidence<'t>(text: &str, read: &[&'t SegmentTranslation], glossary: &Glossary) -> Vec<&'t SegmentTranslation> {
    let known: Vec<BTreeSet<String>> = read
        .iter()
        .map(|segment| {
            let named = glossary.matches(&segment.source).into_iter().flat_map(|found| words(&found.entry.english));
            words(&segment.target).into_iter().chain(named).map(|word| stem(&word)).collect()
        })
        .collect();
    let mut open = weighed(text);
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    while chosen.len() < MOST_EVIDENCE {
        let gain = |at: &usize| -> usize {
            open.iter().filter(|(stem, _)| known[*at].contains(*stem)).map(|(_, weight)| weight).sum()
        };
        // Of equals the first, so that the choice is the same in every run.
        let best = (0..read.len()).map(|at| (gain(&at), at)).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let Some((_, at)) = best.filter(|(gain, _)| *gain >= LEAST_GAIN) else { break };
        chosen.insert(at);
        open.retain(|stem, _| !known[at].contains(stem));
    }
    chosen.into_iter().map(|at| read[at]).collect()
}

/// Returns the draft that shares most with a text, of equals the first; none where there are no drafts.
fn most_alike(drafts: &[Draft], text: &str) -> Option<usize> {
    let said = weighed(text);
    let shared = |draft: &Draft| -> usize { weighed(&draft.statement).keys().filter_map(|stem| said.get(stem)).sum() };
    let alike = drafts.iter().enumerate().map(|(at, draft)| (shared(draft), at));
    alike.reduce(|a, b| if b.0 > a.0 { b } else { a }).map(|(_, at)| at)
}

//! 6. A translation becomes a [`Summary`]: a few bullets in English, each with the segments it rests on.
//!
//! In: a [`Document`] (Arabic or English), its [`Translation`], and a model that writes where one is there. Out: bullets
//! under a contract ([`contract`]), and the reason where there are fewer than were asked for. Sentences are chosen on
//! the source side ([`select`]), so that a weak translator cannot bend the choice; the words come from the translation.
//! How a bullet looks on the page is [`crate::render`]'s.

pub mod abstractive;
pub mod contract;
pub mod extractive;
pub mod label;
mod rank;
pub mod select;
mod sentence;
pub mod theme;
mod whole;
pub mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::check::Checker;
use crate::document::{Document, SegmentId};
use crate::engine::{Fingerprint, Generator, Rewriter};
use crate::glossary::Glossary;
use crate::progress::Progress;
use crate::translation::{SegmentTranslation, Translation};

/// Who worded a bullet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The translation, trimmed.
    Extractive,
    /// A model: an instruct model from the bullet's evidence, or a summariser that read the article.
    Model,
    /// The translation, trimmed, because what the model wrote broke the contract; the string says how.
    FallbackExtractive(String),
}

/// One point of a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bullet {
    /// The theme, two to five words, without a colon.
    pub label: String,
    /// One or two sentences.
    pub statement: String,
    /// The segments whose content this is, in document order; never empty.
    pub evidence: Vec<SegmentId>,
    /// Who worded it.
    pub origin: Origin,
    /// Whether the translation of a piece of its evidence is flagged.
    pub flagged: bool,
}

/// The points of an article.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The bullets, in the order of their evidence in the article; before them that of a model which read it as a whole.
    pub bullets: Vec<Bullet>,
    /// Why there are fewer bullets than were asked for; none where there are not.
    pub shortfall: Option<String>,
    /// What a reader should know of how the model made its bullet: that it read a part of the article only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// What is asked of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SummaryOptions {
    /// How many bullets.
    pub bullets: usize,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        Self { bullets: 3 }
    }
}

/// A model that has a part in a summary.
pub enum Writer<'w> {
    /// Words every bullet from its evidence.
    Bullets(&'w mut dyn Generator),
    /// Reads the article and writes a sentence or two about it, which become the first bullet.
    Whole(&'w mut dyn Rewriter),
}

impl Writer<'_> {
    /// Lends it on.
    pub fn lent(&mut self) -> Writer<'_> {
        match self {
            Self::Bullets(generator) => Writer::Bullets(&mut **generator),
            Self::Whole(rewriter) => Writer::Whole(&mut **rewriter),
        }
    }

    /// Identifies model and decoding.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Bullets(generator) => generator.fingerprint(),
            Self::Whole(rewriter) => rewriter.fingerprint(),
        }
    }
}

/// A bullet in the making: its evidence, and the words that the translation gives for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft<'t> {
    /// What it rests on, in document order.
    pub evidence: Vec<&'t SegmentTranslation>,
    /// The extractive label.
    pub label: String,
    /// The extractive statement.
    pub statement: String,
}

impl Draft<'_> {
    /// Returns the source of the evidence as one text.
    pub fn source(&self) -> String {
        joined(self.evidence.iter().map(|segment| segment.source.as_str()))
    }

    /// Returns the translation of the evidence as one text.
    pub fn target(&self) -> String {
        joined(self.evidence.iter().map(|segment| segment.target.as_str()))
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Summarizes an article in a few bullets.
///
/// With a writer the bullets are worded by it, all or the first (see [`Writer`]); where what it writes breaks the contract
/// (or it fails, or is stopped through `progress`), the extractive bullet stands in its place and says so in
/// [`Bullet::origin`].
pub fn summarize(
    document: &Document,
    translation: &Translation,
    options: &SummaryOptions,
    writer: Option<Writer<'_>>,
    progress: &dyn Progress,
) -> Summary {
    let checker = Checker::new(Glossary::builtin());
    let candidates = select::Candidates::of(document, translation);
    let drafts = drafts(document, translation, &candidates, options.bullets, &checker);
    let (bullets, remark) = match writer {
        Some(Writer::Bullets(generator)) => (abstractive::bullets(&drafts, generator, &checker), None),
        Some(Writer::Whole(rewriter)) => {
            let (candidates, drafts, wanted) = (&candidates, drafts.as_slice(), options.bullets);
            let known = whole::Known { document, translation, candidates, drafts, wanted, checker: &checker };
            whole::bullets(&known, rewriter, progress)
        }
        None => (drafts.iter().map(|draft| extractive_bullet(draft, Origin::Extractive)).collect(), None),
    };
    let shortfall = (bullets.len() < options.bullets).then(|| shortfall(bullets.len(), options.bullets, translation));
    Summary { bullets, shortfall, remark }
}

/// Makes the bullet that the translation alone gives.
fn extractive_bullet(draft: &Draft, origin: Origin) -> Bullet {
    Bullet {
        label: draft.label.clone(),
        statement: draft.statement.clone(),
        evidence: draft.evidence.iter().map(|segment| segment.segment).collect(),
        origin,
        flagged: draft.evidence.iter().any(|segment| segment.is_flagged()),
    }
}

/// Chooses evidence and words it from the translation. A choice for which no words keep the contract is given up for
/// the next best one, so that a broken translation costs its own bullet and no other.
fn drafts<'t>(
    document: &Document,
    translation: &'t Translation,
    candidates: &select::Candidates,
    bullets: usize,
    checker: &Checker,
) -> Vec<Draft<'t>> {
    let mut excluded: BTreeSet<SegmentId> = BTreeSet::new();
    loop {
        let chosen = candidates.choose(bullets, &excluded);
        let labels = label::labels(document, translation, candidates, &chosen, checker.glossary);
        let mut drafts: Vec<Draft> = Vec::new();
        let mut broken = None;
        for (choice, label) in chosen.iter().zip(labels) {
            let evidence: Vec<&SegmentTranslation> =
                choice.evidence.iter().filter_map(|&id| translation.segment(id)).collect();
            match worded(evidence, &label, &drafts, checker) {
                Some(draft) => drafts.push(draft),
                None => {
                    broken = Some(choice.main);
                    break;
                }
            }
        }
        match broken {
            // Each round excludes one more candidate, so the loop ends.
            Some(main) if excluded.insert(main) => {}
            _ => return drafts,
        }
    }
}

/// Words one choice: the first phrasing that keeps the contract, with all of its evidence or with the first piece alone.
fn worded<'t>(
    evidence: Vec<&'t SegmentTranslation>,
    label: &str,
    others: &[Draft],
    checker: &Checker,
) -> Option<Draft<'t>> {
    let others: Vec<(&str, &str)> = others.iter().map(|d| (d.label.as_str(), d.statement.as_str())).collect();
    for pieces in (1..=evidence.len()).rev() {
        let mut draft =
            Draft { evidence: evidence[..pieces].to_vec(), label: label.to_owned(), statement: String::new() };
        let (source, target) = (draft.source(), draft.target());
        let contract = contract::Contract { source: &source, target: &target, others: &others, checker };
        let phrasings = extractive::phrasings(&draft.evidence.iter().map(|s| s.target.as_str()).collect::<Vec<_>>());
        if let Some(statement) = phrasings.into_iter().find(|s| contract.violations(label, s).is_empty()) {
            draft.statement = statement;
            return Some(draft);
        }
    }
    None
}

/// Says why there are too few bullets.
fn shortfall(made: usize, wanted: usize, translation: &Translation) -> String {
    let empty = translation.segments.iter().filter(|segment| segment.target.trim().is_empty()).count();
    let flagged = translation.flagged().count();
    let mut reason = format!("{made} of {wanted} bullets: the article has no more sentences that can stand as a point");
    if flagged > 0 {
        reason.push_str(&format!(
            " (of {} segments {flagged} are flagged, {empty} of them without a translation)",
            translation.segments.len()
        ));
    }
    reason
}

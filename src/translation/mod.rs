//! 5. Hypotheses become a checked [`Translation`]: every segment's best target, and what is wrong with it.
//!
//! In: a [`Document`], an [`Engine`](crate::engine::Engine), a
//! [`Checker`](crate::check::Checker). Out: one [`SegmentTranslation`] a segment, in order, none dropped. Phrasing a
//! summary is [`crate::summary`]'s, showing a mark is [`crate::render`]'s.

pub mod choose;
pub mod request;
pub mod rounds;

use serde::{Deserialize, Serialize};

use crate::check::Verdict;
use crate::document::{BlockId, Document, Segment, SegmentId};
use crate::engine::Fingerprint;
use crate::span::Span;

/// Whether a target may be read without looking at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No check found anything.
    Clean,
    /// At least one check did, and retrying did not help.
    Flagged,
}

/// One segment with the best target that was found for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentTranslation {
    /// The segment of the document.
    #[serde(rename = "id")]
    pub segment: SegmentId,
    /// The block it is part of.
    pub block: BlockId,
    /// Its bytes in [`Document::text`](crate::document::Document::text).
    pub span: Span,
    /// Its words in the document.
    pub source: String,
    /// The translation; empty only where the engine gave none, which is flagged as
    /// [`Check::Empty`](crate::check::Check::Empty).
    pub target: String,
    /// Whether the checks let it pass.
    pub status: Status,
    /// What they found; empty where it is clean.
    pub verdicts: Vec<Verdict>,
    /// How many times the segment was given to the engine, from 1; 0 where it was not (a memory's answer).
    pub attempts: u32,
    /// How the target was made: the hypothesis' origin (`greedy`, `sample:3`, `split:greedy`) or `memory`.
    pub origin: String,
}

impl SegmentTranslation {
    /// Makes the translation of a segment that has nothing to translate: no Arabic letter.
    pub fn copied(document: &Document, segment: &Segment) -> Self {
        let source = document.segment_text(segment).to_owned();
        Self {
            segment: segment.id,
            block: segment.block,
            span: segment.span,
            target: source.clone(),
            source,
            status: Status::Clean,
            verdicts: Vec::new(),
            attempts: 0,
            origin: "copied".into(),
        }
    }

    /// Returns whether the target needs the reader's eye.
    pub fn is_flagged(&self) -> bool {
        self.status == Status::Flagged
    }
}

/// A document's segments with their targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// One a segment of the document, in its order.
    pub segments: Vec<SegmentTranslation>,
    /// What made them.
    pub engine: Fingerprint,
}

impl Translation {
    /// Makes the translation of a document that is in English already: every segment stands for itself.
    pub fn untranslated(document: &Document) -> Self {
        let segments = document.segments.iter().map(|segment| SegmentTranslation::copied(document, segment)).collect();
        let engine = Fingerprint { model: "none".into(), revision: String::new(), decoding: "copied".into() };
        Self { segments, engine }
    }

    /// Returns the segments of one block, in order.
    pub fn segments_of(&self, block: BlockId) -> impl Iterator<Item = &SegmentTranslation> {
        self.segments.iter().filter(move |segment| segment.block == block)
    }

    /// Returns one segment.
    pub fn segment(&self, id: SegmentId) -> Option<&SegmentTranslation> {
        // Segments are in order and numbered from 0, so the first look nearly always finds it.
        match self.segments.get(id.0 as usize) {
            Some(segment) if segment.segment == id => Some(segment),
            _ => self.segments.iter().find(|segment| segment.segment == id),
        }
    }

    /// Returns the English of one block: the targets of its segments with a space between two, empty ones left out.
    pub fn target_of(&self, block: BlockId) -> String {
        let targets: Vec<&str> =
            self.segments_of(block).map(|segment| segment.target.trim()).filter(|target| !target.is_empty()).collect();
        targets.join(" ")
    }

    /// Returns the flagged segments, in order.
    pub fn flagged(&self) -> impl Iterator<Item = &SegmentTranslation> {
        self.segments.iter().filter(|segment| segment.is_flagged())
    }
}

//! 5. Hypotheses become a checked [`Translation`]: every segment's best target, and what is wrong with it.
//!
//! In: a [`Document`], an [`Engine`](crate::engine::Engine), a
//! [`Checker`](crate::check::Checker). Out: one [`SegmentTranslation`] a segment, in order, none dropped. Phrasing a
//! summary is [`crate::summary`]'s, showing a mark is [`crate::render`]'s.

pub mod choose;
pub mod plan;
pub mod request;
pub mod rounds;

use serde::{Deserialize, Serialize};

use crate::check::{Check, Verdict};
use crate::document::language::Language;
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
    /// [`Check::Empty`].
    pub target: String,
    /// Whether the checks let it pass.
    pub status: Status,
    /// What they found; empty where it is clean.
    pub verdicts: Vec<Verdict>,
    /// How many times the segment was given to the engine, from 1; 0 where it was not (a segment without Arabic).
    pub attempts: u32,
    /// How the target was made: the hypothesis' origin (`greedy`, `greedy:1`, `sample:3`), `split` where it was put together
    /// from clauses, `copied` where there was nothing to translate, `none` where the engine gave nothing.
    pub origin: String,
}

impl SegmentTranslation {
    /// Makes the translation of a segment that has nothing to translate: no Arabic letter, or words of another language.
    /// English stands as it is; any other language is flagged.
    pub fn copied(document: &Document, segment: &Segment) -> Self {
        let source = document.segment_text(segment).to_owned();
        let language = document.language_of(segment);
        let verdict = if language == Language::English {
            None
        } else if language.is_foreign() && source.chars().any(char::is_alphabetic) {
            let detail = format!("in {}: not translated, kept as it is", language.name());
            Some(Verdict { check: Check::Untranslated, detail })
        } else {
            foreign(&source)
        };
        let verdicts: Vec<Verdict> = verdict.into_iter().collect();
        Self {
            segment: segment.id,
            block: segment.block,
            span: segment.span,
            target: source.clone(),
            source,
            status: if verdicts.is_empty() { Status::Clean } else { Status::Flagged },
            verdicts,
            attempts: 0,
            origin: "copied".into(),
        }
    }

    /// Returns whether the target needs the reader's eye.
    pub fn is_flagged(&self) -> bool {
        self.status == Status::Flagged
    }
}

/// Judges a text that was kept because it is not Arabic: it should be English, and other languages are flagged.
fn foreign(text: &str) -> Option<Verdict> {
    /// Fewer words are names and credits more often than sentences.
    const LEAST_WORDS: usize = 8;
    /// In English news about four words in ten are function words; French and Spanish share one in twenty by chance.
    const LEAST_SHARE: f64 = 0.15;
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|c| c.is_alphabetic() && *c < '\u{250}').count();
    let words = crate::english::words::words(text);
    let function = words.iter().filter(|word| crate::english::words::is_function_word(&word.lower)).count();
    let other_script = letters >= 3 && latin * 2 < letters;
    let other_words = words.len() >= LEAST_WORDS && (function as f64) < LEAST_SHARE * words.len() as f64;
    (other_script || other_words)
        .then(|| Verdict { check: Check::Untranslated, detail: "neither Arabic nor English: kept as it is".into() })
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

#[cfg(test)]
mod tests {
    use super::foreign;

    #[test]
    fn other_languages_are_flagged_and_english_is_not() {
        for english in [
            "The minister said on Monday that the talks between the two countries would resume in Geneva.",
            "Reuters",
            "(Getty Images/AFP)",
            "12.5 %",
        ] {
            assert_eq!(foreign(english), None, "{english}");
        }
        for other in [
            "Le ministre tunisien a déclaré lundi que les négociations reprendraient à Genève le mois prochain.",
            "Министр заявил, что переговоры возобновятся.",
            "El ministro declaró el lunes que las negociaciones se reanudarán en Ginebra el próximo mes.",
        ] {
            assert!(foreign(other).is_some(), "{other}");
        }
    }
}

//! 7. The document model of a note: a [`Note`] for one article, a [`Briefing`] for a run, with where every line comes from.
//!
//! In: a [`Document`], its [`Translation`], a [`Summary`], and [`Provenance`]. Out: nouns that hold everything a renderer
//! shows, so that none of them looks anything up. A note is also what `NAME.json` says (see [`crate::render::json`]): it
//! can be read back, which is how a later run lists a note that it did not make again.

mod run;
pub mod similar;

pub use run::{Article, Briefing, Failure, Similar, Skipped};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::document::{BlockId, BlockKind, Document, SegmentId, StatedDate};
use crate::glossary::{Category, Glossary};
use crate::span::Span;
use crate::summary::Summary;
use crate::translation::{SegmentTranslation, Translation};

/// The version of the JSON schema that [`Note`] has.
pub const SCHEMA: u32 = 1;

/// Where an article came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteSource {
    /// The path as it was given or found; `-` for standard input.
    pub path: String,
    /// Which article of the file, where it holds several: a path in an archive, `row 12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// SHA-256 of the bytes, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// The encoding that the bytes were read in, as its WHATWG name.
    pub encoding: String,
}

impl NoteSource {
    /// Returns how the article is called in messages: its path, and which part of it where the file holds several.
    pub fn name(&self) -> String {
        match &self.part {
            Some(part) => format!("{}: {part}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Words of the page with their English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bilingual {
    /// As the page has them (Arabic, or English where the article is in English).
    pub original: String,
    /// In English, where it is known.
    pub english: Option<String>,
}

impl Bilingual {
    /// Returns the English, and where it is not known the original.
    pub fn shown(&self) -> &str {
        self.english.as_deref().unwrap_or(&self.original)
    }
}

/// A block of the article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteBlock {
    /// Its number.
    pub id: BlockId,
    /// Its part in the article.
    pub kind: BlockKind,
    /// Its bytes in the extracted text.
    pub span: Span,
    /// Its words, as extracted.
    pub text: String,
    /// When the entry was written that it opens, in a running report: RFC 3339, or the page's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

impl NoteBlock {
    /// Returns the time as a reader wants it: `2022-11-27 22:05 (+03:00)`, or the page's words.
    pub fn shown_time(&self) -> Option<String> {
        let time = self.time.as_deref()?;
        let moment: Option<jiff::Timestamp> = time.parse().ok();
        // "2022-11-27T22:05:00+03:00": the day, the hour and the minute, the zone.
        let parts = moment.and_then(|_| Some((time.get(..10)?, time.get(11..16)?, time.get(19..)?)));
        Some(parts.map_or_else(|| time.to_owned(), |(day, clock, zone)| format!("{day} {clock} ({zone})")))
    }
}

/// What is known of the article itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteDocument {
    /// The headline.
    pub title: Option<Bilingual>,
    /// Who wrote it.
    pub byline: Option<Bilingual>,
    /// Who published it.
    pub publisher: Option<Bilingual>,
    /// The place or agency that opens it.
    pub dateline: Option<Bilingual>,
    /// When it was published, where it says so.
    pub date: Option<StatedDate>,
    /// What a reader should know about how it was read: characters that could not be decoded.
    pub warnings: Vec<String>,
    /// Its blocks, in reading order.
    pub blocks: Vec<NoteBlock>,
}

/// One point of the publisher's own summary, translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherPoint {
    /// The block that it translates.
    pub block: BlockId,
    /// What stands before the colon, where there is one.
    pub label: Option<String>,
    /// The rest.
    pub statement: String,
    /// Whether the translation is flagged.
    pub flagged: bool,
}

/// How the segments fared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// All segments.
    pub segments: usize,
    /// Those that no check found fault with.
    pub clean: usize,
    /// Those that one did.
    pub flagged: usize,
    /// Flagged segments by what was found; one segment may count under several.
    pub by_check: BTreeMap<Check, usize>,
}

/// A model that had a part in a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLine {
    /// Its registry id.
    pub id: String,
    /// Its pinned revision.
    pub revision: String,
    /// What it did: `translation`, `summary`.
    pub role: String,
    /// Its licence.
    pub licence: String,
    /// How it decodes, with the precision of its weights: notes of other decodings are other notes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decoding: String,
    /// Where its registry does not know all of its files' hashes, that and since when they are known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified: Option<String>,
}

/// The program that made a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// Its version.
    pub version: String,
}

/// A briefing note on one article. Field order is the order in the JSON file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What made it.
    pub mujaz: Maker,
    /// What it was made from.
    pub source: NoteSource,
    /// Why it is a draft only, one sentence in English; none where it is not.
    pub draft: Option<String>,
    /// The article.
    pub document: NoteDocument,
    /// Its bullets; none where no summary was asked for.
    pub summary: Option<Summary>,
    /// The publisher's own summary; empty where the page has none.
    pub publisher_summary: Vec<PublisherPoint>,
    /// All segments, in order.
    pub segments: Vec<SegmentTranslation>,
    /// How they fared.
    pub checks: Checks,
    /// The models, in order of use.
    pub models: Vec<ModelLine>,
    /// The options that decide what a note says, on one line.
    pub options: String,
}

impl Note {
    /// Returns whether making the note again would give the same note, byte for byte.
    pub fn was_made_from(&self, provenance: &Provenance) -> bool {
        self.source == provenance.source
            && self.models == provenance.models
            && self.draft == provenance.draft
            && self.options == provenance.options
            && self.mujaz.version == provenance.version
    }

    /// Returns the blocks of the body's paragraphs with their numbers, from 1.
    pub fn paragraphs(&self) -> impl Iterator<Item = (usize, &NoteBlock)> {
        let paragraphs = self.document.blocks.iter().filter(|block| block.kind.is_body());
        paragraphs.enumerate().map(|(at, block)| (at + 1, block))
    }

    /// Returns the number of the paragraph that a segment stands in; none for a segment of another part.
    pub fn paragraph_of(&self, segment: Option<SegmentId>) -> Option<usize> {
        let block = self.segments.iter().find(|s| Some(s.segment) == segment)?.block;
        self.paragraphs().find(|(_, paragraph)| paragraph.id == block).map(|(number, _)| number)
    }

    /// Returns the segments of a block, in order.
    pub fn segments_of(&self, block: BlockId) -> impl Iterator<Item = &SegmentTranslation> {
        self.segments.iter().filter(move |segment| segment.block == block)
    }
}

/// What a note says of its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The file.
    pub source: NoteSource,
    /// The models.
    pub models: Vec<ModelLine>,
    /// Why the note is a draft only.
    pub draft: Option<String>,
    /// The options on one line.
    pub options: String,
    /// The version of mujaz.
    pub version: String,
}

/// Makes the note of an article. `summary` is none where only a translation was asked for.
pub fn note(
    document: &Document,
    translation: &Translation,
    summary: Option<Summary>,
    provenance: Provenance,
    glossary: &Glossary,
) -> Note {
    let named = |original: &Option<String>, kinds: &[Category]| {
        let original = original.clone()?;
        Some(Bilingual { english: english_name(&original, kinds, glossary), original })
    };
    let title = document.blocks.iter().find(|block| block.kind == BlockKind::Title).map(|block| {
        let english = Some(translation.target_of(block.id)).filter(|english| !english.is_empty());
        Bilingual { original: document.block_text(block).to_owned(), english }
    });
    let blocks = document.blocks.iter().map(|block| NoteBlock {
        id: block.id,
        kind: block.kind,
        span: block.span,
        text: document.block_text(block).to_owned(),
        time: block.time.clone(),
    });
    Note {
        schema: SCHEMA,
        mujaz: Maker { version: provenance.version },
        source: provenance.source,
        draft: provenance.draft,
        document: NoteDocument {
            title,
            byline: named(&document.meta.byline, AUTHORS),
            publisher: named(&document.meta.publisher, PUBLISHERS),
            dateline: named(&document.meta.dateline, DATELINES),
            date: document.meta.date.clone(),
            warnings: document.warnings.clone(),
            blocks: blocks.collect(),
        },
        summary,
        publisher_summary: publisher_summary(document, translation),
        segments: translation.segments.clone(),
        checks: checks(translation),
        models: provenance.models,
        options: provenance.options,
    }
}

/// What publishes. A title that is also a place or an ordinary word is not one of those: it stays as the page has it.
const PUBLISHERS: &[Category] = &[Category::Organization];
/// Who writes.
const AUTHORS: &[Category] = &[Category::Person, Category::Organization];
/// Where an article is written: a place, or the agency that sent it.
const DATELINES: &[Category] = &[Category::Country, Category::Place, Category::Organization];

/// Returns the English of a name that stands alone, where one glossary entry, of one of these kinds, covers all of it.
fn english_name(arabic: &str, kinds: &[Category], glossary: &Glossary) -> Option<String> {
    let trimmed = arabic.trim();
    let found = glossary.matches(trimmed);
    let [only] = found.as_slice() else { return None };
    if !kinds.contains(&only.entry.category) {
        return None;
    }
    // The article and other clitics lie outside a match's span, so the words are compared, not the bytes.
    let uncovered = trimmed[..only.span.start].chars().count() + trimmed[only.span.end..].chars().count();
    let article = trimmed[..only.span.start].is_empty() || trimmed[..only.span.start].trim() == "ال";
    (article && uncovered <= 2 && trimmed[only.span.end..].is_empty()).then(|| only.entry.english.clone())
}

fn publisher_summary(document: &Document, translation: &Translation) -> Vec<PublisherPoint> {
    let blocks = document.blocks.iter().filter(|block| block.kind == BlockKind::PublisherSummary);
    let points = blocks.map(|block| {
        let target = translation.target_of(block.id);
        let target = target.trim_start_matches(['-', '•', ' ']);
        let (label, statement) = split_label(target);
        let flagged = translation.segments_of(block.id).any(SegmentTranslation::is_flagged);
        PublisherPoint { block: block.id, label, statement, flagged }
    });
    points.collect()
}

/// Splits a point at its colon, where what stands before it is short enough to be a label.
fn split_label(point: &str) -> (Option<String>, String) {
    /// The labels of publishers run to five or six words in Arabic and to a few more in English.
    const MOST_WORDS: usize = 9;
    match point.split_once(':') {
        Some((label, rest))
            if (1..=MOST_WORDS).contains(&label.split_whitespace().count())
                && !rest.trim().is_empty()
                && !label.ends_with(|c: char| c.is_ascii_digit()) =>
        {
            (Some(label.trim().to_owned()), rest.trim().to_owned())
        }
        _ => (None, point.trim().to_owned()),
    }
}

/// Counts how the segments of a translation fared.
pub fn checks(translation: &Translation) -> Checks {
    let mut by_check: BTreeMap<Check, usize> = BTreeMap::new();
    for segment in translation.flagged() {
        let mut kinds: Vec<Check> = segment.verdicts.iter().map(|verdict| verdict.check).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            *by_check.entry(kind).or_default() += 1;
        }
    }
    let (segments, flagged) = (translation.segments.len(), translation.flagged().count());
    Checks { segments, clean: segments - flagged, flagged, by_check }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_put_into_english_only_as_what_it_is_there() {
        let shown = |arabic: &str, kinds: &[Category]| english_name(arabic, kinds, Glossary::builtin());
        let (publisher, author, dateline) =
            (|name| shown(name, PUBLISHERS), |name| shown(name, AUTHORS), |name| shown(name, DATELINES));
        assert_eq!(publisher("العربي الجديد").as_deref(), Some("Al-Araby Al-Jadeed"));
        assert_eq!(publisher("رويترز").as_deref(), Some("Reuters"));
        // The sites and papers of these names are no region, no town, no term and no person.
        for name in ["مغاربية", "الشرق الأوسط", "الرياض", "الدستور", "البيان", "السراج", "العربية"]
        {
            assert_eq!(publisher(name), None, "{name}");
        }
        assert_eq!(author("فرانس برس").as_deref(), Some("AFP"));
        assert_eq!(author("معمر القذافي").as_deref(), Some("Muammar Gaddafi"));
        assert_eq!(author("تونس"), None, "nobody is called so");
        assert_eq!(dateline("تونس").as_deref(), Some("Tunisia"));
        assert_eq!(dateline("الرباط").as_deref(), Some("Rabat"));
        assert_eq!(dateline("رويترز").as_deref(), Some("Reuters"));
        assert_eq!(dateline("معمر القذافي"), None, "no place");
        assert_eq!(dateline("مغاربية"), None);
    }

    #[test]
    fn a_point_is_split_at_its_label_and_not_at_a_time_of_day() {
        let split = |point: &str| split_label(point);
        assert_eq!(split("Border: closed."), (Some("Border".into()), "closed.".into()));
        assert_eq!(split("It began at 10:30 today."), (None, "It began at 10:30 today.".into()));
        assert_eq!(split("No label here."), (None, "No label here.".into()));
        assert_eq!(split("Label:"), (None, "Label:".into()));
    }
}

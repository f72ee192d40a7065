//! What a run found: the notes side by side, and what failed.
//!
//! In: notes (made now, or read back from their JSON) with the file that each lies in. Out: a [`Briefing`], newest
//! article first. Writing files is [`crate::pipeline`]'s.

use super::similar::{self, Fingerprint, Likeness};
use super::{Checks, Note};
use crate::document::StatedDate;
use crate::summary::Bullet;
use crate::translation::SegmentTranslation;

/// An article in the briefing of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its English title; where there is none the original, and where there is none the file's path.
    pub title: String,
    /// Who published it, in English where that is known.
    pub publisher: Option<String>,
    /// When, where the article says so.
    pub date: Option<StatedDate>,
    /// Its bullets with the number of the paragraph that each rests on first, where it rests on a paragraph.
    pub bullets: Vec<(Bullet, Option<usize>)>,
    /// Why there are fewer bullets than were asked for.
    pub shortfall: Option<String>,
    /// How its segments fared.
    pub checks: Checks,
    /// The flagged segments.
    pub flagged: Vec<SegmentTranslation>,
    /// Why the note is a draft only.
    pub draft: Option<String>,
    /// The file that it was made from, and which part of it.
    pub path: String,
    /// The note's file, relative to the briefing.
    pub link: String,
    /// What it is compared with others by.
    pub fingerprint: Fingerprint,
    /// An earlier article of the run that it is the same as, or largely the same.
    pub similar: Option<Similar>,
}

/// An earlier article of a run that one is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Similar {
    /// How alike they are.
    pub likeness: Likeness,
    /// The other's title.
    pub title: String,
    /// The other's note, relative to the briefing.
    pub link: String,
}

impl Article {
    /// Takes from a note what a briefing shows; `link` is the note's file relative to the briefing.
    pub fn of(note: &Note, link: impl Into<String>) -> Self {
        let name = note.source.name();
        let title = note.document.title.as_ref().map_or(name.as_str(), |title| title.shown());
        let blocks = note.document.blocks.iter().map(|block| (block.kind, block.text.as_str()));
        let (bullets, shortfall) = match &note.summary {
            Some(summary) => (summary.bullets.clone(), summary.shortfall.clone()),
            None => (Vec::new(), None),
        };
        Self {
            title: title.to_owned(),
            publisher: note.document.publisher.as_ref().map(|publisher| publisher.shown().to_owned()),
            date: note.document.date.clone(),
            bullets: bullets.into_iter().map(|b| (b.clone(), note.paragraph_of(b.evidence.first().copied()))).collect(),
            shortfall,
            checks: note.checks.clone(),
            flagged: note.segments.iter().filter(|segment| segment.is_flagged()).cloned().collect(),
            draft: note.draft.clone(),
            fingerprint: Fingerprint::of_blocks(blocks.collect()),
            similar: None,
            path: name.clone(),
            link: link.into(),
        }
    }
}

/// An input, or a part of one, that gave no note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The input.
    pub path: String,
    /// What went wrong, and what to do about it.
    pub reason: String,
}

/// A file or a part of one that was passed over: of no kind that mujaz reads, or the same bytes as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A run over many articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Briefing {
    /// The articles: dated ones first, newest first; then the others, in the order given.
    pub articles: Vec<Article>,
    /// What failed, in the order given.
    pub failures: Vec<Failure>,
    /// What was passed over, in the order given.
    pub skipped: Vec<Skipped>,
    /// The version of mujaz.
    pub version: String,
}

impl Briefing {
    /// Puts a run together.
    pub fn new(mut articles: Vec<Article>, failures: Vec<Failure>, skipped: Vec<Skipped>, version: String) -> Self {
        // In the order given: the first is the one that others are copies of.
        let links = similar::links(&articles.iter().map(|article| &article.fingerprint).collect::<Vec<_>>());
        for (place, link) in links.into_iter().enumerate() {
            articles[place].similar = link.map(|link| {
                let other = &articles[link.to];
                Similar { likeness: link.likeness, title: other.title.clone(), link: other.link.clone() }
            });
        }
        // Stable, so that undated articles (and those of one day) stay in the order given.
        articles.sort_by_key(|article| std::cmp::Reverse(article.date.as_ref().map(|date| date.iso)));
        Self { articles, failures, skipped, version }
    }
}

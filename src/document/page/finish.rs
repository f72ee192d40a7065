//! The article is put together: dateline and signature are cut off, publisher and date decided on.
//!
//! In: a [`Work`] in which every line has its part. Out: the [`Page`].

use super::{Page, Role, Work};
use crate::document::caption;
use crate::document::credit;
use crate::document::line::Hint;
use crate::document::stated;
use crate::document::{BlockKind, Declared, StatedDate};

impl Work<'_> {
    /// Cuts dateline and signature off the text, decides on the publisher, and puts everything together.
    pub(super) fn finish(mut self, declared: &Declared) -> Page {
        let mut page = Page::default();
        let roles = std::mem::take(&mut self.roles);
        let mut time = None;
        for (line, role) in self.lines.iter().zip(roles) {
            time = line.time.clone().or(time);
            match role {
                Role::Part(kind, words) => {
                    page.times.extend(time.take().map(|time| (page.blocks.len(), time)));
                    page.blocks.push((kind, words.unwrap_or_else(|| line.text.clone())));
                }
                // Its words stand in the line it is a part of.
                Role::Open | Role::Out if line.hint == Some(Hint::Piece) => {}
                Role::Open | Role::Out => page.furniture.push(line.text.clone()),
            }
        }
        self.dateline(&mut page);
        self.closing_signature(&mut page);
        for (kind, words) in &mut page.blocks {
            if *kind == BlockKind::Caption {
                *words = caption::words(words).to_owned();
                self.evidence.picture(words);
            }
        }
        let texts = page.blocks.iter().map(|(_, words)| words.as_str());
        let found = self.evidence.clone().publisher(texts);
        // A page declares its site; what other formats declare may be who made the file.
        let zoned = self.lines.iter().any(|line| line.body);
        self.meta.publisher =
            if zoned { declared.publisher.clone().or(found) } else { found.or_else(|| declared.publisher.clone()) };
        self.date(declared);
        page.meta = self.meta;
        page
    }

    /// Weighs the date that the format declares against the one that the page shows.
    fn date(&mut self, declared: &Declared) {
        let Some(stated) = declared.date.as_deref().and_then(stated::read) else { return };
        match &mut self.meta.date {
            // The same day, or the same moment elsewhere on earth: the declared one has the time, the shown one the words.
            Some(shown) if days_between(shown.iso, stated.iso) <= 1 => {
                // Where only the page says the time, its time is kept.
                if stated.at.is_some() || shown.at.is_none() || shown.iso != stated.iso {
                    *shown = StatedDate { words: shown.words.clone(), ..stated };
                }
            }
            // A date of another day on the page is the article's own; the declared one may be the file's or the crawl's.
            Some(_) if !self.updated => {}
            date => *date = Some(stated),
        }
    }

    fn dateline(&mut self, page: &mut Page) {
        let opens = |kind: BlockKind| matches!(kind, BlockKind::Paragraph | BlockKind::Standfirst);
        let Some((_, words)) =
            page.blocks.iter_mut().find(|(kind, words)| opens(*kind) && credit::dateline(words, &self.names).is_some())
        else {
            return;
        };
        let Some((mut credit, start)) = credit::dateline(words, &self.names) else { return };
        if let Some(publisher) = credit.publisher.take() {
            self.evidence.dateline.get_or_insert(publisher);
        }
        *words = words[start..].to_owned();
        self.facts(credit, false);
    }

    /// Takes "(رويترز)" off the end of the last paragraph.
    fn closing_signature(&mut self, page: &mut Page) {
        let Some((_, words)) = page.blocks.iter_mut().rev().find(|(kind, _)| *kind == BlockKind::Paragraph) else {
            return;
        };
        if let Some((text, publisher)) = caption::closing_credit(words) {
            let end = text.len();
            self.evidence.signature.get_or_insert(publisher);
            words.truncate(end);
        }
    }
}

fn days_between(one: jiff::civil::Date, other: jiff::civil::Date) -> i32 {
    one.since(other).map_or(i32::MAX, |span| span.get_days().abs())
}

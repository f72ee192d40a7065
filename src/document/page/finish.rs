//! The article is put together: dateline and signature are cut off, publisher and date decided on.
//!
//! In: a [`Work`] in which every line has its part. Out: the [`Page`].

use super::{Page, Role, Work};
use crate::document::caption;
use crate::document::credit;
use crate::document::line::{Hint, key};
use crate::document::stated;
use crate::document::{BlockKind, Declared, Meta, StatedDate};

impl Work<'_> {
    /// Cuts dateline and signature off the text, decides on the publisher, and puts everything together.
    pub(super) fn finish(mut self, declared: &Declared) -> Page {
        let mut page = Page::default();
        self.put_back();
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
        let lead = self.dateline(&mut page);
        let signature = self.closing_signature(&mut page);
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
        if let Some(lead) = lead {
            self.keep_dateline(&lead);
        }
        // Another than the publisher is signed with: its name stays where it stood.
        if let Some((at, name, end)) = signature
            && self.meta.publisher.as_deref().is_none_or(|publisher| key(publisher) != key(&name))
        {
            page.blocks[at].1.push_str(&end);
        }
        page.meta = self.meta;
        page
    }

    /// Puts lines of facts back into the text of which another line had the place: a second source, a second author.
    fn put_back(&mut self) {
        if self.saved {
            return;
        }
        let same = |one: &Option<String>, other: &Option<String>| one.is_none() || one == other;
        for at in std::mem::take(&mut self.taken) {
            let Some(credit) = &self.credits[at] else { continue };
            let names = [&self.evidence.signature, &self.evidence.credit];
            // Of two publishers the signature is believed; that of the head is known where it is the same or none signs.
            let published = same(&credit.publisher, names[0])
                || (names[0].is_none() && same(&credit.publisher, names[1]))
                || credit.publisher.as_ref().zip(names[0].as_ref()).is_some_and(|(one, other)| key(one) == key(other));
            let kept = same(&credit.byline, &self.meta.byline) && same(&credit.place, &self.meta.dateline) && published;
            if !kept {
                self.part(at, BlockKind::Paragraph);
            }
        }
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

    /// Cuts the dateline off the text; returns its words.
    fn dateline(&mut self, page: &mut Page) -> Option<String> {
        let opens = |kind: BlockKind| matches!(kind, BlockKind::Paragraph | BlockKind::Standfirst);
        let first = page.blocks.iter().position(|(kind, _)| *kind == BlockKind::Paragraph).unwrap_or(page.blocks.len());
        let at = (0..page.blocks.len().min(first + 1)).find(|&at| {
            let (kind, words) = &page.blocks[at];
            opens(*kind) && credit::dateline(words, &self.names).is_some()
        })?;
        // Of several lines of one shape, each names what it is about: towns and their weather, markets and their prices.
        let next = page.blocks.get(at + 1).is_some_and(|(kind, words)| {
            opens(*kind) && credit::dateline(words, &self.names).is_some_and(|(credit, _)| credit.is_fact())
        });
        if next {
            return None;
        }
        let words = &mut page.blocks[at].1;
        let (mut credit, start) = credit::dateline(words, &self.names)?;
        if let Some(publisher) = credit.publisher.take() {
            self.evidence.dateline.get_or_insert(publisher);
        }
        let rest = words.split_off(start);
        let lead = std::mem::replace(words, rest);
        self.facts(credit, false);
        Some(lead)
    }

    /// Keeps the names in a dateline that no other fact has, of two agencies the second, and a day that is not the
    /// article's.
    fn keep_dateline(&mut self, lead: &str) {
        let Meta { byline, publisher, dateline, date, .. } = &self.meta;
        let facts = [byline, publisher, dateline];
        let kept: Vec<String> = facts.into_iter().flatten().map(|words| key(words)).collect();
        let kept: Vec<&str> = kept.iter().flat_map(|words| words.split(' ')).collect();
        let day = stated::read(lead).map(|day| day.iso);
        let other_day = day.is_some() && day != date.as_ref().map(|date| date.iso);
        // "بلقاء" is "وكالة البلقاء", and CNN "CNNArabic".
        let is_kept = |word: &String| {
            kept.contains(&word.as_str())
                || (word.chars().count() >= 3 && kept.iter().any(|kept| kept.contains(word.as_str())))
        };
        // A day without a year is no date of its own; "عمان 9 يناير (رويترز)" is the form of one agency's every dispatch.
        let yearless = day.is_none() && date.is_none() && !lead.contains('(') && credit::names_day(lead);
        if other_day || yearless || credit::names_in(lead).any(|word| !is_kept(&word)) {
            let ends = |c: char| c.is_whitespace() || matches!(c, '-' | '–' | '—' | 'ـ' | ':' | '/');
            self.meta.dateline = Some(lead.trim_end_matches(ends).trim_start().to_owned());
        }
    }

    /// Takes "(رويترز)" off the end of the last paragraph.
    /// Returns where it stood, the name, and what was taken off.
    fn closing_signature(&mut self, page: &mut Page) -> Option<(usize, String, String)> {
        let at = page.blocks.iter().rposition(|(kind, _)| *kind == BlockKind::Paragraph)?;
        let words = &mut page.blocks[at].1;
        let (text, publisher) = caption::closing_credit(words)?;
        let end = text.len();
        self.evidence.signature.get_or_insert_with(|| publisher.clone());
        Some((at, publisher, words.split_off(end)))
    }
}

fn days_between(one: jiff::civil::Date, other: jiff::civil::Date) -> i32 {
    one.since(other).map_or(i32::MAX, |span| span.get_days().abs())
}

//! The lines between headline and text: date, byline, standfirst, caption.
//!
//! In: a [`Work`] over lines of which no format says where the text is. Out: roles and facts of the lines at its head.

use super::{HEAD_REACH, Role, Work, is_told};
use crate::document::BlockKind;
use crate::document::caption;

impl Work<'_> {
    /// Reads what stands between the headline and the first paragraph: date, byline, standfirst, caption.
    pub(super) fn head(&mut self) {
        let reach = self.end.min(self.start + HEAD_REACH);
        let mut last_fact = None;
        let mut running = 0;
        for at in self.start..reach {
            if !self.is_open(at) {
                continue;
            }
            if self.runs(at) {
                running += 1;
            }
            // What a list is of, stands over it: neither is of the head.
            if running > 2 || (running > 0 && self.lines[at].text.ends_with(':')) {
                break;
            }
            // Under running text, the bare name of an outlet may be anything.
            let fact = self.credits[at]
                .as_ref()
                .is_some_and(|c| c.date.is_some() || c.byline.is_some() || (c.publisher.is_some() && running == 0));
            if fact && (at + 1..self.end).any(|after| self.runs(after)) {
                last_fact = Some(at);
            }
        }
        let head_end = last_fact.map_or(self.start, |at| at + 1);
        let mut facts = false;
        for at in self.start..head_end {
            if !self.is_open(at) {
                continue;
            }
            let line = &self.lines[at];
            if self.credits[at].is_some() {
                self.take(at, false);
                facts = true;
            } else if is_told(line) {
                continue;
            } else if caption::is_caption(line) {
                self.part(at, BlockKind::Caption);
            } else if self.is_author(at) {
                self.author(at);
            } else if self.runs(at) || (line.words >= 4 && !facts) || line.bullet().is_some() {
                self.part(at, BlockKind::Standfirst);
            } else if line.words >= 4 {
                self.part(at, BlockKind::Caption);
            } else if self.saved {
                self.roles[at] = Role::Out;
            } else {
                self.part(at, BlockKind::Standfirst);
            }
        }
        self.below_head(head_end, last_fact.is_some());
    }

    /// Reads the lines after the facts and before the first running text.
    fn below_head(&mut self, from: usize, facts: bool) {
        let first = (from..self.end).find(|&at| self.runs(at));
        let Some(first) = first else { return };
        let between: Vec<usize> = (from..first).filter(|&at| self.is_open(at)).collect();
        let mut captioned = false;
        let mut opened = false;
        for (place, &at) in between.iter().enumerate() {
            let line = &self.lines[at];
            if is_told(line) {
                continue;
            }
            if caption::is_caption(line) {
                self.part(at, BlockKind::Caption);
                captioned = true;
            } else if self.credits[at].is_some() {
                self.take(at, false);
            } else if self.is_author(at) && (facts || !self.saved || place + 1 == between.len()) {
                self.author(at);
            } else if !opened && !captioned && facts && (3..=30).contains(&line.words) && line.bullet().is_none() {
                self.part(at, BlockKind::Caption);
                captioned = true;
                opened = true;
            } else if !opened && !facts && (4..=30).contains(&line.words) && line.bullet().is_none() {
                self.part(at, BlockKind::Standfirst);
                opened = true;
            } else {
                opened = true;
            }
        }
    }
}

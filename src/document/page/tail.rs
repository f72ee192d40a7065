//! The lines after the last running text.
//!
//! In: a [`Work`] over lines of which no format says where the text is. Out: roles and facts of the lines at its foot:
//! signature, source, date; short lines behind what a site adds are the site's.

use super::body::listed;
use super::{Role, Work, caption, is_end, is_speech, is_told};
use crate::document::BlockKind;
use crate::document::line::Line;

/// The most words of a line behind the text that a site may have added.
const SHORT: usize = 6;

impl Work<'_> {
    /// Reads the lines after the last running text: signature, source, date; the rest of short lines is the site's.
    pub(super) fn tail(&mut self) {
        let Some(last) = (self.start..self.end).rev().find(|&at| self.runs(at)) else { return };
        let rest: Vec<usize> = (last + 1..self.end).filter(|&at| self.is_open(at)).collect();
        // Where the site says anything more, headlines without a stop are its links; where the page just ends, they are
        // the author's last lines.
        let first_mark =
            (last + 1..self.lines.len()).find(|&at| self.marks[at].is_some() && self.lines[at].has_letter());
        let signed = rest.iter().copied().find(|&at| self.credits[at].is_some());
        for (place, &at) in rest.iter().enumerate() {
            let line = &self.lines[at];
            let beside: Vec<&Line> = [at.checked_sub(1), Some(at + 1)]
                .into_iter()
                .flatten()
                .filter_map(|other| self.lines.get(other))
                .collect();
            // What follows the text up to what the site adds, or to the signature, goes on with it.
            let goes_on = first_mark.is_none_or(|mark| at < mark) && signed.is_none_or(|signed| at < signed);
            let site = first_mark.is_some() && (self.saved || !goes_on);
            // What a list is of, stands over it.
            let announced = at > 0 && self.lines[at - 1].text.ends_with(':') && !self.is_out(at - 1);
            if self.credits[at].is_some() {
                self.take(at, true);
            } else if is_told(line) {
                // Lists, tables and headings at the end are as good as those before.
            } else if let Some(part) = listed(line, &beside).filter(|_| !site || announced || self.is_listed(at)) {
                self.roles[at] = part;
            } else if caption::is_caption(line) {
                self.part(at, BlockKind::Caption);
            } else if is_end(&line.key) {
                self.roles[at] = Role::Out;
            } else if place == 0 && self.is_author(at) {
                self.author(at);
            } else if (is_speech(&line.text) && !site) || announced {
                self.part(at, BlockKind::Paragraph);
            } else if (site && (line.words <= SHORT || !goes_on)) || (line.is_cut_off() && self.saved) {
                self.roles[at] = Role::Out;
            } else {
                self.part(at, BlockKind::Paragraph);
            }
        }
    }
}

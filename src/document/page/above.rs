//! The lines over the headline.
//!
//! In: a [`Work`] and the headline found. Out: roles and facts of the lines before it. In the copy of a site's page they are
//! the site's, but for a date that says it is the article's; elsewhere somebody wrote them, and none is thrown away.

use super::{Role, Work};
use crate::document::BlockKind;
use crate::document::caption;
use crate::document::headline::Headline;
use crate::document::line::Hint;

impl Work<'_> {
    /// Decides on what stands over the headline.
    pub(super) fn above(&mut self, headline: Headline) {
        let added = (0..headline.at).filter(|&at| self.marks[at].is_some() && self.lines[at].has_letter()).count();
        // The sections of a site, a word each.
        let sections = (0..headline.at).filter(|&at| self.lines[at].words == 1 && self.credits[at].is_none()).count();
        let of_site = added >= 2 || (self.saved && added >= 1) || sections >= 3;
        for at in 0..headline.at {
            if of_site {
                self.above_in_site(at, headline.at);
            } else {
                self.above_in_text(at);
            }
        }
        self.roles[headline.at] = Role::Part(BlockKind::Title, Some(headline.text));
        self.evidence.site = headline.site;
    }

    fn above_in_site(&mut self, at: usize, headline: usize) {
        let line = &self.lines[at];
        // Where a format parts paragraphs, running text over the headline is somebody's.
        if line.hint.is_some() && line.is_prose() && self.running[at] {
            self.part(at, BlockKind::Paragraph);
            return;
        }
        let labelled = self.credits[at]
            .as_ref()
            .is_some_and(|c| c.labelled || (c.byline.is_some() && c.date.is_none() && c.publisher.is_none()));
        if labelled && headline - at <= 4 {
            self.take(at, false);
        }
        self.roles[at] = Role::Out;
    }

    fn above_in_text(&mut self, at: usize) {
        let line = &self.lines[at];
        // On a site's page a word alone is the name of the section.
        let section = self.saved && line.words == 1 && line.hint.is_none();
        if self.marks[at].is_some() || line.hint == Some(Hint::Furniture) || section {
            self.roles[at] = Role::Out;
            return;
        }
        if self.credits[at].is_some() {
            self.take(at, false);
            return;
        }
        if self.is_author(at) {
            self.author(at);
            return;
        }
        let kind = match line.hint {
            Some(Hint::Heading) => BlockKind::Subheading,
            Some(Hint::ListItem) => BlockKind::ListItem,
            Some(Hint::TableRow) => BlockKind::TableRow,
            Some(Hint::Quote) => BlockKind::Quote,
            _ if caption::is_caption(line) => BlockKind::Caption,
            _ if self.running[at] || line.words >= 15 => BlockKind::Paragraph,
            _ => BlockKind::Standfirst,
        };
        self.part(at, kind);
    }
}

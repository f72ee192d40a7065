//! The lines that nothing else was found out about: lists, tables, captions, headings, paragraphs.
//!
//! In: a [`Work`] whose head and foot are decided on. Out: roles of all lines that are left.

use super::{Role, Work, caption, is_speech};
use crate::document::line::{Hint, Line};
use crate::document::{BlockKind, CELLS};

impl Work<'_> {
    /// Keeps to what the format says of lines that nothing else was found out about.
    pub(super) fn hints(&mut self) {
        for at in self.start..self.end {
            if !self.is_open(at) {
                continue;
            }
            let kind = match self.lines[at].hint {
                Some(Hint::Heading) => BlockKind::Subheading,
                Some(Hint::ListItem) => BlockKind::ListItem,
                Some(Hint::TableRow) => BlockKind::TableRow,
                Some(Hint::Quote) => BlockKind::Quote,
                Some(Hint::Caption) => BlockKind::Caption,
                Some(Hint::Standfirst) => BlockKind::Standfirst,
                Some(Hint::PullQuote) => BlockKind::PullQuote,
                Some(Hint::Summary) => BlockKind::PublisherSummary,
                Some(Hint::Credit | Hint::Piece | Hint::Furniture) => {
                    self.roles[at] = Role::Out;
                    continue;
                }
                Some(Hint::Title | Hint::Paragraph) | None => continue,
            };
            self.part(at, kind);
        }
    }

    /// Decides on all that is left: captions, headings, paragraphs.
    pub(super) fn body(&mut self) {
        let open: Vec<usize> = (self.start..self.end).filter(|&at| self.is_open(at)).collect();
        let runs: Vec<bool> = open.iter().map(|&at| self.runs(at)).collect();
        for (place, &at) in open.iter().enumerate() {
            let line = &self.lines[at];
            // One line with a dash may be anything, and so may one with a tab; two of a kind are a list and a table.
            let beside = [place.checked_sub(1), Some(place + 1)].into_iter().flatten().filter_map(|p| open.get(p));
            let beside: Vec<&Line> =
                beside.filter(|&&other| other.abs_diff(at) == 1).map(|&at| &self.lines[at]).collect();
            if let Some(part) = listed(line, &beside) {
                self.roles[at] = part;
                continue;
            }
            let over_text = runs.get(place + 1).copied().unwrap_or(false);
            let heading = line.words <= 14
                && !line.has_stop()
                && !line.is_cut_off()
                && line.bullet().is_none()
                && line.has_letter();
            let kind = if caption::is_caption(line) {
                BlockKind::Caption
            } else if heading
                && over_text
                && place > 0
                && !line.body
                && !counts(&line.text)
                && !is_last_of_list(&open[..place], self.lines, &runs)
                && !opens_speech(&line.text)
                && !is_speech(&line.text)
            {
                BlockKind::Subheading
            } else {
                BlockKind::Paragraph
            };
            self.part(at, kind);
        }
    }
}

/// Returns what a line of plain text is that has a bullet, or cells parted by tabs, as a line beside it has.
pub(super) fn listed(line: &Line, beside: &[&Line]) -> Option<Role> {
    let mark = line.text.chars().next();
    let barred = |line: &Line| line.text.len() > 2 && line.text.starts_with('|') && line.text.ends_with('|');
    if barred(line) && beside.iter().any(|other| barred(other)) {
        let cells = line.text.trim_matches('|').split('|').map(str::trim);
        return Some(Role::Part(BlockKind::TableRow, Some(cells.collect::<Vec<_>>().join(CELLS))));
    }
    if let Some(words) = line.bullet() {
        let alike = beside.iter().any(|other| other.bullet().is_some() && other.text.chars().next() == mark);
        return alike.then(|| Role::Part(BlockKind::ListItem, Some(words.to_owned())));
    }
    let cells = line.text.matches('\t').count();
    let alike = cells > 0 && beside.iter().any(|other| other.text.matches('\t').count() == cells);
    let row = || line.text.split('\t').map(str::trim).collect::<Vec<_>>().join(CELLS);
    alike.then(|| Role::Part(BlockKind::TableRow, Some(row())))
}

/// Returns whether a short line has others over it, as the last of a list has: headings stand alone.
fn is_last_of_list(before: &[usize], lines: &[Line], runs: &[bool]) -> bool {
    const MANY: usize = 3;
    let short = |place: usize| lines[before[place]].words <= 4 && !runs[place] && !lines[before[place]].is_closed();
    before.len() >= MANY && (before.len() - MANY..before.len()).all(short)
}

/// Returns whether a line says how many or how much of something: "القاهرة: 32".
fn counts(text: &str) -> bool {
    text.split_once(':').is_some_and(|(_, number)| !number.is_empty() && number.trim().chars().all(char::is_numeric))
}

/// Returns whether a line opens a speech or a quotation rather than a section: "وقال:".
fn opens_speech(text: &str) -> bool {
    text.ends_with(':')
        && text.split_whitespace().next().is_some_and(|word| word.starts_with('و') || word.starts_with("قال"))
}

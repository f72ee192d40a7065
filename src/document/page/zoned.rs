//! Lines of which the format says whether they stand in the article's text are given their parts.
//!
//! In: a [`Work`] over such lines: a web page's. Out: roles. Nothing here guesses where headline, head and end are: the page
//! says so. What is left to the words: credits before and after the text, related links and labels within it, the
//! publisher's box, captions with a credit.

use super::{Role, Work};
use crate::arabic::calendar::expressions;
use crate::document::BlockKind;
use crate::document::caption;
use crate::document::credit;
use crate::document::furniture::Mark;
use crate::document::line::Hint;
use crate::document::repeat::{self, Said};

/// How many words of a heading make it more than the heading of a section.
const LONG_HEADING: usize = 8;

/// How many lines of the text may stand before its first sentence and be a credit.
const HEAD: usize = 6;

impl Work<'_> {
    /// Gives every line its part.
    pub(super) fn zoned(&mut self) {
        let body: Vec<usize> = (0..self.lines.len()).filter(|&at| self.lines[at].body).collect();
        self.start = body.first().copied().unwrap_or(self.lines.len());
        self.end = body.last().map_or(self.start, |&last| last + 1);
        self.chronology();
        for at in 0..self.lines.len() {
            self.beside(at);
        }
        self.named_beside_time();
        self.find_end();
        self.summary();
        self.labels();
        self.opening();
        self.set_apart();
        self.closing();
        self.hints();
        self.body();
    }

    /// Decides on a line that is not in the text.
    fn beside(&mut self, at: usize) {
        let line = &self.lines[at];
        if !self.is_open(at) {
            return;
        }
        let kind = match line.hint {
            Some(Hint::Title) => {
                self.roles[at] = Role::Part(BlockKind::Title, None);
                return;
            }
            _ if line.body => return,
            Some(Hint::Summary) if self.marks[at].is_none() => {
                let words = line.bullet().map(str::to_owned);
                self.roles[at] = Role::Part(BlockKind::PublisherSummary, words);
                return;
            }
            Some(Hint::Standfirst) if self.credits[at].is_none() && self.marks[at].is_none() => BlockKind::Standfirst,
            Some(Hint::PullQuote) => BlockKind::PullQuote,
            Some(Hint::Caption) if self.marks[at].is_none() => BlockKind::Caption,
            Some(Hint::TableRow) => BlockKind::TableRow,
            Some(Hint::Furniture) => {
                if self.marks[at] == Some(Mark::Notice) {
                    self.evidence.rights(&line.text);
                }
                self.roles[at] = Role::Out;
                return;
            }
            _ => {
                self.roles[at] = Role::Out;
                if self.credits[at].is_some() {
                    self.take(at, at >= self.end);
                }
                return;
            }
        };
        self.part(at, kind);
    }

    /// Keeps the days in a text that tells what was when: several days between its paragraphs, whatever the page calls them.
    fn chronology(&mut self) {
        let first = (self.start..self.end).find(|&at| self.running[at] && self.lines[at].body).unwrap_or(self.end);
        let day = |at: usize| self.credits[at].as_ref().and_then(|credit| credit.date.as_ref()).map(|date| date.iso);
        let within = |at: &usize| !self.lines[*at].body && self.lines[*at].hint == Some(Hint::Credit);
        let days: Vec<usize> = (first..self.end).filter(within).filter(|&at| day(at).is_some()).collect();
        if days.iter().any(|&at| day(at) != day(days[0])) {
            for at in days {
                self.credits[at] = None;
                self.part(at, BlockKind::Paragraph);
            }
        }
    }

    /// Takes for the author the only name in a row whose other part says when: "NAME", "three hours ago".
    fn named_beside_time(&mut self) {
        let mut at = 0;
        while at < self.start.min(self.lines.len()) && self.meta.byline.is_none() {
            let piece = |at: &usize| self.lines.get(*at).is_some_and(|line| line.hint == Some(Hint::Piece));
            let row: Vec<usize> = (at + 1..self.lines.len()).take_while(piece).collect();
            at += 1 + row.len();
            let names: Vec<usize> =
                row.iter().copied().filter(|&piece| credit::is_name(&self.lines[piece].text)).collect();
            let time = row.iter().any(|&piece| !names.contains(&piece) && says_when(&self.lines[piece].text));
            if let (&[name], true) = (&names[..], time) {
                self.meta.byline = Some(credit::unquoted(&self.lines[name].text));
            }
        }
    }

    /// Leaves out labels, and the links that follow "read also".
    fn labels(&mut self) {
        let mut links = false;
        for at in self.start..self.end {
            if !self.is_open(at) {
                continue;
            }
            let line = &self.lines[at];
            let mark = self.marks[at];
            // Links in a list or alone on their line, right after the label.
            if links && (line.linked || (line.hint == Some(Hint::ListItem) && !line.is_closed())) {
                self.roles[at] = Role::Out;
                continue;
            }
            links = false;
            match mark {
                Some(Mark::Related) => {
                    links = true;
                    self.roles[at] = Role::Out;
                }
                Some(Mark::Notice) => {
                    self.evidence.rights(&self.lines[at].text);
                    self.roles[at] = Role::Out;
                }
                Some(_) => self.roles[at] = Role::Out,
                // A paragraph that is one link leads away; a heading or a point of a list may be one.
                None if line.linked && line.hint == Some(Hint::Paragraph) && !line.has_stop() => {
                    self.roles[at] = Role::Out;
                }
                None => {}
            }
        }
    }

    /// Reads the credits before the first sentence.
    fn opening(&mut self) {
        let first = (self.start..self.end).find(|&at| self.runs(at)).unwrap_or(self.end);
        for at in (self.start..first).filter(|&at| self.lines[at].body).take(HEAD) {
            if !self.is_open(at) || self.lines[at].hint == Some(Hint::TableRow) {
                continue;
            }
            if self.credits[at].is_some() && !self.speaks_again(at) {
                self.take(at, false);
            } else if let Some(place) = credit::signature_place(&self.lines[at].text, &self.names) {
                self.meta.dateline.get_or_insert(place);
                self.roles[at] = Role::Out;
            } else if self.is_byline(at) {
                self.author(at);
            } else if self.lines[at].hint == Some(Hint::Heading) && self.lines[at].words >= LONG_HEADING {
                // A heading as long as a sentence, with no text over it, sums the article up.
                self.part(at, BlockKind::Standfirst);
            }
        }
    }

    /// Returns whether a line says who speaks, and who speaks again: in an interview that an outlet opens.
    fn speaks_again(&self, at: usize) -> bool {
        let line = &self.lines[at];
        line.text.ends_with(':') && self.lines[at + 1..self.end].iter().any(|other| other.body && other.key == line.key)
    }

    /// Returns whether a line is the byline that is known, or could be the one that is not.
    fn is_byline(&self, at: usize) -> bool {
        let line = &self.lines[at];
        let known = self.meta.byline.as_deref().map(crate::document::line::key);
        line.hint == Some(Hint::Paragraph) && known.map_or_else(|| self.is_author(at), |known| known == line.key)
    }

    /// Tells pull quotes by their words standing elsewhere; the text's own paragraphs stay.
    fn set_apart(&mut self) {
        let open: Vec<usize> = (self.start..self.end).filter(|&at| self.is_open(at)).collect();
        let texts: Vec<&str> = open.iter().map(|&at| self.lines[at].text.as_str()).collect();
        let shares = repeat::shares(&texts);
        let (said, twice) =
            repeat::said(open.iter().map(|&at| &self.lines[at]).map(|line| (line.key.as_str(), &line.text)));
        for ((&at, share), said) in open.iter().zip(shares).zip(said) {
            let line = &self.lines[at];
            // The page holds its article twice: the first copy is the article.
            if twice && said == Said::Again && !matches!(line.hint, Some(Hint::TableRow)) && line.words >= repeat::COPY
            {
                self.roles[at] = Role::Out;
                continue;
            }
            if twice && said == Said::First {
                continue;
            }
            let set = matches!(line.hint, Some(Hint::Quote | Hint::Heading)) || !line.has_stop();
            if share >= 0.99 && line.words >= 8 && set && line.hint != Some(Hint::ListItem) {
                self.part(at, BlockKind::PullQuote);
            }
        }
    }

    /// Reads what stands after the last sentence: signature, source, date.
    fn closing(&mut self) {
        let Some(last) = (self.start..self.end).rev().find(|&at| self.runs(at)) else { return };
        let mut over = false;
        for at in last + 1..self.end {
            if !self.is_open(at) {
                continue;
            }
            let line = &self.lines[at];
            // Under a signature stands nothing of the author's but the name.
            let named = self.is_author(at) && matches!(line.hint, Some(Hint::Paragraph | Hint::Heading));
            if over && named {
                self.author(at);
                continue;
            }
            if over {
                self.roles[at] = Role::Out;
                continue;
            }
            let plain = line.hint == Some(Hint::Paragraph);
            if let (Some(credit), true) = (&self.credits[at], plain) {
                over = !credit.is_second();
                self.take(at, true);
            } else if caption::is_caption(line) {
                self.part(at, BlockKind::Caption);
            } else if plain && credit::is_signature(&line.text, &self.names) {
                self.roles[at] = Role::Out;
                over = true;
            } else if plain && self.is_byline(at) {
                self.author(at);
                over = true;
            } else if line.hint == Some(Hint::Heading) && !self.heads_list(at) {
                // A heading with nothing under it.
                self.roles[at] = Role::Out;
            }
        }
    }
}

impl Work<'_> {
    /// Returns whether a list, a table or a quotation of the text stands under a heading.
    fn heads_list(&self, at: usize) -> bool {
        self.lines.get(at + 1).is_some_and(|next| {
            next.body
                && !next.linked
                && self.marks[at + 1].is_none()
                && matches!(next.hint, Some(Hint::ListItem | Hint::TableRow | Hint::Quote))
        })
    }
}

/// Returns whether a few words say when something was, and hardly more.
fn says_when(text: &str) -> bool {
    // "منذ 3 ساعات": no calendar has it, and it is not needed.
    let ago = text.strip_prefix("منذ ").is_some_and(|rest| !rest.is_empty());
    text.split_whitespace().count() <= 8 && (ago || !expressions(text).is_empty())
}

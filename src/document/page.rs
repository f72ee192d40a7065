//! The lines of a saved page are given their parts in the article.
//!
//! In: the lines of a page, top to bottom. Out: the article's blocks in reading order, its facts, and every line that is in
//! no block. The rules are of structure: what stands over the headline, between headline and first paragraph, between
//! paragraphs and after the last one. Vocabulary is [`super::furniture`]'s, names are [`super::outlet`]'s.
//! Every line ends up in a block or among the furniture; none is lost.

mod finish;
mod head;
mod zoned;

use std::collections::BTreeMap;

use super::caption;
use super::credit::{self, Credit};
use super::furniture::{self, Mark};
use super::headline::{self, Headline};
use super::line::{Hint, Line, key};
use super::publisher::Evidence;
use super::repeat::{self, Said};
use super::summary_box;
use super::{BlockKind, CELLS, Declared, Meta};

/// What a page was found to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Parts of the article with their words, in reading order.
    pub blocks: Vec<(BlockKind, String)>,
    /// Facts about it.
    pub meta: Meta,
    /// Lines that are in no block, in order.
    pub furniture: Vec<String>,
    /// The times of those blocks that open an entry, by their places.
    pub times: BTreeMap<usize, String>,
}

/// What a line is: undecided, left out, or a part with its words where these are not the whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Open,
    Out,
    Part(BlockKind, Option<String>),
}

/// How far below the headline its facts can stand, in lines.
const HEAD_REACH: usize = 40;

struct Work<'l> {
    lines: &'l [Line],
    marks: Vec<Option<Mark>>,
    credits: Vec<Option<Credit>>,
    roles: Vec<Role>,
    /// For each line whether it reads as running text, whatever its place.
    running: Vec<bool>,
    meta: Meta,
    evidence: Evidence,
    /// The first line after the headline, and one past the last line of the article.
    start: usize,
    end: usize,
    /// The names of the site that the format declares, as keys.
    names: Vec<String>,
    /// Whether the date found is that of a change.
    updated: bool,
}

/// Returns whether a line reads as running text: a sentence, or many words.
fn reads(line: &Line) -> bool {
    (line.is_prose() || (line.is_closed() && line.words >= 4) || (line.words >= 15 && !line.is_cut_off()))
        && !caption::is_caption(line)
}

/// Finds the article in a page. What the format says of it goes before what the text seems to say.
pub(super) fn extract(lines: &[Line], declared: &Declared) -> Page {
    let marks: Vec<Option<Mark>> = lines.iter().map(furniture::mark).collect();
    let names: Vec<String> = declared.publisher.iter().map(|name| key(name)).collect();
    let credits: Vec<Option<Credit>> = lines
        .iter()
        .zip(&marks)
        .map(|(line, mark)| if mark.is_none() && !is_beside(line) { read(line, &names) } else { None })
        .collect();
    let zoned = lines.iter().any(|line| line.body);
    let found = if zoned { None } else { headline::find(lines, &marks, &credits) };
    let running =
        (0..lines.len()).map(|at| marks[at].is_none() && credits[at].is_none() && reads(&lines[at])).collect();
    let mut work = Work {
        lines,
        running,
        roles: vec![Role::Open; lines.len()],
        marks,
        credits,
        meta: declared_facts(declared),
        evidence: Evidence::default(),
        start: found.as_ref().map_or(0, |headline| headline.at + 1),
        end: lines.len(),
        names,
        updated: false,
    };
    if zoned {
        work.zoned();
        return work.finish(declared);
    }
    if let Some(headline) = found {
        work.above(headline);
    }
    work.find_end();
    work.summary();
    work.furniture();
    work.head();
    work.repeated();
    work.tail();
    work.hints();
    work.body();
    work.finish(declared)
}

impl Work<'_> {
    fn is_open(&self, at: usize) -> bool {
        self.roles[at] == Role::Open
    }

    /// Returns whether a line reads as running text and is not decided on yet.
    fn runs(&self, at: usize) -> bool {
        self.running[at] && self.is_open(at)
    }

    fn is_out(&self, at: usize) -> bool {
        matches!(self.roles[at], Role::Out)
    }

    /// Returns whether the line before was found to be of a list or a table.
    fn is_listed(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|at| &self.roles[at]);
        matches!(before, Some(Role::Part(BlockKind::ListItem | BlockKind::TableRow, _)))
    }

    fn part(&mut self, at: usize, kind: BlockKind) {
        self.roles[at] = Role::Part(kind, None);
    }

    /// Takes over what a credit says that is not known yet, and leaves its line out of the text.
    fn take(&mut self, at: usize, source: bool) {
        let Some(credit) = self.credits[at].clone() else { return };
        self.roles[at] = Role::Out;
        self.facts(credit, source);
    }

    fn facts(&mut self, credit: Credit, signed: bool) {
        if self.meta.byline.is_none() {
            self.meta.byline = credit.byline;
        }
        if self.meta.dateline.is_none() {
            self.meta.dateline = credit.place;
        }
        if let Some(publisher) = credit.publisher {
            if signed {
                self.evidence.signature.get_or_insert(publisher);
            } else {
                self.evidence.credit.get_or_insert(publisher);
            }
        }
        // A day on which the page was changed gives way to one of publication.
        if credit.date.is_some() && (self.meta.date.is_none() || (self.updated && !credit.updated)) {
            self.updated = credit.updated;
            self.meta.date = credit.date;
        }
    }

    /// What stands over the headline is the site's; only a date that says it is the article's is taken from there.
    fn above(&mut self, headline: Headline) {
        for at in 0..headline.at {
            let labelled = self.credits[at]
                .as_ref()
                .is_some_and(|c| c.labelled || (c.byline.is_some() && c.date.is_none() && c.publisher.is_none()));
            if labelled && headline.at - at <= 4 {
                self.take(at, false);
            }
            self.roles[at] = Role::Out;
        }
        self.roles[headline.at] = Role::Part(BlockKind::Title, Some(headline.text));
        self.evidence.site = headline.site;
    }

    /// Finds where the article is over: at the comment form, or at tags and the like with hardly any text after them.
    fn find_end(&mut self) {
        let text: Vec<usize> = (0..self.lines.len())
            .map(|at| if at >= self.start && self.runs(at) { self.lines[at].text.len() } else { 0 })
            .collect();
        let all: usize = text.iter().sum();
        let mut before = 0;
        for (at, length) in text.into_iter().enumerate().skip(self.start) {
            let after = all - before;
            let over = match self.marks[at] {
                Some(Mark::End) => before > 0,
                Some(Mark::Tail) => before > 0 && after * 3 < before,
                _ => false,
            };
            if over {
                self.end = at;
                break;
            }
            before += length;
        }
        for at in self.end..self.lines.len() {
            if let Some(Mark::Notice) = self.marks[at] {
                self.evidence.rights(&self.lines[at].text);
            }
            if self.is_open(at) {
                self.roles[at] = Role::Out;
            }
        }
    }

    fn summary(&mut self) {
        let first = (self.start..self.end).find(|&at| self.running[at]).unwrap_or(self.end);
        for at in self.start..self.end {
            if self.marks[at] != Some(Mark::Summary) || !self.is_open(at) {
                continue;
            }
            let points = summary_box::points(self.lines, &self.marks, at, self.end);
            let opens_body = at < first;
            // "خلاصة" over the last paragraphs is the author's own heading.
            if !points.is_empty() || opens_body || self.lines[at].words > 2 {
                self.roles[at] = Role::Out;
            } else {
                self.marks[at] = None;
            }
            for (point, words) in points {
                self.credits[point] = None;
                self.roles[point] = Role::Part(BlockKind::PublisherSummary, Some(words));
            }
        }
    }

    /// Leaves out what is marked, and the links after "read also".
    fn furniture(&mut self) {
        let mut over = false;
        let first = (self.start..self.end).find(|&at| self.runs(at)).unwrap_or(self.end);
        let last = (self.start..self.end).rev().find(|&at| self.runs(at) && self.lines[at].is_prose()).unwrap_or(0);
        let mut at = self.start;
        while at < self.end {
            let open = self.is_open(at);
            match self.marks[at] {
                Some(Mark::Related) if open => {
                    self.roles[at] = Role::Out;
                    at = self.links(at, over);
                    continue;
                }
                Some(Mark::Notice) if open => {
                    over |= at > first && at > last;
                    self.evidence.rights(&self.lines[at].text);
                    self.roles[at] = Role::Out;
                }
                Some(_) if open => self.roles[at] = Role::Out,
                _ => {}
            }
            at += 1;
        }
    }

    /// Leaves out the links that follow a label; returns the line where the article goes on.
    fn links(&mut self, label: usize, over: bool) -> usize {
        let line = &self.lines[label];
        // The link stands on the label's own line.
        if line.text.split_once(':').is_some_and(|(_, link)| link.split_whitespace().count() >= 3) && !over {
            return label + 1;
        }
        let resumes = |at: usize| {
            self.marks[at].is_none()
                && self.runs(at)
                && self.lines[at].words >= 6
                && !self.lines[at].is_cut_off()
                && self.lines[at].has_stop()
        };
        let resume = if over { None } else { (label + 1..self.end).find(|&at| resumes(at)) };
        let Some(mut resume) = resume else {
            for at in label + 1..self.end {
                // A signature may stand below the links.
                if self.is_open(at)
                    && self.credits[at].as_ref().is_some_and(|c| c.labelled || c.publisher.is_some())
                    && !over
                {
                    continue;
                }
                self.roles[at] = Role::Out;
            }
            return self.end;
        };
        // A short line over the text that goes on, set apart from the links, is a heading.
        let heading = resume - 1;
        if heading > label + 1
            && self.marks[heading].is_none()
            && self.lines[heading].words <= 5
            && self.lines[heading].after_blank
        {
            resume = heading;
        }
        for at in label + 1..resume {
            self.roles[at] = Role::Out;
        }
        resume
    }

    fn is_author(&self, at: usize) -> bool {
        self.meta.byline.is_none() && credit::is_name(&self.lines[at].text)
    }

    fn author(&mut self, at: usize) {
        self.meta.byline = Some(credit::unquoted(&self.lines[at].text));
        self.roles[at] = Role::Out;
    }

    /// Tells pull quotes and a standfirst by their words standing elsewhere in the text.
    fn repeated(&mut self) {
        let open: Vec<usize> =
            (self.start..self.end).filter(|&at| self.is_open(at) && self.credits[at].is_none()).collect();
        let texts: Vec<&str> = open.iter().map(|&at| self.lines[at].text.as_str()).collect();
        let shares = repeat::shares(&texts);
        // Of what stands there twice, word for word, the first is the text.
        let (said, twice) =
            repeat::said(open.iter().map(|&at| &self.lines[at]).map(|line| (line.key.as_str(), &line.text)));
        let first_running = open.iter().position(|&at| self.runs(at));
        let mut found: Vec<(usize, BlockKind)> = Vec::new();
        for (place, &at) in open.iter().enumerate() {
            let line = &self.lines[at];
            let quoted = line.text.contains(['"', '“', '«']);
            let long_enough = line.words >= 8 || (quoted && line.words >= 5);
            let whole = shares[place] >= 0.99;
            if Some(place) == first_running
                && whole
                && line.words >= 8
                && place + 2 < open.len()
                && !(twice && said[place] == Said::First)
            {
                found.push((at, BlockKind::Standfirst));
            } else if twice && said[place] == Said::Again && line.words >= repeat::COPY {
                self.roles[at] = Role::Out;
            } else if long_enough && said[place] != Said::First && (whole || (shares[place] >= 0.6 && !line.has_stop()))
            {
                found.push((at, BlockKind::PullQuote));
            }
        }
        // Where nothing else is left to run, these are the text.
        if open.iter().any(|&at| self.runs(at) && found.binary_search_by_key(&at, |&(marked, _)| marked).is_err()) {
            for (at, kind) in found {
                self.part(at, kind);
            }
        }
    }

    /// Reads the lines after the last running text: signature, source, date; the rest of short lines is the site's.
    fn tail(&mut self) {
        let Some(last) = (self.start..self.end).rev().find(|&at| self.runs(at)) else { return };
        let rest: Vec<usize> = (last + 1..self.end).filter(|&at| self.is_open(at)).collect();
        // Where the site says anything more, headlines without a stop are its links; where the page just ends, they are
        // the author's last lines.
        let site = (last + 1..self.lines.len()).any(|at| self.marks[at].is_some());
        let long = rest.iter().filter(|&&at| self.credits[at].is_none() && self.lines[at].words > 6).count();
        for (place, &at) in rest.iter().enumerate() {
            let line = &self.lines[at];
            let beside: Vec<&Line> = [at.checked_sub(1), Some(at + 1)]
                .into_iter()
                .flatten()
                .filter_map(|other| self.lines.get(other))
                .collect();
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
            } else if (site && (line.words <= 6 || long > 1)) || line.is_cut_off() {
                self.roles[at] = Role::Out;
            } else {
                self.part(at, BlockKind::Paragraph);
            }
        }
    }

    /// Keeps to what the format says of lines that nothing else was found out about.
    fn hints(&mut self) {
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
    fn body(&mut self) {
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

/// Reads a credit; a line that the page itself sets apart as one may say a little more beside its date.
fn read(line: &Line, names: &[String]) -> Option<Credit> {
    let apart = matches!(line.hint, Some(Hint::Credit | Hint::Piece));
    credit::line(line, names).or_else(|| if apart { credit::dated(&line.text, true) } else { None })
}

/// Returns whether a line says that the text is over: "انتهى", "ا.هـ".
fn is_end(key: &str) -> bool {
    matches!(key, "انتهي" | "انتهت" | "يتبع" | "ا ه" | "اه")
        || (key.starts_with("يتبع ") && key.split(' ').count() <= 3)
}

/// Returns what a line of plain text is that has a bullet, or cells parted by tabs, as a line beside it has.
fn listed(line: &Line, beside: &[&Line]) -> Option<Role> {
    let mark = line.text.chars().next();
    if let Some(words) = line.bullet() {
        let alike = beside.iter().any(|other| other.bullet().is_some() && other.text.chars().next() == mark);
        return alike.then(|| Role::Part(BlockKind::ListItem, Some(words.to_owned())));
    }
    let cells = line.text.matches('\t').count();
    let alike = cells > 0 && beside.iter().any(|other| other.text.matches('\t').count() == cells);
    let row = || line.text.split('\t').map(str::trim).collect::<Vec<_>>().join(CELLS);
    alike.then(|| Role::Part(BlockKind::TableRow, Some(row())))
}

/// Returns whether the format says of a line what no line of the head is.
fn is_told(line: &Line) -> bool {
    matches!(line.hint, Some(Hint::Heading | Hint::ListItem | Hint::TableRow | Hint::Quote))
}

/// Returns whether a line is the site's own whatever it says.
fn is_beside(line: &Line) -> bool {
    line.hint == Some(Hint::Furniture)
}

/// Returns the facts that need no reading of the text.
fn declared_facts(declared: &Declared) -> Meta {
    let Declared { byline, section, canonical, .. } = declared.clone();
    Meta { byline, section, canonical, ..Meta::default() }
}

/// Returns whether a line is direct speech from end to end, or its end.
fn is_speech(text: &str) -> bool {
    text.ends_with(['"', '”', '“', '»'])
        && (text.starts_with(['"', '“', '”', '«']) || text.matches(['"', '“', '”', '«', '»']).count() == 1)
}

/// Returns whether a line opens a speech or a quotation rather than a section: "وقال:".
fn opens_speech(text: &str) -> bool {
    text.ends_with(':')
        && text.split_whitespace().next().is_some_and(|word| word.starts_with('و') || word.starts_with("قال"))
}

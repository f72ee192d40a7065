//! The lines of a saved page are given their parts in the article.
//!
//! In: the lines of a page, top to bottom. Out: the article's blocks in reading order, its facts, and every line that is in
//! no block. The rules are of structure: what stands over the headline, between headline and first paragraph, between
//! paragraphs and after the last one. Vocabulary is [`super::furniture`]'s, names are [`super::outlet`]'s.
//! Every line ends up in a block or among the furniture; none is lost.

mod above;
mod body;
mod finish;
mod head;
mod tail;
mod zoned;

use std::collections::BTreeMap;

use super::caption;
use super::credit::{self, Credit};
use super::furniture::{self, Mark};
use super::headline;
use super::line::{Hint, Line, key};
use super::names;
use super::publisher::Evidence;
use super::repeat::{self, Said};
use super::summary_box;
use super::{BlockKind, Declared, Meta};

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
    /// Whether the lines show that a site's page was copied: only then is a line left out because of its place.
    saved: bool,
    /// Whether the format says which lines are the text.
    zoned: bool,
    /// The lines that were read as facts.
    taken: Vec<usize>,
}

/// How many lines that only sites add make a text the copy of a page.
const SAVED: usize = 3;

/// Returns whether lines were copied off a site's page, its buttons and links with them.
fn is_saved(lines: &[Line], marks: &[Option<Mark>]) -> bool {
    let added = (0..lines.len()).filter(|&at| {
        lines[at].has_letter() && matches!(marks[at], Some(mark) if !matches!(mark, Mark::Summary | Mark::Box))
    });
    added.count() >= SAVED || lines.iter().any(furniture::is_breadcrumb)
}

/// Returns whether a line reads as running text: a sentence, or many words.
fn reads(line: &Line) -> bool {
    (line.is_prose() || (line.is_closed() && line.words >= 4) || (line.words >= 15 && !line.is_cut_off()))
        && !caption::is_caption(line)
}

/// Finds the article in a page. What the format says of it goes before what the text seems to say.
pub(super) fn extract(lines: &[Line], declared: &Declared) -> Page {
    let mut marks: Vec<Option<Mark>> = lines.iter().map(furniture::mark).collect();
    let zoned = lines.iter().any(|line| line.body);
    let saved = zoned || is_saved(lines, &marks);
    if !saved {
        // Nothing shows that a site added anything: what only may be a button, or has figures alone, is the author's.
        for (mark, line) in marks.iter_mut().zip(lines) {
            *mark = mark.filter(|&mark| mark != Mark::Widget || furniture::is_sure(line));
        }
    }
    let names: Vec<String> = declared.publisher.iter().map(|name| key(name)).collect();
    let credits: Vec<Option<Credit>> = lines
        .iter()
        .zip(&marks)
        .map(|(line, mark)| if mark.is_none() && !is_beside(line) { read(line, &names) } else { None })
        .collect();
    let found = if zoned { None } else { headline::find(lines, &marks, &credits) };
    let running =
        (0..lines.len()).map(|at| marks[at].is_none() && credits[at].is_none() && reads(&lines[at])).collect();
    let mut work = Work {
        lines,
        running,
        roles: vec![Role::Open; lines.len()],
        credits,
        meta: declared_facts(declared),
        evidence: Evidence::default(),
        start: found.as_ref().map_or(0, |headline| headline.at + 1),
        end: lines.len(),
        names,
        updated: false,
        saved,
        zoned,
        taken: Vec::new(),
        marks,
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
        if credit.is_second() && (self.lines[at].body || !self.zoned) {
            // Who translated or edited it is no author, and a part of the text.
            self.part(at, BlockKind::Paragraph);
            return;
        }
        self.roles[at] = Role::Out;
        self.taken.push(at);
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

    /// Returns whether a line without a label is the name of the author: a person's, or, beside a line of facts, what may be
    /// one.
    fn is_author(&self, at: usize) -> bool {
        let name = self.lines[at].text.as_str();
        let fact = |at: usize| self.credits.get(at).is_some_and(|credit| credit.as_ref().is_some_and(Credit::is_fact));
        self.meta.byline.is_none()
            && credit::is_name(name)
            && (names::is_person(name)
                || ((fact(at + 1) || at.checked_sub(1).is_some_and(fact)) && names::may_be_person(name)))
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

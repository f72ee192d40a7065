//! A page's words become a sheet: lines with what the page's structure says of each, and the facts that hold.
//!
//! In: a [`Dom`]. Out: a [`Sheet`]. The article's text is marked as such (`body`), what the site added is furniture, and what
//! stands between headline and text is told by names, place and kind. Reading credits, captions and labels off the words is
//! [`super::super::page`]'s.

use std::collections::{BTreeMap, BTreeSet};

use super::class::Says;
use super::content::{self, Content};
use super::dom::{Dom, Id, heading_level};
use super::entries;
use super::facts::{self, Facts};
use super::headline::{self, Found};
use super::hidden;
use super::hint::is_question;
use super::linked;
use super::picture;
use super::runs::Run;
use super::state;
use super::table;
use super::verse;
use crate::arabic::letters::{Rule, apply};
use crate::document::caption;
use crate::document::furniture;
use crate::document::line::{Hint, Line, key};
use crate::document::{CELLS, Sheet};

/// The most words that a byline, a date or the name of a section has.
pub(super) const MAX_CREDIT: usize = 14;

/// The most words of a quotation that is made one block of its paragraphs.
const MAX_QUOTE: usize = 150;

/// How often a line stands on a page that is no author's.
const REPEATED: usize = 3;

/// The most words of a line that says who speaks.
const MAX_SPEAKER: usize = 8;

/// How many lines may stand between the time of an entry and its text.
const MAX_BETWEEN: usize = 12;

/// What stands around a run of words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub body: bool,
    pub furniture: bool,
    pub says: Says,
    pub item: Option<Id>,
    pub row: Option<Id>,
    pub quote: Option<Id>,
    pub heading: Option<Id>,
    pub caption: bool,
    pub figure: Option<Id>,
    pub time: bool,
    pub verse: bool,
}

/// Reads a page.
pub(super) fn sheet(dom: &Dom, rules: &[Rule]) -> Sheet {
    let (mut runs, told) = hidden::all(dom);
    for run in &mut runs {
        run.text = clean(&run.text, rules);
        run.pieces.iter_mut().for_each(|piece| *piece = clean(piece, rules));
    }
    runs.retain(|run| !run.text.is_empty());
    linked::unlink(dom, &mut runs);
    let mut facts = facts::facts(dom);
    facts.clean(|text| clean(text, rules));
    let titles: Vec<String> = facts.titles.iter().map(|title| key(title)).collect();
    if facts.body.is_none() && runs.iter().map(Run::prose).sum::<usize>() < content::ENOUGH as usize {
        drawn(dom, &titles, &mut facts, rules);
    }
    let content = content::find(dom, &runs, &titles);
    let questions = runs.iter().filter(|run| is_question(run)).count();
    let page = Page { dom, runs: &runs, content: &content, facts: &facts, rules, questions };
    let mut sheet = page.sheet();
    sheet.warnings.splice(0..0, told);
    sheet
}

/// Adds what the data say that a page without a text of its own is drawn from.
fn drawn(dom: &Dom, titles: &[String], facts: &mut Facts, rules: &[Rule]) {
    let mut known = titles.to_vec();
    known.extend(headline::pieces(&facts.window).iter().map(|piece| key(piece)));
    let Some(state) = state::state(dom, &known) else { return };
    facts.body = Some(state.body);
    facts.titles.extend(state.title.map(|title| clean(&title, rules)));
    facts.bylines.extend(state.byline.map(|name| clean(&name, rules)));
    facts.dates.extend(state.date);
}

/// Applies the rules of cleaning, and takes control characters away.
pub(super) fn clean(text: &str, rules: &[Rule]) -> String {
    let mut text = apply(text, rules);
    if text.contains(|c: char| c.is_control()) {
        text = text.replace(|c: char| c.is_control(), " ");
    }
    facts::spaced(&text)
}

/// A page and what was found out about it.
pub(super) struct Page<'p> {
    pub dom: &'p Dom,
    pub runs: &'p [Run],
    pub content: &'p Content,
    pub facts: &'p Facts,
    pub rules: &'p [Rule],
    /// How many questions in bold there are.
    pub questions: usize,
}

impl Page<'_> {
    fn sheet(&self) -> Sheet {
        let mut known: BTreeMap<Id, Place> = BTreeMap::new();
        let places: Vec<Place> =
            self.runs.iter().map(|run| *known.entry(run.block).or_insert_with(|| self.place(run.block))).collect();
        let mut places: Vec<Place> =
            places.into_iter().zip(self.runs).map(|(place, run)| self.inline(place, run)).collect();
        self.repeated(&mut places);
        self.captions(&mut places);
        self.boxes(&mut places);
        self.verse(&mut places);
        let first = (0..self.runs.len())
            .find(|&at| places[at].body && !places[at].furniture && self.runs[at].prose() > 0)
            .unwrap_or(self.runs.len());
        let open: Vec<bool> = places.iter().map(|place| !place.furniture).collect();
        let found = headline::find(self.dom, self.runs, self.content, self.facts, &open, first);
        let mut lines = Vec::new();
        let body = self.lines(&places, &found, first, &mut lines);
        let mut declared = self.declared(&places, &found, first);
        declared.title = Some(found.text.clone()).filter(|title| !title.is_empty());
        let mut sheet = Sheet { lines, declared, ..Sheet::default() };
        self.complete(&mut sheet, body);
        if self.facts.cut {
            sheet.warnings.push("the page says that only a part of the article can be read without paying".to_owned());
        }
        sheet
    }

    /// Takes for furniture what the page says again and again: names of senders, labels, the blurb of every teaser. Who
    /// speaks in an interview is said again and again too, each time over what is said.
    fn repeated(&self, places: &mut [Place]) {
        let spoken: Vec<bool> = (0..self.runs.len()).map(|at| self.is_speaker(at, places)).collect();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for (run, place) in self.runs.iter().zip(&*places) {
            if place.row.is_none() {
                *times.entry(&run.text).or_default() += 1;
            }
        }
        for ((run, place), spoken) in self.runs.iter().zip(places).zip(spoken) {
            place.furniture |=
                !spoken && place.row.is_none() && times.get(run.text.as_str()).is_some_and(|&times| times >= REPEATED);
        }
    }

    /// Returns whether a run says who speaks: a few words with a colon in the text, over a sentence of it.
    fn is_speaker(&self, at: usize, places: &[Place]) -> bool {
        let run = &self.runs[at];
        let text = |at: usize| places.get(at).is_some_and(|place| place.body && !place.furniture);
        run.words <= MAX_SPEAKER
            && run.text.ends_with([':', '：'])
            && !run.is_link()
            && text(at)
            && text(at + 1)
            && !self.runs[at + 1].is_link()
            && Line::new(&self.runs[at + 1].text, false).is_closed()
            && furniture::label(&Line::new(&run.text, false)).is_none()
    }

    /// Returns what stands around a block.
    fn place(&self, block: Id) -> Place {
        let body = self.content.body_of(self.dom, block);
        let mut place = Place {
            body: body.is_some(),
            furniture: self.content.is_furniture(self.dom, block, body),
            ..Place::default()
        };
        for (level, at) in std::iter::once(block).chain(self.dom.ancestors(block)).enumerate() {
            if Some(at) == body {
                break;
            }
            let name = self.dom.name(at);
            match name {
                "li" => {
                    place.item.get_or_insert(at);
                }
                "tr" => {
                    place.row.get_or_insert(at);
                }
                "caption" => {
                    place.row.get_or_insert(at);
                }
                "blockquote" => {
                    place.quote.get_or_insert(at);
                }
                "figcaption" => place.caption = true,
                "figure" => {
                    place.figure.get_or_insert(at);
                }
                "article" | "main" | "body" => break,
                // What holds the headline too is no standfirst, however it is called.
                "section" | "div" | "header" if self.content.headed[at as usize] => break,
                _ if heading_level(name).is_some() || self.dom.attribute(at, "role") == Some("heading") => {
                    place.heading.get_or_insert(at);
                }
                _ => {}
            }
            if level < 4 {
                // What holds more than a line is no name and no date, whatever it is called.
                let long = self.content.words[at as usize] > content::MAX_FACT;
                let facts = Says::BYLINE.and(Says::DATE).and(Says::SECTION);
                let says = self.content.says[at as usize];
                place.says = place.says.and(if long { says.without(facts) } else { says });
            }
            if self.content.says[at as usize].any(Says::SUMMARY.and(Says::PULL_QUOTE).and(Says::CAPTION)) {
                place.says = place.says.and(self.content.says[at as usize]);
            }
        }
        place
    }

    /// Adds what stands around a run within its block: spans, links, times.
    fn inline(&self, mut place: Place, run: &Run) -> Place {
        for at in self.dom.ancestors(run.first).take_while(|&at| at != run.block).take(6) {
            let says = self.content.says[at as usize];
            // A word or two in a span of a paragraph say nothing of the paragraph.
            let whole = run.words <= MAX_CREDIT;
            if whole {
                place.says = place.says.and(says);
                place.time |= self.dom.name(at) == "time";
            }
            // Before the words of a caption may stand whose picture it is.
            let source = run.pieces.first().is_some_and(|piece| run.pieces.len() > 1 && caption::is_source(piece));
            let own = !source && says.any(Says::FURNITURE) || self.dom.name(at) == "label";
            place.furniture |= own && whole && run.prose() == 0 && !says.any(Says::BYLINE.and(Says::DATE));
        }
        place
    }

    /// Makes the lines; returns how many words of the article's text there are.
    fn lines(&self, places: &[Place], found: &Found, first: usize, lines: &mut Vec<Line>) -> usize {
        let dom = self.dom;
        let last = (0..self.runs.len()).rev().find(|&at| places[at].body && !places[at].furniture).unwrap_or(0);
        let head = found.runs.as_ref().map(|runs| runs.end).unwrap_or_default();
        if found.runs.is_none() && !found.text.is_empty() {
            lines.push(Line::hinted(&found.text, Hint::Title));
        }
        let scope = found
            .runs
            .as_ref()
            .and_then(|runs| self.content.bodies.first().map(|&body| dom.joint(self.runs[runs.start].block, body)));
        let mut words = 0;
        let mut tables = BTreeMap::new();
        let mut verses = BTreeMap::new();
        let mut at = 0;
        let times = self.times(places, first);
        let said = times.values().map(|&(_, at)| at).filter(|&at| entries::is_time(&self.runs[at].text));
        let said: BTreeSet<usize> = said.collect();
        // For each line the run that it starts with.
        let (mut starts, mut before) = (Vec::new(), 0);
        while at < self.runs.len() {
            starts.resize(lines.len(), before);
            before = at;
            let (run, place) = (&self.runs[at], places[at]);
            if let Some(title) = found.runs.as_ref().filter(|runs| runs.start == at) {
                lines.push(Line::hinted(&found.text, Hint::Title));
                at = title.end;
                continue;
            }
            let before_head = found.runs.is_some() && at < head;
            let outside = !place.body && scope.is_some_and(|scope| !dom.is_under(run.block, scope));
            if place.furniture
                || said.contains(&at)
                || outside
                || (before_head && !place.says.any(Says::BYLINE.and(Says::DATE).and(Says::STANDFIRST)))
            {
                lines.push(Line { linked: run.is_link(), ..Line::hinted(&run.text, Hint::Furniture) });
                at += 1;
                continue;
            }
            if let Some(row) = place.row.filter(|_| place.body)
                && let Some(end) = table::row(dom, self.runs, row, at, &mut tables)
            {
                let cells = table::cells(dom, &self.runs[at..end], row);
                let verse = dom
                    .ancestors(row)
                    .find(|&at| dom.name(at) == "table")
                    .is_some_and(|table| *verses.entry(table).or_insert_with(|| verse::is_table_of_verse(dom, table)));
                let (joint, hint) = if verse { (" ", Hint::Quote) } else { (CELLS, Hint::TableRow) };
                let line = Line { body: true, ..Line::hinted(&cells.join(joint), hint) };
                words += line.words;
                lines.push(line);
                at = end;
                continue;
            }
            let hint = if place.body && self.is_bullet(at) {
                Hint::ListItem
            } else if place.body {
                self.in_body(run, place, at < first)
            } else if at > last {
                // The pictures of a story go on below its text; those in links lead to others.
                let picture = self.in_picture(run, place).filter(|_| !self.is_in_link(run));
                picture.unwrap_or(Hint::Credit)
            } else {
                self.in_head(run, place, at < first)
            };
            let body = (place.body || hint == Hint::Paragraph)
                && matches!(hint, Hint::Heading | Hint::Paragraph | Hint::ListItem | Hint::Quote);
            if hint == Hint::Credit && !run.pieces.is_empty() {
                // The parts may stand without a blank between them: what parts them on the page is not in its text.
                lines.push(Line::hinted(&run.pieces.join(" | "), Hint::Credit));
                lines.extend(run.pieces.iter().map(|piece| Line::hinted(piece, Hint::Piece)));
                at += 1;
                continue;
            }
            let end = self.join(places, at, hint);
            let mut text = self.runs[at..end].iter().map(|run| run.text.as_str()).collect::<Vec<_>>().join(" ");
            if hint == Hint::Caption && end == at + 1 {
                text = picture::without_credit(run);
            }
            let line = Line { body, linked: run.is_link(), ..Line::hinted(&text, hint) };
            words += if body { line.words } else { 0 };
            lines.push(line);
            at = end;
        }
        starts.resize(lines.len(), before);
        for (at, (time, _)) in times {
            let from = starts.partition_point(|&start| start < at);
            if let Some(line) = lines[from..].iter_mut().take(MAX_BETWEEN).find(|line| line.body) {
                line.time = Some(time);
            }
        }
        words
    }

    /// Returns one past the last run of a line: what stands in one heading, item or quotation, and what a single line break
    /// cut in the middle of a sentence, is one line.
    fn join(&self, places: &[Place], from: usize, hint: Hint) -> usize {
        let mut end = from + 1;
        let mut quoted = self.runs[from].words;
        while end < self.runs.len() && !places[end].furniture {
            let (run, before) = (&self.runs[end], &self.runs[end - 1]);
            let same = match hint {
                Hint::Heading => places[from].heading.is_some() && places[end].heading == places[from].heading,
                // A tweet with its signature, words with the name of who said them: one quotation.
                Hint::Quote => {
                    quoted += run.words;
                    places[from].quote.is_some() && places[end].quote == places[from].quote && quoted <= MAX_QUOTE
                }
                Hint::Caption => places[end].caption && run.block == before.block,
                Hint::Paragraph | Hint::ListItem => {
                    run.block == before.block
                        && run.breaks == 1
                        // A paragraph of its own may hold line breaks; where they are all there is, they end paragraphs.
                        && (self.dom.name(run.block) == "p" || !Line::new(&before.text, false).is_closed())
                        && !before.text.ends_with([':', '؛', '…'])
                        && before.words > 6
                        && !before.bold
                        && Line::new(&run.text, false).bullet().is_none()
                }
                _ => false,
            };
            if !same {
                break;
            }
            end += 1;
        }
        end
    }
}

//! The words of a page as runs: what stands in one line when the page is shown.
//!
//! In: a [`Dom`]. Out: [`Run`]s in the order of the page, each with the block it stands in, and how much of it is links.
//! Elements that are not shown give none, but for those that [`super::hidden`] found to go on with the text.

use std::collections::BTreeSet;

use super::class::{self, Says};
use super::dom::{Dom, Id, Step, heading_level, is_block, is_silent};

/// Words between two breaks.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The words, single spaces between them.
    pub text: String,
    /// The block they stand in.
    pub block: Id,
    /// The first node with words of it.
    pub first: Id,
    /// How many words there are, and how many of them are links.
    pub words: usize,
    pub linked: usize,
    /// How many words have letters and are no links.
    pub plain: usize,
    /// Whether it stands in a heading.
    pub heading: bool,
    /// Whether all of it is bold.
    pub bold: bool,
    /// How many line breaks (`br`) stand right before it; 0 where a block starts.
    pub breaks: u8,
    /// For a short run, its words as the elements within the line part them: a name, a date, a counter.
    pub pieces: Vec<String>,
}

/// The most words of a run that is parted.
const MAX_PARTED: usize = 40;

/// Stands between two elements of a line until it is finished.
const PART: char = '\u{1f}';

impl Run {
    /// Returns whether the run is a link and hardly anything else.
    pub fn is_link(&self) -> bool {
        self.linked * 5 >= self.words * 4 && self.linked > 0
    }

    /// Returns how many words of running text it holds: none in links, labels, buttons.
    pub fn prose(&self) -> usize {
        if self.heading {
            return 0;
        }
        let plain = self.plain;
        let closed = self
            .text
            .trim_end_matches(['"', '”', '“', '»', '\'', '’', ')', ']', ' '])
            .ends_with(['.', '!', '?', '؟', '۔', ':', '…']);
        if plain * 2 < self.words || !(plain >= 12 || (closed && plain >= 5)) {
            return 0;
        }
        plain
    }
}

/// The runs under a node.
pub(super) struct Found {
    pub runs: Vec<Run>,
    /// The elements that are not shown; none stands in another.
    pub hidden: Vec<Id>,
}

/// Returns the runs under a node, those of `unfolded` elements with them; that the node itself is hidden does not count.
pub(super) fn runs(dom: &Dom, root: Id, unfolded: &BTreeSet<Id>) -> Found {
    let mut found: Vec<Run> = Vec::new();
    let mut hidden: Vec<Id> = Vec::new();
    let mut open: Option<Run> = None;
    let mut blocks: Vec<Id> = vec![root];
    let (mut links, mut bold, mut breaks) = (0usize, 0usize, 0u8);
    let mut walk = dom.walk(root);
    let passes = |id: Id, name: &str| {
        id != root && !unfolded.contains(&id) && (is_unread(dom, id, name) || is_hidden(dom, id, name))
    };
    let close = |open: &mut Option<Run>, found: &mut Vec<Run>| {
        if let Some(mut run) = open.take() {
            finish(&mut run);
            if !run.text.is_empty() {
                run.heading = is_heading(dom, run.block);
                found.push(run);
                return true;
            }
        }
        false
    };
    while let Some(step) = walk.next() {
        match step {
            Step::In(id) => {
                if let Some(text) = dom.own_text(id) {
                    add(&mut open, text, *blocks.last().unwrap_or(&0), id, links > 0, bold > 0, breaks);
                    continue;
                }
                let name = dom.name(id);
                if name == "br" {
                    if close(&mut open, &mut found) {
                        breaks = 0;
                    }
                    breaks = breaks.saturating_add(1);
                } else if passes(id, name) {
                    if !is_silent(name) || matches!(name, "noscript" | "template") {
                        hidden.push(id);
                    }
                    walk.pass();
                } else {
                    if is_block(name) {
                        close(&mut open, &mut found);
                        breaks = 0;
                        blocks.push(id);
                    } else if let Some(run) = &mut open {
                        run.text.push(PART);
                    }
                    links += usize::from(name == "a" || name == "button");
                    bold += usize::from(is_bold(name));
                }
            }
            Step::Out(id) => {
                let name = dom.name(id);
                if passes(id, name) {
                    continue;
                }
                if is_block(name) {
                    close(&mut open, &mut found);
                    breaks = 0;
                    blocks.pop();
                } else if let (Some(run), false) = (&mut open, name.is_empty()) {
                    run.text.push(PART);
                }
                links -= usize::from(name == "a" || name == "button");
                bold -= usize::from(is_bold(name));
            }
        }
    }
    close(&mut open, &mut found);
    Found { runs: found, hidden }
}

/// Returns whether the words of an element are none of the page; what a template holds is drawn where it stands if it says
/// that it is the shadow of its element (WHATWG, "declarative shadow roots").
fn is_unread(dom: &Dom, id: Id, name: &str) -> bool {
    is_silent(name) && !(name == "template" && dom.attribute(id, "shadowrootmode") == Some("open"))
}

fn add(open: &mut Option<Run>, text: &str, block: Id, first: Id, link: bool, bold: bool, breaks: u8) {
    let blank = text.trim().is_empty();
    if open.is_none() && blank {
        return;
    }
    let run = open.get_or_insert_with(|| Run {
        text: String::new(),
        block,
        first,
        words: 0,
        linked: 0,
        plain: 0,
        heading: false,
        bold: true,
        breaks,
        pieces: Vec::new(),
    });
    if text.contains(PART) {
        run.text.push_str(&text.replace(PART, " "));
    } else {
        run.text.push_str(text);
    }
    if !blank {
        run.linked += if link { text.split_whitespace().count() } else { 0 };
        run.bold &= bold;
    }
}

/// Brings the words of a run into order.
fn finish(run: &mut Run) {
    if run.text.contains(PART) {
        let pieces = run.text.split(PART).map(|p| p.split_whitespace().collect::<Vec<_>>().join(" "));
        run.pieces = pieces.filter(|piece| !piece.is_empty()).collect();
        let words: usize = run.pieces.iter().map(|piece| piece.split(' ').count()).sum();
        if words > MAX_PARTED || run.pieces.len() < 2 {
            run.pieces = Vec::new();
        }
        run.text = run.text.replace(PART, "");
    }
    let mut text = String::with_capacity(run.text.len());
    for word in run.text.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
        run.words += 1;
        run.plain += usize::from(word.chars().any(char::is_alphabetic));
    }
    run.plain = run.plain.saturating_sub(run.linked);
    run.linked = run.linked.min(run.words);
    run.text = text;
}

/// Returns whether a block is a heading by its kind or its role, or stands in one.
pub(super) fn is_heading(dom: &Dom, block: Id) -> bool {
    std::iter::once(block)
        .chain(dom.ancestors(block))
        .take(3)
        .any(|at| heading_level(dom.name(at)).is_some() || dom.attribute(at, "role") == Some("heading"))
}

fn is_bold(name: &str) -> bool {
    matches!(name, "b" | "strong" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Returns whether a page does not show an element.
pub(super) fn is_hidden(dom: &Dom, id: Id, name: &str) -> bool {
    if matches!(name, "" | "html" | "body") {
        return false;
    }
    if dom.attribute(id, "hidden").is_some() {
        return true;
    }
    // Hidden from those who listen to the page; within a line it is shown all the same, and the page itself is only behind
    // a dialog that asks for consent.
    if dom.attribute(id, "aria-hidden") == Some("true") && is_block(name) && !dom.holds_main(id) {
        return true;
    }
    if let Some(style) = dom.attribute(id, "style") {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        if style.contains("display:none") || style.contains("visibility:hidden") {
            return true;
        }
    }
    // Reading names takes time, and is asked for every element: only those that can say so are read.
    let hints = ["id", "sr-", "vh", "screen", "none", "isible", "only"];
    let hides = |names: &str| hints.iter().any(|hint| names.contains(hint)) && class::of_names(names).any(Says::HIDDEN);
    dom.attribute(id, "class").is_some_and(hides) || name == "button"
}

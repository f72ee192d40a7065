//! Words under pictures that no element says are a caption.
//!
//! In: the runs of a page and what stands around each. Out: which of them are captions, by place: words alone with a picture
//! in one element. And a caption's words without the name of who took the picture.

use super::class::Says;
use super::dom::{Dom, Id, Step};
use super::runs::Run;
use super::sheet::{Page, Place};
use crate::document::caption;
use crate::document::credit;
use crate::document::line::Line;

/// The most words of a caption, and the fewest.
const MAX_WORDS: usize = 40;
const MIN_WORDS: usize = 3;

/// How many words of a sentence are a paragraph rather than a caption, where nothing but its place tells them apart.
const MAX_SENTENCE: usize = 12;

/// How many levels above the words the element with the picture may stand.
const REACH: usize = 6;

/// How many words more than the caption may stand in one element with it: who took the picture.
const MORE: f32 = 4.0;

/// Returns for each node whether a picture stands in it.
fn with_pictures(dom: &Dom) -> Vec<bool> {
    let mut with = vec![false; dom.nodes.len()];
    for step in dom.walk(0) {
        if let Step::Out(id) = step {
            with[id as usize] |= matches!(dom.name(id), "img" | "picture" | "amp-img");
            if let (true, Some(parent)) = (with[id as usize], dom.parent(id)) {
                with[parent as usize] = true;
            }
        }
    }
    with
}

impl Page<'_> {
    /// Marks the runs that stand alone with a picture as captions.
    pub(super) fn captions(&self, places: &mut [Place]) {
        let with = with_pictures(self.dom);
        for (run, place) in self.runs.iter().zip(places) {
            if place.furniture || place.caption || place.figure.is_some() || place.heading.is_some() {
                continue;
            }
            let facts = Says::BYLINE.and(Says::DATE).and(Says::SECTION).and(Says::STANDFIRST).and(Says::TITLE);
            let words = (MIN_WORDS..=MAX_WORDS).contains(&run.words) && run.linked == 0 && !place.says.any(facts);
            if words && self.is_with_picture(run, &with) && !is_credit(run) {
                place.caption = true;
                // A table that holds a picture and its caption holds no data.
                place.row = None;
            }
        }
    }

    fn is_with_picture(&self, run: &Run, with: &[bool]) -> bool {
        let alone = |id: Id| self.content.words[id as usize] <= run.words as f32 + MORE;
        let inside = |id: Id| !self.content.bodies.contains(&id) && alone(id);
        let mut above = std::iter::once(run.block).chain(self.dom.ancestors(run.block)).take(REACH);
        // A whole sentence of some length in an element with a picture is a paragraph that is illustrated.
        let line = Line::new(&run.text, false);
        if run.prose() >= MAX_SENTENCE && (line.has_stop() || self.dom.name(run.block) == "p" && line.is_closed()) {
            return false;
        }
        let Some(found) = above.by_ref().take_while(|&id| inside(id)).find(|&id| with[id as usize]) else {
            return false;
        };
        // A picture at the edge of a paragraph: the words beside it are the text.
        found != run.block || (run.prose() < MAX_SENTENCE && !line.has_stop())
    }

    /// Returns whether a run stands in a link.
    pub(super) fn is_in_link(&self, run: &Run) -> bool {
        run.linked > 0 || self.dom.ancestors(run.first).take(12).any(|at| self.dom.name(at) == "a")
    }
}

fn is_credit(run: &Run) -> bool {
    credit::is_name(&run.text) || credit::line(&Line::new(&run.text, false), &[]).is_some()
}

/// Returns the words of a caption without those of its pieces that only say whose picture it is.
pub(super) fn without_credit(run: &Run) -> String {
    let kept: Vec<&str> = run.pieces.iter().map(String::as_str).filter(|piece| !caption::is_source(piece)).collect();
    if kept.is_empty() || kept.len() == run.pieces.len() { run.text.clone() } else { kept.join(" ") }
}

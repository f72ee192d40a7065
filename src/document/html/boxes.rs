//! Boxes in the text that a label at their top names: related links, the life of a guest, the publisher's summary.
//!
//! In: the runs of a page and what stands around each. Out: the same, with what stands in such a box told. The labels are
//! [`furniture`]'s. A label opens a box where it is the first thing in an element that holds little of the text.

use super::class::Says;
use super::dom::Id;
use super::sheet::{Page, Place};
use crate::document::furniture::{self, Mark};
use crate::document::line::Line;

/// The most words of a label; with a colon and what it leads to, three times as many.
const MAX_LABEL: usize = 6;

/// The share of the text's words above which an element is no box in it.
const MAX_SHARE: f32 = 0.25;

/// The most runs of a box.
const MAX_RUNS: usize = 60;

impl Page<'_> {
    /// Tells what stands in boxes.
    pub(super) fn boxes(&self, places: &mut [Place]) {
        let whole: f32 = self.content.bodies.iter().map(|&body| self.content.words[body as usize]).sum();
        let mut at = 0;
        while at < self.runs.len() {
            let (run, place) = (&self.runs[at], places[at]);
            let from = at;
            at += 1;
            if place.furniture || run.words > MAX_LABEL * if run.text.contains(':') { 3 } else { 1 } || run.prose() > 0
            {
                continue;
            }
            let mark = match furniture::label(&Line::new(&run.text, false)) {
                Some(mark @ (Mark::Related | Mark::Box | Mark::Summary)) => mark,
                // "نشر في" is a label of facts too; as a heading such a label opens a box.
                Some(mark @ Mark::Tail) if place.heading.is_some() => mark,
                _ => continue,
            };
            let Some(element) = self.opened_by(from) else { continue };
            let words = self.content.words[element as usize] - run.words as f32;
            if words <= 0.0 || words > whole * MAX_SHARE {
                continue;
            }
            let inside =
                self.runs[from..].iter().take(MAX_RUNS).take_while(|run| self.dom.is_under(run.block, element));
            let end = from + inside.count();
            for (run, place) in self.runs[from..end].iter().zip(&mut places[from..end]) {
                if mark != Mark::Summary {
                    place.furniture = true;
                } else if run.prose() > 0 || place.item.is_some() {
                    place.says = place.says.and(Says::SUMMARY);
                }
            }
            at = end;
        }
    }

    /// Returns the largest element that a run is the first of: no body, and nothing that holds one.
    fn opened_by(&self, at: usize) -> Option<Id> {
        let run = &self.runs[at];
        let before = at.checked_sub(1).map(|before| self.runs[before].block);
        let opens = |id: Id| before.is_none_or(|before| !self.dom.is_under(before, id));
        let holds = |id: Id| self.content.bodies.iter().any(|&body| self.dom.is_under(body, id));
        std::iter::once(run.block).chain(self.dom.ancestors(run.block)).take_while(|&id| opens(id) && !holds(id)).last()
    }
}

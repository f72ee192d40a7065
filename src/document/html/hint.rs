//! What a run of words is, by what stands around it.
//!
//! In: a run and its [`Place`]. Out: a [`Hint`]: in the article's text, under a picture, between headline and text. Names,
//! kinds of elements and the shape of the words are asked, in this order.

use super::class::Says;
use super::dom::{Id, heading_level};
use super::entries;
use super::runs::Run;
use super::sheet::{MAX_CREDIT, Page, Place};
use crate::arabic::calendar;
use crate::document::line::{Hint, Line};

/// The most words of a row of facts.
const MAX_ROW: usize = 24;

/// How many questions in bold a text has that is no interview.
const FEW: usize = 2;

/// Returns whether a run is a question in bold, of the length of a heading.
pub(super) fn is_question(run: &Run) -> bool {
    run.bold && run.words <= 10 && run.text.ends_with(['؟', '?']) && Line::new(&run.text, false).bullet().is_none()
}

impl Page<'_> {
    /// Returns what a run of the article's text is.
    pub(super) fn in_body(&self, run: &Run, place: Place, early: bool) -> Hint {
        let says = place.says;
        if says.any(Says::SUMMARY) {
            return Hint::Summary;
        }
        if let Some(hint) = self.in_picture(run, place) {
            return hint;
        }
        if self.is_row_of_facts(run, place) {
            return Hint::Credit;
        }
        if says.any(Says::PULL_QUOTE) {
            return Hint::PullQuote;
        }
        let small = run.words <= MAX_CREDIT && run.prose() == 0;
        if (small && place.heading.is_none() && says.any(Says::BYLINE.and(Says::DATE).and(Says::SECTION)))
            || (place.time && small)
        {
            return Hint::Credit;
        }
        // When another article was published, or an entry of this one was: no words of the text.
        if small && place.heading.is_none() && entries::is_stamp(&run.text) {
            return Hint::Furniture;
        }
        if early && says.any(Says::STANDFIRST) {
            return Hint::Standfirst;
        }
        // The card of another article: its title, linked.
        if place.quote.is_some() && run.is_link() && !says.any(Says::KEEP) {
            return Hint::Furniture;
        }
        if place.quote.is_some() || place.verse {
            return Hint::Quote;
        }
        if place.heading.is_some() {
            return Hint::Heading;
        }
        if place.item.is_some_and(|item| self.is_point(run, item)) {
            return Hint::ListItem;
        }
        // A line all in bold over the text.
        // A question is a heading too, but where there are many, somebody answers them.
        let closed = Line::new(&run.text, false).is_closed() && !(self.questions <= FEW && is_question(run));
        let alone = run.bold && run.words <= 14 && !closed && !run.text.ends_with(':');
        if alone && run.text.chars().any(char::is_alphabetic) && Line::new(&run.text, false).bullet().is_none() {
            return Hint::Heading;
        }
        Hint::Paragraph
    }

    /// Returns whether a run is the row of facts under a headline, however long: names, and a date in a piece of its own.
    fn is_row_of_facts(&self, run: &Run, place: Place) -> bool {
        place.says.any(Says::BYLINE.and(Says::DATE))
            && run.pieces.len() >= 2
            && run.words <= MAX_ROW
            && !Line::new(&run.text, false).has_stop()
            && run.pieces.iter().any(|piece| !calendar::dates(piece).is_empty())
    }

    /// Returns what a run under or beside a picture is.
    pub(super) fn in_picture(&self, run: &Run, place: Place) -> Option<Hint> {
        if let Some(figure) = place.figure.filter(|_| !place.caption) {
            // Beside a caption stands who took the picture.
            let captioned = self.dom.all(figure).take(200).any(|at| self.dom.name(at) == "figcaption");
            let words = run.prose() == 0 || captioned;
            return words.then_some(if captioned { Hint::Furniture } else { Hint::Caption });
        }
        (place.caption || (place.says.any(Says::CAPTION) && run.words <= 60)).then_some(Hint::Caption)
    }

    /// Returns whether a run is one of several lines with bullets that line breaks part.
    pub(super) fn is_bullet(&self, at: usize) -> bool {
        let point = |at: usize| {
            self.runs.get(at).is_some_and(|run| run.words <= 25 && Line::new(&run.text, false).bullet().is_some())
        };
        let beside = |other: usize| point(other) && self.runs[other].block == self.runs[at].block;
        point(at)
            && !self.runs[at].bold
            && (beside(at + 1) || (at > 0 && beside(at - 1)))
            && self.dom.name(self.runs[at].block) != "p"
    }

    /// Returns whether a run is a point of a list: pages put whole posts in lists too, with headings and paragraphs.
    fn is_point(&self, run: &Run, item: Id) -> bool {
        let dom = self.dom;
        run.block == item
            || !dom.all(item).skip(1).take(400).any(|at| {
                let name = dom.name(at);
                heading_level(name).is_some()
                    || (name == "p" && at != run.block)
                    || matches!(name, "article" | "time" | "figure")
            })
    }

    /// Returns what a run between headline and text is.
    pub(super) fn in_head(&self, run: &Run, place: Place, early: bool) -> Hint {
        let says = place.says;
        if says.any(Says::SUMMARY) {
            return Hint::Summary;
        }
        if let Some(hint) = self.in_picture(run, place) {
            return hint;
        }
        let small = run.words <= MAX_CREDIT && run.prose() == 0;
        if self.is_row_of_facts(run, place) {
            return Hint::Credit;
        }
        if place.time || (small && says.any(Says::BYLINE.and(Says::DATE).and(Says::SECTION))) || run.is_link() {
            return Hint::Credit;
        }
        // The introduction to a running report is the first of its texts.
        let report = self.content.bodies.len() > 1 && Line::new(&run.text, false).has_stop();
        if early && says.any(Says::STANDFIRST) && run.words >= 3 && !report {
            return Hint::Standfirst;
        }
        // A whole sentence with its stop, in a paragraph and not set apart: the text starts outside its box.
        if early
            && run.prose() >= 12
            && Line::new(&run.text, false).has_stop()
            && !run.bold
            && self.dom.name(run.block) == "p"
        {
            return Hint::Paragraph;
        }
        if early && (run.prose() > 0 || (place.heading.is_some() && run.words >= 4)) && place.row.is_none() {
            return Hint::Standfirst;
        }
        Hint::Credit
    }
}

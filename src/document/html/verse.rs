//! Verse, which pages set by its look only: centred lines, and tables of two halves.
//!
//! In: the runs of a page. Out: which lines are verse. Verse is short lines set in the middle of a text that is not, two or
//! more in a row, or rows of two cells whose second ones rhyme: nothing else in a text of news looks so.

use super::dom::{Dom, Id};
use super::runs::Run;
use super::sheet::{Page, Place};
use crate::arabic::letters::{is_arabic_letter, is_diacritic};
use crate::document::line::Line;

/// The most words of a line, and the fewest.
const MAX_WORDS: usize = 16;
const MIN_WORDS: usize = 2;

/// The fewest and the most words of half a line, and the most lines of a table of verse.
const MIN_HALF: usize = 3;
const MAX_HALF: usize = 9;
const MAX_ROWS: usize = 60;

impl Page<'_> {
    /// Marks the lines that are set in the middle as verse.
    pub(super) fn verse(&self, places: &mut [Place]) {
        let text: Vec<usize> = (0..self.runs.len()).filter(|&at| places[at].body && !places[at].furniture).collect();
        let centred: Vec<bool> = text.iter().map(|&at| is_centred(self.dom, &self.runs[at])).collect();
        let prose = |centre: bool| {
            text.iter().zip(&centred).filter(|&(&at, &c)| c == centre && self.runs[at].prose() >= 12).count()
        };
        // Where the text itself is centred, its being so says nothing.
        if prose(false) == 0 || prose(true) * 2 > prose(false) {
            return;
        }
        let last = text.iter().rposition(|&at| self.runs[at].prose() > 0);
        let mut from = 0;
        while from < text.len() {
            let line = |place: usize| centred[place] && self.is_line(text[place], places);
            let end = (from..text.len()).find(|&place| !line(place)).unwrap_or(text.len());
            // Two centred lines below the text may be who signs it.
            let led = from > 0 && self.runs[text[from - 1]].text.ends_with([':', '：']);
            if end >= from + 2 && (led || last.is_some_and(|last| last >= end)) {
                for &at in &text[from..end] {
                    places[at].verse = true;
                }
            }
            from = end + 1;
        }
    }

    fn is_line(&self, at: usize, places: &[Place]) -> bool {
        let (run, place) = (&self.runs[at], &places[at]);
        let line = Line::new(&run.text, false);
        (MIN_WORDS..=MAX_WORDS).contains(&run.words)
            && run.linked == 0
            && !run.bold
            && !place.caption
            && place.figure.is_none()
            && place.heading.is_none()
            && place.row.is_none()
            && place.item.is_none()
            && !line.has_stop()
            && !run.text.contains(char::is_numeric)
            && run.text.chars().filter(|&c| is_arabic_letter(c)).count() * 2 > run.text.chars().count()
    }
}

/// Returns whether a run is set in the middle, by its own element or one of those right around it.
fn is_centred(dom: &Dom, run: &Run) -> bool {
    let inline = dom.ancestors(run.first).take(4).take_while(|&at| at != run.block);
    let around = std::iter::once(run.block).chain(dom.ancestors(run.block).take(1));
    inline.chain(around).any(|at| {
        let is = |name: &str, value: &str| dom.attribute(at, name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let style = || {
            dom.attribute(at, "style").is_some_and(|style| {
                let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
                style.to_ascii_lowercase().contains("text-align:center")
            })
        };
        let class = || {
            dom.attribute(at, "class")
                .is_some_and(|names| names.contains("text-center") || names.contains("text-align-center"))
        };
        dom.name(at) == "center" || is("align", "center") || style() || class()
    })
}

/// Returns whether a table holds verse: two halves a row, no figures, and all second halves end in one letter.
pub(super) fn is_table_of_verse(dom: &Dom, table: Id) -> bool {
    let mut rhyme = None;
    let mut last_words: Vec<String> = Vec::new();
    let mut rows = 0;
    for row in dom.all(table).filter(|&id| dom.name(id) == "tr").take(MAX_ROWS + 1) {
        let cells: Vec<String> = dom
            .all(row)
            .filter(|&id| matches!(dom.name(id), "td" | "th"))
            .map(|id| dom.text(id))
            .filter(|cell| cell.chars().any(char::is_alphabetic))
            .collect();
        let half = |cell: &String| {
            let words = cell.split_whitespace().count();
            (MIN_HALF..=MAX_HALF).contains(&words) && !cell.contains(char::is_numeric)
        };
        let [first, second] = &cells[..] else { return false };
        if !half(first) || !half(second) {
            return false;
        }
        let last = second.chars().rev().find(|&c| is_arabic_letter(c) && !is_diacritic(c));
        // Two rows that end in one name are no verse.
        let word = second.split_whitespace().last().unwrap_or_default().to_owned();
        if last_words.contains(&word) {
            return false;
        }
        last_words.push(word);
        if last.is_none() || rhyme.is_some_and(|rhyme| Some(rhyme) != last) {
            return false;
        }
        rhyme = last;
        rows += 1;
    }
    (2..=MAX_ROWS).contains(&rows)
}

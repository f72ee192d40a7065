//! Words that stand across every page: "draft", "copy", the name of the paper.
//!
//! In: the rows of all pages. Out: what tells those that are at one place of each. Heads and feet are [`super::flow`]'s.

use std::collections::BTreeSet;

use super::layout::{Region, Row};

/// What a line is told by that stands at one place of several pages: its words and the place.
pub(super) type Stamp = (String, i32, i32);

/// Returns what a line is told by.
pub(super) fn stamp(row: &Row, key: impl Fn(&str) -> String) -> Stamp {
    let words: Vec<&str> = row.cells.iter().map(|cell| cell.words.straight.as_str()).collect();
    (key(&words.concat()), row.x0().round() as i32, row.y().round() as i32)
}

/// Returns the large lines that stand at one place of every page, wherever that is: "draft", "copy", the name of the paper.
pub(super) fn stamps(pages: &[Vec<Region>], body: f32, key: impl Fn(&str) -> String) -> BTreeSet<Stamp> {
    let on = |page: &Vec<Region>| -> BTreeSet<Stamp> {
        let rows = page.iter().flat_map(|region| &region.rows);
        rows.filter(|row| !row.table && row.size() > body * 1.15).map(|row| stamp(row, &key)).collect()
    };
    let mut pages = pages.iter().filter(|page| !page.is_empty()).map(on);
    let first = pages.next().unwrap_or_default();
    let mut several = false;
    let found = pages.fold(first, |found, page| {
        several = true;
        found.into_iter().filter(|stamp| page.contains(stamp)).collect()
    });
    if several { found } else { BTreeSet::new() }
}

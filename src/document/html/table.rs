//! Tables that hold data become rows; tables that hold a layout are passed through.
//!
//! In: a row of a table and the runs that stand in it. Out: its cells' words. A table is one of data if it has as many cells
//! in most of its rows and none of them holds paragraphs or another table: the sites of the 2000s put whole pages in tables.

use super::dom::{Dom, Id};
use super::runs::Run;

/// The most words in a cell of a table of data.
const MAX_CELL: usize = 60;

/// How many rows of a table are looked at to tell what it is.
const LOOK: usize = 30;

/// Returns one past the last run of a row of data that starts at a run; `None` where the table holds a layout.
pub(super) fn row(dom: &Dom, runs: &[Run], row: Id, at: usize) -> Option<usize> {
    let table = dom.ancestors(row).find(|&above| dom.name(above) == "table")?;
    if !is_data(dom, table) {
        return None;
    }
    let end = (at..runs.len()).find(|&at| !dom.is_under(runs[at].block, row)).unwrap_or(runs.len());
    (end > at).then_some(end)
}

fn is_data(dom: &Dom, table: Id) -> bool {
    if dom.all(table).skip(1).take(4000).any(|id| matches!(dom.name(id), "table" | "article" | "h1")) {
        return false;
    }
    let mut rows = Vec::new();
    let (mut headed, mut long) = (false, false);
    for id in dom.all(table).take(4000) {
        match dom.name(id) {
            "tr" if rows.len() >= LOOK => break,
            "tr" => rows.push(0usize),
            name @ ("td" | "th") => {
                headed |= name == "th";
                if let Some(cells) = rows.last_mut() {
                    *cells += 1;
                }
                long |= dom.text(id).split_whitespace().count() > MAX_CELL;
            }
            _ => {}
        }
    }
    let wide = rows.iter().filter(|&&cells| cells >= 2).count();
    !long && (wide >= 2 || (headed && wide >= 1)) && wide * 2 >= rows.len()
}

/// Returns the words of a row, cell by cell; empty cells are left out.
pub(super) fn cells(dom: &Dom, runs: &[Run], row: Id) -> Vec<String> {
    let mut cells: Vec<(Id, String)> = Vec::new();
    for run in runs {
        let cell = std::iter::once(run.block)
            .chain(dom.ancestors(run.block))
            .take_while(|&at| at != row)
            .find(|&at| matches!(dom.name(at), "td" | "th"))
            .unwrap_or(row);
        match cells.last_mut() {
            Some((last, words)) if *last == cell => {
                words.push(' ');
                words.push_str(&run.text);
            }
            _ => cells.push((cell, run.text.clone())),
        }
    }
    cells.into_iter().map(|(_, words)| words).collect()
}

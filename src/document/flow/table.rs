//! Tables of office documents: of data, or of a layout.
//!
//! In: rows of cells with their paragraphs. Out: a line a row, or the paragraphs as they stand in the cells.

use super::super::CELLS;
use super::{Item, Mark};

/// The most words in a cell of a table of data.
const MAX_CELL: usize = 60;

/// A cell.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub items: Vec<Item>,
    pub nested: bool,
}

/// A table as it is read.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Returns what stands in place of the table.
    pub fn items(self) -> Vec<Item> {
        let is_data = self.is_data();
        let mut items = Vec::new();
        for row in self.rows {
            if is_data {
                let cells: Vec<String> = row
                    .into_iter()
                    .map(|cell| cell.items.into_iter().map(|item| item.text).collect::<Vec<_>>().join(" "))
                    .filter(|words| !words.is_empty())
                    .collect();
                if !cells.is_empty() {
                    items.push(Item { text: cells.join(CELLS), mark: Mark::Row });
                }
            } else {
                items.extend(row.into_iter().flat_map(|cell| cell.items));
            }
        }
        items
    }

    /// A table holds data where most rows have two cells or more, none of them a text of its own.
    fn is_data(&self) -> bool {
        let rows: Vec<usize> = self
            .rows
            .iter()
            .map(|row| row.iter().filter(|cell| !cell.items.is_empty()).count())
            .filter(|&c| c > 0)
            .collect();
        let wide = rows.iter().filter(|&&cells| cells >= 2).count();
        let long = |cell: &Cell| {
            cell.nested
                || cell.items.iter().any(|item| matches!(item.mark, Mark::Heading(_) | Mark::Title | Mark::Row))
                || cell.items.iter().map(|item| item.text.split_whitespace().count()).sum::<usize>() > MAX_CELL
        };
        wide >= 2 && wide * 2 >= rows.len() && !self.rows.iter().flatten().any(long)
    }
}

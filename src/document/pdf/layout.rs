//! Segments on a page become rows in the order of reading: columns one after the other, tables row by row.
//!
//! In: the segments of a page. Out: [`Row`]s in [`Region`]s. Columns of text are told by a strip of paper that no line but
//! headlines crosses, with lines of several words on both sides; where the cells are short, it is a table. The right column
//! comes first in Arabic.

use super::lines::Segment;

/// So many lines stand on either side of the gap between two columns.
const MIN_LINES: usize = 4;

/// The least characters that lines of a column have, the median of them: cells of tables are shorter.
const MIN_LENGTH: usize = 16;

/// How often a page is cut into columns within columns.
const MAX_CUTS: usize = 4;

/// One line across a column, or a row of a table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Its parts from left to right: one, or the cells of a table.
    pub cells: Vec<Segment>,
    /// Whether its parts are cells.
    pub table: bool,
    /// Which cell of a table comes first, where the table tells.
    pub first: Option<End>,
}

/// An end of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Left,
    Right,
}

impl Row {
    pub fn x0(&self) -> f32 {
        self.cells.iter().map(|cell| cell.x0).fold(f32::INFINITY, f32::min)
    }

    pub fn x1(&self) -> f32 {
        self.cells.iter().map(|cell| cell.x1).fold(f32::NEG_INFINITY, f32::max)
    }

    pub fn y(&self) -> f32 {
        self.cells.first().map_or(0.0, |cell| cell.y)
    }

    pub fn size(&self) -> f32 {
        self.cells.iter().max_by_key(|cell| cell.length).map_or(0.0, |cell| cell.size)
    }
}

/// Rows that stand one below the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Region {
    pub rows: Vec<Row>,
}

/// Puts the segments of a page in order.
pub(super) fn regions(segments: Vec<Segment>, rightmost_first: bool) -> Vec<Region> {
    let mut found = Vec::new();
    part(segments, rightmost_first, 0, &mut found);
    found
}

fn part(segments: Vec<Segment>, rightmost_first: bool, depth: usize, found: &mut Vec<Region>) {
    let gap = (depth < MAX_CUTS).then(|| gap(&segments)).flatten();
    let Some(x) = gap else {
        let rows = rows(segments);
        if !rows.is_empty() {
            found.push(Region { rows });
        }
        return;
    };
    // What crosses the gap parts the page into bands.
    let (mut left, mut right): (Vec<Segment>, Vec<Segment>) = (Vec::new(), Vec::new());
    let mut across: Vec<Segment> = Vec::new();
    let mut flush = |left: &mut Vec<Segment>, right: &mut Vec<Segment>| {
        let (left, right) = (std::mem::take(left), std::mem::take(right));
        for side in if rightmost_first { [right, left] } else { [left, right] } {
            if !side.is_empty() {
                part(side, rightmost_first, depth + 1, found);
            }
        }
    };
    let mut bands: Vec<(bool, Segment)> = segments.into_iter().map(|s| (s.x0 < x && s.x1 > x, s)).collect();
    bands.sort_by(|a, b| b.1.y.total_cmp(&a.1.y));
    let mut out: Vec<Vec<Segment>> = Vec::new();
    // Headlines that follow each other are one region.
    for (crosses, segment) in bands {
        if crosses {
            flush(&mut left, &mut right);
            across.push(segment);
        } else {
            if !across.is_empty() {
                out.push(std::mem::take(&mut across));
            }
            for band in out.drain(..) {
                flush_band(band, &mut flush);
            }
            if segment.x1 <= x { left.push(segment) } else { right.push(segment) }
        }
    }
    flush(&mut left, &mut right);
    if !across.is_empty() {
        flush_band(across, &mut flush);
    }
}

/// Passes a band of lines that cross the gap on as if it were one side.
fn flush_band(band: Vec<Segment>, flush: &mut impl FnMut(&mut Vec<Segment>, &mut Vec<Segment>)) {
    let mut band = band;
    flush(&mut band, &mut Vec::new());
}

/// Returns the middle of the gap between two columns.
fn gap(segments: &[Segment]) -> Option<f32> {
    if segments.len() < 2 * MIN_LINES {
        return None;
    }
    let mut ends: Vec<f32> = segments.iter().map(|segment| segment.x1).collect();
    ends.sort_by(f32::total_cmp);
    ends.dedup_by(|a, b| (*a - *b).abs() < 2.0);
    // Pages with hundreds of distinct ends are no columns; the search stays short.
    let step = ends.len().div_ceil(128).max(1);
    let mut best: Option<(usize, f32)> = None;
    for &end in ends.iter().step_by(step) {
        let x = end + 0.5;
        let (mut left, mut right, mut crossing) = (Vec::new(), Vec::new(), 0usize);
        let mut next = f32::INFINITY;
        for segment in segments {
            if segment.x1 <= x {
                left.push(segment);
            } else if segment.x0 >= x {
                right.push(segment);
                next = next.min(segment.x0);
            } else {
                crossing += 1;
            }
        }
        if left.len() < MIN_LINES || right.len() < MIN_LINES || crossing * 3 > left.len() + right.len() {
            continue;
        }
        if next - end < 0.6 * segments[0].size.min(14.0)
            || !is_prose(&left)
            || !is_prose(&right)
            || !beside(&left, &right)
        {
            continue;
        }
        let score = left.len().min(right.len()) * 10 - crossing.min(left.len().min(right.len()) * 9);
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, f32::midpoint(end, next)));
        }
    }
    best.map(|(_, x)| x)
}

fn is_prose(side: &[&Segment]) -> bool {
    let mut lengths: Vec<usize> =
        side.iter().filter(|segment| !segment.is_bullet()).map(|segment| segment.length).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).is_some_and(|&median| median >= MIN_LENGTH)
}

/// Returns whether two sides stand beside each other, rather than one below the other.
fn beside(left: &[&Segment], right: &[&Segment]) -> bool {
    let span = |side: &[&Segment]| {
        side.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), s| (low.min(s.y), high.max(s.y)))
    };
    let ((low, high), (other_low, other_high)) = (span(left), span(right));
    let shared = high.min(other_high) - low.max(other_low);
    shared > 0.4 * (high - low).min(other_high - other_low)
}

/// Puts segments of one height together, and tells which rows are of a table.
fn rows(mut segments: Vec<Segment>) -> Vec<Row> {
    segments.sort_by(|a, b| b.y.total_cmp(&a.y).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Row> = Vec::new();
    for segment in segments {
        match rows.last_mut() {
            Some(row) if row.y() - segment.y <= 0.3 * segment.size.min(row.size()) => row.cells.push(segment),
            _ => rows.push(Row { cells: vec![segment], table: false, first: None }),
        }
    }
    for row in &mut rows {
        row.cells.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    let cells = |row: &Row| row.cells.iter().filter(|cell| !cell.is_bullet()).count();
    let marks: Vec<bool> = (0..rows.len())
        .map(|at| {
            let like = |other: Option<&Row>| {
                other.is_some_and(|other| {
                    cells(other) == cells(&rows[at])
                        && other.cells.len() == rows[at].cells.len()
                        && other.cells.iter().zip(&rows[at].cells).all(|(a, b)| a.x0 < b.x1 && b.x0 < a.x1)
                })
            };
            cells(&rows[at]) > 1
                && (like(rows.get(at + 1)) || like(at.checked_sub(1).and_then(|before| rows.get(before))))
        })
        .collect();
    for (row, table) in rows.iter_mut().zip(marks) {
        row.table = table;
    }
    let mut start = 0;
    while start < rows.len() {
        let end = (start..rows.len()).find(|&at| !rows[at].table).unwrap_or(rows.len());
        let first = first_cell(&rows[start..end]);
        for row in &mut rows[start..end] {
            row.first = first;
        }
        start = end.max(start + 1);
    }
    rows
}

/// Tells by the rows of a table at which end they begin: where names stand at one and figures at the other, with the names.
fn first_cell(rows: &[Row]) -> Option<End> {
    let named = |cell: Option<&Segment>| cell.is_some_and(|cell| cell.words.straight.chars().any(char::is_alphabetic));
    let (mut left, mut right) = (0, 0);
    for row in rows {
        let (at_left, at_right) = (named(row.cells.first()), named(row.cells.last()));
        left += usize::from(at_left && !at_right);
        right += usize::from(at_right && !at_left);
    }
    match left.cmp(&right) {
        std::cmp::Ordering::Less => Some(End::Right),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(End::Left),
    }
}

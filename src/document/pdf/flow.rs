//! Rows on pages become paragraphs.
//!
//! In: the rows of all pages in the order of reading. Out: [`Block`]s with a hint of what they are. A paragraph ends where a
//! line leaves room for the next word, where the space between lines grows, where the size of letters changes, or at an
//! indent or the mark of a list. What stands at the top or the foot of several pages is the paper's, and so are numbers of
//! pages.

use std::collections::BTreeMap;

use super::layout::{End, Region, Row};
use super::lines::Segment;
use super::order;
use super::stamp::{stamp, stamps};

/// What a block looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Title,
    Heading,
    Paragraph,
    ListItem,
    TableRow,
}

/// Lines that belong together.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub text: String,
    pub look: Look,
}

/// How the lines of a document are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Whether lines are turned, where they do not tell themselves.
    pub turned: bool,
    /// Whether brackets are mirrored, where a line does not tell.
    pub mirrored: bool,
    /// Whether paragraphs were set from left to right, as programs do that were not told the language.
    pub set_left: bool,
}

impl Reading {
    /// Asks all lines how they want to be read.
    pub fn of<'s>(segments: impl Iterator<Item = &'s Segment>) -> Self {
        let (mut turned, mut mirrored) = (0, 0);
        let (mut on_right, mut on_left) = (0usize, 0usize);
        for segment in segments {
            turned += segment.words.evidence;
            mirrored += segment.words.mirror;
            on_right += usize::from(segment.words.stop > 0);
            on_left += usize::from(segment.words.stop < 0);
        }
        // Within such a paragraph, a sentence that ends with its line has its stop on the left all the same.
        let set_left = turned >= 0 && on_right * 3 >= on_left && on_right > usize::from(on_left > 0);
        Self { turned: turned >= 0, mirrored: mirrored > 0, set_left }
    }

    fn text(self, segment: &Segment) -> String {
        let words = &segment.words;
        // A line against all others has to be sure.
        let turned = if self.turned { words.evidence > -4 } else { words.evidence > 4 };
        let mirrored = words.mirror > 0 || (words.mirror == 0 && self.mirrored);
        let set_left =
            words.set_left.as_ref().filter(|_| turned && (words.stop > 0 || (self.set_left && words.stop == 0)));
        if let Some([plain, other]) = set_left {
            return Self::bullets(if mirrored { other } else { plain });
        }
        let text = match (turned, mirrored && words.turned.chars().any(order::is_right)) {
            (true, true) => order::mirror(&words.turned),
            (true, false) => words.turned.clone(),
            (false, _) => words.straight.clone(),
        };
        Self::bullets(&text)
    }

    fn bullets(text: &str) -> String {
        text.replace(['\u{f0b7}', '\u{f0a7}', '\u{f0d8}'], "•")
    }
}

/// The text of a row, cells from the first in reading order.
fn row_text(row: &Row, reading: Reading, rightmost_first: bool) -> String {
    let mut cells: Vec<&Segment> = row.cells.iter().collect();
    // A line that is drawn in the order of reading has its cells so as well.
    let from_right = rightmost_first && reading.turned;
    // A line of Arabic that was cut at a wide blank is still read from the right.
    let arabic = |cell: &&Segment| {
        cell.words.set_left.is_some() && !cell.words.straight.chars().any(|c| c.is_ascii_alphabetic())
    };
    let cut = reading.set_left && !row.table && cells.len() > 1 && cells.iter().all(arabic);
    if cut || row.first.map_or(from_right, |first| first == End::Right) {
        cells.reverse();
    }
    let cells: Vec<String> = cells.into_iter().map(|cell| reading.text(cell).trim().to_owned()).collect();
    cells.join(if row.table { crate::document::CELLS } else { " " })
}

/// The most words that the head of a page has: the name of the paper, number, day, section.
const MAX_HEAD: usize = 12;

/// Where a line stands that may be a head or a foot.
struct Seen {
    page: usize,
    y: f32,
    /// Whether it is set apart from what is next to it: by space, in the margin, or by smaller letters.
    apart: bool,
}

/// Returns whether a line may be the head of a page: it is short and no sentence.
fn is_head(text: &str) -> bool {
    let text = text.trim();
    text.split_whitespace().count() <= MAX_HEAD && !text.ends_with(['.', '؟', '!', '?', '…'])
}

/// Returns whether a line of several pages is their head or foot, and not what the author says again: it is on most of
/// them, or it stands apart at the very same place, or where there are but two or three, it has a number.
fn running(key: &str, seen: &[Seen], pages: usize) -> bool {
    let mut on: Vec<usize> = seen.iter().map(|seen| seen.page).collect();
    on.dedup();
    let times = on.len();
    let still = seen.iter().all(|other| other.apart && (other.y - seen[0].y).abs() < 1.0);
    match times {
        0 | 1 => false,
        2 => pages <= 3 && (key.contains('#') || still),
        // Heads of sections are on a few pages, and left and right pages may differ.
        _ => times * 2 > pages || still,
    }
}

/// Takes off the pages what is not the article's: heads, feet, numbers of pages.
pub(super) fn without_furniture(pages: &mut [Vec<Region>], heights: &[f32], reading: Reading) -> Vec<String> {
    let body = Measure::of(pages).body;
    let key = |text: &str| -> String {
        let mut out = String::new();
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            if !c.is_numeric() {
                out.push(c);
            } else if !out.ends_with('#') {
                out.push('#');
            }
        }
        out
    };
    let is_number = |key: &str| {
        let bare = key.trim_matches(|c: char| "-–—|/[]().".contains(c));
        let words = ["صفحة", "صفحه", "ص", "page", "Page", "من", "of", "/", "|", "#", "-", "–", ":"];
        let mut rest = bare;
        while let Some(next) = words.iter().find_map(|word| rest.strip_prefix(word)) {
            rest = next;
        }
        rest.is_empty() && bare.contains('#')
    };
    let mut seen: BTreeMap<(bool, String), Vec<Seen>> = BTreeMap::new();
    let mut edges: Vec<Vec<(usize, usize, bool, String)>> = Vec::new();
    for (page, (regions, &height)) in pages.iter().zip(heights).enumerate() {
        let mut rows: Vec<(f32, usize, usize)> = Vec::new();
        for (region, r) in regions.iter().enumerate() {
            rows.extend(r.rows.iter().enumerate().map(|(row, r)| (r.y(), region, row)));
        }
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let count = rows.len();
        let mut found = Vec::new();
        for (place, &(y, region, row)) in rows.iter().enumerate() {
            if place < 3 || place + 3 >= count {
                let top = place * 2 < count;
                let this = &regions[region].rows[row];
                let text: Vec<String> = this.cells.iter().map(|cell| reading.text(cell)).collect();
                let mut key = key(&text.concat());
                // A short line of small letters alone in the margin is a head or a foot, on one page too.
                let next = if top { rows.get(place + 1) } else { place.checked_sub(1).and_then(|at| rows.get(at)) };
                let in_margin =
                    if top { place == 0 && y > height * 0.92 } else { place + 1 == count && y < height * 0.08 };
                let alone = next.is_none_or(|next| (next.0 - y).abs() > 2.5 * this.size());
                let short =
                    this.cells.iter().map(|cell| cell.length).sum::<usize>() <= 60 && this.size() <= body * 1.15;
                // A note at the foot is a sentence.
                let words = text.join(" ");
                let note = words.split_whitespace().nth(3).is_some() && words.trim_end().ends_with('.');
                if in_margin && alone && short && count > 3 && !note {
                    key = "#".to_owned();
                }
                let edge = if top { y > height * 0.92 } else { y < height * 0.08 };
                let apart = alone || edge || this.size() < body * 0.92;
                if !key.is_empty() && is_head(&text.join(" ")) {
                    seen.entry((top, key.clone())).or_default().push(Seen { page, y, apart });
                }
                found.push((region, row, top, key));
            }
        }
        edges.push(found);
    }
    let count = pages.len();
    let stamps = stamps(pages, body, key);
    seen.retain(|(_, key), seen| running(key, seen, count));
    let mut out = Vec::new();
    for (regions, found) in pages.iter_mut().zip(edges) {
        let mut drop: Vec<(usize, usize)> = found
            .into_iter()
            .filter(|(_, _, top, key)| is_number(key) || seen.contains_key(&(*top, key.clone())))
            .map(|(region, row, _, _)| (region, row))
            .collect();
        for (region, r) in regions.iter().enumerate() {
            let marked = |row: &&(usize, &Row)| stamps.contains(&stamp(row.1, key));
            drop.extend(r.rows.iter().enumerate().filter(|row| marked(&row)).map(|(row, _)| (region, row)));
        }
        drop.sort_unstable();
        drop.dedup();
        let before = out.len();
        for (region, row) in drop.into_iter().rev() {
            let row = regions[region].rows.remove(row);
            out.push(row_text(&row, reading, true));
        }
        out[before..].reverse();
        regions.retain(|region| !region.rows.is_empty());
    }
    out
}

/// What is known of the whole document's lines.
struct Measure {
    /// The size most letters have.
    body: f32,
    /// The space between lines of that size, in sizes.
    leading: f32,
}

impl Measure {
    fn of(pages: &[Vec<Region>]) -> Self {
        let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
        let mut gaps: BTreeMap<u32, usize> = BTreeMap::new();
        for region in pages.iter().flatten() {
            for cell in region.rows.iter().flat_map(|row| &row.cells) {
                *sizes.entry((cell.size * 4.0).round() as u32).or_default() += cell.length;
            }
            for pair in region.rows.windows(2) {
                let gap = (pair[0].y() - pair[1].y()) / pair[1].size().max(1.0);
                if (0.8..3.0).contains(&gap) {
                    *gaps.entry((gap * 20.0).round() as u32).or_default() +=
                        pair[1].cells.iter().map(|c| c.length).sum::<usize>();
                }
            }
        }
        let most =
            |counts: &BTreeMap<u32, usize>| counts.iter().max_by_key(|(_, count)| **count).map(|(value, _)| *value);
        Self {
            body: most(&sizes).map_or(12.0, |size| size as f32 / 4.0),
            leading: most(&gaps).map_or(1.3, |gap| gap as f32 / 20.0),
        }
    }
}

/// Where a column begins and ends.
#[derive(Clone, Copy)]
struct Column {
    x0: f32,
    x1: f32,
}

/// A block that is being put together.
struct Open {
    text: String,
    rows: usize,
    item: bool,
    /// Its last row, and the column that stands in.
    last: Row,
    column: Column,
}

/// Puts the rows of all pages together to blocks.
pub(super) fn blocks(pages: &[Vec<Region>], reading: Reading, rightmost_first: bool) -> Vec<Block> {
    let measure = Measure::of(pages);
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    let largest =
        pages.first().into_iter().flatten().flat_map(|region| &region.rows).map(Row::size).fold(0.0, f32::max);
    for region in pages.iter().flatten() {
        let fold =
            |start: f32, of: fn(&Row) -> f32, pick: fn(f32, f32) -> f32| region.rows.iter().map(of).fold(start, pick);
        let column =
            Column { x0: fold(f32::INFINITY, Row::x0, f32::min), x1: fold(f32::NEG_INFINITY, Row::x1, f32::max) };
        for (place, row) in region.rows.iter().enumerate() {
            let text = row_text(row, reading, rightmost_first);
            if text.trim().is_empty() {
                continue;
            }
            let (item, words) = bullet(&text, row);
            let ends = row.table
                || item
                || open.as_ref().is_none_or(|open| ends(open, row, &measure, rightmost_first, place == 0));
            match &mut open {
                Some(open) if !ends => {
                    if !open.text.ends_with(['(', '[', '«']) {
                        open.text.push(' ');
                    }
                    open.text.push_str(words);
                    open.rows += 1;
                    (open.last, open.column) = (row.clone(), column);
                }
                _ => {
                    blocks.extend(open.take().map(|open| close(open, &measure, largest)));
                    open = Some(Open { text: words.to_owned(), rows: 1, item, last: row.clone(), column });
                }
            }
        }
    }
    blocks.extend(open.map(|open| close(open, &measure, largest)));
    blocks
}

/// Returns the words behind the mark of a list's point.
fn bullet<'t>(text: &'t str, row: &Row) -> (bool, &'t str) {
    const MARKS: &[char] = &['•', '●', '▪', '■', '◾', '◆', '‣', '►', '▶', '◦', '○'];
    let trimmed = text.trim();
    if row.table {
        return (false, trimmed);
    }
    if let Some(rest) = trimmed.strip_prefix(MARKS) {
        return (!rest.trim().is_empty(), rest.trim_start());
    }
    match trimmed.strip_prefix(['-', '–', '*']) {
        Some(rest) if rest.starts_with(' ') => (true, rest.trim_start()),
        _ => (false, trimmed),
    }
}

/// Returns whether a row begins a block of its own.
fn ends(open: &Open, row: &Row, measure: &Measure, rightmost_first: bool, first_of_region: bool) -> bool {
    let last = &open.last;
    let size = row.size();
    if last.table || (size / last.size() - 1.0).abs() > 0.08 {
        return true;
    }
    let bold = |row: &Row| row.cells.iter().all(|cell| cell.bold);
    if bold(last) != bold(row) {
        return true;
    }
    // How much room the line before left, and how much the first word of this one takes.
    let room = if rightmost_first { last.x0() - open.column.x0 } else { open.column.x1 - last.x1() };
    let first = if rightmost_first { row.cells.last() } else { row.cells.first() };
    let from_right = |cell: &Segment| rightmost_first || cell.words.set_left.is_some();
    let word = first.map_or(0.0, |cell| if from_right(cell) { cell.first_word.0 } else { cell.first_word.1 });
    let closed = open.text.trim_end_matches(['"', '”', '»', ')', ' ']).ends_with(['.', '!', '؟', '?', ':']);
    // Not every producer fills its lines: a line that is no end of a sentence has to leave much room.
    let width = open.column.x1 - open.column.x0;
    let leaves_room = room > word + if closed { 0.6 * size } else { (0.25 * width).max(2.0 * size) };
    if first_of_region {
        return leaves_room || closed;
    }
    let gap = (last.y() - row.y()) / size;
    if gap > measure.leading * if closed { 1.12 } else { 1.35 } || gap < 0.3 {
        return true;
    }
    let headline = size > measure.body * 1.15;
    if leaves_room && !headline {
        return true;
    }
    let start = |row: &Row| if rightmost_first { -row.x1() } else { row.x0() };
    let inward = start(row) - start(last);
    (inward > 0.8 * size && !open.item && !headline && closed)
        || (inward < -0.8 * size && open.rows > 1 && !headline && closed)
}

fn close(open: Open, measure: &Measure, largest: f32) -> Block {
    let size = open.last.size();
    let words = open.text.split_whitespace().count();
    let look = if open.last.table {
        Look::TableRow
    } else if open.item {
        Look::ListItem
    } else if size >= largest - 0.5 && size > measure.body * 1.25 && words <= 40 {
        Look::Title
    } else if words <= 25
        && (size > measure.body * 1.12 || (open.last.cells.iter().all(|cell| cell.bold) && words <= 14))
    {
        Look::Heading
    } else {
        Look::Paragraph
    };
    Block { text: open.text, look }
}

//! Glyphs on a page become segments of lines: what stands side by side without a wide gap.
//!
//! In: the glyphs of a page. Out: [`Segment`]s with their words in order. Vowel marks are glyphs of their own that float over
//! or under a letter: they are put behind it. Blanks are glyphs too, or only gaps. Columns and tables are `layout`'s.

use super::draw::Glyph;
use super::order::{self, Ordered};
use crate::arabic::letters::is_diacritic;

/// Part of a line.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub x0: f32,
    pub x1: f32,
    pub y: f32,
    pub size: f32,
    pub bold: bool,
    pub words: Ordered,
    /// How wide its first word is in reading order, from the right and from the left.
    pub first_word: (f32, f32),
    /// How many characters it has.
    pub length: usize,
}

impl Segment {
    /// Returns whether it is but the mark of a list's point.
    pub fn is_bullet(&self) -> bool {
        self.length <= 2
            && self.words.straight.trim().chars().all(|c| "•●▪■◾◆·‣►▶◦○-–—*\u{f0b7}\u{f0a7}\u{f0d8}".contains(c))
    }
}

/// A glyph in a line with the marks on it.
struct Placed {
    text: String,
    x0: f32,
    x1: f32,
    size: f32,
    bold: bool,
    /// Its place among all glyphs of the page.
    at: usize,
}

/// A mark, and the letter next to it in the order drawn, where that is near.
struct Mark<'g> {
    glyph: &'g Glyph,
    of: Option<usize>,
}

/// Returns whether a mark may stand on a letter.
fn belongs(mark: &Glyph, letter: &Glyph) -> bool {
    let x = centre(mark);
    letter.text.chars().any(order::is_right)
        && (letter.y - mark.y).abs() < 0.8 * letter.size
        && (letter.x0 - x).max(x - letter.x1) < 0.35 * letter.size
}

/// Cuts the glyphs of a page into segments, from the top down. Whether a mark is drawn before its letter or behind it goes
/// with the order of the lines: lines that are to be turned have it first.
pub(super) fn segments(glyphs: &[Glyph], marks_first: bool) -> Vec<Segment> {
    let is_mark = |glyph: &Glyph| !glyph.text.is_empty() && glyph.text.chars().all(is_diacritic);
    // Some producers say letter and mark at the mark, which floats.
    let is_floating = |glyph: &Glyph| glyph.text.chars().any(is_diacritic) && !is_mark(glyph);
    let mut order: Vec<usize> =
        (0..glyphs.len()).filter(|&at| !is_mark(&glyphs[at]) && !is_floating(&glyphs[at])).collect();
    order.sort_by(|&a, &b| glyphs[b].y.total_cmp(&glyphs[a].y));
    let mut rows: Vec<(f32, Vec<usize>)> = Vec::new();
    for at in order {
        let glyph = &glyphs[at];
        match rows.last_mut() {
            Some((y, row)) if *y - glyph.y <= 0.3 * glyph.size.min(glyphs[row[0]].size) => row.push(at),
            _ => rows.push((glyph.y, vec![at])),
        }
    }
    for (at, glyph) in glyphs.iter().enumerate().filter(|(_, glyph)| is_floating(glyph)) {
        let below = rows.partition_point(|(y, _)| *y > glyph.y + 0.05 * glyph.size);
        let near = |row: usize| rows.get(row).map_or(f32::INFINITY, |(y, _)| (y - glyph.y).abs());
        // Most marks stand over their letter.
        let (row, away) = match below.checked_sub(1).map(|above| (above, near(above) * 1.5)) {
            Some((above, away)) if away < near(below) => (above, away),
            _ => (below, near(below)),
        };
        if away < 0.8 * glyph.size {
            rows[row].1.push(at);
        } else {
            rows.insert(below, (glyph.y, vec![at]));
        }
    }
    let mut marks: Vec<Mark<'_>> = Vec::new();
    let mut letter = None;
    let mut each = |(at, glyph)| {
        if is_mark(glyph) {
            let of = letter.filter(|&letter: &usize| belongs(glyph, &glyphs[letter]));
            marks.push(Mark { glyph, of });
        } else {
            letter = Some(at);
        }
    };
    if marks_first {
        glyphs.iter().enumerate().rev().for_each(&mut each);
    } else {
        glyphs.iter().enumerate().for_each(&mut each);
    }
    marks.sort_by(|a, b| b.glyph.y.total_cmp(&a.glyph.y));
    let mut used = vec![false; marks.len()];
    let mut found = Vec::new();
    for (y, row) in &mut rows {
        row.sort_by(|&a, &b| centre(&glyphs[a]).total_cmp(&centre(&glyphs[b])));
        let mut placed: Vec<Placed> = Vec::new();
        let mut doubles: Vec<(f32, String)> = Vec::new();
        for &at in row.iter() {
            let Glyph { text, x0, x1, size, bold, .. } = glyphs[at].clone();
            // Bold is sometimes the same letter drawn twice.
            let twice = placed.last().is_some_and(|last| {
                last.text == text
                    && (last.x0 - x0).abs() < 0.15 * size
                    && x1 - x0 > 0.2 * size
                    && !text.trim().is_empty()
            });
            // A floating letter with its mark may stand at its letter drawn without.
            let bare: String = text.chars().filter(|&c| !is_diacritic(c)).collect();
            let under = (bare != text).then(|| {
                let middle = f32::midpoint(x0, x1);
                let like = |other: &&usize| {
                    let other = &glyphs[**other];
                    other.text == bare && other.x0 - 0.1 * size < middle && middle < other.x1 + 0.1 * size
                };
                row.iter().find(like).map(|&other| glyphs[other].clone())
            });
            if let Some(Some(letter)) = under {
                doubles.push((letter.x0, text));
                continue;
            }
            if !twice {
                placed.push(Placed { text, x0, x1, size, bold, at });
            }
        }
        for (x0, text) in doubles {
            let bare: String = text.chars().filter(|&c| !is_diacritic(c)).collect();
            if let Some(letter) = placed.iter_mut().find(|letter| letter.text == bare && (letter.x0 - x0).abs() < 0.01)
            {
                letter.text = text;
            }
        }
        put_marks(&mut placed, *y, &marks, &mut used);
        found.extend(cut(placed, *y));
    }
    found
}

fn centre(glyph: &Glyph) -> f32 {
    f32::midpoint(glyph.x0, glyph.x1)
}

/// Puts the marks that float over a line behind the letters under them.
fn put_marks(row: &mut [Placed], y: f32, marks: &[Mark<'_>], used: &mut [bool]) {
    let tallest = row.iter().map(|glyph| glyph.size).fold(0.0, f32::max);
    let from = marks.partition_point(|mark| mark.glyph.y > y + tallest * 0.8);
    let near = |(_, mark): &(usize, &Mark<'_>)| mark.glyph.y > y - tallest * 0.8;
    for (at, Mark { glyph: mark, of }) in marks.iter().enumerate().skip(from).take_while(near) {
        if used[at] {
            continue;
        }
        let x = centre(mark);
        let distance = |glyph: &Placed| match of {
            Some(of) if *of == glyph.at => 0.0,
            Some(_) => f32::INFINITY,
            None => (glyph.x0 - x).max(x - glyph.x1).max(0.0) + (f32::midpoint(glyph.x0, glyph.x1) - x).abs() * 0.01,
        };
        let below = row
            .iter_mut()
            .filter(|glyph| glyph.text.chars().any(order::is_right))
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        if let Some(glyph) = below
            && distance(glyph) < 0.5 * glyph.size
        {
            used[at] = true;
            // Shadda comes before the vowel on it.
            if mark.text == "\u{651}" && glyph.text.ends_with(is_diacritic) {
                let last = glyph.text.pop();
                glyph.text.push('\u{651}');
                glyph.text.extend(last);
            } else {
                glyph.text.push_str(&mark.text);
            }
        }
    }
}

/// Cuts a row where gaps are wide, and puts blanks where they are not.
fn cut(row: Vec<Placed>, y: f32) -> Vec<Segment> {
    let is_blank = |glyph: &Placed| glyph.text.chars().all(char::is_whitespace);
    let letters = row.iter().filter(|glyph| !is_blank(glyph)).count();
    let blanks = row.len() - letters;
    // Where blanks are drawn, a gap without one is but a letter's own space.
    let least = if blanks * 14 > letters { 0.35 } else { 0.13 };
    let mut segments = Vec::new();
    let mut open: Vec<Placed> = Vec::new();
    let mut blank = false;
    for glyph in row {
        if is_blank(&glyph) {
            blank = true;
            continue;
        }
        if let Some(last) = open.iter().filter(|g| !is_blank(g)).max_by(|a, b| a.x1.total_cmp(&b.x1)) {
            let gap = glyph.x0 - last.x1;
            let size = glyph.size.max(last.size);
            let edge = last.x1;
            if gap > size * if blank { 1.1 } else { 0.75 } {
                segments.extend(segment(std::mem::take(&mut open), y));
            } else if (blank && gap > -0.3 * size) || gap > least * size {
                open.push(Placed {
                    text: " ".to_owned(),
                    x0: edge,
                    x1: glyph.x0,
                    size: glyph.size,
                    bold: glyph.bold,
                    at: glyph.at,
                });
            }
        }
        blank = false;
        open.push(glyph);
    }
    segments.extend(segment(open, y));
    segments
}

fn segment(glyphs: Vec<Placed>, y: f32) -> Option<Segment> {
    let first = glyphs.first()?;
    let x0 = glyphs.iter().map(|glyph| glyph.x0).fold(first.x0, f32::min);
    let x1 = glyphs.iter().map(|glyph| glyph.x1).fold(first.x1, f32::max);
    let mut sizes: Vec<f32> = glyphs.iter().map(|glyph| glyph.size).collect();
    sizes.sort_by(f32::total_cmp);
    let size = sizes[sizes.len() / 2];
    let bold = glyphs.iter().all(|glyph| glyph.bold || glyph.text == " ");
    let blank = |glyph: &Placed| glyph.text == " ";
    let right = glyphs.iter().rev().find(|glyph| blank(glyph)).map_or(x0, |glyph| glyph.x1);
    let left = glyphs.iter().find(|glyph| blank(glyph)).map_or(x1, |glyph| glyph.x0);
    let texts: Vec<&str> = glyphs.iter().map(|glyph| glyph.text.as_str()).collect();
    let length = texts.iter().map(|text| text.chars().count()).sum();
    Some(Segment { x0, x1, y, size, bold, words: order::ordered(&texts), first_word: (x1 - right, left - x0), length })
}

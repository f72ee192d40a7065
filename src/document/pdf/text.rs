//! The text of a PDF, before it is told what of it is the article.
//!
//! In: bytes. Out: [`Text`]: blocks in the order of reading, what the head says, warnings. A file is read on a thread with a
//! stack of known size, and within limits of work: what a reader of the field may do with a hostile file is bounded here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};

use super::draw::{Budget, Drawn, Fonts, draw};
use super::flow::{self, Block, Reading};
use super::{Error, facts, layout, lines, order, streams};
use crate::arabic::letters::is_diacritic;
use crate::source::encoding;

/// The most pages that are read: a book has fewer.
const MAX_PAGES: usize = 2_000;

/// The stack of the thread that reads.
const STACK: usize = 64 * 1024 * 1024;

/// Pages are garbage where fewer than this share of their letters is of one of the scripts that news is written in.
const MIN_SENSE: f64 = 0.5;

/// Words of one letter are hardly words: a page with more than this share of them is one whose fonts name parts of letters.
const MAX_SINGLE: f64 = 0.3;

/// So many words tell what share is.
const MIN_WORDS: usize = 20;

/// What a PDF says.
#[derive(Debug, Default)]
pub(in crate::document) struct Text {
    pub(super) blocks: Vec<Block>,
    /// Its title, where its head states one that a person gave.
    pub title: Option<String>,
    /// Heads, feet and numbers of pages.
    pub furniture: Vec<String>,
    pub warnings: Vec<String>,
}

/// Reads a PDF.
///
/// # Errors
/// Where it is damaged, locked, hits a limit, or has no text.
pub(in crate::document) fn read(bytes: &[u8]) -> Result<Text, Error> {
    let bytes = bytes.to_vec();
    let damaged = || Error::Damaged("its parts do not fit together".to_owned());
    let thread = std::thread::Builder::new().name("pdf".to_owned()).stack_size(STACK);
    let handle = thread
        .spawn(move || catch_unwind(AssertUnwindSafe(|| inside(bytes))).unwrap_or_else(|_| Err(damaged())))
        .map_err(|error| Error::Damaged(format!("no thread to read it on: {error}")))?;
    handle.join().unwrap_or_else(|_| Err(damaged()))
}

fn inside(bytes: Vec<u8>) -> Result<Text, Error> {
    streams::check_objects(&bytes)?;
    let cut = streams::find(&bytes, b"startxref").is_none();
    let pdf = Pdf::new(bytes).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Error::Locked,
        LoadPdfError::Decryption(_) => Error::Encryption,
        LoadPdfError::Invalid if cut => Error::Damaged("it ends in the middle".to_owned()),
        LoadPdfError::Invalid => Error::Damaged("it has no page that can be found".to_owned()),
    })?;
    let count = pdf.pages().len();
    let mut text = Text { title: pdf.metadata().title.as_deref().and_then(facts::title), ..Text::default() };
    if count > MAX_PAGES {
        text.warnings.push(format!("only the first {MAX_PAGES} of {count} pages are read"));
    }
    let (mut fonts, mut budget) = (Fonts::new(), Budget::default());
    let mut drawn: Vec<Drawn> = Vec::new();
    for page in pdf.pages().iter().take(MAX_PAGES) {
        drawn.push(draw(page, &mut fonts, &mut budget)?);
    }
    let mut silent = Silent::default();
    let mut pages = Vec::new();
    for (number, drawn) in drawn.iter().enumerate() {
        silent.look(number + 1, drawn);
        let mut segments = if silent.last_is(number + 1) { Vec::new() } else { lines::segments(&drawn.glyphs, true) };
        if in_pieces(&segments) {
            silent.garbage.push(number + 1);
            segments.clear();
        }
        pages.push(segments);
    }
    silent.refuse(drawn.len(), cut)?;
    text.warnings.extend(silent.warnings(drawn.len()));
    let reading = Reading::of(pages.iter().flatten());
    if !reading.turned {
        for (segments, drawn) in pages.iter_mut().zip(&drawn).filter(|(segments, _)| !segments.is_empty()) {
            *segments = lines::segments(&drawn.glyphs, false);
        }
    }
    let (right, left) =
        pages.iter().flatten().flat_map(|s| s.words.straight.chars()).fold((0usize, 0usize), |(right, left), c| {
            (right + usize::from(order::is_right(c)), left + usize::from(c.is_alphabetic()))
        });
    // Arabic letters are alphabetic too: half of all letters is enough.
    let rightmost_first = right * 2 > left && !reading.set_left;
    let mut regions: Vec<_> = pages.into_iter().map(|segments| layout::regions(segments, rightmost_first)).collect();
    let heights: Vec<f32> = drawn.iter().map(|drawn| drawn.height).collect();
    text.furniture = flow::without_furniture(&mut regions, &heights, reading);
    text.blocks = flow::blocks(&regions, reading, rightmost_first);
    if drawn.iter().any(|drawn| drawn.claimed_latin) {
        mend(&mut text);
    }
    if text.blocks.is_empty() {
        return Err(match cut {
            true => Error::Damaged("it ends in the middle".to_owned()),
            false if !text.furniture.is_empty() => Error::OnlyHeads,
            false => Error::NoText { pictures: 0, pages: count },
        });
    }
    Ok(text)
}

/// Repairs Arabic by a font of eight bits that claims to be Latin.
fn mend(text: &mut Text) {
    let all: Vec<&str> = text.blocks.iter().map(|block| block.text.as_str()).collect();
    let Some((repaired, repair)) = encoding::repair(&all.join("\n")) else { return };
    let lines: Vec<&str> = repaired.split('\n').collect();
    if lines.len() != text.blocks.len() {
        return;
    }
    for (block, line) in text.blocks.iter_mut().zip(lines) {
        line.clone_into(&mut block.text);
    }
    text.warnings.push(format!("its font hides Arabic behind Latin letters: {repair}"));
}

/// Returns whether the words of a page are letters one by one, and so no words.
fn in_pieces(segments: &[lines::Segment]) -> bool {
    let (mut single, mut words) = (0usize, 0usize);
    for segment in segments {
        for word in segment.words.straight.split(|c: char| !order::is_right(c)).filter(|word| !word.is_empty()) {
            words += 1;
            single += usize::from(word.chars().filter(|&c| !is_diacritic(c)).count() < 2);
        }
    }
    words >= MIN_WORDS && single as f64 > MAX_SINGLE * words as f64
}

/// Pages that say nothing or not all, and why.
#[derive(Debug, Default)]
struct Silent {
    pictures: Vec<usize>,
    blank: Vec<usize>,
    garbage: Vec<usize>,
    /// Pages with much that runs in another direction.
    turned: Vec<usize>,
}

impl Silent {
    fn look(&mut self, number: usize, drawn: &Drawn) {
        let letters = |test: fn(char) -> bool| {
            drawn.glyphs.iter().flat_map(|glyph| glyph.text.chars()).filter(|&c| test(c)).count()
        };
        let all = letters(|c| !c.is_whitespace());
        let known = drawn.glyphs.iter().filter(|glyph| !glyph.text.trim().is_empty()).count();
        let sense = letters(makes_sense);
        let garbage = drawn.unknown > known || (sense as f64) < MIN_SENSE * all as f64;
        if drawn.turned >= MIN_WORDS && drawn.turned * 4 > known {
            self.turned.push(number);
        }
        if (all + drawn.unknown) == 0 {
            if drawn.pictures > 0 { self.pictures.push(number) } else { self.blank.push(number) }
        } else if garbage {
            self.garbage.push(number);
        }
    }

    fn last_is(&self, number: usize) -> bool {
        [&self.pictures, &self.blank, &self.garbage].iter().any(|pages| pages.last() == Some(&number))
    }

    fn refuse(&self, pages: usize, cut: bool) -> Result<(), Error> {
        let silent = self.pictures.len() + self.blank.len() + self.garbage.len();
        match silent == pages {
            false => Ok(()),
            true if !self.garbage.is_empty() => Err(Error::Garbage),
            true if cut => Err(Error::Damaged("it ends in the middle".to_owned())),
            true => Err(Error::NoText { pictures: self.pictures.len(), pages }),
        }
    }

    fn warnings(&self, of: usize) -> Vec<String> {
        let told = |pages: &[usize], is: &str, are: &str, what: &str| -> Option<String> {
            let list: Vec<String> = pages.iter().take(12).map(ToString::to_string).collect();
            let more = if pages.len() > 12 { " and others" } else { "" };
            match pages {
                [] => None,
                [one] => Some(format!("page {one} is {is}: 1 of {of} pages {what}")),
                _ => Some(format!("pages {}{more} are {are}: {} of {of} pages {what}", list.join(", "), pages.len())),
            }
        };
        // The last page of many files is blank; one between others may have lost its words.
        let silent = |number: usize| [&self.pictures, &self.blank, &self.garbage].iter().any(|p| p.contains(&number));
        let last = (1..=of).rev().find(|&number| !silent(number)).unwrap_or(0);
        let between: Vec<usize> = self.blank.iter().copied().filter(|&number| number < last).collect();
        let found = [
            told(&between, "blank", "blank", "on which nothing is drawn"),
            told(
                &self.turned,
                "written in several directions",
                "written in several directions",
                "where what runs across the rest is left out",
            ),
            told(&self.pictures, "a picture", "pictures", "without text, which only OCR could read"),
            told(&self.garbage, "garbage", "garbage", "whose fonts do not say which letters they show, left out"),
        ];
        found.into_iter().flatten().collect()
    }
}

/// Returns whether a character is of the scripts and signs that pages of news have.
fn makes_sense(c: char) -> bool {
    c.is_ascii_graphic()
        || order::is_right(c)
        || matches!(c, '\u{a1}'..='\u{24f}' | '\u{600}'..='\u{6ff}' | '\u{2010}'..='\u{203a}' | '\u{20ac}' | '\u{f0b7}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}')
}

//! What makes one doubt a document: letters that are lost, no text, too much left out, languages and dialects that models do
//! not know.
//!
//! In: lines, or a document put together. Out: warnings and the blocks' languages. Nothing is left out here.

use std::collections::BTreeMap;
use std::fmt;

use super::language::{self, Language};
use super::{Block, BlockKind, Document, moments};
use crate::arabic::dialect;

/// So many words make a line running text.
const PROSE: usize = 12;

/// Words whose letters were replaced by question marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// How many there are.
    pub lost: usize,
    /// All words.
    pub words: usize,
    /// Whether hardly anything else is left.
    pub whole: bool,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lost, words, .. } = self;
        write!(f, "{lost} of {words} words are question marks: their letters were lost when the file was saved")
    }
}

/// Returns how many words hold question marks in place of letters, where they are too many to be meant.
pub(super) fn lost_letters<'t>(lines: impl Iterator<Item = &'t str>) -> Option<Lost> {
    /// Fewer may be meant: "???" stands for doubt.
    const MEANT: usize = 4;
    let (mut lost, mut others) = (0, 0);
    for word in lines.flat_map(str::split_whitespace) {
        let marks = word.chars().filter(|&c| c == '?').count();
        if marks >= 2 && !word.chars().any(char::is_alphanumeric) {
            lost += 1;
        } else if word.chars().any(char::is_alphabetic) {
            others += 1;
        }
    }
    let words = lost + others;
    (lost > MEANT && lost * 20 > words).then_some(Lost { lost, words, whole: lost > others })
}

impl Document {
    /// Notes what makes one doubt that the article was found: no text under its headline, or more running text left out
    /// than kept.
    pub(super) fn doubt(&mut self) {
        let prose = |text: &str| Some(text.split_whitespace().count()).filter(|&words| words >= PROSE).unwrap_or(0);
        let kept: usize = self.blocks.iter().map(|block| prose(block.span.of(&self.text))).sum();
        let left: usize = self.furniture.iter().map(|line| prose(line)).sum();
        if !self.blocks.iter().any(|block| block.kind.is_body() || block.kind == BlockKind::TableRow) {
            let left = if self.furniture.is_empty() { "" } else { "; what was left out is listed as furniture" };
            self.warnings.push(format!("no text was found under the headline{left}"));
        } else if left > kept {
            self.warnings.push(format!(
                "more running text was left out as the site's ({left} words) than kept as the article's ({kept} words); it is \
                 listed as furniture"
            ));
        }
    }

    /// Tells the language of each block, notes dialect and blocks that nobody translates, and reads the times of those
    /// that are Arabic. Where the language is forced, all of them are.
    pub(super) fn tell_languages(&mut self, force: bool) {
        if !force {
            let (document, blocks) = language::of_blocks(self.blocks.iter().map(|b| b.span.of(&self.text)));
            self.language = document;
            for (block, language) in self.blocks.iter_mut().zip(blocks) {
                block.language = language;
            }
        }
        let mut foreign: BTreeMap<Language, usize> = BTreeMap::new();
        for block in self.blocks.iter().filter(|block| block.language.is_foreign()) {
            *foreign.entry(block.language).or_default() += 1;
        }
        for (language, count) in foreign {
            let blocks = if count == 1 { "block is".to_owned() } else { "blocks are".to_owned() };
            self.warnings.push(format!("{count} {blocks} in {} and not translated", language.name()));
        }
        let arabic = |block: &&Block| matches!(block.language, Language::Arabic | Language::Unknown);
        self.dates = moments::moments(&self.text, self.blocks.iter().filter(arabic), self.meta.date.as_ref());
        let prose = self.segments.iter().filter(|segment| {
            self.block(segment.block).is_some_and(|b| b.kind.is_body() && b.language == Language::Arabic)
        });
        // So many sentences tell of the rest.
        const SAMPLE: usize = 2000;
        if let Some(found) = dialect::dialect(prose.take(SAMPLE).map(|segment| segment.span.of(&self.text))) {
            let words: Vec<&str> = found.markers.iter().take(8).map(String::as_str).collect();
            self.warnings.push(format!(
                "{} dialect: {:.0} % of the sentences have its words ({}); models know formal Arabic better",
                found.variety.name(),
                found.share * 100.0,
                words.join("، ")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_in_place_of_letters_are_told_from_those_that_are_meant() {
        let lost = |text: &str| lost_letters(text.lines());
        let whole = lost("??? ?????? ????? ?? 2023\n???? ??????? (CNN) ??? ?????.").unwrap();
        assert_eq!((whole.lost, whole.words, whole.whole), (8, 9, true));
        let part = lost("قال الوزير إن المعبر سيعمل ??? ???? ?????? ?? ??????? كل يوم").unwrap();
        assert!(!part.whole);
        assert_eq!(part.lost, 5);
        for text in ["لماذا ??? وكيف ??? ومتى ??", "? ? ? ? ? ? ?", "هل عاد؟؟ نعم!! ؟؟ ؟؟ ؟؟ ؟؟ ؟؟ ؟؟", ""]
        {
            assert_eq!(lost(text), None, "{text}");
        }
    }
}

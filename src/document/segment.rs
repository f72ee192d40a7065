//! Blocks are cut into segments: sentences, and parts of sentences that are too long for a model.
//!
//! In: the extracted text, its blocks, and a count of tokens. Out: [`Segment`]s in order that cover every block's words.
//! A sentence ends at `.` `!` `?` `؟` `…` with the quotation marks and brackets that close there; `،` and `:` end none.
//! What is no end: initials and titles (د. , أ. م.), figures, times, addresses, `(؟)`, `..` between two halves, dots of
//! suspension within a quotation or a line that has no stop (a headline, a verse), and stops within brackets or a short
//! quotation that the sentence around it goes on after. Cutting a long sentence at its clauses is [`super::clause`]'s.
//! Titles, captions and headings stay whole.
//! Decisions look back no further than the sentence's own start, so that segmenting a segment again changes nothing.

mod ends;

use super::clause;
use super::{Block, BlockKind, CELLS, Segment, SegmentId};
use crate::span::Span;
pub(super) use ends::depth;
use ends::{boundary, is_terminal};

/// How segments are made.
pub struct SegmentOptions<'c> {
    /// The most tokens that a segment may have before it is cut at a clause; `None` keeps sentences whole.
    pub budget: Option<usize>,
    /// Counts the tokens of a piece of text; a model's own tokenizer where one is at hand.
    pub count: &'c (dyn Fn(&str) -> usize + Sync),
}

impl Default for SegmentOptions<'static> {
    /// 110 tokens of about 3.5 Arabic letters each: what small models were seen to translate without losing the end.
    fn default() -> Self {
        Self { budget: Some(110), count: &about_tokens }
    }
}

/// Estimates the tokens of a text: one for each 3.5 characters.
pub fn about_tokens(text: &str) -> usize {
    (text.chars().count() * 2).div_ceil(7)
}

/// Cuts the blocks of a text into segments.
///
/// # Panics
/// Where a block does not lie in the text.
pub fn segments(text: &str, blocks: &[Block], options: &SegmentOptions<'_>) -> Vec<Segment> {
    let mut found = Vec::new();
    for block in blocks {
        let words = block.span.of(text);
        let sentences = match block.kind {
            BlockKind::Title | BlockKind::Caption | BlockKind::Subheading => {
                vec![trim(words, Span::new(0, words.len()))]
            }
            BlockKind::TableRow => cells(words),
            _ => sentences(words),
        };
        for sentence in sentences.into_iter().filter(|s| !s.is_empty()) {
            let pieces = match options.budget {
                Some(budget) => clause::split(sentence.of(words), budget.max(1), options.count),
                None => vec![Span::new(0, sentence.len())],
            };
            for piece in pieces {
                let start = block.span.start + sentence.start;
                let id = SegmentId(u32::try_from(found.len()).unwrap_or(u32::MAX));
                found.push(Segment { id, block: block.id, span: Span::new(start + piece.start, start + piece.end) });
            }
        }
    }
    found
}

/// Returns the cells of a row of a table: each is translated by itself.
fn cells(row: &str) -> Vec<Span> {
    let mut start = 0;
    let mut found = Vec::new();
    for cell in row.split(CELLS) {
        found.push(trim(row, Span::new(start, start + cell.len())));
        start += cell.len() + CELLS.len();
    }
    found
}

/// Returns the sentences of a paragraph, in order, without white space at either end; together they hold every
/// character that is not white space.
pub fn sentences(text: &str) -> Vec<Span> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found: Vec<Span> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let mut quotes = 0usize;
    while at < chars.len() {
        let c = chars[at].1;
        quotes = depth(&chars, start, at, quotes);
        let end = if c == '\n' {
            Some(at + 1)
        } else if is_terminal(c) {
            boundary(&chars, start, at, quotes)
        } else {
            None
        };
        match end {
            Some(end) => {
                push(&mut found, text, &chars, start, end);
                (start, at, quotes) = (end, end, 0);
            }
            None => at += 1,
        }
    }
    push(&mut found, text, &chars, start, chars.len());
    found
}

/// Adds the sentence between two places, or adds it to the one before where it has no letter and no digit.
fn push(found: &mut Vec<Span>, text: &str, chars: &[(usize, char)], start: usize, end: usize) {
    let offset = |at: usize| chars.get(at).map_or(text.len(), |&(offset, _)| offset);
    let span = trim(text, Span::new(offset(start), offset(end)));
    if span.is_empty() {
        return;
    }
    let wordless = |span: &Span| !span.of(text).chars().any(char::is_alphanumeric);
    match found.last_mut() {
        Some(last) if wordless(&span) || wordless(last) => last.end = span.end,
        _ => found.push(span),
    }
}

/// Returns a span without white space at either end.
pub(super) fn trim(text: &str, span: Span) -> Span {
    let words = span.of(text);
    let start = span.start + (words.len() - words.trim_start().len());
    Span::new(start, start + words.trim().len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::BlockId;
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).iter().map(|s| s.of(text)).collect()
    }

    #[test]
    fn sentences_end_where_they_end() {
        for (text, wanted) in [
            ("قال الوزير ذلك. وأضاف أن اللجنة ستجتمع.", vec!["قال الوزير ذلك.", "وأضاف أن اللجنة ستجتمع."]),
            ("هل انتهت الأزمة؟ لا! ستستمر…", vec!["هل انتهت الأزمة؟", "لا!", "ستستمر…"]),
            ("قال “انتهى الأمر”. ثم غادر.", vec!["قال “انتهى الأمر”.", "ثم غادر."]),
            ("قال \"انتهى الأمر.\" ثم غادر.", vec!["قال \"انتهى الأمر.\"", "ثم غادر."]),
            ("قال (انتهى الأمر.) ثم غادر.", vec!["قال (انتهى الأمر.)", "ثم غادر."]),
            ("انتهى الاجتماع.وقال الوزير ذلك.", vec!["انتهى الاجتماع.", "وقال الوزير ذلك."]),
            ("أولا، ثانيا؛ ثالثا: رابعا", vec!["أولا، ثانيا؛ ثالثا: رابعا"]),
            ("كلمة . وأخرى .", vec!["كلمة .", "وأخرى ."]),
            ("انتهى عام 2011. بدأ عام 2012.", vec!["انتهى عام 2011.", "بدأ عام 2012."]),
            ("وقع ذلك سنة 2011 م. وبعدها انتهى.", vec!["وقع ذلك سنة 2011 م.", "وبعدها انتهى."]),
            ("سطر\nسطر آخر", vec!["سطر", "سطر آخر"]),
            ("سأل: \"هل انتهى؟\" الوزير لم يجب.", vec!["سأل: \"هل انتهى؟\"", "الوزير لم يجب."]),
            ("وصفه بأنه \"خطأ فادح!\" ودعا إلى غيره.", vec!["وصفه بأنه \"خطأ فادح!\"", "ودعا إلى غيره."]),
            ("نقلت ذلك د ب أ. ونفت الوزارة.", vec!["نقلت ذلك د ب أ.", "ونفت الوزارة."]),
        ] {
            assert_eq!(cut(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_end_cuts_nothing() {
        for text in [
            "التقى د. محمد العلي الوزير",
            "أكد أ.د. سالم أحمد ذلك",
            "قال أحمد ز. أمين إن الأمر انتهى",
            "في ص. 12 من التقرير",
            "بلغت النسبة 3.5 في المئة",
            "عند الساعة 07.50 ت.غ من أمس",
            "في 21.04.2021 بالعاصمة",
            "على موقع www.example.com أمس",
            "قال \"مجموعة كبيرة من الناس... عرفوا عن أنفسهم\" أمس",
            "وصف ذلك بالإنجاز (!) أمام الصحفيين",
            "سأل \"لماذا؟\"، ثم غادر",
            "عرض فيلم \"أين الطريق؟\" للمخرج علي سالم",
            "كتابه «لماذا تأخر المسلمون؟» صدر عام 1940",
            "أعلنت شركة \"ياهو!\" الأميركية ذلك",
            "قال الوزير (ضاحكا...) إنه لن يستقيل",
            "قال المتهم (أ. ب.) إنه بريء",
            "قال Dr. Smith ذلك",
            "قال John F. Kennedy ذلك",
            "1. البند الأول من الاتفاق",
        ] {
            assert_eq!(cut(text), [text]);
        }
    }

    #[test]
    fn a_mark_alone_stays_with_its_sentence() {
        assert_eq!(cut("انتهى. ... !"), ["انتهى. ... !"]);
        assert_eq!(cut("... انتهى."), ["... انتهى."]);
    }

    #[test]
    fn headings_are_one_segment_and_ids_run_on() {
        let text = "عنوان أول. وثان\n\nجملة. جملة ثانية.";
        let end = text.find("\n\n").unwrap();
        let block = |id, kind, start, end| Block {
            id: BlockId(id),
            kind,
            span: Span::new(start, end),
            language: Default::default(),
            time: None,
        };
        let blocks = [block(0, BlockKind::Title, 0, end), block(1, BlockKind::Paragraph, end + 2, text.len())];
        let found = segments(text, &blocks, &SegmentOptions::default());
        let words: Vec<&str> = found.iter().map(|s| s.span.of(text)).collect();
        assert_eq!(words, ["عنوان أول. وثان", "جملة.", "جملة ثانية."]);
        assert_eq!(found.iter().map(|s| (s.id.0, s.block.0)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 1)]);
    }

    const ARABICISH: &str = "[ابتمنيدوفأ ،؛:.!؟…\"“”«»()ـ0-9a-zA-Z\\n-]{0,120}";

    proptest! {
        #[test]
        fn segments_cover_every_word_in_order(text in prop_oneof![ARABICISH, "\\PC{0,80}"], budget in 1usize..40) {
            let (kind, span) = (BlockKind::Paragraph, Span::new(0, text.len()));
            let block = Block { id: BlockId(0), kind, span, language: Default::default(), time: None };
            for budget in [None, Some(budget)] {
                let options = SegmentOptions { budget, ..SegmentOptions::default() };
                let found = segments(&text, std::slice::from_ref(&block), &options);
                let mut at = 0;
                for segment in &found {
                    prop_assert!(segment.span.start >= at && !segment.span.is_empty());
                    prop_assert!(text[at..segment.span.start].trim().is_empty(), "words lost before {:?}", segment.span);
                    let words = segment.span.of(&text);
                    prop_assert_eq!(words.trim(), words);
                    at = segment.span.end;
                }
                prop_assert!(text[at..].trim().is_empty(), "words lost at the end");
            }
        }

        #[test]
        fn a_sentence_is_one_sentence(text in ARABICISH) {
            for sentence in sentences(&text) {
                let words = sentence.of(&text);
                prop_assert_eq!(cut(words), vec![words]);
            }
        }
    }
}

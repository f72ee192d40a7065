//! Blocks are cut into segments: sentences, and parts of sentences that are too long for a model.
//!
//! In: the extracted text, its blocks, and a count of tokens. Out: [`Segment`]s in order that cover every block's words.
//! A sentence ends at `.` `!` `?` `؟` `…` with the quotation marks and brackets that close there; `،` and `:` end none.
//! What is no end: initials and titles (د. , أ. م.), figures, times, addresses, `(؟)`, `..` between two halves, dots of
//! suspension within a quotation or a line that has no stop (a headline, a verse), and stops within brackets or a short
//! quotation that the sentence around it goes on after. Cutting a long sentence at its clauses is [`super::clause`]'s. Titles, captions and headings stay whole.
//! Decisions look back no further than the sentence's own start, so that segmenting a segment again changes nothing.

use super::clause;
use super::{Block, BlockKind, CELLS, Segment, SegmentId};
use crate::arabic::letters::{digit, is_arabic_letter};
use crate::span::Span;

/// Latin abbreviations after which a sentence goes on, in lower case without the stop.
const LATIN_ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "inc", "ltd", "co", "corp", "gen", "col", "lt", "sen", "rep",
    "gov", "jr", "sr", "fig", "vol", "pp", "ed", "eg", "ie", "cf", "al", "jan", "feb", "mar", "apr", "jun", "jul",
    "aug", "sep", "sept", "oct", "nov", "dec", "mme", "mlle",
];

/// Arabic abbreviations of more than one letter after which a sentence goes on, without the stop.
const ARABIC_ABBREVIATIONS: &[&str] = &["تحـ", "تح", "مج", "ط", "هاتف", "ت"];

/// Words that go on with a sentence rather than open one: after "إلخ." or a closing mark the sentence has not ended.
const GOING_ON: &[&str] =
    &["من", "في", "على", "عن", "إلى", "الى", "مع", "التي", "الذي", "الذين", "بين", "عند", "خلال", "ضمن", "داخل"];

/// Verbs that name the speaker behind a quotation: «هل انتهى؟» سأل أحدهم.
const SPEAKING: &[&str] = &[
    "قال",
    "قالت",
    "يقول",
    "تقول",
    "سأل",
    "سألت",
    "يسأل",
    "تساءل",
    "تساءلت",
    "هتف",
    "هتفت",
    "صاح",
    "صاحت",
    "صرخ",
    "صرخت",
    "رد",
    "ردت",
    "أجاب",
    "أجابت",
];

/// A stop within brackets or a quotation is looked past for so many characters at most: longer ones are texts of their own.
const INNER_REACH: usize = 160;
/// A line without a stop is a headline or a verse up to so many characters.
const LINE_REACH: usize = 160;

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

fn is_terminal(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '؟' | '…' | '۔')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '”' | '“' | '’' | '\'' | '»' | '›' | ')' | ']' | '}')
}

/// Returns how many quotations and brackets are open after the character at `at`. Straight marks open where a word
/// follows them directly and none, or a one-letter prefix with tatweel, stands before.
pub(super) fn depth(chars: &[(usize, char)], start: usize, at: usize, open: usize) -> usize {
    let before = if at > start { Some(chars[at - 1].1) } else { None };
    let after = chars.get(at + 1).map(|&(_, c)| c);
    match chars[at].1 {
        '«' | '“' | '(' | '[' if after.is_some_and(|c| !c.is_whitespace()) => open + 1,
        '»' | '”' | ')' | ']' => open.saturating_sub(1),
        '"' => {
            let opens = before.is_none_or(|c| c.is_whitespace() || matches!(c, 'ـ' | '(' | ':' | '[' | '،'))
                && after.is_some_and(|c| !c.is_whitespace());
            if opens { open + 1 } else { open.saturating_sub(1) }
        }
        _ => open,
    }
}

/// Returns where the sentence ends if the terminal at `at` ends it: one past its last character.
fn boundary(chars: &[(usize, char)], start: usize, at: usize, quotes: usize) -> Option<usize> {
    let char_at = |i: usize| chars.get(i).map(|&(_, c)| c);
    let mut end = at + 1;
    while char_at(end).is_some_and(is_terminal) {
        end += 1;
    }
    let run = end - at;
    let plain = chars[at].1 == '.' && run == 1;
    let suspension = chars[at].1 == '…' || (chars[at].1 == '.' && run > 1);
    // A run is judged once, at its first character.
    if at > start && is_terminal(chars[at - 1].1) {
        return None;
    }
    let mut closed = 0;
    while char_at(end).is_some_and(is_closer) {
        // A quotation mark that opens the next word belongs to that word.
        if matches!(char_at(end), Some('"' | '“' | '\'')) && char_at(end + 1).is_some_and(char::is_alphanumeric) {
            break;
        }
        end += 1;
        closed += 1;
    }
    if char_at(end).is_none() {
        return Some(end);
    }
    let mut next = end;
    while char_at(next).is_some_and(|c| c.is_whitespace() && c != '\n') {
        next += 1;
    }
    let spaced = next > end || char_at(end) == Some('\n');
    let Some(after) = char_at(next) else { return Some(end) };
    // "(؟)" is a remark on the word before, "[...]" stands for words left out: no ends.
    if closed > 0 && at > start && matches!(chars[at - 1].1, '(' | '[') {
        return None;
    }
    // What goes on with a comma, a closing mark or a small letter has not ended.
    if matches!(after, '،' | ',' | '؛' | ';' | ':' | ')' | ']' | '»') || after.is_lowercase() {
        return None;
    }
    if suspension && quotes > 0 && closed == 0 {
        return None;
    }
    // Two dots join two halves of a sentence as a dash does; three end a sentence unless the line has no other stop.
    if suspension && closed == 0 && (run == 2 || is_line_without_stop(chars, start, end)) {
        return None;
    }
    let word = next_word(chars, next);
    if closed > 0 && (goes_on(&word) || (!plain && SPEAKING.contains(&word.as_str()))) {
        return None;
    }
    if quotes > 0 && closed == 0 && ends_within(chars, start, end) {
        return None;
    }
    if plain && closed == 0 && is_abbreviation(chars, start, at, next) {
        return None;
    }
    if !spaced {
        return glued(chars, start, at, end, closed).then_some(end);
    }
    Some(end)
}

/// Returns the letters of the word at a place.
fn next_word(chars: &[(usize, char)], at: usize) -> String {
    chars[at..].iter().take(12).map(|&(_, c)| c).take_while(|&c| is_arabic_letter(c)).collect()
}

/// Returns whether a word goes on with the sentence before it.
fn goes_on(word: &str) -> bool {
    GOING_ON.contains(&word) || (word.starts_with('ب') && word.chars().count() >= 5)
}

/// Returns whether a short line has no stop behind a place but dots of suspension: a headline, a verse.
fn is_line_without_stop(chars: &[(usize, char)], start: usize, at: usize) -> bool {
    for i in at..=start + LINE_REACH {
        let Some(&(_, c)) = chars.get(i).filter(|(_, c)| *c != '\n') else { return true };
        let after = chars.get(i + 1).map(|&(_, c)| c);
        let single = c == '.' && !matches!(chars[i - 1].1, '.' | '…') && after != Some('.');
        if matches!(c, '!' | '?' | '؟' | '۔') || (single && after.is_none_or(|c| c.is_whitespace() || is_closer(c))) {
            return false;
        }
    }
    false
}

/// Returns whether the bracket or quotation that a stop is within closes soon and the sentence around it goes on.
fn ends_within(chars: &[(usize, char)], start: usize, at: usize) -> bool {
    let opener = chars[start.max(at.saturating_sub(INNER_REACH))..at].iter().rev().map(|&(_, c)| c);
    let bracket = matches!(opener.into_iter().find(|c| matches!(c, '(' | '[' | '«' | '“' | '"')), Some('(' | '['));
    let mut open = 1usize;
    for i in at..chars.len().min(at + INNER_REACH) {
        if chars[i].1 == '\n' {
            return false;
        }
        open = depth(chars, start, i, open);
        if open > 0 {
            continue;
        }
        let mut rest = chars[i + 1..].iter().map(|&(_, c)| c).skip_while(|&c| c.is_whitespace() && c != '\n');
        let Some(after) = rest.next().filter(|&c| c != '\n') else { return false };
        let goes_on = if bracket { !is_terminal(after) } else { after.is_alphabetic() || matches!(after, '،' | ',') };
        return goes_on && !is_terminal(chars[i - 1].1);
    }
    false
}

/// Returns whether a terminal without a space after it ends a sentence: "انتهى.وقال", but not "ت.غ" or "3.5".
fn glued(chars: &[(usize, char)], start: usize, at: usize, end: usize, closed: usize) -> bool {
    let letters = |mut i: usize, back: bool| {
        let mut count = 0;
        while let Some(&(_, c)) = chars.get(i) {
            if !is_arabic_letter(c) || count > 2 || (back && i < start) {
                break;
            }
            count += 1;
            if back {
                let Some(previous) = i.checked_sub(1) else { break };
                i = previous;
            } else {
                i += 1;
            }
        }
        count
    };
    let before = at > start && letters(at - 1, true) > 2;
    (before || closed > 0) && letters(end, false) > 1
}

/// Returns whether the stop at `at` is part of an abbreviation, a figure or a list number, `next` being the place of the
/// next character that is not white space.
fn is_abbreviation(chars: &[(usize, char)], start: usize, at: usize, next: usize) -> bool {
    let after = chars.get(next).map_or(' ', |&(_, c)| c);
    let mut first = at;
    while first > start {
        let c = chars[first - 1].1;
        if !(c.is_alphanumeric() || c == '.' || c == 'ـ' || crate::arabic::letters::is_diacritic(c)) {
            break;
        }
        first -= 1;
    }
    if first == at {
        return false;
    }
    let word: String = chars[first..at].iter().map(|&(_, c)| c).collect();
    let opens_sentence = chars[start..first].iter().all(|&(_, c)| c.is_whitespace());
    if word.chars().all(|c| digit(c).is_some()) {
        // "1. " numbers a point where the sentence starts with it; "3.5" is a figure.
        let glued = chars.get(at + 1).is_some_and(|&(_, c)| digit(c).is_some());
        return glued || (opens_sentence && word.chars().count() <= 2);
    }
    let last: Vec<char> = word.rsplit('.').next().unwrap_or_default().chars().filter(|&c| c != 'ـ').collect();
    let initials = word.contains('.');
    match last.as_slice() {
        [] => false,
        // "عام 2011 م." closes a year; "أحمد ز. أمين" goes on.
        [one] if is_arabic_letter(*one) => {
            let after_figure = chars[start..first].iter().rev().map(|&(_, c)| c).find(|c| !c.is_whitespace());
            if after_figure.is_some_and(|c| digit(c).is_some()) && !initials {
                return goes_on(&next_word(chars, next));
            }
            // "07:50 ت.غ. وقال": the next sentence starts with its conjunction; titles come before names.
            let title = word.starts_with('أ') || word.starts_with('م') || word.starts_with('د');
            !initials || title || after != 'و'
        }
        [one] if one.is_alphabetic() => one.is_uppercase() || initials,
        // A title with its conjunction: "وم. سعاد".
        ['و', 'د' | 'م' | 'أ'] => true,
        ['إ' | 'ا', 'ل', 'خ'] => goes_on(&next_word(chars, next)),
        _ => {
            let word = word.to_lowercase();
            LATIN_ABBREVIATIONS.contains(&word.as_str()) || ARABIC_ABBREVIATIONS.contains(&word.as_str())
        }
    }
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

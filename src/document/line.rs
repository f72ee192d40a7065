//! A line of a saved page with what the rules ask of it.
//!
//! In: cleaned text. Out: [`Line`]s without those that are blank. What a line is in the article is decided elsewhere.

pub(super) mod wrap;

use crate::arabic::letters;

/// Lines longer than this many bytes are paragraphs whatever they say: no rule for short lines reads them.
const MAX_SHORT: usize = 400;

/// What a format itself says of a line: its place in a hierarchy of headings, a list, a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Hint {
    /// The title of the document.
    Title,
    /// A heading within it.
    Heading,
    /// A paragraph.
    Paragraph,
    /// A point of a list, without its bullet.
    ListItem,
    /// The cells of a row of a table, joined by ` | `.
    TableRow,
    /// Words of somebody else, set apart.
    Quote,
    /// The words under a picture.
    Caption,
    /// The lines between the headline and the text that sum it up.
    Standfirst,
    /// A sentence of the article set apart.
    PullQuote,
    /// A point of the publisher's own summary.
    Summary,
    /// Beside the text: who, when, where from; in no case a part of it.
    Credit,
    /// A part of the credit line before it.
    Piece,
    /// Something of the site's own.
    Furniture,
}

/// A line that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The words, without white space at either end.
    pub text: String,
    /// The words as they are compared: letters and figures only, folded, one space between two words. Empty for lines
    /// that are too long for any rule to compare.
    pub key: String,
    /// How many words there are.
    pub words: usize,
    /// Whether a blank line stands before it.
    pub after_blank: bool,
    /// What the format says of it; none in plain text.
    pub hint: Option<Hint>,
    /// Whether the format says that it stands in the article's text and not beside it. Where it does so of one line, it
    /// does of all.
    pub body: bool,
    /// Whether it is a link to elsewhere, and hardly anything else.
    pub linked: bool,
    /// When the entry of a running report that it opens was written.
    pub time: Option<String>,
}

impl Line {
    /// Makes a line of its words.
    pub fn new(text: &str, after_blank: bool) -> Self {
        let text = text.trim();
        let key = if text.len() > MAX_SHORT { String::new() } else { key(text) };
        Self {
            text: text.to_owned(),
            key,
            words: text.split_whitespace().count(),
            after_blank,
            hint: None,
            body: false,
            linked: false,
            time: None,
        }
    }

    /// Makes a line of which its format says something; a blank line stands before it.
    pub fn hinted(text: &str, hint: Hint) -> Self {
        Self { hint: Some(hint), ..Self::new(text, true) }
    }

    /// Returns whether the line ends as a sentence does: with a stop, quotation marks and brackets after it allowed.
    pub fn is_closed(&self) -> bool {
        let end = self.text.trim_end_matches(['"', '”', '“', '»', '\'', '’', ')', ']', ' ']);
        end.ends_with(['.', '!', '?', '؟', '۔'])
    }

    /// Returns whether the line ends with a full stop.
    pub fn has_stop(&self) -> bool {
        let end = self.text.trim_end_matches(['"', '”', '“', '»', '\'', '’', ')', ']', ' ']);
        end.ends_with(['.', '۔']) && !end.ends_with("..")
    }

    /// Returns whether the line breaks off with dots, as an excerpt in a list of links does.
    pub fn is_cut_off(&self) -> bool {
        self.text.ends_with('…') || self.text.ends_with("..") || self.text.ends_with("[…]")
    }

    /// Returns whether the line can only be running text: a sentence of twelve words or more, or thirty words.
    pub fn is_prose(&self) -> bool {
        (self.words >= 12 && self.has_stop()) || (self.words >= 30 && !self.is_cut_off())
    }

    /// Returns whether the line has a letter of any script.
    pub fn has_letter(&self) -> bool {
        self.text.chars().any(char::is_alphabetic)
    }

    /// Returns the words after a bullet or a dash that opens the line.
    pub fn bullet(&self) -> Option<&str> {
        let rest =
            self.text.strip_prefix(['-', '–', '—', '•', '*', '●', '▪', '■', '◾', '◆', '·', '‣', '✓', '►', '▶'])?;
        let rest = rest.trim_start();
        (!rest.is_empty() && rest.chars().any(char::is_alphabetic)).then_some(rest)
    }
}

/// Returns the words of a text as they are compared.
pub(super) fn key(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in letters::key(text).chars() {
        // Arabic letters have no case: most characters need no look at the tables of Unicode.
        if letters::is_arabic_letter(c) {
            out.push(c);
        } else if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') && !out.is_empty() {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns a key with every figure replaced by `#`.
pub(super) fn without_figures(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        if !c.is_numeric() {
            out.push(c);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out.replace("# #", "#")
}

/// Cuts cleaned text into lines.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut blank = true;
    for raw in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        if raw.trim().is_empty() {
            // A carriage return before a line feed makes no blank line of its own: see `tests`.
            blank = true;
        } else {
            found.push(Line::new(raw, blank));
            blank = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_known_whatever_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["أ", "ب", "", "ج"].join(end).replace("\r\n", "\n");
            let blanks: Vec<bool> = lines(&text).iter().map(|l| l.after_blank).collect();
            assert_eq!(blanks, [true, false, true], "{end:?}");
        }
    }

    #[test]
    fn what_a_format_says_goes_before_what_a_line_looks_like() {
        use super::super::{BlockKind, Declared, page};
        let body = "قالت وزارة التخطيط يوم الاثنين إنها وقعت اتفاقا لتمويل مشروع تحلية المياه في المدينة.";
        let lines = [
            Line::hinted("اتفاق لتمويل مشروع المياه", Hint::Title),
            Line::hinted(body, Hint::Paragraph),
            Line::hinted("تفاصيل المشروع", Hint::Heading),
            Line::hinted("السعة مليون متر مكعب في السنة.", Hint::ListItem),
            Line::hinted("السنة | الكلفة", Hint::TableRow),
            Line::hinted("هذا المشروع أولوية وطنية ولن نتأخر.", Hint::Quote),
        ];
        let kinds: Vec<BlockKind> =
            page::extract(&lines, &Declared::default()).blocks.into_iter().map(|(kind, _)| kind).collect();
        use BlockKind::{ListItem, Paragraph, Quote, Subheading, TableRow, Title};
        assert_eq!(kinds, [Title, Paragraph, Subheading, ListItem, TableRow, Quote]);
    }

    #[test]
    fn shapes_of_lines() {
        assert!(Line::new("قال \"نعم.\"", false).is_closed());
        assert!(Line::new("ترأس الممثل الخاص أول …", false).is_cut_off());
        assert_eq!(Line::new("- التعاون: اتفقت", false).bullet(), Some("التعاون: اتفقت"));
        assert_eq!(Line::new("---", false).bullet(), None);
        assert_eq!(key("«إقرأ أيضاً»: الحُكومة ـ ٢٥"), "اقرا ايضا الحكومه 25");
        assert_eq!(without_figures("1 234 مشاهده"), "# مشاهده");
    }
}

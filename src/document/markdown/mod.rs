//! The reader of Markdown, with a head of facts in YAML or TOML or without one.
//!
//! In: the bytes. Out: a [`Document`]. The marks are pulldown-cmark's to find (CommonMark with tables, footnotes and struck
//! words), the head is `front`'s. Links are their words, pictures their captions, HTML tags and code stay out; but what is
//! indented like code and says Arabic words is a paragraph. Source: CommonMark 0.31.2, GitHub Flavored Markdown 0.29.

mod front;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::flow::{Flow, Mark};
use super::package::foreign;
use super::{Declared, Document, Error, ReadOptions, Reader, Sheet};
use crate::arabic::letters::is_arabic_letter;
use crate::source::{Kind, SourceFile, encoding};

/// How many marks of a quote or a list may open a line: each costs time on every line within it.
const MAX_DEPTH: usize = 100;

/// Reads Markdown.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarkdownReader;

impl Reader for MarkdownReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Markdown]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        if let Some(fault) = foreign(&file.bytes) {
            return Err(Error::faulty(file, "Markdown (.md)", fault));
        }
        let decoded = encoding::decode(&file.bytes, options.encoding, None)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        let mut sheet = sheet(&decoded.text, options);
        sheet.encoding = decoded.encoding.to_owned();
        sheet.warnings.splice(0..0, decoded.warnings);
        Document::of_sheet(sheet, &file.path, options)
    }
}

fn sheet(text: &str, options: &ReadOptions<'_>) -> Sheet {
    let front = front::split(text);
    let mut warnings: Vec<String> = front.warning.into_iter().map(str::to_owned).collect();
    let (body, deep) = shallow(front.body);
    if deep {
        warnings.push(format!("quotes or lists nest more than {MAX_DEPTH} deep; marks beyond are left out"));
    }
    let marks =
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader = Markdown::new(options);
    for event in Parser::new_ext(&body, marks) {
        reader.take(event);
    }
    let declared: Declared = front.declared;
    // The words of a head are the author's: they are the title though no line repeats them.
    let lines = reader.flow.lines(declared.title.as_deref(), true);
    Sheet { lines, declared, encoding: String::new(), warnings }
}

/// Takes marks of quotes and lists beyond a depth off the starts of lines, and says whether there were any.
fn shallow(text: &str) -> (std::borrow::Cow<'_, str>, bool) {
    let start = |line: &str| {
        let mut marks = 0;
        line.char_indices().find_map(|(at, c)| match c {
            '>' | '-' | '*' | '+' if marks >= MAX_DEPTH => Some(at),
            '>' | '-' | '*' | '+' => {
                marks += 1;
                None
            }
            // Blanks beyond any indentation nest lists as well.
            ' ' | '\t' if at > 4 * MAX_DEPTH => Some(at),
            ' ' | '\t' => None,
            _ => Some(usize::MAX),
        })
    };
    let is_deep = |line: &str| start(line).is_some_and(|at| at != usize::MAX);
    if !text.lines().any(is_deep) {
        return (text.into(), false);
    }
    let lines: Vec<&str> = text
        .lines()
        .map(|line| if is_deep(line) { line.trim_start_matches(['>', '-', '*', '+', ' ', '\t']) } else { line })
        .collect();
    (lines.join("\n").into(), true)
}

/// Reads the events of a text.
struct Markdown<'r> {
    flow: Flow<'r>,
    quotes: usize,
    items: usize,
    /// Facts that stay out.
    skipped: usize,
    /// The code that is open.
    code: Option<String>,
    notes: usize,
    /// The words under the picture that is open, and whether the paragraph holds anything else.
    picture: Option<String>,
    captions: Vec<String>,
    /// Whether a comment of HTML is open.
    comment: bool,
}

impl<'r> Markdown<'r> {
    fn new(options: &'r ReadOptions<'_>) -> Self {
        Self {
            flow: Flow::new(options.rules()),
            quotes: 0,
            items: 0,
            skipped: 0,
            code: None,
            notes: 0,
            picture: None,
            captions: Vec::new(),
            comment: false,
        }
    }

    fn mark(&self) -> Mark {
        if self.items > 0 {
            Mark::ListItem
        } else if self.quotes > 0 {
            Mark::Quote
        } else {
            Mark::Plain
        }
    }

    fn end(&mut self, mark: Mark) {
        if self.notes > 0 {
            self.flow.end_note();
        } else {
            self.flow.end(mark);
        }
        for caption in std::mem::take(&mut self.captions) {
            self.flow.words(&caption);
            self.flow.end(Mark::Caption);
        }
    }

    fn words(&mut self, words: &str) {
        if self.skipped > 0 {
            return;
        }
        if let Some(code) = &mut self.code {
            code.push_str(words);
            return;
        }
        match &mut self.picture {
            Some(caption) => caption.push_str(words),
            None => self.flow.words(words),
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(tag) => self.close(tag),
            Event::Text(words) | Event::Code(words) => self.words(&words),
            Event::SoftBreak => self.words(" "),
            Event::HardBreak if self.picture.is_none() && self.skipped == 0 => self.flow.line_break(),
            Event::InlineHtml(tag) | Event::Html(tag) => self.html(&tag),
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) => self.quotes += 1,
            // Words before a list within an item are an item of their own.
            Tag::List(_) => self.end(self.mark()),
            Tag::Item => self.items += 1,
            Tag::CodeBlock(_) => {
                self.end(self.mark());
                self.code = Some(String::new());
            }
            Tag::MetadataBlock(_) => {
                self.end(self.mark());
                self.skipped += 1;
            }
            Tag::FootnoteDefinition(_) => self.notes += 1,
            Tag::Image { .. } => self.picture = Some(String::new()),
            Tag::Table(_) => self.flow.open_table(),
            Tag::TableHead | Tag::TableRow => self.flow.open_row(),
            Tag::TableCell => self.flow.open_cell(),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.end(self.mark()),
            TagEnd::Heading(level) => self.end(Mark::Heading(level as u8)),
            TagEnd::BlockQuote(_) => {
                self.end(self.mark());
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::Item => {
                self.end(self.mark());
                self.items = self.items.saturating_sub(1);
            }
            TagEnd::CodeBlock => self.code(),
            TagEnd::MetadataBlock(_) => self.skipped = self.skipped.saturating_sub(1),
            TagEnd::FootnoteDefinition => {
                self.end(Mark::Plain);
                self.notes = self.notes.saturating_sub(1);
            }
            TagEnd::Image => self.captions.extend(self.picture.take()),
            TagEnd::Table => self.flow.close_table(),
            _ => {}
        }
    }

    /// Code: programs are no text, but who indents a paragraph as on paper makes it code for Markdown, and its words are the
    /// author's.
    fn code(&mut self) {
        let Some(code) = self.code.take() else { return };
        let mut letters = (0usize, 0usize);
        for c in code.chars().filter(|c| c.is_alphabetic()) {
            if is_arabic_letter(c) { letters.0 += 1 } else { letters.1 += 1 }
        }
        if letters.0 <= letters.1 {
            return;
        }
        for line in code.lines() {
            if line.trim().is_empty() {
                self.end(self.mark());
            } else {
                self.flow.words(line);
                self.flow.line_break();
            }
        }
        self.end(self.mark());
    }

    /// HTML within Markdown: its words, without tags and comments.
    fn html(&mut self, html: &str) {
        let mut rest = html;
        while !rest.is_empty() {
            if self.comment {
                let Some(end) = rest.find("-->") else { return };
                self.comment = false;
                rest = &rest[end + 3..];
            } else if let Some(after) = rest.strip_prefix("<!--") {
                self.comment = true;
                rest = after;
            } else if rest.starts_with('<') {
                let end = rest.find('>').map_or(rest.len(), |end| end + 1);
                let name = rest[1..end].trim_start_matches('/').to_ascii_lowercase();
                if ["br", "p", "div", "li", "tr", "h"].iter().any(|tag| name.starts_with(tag)) && self.picture.is_none()
                {
                    self.flow.line_break();
                }
                rest = &rest[end..];
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                self.words(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::BlockKind;

    fn read(text: &str) -> Document {
        let file = SourceFile::from_bytes(Path::new("a.md"), Kind::Markdown, text.as_bytes().to_vec()).unwrap();
        MarkdownReader.read(&file, &ReadOptions::default()).unwrap()
    }

    fn blocks(document: &Document) -> Vec<(BlockKind, &str)> {
        document.blocks.iter().map(|block| (block.kind, document.block_text(block))).collect()
    }

    const SENTENCE: &str = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة كبيرة.";

    #[test]
    fn marks_become_kinds_and_leave_no_trace() {
        let document = read(&format!(
            "عنوان المقال عن المشروع\n=====\n\n{SENTENCE}[^1]\n\n## ما بعد المشروع\n\nقالت **الوزا**رة إن [العمل](http://x)\nسيبدأ قريباً في ثلاث مدن:\n\n\
             1. نقطة أولى\n   - نقطة في نقطة\n2. نقطة ثانية\n\n> ننتظر منذ سبع سنوات.\n\n```\ncode\n```\n<!-- تعليق -->\n\n| أ | ب |\n|--|--|\n| ج | د |\n\n\
             ولم تقل الوزارة إن <b>أشياء</b> كثيرة تغيرت منذ السنة الماضية في كل المدن.\n\n[^1]: ملاحظة عن الأرقام التي نشرتها الوزارة في بداية السنة الماضية.\n"
        ));
        assert_eq!(
            blocks(&document),
            [
                (BlockKind::Title, "عنوان المقال عن المشروع"),
                (BlockKind::Paragraph, SENTENCE),
                (BlockKind::Subheading, "ما بعد المشروع"),
                (BlockKind::Paragraph, "قالت الوزارة إن العمل سيبدأ قريباً في ثلاث مدن:"),
                (BlockKind::ListItem, "نقطة أولى"),
                (BlockKind::ListItem, "نقطة في نقطة"),
                (BlockKind::ListItem, "نقطة ثانية"),
                (BlockKind::Quote, "ننتظر منذ سبع سنوات."),
                (BlockKind::TableRow, "أ | ب"),
                (BlockKind::TableRow, "ج | د"),
                (BlockKind::Paragraph, "ولم تقل الوزارة إن أشياء كثيرة تغيرت منذ السنة الماضية في كل المدن."),
                (BlockKind::Paragraph, "ملاحظة عن الأرقام التي نشرتها الوزارة في بداية السنة الماضية."),
            ]
        );
    }

    #[test]
    fn arabic_words_that_are_indented_are_no_code() {
        let second = "وقالت إن العمل سيبدأ قريباً في ثلاث مدن من مدن الساحل.";
        let third = "ولم تقل إن أشياء كثيرة تغيرت منذ السنة الماضية في كل الأحياء القديمة.";
        let document = read(&format!(
            "# عنوان المقال عن المشروع\n\n    {SENTENCE}\n\n    {second}\n\nنص.\n\n```\n{third}\n```\n\n```rust\nlet x = 1; // نعم\n```\n"
        ));
        let paragraphs: Vec<&str> = document.texts_of(BlockKind::Paragraph).collect();
        assert_eq!(paragraphs[..2], [SENTENCE, second]);
        assert!(document.text.contains(third) && !document.text.contains("let x"));
    }

    #[test]
    fn a_head_of_facts_is_no_text() {
        let document =
            read(&format!("---\ntitle: عنوان المقال\nauthor: نادية بوعلام\n---\n{SENTENCE}\n\n{SENTENCE} نعم.\n"));
        assert_eq!(document.title(), Some("عنوان المقال"));
        assert_eq!(document.meta.byline.as_deref(), Some("نادية بوعلام"));
    }

    #[test]
    fn depth_costs_no_time() {
        let text = format!("# خبر\n\n{}\n\n{}\n\n{SENTENCE}\n", ">".repeat(50_000), "- ".repeat(50_000));
        let started = std::time::Instant::now();
        let document = read(&text);
        assert!(started.elapsed().as_secs() < 5);
        assert!(document.text.contains(SENTENCE) && !document.warnings.is_empty());
    }
}

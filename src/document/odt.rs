//! The reader of OpenDocument text (`.odt`, also as one flat XML file): paragraphs, headings, lists, tables, notes.
//!
//! In: the bytes of the package. Out: a [`Document`]. Headers and footers stand with the page styles, which are not read;
//! comments, deleted text and hidden text stay out; notes come after the body. Counts of repetition are not followed: blanks
//! are one blank, repeated rows one row. Source: OpenDocument 1.3 part 3.

use std::collections::BTreeMap;

use super::docx::{Part, named};
use super::flow::{Flow, Mark};
use super::package::{Package, foreign};
use super::xml::{self, Element, Event};
use super::{Declared, Document, Error, Fault, ReadOptions, Reader, Sheet, credit};
use crate::source::{Kind, SourceFile};

/// The most styles that are kept.
const MAX_STYLES: usize = 20_000;

/// How far styles are followed through their parents.
const MAX_CHAIN: usize = 12;

/// Reads OpenDocument text.
#[derive(Debug, Clone, Copy, Default)]
pub struct OdtReader;

impl Reader for OdtReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Odt]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let sheet =
            sheet(&file.bytes, options).map_err(|fault| Error::faulty(file, "an OpenDocument text (.odt)", fault))?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

fn sheet(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Sheet, Fault> {
    let mut content = Content::new(Flow::new(options.rules()));
    let mut facts = Facts::default();
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1000)]).into_owned();
    if head.contains("<office:document") {
        // One flat file (.fodt).
        read(&xml::decode(bytes), "the document", &mut facts, &mut content)?;
    } else {
        if let Some(fault) = (!bytes.starts_with(b"PK")).then(|| foreign(bytes)).flatten() {
            return Err(fault);
        }
        let mut package = Package::open(bytes)?;
        if let Some(kind) = package.part("mimetype")? {
            check_kind(&String::from_utf8_lossy(&kind))?;
        }
        if !package.has("content.xml") && package.has("word/document.xml") {
            return Err(Fault::Other { what: "a Word document (.docx)" });
        }
        let text = xml::decode(&package.required("content.xml")?);
        // The common styles first: those of the text rest on them.
        for part in ["styles.xml", "meta.xml"] {
            if let Some(bytes) = package.part(part)? {
                read(&xml::decode(&bytes), part, &mut facts, &mut content)?;
            }
        }
        read(&text, "content.xml", &mut facts, &mut content)?;
    }
    if !content.found {
        return Err(Fault::damaged("there is no text body in its content"));
    }
    let flow = content.flow;
    // The author of a document is who typed it, which the text itself must say of the article.
    let byline = facts.creator.filter(|name| credit::is_name(name) && flow.says(name));
    let lines = flow.lines(facts.title.as_deref(), false);
    let declared = Declared { byline, ..Declared::default() };
    Ok(Sheet { lines, declared, encoding: "UTF-8".to_owned(), warnings: Vec::new() })
}

fn check_kind(kind: &str) -> Result<(), Fault> {
    let what = match kind.trim().trim_start_matches("application/") {
        "epub+zip" => "an electronic book (.epub)",
        kind if kind.contains("spreadsheet") => "a spreadsheet (.ods), not a text",
        kind if kind.contains("presentation") => "a presentation (.odp), not a text",
        _ => return Ok(()),
    };
    Err(Fault::Other { what })
}

fn read(text: &str, name: &str, facts: &mut Facts, content: &mut Content<'_>) -> Result<(), Fault> {
    xml::read(text, name, |event| {
        facts.take(&event);
        content.take(event);
    })
}

/// What the properties say.
#[derive(Default)]
struct Facts {
    title: Option<String>,
    creator: Option<String>,
    /// Whether we are in the properties, and in which.
    within: bool,
    open: String,
}

impl Facts {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Open(element) if element.name == "meta" => self.within = true,
            Event::Open(element) if self.within => self.open.clone_from(&element.name),
            Event::Close(name) if name == "meta" => self.within = false,
            Event::Close(_) => self.open.clear(),
            Event::Text(words) if self.within => match self.open.as_str() {
                "title" => self.title.get_or_insert_default().push_str(words),
                // Who wrote it first goes before who saved it last.
                "initial-creator" => self.creator = Some(words.clone()),
                "creator" => {
                    self.creator.get_or_insert_with(|| words.clone());
                }
                _ => {}
            },
            _ => {}
        }
    }
}

#[derive(Default)]
struct Style {
    parent: Option<String>,
    shown: String,
    hidden: bool,
    outline: Option<u8>,
}

/// Reads the body.
struct Content<'r> {
    flow: Flow<'r>,
    styles: BTreeMap<String, Style>,
    style: Option<String>,
    found: bool,
    /// Whether we are in the text: words elsewhere are names of fonts, scripts, forms.
    in_text: bool,
    skipped: usize,
    /// Elements that hold words: paragraphs, headings and what is in them.
    paragraphs: Vec<Mark>,
    lists: usize,
    /// What was open where a note, a frame or a text box began.
    aside: Vec<(Vec<Mark>, usize, String)>,
    notes: usize,
    boxes: usize,
}

impl<'r> Content<'r> {
    fn new(flow: Flow<'r>) -> Self {
        Self {
            flow,
            styles: BTreeMap::new(),
            style: None,
            found: false,
            in_text: false,
            skipped: 0,
            paragraphs: Vec::new(),
            lists: 0,
            aside: Vec::new(),
            notes: 0,
            boxes: 0,
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Open(_) if self.skipped > 0 => self.skipped += 1,
            Event::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Event::Open(element) if self.in_text => self.open(&element),
            Event::Open(element) => self.define(&element),
            Event::Close(name) if self.in_text => self.close(&name),
            Event::Close(name) => {
                if name == "style" {
                    self.style = None;
                }
            }
            Event::Text(words) => {
                if self.skipped == 0 && self.in_text && !self.paragraphs.is_empty() {
                    self.flow.words(&words);
                }
            }
        }
    }

    /// Reads styles, and finds the body.
    fn define(&mut self, element: &Element) {
        match element.name.as_str() {
            // The body's own "text" and not an attribute's.
            "text" => {
                self.in_text = true;
                self.found = true;
            }
            // Page styles hold headers and footers.
            "master-styles" | "scripts" | "font-face-decls" | "settings" => self.skipped = 1,
            "style" if self.styles.len() < MAX_STYLES => {
                let Some(name) = element.attribute("name") else { return };
                let shown = element.attribute("display-name").unwrap_or(name).to_owned();
                let parent = element.attribute("parent-style-name").map(str::to_owned);
                let outline = element.attribute("default-outline-level").and_then(|level| level.parse().ok());
                self.styles.insert(name.to_owned(), Style { parent, shown, hidden: false, outline });
                self.style = Some(name.to_owned());
            }
            "text-properties" => {
                if let Some(style) = self.style.as_ref().and_then(|name| self.styles.get_mut(name)) {
                    style.hidden |= element.attribute("display") == Some("none");
                }
            }
            _ => {}
        }
    }

    fn chain(&self, name: &str) -> impl Iterator<Item = &Style> {
        let mut next = self.styles.get(name);
        std::iter::from_fn(move || {
            let style = next?;
            next = style.parent.as_ref().and_then(|name| self.styles.get(name));
            Some(style)
        })
        .take(MAX_CHAIN)
    }

    fn part(&self, name: &str) -> Part {
        let found = self.chain(name).find_map(|style| {
            named(&style.shown)
                .or_else(|| style.outline.filter(|&level| level > 0).map(|level| Part::Text(Mark::Heading(level))))
        });
        found.or_else(|| named(name)).unwrap_or(Part::Text(Mark::Plain))
    }

    fn is_hidden(&self, element: &Element) -> bool {
        element.attribute("style-name").is_some_and(|name| self.chain(name).any(|style| style.hidden))
    }

    fn open(&mut self, element: &Element) {
        match element.name.as_str() {
            // Deleted text, comments, lists of contents, the marks of notes, what is hidden, the words for the blind.
            "tracked-changes" | "annotation" | "annotation-end" | "note-citation" | "table-of-content"
            | "alphabetical-index" | "bibliography" | "illustration-index" | "table-index" | "object-index"
            | "user-index" | "sequence-decls" | "variable-decls" | "user-field-decls" | "forms" | "ruby-text"
            | "hidden-text" | "desc" | "title" | "meta" | "binary-data" | "event-listeners" | "object" | "math" => {
                self.skipped = 1;
            }
            "section" if element.attribute("display") == Some("none") => self.skipped = 1,
            "hidden-paragraph" if element.attribute("is-hidden") == Some("true") => self.skipped = 1,
            "p" | "h" | "span" if self.is_hidden(element) => self.skipped = 1,
            "p" => {
                let part = self.part(element.attribute("style-name").unwrap_or_default());
                match part {
                    Part::Out => self.skipped = 1,
                    Part::Text(Mark::Plain) if self.lists > 0 => self.paragraphs.push(Mark::ListItem),
                    Part::Text(mark) => self.paragraphs.push(mark),
                }
            }
            "h" => {
                let part = self.part(element.attribute("style-name").unwrap_or_default());
                let level = element.attribute("outline-level").and_then(|level| level.parse().ok()).unwrap_or(1);
                self.paragraphs.push(if part == Part::Text(Mark::Title) { Mark::Title } else { Mark::Heading(level) });
            }
            "list" => self.lists += 1,
            // Counts are not followed: "s" says how many blanks.
            "s" | "tab" if !self.paragraphs.is_empty() => self.flow.words(" "),
            "line-break" => self.flow.line_break(),
            "soft-page-break" => {}
            "note" => {
                self.step_aside();
                self.notes += 1;
            }
            "text-box" => {
                self.step_aside();
                self.boxes += 1;
            }
            "table" => self.flow.open_table(),
            "table-row" => self.flow.open_row(),
            "table-cell" => self.flow.open_cell(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h" => {
                let mark = self.paragraphs.pop().unwrap_or(Mark::Plain);
                if self.notes > 0 {
                    self.flow.end_note();
                } else {
                    self.flow.end(mark);
                }
            }
            "list" => self.lists = self.lists.saturating_sub(1),
            "note" => {
                self.come_back();
                self.notes = self.notes.saturating_sub(1);
            }
            "text-box" => {
                self.come_back();
                self.boxes = self.boxes.saturating_sub(1);
            }
            "table" => self.flow.close_table(),
            "text" => self.in_text = false,
            _ => {}
        }
    }

    fn step_aside(&mut self) {
        let open = self.flow.set_aside();
        self.aside.push((std::mem::take(&mut self.paragraphs), std::mem::take(&mut self.lists), open));
    }

    fn come_back(&mut self) {
        if let Some((paragraphs, lists, open)) = self.aside.pop() {
            self.paragraphs = paragraphs;
            self.lists = lists;
            self.flow.resume(open);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::docx::tests::packed;
    use super::*;
    use crate::document::BlockKind;

    const SENTENCE: &str = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة كبيرة.";

    fn read(styles: &str, body: &str) -> Document {
        let content = format!(
            "<office:document-content xmlns:office='o' xmlns:text='t'><office:automatic-styles>{styles}</office:automatic-styles>\
             <office:body><office:text>{body}</office:text></office:body></office:document-content>"
        );
        let bytes = packed(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", &content)]);
        let file = SourceFile::from_bytes(Path::new("a.odt"), Kind::Odt, bytes).unwrap();
        OdtReader.read(&file, &ReadOptions::default()).unwrap()
    }

    #[test]
    fn notes_comments_deleted_and_hidden_text_stand_in_no_sentence() {
        let styles =
            "<style:style xmlns:style='s' style:name='T1'><style:text-properties text:display='none'/></style:style>";
        let body = format!(
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>محذوف</text:p></text:deletion></text:changed-region></text:tracked-changes>\
             <text:p>أعلنت الوزارة<text:s text:c='2000000000'/>اليوم عن بدء الأش<text:span>غال</text:span><text:note><text:note-citation>1</text:note-citation>\
             <text:note-body><text:p>تقول الوزارة إن الأرقام مؤقتة وسوف تراجعها في نهاية السنة المقبلة.</text:p></text:note-body></text:note> في\
             <office:annotation><text:p>تعليق</text:p></office:annotation><text:span text:style-name='T1'>سر</text:span><text:tab/>المدينة القديمة بكلفة كبيرة قبل نهاية السنة الجارية.</text:p>\
             <text:p>{SENTENCE}</text:p>"
        );
        let document = read(styles, &body);
        let blocks: Vec<(BlockKind, &str)> = document.blocks.iter().map(|b| (b.kind, document.block_text(b))).collect();
        assert_eq!(
            blocks,
            [
                (
                    BlockKind::Paragraph,
                    "أعلنت الوزارة اليوم عن بدء الأشغال في المدينة القديمة بكلفة كبيرة قبل نهاية السنة الجارية."
                ),
                (BlockKind::Paragraph, SENTENCE),
                (BlockKind::Paragraph, "تقول الوزارة إن الأرقام مؤقتة وسوف تراجعها في نهاية السنة المقبلة."),
            ]
        );
    }

    #[test]
    fn spreadsheets_are_told_by_their_own_word() {
        let bytes = packed(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet")]);
        let file = SourceFile::from_bytes(Path::new("a.odt"), Kind::Odt, bytes).unwrap();
        let error = OdtReader.read(&file, &ReadOptions::default()).unwrap_err();
        assert!(format!("{error:?}").contains("spreadsheet"));
    }
}

//! The main part of a Word document, and its notes, event by event.
//!
//! In: the events of the XML. Out: words, ends of paragraphs and tables in a [`Flow`]. What was deleted or moved away,
//! hidden text, the code of fields and the second copy of drawings stay out; text boxes come before the paragraph that they
//! hang on. No state grows with depth but a stack of marks, which the XML's own limit bounds.

use super::super::flow::{Flow, Mark};
use super::super::xml::{Element, Event};
use super::style::{Part, Styles, is_on, level};

/// What is known of a paragraph that is open.
#[derive(Debug, Clone, Copy)]
struct Paragraph {
    part: Part,
    outline: Option<u8>,
    /// Whether it says itself that it is in a list, or is not.
    listed: Option<bool>,
}

const PLAIN: Paragraph = Paragraph { part: Part::Text(Mark::Plain), outline: None, listed: None };

/// Reads a part.
pub(super) struct Body<'f, 'r> {
    styles: &'f Styles,
    flow: &'f mut Flow<'r>,
    /// How many elements are open within one that is left out.
    skipped: usize,
    paragraph: Paragraph,
    /// What was open where a text box began.
    aside: Vec<(Paragraph, String)>,
    /// Whether the run is hidden.
    hidden: bool,
    /// Whether we are in the properties of a run.
    run_properties: usize,
    in_text: bool,
    /// Fields that are open: whether their result has begun.
    fields: Vec<bool>,
    /// The element that holds a note, where notes are read.
    note: Option<&'static str>,
    /// Whether a body was found.
    found: bool,
}

impl<'f, 'r> Body<'f, 'r> {
    /// Makes a reader of the main part.
    pub fn new(styles: &'f Styles, flow: &'f mut Flow<'r>) -> Self {
        Self {
            styles,
            flow,
            skipped: 0,
            paragraph: PLAIN,
            aside: Vec::new(),
            hidden: false,
            run_properties: 0,
            in_text: false,
            fields: Vec::new(),
            note: None,
            found: false,
        }
    }

    /// Makes a reader of notes; `element` holds one.
    pub fn notes(styles: &'f Styles, flow: &'f mut Flow<'r>, element: &'static str) -> Self {
        Self { note: Some(element), ..Self::new(styles, flow) }
    }

    /// Returns whether the part held a body.
    pub fn is_word(&self) -> bool {
        self.found
    }

    /// Takes an event.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Open(_) if self.skipped > 0 => self.skipped += 1,
            Event::Close(_) if self.skipped > 0 => self.skipped -= 1,
            Event::Open(element) => self.open(&element),
            Event::Close(name) => self.close(&name),
            Event::Text(words) => {
                if self.skipped == 0 && self.in_text && self.shown() {
                    self.flow.words(&words);
                }
            }
        }
    }

    /// Returns whether words stand in the text here: not hidden, and in no field's code.
    fn shown(&self) -> bool {
        !self.hidden && self.fields.last().is_none_or(|&result| result)
    }

    fn open(&mut self, element: &Element) {
        let value = element.attribute("val");
        match element.name.as_str() {
            "body" => self.found = true,
            // Lines that part notes from the text.
            name if Some(name) == self.note && element.attribute("type").is_some_and(|kind| kind != "normal") => {
                self.skipped = 1;
            }
            // Deleted, moved away, drawn once more, said in code, read aloud beside the word.
            "del" | "moveFrom" | "Fallback" | "instrText" | "delText" | "delInstrText" | "rt" | "pPrChange"
            | "rPrChange" | "sectPr" | "tblPr" | "trPr" | "tcPr" => self.skipped = 1,
            "p" => self.paragraph = PLAIN,
            "pStyle" => self.paragraph.part = self.styles.part(value.unwrap_or_default()),
            "outlineLvl" => self.paragraph.outline = level(value),
            "numId" => self.paragraph.listed = Some(value.is_some_and(|id| id != "0")),
            "r" => self.hidden = false,
            "rPr" => self.run_properties += 1,
            "vanish" if self.run_properties > 0 => self.hidden = is_on(value),
            "rStyle" => self.hidden |= self.styles.is_hidden(value.unwrap_or_default()),
            "t" => self.in_text = true,
            "tab" if self.run_properties == 0 && self.shown() && value.is_none() => self.flow.words(" "),
            "ptab" if self.shown() => self.flow.words(" "),
            "br" | "cr" if self.shown() => self.flow.line_break(),
            "noBreakHyphen" if self.shown() => self.flow.words("-"),
            "sym" if self.shown() => self.symbol(element),
            "fldChar" => match element.attribute("fldCharType") {
                Some("begin") => self.fields.push(false),
                Some("separate") => {
                    if let Some(result) = self.fields.last_mut() {
                        *result = true;
                    }
                }
                Some("end") => {
                    self.fields.pop();
                }
                _ => {}
            },
            "txbxContent" => {
                let open = self.flow.set_aside();
                self.aside.push((self.paragraph, open));
            }
            "tbl" => self.flow.open_table(),
            "tr" => self.flow.open_row(),
            "tc" => self.flow.open_cell(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "rPr" => self.run_properties = self.run_properties.saturating_sub(1),
            // The mark of a paragraph may be hidden with its words shown.
            "pPr" | "r" => self.hidden = false,
            "p" => self.end(),
            "txbxContent" => {
                self.flow.end(Mark::Plain);
                if let Some((paragraph, open)) = self.aside.pop() {
                    self.paragraph = paragraph;
                    self.flow.resume(open);
                }
            }
            "tbl" => self.flow.close_table(),
            _ => {}
        }
    }

    fn end(&mut self) {
        // A field whose code never ends must not swallow the text.
        self.fields.retain(|&result| result);
        if self.note.is_some() {
            self.flow.end_note();
            return;
        }
        let Paragraph { part, outline, listed } = self.paragraph;
        match (part, outline, listed) {
            (Part::Out, ..) => {
                self.flow.set_aside();
            }
            (Part::Text(Mark::Plain), Some(level), _) => self.flow.end(Mark::Heading(level)),
            (Part::Text(Mark::Plain), None, Some(true)) => self.flow.end(Mark::ListItem),
            (Part::Text(Mark::ListItem), _, Some(false)) => self.flow.end(Mark::Plain),
            (Part::Text(mark), ..) => self.flow.end(mark),
        }
    }

    /// A character of a font: those in the private area are pictures.
    fn symbol(&mut self, element: &Element) {
        let code = element.attribute("char").and_then(|code| u32::from_str_radix(code, 16).ok());
        if let Some(c) = code.and_then(char::from_u32).filter(|c| !matches!(c, '\u{e000}'..='\u{f8ff}')) {
            self.flow.words(c.encode_utf8(&mut [0; 4]));
        }
    }
}

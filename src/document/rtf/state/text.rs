//! The text of RTF as it is put together: characters decoded, paragraphs and cells ended.
//!
//! In: bytes and numbers of characters, under the formatting that the group has. Out: words in the flow. Which of them are
//! text at all is the parent's to know.

use super::super::super::docx::{Part, named};
use super::super::super::flow::Mark;
use super::{Destination, MAX_NAME, MAX_STYLES, Rtf};

impl Rtf<'_> {
    /// A character by its number, in units of UTF-16.
    pub(super) fn unit(&mut self, number: i32) {
        self.skip = self.group.fallback;
        let number = if number < 0 { number.saturating_add(65536) } else { number };
        let Ok(unit) = u16::try_from(number) else { return self.put("\u{fffd}") };
        let high = self.high.take();
        match (high, unit) {
            (_, 0xd800..=0xdbff) => self.high = Some(unit),
            (Some(high), 0xdc00..=0xdfff) => {
                let c = char::decode_utf16([high, unit]).next().and_then(Result::ok).unwrap_or('\u{fffd}');
                self.put(c.encode_utf8(&mut [0; 4]));
            }
            // Pictures of symbol fonts.
            (_, 0xe000..=0xf8ff) => {}
            _ => {
                let c = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
                self.put(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// Decodes the bytes at hand.
    pub(super) fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let font = if self.group.leftward { self.group.other_font.or(self.group.font) } else { self.group.font };
        let encoding = self.fonts.encoding(font);
        let (text, broken) = encoding.decode_without_bom_handling(&bytes);
        if !bytes.is_ascii() && self.group.destination == Destination::Text {
            self.used.get_or_insert(encoding);
            if broken {
                self.undecodable += text.chars().filter(|&c| c == '\u{fffd}').count();
            }
        }
        self.put_decoded(&text);
        self.bytes = bytes;
        self.bytes.clear();
    }

    pub(super) fn put(&mut self, text: &str) {
        self.flush();
        self.put_decoded(text);
    }

    fn put_decoded(&mut self, text: &str) {
        if self.group.hidden {
            return;
        }
        match self.group.destination {
            // A blank before the raised figure of a note is no blank of the text.
            Destination::Text if self.group.raised && text.trim().is_empty() => {}
            Destination::Text => {
                self.ready();
                self.flow.words(text);
            }
            Destination::Title => self.title.push_str(text),
            Destination::Author => self.author.push_str(text),
            Destination::Styles => self.style_name(text),
            Destination::Skip | Destination::Fonts | Destination::Info => {}
        }
    }

    fn style_name(&mut self, text: &str) {
        for c in text.chars() {
            if c != ';' {
                if self.name.len() < MAX_NAME {
                    self.name.push(c);
                }
                continue;
            }
            if let Some(part) = named(&self.name)
                && self.styles.len() < MAX_STYLES
            {
                self.styles.insert(self.defined_style, part);
            }
            self.name.clear();
            self.defined_style = 0;
        }
    }

    /// Opens or closes the table that the words to come are in or out of.
    pub(super) fn ready(&mut self) {
        if self.notes > 0 || !self.aside.is_empty() {
            return;
        }
        if !self.group.in_table {
            if self.table {
                self.flow.close_table();
                self.table = false;
            }
            return;
        }
        if !self.table {
            self.flow.open_table();
            self.table = true;
            (self.new_row, self.new_cell) = (true, true);
        }
        if std::mem::take(&mut self.new_row) {
            self.flow.open_row();
        }
        if std::mem::take(&mut self.new_cell) {
            self.flow.open_cell();
        }
    }

    pub(super) fn end_cell(&mut self) {
        if !self.table {
            // Rows of writers that do not mark the paragraphs in them.
            let open = self.flow.set_aside();
            let marked = std::mem::replace(&mut self.group.in_table, true);
            self.ready();
            self.group.in_table = marked;
            self.flow.resume(open);
        }
        self.end_paragraph();
        self.new_cell = true;
    }

    pub(super) fn end_paragraph(&mut self) {
        let bullet = std::mem::take(&mut self.bullet);
        if self.notes > 0 {
            self.flow.end_note();
            return;
        }
        let group = &self.group;
        let outline = group.outline.or_else(|| self.outlines.get(&group.style).copied());
        let part = self.styles.get(&group.style).copied().unwrap_or(Part::Text(Mark::Plain));
        match part {
            Part::Out => {
                self.flow.set_aside();
            }
            Part::Text(Mark::Plain) => self.flow.end(match outline {
                Some(level) => Mark::Heading(level),
                None if group.listed || bullet => Mark::ListItem,
                None => Mark::Plain,
            }),
            Part::Text(mark) => self.flow.end(mark),
        }
    }
}

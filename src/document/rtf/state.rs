//! Groups, destinations and formatting of RTF: what of it is text, and what the text is.
//!
//! In: tokens. Out: a [`Flow`] and what the document says of itself. A destination that is not known and marked as one to
//! skip (`\*`) is skipped, and so are those that hold no text of the article.

use std::collections::BTreeMap;

use encoding_rs::Encoding;

use super::super::Fault;
use super::super::docx::{Part, named};
use super::super::flow::{Flow, Mark};
use super::font::Fonts;
use super::lex::Token;

/// How deep groups may nest: Word's own files stay under 50.
const MAX_DEPTH: usize = 10_000;

/// The most styles that are kept, and the longest name of one.
const MAX_STYLES: usize = 5000;
const MAX_NAME: usize = 200;

/// Where words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    Skip,
    Fonts,
    Styles,
    Info,
    Title,
    Author,
}

/// What is to be done when a group closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtClose {
    Nothing,
    Note,
    TextBox,
}

/// What a group sets, and its end takes back.
#[derive(Debug, Clone, Copy)]
struct Group {
    destination: Destination,
    /// Where words went before a destination was skipped of which a part is text.
    before: Destination,
    at_close: AtClose,
    /// How many characters stand for one that is given by its number.
    fallback: usize,
    font: Option<i32>,
    /// The font of text from right to left.
    other_font: Option<i32>,
    leftward: bool,
    hidden: bool,
    in_table: bool,
    style: i32,
    outline: Option<u8>,
    listed: bool,
}

/// What was read.
pub(super) struct Read<'r> {
    pub flow: Flow<'r>,
    pub title: Option<String>,
    pub author: Option<String>,
    pub encoding: &'static Encoding,
    pub undecodable: usize,
    pub cut: bool,
}

/// Reads tokens.
pub(super) struct Rtf<'r> {
    flow: Flow<'r>,
    fonts: Fonts,
    styles: BTreeMap<i32, Part>,
    outlines: BTreeMap<i32, u8>,
    group: Group,
    above: Vec<Group>,
    over: bool,
    /// The group may be one to skip (`\*`).
    starred: bool,
    /// Characters still to be skipped after one given by its number.
    skip: usize,
    high: Option<u16>,
    bytes: Vec<u8>,
    used: Option<&'static Encoding>,
    undecodable: usize,
    /// Whether the paragraph began with the mark of a list.
    bullet: bool,
    table: bool,
    new_row: bool,
    new_cell: bool,
    notes: usize,
    aside: Vec<String>,
    default_font: Option<i32>,
    defined_font: i32,
    defined_style: i32,
    name: String,
    title: String,
    author: String,
}

impl<'r> Rtf<'r> {
    /// Makes a reader that fills a flow.
    pub fn new(flow: Flow<'r>) -> Self {
        let group = Group {
            destination: Destination::Text,
            before: Destination::Text,
            at_close: AtClose::Nothing,
            fallback: 1,
            font: None,
            other_font: None,
            leftward: false,
            hidden: false,
            in_table: false,
            style: 0,
            outline: None,
            listed: false,
        };
        Self {
            flow,
            fonts: Fonts::default(),
            styles: BTreeMap::new(),
            outlines: BTreeMap::new(),
            group,
            above: Vec::new(),
            over: false,
            starred: false,
            skip: 0,
            high: None,
            bytes: Vec::new(),
            used: None,
            undecodable: 0,
            bullet: false,
            table: false,
            new_row: true,
            new_cell: true,
            notes: 0,
            aside: Vec::new(),
            default_font: None,
            defined_font: 0,
            defined_style: 0,
            name: String::new(),
            title: String::new(),
            author: String::new(),
        }
    }

    /// Returns whether the outermost group is closed: what comes after it is no RTF.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Returns what was read.
    pub fn finish(mut self) -> Read<'r> {
        self.flush();
        self.end_paragraph();
        let some = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Read {
            title: some(self.title),
            author: some(self.author),
            encoding: self.used.unwrap_or(self.fonts.page),
            undecodable: self.undecodable,
            cut: !self.over,
            flow: self.flow,
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// Where groups nest too deep.
    pub fn take(&mut self, token: Token<'_>) -> Result<(), Fault> {
        match token {
            Token::Open | Token::Close => self.skip = 0,
            Token::Text(bytes) if self.skip > 0 => {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                return if skipped < bytes.len() { self.take(Token::Text(&bytes[skipped..])) } else { Ok(()) };
            }
            // Words that are no characters end what is skipped: there are writers that leave the fallback out.
            Token::Word(word, _) if self.skip > 0 && !is_character(word) => self.skip = 0,
            _ if self.skip > 0 => {
                self.skip -= 1;
                return Ok(());
            }
            _ => {}
        }
        match token {
            Token::Open => {
                self.flush();
                if self.above.len() >= MAX_DEPTH {
                    return Err(Fault::limit(format!("groups nest more than {MAX_DEPTH} deep")));
                }
                self.above.push(self.group);
                self.group.at_close = AtClose::Nothing;
                self.starred = false;
            }
            Token::Close => {
                self.flush();
                self.close();
            }
            Token::Text(bytes) => self.bytes.extend_from_slice(bytes),
            Token::Hex(byte) => self.bytes.push(byte),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                let starred = std::mem::take(&mut self.starred);
                self.flush();
                self.word(word, number, starred);
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        match self.group.at_close {
            AtClose::Nothing => {}
            AtClose::Note => {
                self.end_paragraph();
                self.notes = self.notes.saturating_sub(1);
                self.come_back();
            }
            AtClose::TextBox => {
                self.end_paragraph();
                self.come_back();
            }
        }
        match self.above.pop() {
            Some(above) => self.group = above,
            None => self.over = true,
        }
        self.over |= self.above.is_empty();
    }

    fn step_aside(&mut self) {
        let open = self.flow.set_aside();
        self.aside.push(open);
    }

    fn come_back(&mut self) {
        if let Some(open) = self.aside.pop() {
            self.flow.resume(open);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.starred = true,
            b'~' => self.put("\u{a0}"),
            b'_' => self.put("-"),
            b'{' | b'}' | b'\\' => self.bytes.push(symbol),
            b'\r' | b'\n' => {
                self.flush();
                self.end_paragraph();
            }
            b'\t' => self.put(" "),
            // An optional hyphen, and signs of indexes.
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>, starred: bool) {
        if self.structure(word, number, starred) || self.group.destination == Destination::Skip {
            return;
        }
        if starred {
            // A destination that we do not know.
            self.group.destination = Destination::Skip;
            return;
        }
        let on = number != Some(0);
        match word {
            "u" => self.unit(number.unwrap_or(0)),
            "uc" => self.group.fallback = usize::try_from(number.unwrap_or(1)).unwrap_or(1),
            "ansicpg" => self.fonts.code_page(number.unwrap_or(0)),
            "mac" => self.fonts.code_page(10000),
            "f" if self.group.destination == Destination::Fonts => self.defined_font = number.unwrap_or(0),
            "f" => self.group.font = number,
            "af" => self.group.other_font = number,
            "deff" => {
                self.default_font = number;
                self.group.font = number;
            }
            "fcharset" => self.fonts.define(self.defined_font, number.unwrap_or(1), false),
            "cpg" => self.fonts.define(self.defined_font, number.unwrap_or(0), true),
            "rtlch" => self.group.leftward = true,
            "ltrch" => self.group.leftward = false,
            "v" | "deleted" => self.group.hidden = on,
            "plain" => {
                self.group.hidden = false;
                self.group.leftward = false;
                self.group.other_font = None;
                self.group.font = self.default_font;
            }
            "pard" => {
                self.group.in_table = false;
                self.group.style = 0;
                self.group.outline = None;
                self.group.listed = false;
            }
            "s" if self.group.destination == Destination::Styles => self.defined_style = number.unwrap_or(0),
            "s" => self.group.style = number.unwrap_or(0),
            "outlinelevel" => {
                let level = number.and_then(|level| u8::try_from(level).ok()).filter(|&level| level < 9).map(|l| l + 1);
                match (self.group.destination, level) {
                    (Destination::Styles, Some(level)) if self.outlines.len() < MAX_STYLES => {
                        self.outlines.insert(self.defined_style, level);
                    }
                    (Destination::Styles, _) => {}
                    _ => self.group.outline = level,
                }
            }
            "ls" => self.group.listed = number.is_some_and(|list| list > 0),
            "pnlvlblt" | "pnlvlbody" => self.group.listed = true,
            "intbl" => self.group.in_table = on,
            _ => self.text_word(word),
        }
    }

    /// Words that stand for text or end it.
    fn text_word(&mut self, word: &str) {
        if self.group.destination != Destination::Text {
            return;
        }
        match word {
            "par" | "sect" | "nestcell" | "nestrow" => self.end_paragraph(),
            "cell" => self.end_cell(),
            "row" => {
                self.end_paragraph();
                self.new_row = true;
                self.new_cell = true;
            }
            "line" => {
                self.ready();
                self.flow.line_break();
            }
            "tab" | "emspace" | "enspace" | "qmspace" => self.put(" "),
            "emdash" => self.put("—"),
            "endash" => self.put("–"),
            "bullet" => self.put("•"),
            "lquote" => self.put("‘"),
            "rquote" => self.put("’"),
            "ldblquote" => self.put("“"),
            "rdblquote" => self.put("”"),
            _ => {}
        }
    }

    /// Destinations; returns whether the word is one.
    fn structure(&mut self, word: &str, _number: Option<i32>, starred: bool) -> bool {
        let skipped = self.group.destination == Destination::Skip;
        match word {
            // Of these a part is text, though they are skipped.
            "ud" | "shptxt" | "dptxbxtext" if starred || skipped => {
                self.group.destination = self.group.before;
                if word != "ud" && self.group.destination == Destination::Text {
                    self.step_aside();
                    self.group.at_close = AtClose::TextBox;
                }
            }
            _ if skipped => return false,
            "upr" | "shpinst" | "do" => {
                self.group.before = self.group.destination;
                self.group.destination = Destination::Skip;
            }
            "fonttbl" => self.group.destination = Destination::Fonts,
            "stylesheet" => self.group.destination = Destination::Styles,
            "info" => self.group.destination = Destination::Info,
            "title" if self.group.destination == Destination::Info => self.group.destination = Destination::Title,
            "author" if self.group.destination == Destination::Info => self.group.destination = Destination::Author,
            "footnote" => {
                self.step_aside();
                self.notes += 1;
                self.group.at_close = AtClose::Note;
                self.group.in_table = false;
            }
            "listtext" | "pntext" => {
                self.bullet = true;
                self.skip_group();
            }
            "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr" | "footerf" | "pict"
            | "objdata" | "fldinst" | "colortbl" | "annotation" | "atnid" | "atnauthor" | "listtable"
            | "listoverridetable" | "revtbl" | "shprslt" | "nonshppict" | "nonesttables" | "ftnsep" | "ftnsepc"
            | "ftncn" | "aftnsep" | "aftnsepc" | "aftncn" | "bkmkstart" | "bkmkend" | "tc" | "tcn" | "xe" | "rxe"
            | "filetbl" | "generator" | "panose" | "falt" | "txe" | "template" | "themedata" | "datastore" => {
                self.skip_group();
            }
            _ => return false,
        }
        true
    }

    fn skip_group(&mut self) {
        // A word of a destination outside of a group of its own would swallow the rest.
        if self.above.len() > 1 {
            self.group.before = Destination::Skip;
            self.group.destination = Destination::Skip;
        }
    }

    /// A character by its number, in units of UTF-16.
    fn unit(&mut self, number: i32) {
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
    fn flush(&mut self) {
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

    fn put(&mut self, text: &str) {
        self.flush();
        self.put_decoded(text);
    }

    fn put_decoded(&mut self, text: &str) {
        if self.group.hidden {
            return;
        }
        match self.group.destination {
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
    fn ready(&mut self) {
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

    fn end_cell(&mut self) {
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

    fn end_paragraph(&mut self) {
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

/// Returns whether a control word stands for a character.
fn is_character(word: &str) -> bool {
    matches!(word, "tab" | "emdash" | "endash" | "bullet" | "lquote" | "rquote" | "ldblquote" | "rdblquote")
}

//! Groups, destinations and formatting of RTF: what of it is text, and what the text is.
//!
//! In: tokens. Out: a [`Flow`] and what the document says of itself. A destination that is not known and marked as one to
//! skip (`\*`) is skipped, and so are those that hold no text of the article.

mod text;

use std::collections::BTreeMap;

use encoding_rs::Encoding;

use super::super::Fault;
use super::super::docx::Part;
use super::super::flow::Flow;
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
    raised: bool,
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
            raised: false,
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
            "super" => self.group.raised = on,
            "nosupersub" => self.group.raised = false,
            "plain" => {
                self.group.hidden = false;
                self.group.raised = false;
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
}

/// Returns whether a control word stands for a character.
fn is_character(word: &str) -> bool {
    matches!(word, "tab" | "emdash" | "endash" | "bullet" | "lquote" | "rquote" | "ldblquote" | "rdblquote")
}

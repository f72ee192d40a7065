//! What the strings of a content stream say in a font: letters and how far each moves the pen.
//!
//! In: a font's dictionary. Out: a [`Font`] that cuts a string into codes with text and width. The shapes of the glyphs are
//! not looked at. Where a font does not say which letters its glyphs are, the text is none, and the page says so. Source:
//! ISO 32000-1, 9.6 to 9.10.

use std::collections::BTreeMap;

use hayro_syntax::object::{Array, Dict, Name, Object, Stream};

use super::cmap::CMap;
use super::{Error, glyph_names, streams};

/// The most widths that are kept of a font: it has 65,536 glyphs at most.
const MAX_WIDTHS: usize = 70_000;

/// A font as far as text needs it.
#[derive(Debug, Default)]
pub(super) struct Font {
    /// Whether codes have two bytes.
    wide: bool,
    to_unicode: CMap,
    /// What the codes of a font of single bytes stand for without a table.
    letters: BTreeMap<u8, String>,
    /// Widths by code or glyph number, in thousandths of the size.
    widths: BTreeMap<u32, f32>,
    default_width: f32,
    /// Runs of glyphs of one width.
    width_ranges: Vec<(u32, u32, f32)>,
    /// Whether its name says that it is bold.
    pub bold: bool,
    /// Whether letters come from the bytes' own Latin encoding, which a font of another script may only pretend to have.
    pub claimed_latin: bool,
}

/// One code of a string.
pub(super) struct Shown {
    /// What it says; none where the font does not tell.
    pub text: Option<String>,
    /// How far it moves the pen, in units of the font's size.
    pub advance: f32,
    /// Whether it is the blank that word spacing widens.
    pub blank: bool,
}

impl Font {
    /// Reads a font.
    ///
    /// # Errors
    /// Where its tables hit a limit.
    pub fn read(dict: &Dict<'_>) -> Result<Self, Error> {
        let mut font = Self { default_width: 0.5, ..Self::default() };
        if let Some(name) = dict.get::<Name<'_>>("BaseFont") {
            let name = String::from_utf8_lossy(&name).to_lowercase();
            font.bold = ["bold", "black", "heavy", "demi"].iter().any(|word| name.contains(word));
        }
        if let Some(stream) = dict.get::<Stream<'_>>("ToUnicode")
            && let Some(bytes) = streams::unpacked(&stream)?
        {
            font.to_unicode = CMap::parse(&bytes);
        }
        let subtype = dict.get::<Name<'_>>("Subtype");
        if subtype.as_deref() == Some(b"Type0") {
            font.composite(dict)?;
        } else {
            font.simple(dict, subtype.as_deref() == Some(b"Type3"));
        }
        Ok(font)
    }

    fn composite(&mut self, dict: &Dict<'_>) -> Result<(), Error> {
        self.wide = true;
        self.default_width = 1.0;
        if let Some(stream) = dict.get::<Stream<'_>>("Encoding")
            && let Some(bytes) = streams::unpacked(&stream)?
        {
            self.wide = CMap::parse(&bytes).code_bytes != Some(1);
        }
        let Some(below) = dict.get::<Array<'_>>("DescendantFonts").and_then(|fonts| fonts.iter::<Dict<'_>>().next())
        else {
            return Ok(());
        };
        if let Some(width) = below.get::<f32>("DW") {
            self.default_width = width / 1000.0;
        }
        if let Some(widths) = below.get::<Array<'_>>("W") {
            self.composite_widths(&widths);
        }
        Ok(())
    }

    fn composite_widths(&mut self, widths: &Array<'_>) {
        let mut numbers: Vec<f32> = Vec::new();
        for object in widths.iter::<Object<'_>>().take(MAX_WIDTHS) {
            match object {
                Object::Number(number) => {
                    numbers.push(number.as_f32());
                    if let [low, high, width] = numbers[..] {
                        self.width_ranges.push((low.max(0.0) as u32, high.max(0.0) as u32, width / 1000.0));
                        numbers.clear();
                    }
                }
                Object::Array(list) => {
                    let start = numbers.first().map_or(0, |&number| number.max(0.0) as u32);
                    for (width, glyph) in list.iter::<f32>().zip(start..).take(MAX_WIDTHS) {
                        if self.widths.len() < MAX_WIDTHS {
                            self.widths.insert(glyph, width / 1000.0);
                        }
                    }
                    numbers.clear();
                }
                _ => numbers.clear(),
            }
        }
    }

    fn simple(&mut self, dict: &Dict<'_>, drawn: bool) {
        let scale = if drawn {
            let matrix: Vec<f32> =
                dict.get::<Array<'_>>("FontMatrix").map(|m| m.iter::<f32>().take(6).collect()).unwrap_or_default();
            matrix.first().copied().filter(|scale| scale.is_finite() && *scale != 0.0).unwrap_or(0.001)
        } else {
            0.001
        };
        let first = dict.get::<i32>("FirstChar").unwrap_or(0).clamp(0, 255) as u32;
        if let Some(widths) = dict.get::<Array<'_>>("Widths") {
            self.widths = (first..).zip(widths.iter::<f32>().take(256).map(|width| width * scale)).collect();
        }
        if let Some(width) = dict.get::<Dict<'_>>("FontDescriptor").and_then(|d| d.get::<f32>("MissingWidth"))
            && width > 0.0
        {
            self.default_width = width * 0.001;
        }
        let (mut base, mut differences) = (None, None);
        if let Some(name) = dict.get::<Name<'_>>("Encoding") {
            base = Some(name.to_vec());
        } else if let Some(encoding) = dict.get::<Dict<'_>>("Encoding") {
            base = encoding.get::<Name<'_>>("BaseEncoding").map(|name| name.to_vec());
            differences = encoding.get::<Array<'_>>("Differences");
        }
        // A font of drawings has only the names that it lists.
        if !drawn || base.is_some() {
            let latin = if base.as_deref() == Some(b"MacRomanEncoding") {
                encoding_rs::MACINTOSH
            } else {
                encoding_rs::WINDOWS_1252
            };
            for byte in 0x20..=0xffu8 {
                self.letters.insert(byte, latin.decode_without_bom_handling(&[byte]).0.into_owned());
            }
            self.claimed_latin = self.to_unicode.is_empty();
        }
        let mut code = 0u32;
        for object in differences.iter().flat_map(|list| list.iter::<Object<'_>>()).take(1024) {
            match object {
                Object::Number(number) => code = number.as_f32().clamp(0.0, 255.0) as u32,
                Object::Name(name) => {
                    if let Ok(byte) = u8::try_from(code) {
                        match glyph_names::text(&String::from_utf8_lossy(&name)) {
                            Some(text) => self.letters.insert(byte, text),
                            None => self.letters.remove(&byte),
                        };
                    }
                    code += 1;
                }
                _ => {}
            }
        }
    }

    /// Cuts a string into codes.
    pub fn show<'f>(&'f self, bytes: &'f [u8]) -> impl Iterator<Item = Shown> + 'f {
        let step = if self.wide { 2 } else { 1 };
        bytes.chunks(step).map(move |code| {
            let number = code.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
            let text = match self.to_unicode.text(number) {
                Some(text) => Some(text),
                None if self.wide => None,
                None => self.letters.get(&code[0]).cloned(),
            };
            Shown { text, advance: self.width(number), blank: code == b" " }
        })
    }

    fn width(&self, code: u32) -> f32 {
        let of_range = || {
            self.width_ranges.iter().find(|(low, high, _)| (*low..=*high).contains(&code)).map(|&(_, _, width)| width)
        };
        self.widths.get(&code).copied().or_else(of_range).unwrap_or(self.default_width)
    }
}

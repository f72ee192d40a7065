//! In which encoding the bytes of an RTF text are: the document's code page, and the character set of the font.
//!
//! In: `\ansicpg`, `\fcharset`, `\cpg`. Out: an encoding. Source: Rich Text Format Specification 1.9.1, "Font table" and
//! "Character set".

use std::collections::BTreeMap;

use encoding_rs::Encoding;

/// The most fonts that are kept.
const MAX_FONTS: usize = 5000;

/// The fonts of a document.
#[derive(Debug)]
pub(super) struct Fonts {
    /// The encoding of fonts that have none of their own.
    pub page: &'static Encoding,
    fonts: BTreeMap<i32, &'static Encoding>,
}

impl Default for Fonts {
    fn default() -> Self {
        Self { page: encoding_rs::WINDOWS_1252, fonts: BTreeMap::new() }
    }
}

impl Fonts {
    /// Takes the document's code page.
    pub fn code_page(&mut self, number: i32) {
        if let Some(page) = code_page(number) {
            self.page = page;
        }
    }

    /// Takes the character set (or, with `page`, the code page) of a font.
    pub fn define(&mut self, font: i32, number: i32, page: bool) {
        let encoding = if page { code_page(number) } else { charset(number) };
        if let Some(encoding) = encoding
            && self.fonts.len() < MAX_FONTS
        {
            self.fonts.insert(font, encoding);
        }
    }

    /// Returns the encoding of bytes in a font.
    pub fn encoding(&self, font: Option<i32>) -> &'static Encoding {
        font.and_then(|font| self.fonts.get(&font).copied()).unwrap_or(self.page)
    }
}

/// Returns the encoding of a Windows code page.
fn code_page(number: i32) -> Option<&'static Encoding> {
    let label = match number {
        1250..=1258 | 874 => format!("windows-{number}"),
        708 | 28596 => "iso-8859-6".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        10000 => "macintosh".to_owned(),
        65001 => "utf-8".to_owned(),
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// Returns the encoding of a character set; those of the system's own (0, 1) are the document's.
fn charset(number: i32) -> Option<&'static Encoding> {
    code_page(match number {
        77 => 10000,
        128 => 932,
        129 | 130 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 | 181 => 1255,
        178..=180 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

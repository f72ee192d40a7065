//! The reader of Rich Text Format (`.rtf`): what Word, WordPad and LibreOffice write, in any code page.
//!
//! In: the bytes. Out: a [`Document`]. `lex` makes tokens, `font` says in which encoding bytes are, `state` follows
//! groups and puts the text together. Groups are kept on a stack of our own, whose depth is bounded. Source: Rich Text
//! Format Specification 1.9.1.

mod font;
mod lex;
mod state;

use super::flow::Flow;
use super::package::foreign;
use super::{Declared, Document, Error, Fault, ReadOptions, Reader, Sheet, credit};
use crate::source::{Kind, SourceFile};

/// Reads Rich Text Format.
#[derive(Debug, Clone, Copy, Default)]
pub struct RtfReader;

impl Reader for RtfReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Rtf]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let sheet =
            sheet(&file.bytes, options).map_err(|fault| Error::faulty(file, "Rich Text Format (.rtf)", fault))?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

fn sheet(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Sheet, Fault> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if !start.starts_with(b"{\\rtf") {
        return Err(foreign(bytes).unwrap_or_else(|| Fault::damaged("it does not begin with {\\rtf")));
    }
    let mut reader = state::Rtf::new(Flow::new(options.rules()));
    for token in lex::Lexer::new(start) {
        reader.take(token)?;
        if reader.is_over() {
            break;
        }
    }
    let read = reader.finish();
    let mut warnings = Vec::new();
    if read.cut {
        warnings.push("the file breaks off: groups are not closed at its end".to_owned());
    }
    if read.undecodable > 0 {
        warnings.push(format!("{} characters cannot be decoded as {}", read.undecodable, read.encoding.name()));
    }
    let byline = read.author.filter(|name| credit::is_name(name) && read.flow.says(name));
    let lines = read.flow.lines(read.title.as_deref(), false);
    let declared = Declared { byline, ..Declared::default() };
    Ok(Sheet { lines, declared, encoding: read.encoding.name().to_owned(), warnings })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::document::BlockKind;

    fn read(rtf: &str) -> Result<Document, Error> {
        let file = SourceFile::from_bytes(Path::new("a.rtf"), Kind::Rtf, rtf.as_bytes().to_vec()).unwrap();
        RtfReader.read(&file, &ReadOptions::default())
    }

    fn texts(rtf: &str) -> Vec<String> {
        let document = read(rtf).unwrap();
        document.blocks.iter().map(|block| document.block_text(block).to_owned()).collect()
    }

    fn escaped(text: &str) -> String {
        text.encode_utf16().map(|unit| format!("\\u{}?", unit.cast_signed())).collect()
    }

    #[test]
    fn escapes_fallbacks_and_destinations() {
        let word = escaped("خبر");
        let text = format!(
            "{{\\rtf1\\ansi\\ansicpg1256{{\\fonttbl{{\\f0 Arial;}}}}{{\\header {word}}}{{\\*\\unknown {word}}}\
             {{\\pict\\bin4 }}}}}}}}}}{{\\uc2\\u1582\\'ce\\'ce\\uc0\\u1576\\u1585}} \\v {word}\\v0 \\deleted {word}\\deleted0 \
             {{\\field{{\\*\\fldinst HYPERLINK x}}{{\\fldrslt {word}}}}}{{\\footnote \\u1605? 1.}} \\u-10179?\\u-8704?.\\par}}"
        );
        assert_eq!(texts(&text), ["خبر خبر 😀.".to_owned(), "م 1.".to_owned()]);
    }

    #[test]
    fn the_font_says_the_encoding_and_the_direction_says_the_font() {
        let head = "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset178 B;}}";
        assert_eq!(texts(&format!("{head}\\f1\\'ce\\'c8\\'d1 \\f0 \\'e9t\\'e9.\\par}}")), ["خبر été."]);
        assert_eq!(
            texts(&format!(
                "{head}\\rtlch\\af1 \\ltrch\\f0 \\'e9t\\'e9 {{\\ltrch\\f0 \\rtlch\\af1 \\'ce\\'c8\\'d1.}}\\par}}"
            )),
            ["été خبر."]
        );
    }

    #[test]
    fn tables_lists_and_headings() {
        let rtf = "{\\rtf1\\ansi{\\stylesheet{\\s1 heading 1;}{\\s9 Quote;}}\\pard\\s1 A headline of five words\\par\
            \\pard {\\listtext 1.\\tab}First point of the list\\par\\pard\\s9 Words of somebody else.\\par\
            \\trowd\\cellx1\\cellx2\\pard\\intbl a\\cell b\\cell\\row\\trowd\\pard\\intbl c\\cell d\\cell\\row\
            \\pard The end of the text is a sentence of at least twelve words here.\\par}";
        let document = read(rtf).unwrap();
        let blocks: Vec<(BlockKind, &str)> = document.blocks.iter().map(|b| (b.kind, document.block_text(b))).collect();
        assert_eq!(
            blocks,
            [
                (BlockKind::Title, "A headline of five words"),
                (BlockKind::ListItem, "First point of the list"),
                (BlockKind::Quote, "Words of somebody else."),
                (BlockKind::TableRow, "a | b"),
                (BlockKind::TableRow, "c | d"),
                (BlockKind::Paragraph, "The end of the text is a sentence of at least twelve words here."),
            ]
        );
    }

    #[test]
    fn depth_is_bounded_and_broken_files_are_read_to_their_end() {
        let error = read(&format!("{{\\rtf1 {}", "{".repeat(1_000_000))).unwrap_err();
        assert!(format!("{error:?}").contains("groups"), "{error:?}");
        let cut = read("{\\rtf1 some words").unwrap().warnings;
        assert!(cut.iter().any(|said| said.contains("breaks off")), "{cut:?}");
        assert!(read("{\\rtf1\\ansi}").is_err());
        assert!(read("words").is_err());
    }
}

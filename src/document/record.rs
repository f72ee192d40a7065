//! The reader of rows and entries: an article whose title, text and facts stand in fields.
//!
//! In: the JSON of a [`Record`]. Out: a [`Document`]. Text that is a piece of a web page is put into a page with its facts
//! and read by the reader of pages; plain text is lines. Which field is what was decided in [`crate::source`].

use super::line::wrap::mended;
use super::line::{Hint, Line, lines};
use super::{Declared, Document, Error, READERS, ReadOptions, Reader, Sheet};
use crate::arabic::letters::apply;
use crate::source::encoding::{self, Charset};
use crate::source::{Kind, SourceFile, record::Record};

/// The most characters of a field that a message repeats.
const MAX_SHOWN: usize = 60;

/// Reads rows of tables and entries of feeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordReader;

impl Reader for RecordReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Record]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let record: Record = serde_json::from_slice(&file.bytes).map_err(|error| {
            let source = encoding::Error::Binary { detail: format!("not the JSON of a row: {error}") };
            Error::NotText { path: file.path.clone(), source }
        })?;
        let mut document = match &record.html {
            Some(html) => of_page(&record, html, file, options)?,
            None => Document::of_sheet(sheet(&record, options), &file.path, options)?,
        };
        document.encoding = record.encoding;
        if let (Some(date), None) = (&record.date, &document.meta.date) {
            let date: String = date.chars().take(MAX_SHOWN).collect();
            document.warnings.push(format!("its date \"{}\" cannot be read", crate::source::printable(&date)));
        }
        Ok(document)
    }
}

/// Makes the sheet of plain text: its title first, then its lines.
fn sheet(record: &Record, options: &ReadOptions<'_>) -> Sheet {
    let clean = |text: &str| {
        let mut text = apply(&text.replace("\r\n", "\n"), options.rules());
        text.retain(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}'));
        text
    };
    let fact = |field: &Option<String>| {
        let words = field.as_deref().map(clean)?;
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then_some(words)
    };
    let title = fact(&record.title);
    let text = clean(record.text.as_deref().unwrap_or_default());
    let mut body = lines(&mended(&text));
    // A text that begins with its own title has it once.
    let key = title.as_deref().map(super::line::key).unwrap_or_default();
    if body.first().is_some_and(|first| !key.is_empty() && first.key == key) {
        body.remove(0);
    }
    let mut all: Vec<Line> = title.iter().map(|title| Line::hinted(title, Hint::Title)).collect();
    if let Some(first) = body.first_mut() {
        first.after_blank = true;
    }
    all.append(&mut body);
    let declared = Declared {
        title,
        byline: fact(&record.byline),
        publisher: fact(&record.publisher),
        date: fact(&record.date),
        section: fact(&record.section),
        canonical: fact(&record.link),
        ..Declared::default()
    };
    Sheet { lines: all, declared, ..Sheet::default() }
}

/// Reads text that is a piece of a page as a page that states the facts in its head.
fn of_page(record: &Record, html: &str, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
    let reader = READERS.iter().find(|reader| reader.kinds().contains(&Kind::Html));
    let reader = reader.ok_or_else(|| Error::NoReader { path: file.path.clone(), kind: Kind::Html })?;
    let escaped = |words: &str| words.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let mut page = String::from("<!DOCTYPE html><html");
    if let Some(language) = &record.language {
        page += &format!(" lang=\"{}\"", escaped(language));
    }
    page += "><head><meta charset=\"utf-8\">";
    let title = record.title.as_deref().map(&escaped).unwrap_or_default();
    if !title.is_empty() {
        page += &format!("<title>{title}</title><meta property=\"og:title\" content=\"{title}\">");
    }
    for (property, value) in [
        ("property=\"article:published_time\"", &record.date),
        ("name=\"author\"", &record.byline),
        ("property=\"og:site_name\"", &record.publisher),
        ("property=\"article:section\"", &record.section),
    ] {
        if let Some(value) = value {
            page += &format!("<meta {property} content=\"{}\">", escaped(value));
        }
    }
    if let Some(link) = &record.link {
        page += &format!("<link rel=\"canonical\" href=\"{}\">", escaped(link));
    }
    page += "</head><body><article>";
    if !title.is_empty() {
        page += &format!("<h1>{title}</h1>");
    }
    page += html;
    page += "</article></body></html>";
    let page = SourceFile::from_bytes(&file.path, Kind::Html, in_encoding(page, options));
    let page = page.map_err(|_| Error::NoArticle { path: file.path.clone() })?;
    reader.read(&page, options)
}

/// Writes our page so that a reader who is told an encoding (the one that the user named for the file) reads the same.
fn in_encoding(page: String, options: &ReadOptions<'_>) -> Vec<u8> {
    match options.encoding {
        None => page.into_bytes(),
        Some(Charset::Web(encoding)) if encoding == encoding_rs::UTF_16LE => {
            page.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Some(Charset::Web(encoding)) if encoding == encoding_rs::UTF_16BE => {
            page.encode_utf16().flat_map(u16::to_be_bytes).collect()
        }
        Some(_) => {
            let mut ascii = String::with_capacity(page.len() * 4);
            for c in page.chars() {
                if c.is_ascii() { ascii.push(c) } else { ascii += &format!("&#{};", u32::from(c)) }
            }
            ascii.into_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(record: &serde_json::Value) -> Document {
        let bytes = serde_json::to_vec(record).unwrap();
        let file = SourceFile::from_bytes(Path::new("a.csv"), Kind::Record, bytes).unwrap();
        RecordReader.read(&file, &ReadOptions::default()).unwrap()
    }

    #[test]
    fn a_row_is_an_article_with_its_facts() {
        let document = read(&serde_json::json!({
            "title": "عنوان الخبر عن السوق الجديد", "text": "أعلنت البلدية، اليوم الأحد، فتح سوق الخضر الجديد أمام التجار والزبائن.\n\nوقال رئيسها إن \
            الأشغال دامت شهرين، وإن كلفتها بلغت مليوني دينار كاملة.", "byline": "نادية بوعلام", "section": "اقتصاد", "encoding": "windows-1256"
        }));
        assert_eq!(document.title(), Some("عنوان الخبر عن السوق الجديد"));
        assert_eq!(document.texts_of(super::super::BlockKind::Paragraph).count(), 2);
        assert_eq!(document.meta.byline.as_deref(), Some("نادية بوعلام"));
        assert_eq!((document.meta.section.as_deref(), document.encoding.as_str()), (Some("اقتصاد"), "windows-1256"));
    }

    #[test]
    fn a_date_that_cannot_be_read_is_told() {
        let with = |date: &str| {
            read(&serde_json::json!({
                "title": "عنوان الخبر عن السوق الجديد", "date": date,
                "text": "أعلنت البلدية، اليوم الأحد، فتح سوق الخضر الجديد أمام التجار والزبائن في كل الأحياء."
            }))
        };
        assert!(with("2024-03-12").warnings.is_empty());
        assert_eq!(with("yesterday").warnings, ["its date \"yesterday\" cannot be read"]);
        assert_eq!(with("2020-13-45").warnings, ["its date \"2020-13-45\" cannot be read"]);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let file = SourceFile::from_bytes(Path::new("a.csv"), Kind::Record, b"{".to_vec()).unwrap();
        assert!(matches!(RecordReader.read(&file, &ReadOptions::default()), Err(Error::NotText { .. })));
    }
}

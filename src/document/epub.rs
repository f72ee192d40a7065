//! The reader of electronic books (`.epub`): articles that a browser or a reader saved as a book, or an issue of a magazine.
//!
//! In: the bytes of the package. Out: a [`Document`]. The chapters of the spine are web pages and read as such, each once; a
//! chapter with a title of its own is an article of its own, and where there are several, they stand one after another in
//! one document, with a warning. The list of contents is not read. Source: EPUB 3.3 (and 2.0.1, which it includes).

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Hint, Line};
use super::package::Package;
use super::xml::{self, Element, Event};
use super::{BlockKind, Declared, Document, Error, Fault, Meta, ReadOptions, Reader, Sheet, page};
use crate::arabic::letters::{apply, is_arabic_letter};
use crate::source::{Kind, SourceFile};

/// The most chapters that are read: the Bible has 1,189.
const MAX_CHAPTERS: usize = 2000;

/// The most bytes of all chapters together.
const MAX_TEXT: usize = 64 * 1024 * 1024;

/// The most bytes of the link that is the mark of a note.
const MAX_NOTEREF: usize = 1000;

/// Reads electronic books.
#[derive(Debug, Clone, Copy, Default)]
pub struct EpubReader;

impl Reader for EpubReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Epub]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let book =
            open(&file.bytes, options).map_err(|fault| Error::faulty(file, "an electronic book (.epub)", fault))?;
        let no_article = || Error::NoArticle { path: file.path.clone() };
        let mut articles = book.articles;
        if articles.len() <= 1 {
            let mut sheet = articles.pop().ok_or_else(no_article)?;
            let title = book.declared.title.clone().map(|title| apply(&title, options.rules()));
            sheet.declared = merged(book.declared, sheet.declared);
            sheet.encoding = "UTF-8".to_owned();
            sheet.warnings.extend(book.warnings);
            if !has_title(&sheet) {
                // Without a heading the page says too little of its parts: they are told as those of plain text are.
                for line in &mut sheet.lines {
                    line.body = false;
                }
                let plain = Document::of_sheet(sheet.clone(), &file.path, options)?;
                if plain.title().is_some() {
                    return Ok(plain);
                }
                if let Some(title) = title.filter(|title| title.split_whitespace().count() >= 3) {
                    sheet.lines.insert(0, Line::hinted(&title, Hint::Title));
                }
            }
            return Document::of_sheet(sheet, &file.path, options);
        }
        let mut whole = page::Page::default();
        let count = articles.len();
        for sheet in articles {
            let read = page::extract(&sheet.lines, &sheet.declared);
            let is_first = whole.blocks.is_empty();
            whole.blocks.extend(read.blocks.into_iter().map(|(kind, words)| match kind {
                BlockKind::Title if !is_first => (BlockKind::Subheading, words),
                kind => (kind, words),
            }));
            whole.furniture.extend(read.furniture);
        }
        // What one of several articles says of itself is not true of all.
        whole.meta = Meta { publisher: book.declared.publisher, ..Meta::default() };
        let mut document = Document::assemble(whole, &options.segments).ok_or_else(no_article)?;
        document.encoding = "UTF-8".to_owned();
        document.warnings = book.warnings;
        document.warnings.push(format!("the book holds {count} articles, which are read as one"));
        Ok(document)
    }
}

/// What a book holds.
struct Book {
    declared: Declared,
    articles: Vec<Sheet>,
    warnings: Vec<String>,
}

fn open(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Book, Fault> {
    let mut package = Package::open(bytes)?;
    if !package.has("META-INF/container.xml") {
        return Err(match () {
            () if package.has("word/document.xml") => Fault::Other { what: "a Word document (.docx)" },
            () if package.has("content.xml") => Fault::Other { what: "an OpenDocument file (.odt)" },
            () => Fault::damaged("there is no META-INF/container.xml in it"),
        });
    }
    let opf = package_file(&mut package)?;
    let mut reader = Opf::default();
    let text = package.required(&opf)?;
    xml::read(&xml::decode(&text), &opf, |event| reader.take(event))?;
    if !reader.is_package {
        return Err(Fault::damaged(format!("there is no package in it: {opf} is none")));
    }
    let locked = locked(&mut package)?;
    let mut book = Book { declared: reader.declared(), articles: Vec::new(), warnings: Vec::new() };
    let (mut read, mut length, mut missing) = (BTreeSet::new(), 0usize, 0usize);
    for id in &reader.spine {
        let Some(item) = reader.manifest.get(id).filter(|item| !item.is_contents) else { continue };
        let Some(name) = resolved(&opf, &item.href) else {
            missing += 1;
            continue;
        };
        if !item.is_page || !read.insert(name.clone()) {
            continue;
        }
        if locked.contains(&name) {
            return Err(Fault::Refused { what: "the book is protected (DRM)".to_owned() });
        }
        if read.len() > MAX_CHAPTERS {
            book.warnings.push(format!("more than {MAX_CHAPTERS} chapters; those after them were not read"));
            break;
        }
        let Some(bytes) = package.part(&name)? else {
            missing += 1;
            continue;
        };
        length += bytes.len();
        if length > MAX_TEXT {
            return Err(Fault::limit(format!("its chapters have more than {} MiB", MAX_TEXT / 1024 / 1024)));
        }
        book.add(super::html::of_text(&closed(&xml::decode(&bytes)), options));
    }
    if missing > 0 {
        book.warnings.push(format!("{missing} chapters of its spine are not in the book"));
    }
    Ok(book)
}

impl Book {
    /// Adds a chapter: one with a title begins an article, one without goes on with the last.
    fn add(&mut self, sheet: Sheet) {
        let words: usize = sheet.lines.iter().map(|line| line.words).sum();
        if words == 0 {
            return;
        }
        match self.articles.last_mut() {
            // A cover or a page of titles stands before the text, whatever it is marked as.
            Some(last) if !has_title(&sheet) || !last.lines.iter().any(Line::is_prose) => {
                if has_title(&sheet) {
                    for line in last.lines.iter_mut().filter(|line| line.hint == Some(Hint::Title)) {
                        line.hint = None;
                    }
                }
                last.lines.extend(sheet.lines);
            }
            _ => self.articles.push(sheet),
        }
    }
}

fn has_title(sheet: &Sheet) -> bool {
    sheet.lines.iter().any(|line| line.hint == Some(Hint::Title))
}

/// Returns what the book says, where the page itself does not say it.
fn merged(book: Declared, page: Declared) -> Declared {
    Declared {
        title: page.title.or(book.title),
        byline: page.byline.or(book.byline),
        publisher: page.publisher.or(book.publisher),
        date: page.date.or(book.date),
        ..page
    }
}

/// Returns the name of the package file.
fn package_file(package: &mut Package<'_>) -> Result<String, Fault> {
    let container = "META-INF/container.xml";
    let text = package.required(container)?;
    let mut found = None;
    xml::read(&xml::decode(&text), container, |event| {
        if let Event::Open(element) = event
            && element.name == "rootfile"
            && found.is_none()
        {
            found = element.attribute("full-path").map(str::to_owned);
        }
    })?;
    found.filter(|name| package.has(name)).ok_or_else(|| Fault::damaged("there is no package in it"))
}

/// Returns the names of parts that are encrypted.
fn locked(package: &mut Package<'_>) -> Result<BTreeSet<String>, Fault> {
    let name = "META-INF/encryption.xml";
    let mut found = BTreeSet::new();
    if let Some(bytes) = package.part(name)? {
        xml::read(&xml::decode(&bytes), name, |event| {
            if let Event::Open(element) = event
                && element.name == "CipherReference"
            {
                found.extend(element.attribute("URI").and_then(|uri| resolved("", uri)));
            }
        })?;
    }
    Ok(found)
}

/// Returns the name in the container of a reference from a part; `None` where it leads out.
fn resolved(from: &str, href: &str) -> Option<String> {
    let href = decoded(href.split('#').next().unwrap_or_default());
    let mut path: Vec<&str> = from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
    for step in href.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop()?;
            }
            step => path.push(step),
        }
    }
    Some(path.join("/"))
}

/// Resolves `%20` and the like.
fn decoded(href: &str) -> String {
    let bytes = href.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Writes notes, which pages put beside the text, as parts of it; writes out the ends of empty elements (in XML `<title/>` is empty, in HTML it swallows the page), and takes the marks of
/// notes out.
fn closed(text: &str) -> String {
    const VOID: &[&str] =
        &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    // How many elements of the name of a note are open within one.
    let mut notes: Option<usize> = None;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let end = tag[1..].find(['<', '>']).map_or(tag.len(), |end| end + 1);
        let name: &str = tag[1..end].split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        let is_empty = tag[..end].ends_with('/') && tag[end..].starts_with('>');
        // The figure of a note stands in no sentence.
        if name == "a"
            && tag[..end].contains("noteref")
            && let Some(close) = tag.as_bytes()[..tag.len().min(MAX_NOTEREF)].windows(4).position(|end| end == b"</a>")
        {
            rest = &tag[close + "</a>".len()..];
            continue;
        }
        let name = if tag.starts_with("</aside") { "/aside" } else { name };
        if name == "aside" || name == "/aside" {
            let is_note = ["footnote", "endnote", "rearnote"].iter().any(|kind| tag[..end].contains(kind));
            let before_is_note = notes.is_some();
            notes = match (notes, name) {
                (None, "aside") if is_note && !is_empty => Some(0),
                (Some(open), "aside") if !is_empty => Some(open + 1),
                (Some(0), "/aside") => None,
                (Some(open), "/aside") => Some(open - 1),
                (notes, _) => notes,
            };
            if before_is_note != notes.is_some() {
                out.push_str(if notes.is_some() { "<div" } else { "</div" });
                rest = &tag[end..];
                continue;
            }
        }
        if is_empty && name.starts_with(|c: char| c.is_ascii_alphabetic()) && !VOID.contains(&name) {
            out.push_str(tag[..end].trim_end_matches('/'));
            out.push_str("></");
            out.push_str(name);
        } else {
            out.push_str(&tag[..end]);
        }
        rest = &tag[end..];
    }
    out.push_str(rest);
    out
}

#[derive(Debug)]
struct Item {
    href: String,
    is_page: bool,
    is_contents: bool,
}

/// The package file: what the book says of itself, its parts and their order.
#[derive(Default)]
struct Opf {
    is_package: bool,
    open: Option<Element>,
    words: String,
    facts: Declared,
    manifest: BTreeMap<String, Item>,
    spine: Vec<String>,
}

/// The most entries of a manifest or a spine that are kept.
const MAX_ITEMS: usize = 100_000;

impl Opf {
    fn take(&mut self, event: Event) {
        match event {
            Event::Open(element) => {
                let value = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
                match element.name.as_str() {
                    "package" => self.is_package = true,
                    "item" if self.manifest.len() < MAX_ITEMS => {
                        let kind = value("media-type");
                        let item = Item {
                            href: value("href"),
                            is_page: kind.contains("html") || kind == "text/x-oeb1-document",
                            is_contents: value("properties").split_whitespace().any(|word| word == "nav"),
                        };
                        self.manifest.insert(value("id"), item);
                    }
                    "itemref" if self.spine.len() < MAX_ITEMS => self.spine.push(value("idref")),
                    _ => {}
                }
                self.words.clear();
                self.open = Some(element);
            }
            Event::Text(words) => self.words.push_str(&words),
            Event::Close(name) => {
                if let Some(element) = self.open.take()
                    && element.name == name
                {
                    self.fact(&element);
                }
            }
        }
    }

    fn fact(&mut self, element: &Element) {
        let words = self.words.trim();
        if words.is_empty() {
            return;
        }
        let field = match element.name.as_str() {
            "title" => &mut self.facts.title,
            "creator" if element.attribute("role").is_none_or(|role| role == "aut") => &mut self.facts.byline,
            "publisher" => &mut self.facts.publisher,
            "date" if element.attribute("event").is_none_or(|event| event == "publication") => &mut self.facts.date,
            _ => return,
        };
        field.get_or_insert_with(|| words.to_owned());
    }

    /// Returns what the book says; a name in other letters is a program's or a scanner's.
    fn declared(&self) -> Declared {
        let arabic = |name: &String| name.chars().any(is_arabic_letter);
        let facts = self.facts.clone();
        Declared { byline: facts.byline.filter(arabic), publisher: facts.publisher.filter(arabic), ..facts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_within_the_book() {
        assert_eq!(resolved("EPUB/book.opf", "text/c%201.xhtml#a").as_deref(), Some("EPUB/text/c 1.xhtml"));
        assert_eq!(resolved("EPUB/book.opf", "../x.xhtml").as_deref(), Some("x.xhtml"));
        assert_eq!(resolved("EPUB/book.opf", "../../etc/passwd"), None);
    }

    #[test]
    fn empty_elements_are_closed_and_void_ones_left() {
        assert_eq!(
            closed("<title/><br/><a id='x' />a < b <p>c</p><script src=\"y\"/>"),
            "<title></title><br/><a id='x' ></a>a < b <p>c</p><script src=\"y\"></script>"
        );
        assert_eq!(
            closed("<aside epub:type=\"footnote\" id='1'><p>أ</p><aside>ب</aside></aside><aside>ج</aside>"),
            "<div><p>أ</p><aside>ب</aside></div><aside>ج</aside>"
        );
        assert_eq!(closed("أ<sup><a epub:type=\"noteref\" href=\"#1\">1</a></sup>، ب"), "أ<sup></sup>، ب");
        assert_eq!(closed("<"), "<");
    }

    #[test]
    fn what_the_book_says_of_itself() {
        let mut opf = Opf::default();
        let text = "<package xmlns:dc='d'><metadata><dc:title>عنوان</dc:title><dc:creator opf:role='edt'>محرر</dc:creator>\
            <dc:creator>calibre</dc:creator><dc:date opf:event='modification'>2026-01-01</dc:date><dc:date>2025-02-16</dc:date></metadata>\
            <manifest><item id='n' href='n' media-type='application/xhtml+xml' properties='nav'/></manifest><spine><itemref idref='n'/></spine></package>";
        xml::read(text, "x", |event| opf.take(event)).unwrap();
        let declared = opf.declared();
        assert_eq!((declared.title.as_deref(), declared.byline.as_deref()), (Some("عنوان"), None));
        assert_eq!(declared.date.as_deref(), Some("2025-02-16"));
        assert!(opf.manifest["n"].is_contents && opf.spine == ["n"]);
    }
}

//! The reader of Word documents (`.docx`): paragraphs, headings, lists, tables and notes of the main part.
//!
//! In: the bytes of the package. Out: a [`Document`]. `style` says what paragraphs of a style are, `body` reads the main
//! part, `package` and `xml` stand guard. Headers, footers and comments are in parts of their own, which
//! are not read. Source: ECMA-376 part 1 (WordprocessingML), in its transitional form too.

mod body;
mod style;

pub(super) use style::{Part, named};

use super::flow::Flow;
use super::package::Package;
use super::xml::{self, Event};
use super::{Declared, Document, Error, Fault, ReadOptions, Reader, Sheet, credit};
use crate::source::{Kind, SourceFile};

/// Reads Word documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct DocxReader;

/// Where the main part is, where the package's relations do not say so.
const USUAL: &str = "word/document.xml";

impl Reader for DocxReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Docx]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let sheet =
            sheet(&file.bytes, options).map_err(|fault| Error::faulty(file, "a Word document (.docx)", fault))?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

fn sheet(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Sheet, Fault> {
    let mut package = Package::open(bytes)?;
    let main = main_part(&mut package)?;
    let folder = main.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let styles = match package.part(&format!("{folder}styles.xml"))? {
        Some(bytes) => style::read(&xml::decode(&bytes))?,
        None => style::Styles::default(),
    };
    let mut flow = Flow::new(options.rules());
    let mut body = body::Body::new(&styles, &mut flow);
    let text = xml::decode(&package.required(&main)?);
    xml::read(&text, &main, |event| body.take(event))?;
    if !body.is_word() {
        return Err(Fault::damaged(format!("{main} holds no body of a Word document")));
    }
    drop(text);
    for (part, wanted) in [("footnotes.xml", "footnote"), ("endnotes.xml", "endnote")] {
        let name = format!("{folder}{part}");
        if let Some(bytes) = package.part(&name)? {
            let mut notes = body::Body::notes(&styles, &mut flow, wanted);
            xml::read(&xml::decode(&bytes), &name, |event| notes.take(event))?;
        }
    }
    let mut warnings = Vec::new();
    match comments(&mut package, &format!("{folder}comments.xml"))? {
        0 => {}
        1 => warnings.push("a comment in its margin is not read".to_owned()),
        count => warnings.push(format!("{count} comments in its margin are not read")),
    }
    let facts = facts(&mut package);
    // The author of a document is who typed it, which the text itself must say of the article.
    let byline = facts.creator.filter(|name| credit::is_name(name) && flow.says(name));
    let lines = flow.lines(facts.title.as_deref(), false);
    let declared = Declared { byline, ..Declared::default() };
    Ok(Sheet { lines, declared, encoding: "UTF-8".to_owned(), warnings })
}

/// Counts the comments, which are about the text and no part of it.
fn comments(package: &mut Package<'_>, name: &str) -> Result<usize, Fault> {
    let mut count = 0;
    if let Some(bytes) = package.part(name)? {
        xml::read(&xml::decode(&bytes), name, |event| {
            count += usize::from(matches!(event, Event::Open(element) if element.name == "comment"));
        })?;
    }
    Ok(count)
}

/// Returns the name of the main part: what the package's relations call its office document, where that is there.
fn main_part(package: &mut Package<'_>) -> Result<String, Fault> {
    let mut target = None;
    if let Some(bytes) = package.part("_rels/.rels")? {
        xml::read(&xml::decode(&bytes), "_rels/.rels", |event| {
            if let Event::Open(element) = event
                && element.name == "Relationship"
                && element.attribute("Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
            {
                target = element.attribute("Target").map(|name| name.trim_start_matches('/').to_owned());
            }
        })?;
    }
    match target.filter(|name| package.has(name) && !name.ends_with(".rels")) {
        Some(name) if name.starts_with("word/") || !package.has(USUAL) => Ok(name),
        _ if package.has(USUAL) => Ok(USUAL.to_owned()),
        _ if package.has("xl/workbook.xml") => Err(Fault::Other { what: "a spreadsheet (.xlsx), not a text" }),
        _ if package.has("ppt/presentation.xml") => Err(Fault::Other { what: "a presentation (.pptx), not a text" }),
        _ if package.has("content.xml") => Err(Fault::Other { what: "an OpenDocument file (.odt)" }),
        _ if package.has("META-INF/container.xml") => Err(Fault::Other { what: "an electronic book (.epub)" }),
        _ => Err(Fault::damaged(format!("there is no {USUAL} in it"))),
    }
}

/// What the properties say.
#[derive(Default)]
struct Facts {
    title: Option<String>,
    creator: Option<String>,
}

/// Reads the core properties; where they are damaged, the text is read all the same.
fn facts(package: &mut Package<'_>) -> Facts {
    let mut facts = Facts::default();
    let Ok(Some(bytes)) = package.part("docProps/core.xml") else { return facts };
    let mut open = String::new();
    let read = xml::read(&xml::decode(&bytes), "docProps/core.xml", |event| match event {
        Event::Open(element) => open = element.name,
        Event::Close(_) => open.clear(),
        Event::Text(words) => {
            let field = match open.as_str() {
                "title" => &mut facts.title,
                "creator" => &mut facts.creator,
                _ => return,
            };
            field.get_or_insert_default().push_str(&words);
        }
    });
    if read.is_err() { Facts::default() } else { facts }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{Cursor, Write};
    use std::path::Path;

    use super::*;
    use crate::document::BlockKind;

    /// Packs parts into a container.
    pub fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(body: &str, more: &[(&str, &str)]) -> Document {
        let main = format!("<w:document xmlns:w='w'><w:body>{body}</w:body></w:document>");
        let parts: Vec<(&str, &str)> = [(USUAL, main.as_str())].into_iter().chain(more.iter().copied()).collect();
        let file = SourceFile::from_bytes(Path::new("a.docx"), Kind::Docx, packed(&parts)).unwrap();
        DocxReader.read(&file, &ReadOptions::default()).unwrap()
    }

    fn blocks(document: &Document) -> Vec<(BlockKind, &str)> {
        document.blocks.iter().map(|block| (block.kind, document.block_text(block))).collect()
    }

    const SENTENCE: &str = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة كبيرة.";

    #[test]
    fn a_paragraph_of_the_text_in_the_style_of_footers_is_text() {
        let styles = "<w:styles xmlns:w='w'><w:style w:styleId='Footer'><w:name w:val='footer'/></w:style></w:styles>";
        let last = "وقالت إن العمل سيبدأ قريباً في ثلاث مدن من مدن الساحل.";
        let paragraph =
            |style: &str, words: &str| format!("<w:p><w:pPr>{style}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>");
        let body = paragraph("", SENTENCE) + &paragraph("<w:pStyle w:val='Footer'/>", last);
        let document = read(&body, &[("word/styles.xml", styles)]);
        assert_eq!(blocks(&document), [(BlockKind::Paragraph, SENTENCE), (BlockKind::Paragraph, last)]);
    }

    #[test]
    fn what_is_deleted_hidden_or_beside_the_text_stays_out() {
        let notes = "<w:footnotes xmlns:w='w'><w:footnote w:type='separator' w:id='0'><w:p><w:r><w:t>خط</w:t></w:r></w:p></w:footnote>\
                     <w:footnote w:id='1'><w:p><w:r><w:t>تقول الوزارة إن الأرقام مؤقتة وسوف تراجعها في نهاية السنة المقبلة.</w:t></w:r></w:p></w:footnote></w:footnotes>";
        let body = format!(
            "<w:p><w:r><w:t>أعلنت الوزارة </w:t></w:r><w:del><w:r><w:delText>أمس</w:delText></w:r></w:del><w:ins><w:r><w:t>اليوم</w:t></w:r></w:ins>\
             <w:r><w:rPr><w:vanish/></w:rPr><w:t>سر</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t> عن</w:t></w:r>\
             <w:moveFrom><w:r><w:t>ذهب</w:t></w:r></w:moveFrom><w:r><w:footnoteReference w:id='1'/></w:r>\
             <w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText> HYPERLINK x </w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>\
             <w:hyperlink><w:r><w:t> بدء الأش</w:t></w:r></w:hyperlink><w:r><w:fldChar w:fldCharType='end'/></w:r>\
             <w:r><w:softHyphen/><w:t>غال</w:t></w:r><w:r><w:tab/><w:t>في المدينة القديمة بكلفة كبيرة قبل نهاية السنة الجارية.</w:t></w:r></w:p><w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p>"
        );
        let document = read(&body, &[("word/footnotes.xml", notes)]);
        assert_eq!(
            blocks(&document),
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
    fn styles_say_what_a_paragraph_is_whatever_their_ids() {
        let styles = "<w:styles xmlns:w='w'><w:style w:type='paragraph' w:styleId='Titre1'><w:name w:val='heading 1'/></w:style>\
            <w:style w:type='paragraph' w:styleId='My'><w:name w:val='My heading'/><w:basedOn w:val='Titre2'/></w:style>\
            <w:style w:type='paragraph' w:styleId='Titre2'><w:name w:val='heading 2'/></w:style>\
            <w:style w:type='paragraph' w:styleId='Loop'><w:name w:val='x'/><w:basedOn w:val='Loop'/></w:style>\
            <w:style w:type='paragraph' w:styleId='C'><w:name w:val='Quote'/></w:style></w:styles>";
        let p = |style: &str, text: &str| {
            format!("<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
        };
        let list = "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='3'/></w:numPr></w:pPr><w:r><w:t>نقطة أولى من القائمة</w:t></w:r></w:p>";
        let body = [
            p("Titre1", "عنوان المقال عن المشروع"),
            p("Loop", SENTENCE),
            p("My", "ما بعد المشروع"),
            p("Loop", "وقالت الوزارة إن العمل سيبدأ في الأسبوع المقبل في ثلاث مدن:"),
            list.to_owned(),
            p("C", "ننتظر منذ سبع سنوات ولا نرى شيئا."),
            p("Loop", "وأضافت أن الكلفة لن ترتفع قبل نهاية السنة المقبلة في كل المدن."),
        ]
        .concat();
        let document = read(&body, &[("word/styles.xml", styles)]);
        let kinds: Vec<BlockKind> = document.blocks.iter().map(|block| block.kind).collect();
        assert_eq!(
            kinds,
            [
                BlockKind::Title,
                BlockKind::Paragraph,
                BlockKind::Subheading,
                BlockKind::Paragraph,
                BlockKind::ListItem,
                BlockKind::Quote,
                BlockKind::Paragraph
            ]
        );
    }

    #[test]
    fn a_text_box_comes_once_and_in_no_sentence() {
        let inner = "<w:txbxContent><w:p><w:r><w:t>كلام في إطار جانبي عن تاريخ المشروع وما سبقه من قرارات.</w:t></w:r></w:p></w:txbxContent>";
        let body = format!(
            "<w:p><w:r><w:t>أعلنت الوزارة اليوم عن بدء أشغال </w:t></w:r><w:r><mc:AlternateContent xmlns:mc='m'><mc:Choice>{inner}</mc:Choice>\
             <mc:Fallback>{inner}</mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>المشروع الجديد في المدينة.</w:t></w:r></w:p>"
        );
        let document = read(&body, &[]);
        let texts: Vec<&str> = blocks(&document).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "كلام في إطار جانبي عن تاريخ المشروع وما سبقه من قرارات.",
                "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة."
            ]
        );
    }
}

//! The reader of web pages: a saved page becomes lines of which the page's own structure says what they are.
//!
//! In: the bytes of a page. Out: a [`Document`]. Each file here has one step: `charset` what it says of its encoding, `parse`
//! text to a `dom` (by a `sink` behind a `guard`), `runs` its words line by line (with what it hides of its text: `hidden`),
//! `facts` and `json` what it declares, `content` where the article's text is (with how far names are believed: `trust`, and
//! links: `linked`), `sheet` the lines with what they are: `hint` by what stands around them, `picture`, `boxes` and `verse`
//! by place and look, `entries` the times of a running report; `complete` adds what only a script holds
//! (`state`: the data that the page is drawn from); `declared`, `headline` and `section` the facts. Telling the
//! parts of the article apart from these is `page`'s, as for all formats.

mod beside;
mod boxes;
mod charset;
mod class;
mod complete;
mod content;
mod declared;
mod dom;
mod entries;
mod facts;
mod guard;
mod headline;
mod hidden;
mod hint;
mod json;
mod linked;
mod parse;
mod picture;
mod runs;
mod section;
mod sheet;
mod sink;
mod state;
mod table;
mod trust;
mod unstopped;
mod verse;

use super::{Document, Error, ReadOptions, Reader, Sheet};
use crate::source::{Kind, SourceFile, encoding};

/// Reads saved web pages.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlReader;

impl Reader for HtmlReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Html]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let sheet =
            sheet(&file.bytes, None, options).map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

/// Reads a page; `charset` is what its envelope says of its encoding.
pub(super) fn sheet(bytes: &[u8], charset: Option<&str>, options: &ReadOptions<'_>) -> Result<Sheet, encoding::Error> {
    let declared = charset.map(str::to_owned).or_else(|| charset::declared(bytes));
    let decoded = encoding::decode(bytes, options.encoding, declared.as_deref())?;
    let mut sheet = of_text(&decoded.text, options);
    sheet.warnings.splice(0..0, decoded.warnings);
    sheet.encoding = decoded.encoding.to_owned();
    Ok(sheet)
}

/// Running text for the tests of this folder.
#[cfg(test)]
const TEXT: [&str; 6] = [
    "أعلنت وزارة الأشغال يوم الاثنين عن بدء العمل في جسر جديد فوق النهر يربط ضفتي المدينة القديمة.",
    "وقال المهندس المشرف إن الأشغال ستستمر عامين، وإن الكلفة تبلغ عشرين مليون دينار من موازنة البلدية.",
    "ويشكو سكان الحي الغربي من الزحام الذي يمتد كل صباح من الساحة حتى محطة القطار وما بعدها.",
    "وكان الجسر القديم قد أغلق قبل ثلاثة أعوام بعد أن ظهرت في أعمدته شقوق لم يعرف سببها حتى اليوم.",
    "وتنتظر لجنة من الجامعة نتائج الفحص لتقرر إن كان يصلح للمشاة أم يهدم مع نهاية الصيف المقبل.",
    "وختم المهندس بأن الضفتين ستعودان ضفة واحدة، على حد تعبيره، قبل أن ينتهي العقد الحالي من القرن.",
];

/// The most frames of a page that are looked at.
pub(super) const MAX_FRAMES: usize = 50;

/// Says how much running text stands in the frames that were saved with a page, where it is a good part of all: frames are
/// pages of others as a rule, and are not read.
pub(super) fn frames(page: &Sheet, frames: &[(Vec<u8>, Option<String>)], options: &ReadOptions<'_>) -> Option<String> {
    const RUNNING: usize = 12;
    const SHARE: usize = 5;
    let words = |sheet: &Sheet| -> usize {
        let lines = sheet.lines.iter().map(|line| line.text.split_whitespace().count());
        lines.filter(|&words| words >= RUNNING).sum()
    };
    let read =
        frames.iter().take(MAX_FRAMES).filter_map(|(bytes, charset)| sheet(bytes, charset.as_deref(), options).ok());
    let held: usize = read.map(|sheet| words(&sheet)).sum();
    (held > 0 && held * SHARE > words(page) + held)
        .then(|| format!("running text in a frame of the page is not read ({held} words): save the frame by itself"))
}

/// Reads the text of a page, or a piece of one.
pub(super) fn of_text(text: &str, options: &ReadOptions<'_>) -> Sheet {
    let parsed = parse::parse(text);
    let mut sheet = sheet::sheet(&parsed.dom, options.rules());
    if parsed.cut {
        sheet.warnings.push(format!(
            "the page has more than {} elements and pieces of text; what comes after them was not read",
            parse::MAX_NODES
        ));
    }
    sheet
}

//! The reader of web archives: pages saved by Safari.
//!
//! In: a property list with `WebMainResource` (Apple's `WebKit`, `WebArchive`). Out: the [`Document`] of its page; pictures
//! are passed over, and frames but for a warning where they hold much of the text. The list, binary or XML, is plist's to read, event by event: in a binary list one object may stand
//! in many places, and a tree of it all can be exponentially larger than the file.

use std::io::Cursor;
use std::panic::catch_unwind;

use plist::stream::{Event, Reader as Events};

use super::{Document, Error, ReadOptions, Reader, html};
use crate::source::{Kind, SourceFile};

/// The most events of a list that are looked at: a saved page has a few for each of its pictures.
const MAX_EVENTS: usize = 500_000;
/// How many times its own size a file may give as data and strings.
const MAX_TIMES: usize = 4;

/// Reads web archives.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebarchiveReader;

impl Reader for WebarchiveReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Webarchive]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let none = |detail: &str| Error::NoPage { path: file.path.clone(), detail: detail.to_owned() };
        // A panic of the parser must not end a run over a folder.
        let main =
            catch_unwind(|| main_resource(&file.bytes)).unwrap_or(Err("it is no property list")).map_err(none)?;
        let kind = main.kind.as_deref().unwrap_or("text/html");
        if !kind.contains("html") {
            return Err(none(&format!("its main part is {kind}")));
        }
        let data = main.data.ok_or_else(|| none("its main part has no data"))?;
        let mut sheet = html::sheet(&data, main.charset.as_deref(), options)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        sheet.warnings.extend(html::frames(&sheet, &main.frames, options));
        Document::of_sheet(sheet, &file.path, options)
    }
}

/// The page among the resources.
#[derive(Default)]
struct Main {
    data: Option<Vec<u8>>,
    kind: Option<String>,
    charset: Option<String>,
    /// The main resources of its frames, and of theirs.
    frames: Vec<(Vec<u8>, Option<String>)>,
}

/// Finds the main resource of a list: a dictionary in the outermost one.
fn main_resource(bytes: &[u8]) -> Result<Main, &'static str> {
    let mut main: Option<Main> = None;
    let mut frames: Vec<(Vec<u8>, Option<String>)> = Vec::new();
    // How many collections are open around the main resource that is being read, of the page or of a frame.
    let mut resource: Option<usize> = None;
    // Keys and values take turns in a dictionary: the key that waits for its value, for each one that is open.
    let mut open: Vec<Option<Option<String>>> = Vec::new();
    let (mut seen, mut taken) = (0usize, 0usize);
    for event in Events::new(Cursor::new(bytes)) {
        let event = event.map_err(|_| "it is no property list")?;
        seen += 1;
        taken += match &event {
            Event::Data(data) => data.len(),
            Event::String(text) => text.len(),
            _ => 0,
        };
        if seen > MAX_EVENTS || taken > bytes.len().saturating_mul(MAX_TIMES) {
            return Err("its parts stand in it over and over");
        }
        let inside = resource.is_some_and(|depth| open.len() == depth + 1);
        let key = match open.last_mut() {
            Some(Some(waiting @ None)) => {
                if let Event::String(key) = &event {
                    *waiting = Some(key.clone().into_owned());
                    continue;
                }
                None
            }
            Some(Some(waiting)) => waiting.take(),
            _ => None,
        };
        match event {
            Event::StartDictionary(_) => {
                if key.as_deref() == Some("WebMainResource") {
                    resource = Some(open.len());
                    if open.len() == 1 {
                        main = Some(Main::default());
                    }
                }
                open.push(Some(None));
            }
            Event::StartArray(_) => open.push(None),
            Event::EndCollection => {
                if inside {
                    resource = None;
                }
                open.pop();
            }
            value if inside && open.len() == 2 => take(main.get_or_insert_default(), key.as_deref(), value),
            Event::Data(data)
                if inside && key.as_deref() == Some("WebResourceData") && frames.len() < html::MAX_FRAMES =>
            {
                frames.push((data.into_owned(), None));
            }
            _ => {}
        }
    }
    let main = main.ok_or("it has no WebMainResource")?;
    Ok(Main { frames, ..main })
}

fn take(main: &mut Main, key: Option<&str>, value: Event<'_>) {
    match (key, value) {
        (Some("WebResourceData"), Event::Data(data)) => main.data = Some(data.into_owned()),
        (Some("WebResourceMIMEType"), Event::String(kind)) => main.kind = Some(kind.into_owned()),
        (Some("WebResourceTextEncodingName"), Event::String(name)) => main.charset = Some(name.into_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>";

    #[test]
    fn the_main_resource_is_found_wherever_it_stands() {
        let list = format!(
            "{HEAD}<key>WebSubresources</key><array><dict><key>WebResourceData</key><data>eA==</data></dict></array>\
             <key>WebMainResource</key><dict><key>WebResourceFrameName</key><string>WebResourceData</string>\
             <key>WebResourceMIMEType</key><string>text/html</string><key>WebResourceTextEncodingName</key>\
             <string>windows-1256</string><key>WebResourceData</key><data>YWI=</data></dict>\
             <key>WebSubframeArchives</key><array><dict><key>WebMainResource</key><dict><key>WebResourceData</key>\
             <data>Y2Q=</data></dict></dict></array></dict></plist>"
        );
        let main = main_resource(list.as_bytes()).unwrap();
        assert_eq!(main.data.as_deref(), Some(&b"ab"[..]));
        assert_eq!(main.frames, [(b"cd".to_vec(), None)]);
        assert_eq!((main.kind.as_deref(), main.charset.as_deref()), (Some("text/html"), Some("windows-1256")));
        assert_eq!(main_resource(format!("{HEAD}</dict></plist>").as_bytes()).err(), Some("it has no WebMainResource"));
        assert_eq!(main_resource(b"<plist>").err(), Some("it is no property list"));
    }

    #[test]
    fn a_list_that_unfolds_without_end_is_refused() {
        // Forty arrays, each of the next one twice; then a string. Offsets and references have a byte each.
        let mut list = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for next in 1..=40u8 {
            offsets.push(list.len() as u8);
            list.extend([0xa2, next, next]);
        }
        offsets.push(list.len() as u8);
        list.extend(b"\x51x");
        let table = list.len() as u64;
        list.extend(&offsets);
        list.extend([0; 6]);
        list.extend([1, 1]);
        list.extend([41u64, 0, table].iter().flat_map(|number| number.to_be_bytes()));
        assert_eq!(main_resource(&list).err(), Some("its parts stand in it over and over"));
    }
}

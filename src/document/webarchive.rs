//! The reader of web archives: pages saved by Safari.
//!
//! In: a property list with `WebMainResource` (Apple's `WebKit`, `WebArchive`). Out: the [`Document`] of its page; pictures and
//! frames are passed over. The list, binary or XML, is plist's to read.

use std::io::Cursor;
use std::panic::catch_unwind;

use plist::Value;

use super::{Document, Error, ReadOptions, Reader, html};
use crate::source::{Kind, SourceFile};

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
        let list = catch_unwind(|| Value::from_reader(Cursor::new(&file.bytes)).ok())
            .ok()
            .flatten()
            .ok_or_else(|| none("it is no property list"))?;
        let main = list.as_dictionary().and_then(|list| list.get("WebMainResource")).and_then(Value::as_dictionary);
        let main = main.ok_or_else(|| none("it has no WebMainResource"))?;
        let kind = main.get("WebResourceMIMEType").and_then(Value::as_string).unwrap_or("text/html");
        if !kind.contains("html") {
            return Err(none(&format!("its main part is {kind}")));
        }
        let data = main.get("WebResourceData").and_then(Value::as_data);
        let data = data.ok_or_else(|| none("its main part has no data"))?;
        let charset = main.get("WebResourceTextEncodingName").and_then(Value::as_string);
        let sheet =
            html::sheet(data, charset, options).map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        Document::of_sheet(sheet, &file.path, options)
    }
}

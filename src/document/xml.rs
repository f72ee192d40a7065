//! The XML of a part of a document, event by event, within bounds.
//!
//! In: the bytes of a part. Out: [`Event`]s with names without prefix. Entities are those of HTML and
//! character references; a document type that declares any is refused: nothing is expanded and nothing fetched.
//! Depth is counted, not recursed into. Source: XML 1.0, fifth edition; the events are quick-xml's.

use encoding_rs::{Encoding, UTF_8};
use quick_xml::escape::resolve_html5_entity;
use quick_xml::events::{BytesStart, Event as Raw};
use quick_xml::{Reader, XmlVersion};

use super::Fault;

/// How deep elements may nest: Word's own files stay under 100, tables in tables included.
const MAX_DEPTH: usize = 2000;

/// A piece of XML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An element opens. An empty element opens and closes.
    Open(Element),
    /// The last open element closes.
    Close(String),
    /// Words.
    Text(String),
}

/// The name of an element and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name without prefix.
    pub name: String,
    /// Its attributes: names without prefix, and values. Only the first few are kept.
    attributes: Vec<(String, String)>,
}

/// How many attributes of an element are looked at: those that the readers ask for stand among the first.
const MAX_ATTRIBUTES: usize = 64;

impl Element {
    /// Returns the value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn of(start: &BytesStart<'_>) -> Self {
        let name = start.local_name().as_ref().to_owned();
        let attributes = start
            .attributes()
            .with_checks(false)
            .filter_map(Result::ok)
            .take(MAX_ATTRIBUTES)
            .map(|attribute| {
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_or_else(|_| attribute.value.to_string(), |v| v.into_owned());
                (attribute.key.local_name().as_ref().to_owned(), value)
            })
            .collect();
        Self { name, attributes }
    }
}

/// Decodes the bytes of a part: by its mark, by what it declares, else as UTF-8.
pub(super) fn decode(bytes: &[u8]) -> String {
    let declared = || {
        let head = &bytes[..bytes.len().min(200)];
        let head = String::from_utf8_lossy(head);
        let label = head.split_once("encoding=")?.1;
        let quote = label.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        Encoding::for_label(label[1..].split(quote).next()?.as_bytes())
    };
    let (encoding, start) = Encoding::for_bom(bytes).unwrap_or_else(|| (declared().unwrap_or(UTF_8), 0));
    encoding.decode_without_bom_handling(&bytes[start..]).0.into_owned()
}

/// Calls a function with each event of a part.
///
/// # Errors
/// Where it is not XML, declares entities or nests too deep; `name` says which part it is.
pub(super) fn read(text: &str, name: &str, mut each: impl FnMut(Event)) -> Result<(), Fault> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut any) = (0usize, false);
    loop {
        let event = reader.read_event().map_err(|error| {
            Fault::damaged(format!("{name} is not XML at byte {}: {error}", reader.error_position()))
        })?;
        match event {
            Raw::Start(start) => {
                depth += 1;
                any = true;
                if depth > MAX_DEPTH {
                    return Err(Fault::limit(format!("{name} nests more than {MAX_DEPTH} elements")));
                }
                each(Event::Open(Element::of(&start)));
            }
            Raw::Empty(start) => {
                any = true;
                let element = Element::of(&start);
                let closed = element.name.clone();
                each(Event::Open(element));
                each(Event::Close(closed));
            }
            Raw::End(end) => {
                depth = depth.saturating_sub(1);
                each(Event::Close(end.local_name().as_ref().to_owned()));
            }
            Raw::Text(words) => each(Event::Text(words.xml10_content().into_owned())),
            Raw::CData(words) => each(Event::Text(words.xml10_content().into_owned())),
            Raw::GeneralRef(reference) => {
                let words = match reference.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    // Books use HTML's entities; one that is not known either is shown as it stands.
                    Ok(None) => {
                        resolve_html5_entity(&reference).map_or_else(|| format!("&{};", &*reference), str::to_owned)
                    }
                    Err(_) => '\u{fffd}'.to_string(),
                };
                each(Event::Text(words));
            }
            Raw::DocType(words) => {
                if words.to_ascii_uppercase().contains("<!ENTITY") {
                    return Err(Fault::Refused { what: format!("{name} declares entities of its own") });
                }
            }
            Raw::Comment(_) | Raw::Decl(_) | Raw::PI(_) => {}
            Raw::Eof if depth > 0 => {
                return Err(Fault::damaged(format!("{name} ends within {depth} open elements")));
            }
            Raw::Eof if !any => return Err(Fault::damaged(format!("{name} is not XML: no element in it"))),
            Raw::Eof => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<String, Fault> {
        let mut out = String::new();
        read(text, "x", |event| match event {
            Event::Open(element) => {
                out.push('(');
                out.push_str(&element.name);
                if let Some(value) = element.attribute("v") {
                    out.push_str(value);
                }
            }
            Event::Close(_) => out.push(')'),
            Event::Text(text) => out.push_str(&text),
        })?;
        Ok(out)
    }

    #[test]
    fn names_lose_their_prefix_and_references_are_resolved() {
        let text =
            "<?xml version='1.0'?><!-- c --><w:a w:v='1&amp;2'>x &lt;&#1576; &laquo;&unknown;<b/><![CDATA[<]]></w:a>";
        assert_eq!(words(text).unwrap(), "(a1&2x <ب «&unknown;(b)<)");
    }

    #[test]
    fn entities_depth_and_damage_are_refused() {
        for (text, what) in [
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>".to_owned(), "declares entities"),
            ("<a>".repeat(MAX_DEPTH + 1), "nests more than"),
            ("<a><b></a>".to_owned(), "not XML"),
            ("<a>".to_owned(), "ends within 1 open"),
            ("words".to_owned(), "no element"),
        ] {
            let error = words(&text).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        assert_eq!(words("<!DOCTYPE html><a/>").unwrap(), "(a)");
    }

    #[test]
    fn parts_are_decoded_by_mark_or_declaration() {
        let text = "<a>نص</a>";
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&utf16), text);
        assert_eq!(decode(text.as_bytes()), text);
        let declared = "<?xml version=\"1.0\" encoding=\"windows-1256\"?><a>نص</a>";
        assert_eq!(decode(&encoding_rs::WINDOWS_1256.encode(declared).0), declared);
    }
}

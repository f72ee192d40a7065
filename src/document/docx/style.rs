//! What paragraphs of a style are, by the style's name.
//!
//! In: the XML of `styles.xml`. Out: a [`Mark`] for each style, through what it is based on. Word keeps the English names of
//! its own styles in the file whatever language it speaks; only their ids are translated.

use std::collections::BTreeMap;

use super::super::Fault;
use super::super::flow::Mark;
use super::super::xml::{self, Event};

/// How far styles are followed through what they are based on.
const MAX_CHAIN: usize = 12;

/// The most styles that are kept.
const MAX_STYLES: usize = 5000;

/// What a style says.
#[derive(Debug, Default, Clone)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    listed: bool,
    hidden: bool,
}

/// The styles of a document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    styles: BTreeMap<String, Style>,
}

/// What a style makes of its paragraphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Part {
    /// Text of some kind.
    Text(Mark),
    /// Nothing of the author's: lines of a table of contents. Headers and footers stand in parts of their own; a paragraph
    /// of the text that only has their style is text.
    Out,
}

impl Styles {
    /// Returns what paragraphs of a style are.
    pub fn part(&self, id: &str) -> Part {
        let mut listed = false;
        for style in self.chain(id) {
            if let Some(part) = named(&style.name) {
                return part;
            }
            if let Some(level) = style.outline {
                return Part::Text(Mark::Heading(level));
            }
            listed |= style.listed;
        }
        // Files without styles, and ids that Word itself gives.
        if !self.styles.contains_key(id)
            && let Some(part) = named(&id.to_ascii_lowercase().replace("heading", "heading "))
        {
            return part;
        }
        Part::Text(if listed { Mark::ListItem } else { Mark::Plain })
    }

    /// Returns whether words of a style are hidden.
    pub fn is_hidden(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.hidden)
    }

    fn chain(&self, id: &str) -> impl Iterator<Item = &Style> {
        let mut next = self.styles.get(id);
        std::iter::from_fn(move || {
            let style = next?;
            next = style.based_on.as_ref().and_then(|id| self.styles.get(id));
            Some(style)
        })
        .take(MAX_CHAIN)
    }
}

/// Returns what the name of a style says: Word's own names, which LibreOffice and Google Docs keep.
pub(in super::super) fn named(name: &str) -> Option<Part> {
    let name = name.trim().to_lowercase().replace("_20_", " ");
    if let Some(level) = name.strip_prefix("heading ") {
        return Some(Part::Text(Mark::Heading(level.trim().parse().unwrap_or(1).clamp(1, 9))));
    }
    if name.starts_with("toc ") || name.starts_with("contents ") || name == "toc heading" {
        return Some(Part::Out);
    }
    Some(match name.as_str() {
        "title" => Part::Text(Mark::Title),
        "quote" | "intense quote" | "quotations" | "block text" | "intensequote" => Part::Text(Mark::Quote),
        "caption" | "figure" | "illustration" => Part::Text(Mark::Caption),
        name if name.starts_with("list bullet")
            || name.starts_with("list number")
            || name.starts_with("listbullet") =>
        {
            Part::Text(Mark::ListItem)
        }
        _ => return None,
    })
}

/// Reads the styles.
pub(super) fn read(text: &str) -> Result<Styles, Fault> {
    let mut styles = BTreeMap::new();
    let mut open: Option<(String, Style)> = None;
    xml::read(text, "word/styles.xml", |event| match event {
        Event::Open(element) => {
            let value = element.attribute("val");
            match (element.name.as_str(), &mut open) {
                ("style", _) => {
                    open = element.attribute("styleId").map(|id| (id.to_owned(), Style::default()));
                }
                ("name", Some((_, style))) => style.name = value.unwrap_or_default().to_owned(),
                ("basedOn", Some((_, style))) => style.based_on = value.map(str::to_owned),
                ("outlineLvl", Some((_, style))) => style.outline = level(value),
                ("numId", Some((_, style))) => style.listed = value.is_some_and(|id| id != "0"),
                ("vanish", Some((_, style))) => style.hidden = is_on(value),
                _ => {}
            }
        }
        Event::Close(name) if name == "style" => {
            if let Some((id, style)) = open.take()
                && styles.len() < MAX_STYLES
            {
                styles.insert(id, style);
            }
        }
        Event::Close(_) | Event::Text(_) => {}
    })?;
    Ok(Styles { styles })
}

/// Returns the level of a heading from an outline level; 9 is running text.
pub(super) fn level(value: Option<&str>) -> Option<u8> {
    value?.parse::<u8>().ok().filter(|&level| level < 9).map(|level| level + 1)
}

/// Returns whether a switch is on: without a value it is.
pub(super) fn is_on(value: Option<&str>) -> bool {
    !matches!(value, Some("0" | "false" | "off"))
}

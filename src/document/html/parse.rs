//! Marks become a tree, within bounds.
//!
//! In: the text of a page. Out: its [`Dom`], and which bound was hit. The grammar is html5ever's (the WHATWG standard,
//! "13.2 Parsing HTML documents"); a [`Guard`] between its tokenizer and its tree builder keeps the tree shallow and small,
//! because the builder searches its stack of open elements for every tag, and a tree of a hundred thousand levels would take
//! it minutes. The tokenizer compares each attribute of a tag with all before it: [`cut_tags`] bounds them first.

use std::borrow::Cow;

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};

use super::dom::Dom;
use super::guard::Guard;
use super::sink::Sink;

/// The most nodes: a page of a million tags with words between them is read in full.
pub(super) const MAX_NODES: usize = 2_100_000;

/// The most attributes of a tag.
pub(super) const MAX_ATTRIBUTES: usize = 200;

/// A tree, and whether the page went on after it.
pub(super) struct Parsed {
    pub dom: Dom,
    /// Whether the page has more nodes than [`MAX_NODES`]; what came after is not in the tree.
    pub cut: bool,
}

/// Parses a page.
pub(super) fn parse(text: &str) -> Parsed {
    let text = cut_tags(text);
    let builder = TreeBuilder::new(Sink::new(), TreeBuilderOpts { drop_doctype: true, ..TreeBuilderOpts::default() });
    let guard = Guard::new(builder);
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&text));
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    let (cut, nodes) = tokenizer.sink.finish();
    Parsed { dom: Dom::new(nodes), cut }
}

/// Takes the attributes away that stand after the first [`MAX_ATTRIBUTES`] of a tag; scripts and comments stay as they are.
fn cut_tags(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(open) = memchr(b'<', bytes, at) {
        at = open + 1;
        let Some(&first) = bytes.get(at) else { break };
        if bytes[at..].starts_with(b"!--") {
            at = text[at..].find("-->").map_or(bytes.len(), |end| at + end + 3);
            continue;
        }
        if !first.is_ascii_alphabetic() {
            continue;
        }
        let name_end = bytes[at..].iter().position(|b| !b.is_ascii_alphanumeric()).map_or(bytes.len(), |n| at + n);
        let name = &bytes[at..name_end.min(at + 10)];
        let (mut gaps, mut cut_from, mut quote) = (0usize, None, 0u8);
        let mut end = name_end;
        while end < bytes.len() {
            let b = bytes[end];
            if quote != 0 {
                if b == quote {
                    quote = 0;
                }
            } else if b == b'>' {
                break;
            } else if matches!(b, b'"' | b'\'') && bytes[..end].trim_ascii_end().ends_with(b"=") {
                quote = b;
            } else if b.is_ascii_whitespace() || b == b'/' || matches!(b, b'"' | b'\'') {
                gaps += 1;
                if gaps == MAX_ATTRIBUTES * 4 {
                    cut_from = Some(end);
                }
            }
            end += 1;
        }
        if let Some(from) = cut_from {
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[copied..from]);
            copied = end;
        }
        at = end;
        for raw in ["script", "style"] {
            if name.eq_ignore_ascii_case(raw.as_bytes()) {
                at = end_of_raw(bytes, end, raw);
            }
        }
    }
    match out {
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

fn memchr(wanted: u8, bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|&b| b == wanted).map(|at| from + at)
}

/// Returns where the end tag of a script or a style sheet starts.
fn end_of_raw(bytes: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(open) = memchr(b'<', bytes, at) {
        let rest = &bytes[open + 1..];
        if rest.first() == Some(&b'/')
            && rest.get(1..=name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()))
        {
            return open;
        }
        at = open + 1;
    }
    bytes.len()
}

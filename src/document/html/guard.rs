//! What of a page's tags reaches the builder of its tree, so that the tree stays shallow and small.
//!
//! In: the tokens of html5ever's tokenizer. Out: those that html5ever's tree builder is given: the same without elements that
//! stand too deep and without attributes that nobody asks for. A block that is left out leaves a line break.

use std::cell::{Cell, RefCell};

use html5ever::LocalName;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::TreeBuilder;

use super::dom::{Id, Node, is_block};
use super::parse::MAX_NODES;
use super::sink::Sink;

/// The most levels that a tree has: pages of news have 20 to 60, browsers cut at 512.
const MAX_DEPTH: usize = 200;

/// The most levels of `<b>`, `<font>` and the like: old editors left them open by the hundred.
const MAX_INLINE: usize = 40;

/// The most bytes of an attribute that are kept; links are not needed in full.
const MAX_VALUE: usize = 4096;

/// How many tags keep the attributes of `<b>` and the like: past that, elements that differ by them would pile up.
const PLAIN_AFTER: usize = 20_000;

/// The attributes that are asked for somewhere.
const KEPT: &[&str] = &[
    "class",
    "id",
    "style",
    "href",
    "rel",
    "content",
    "name",
    "property",
    "itemprop",
    "itemtype",
    "itemscope",
    "datetime",
    "hidden",
    "aria-hidden",
    "lang",
    "dir",
    "role",
    "type",
    "charset",
    "http-equiv",
    "typeof",
    "title",
    "border",
    "colspan",
    "alt",
    "aria-label",
    "open",
    "align",
    "aria-current",
    "shadowrootmode",
    "data-component",
    "data-testid",
];

/// Stands between tokenizer and tree builder, and lets no more through than the bounds allow.
pub(super) struct Guard {
    builder: TreeBuilder<Id, Sink>,
    /// The elements that are open, as far as tags tell.
    open: RefCell<Vec<LocalName>>,
    /// Those that were too deep, whose end tags must not close others.
    skipped: RefCell<Vec<LocalName>>,
    tags: Cell<usize>,
    full: Cell<bool>,
}

impl Guard {
    /// Guards a builder.
    pub fn new(builder: TreeBuilder<Id, Sink>) -> Self {
        Self {
            builder,
            open: RefCell::new(Vec::new()),
            skipped: RefCell::new(Vec::new()),
            tags: Cell::new(0),
            full: Cell::new(false),
        }
    }

    /// Returns whether the tree is full, and takes its nodes out.
    pub fn finish(&self) -> (bool, Vec<Node>) {
        (self.full.get(), self.builder.sink.take())
    }
}

impl TokenSink for Guard {
    type Handle = Id;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Id> {
        if self.full.get() && token != Token::EOFToken {
            return TokenSinkResult::Continue;
        }
        self.full.set(self.builder.sink.size() >= MAX_NODES);
        match token {
            TagToken(tag) => match self.allowed(tag) {
                Some(tag) => self.builder.process_token(TagToken(tag), line),
                None => TokenSinkResult::Continue,
            },
            Token::CommentToken(_) | Token::ParseError(_) | Token::NullCharacterToken => TokenSinkResult::Continue,
            other => self.builder.process_token(other, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

impl Guard {
    /// Returns the tag that is given to the builder: the same with fewer attributes, a line break, or none.
    fn allowed(&self, mut tag: Tag) -> Option<Tag> {
        let mut open = self.open.borrow_mut();
        let mut skipped = self.skipped.borrow_mut();
        if tag.kind == EndTag {
            if skipped.last() == Some(&tag.name) {
                skipped.pop();
                return is_block(&tag.name).then(|| line_break(tag));
            }
            if let Some(at) = open.iter().rposition(|name| *name == tag.name) {
                open.truncate(at);
            }
            return Some(tag);
        }
        self.tags.set(self.tags.get() + 1);
        let inline = is_formatting(&tag.name);
        tag.attrs.retain(|a| KEPT.contains(&&*a.name.local) && !(inline && self.tags.get() > PLAIN_AFTER));
        for attribute in &mut tag.attrs {
            if attribute.value.len() > MAX_VALUE {
                let cut = attribute.value.floor_char_boundary(MAX_VALUE);
                attribute.value = StrTendril::from_slice(&attribute.value[..cut]);
            }
        }
        if is_void(&tag.name) {
            return Some(tag);
        }
        if let Some(scope) = implied_end(&tag.name) {
            let start = open.iter().rposition(|name| scope.contains(&&**name)).map_or(0, |at| at + 1);
            if let Some(at) = open[start..].iter().position(|name| *name == tag.name) {
                open.truncate(start + at);
            }
        }
        let deep =
            open.len() >= MAX_DEPTH || (inline && open.iter().filter(|name| is_formatting(name)).count() >= MAX_INLINE);
        let raw = matches!(
            &*tag.name,
            "script" | "style" | "title" | "textarea" | "noscript" | "iframe" | "noembed" | "noframes" | "xmp"
        );
        if deep && !raw {
            if skipped.len() < MAX_NODES {
                skipped.push(tag.name.clone());
            }
            return is_block(&tag.name).then(|| line_break(tag));
        }
        open.push(tag.name.clone());
        Some(tag)
    }
}

fn line_break(tag: Tag) -> Tag {
    Tag { kind: StartTag, name: LocalName::from("br"), attrs: Vec::new(), ..tag }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
            | "span"
    )
}

/// Returns, for elements whose end tag may be left out, what they cannot reach out of.
fn implied_end(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "p" => &["div", "td", "th", "table", "li", "body", "section", "article", "blockquote"],
        "li" => &["ul", "ol", "menu", "dir"],
        "td" | "th" => &["tr", "table"],
        "tr" => &["table"],
        "tbody" | "thead" | "tfoot" => &["table"],
        "dt" | "dd" => &["dl"],
        "option" => &["select"],
        _ => return None,
    })
}

//! Marks become a tree, within bounds.
//!
//! In: the text of a page. Out: its [`Dom`], and which bound was hit. The grammar is html5ever's (the WHATWG standard,
//! "13.2 Parsing HTML documents"); a guard between its tokenizer and its tree builder keeps the tree shallow and small,
//! because the builder searches its stack of open elements for every tag, and a tree of a hundred thousand levels would take
//! it minutes. The tokenizer compares each attribute of a tag with all before it: [`cut_tags`] bounds them first.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::fmt;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, LocalName, Namespace, QualName, TokenizerResult};

use super::dom::{Data, Dom, Id, NONE, Node, is_block};

/// The most levels that a tree has: pages of news have 20 to 60, browsers cut at 512.
const MAX_DEPTH: usize = 200;

/// The most levels of `<b>`, `<font>` and the like: old editors left them open by the hundred.
const MAX_INLINE: usize = 40;

/// The most nodes: a page of a million tags with words between them is read in full.
pub(super) const MAX_NODES: usize = 2_100_000;

/// The most attributes of a tag, and the most bytes of one that are kept; links are not needed in full.
const MAX_ATTRIBUTES: usize = 200;
const MAX_VALUE: usize = 4096;

/// How many tags keep the attributes of `<b>` and the like: past that, elements that differ by them would pile up.
const PLAIN_AFTER: usize = 20_000;

/// The attributes that are asked for somewhere.
const KEPT: &[&str] = &[
    "class", "id", "style", "href", "rel", "content", "name", "property", "itemprop", "itemtype", "itemscope", "datetime",
    "hidden", "aria-hidden", "lang", "dir", "role", "type", "charset", "http-equiv", "typeof", "title", "border", "colspan",
    "alt", "aria-label", "open", "data-component", "data-testid",
];

/// A tree, and whether the page went on after it.
pub(super) struct Parsed {
    pub dom: Dom,
    /// Whether the page has more nodes than [`MAX_NODES`]; what came after is not in the tree.
    pub cut: bool,
}

/// Parses a page.
pub(super) fn parse(text: &str) -> Parsed {
    let text = cut_tags(text);
    let builder = TreeBuilder::new(
        Sink { nodes: RefCell::new(vec![node(Data::Nothing)]) },
        TreeBuilderOpts { drop_doctype: true, ..TreeBuilderOpts::default() },
    );
    let guard = Guard {
        builder,
        open: RefCell::new(Vec::new()),
        skipped: RefCell::new(Vec::new()),
        tags: Cell::new(0),
        full: Cell::new(false),
    };
    let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&text));
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    let cut = tokenizer.sink.full.get();
    let nodes = tokenizer.sink.builder.sink.nodes.take();
    Parsed { dom: Dom { nodes }, cut }
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

fn node(data: Data) -> Node {
    Node { parent: NONE, first: NONE, last: NONE, prev: NONE, next: NONE, data }
}

/// Stands between tokenizer and tree builder, and lets no more through than the bounds allow.
struct Guard {
    builder: TreeBuilder<Id, Sink>,
    /// The elements that are open, as far as tags tell.
    open: RefCell<Vec<LocalName>>,
    /// Those that were too deep, whose end tags must not close others.
    skipped: RefCell<Vec<LocalName>>,
    tags: Cell<usize>,
    full: Cell<bool>,
}

impl TokenSink for Guard {
    type Handle = Id;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Id> {
        if self.full.get() && token != Token::EOFToken {
            return TokenSinkResult::Continue;
        }
        self.full.set(self.builder.sink.nodes.borrow().len() >= MAX_NODES);
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
        let deep = open.len() >= MAX_DEPTH
            || (inline && open.iter().filter(|name| is_formatting(name)).count() >= MAX_INLINE);
        let raw = matches!(&*tag.name, "script" | "style" | "title" | "textarea" | "noscript" | "iframe" | "noembed" | "noframes" | "xmp");
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
        "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "param" | "source" | "track" | "wbr"
    )
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u" | "span"
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

/// Holds the tree while it grows.
struct Sink {
    nodes: RefCell<Vec<Node>>,
}

struct Named<'s>(Ref<'s, QualName>);

impl fmt::Debug for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ElemName for Named<'_> {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Sink {
    fn add(&self, data: Data) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node(data));
        Id::try_from(nodes.len() - 1).expect("the guard stops long before")
    }

    fn detach(&self, id: Id) {
        let nodes = &mut *self.nodes.borrow_mut();
        let Node { parent, prev, next, .. } = nodes[id as usize];
        if parent == NONE {
            return;
        }
        match prev {
            NONE => nodes[parent as usize].first = next,
            prev => nodes[prev as usize].next = next,
        }
        match next {
            NONE => nodes[parent as usize].last = prev,
            next => nodes[next as usize].prev = prev,
        }
        let node = &mut nodes[id as usize];
        (node.parent, node.prev, node.next) = (NONE, NONE, NONE);
    }

    /// Puts a node under a parent, before `next` or last.
    fn insert(&self, parent: Id, id: Id, next: Id) {
        self.detach(id);
        let nodes = &mut *self.nodes.borrow_mut();
        let prev = if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].prev };
        let node = &mut nodes[id as usize];
        (node.parent, node.prev, node.next) = (parent, prev, next);
        match prev {
            NONE => nodes[parent as usize].first = id,
            prev => nodes[prev as usize].next = id,
        }
        match next {
            NONE => nodes[parent as usize].last = id,
            next => nodes[next as usize].prev = id,
        }
    }

    fn put(&self, parent: Id, child: NodeOrText<Id>, next: Id) {
        match child {
            NodeOrText::AppendNode(id) => self.insert(parent, id, next),
            NodeOrText::AppendText(text) => {
                let before = {
                    let nodes = self.nodes.borrow();
                    if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].prev }
                };
                if before != NONE
                    && let Data::Text(words) = &mut self.nodes.borrow_mut()[before as usize].data
                {
                    words.push_tendril(&text);
                    return;
                }
                let id = self.add(Data::Text(text));
                self.insert(parent, id, next);
            }
        }
    }
}

impl TreeSink for Sink {
    type Handle = Id;
    type Output = ();
    type ElemName<'a> = Named<'a>;

    fn finish(self) {}

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Named<'a> {
        Named(Ref::map(self.nodes.borrow(), |nodes| match &nodes[*target as usize].data {
            Data::Element(name, _) => name,
            _ => unreachable!("the builder asks for the names of elements only"),
        }))
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> Id {
        let attributes = attributes.into_iter().map(|a| (a.name.local, a.value)).collect();
        self.add(Data::Element(name, attributes))
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.add(Data::Nothing)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.add(Data::Nothing)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        self.put(*parent, child, NONE);
    }

    fn append_based_on_parent_node(&self, element: &Id, previous: &Id, child: NodeOrText<Id>) {
        let parent = self.nodes.borrow()[*element as usize].parent;
        if parent == NONE {
            self.put(*previous, child, NONE);
        } else {
            self.put(parent, child, *element);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Id) -> Id {
        // What a template holds is not shown: it may stand where the template does.
        *target
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        let parent = self.nodes.borrow()[*sibling as usize].parent;
        if parent != NONE {
            self.put(parent, child, *sibling);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, attributes: Vec<Attribute>) {
        if let Data::Element(_, own) = &mut self.nodes.borrow_mut()[*target as usize].data {
            for attribute in attributes {
                if own.len() < MAX_ATTRIBUTES && !own.iter().any(|(name, _)| *name == attribute.name.local) {
                    own.push((attribute.name.local, attribute.value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        self.detach(*target);
    }

    fn reparent_children(&self, from: &Id, to: &Id) {
        loop {
            let child = self.nodes.borrow()[*from as usize].first;
            if child == NONE {
                break;
            }
            self.insert(*to, child, NONE);
        }
    }
}

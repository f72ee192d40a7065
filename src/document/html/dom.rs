//! The tree of a page: elements and texts in one vector, linked by number.
//!
//! In: what [`super::parse`] builds. Out: ways through it and the words under a node. A vector instead of boxes: a deep tree
//! is dropped without recursion, and no walk here recurses either.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use html5ever::tendril::StrTendril;
use html5ever::{LocalName, QualName, ns};

/// Numbers a node; 0 is the document.
pub(super) type Id = u32;

/// No node.
pub(super) const NONE: Id = u32::MAX;

/// What a node is.
#[derive(Debug)]
pub(super) enum Data {
    /// The document, or something that holds no words: a comment.
    Nothing,
    /// An element with those of its attributes that are asked for.
    Element(QualName, Vec<(LocalName, StrTendril)>),
    /// Words.
    Text(StrTendril),
}

/// A node and its neighbours.
#[derive(Debug)]
pub(super) struct Node {
    pub parent: Id,
    pub first: Id,
    pub last: Id,
    pub prev: Id,
    pub next: Id,
    pub data: Data,
}

/// A page.
#[derive(Debug)]
pub(super) struct Dom {
    pub nodes: Vec<Node>,
    /// What the headline or the main part of the page stands in, once asked for.
    main: OnceCell<BTreeSet<Id>>,
}

/// One step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a node, before its children.
    In(Id),
    /// Out of it, after them.
    Out(Id),
}

/// How many headlines and main parts of a page are looked for.
const MAX_MAIN: usize = 50;

impl Dom {
    /// Makes a page of its nodes.
    pub fn new(nodes: Vec<Node>) -> Self {
        Self { nodes, main: OnceCell::new() }
    }

    /// Returns whether a headline, an article or the main part of the page stands in a node.
    pub fn holds_main(&self, id: Id) -> bool {
        let main = self.main.get_or_init(|| {
            let heads = self.all(0).filter(|&id| matches!(self.name(id), "h1" | "article" | "main")).take(MAX_MAIN);
            heads.flat_map(|id| self.ancestors(id)).collect()
        });
        main.contains(&id)
    }

    /// Returns an element's name; empty for what is none and for parts of pictures (SVG) and formulas.
    pub fn name(&self, id: Id) -> &str {
        match self.nodes.get(id as usize).map(|node| &node.data) {
            Some(Data::Element(name, _)) if name.ns == ns!(html) => &name.local,
            Some(Data::Element(..)) => "svg",
            _ => "",
        }
    }

    /// Returns the value of an attribute.
    pub fn attribute(&self, id: Id, name: &str) -> Option<&str> {
        match self.nodes.get(id as usize).map(|node| &node.data) {
            Some(Data::Element(_, attributes)) => {
                attributes.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
            }
            _ => None,
        }
    }

    /// Returns the words that a node itself holds.
    pub fn own_text(&self, id: Id) -> Option<&str> {
        match &self.nodes[id as usize].data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the parent, where there is one.
    pub fn parent(&self, id: Id) -> Option<Id> {
        Some(self.nodes[id as usize].parent).filter(|&parent| parent != NONE)
    }

    /// Returns the parent, its parent and so on.
    pub fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.parent(id), |&at| self.parent(at))
    }

    /// Walks through a node and all under it.
    pub fn walk(&self, root: Id) -> Walk<'_> {
        Walk { dom: self, root, next: Some(Step::In(root)) }
    }

    /// Returns a node and all under it, in the order of the page.
    pub fn all(&self, root: Id) -> impl Iterator<Item = Id> {
        self.walk(root).filter_map(|step| match step {
            Step::In(id) => Some(id),
            Step::Out(_) => None,
        })
    }

    /// Returns whether one node is another or stands under it.
    pub fn is_under(&self, id: Id, above: Id) -> bool {
        id == above || self.ancestors(id).any(|at| at == above)
    }

    /// Returns the lowest node that two stand under.
    pub fn joint(&self, one: Id, other: Id) -> Id {
        let above: Vec<Id> = std::iter::once(one).chain(self.ancestors(one)).collect();
        std::iter::once(other).chain(self.ancestors(other)).find(|at| above.contains(at)).unwrap_or(0)
    }

    /// Returns the words under a node with single spaces; elements that hold no words of the page are left out.
    pub fn text(&self, root: Id) -> String {
        let mut out = String::new();
        let mut walk = self.walk(root);
        while let Some(step) = walk.next() {
            let Step::In(id) = step else { continue };
            if is_silent(self.name(id)) {
                walk.pass();
            } else if let Some(text) = self.own_text(id) {
                out.push_str(text);
            } else if self.name(id) == "br" || is_block(self.name(id)) {
                out.push(' ');
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A walk through a tree.
pub(super) struct Walk<'d> {
    dom: &'d Dom,
    root: Id,
    next: Option<Step>,
}

impl Walk<'_> {
    /// Passes over what stands under the node that was stepped into last.
    pub fn pass(&mut self) {
        if let Some(step) = self.next {
            let inside = match step {
                Step::In(id) => self.dom.nodes[id as usize].parent,
                Step::Out(id) => id,
            };
            self.next = Some(Step::Out(inside));
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let step = self.next?;
        self.next = match step {
            Step::In(id) => match self.dom.nodes[id as usize].first {
                NONE => Some(Step::Out(id)),
                child => Some(Step::In(child)),
            },
            Step::Out(id) if id == self.root => None,
            Step::Out(id) => match self.dom.nodes[id as usize].next {
                NONE => Some(Step::Out(self.dom.nodes[id as usize].parent)),
                next => Some(Step::In(next)),
            },
        };
        Some(step)
    }
}

/// Returns whether an element holds no words of the page.
pub(super) fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "iframe"
            | "object"
            | "embed"
            | "applet"
            | "video"
            | "audio"
            | "canvas"
            | "map"
            | "select"
            | "datalist"
            | "textarea"
            | "head"
            | "title"
            | "noframes"
            | "noembed"
            | "math"
    )
}

/// Returns whether an element starts a line of its own.
pub(super) fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Returns the level of a heading.
pub(super) fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

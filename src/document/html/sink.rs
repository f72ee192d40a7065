//! The tree of a page while it grows.
//!
//! In: what html5ever's tree builder asks for (its `TreeSink`). Out: [`Node`]s in one vector, linked by number. Nothing here
//! bounds the tree: [`super::guard`] does.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::fmt;
use std::sync::LazyLock;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, ns};

use super::dom::{Data, Id, NONE, Node};
use super::parse::MAX_ATTRIBUTES;

/// The name of a node that has none.
static NAMELESS: LazyLock<QualName> = LazyLock::new(|| QualName::new(None, ns!(html), LocalName::from("")));

fn node(data: Data) -> Node {
    Node { parent: NONE, first: NONE, last: NONE, prev: NONE, next: NONE, data }
}

/// Holds the tree while it grows.
pub(super) struct Sink {
    nodes: RefCell<Vec<Node>>,
}

pub(super) struct Named<'s>(Ref<'s, QualName>);

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
    /// Starts with an empty document.
    pub fn new() -> Self {
        Self { nodes: RefCell::new(vec![node(Data::Nothing)]) }
    }

    /// Returns how many nodes there are.
    pub fn size(&self) -> usize {
        self.nodes.borrow().len()
    }

    /// Takes the nodes out.
    pub fn take(&self) -> Vec<Node> {
        self.nodes.take()
    }

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
            // The builder asks for the names of elements only; if that ever changes, a page must not end the run.
            _ => &*NAMELESS,
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

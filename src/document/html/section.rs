//! The part of the site that an article is in, as the page shows it.
//!
//! In: the runs of a page and its headline. Out: names of sections: the path through the site, the link right over the
//! headline, the entry of the menu that is marked as the current one. What the page declares goes before these.

use super::class;
use super::dom::{Dom, Id};
use super::headline::Found;
use super::runs::Run;
use super::sheet::Page;
use crate::document::furniture;
use crate::document::line::{Line, key};

/// What the names of an element say that marks the current entry of a menu.
const CURRENT: &[&[&str]] = &[
    &["active"],
    &["current"],
    &["selected"],
    &["is", "active"],
    &["is", "current"],
    &["is", "selected"],
    &["current", "menu", "item"],
    &["current", "menu", "parent"],
    &["current", "menu", "ancestor"],
    &["current", "post", "parent"],
    &["current", "post", "ancestor"],
    &["menu", "item", "active", "trail"],
    &["active", "trail"],
    &["menu", "active"],
    &["nav", "active"],
    &["item", "active"],
];

/// The most words of a section's name.
const MAX_WORDS: usize = 4;

impl Page<'_> {
    /// Returns the last step of the path through the site that stands over the headline.
    pub(super) fn crumb(&self, found: &Found) -> Option<String> {
        let title = key(&found.text);
        let crumbs: Vec<&Run> = self
            .runs
            .iter()
            .filter(|run| {
                std::iter::once(run.block).chain(self.dom.ancestors(run.block)).take(4).any(|at| {
                    let named = ["class", "id", "aria-label"].iter().any(|name| {
                        self.dom.attribute(at, name).is_some_and(|names| {
                            let names = names.to_ascii_lowercase();
                            names.contains("crumb") || names.contains("pathway")
                        })
                    });
                    named || self.dom.attribute(at, "itemtype").is_some_and(|kind| kind.ends_with("/BreadcrumbList"))
                })
            })
            .take(12)
            .collect();
        let steps: Vec<String> = crumbs
            .iter()
            .flat_map(|run| if run.pieces.is_empty() { std::slice::from_ref(&run.text) } else { &run.pieces[..] })
            .flat_map(|text| text.split(['/', '>', '»', '›', '|', '\\', '←', '«', '<', '→']))
            .map(|step| step.trim().to_owned())
            .filter(|step| !step.is_empty() && key(step) != title && step.chars().any(char::is_alphabetic))
            .collect();
        (steps.len() >= 2).then(|| steps.last().cloned()).flatten()
    }

    /// Returns the link that stands alone right over the headline, the first where there are several.
    pub(super) fn over_headline(&self, found: &Found) -> Option<String> {
        let title = found.runs.as_ref()?.start;
        let run = &self.runs[title.checked_sub(1)?];
        let beside = self.dom.joint(run.block, self.runs[title].block);
        let near = self.dom.ancestors(self.runs[title].block).take(3).any(|at| at == beside)
            && !matches!(self.dom.name(beside), "" | "body" | "html")
            && !self.content.is_furniture(self.dom, run.block, None)
            && !is_in_menu(self.dom, run.block);
        let name = run.pieces.first().unwrap_or(&run.text);
        let leads =
            |id: Id| self.dom.attribute(id, "href").is_some_and(|to| !to.starts_with(['#']) && !to.starts_with("java"));
        let mut around = self.dom.ancestors(run.first).take(4);
        let links = run.linked > 0 && run.plain <= 1 && around.any(|id| self.dom.name(id) == "a" && leads(id));
        (near && links && run.words <= MAX_WORDS * 2 && self.is_section(name)).then(|| name.clone())
    }

    /// Returns the entry of a menu over the headline that is marked as the current one.
    pub(super) fn current(&self, found: &Found) -> Option<String> {
        let title = found.runs.as_ref().map(|runs| self.runs[runs.start].block)?;
        let entry = |id: &Id| {
            *id < title
                && matches!(self.dom.name(*id), "li" | "a" | "td" | "div" | "span")
                && (is_current(self.dom, *id)
                    || self.dom.attribute(*id, "aria-current").is_some_and(|value| matches!(value, "page" | "true")))
                && is_in_menu(self.dom, *id)
        };
        self.dom.all(0).filter(entry).take(20).find_map(|id| {
            // An entry that opens holds its own entries: its name is its first link.
            let link = self.dom.all(id).find(|&at| self.dom.name(at) == "a").unwrap_or(id);
            Some(self.dom.text(link)).filter(|name| self.is_section(name))
        })
    }

    fn is_section(&self, name: &str) -> bool {
        let line = Line::new(name, false);
        (1..=MAX_WORDS).contains(&line.words)
            && line.has_letter()
            && !name.contains(char::is_numeric)
            && furniture::mark(&line).is_none()
            && !["العربية", "عربي", "English", "Français", "EN", "FR", "AR", "فارسی", "Türkçe"].contains(&name)
    }
}

fn is_current(dom: &Dom, id: Id) -> bool {
    ["class", "id"].iter().filter_map(|name| dom.attribute(id, name)).any(|names| {
        names.split_ascii_whitespace().take(40).any(|name| {
            let words = class::words(name);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            CURRENT.contains(&&words[..])
        })
    })
}

/// Returns whether an element is one of several links in a menu.
fn is_in_menu(dom: &Dom, id: Id) -> bool {
    dom.ancestors(id).take(6).any(|at| {
        matches!(dom.name(at), "nav" | "menu")
            || ["class", "id", "role"].iter().filter_map(|name| dom.attribute(at, name)).any(|names| {
                names.split_ascii_whitespace().take(40).any(|name| {
                    class::words(name).iter().any(|word| {
                        matches!(
                            word.as_str(),
                            "nav" | "menu" | "navbar" | "navigation" | "mainmenu" | "topmenu" | "mainnav" | "sections"
                        )
                    })
                })
            })
    })
}

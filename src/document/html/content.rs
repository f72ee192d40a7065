//! Which elements of a page hold the article's text.
//!
//! In: a [`Dom`] and its [`Run`]s. Out: [`Content`]: the elements with the text, and for each element whether it is the
//! site's own. Three voices are heard: what the page says of itself (`articleBody`, class names, `nav`, `aside`), where the
//! running text stands (as Readability weighs it: words in sentences count for their block's parents, less for each level),
//! and links, which say the opposite. A name alone never throws away what most of the running text stands in.

use super::beside;
use super::class::{self, Says};
use super::dom::{Dom, Id, Step, heading_level};
use super::runs::Run;
use super::trust;
use super::unstopped;
use crate::document::line::key;

/// The share of a page's running text from which no name makes an element furniture.
pub(super) const BULK: f64 = 0.4;

/// Where less of the running text would be left, names are not believed of the elements that hold the bulk of it, wherever
/// the headline stands: builders of pages put each piece into a box of its own and call all of them widgets.
const LEAST: f64 = 0.25;

/// The most words of an element that is read for who and when.
pub(super) const MAX_FACT: f32 = 40.0;

/// How many levels up running text counts.
const REACH: usize = 5;

/// The most elements that are compared of those that claim to hold the text.
const MAX_NAMED: usize = 200;

/// How many words of running text are an article, however short.
pub(super) const ENOUGH: f32 = 30.0;

/// How much more running text, beside what it has, makes an element's parent the place of the text.
const MORE: f32 = 0.25;

/// Where the article's text is.
pub(super) struct Content {
    /// The elements with the text, in order; none stands in another.
    pub bodies: Vec<Id>,
    /// For each node whether its own names or kind make it the site's.
    furniture: Vec<bool>,
    /// For each node what its names say.
    pub says: Vec<Says>,
    /// For each node whether a headline (`h1`) stands in it.
    pub headed: Vec<bool>,
    /// For each node how many words stand in it.
    pub words: Vec<f32>,
}

impl Content {
    /// Returns whether a node stands in something of the site's own, `within` and what it stands in not counted.
    pub fn is_furniture(&self, dom: &Dom, id: Id, within: Option<Id>) -> bool {
        std::iter::once(id)
            .chain(dom.ancestors(id))
            .take_while(|&at| Some(at) != within)
            .any(|at| self.furniture[at as usize])
    }

    /// Returns the body that a node stands in.
    pub fn body_of(&self, dom: &Dom, id: Id) -> Option<Id> {
        std::iter::once(id).chain(dom.ancestors(id)).find(|at| self.bodies.contains(at))
    }
}

/// Sums of words for each node and all under it.
pub(super) struct Sums {
    pub prose: Vec<f32>,
    pub words: Vec<f32>,
    pub headings: Vec<u32>,
}

impl Sums {
    /// Adds up those runs that count.
    pub fn of(dom: &Dom, runs: &[Run], counts: impl Fn(&Run) -> bool) -> Self {
        let size = dom.nodes.len();
        let mut sums = Self { prose: vec![0.0; size], words: vec![0.0; size], headings: vec![0; size] };
        for run in runs.iter().filter(|run| counts(run)) {
            sums.prose[run.block as usize] += run.prose() as f32;
            sums.words[run.block as usize] += run.words as f32;
        }
        for step in dom.walk(0) {
            if let Step::Out(id) = step
                && let Some(parent) = dom.parent(id)
            {
                if dom.name(id) == "h1" {
                    sums.headings[id as usize] += 1;
                }
                sums.prose[parent as usize] += sums.prose[id as usize];
                sums.words[parent as usize] += sums.words[id as usize];
                sums.headings[parent as usize] += sums.headings[id as usize];
            }
        }
        sums
    }
}

/// Finds the article's text. `titles` are the headlines that the page declares, as keys.
pub(super) fn find(dom: &Dom, runs: &[Run], titles: &[String]) -> Content {
    let mut says: Vec<Says> = (0..dom.nodes.len() as Id)
        .map(|id| if dom.name(id).is_empty() { Says::default() } else { class::of(dom, id) })
        .collect();
    let all = Sums::of(dom, runs, |_| true);
    trust::paywalls(dom, runs, &all, &mut says);
    let total = all.prose[0].max(1.0);
    // What hardly can be furniture because of what it holds: a headline, an element that says it is the text.
    let mut holds = vec![0u32; dom.nodes.len()];
    for step in dom.walk(0) {
        if let Step::Out(id) = step
            && let Some(parent) = dom.parent(id)
        {
            holds[id as usize] += u32::from(dom.name(id) == "h1" || says[id as usize].any(Says::BODY));
            holds[parent as usize] += holds[id as usize];
        }
    }
    // A box with a field to fill in is a form, whatever it is made of.
    let mut boxes = vec![false; dom.nodes.len()];
    for id in dom.all(0).filter(|&id| dom.name(id) == "input" && dom.attribute(id, "type") != Some("hidden")) {
        for at in dom.ancestors(id).take(2).take_while(|&at| all.words[at as usize] <= MAX_FACT) {
            boxes[at as usize] = !matches!(dom.name(at), "body" | "article" | "main" | "td" | "p");
        }
    }
    let own = |id: Id, trusted: bool, says: Says| {
        let share = f64::from(all.prose[id as usize] / total);
        let main = share >= BULK && (!trusted || holds[id as usize] > 0 || holds[0] == 0);
        // Who and when may stand in one row with buttons.
        let fact = says.any(Says::BYLINE.and(Says::DATE)) && all.words[id as usize] <= MAX_FACT;
        let kept_fact = fact && !matches!(dom.name(id), "nav" | "aside" | "footer");
        !(main || kept_fact) && (boxes[id as usize] || is_own(dom, id, says, share))
    };
    let furniture = |trusted: bool, says: &[Says]| -> Vec<bool> {
        (0..).zip(says).map(|(id, &says)| own(id, trusted, says)).collect()
    };
    let headed = all.headings.iter().map(|&headings| headings > 0).collect();
    let trusted = furniture(true, &says);
    let mut content = Content { bodies: Vec::new(), furniture: trusted, says, headed, words: all.words.clone() };
    let plain = |content: &Content| -> Vec<Run> {
        runs.iter().filter(|run| !content.is_furniture(dom, run.block, None)).cloned().collect()
    };
    let mut kept = plain(&content);
    let mut sums = Sums::of(dom, &kept, |_| true);
    let few = |sums: &Sums| f64::from(sums.prose[0]) < LEAST * f64::from(total);
    if few(&sums) {
        content.furniture = furniture(false, &content.says);
        kept = plain(&content);
        sums = Sums::of(dom, &kept, |_| true);
    }
    for doubt in [trust::Doubt::Common, trust::Doubt::Most] {
        if !few(&sums) || has_place(dom, &content, &sums) {
            break;
        }
        content.says = trust::doubted(dom, &content.says, &all, doubt);
        content.furniture = furniture(false, &content.says);
        kept = plain(&content);
        sums = Sums::of(dom, &kept, |_| true);
    }
    let named = named(dom, &content, &sums, titles, &kept);
    let dense = dense(dom, &kept, &sums).map(|found| under_headline(dom, &kept, &sums, found).unwrap_or(found));
    let bodies = match (named, dense) {
        (Some(named), Some(dense)) => {
            let worth: f32 = named.iter().map(|&id| sums.prose[id as usize]).sum();
            // Names on teasers and boxes: the text is elsewhere.
            if worth * 2.5 >= sums.prose[dense as usize] { named } else { vec![dense] }
        }
        (Some(named), None) => named,
        (None, dense) => dense.into_iter().collect(),
    };
    let bodies = beside::with_like(dom, bodies, &all, |id| {
        dom.parent(id).is_some_and(|above| !content.is_furniture(dom, above, None))
    });
    if bodies.len() > 1 {
        // Names that are not believed of the one box are not of its like.
        bodies.iter().for_each(|&id| content.furniture[id as usize] = false);
    }
    content.bodies = entries(dom, bodies);
    if let Some(place) = unstopped::find(dom, &kept, &content, &sums) {
        content.bodies = vec![place];
    }
    content
}

/// Returns whether the text that is left, however short, stands where an article does: in an element that says so, or with
/// the headline in one of its own.
fn has_place(dom: &Dom, content: &Content, sums: &Sums) -> bool {
    let enough = |id: Id| sums.prose[id as usize] >= ENOUGH && !matches!(dom.name(id), "" | "html" | "body");
    dom.all(0).any(|id| {
        (content.says[id as usize].any(Says::BODY) && enough(id))
            || (dom.name(id) == "h1"
                && dom.ancestors(id).find(|&at| sums.prose[at as usize] >= ENOUGH).is_some_and(enough))
    })
}

/// Returns the entries of a running report in place of their texts: each stands in an element of its own with its heading.
fn entries(dom: &Dom, bodies: Vec<Id>) -> Vec<Id> {
    let [first, .., last] = bodies[..] else { return bodies };
    let joint = dom.joint(first, last);
    let entry = |id: Id| dom.ancestors(id).take_while(|&at| at != joint).last();
    let headed = |id: Id, entry: Id| {
        dom.all(entry).take_while(|&at| at != id).any(|at| heading_level(dom.name(at)).is_some_and(|level| level > 1))
    };
    let found: Vec<Option<Id>> = bodies.iter().map(|&id| entry(id).filter(|&entry| headed(id, entry))).collect();
    let whole = found.iter().flatten().count() * 2 > bodies.len();
    if !whole {
        return bodies;
    }
    bodies.into_iter().zip(found).map(|(id, entry)| entry.unwrap_or(id)).collect()
}

/// Returns whether an element's kind or names make it the site's own.
fn is_own(dom: &Dom, id: Id, says: Says, share: f64) -> bool {
    let name = dom.name(id);
    if matches!(name, "" | "html" | "body" | "main" | "article") {
        return false;
    }
    let role = dom.attribute(id, "role").unwrap_or_default();
    let kept = Says::BODY.and(Says::SUMMARY).and(Says::PULL_QUOTE).and(Says::KEEP);
    if says.any(kept) && !matches!(name, "nav" | "footer") {
        return false;
    }
    match name {
        // Who said it stands under what was said.
        "footer" if dom.ancestors(id).any(|at| dom.name(at) == "blockquote") => return false,
        "nav" | "footer" | "aside" | "dialog" | "menu" | "address" => return true,
        // A site's head; an article's own holds its headline and its facts.
        "header" => {
            let own = dom.ancestors(id).any(|at| matches!(dom.name(at), "article" | "main"));
            return role == "banner"
                || (!own && share < 0.02 && !dom.all(id).any(|at| heading_level(dom.name(at)) == Some(1)));
        }
        "form" => return share < 0.1,
        _ => {}
    }
    matches!(
        role,
        "navigation"
            | "banner"
            | "contentinfo"
            | "complementary"
            | "search"
            | "dialog"
            | "alertdialog"
            | "menu"
            | "menubar"
            | "toolbar"
            | "tablist"
    ) || says.any(Says::FURNITURE)
}

/// Returns the elements that the page itself says hold the text.
fn named(dom: &Dom, content: &Content, sums: &Sums, titles: &[String], runs: &[Run]) -> Option<Vec<Id>> {
    let says_so = |id: Id| {
        content.says[id as usize].any(Says::BODY)
            || ["itemprop", "property"].iter().any(|key| {
                dom.attribute(id, key).is_some_and(|value| {
                    value.split_ascii_whitespace().any(|word| word.to_ascii_lowercase().ends_with("articlebody"))
                })
            })
    };
    let mut found: Vec<Id> = dom
        .all(0)
        .filter(|&id| !matches!(dom.name(id), "" | "body" | "html" | "meta"))
        .filter(|&id| sums.prose[id as usize] > 0.0 && says_so(id) && !content.is_furniture(dom, id, None))
        .take(MAX_NAMED)
        .collect();
    // Where one stands in another, the inner one is meant, if it holds nearly all.
    let outer: Vec<Id> = found
        .iter()
        .copied()
        .filter(|&id| {
            !found.iter().any(|&inner| {
                inner != id && dom.is_under(inner, id) && sums.prose[inner as usize] >= 0.8 * sums.prose[id as usize]
            })
        })
        .collect();
    found = outer
        .iter()
        .copied()
        .filter(|&id| !outer.iter().any(|&above| above != id && dom.is_under(id, above)))
        .collect();
    let most = found.iter().map(|&id| sums.prose[id as usize]).fold(0.0, f32::max);
    let large: Vec<Id> = found.iter().copied().filter(|&id| sums.prose[id as usize] >= 0.3 * most).collect();
    // Pages that go on with another article: the one under the declared headline is meant, else the first.
    let titled = large.iter().copied().find(|&id| {
        let before = runs.iter().take_while(|run| !dom.is_under(run.block, id));
        let heading = before
            .filter(|run| {
                std::iter::once(run.block)
                    .chain(dom.ancestors(run.block))
                    .take(3)
                    .any(|at| heading_level(dom.name(at)).is_some_and(|l| l <= 2))
            })
            .last();
        heading.is_some_and(|run| titles.contains(&key(&run.text)))
    });
    let first = titled.or_else(|| large.first().copied())?;
    let near = |id: Id| {
        let joint = dom.joint(first, id);
        sums.headings[joint as usize] <= 1
            && [first, id].iter().all(|&one| dom.ancestors(one).take(2).any(|at| at == joint))
    };
    Some(found.into_iter().filter(|&id| id == first || near(id)).collect())
}

/// Returns the element that the running text under the only headline stands in: on a page with a short article the lists
/// of others hold more text than it.
fn under_headline(dom: &Dom, runs: &[Run], sums: &Sums, found: Id) -> Option<Id> {
    if sums.headings[0] != 1 {
        return None;
    }
    let headline = dom.all(0).find(|&id| dom.name(id) == "h1")?;
    let scope = dom.ancestors(headline).find(|&at| sums.prose[at as usize] >= ENOUGH)?;
    // Where little stands there and much elsewhere, it was an introduction or a notice.
    let little = sums.prose[scope as usize] * 3.0 < sums.prose[found as usize];
    if little || dom.is_under(headline, found) || dom.is_under(found, scope) {
        return None;
    }
    let inside: Vec<Run> = runs.iter().filter(|run| dom.is_under(run.block, scope)).cloned().collect();
    dense(dom, &inside, sums).filter(|&found| dom.is_under(found, scope))
}

/// Returns the element that the running text stands in.
fn dense(dom: &Dom, runs: &[Run], sums: &Sums) -> Option<Id> {
    let mut weight = vec![0f32; dom.nodes.len()];
    for run in runs {
        let prose = run.prose() as f32;
        if prose == 0.0 {
            continue;
        }
        let own = if is_leaf(dom.name(run.block)) { None } else { Some(run.block) };
        let above = dom.ancestors(run.block).filter(|&at| !is_leaf(dom.name(at)));
        for (level, at) in own.into_iter().chain(above).take(REACH).enumerate() {
            weight[at as usize] += prose / (level + 1) as f32;
        }
    }
    let mut best: Option<Id> = None;
    for id in dom.all(0) {
        if weight[id as usize] == 0.0 {
            continue;
        }
        let links = 1.0 - (sums.prose[id as usize] / sums.words[id as usize].max(1.0));
        weight[id as usize] *= 1.0 - 0.5 * links;
        if best.is_none_or(|best| weight[id as usize] > weight[best as usize]) {
            best = Some(id);
        }
    }
    let mut at = best?;
    // The text goes on outside: posts of a running report, a second column.
    for above in dom.ancestors(best?).collect::<Vec<_>>() {
        if matches!(dom.name(above), "" | "html") || sums.headings[above as usize] > sums.headings[at as usize].max(1) {
            break;
        }
        let more = sums.prose[above as usize] - sums.prose[at as usize];
        let words = sums.words[above as usize] - sums.words[at as usize];
        if more >= MORE * sums.prose[at as usize] && more * 2.0 >= words {
            at = above;
        }
    }
    Some(at)
}

/// Returns whether an element is one paragraph of something larger.
fn is_leaf(name: &str) -> bool {
    matches!(
        name,
        "p" | "li"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "blockquote"
            | "dd"
            | "dt"
            | "pre"
            | "center"
            | "address"
    )
}

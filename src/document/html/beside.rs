//! Boxes of the same make as the one that the text was found in: builders of pages put each stretch of text, between two
//! pictures, into a box of its own.
//!
//! In: the elements with the text. Out: the same with their like. A box is like another where it stands beside it, or beside
//! what it stands in, under the same names, and holds running text and hardly a link; boxes with a heading are other
//! articles as often as chapters, and are left to the rules that know headlines.

use super::content::Sums;
use super::dom::{Dom, Id, heading_level};

/// How many levels up the boxes may stand beside each other.
const LEVELS: usize = 3;

/// The most elements beside a box that are looked at.
const MAX_BESIDE: usize = 500;

/// The most names of an element that are compared.
const MAX_NAMES: usize = 20;

/// The least share of a box's words that is running text.
const LEAST_PROSE: f32 = 0.8;

/// Adds the like of each body. `open` says whether an element is not the site's.
pub(super) fn with_like(dom: &Dom, bodies: Vec<Id>, sums: &Sums, open: impl Fn(Id) -> bool) -> Vec<Id> {
    let headless = |id: Id| !dom.all(id).any(|at| heading_level(dom.name(at)).is_some());
    // Builders give each box a name with its number besides those of its make.
    let names = |id: Id| -> (&str, Vec<&str>) {
        let all = dom.attribute(id, "class").unwrap_or_default().split_ascii_whitespace();
        (dom.name(id), all.filter(|name| !name.bytes().any(|byte| byte.is_ascii_digit())).take(MAX_NAMES).collect())
    };
    let full = |id: Id| {
        let (prose, words) = (sums.prose[id as usize], sums.words[id as usize]);
        prose > 0.0 && prose >= LEAST_PROSE * words && headless(id)
    };
    let [only] = bodies[..] else { return bodies };
    for at in std::iter::once(only).chain(dom.ancestors(only)).take(LEVELS).take_while(|&at| headless(at)) {
        let Some(parent) = dom.parent(at) else { break };
        let made = names(at);
        if made.1.is_empty() || matches!(dom.name(at), "body" | "html" | "article" | "main") {
            continue;
        }
        let like: Vec<Id> = dom
            .all(parent)
            .filter(|&id| dom.parent(id) == Some(parent))
            .take(MAX_BESIDE)
            .filter(|&id| id == at || (names(id) == made && full(id) && open(id)))
            .map(|id| if id == at { only } else { id })
            .collect();
        if like.len() > 1 {
            return like;
        }
    }
    bodies
}

#[cfg(test)]
mod tests {
    use super::super::{TEXT, of_text};
    use crate::document::ReadOptions;

    fn body(boxes: &str) -> Vec<String> {
        let page =
            format!("<body><div class=page><div class=w><h1>بدء العمل في جسر جديد</h1></div>{boxes}</div></body>");
        let lines = of_text(&page, &ReadOptions::default()).lines;
        lines.into_iter().filter(|line| line.body).map(|line| line.text).collect()
    }

    #[test]
    fn a_short_box_of_the_same_make_behind_a_picture_is_text_too() {
        let text = |number: usize, words: &str| {
            format!("<div class='el el-{number}a box widget-text'><div class=inner>{words}</div></div>")
        };
        let first: String = TEXT[..3].iter().map(|words| format!("<p>{words}</p>")).collect();
        let picture = "<div class='el el-2b box widget-image'><img></div>";
        let found = body(&format!("{}{picture}{}", text(1, &first), text(3, &format!("<p>{}</p>", TEXT[3]))));
        assert_eq!(found.iter().filter(|line| TEXT.contains(&line.as_str())).count(), 4, "{found:?}");
        // With a heading or of links it may be anything.
        for other in [format!("<h3>خبر آخر</h3><p>{}</p>", TEXT[3]), format!("<p><a href=x>{}</a></p>", TEXT[3])]
        {
            let found = body(&format!("{}{picture}{}", text(1, &first), text(3, &other)));
            assert!(!found.iter().any(|line| line == TEXT[3]), "{found:?}");
        }
    }
}

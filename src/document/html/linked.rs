//! Paragraphs that are links from end to end.
//!
//! In: the [`Run`]s of a page. Out: the same, with the links forgotten of those that can only be its text. A link usually
//! leads away from the text; where a page has hardly any other sentences, paragraphs of one element that are all of them
//! whole linked sentences are what it says.

use std::collections::BTreeMap;

use super::content::ENOUGH;
use super::dom::{Dom, Id};
use super::runs::Run;
use crate::document::line::Line;

/// The fewest linked paragraphs beside each other that are a text.
const FEWEST: usize = 3;

/// How many times more words they have than there are in running text elsewhere.
const TIMES: usize = 2;

/// The fewest words of a linked sentence that speaks for a text; beside such ones the others may be shorter.
const LONG: usize = 12;

/// Forgets the links of paragraphs that can only be the text.
pub(super) fn unlink(dom: &Dom, runs: &mut [Run]) {
    let plain: usize = runs.iter().map(Run::prose).sum();
    let mut found: BTreeMap<Id, (usize, usize)> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.words >= LONG && is_linked_sentence(dom, run)) {
        let (count, words) = found.entry(dom.parent(run.block).unwrap_or(0)).or_default();
        *count += 1;
        *words += run.words;
    }
    let most = found.into_iter().max_by_key(|&(_, (_, words))| words);
    let Some((parent, _)) =
        most.filter(|&(_, (count, words))| count >= FEWEST && words >= plain * TIMES + ENOUGH as usize)
    else {
        return;
    };
    for run in runs.iter_mut().filter(|run| dom.parent(run.block) == Some(parent) && is_linked_sentence(dom, run)) {
        run.plain += run.linked;
        run.linked = 0;
    }
}

fn is_linked_sentence(dom: &Dom, run: &Run) -> bool {
    run.is_link()
        && !run.heading
        && matches!(dom.name(run.block), "p" | "div")
        && Line::new(&run.text, false).is_closed()
}

#[cfg(test)]
mod tests {
    use super::super::of_text;
    use crate::document::ReadOptions;

    fn body(page: &str) -> usize {
        of_text(page, &ReadOptions::default()).lines.iter().filter(|line| line.body).count()
    }

    #[test]
    fn a_text_that_is_all_links_is_a_text() {
        let text = "أعلنت وزارة الأشغال يوم الاثنين عن بدء العمل في جسر جديد فوق النهر يربط ضفتي المدينة";
        let linked: String = (1..=5).map(|n| format!("<p><a href=/{n}>{text} رقم {n}.</a></p>")).collect();
        assert_eq!(body(&format!("<article><h1>جسر جديد يربط ضفتي المدينة</h1>{linked}</article>")), 5);
        // Beside a text of their own they lead to others.
        let plain: String = (1..=5).map(|n| format!("<p>{text} رقم {n}.</p>")).collect();
        let page = format!("<div><h1>جسر جديد يربط ضفتي المدينة</h1>{plain}</div><div>{linked}</div>");
        assert_eq!(body(&page), 5);
        // Each in a card of its own.
        let cards: String = (1..=5).map(|n| format!("<div><p><a href=/{n}>{text} رقم {n}.</a></p></div>")).collect();
        assert_eq!(body(&format!("<div><h1>أخبار اليوم من كل مكان</h1>{cards}</div>")), 0);
    }
}

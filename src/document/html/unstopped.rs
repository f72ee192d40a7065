//! Articles of a few short lines without full stops: a piece of breaking news, results, verse.
//!
//! In: a page whose running text, told by its sentences, is nowhere near its headline. Out: the element that says it is the
//! article and holds the headline with lines under it. What running text is, is [`super::runs`]'s.

use super::class::Says;
use super::content::{Content, Sums};
use super::dom::{Dom, Id};
use super::runs::Run;

/// The fewest words under a headline that are a text.
const LEAST: usize = 6;

/// Returns the element with the only headline and the lines under it, where no running text stands in it and less elsewhere.
pub(super) fn find(dom: &Dom, runs: &[Run], content: &Content, sums: &Sums) -> Option<Id> {
    let mut headlines = dom.all(0).filter(|&id| dom.name(id) == "h1");
    let headline = headlines.next().filter(|_| headlines.next().is_none())?;
    let says_so = |id: Id| {
        matches!(dom.name(id), "article" | "main")
            || dom.attribute(id, "role") == Some("main")
            || content.says[id as usize].any(Says::BODY)
    };
    let place = dom.ancestors(headline).find(|&id| says_so(id))?;
    if sums.prose[place as usize] > 0.0 || content.is_furniture(dom, place, None) {
        return None;
    }
    let after = runs.iter().skip_while(|run| !dom.is_under(run.block, headline) && run.block != headline);
    let words: usize = after
        .filter(|run| dom.is_under(run.block, place) && run.block != headline && !dom.is_under(run.block, headline))
        .filter(|run| !run.is_link())
        .map(|run| run.words)
        .sum();
    let elsewhere: f32 = content.bodies.iter().map(|&id| sums.prose[id as usize]).sum();
    (words >= LEAST && words as f32 >= elsewhere).then_some(place)
}

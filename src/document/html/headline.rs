//! The headline of a web page, and the site's name beside it.
//!
//! In: the runs of a page and what it declares. Out: [`Found`]. The words that the page shows win; what it declares tells
//! which of them are the headline. Where it shows none, the declared title stands in, without the site's name.

use std::ops::Range;

use super::class::Says;
use super::content::Content;
use super::dom::{Dom, Id, heading_level};
use super::facts::Facts;
use super::runs::Run;
use crate::arabic::letters::{Rule, apply, is_arabic_letter};
use crate::document::line::key;
use crate::document::outlet::{Outlet, outlet};

/// The most words of a headline.
const MAX_WORDS: usize = 45;

/// How many more words than the declared headline the shown one has: the site's name, the part of it.
const MORE_WORDS: usize = 8;

/// What separates a headline from the site's name in a window's title.
const SEPARATORS: &[&str] =
    &[" | ", " - ", " – ", " — ", " :: ", " » ", " « ", " · ", " • ", "|", " : ", " / ", " > ", " :"];

/// A headline.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Its words; empty where there is none.
    pub text: String,
    /// The runs it stands in, where the page shows it.
    pub runs: Option<Range<usize>>,
    /// The site's name that stood beside it in the window's title.
    pub site: Option<String>,
    /// The part of the site that stood there.
    pub section: Option<String>,
}

/// Finds the headline. `first` is the first run of the article's text.
pub(super) fn find(dom: &Dom, runs: &[Run], content: &Content, facts: &Facts, open: &[bool], first: usize) -> Found {
    let mut declared: Vec<String> = facts.titles.iter().map(|title| key(title)).filter(|key| !key.is_empty()).collect();
    let window = pieces(&facts.window);
    let publishers: Vec<String> = facts.publishers.iter().map(|name| key(name)).collect();
    declared.extend(window.iter().map(|piece| key(piece)).filter(|key| key.split(' ').count() >= 3));
    // "The site: the headline": what stands after the first colon may be the whole headline.
    declared.extend(facts.window.split_once(": ").map(|(_, rest)| key(rest)).filter(|key| key.split(' ').count() >= 3));
    let mut best: Option<(i64, Range<usize>)> = None;
    let reach = runs.len().min(first.saturating_add(400));
    for at in 0..reach {
        if !open[at] && !declared.contains(&key(&runs[at].text)) {
            continue;
        }
        let (score, range) = score(dom, runs, content, &declared, &publishers, at, first);
        if range.start == at && score >= 30 && best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, range));
        }
    }
    let shown = best.map(|(_, range)| {
        let text = runs[range.clone()].iter().map(|run| run.text.as_str()).collect::<Vec<_>>().join(" ");
        (text, range)
    });
    let mut found = Found::default();
    match shown {
        Some((text, range)) => (found.text, found.runs) = (text, Some(range)),
        None => match stated(facts, &window, &publishers).filter(|title| title.split_whitespace().count() >= 4) {
            Some(title) => found.text = title,
            None => {
                if let Some(at) = boldest(runs, open, first) {
                    (found.text, found.runs) = (runs[at].text.clone(), Some(at..at + 1));
                    // The window's title then names the site, and perhaps the part of it.
                    let mut names = window.iter().filter(|name| name.split_whitespace().count() <= 5);
                    found.site = names.next().filter(|name| name.chars().any(is_arabic_letter)).cloned();
                    found.section = names.next().cloned();
                }
            }
        },
    }
    for title in std::iter::once(&facts.window).chain(&facts.titles) {
        let (site, section) = beside(title, &found.text, &facts.sections);
        found.site = found.site.or(site);
        found.section = found.section.or(section);
    }
    if found.runs.is_some() {
        found.text = without_site(&found.text, &publishers);
    }
    found
}

/// Returns the site and the part of it that a window's title names beside the headline: the site stands at the far end.
fn beside(title: &str, headline: &str, sections: &[String]) -> (Option<String>, Option<String>) {
    // One may be written with a tatweel or a vowel mark that the other has not.
    let plain = |text: &str| apply(text, &[Rule::Tatweel, Rule::Diacritics]);
    let (title, headline) = (plain(title), plain(headline));
    let Some(at) = (!headline.is_empty()).then(|| title.find(&headline)).flatten() else { return (None, None) };
    let separator = |c: char| {
        c.is_whitespace() || matches!(c, '|' | '-' | '–' | '—' | ':' | '»' | '«' | '·' | '•' | '>' | '/' | '.')
    };
    let before = title[..at].trim_matches(separator);
    let after = title[at + headline.len()..].trim_matches(separator);
    let mut names: Vec<String> = pieces(after);
    names.reverse();
    let mut first = pieces(before);
    first.extend(names);
    first.retain(|piece| piece.split_whitespace().count() <= 5 && piece.chars().any(is_arabic_letter));
    // What the page is for stands there too.
    first.retain(|piece| !["طباعة", "نسخة للطباعة", "نسخة الطباعة", "طباعة الخبر"].contains(&piece.as_str()));
    let is_section = |piece: &String| sections.iter().any(|section| key(section) == key(piece));
    let site = first.iter().find(|piece| !is_section(piece)).cloned();
    let section = first.iter().find(|piece| Some(*piece) != site.as_ref()).cloned();
    (site, section)
}

/// Weighs a run as the headline; returns the runs that stand in one heading with it.
fn score(
    dom: &Dom,
    runs: &[Run],
    content: &Content,
    declared: &[String],
    publishers: &[String],
    at: usize,
    first: usize,
) -> (i64, Range<usize>) {
    let run = &runs[at];
    let above: Vec<Id> = std::iter::once(run.block)
        .chain(dom.ancestors(run.first).take_while(|&id| id != run.block))
        .chain(dom.ancestors(run.block).take(2))
        .collect();
    let heading = above.iter().copied().find(|&id| heading_level(dom.name(id)).is_some());
    let whole = heading.map_or(at..at + 1, |heading| {
        let inside = |i: usize| dom.is_under(runs[i].block, heading);
        let start = (0..=at).rev().take(6).take_while(|&i| inside(i)).last().unwrap_or(at);
        start..(at..runs.len()).take(6).take_while(|&i| inside(i)).last().unwrap_or(at) + 1
    });
    let text = runs[whole.clone()].iter().map(|run| run.text.as_str()).collect::<Vec<_>>().join(" ");
    let folded = key(&text);
    let words = folded.split(' ').filter(|word| !word.is_empty()).count();
    if words == 0
        || words > MAX_WORDS
        || publishers.contains(&folded)
        || outlet(&text).is_some_and(|kind| kind != Outlet::Agencies)
    {
        return (i64::MIN, whole);
    }
    let mut score = 0;
    if declared.contains(&folded) {
        score += 100;
    } else if words >= 3
        && declared.iter().any(|title| {
            let length = title.split(' ').count();
            // The first sentence of the text may say the headline again, and go on.
            title.contains(&folded) || (folded.contains(title.as_str()) && length >= 4 && words <= length + MORE_WORDS)
        })
    {
        score += 70;
    }
    let named = above.iter().any(|&id| content.says[id as usize].any(Says::TITLE));
    let level = heading.and_then(|id| heading_level(dom.name(id)));
    score += match level {
        Some(1) => 40,
        Some(2) => 12,
        Some(_) => 4,
        None => 0,
    };
    score += if named { 20 } else { 0 };
    // Of two pieces of the window's title, the longer is the headline and not the site's name.
    score += i64::try_from(words.min(12)).unwrap_or(12);
    score -= if words < 3 { 30 } else { 0 };
    // A sentence is hardly a headline.
    score -= if heading.is_none() && words > 8 && text.trim_end().ends_with('.') { 60 } else { 0 };
    // A page's headline stands over its text; of two places the nearer.
    score -= if at > first { 60 } else { i64::try_from((first - at).min(20)).unwrap_or(20) / 2 };
    score -= if run.is_link() { 12 } else { 0 };
    (score, whole)
}

/// Returns the last line in bold over the text: the headline of pages that declare nothing.
fn boldest(runs: &[Run], open: &[bool], first: usize) -> Option<usize> {
    const ABOVE: usize = 12;
    (first.saturating_sub(ABOVE)..first.min(runs.len())).rev().find(|&at| {
        let run = &runs[at];
        open[at] && run.bold && !run.is_link() && (4..=30).contains(&run.words) && !run.text.ends_with(['.', ':', '،'])
    })
}

/// Returns the title that a page declares but does not show.
fn stated(facts: &Facts, window: &[String], publishers: &[String]) -> Option<String> {
    let title = facts.titles.first().cloned().map(|title| without_site(&title, publishers));
    let longest = || {
        window
            .iter()
            .filter(|piece| !publishers.contains(&key(piece)))
            .max_by_key(|piece| piece.chars().count())
            .cloned()
    };
    let title = title.or_else(longest)?;
    let known = publishers.contains(&key(&title)) || outlet(&title).is_some();
    let says = title.split_whitespace().count() >= 3;
    (says && !known).then_some(title)
}

/// Cuts a title at its separators.
pub(super) fn pieces(title: &str) -> Vec<String> {
    let mut pieces = vec![title.to_owned()];
    for separator in SEPARATORS {
        pieces = pieces.iter().flat_map(|piece| piece.split(separator).map(str::to_owned)).collect();
    }
    let separator = |c: char| c.is_whitespace() || matches!(c, ':' | '|' | '»' | '«' | '•' | '·' | '>');
    // Quotation marks stay: one of them may open the headline.
    let bare = |piece: &str| {
        let quoted = piece.contains('«') && piece.contains('»');
        if quoted { piece.trim().to_owned() } else { piece.trim_matches(separator).to_owned() }
    };
    pieces.iter().map(|piece| bare(piece)).filter(|piece| !piece.is_empty()).collect()
}

/// Takes the site's name off the end or the start of a title.
fn without_site(title: &str, publishers: &[String]) -> String {
    for separator in SEPARATORS {
        for (rest, site) in [title.rsplit_once(separator), title.split_once(separator).map(|(site, rest)| (rest, site))]
            .into_iter()
            .flatten()
        {
            let site_key = key(site);
            let known = publishers
                .iter()
                .any(|name| site_key == *name || (site_key.contains(name.as_str()) && name.split(' ').count() >= 2))
                || matches!(outlet(site), Some(Outlet::Publisher | Outlet::Agency));
            if known && rest.split_whitespace().count() >= 3 {
                return without_site(rest.trim(), publishers);
            }
        }
    }
    title.trim().to_owned()
}

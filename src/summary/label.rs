//! A label of two to five words for each choice of evidence, no two alike.
//!
//! In: the chosen evidence with its themes, the article's subheadings, the glossary. Out: one label a choice, in order.
//! A label comes from the source side (a theme's keywords, a known name), so that it holds whatever the translator did;
//! only a subheading's label is the translator's, and only where nothing is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{FEWEST_LABEL_WORDS, MOST_LABEL_WORDS};
use super::select::{Candidates, Choice};
use super::theme::Themes;
use super::words::{Vocabulary, words};
use crate::document::{BlockKind, Document};
use crate::glossary::{Category, Glossary};
use crate::translation::Translation;

/// A theme needs this much to name a bullet: one plain keyword that stands in more than a few other sentences is less.
const LEAST_SCORE: f64 = 0.6;
/// A subheading that speaks of the evidence beats all but very strong themes.
const SUBHEADING_SCORE: f64 = 6.0;

/// How much of the headline's themes the first sentence takes over.
const TITLE_SHARE: f64 = 0.5;
/// Most labels weighed against each other for one bullet.
const MOST_OFFERS: usize = 4;

/// Labels for evidence about which nothing better is known, in order of use.
const PLAIN: &[&str] = &[
    "Main development",
    "Further development",
    "Other details",
    "Additional points",
    "Wider picture",
    "Background facts",
    "Related remarks",
    "Remaining details",
    "Closing remarks",
];

/// Labels each choice.
pub fn labels(
    document: &Document,
    translation: &Translation,
    candidates: &Candidates,
    chosen: &[Choice],
    glossary: &Glossary,
) -> Vec<String> {
    let offers: Vec<Vec<(f64, String)>> =
        chosen.iter().map(|choice| offers(document, translation, candidates, choice)).collect();
    let mut labels = best_apart(&offers);
    let mut used: BTreeSet<String> = labels.iter().flatten().map(|label| label.to_lowercase()).collect();
    for (at, choice) in chosen.iter().enumerate() {
        if labels[at].is_none() {
            let names = named(&joined(translation, choice, |segment| &segment.source), glossary);
            let plain = PLAIN.iter().map(|label| (*label).to_owned());
            labels[at] = names.into_iter().chain(plain).find(|label| used.insert(label.to_lowercase()));
        }
    }
    labels.into_iter().map(|label| label.unwrap_or_else(|| PLAIN[0].to_owned())).collect()
}

/// Offers labels for one choice, the best first, each with how well it fits: 1 for the best.
fn offers(
    document: &Document,
    translation: &Translation,
    candidates: &Candidates,
    choice: &Choice,
) -> Vec<(f64, String)> {
    let mut themes: BTreeMap<usize, f64> = candidates.themes_of(&choice.evidence);
    if themes.is_empty() {
        themes = Themes::builtin().scores(&joined(translation, choice, |segment| &segment.target));
    }
    if candidates.is_lede(choice.main) {
        // The first sentence says at length what the headline says in short.
        for (theme, score) in document.title().map(|title| Themes::builtin().scores(title)).unwrap_or_default() {
            *themes.entry(theme).or_insert(0.0) += TITLE_SHARE * score;
        }
    }
    let named = themes.into_iter().filter(|(_, score)| *score >= LEAST_SCORE);
    let mut offers: Vec<(f64, String)> =
        named.map(|(theme, score)| (score, Themes::builtin().themes[theme].label.clone())).collect();
    offers.extend(subheading(document, translation, choice).map(|label| (SUBHEADING_SCORE, label)));
    offers.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    offers.truncate(MOST_OFFERS);
    let best = offers.first().map_or(1.0, |(score, _)| *score);
    offers.iter_mut().for_each(|(score, _)| *score /= best);
    offers
}

/// Gives each choice one of its offers so that no two are alike and all together fit best: a bullet that has a good
/// second label leaves the first to one that has none. None where a choice is left without.
fn best_apart(offers: &[Vec<(f64, String)>]) -> Vec<Option<String>> {
    fn search<'o>(
        offers: &'o [Vec<(f64, String)>],
        taken: &mut Vec<Option<&'o str>>,
        fit: f64,
        best: &mut (f64, Vec<Option<&'o str>>),
    ) {
        let at = taken.len();
        if at == offers.len() {
            if fit > best.0 {
                *best = (fit, taken.clone());
            }
            return;
        }
        // No way on from here can beat what is held: every further label fits at most wholly.
        if fit + (offers.len() - at) as f64 <= best.0 {
            return;
        }
        for (score, label) in &offers[at] {
            if !taken.iter().flatten().any(|other| other.eq_ignore_ascii_case(label)) {
                taken.push(Some(label));
                search(offers, taken, fit + score, best);
                taken.pop();
            }
        }
        taken.push(None);
        search(offers, taken, fit, best);
        taken.pop();
    }
    let mut best = (-1.0, vec![None; offers.len()]);
    search(offers, &mut Vec::new(), 0.0, &mut best);
    best.1.into_iter().map(|label| label.map(str::to_owned)).collect()
}

fn joined<'t>(
    translation: &'t Translation,
    choice: &Choice,
    text: impl Fn(&'t crate::translation::SegmentTranslation) -> &'t String,
) -> String {
    let texts: Vec<&str> =
        choice.evidence.iter().filter_map(|&id| translation.segment(id)).map(|s| text(s).as_str()).collect();
    texts.join(" ")
}

/// Offers the translated subheading above the evidence, where the evidence speaks of it: a section often goes on to other
/// things than its heading says.
fn subheading(document: &Document, translation: &Translation, choice: &Choice) -> Option<String> {
    let block = translation.segment(choice.main)?.block;
    let heading = document.blocks.iter().rfind(|b| b.kind == BlockKind::Subheading && b.id < block)?;
    if translation.segments_of(heading.id).any(|segment| segment.is_flagged()) {
        return None;
    }
    let vocabulary = Vocabulary::of(translation.segments.iter().map(|segment| segment.source.as_str()));
    let of_heading: BTreeSet<String> = vocabulary.content(document.block_text(heading)).into_iter().collect();
    let of_evidence: BTreeSet<String> =
        vocabulary.content(&joined(translation, choice, |segment| &segment.source)).into_iter().collect();
    let shared = of_heading.intersection(&of_evidence).count();
    let label = translation.target_of(heading.id);
    let label = label.trim().trim_end_matches(['.', ':', '!', '?', '…']).to_owned();
    let length = label.split_whitespace().count();
    let fits = (FEWEST_LABEL_WORDS..=MOST_LABEL_WORDS).contains(&length) && !label.contains(':');
    (fits && !of_heading.is_empty() && shared * 2 >= of_heading.len()).then_some(label)
}

/// Offers labels made from the known names in the evidence, the most frequent first.
fn named(source: &str, glossary: &Glossary) -> Vec<String> {
    let mut times: BTreeMap<(&str, Category), usize> = BTreeMap::new();
    for found in glossary.matches(source) {
        *times.entry((found.entry.english.as_str(), found.entry.category)).or_default() += 1;
    }
    let mut names: Vec<((&str, Category), usize)> = times.into_iter().collect();
    names.sort_by_key(|(name, times)| (std::cmp::Reverse(*times), *name));
    let labels = names.into_iter().filter_map(|((name, category), _)| match category {
        Category::Country | Category::Place => Some(format!("Developments in {name}")),
        Category::Organization => Some(format!("Role of the {}", name.trim_start_matches("the "))),
        Category::Person => Some(format!("Remarks on {name}")),
        _ => None,
    });
    labels.filter(|label| words(label).len() <= MOST_LABEL_WORDS).collect()
}

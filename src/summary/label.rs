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
    let mut offers: Vec<(f64, usize, String)> = Vec::new();
    for (at, choice) in chosen.iter().enumerate() {
        let mut themes: BTreeMap<usize, f64> = candidates.themes_of(&choice.evidence);
        if themes.is_empty() {
            themes = Themes::builtin().scores(&joined(translation, choice, |segment| &segment.target));
        }
        for (theme, score) in themes.into_iter().filter(|(_, score)| *score >= LEAST_SCORE) {
            offers.push((score, at, Themes::builtin().themes[theme].label.clone()));
        }
        offers.extend(subheading(document, translation, choice).map(|label| (SUBHEADING_SCORE, at, label)));
    }
    // The strongest offer is taken first, whichever bullet it is for; ties go to the earlier bullet.
    offers.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2)));
    let mut labels: Vec<Option<String>> = vec![None; chosen.len()];
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (_, at, label) in offers {
        if labels[at].is_none() && used.insert(label.to_lowercase()) {
            labels[at] = Some(label);
        }
    }
    for (at, choice) in chosen.iter().enumerate() {
        if labels[at].is_none() {
            let names = named(&joined(translation, choice, |segment| &segment.source), glossary);
            let plain = PLAIN.iter().map(|label| (*label).to_owned());
            labels[at] = names.into_iter().chain(plain).find(|label| used.insert(label.to_lowercase()));
        }
    }
    labels.into_iter().map(|label| label.unwrap_or_else(|| PLAIN[0].to_owned())).collect()
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
    let heading = document.blocks.iter().filter(|b| b.kind == BlockKind::Subheading && b.id < block).next_back()?;
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

//! The glossary and the name matcher, measured on other people's data: names (Wikidata, `GeoNames`) and human
//! translations (NTREX). The data are for measuring, never for fitting entries.

use std::collections::{BTreeMap, BTreeSet};

use mujaz::glossary::transliterate::SAME_NAME;
use mujaz::glossary::{Category, Glossary, Strength, sounds_like};

use crate::common::shared;

/// Returns word pairs of names that have as many words in Arabic as in English.
fn name_pairs() -> Option<Vec<(String, String)>> {
    let people = std::fs::read_to_string(shared("names/wikidata_people_ar_en_north_africa.tsv")?).unwrap();
    let towns = std::fs::read_to_string(shared("names/geonames_cities_ar_en.tsv")?).unwrap();
    let mut pairs = Vec::new();
    for line in people.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let arabic: Vec<&str> = columns[1].split(' ').collect();
        let latin: Vec<&str> =
            columns[2].split([' ', '-']).filter(|w| !matches!(w.to_lowercase().as_str(), "al" | "el")).collect();
        if arabic.len() == latin.len() && columns[5] == "wikidata" {
            pairs.extend(arabic.iter().zip(latin).map(|(a, l)| ((*a).to_owned(), l.to_owned())));
        }
    }
    let _ = towns;
    Some(pairs)
}

#[test]
fn names_that_are_the_same_sound_alike() {
    let Some(pairs) = name_pairs() else { return };
    assert!(pairs.len() > 10_000, "{} pairs", pairs.len());
    let same = pairs.iter().filter(|(a, l)| sounds_like(a, l) >= SAME_NAME).count();
    // Every pair against the Latin of another name, far enough away in the file to be another person.
    let others: Vec<(&str, &str)> =
        (0..pairs.len()).map(|n| (pairs[n].0.as_str(), pairs[(n * 7919 + 4099) % pairs.len()].1.as_str())).collect();
    let wrong = others.iter().filter(|(a, l)| sounds_like(a, l) >= SAME_NAME).count();
    let (recall, false_rate) = (same as f64 / pairs.len() as f64, wrong as f64 / others.len() as f64);
    println!("{} pairs: accepted {recall:.4}; {} random pairs: accepted {false_rate:.4}", pairs.len(), others.len());
    assert!(recall >= 0.95 && false_rate <= 0.02);
}

/// Returns the sentence pairs of NTREX.
fn sentence_pairs() -> Option<Vec<(String, String)>> {
    #[derive(serde::Deserialize)]
    struct Pages {
        ar: Vec<String>,
        en: Vec<String>,
    }
    let text = std::fs::read_to_string(shared("eval/ntrex-dev.jsonl")?).unwrap();
    let mut pairs = Vec::new();
    for line in text.lines() {
        let page: Pages = serde_json::from_str(line).unwrap();
        pairs.extend(page.ar.into_iter().zip(page.en));
    }
    Some(pairs)
}

/// How often something held, with a few places where it did not.
#[derive(Default)]
struct Tally {
    held: usize,
    of: usize,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, holds: bool, miss: impl FnOnce() -> String) {
        self.of += 1;
        self.held += usize::from(holds);
        if !holds {
            self.misses.push(miss());
        }
    }
}

fn rate(tallies: &BTreeMap<Category, Tally>, categories: &[Category]) -> f64 {
    let (held, of) = categories.iter().filter_map(|c| tallies.get(c)).fold((0, 0), |(h, o), t| (h + t.held, o + t.of));
    held as f64 / of as f64
}

fn show(title: &str, tallies: &BTreeMap<Category, Tally>) {
    for (category, tally) in tallies {
        println!("{title} {category:?}: {} of {} = {:.4}", tally.held, tally.of, tally.held as f64 / tally.of as f64);
        for miss in tally.misses.iter().take(if std::env::var_os("MUJAZ_MISSES").is_some() { 1000 } else { 0 }) {
            println!("    {miss}");
        }
    }
}

const NAMES: [Category; 5] =
    [Category::Country, Category::Nationality, Category::Place, Category::Person, Category::Organization];

#[test]
fn human_translations_keep_what_the_arabic_names() {
    let Some(pairs) = sentence_pairs() else { return };
    let glossary = Glossary::builtin();
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    for (arabic, english) in &pairs {
        for found in glossary.matches(arabic) {
            if found.entry.category.is_name() && found.strength == Strength::Certain {
                tallies.entry(found.entry.category).or_default().count(glossary.renders(found.entry, english), || {
                    format!(
                        "{} = {} ({}) | {english} | {arabic}",
                        found.span.of(arabic),
                        found.entry.english,
                        found.entry.arabic
                    )
                });
            }
        }
    }
    show("rendered", &tallies);
    assert!(rate(&tallies, &[Category::Country, Category::Nationality]) >= 0.95);
    assert!(rate(&tallies, &NAMES) >= 0.93);
}

#[test]
fn the_arabic_has_what_human_translations_name() {
    let Some(pairs) = sentence_pairs() else { return };
    let glossary = Glossary::builtin();
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    for (arabic, english) in &pairs {
        let concepts: BTreeSet<&str> = glossary.matches(arabic).iter().map(|m| m.entry.concept.as_str()).collect();
        for mention in glossary.mentions(english) {
            if mention.strength == Strength::Certain {
                let holds = mention.concepts.iter().any(|c| concepts.contains(c));
                tallies
                    .entry(mention.entry.category)
                    .or_default()
                    .count(holds, || format!("{} = {} | {arabic} | {english}", mention.text, mention.entry.concept));
            }
        }
    }
    show("has a source", &tallies);
    assert!(rate(&tallies, &NAMES) >= 0.93);
}

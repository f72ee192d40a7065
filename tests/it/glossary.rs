//! The glossary and the name matcher, measured on other people's data: names (Wikidata, `GeoNames`) and human
//! translations (NTREX). The data are for measuring, never for fitting entries.

use mujaz::glossary::sounds_like;
use mujaz::glossary::transliterate::SAME_NAME;

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

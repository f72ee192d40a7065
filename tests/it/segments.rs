//! Where sentences end: a table of hard cases, and the treebank's paragraphs, as figures beside other segmenters
//! (`tests/benches/peer_segmenters.py` prints the same of pysbd and sentencex).

use std::collections::BTreeSet;

use serde_json::Value;

use mujaz::document::segment::sentences;

use crate::common;

/// A text, where its sentences end, and what is hard about it.
fn hard_cases() -> Vec<(String, String, BTreeSet<usize>)> {
    let table = fs_err::read_to_string(common::fixture("segments.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    rows.map(|row| {
        let (kind, gold) = row.split_once('\t').unwrap();
        let text = gold.replace(" ‖ ", " ").replace('‖', "");
        (kind.to_owned(), text.clone(), ends(&text, gold.split('‖').map(str::trim)))
    })
    .collect()
}

/// Returns where parts of a text end, but for the last.
fn ends<'p>(text: &str, parts: impl Iterator<Item = &'p str>) -> BTreeSet<usize> {
    let mut at = 0;
    let mut found = BTreeSet::new();
    for part in parts {
        at += text[at..].find(part).unwrap() + part.len();
        found.insert(at);
    }
    found.retain(|&end| end < text.trim_end().len());
    found
}

fn ours(text: &str) -> BTreeSet<usize> {
    sentences(text).iter().map(|span| span.end).filter(|&end| end < text.trim_end().len()).collect()
}

#[derive(Default)]
struct Score {
    right: usize,
    found: usize,
    wanted: usize,
    whole: usize,
    texts: usize,
}

impl Score {
    fn add(&mut self, wanted: &BTreeSet<usize>, found: &BTreeSet<usize>) {
        self.right += wanted.intersection(found).count();
        self.found += found.len();
        self.wanted += wanted.len();
        self.whole += usize::from(wanted == found);
        self.texts += 1;
    }

    fn f1(&self) -> f64 {
        2.0 * self.right as f64 / (self.found + self.wanted).max(1) as f64
    }

    fn say(&self, name: &str) {
        println!(
            "mujaz {name}: precision {:.3}, recall {:.3}, F1 {:.4}; {} of {} texts exact",
            self.right as f64 / self.found.max(1) as f64,
            self.right as f64 / self.wanted.max(1) as f64,
            self.f1(),
            self.whole,
            self.texts
        );
    }
}

#[test]
fn hard_cases_are_cut_where_they_end() {
    let cases = hard_cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    let mut score = Score::default();
    for (kind, text, wanted) in &cases {
        let found = ours(text);
        if &found != wanted {
            println!("{kind}: {text}: got {found:?}, wanted {wanted:?}");
        }
        score.add(wanted, &found);
    }
    score.say("on hard cases");
    assert!(score.f1() >= 0.97 && score.texts - score.whole <= 3, "F1 {:.4}", score.f1());
}

#[test]
fn the_treebank_is_cut_where_its_sentences_end() {
    let Some(path) = common::shared("seg/pud-paragraphs-dev.jsonl") else { return };
    let mut score = Score::default();
    for line in fs_err::read_to_string(path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let text = entry["text"].as_str().unwrap();
        let wanted = ends(text, entry["segments"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()));
        score.add(&wanted, &ours(text));
    }
    score.say("on the treebank");
    assert!(score.f1() >= 0.99, "F1 {:.4}", score.f1());
}

#[test]
fn cutting_a_hard_case_again_changes_nothing() {
    for (_, text, _) in hard_cases() {
        for sentence in sentences(&text) {
            let words = sentence.of(&text);
            let again: Vec<&str> = sentences(words).iter().map(|span| span.of(words)).collect();
            assert_eq!(again, [words], "{text}");
        }
    }
}

//! Saved web pages: the corpus of `tests/fixtures/web` against its gold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};

use crate::common;

pub fn read_bytes(bytes: Vec<u8>, kind: Kind) -> Option<Document> {
    let file = SourceFile::from_bytes(Path::new("test.html"), kind, bytes).ok()?;
    document::read(&file, &ReadOptions::default()).ok()
}

fn pages() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs_err::read_dir(common::fixture("web"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "html"))
        .collect();
    paths.sort();
    paths
}

fn gold(path: &Path) -> Value {
    serde_json::from_slice(&fs_err::read(path.with_extension("gold.json")).unwrap()).unwrap()
}

/// Words as `tests/benches/peer_trafilatura.py` counts them.
fn words(text: &str) -> Vec<String> {
    use unicode_normalization::UnicodeNormalization;
    let dropped = |c: char| {
        matches!(c, '\u{640}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}'
            | '\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}'
            | '\u{6df}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{8d3}'..='\u{8ff}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}'
            | '\u{feff}')
    };
    let digit = |c: char| match c {
        '٠'..='٩' => char::from_digit(c as u32 - 0x660, 10).unwrap(),
        '۰'..='۹' => char::from_digit(c as u32 - 0x6f0, 10).unwrap(),
        _ => c,
    };
    let text: String = text.nfkc().filter(|&c| !dropped(c)).map(digit).collect();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Common words, words got, words wanted.
type Counts = (usize, usize, usize);

fn count(got: &str, wanted: &str) -> Counts {
    let bag = |text: &str| {
        let mut bag: BTreeMap<String, usize> = BTreeMap::new();
        for word in words(text) {
            *bag.entry(word).or_default() += 1;
        }
        bag
    };
    let (got, wanted) = (bag(got), bag(wanted));
    let common = got.iter().map(|(word, &n)| n.min(wanted.get(word).copied().unwrap_or(0))).sum();
    (common, got.values().sum(), wanted.values().sum())
}

fn f1((common, got, wanted): Counts) -> f64 {
    if got + wanted == 0 { 0.0 } else { 2.0 * common as f64 / (got + wanted) as f64 }
}

fn body(document: &Document) -> String {
    let body = [BlockKind::Paragraph, BlockKind::Subheading, BlockKind::ListItem, BlockKind::TableRow, BlockKind::Quote];
    document
        .blocks
        .iter()
        .filter(|block| body.contains(&block.kind))
        .map(|block| document.block_text(block))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Compares a document with its gold; returns what differs.
fn differences(document: &Document, gold: &Value, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let meta = &document.meta;
    let mut expect = |field: &str, got: Option<String>| {
        let wanted = gold[field].as_str().map(str::to_owned);
        let same = got == wanted || {
            // Midnight stated with its zone is the day.
            field == "date" && wanted.as_deref().is_some_and(|w| w.contains("T00:00:00") && Some(&w[..10]) == got.as_deref())
        };
        if !same {
            wrong.push(format!("{name}: {field}: got {got:?}, wanted {wanted:?}"));
        }
    };
    expect("title", document.title().map(str::to_owned));
    expect("byline", meta.byline.clone());
    expect("publisher", meta.publisher.clone());
    expect("dateline", meta.dateline.clone());
    expect("section", meta.section.clone());
    expect("canonical", meta.canonical.clone());
    expect("date", meta.date.as_ref().map(|d| d.at.clone().unwrap_or_else(|| d.iso.to_string())));
    let blocks: Vec<(String, String)> = document
        .blocks
        .iter()
        .map(|b| {
            (serde_json::to_value(b.kind).unwrap().as_str().unwrap().to_owned(), document.block_text(b).to_owned())
        })
        .collect();
    let wanted: Vec<(String, String)> = serde_json::from_value(gold["blocks"].clone()).unwrap();
    let short = |(kind, text): &(String, String)| format!("{kind} {:?}", text.chars().take(90).collect::<String>());
    for extra in blocks.iter().filter(|b| !wanted.contains(b)) {
        wrong.push(format!("{name}: extra {}", short(extra)));
    }
    for missing in wanted.iter().filter(|b| !blocks.contains(b)) {
        wrong.push(format!("{name}: missing {}", short(missing)));
    }
    if wrong.is_empty() && blocks != wanted {
        wrong.push(format!("{name}: the blocks are in another order"));
    }
    let text = format!(" {} ", words(&body(document)).join(" "));
    for part in gold["must_not"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if text.contains(&format!(" {} ", words(part).join(" "))) {
            wrong.push(format!("{name}: the body holds {part:?}"));
        }
    }
    wrong
}

#[test]
fn pages_agree_with_their_gold() {
    let only = std::env::var("WEB_ONLY").unwrap_or_default();
    let mut wrong = Vec::new();
    for path in pages() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !only.is_empty() && !only.split(',').any(|o| o == name) {
            continue;
        }
        let gold = gold(&path);
        let Some(document) = read_bytes(fs_err::read(&path).unwrap(), Kind::Html) else {
            wrong.push(format!("{name}: no document"));
            continue;
        };
        println!("{name}: F1 {:.4}", f1(count(&body(&document), gold["body"].as_str().unwrap())));
        wrong.extend(differences(&document, &gold, &name));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

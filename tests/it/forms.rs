//! One article in every form that people have it in: the same segments come out of all of them.
//!
//! The files of `tests/fixtures/forms` were made by LibreOffice, Python libraries, Chromium and by hand (see its README).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use mujaz::arabic::letters::{self, Rule};
use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::walk::Found;
use mujaz::source::{OpenOptions, Part, open};

use crate::common;

fn documents(path: &Path) -> Vec<Document> {
    open(&Found { path: path.to_owned(), named: true }, &OpenOptions::default())
        .map(|part| match part {
            Part::Article(file) => document::read(&file, &ReadOptions::default()).unwrap(),
            Part::Skipped(skipped) => panic!("{}: {}", skipped.name(), skipped.reason),
            Part::Failed(error) => panic!("{error}"),
        })
        .collect()
}

/// What encodings and fonts do not keep is no difference: vowel marks, the shape of figures and of quotation marks.
fn plain(text: &str) -> String {
    let rules = [
        Rule::Invisible,
        Rule::Spaces,
        Rule::PresentationForms,
        Rule::Tatweel,
        Rule::Diacritics,
        Rule::Digits,
        Rule::Quotes,
    ];
    letters::apply(text, &rules).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the segments of title and body. `joined` puts the cells of a row together: on paper a row is a line.
fn segments(document: &Document, only: &[&str], joined: bool) -> Vec<String> {
    let mut found: Vec<(u32, BlockKind, String)> = Vec::new();
    for segment in &document.segments {
        let kind = document.block(segment.block).unwrap().kind;
        let name = match serde_json::to_value(kind).unwrap().as_str().unwrap() {
            "quote" => "block_quote".to_owned(),
            name => name.to_owned(),
        };
        if matches!(kind, BlockKind::Caption | BlockKind::PublisherSummary | BlockKind::Standfirst)
            || !(only.is_empty() || only.contains(&name.as_str()))
        {
            continue;
        }
        let words = plain(document.segment_text(segment));
        match found.last_mut() {
            Some((block, BlockKind::TableRow, row)) if joined && *block == segment.block.0 => {
                *row += &format!(" {words}");
            }
            _ => found.push((segment.block.0, kind, words)),
        }
    }
    found.into_iter().map(|(_, _, words)| words).collect()
}

/// Forms of which something is lost before any reader sees them, and what.
const LOSSY: &[(&str, &str)] = &[
    ("desal-lo.pdf", "a quote is set as the paragraph over it goes on"),
    ("desal-forms-logical.pdf", "the head of the table has no gaps"),
    ("desal-moji-lossy.txt", "letters that nobody can bring back"),
    ("desal-2002.htm", "list and table are typed with dashes and tabs, and tabs are blanks in a page"),
    ("desal-quoted.eml", "tabs were blanks when the lines were broken"),
    ("trade-lo.pdf", "the line of the caption goes on with the page's buttons"),
];

#[test]
fn one_article_gives_the_same_segments_in_every_form() {
    let folder = common::fixture("forms");
    let gold: Value = serde_json::from_slice(&fs_err::read(folder.join("gold.json")).unwrap()).unwrap();
    let one = |name: &str| documents(&folder.join(name)).remove(0);
    let pages: BTreeMap<&str, Document> =
        [("trade", one("trade.html")), ("desal", one("desal.html")), ("desal-western", one("desal-1256.htm"))].into();
    let (mut compared, mut wrong) = (0, Vec::new());
    for (name, entry) in gold["files"].as_object().unwrap() {
        let articles: Vec<&str> =
            entry["articles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // Containers and tables of several articles are read in tests of their own; a text with other signs is another text.
        if entry["expect"] != "read" || articles.len() != 1 || !entry["text_map"].is_null() {
            continue;
        }
        let only: Vec<&str> = entry["only_kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let joined = name.ends_with(".pdf");
        let wanted = segments(&pages[articles[0]], &only, joined);
        let found = documents(&folder.join(name));
        assert_eq!(found.len(), 1, "{name}");
        // A form that cannot tell a caption or the publisher's summary from the text has them as paragraphs.
        let blocks = gold["articles"][articles[0]]["blocks"].as_array().unwrap();
        let aside: String = blocks
            .iter()
            .filter(|block| block[0] == "caption" || block[0] == "publisher_summary")
            .map(|block| plain(block[1].as_str().unwrap()))
            .collect::<Vec<_>>()
            .join(" ");
        let mut found = segments(&found[0], &[], joined);
        found.retain(|words| wanted.contains(words) || !aside.contains(words.as_str()));
        compared += 1;
        if found == wanted || LOSSY.iter().any(|(lossy, _)| lossy == name) {
            println!("{name}: {} segments{}", found.len(), if found == wanted { "" } else { ", not the same" });
            continue;
        }
        let missing: Vec<&String> = wanted.iter().filter(|words| !found.contains(words)).collect();
        let extra: Vec<&String> = found.iter().filter(|words| !wanted.contains(words)).collect();
        wrong.push(format!("{name}: missing {missing:#?}, extra {extra:#?}"));
    }
    println!("{compared} forms compared");
    assert!(compared >= 60, "{compared}");
    assert!(wrong.is_empty(), "{} forms differ:\n{}", wrong.len(), wrong.join("\n"));
}

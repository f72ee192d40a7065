//! The readers of Markdown, Word, OpenDocument, EPUB, RTF, mail and subtitles: two articles in all these forms against one
//! gold and against each other, hostile files within bounds, and mutated ones.

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use mujaz::arabic::letters;
use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};

use crate::common;

/// The kind of a file of these tests, by its extension; `None` for those of other tests.
fn kind(name: &str) -> Option<Kind> {
    Some(match name.rsplit_once('.')?.1 {
        "md" => Kind::Markdown,
        "docx" => Kind::Docx,
        "odt" => Kind::Odt,
        "epub" => Kind::Epub,
        "rtf" => Kind::Rtf,
        "eml" => Kind::Email,
        "srt" | "vtt" => Kind::Subtitles,
        _ => return None,
    })
}

fn read_bytes(name: &str, kind: Kind, bytes: Vec<u8>) -> Result<Document, String> {
    let file = SourceFile::from_bytes(Path::new(name), kind, bytes).map_err(|error| error.to_string())?;
    document::read(&file, &ReadOptions::default()).map_err(|error| {
        let mut said = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            said = format!("{said}: {inner}");
            source = inner.source();
        }
        said
    })
}

fn read(folder: &str, name: &str, kind: Kind) -> Result<Document, String> {
    read_bytes(name, kind, fs_err::read(common::fixture(folder).join(name)).unwrap())
}

fn gold(folder: &str) -> Value {
    serde_json::from_slice(&fs_err::read(common::fixture(folder).join("gold.json")).unwrap()).unwrap()
}

/// The forms that these readers take and that are to be read.
fn forms(gold: &Value) -> Vec<(String, Kind, Value)> {
    let files = gold["files"].as_object().unwrap();
    let found: Vec<_> = files
        .iter()
        .filter(|(_, entry)| entry["expect"] == "read")
        .filter_map(|(name, entry)| Some((name.clone(), kind(name)?, entry.clone())))
        .collect();
    assert!(found.len() >= 25, "{}", found.len());
    found
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// The words of a text without what stands between cells and before points.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().filter(|word| !matches!(*word, "|" | "-")).collect()
}

/// The kinds of the gold in the words of [`BlockKind`].
fn kind_name(gold: &str) -> &str {
    if gold == "block_quote" { "quote" } else { gold }
}

/// The blocks that a form holds.
fn wanted(gold: &Value, entry: &Value) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (place, article) in strings(&entry["articles"]).iter().enumerate() {
        for block in gold["articles"][article]["blocks"].as_array().unwrap() {
            let (mut kind, text) = (block[0].as_str().unwrap(), block[1].as_str().unwrap());
            if !entry["only_kinds"].is_null() && !strings(&entry["only_kinds"]).iter().any(|only| only == kind) {
                continue;
            }
            if let Some(instead) = entry["kinds_instead"][kind].as_str() {
                kind = instead;
            }
            // One document has one title: that of a second article in it is a heading.
            if kind == "title" && place > 0 {
                kind = "subheading";
            }
            found.push((kind_name(kind).to_owned(), letters::apply(&text.replace('\t', " | "), letters::CLEANING)));
        }
    }
    found
}

fn blocks(document: &Document) -> Vec<(String, String)> {
    document
        .blocks
        .iter()
        .map(|b| {
            (serde_json::to_value(b.kind).unwrap().as_str().unwrap().to_owned(), document.block_text(b).to_owned())
        })
        .collect()
}

#[test]
fn every_form_gives_the_words_of_the_article_in_order() {
    let gold = gold("forms");
    let mut wrong = Vec::new();
    for (name, kind, entry) in forms(&gold) {
        let document = match read("forms", &name, kind) {
            Ok(document) => document,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let (got, wanted) = (blocks(&document), wanted(&gold, &entry));
        let all =
            |blocks: &[(String, String)]| blocks.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>().join(" ");
        let (ours, theirs) = (all(&got), all(&wanted));
        // Words run over cues and broken lines, so words are compared, and blocks where the form has them.
        if words(&ours) != words(&theirs) {
            let ours: Vec<&(String, String)> =
                got.iter().filter(|b| !wanted.iter().any(|w| words(&w.1) == words(&b.1))).collect();
            let missing: Vec<&(String, String)> =
                wanted.iter().filter(|w| !got.iter().any(|b| words(&w.1) == words(&b.1))).collect();
            wrong.push(format!("{name}: words differ\n  ours {ours:?}\n  gold {missing:?}"));
            continue;
        }
        let told: Vec<String> = strings(&entry["kinds_told"]).iter().map(|k| kind_name(k).to_owned()).collect();
        if told.is_empty() {
            continue;
        }
        let kinds = |blocks: &[(String, String)]| -> Vec<(String, String)> {
            blocks.iter().filter(|(kind, _)| told.contains(kind)).cloned().collect()
        };
        let (ours, theirs) = (kinds(&got), kinds(&wanted));
        for block in theirs.iter().filter(|block| !ours.contains(block)) {
            let instead = got.iter().find(|(_, text)| *text == block.1).map(|(kind, _)| kind);
            wrong.push(format!("{name}: {instead:?} and not {block:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_forms_state_is_taken_and_what_they_must_not_have_stays_out() {
    let gold = gold("forms");
    let mut wrong = Vec::new();
    for (name, kind, entry) in forms(&gold) {
        let Ok(document) = read("forms", &name, kind) else { continue };
        let states = &entry["states"];
        let meta = &document.meta;
        for (field, got) in [("title", document.title()), ("publisher", meta.publisher.as_deref())] {
            if let Some(stated) = states[field].as_str()
                && got != Some(stated)
            {
                wrong.push(format!("{name}: {field}: {got:?} and not {stated:?}"));
            }
        }
        // The author and the day of saving of an office document are weak: the gold of the article says what is true.
        let article = &gold["articles"][&strings(&entry["articles"])[0]];
        if strings(&entry["articles"]).len() == 1 {
            let byline = article["byline"].as_str();
            if meta.byline.is_some() && meta.byline.as_deref() != byline {
                wrong.push(format!("{name}: byline {:?} and not {byline:?}", meta.byline));
            }
            if states["byline"].is_string() && meta.byline.is_none() {
                wrong.push(format!("{name}: no byline"));
            }
            let day = meta.date.as_ref().map(|date| date.iso.to_string());
            if day.is_some() && day.as_deref() != article["date"].as_str() {
                wrong.push(format!("{name}: date {day:?}"));
            }
            // Formats that say when an article was published say the moment; office documents only when they were saved.
            if let (Some(at), Kind::Markdown | Kind::Epub | Kind::Email) = (states["datetime"].as_str(), kind)
                && name != "desal-attached.eml"
            {
                let moment = |text: &str| text.parse::<jiff::Timestamp>().ok();
                let got = meta.date.as_ref().and_then(|date| moment(date.at.as_deref()?));
                if got != moment(at) {
                    wrong.push(format!("{name}: {:?} and not {at}", meta.date));
                }
            }
            if (states["date"].is_string() || states["datetime"].is_string()) && day.is_none() {
                wrong.push(format!("{name}: no date"));
            }
        }
        for never in strings(&entry["must_not_have"]) {
            if document.text.contains(&never) {
                wrong.push(format!("{name}: the text has {never:?}"));
            }
        }
        if let Some(encoding) = entry["encoding"].as_str()
            && document.encoding != encoding
        {
            wrong.push(format!("{name}: encoding {} and not {encoding}", document.encoding));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// The segments of an article's text: titles, paragraphs, points, quotations; rows of tables cell by cell.
fn segments(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    for block in &document.blocks {
        // The kind of a block is a guess where the form does not tell it; its segments are not.
        for segment in document.segments_of(block.id) {
            let text = document.segment_text(segment).trim_start_matches(['-', '•', ' ']);
            found.extend(text.split(['\t', '|']).map(|cell| cell.trim().to_owned()));
        }
    }
    found
}

#[test]
fn the_same_article_in_every_form_gives_the_same_segments() {
    let gold = gold("forms");
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, kind, entry) in forms(&gold) {
        let articles = strings(&entry["articles"]);
        // Cues and quoted lines have lost where a row or a heading ends; a part of an article has not all segments.
        if articles.len() != 1
            || !entry["only_kinds"].is_null()
            || !entry["table_cells"].is_null()
            || kind == Kind::Subtitles
        {
            continue;
        }
        let text = match articles[0].as_str() {
            "trade" => "trade.txt",
            "desal" => "desal.txt",
            _ => "desal-1256.txt",
        };
        let Ok(document) = read("forms", &name, kind) else { continue };
        let (ours, theirs) = (segments(&document), segments(&read("forms", text, Kind::Text).unwrap()));
        compared += 1;
        if ours != theirs {
            let only = |a: &[String], b: &[String]| a.iter().filter(|s| !b.contains(s)).cloned().collect::<Vec<_>>();
            wrong.push(format!(
                "{name}: only here {:?}, only in {text} {:?}",
                only(&ours, &theirs),
                only(&theirs, &ours)
            ));
        }
    }
    assert!(compared >= 20, "{compared}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn wrong_names_and_broken_files_are_refused_in_words() {
    for (name, kind, said) in [
        ("desal-old.doc", Kind::Docx, "save it as .docx"),
        ("desal-html.doc", Kind::Docx, "web page"),
        ("cut.docx", Kind::Docx, "zip container is cut off"),
        ("desal.odt", Kind::Docx, "OpenDocument"),
        ("desal.epub", Kind::Docx, "electronic book"),
        ("desal.docx", Kind::Odt, "Word document"),
        ("desal.docx", Kind::Epub, "Word document"),
        ("desal.docx", Kind::Rtf, "zip container"),
        ("desal.docx", Kind::Markdown, "zip container"),
        ("desal.docx", Kind::Email, "zip container"),
        ("desal.rtf", Kind::Subtitles, "RTF"),
        ("desal.txt", Kind::Rtf, "does not begin"),
        ("desal.txt", Kind::Subtitles, "-->"),
    ] {
        let file = if name == "desal.rtf" { "desal-word.rtf" } else { name };
        let error = read("forms", file, kind).unwrap_err();
        assert!(error.contains(said) && error.contains(file), "{error}");
    }
    // Kind by content is another's to tell: the reader takes the bytes whatever the name.
    let named = read("forms", "desal-docx.txt", Kind::Docx).unwrap();
    assert_eq!(named.text, read("forms", "desal.docx", Kind::Docx).unwrap().text);
}

/// Reads within a time limit; the thread of a reader that runs on is given up.
fn within(limit: Duration, name: &str, kind: Kind, bytes: Vec<u8>) -> Result<Document, String> {
    let (send, receive) = std::sync::mpsc::channel();
    let owned = name.to_owned();
    // A small stack: depth in the file must not become depth of calls.
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(move || drop(send.send(read_bytes(&owned, kind, bytes))))
        .unwrap();
    receive.recv_timeout(limit).unwrap_or_else(|error| panic!("{name}: {error} after {limit:?}"))
}

const LIMIT: Duration = Duration::from_secs(5);

#[test]
fn hostile_files_are_read_or_refused_within_bounds() {
    let gold = gold("hostile_docs");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, entry) in gold["files"].as_object().unwrap() {
        let Some(kind) = kind(name) else { continue };
        seen += 1;
        let bytes = fs_err::read(common::fixture("hostile_docs").join(name)).unwrap();
        let started = Instant::now();
        let read = within(LIMIT, name, kind, bytes);
        println!(
            "{name}: {:?}: {}",
            started.elapsed(),
            read.as_ref().map_or_else(|e| e.clone(), |d| d.text.len().to_string())
        );
        let expect = entry["expect"].as_str().unwrap();
        match read {
            Ok(document) => {
                if expect == "refuse" {
                    wrong.push(format!("{name}: read as {:?}", &document.text.chars().take(100).collect::<String>()));
                }
                // Nothing expands: not to more than the input can hold unpacked.
                if document.text.len() > 2_000_000 {
                    wrong.push(format!("{name}: {} bytes of text", document.text.len()));
                }
                if let Some(text) = entry["read_text"].as_str()
                    && !document.text.contains(text)
                {
                    wrong.push(format!("{name}: without {text:?}"));
                }
                for never in strings(&entry["never"]) {
                    if document.text.contains(&never) {
                        wrong.push(format!("{name}: has {never:?}"));
                    }
                }
            }
            Err(error) => {
                if expect == "read" || !error.contains(name.as_str()) {
                    wrong.push(format!("{name}: {error}"));
                }
            }
        }
    }
    assert!(seen >= 25, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn large_hostile_files_are_read_or_refused_in_time() {
    let deep = |n: usize| {
        let mut text = b"{\\rtf1\\ansi\\ansicpg1256 ".to_vec();
        text.extend(vec![b'{'; n]);
        text.extend(b"\\u1571?");
        text.extend(vec![b'}'; n + 1]);
        text
    };
    let mime = |n: usize| {
        let mut text: String =
            (0..n).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
        text.push_str("Content-Type: text/plain\r\n\r\nخبر\r\n");
        text.into_bytes()
    };
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000) + "Subject: x\r\n\r\nخبر\r\n";
    let headers = format!("Subject: {}\r\nخبر", " =?utf-8?Q?=D8=AE?=\r\n".repeat(1_000_000));
    let folded = format!("Subject: x\r\n{}\r\nخبر", " y\r\n".repeat(1_000_000));
    let cues: String = (1..500_000).map(|n| format!("{n}\n00:00:00,000 --> 00:00:01,000\nخبر {n}\n\n")).collect();
    let lists: String = (0..3000).map(|n| format!("{}- خبر\n", " ".repeat(2 * n))).collect();
    let brackets = format!("# خبر\n\n{}\n\n{}\n", "[".repeat(100_000), "*a_".repeat(50_000));
    let notes = format!("{}\n", "[^1]".repeat(100_000));
    for (name, kind, bytes, refused) in [
        ("deep.rtf", Kind::Rtf, deep(1_000_000), true),
        ("mime.eml", Kind::Email, mime(10_000), true),
        ("mime-more.eml", Kind::Email, mime(100_000), true),
        ("messages.eml", Kind::Email, messages.into_bytes(), true),
        ("headers.eml", Kind::Email, headers.into_bytes(), false),
        ("folded.eml", Kind::Email, folded.into_bytes(), false),
        ("cues.srt", Kind::Subtitles, cues.into_bytes(), false),
        ("lists.md", Kind::Markdown, lists.into_bytes(), false),
        ("brackets.md", Kind::Markdown, brackets.into_bytes(), false),
        ("notes.md", Kind::Markdown, notes.into_bytes(), false),
        ("quotes.md", Kind::Markdown, format!("{}خبر\n", "> ".repeat(50_000)).into_bytes(), false),
    ] {
        let started = Instant::now();
        let read = within(4 * LIMIT, name, kind, bytes);
        println!(
            "{name}: {:?}: {}",
            started.elapsed(),
            read.as_ref().map_or_else(|e| e.clone(), |d| d.text.len().to_string())
        );
        assert!(!refused || read.is_err(), "{name} is read");
    }
}

/// Blocks in order, segments in them.
fn check(document: &Document) {
    let mut at = 0;
    for block in &document.blocks {
        assert!(block.span.start >= at && document.text.get(block.span.start..block.span.end).is_some());
        at = block.span.end;
        assert!(block.kind != BlockKind::TableRow || !document.block_text(block).contains('\n'));
    }
}

const SEEDS: &[&str] = &[
    "desal.md",
    "trade-front.md",
    "desal.docx",
    "desal.odt",
    "desal-odfpy.odt",
    "desal.epub",
    "desal-word.rtf",
    "desal-1256.rtf",
    "desal-lo.rtf",
    "desal-quoted.eml",
    "desal-attached.eml",
    "trade-alternative.eml",
    "trade-forwarded.eml",
    "desal.srt",
    "trade.vtt",
];

/// Unpacks a container, mutates a part of it and packs it again: else nearly every change is only a wrong checksum.
fn repacked(bytes: &[u8], change: &dyn Fn(&mut Vec<u8>)) -> Vec<u8> {
    use std::io::{Cursor, Read, Write};
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut part = Vec::new();
        file.read_to_end(&mut part).unwrap();
        if ["document.xml", "content.xml", "content.opf", "c0.xhtml"].iter().any(|end| name.ends_with(end)) {
            change(&mut part);
        }
        writer.start_file(name, options).unwrap();
        writer.write_all(&part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_are_read_or_refused(
        seed in prop::sample::select(SEEDS),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..12),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
        pack in any::<bool>(),
    ) {
        let mut bytes = fs_err::read(common::fixture("forms").join(seed)).unwrap();
        let whole = bytes.len();
        let change = |bytes: &mut Vec<u8>| {
            for (at, byte, how) in &changes {
                if bytes.is_empty() {
                    return;
                }
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = *byte,
                    1 => bytes.insert(at, *byte),
                    2 => {
                        bytes.remove(at);
                    }
                    // A piece of the file once more, elsewhere: tags that do not close, groups in groups.
                    _ => {
                        let piece = bytes[at..bytes.len().min(at + usize::from(*byte) + 1)].to_vec();
                        let to = (at * 7) % bytes.len();
                        bytes.splice(to..to, piece);
                    }
                }
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()).max(1));
            }
        };
        if pack && bytes.starts_with(b"PK") {
            bytes = repacked(&bytes, &change);
        } else {
            change(&mut bytes);
        }
        if let Ok(document) = read_bytes(seed, kind(seed).unwrap(), bytes) {
            check(&document);
            prop_assert!(document.text.len() < 20 * whole);
        }
    }
}

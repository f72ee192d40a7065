//! `mujaz extract`, and the reading of pages behind it: the five real articles against their gold, the pages of
//! `tests/fixtures` against theirs, the same pages in other encodings, sentence boundaries, and bad input.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use mujaz::arabic::letters;
use mujaz::document::{self, BlockKind, Document, ReadOptions, segment};
use mujaz::source::{Kind, SourceFile, encoding};

use crate::common;

fn read_bytes(bytes: Vec<u8>) -> Option<Document> {
    let file = SourceFile::from_bytes(Path::new("test.txt"), Kind::Text, bytes).ok()?;
    document::read(&file, &ReadOptions::default()).ok()
}

fn read(path: &Path) -> Document {
    read_bytes(fs_err::read(path).unwrap()).unwrap_or_else(|| panic!("{}: no document", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

fn texts(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    paths
}

fn only(document: &Document, kind: BlockKind) -> Vec<String> {
    document.texts_of(kind).map(str::to_owned).collect()
}

/// Compares an article with an entry of `gold.json`; returns what differs.
fn differences(document: &Document, gold: &Value, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |field: &str, got: Option<String>, whole: bool| {
        let wanted = gold.get(field).and_then(Value::as_str);
        let same = match (&got, wanted) {
            (Some(got), Some(wanted)) => {
                if whole {
                    got == wanted
                } else {
                    got.starts_with(wanted)
                }
            }
            (None, None) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!("{name}: {field}: got {got:?}, wanted {wanted:?}"));
        }
    };
    let meta = &document.meta;
    expect("title", document.title().map(str::to_owned), true);
    expect("byline", meta.byline.clone(), true);
    expect("publisher", meta.publisher.clone(), true);
    expect("dateline", meta.dateline.clone(), true);
    expect("date", meta.date.as_ref().map(|d| d.iso.to_string()), true);
    expect("standfirst", only(document, BlockKind::Standfirst).into_iter().next(), false);
    expect("caption", only(document, BlockKind::Caption).into_iter().next(), true);
    expect("pull_quote", only(document, BlockKind::PullQuote).into_iter().next(), false);
    expect("subheading", only(document, BlockKind::Subheading).into_iter().next(), true);
    let body = only(document, BlockKind::Paragraph);
    expect("body_first", body.first().cloned(), false);
    let last = body.last().cloned().unwrap_or_default();
    let ending = gold["body_last"].as_str().unwrap();
    if !last.trim_end_matches(|c: char| !c.is_alphabetic()).ends_with(ending) {
        wrong.push(format!("{name}: body_last: got {last:?}, wanted {ending:?}"));
    }
    let points = only(document, BlockKind::PublisherSummary);
    let wanted: Vec<&str> =
        gold["publisher_summary"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if points.len() != wanted.len() || !points.iter().zip(&wanted).all(|(point, label)| point.starts_with(label)) {
        wrong.push(format!("{name}: publisher_summary: got {points:?}, wanted {wanted:?}"));
    }
    let body = body.join("\n");
    for part in gold["not_in_body"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if body.contains(part) {
            wrong.push(format!("{name}: the body holds {part:?}"));
        }
    }
    wrong
}

#[test]
fn the_five_articles_agree_with_their_gold() {
    let Some(folder) = common::shared("articles") else { return };
    let gold = json(&folder.join("gold.json"));
    let mut wrong = Vec::new();
    for path in texts(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let document = read(&path);
        wrong.extend(differences(&document, &gold[name], name));
        wrong.extend(lost_words(&document, &fs_err::read_to_string(&path).unwrap(), name));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(gold.as_object().unwrap().len(), 5);
}

/// Every word of the page is in a block, among the furniture or in the dateline.
fn lost_words(document: &Document, page: &str, name: &str) -> Vec<String> {
    let meta = &document.meta;
    let kept = [document.text.as_str(), &document.furniture.join("\n")].join("\n");
    let facts = [&meta.byline, &meta.publisher, &meta.dateline].map(|f| f.clone().unwrap_or_default()).join(" ");
    letters::apply(page, letters::CLEANING)
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty() && !kept.contains(word) && !facts.contains(word))
        .map(|word| format!("{name}: lost {word:?}"))
        .collect()
}

/// Compares a page with its gold; returns what differs.
fn page_differences(document: &Document, gold: &Value, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let meta = &document.meta;
    let date = meta.date.as_ref().map(|d| d.iso.to_string());
    for (field, got) in
        [("byline", &meta.byline), ("publisher", &meta.publisher), ("dateline", &meta.dateline), ("date", &date)]
    {
        if got.as_deref() != gold[field].as_str() {
            wrong.push(format!("{name}: {field}: got {got:?}, wanted {}", gold[field]));
        }
    }
    let blocks: Vec<(String, String)> = document
        .blocks
        .iter()
        .map(|b| {
            (serde_json::to_value(b.kind).unwrap().as_str().unwrap().to_owned(), document.block_text(b).to_owned())
        })
        .collect();
    let wanted: Vec<(String, String)> = serde_json::from_value(gold["blocks"].clone()).unwrap();
    for extra in blocks.iter().filter(|b| !wanted.contains(b)) {
        wrong.push(format!("{name}: extra {extra:?}"));
    }
    for missing in wanted.iter().filter(|b| !blocks.contains(b)) {
        wrong.push(format!("{name}: missing {missing:?}"));
    }
    let furniture: Vec<String> = serde_json::from_value(gold["furniture"].clone()).unwrap();
    if furniture != document.furniture {
        wrong.push(format!("{name}: furniture: got {:?}", document.furniture));
    }
    wrong
}

#[test]
fn pages_of_other_shapes_agree_with_their_gold() {
    let folder = common::fixture("pages");
    let mut wrong = Vec::new();
    let paths = texts(&folder);
    assert!(paths.len() >= 12);
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let gold = json(&path.with_extension("gold.json"));
        let document = read(path);
        if gold["encoding"] != document.encoding.as_str() {
            wrong.push(format!("{name}: encoding: {}", document.encoding));
        }
        wrong.extend(page_differences(&document, &gold, name));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_same_page_in_another_encoding_is_the_same_document() {
    for path in texts(&common::fixture("pages")) {
        let bytes = fs_err::read(&path).unwrap();
        let text = encoding::decode(&bytes, None, None).unwrap().text;
        let original = read_bytes(bytes).unwrap();
        let utf16 = |big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let mut forms = vec![
            ("UTF-8", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
            ("UTF-16LE", utf16(false)),
            ("UTF-16BE", utf16(true)),
            ("UTF-8", text.replace('\n', "\r\n").into_bytes()),
        ];
        for other in [encoding_rs::WINDOWS_1256, encoding_rs::ISO_8859_6] {
            let (bytes, _, unmappable) = other.encode(&text);
            if !unmappable {
                forms.push((other.name(), bytes.into_owned()));
            }
        }
        for (name, bytes) in forms {
            let document = read_bytes(bytes).unwrap();
            assert_eq!(document.encoding, name, "{}", path.display());
            assert_eq!(
                (document.text, document.meta),
                (original.text.clone(), original.meta.clone()),
                "{} as {name}",
                path.display()
            );
        }
    }
}

#[test]
fn plain_news_without_a_site_around_it_keeps_every_line() {
    let Some(path) = common::shared("eval/ntrex-dev.jsonl") else { return };
    for line in fs_err::read_to_string(path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let lines: Vec<&str> = entry["ar"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
        let document = read_bytes(lines.join("\n").into_bytes()).unwrap();
        assert_eq!(document.furniture, Vec::<String>::new(), "{}", entry["id"]);
        assert_eq!(document.blocks.len(), lines.len(), "{}", entry["id"]);
    }
}

#[test]
fn the_samples_are_read_in_full() {
    let facts = [
        ("mauritania-health.txt", Some("السالمة منت الداه"), "صحراء ميديا", "2024-10-06", 0),
        ("morocco-water.txt", Some("سلمى الإدريسي"), "هسبريس", "2025-01-15", 0),
        ("tunisia-libya-trade.txt", None, "العربي الجديد", "2024-03-12", 3),
    ];
    for (path, (wanted, byline, publisher, date, points)) in texts(&common::fixture("articles")).iter().zip(facts) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let document = read(path);
        let meta = &document.meta;
        assert_eq!(name, wanted);
        assert_eq!((meta.byline.as_deref(), meta.publisher.as_deref()), (byline, Some(publisher)), "{name}");
        assert_eq!(meta.date.as_ref().map(|d| d.iso.to_string()).as_deref(), Some(date), "{name}");
        assert_eq!(only(&document, BlockKind::PublisherSummary).len(), points, "{name}");
        assert_eq!(only(&document, BlockKind::Subheading).len(), 1, "{name}");
        let body: usize = only(&document, BlockKind::Paragraph).iter().map(|p| segment::sentences(p).len()).sum();
        assert!((8..=16).contains(&body), "{name}: {body} sentences");
        assert!(!document.furniture.is_empty(), "{name}");
        assert_eq!(lost_words(&document, &fs_err::read_to_string(path).unwrap(), &name), Vec::<String>::new());
    }
    assert_eq!(texts(&common::fixture("articles")).len(), 3);
}

#[test]
fn sentence_boundaries_are_those_of_the_treebank() {
    let Some(path) = common::shared("seg/pud-paragraphs-dev.jsonl") else { return };
    let (mut right, mut found, mut wanted) = (0usize, 0usize, 0usize);
    for line in fs_err::read_to_string(path).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let text = entry["text"].as_str().unwrap();
        let mut gold = std::collections::BTreeSet::new();
        let mut at = 0;
        for part in entry["segments"].as_array().unwrap() {
            let part = part.as_str().unwrap();
            at += text[at..].find(part).unwrap() + part.len();
            gold.insert(at);
        }
        let ours: std::collections::BTreeSet<usize> = segment::sentences(text).iter().map(|s| s.end).collect();
        // The end of the paragraph is given, not found.
        let inner = |set: &std::collections::BTreeSet<usize>| {
            set.iter().copied().filter(|&end| end < text.trim_end().len()).collect::<std::collections::BTreeSet<_>>()
        };
        let (gold, ours) = (inner(&gold), inner(&ours));
        right += gold.intersection(&ours).count();
        (found, wanted) = (found + ours.len(), wanted + gold.len());
    }
    let (precision, recall) = (right as f64 / found as f64, right as f64 / wanted as f64);
    let f1 = 2.0 * precision * recall / (precision + recall);
    println!("sentence boundaries: precision {precision:.4}, recall {recall:.4}, F1 {f1:.4} ({wanted} boundaries)");
    assert!(f1 >= 0.99, "F1 {f1:.4}");
}

/// Spans lie in the text, in order; segments cover their blocks.
fn check(document: &Document) {
    let mut at = 0;
    for block in &document.blocks {
        assert!(block.span.start >= at && document.text.get(block.span.start..block.span.end).is_some());
        at = block.span.end;
        let mut inner = block.span.start;
        for segment in document.segments_of(block.id) {
            assert!(document.text[inner..segment.span.start].trim().is_empty());
            inner = segment.span.end;
        }
        assert!(document.text[inner..block.span.end].trim().is_empty());
    }
    let json = serde_json::to_string(document).unwrap();
    assert_eq!(&serde_json::from_str::<Document>(&json).unwrap(), document);
}

/// Lines as pages have them, in any order.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ابتمنيدوفأةى ،؛:.!؟…\"“”«»()ـ0-9٠-٩/|–-]{0,80}",
        prop::sample::select(vec![
            "",
            "",
            "الرئيسية / أخبار",
            "شاهد أيضا",
            "اقرأ أيضا: خبر آخر من المدينة",
            "ترك الرد",
            "اظهر الملخص",
            "- نقطة: كلام طويل هنا",
            "دلالات",
            "3 مايو 2023",
            "القاهرة – رويترز",
            "كتب: محمد علي",
            "المصدر: الجزيرة",
            "صورة (رويترز)",
            "(رويترز)",
            "خلاصة",
            "4",
            "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة 20 مليون دينار.",
            "قال الوزير إن العمل سينتهي قبل نهاية السنة. وأضاف أن الكلفة لن ترتفع؟ (وكالات)",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(document) = read_bytes(bytes) {
            check(&document);
        }
    }

    #[test]
    fn any_lines_are_read_and_none_is_lost(lines in prop::collection::vec(any_line(), 1..25)) {
        let page = lines.join("\n");
        if let Some(document) = read_bytes(page.clone().into_bytes()) {
            check(&document);
            // Of every line at least one word stands somewhere: in a block, among the furniture or in a fact. (A label, a
            // dateline or the site's name may have been cut off.)
            let meta = &document.meta;
            let facts = [&meta.byline, &meta.publisher, &meta.dateline].map(|f| f.clone().unwrap_or_default()).join(" ");
            let kept = [document.text.as_str(), &document.furniture.join("\n"), &facts].join("\n");
            for line in letters::apply(&page, letters::CLEANING).split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
                let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
                prop_assert!(words.is_empty() || words.iter().any(|word| kept.contains(word)), "lost {line:?}");
            }
        }
    }
}

#[test]
fn large_input_is_read_in_bounded_time() {
    let sentence = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة 20 مليون دينار";
    let started = std::time::Instant::now();
    for (bytes, joint) in [(5_000_000, " "), (5_000_000, "، "), (5_000_000, ""), (5_000_000, ". "), (50_000_000, ".\n")]
    {
        let text = format!("عنوان المقال عن المشروع\n{}", format!("{sentence}{joint}").repeat(bytes / sentence.len()));
        let document = read_bytes(text.into_bytes()).unwrap();
        assert!(document.segments.len() > 100);
    }
    let took = started.elapsed();
    println!("70 MB read in {took:?}");
    assert!(took.as_secs() < 180, "{took:?}");
}

#[test]
fn the_command_prints_a_line_an_article_and_counts() {
    let home = tempfile::tempdir().unwrap();
    let output = common::mujaz(home.path()).arg("extract").arg(common::fixture("pages")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let pages = texts(&common::fixture("pages")).len();
    let lines: Vec<Value> = output
        .stdout
        .split(|&b| b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(lines.len(), pages);
    for line in &lines {
        let text = line["text"].as_str().unwrap();
        for block in line["blocks"].as_array().unwrap() {
            let span = |end: &str| usize::try_from(block["span"][end].as_u64().unwrap()).unwrap();
            assert_eq!(&text[span("start")..span("end")], block["text"].as_str().unwrap());
        }
        assert_eq!(line["sha256"].as_str().unwrap().len(), 64);
    }
    let said = String::from_utf8(output.stderr).unwrap();
    let (start, rest) = said.trim().split_once(" (text may be in ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(start, format!("{pages} articles, {pages} skipped"), "the gold files are skipped");
    assert!(rest.ends_with(&format!(" and {} more; -v says why), 0 failed.", pages - 3)), "{said}");
}

#[test]
fn the_command_writes_a_file_an_article_and_parents_tell_twins_apart() {
    let home = tempfile::tempdir().unwrap();
    for (folder, name) in [("a", "x.txt"), ("b", "x.txt"), ("b", "y.txt")] {
        fs_err::create_dir_all(home.path().join(folder)).unwrap();
        fs_err::copy(common::fixture("pages/opinion.txt"), home.path().join(folder).join(name)).unwrap();
    }
    let out = home.path().join("out");
    common::mujaz(home.path())
        .current_dir(home.path())
        .args(["extract", "a", "b", "-o"])
        .arg(&out)
        .assert()
        .success()
        .stdout("");
    let mut names: Vec<String> =
        fs_err::read_dir(&out).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["a-x.json", "b-x.json", "y.json"]);
    assert_eq!(json(&out.join("y.json"))["byline"], "د. نادية المنصوري");
}

#[test]
fn standard_input_is_an_article() {
    let home = tempfile::tempdir().unwrap();
    let page = fs_err::read(common::fixture("pages/opinion.txt")).unwrap();
    let output = common::mujaz(home.path()).args(["extract", "-q", "-"]).write_stdin(page).output().unwrap();
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((line["path"].as_str(), line["date"].as_str()), (Some("-"), Some("2020-09-15")));
    assert!(output.stderr.is_empty());
}

#[test]
fn bad_input_is_named_and_the_others_are_done() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path();
    fs_err::write(root.join("empty.txt"), "").unwrap();
    fs_err::write(root.join("blank.txt"), " \n\n").unwrap();
    fs_err::write(root.join("binary.txt"), [0u8, 159, 146, 150].repeat(500)).unwrap();
    fs_err::write(root.join("page.html"), "<p>x</p>").unwrap();
    fs_err::copy(common::fixture("pages/opinion.txt"), root.join("good.txt")).unwrap();
    let mut bad = vec!["empty.txt", "blank.txt", "binary.txt", "page.html", "missing.txt"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", root.join("broken.txt")).unwrap();
        bad.push("broken.txt");
    }
    let output = common::mujaz(root).current_dir(root).arg("extract").args(&bad).arg("good.txt").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout.iter().filter(|&&b| b == b'\n').count(), 1, "the good one is done");
    let said = String::from_utf8(output.stderr).unwrap();
    for name in &bad {
        assert_eq!(said.lines().filter(|l| l.starts_with(&format!("error: {name}: "))).count(), 1, "{name}: {said}");
    }
    assert!(said.ends_with(&format!("1 article, 0 skipped, {} failed.\n", bad.len())), "{said}");
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("secret.txt");
    fs_err::copy(common::fixture("pages/opinion.txt"), &path).unwrap();
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if fs_err::read(&path).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let output = common::mujaz(home.path()).arg("extract").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("secret.txt: cannot be read: "));
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let home = tempfile::tempdir().unwrap();
    let page = common::fixture("pages/opinion.txt");
    let wrong = common::mujaz(home.path()).args(["extract", "--encoding", "klingon"]).arg(&page).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("klingon"));
    fs_err::write(home.path().join("file"), "x").unwrap();
    let blocked =
        common::mujaz(home.path()).arg("extract").arg(&page).arg("-o").arg(home.path().join("file")).output().unwrap();
    assert_eq!(blocked.status.code(), Some(2));
    let nothing = common::mujaz(home.path()).arg("extract").arg(home.path().join("none")).output().unwrap();
    assert_eq!(nothing.status.code(), Some(1));
}

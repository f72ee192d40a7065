//! PDFs with a text layer: both articles by ten producers come out word for word, what cannot be read is refused in plain words,
//! and hostile files cost neither time nor memory.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};
use proptest::prelude::*;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::common;

fn read_bytes(name: &str, bytes: Vec<u8>) -> Result<Document, String> {
    let file = SourceFile::from_bytes(Path::new(name), Kind::Pdf, bytes).map_err(|error| error.to_string())?;
    document::read(&file, &ReadOptions::default()).map_err(|error| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        format!("{error}{source}")
    })
}

fn read(path: &Path) -> Result<Document, String> {
    read_bytes(&path.display().to_string(), fs_err::read(path).unwrap())
}

fn form(name: &str) -> PathBuf {
    common::fixture("forms").join(name)
}

fn gold() -> Value {
    serde_json::from_slice(&fs_err::read(form("gold.json")).unwrap()).unwrap()
}

/// Returns words as the fixtures' README compares them: after NFKC, without vowel marks.
fn words(text: &str) -> Vec<String> {
    let plain: String =
        text.nfkc().filter(|c| !matches!(c, '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | '|')).collect();
    plain.split_whitespace().filter(|word| !matches!(*word, "•" | "-" | "–")).map(str::to_owned).collect()
}

/// Returns how many words of the gold stand in the other list in the same order.
fn in_order(gold: &[String], found: &[String]) -> usize {
    let mut row = vec![0; found.len() + 1];
    for word in gold {
        let mut corner = 0;
        for (at, other) in found.iter().enumerate() {
            let above = row[at + 1];
            row[at + 1] = if word == other { corner + 1 } else { above.max(row[at]) };
            corner = above;
        }
    }
    row[found.len()]
}

/// Everything that was read: the document and what was left out of it, since a byline is no block.
fn everything(document: &Document) -> String {
    let mut all = document.text.clone();
    for line in &document.furniture {
        all.push('\n');
        all.push_str(line);
    }
    all
}

#[test]
fn both_articles_by_ten_producers_come_out_word_for_word() {
    let gold = gold();
    let mut seen = 0;
    for (name, facts) in gold["files"].as_object().unwrap() {
        if !name.ends_with(".pdf") || facts["expect"] == "refuse" {
            continue;
        }
        let document = read(&form(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let article = &gold["articles"][facts["articles"][0].as_str().unwrap()];
        let wanted: Vec<String> =
            article["blocks"].as_array().unwrap().iter().flat_map(|block| words(block[1].as_str().unwrap())).collect();
        let found = words(&everything(&document));
        let share = in_order(&wanted, &found) as f64 / wanted.len() as f64;
        println!("{name}: {share:.3} of {} words in order", wanted.len());
        assert!(share > 0.985, "{name}: {share:.3}\n{}", document.text);
        assert_eq!(document.title(), article["title"].as_str(), "{name}");
        for word in facts["must_not_have"].as_array().into_iter().flatten() {
            assert!(!document.text.contains(word.as_str().unwrap()), "{name}: {word}");
        }
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
}

#[test]
fn pages_without_text_are_told_and_the_others_read() {
    let document = read(&form("desal-and-scan.pdf")).unwrap();
    assert_eq!(document.warnings, ["page 2 is a picture: 1 of 2 pages without text, which only OCR could read"]);
    let document = read(&form("latin-font.pdf")).unwrap();
    assert!(
        document.warnings[0].contains("windows-1256 text had been read as windows-1252"),
        "{:?}",
        document.warnings
    );
}

#[test]
fn what_cannot_be_read_is_refused_in_plain_words() {
    for (name, said) in [
        ("scan.pdf", "without text: its page is a picture"),
        ("garbage.pdf", "text layer is garbage"),
        ("locked.pdf", "opens only with a password"),
        ("cut.pdf", "ends in the middle"),
    ] {
        let error = read(&form(name)).unwrap_err();
        assert!(error.contains(said) && error.contains(name), "{name}: {error}");
    }
}

#[test]
fn heads_and_feet_of_pages_are_the_papers() {
    let document = read(&form("trade-pages.pdf")).unwrap();
    assert!(document.furniture.iter().any(|line| line == "صفحة 2 من 3"), "{:?}", document.furniture);
    assert!(!document.text.contains("صفحة 2 من 3"));
    let rows = read(&form("desal-visual.pdf")).unwrap();
    assert!(rows.texts_of(BlockKind::TableRow).any(|row| row == "القالة | ١٢٬٥٠٠ | ٣١٬٠٠٠"));
    assert_eq!(rows.texts_of(BlockKind::ListItem).count(), 3);
}

fn made(name: &str) -> Result<Document, String> {
    read(&common::fixture("pdf").join(name))
}

#[test]
fn pages_that_are_turned_are_read_in_their_own_direction() {
    let flat = made("flat.pdf").unwrap();
    assert!(flat.text.contains("تزنيت") && flat.warnings.is_empty(), "{:?}", flat.warnings);
    for name in ["turned.pdf", "drawn-turned.pdf", "skewed.pdf"] {
        let document = made(name).unwrap();
        assert_eq!(document.text, flat.text, "{name}");
        assert!(document.warnings.is_empty(), "{name}: {:?}", document.warnings);
    }
    let document = made("both-ways.pdf").unwrap();
    assert_eq!(document.text, flat.text);
    assert_eq!(
        document.warnings,
        ["page 2 is written in several directions: 1 of 2 pages where what runs across the rest is left out"]
    );
}

#[test]
fn a_blank_page_between_others_is_told() {
    let document = made("blank-between.pdf").unwrap();
    assert_eq!(document.text, made("flat.pdf").unwrap().text);
    assert_eq!(document.warnings, ["page 2 is blank: 1 of 4 pages on which nothing is drawn"]);
}

#[test]
fn what_the_author_says_twice_is_no_running_head() {
    let document = made("refrain.pdf").unwrap();
    let line = "يعيش الناس هنا على ماء البئر وحده";
    assert!(everything(&document).contains(line) && !document.furniture.iter().any(|l| l == line), "{document:?}");
    // The article stands twice: lines that fall on the same rows of two pages are still its own, and the second copy is left
    // out because every line of it stands in the text.
    let document = made("heads.pdf").unwrap();
    let heads = |line: &&String| line.starts_with("جريدة الماء") || line.starts_with("صفحة");
    for line in document.furniture.iter().filter(|line| !heads(line)) {
        assert!(document.text.contains(line.as_str()), "{line}");
    }
    let heads = document.furniture.iter().filter(heads).count();
    assert!(!document.text.contains("جريدة الماء") && heads >= 4, "{:?}", document.furniture);
    let error = made("only-heads.pdf").unwrap_err();
    assert!(error.contains("only running heads"), "{error}");
}

#[test]
fn paragraphs_set_from_left_to_right_are_read_in_order() {
    let flat = made("flat.pdf").unwrap();
    let document = made("left-lo.pdf").unwrap();
    assert_eq!((&document.text, document.segments.len()), (&flat.text, flat.segments.len()));
    // WeasyPrint orders each line by itself: a figure on the left may begin the line or end it, which nothing tells.
    let document = made("left-weasy.pdf").unwrap();
    let paragraphs = |document: &Document| document.text.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    let (wanted, found) = (paragraphs(&flat), paragraphs(&document));
    assert_eq!(found.len(), wanted.len());
    assert_eq!(found[..6], wanted[..6]);
}

#[test]
fn the_sign_of_percent_stands_behind_its_figure_in_a_cell_too() {
    let document = made("percent.pdf").unwrap();
    assert!(document.text.contains("٣٫٢٪") && document.text.contains("١٢٫٥٪"), "{}", document.text);
}

#[test]
fn a_font_that_names_pieces_of_letters_is_garbage() {
    let error = made("pieces.pdf").unwrap_err();
    assert!(error.contains("text layer is garbage"), "{error}");
}

#[test]
fn hostile_files_cost_neither_time_nor_memory() {
    let folder = common::fixture("hostile_docs");
    let gold: Value = serde_json::from_slice(&fs_err::read(folder.join("gold.json")).unwrap()).unwrap();
    let files = gold.get("files").unwrap_or(&gold).as_object().unwrap().clone();
    let mut seen = 0;
    for entry in fs_err::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "pdf") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let start = Instant::now();
        let result = read(&path);
        assert!(start.elapsed() < Duration::from_secs(5), "{name}: {:?}", start.elapsed());
        if let Ok(document) = &result {
            assert!(document.text.len() < 1024 * 1024, "{name}");
        }
        if files.get(&name).is_some_and(|facts| facts["expect"] == "refuse") {
            assert!(result.is_err(), "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

/// A PDF of one page with the content given.
fn page(content: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
         3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1\
         /BaseFont/Helvetica>>>>>>>>\nendobj\n4 0 obj\n<</Length {}>>\nstream\n{content}\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n",
        content.len()
    )
    .into_bytes()
}

#[test]
fn objects_that_would_unpack_without_end_are_refused_before_they_are() {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..300 {
        packed.write_all(&blanks).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut bytes = page("BT /F 12 Tf 72 700 Td (Market opens) Tj ET");
    bytes.extend(
        format!("9 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length {}>>\nstream\n", packed.len())
            .into_bytes(),
    );
    bytes.extend(&packed);
    bytes.extend(b"\nendstream\nendobj\n");
    let error = read_bytes("objects.pdf", bytes).unwrap_err();
    assert!(error.contains("more than 256 MiB"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0usize..6,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let name = ["desal-visual.pdf", "desal-weasy.pdf", "trade-pages.pdf", "desal-no-copy.pdf", "desal-lo.pdf", "latin-font.pdf"][which];
        let mut bytes = fs_err::read(form(name)).unwrap();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Some(cut) = cut {
            let end = cut.index(bytes.len()).max(1);
            bytes.truncate(end);
        }
        let start = Instant::now();
        if let Ok(document) = read_bytes(name, bytes) {
            prop_assert!(document.text.len() < 1024 * 1024);
        }
        prop_assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn no_content_breaks_it(
        parts in proptest::collection::vec(
            prop_oneof![
                "\\((\\\\[0-7]{3}|[ -'*-\\[\\]-~]){0,12}\\) (Tj|'|\")",
                "-?[0-9]{1,12}(\\.[0-9]{1,4})? (Tc|Tw|Tz|TL|Ts|Td|TD|Tf)",
                "(/F -?[0-9]{1,5} Tf|BT|ET|q|Q|BMC|EMC|T\\*|/F Do|BI|ID|EI|<<>> BDC)",
                "([0-9.-]{1,6} ){6}(cm|Tm)",
                "[\\[\\]<>()/%a-z0-9 ]{0,20}",
            ],
            0..60,
        )
    ) {
        let content = parts.join("\n");
        if let Ok(document) = read_bytes("made.pdf", page(&content)) {
            prop_assert!(document.text.len() < 100_000);
        }
    }
}

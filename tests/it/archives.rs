//! Archives, tables and feeds made to break their readers: each is refused or read in bounded time, and says why.
//!
//! The small files are those of `tests/fixtures/hostile_docs` (its README says what a right reader does); the large ones are
//! built here after the recipes there.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use mujaz::source::walk::{Found, Reason};
use mujaz::source::{OpenOptions, Part, open};

use crate::common;

/// What a file gave.
#[derive(Debug, Default)]
struct Given {
    /// Each article's part and text as it was found.
    articles: Vec<(String, String)>,
    skipped: Vec<(String, Reason)>,
    failed: Vec<String>,
}

fn given(path: &Path) -> Given {
    let mut given = Given::default();
    let start = Instant::now();
    for part in open(&Found { path: path.to_owned(), named: true }, &OpenOptions::default()) {
        match part {
            Part::Article(file) => {
                given.articles.push((file.part.unwrap_or_default(), String::from_utf8_lossy(&file.bytes).into_owned()));
            }
            Part::Skipped(skipped) => given.skipped.push((skipped.part.unwrap_or_default(), skipped.reason)),
            Part::Failed(error) => given.failed.push(error.to_string()),
        }
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{}: {:?}", path.display(), start.elapsed());
    given
}

fn hostile(name: &str) -> Given {
    given(&common::fixture("hostile_docs").join(name))
}

#[test]
fn hostile_containers_are_refused_or_read_as_their_gold_says() {
    let folder = common::fixture("hostile_docs");
    let gold: Value = serde_json::from_slice(&fs_err::read(folder.join("gold.json")).unwrap()).unwrap();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (name, file) in gold["files"].as_object().unwrap() {
        let container = [".zip", ".gz", ".csv", ".jsonl", ".rss", ".atom"].iter().any(|end| name.ends_with(end));
        if !container {
            continue;
        }
        seen += 1;
        let given = hostile(name);
        let texts: Vec<&str> = given.articles.iter().map(|(_, text)| text.as_str()).collect();
        // Blank articles are given to the reader, who finds no article in them.
        let worded = texts.iter().any(|text| text.chars().any(char::is_alphanumeric));
        match file["expect"].as_str().unwrap() {
            "refuse" if worded => wrong.push(format!("{name}: is read")),
            "refuse" if given.failed.is_empty() && texts.is_empty() => wrong.push(format!("{name}: says nothing")),
            "read some" if !worded => wrong.push(format!("{name}: nothing is read: {:?}", given.failed)),
            _ => {}
        }
        for message in &given.failed {
            if !message.contains(name.as_str()) {
                wrong.push(format!("{name}: a message without its name: {message}"));
            }
        }
        for never in file["never"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if texts.iter().any(|text| text.contains(never)) {
                wrong.push(format!("{name}: holds {never:?}"));
            }
        }
        for part in file["read"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !given.articles.iter().any(|(name, _)| name.ends_with(part)) {
                wrong.push(format!("{name}: {part} is not read"));
            }
        }
        let text = file["read_text"].as_str().filter(|_| file["expect"] == "read some");
        if text.is_some_and(|wanted| !texts.iter().any(|text| text.contains(wanted))) {
            wrong.push(format!("{name}: its text is not read"));
        }
    }
    assert!(seen >= 34, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refusals_say_what_is_wrong() {
    for (name, words) in [
        ("bomb-flat-bzip2.zip", "big.txt: packed with bzip2, which mujaz does not read"),
        ("bomb-lying-size.zip", "a.txt: damaged"),
        ("crc.zip", "good.txt: damaged"),
        ("overlap-same.zip", "its members overlap"),
        ("overlap-quoted.zip", "its members overlap"),
        ("nested-20.zip", "archives within archives more than 3 deep"),
        ("nested-20-mixed.tar.gz", "archives within archives more than 3 deep"),
        ("lying-directory.zip", "more than the file can hold"),
        ("lying-size.tar.gz", "lies.txt: larger than 64 MiB"),
        ("cut-directory.zip", "the file is cut"),
        ("laughs.rss", "declares entities of its own"),
        ("xxe.atom", "declares entities of its own"),
        ("header-twice.csv", "two columns are called \"body\""),
    ] {
        let failed = hostile(name).failed.join("\n");
        assert!(failed.contains(words), "{name}: {failed}");
    }
}

#[test]
fn links_and_devices_are_passed_over_and_paths_only_shown() {
    let links = hostile("links.tar.gz");
    for reason in [Reason::Link, Reason::Device] {
        assert!(links.skipped.iter().any(|(_, found)| *found == reason), "{:?}", links.skipped);
    }
    let names = hostile("names.zip");
    assert!(names.skipped.iter().any(|(name, reason)| name == "link.txt" && *reason == Reason::Link));
    // Through the real binary: no file lands outside of the folder, or under a name that is a path.
    let home = tempfile::tempdir().unwrap();
    let inner = home.path().join("a/b/c");
    fs_err::create_dir_all(&inner).unwrap();
    for name in ["names.zip", "links.tar.gz"] {
        let file = common::fixture("hostile_docs").join(name);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_mujaz"))
            .args(["extract", file.to_str().unwrap(), "-o", "out"])
            .current_dir(&inner)
            .output()
            .unwrap();
        // Two members of one archive have one name: that one of them is not read is a failure that is told.
        let doubled = name == "names.zip";
        assert_eq!(output.status.code(), Some(i32::from(doubled)), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said.contains("good.txt: 2 members of the archive have this name"), doubled, "{output:?}");
    }
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    assert!(found.len() >= 5, "{found:?}");
    assert!(found.iter().all(|path| path.parent() == Some(inner.join("out").as_path())), "{found:?}");
}

/// Builds a zip of members, packed.
fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in members {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn archives_within_archives_stop_at_their_depth() {
    let mut bytes = zip_of(&[("t.txt", &vec![b' '; 1 << 20])]);
    for _ in 0..4 {
        let names: Vec<String> = (0..16).map(|at| format!("{at}.zip")).collect();
        bytes = zip_of(&names.iter().map(|name| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb-42.zip");
    fs_err::write(&path, bytes).unwrap();
    let given = given(&path);
    assert!(given.articles.is_empty());
    assert!(given.failed[0].contains("more than 3 deep"), "{}", given.failed[0]);
    // 4,096 of them: a hundred are told, the others counted.
    assert_eq!(given.failed.len(), 101);
    assert!(given.failed[100].contains("3996 more parts"), "{}", given.failed[100]);
}

#[test]
fn what_comes_out_of_an_archive_is_bounded_over_all_members() {
    // Each member is within its own limit: together they are too much for a file of this size.
    let names: Vec<String> = (0..8).map(|at| format!("{at}.txt")).collect();
    let blank = vec![b' '; 40 << 20];
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("many.zip");
    fs_err::write(&zip, zip_of(&names.iter().map(|name| (name.as_str(), blank.as_slice())).collect::<Vec<_>>()))
        .unwrap();
    let found = given(&zip);
    assert!(found.failed.iter().any(|message| message.contains("unpacks to more than 128 MiB")), "{:?}", found.failed);
    assert!(found.articles.len() < 4, "{}", found.articles.len());
    // In a tar, also bytes that are read over count.
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best()));
    for name in &names {
        let mut header = tar::Header::new_gnu();
        header.set_size(blank.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name.replace("txt", "bin"), blank.as_slice()).unwrap();
    }
    let path = folder.path().join("many.tar.gz");
    fs_err::write(&path, tar.into_inner().unwrap().finish().unwrap()).unwrap();
    let found = given(&path);
    assert!(found.failed.iter().any(|message| message.contains("unpacks to more than")), "{:?}", found.failed);
}

#[test]
fn a_file_of_two_gigabytes_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["txt", "html", "pdf", "zip", "csv", "jsonl", "xml", "tar.gz", "docx"] {
        let path = folder.path().join(format!("large.{extension}"));
        let mut file = fs_err::File::create(&path).unwrap();
        file.write_all("خبر عن السوق. ".repeat(40_000).as_bytes()).unwrap();
        file.set_len(2_147_483_648).unwrap();
        let start = Instant::now();
        let given = given(&path);
        assert!(start.elapsed() < Duration::from_secs(1), "{extension}: {:?}", start.elapsed());
        assert!(given.failed[0].contains("larger than 64 MiB"), "{:?}", given.failed);
    }
}

#[test]
fn two_members_of_one_name_are_told() {
    let text = "خبر عن السوق.".as_bytes();
    let mut bytes = zip_of(&[("a.txt", text), ("b.txt", text), ("c.txt", text)]);
    for at in 0..bytes.len() - 5 {
        if &bytes[at..at + 5] == b"b.txt" {
            bytes[at] = b'a';
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("twice.zip");
    fs_err::write(&path, bytes).unwrap();
    let given = given(&path);
    assert_eq!(given.articles.len(), 2);
    assert!(given.failed[0].contains("a.txt: 2 members of the archive have this name"), "{:?}", given.failed);
}

#[test]
fn a_packed_archive_with_a_wrong_sum_is_told() {
    let text = "خبر عن السوق.".as_bytes();
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best()));
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, "a.txt", text).unwrap();
    let mut bytes = tar.into_inner().unwrap().finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar.gz");
    fs_err::write(&path, &bytes).unwrap();
    assert!(given(&path).failed.is_empty());
    bytes.extend([0; 512]);
    fs_err::write(&path, &bytes).unwrap();
    assert!(given(&path).failed.is_empty(), "what fills up a block is no fault");
    let at = bytes.len() - 512 - 8;
    bytes[at] ^= 1;
    fs_err::write(&path, &bytes).unwrap();
    let given = given(&path);
    assert_eq!(given.articles.len(), 1);
    assert!(given.failed[0].contains("what was read of it may be wrong"), "{:?}", given.failed);
}

#[test]
fn a_directory_of_too_many_members_is_not_listed() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for at in 0..100_003 {
        archive.start_file(format!("a{at:06}.txt"), options).unwrap();
        if at == 0 {
            archive.write_all("خبر عن السوق.".as_bytes()).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.zip");
    fs_err::write(&path, archive.finish().unwrap().into_inner()).unwrap();
    let given = given(&path);
    assert!(given.failed[0].contains("more than 100000 members; 3 of them are not read"), "{}", given.failed[0]);
    assert_eq!(given.articles.len(), 1, "the first are read");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn damaged_archives_are_read_to_their_end(
        which in 0usize..6,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let names = ["names-1256.zip", "mixed.tar.gz", "both-semicolon.csv", "both.atom", "broken-rows.jsonl", "desal.txt.gz"];
        let mut bytes = Vec::new();
        fs_err::File::open(common::fixture("forms").join(names[which])).unwrap().read_to_end(&mut bytes).unwrap();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()).max(1));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(names[which]);
        fs_err::write(&path, bytes).unwrap();
        let given = given(&path);
        prop_assert!(given.articles.len() + given.failed.len() + given.skipped.len() > 0, "something is always said");
        prop_assert!(given.failed.iter().all(|message| !message.contains("stopped at a fault")), "{:?}", given.failed);
    }
}

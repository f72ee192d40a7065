//! The readers of articles: every form of `tests/fixtures/forms` and every web page, changed at random and read from the
//! file to the document, as a run does it.
//!
//! Zip packages are changed within: a part is changed and the package put together again, else only checksums would be tried.
//! Memory is that of a whole reading (the file, its text, the tree of a page, the lines with what they are compared by), so
//! the factors are larger than those of the readers of models, which hold numbers only.

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use mujaz::document::{self, ReadOptions};
use mujaz::source::walk::Found;
use mujaz::source::{OpenOptions, Part, open};
use zip::write::SimpleFileOptions;

use crate::Reader;
use crate::mutate::{self, Random};
use crate::readers::reader;

/// A megabyte.
const MB: usize = 1 << 20;

/// Returns the files of a folder of fixtures whose names end so, the larger ones left out: a case is to take a millisecond.
fn files(ends: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for folder in ["forms", "web", "hostile_docs"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if ends.iter().any(|end| name.ends_with(end)) && path.metadata().unwrap().len() < 200_000 {
                found.push(std::fs::read(path).unwrap());
            }
        }
    }
    assert!(!found.is_empty(), "{ends:?}");
    found
}

/// Pieces that formats trip over: put in anywhere.
const PIECES: &[&str] = &[
    "<",
    ">",
    "<p>",
    "</div>",
    "<table><tr><td>",
    "<!--",
    "-->",
    "<script>",
    "<![CDATA[",
    "]]>",
    "&#x110000;",
    "&#0;",
    "&lt;",
    "&",
    "\"",
    "'",
    "\\u",
    "\\u-1?",
    "\\bin99999999999 ",
    "{\\",
    "}",
    "\\'",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "ـ",
    "\r\n\r\n",
    "--",
    "=?utf-8?B?",
    "=",
    "Content-Type: multipart/mixed; boundary=\"\"\n\n",
    "charset=utf-16",
    "99999999999",
    "-1",
    "1 0 obj",
    "endobj",
    "stream\n",
    "<< /Kids [1 0 R] >>",
    "/Length 4294967296",
    "[",
    "]",
    "{",
    ",\"",
    "\n,,,\n",
    "00:00:00,000 --> ",
    "# ",
    "> > > > ",
    "| - |",
    "```",
    "---\n",
    "الخميس 12 رمضان 1445 هـ",
    "أمس",
    "12/13/14",
    "٣١/٠٢/٢٠٢٤",
];

/// Changes bytes, or puts in what formats trip over.
fn changed(random: &mut Random, good: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    if random.below(2) == 0 {
        return mutate::bytes(random, good, others);
    }
    let mut file = good.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(file.len() + 1);
        let piece = random.pick(PIECES).as_bytes().repeat(if random.below(8) == 0 { 200 } else { 1 });
        let end = (at + random.below(20)).min(file.len());
        file.splice(at..end, piece);
    }
    file
}

/// Changes one part of a package and puts it together again.
fn repacked(random: &mut Random, good: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    if random.below(3) == 0 {
        return mutate::bytes(random, good, others);
    }
    let Ok(mut package) = zip::ZipArchive::new(Cursor::new(good)) else { return good.to_vec() };
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    for at in 0..package.len() {
        let Ok(mut part) = package.by_index(at) else { continue };
        let Ok(name) = part.name().map(std::borrow::Cow::into_owned) else { continue };
        let mut bytes = Vec::new();
        if (&mut part).take(MB as u64).read_to_end(&mut bytes).is_ok() {
            parts.push((name, bytes));
        }
    }
    if parts.is_empty() {
        return good.to_vec();
    }
    let one = random.below(parts.len());
    let other = parts[random.below(parts.len())].1.clone();
    parts[one].1 = changed(random, &parts[one].1.clone(), &[other]);
    if random.below(10) == 0 {
        parts[one].0 =
            (*random.pick(&["../a.txt", "/etc/x.html", "word/document.xml", "a\\b.txt", "", "x.zip"])).to_owned();
    }
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        // The same name twice is refused by the writer, and tried by hand elsewhere.
        if out.start_file(name, SimpleFileOptions::default()).is_ok() {
            out.write_all(&bytes).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

/// Reads a file as a run does; returns whether an article came out.
fn whole(path: &Path, _: &[u8]) -> bool {
    let mut good = false;
    for part in open(&Found { path: path.to_owned(), named: true }, &OpenOptions::default()).take(200) {
        let Part::Article(file) = part else { continue };
        let Ok(document) = document::read(&file, &ReadOptions::default()) else { continue };
        for segment in &document.segments {
            // A span that is none panics here.
            assert!(!document.segment_text(segment).trim().is_empty());
        }
        let blocks = document.blocks.iter().map(|block| document.block_text(block).len()).sum::<usize>();
        assert!(blocks <= document.text.len());
        good = true;
    }
    good
}

/// Makes a hostile file of a good one and others of its kind.
type Change = fn(&mut Random, &[u8], &[Vec<u8>]) -> Vec<u8>;

fn of(name: &'static str, file: &str, ends: &[&str], change: Change) -> Reader {
    let seeds = files(ends);
    let make = move |random: &mut Random| {
        let good = random.pick(&seeds).clone();
        if random.below(50) == 0 { good } else { change(random, &good, &seeds) }
    };
    Reader { factor: 60.0, block: 24, extra: MB, share: 40, ..reader(name, file, make, whole) }
}

/// Readers of what is packed: by how much a file unpacks is limited by the readers (64 MB for an article), not by its size.
/// Up to four copies are there at a time: the bytes, their text, the text cleaned, its lines.
fn packed(reader: Reader) -> Reader {
    Reader { extra: 256 * MB, share: 80, ..reader }
}

pub fn text() -> Reader {
    of("text", "a.txt", &[".txt"], changed)
}

pub fn html() -> Reader {
    of("html", "a.html", &[".html", ".htm", ".doc"], changed)
}

pub fn mhtml() -> Reader {
    of("mhtml", "a.mhtml", &[".mhtml", ".mht"], changed)
}

pub fn webarchive() -> Reader {
    of("webarchive", "a.webarchive", &[".webarchive"], changed)
}

pub fn markdown() -> Reader {
    of("markdown", "a.md", &[".md"], changed)
}

pub fn docx() -> Reader {
    packed(of("docx", "a.docx", &[".docx"], repacked))
}

pub fn odt() -> Reader {
    packed(of("odt", "a.odt", &[".odt"], repacked))
}

pub fn epub() -> Reader {
    packed(of("epub", "a.epub", &[".epub"], repacked))
}

pub fn rtf() -> Reader {
    of("rtf", "a.rtf", &[".rtf"], changed)
}

pub fn pdf() -> Reader {
    packed(of("pdf", "a.pdf", &[".pdf"], changed))
}

pub fn email() -> Reader {
    of("email", "a.eml", &[".eml"], changed)
}

pub fn subtitles() -> Reader {
    of("subtitles", "a.srt", &[".srt", ".vtt"], changed)
}

pub fn table() -> Reader {
    of("table", "a.csv", &[".csv", ".tsv"], changed)
}

pub fn json_lines() -> Reader {
    of("json_lines", "a.jsonl", &[".jsonl"], changed)
}

pub fn feed() -> Reader {
    of("feed", "a.xml", &[".rss", ".atom", ".xml"], changed)
}

pub fn zip_archive() -> Reader {
    packed(of("zip_archive", "a.zip", &[".zip"], repacked))
}

pub fn tar_archive() -> Reader {
    packed(of("tar_archive", "a.tar.gz", &[".tar.gz"], changed))
}

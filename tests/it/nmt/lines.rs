//! The real binary with a tiny checkpoint as `--translator ./folder`: texts that are no sentences, very many lines, and a user
//! who stops.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mujaz::engine::kernels::dense::Precision;

use super::*;

/// The binary in a folder of its own, with the tiny model in `./model`.
struct Desk(tempfile::TempDir);

/// How a run went.
struct Run {
    code: Option<i32>,
    printed: String,
    said: String,
    /// Most memory that it held, in bytes, where the system says so.
    peak: Option<u64>,
    took: Duration,
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let model = desk.path("model");
        std::fs::create_dir(&model).unwrap();
        for entry in std::fs::read_dir(big()).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Starts the binary; what it prints goes into files.
    fn start(&self, args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
        command.env_clear().env("HOME", self.0.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HF_HUB_OFFLINE", "1").env("NO_COLOR", "1").current_dir(self.0.path());
        command.args(args).args(["--translator", "./model"]).stdin(Stdio::null());
        command.stdout(File::create(self.path("printed")).unwrap()).stderr(File::create(self.path("said")).unwrap());
        command.spawn().unwrap()
    }

    /// Waits for the end.
    fn end(&self, mut child: Child, most: Duration) -> Run {
        let (start, mut peak) = (Instant::now(), None);
        let status = loop {
            peak = peak.max(peak_of(child.id()));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > most {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("it takes more than {most:?}: {}", self.read("said"));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let (printed, said) = (self.read("printed"), self.read("said"));
        Run { code: status.code(), printed, said, peak, took: start.elapsed() }
    }

    fn run(&self, args: &[&str]) -> Run {
        self.end(self.start(args), Duration::from_secs(600))
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path(name)).unwrap()).unwrap()
    }
}

/// Most memory that a process held so far, in bytes; nothing where the system does not say.
fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

const MIB: u64 = 1 << 20;

/// Words that the tiny model can tell apart.
fn words() -> Vec<String> {
    let expected = expected(&big());
    let all: Vec<&str> = texts(&expected).into_iter().flat_map(str::split_whitespace).collect();
    all.into_iter().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned()).collect()
}

/// The source pieces of a translation without their marks of beginnings and ends.
fn letters(pieces: &[String]) -> String {
    pieces.iter().filter(|piece| *piece != "</s>").map(|piece| piece.replace('▁', "")).collect()
}

#[test]
fn whatever_a_line_holds_one_line_comes_out_of_it() {
    let desk = Desk::new();
    let engine = engine(&big(), Precision::default());
    let pieces = |text: &str| -> Vec<String> {
        let ids = engine.tokenizer().encode(text);
        ids.iter().map(|&id| engine.tokenizer().piece(id).unwrap().to_owned()).collect()
    };
    // Words of letters that the tiny vocabulary has, so that what was read can be told from the pieces.
    let words: Vec<String> = words().into_iter().filter(|word| letters(&pieces(word)) == *word).collect();
    assert!(words.len() > 20, "{words:?}");
    let paragraph: Vec<&str> = words.iter().map(String::as_str).cycle().take(3000).collect();
    let endless = "م".repeat(100_000);
    let lines = [
        "نعم",
        "",
        &paragraph.join(" "),
        "😀🇱🇾👩‍👩‍👧‍👦",
        &endless,
        "\u{200f}\u{200e}\u{202b}\u{202c}\u{2067}\u{2069}\u{61c}",
        "عبد\0المجيد\u{1}\u{7}\u{1b}[31m تبون\u{7f}",
        "\0\u{1}\u{2}",
        "سطر\u{2028}واحد\u{85}لا\u{b}غير\u{c}ها",
        "سطر\rواحد",
        " \t\u{a0}\u{3000} ",
        "\u{fffd}\u{10ffff}\u{e000}",
        "<pad> </s> <unk> >>eng<< >>fra<< <s>",
        "خليفة حفتر",
    ];
    desk.write("lines.txt", lines.join("\n"));
    let run = desk.run(&["translate", "--raw", "lines.txt"]);
    println!("{:?}, peak {:?} MiB", run.took, run.peak.map(|peak| peak / MIB));
    assert_eq!(run.code, Some(0), "{}", run.said);
    let found: Vec<&str> = run.printed.split_terminator('\n').collect();
    assert_eq!(found.len(), lines.len(), "{}", run.printed);
    assert!(!run.printed.contains(['\r', '\u{2028}', '\u{85}', '\u{b}', '\u{c}']), "{:?}", run.printed);
    let ends: Vec<usize> = (0..lines.len()).filter(|&i| found[i].is_empty()).collect();
    assert!([1, 5, 7, 10].iter().all(|empty| ends.contains(empty)), "nothing is made up: {ends:?}");
    assert!([0, 2, 4, 6, 13].iter().all(|full| !ends.contains(full)), "nothing is left out: {ends:?}");
    // Each line is what the engine says of it alone, and all of it was read.
    for (line, found) in lines.iter().zip(&found) {
        if line.contains(['\u{b}', '\u{c}', '\r', '\u{2028}', '\u{85}']) {
            continue;
        }
        let how = Decoding { trace: true, ..Decoding::default() };
        let alone = &decode(&engine, &[line], &how)[0];
        let start: String = line.chars().take(40).collect();
        assert_eq!(alone.hypothesis.text, *found, "{start:?}");
        if line.split_whitespace().all(|word| words.iter().any(|known| known == word)) || *line == endless {
            let read = letters(&alone.trace.as_ref().unwrap().source_pieces);
            assert!(read == line.split_whitespace().collect::<String>(), "all of it was read: {start:?}");
        }
    }
    if let Some(peak) = run.peak {
        assert!(peak < 150 * MIB, "{} MiB", peak / MIB);
    }
}

#[test]
fn ten_thousand_lines_come_out_in_order_and_memory_does_not_grow() {
    let desk = Desk::new();
    let words = words();
    let lines = |count: usize| -> Vec<&str> { (0..count).map(|i| words[i * i % words.len()].as_str()).collect() };
    let engine = engine(&big(), Precision::default());
    let singles: std::collections::BTreeMap<&str, String> = words
        .iter()
        .map(|word| (word.as_str(), decode(&engine, &[word], &Decoding::default()).swap_remove(0).hypothesis.text))
        .collect();
    assert!(singles.values().collect::<std::collections::BTreeSet<_>>().len() > 10, "words can be told apart");
    let mut peaks = Vec::new();
    for count in [1000, 10_000] {
        let lines = lines(count);
        desk.write("lines.txt", lines.join("\n"));
        let run = desk.run(&["translate", "--raw", "lines.txt"]);
        println!("{count} lines: {:?}, peak {:?} KiB", run.took, run.peak.map(|peak| peak >> 10));
        assert_eq!(run.code, Some(0), "{}", run.said);
        assert!(run.said.contains(&format!("{count} lines translated.")), "{}", run.said);
        let found: Vec<&str> = run.printed.split_terminator('\n').collect();
        assert_eq!(found.len(), count);
        let wrong = lines.iter().zip(&found).position(|(line, found)| singles[line] != *found);
        assert_eq!(wrong, None, "{:?}", wrong.map(|i| (lines[i], found[i])));
        peaks.extend(run.peak);
    }
    if let [small, large] = peaks[..] {
        assert!(large < 100 * MIB && large < small + 16 * MIB, "{} and {} KiB", small >> 10, large >> 10);
    }
}

#[cfg(unix)]
#[test]
fn who_stops_in_the_middle_keeps_what_is_finished() {
    let desk = Desk::new();
    let expected = expected(&big());
    let lines: Vec<&str> = texts(&expected).into_iter().cycle().take(10_000).collect();
    desk.write("few.txt", lines[..8].join("\n"));
    let few = desk.run(&["translate", "--raw", "few.txt"]);
    assert_eq!(few.code, Some(0), "{}", few.said);
    let few: Vec<&str> = few.printed.split_terminator('\n').collect();
    desk.write("lines.txt", lines.join("\n"));
    let mut child = desk.start(&["translate", "--raw", "lines.txt"]);
    let start = Instant::now();
    while desk.read("printed").lines().count() < 300 {
        assert!(child.try_wait().unwrap().is_none(), "it ended: {}", desk.read("said"));
        assert!(start.elapsed().as_secs() < 300, "nothing comes");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let before = desk.read("printed").lines().count();
    let run = desk.end(child, Duration::from_secs(60));
    println!("{before} lines were there; it ended after {:?}", run.took);
    assert_eq!(run.code, Some(130), "{}", run.said);
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
    assert!(run.printed.ends_with('\n'), "no line is cut");
    let found: Vec<&str> = run.printed.split_terminator('\n').collect();
    assert!(found.len() >= before && found.len() < lines.len(), "{} lines", found.len());
    assert!(found.iter().enumerate().all(|(place, line)| *line == few[place % 8]), "finished lines are whole");
}

#[test]
fn an_article_is_briefed_to_the_end_and_every_sentence_flagged() {
    let desk = Desk::new();
    let articles = common::fixture("articles");
    let sample = std::fs::read_dir(&articles)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt" || end == "html"))
        .min()
        .unwrap();
    let run = desk.run(&["brief", sample.to_str().unwrap(), "-o", "notes"]);
    println!("{:?}, peak {:?} MiB: {}", run.took, run.peak.map(|peak| peak / MIB), run.said);
    assert_eq!(run.code, Some(1), "{}", run.said);
    assert!(!run.said.contains("panicked"), "{}", run.said);
    let notes: Vec<PathBuf> =
        std::fs::read_dir(desk.path("notes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let json = notes.iter().find(|path| path.extension().is_some_and(|end| end == "json")).expect("a note is written");
    let note: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let (segments, flagged) =
        (note["checks"]["segments"].as_u64().unwrap(), note["checks"]["flagged"].as_u64().unwrap());
    println!("{flagged} of {segments} flagged");
    assert!(segments > 3 && flagged == segments, "a model of names translates no article: {}", run.said);
}

//! `mujaz brief`, `translate` and `summarize` through the real binary with the real small model: what notes hold, what a
//! second run does, and how a run goes on that was stopped.
//!
//! The samples of `tests/fixtures/articles` are briefed once for all tests that read notes; everything else runs on articles
//! of two or three sentences.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use mujaz::render::escape;
use serde_json::Value;

use crate::common;
use crate::common::said::{printed, said};

const GEMMA: &str = "gemma-3-270m";

const ARTICLES: [(&str, &str); 3] = [
    (
        "border.txt",
        "الجزائر وتونس توقعان اتفاقا للتجارة\n\nوقعت الجزائر وتونس، يوم الأحد، اتفاقا للتجارة بين البلدين.\n\n\
         وقال وزير التجارة إن الاتفاق يشمل 12 معبرا.\n",
    ),
    (
        "airport.txt",
        "ليبيا تفتح مطار بنغازي بعد سنوات\n\nأعلنت الحكومة الليبية، يوم الإثنين، فتح مطار بنغازي بعد ثلاث سنوات.\n",
    ),
    ("health.txt", "المغرب يسجل 45 إصابة جديدة\n\nأعلنت وزارة الصحة في المغرب تسجيل 45 إصابة جديدة خلال 2021.\n"),
];

const ENGLISH: &str = "Libya opens the airport of Benghazi\n\nThe Libyan government opened the airport of Benghazi on Monday \
                       after three years.\n\nThe minister of transport said that 12 airlines will use it from March.\n\n\
                       Work on the second runway goes on, and is to end in 2026.\n";

/// A home, a folder of articles, and the model's cache.
struct Desk {
    home: tempfile::TempDir,
}

impl Desk {
    /// Makes a desk with the small articles; none where the model cannot be had (see [`common::model`]).
    fn new() -> Option<Self> {
        common::model(GEMMA)?;
        let desk = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir(desk.path("articles")).unwrap();
        for (name, text) in ARTICLES {
            std::fs::write(desk.path("articles").join(name), text).unwrap();
        }
        Some(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        command(self.home.path(), args)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Briefs the small articles into a folder, and returns what is there then.
    fn brief(&self, notes: &str, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let output = self.run(&[&["brief", "articles", "-o", notes][..], more].concat());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        files(&self.path(notes))
    }
}

/// Returns the binary in a folder, with the cache of the tests' models, and offline: what is there must do.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
    command.env_clear().env("HOME", folder).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HF_HOME", common::models_folder()).env("HF_HUB_OFFLINE", "1").env("NO_COLOR", "1");
    command.current_dir(folder).args(args).stdin(Stdio::null());
    command
}

/// Returns the files of a folder, hidden ones with them, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())).collect()
}

fn times(folder: &Path) -> BTreeMap<String, SystemTime> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().into_string().unwrap(), e.metadata().unwrap().modified().unwrap())).collect()
}

/// The samples, briefed once.
struct Samples {
    notes: BTreeMap<String, Vec<u8>>,
    output: Output,
}

static SAMPLES: LazyLock<Option<Samples>> = LazyLock::new(|| {
    common::model(GEMMA)?;
    let home = tempfile::tempdir().unwrap();
    let articles = common::fixture("articles");
    let output = command(home.path(), &["brief", articles.to_str().unwrap(), "-o", "notes"]).output().unwrap();
    Some(Samples { notes: files(&home.path().join("notes")), output })
});

impl Samples {
    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.notes[&format!("{name}.json")]).unwrap()
    }

    fn markdown(&self, name: &str) -> &str {
        std::str::from_utf8(&self.notes[&format!("{name}.md")]).unwrap()
    }
}

const SAMPLE_NAMES: [&str; 3] = ["mauritania-health", "morocco-water", "tunisia-libya-trade"];

#[test]
fn every_article_has_its_notes_and_the_run_its_briefing() {
    let Some(samples) = &*SAMPLES else { return };
    let names: Vec<&str> = samples.notes.keys().map(String::as_str).collect();
    let expected: Vec<String> = SAMPLE_NAMES.iter().flat_map(|n| [format!("{n}.json"), format!("{n}.md")]).collect();
    assert_eq!(names, [&["briefing.md".to_owned()][..], &expected].concat(), "{}", said(&samples.output));
    let briefing = samples.markdown("briefing");
    let mut wrong = 0;
    for name in SAMPLE_NAMES {
        let note = samples.json(name);
        let bullets = note["summary"]["bullets"].as_array().unwrap();
        assert_eq!(bullets.len(), 3, "{name}: {:?}", note["summary"]["shortfall"]);
        let summary = samples.markdown(name).split("## Summary").nth(1).unwrap().split("\n## ").next().unwrap();
        assert_eq!(summary.lines().filter(|line| line.starts_with("- **")).count(), 3, "{name}: {summary}");
        assert!(briefing.contains(&format!("({name}.md)")), "{briefing}");
        wrong += note["checks"]["flagged"].as_u64().unwrap();
    }
    assert_eq!(samples.output.status.code(), Some(i32::from(wrong > 0)), "{}", said(&samples.output));
    let all: u64 = SAMPLE_NAMES.iter().map(|n| samples.json(n)["checks"]["segments"].as_u64().unwrap()).sum();
    assert!(said(&samples.output).contains(&format!("3 articles briefed, {wrong} of {all} segments flagged")));
    assert!(samples.output.stdout.is_empty());
}

#[test]
fn every_segment_of_the_extraction_is_in_the_note_once_and_in_order() {
    let Some(samples) = &*SAMPLES else { return };
    let home = tempfile::tempdir().unwrap();
    for name in SAMPLE_NAMES {
        let article = common::fixture(&format!("articles/{name}.txt"));
        let output = command(home.path(), &["extract", "-q", article.to_str().unwrap()]).output().unwrap();
        let extracted: Value = serde_json::from_slice(&output.stdout).unwrap();
        let note = samples.json(name);
        let text = extracted["text"].as_str().unwrap();
        let (wanted, got) = (extracted["segments"].as_array().unwrap(), note["segments"].as_array().unwrap());
        assert_eq!(wanted.len(), got.len(), "{name}");
        for (wanted, got) in wanted.iter().zip(got) {
            assert_eq!(
                (&wanted["id"], &wanted["block"], &wanted["span"]),
                (&got["id"], &got["block"], &got["span"]),
                "{name}"
            );
            let end = |end: &str| usize::try_from(wanted["span"][end].as_u64().unwrap()).unwrap();
            assert_eq!(got["source"].as_str().unwrap(), &text[end("start")..end("end")], "{name}");
            let flagged = got["status"] == "flagged";
            assert_eq!(flagged, !got["verdicts"].as_array().unwrap().is_empty(), "{name}: {got}");
            assert!(flagged || !got["target"].as_str().unwrap().is_empty(), "{name}: an empty target is flagged");
        }
    }
}

#[test]
fn flagged_segments_are_marked_and_no_arabic_stands_elsewhere() {
    let Some(samples) = &*SAMPLES else { return };
    let mut marks = 0;
    for name in SAMPLE_NAMES {
        let (note, markdown) = (samples.json(name), samples.markdown(name));
        let title = note["document"]["blocks"].as_array().unwrap().iter().find(|block| block["kind"] == "title");
        for segment in note["segments"].as_array().unwrap().iter().filter(|segment| segment["status"] == "flagged") {
            marks += 1;
            let source = escape::right_to_left(&escape::markdown(segment["source"].as_str().unwrap()));
            if title.is_some_and(|title| title["id"] == segment["block"]) {
                assert!(markdown.contains("> ⚠ **Check the headline**"), "{name}: {segment}\n{markdown}");
            } else {
                let marked = markdown.lines().find(|line| line.contains(&source));
                let marked = marked.unwrap_or_else(|| panic!("{name}: {segment} has no mark in\n{markdown}"));
                assert!(marked.contains("⚠ **Check") || marked.starts_with("  - Check: "), "{name}: {marked}");
            }
        }
        let draft = markdown.find("**Draft quality:**").expect("the small model gives drafts");
        assert!(draft < markdown.find("## Summary").unwrap(), "{name}: the draft line stands on top");
        for line in markdown.lines() {
            let title = note["document"]["title"]["original"].as_str().unwrap();
            let marked = line.starts_with("> ") && line.contains('⚠') || line.starts_with("  - Check: ");
            let named = line.starts_with("*Source:*") || line.contains(&escape::markdown(title));
            let arabic = line.chars().any(mujaz::arabic::words::is_letter);
            assert!(!arabic || marked || named, "{name}: Arabic outside the places for it: {line}");
        }
    }
    println!("{marks} flagged segments, each with its mark");
}

#[test]
fn a_second_run_makes_only_what_is_missing_or_changed() {
    let Some(desk) = Desk::new() else { return };
    let first = desk.brief("notes", &["--threads", "2"]);
    assert_eq!(first.len(), 7);
    let (notes, before) = (desk.path("notes"), times(&desk.path("notes")));

    let again = desk.run(&["brief", "articles", "-o", "notes"]);
    assert_eq!(said(&again).matches(": made already").count(), 3, "{}", said(&again));
    assert_eq!((times(&notes), files(&notes)), (before.clone(), first.clone()), "nothing is written again");

    std::fs::remove_file(notes.join("border.md")).unwrap();
    let restored = desk.run(&["brief", "articles", "-o", "notes"]);
    assert_eq!(said(&restored).matches(": made already").count(), 3, "{}", said(&restored));
    let mut after = times(&notes);
    assert!(after["border.md"] > before["border.md"]);
    after.insert("border.md".into(), before["border.md"]);
    assert_eq!((after, files(&notes)), (before.clone(), first.clone()), "only what was missing is written");

    assert_eq!(desk.brief("notes", &["--force", "--threads", "1"]), first, "the same bytes on one thread as on two");
    let before = times(&notes);

    let changed = desk.path("articles/airport.txt");
    let text = std::fs::read_to_string(&changed).unwrap().replace("ثلاث", "أربع");
    std::fs::write(&changed, text).unwrap();
    let remade = desk.run(&["brief", "articles", "-o", "notes"]);
    assert_eq!(said(&remade).matches(": made already").count(), 2, "{}", said(&remade));
    for (name, time) in times(&notes) {
        let touched = name.starts_with("airport") || name == "briefing.md" && files(&notes)[&name] != first[&name];
        assert_eq!(time > before[&name], touched, "{name}");
    }

    // Another option is another note.
    let shorter = desk.run(&["brief", "articles/border.txt", "-o", "notes", "--bullets", "1"]);
    assert!(!said(&shorter).contains("made already"), "{}", said(&shorter));
    let note: Value = serde_json::from_slice(&std::fs::read(notes.join("border.json")).unwrap()).unwrap();
    assert_eq!(note["summary"]["bullets"].as_array().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_or_killed_goes_on_to_the_same_bytes() {
    let Some(desk) = Desk::new() else { return };
    let whole = desk.brief("whole", &[]);
    for signal in ["INT", "KILL"] {
        let notes = desk.path(signal);
        let args = ["brief", "articles", "-o", signal];
        let child = desk.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        while !notes.join("airport.json").exists() {
            assert!(Instant::now() < end, "{signal}: no note was made");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let stopped = child.wait_with_output().unwrap();
        if signal == "INT" {
            assert_eq!(stopped.status.code(), Some(130), "{}", said(&stopped));
            assert!(said(&stopped).contains("the same command goes on from there"), "{}", said(&stopped));
        } else {
            assert_eq!(stopped.status.code(), None);
        }
        assert!(!notes.join("health.json").exists(), "{signal}: it was stopped in time");
        let resumed = desk.run(&args);
        let made_already = said(&resumed).matches(": made already").count();
        assert!((1..3).contains(&made_already), "{signal}: what was finished is kept: {}", said(&resumed));
        let got: BTreeMap<String, Vec<u8>> =
            files(&notes).into_iter().filter(|(name, _)| !name.starts_with('.')).collect();
        assert!(got == whole, "{signal}: the bytes of an uninterrupted run");
    }
}

#[test]
fn one_article_is_printed_in_the_format_asked_for() {
    let Some(desk) = Desk::new() else { return };
    let notes = desk.brief("notes", &[]);
    let text = |name: &str| String::from_utf8(notes[name].clone()).unwrap();
    let article = "articles/border.txt";
    let markdown = desk.run(&["brief", article]);
    assert_eq!(printed(&markdown), text("border.md"));
    assert!(!desk.path("notes/border.txt").exists() && !desk.path("briefing.md").exists());
    assert_eq!(printed(&desk.run(&["brief", article, "--format", "json"])), text("border.json"));

    let child = desk.command(&["brief", "-", "-q"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.as_ref().unwrap(), ARTICLES[0].1.as_bytes()).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(printed(&piped), text("border.md").replace(&format!("`{article}`"), "`-`"));

    let note: Value = serde_json::from_slice(&notes["border.json"]).unwrap();
    let target = |at: usize| note["segments"][at]["target"].as_str().unwrap().to_owned();
    let plain = printed(&desk.run(&["translate", article]));
    assert!(plain.contains(&target(0)) && plain.contains(&target(1)), "{plain}");
    let translated: Value =
        serde_json::from_slice(&desk.run(&["translate", article, "--format", "json"]).stdout).unwrap();
    assert_eq!((&translated["segments"], &translated["summary"]), (&note["segments"], &Value::Null));
    let page = printed(&desk.run(&["translate", article, "--format", "md"]));
    assert!(page.starts_with("# ") && page.contains("## Translation") && !page.contains("## Summary"), "{page}");
    let bullets = printed(&desk.run(&["summarize", article]));
    let statement = note["summary"]["bullets"][0]["statement"].as_str().unwrap();
    assert!(bullets.starts_with("**Draft quality:**") && bullets.contains(&escape::markdown(statement)), "{bullets}");
}

#[test]
fn an_english_article_needs_no_model_and_an_arabic_one_says_which() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("english.txt"), ENGLISH).unwrap();
    std::fs::write(home.path().join("arabic.txt"), ARTICLES[0].1).unwrap();
    let without = |args: &[&str]| command(home.path(), args).env("HF_HOME", home.path()).output().unwrap();
    let english = without(&["summarize", "english.txt", "--offline"]);
    assert_eq!(english.status.code(), Some(0), "{}", said(&english));
    let bullets = printed(&english);
    assert_eq!(bullets.lines().filter(|line| line.starts_with("- **")).count(), 3, "{bullets}");
    assert!(!bullets.to_lowercase().contains("draft"), "{bullets}");
    let note = without(&["brief", "english.txt", "--offline", "--format", "json"]);
    let note: Value = serde_json::from_slice(&note.stdout).unwrap();
    assert_eq!((&note["draft"], note["models"].as_array().unwrap().len()), (&Value::Null, 0));
    for command in ["brief", "translate", "summarize"] {
        let refused = without(&[command, "arabic.txt", "--offline"]);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(3), 0));
        assert!(said(&refused).contains("mujaz models pull opus-mt-tc-big-ar-en"), "{}", said(&refused));
        let misspelt = without(&[command, "english.txt", "--translator", "gemma-3-270"]);
        assert_eq!(misspelt.status.code(), Some(2));
        assert!(said(&misspelt).contains("did you mean gemma-3-270m?"), "{}", said(&misspelt));
    }
}

#[test]
fn an_article_called_briefing_keeps_its_note() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("in")).unwrap();
    std::fs::write(home.path().join("in/briefing.txt"), ENGLISH).unwrap();
    let output = command(home.path(), &["brief", "in", "-o", "notes"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let notes = files(&home.path().join("notes"));
    assert_eq!(notes.keys().collect::<Vec<_>>(), ["briefing.md", "in-briefing.json", "in-briefing.md"]);
    assert!(notes["briefing.md"].starts_with(b"# Briefing\n") && notes["in-briefing.md"].starts_with(b"# Libya"));
    let nowhere = command(home.path(), &["brief", "in", "-o", "-"]).output().unwrap();
    assert_eq!((nowhere.status.code(), home.path().join("-").exists()), (Some(2), false), "{}", said(&nowhere));
}

#[test]
fn bad_inputs_are_named_in_the_briefing_and_the_others_are_done() {
    let Some(desk) = Desk::new() else { return };
    let articles = desk.path("articles");
    std::fs::remove_file(articles.join("border.txt")).unwrap();
    std::fs::write(articles.join("empty.txt"), "").unwrap();
    std::fs::write(articles.join("binary.txt"), [0u8, 159, 146, 150].repeat(500)).unwrap();
    std::fs::create_dir(articles.join("more")).unwrap();
    std::fs::write(articles.join("more/airport.txt"), ENGLISH).unwrap();
    let mut bad = vec!["empty.txt", "binary.txt"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", articles.join("broken.txt")).unwrap();
        bad.push("broken.txt");
        use std::os::unix::fs::PermissionsExt;
        let secret = articles.join("secret.txt");
        std::fs::write(&secret, ENGLISH).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(&secret).is_err() {
            bad.push("secret.txt");
        } else {
            println!("skipped: this user may read everything");
            std::fs::remove_file(&secret).unwrap();
        }
    }
    let output = desk.run(&["brief", "articles", "-o", "notes"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let notes = files(&desk.path("notes"));
    let names: Vec<&str> = notes.keys().map(String::as_str).filter(|name| name.ends_with(".md")).collect();
    assert_eq!(names, ["articles-airport.md", "briefing.md", "health.md", "more-airport.md"], "twins are told apart");
    let briefing = String::from_utf8(notes["briefing.md"].clone()).unwrap();
    let failed = briefing.split("## Failed").nth(1).expect("there is a list of what failed");
    for name in bad {
        let path = format!("articles/{name}");
        let errors = said(&output).lines().filter(|line| line.starts_with(&format!("error: {path}: "))).count();
        assert_eq!(errors, 1, "{path}: {}", said(&output));
        assert!(failed.contains(&format!("- `{path}`: ")), "{path}: {failed}");
    }
}

#[test]
fn a_damaged_or_cut_model_is_named() {
    let Some(path) = common::model(GEMMA) else { return };
    let desk = Desk::new().unwrap();
    // The same place in another cache, the same length, other bytes: a file with a hole, so that it costs no disk.
    let inside = path.strip_prefix(common::models_folder()).unwrap();
    let copy = desk.path("cache").join(inside);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::create(&copy).unwrap().set_len(length).unwrap();
    let brief = || desk.command(&["brief", "articles/border.txt"]).env("HF_HOME", desk.path("cache")).output().unwrap();
    let wrong = brief();
    assert_eq!(wrong.status.code(), Some(3), "{}", said(&wrong));
    assert!(said(&wrong).contains("gemma-3-270m-q4_k_m.gguf is damaged"), "{}", said(&wrong));
    assert!(said(&wrong).contains("mujaz models pull gemma-3-270m"), "{}", said(&wrong));

    let mut start = vec![0; 8_000_000];
    std::io::Read::read_exact(&mut std::fs::File::open(&path).unwrap(), &mut start).unwrap();
    std::fs::write(&copy, &start).unwrap();
    let cut = brief();
    assert_eq!(cut.status.code(), Some(3), "{}", said(&cut));
    assert!(said(&cut).contains("gemma-3-270m-q4_k_m.gguf is damaged"), "{}", said(&cut));
    let unverified = desk.run(&["bench", "--model-dir", copy.to_str().unwrap()]);
    assert_eq!(unverified.status.code(), Some(3), "{}", said(&unverified));
    assert!(said(&unverified).contains("gemma-3-270m-q4_k_m.gguf"), "{}", said(&unverified));
}

#[cfg(target_os = "linux")]
#[test]
fn without_any_network_the_notes_are_the_same() {
    let Some(desk) = Desk::new() else { return };
    let may =
        |flag: &&str| Command::new("unshare").args([flag, "true"]).output().is_ok_and(|output| output.status.success());
    let Some(flag) = ["-rn", "-n"].into_iter().find(may) else {
        println!("skipped: this user may not make a network namespace");
        return;
    };
    let with = desk.brief("with", &[]);
    let mujaz = desk.command(&["brief", "articles", "-o", "without", "--offline"]);
    let mut alone = Command::new("unshare");
    alone.arg(flag).arg(mujaz.get_program()).args(mujaz.get_args()).current_dir(desk.home.path()).env_clear();
    alone.envs(mujaz.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = alone.output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
    assert!(files(&desk.path("without")) == with, "{}", said(&output));
}

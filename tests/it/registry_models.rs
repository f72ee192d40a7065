//! Encoder-decoders of a registry as a user meets them: got from a hub or put there by hand, named by id, used offline; their
//! settings in an entry reach the search. With the tiny random checkpoints of `../shared/parity` and what the reference
//! implementation writes with them.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::common;
use crate::common::fake_hub::{FakeHub, Fault, REPO, REVISION, Served};
use crate::common::said::{said, sha256};

/// A home with a registry of one model, whose files are those of a tiny checkpoint.
struct World {
    home: tempfile::TempDir,
    checkpoint: PathBuf,
    expected: Value,
}

impl World {
    /// Makes the home; none where the shared data is not there.
    fn new(checkpoint: &str) -> Option<Self> {
        let shared = common::shared(&format!("parity/{checkpoint}"))?;
        let home = tempfile::tempdir().unwrap();
        // A copy: weights in int8 are kept beside a checkpoint for the next start.
        let checkpoint = home.path().join(checkpoint);
        std::fs::create_dir(&checkpoint).unwrap();
        for entry in std::fs::read_dir(&shared).unwrap().map(Result::unwrap) {
            std::fs::write(checkpoint.join(entry.file_name()), std::fs::read(entry.path()).unwrap()).unwrap();
        }
        let expected = serde_json::from_slice(&std::fs::read(checkpoint.join("expected.json")).unwrap()).unwrap();
        let world = Self { home, checkpoint, expected };
        std::fs::write(world.path("lines.txt"), world.lines("text").join("\n")).unwrap();
        Some(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the reference has in its cases: the texts, or what it wrote under some setting.
    fn lines(&self, key: &str) -> Vec<String> {
        let of = |case: &Value| case[key].as_str().or(case[key]["text"].as_str()).unwrap().trim().to_owned();
        self.expected["cases"].as_array().unwrap().iter().map(of).collect()
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(&self.checkpoint).unwrap().map(|entry| entry.unwrap().path());
        let named = entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
        named
            .filter(|(name, _)| name != "expected.json" && !name.starts_with('.'))
            .map(|(name, path)| (name, std::fs::read(path).unwrap()))
            .collect()
    }

    /// Writes the registry: the model `tiny` of an architecture with some settings, its hashes known or not.
    fn register(&self, architecture: &str, task: &str, pinned: bool, settings: &str) {
        let file = |(name, bytes): (String, Vec<u8>)| match pinned {
            true => format!("{{ name = \"{name}\", bytes = {}, sha256 = \"{}\" }}, ", bytes.len(), sha256(&bytes)),
            false => format!("{{ name = \"{name}\" }}, "),
        };
        let files: String = self.files().into_iter().map(file).collect();
        let unverified = if pinned { "" } else { "unverified = true\n" };
        let text = format!(
            "[[model]]\nid = \"tiny\"\ntitle = \"Tiny\"\ntask = [\"{task}\"]\narchitecture = \"{architecture}\"\n\
             languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\n{unverified}{settings}\n\
             hub = {{ repo = \"{REPO}\", revision = \"{REVISION}\" }}\nfiles = [{files}]\n\
             [model.licence]\nname = \"Tiny Terms\"\nlink = \"https://example.org/terms\"\nasks = \"nothing\"\n"
        );
        std::fs::write(self.path("my.toml"), text).unwrap();
    }

    /// Runs mujaz; without a hub, the endpoint is a port that refuses.
    fn run(&self, hub: Option<&FakeHub>, args: &[&str]) -> Output {
        let mut command = common::mujaz(self.home.path());
        command.current_dir(self.home.path()).env("HF_ENDPOINT", hub.map_or("http://127.0.0.1:9", FakeHub::endpoint));
        command.args(["--registry", "my.toml"]).args(args).output().unwrap()
    }

    /// Translates the lines with the model, exactly.
    fn translated(&self, hub: Option<&FakeHub>, more: &[&str]) -> Vec<String> {
        let args = ["translate", "--raw", "lines.txt", "--translator", "tiny", "--precision", "f32"];
        let pull: &[&str] = if hub.is_some() { &["--pull"] } else { &[] };
        let output = self.run(hub, &[&args[..], more, pull].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }

    /// Puts the files where `mujaz models path` says.
    fn put_by_hand(&self) {
        let output = self.run(None, &["models", "path", "tiny", "--offline"]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        for (name, bytes) in self.files() {
            let hints = said(&output);
            let place = hints
                .lines()
                .filter_map(|line| line.split(" by hand to ").nth(1))
                .find(|p| p.ends_with(&format!("/{name}")));
            let place = Path::new(place.unwrap_or_else(|| panic!("no place for {name}: {hints}")));
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, bytes).unwrap();
        }
    }
}

/// What the reference was limited to, the start token included.
const AS_LONG: &str = "max_length = 25";

const ARTICLE: &str = "الجزائر وتونس توقعان اتفاقا للتجارة\n\nوقعت الجزائر وتونس، يوم الأحد، اتفاقا للتجارة بين البلدين.\n\n\
                       وقال وزير التجارة إن الاتفاق يشمل 12 معبرا.\n";

#[test]
fn a_model_pulled_from_the_hub_translates_by_its_id_and_offline_afterwards() {
    let Some(world) = World::new("opus-mt-tc-big-tiny") else { return };
    world.register("marian", "translate", false, &format!("generation = {{ {AS_LONG} }}"));
    let served = world.files().into_iter().map(|(path, bytes)| {
        let etag = if path.ends_with(".json") { sha256(&bytes)[..40].to_owned() } else { sha256(&bytes) };
        Served { path, bytes, etag }
    });
    let hub = FakeHub::of(served.collect(), Fault::None);
    assert_eq!(world.translated(Some(&hub), &[]), world.lines("beam4"), "four beams, as its own files say");
    let asked = hub.requests().len();
    assert!(asked > 0);
    assert_eq!(world.translated(Some(&hub), &["--offline"]), world.lines("beam4"));
    assert_eq!(world.translated(Some(&hub), &["--offline", "--beam", "1"]), world.lines("greedy"));
    assert_eq!(hub.requests().len(), asked, "nothing is asked for twice");

    std::fs::write(world.path("a.txt"), ARTICLE).unwrap();
    let note = world.run(None, &["brief", "a.txt", "--format", "json", "--translator", "tiny"]);
    assert_eq!(note.status.code(), Some(1), "what a random model writes is flagged: {}", said(&note));
    let note: Value = serde_json::from_slice(&note.stdout).unwrap();
    let model = &note["models"][0];
    assert_eq!((&model["id"], &model["role"], &note["draft"]), (&"tiny".into(), &"translation".into(), &Value::Null));
    assert!(model["revision"].as_str().unwrap().starts_with(REVISION), "{model}");
    let decoding = model["decoding"].as_str().unwrap();
    assert!(decoding.starts_with("int8, 4 beams, length penalty 1, at most 25 tokens"), "{decoding}");
    assert!(model["unverified"].as_str().unwrap().starts_with("unverified: first seen 2"), "{model}");
    let page = world.run(None, &["brief", "a.txt", "--translator", "tiny"]);
    let page = String::from_utf8(page.stdout).unwrap();
    let line = page.lines().find(|line| line.starts_with("- Model for translation: `tiny` at `")).unwrap();
    assert!(line.contains("(Tiny Terms; decoding: int8, 4 beams") && line.contains("first seen 2"), "{line}");
    assert!(!page.contains("Draft quality"), "{page}");
}

#[test]
fn languages_and_decoding_of_an_entry_reach_the_search() {
    let Some(world) = World::new("nllb-tiny") else { return };
    let languages = "source_language = \"arb_Arab\"\ntarget_language = \"eng_Latn\"";
    let register = |languages: &str, generation: &str| {
        world.register("m2m_100", "translate", true, &format!("{languages}\ngeneration = {{ {AS_LONG}{generation} }}"));
    };
    register(languages, "");
    world.put_by_hand();
    assert_eq!(world.translated(None, &[]), world.lines("greedy"));
    register(languages, ", num_beams = 4");
    assert_eq!(world.translated(None, &[]), world.lines("beam4"));
    register(languages, ", num_beams = 4, length_penalty = 0.6");
    assert_eq!(world.translated(None, &[]), world.lines("beam4_lp06"));
    assert_eq!(world.translated(None, &["--beam", "1"]), world.lines("greedy"), "what is typed goes first");
    register("source_language = \"arb_Arab\"\ntarget_language = \"fra_Latn\"", "");
    assert_ne!(world.translated(None, &[]), world.lines("greedy"), "another language is another start");
    register("source_language = \"fra_Latn\"\ntarget_language = \"eng_Latn\"", "");
    assert_ne!(world.translated(None, &[]), world.lines("greedy"));
    register(languages, "");
    // The folder by its path is the same bytes, and has the same settings.
    let by_path = ["translate", "--raw", "lines.txt", "--precision", "f32", "--translator"];
    let output = world.run(None, &[&by_path[..], &[world.checkpoint.to_str().unwrap()]].concat());
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(|l| l.trim().to_owned()).collect();
    assert_eq!(lines, world.lines("greedy"));
}

#[test]
fn a_prefix_of_an_entry_is_the_token_that_it_names() {
    let Some(world) = World::new("madlad-tiny") else { return };
    world.register(
        "t5",
        "translate",
        true,
        &format!("prefix = \"<2en> \"\ngeneration = {{ {AS_LONG}, num_beams = 4 }}"),
    );
    world.put_by_hand();
    // The reference's texts have the token in them.
    let lines: Vec<String> =
        world.lines("text").iter().map(|l| l.trim_start_matches("<2en>").trim().to_owned()).collect();
    std::fs::write(world.path("lines.txt"), lines.join("\n")).unwrap();
    assert_eq!(world.translated(None, &[]), world.lines("beam4"));
}

#[test]
fn a_setting_that_a_model_cannot_keep_to_is_an_error() {
    for (checkpoint, architecture, settings, message) in [
        ("nllb-tiny", "m2m_100", "target_language = \"deu_Latn\"", "the model does not know the language \"deu_Latn\""),
        ("nllb-tiny", "m2m_100", "prefix = \"<2en> \"", "tiny: a prefix is set, and m2m_100 models are not told one"),
        ("nllb-tiny", "m2m_100", "generation = { max_length = 500 }", "max_length 500 is set, and the model has 128"),
        ("opus-mt-tiny", "marian", "prefix = \">>deu<< \"", "does not know the target language >>deu<<"),
        ("opus-mt-tiny", "marian", "prefix = \"translate: \"", "the prefix \"translate:\" is no language tag"),
        (
            "opus-mt-tiny",
            "marian",
            "source_language = \"ar\"",
            "a source language is set, and marian models are not told",
        ),
        ("madlad-tiny", "t5", "prefix = \"<2xx> \"", "the prefix \"<2xx>\" is set, and the model has no such token"),
        ("madlad-tiny", "t5", "target_language = \"en\"", "t5 models are not told one"),
    ] {
        let Some(world) = World::new(checkpoint) else { return };
        world.register(architecture, "translate", true, settings);
        world.put_by_hand();
        for command in [&["translate", "--raw", "lines.txt", "--translator", "tiny"][..], &["bench", "--model", "tiny"]]
        {
            let output = world.run(None, command);
            assert_eq!(output.status.code(), Some(3), "{settings}: {}", said(&output));
            assert!(said(&output).contains(message), "{settings}: {}", said(&output));
            assert!(output.stdout.is_empty());
        }
    }
    let Some(world) = World::new("opus-mt-tiny") else { return };
    world.register("marian", "translate", true, "generation = { num_beams = 65 }");
    let output = world.run(None, &["translate", "lines.txt", "--translator", "tiny"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("num_beams must be 1 to 64, got 65"), "{}", said(&output));
}

const ENGLISH: &str = "Libya opens the airport of Benghazi\n\nThe Libyan government opened the airport of Benghazi on Monday \
                       after three years.\n\nThe minister of transport said that 12 airlines will use it from March.\n\n\
                       Work on the second runway goes on, and is to end in 2026.\n";

#[test]
fn a_summariser_that_writes_nonsense_is_refused_and_the_note_says_so() {
    let Some(world) = World::new("mt5-tiny") else { return };
    let settings = "generation = { num_beams = 4, length_penalty = 0.6, no_repeat_ngram_size = 2, max_length = 20 }";
    world.register("mt5", "summarize", true, settings);
    world.put_by_hand();
    std::fs::write(world.path("short.txt"), ENGLISH).unwrap();
    let further: String =
        (0..60).map(|n| format!("Road {n} to the east was closed for repairs in winter.\n\n")).collect();
    std::fs::write(world.path("long.txt"), format!("{ENGLISH}\n{further}")).unwrap();
    let plain = world.run(None, &["brief", "short.txt", "--format", "json"]);
    let plain: Value = serde_json::from_slice(&plain.stdout).unwrap();
    for summarizer in ["tiny", world.checkpoint.to_str().unwrap()] {
        let brief = |name: &str, more: &[&str]| {
            let args = ["brief", name, "--summarizer", summarizer];
            let output = world.run(None, &[&args[..], more].concat());
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            String::from_utf8(output.stdout).unwrap()
        };
        let note: Value = serde_json::from_str(&brief("short.txt", &["--format", "json"])).unwrap();
        let bullets = note["summary"]["bullets"].as_array().unwrap();
        assert_eq!(bullets.len(), 3);
        let reason = bullets[0]["origin"]["fallback_extractive"].as_str().unwrap();
        assert!(!reason.is_empty());
        for (bullet, plain) in bullets.iter().zip(plain["summary"]["bullets"].as_array().unwrap()) {
            assert_eq!((&bullet["label"], &bullet["statement"]), (&plain["label"], &plain["statement"]));
        }
        assert_eq!((&bullets[1]["origin"], &note["summary"]["remark"]), (&"extractive".into(), &Value::Null));
        assert_eq!(note["models"][0]["role"], "summary");
        if summarizer == "tiny" {
            let decoding = note["models"][0]["decoding"].as_str().unwrap();
            assert!(
                decoding.starts_with("int8, 4 beams, length penalty 0.6, no 2 tokens twice, at most 20 tokens"),
                "{decoding}"
            );
        }
        let page = brief("short.txt", &[]);
        assert!(
            page.contains(
                "- Summary: 1 of 3 bullets taken from the translation, because what the model wrote broke the rules ("
            ),
            "{page}"
        );
        let long = brief("long.txt", &[]);
        let remark = long.lines().find(|line| line.contains("the model read the first ")).unwrap();
        assert!(remark.contains("sentences, as many as its 512 tokens hold"), "{remark}");
    }
    let bullets = world.run(None, &["summarize", "short.txt", "--summarizer", "tiny"]);
    let bullets = String::from_utf8(bullets.stdout).unwrap();
    assert!(bullets.contains("what the model wrote broke the rules: "), "{bullets}");
    let wrong = world.run(None, &["brief", "short.txt", "--translator", "tiny"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("tiny does not translate"), "{}", said(&wrong));
}

#[test]
fn a_checkpoint_folder_is_evaluated_and_measured() {
    let Some(world) = World::new("opus-mt-tc-big-tiny") else { return };
    world.register("marian", "translate", true, "");
    let pairs = "{\"source\":\"وصل الوزير إلى تونس\",\"reference\":\"The minister arrived in Tunisia\"}\n";
    std::fs::write(world.path("pairs.jsonl"), pairs.repeat(3)).unwrap();
    let folder = world.checkpoint.to_str().unwrap();
    for (more, method, line) in [
        (&["--raw"][..], "raw", ", int8, raw"),
        (&["--raw", "--beam", "2"], "raw", ", int8, raw"),
        (&[], "full", ", int8, full"),
    ] {
        let args = ["eval", "pairs.jsonl", "--translator", folder];
        let json = world.run(None, &[&args[..], more, &["--json"]].concat());
        assert_eq!(json.status.code(), Some(0), "{}", said(&json));
        let figures: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!((figures["method"].as_str(), figures["segments"].as_u64()), (Some(method), Some(3)));
        assert_eq!(figures["flagged"].is_null(), method == "raw");
        let table = world.run(None, &[&args[..], more].concat());
        let table = String::from_utf8(table.stdout).unwrap();
        assert!(table.starts_with("BLEU") && table.contains(line), "{table}");
    }
    let table =
        world.run(None, &["bench", "--model-dir", folder, "--repeat", "1", "--beam", "4", "--force-tokens", "5"]);
    assert_eq!(table.status.code(), Some(0), "{}", said(&table));
    let table = String::from_utf8(table.stdout).unwrap();
    for line in ["model             opus-mt-tc-big-tiny\n", "precision         int8\n", "160 tokens for 32 lines in "] {
        assert!(table.contains(line), "{line}: {table}");
    }
}

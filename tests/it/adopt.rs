//! `mujaz models add`: files that are on this disk already become a model, known or new, and translate by its id; and what
//! a pickle may do. Through the real binary, over copies of the shared checkpoints, with no network.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::common;
use crate::common::said::{said, sha256};

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::write(to.join(entry.file_name()), std::fs::read(entry.path()).unwrap()).unwrap();
    }
}

/// A home of its own.
struct World {
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.path(".cache/huggingface/mujaz")
    }

    /// Runs mujaz without a network and without a hub.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = common::mujaz(self.home.path());
        command.current_dir(self.home.path()).env("HF_ENDPOINT", "http://127.0.0.1:9").arg("--offline");
        command.args(args).output().unwrap()
    }

    /// Runs mujaz, which must do well; returns what it wrote and what it said.
    fn good(&self, args: &[&str]) -> (String, String) {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", said(&output));
        (String::from_utf8(output.stdout.clone()).unwrap(), said(&output))
    }

    /// Runs mujaz, which must fail with a code; returns what it said.
    fn bad(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        said(&output)
    }

    fn translated(&self, model: &str) -> String {
        self.good(&["translate", "--raw", "lines.txt", "--precision", "f32", "--translator", model]).0
    }
}

#[test]
fn every_checkpoint_is_added_under_a_new_id_and_says_what_it_says_by_its_path() {
    for (name, architecture, task, languages) in [
        ("opus-mt-tiny", "marian", "translate", vec!["ar", "en"]),
        ("opus-mt-tc-big-tiny", "marian", "translate", vec!["ar", "en"]),
        ("nllb-tiny", "m2m_100", "translate", vec!["ar", "en"]),
        ("madlad-tiny", "t5", "translate", vec![]),
        ("mt5-tiny", "mt5", "summarize", vec![]),
    ] {
        let Some(shared) = common::shared(&format!("parity/{name}")) else { return };
        let world = World::new();
        copy(&shared, &world.path("folder"));
        std::fs::write(world.path("lines.txt"), "قال الرئيس\nالجزائر\n").unwrap();
        let by_path = world.translated("./folder");
        let (_, told) = world.good(&["models", "add", "mine", "folder"]);
        for part in [
            "mine: added and verified (",
            "; files: ",
            "not taken",
            "expected.json",
            architecture,
            task,
            "licence not known to mujaz",
        ] {
            assert!(told.contains(part), "{name}: {part} in {told}");
        }
        let (json, _) = world.good(&["models", "info", "mine", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&json["architecture"], &json["task"][0]), (&architecture.into(), &task.into()), "{name}");
        assert_eq!(json["languages"], Value::from(languages), "{name}");
        assert_eq!(
            (&json["here"], &json["verified"], &json["choose"]),
            (&true.into(), &true.into(), &"when-named".into())
        );
        // The original may go: the model's own files are others.
        std::fs::remove_dir_all(world.path("folder")).unwrap();
        if task == "translate" {
            assert_eq!(world.translated("mine"), by_path, "{name}");
            assert!(by_path.lines().count() == 2 && !by_path.trim().is_empty());
        } else {
            let refused = world.bad(2, &["translate", "--raw", "lines.txt", "--translator", "mine"]);
            assert!(refused.contains("mine does not translate"), "{refused}");
        }
        let (listed, _) = world.good(&["models", "list"]);
        assert!(listed.lines().any(|line| line.starts_with("mine ") && line.ends_with(" here")), "{listed}");
        let (verified, _) = world.good(&["models", "verify", "mine"]);
        assert!(
            verified.lines().count() >= 4 && verified.lines().all(|line| line.contains(" is good (")),
            "{verified}"
        );
    }
}

#[test]
fn task_and_licence_can_be_said_and_removing_forgets_the_entry() {
    let Some(shared) = common::shared("parity/mt5-tiny") else { return };
    let world = World::new();
    copy(&shared, &world.path("folder"));
    std::fs::write(world.path("folder/README.md"), "---\nlanguage:\n- ar\n- fr\nlicense: cc-by-nc-4.0\n---\n# Mine\n")
        .unwrap();
    std::fs::write(world.path("folder/LICENSE"), "First line.\nSecond line.\n").unwrap();
    std::fs::write(world.path("lines.txt"), "قال الرئيس\n").unwrap();
    let (_, told) = world.good(&["models", "add", "a", "folder"]);
    assert!(told.contains("licence CC-BY-NC-4.0") && told.contains("does: summarize"), "{told}");
    let (info, _) = world.good(&["models", "info", "a"]);
    for part in [
        "licence: CC-BY-NC-4.0 (https://creativecommons.org/licenses/by-nc/4.0/): no commercial use",
        "languages: ar, fr",
        "source: put there by hand",
        "licence text: ",
        "  Second line.",
        "state: here, verified",
        "file: LICENSE: 25 bytes, SHA-256 ",
    ] {
        assert!(info.contains(part), "{part} in {info}");
    }
    let (_, told) = world.good(&["models", "add", "b", "folder", "--task", "translate", "--licence", "MIT"]);
    assert!(
        told.contains("licence MIT") && told.contains("name the languages ar, fr; mujaz gives it Arabic"),
        "{told}"
    );
    assert_eq!(world.translated("b"), world.translated("./folder"));
    let (_, told) = world.good(&["models", "remove", "b"]);
    assert!(told.contains("b: removed") && told.contains("no longer known"), "{told}");
    assert!(world.bad(2, &["models", "info", "b"]).contains("no model is called \"b\""));
    assert!(!world.cache().join("b").exists() && world.path("folder/config.json").exists());
    assert!(world.good(&["models", "path", "a"]).0.lines().count() >= 5, "the other one is untouched");
}

#[test]
fn a_known_id_takes_just_its_own_files_and_twice_is_once() {
    let Some(shared) = common::shared("parity/opus-mt-tiny") else { return };
    let world = World::new();
    copy(&shared, &world.path("folder"));
    std::fs::write(world.path("lines.txt"), "قال الرئيس\n").unwrap();
    let names =
        ["config.json", "generation_config.json", "model.safetensors", "source.spm", "target.spm", "vocab.json"];
    let register = |pinned: bool| {
        let file = |name: &&str| {
            let bytes = std::fs::read(shared.join(name)).unwrap();
            match pinned {
                true => format!("{{ name = \"{name}\", bytes = {}, sha256 = \"{}\" }}, ", bytes.len(), sha256(&bytes)),
                false => format!("{{ name = \"{name}\" }}, "),
            }
        };
        let (files, unverified) =
            (names.iter().map(file).collect::<String>(), if pinned { "" } else { "unverified = true" });
        let id = if pinned { "tiny" } else { "loose" };
        let text = format!(
            "[[model]]\nid = \"{id}\"\ntitle = \"Tiny\"\ntask = [\"translate\"]\narchitecture = \"marian\"\n\
             languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\n{unverified}\n\
             hub = {{ repo = \"o/n\", revision = \"{}\" }}\nfiles = [{files}]\n\
             [model.licence]\nname = \"Tiny Terms\"\nlink = \"l\"\nasks = \"nothing\"\n",
            "1".repeat(40)
        );
        std::fs::write(world.path("my.toml"), text).unwrap();
    };
    register(true);
    let add = |id: &'static str| ["--registry", "my.toml", "models", "add", id, "folder"];
    // A wrong byte, a missing file, a wrong size: all are named, and nothing is installed.
    let mut weights = std::fs::read(world.path("folder/model.safetensors")).unwrap();
    let last = weights.len() - 1;
    weights[last] ^= 1;
    std::fs::remove_file(world.path("folder/model.safetensors")).unwrap();
    std::fs::write(world.path("folder/model.safetensors"), &weights).unwrap();
    std::fs::remove_file(world.path("folder/target.spm")).unwrap();
    std::fs::write(world.path("folder/vocab.json"), "{}").unwrap();
    let told = world.bad(3, &add("tiny"));
    let right = sha256(&std::fs::read(shared.join("model.safetensors")).unwrap());
    for part in [
        format!("model.safetensors: expected SHA-256 {right}, got {}", sha256(&weights)),
        "target.spm is missing".to_owned(),
        "bytes, got 2".to_owned(),
        "NEW-ID".to_owned(),
    ] {
        assert!(told.contains(&part), "{part} in {told}");
    }
    assert!(!world.cache().join("tiny").exists(), "nothing is half installed");
    copy(&shared, &world.path("folder"));
    let (_, told) = world.good(&add("tiny"));
    assert!(told.contains("tiny: added and verified (") && told.contains("not taken"), "{told}");
    let (_, told) = world.good(&add("tiny"));
    assert!(told.contains("tiny: already here, and the same; nothing was done"), "{told}");
    assert!(world.bad(2, &[&add("tiny")[..], &["--task", "translate"]].concat()).contains("for new models"));
    let out = world.good(&[
        "--registry",
        "my.toml",
        "translate",
        "--raw",
        "lines.txt",
        "--precision",
        "f32",
        "--translator",
        "tiny",
    ]);
    assert_eq!(out.0, world.translated("./folder"));
    // What the registry does not pin is checked for its form and recorded.
    register(false);
    std::fs::write(world.path("folder/config.json"), "<!doctype html>").unwrap();
    let told = world.bad(3, &add("loose"));
    assert!(told.contains("config.json is not what its name says: it is a web page"), "{told}");
    copy(&shared, &world.path("folder"));
    let (_, told) = world.good(&add("loose"));
    assert!(told.contains("unverified: first seen") && told.contains("first_seen/loose.toml"), "{told}");
    std::fs::remove_file(world.path("folder/config.json")).unwrap();
    std::fs::write(world.path("folder/config.json"), "{\"model_type\": \"marian\"}").unwrap();
    let told = world.bad(3, &add("loose"));
    assert!(told.contains("first seen on") && told.contains("config.json: expected"), "{told}");
}

#[test]
fn what_is_no_model_is_refused_with_words_and_leaves_nothing() {
    let Some(shared) = common::shared("parity/opus-mt-tiny") else { return };
    let world = World::new();
    copy(&shared, &world.path("folder"));
    for (id, code, part) in [
        ("auto", 2, "means something else"),
        ("Bad_Id", 2, "is not a model id"),
        ("../escape", 2, "is not a model id"),
        ("opus-mt-ar-en", 3, "expected SHA-256"),
        ("smollm2-135m-instruct", 3, "holds none of the files of smollm2-135m-instruct"),
    ] {
        let told = world.bad(code, &["models", "add", id, "folder"]);
        assert!(told.contains(part), "{id}: {told}");
    }
    std::fs::create_dir(world.path("empty")).unwrap();
    assert!(world.bad(3, &["models", "add", "x", "empty"]).contains("neither config.json nor a .gguf file"));
    assert!(world.bad(2, &["models", "add", "x", "nowhere"]).contains("nowhere"));
    std::fs::write(world.path("folder/config.json"), "{\"model_type\": \"bert\"}").unwrap();
    let told = world.bad(3, &["models", "add", "x", "folder"]);
    assert!(
        told.contains("\"bert\" has no engine here") && told.contains("marian, m2m_100") && told.contains("gemma3"),
        "{told}"
    );
    // Sizes that the tensors do not have.
    let config = std::fs::read_to_string(shared.join("config.json")).unwrap();
    std::fs::write(
        world.path("folder/config.json"),
        config.replace("\"decoder_ffn_dim\": 128", "\"decoder_ffn_dim\": 127"),
    )
    .unwrap();
    let told = world.bad(3, &["models", "add", "x", "folder"]);
    assert!(
        told.contains("tensor \"model.decoder.layers.0.fc1.weight\": expected shape [127, 64], got [128, 64]"),
        "{told}"
    );
    assert!(
        !world.cache().exists(),
        "{:?}",
        std::fs::read_dir(world.cache()).map(|e| e.flatten().map(|e| e.path()).collect::<Vec<_>>())
    );
}

#[test]
fn a_gguf_without_a_tokenizer_or_an_engine_is_refused_and_a_real_one_is_taken() {
    let world = World::new();
    for (name, part) in [
        ("qwen3_short", "\"qwen3\" has no engine"),
        ("lfm2", "\"lfm2\" has no engine"),
        ("gemma3_short", "carries no tokenizer"),
    ] {
        let Some(shared) = common::shared(&format!("parity/gguf/{name}/model.gguf")) else { return };
        let told = world.bad(3, &["models", "add", "x", shared.to_str().unwrap()]);
        assert!(told.contains(part), "{name}: {told}");
    }
    assert!(!world.cache().exists());
    let Some(smol) = common::model("smollm2-135m-instruct") else { return };
    // By its bytes it is the model of the registry, whatever it is called.
    std::fs::hard_link(&smol, world.path("My Model.gguf"))
        .or_else(|_| std::fs::copy(&smol, world.path("My Model.gguf")).map(drop))
        .unwrap();
    let (_, told) = world.good(&["models", "add", "smollm2-135m-instruct", "My Model.gguf"]);
    assert!(told.contains("smollm2-135m-instruct: added and verified (98 MB"), "{told}");
    assert!(
        world
            .good(&["models", "list"])
            .0
            .lines()
            .any(|line| line.starts_with("smollm2-135m-instruct") && line.ends_with("here"))
    );
    let (_, told) = world.good(&["models", "add", "my-smol", "My Model.gguf"]);
    for part in ["llama, 134.5 million parameters", "does: summarize", "my-smol: "] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(world.good(&["models", "path", "my-smol"]).0.trim_end().ends_with("/my-smol.gguf"));
    let (_, told) = world.good(&["models", "add", "my-draft", "My Model.gguf", "--task", "translate,summarize"]);
    assert!(told.contains("does: translate, summarize (drafts)"), "{told}");
}

/// A zip file as torch writes it, with a pickle of our own.
fn torch_file(pickle: &[u8]) -> Vec<u8> {
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    file.start_file("archive/data.pkl", stored).unwrap();
    file.write_all(pickle).unwrap();
    file.finish().unwrap().into_inner()
}

/// Pickles that Python's own reader would run a command for, each in another way; sources: Python's `pickletools`.
fn malicious(command: &str) -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let join = |parts: &[&[u8]]| [b"\x80\x02".as_slice(), &parts.concat(), b"."].concat();
    let argument = text(command);
    vec![
        ("reduce", join(&[b"cos\nsystem\n", &argument, b"\x85R"])),
        ("posix", join(&[b"cposix\nsystem\n(", &argument, b"tR"])),
        ("instance", join(&[b"(", &argument, b"ios\nsystem\n"])),
        ("object", join(&[b"(cos\nsystem\n", &argument, b"o"])),
        ("newobj", join(&[b"csubprocess\nPopen\n", &argument, b"\x85\x81"])),
        ("stack global", join(&[&text("os"), &text("system"), b"\x93", &argument, b"\x85R"])),
        ("extension", join(&[b"\x82\x01", &argument, b"\x85R"])),
        ("build", join(&[b"cbuiltins\nobject\n)R}", &text("__setstate__"), b"cos\nsystem\ns", b"b", &argument, b"b"])),
        ("eval", join(&[b"cbuiltins\neval\n", &text(&format!("__import__('os').system({command:?})")), b"\x85R"])),
        (
            "beside a tensor",
            join(&[b"ccollections\nOrderedDict\n)R(", &text("a"), b"cos\nsystem\n", &argument, b"\x85Ru"]),
        ),
    ]
}

#[test]
fn nothing_in_a_pickle_is_executed() {
    let Some(shared) = common::shared("parity/opus-mt-tiny") else { return };
    let world = World::new();
    copy(&shared, &world.path("folder"));
    std::fs::remove_file(world.path("folder/model.safetensors")).unwrap();
    std::fs::write(world.path("lines.txt"), "قال الرئيس\n").unwrap();
    let witness = world.path("witness");
    let command = format!("touch {}", witness.display());
    // The witness works: the shell that a pickle would start writes it.
    assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success() && witness.exists());
    std::fs::remove_file(&witness).unwrap();
    let translate = ["translate", "--raw", "lines.txt", "--translator", "./folder"];
    for (way, pickle) in malicious(&command) {
        // Python's reader would run it: the file is what it is meant to be.
        let path = world.path("folder/pytorch_model.bin");
        std::fs::write(&path, torch_file(&pickle)).unwrap();
        let told = world.bad(3, &translate);
        assert!(
            told.contains("is a pickle") && told.contains("--allow-pickle") && told.contains("model.safetensors"),
            "{way}: {told}"
        );
        for allowed in [&translate[..], &["models", "add", "x", "folder"], &["models", "info", "./folder"]] {
            let output = world.run(&[allowed, &["--allow-pickle"]].concat());
            assert_eq!(output.status.code(), Some(3), "{way}: no weights are in it: {}", said(&output));
        }
        // Without the zip around it, too: torch's old format.
        std::fs::write(&path, &pickle).unwrap();
        world.bad(3, &[&translate[..], &["--allow-pickle"]].concat());
        assert!(!witness.exists(), "{way}: it was executed");
    }
}

#[test]
fn the_malicious_pickles_of_these_tests_are_ones() {
    // Python executes them, in its own reader: so what we do not execute is the real thing.
    let world = World::new();
    let witness = world.path("witness");
    let command = format!("touch {}", witness.display());
    let python = |script: &str, file: &Path| {
        std::process::Command::new("python3")
            .args(["-c", script])
            .arg(file)
            .stderr(std::process::Stdio::null())
            .status()
    };
    let mut executed = 0;
    for (way, pickle) in malicious(&command) {
        let file = world.path("pickle");
        std::fs::write(&file, &pickle).unwrap();
        if python("import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", &file).is_err() {
            assert!(std::env::var_os("CI").is_none(), "CI has Python");
            println!("skipped: there is no python3");
            return;
        }
        executed += usize::from(witness.exists());
        println!("{way}: {}", if witness.exists() { "executed by Python" } else { "refused by Python" });
        let _ = std::fs::remove_file(&witness);
    }
    assert!(executed >= 6, "{executed} of them are executed by Python");
}

#[test]
fn a_pickle_is_read_where_it_is_pinned_or_allowed_and_said_once() {
    let Some(shared) = common::shared("parity/opus-mt-tiny") else { return };
    let world = World::new();
    copy(&shared, &world.path("folder"));
    std::fs::write(world.path("lines.txt"), "قال الرئيس\n").unwrap();
    let want = world.translated("./folder");
    let checkpoint = mujaz::engine::checkpoint::Checkpoint::open(shared.as_path()).unwrap();
    let names = checkpoint.names();
    let tensors =
        names.iter().map(|name| (name.clone(), checkpoint.tensor(std::slice::from_ref(name)).unwrap().unwrap()));
    std::fs::write(world.path("folder/pytorch_model.bin"), crate::nmt::torch(&tensors.collect())).unwrap();
    assert_eq!(world.translated("./folder"), want, "safetensors go first");
    let (_, told) = world.good(&["translate", "--raw", "lines.txt", "--translator", "./folder"]);
    assert!(!told.contains("pickle"), "{told}");
    std::fs::remove_file(world.path("folder/model.safetensors")).unwrap();
    let translate = ["translate", "--raw", "lines.txt", "--precision", "f32", "--translator"];
    world.bad(3, &[&translate[..], &["./folder"]].concat());
    let (text, told) = world.good(&[&translate[..], &["./folder", "--allow-pickle"]].concat());
    assert_eq!(text, want);
    assert_eq!(told.matches("is a pickle; it is read as data, nothing in it is executed").count(), 1, "{told}");
    // Added with leave, it is pinned, and from then on is read and said.
    world.bad(3, &["models", "add", "pickled", "folder"]);
    let (_, told) = world.good(&["models", "add", "pickled", "folder", "--allow-pickle"]);
    assert!(told.contains("its weights are a pickle, now pinned"), "{told}");
    let (text, told) = world.good(&[&translate[..], &["pickled"]].concat());
    assert_eq!(text, want);
    assert_eq!(told.matches("nothing in it is executed").count(), 1, "{told}");
    // The same bytes at a path are those that are pinned.
    let (text, _) = world.good(&[&translate[..], &["./folder"]].concat());
    assert_eq!(text, want);
    // In parts, as large models come.
    let whole = std::fs::read(world.path("folder/pytorch_model.bin")).unwrap();
    std::fs::remove_file(world.path("folder/pytorch_model.bin")).unwrap();
    std::fs::write(world.path("folder/pytorch_model-00001-of-00001.bin"), whole).unwrap();
    let map: serde_json::Map<String, Value> =
        names.iter().map(|name| (name.clone(), "pytorch_model-00001-of-00001.bin".into())).collect();
    let index = serde_json::json!({ "weight_map": map }).to_string();
    std::fs::write(world.path("folder/pytorch_model.bin.index.json"), index).unwrap();
    world.good(&["models", "remove", "pickled"]);
    world.bad(3, &[&translate[..], &["./folder"]].concat());
    assert_eq!(world.good(&[&translate[..], &["./folder", "--allow-pickle"]].concat()).0, want);
}

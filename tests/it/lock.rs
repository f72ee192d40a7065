//! `mujaz models lock`, `--locked` and `models pull --locked` through the real binary: what a project uses, and that nothing else is
//! used in its place. With a tiny checkpoint of `../shared/parity` and a fake hub.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use crate::common;
use crate::common::fake_hub::{FakeHub, Fault, REPO, REVISION, Served};
use crate::common::said::{said, says, sha256};

/// A project in a home of its own, with a registry that knows the models `tiny` and `spare` by their files' names.
struct Project {
    folder: tempfile::TempDir,
    files: Vec<(String, Vec<u8>)>,
}

impl Project {
    fn new() -> Option<Self> {
        let shared = common::shared("parity/opus-mt-tc-big-tiny")?;
        let entries = std::fs::read_dir(shared).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<(String, Vec<u8>)> = entries
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
            .filter(|(name, _)| name != "expected.json" && !name.starts_with('.'))
            .collect();
        files.sort();
        let project = Self { folder: tempfile::tempdir().unwrap(), files };
        project.register("");
        std::fs::write(project.path("lines.txt"), "وقعت الجزائر وتونس اتفاقا\n").unwrap();
        Some(project)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the registry; `pin` is what it says of the first file, if anything.
    fn register(&self, pin: &str) {
        let file = |(number, (name, _)): (usize, &(String, Vec<u8>))| {
            format!("{{ name = \"{name}\"{} }}, ", if number == 0 { pin } else { "" })
        };
        let files: String = self.files.iter().enumerate().map(file).collect();
        let entry = |id: &str, revision: &str| {
            format!(
                "[[model]]\nid = \"{id}\"\ntitle = \"Tiny\"\ntask = [\"translate\"]\narchitecture = \"marian\"\n\
                 languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\nunverified = true\n\
                 generation = {{ max_length = 25 }}\nhub = {{ repo = \"{REPO}\", revision = \"{revision}\" }}\n\
                 files = [{files}]\n[model.licence]\nname = \"Tiny Terms\"\nlink = \"https://example.org/terms\"\n\
                 asks = \"nothing\"\n"
            )
        };
        let text = entry("tiny", REVISION) + &entry("spare", &"f".repeat(40));
        std::fs::write(self.path("my.toml"), text).unwrap();
    }

    fn hub(&self) -> FakeHub {
        let served = self.files.iter().map(|(path, bytes)| {
            let etag = if path.ends_with(".json") { sha256(bytes)[..40].to_owned() } else { sha256(bytes) };
            Served { path: path.clone(), bytes: bytes.clone(), etag }
        });
        FakeHub::of(served.collect(), Fault::None)
    }

    fn run_with(&self, hub: Option<&FakeHub>, args: &[&str]) -> Output {
        let mut command = common::mujaz(self.folder.path());
        command.current_dir(self.folder.path()).env("HF_ENDPOINT", hub.map_or("http://127.0.0.1:9", FakeHub::endpoint));
        command.timeout(Duration::from_secs(120)).args(["--registry", "my.toml"]).args(args).output().unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(None, args)
    }

    fn pull(&self) {
        says(&self.run_with(Some(&self.hub()), &["models", "pull", "tiny"]), 0, &["tiny: fetched"]);
    }

    fn lock(&self) -> String {
        std::fs::read_to_string(self.path("mujaz.lock")).unwrap()
    }

    /// Replaces text in the lock file.
    fn edit(&self, from: &str, to: &str) {
        let text = self.lock();
        assert!(text.contains(from), "{from} in {text}");
        std::fs::write(self.path("mujaz.lock"), text.replacen(from, to, 1)).unwrap();
    }

    fn translate(&self, with: &[&str]) -> Output {
        self.run(&[&["--offline", "translate", "--raw", "lines.txt", "--precision", "f32"][..], with].concat())
    }

    /// Makes a folder of the checkpoint's files.
    fn checkpoint(&self, name: &str) {
        std::fs::create_dir(self.path(name)).unwrap();
        for (file, bytes) in &self.files {
            std::fs::write(self.path(name).join(file), bytes).unwrap();
        }
    }
}

#[test]
fn what_is_here_is_locked_always_in_the_same_words() {
    let Some(project) = Project::new() else { return };
    says(&project.run(&["models", "lock"]), 3, &["no model is here, so there is nothing to lock", "models pull"]);
    says(&project.run(&["models", "lock", "tiny"]), 3, &["model tiny is not here", "models pull tiny"]);
    says(&project.run(&["models", "lock", "tinny"]), 2, &["did you mean tiny?"]);
    says(&project.run(&["models", "lock", "./none"]), 2, &["no such checkpoint folder"]);
    assert!(!project.path("mujaz.lock").exists());
    project.pull();
    says(&project.run(&["models", "lock"]), 0, &["tiny: locked (", "Tiny Terms", "mujaz.lock: written"]);
    let first = project.lock();
    assert!(first.starts_with("# The models that this project uses"));
    for part in ["version = 1", "id = \"tiny\"", "architecture = \"marian\"", REPO, REVISION, "Tiny Terms"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    for (name, bytes) in &project.files {
        let file = format!("name = \"{name}\"\nbytes = {}\nsha256 = \"{}\"", bytes.len(), sha256(bytes));
        assert!(first.contains(&file), "{file} in {first}");
    }
    says(&project.run(&["models", "lock", "tiny"]), 0, &[]);
    assert_eq!(project.lock(), first);
    // An id is an id, whatever lies in the folder: so it is with --translator too.
    project.checkpoint("tiny");
    says(&project.run(&["models", "lock", "tiny"]), 0, &[]);
    assert_eq!(project.lock(), first);
    project.checkpoint("ckpt");
    says(&project.run(&["models", "lock", "./ckpt", "tiny"]), 0, &["ckpt: locked"]);
    let both = project.lock();
    assert!(both.contains("path = \"ckpt\"") && both.find("id = \"tiny\"").unwrap() < both.find("path =").unwrap());
    says(&project.run(&["models", "lock", "tiny", "ckpt"]), 0, &[]);
    assert_eq!(project.lock(), both);
    says(&project.run(&["models", "lock", "tiny"]), 0, &["ckpt was locked in mujaz.lock and no longer is"]);
    says(&project.run(&["--locked", "models", "lock"]), 2, &["--locked keeps to the lock file"]);
}

#[test]
fn settings_that_models_share_do_not_give_a_checkpoint_the_terms_of_another() {
    let Some(project) = Project::new() else { return };
    let (name, bytes) = &project.files[0];
    assert_eq!(name, "config.json");
    project.register(&format!(", bytes = {}, sha256 = \"{}\"", bytes.len(), sha256(bytes)));
    project.checkpoint("ckpt");
    says(&project.run(&["models", "lock", "./ckpt"]), 0, &["ckpt: locked (", "not known to mujaz"]);
    assert!(!project.lock().contains("Tiny Terms"), "{}", project.lock());
}

#[test]
fn the_lock_is_compared_with_what_lies_on_the_disk() {
    let Some(project) = Project::new() else { return };
    project.pull();
    project.checkpoint("ckpt");
    says(&project.run(&["models", "lock", "tiny", "./ckpt"]), 0, &[]);
    says(&project.run(&["models", "lock", "--check"]), 0, &["all as locked (2 models)"]);
    says(&project.run(&["models", "lock", "--check", "ckpt/"]), 0, &["all as locked (1 model)"]);
    let differs = |args: &[&str], words: &[&str]| {
        let output = project.run(&[&["models", "lock", "--check"][..], args].concat());
        says(&output, 3, &["mujaz.lock: what is here differs", "models pull --locked"]);
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        for word in words {
            assert!(lines.contains(word), "{word:?} is missing in:\n{lines}");
        }
    };
    differs(&["spare"], &["spare: is not locked"]);
    let good = project.lock();
    let (name, bytes) = &project.files[2];
    project.edit(&sha256(bytes), &"0".repeat(64));
    differs(&[], &["tiny: ", name, &sha256(bytes), "expected SHA-256 0000"]);
    std::fs::write(project.path("mujaz.lock"), &good).unwrap();
    project.edit("Tiny Terms", "Other Terms");
    differs(&["tiny"], &["tiny: licence: expected Other Terms, got Tiny Terms by the registry"]);
    std::fs::write(project.path("mujaz.lock"), &good).unwrap();
    std::fs::write(project.path("ckpt/config.json"), "{}").unwrap();
    std::fs::write(project.path("ckpt/added_tokens.json"), "{}").unwrap();
    std::fs::remove_file(project.path("ckpt/source.spm")).unwrap();
    let words =
        ["ckpt: config.json: expected", "ckpt: source.spm is missing", "added_tokens.json is there, and not locked"];
    differs(&[], &words);
    says(&project.run(&["models", "remove", "tiny"]), 0, &[]);
    differs(&["tiny"], &["tiny: config.json is not here"]);
}

#[test]
fn only_what_is_locked_is_used_by_id() {
    let Some(project) = Project::new() else { return };
    project.pull();
    says(&project.run(&["models", "lock"]), 0, &[]);
    says(&project.translate(&["--locked", "--translator", "tiny"]), 0, &[]);
    let plain = project.translate(&["--translator", "tiny"]);
    assert_eq!(project.translate(&["--locked", "--translator", "tiny"]).stdout, plain.stdout);
    for args in [
        &["translate", "lines.txt", "--translator", "spare"][..],
        &["brief", "lines.txt", "--translator", "spare"],
        &["summarize", "lines.txt", "--summarizer", "smollm2-135m-instruct"],
        &["bench", "--model", "spare"],
        &["models", "pull", "spare"],
        &["models", "path", "spare"],
        &["models", "export", "spare", "-o", "b.tar"],
    ] {
        let output = project.run(&[&["--offline", "--locked"][..], args].concat());
        says(&output, 3, &["mujaz.lock: model s", "is not in it", "mujaz models lock s"]);
        assert!(output.stdout.is_empty());
    }
    let listed = project.run(&["--locked", "models", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &"tiny".into()));
    // Other bytes than those locked are not used, and not thrown away: another project may use them.
    let (name, bytes) = project.files.last().unwrap();
    project.edit(&sha256(bytes), &"0".repeat(64));
    let refused = project.translate(&["--locked", "--translator", "tiny"]);
    let zeros = "0".repeat(64);
    says(
        &refused,
        3,
        &[name, "is not the locked file: expected SHA-256", &zeros, &sha256(bytes), "models lock --check"],
    );
    let refused = project.run_with(Some(&project.hub()), &["--locked", "models", "pull", "tiny"]);
    says(&refused, 3, &["is not the locked file: expected SHA-256", &zeros]);
    assert_eq!(project.translate(&["--translator", "tiny"]).stdout, plain.stdout);
}

#[test]
fn auto_chooses_among_what_is_locked_only() {
    let Some(project) = Project::new() else { return };
    project.pull();
    // Without a lock others are tried before it, or it is not reached at all.
    says(&project.run(&["models", "lock"]), 0, &[]);
    let output = project.run(&["--offline", "--locked", "-v", "translate", "--raw", "lines.txt"]);
    says(&output, 0, &[]);
    assert!(!said(&output).contains("opus-mt-tc-big-ar-en"), "{}", said(&output));
    project.checkpoint("ckpt");
    says(&project.run(&["models", "lock", "./ckpt"]), 0, &[]);
    let output = project.run(&["--offline", "--locked", "translate", "--raw", "lines.txt"]);
    says(&output, 3, &["mujaz.lock has no model that translates"]);
}

#[test]
fn only_what_is_locked_is_used_by_path() {
    let Some(project) = Project::new() else { return };
    project.checkpoint("ckpt");
    says(&project.run(&["models", "lock", "ckpt"]), 0, &[]);
    let translate = |path: &str| project.translate(&["--locked", "--translator", path]);
    says(&translate("./ckpt"), 0, &[]);
    // The same bytes are the same model, wherever they lie; what was kept beside them for the next start is no part of it.
    project.checkpoint("copy");
    says(&translate("./copy"), 0, &[]);
    let weights = &project.files.iter().find(|(name, _)| name == "model.safetensors").unwrap().1;
    let mut other = weights.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(project.path("copy/model.safetensors"), &other).unwrap();
    let words =
        ["mujaz.lock: ./copy is not in it", "model.safetensors: expected SHA-256", &sha256(weights), &sha256(&other)];
    says(&translate("./copy"), 3, &words);
    says(&translate("./copy"), 3, &["mujaz models lock ./copy"]);
    let bench = project.run(&["--locked", "bench", "--model-dir", "copy"]);
    says(&bench, 3, &["mujaz.lock: copy is not in it"]);
    std::fs::write(project.path("copy/model.safetensors"), weights).unwrap();
    std::fs::write(project.path("copy/added_tokens.json"), "{}").unwrap();
    says(&translate("./copy"), 3, &["added_tokens.json is there, and not locked"]);
    // A model that is locked by its id may be named by its folder.
    project.pull();
    says(&project.run(&["models", "lock", "tiny"]), 0, &[]);
    says(&translate("./ckpt"), 0, &[]);
}

#[test]
fn a_lock_file_that_is_missing_or_broken_is_named() {
    let Some(project) = Project::new() else { return };
    let run = |more: &[&str]| project.run(&[&["--offline", "--locked", "translate", "lines.txt"][..], more].concat());
    says(&run(&[]), 2, &["mujaz.lock", "models lock"]);
    says(&run(&["--lock-file", "sub/other.lock"]), 2, &["sub/other.lock"]);
    std::fs::write(project.path("mujaz.lock"), "version = 1\n[[model]]\nid = 3\n").unwrap();
    says(&run(&[]), 2, &["mujaz.lock is not a lock file", "line 3"]);
    std::fs::write(project.path("mujaz.lock"), "version = 9\n").unwrap();
    says(&run(&[]), 2, &["mujaz.lock is not a lock file: it has version 9, expected 1"]);
    says(&project.run(&["models", "lock", "--check"]), 2, &["version 9"]);
    says(&project.run(&["--locked", "models", "pull"]), 2, &["version 9"]);
    says(&project.run(&["models", "pull"]), 2, &["no model to get is named"]);
}

#[test]
fn a_pull_gets_exactly_what_is_locked() {
    let Some(project) = Project::new() else { return };
    project.pull();
    says(&project.run(&["models", "lock"]), 0, &[]);
    let lock = project.lock();
    let fresh = || {
        let project = Project::new().unwrap();
        std::fs::write(project.path("mujaz.lock"), &lock).unwrap();
        project
    };
    let here = fresh();
    let hub = here.hub();
    says(&here.run_with(Some(&hub), &["--locked", "models", "pull"]), 0, &["tiny: fetched and verified"]);
    assert!(!here.path(".cache/huggingface/mujaz/first_seen").exists(), "nothing was taken on trust");
    says(&here.run(&["models", "lock", "--check"]), 0, &[]);
    says(&here.translate(&["--locked", "--translator", "tiny"]), 0, &[]);
    // The hub gives something else.
    let here = fresh();
    let mut other = here.files.clone();
    let weights = other.iter_mut().find(|(name, _)| name == "source.spm").unwrap();
    let last = weights.1.len() - 1;
    weights.1[last] ^= 1;
    let (locked, got) =
        (sha256(&here.files.iter().find(|(name, _)| name == "source.spm").unwrap().1), sha256(&weights.1));
    let tampered = Project { folder: tempfile::tempdir().unwrap(), files: other };
    let output = here.run_with(Some(&tampered.hub()), &["--locked", "models", "pull"]);
    says(&output, 3, &["source.spm", "expected SHA-256", &locked, &got]);
    says(&here.translate(&["--locked", "--translator", "tiny"]), 3, &[]);
    // The registry means something else.
    let here = fresh();
    let config = here.files[0].1.len();
    here.register(&format!(", bytes = {config}, sha256 = \"{}\"", "0".repeat(64)));
    let output = here.run_with(Some(&here.hub()), &["--locked", "models", "pull"]);
    let words = ["tiny is not what it says: config.json: expected SHA-256", &sha256(&here.files[0].1), &"0".repeat(64)];
    says(&output, 3, &words);
    // No registry knows it.
    let here = fresh();
    std::fs::write(here.path("my.toml"), "").unwrap();
    says(&here.run(&["--locked", "models", "pull"]), 3, &["model tiny is locked there, and no registry knows it"]);
    std::fs::write(here.path("mujaz.lock"), "version = 1\n").unwrap();
    says(&here.run(&["--locked", "models", "pull"]), 0, &["names no model by its id"]);
}

#[test]
fn a_bundle_of_other_models_is_not_imported_under_a_lock() {
    let Some(project) = Project::new() else { return };
    project.pull();
    says(&project.run(&["models", "lock"]), 0, &[]);
    says(&project.run(&["--locked", "models", "export", "tiny", "-o", "b.tar"]), 0, &[]);
    says(&project.run(&["models", "remove", "tiny"]), 0, &[]);
    std::fs::write(project.path("none.lock"), "version = 1\n").unwrap();
    let import = |lock: &str| project.run(&["--offline", "--locked", "--lock-file", lock, "models", "import", "b.tar"]);
    says(&import("none.lock"), 3, &["none.lock: model tiny is not in it"]);
    says(&project.run(&["models", "path", "tiny"]), 3, &["not here"]);
    says(&import("mujaz.lock"), 0, &["tiny: imported and verified"]);
    says(&project.translate(&["--locked", "--translator", "tiny"]), 0, &[]);
}

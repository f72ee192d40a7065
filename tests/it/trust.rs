//! What an independent review of the commands on models found, each kept from coming back: names that would be taken over,
//! models that would choose themselves, files that are gone and were passed over, caches of several users.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::common;

/// A home with a copy of a tiny checkpoint; none where the shared data is not there.
struct World {
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Option<Self> {
        let shared = common::shared("parity/opus-mt-tiny")?;
        let world = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir(world.path("tiny")).unwrap();
        for entry in std::fs::read_dir(shared).unwrap().map(Result::unwrap) {
            let bytes = std::fs::read(entry.path()).unwrap();
            std::fs::write(world.path("tiny").join(entry.file_name()), bytes).unwrap();
        }
        Some(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn own(&self) -> PathBuf {
        self.path(".cache/huggingface/mujaz")
    }

    fn run(&self, args: &[&str]) -> Output {
        run(self.home.path(), args)
    }
}

fn run(home: &Path, args: &[&str]) -> Output {
    common::mujaz(home).current_dir(home).env("HF_HUB_OFFLINE", "1").args(args).output().unwrap()
}

/// Asserts an exit code, and returns what was said and printed.
#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn what_is_not_locked_is_not_added_under_a_name_of_mujazs_own() {
    let Some(world) = World::new() else { return };
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    ended(&world.run(&["models", "lock", "t"]), 0);
    let said = ended(&world.run(&["--locked", "models", "add", "gemma-3-270m", "tiny"]), 3);
    assert!(said.contains("mujaz.lock: model gemma-3-270m is not in it"), "{said}");
    let entry = world.own().join("added_models/gemma-3-270m.toml");
    assert!(!entry.exists());
    // Should one come to be there, by an older version or by hand, it takes nothing over.
    let text = std::fs::read_to_string(world.own().join("added_models/t.toml")).unwrap();
    std::fs::write(&entry, text.replace("id = \"t\"", "id = \"gemma-3-270m\"")).unwrap();
    let said = ended(&world.run(&["models", "info", "gemma-3-270m"]), 0);
    assert!(said.contains("warning: gemma-3-270m: the model added under this id is not used"), "{said}");
    assert!(said.contains("Gemma 3 270M"), "{said}");
}

#[test]
fn a_model_whose_weights_are_gone_is_not_passed_over() {
    let Some(world) = World::new() else { return };
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    ended(&world.run(&["models", "verify"]), 0);
    std::fs::remove_file(world.own().join("t/files/model.safetensors")).unwrap();
    let said = ended(&world.run(&["models", "verify"]), 3);
    assert!(said.contains("t: model.safetensors is not here"), "{said}");
    assert!(said.contains("mujaz models add ID PATH") && !said.contains("models pull"), "{said}");
    let said = ended(&world.run(&["models", "pull", "t"]), 3);
    assert!(said.contains("mujaz models add t PATH"), "{said}");
}

#[test]
fn an_entry_that_cannot_be_read_is_a_warning() {
    let Some(world) = World::new() else { return };
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    std::fs::write(world.own().join("added_models/broken.toml"), "no registry").unwrap();
    let said = ended(&world.run(&["models", "list"]), 0);
    assert!(said.contains("warning: ") && said.contains("broken.toml") && said.contains("\nt "), "{said}");
}

#[cfg(unix)]
#[test]
fn a_cache_can_be_shared_between_users() {
    use std::os::unix::fs::PermissionsExt;
    let Some(world) = World::new() else { return };
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    ended(&world.run(&["models", "verify", "t"]), 0);
    // What this process itself would make: whatever the umask is, entries and markers are as open as any new file.
    let probe = world.path("probe");
    std::fs::write(&probe, "").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.own().join("added_models/t.toml")), mode(&probe));
    for marker in std::fs::read_dir(world.own().join("t/files/.verified")).unwrap().map(Result::unwrap) {
        assert_eq!(mode(&marker.path()), mode(&probe), "{}", marker.path().display());
    }
}

#[test]
fn a_bundle_does_not_choose_itself() {
    let Some(world) = World::new() else { return };
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    let text = std::fs::read_to_string(world.own().join("added_models/t.toml")).unwrap();
    let sure = text.replace("choose = \"when-named\"\n", "").replace("id = \"t\"", "id = \"better\"");
    assert_ne!(sure.len(), text.len());
    let small: String = sure
        .lines()
        .map(|l| if l.starts_with("memory_bytes") { "memory_bytes = 1\n".into() } else { format!("{l}\n") })
        .collect();
    std::fs::write(world.path("my.toml"), small).unwrap();
    ended(&world.run(&["--registry", "my.toml", "models", "add", "better", "tiny"]), 0);
    ended(&world.run(&["--registry", "my.toml", "models", "export", "better", "-o", "b.tar"]), 0);
    let other = tempfile::tempdir().unwrap();
    let bundle = world.path("b.tar");
    let said = ended(&run(other.path(), &["models", "import", bundle.to_str().unwrap()]), 0);
    assert!(said.contains("used only when named"), "{said}");
    let list = run(other.path(), &["models", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    let model = list.as_array().unwrap().iter().find(|model| model["id"] == "better").unwrap();
    assert_eq!(model["choose"], "when-named");
    assert!(model["memory_bytes"].as_u64().unwrap() > 100_000, "{model}");
    let said = ended(&run(other.path(), &["doctor"]), 1);
    assert!(said.contains("  better  translates") && said.contains("translate   none"), "{said}");
}

#[test]
fn words_of_files_move_no_cursor() {
    let Some(world) = World::new() else { return };
    std::fs::write(world.path("tiny/README.md"), "---\nlicense: \"MIT\\e[2J\"\n---\n").unwrap();
    std::fs::write(world.path("tiny/LICENSE"), "free \u{1b}]0;owned\u{7} to all\n").unwrap();
    ended(&world.run(&["models", "add", "t", "tiny"]), 0);
    for args in [&["models", "info", "t"][..], &["models", "info", "tiny"], &["models", "list"]] {
        let said = ended(&world.run(args), 0);
        assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{args:?}: {said:?}");
    }
}

#[test]
fn odd_numbers_ids_and_devices_are_refused_at_once() {
    let Some(World { home }) = World::new() else { return };
    let start = Instant::now();
    ended(&run(home.path(), &["--threads", "1000000", "models", "list"]), 2);
    for id in ["con", "nul.x", "a..b", &"a".repeat(65)] {
        ended(&run(home.path(), &["models", "add", id, "tiny"]), 2);
    }
    if cfg!(target_os = "linux") {
        ended(&run(home.path(), &["--registry", "/dev/zero", "models", "list"]), 2);
        ended(&run(home.path(), &["--locked", "--lock-file", "/dev/zero", "models", "list"]), 2);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

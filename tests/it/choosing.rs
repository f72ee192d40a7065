//! Which model does the work, and who may have one fetched: the real binary with registries of two models, a fake hub, and a
//! terminal (Python's `pty`) that answers questions.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::common;
use crate::common::fake_hub::{FILE, FakeHub, Fault, REPO, REVISION};
use crate::common::said::sha256;

/// Answers what the binary asks at a terminal: waits for the question, types, and prints all that was said. The last line is
/// the exit code.
const TERMINAL: &str = r#"
import os, pty, sys, select, time
answer, args = sys.argv[1].encode().decode("unicode_escape").encode(), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(args[0], args)
said, typed, end = b"", False, time.time() + 60
while time.time() < end:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    if not typed and b"[y/N]" in said:
        os.write(terminal, answer)
        typed = True
sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
sys.stdout.write("\n%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

const ARTICLE: &str =
    "الجزائر وتونس توقعان اتفاقا للتجارة\n\nوقعت الجزائر وتونس، يوم الأحد، اتفاقا للتجارة بين البلدين.\n";

/// A home with an article and a registry.
struct World {
    home: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl World {
    /// The models `best` and `second`, better than all that are built in (an entry of the same id goes before); they are no
    /// models at all, which does not show before they are loaded.
    fn new(best_memory: u64) -> Self {
        let world = Self { home: tempfile::tempdir().unwrap(), bytes: b"GGUF\x03\0\0\0 and no more".to_vec() };
        let entry = |id: &str, memory: u64| {
            format!(
                "[[model]]\nid = \"{id}\"\ntitle = \"T\"\ntask = [\"translate\"]\narchitecture = \"llama\"\n\
                 languages = [\"ar\", \"en\"]\nmemory_bytes = {memory}\n\
                 licence = {{ name = \"Tiny Terms\", link = \"l\", asks = \"be kind\" }}\n\
                 files = [{{ name = \"{FILE}\", bytes = {}, sha256 = \"{}\", hub = {{ repo = \"{REPO}\", \
                 revision = \"{REVISION}\", path = \"{FILE}\" }} }}]\n",
                world.bytes.len(),
                world.sha256(),
            )
        };
        // Built-in translators are made drafts, so that those of the test come first.
        let mut registry = entry("best", best_memory) + &entry("second", 1000);
        for id in ["opus-mt-tc-big-ar-en", "opus-mt-ar-en", "opus-mt-tc-bible-big-sem-en", "gemma-3-270m"] {
            registry.push_str(&entry(id, 1000).replace("files =", "draft = true\nfiles ="));
        }
        std::fs::write(world.path("my.toml"), registry).unwrap();
        std::fs::write(world.path("a.txt"), ARTICLE).unwrap();
        world
    }

    fn sha256(&self) -> String {
        sha256(&self.bytes)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn hub(&self) -> FakeHub {
        FakeHub::start(&self.bytes, &self.sha256(), Fault::None)
    }

    /// Puts a model's file where it belongs.
    fn install(&self, id: &str) {
        let place = self.path(".cache/huggingface/mujaz").join(id).join(self.sha256());
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(FILE), &self.bytes).unwrap();
    }

    fn run(&self, endpoint: &str, args: &[&str]) -> Output {
        let mut command = common::mujaz(self.home.path());
        command.current_dir(self.home.path()).env("HF_ENDPOINT", endpoint);
        command.args(["--registry", "my.toml"]).args(args).output().unwrap()
    }

    /// Runs the binary at a terminal that types an answer (with Python's escapes); returns what it said, and its exit code.
    fn at_terminal(&self, hub: &FakeHub, answer: &str, args: &[&str]) -> (String, i32) {
        let mut command = std::process::Command::new("python3");
        command.args(["-c", TERMINAL, answer, env!("CARGO_BIN_EXE_mujaz"), "--registry", "my.toml"]).args(args);
        command.env_clear().env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HF_ENDPOINT", hub.endpoint()).env("NO_COLOR", "1").env("TERM", "xterm");
        let output = command.current_dir(self.home.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (said, code) = text.rsplit_once('\n').unwrap_or_else(|| panic!("{}", said(&output.stderr)));
        (said.to_owned(), code.parse().unwrap())
    }

    fn doctor(&self) -> (Value, Option<i32>) {
        let output = self.run("http://127.0.0.1:9", &["doctor", "--json", "--offline"]);
        (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_script_is_told_what_to_run_and_fetches_only_with_pull() {
    let world = World::new(1000);
    let hub = world.hub();
    for args in [&["translate", "a.txt"][..], &["brief", "a.txt"], &["translate", "a.txt", "--translator", "best"]] {
        let output = world.run(hub.endpoint(), args);
        let text = said(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{text}");
        let command = format!("mujaz models pull best ({} B, 1 kB of memory, Tiny Terms: be kind)", world.bytes.len());
        assert!(text.contains(&command) && text.contains("--pull"), "{text}");
        assert!(hub.requests().is_empty(), "nothing was asked");
    }
    for flag in ["--pull", "--yes", "-y"] {
        let world = World::new(1000);
        let hub = world.hub();
        let text = said(&world.run(hub.endpoint(), &["translate", "a.txt", flag]).stderr);
        assert!(!hub.requests().is_empty() && text.contains("best is under Tiny Terms"), "{flag}: {text}");
        assert!(text.contains("mujaz models verify best"), "it was fetched, and is no model: {text}");
    }
}

#[test]
fn a_terminal_is_asked_and_only_yes_is_a_yes() {
    for (answer, code) in [("n\\n", 3), ("\\n", 3), ("what\\n", 3), ("\\x04", 3), ("\\x03", 130)] {
        let world = World::new(1000);
        let hub = world.hub();
        let (text, got) = world.at_terminal(&hub, answer, &["translate", "a.txt"]);
        assert_eq!(got, code, "{answer}: {text}");
        let question =
            format!("best is not here. Fetch it ({} B, 1 kB of memory, Tiny Terms: be kind)?", world.bytes.len());
        assert!(text.contains(&question), "{answer}: {text}");
        assert!(hub.requests().is_empty(), "{answer}: nothing was asked of the hub");
        assert!(code != 3 || text.contains("hint: fetch it: mujaz models pull best"), "{answer}: {text}");
    }
    for answer in ["y\\n", "YES\\n"] {
        let world = World::new(1000);
        let hub = world.hub();
        let (text, _) = world.at_terminal(&hub, answer, &["translate", "a.txt", "--translator", "second"]);
        assert!(text.contains("second is not here. Fetch it"), "{text}");
        assert!(!hub.requests().is_empty(), "{answer}: {text}");
    }
    let world = World::new(1000);
    let (text, code) = world.at_terminal(&world.hub(), "y\\n", &["translate", "a.txt", "--offline"]);
    assert!(code == 3 && !text.contains("[y/N]"), "offline nothing can be fetched, so nothing is asked: {text}");
}

#[test]
fn auto_takes_the_best_that_is_here_and_fits_and_doctor_says_why() {
    // More memory than any machine has.
    let world = World::new(1 << 60);
    let (report, code) = world.doctor();
    assert_eq!(code, Some(1), "nothing can translate");
    assert_eq!(report["choice"][0]["model"], Value::Null);
    assert_eq!(report["choice"][0]["better"][0]["id"], "second", "the best one would not fit");
    world.install("best");
    world.install("gemma-3-270m");
    let (report, code) = world.doctor();
    let choice = &report["choice"][0];
    assert_eq!((code, choice["model"].as_str()), (Some(0), Some("gemma-3-270m")));
    assert!(choice["passed_over"][0].as_str().unwrap().starts_with("best: it needs "), "{choice}");
    assert_eq!(choice["better"][0]["command"], "mujaz models pull second");
    // What doctor says is what is done: the file is no model, and the error names which one was loaded.
    let text = said(&world.run("http://127.0.0.1:9", &["translate", "a.txt"]).stderr);
    assert!(text.contains("mujaz models verify gemma-3-270m"), "{text}");
    world.install("second");
    assert_eq!(world.doctor().0["choice"][0]["model"], "second");
    let text = said(&world.run("http://127.0.0.1:9", &["translate", "a.txt", "--translator", "auto"]).stderr);
    assert!(text.contains("mujaz models verify second"), "{text}");
    let named = said(&world.run("http://127.0.0.1:9", &["translate", "a.txt", "--translator", "best"]).stderr);
    assert!(named.contains("warning: best needs ") && named.contains("mujaz models verify best"), "{named}");
}

#[test]
fn doctor_shows_the_machine_the_network_and_the_models() {
    let world = World::new(1000);
    world.install("second");
    let hub = world.hub();
    let text = String::from_utf8(world.run(hub.endpoint(), &["doctor"]).stdout).unwrap();
    for part in [
        "cores",
        "SIMD",
        "memory",
        "GPU",
        "/mujaz",
        "reachable",
        "Models here\n  second",
        "better: mujaz models pull best",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    assert!(hub.requests().is_empty(), "a connection, and no question");
    let closed = String::from_utf8(world.run("http://127.0.0.1:9", &["doctor"]).stdout).unwrap();
    assert!(closed.contains("127.0.0.1:9: not reachable ("), "{closed}");
}

#[test]
fn the_summarizer_can_be_chosen_too() {
    let (Some(_), Some(_)) = (common::model("gemma-3-270m"), common::model("smollm2-135m-instruct")) else { return };
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.txt"), ARTICLE).unwrap();
    let note = |models: &Path, summarizer: &str| -> Value {
        let mut command = common::mujaz(home.path());
        command.current_dir(home.path()).env("HF_HOME", models).env("HF_HUB_OFFLINE", "1");
        let output = command.args(["brief", "a.txt", "--format", "json", "--summarizer", summarizer]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output.stderr)))
    };
    let roles = |note: &Value| -> Vec<String> {
        let lines = note["models"].as_array().unwrap_or_else(|| panic!("{note:#}"));
        lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
    };
    let models = common::models_folder();
    assert_eq!(roles(&note(&models, "extractive")), ["gemma-3-270m"]);
    assert_eq!(roles(&note(&models, "auto")), ["gemma-3-270m", "smollm2-135m-instruct"]);
}

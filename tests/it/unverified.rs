//! Models of several files whose sizes and hashes the registry does not know: what the first pull may take, what it records,
//! and what must match that record from then on. Through the real binary and a fake hub.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;

use crate::common;
use crate::common::fake_hub::{FakeHub, Fault, MIRROR, REPO, REVISION, Served};
use crate::common::said::{has, sha256, stderr, stdout};

const NAMES: [&str; 5] = ["config.json", "model.safetensors", "source.spm", "target.spm", "vocab.json"];

/// The files of a checkpoint; both vocabularies are the same bytes, so that they share a blob.
fn checkpoint() -> Vec<Served> {
    let header = r#"{"w":{"dtype":"F32","shape":[25000],"data_offsets":[0,100000]}}"#;
    let mut weights = (header.len() as u64).to_le_bytes().to_vec();
    weights.extend_from_slice(header.as_bytes());
    weights.extend((0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    let spm = b"\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02".repeat(100);
    let served = |path: &str, bytes: &[u8]| {
        // As the hub has it: large files are called by their SHA-256, small ones by git's hash.
        let etag = if path.ends_with(".json") { sha256(bytes)[..40].to_owned() } else { sha256(bytes) };
        Served { path: path.to_owned(), bytes: bytes.to_vec(), etag }
    };
    let contents = [b"{\"model_type\": \"marian\"}\n".as_slice(), &weights, &spm, &spm, b"{\"a\": 0}"];
    NAMES.iter().zip(contents).map(|(name, bytes)| served(name, bytes)).collect()
}

/// A home of its own, with a registry that knows nothing of the files but their names.
struct World {
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { home: tempfile::tempdir().unwrap() };
        let files: String = NAMES.iter().map(|name| format!("{{ name = \"{name}\" }}, ")).collect();
        let text = format!(
            "[[model]]\nid = \"tiny\"\ntitle = \"Tiny\"\ntask = [\"translate\"]\narchitecture = \"marian\"\n\
             languages = [\"ar\", \"en\"]\nmemory_bytes = 1000000\nunverified = true\nprefix = \">>eng<< \"\n\
             hub = {{ repo = \"{REPO}\", revision = \"{REVISION}\", mirrors = [\"{MIRROR}\"] }}\nfiles = [{files}]\n\
             [model.licence]\nname = \"Tiny Terms\"\nlink = \"https://example.org/terms\"\nasks = \"nothing\"\n"
        );
        std::fs::write(world.path("my.toml"), text).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.path(".cache/huggingface")
    }

    fn snapshot(&self, owner: &str) -> PathBuf {
        self.cache().join(format!("hub/models--{owner}--tiny/snapshots/{REVISION}"))
    }

    fn record(&self) -> PathBuf {
        self.cache().join("mujaz/first_seen/tiny.toml")
    }

    fn command(&self, endpoint: &str, args: &[&str]) -> assert_cmd::Command {
        let mut command = common::mujaz(self.home.path());
        command.env("HF_ENDPOINT", endpoint).arg("--registry").arg(self.path("my.toml")).arg("models").args(args);
        command.timeout(Duration::from_secs(60));
        command
    }

    /// Runs `mujaz models ...`; without a hub, the endpoint is a port that refuses.
    fn run(&self, hub: Option<&FakeHub>, args: &[&str]) -> Assert {
        self.command(hub.map_or("http://127.0.0.1:9", FakeHub::endpoint), args).assert()
    }
}

fn blobs(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

// ---- several files

#[test]
fn all_files_land_in_one_folder_and_share_what_is_the_same() {
    let world = World::new();
    let hub = FakeHub::of(checkpoint(), Fault::None);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
    has(&stderr(&pulled), &["tiny is under Tiny Terms", "tiny: fetched (", "unverified: first seen 2"]);
    let expected: String =
        NAMES.iter().map(|name| format!("{}\n", world.snapshot("owner").join(name).display())).collect();
    world.run(None, &["path", "tiny"]).success().stdout(expected);
    for file in checkpoint() {
        assert_eq!(std::fs::read(world.snapshot("owner").join(&file.path)).unwrap(), file.bytes, "{}", file.path);
    }
    let blob_folder = world.cache().join("hub/models--owner--tiny/blobs");
    assert_eq!(blobs(&blob_folder), 4, "two of the five are the same");
    let verified = world.run(None, &["verify", "tiny"]).success();
    assert_eq!(
        stdout(&verified).lines().filter(|line| line.contains("is what it was (unverified: first seen 2")).count(),
        5
    );
    let asked = hub.requests().len();
    has(&stderr(&world.run(Some(&hub), &["pull", "tiny"]).success()), &["already here, as it was first seen"]);
    assert_eq!(hub.requests().len(), asked, "nothing was asked again");
    let removed = world.run(None, &["remove", "tiny"]).success();
    has(&stderr(&removed), &["removed, ", "first_seen/tiny.toml still says what its files were"]);
    assert!(!world.cache().join("hub/models--owner--tiny").exists() && !world.cache().join("mujaz/tiny").exists());
    assert!(world.record().exists());
}

#[test]
fn a_pull_that_fails_in_the_middle_goes_on_with_what_is_missing() {
    let world = World::new();
    let broken = FakeHub::of(checkpoint(), Fault::BodyStatusFor("/source.spm", 403));
    has(&stderr(&world.run(Some(&broken), &["pull", "tiny"]).code(3)), &["no source gave source.spm", "403"]);
    for (name, there) in NAMES.iter().zip([true, true, false, false, false]) {
        assert_eq!(world.snapshot("owner").join(name).exists(), there, "{name}");
    }
    world.run(None, &["path", "tiny"]).code(3);
    let hub = FakeHub::of(checkpoint(), Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let asked: Vec<String> = hub.requests().into_iter().map(|request| request.path).collect();
    assert!(asked.iter().all(|path| !path.ends_with("config.json") && !path.ends_with(".safetensors")), "{asked:?}");
    assert_eq!(hub.transfers().len(), 2, "what two names share is fetched once");
    world.run(None, &["verify", "tiny"]).success();
}

#[test]
fn what_one_file_lacks_is_known_before_the_first_byte_of_any() {
    for (fault, words) in [
        (Fault::StatusFor("/target.spm", 403), "no source gave target.spm: hub owner/tiny: access refused (403)"),
        (Fault::StatusFor("/vocab.json", 401), "no source gave vocab.json"),
    ] {
        let world = World::new();
        let hub = FakeHub::of(checkpoint(), fault);
        let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3);
        has(&stderr(&failed), &[words]);
        assert_eq!(hub.transfers(), [0; 0], "{fault:?}");
        assert!(!world.cache().join("hub").exists(), "{fault:?}");
    }
}

#[test]
fn the_sum_of_all_files_is_what_the_disk_must_hold() {
    let world = World::new();
    // Sizes that the hub alone knows; no disk of their sum is sold yet.
    let sizes = "bytes = 2_000_000_000_000_000_000";
    let text = std::fs::read_to_string(world.path("my.toml")).unwrap();
    let text = text.replace("name = \"source.spm\"", &format!("name = \"source.spm\", {sizes}"));
    let text = text.replace("name = \"target.spm\"", &format!("name = \"target.spm\", {sizes}"));
    std::fs::write(world.path("my.toml"), text).unwrap();
    let hub = FakeHub::of(checkpoint(), Fault::None);
    let failed = world.run(Some(&hub), &["pull", "tiny"]).code(3);
    has(&stderr(&failed), &["too little space for its 5 files: 4000000000000000000 bytes are needed"]);
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn a_mirror_is_asked_where_the_repository_does_not_have_the_commit() {
    let world = World::new();
    let hub = FakeHub::of(checkpoint(), Fault::OnlyMirror);
    let pulled = world.run(Some(&hub), &["pull", "tiny"]).success();
    has(&stderr(&pulled), &["404", "asking someone/tiny for the same commit"]);
    let missed = hub.requests().iter().filter(|request| request.path.starts_with("/owner/")).count();
    assert_eq!(missed, 1, "the mirror that had the first file is asked first for the others");
    let listed = stdout(&world.run(None, &["path", "tiny"]).success());
    assert!(listed.lines().all(|path| Path::new(path).parent() == Some(&world.snapshot("someone"))), "{listed}");
    world.run(None, &["remove", "tiny"]).success();
    assert!(!world.cache().join("hub/models--someone--tiny").exists());
}

#[test]
fn copies_made_by_hand_are_checked_and_recorded_too() {
    let world = World::new();
    let said = stderr(&world.run(None, &["path", "tiny"]).code(3));
    let place = world.cache().join("mujaz/tiny").join(REVISION);
    for name in NAMES {
        has(&said, &[&format!("or copy the file by hand to {}", place.join(name).display())]);
    }
    std::fs::create_dir_all(&place).unwrap();
    for file in checkpoint() {
        std::fs::write(place.join(&file.path), &file.bytes).unwrap();
    }
    std::fs::write(place.join("config.json"), "<html>Please log in</html>").unwrap();
    has(&stderr(&world.run(None, &["path", "tiny"]).code(3)), &["config.json", "it is a web page"]);
    std::fs::write(place.join("config.json"), &checkpoint()[0].bytes).unwrap();
    world.run(None, &["path", "tiny"]).success();
    let record = std::fs::read_to_string(world.record()).unwrap();
    assert_eq!(record.matches("\n[[file]]\nname").count(), 5, "{record}");
    assert!(!record.contains("repo ="), "no repository gave them: {record}");
}

// ---- the record

#[test]
fn the_first_pull_is_recorded_and_shown() {
    let world = World::new();
    has(&stdout(&world.run(None, &["list"]).success()), &["not here, unverified"]);
    world.run(Some(&FakeHub::of(checkpoint(), Fault::None)), &["pull", "tiny"]).success();
    let record = std::fs::read_to_string(world.record()).unwrap();
    for file in checkpoint() {
        has(
            &record,
            &[&format!("path = \"{}\"", file.path), &sha256(&file.bytes), &format!("bytes = {}", file.bytes.len())],
        );
    }
    has(&record, &["# What mujaz got", REPO, REVISION, "first_seen = \"2"]);
    has(&stdout(&world.run(None, &["list"]).success()), &["  here, unverified: first seen 2"]);
    let info = stdout(&world.run(None, &["info", "tiny"]).success());
    has(
        &info,
        &["Tiny Terms", "prefix: \">>eng<< \"", "file: config.json: unverified: first seen 2", "first_seen/tiny.toml"],
    );
    let json = world.run(None, &["list", "--json"]).success();
    let json: serde_json::Value = serde_json::from_slice(&json.get_output().stdout).unwrap();
    let tiny = json.as_array().unwrap().iter().find(|model| model["id"] == "tiny").unwrap();
    assert_eq!(tiny["verified"], false);
    assert!(tiny["first_seen"].as_str().unwrap().starts_with('2'));
    let bytes: usize = checkpoint().iter().map(|file| file.bytes.len()).sum();
    assert_eq!(tiny["bytes"], bytes);
}

#[test]
fn other_bytes_than_those_first_seen_are_refused_even_after_the_model_was_removed() {
    let world = World::new();
    world.run(Some(&FakeHub::of(checkpoint(), Fault::None)), &["pull", "tiny"]).success();
    world.run(None, &["remove", "tiny"]).success();
    let mut files = checkpoint();
    files[0].bytes = b"{\"model_type\": \"nairam\"}\n".to_vec();
    let failed = world.run(Some(&FakeHub::of(files.clone(), Fault::None)), &["pull", "tiny"]).code(3);
    let record = world.record().display().to_string();
    let (first, now) = (sha256(&checkpoint()[0].bytes), sha256(&files[0].bytes));
    has(&stderr(&failed), &["config.json", &first, &now, &record, "first seen on 2"]);
    assert!(!world.snapshot("owner").join("config.json").exists());
    // Of another size, it is known before a byte is fetched.
    files[0].bytes = b"{}".to_vec();
    let hub = FakeHub::of(files.clone(), Fault::None);
    has(&stderr(&world.run(Some(&hub), &["pull", "tiny"]).code(3)), &["expected 25 bytes, got 2", &record]);
    assert_eq!(hub.transfers(), [0; 0]);
    // Who wants the new bytes says so.
    std::fs::remove_file(world.record()).unwrap();
    world.run(Some(&hub), &["pull", "tiny"]).success();
}

#[test]
fn a_file_that_changed_on_the_disk_is_refused_and_fetched_anew() {
    let world = World::new();
    let hub = FakeHub::of(checkpoint(), Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    let changed = world.snapshot("owner").join("vocab.json");
    std::fs::write(&changed, "{\"a\": 1}").unwrap();
    let record = world.record().display().to_string();
    let expected = sha256(b"{\"a\": 0}");
    for args in [["path", "tiny"], ["verify", "tiny"]] {
        has(&stderr(&world.run(None, &args).code(3)), &["vocab.json", &expected, &sha256(b"{\"a\": 1}"), &record]);
    }
    has(&stderr(&world.run(Some(&hub), &["pull", "tiny"]).success()), &["fetching it anew"]);
    assert_eq!(std::fs::read(&changed).unwrap(), b"{\"a\": 0}");
}

#[test]
fn a_record_that_cannot_be_read_stops_everything() {
    let world = World::new();
    let hub = FakeHub::of(checkpoint(), Fault::None);
    world.run(Some(&hub), &["pull", "tiny"]).success();
    std::fs::write(world.record(), "[[file]]\nname = ").unwrap();
    for args in [["path", "tiny"], ["pull", "tiny"], ["verify", "tiny"]] {
        has(&stderr(&world.run(Some(&hub), &args).code(3)), &["first_seen/tiny.toml", "cannot be read as the record"]);
    }
}

// ---- what the first pull does not take

#[test]
fn what_is_not_the_file_is_refused_at_the_first_pull() {
    let page = b"<!DOCTYPE html><title>Log in</title>".as_slice();
    // Which file is spoiled, with what, and what is said; its etag is that of a small file, which says nothing of its bytes.
    let spoiled: [(usize, Vec<u8>, &str); 6] = [
        (0, b"{\"model_type\": ".to_vec(), "config.json is not what its name says: it is not JSON"),
        (0, page.to_vec(), "config.json is not what its name says: it is a web page"),
        (1, b"\x10\0\0\0\0\0\0\0not a header....".to_vec(), "its safetensors header is not JSON"),
        (1, checkpoint()[1].bytes[..90_000].to_vec(), "tensor \"w\" lies at 0 to 100000"),
        (2, page.to_vec(), "source.spm is not what its name says: it is a web page"),
        (2, b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "git-lfs"),
    ];
    for (index, bytes, words) in spoiled {
        let world = World::new();
        let mut files = checkpoint();
        files[index].bytes = bytes;
        files[index].etag = "c".repeat(40);
        let failed = world.run(Some(&FakeHub::of(files, Fault::None)), &["pull", "tiny"]).code(3);
        has(&stderr(&failed), &[words]);
        nothing_of(&world, NAMES[index]);
    }
    for (fault, words) in [
        (Fault::DressedPage, "it answers with a web page"),
        (Fault::WrongLinkedSize, "it lists 26 bytes and gives 25"),
        (Fault::WrongEtag, "expected SHA-256 eeee"),
        (Fault::Long, "expected 25 bytes, got 33"),
        (Fault::Cut(0), "broke off after 0 of 25 bytes"),
        (Fault::WrongBytes, "it is not JSON"),
        (Fault::WrongCommit, "it answers with commit"),
        (Fault::RedirectNowhere, "it redirects to nowhere"),
    ] {
        let world = World::new();
        let said = stderr(&world.run(Some(&FakeHub::of(checkpoint(), fault)), &["pull", "tiny"]).code(3));
        has(&said, &[words]);
        assert!(!said.contains("panicked"), "{fault:?}: {said}");
        nothing_of(&world, NAMES[0]);
    }
}

/// Fails where a file has its final name, or was recorded.
#[track_caller]
fn nothing_of(world: &World, name: &str) {
    assert!(std::fs::symlink_metadata(world.snapshot("owner").join(name)).is_err(), "{name} has its final name");
    let record = std::fs::read_to_string(world.record()).unwrap_or_default();
    assert!(!record.contains(&format!("name = \"{name}\"")), "{name} was recorded: {record}");
}

// ---- a hub out of reach

#[test]
fn a_hub_out_of_reach_is_tried_once() {
    use mujaz::hub::{Error, HubOptions, SourceError};
    let world = World::new();
    let registry = mujaz::registry::Registry::open(&world.path("my.toml")).unwrap();
    let mut options = HubOptions::new(world.path("hub"), world.path("own"));
    options.endpoint = "http://127.0.0.1:9".to_owned();
    let reason = |options: &HubOptions| match mujaz::hub::pull(&registry.models()[0], options, &mujaz::progress::Silent)
    {
        Err(Error::Unavailable { tried, .. }) => match &tried[0].reason {
            SourceError::Unreachable { reason, .. } => reason.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(!reason(&options).contains("not again"));
    assert!(reason(&options.clone()).contains("tried before, not again"), "copies share what was found out");
    let mut fresh = HubOptions::new(world.path("hub"), world.path("own"));
    fresh.endpoint = options.endpoint.clone();
    assert!(!reason(&fresh).contains("not again"), "new options try anew");
}

#[test]
fn a_pull_without_a_hub_fails_at_once() {
    let world = World::new();
    let start = Instant::now();
    let failed = world.run(None, &["pull", "opus-mt-tc-big-ar-en"]).code(3);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    has(&stderr(&failed), &["is not reachable", "HF_ENDPOINT", "by hand to"]);
    assert!(!stderr(&failed).contains("is under CC-BY-4.0"), "terms are told of what is fetched");
}

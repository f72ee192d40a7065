//! `mujaz models export` and `import` through the real binary: models carried from one home to another, and archives that were
//! made to do harm, each built here header by header.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::common;
use crate::common::fake_hub::{FakeHub, Fault, REPO, REVISION, Served};
use crate::common::said::{said, says, sha256};

const MANIFEST: &str = "mujaz-bundle.toml";
const SUMS: &str = "SHA256SUMS";

/// A home without any model.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn own_cache(&self) -> PathBuf {
        self.path(".cache/huggingface/mujaz")
    }

    fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = common::mujaz(self.folder.path());
        command.current_dir(self.folder.path()).env("HF_ENDPOINT", "http://127.0.0.1:9").args(args);
        command.timeout(Duration::from_secs(120));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn import(&self, bundle: &[u8]) -> Output {
        self.command(&["--offline", "models", "import", "-"]).write_stdin(bundle).output().unwrap()
    }

    /// All files below the caches with their contents, but locks.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path(".cache")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if entry.file_name() != ".lock" {
                    found.insert(
                        path.strip_prefix(self.folder.path()).unwrap().to_owned(),
                        std::fs::read(&path).unwrap(),
                    );
                }
            }
        }
        found
    }
}

/// Returns the files of a tiny checkpoint.
fn checkpoint(name: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = common::shared(&format!("parity/{name}"))?;
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let mut files: Vec<(String, Vec<u8>)> = named
        .filter(|(name, _)| name != "expected.json" && !name.starts_with('.'))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    Some(files)
}

/// Writes an entry; pinned files have their sizes and hashes.
fn entry(id: &str, architecture: &str, files: &[(String, Vec<u8>)], pinned: bool) -> String {
    let file = |(name, bytes): &(String, Vec<u8>)| match pinned {
        true => format!("{{ name = \"{name}\", bytes = {}, sha256 = \"{}\" }}, ", bytes.len(), sha256(bytes)),
        false => format!("{{ name = \"{name}\" }}, "),
    };
    let files: String = files.iter().map(file).collect();
    let unverified = if pinned { "" } else { "unverified = true\n" };
    format!(
        "[[model]]\nid = \"{id}\"\ntitle = \"Tiny\"\ntask = [\"translate\"]\narchitecture = \"{architecture}\"\n\
         languages = [\"ar\", \"en\"]\nmemory_bytes = 100000000\nchoose = \"when-named\"\n{unverified}generation = {{ max_length = 25 }}\n\
         hub = {{ repo = \"{REPO}\", revision = \"{REVISION}\" }}\nfiles = [{files}]\n\
         [model.licence]\nname = \"Tiny Terms\"\nlink = \"https://example.org/terms\"\nasks = \"name its author\"\n"
    )
}

fn served(files: &[(String, Vec<u8>)]) -> FakeHub {
    let served = files.iter().map(|(path, bytes)| {
        let etag = if path.ends_with(".json") { sha256(bytes)[..40].to_owned() } else { sha256(bytes) };
        Served { path: path.clone(), bytes: bytes.clone(), etag }
    });
    FakeHub::of(served.collect(), Fault::None)
}

/// A home with the model `tiny` from a hub, and `other` put there by hand.
fn filled(pinned: bool) -> Option<Home> {
    let (tiny, other) = (checkpoint("opus-mt-tc-big-tiny")?, checkpoint("madlad-tiny")?);
    let home = Home::new();
    let text = entry("tiny", "marian", &tiny, pinned) + &entry("other", "t5", &other, true);
    std::fs::write(home.path("my.toml"), text).unwrap();
    let hub = served(&tiny);
    let mut pull = home.command(&["--registry", "my.toml", "models", "pull", "tiny"]);
    says(&pull.env("HF_ENDPOINT", hub.endpoint()).output().unwrap(), 0, &["tiny: fetched"]);
    let place = home.own_cache().join("other").join(REVISION);
    std::fs::create_dir_all(&place).unwrap();
    for (name, bytes) in other {
        std::fs::write(place.join(name), bytes).unwrap();
    }
    Some(home)
}

fn exported(home: &Home) -> Vec<u8> {
    let output = home.run(&["--registry", "my.toml", "models", "export", "tiny", "other", "-o", "b.tar"]);
    says(&output, 0, &["tiny is under Tiny Terms (https://example.org/terms)", "name its author", "b.tar: written"]);
    std::fs::read(home.path("b.tar")).unwrap()
}

// ---- what works

#[test]
fn models_are_carried_to_another_home_and_work_there_without_a_network() {
    for pinned in [true, false] {
        let Some(there) = filled(pinned) else { return };
        let bundle = exported(&there);
        let here = Home::new();
        std::fs::write(here.path("b.tar"), &bundle).unwrap();
        says(
            &here.run(&["--offline", "models", "import", "b.tar"]),
            0,
            &["tiny: imported and verified", "no registry knew it", "other is under Tiny Terms"],
        );
        assert!(!here.files().keys().any(|path| path.to_string_lossy().contains(".import-")));
        // No --registry: the entries came along.
        says(&here.run(&["--offline", "models", "path", "tiny"]), 0, &[]);
        says(&here.run(&["models", "verify", "tiny", "other"]), 0, &[]);
        std::fs::write(here.path("lines.txt"), "وقعت الجزائر وتونس اتفاقا\n").unwrap();
        for id in ["tiny", "other"] {
            let args = ["--offline", "translate", "--raw", "lines.txt", "--precision", "f32", "--translator", id];
            let output = here.run(&args);
            says(&output, 0, &[]);
            let mut at_home = there.command(&["--registry", there.path("my.toml").to_str().unwrap()]);
            let at_home = at_home.args(args).current_dir(here.folder.path()).output().unwrap();
            assert_eq!(output.stdout, at_home.stdout, "{id}");
        }
        if !pinned {
            let record = here.own_cache().join("first_seen/tiny.toml");
            assert!(std::fs::read_to_string(record).unwrap().contains("config.json"), "first seen in the bundle");
        }
        // From here it can be carried on, and is the same.
        says(&here.run(&["models", "export", "other", "tiny", "tiny", "-o", "again.tar"]), 0, &[]);
        assert!(std::fs::read(here.path("again.tar")).unwrap() == bundle, "the same models, the same bytes");
        let before = here.files();
        says(&here.run(&["models", "import", "again.tar"]), 0, &["tiny: already here", "other: already here"]);
        assert!(here.files() == before);
    }
}

#[test]
fn any_tar_unpacks_a_bundle_and_its_list_is_right() {
    let Some(home) = filled(true) else { return };
    let output = home.run(&["--registry", "my.toml", "models", "export", "tiny", "other", "-o", "-"]);
    says(&output, 0, &["standard output: written"]);
    assert!(output.stdout == exported(&home), "the same bytes on standard output");
    let folder = home.path("unpacked");
    std::fs::create_dir(&folder).unwrap();
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let names = run("tar", &["xvf", "../b.tar"]);
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names[..3], [MANIFEST, "licences/other.txt", "licences/tiny.txt"]);
    assert!(names[3].starts_with("models/other/") && names[names.len() - 1] == SUMS);
    assert_eq!(run("sha256sum", &["-c", SUMS]).lines().count(), names.len() - 1);
    let manifest = std::fs::read_to_string(folder.join(MANIFEST)).unwrap();
    assert!(manifest.starts_with("format = 1\n") && manifest.contains(REVISION) && manifest.contains(REPO));
    let licence = std::fs::read_to_string(folder.join("licences/tiny.txt")).unwrap();
    for part in ["Tiny Terms", "https://example.org/terms", "name its author"] {
        assert!(licence.contains(part), "{licence}");
    }
    // Packed again by another program, in another order: still the same files.
    let mut order: Vec<&str> = names[1..].to_vec();
    order.reverse();
    run("tar", &[&["cf", "../repacked.tar", "--format=ustar", MANIFEST][..], &order].concat());
    says(&Home::new().import(&std::fs::read(home.path("repacked.tar")).unwrap()), 0, &["tiny: imported"]);
}

#[test]
fn a_licence_that_lies_beside_a_model_comes_along() {
    let Some(there) = filled(true) else { return };
    std::fs::write(there.own_cache().join("other").join(REVISION).join("LICENSE"), "Do good.\n").unwrap();
    let bundle = exported(&there);
    let here = Home::new();
    says(&here.import(&bundle), 0, &[]);
    let kept = here.own_cache().join("other").join(REVISION).join("LICENSE");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "Do good.\n");
    says(&here.run(&["models", "export", "tiny", "other", "-o", "again.tar"]), 0, &[]);
    assert!(std::fs::read(here.path("again.tar")).unwrap() == bundle);
}

#[test]
fn a_real_model_that_came_as_packages_is_carried_too() {
    for (id, name) in
        [("smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"), ("gemma-3-270m", "gemma-3-270m-q4_k_m.gguf")]
    {
        let Some(model) = common::model(id) else { return };
        let here = Home::new();
        let (mut export, bundle) = (here.command(&["models", "export", id, "-o", "b.tar"]), here.path("b.tar"));
        says(&export.env("HF_HOME", common::models_folder()).output().unwrap(), 0, &["b.tar: written"]);
        let import = here.command(&["models", "import"]).arg(&bundle).env("HF_HUB_OFFLINE", "1").output().unwrap();
        says(&import, 0, &[&format!("{id}: imported and verified")]);
        assert!(!said(&import).contains("no registry knew"), "it is built in");
        let path = here.run(&["--offline", "models", "path", id]);
        let path = PathBuf::from(String::from_utf8(path.stdout).unwrap().trim());
        assert!(path.ends_with(name) && std::fs::read(path).unwrap() == std::fs::read(&model).unwrap());
    }
}

// ---- exporting what is not right

#[test]
fn only_what_is_here_and_unchanged_is_exported_and_nothing_half_is_left() {
    let Some(home) = filled(true) else { return };
    let export = |ids: &[&str], to: &str| {
        home.run(&[&["--registry", "my.toml", "models", "export"][..], ids, &["-o", to]].concat())
    };
    let missing = export(&["tiny", "gemma-3-270m", "smollm2-135m-instruct"], "no.tar");
    says(&missing, 3, &["not here: gemma-3-270m, smollm2-135m-instruct", "models pull gemma-3-270m smollm2"]);
    says(&export(&["tinny"], "no.tar"), 2, &["did you mean tiny?"]);
    says(&export(&["tiny"], "no/such/folder/b.tar"), 2, &["no/such/folder/b.tar: cannot be written"]);
    std::fs::create_dir(home.path("folder")).unwrap();
    says(&export(&["tiny"], "folder"), 2, &["folder: cannot be written", "no regular file"]);
    // It was verified, and its size and time are as they were: the time of its inode tells.
    let weights = home.own_cache().join("other").join(REVISION).join("model.safetensors");
    says(&export(&["other"], "good.tar"), 0, &[]);
    let changed = std::fs::metadata(&weights).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, &bytes).unwrap();
    std::fs::File::options().write(true).open(&weights).unwrap().set_modified(changed).unwrap();
    says(&export(&["other"], "good.tar"), 3, &["model.safetensors is damaged", "expected SHA-256", "got "]);
    assert!(std::fs::metadata(home.path("good.tar")).unwrap().len() > 100_000, "the earlier one stays");
    assert!(!home.path("no.tar").exists());
    let left = std::fs::read_dir(home.folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".mujaz-"));
    assert_eq!(left.count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_bundle_is_not_written_to_a_terminal() {
    let Some(home) = filled(true) else { return };
    if !Path::new("/usr/bin/script").exists() {
        println!("skipped: no `script` to make a terminal with");
        return;
    }
    let binary = env!("CARGO_BIN_EXE_mujaz");
    let command = format!("{binary} --registry my.toml models export tiny -o -");
    let mut script = Command::new("/usr/bin/script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(home.folder.path()).env("HOME", home.folder.path());
    let output = script.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("a bundle is no text for a terminal") && text.len() < 1000, "{text}");
}

// ---- archives made to do harm

/// A member of an archive that is built by hand.
#[derive(Clone)]
struct Part {
    name: String,
    bytes: Vec<u8>,
    kind: u8,
    link: &'static str,
    /// What the header claims, where that is not the truth.
    claims: Option<u64>,
}

impl Part {
    fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec(), kind: b'0', link: "", claims: None }
    }

    fn header(&self) -> [u8; 512] {
        let mut header = [0; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, self.name.as_bytes());
        put(100, b"0000644\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", self.claims.unwrap_or(self.bytes.len() as u64)).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, self.link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header
    }
}

fn archive(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&part.header());
        bytes.extend_from_slice(&part.bytes);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// A small model that no registry knows: two files.
fn model() -> Vec<(String, Vec<u8>)> {
    let file = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    vec![file("config.json", b"{\"model_type\": \"marian\"}\n"), file("m.gguf", b"GGUF\x03\0\0\0and the rest of it")]
}

/// The parts of a good bundle of one model.
fn parts_of(id: &str, registry: &str, files: &[(String, Vec<u8>)]) -> Vec<Part> {
    let mut parts = vec![Part::new(&format!("licences/{id}.txt"), b"Tiny Terms\n")];
    parts.extend(files.iter().map(|(name, bytes)| Part::new(&format!("models/{id}/{name}"), bytes)));
    let members: String = parts
        .iter()
        .map(|part| {
            let (name, bytes, sha256) = (&part.name, part.bytes.len(), sha256(&part.bytes));
            format!("[[member]]\nname = \"{name}\"\nbytes = {bytes}\nsha256 = \"{sha256}\"\n")
        })
        .collect();
    parts.insert(0, Part::new(MANIFEST, format!("format = 1\nmujaz = \"0.1.0\"\n{members}{registry}").as_bytes()));
    listed(parts)
}

/// Puts the list of hashes at the end, as it must be.
fn listed(mut parts: Vec<Part>) -> Vec<Part> {
    parts.retain(|part| part.name != SUMS);
    let sums: String = parts.iter().map(|part| format!("{}  {}\n", sha256(&part.bytes), part.name)).collect();
    parts.push(Part::new(SUMS, sums.as_bytes()));
    parts
}

fn good() -> Vec<Part> {
    parts_of("tiny", &entry("tiny", "marian", &model(), true), &model())
}

/// Replaces text in the manifest, and sets the list right.
fn with_manifest(from: &str, to: &str) -> Vec<Part> {
    let mut parts = good();
    let text = String::from_utf8(parts[0].bytes.clone()).unwrap();
    assert!(text.contains(from), "{from}");
    parts[0].bytes = text.replace(from, to).into_bytes();
    listed(parts)
}

#[test]
fn a_bundle_built_by_hand_is_taken() {
    let home = Home::new();
    says(&home.import(&archive(&good())), 0, &["tiny: imported and verified"]);
    says(&home.run(&["models", "verify", "tiny"]), 0, &[]);
}

/// Imports into an empty home, which must stay as it is.
#[track_caller]
fn refused(bundle: &[u8], words: &[&str]) {
    let home = Home::new();
    let output = home.import(bundle);
    says(&output, 3, words);
    assert!(!said(&output).contains('\u{1b}'), "nothing of the archive reaches the terminal as it is");
    assert_eq!(home.files(), BTreeMap::new());
    assert!(!home.own_cache().exists());
}

#[test]
fn what_is_no_regular_announced_file_is_refused() {
    let add = |part: Part| {
        let mut parts = good();
        parts.insert(2, part);
        archive(&parts)
    };
    let of_kind = |kind: u8, link: &'static str| {
        let mut parts = good();
        parts[3] = Part { kind, link, bytes: Vec::new(), ..parts[3].clone() };
        archive(&parts)
    };
    for (kind, link, words) in [
        (b'1', "models/tiny/config.json", "a hard link"),
        (b'2', "/etc/passwd", "a symbolic link"),
        (b'3', "", "a device"),
        (b'4', "", "a device"),
        (b'5', "", "a folder"),
        (b'6', "", "a pipe"),
        (b'S', "", "a sparse file"),
        (b'V', "", "of an unknown kind"),
    ] {
        refused(&of_kind(kind, link), &["models/tiny/m.gguf", words]);
    }
    for name in [
        "/etc/cron.d/evil",
        "../../../../evil",
        "models/tiny/../../evil",
        "models/tiny/./m.gguf",
        "models/tiny/m.gguf/",
        "MODELS/tiny/m.gguf",
        "models\\tiny\\evil",
        "evil\u{1b}[2J",
        "",
    ] {
        refused(&add(Part::new(name, b"evil")), &["does not announce it"]);
        let mut parts = good();
        parts[3].name = name.to_owned();
        refused(&archive(&parts), &["does not announce it"]);
    }
    let pax = |kind, record: &[u8]| Part { kind, ..Part::new("PaxHeaders/m.gguf", record) };
    refused(&add(pax(b'x', b"18 path=../../evil\n")), &["a PAX header"]);
    refused(&add(pax(b'x', b"12 size=999\n")), &["a PAX header"]);
    refused(&add(pax(b'g', b"18 path=../../evil\n")), &["a PAX header"]);
    refused(&add(Part { kind: b'L', ..Part::new("././@LongLink", b"../../evil\0") }), &["a long name of GNU tar"]);
    refused(&add(Part { kind: b'K', ..Part::new("././@LongLink", b"../../evil\0") }), &["a long name of GNU tar"]);
}

#[test]
fn every_member_comes_once_with_its_size_and_its_bytes() {
    let mut twice = good();
    twice.insert(3, twice[3].clone());
    refused(&archive(&twice), &["models/tiny/m.gguf", "comes twice"]);
    let mut twice = good();
    twice.insert(3, twice[0].clone());
    refused(&archive(&twice), &[MANIFEST, "comes twice"]);
    for number in 1..5 {
        let mut fewer = good();
        let gone = fewer.remove(number);
        refused(&archive(&fewer), &["the bundle has no", &gone.name]);
        let mut other = good();
        other[number].bytes[3] ^= 1;
        refused(&archive(&other), &[&gone.name, "is damaged: expected SHA-256", "got "]);
        let mut longer = good();
        longer[number].bytes.push(b'x');
        refused(&archive(&longer), &[&gone.name, "is damaged: expected", "bytes, got"]);
        let mut claimed = good();
        claimed[number].claims = Some(8_000_000_000);
        refused(&archive(&claimed), &[&gone.name, "got 8000000000"]);
    }
    let whole = archive(&good());
    for cut in [0, 1, 511, 512, 513, 1024, whole.len() / 2, whole.len() - 1024, whole.len() - 512, whole.len() - 1] {
        let output = Home::new().import(&whole[..cut]);
        assert_eq!(output.status.code(), Some(3), "{cut}: {}", said(&output));
    }
    refused(&whole[..whole.len() / 2], &["broken off"]);
    refused(&[whole.clone(), b"more".to_vec()].concat(), &["something comes after the archive's end"]);
    refused(&[whole.clone(), whole.clone()].concat(), &["something comes after the archive's end"]);
    let mut hidden = whole.clone();
    let end = 512 + good()[0].bytes.len();
    hidden[end] = b'x';
    refused(&hidden, &["hidden after a file's end"]);
    let mut sum = whole;
    sum[0] = b'M';
    refused(&sum, &["no tar archive", "checksum"]);
}

#[test]
fn what_is_something_else_is_said_to_be_that() {
    refused(&[0x1f, 0x8b, 8, 0, 0], &["compressed with gzip", "gunzip"]);
    refused(b"PK\x03\x04", &["broken off"]);
    refused(&[b'x'; 2000], &["no tar archive"]);
    refused(b"", &["empty"]);
    let mut late = good();
    late.swap(0, 1);
    refused(&archive(&late), &["its first member is \"licences/tiny.txt\""]);
    let mut long = good();
    long[0].bytes.extend(std::iter::repeat_n(b'\n', 1_000_001));
    refused(&archive(&listed(long)), &[MANIFEST, "expected 1000000 at most"]);
    let output = Home::new().run(&["models", "import", "no-such.tar"]);
    says(&output, 2, &["no-such.tar"]);
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    let weights = sha256(&model()[1].1);
    let twice = entry("tiny", "marian", &model(), true);
    for (from, to, words) in [
        ("format = 1", "format = 2", "format 2, expected 1"),
        ("format = 1", "format = \"x\"", "line 1"),
        ("mujaz =", "colour = 1\nmujaz =", "unknown field `colour`"),
        ("id = \"tiny\"", "id = \"../tiny\"", "is not a model id"),
        ("id = \"tiny\"", "id = \"other\"", "no model has such a file"),
        ("{ name = \"m.gguf\"", "{ name = \"../m.gguf\"", "is not a file name"),
        ("{ name = \"m.gguf\"", "{ name = \"M.gguf\"", "no model has such a file"),
        ("name = \"models/tiny/m.gguf\"", "name = \"models/tiny/../m.gguf\"", "no model has such a file"),
        ("name = \"models/tiny/m.gguf\"", "name = \"models/tiny/config.json\"", "announced twice"),
        ("name = \"models/tiny/m.gguf\"", "name = \"models/tiny/CONFIG.json\"", "differ in case only"),
        ("title = \"Tiny\"", "title = \"Ti\\u001b[2Jny\"", "control characters"),
        ("sha256 = \"", "sha256 = \"X", "is not a SHA-256"),
        ("[[model]]", &format!("{twice}[[model]]"), "stands there twice"),
    ] {
        refused(&archive(&with_manifest(from, to)), &[words]);
    }
    // The entry pins other bytes than the manifest announces.
    let pinned = format!("sha256 = \"{weights}\", ");
    let other = format!("sha256 = \"{}\", ", "0".repeat(64));
    let text = String::from_utf8(good()[0].bytes.clone()).unwrap();
    let text = text.replace(&pinned.replace(", ", " }"), &other.replace(", ", " }"));
    let mut parts = good();
    assert_ne!(parts[0].bytes, text.as_bytes());
    parts[0].bytes = text.into_bytes();
    refused(&archive(&listed(parts)), &["m.gguf is not the one", &weights, &"0".repeat(64)]);
    let none = "format = 1\nmujaz = \"0.1.0\"\nmember = []\nmodel = []\n";
    refused(&archive(&listed(vec![Part::new(MANIFEST, none.as_bytes())])), &["it has no models"]);
}

#[test]
fn what_is_known_here_goes_before_what_a_bundle_says() {
    // A built-in model that is pinned, with other bytes.
    let name = "SmolLM2-135M-Instruct.Q4_1.gguf";
    let id = "smollm2-135m-instruct";
    let file = vec![(name.to_owned(), b"GGUF\x03\0\0\0evil".to_vec())];
    let evil = parts_of(id, &entry(id, "llama", &file, true), &file);
    refused(&archive(&evil), &[id, name, "expected 98362432 bytes, got 12"]);
    let other = vec![("other.gguf".to_owned(), b"GGUF\x03\0\0\0evil".to_vec())];
    let evil = parts_of(id, &entry(id, "llama", &other, true), &other);
    refused(&archive(&evil), &[id, "other files here than in the bundle"]);
    // A built-in model whose hashes are not known, of another commit.
    let id = "opus-mt-tc-big-ar-en";
    let names =
        ["config.json", "generation_config.json", "model.safetensors", "source.spm", "target.spm", "vocab.json"];
    let files: Vec<(String, Vec<u8>)> = names.iter().map(|name| ((*name).to_owned(), b"{}".to_vec())).collect();
    let evil = parts_of(id, &entry(id, "marian", &files, true), &files);
    refused(&archive(&evil), &[id, "expected config.json of b59ec62", REVISION]);
}

#[test]
fn what_was_first_seen_goes_before_what_a_bundle_says() {
    let unknown = entry("tiny", "marian", &model(), false);
    let home = Home::new();
    says(&home.import(&archive(&parts_of("tiny", &unknown, &model()))), 0, &["tiny: imported"]);
    let before = home.files();
    let mut other = model();
    other[1].1[12] ^= 1;
    let output = home.import(&archive(&parts_of("tiny", &unknown, &other)));
    says(&output, 3, &["m.gguf is not the one", &sha256(&model()[1].1), &sha256(&other[1].1), "first seen on 2"]);
    assert_eq!(home.files(), before);
    // The record outlives the model.
    says(&home.run(&["models", "remove", "tiny"]), 0, &[]);
    let output = home.import(&archive(&parts_of("tiny", &unknown, &other)));
    says(&output, 3, &["first seen on 2"]);
    says(&home.import(&archive(&parts_of("tiny", &unknown, &model()))), 0, &["tiny: imported"]);
}

#[test]
fn a_file_that_nobody_pins_must_have_the_form_that_its_name_promises() {
    let page = vec![("config.json".to_owned(), b"<html>login</html>".to_vec())];
    let parts = parts_of("tiny", &entry("tiny", "marian", &page, false), &page);
    refused(&archive(&parts), &["config.json", "it is a web page"]);
}

#[test]
fn room_is_looked_for_before_the_first_file() {
    let mut parts = good();
    let text = String::from_utf8(parts[0].bytes.clone()).unwrap();
    let bytes = format!("bytes = {}", model()[1].1.len());
    parts[0].bytes = text.replace(&bytes, "bytes = 9000000000000000000").into_bytes();
    parts.truncate(1);
    refused(&archive(&parts), &["too little space", "9000000000000000", "are free"]);
}

#[test]
fn a_damaged_model_is_put_right_by_a_bundle() {
    let home = Home::new();
    says(&home.import(&archive(&good())), 0, &[]);
    let output = home.run(&["models", "path", "tiny"]);
    let path =
        String::from_utf8(output.stdout).unwrap().lines().find(|line| line.ends_with("m.gguf")).unwrap().to_owned();
    std::fs::write(&path, "broken").unwrap();
    says(&home.run(&["models", "path", "tiny"]), 3, &["damaged"]);
    says(&home.import(&archive(&good())), 0, &["tiny: imported and verified"]);
    assert_eq!(std::fs::read(&path).unwrap(), model()[1].1);
}

// ---- stopping, memory

/// Waits for something, at most 20 seconds.
fn until(holds: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn staging(home: &Home) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home.own_cache()).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".import-")).collect()
}

#[cfg(unix)]
#[test]
fn an_import_that_is_stopped_leaves_nothing_and_one_that_is_killed_is_cleaned_up_after() {
    let whole = archive(&good());
    for signal in ["INT", "TERM", "KILL"] {
        let home = Home::new();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
        command.env_clear().env("HOME", home.folder.path()).args(["models", "import", "-"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // All but the end: the reader waits for more.
        input.write_all(&whole[..whole.len() - 1024]).unwrap();
        input.flush().unwrap();
        let is_staged = || staging(&home).iter().any(|folder| folder.join("2").exists());
        assert!(until(is_staged), "{signal}: the files are staged");
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let status = child.wait_with_output().unwrap();
        drop(input);
        if signal == "KILL" {
            assert_eq!(staging(&home).len(), 1, "nobody could remove it");
            says(&home.import(&whole), 0, &["tiny: imported"]);
            assert_eq!(staging(&home), Vec::<PathBuf>::new());
        } else {
            says(&status, 130, &["stopped on request"]);
            assert_eq!(home.files(), BTreeMap::new());
        }
    }
}

#[test]
fn two_imports_at_once_both_end_well() {
    let home = Home::new();
    let whole = archive(&good());
    let outputs = std::thread::scope(|scope| {
        let imports: Vec<_> = (0..4).map(|_| scope.spawn(|| home.import(&whole))).collect();
        imports.into_iter().map(|import| import.join().unwrap()).collect::<Vec<Output>>()
    });
    for output in &outputs {
        says(output, 0, &["tiny: "]);
    }
    assert_eq!(staging(&home), Vec::<PathBuf>::new());
    says(&home.run(&["models", "verify", "tiny"]), 0, &[]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_model_goes_through_in_little_memory() {
    // Sparse: 200 MB that are not on the disk.
    let there = Home::new();
    let place = there.own_cache().join("large").join("files.gguf");
    let bytes = 200_000_000_u64;
    let mut zeros = Sha256::new();
    (0..200).for_each(|_| zeros.update(vec![0; 1_000_000]));
    let zeros: String = zeros.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let place = place.with_file_name(&zeros).join("m.gguf");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::File::create(&place).unwrap().set_len(bytes).unwrap();
    let text = entry("large", "llama", &[("m.gguf".to_owned(), Vec::new())], true);
    let text = text.replace("bytes = 0", &format!("bytes = {bytes}")).replace(&sha256(b""), &zeros);
    std::fs::write(there.path("my.toml"), text).unwrap();
    let here = Home::new();
    let run = |home: &Home, args: &str| {
        // Address space, in KiB: the program itself, its threads, and no room for the file.
        let script = format!("ulimit -v 180000; exec {} --threads 1 {args}", env!("CARGO_BIN_EXE_mujaz"));
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(home.folder.path()).env_clear().env("HOME", home.folder.path());
        says(&shell.output().unwrap(), 0, &["large"]);
    };
    run(&there, "--registry my.toml models export large -o b.tar");
    let bundle = there.path("b.tar");
    assert!(std::fs::metadata(&bundle).unwrap().len() > bytes);
    run(&here, &format!("models import {}", bundle.display()));
    says(&here.run(&["--offline", "models", "path", "large"]), 0, &[]);
}

// ---- any bytes at all

fn options(home: &Path) -> mujaz::hub::HubOptions {
    mujaz::hub::HubOptions::new(home.join("hub"), home.join("mujaz"))
}

/// Imports with the library; returns whether it went well.
fn import_quietly(bytes: &[u8], home: &Path) -> bool {
    let registry = mujaz::registry::Registry::built_in();
    let silent = mujaz::progress::Silent;
    mujaz::hub::bundle::import(&mut { bytes }, &registry, &options(home), &silent).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bundle_that_is_not_whole_installs_nothing(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        sums_are_right in any::<bool>(),
    ) {
        static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
        let good = GOOD.get_or_init(|| archive(&good()));
        let mut bytes = good.clone();
        for (place, flip) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
        }
        if sums_are_right {
            // So that what a header says is believed as far as its checksum goes.
            let mut at = 0;
            for part in self::good() {
                let header = &mut bytes[at..at + 512];
                header[148..156].fill(b' ');
                let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
                header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                at += 512 + part.bytes.len().next_multiple_of(512);
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let home = tempfile::tempdir().unwrap();
        if import_quietly(&bytes, home.path()) {
            // Whatever was changed was no part of any file: modes, owners.
            let folder = home.path().join("mujaz/tiny").join(REVISION);
            for (name, contents) in model() {
                prop_assert_eq!(std::fs::read(folder.join(name)).unwrap(), contents);
            }
            prop_assert!(bytes.len() == good.len());
        } else {
            prop_assert!(bytes != *good);
            prop_assert!(!home.path().join("mujaz").exists() && !home.path().join("hub").exists());
        }
    }
}

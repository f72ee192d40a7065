//! Packed weights that are kept on disk: the second start gives the same, bit for bit, and nothing that is damaged, old or of
//! another model is ever used.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mujaz::engine::load::{ModelPaths, Precision};
use mujaz::engine::seq2seq::{self, Decoding, Direction, Model, Seq2SeqEngine, Stored};
use mujaz::progress::Silent;

use crate::common;

const TEXTS: [&str; 3] =
    ["أعلنت الحكومة الليبية اليوم.", "ارتفع سعر النفط بنسبة 12 في المئة", "قال الوزير إن المحادثات مستمرة"];
/// The file beside `model.safetensors`.
const BESIDE: &str = ".mujaz-int8-model-safetensors";

/// Copies the tiny model into a folder.
fn model_in(folder: &Path) -> PathBuf {
    fs_err::create_dir_all(folder).unwrap();
    for entry in fs_err::read_dir(common::fixture("parity/opus-mt-tc-big-tiny")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if !name.to_string_lossy().starts_with('.') {
            fs_err::copy(&path, folder.join(name)).unwrap();
        }
    }
    folder.to_owned()
}

fn open(model: &Path, cache: Option<&Path>) -> (Seq2SeqEngine<Model>, Stored) {
    let paths = ModelPaths::at(model).unwrap();
    seq2seq::open_stored(paths.files, &paths.label, &Direction::default(), Precision::Int8, cache).unwrap()
}

/// All that can be seen of an engine's arithmetic, to the last bit.
fn outcome(engine: &Seq2SeqEngine<Model>) -> Vec<(Vec<u32>, u32, u32)> {
    let how = Decoding { beams: 3, best: 3, max_new_tokens: 12, ..Decoding::default() };
    let decoded = engine.decode(&TEXTS, &how, &Silent).unwrap();
    let all = decoded.into_iter().flat_map(|found| found.unwrap());
    all.map(|found| (found.ids, found.score.to_bits(), found.hypothesis.log_probability.to_bits())).collect()
}

fn written(stored: &Stored) -> &Path {
    match stored {
        Stored::Written { path, .. } => path,
        other => panic!("not written: {other}"),
    }
}

#[test]
fn the_second_start_gives_the_same_bit_for_bit() {
    let home = tempfile::tempdir().unwrap();
    let (model, cache) = (model_in(&home.path().join("model")), home.path().join("cache"));
    let paths = ModelPaths::at(&model).unwrap();
    let plain = outcome(&seq2seq::open(paths.files, &paths.label, &Direction::default(), Precision::Int8).unwrap());
    assert!(!model.join(BESIDE).exists(), "nothing is kept that was not asked for");
    assert!(plain.iter().any(|(ids, ..)| ids.len() > 1));

    let (first, stored) = open(&model, Some(&cache));
    assert_eq!(stored, Stored::Written { path: model.join(BESIDE), refused: None });
    let (second, stored) = open(&model, Some(&cache));
    assert_eq!(stored, Stored::Read(model.join(BESIDE)));
    assert!(stored.was_cached());
    assert_eq!(outcome(&first), plain);
    assert_eq!(outcome(&second), plain);
    assert_eq!(first.model().bytes(), second.model().bytes(), "what is shared is shared again");
    assert!(!cache.exists());
    let left: Vec<_> = fs_err::read_dir(&model).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".mujaz-part-")), "{left:?}");

    // It is no file of the model's, and not of f32.
    let paths = ModelPaths::at(&model).unwrap();
    let before = paths.fingerprint(None).unwrap();
    fs_err::remove_file(model.join(BESIDE)).unwrap();
    assert_eq!(ModelPaths::at(&model).unwrap().fingerprint(None).unwrap(), before);
    let (_, stored) =
        seq2seq::open_stored(paths.files, &model, &Direction::default(), Precision::F32, Some(&cache)).unwrap();
    assert_eq!(stored, Stored::Off);
    assert!(!model.join(BESIDE).exists());
}

#[test]
fn a_damaged_file_is_noticed_and_written_anew() {
    let home = tempfile::tempdir().unwrap();
    let (model, cache) = (model_in(&home.path().join("model")), home.path().join("cache"));
    let (engine, stored) = open(&model, Some(&cache));
    let (plain, path) = (outcome(&engine), written(&stored).to_owned());
    let whole = fs_err::read(&path).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let cases = [
        (changed(whole.len() - 1), "another hash"),
        (changed(whole.len() / 2), "another hash"),
        (changed(100), "another hash"),
        (changed(0), "not a file of packed weights"),
        (whole[..whole.len() - 64].to_vec(), "its length is another"),
        (whole[..10].to_vec(), "cut short"),
        (Vec::new(), "cut short"),
    ];
    for (bytes, why) in cases {
        fs_err::write(&path, bytes).unwrap();
        let (engine, stored) = open(&model, Some(&cache));
        assert!(
            matches!(&stored, Stored::Written { refused: Some(said), .. } if said.contains(why)),
            "{why}: {stored}"
        );
        assert_eq!(outcome(&engine), plain);
        assert_eq!(fs_err::read(&path).unwrap(), whole, "the same again");
    }
}

#[test]
fn a_changed_checkpoint_never_uses_an_old_file() {
    let home = tempfile::tempdir().unwrap();
    let (model, cache) = (model_in(&home.path().join("model")), home.path().join("cache"));
    let weights = model.join("model.safetensors");
    let change_time = |time| {
        let file = fs_err::OpenOptions::new().write(true).open(&weights).unwrap();
        file.file().set_modified(time).unwrap();
    };
    let old = SystemTime::now() - Duration::from_secs(1000);
    change_time(old);
    let (engine, _) = open(&model, Some(&cache));
    let plain = outcome(&engine);
    assert!(open(&model, Some(&cache)).1.was_cached());

    // Only the time: nothing can be known of what is in it.
    change_time(old + Duration::from_nanos(1000));
    let (_, stored) = open(&model, Some(&cache));
    assert!(
        matches!(&stored, Stored::Written { refused: Some(said), .. } if said.contains("other weights")),
        "{stored}"
    );

    // Other weights of the same size, with and without another time.
    let mut bytes = fs_err::read(&weights).unwrap();
    let half = bytes.len() / 2;
    for value in bytes[half..].chunks_exact_mut(4) {
        value[3] ^= 0x80;
    }
    fs_err::write(&weights, &bytes).unwrap();
    change_time(old + Duration::from_nanos(1000));
    let (engine, stored) = open(&model, Some(&cache));
    assert!(!stored.was_cached(), "{stored}");
    assert_ne!(outcome(&engine), plain);
    change_time(old + Duration::from_secs(1));
    assert!(!open(&model, Some(&cache)).1.was_cached());
    assert!(open(&model, Some(&cache)).1.was_cached());

    // Other settings.
    let config = model.join("config.json");
    let text = fs_err::read_to_string(&config).unwrap();
    fs_err::write(&config, format!("{text}\n")).unwrap();
    assert!(!open(&model, Some(&cache)).1.was_cached());
}

#[test]
fn the_files_of_another_model_are_not_used() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let (one, two) = (model_in(&home.path().join("one")), model_in(&home.path().join("two")));
    let weights = two.join("model.safetensors");
    let mut bytes = fs_err::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 0x80;
    fs_err::write(&weights, bytes).unwrap();
    let (_, stored) = open(&one, Some(&cache));
    fs_err::copy(written(&stored), two.join(BESIDE)).unwrap();
    assert!(!open(&two, Some(&cache)).1.was_cached());
}

#[test]
fn a_hub_snapshot_is_left_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let model = model_in(&home.path().join("hub/models--o--n/snapshots/abc"));
    let before = fs_err::read_dir(&model).unwrap().count();
    let (_, stored) = open(&model, Some(&cache));
    assert_eq!(written(&stored).parent(), Some(cache.as_path()));
    assert!(open(&model, Some(&cache)).1.was_cached());
    assert_eq!(fs_err::read_dir(&model).unwrap().count(), before);
    // The same revision of another model has the same names.
    let other = model_in(&home.path().join("hub/models--o--m/snapshots/abc"));
    let (_, second) = open(&other, Some(&cache));
    assert_ne!(written(&second), written(&stored));
    assert!(open(&model, Some(&cache)).1.was_cached());
}

/// A folder that cannot be made even by a user who may write everywhere: a file is in its place.
fn blocked(home: &Path) -> PathBuf {
    fs_err::write(home.join("blocked"), "").unwrap();
    home.join("blocked/cache")
}

#[test]
fn where_nothing_can_be_written_the_model_runs_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let model = model_in(&home.path().join("hub/snapshots/abc"));
    let blocked = blocked(home.path());
    for _ in 0..2 {
        let (engine, stored) = open(&model, Some(&blocked));
        assert!(matches!(&stored, Stored::NotWritten(why) if why.contains("blocked/cache")), "{stored}");
        assert!(outcome(&engine).len() >= TEXTS.len());
    }
}

#[test]
fn many_starts_at_once_do_not_hurt_each_other() {
    let home = tempfile::tempdir().unwrap();
    let (model, cache) = (model_in(&home.path().join("model")), home.path().join("cache"));
    let plain = outcome(&open(&model, None).0);
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| outcome(&open(&model, Some(&cache)).0))).collect();
        for start in starts {
            assert_eq!(start.join().unwrap(), plain);
        }
    });
    assert!(open(&model, Some(&cache)).1.was_cached());
}

/// Translates with the real binary; returns what it wrote and what it said.
fn translate(home: &Path, model: &str, more: &[&str]) -> (String, String) {
    fs_err::write(home.join("a.txt"), TEXTS.join("\n")).unwrap();
    let args = ["-v", "translate", "--raw", "--offline", "--translator", model, "a.txt"];
    let output = common::mujaz(home).args(args).args(more).current_dir(home).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

#[test]
fn the_binary_uses_what_an_earlier_run_kept() {
    let home = tempfile::tempdir().unwrap();
    let model = model_in(&home.path().join("model"));
    let (first, said) = translate(home.path(), "./model", &[]);
    assert!(said.contains(&format!("packed weights were written to ./model/{BESIDE} for the next start")), "{said}");
    let (second, said) = translate(home.path(), "./model", &[]);
    assert!(said.contains(&format!("packed weights were read from ./model/{BESIDE}")), "{said}");
    assert_eq!(first, second);
    assert!(!first.trim().is_empty());
    fs_err::write(model.join(BESIDE), "x").unwrap();
    let (third, said) = translate(home.path(), "./model", &[]);
    assert!(said.contains("written anew") && said.contains("damaged: cut short"), "{said}");
    assert_eq!(first, third);
    let (_, said) = translate(home.path(), "./model", &["--precision", "f32"]);
    assert!(!said.contains("packed weights"), "{said}");
}

#[cfg(unix)]
#[test]
fn beside_a_model_that_is_read_only_our_own_cache_is_used() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let model = model_in(&home.path().join("model"));
    let mode = |mode| fs_err::set_permissions(&model, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    if fs_err::write(model.join("probe"), "x").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let (first, said) = translate(home.path(), "./model", &[]);
    assert!(said.contains("packed weights were written to") && said.contains("mujaz/_packed/int8-"), "{said}");
    let (second, said) = translate(home.path(), "./model", &[]);
    assert!(said.contains("packed weights were read from") && said.contains("mujaz/_packed/int8-"), "{said}");
    assert_eq!(first, second);
    mode(0o755);
}

/// Runs the binary with the model's folder on a disk of its own, which only the process sees.
#[cfg(target_os = "linux")]
#[test]
fn a_full_or_read_only_disk_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    model_in(&home.path().join("model"));
    fs_err::create_dir(home.path().join("disk")).unwrap();
    let (plain, _) = translate(home.path(), "./model", &[]);
    fs_err::remove_file(home.path().join("model").join(BESIDE)).unwrap();
    let run = |mount: &str| {
        let script = format!(
            "mount -t tmpfs -o size=2200k none disk && cp model/* disk && {mount} || exit 99; \
             exec \"$0\" -v translate --raw --offline --translator ./disk a.txt"
        );
        let run = |flag: &str| {
            let mut command = std::process::Command::new("unshare");
            command.args([flag, "sh", "-c", &script, env!("CARGO_BIN_EXE_mujaz")]).current_dir(home.path());
            command
                .env("HOME", home.path())
                .env_remove("HF_HOME")
                .env_remove("HF_HUB_CACHE")
                .env_remove("XDG_CACHE_HOME");
            let output = command.output().ok()?;
            let said = String::from_utf8(output.stderr).unwrap();
            let mounted = output.status.code() != Some(99) && !said.starts_with("unshare:");
            mounted.then(|| (output.status.code(), String::from_utf8(output.stdout).unwrap(), said))
        };
        ["-rm", "-m"].into_iter().find_map(run)
    };
    let cases = ["head -c 200000 /dev/zero > disk/fill", "mount -o remount,ro disk"];
    for (mount, blocked) in cases.into_iter().flat_map(|mount| [(mount, false), (mount, true)]) {
        let cache = home.path().join(".cache/huggingface/mujaz");
        let _ = std::fs::remove_dir_all(&cache);
        if blocked {
            fs_err::create_dir_all(cache.parent().unwrap()).unwrap();
            fs_err::write(&cache, "").unwrap();
        }
        let Some((code, wrote, said)) = run(mount) else {
            println!("skipped: this user may not mount");
            return;
        };
        assert_eq!((code, wrote.as_str()), (Some(0), plain.as_str()), "{mount}: {said}");
        let expected = if blocked { "packed weights could not be kept" } else { "mujaz/_packed/int8-" };
        assert!(said.contains(expected), "{mount}: {said}");
        if blocked {
            fs_err::remove_file(&cache).unwrap();
        }
    }
}

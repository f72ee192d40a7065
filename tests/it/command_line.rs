//! What needs no model: help, completions, manual page, and where output cannot go.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common;
use crate::common::said::said;

/// Returns the binary with its output in pipes and nothing on standard input.
fn mujaz(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mujaz"));
    command.env_clear().env("HOME", home).env("COLUMNS", "100").env("NO_COLOR", "1").current_dir(home);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_help_is_what_the_documentation_describes() {
    let home = tempfile::tempdir().unwrap();
    let mut all = String::new();
    for command in [
        "",
        "brief",
        "translate",
        "summarize",
        "extract",
        "check",
        "models",
        "models list",
        "models info",
        "models pull",
        "models add",
        "models path",
        "models verify",
        "models lock",
        "models export",
        "models import",
        "models remove",
        "eval",
        "bench",
        "doctor",
        "completions",
        "man",
    ] {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = mujaz(home.path(), &args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
        all += &format!("$ mujaz {}\n{}\n", args.join(" "), String::from_utf8(output.stdout).unwrap());
    }
    insta::assert_snapshot!("help", all);
}

#[test]
fn completions_and_the_manual_page_know_the_commands() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]] {
        let output = mujaz(home.path(), args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for word in ["brief", "translate", "summarize", "extract", "check", "models", "eval", "bench", "doctor"] {
            assert!(text.contains(word), "{args:?} lacks {word}");
        }
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_misspelt_command_and_a_missing_argument_are_usage_errors() {
    let home = tempfile::tempdir().unwrap();
    for args in
        [&["breif", "x"][..], &["brief"], &["extract"], &["--threads", "0", "man"], &["brief", "x", "--bullets", "0"]]
    {
        let output = mujaz(home.path(), args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(said(&output).contains("error: "), "{args:?}");
    }
}

/// Writes a page of so many bytes into a folder.
fn page(folder: &Path, name: &str, bytes: usize, joint: &str) {
    let sentence = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة بكلفة 20 مليون دينار";
    let text = format!("عنوان المقال عن المشروع\n\n{}\n", format!("{sentence}{joint}").repeat(bytes / sentence.len()));
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn an_endless_line_does_not_hold_up_the_others() {
    let home = tempfile::tempdir().unwrap();
    page(home.path(), "endless.txt", 2_000_000, " ");
    page(home.path(), "short.txt", 500, ".\n\n");
    std::fs::write(home.path().join("empty.txt"), "").unwrap();
    let output = mujaz(home.path(), &["extract", ".", "-o", "out"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error: ./empty.txt: the file is empty"), "{}", said(&output));
    for name in ["endless", "short"] {
        let json: serde_json::Value =
            serde_json::from_slice(&std::fs::read(home.path().join(format!("out/{name}.json"))).unwrap()).unwrap();
        assert!(!json["segments"].as_array().unwrap().is_empty());
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        page(home.path(), name, 400_000, ".\n\n");
    }
    let mut child = mujaz(home.path(), &["extract", "."]).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'));
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

#[test]
fn a_folder_that_takes_no_files_is_told_before_the_work() {
    let home = tempfile::tempdir().unwrap();
    page(home.path(), "a.txt", 500, ".\n\n");
    std::fs::write(home.path().join("taken"), "x").unwrap();
    // No model is there: the folder must be looked at first.
    for command in ["brief", "translate", "summarize", "extract"] {
        let output = mujaz(home.path(), &[command, "a.txt", "-o", "taken", "--offline"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {}", said(&output));
        assert!(said(&output).contains("taken"), "{command}: {}", said(&output));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let locked = home.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        if std::fs::write(locked.join("probe"), "x").is_ok() {
            println!("skipped: this user may write everywhere");
            return;
        }
        let output = mujaz(home.path(), &["brief", "a.txt", "-o", "locked", "--offline"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("locked: no file can be written there"), "{}", said(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let home = tempfile::tempdir().unwrap();
    page(home.path(), "a.txt", 500, ".\n\n");
    page(home.path(), "large.txt", 400_000, ".\n\n");
    std::fs::write(home.path().join("pairs.jsonl"), r#"{"id":1,"source":"ليبيا","target":"Libya"}"#).unwrap();
    for args in [&["extract", "a.txt"][..], &["check", "pairs.jsonl"], &["man"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = mujaz(home.path(), args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        let expected = "error: standard output: cannot be written: No space left on device";
        assert!(said(&output).starts_with(expected), "{args:?}: {}", said(&output));
    }
    // A disk of 64 kB that only the process sees.
    std::fs::create_dir(home.path().join("disk")).unwrap();
    let script = "mount -t tmpfs -o size=64k none disk || exit 99; exec \"$0\" extract a.txt large.txt -o disk";
    let on_a_small_disk = |flag: &str| {
        let mut command = Command::new("unshare");
        command.args([flag, "sh", "-c", script, env!("CARGO_BIN_EXE_mujaz")]).current_dir(home.path());
        command.output().ok().filter(|output| output.status.code() != Some(99) && !said(output).starts_with("unshare:"))
    };
    let Some(output) = ["-rm", "-m"].into_iter().find_map(on_a_small_disk) else {
        println!("skipped: this user may not mount");
        return;
    };
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("disk/large.json: cannot be written: No space left on device"), "{}", said(&output));
}

const ENGLISH: &str = "The Libyan government said on Monday that the talks in Geneva would resume next week.\n\n\
    The Algerian minister announced a plan worth 2 million dollars for the security of the border.\n\n\
    Aid agencies warned that 300 families need shelter before the winter, and that the roads are closed.\n\n\
    The court postponed the trial of four officials until March, and their lawyers will appeal.\n";

#[test]
fn results_are_never_written_over_the_articles() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("articles");
    fs_err::create_dir(&folder).unwrap();
    fs_err::write(folder.join("a.txt"), ENGLISH).unwrap();
    fs_err::write(folder.join("m.md"), ENGLISH).unwrap();
    common::mujaz(home.path()).args(["translate", "a.txt", "-o", "."]).current_dir(&folder).assert().code(2);
    common::mujaz(home.path()).args(["brief", "m.md", "-o", "../articles"]).current_dir(&folder).assert().code(2);
    assert_eq!(fs_err::read_to_string(folder.join("a.txt")).unwrap(), ENGLISH);
    assert_eq!(fs_err::read_to_string(folder.join("m.md")).unwrap(), ENGLISH);
}

#[test]
fn an_older_markdown_note_is_not_taken_for_the_new_one() {
    let home = tempfile::tempdir().unwrap();
    fs_err::write(home.path().join("a.txt"), ENGLISH).unwrap();
    let brief = |more: &[&str]| {
        let arguments = ["brief", "a.txt", "-o", "out"].into_iter().chain(more.iter().copied());
        common::mujaz(home.path()).args(arguments).current_dir(home.path()).assert().code(0);
        fs_err::read_to_string(home.path().join("out/a.md")).unwrap()
    };
    let first = brief(&[]);
    assert_eq!(first.matches("\n- **").count(), 3, "{first}");
    assert_ne!(brief(&["--format", "md", "--bullets", "1"]), first);
    assert_eq!(brief(&[]), first);
    fs_err::write(home.path().join("a.txt"), ENGLISH.replace("300 families", "400 families")).unwrap();
    brief(&["--format", "json"]);
    assert!(brief(&[]).contains("400 families"));
}

#[test]
fn an_article_in_another_language_is_refused_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let french = "Le ministre tunisien a déclaré lundi que les négociations reprendraient à Genève le mois prochain.\n\n\
        La Banque centrale a annoncé une baisse des taux, et les familles déplacées attendent toujours des logements.\n";
    fs_err::write(home.path().join("f.txt"), french).unwrap();
    common::mujaz(home.path())
        .args(["translate", "f.txt"])
        .current_dir(home.path())
        .assert()
        .code(1)
        .stderr(predicates::str::contains("seems to be in French, not in Arabic"))
        .stderr(predicates::str::contains("--force-language"));
}

#[test]
fn without_a_translator_the_english_articles_are_done() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("articles");
    fs_err::create_dir(&folder).unwrap();
    page(&folder, "a.txt", 500, ".\n\n");
    fs_err::write(folder.join("b.txt"), ENGLISH).unwrap();
    page(&folder, "c.txt", 400, ".\n\n");
    for (args, done) in [
        (&["brief", "articles", "-o", "notes", "--offline"][..], "notes/b.md"),
        (&["translate", "articles", "-o", "texts", "--offline"], "texts/b.txt"),
        (&["summarize", "articles", "-o", "bullets", "--offline"], "bullets/b.md"),
    ] {
        let output = mujaz(home.path(), args).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{args:?}: {}", said(&output));
        assert!(home.path().join(done).is_file(), "{args:?}: {}", said(&output));
        for name in ["articles/a.txt", "articles/c.txt"] {
            let message = format!("error: {name}: not translated: there is no translator");
            assert!(said(&output).contains(&message), "{args:?}: {}", said(&output));
        }
        let hints = said(&output).matches("mujaz models pull").count();
        assert_eq!(hints, 1, "what to do is said once: {}", said(&output));
    }
    let briefing = fs_err::read_to_string(home.path().join("notes/briefing.md")).unwrap();
    assert!(briefing.contains("articles/c.txt: not translated"), "{briefing}");
    // Of one article alone the error is all there is to say.
    let output = mujaz(home.path(), &["translate", "articles/a.txt", "--offline"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(!said(&output).contains("not translated"), "{}", said(&output));
}

#[cfg(unix)]
#[test]
fn one_interrupt_ends_the_wait_for_standard_input() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["translate", "-", "--offline"][..], &["translate", "--raw", "-", "--offline"], &["extract", "-"]] {
        let mut child = mujaz(home.path(), args).stdin(Stdio::piped()).spawn().unwrap();
        // The handler is there before the first read; this machine may be slow.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let start = std::time::Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed().as_secs() > 20 {
                child.kill().unwrap();
                panic!("{args:?}: it still waits");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(130), "{args:?}");
    }
}

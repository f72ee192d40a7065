//! The metrics against sacrebleu's numbers, and `mujaz eval` and `mujaz translate --raw` through the real binary.

use std::path::Path;

use mujaz::metrics::{bleu, chrf, tokenizer_13a};
use serde::Deserialize;
use serde_json::Value;

use crate::common;
use crate::common::said::{printed, said};

#[derive(Deserialize)]
struct Case {
    name: String,
    pairs: Vec<(String, String)>,
    bleu: f64,
    precisions: Vec<f64>,
    bp: f64,
    chrf: f64,
    tokens: Option<Vec<Vec<String>>>,
}

fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(hypothesis, reference)| (hypothesis.as_str(), reference.as_str()))
}

#[test]
fn scores_and_tokens_are_those_of_sacrebleu() {
    let golden = std::fs::read_to_string(common::fixture("metrics/golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&golden).unwrap();
    assert!(cases.len() > 30);
    for case in cases {
        let name = &case.name;
        for ((hypothesis, _), tokens) in case.pairs.iter().zip(case.tokens.iter().flatten()) {
            assert_eq!(&tokenizer_13a::tokens(hypothesis), tokens, "{name}: {hypothesis:?}");
        }
        let found = bleu::corpus(borrowed(&case.pairs));
        assert!((found.score - case.bleu).abs() < 1e-9, "{name}: BLEU {found:?}, expected {}", case.bleu);
        assert!((found.brevity_penalty - case.bp).abs() < 1e-12, "{name}: {found:?}, expected {}", case.bp);
        for (found, expected) in found.precisions.iter().zip(&case.precisions) {
            assert!((found - expected).abs() < 1e-9, "{name}: precision {found}, expected {expected}");
        }
        let found = chrf::corpus(borrowed(&case.pairs));
        assert!((found - case.chrf).abs() < 1e-9, "{name}: chrF {found}, expected {}", case.chrf);
    }
}

/// Asks the real sacrebleu for BLEU and chrF of two files of lines; none where this machine has none.
fn sacrebleu(reference: &Path, hypotheses: &Path) -> Option<(f64, f64)> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = std::process::Command::new(python)
        .args(["-m", "sacrebleu"])
        .arg(reference)
        .arg("-i")
        .arg(hypotheses)
        .args(["-m", "bleu", "chrf", "-b", "-w", "6"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    let Some(output) = output else {
        println!("skipped: sacrebleu is not installed for python3 (set PYTHON to one that has it)");
        return None;
    };
    let scores: Vec<f64> = String::from_utf8(output.stdout)
        .unwrap()
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|number| number.parse().ok())
        .collect();
    Some((scores[0], scores[1]))
}

#[test]
fn the_real_sacrebleu_agrees_on_news() {
    let Some(ntrex) = common::shared("eval/ntrex-dev.jsonl") else { return };
    let corpus = mujaz::metrics::corpus::Corpus::of_jsonl(&ntrex).unwrap();
    let references: Vec<&str> = corpus.pairs.iter().map(|pair| pair.reference.as_str()).take(300).collect();
    // Something between right and wrong: every third word is gone, and every fifth line is the next one's.
    let hypotheses: Vec<String> = (0..references.len())
        .map(|i| {
            let line = references[if i % 5 == 0 { (i + 1) % references.len() } else { i }];
            let words = line.split(' ').enumerate().filter(|(place, _)| place % 3 != i % 3);
            words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let (reference, hypothesis) = (folder.path().join("reference"), folder.path().join("hypothesis"));
    std::fs::write(&reference, references.join("\n")).unwrap();
    std::fs::write(&hypothesis, hypotheses.join("\n")).unwrap();
    let Some((expected_bleu, expected_chrf)) = sacrebleu(&reference, &hypothesis) else { return };
    let pairs = || hypotheses.iter().map(String::as_str).zip(references.iter().copied());
    assert!((bleu::corpus(pairs()).score - expected_bleu).abs() < 1e-5);
    assert!((chrf::corpus(pairs()) - expected_chrf).abs() < 1e-5);
    assert!(expected_bleu > 5.0 && expected_bleu < 95.0);
}

const GEMMA: &str = "gemma-3-270m";

/// Returns the binary in a folder, offline, with the models of the tests where `models` says so and none elsewhere.
fn mujaz(folder: &Path, models: bool) -> assert_cmd::Command {
    let mut command = common::mujaz(folder);
    command.current_dir(folder).env("HF_HUB_OFFLINE", "1");
    if models {
        command.env("HF_HOME", common::models_folder());
    }
    command
}

const PAIRS: &str = "{\"ar\":[\"وصل الوزير إلى تونس\",\"قال المتحدث إن الوضع هادئ\"],\"en\":[\"The minister arrived in Tunisia\",\
    \"The spokesman said that the situation was calm\"]}\n{\"source\":\"وقعت الجزائر 12 اتفاقا\",\"target\":\"Algeria signed 12 agreements\"}\n";

#[test]
fn given_lines_are_scored_without_a_model() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("pairs.jsonl"), PAIRS).unwrap();
    let right = "The minister arrived in Tunisia\nThe spokesman said that the situation was calm\nAlgeria signed 12 agreements\n";
    std::fs::write(home.path().join("right.txt"), right).unwrap();
    std::fs::write(home.path().join("wrong.txt"), right.replace("12", "15").replace("Tunisia", "Chad")).unwrap();
    let score = |file: &str, more: &[&str]| -> Value {
        let args = ["eval", "pairs.jsonl", "--score", file, "--json"];
        let output = mujaz(home.path(), false).args(args).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_str(&printed(&output)).unwrap()
    };
    let figures = score("right.txt", &[]);
    assert!((figures["bleu"].as_f64().unwrap() - 100.0).abs() < 1e-6, "{figures}");
    assert!((figures["chrf"].as_f64().unwrap() - 100.0).abs() < 1e-6, "{figures}");
    assert_eq!((&figures["flagged"], &figures["seconds"]), (&Value::from(0.0), &Value::Null));
    assert_eq!(figures["segments"], 3);
    let figures = score("wrong.txt", &[]);
    assert!((figures["flagged"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-6, "{figures}");
    assert!(figures["bleu"].as_f64().unwrap() < 90.0);
    assert_eq!(score("wrong.txt", &["--raw"])["flagged"], Value::Null);
    // The first line alone, of as many lines as there are segments.
    assert_eq!(score("wrong.txt", &["--limit", "1"])["flagged"], 1.0);
    let table = mujaz(home.path(), false).args(["eval", "pairs.jsonl", "--score", "right.txt"]).output().unwrap();
    assert!(
        printed(&table).starts_with("BLEU      100.00   nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"),
        "{table:?}"
    );
}

#[test]
fn what_cannot_be_evaluated_is_named() {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("empty", ""),
        ("bad.jsonl", "{\"source\":\"ا\",\"target\":\"a\"}\nnot json\n"),
        ("uneven.jsonl", "{\"ar\":[\"ا\",\"ب\"],\"en\":[\"a\"]}\n"),
        ("one", "ا\n"),
        ("two", "a\nb\n"),
        ("pairs.jsonl", PAIRS),
    ] {
        std::fs::write(home.path().join(name), text).unwrap();
    }
    for (args, code, message) in [
        (&["eval", "empty"][..], 1, "empty: there are no segments in it"),
        (&["eval", "none.jsonl"], 1, "none.jsonl"),
        (&["eval", "bad.jsonl"], 1, "bad.jsonl:2: not a pair of texts: "),
        (&["eval", "uneven.jsonl"], 1, "uneven.jsonl:1: not a pair of texts: 2 sources, 1 references"),
        (&["eval", "--source", "one", "--reference", "two"], 1, "two has 2 lines, one has 1"),
        (&["eval", "--source", "one"], 2, "--reference"),
        (&["eval"], 2, "FILE.jsonl"),
        (&["eval", "pairs.jsonl", "--source", "one", "--reference", "one"], 2, "cannot be used with"),
        (&["eval", "pairs.jsonl", "--score", "two"], 1, "two has 2 lines, and there are 3 segments"),
        (&["eval", "pairs.jsonl", "--limit", "0"], 2, "--limit"),
        (&["eval", "pairs.jsonl", "--beam", "4"], 2, "--raw"),
        (&["eval", "pairs.jsonl", "--translator", "gemma-3-271m"], 2, "did you mean gemma-3-270m?"),
        (&["eval", "pairs.jsonl", "--translator", "./none"], 2, "./none: there is no such checkpoint folder"),
        (&["eval", "pairs.jsonl", "--translator", "smollm2-135m-instruct"], 2, "does not translate"),
        (&["eval", "pairs.jsonl", "--translator", GEMMA], 3, "mujaz models pull gemma-3-270m"),
        (&["eval", "pairs.jsonl", "--hypotheses", "one/x"], 2, "one"),
    ] {
        let output = mujaz(home.path(), false).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(message), "{args:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn folders_that_are_no_models_are_refused_by_every_command() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("pairs.jsonl"), PAIRS).unwrap();
    std::fs::write(home.path().join("a.txt"), "وصل الوزير إلى تونس\n").unwrap();
    let folder = home.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    for (config, message) in [
        (None, "neither config.json nor a .gguf file is in it"),
        (Some("{}"), "config.json: no model_type in it"),
        (Some(r#"{"model_type":"bert"}"#), "architecture \"bert\" has no engine here"),
    ] {
        if let Some(config) = config {
            std::fs::write(folder.join("config.json"), config).unwrap();
        }
        for args in [
            &["eval", "pairs.jsonl", "--translator", "model"][..],
            &["translate", "a.txt", "--translator", "./model"],
            &["translate", "--raw", "a.txt", "--translator", "model/"],
            &["brief", "a.txt", "--translator", "model"],
            &["bench", "--model-dir", "model"],
        ] {
            let output = mujaz(home.path(), false).args(args).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{args:?}: {}", said(&output));
            assert!(said(&output).contains(message), "{args:?}: {}", said(&output));
        }
    }
}

#[test]
fn a_real_model_is_evaluated_raw_and_with_the_full_method() {
    if common::model(GEMMA).is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("pairs.jsonl"), PAIRS).unwrap();
    for (more, method) in [(&["--raw"][..], "raw"), (&[], "full")] {
        let args = ["eval", "pairs.jsonl", "--translator", GEMMA, "--hypotheses", "out/lines.txt", "--json"];
        let output = mujaz(home.path(), true).args(args).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let figures: Value = serde_json::from_str(&printed(&output)).unwrap();
        assert_eq!((figures["method"].as_str(), figures["model"].as_str()), (Some(method), Some(GEMMA)));
        let (seconds, rate) =
            (figures["seconds"].as_f64().unwrap(), figures["source_words_per_second"].as_f64().unwrap());
        assert!(seconds > 0.0 && (rate * seconds - 13.0).abs() < 1.0, "{figures}");
        let share = figures["flagged"].as_f64();
        assert_eq!(share.is_some(), method == "full");
        assert!(share.is_none_or(|share| (0.0..=1.0).contains(&share)));
        let written = std::fs::read_to_string(home.path().join("out/lines.txt")).unwrap();
        assert_eq!(written.lines().count(), 3);
        let corpus = mujaz::metrics::corpus::Corpus::of_jsonl(&home.path().join("pairs.jsonl")).unwrap();
        let lines: Vec<String> = written.lines().map(str::to_owned).collect();
        let again = chrf::corpus(corpus.beside(&lines));
        assert!((figures["chrf"].as_f64().unwrap() - again).abs() < 1e-5, "{figures}: {again}");
        assert!(again > 15.0, "{written}");
    }
}

#[test]
fn raw_translation_gives_one_line_for_each_line() {
    let Some(path) = common::model(GEMMA) else { return };
    let home = tempfile::tempdir().unwrap();
    let lines = "\u{feff}وصل الوزير إلى تونس\r\n\n   \nقال المتحدث إن الوضع هادئ\n😀\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nوصل الوزير إلى تونس";
    std::fs::write(home.path().join("lines.ar"), lines).unwrap();
    let by_id =
        mujaz(home.path(), true).args(["translate", "--raw", "lines.ar", "--translator", GEMMA]).output().unwrap();
    assert_eq!(by_id.status.code(), Some(0), "{}", said(&by_id));
    let text = printed(&by_id);
    let found: Vec<&str> = text.split('\n').collect();
    assert_eq!(found.len(), 8, "{text}");
    assert!(found[0].contains("Tunis") && !found[3].is_empty(), "{text}");
    assert_eq!((found[1], found[2], found[7]), ("", "", ""));
    assert_eq!(found[0], found[6], "a line does not depend on its neighbours");
    assert!(said(&by_id).contains("7 lines translated."));
    // The same from standard input, with the model named by its file, into a folder, and quietly.
    let mut piped = mujaz(home.path(), true);
    piped.args(["translate", "--raw", "-", "-o", "out", "-q", "--translator"]).arg(&path).write_stdin(lines);
    let piped = piped.output().unwrap();
    assert_eq!((piped.status.code(), said(&piped).as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(home.path().join("out/stdin.txt")).unwrap(), text);
    let args = ["translate", "--raw", "lines.ar", "--beam", "4", "--translator", GEMMA];
    let beams = mujaz(home.path(), true).args(args).output().unwrap();
    assert_eq!(beams.status.code(), Some(2), "{}", said(&beams));
    assert!(said(&beams).contains("encoder-decoder"));
}

#[test]
fn lines_without_words_need_no_model_and_bad_ones_are_told() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("blank.txt"), "\n".repeat(10_000)).unwrap();
    let output = mujaz(home.path(), false).args(["translate", "--raw", "blank.txt"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(output.stdout, "\n".repeat(10_000).into_bytes());
    std::fs::create_dir(home.path().join("folder")).unwrap();
    let args = ["translate", "--raw", "none.txt", "folder", "blank.txt"];
    let output = mujaz(home.path(), false).args(args).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 10_000));
    for message in ["none.txt: cannot be read", "folder: is a folder, and --raw reads files of lines"] {
        assert!(said(&output).contains(message), "{}", said(&output));
    }
    for args in [&["translate", "--raw", "blank.txt", "--format", "md"][..], &["translate", "blank.txt", "--beam", "2"]]
    {
        assert_eq!(mujaz(home.path(), false).args(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
    // In their own encoding, which has to be said.
    let bytes = b"\xe6\xd5\xe1\n\n";
    std::fs::write(home.path().join("windows.txt"), bytes).unwrap();
    let args = ["translate", "--raw", "windows.txt", "-o", "."];
    let output = mujaz(home.path(), false).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert_eq!(std::fs::read(home.path().join("windows.txt")).unwrap(), bytes, "the input is not written over");
}

#[test]
fn lines_in_another_encoding_are_read_as_what_they_are_said_to_be() {
    if common::model(GEMMA).is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (bytes, _, _) = encoding_rs::WINDOWS_1256.encode("وصل الوزير إلى تونس\n\n");
    std::fs::write(home.path().join("windows.txt"), bytes).unwrap();
    let run = |more: &[&str]| {
        let args = ["translate", "--raw", "windows.txt", "--translator", GEMMA];
        mujaz(home.path(), true).args(args).args(more).output().unwrap()
    };
    let right = run(&["--encoding", "windows-1256"]);
    assert!(right.status.success() && printed(&right).contains("Tunis"), "{right:?}");
    assert_eq!(printed(&right).matches('\n').count(), 2);
    let wrong = run(&[]);
    assert_eq!((wrong.status.code(), printed(&wrong).matches('\n').count()), (Some(1), 2));
    assert!(said(&wrong).contains("1 lines are not UTF-8, the first is line 1"), "{}", said(&wrong));
}

#[test]
fn a_model_by_its_path_is_named_in_the_note_with_its_hash() {
    let Some(path) = common::model(GEMMA) else { return };
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.txt"), "وصل الوزير إلى تونس\n").unwrap();
    std::fs::copy(&path, home.path().join("mine.gguf")).unwrap();
    let args = ["translate", "a.txt", "--format", "json", "--translator", "mine.gguf"];
    let output = mujaz(home.path(), true).args(args).output().unwrap();
    let note: Value = serde_json::from_str(&printed(&output)).unwrap_or_else(|_| panic!("{}", said(&output)));
    let text = note.to_string();
    let registry = mujaz::registry::Registry::built_in();
    let sha256 =
        serde_json::to_value(&registry.find(GEMMA).unwrap().files[0]).unwrap()["sha256"].as_str().unwrap().to_owned();
    assert!(text.contains("\"mine.gguf\"") && text.contains(&format!("sha256:{sha256}")), "{text}");
    assert!(text.contains("translated by the small model mine.gguf"), "its drafts stay drafts: {text}");
}

#[test]
fn a_better_model_that_is_not_here_is_named() {
    if common::model(GEMMA).is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let entry = "[[model]]\nid = \"opus-mt-tc-big-ar-en\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"llama\"\nlanguages = [\"ar\", \"en\"]\n\
        memory_bytes = 1\n[model.licence]\nname = \"MIT\"\nlink = \"https://example.org\"\nasks = \"nothing\"\n[[model.files]]\nname = \"b.gguf\"\n\
        bytes = 1\nsha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n\
        hub = { repo = \"a/b\", revision = \"0000000000000000000000000000000000000000\", path = \"b.gguf\" }\n";
    std::fs::write(home.path().join("r.toml"), entry).unwrap();
    std::fs::write(home.path().join("lines.txt"), "وصل الوزير إلى تونس\n").unwrap();
    let run = |more: &[&str]| {
        let args = ["translate", "--raw", "lines.txt", "--registry", "r.toml"];
        mujaz(home.path(), true).args(args).args(more).output().unwrap()
    };
    let output = run(&[]);
    assert!(output.status.success() && !output.stdout.is_empty(), "{}", said(&output));
    let message = "opus-mt-tc-big-ar-en translates better and is not here";
    assert!(said(&output).contains(message), "{}", said(&output));
    assert!(said(&output).contains("`mujaz models pull opus-mt-tc-big-ar-en`"), "{}", said(&output));
    assert_eq!(said(&run(&["-q"])), "");
}

#[test]
fn the_bench_of_a_decoder_prints_its_figures_and_takes_no_beams() {
    if common::model(GEMMA).is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        mujaz(home.path(), true)
            .args(["bench", "--model", GEMMA, "--repeat", "1", "--json"])
            .args(more)
            .output()
            .unwrap()
    };
    let output = run(&[]);
    let figures: Value = serde_json::from_str(&printed(&output)).unwrap_or_else(|_| panic!("{}", said(&output)));
    for key in
        ["prompt_tokens_per_second", "decode_tokens_per_second", "batched_decode_tokens_per_second", "load_seconds"]
    {
        assert!(figures[key].as_f64().unwrap() > 0.0, "{key}: {figures}");
    }
    assert_eq!((&figures["beam"], &figures["precision"]), (&Value::from(1), &Value::from("int8")));
    let (resident, peak) =
        (figures["resident_bytes"].as_u64().unwrap(), figures["peak_resident_bytes"].as_u64().unwrap());
    assert!(cfg!(not(target_os = "linux")) || (resident > 50_000_000 && peak >= resident), "{figures}");
    for more in [&["--beam", "4"][..], &["--force-tokens", "30"], &["--input", "x"]] {
        let output = run(more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", said(&output));
    }
}

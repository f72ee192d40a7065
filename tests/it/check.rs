//! `mujaz check`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::common::{mujaz, shared};

/// Runs `mujaz check -` over lines; returns exit code, verdict lines and standard error.
fn check(lines: &str) -> (i32, Vec<Value>, String) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = mujaz(home.path()).args(["check", "-"]).write_stdin(lines.to_owned()).output().expect("mujaz runs");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let verdicts = text(output.stdout).lines().map(|l| serde_json::from_str(l).expect("lines of JSON")).collect();
    (output.status.code().expect("no signal"), verdicts, text(output.stderr))
}

const GOOD: &str = r#"{"id":"a","source":"وصل 12 وزيرا إلى تونس","target":"12 ministers arrived in Tunisia"}"#;
const BAD: &str = r#"{"id":7,"source":"وصل 12 وزيرا إلى تونس","target":"13 ministers arrived in Tunisia","extra":[1]}"#;

#[test]
fn good_pairs_exit_0() {
    let (code, verdicts, stderr) = check(&format!("{GOOD}\n\n{GOOD}\n"));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(verdicts.len(), 2);
    assert_eq!(verdicts[0], serde_json::json!({"id": "a", "flagged": false, "verdicts": []}));
    assert!(stderr.contains("2 pairs checked, 0 flagged"), "{stderr}");
}

#[test]
fn flagged_pairs_exit_1_with_their_id_as_given() {
    let (code, verdicts, _) = check(&format!("{GOOD}\n{BAD}"));
    assert_eq!(code, 1);
    assert_eq!(verdicts[1]["id"], 7);
    assert_eq!(verdicts[1]["flagged"], true);
    assert_eq!(verdicts[1]["verdicts"][0]["check"], "numbers");
    assert_eq!(verdicts[1]["verdicts"][0]["detail"], "source has 12, target has 13");
}

#[test]
fn a_broken_line_is_named_and_the_rest_goes_on() {
    let (code, verdicts, stderr) = check(&format!("{GOOD}\n{{\"id\":1,\"source\":\n[]\n{GOOD}\n"));
    assert_eq!(code, 1);
    assert_eq!(verdicts.len(), 2);
    assert!(stderr.contains("standard input:2: not a pair"), "{stderr}");
    assert!(stderr.contains("standard input:3: not a pair"), "{stderr}");
    assert!(stderr.contains("2 unreadable lines"), "{stderr}");
}

#[test]
fn bytes_that_are_no_text_are_named_too() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("pairs.jsonl");
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    writeln!(bytes, "{GOOD}").unwrap();
    bytes.extend_from_slice(b"\xff\xfe{}\n");
    std::fs::write(&file, bytes).unwrap();
    let output = mujaz(home.path()).arg("check").arg(&file).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap().lines().count(),
        1,
        "the byte order mark is no part of line 1"
    );
    assert!(stderr.contains("pairs.jsonl:2: not a pair"), "{stderr}");
}

#[test]
fn a_missing_file_is_named() {
    let home = tempfile::tempdir().unwrap();
    let output = mujaz(home.path()).args(["check", "nowhere.jsonl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nowhere.jsonl"));
}

#[test]
fn ten_thousand_pairs_keep_their_order() {
    let mut lines = String::new();
    for id in 0..10_000 {
        let target =
            if id % 3 == 0 { "13 ministers arrived in Tunisia" } else { "Twelve ministers arrived in Tunisia" };
        writeln!(lines, r#"{{"id":{id},"source":"وصل 12 وزيرا إلى تونس","target":"{target}"}}"#).unwrap();
    }
    let (code, verdicts, _) = check(&lines);
    assert_eq!(code, 1);
    assert_eq!(verdicts.len(), 10_000);
    for (id, verdict) in verdicts.iter().enumerate() {
        assert_eq!((verdict["id"].as_u64(), verdict["flagged"].as_bool()), (Some(id as u64), Some(id % 3 == 0)));
    }
}

/// What issue 2 asks for: the least share of each planted fault that is flagged, and the most of good pairs.
const REQUIRED: &[(&str, f64)] = &[
    ("number", 0.95),
    ("name", 0.90),
    ("negation", 0.60),
    ("omission", 0.95),
    ("swapped", 0.50),
    ("loop", 1.0),
    ("untranslated", 1.0),
    ("empty", 1.0),
];
const FALSE_ALARMS: f64 = 0.06;

#[test]
fn planted_faults_are_found_and_good_pairs_left_alone() {
    let (Some(script), Some(pairs)) = (shared("bench/plant_faults.py"), shared("eval/ntrex-dev.jsonl")) else { return };
    let home = tempfile::tempdir().unwrap();
    let python = |args: &[&std::ffi::OsStr]| {
        let output = Command::new("python3").arg(&script).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for seed in ["1", "2", "3", "4", "5"] {
        let planted = home.path().join("planted.jsonl");
        let verdicts = home.path().join("verdicts.jsonl");
        python(&[pairs.as_os_str(), planted.as_os_str(), "--seed".as_ref(), seed.as_ref()]);
        let output = mujaz(home.path()).arg("check").arg(&planted).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(&verdicts, output.stdout).unwrap();
        let table = python(&["--score".as_ref(), planted.as_os_str(), verdicts.as_os_str()]);
        println!("seed {seed}\n{table}");
        let share = |fault: &str| -> f64 {
            let row = table.lines().find(|l| l.starts_with(&format!("{fault} "))).expect("the table has every fault");
            row.rsplit(' ').next().unwrap().parse().unwrap()
        };
        for (fault, least) in REQUIRED {
            assert!(share(fault) >= *least, "seed {seed}: {fault} {} < {least}\n{table}", share(fault));
        }
        assert!(share("good") <= FALSE_ALARMS, "seed {seed}: false alarms {}\n{table}", share("good"));
    }
}

//! Nothing is fetched that was not asked for: the real binary under strace, which shows every socket and every program
//! that it or a child of it opens or starts. Local sockets (`AF_UNIX`) reach no network and are allowed.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common;

const GEMMA: &str = "gemma-3-270m";
const SMOLLM2: &str = "smollm2-135m-instruct";

const ARTICLE: &str =
    "الجزائر وتونس توقعان اتفاقا للتجارة\n\nوقعت الجزائر وتونس، يوم الأحد، اتفاقا للتجارة بين البلدين.\n";
const PAIR: &str = "{\"source\": \"وقعت الجزائر اتفاقا.\", \"reference\": \"Algeria signed an agreement.\"}\n";

/// What a run did.
struct Trace {
    output: Output,
    /// Calls that made a socket other than a local one, or used one.
    network: Vec<String>,
    /// Programs that were started, the first one left out.
    programs: Vec<String>,
}

impl Trace {
    /// Fails where the network was touched or a program started.
    #[track_caller]
    fn assert_alone(&self, args: &[&str], code: i32) {
        let said = String::from_utf8_lossy(&self.output.stderr);
        assert_eq!(self.output.status.code(), Some(code), "{args:?}: {said}");
        assert!(self.network.is_empty(), "{args:?} used the network: {:#?}", self.network);
        assert!(self.programs.is_empty(), "{args:?} started programs: {:#?}", self.programs);
    }
}

/// Returns whether strace can be used here, or says that the test is skipped.
fn strace() -> bool {
    let there =
        Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output().is_ok_and(|o| o.status.success());
    if !there {
        assert!(std::env::var_os("CI").is_none(), "strace is missing or may not trace, and CI must not skip");
        println!("skipped: strace is not there or may not trace");
    }
    there
}

/// Runs the binary in `home` with some variables, and reads what it did out of the trace.
fn trace(home: &Path, variables: &[(&str, &str)], args: &[&str]) -> Trace {
    let file = home.join("trace.txt");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "--signal=none", "-e", "trace=%network,execve,execveat", "-o"]).arg(&file);
    command.arg(env!("CARGO_BIN_EXE_mujaz")).args(args);
    command.env_clear().env("HOME", home).env("NO_COLOR", "1").env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(variables.iter().copied()).current_dir(home).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let calls: Vec<&str> = text.lines().filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim())).collect();
    let is_start = |call: &str| call.starts_with("execve(") || call.starts_with("execveat(");
    let starts: Vec<&str> = calls.iter().copied().filter(|call| is_start(call) && call.contains(" = 0")).collect();
    assert!(starts.first().is_some_and(|call| call.contains("mujaz")), "the trace shows the start: {text}");
    // Of a local socket, strace shows the family at its birth and in addresses; calls on its number alone show nothing.
    let local = |call: &str| {
        call.contains("AF_UNIX")
            || !(call.starts_with("socket(") || call.contains("AF_") || call.starts_with("sendto("))
    };
    let network = calls.iter().filter(|call| !is_start(call) && !local(call)).map(|call| (*call).to_owned()).collect();
    Trace { output, network, programs: starts.iter().skip(1).map(|call| (*call).to_owned()).collect() }
}

/// A home with an article and a pair; none where there is no strace.
fn home() -> Option<tempfile::TempDir> {
    if !strace() {
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.txt"), ARTICLE).unwrap();
    std::fs::write(home.path().join("pairs.jsonl"), PAIR).unwrap();
    std::fs::write(home.path().join("check.jsonl"), "{\"id\":\"1\",\"source\":\"وقعت\",\"target\":\"signed\"}\n")
        .unwrap();
    Some(home)
}

/// Without this, the tests below could not fail.
#[test]
fn a_trace_shows_sockets_and_programs_where_there_are_some() {
    let Some(home) = home() else { return };
    let hub = [("HF_ENDPOINT", "http://127.0.0.1:9"), ("PIP_INDEX_URL", "http://127.0.0.1:9/simple")];
    let pulled = trace(home.path(), &hub, &["models", "pull", GEMMA]);
    assert_eq!(pulled.output.status.code(), Some(3), "{}", String::from_utf8_lossy(&pulled.output.stderr));
    assert!(pulled.network.iter().any(|call| call.contains("AF_INET")), "{:#?}", pulled.network);
    assert!(pulled.programs.iter().any(|call| call.contains("pip")), "{:#?}", pulled.programs);
}

#[test]
fn with_models_here_no_command_touches_the_network_even_where_it_might() {
    let Some(home) = home() else { return };
    let (Some(_), Some(_)) = (common::model(GEMMA), common::model(SMOLLM2)) else { return };
    let models = common::models_folder();
    let variables = [("HF_HOME", models.to_str().unwrap()), ("HF_ENDPOINT", "http://127.0.0.1:9")];
    for (args, code) in [
        (&["extract", "a.txt"][..], 0),
        (&["check", "check.jsonl"], 0),
        (&["brief", "a.txt", "-o", "notes", "--summarizer", "auto"], 0),
        (&["brief", "a.txt", "-o", "notes", "--summarizer", "auto", "--pull"], 0),
        (&["translate", "a.txt"], 0),
        (&["summarize", "a.txt"], 0),
        (&["eval", "pairs.jsonl", "--raw"], 0),
        (&["bench", "--repeat", "1"], 0),
        (&["models", "list"], 0),
        (&["models", "info", GEMMA], 0),
        (&["models", "verify"], 0),
        (&["models", "pull", GEMMA], 0),
        (&["doctor", "--offline"], 0),
    ] {
        let traced = trace(home.path(), &variables, args);
        // Flags and short summaries are no matter of this test.
        let code = if traced.output.status.code() == Some(1) { 1 } else { code };
        traced.assert_alone(args, code);
    }
}

#[test]
fn without_models_nothing_is_fetched_that_was_not_allowed() {
    let Some(home) = home() else { return };
    let hub = ("HF_ENDPOINT", "http://127.0.0.1:9");
    for args in [
        &["brief", "a.txt", "-o", "notes"][..],
        &["translate", "a.txt"],
        &["translate", "--raw", "a.txt"],
        &["translate", "a.txt", "--translator", GEMMA],
        &["summarize", "a.txt"],
        &["brief", "a.txt", "--summarizer", SMOLLM2],
        &["eval", "pairs.jsonl"],
        &["bench"],
        &["bench", "--model", GEMMA],
    ] {
        let traced = trace(home.path(), &[hub], args);
        traced.assert_alone(args, 3);
        let said = String::from_utf8_lossy(&traced.output.stderr).into_owned();
        assert!(said.contains("hint: fetch it: mujaz models pull ") && said.contains("--pull"), "{args:?}: {said}");
        // Offline goes before all permissions.
        for (offline, more) in [(("HF_HUB_OFFLINE", "1"), "--pull"), (("A", "B"), "--offline")] {
            let args = [args, &[more]].concat();
            trace(home.path(), &[hub, offline], &args).assert_alone(&args, 3);
        }
    }
    for args in [&["models", "pull", GEMMA, "--offline"][..], &["models", "pull", GEMMA, SMOLLM2, "--offline"]] {
        trace(home.path(), &[hub], args).assert_alone(args, 3);
    }
    let doctor = trace(home.path(), &[hub, ("HF_HUB_OFFLINE", "1")], &["doctor"]);
    doctor.assert_alone(&["doctor"], 1);
}

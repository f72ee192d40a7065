//! `mujaz check`: verdicts on translations from anywhere, one line a pair, without a model.
//!
//! In: lines `{"id","source","target"}` from a file or standard input, other fields ignored. Out: lines
//! `{"id","flagged","verdicts":[{"check","detail"}]}` in the same order, one at a time, so that memory stays the same for
//! any number of pairs. A line that cannot be read is named on standard error, and the rest goes on.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use mujaz::check::{Checker, Verdict};
use mujaz::glossary::Glossary;

use crate::cli::args::{CheckArgs, GlobalArgs};
use crate::cli::printer::{Printer, unwritable};
use crate::cli::report::{CommandError, Kind, Status};

/// A line of the input.
#[derive(Debug, Deserialize)]
struct Line {
    /// Whatever the other side calls it: a string or a number, given back as it came.
    #[serde(default)]
    id: serde_json::Value,
    source: String,
    target: String,
}

/// A line of the output.
#[derive(Debug, Serialize)]
struct Judged {
    id: serde_json::Value,
    flagged: bool,
    verdicts: Vec<Verdict>,
}

/// How many pairs ended how.
#[derive(Debug, Default)]
struct Counts {
    pairs: usize,
    flagged: usize,
    unreadable: usize,
}

/// Runs the command.
pub fn run(args: &CheckArgs, _global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let standard_input = args.pairs == Path::new("-");
    let (name, input): (String, Box<dyn Read>) = if standard_input {
        ("standard input".into(), Box::new(std::io::stdin().lock()))
    } else {
        let file = fs_err::File::open(&args.pairs).map_err(|error| CommandError::new(Kind::Input, &error))?;
        (args.pairs.display().to_string(), Box::new(file))
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let counts = judge_lines(&name, BufReader::new(input), &mut out, printer)?;
    out.flush().map_err(unwritable)?;
    printer.status(&summary(&counts));
    let complete = counts.flagged == 0 && counts.unreadable == 0;
    Ok(if complete { Status::Complete } else { Status::Partial })
}

fn summary(counts: &Counts) -> String {
    let Counts { pairs, flagged, unreadable } = counts;
    let unreadable = if *unreadable == 0 { String::new() } else { format!(", {unreadable} unreadable lines") };
    format!("{pairs} pairs checked, {flagged} flagged{unreadable}")
}

fn judge_lines(
    name: &str,
    mut input: impl BufRead,
    out: &mut impl Write,
    printer: &Printer,
) -> Result<Counts, CommandError> {
    let checker = Checker::new(Glossary::builtin());
    let mut counts = Counts::default();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = input
            .read_until(b'\n', &mut bytes)
            .map_err(|error| CommandError::message(Kind::Input, format!("{name}:{number}: cannot be read: {error}")))?;
        if read == 0 {
            break;
        }
        // A byte order mark is no part of the first line.
        let line = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(Line { id, source, target }) => {
                let verdicts = checker.verdicts(&source, &target);
                counts.pairs += 1;
                counts.flagged += usize::from(!verdicts.is_empty());
                let judged = Judged { id, flagged: !verdicts.is_empty(), verdicts };
                serde_json::to_writer(&mut *out, &judged).map_err(|error| unwritable(error.into()))?;
                out.write_all(b"\n").map_err(unwritable)?;
            }
            Err(error) => {
                counts.unreadable += 1;
                printer.error(&format!("{name}:{number}: not a pair: {error}"));
            }
        }
    }
    Ok(counts)
}

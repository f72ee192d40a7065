//! `mujaz eval`: how good a model's translations are.
//!
//! In: sources with references, and a model (or lines that something else translated). Out: BLEU and chrF, seconds, words
//! a second, and the share of segments that the checks flag. Without `--raw` each segment goes through all rounds of
//! [`mujaz::translation`], as an article's do.

use std::path::Path;
use std::time::Instant;

use mujaz::check::Checker;
use mujaz::engine::raw::RawOptions;
use mujaz::engine::{self, Engine};
use mujaz::glossary::Glossary;
use mujaz::metrics::corpus::{self, Corpus};
use mujaz::metrics::{bleu, chrf};
use mujaz::options::Effort;
use mujaz::progress::Progress;
use mujaz::translation::rounds;
use serde::Serialize;

use super::lines;
use crate::cli::args::{EvalArgs, GlobalArgs};
use crate::cli::crew::{Choice, Crew};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// What is measured; null where it was not.
#[derive(Debug, Serialize)]
struct Figures {
    bleu: f64,
    chrf: f64,
    seconds: Option<f64>,
    source_words_per_second: Option<f64>,
    /// Share of the segments, 0 to 1.
    flagged: Option<f64>,
    segments: usize,
    source_words: usize,
    model: Option<String>,
    precision: Option<String>,
    method: &'static str,
    bleu_signature: &'static str,
    chrf_signature: &'static str,
}

/// Translations with what is known of how they came about.
struct Output {
    texts: Vec<String>,
    flagged: Option<usize>,
    seconds: Option<f64>,
    model: Option<String>,
    precision: Option<String>,
    method: &'static str,
}

/// Runs the command.
pub fn run(args: &EvalArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let unreadable = |error: corpus::Error| CommandError::new(Kind::Input, &error);
    let mut corpus = match (&args.pairs, &args.source, &args.reference) {
        (Some(pairs), ..) => Corpus::of_jsonl(pairs),
        (None, Some(source), Some(reference)) => Corpus::of_lines(source, reference),
        _ => return Err(CommandError::message(Kind::Usage, "eval needs FILE.jsonl, or --source and --reference")),
    }
    .map_err(unreadable)?;
    let all = corpus.pairs.len();
    corpus.pairs.truncate(args.limit.map_or(usize::MAX, std::num::NonZeroUsize::get));
    let output = match &args.score {
        Some(path) => {
            let texts = corpus::lines(path).map_err(unreadable)?;
            given(args, &corpus, path, texts, all)?
        }
        None => {
            if let Some(path) = &args.hypotheses {
                // Told before the work, not after it.
                let read =
                    [&args.pairs, &args.source, &args.reference].into_iter().flatten().map(std::path::PathBuf::as_path);
                output::Spared::new(read, folder_of(path), &[]).check_file(path)?;
                output::prepare(folder_of(path))?;
            }
            translated(args, &corpus, global, printer)?
        }
    };
    if let Some(path) = &args.hypotheses {
        let text: String = output.texts.iter().map(|text| format!("{text}\n")).collect();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        output::write(folder_of(path), &name, text.as_bytes())?;
    }
    let figures = figures(&corpus, output);
    let text = if args.json {
        let json = serde_json::to_string(&figures).map_err(|error| CommandError::new(Kind::Internal, &error))?;
        format!("{json}\n")
    } else {
        table(&figures)
    };
    printer.data(text.as_bytes())?;
    Ok(Status::Complete)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Takes lines that something else translated: as many as there are segments, before or after `--limit`.
fn given(
    args: &EvalArgs,
    corpus: &Corpus,
    path: &Path,
    mut texts: Vec<String>,
    all: usize,
) -> Result<Output, CommandError> {
    let wanted = corpus.pairs.len();
    if texts.len() != all && texts.len() != wanted {
        let message = format!("{} has {} lines, and there are {all} segments", path.display(), texts.len());
        return Err(CommandError::message(Kind::Input, message));
    }
    texts.truncate(wanted);
    // As strict as with what was translated here.
    let checker = Checker::new(Glossary::builtin()).strict();
    let is_flagged = |(pair, text): &(&corpus::Pair, &String)| !checker.verdicts(&pair.source, text).is_empty();
    let flagged = (!args.raw).then(|| corpus.pairs.iter().zip(&texts).filter(is_flagged).count());
    Ok(Output { texts, flagged, seconds: None, model: None, precision: None, method: "given" })
}

/// Translates the sources; loading the model is no part of the time.
fn translated(
    args: &EvalArgs,
    corpus: &Corpus,
    global: &GlobalArgs,
    printer: &Printer,
) -> Result<Output, CommandError> {
    let bars = Bars::new(printer);
    let mut crew = Crew::new(Choice::of_translator(&args.model), global, printer)?;
    let member = crew.translator(&bars)?;
    let (model, precision) = (Some(member.line.id.clone()), Some(member.loaded.precision()));
    let engine = member.loaded.engine();
    let sources = corpus.sources();
    let start = Instant::now();
    let (texts, flagged) = if args.raw {
        let options = RawOptions { beams: args.beam, force_tokens: None };
        bars.started("translating", sources.len() as u64, "lines");
        let found = lines::best(engine, &sources, &options, &bars)?;
        bars.finished();
        (found.into_iter().map(|one| lines::one_line(&one.text)).collect(), None)
    } else {
        full(engine, &sources, &bars)?
    };
    let seconds = Some(start.elapsed().as_secs_f64());
    let method = if args.raw { "raw" } else { "full" };
    Ok(Output { texts, flagged, seconds, model, precision, method })
}

/// Translates with all rounds; returns the choices and how many are flagged.
fn full(engine: &mut dyn Engine, sources: &[&str], bars: &Bars) -> Result<(Vec<String>, Option<usize>), CommandError> {
    let checker = Checker::new(Glossary::builtin());
    let outcomes = rounds::sentences(sources, engine, &checker, Effort::Full, bars).map_err(|error| {
        let kind = if matches!(error, engine::Error::Cancelled) { Kind::Interrupted } else { Kind::Model };
        CommandError::new(kind, &error)
    })?;
    let flagged = outcomes.iter().filter(|outcome| !outcome.judged.verdicts.is_empty()).count();
    Ok((outcomes.iter().map(|outcome| lines::one_line(&outcome.judged.hypothesis.text)).collect(), Some(flagged)))
}

fn figures(corpus: &Corpus, output: Output) -> Figures {
    let segments = corpus.pairs.len();
    let source_words = corpus.pairs.iter().map(|pair| pair.source.split_whitespace().count()).sum();
    let rounded = |value: f64, digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    Figures {
        bleu: rounded(bleu::corpus(corpus.beside(&output.texts)).score, 6),
        chrf: rounded(chrf::corpus(corpus.beside(&output.texts)), 6),
        seconds: output.seconds.map(|seconds| rounded(seconds, 3)),
        source_words_per_second: output.seconds.map(|seconds| rounded(source_words as f64 / seconds.max(1e-9), 1)),
        flagged: output.flagged.map(|flagged| rounded(flagged as f64 / segments.max(1) as f64, 6)),
        segments,
        source_words,
        model: output.model,
        precision: output.precision,
        method: output.method,
        bleu_signature: bleu::SIGNATURE,
        chrf_signature: chrf::SIGNATURE,
    }
}

fn table(figures: &Figures) -> String {
    let mut lines = vec![
        ("BLEU", format!("{:.2}   {}", figures.bleu, figures.bleu_signature)),
        ("chrF", format!("{:.2}   {}", figures.chrf, figures.chrf_signature)),
        ("segments", figures.segments.to_string()),
    ];
    if let Some(flagged) = figures.flagged {
        lines.push(("flagged", format!("{:.1} %", 100.0 * flagged)));
    }
    if let (Some(seconds), Some(rate)) = (figures.seconds, figures.source_words_per_second) {
        lines.push(("time", format!("{seconds:.1} s, {rate:.1} source words/s")));
    }
    if let (Some(model), Some(precision)) = (&figures.model, &figures.precision) {
        lines.push(("model", format!("{model}, {precision}, {}", figures.method)));
    }
    lines.into_iter().map(|(name, value)| format!("{name:<10}{value}\n")).collect()
}

//! `mujaz bench`: how fast a model runs on this machine.
//!
//! In: a model. Out: tokens per second, best of several runs, as a table or one JSON object. The two kinds of models have
//! two kinds of work, each that of the peer it stands beside: [`decoder`] and [`encoder_decoder`].

mod decoder;
mod encoder_decoder;

use std::path::PathBuf;
use std::time::Instant;

use mujaz::engine;
use mujaz::engine::load::{self, LoadOptions, Loaded, ModelPaths};
use serde::Serialize;

use crate::cli::args::{BenchArgs, GlobalArgs};
use crate::cli::choose::{self, Means};
use crate::cli::crew::{load_entry, load_options};
use crate::cli::lock::Lock;
use crate::cli::models;
use crate::cli::pickles;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// What is measured of every model.
#[derive(Debug, Serialize)]
struct Common {
    precision: String,
    beam: usize,
    threads: usize,
    load_seconds: f64,
    resident_bytes: u64,
    peak_resident_bytes: u64,
}

/// What is measured, of either kind.
#[derive(Debug, Serialize)]
struct Figures<S> {
    engine: String,
    model: String,
    #[serde(flatten)]
    speed: S,
    #[serde(flatten)]
    common: Common,
}

/// Figures that can be shown to people.
trait Speed: Serialize {
    /// Returns a name and a value for each line of the table.
    fn lines(&self) -> Vec<(&'static str, String)>;
}

/// Runs the command.
pub fn run(args: &BenchArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let bars = Bars::new(printer);
    let options = load_options(args.precision.into(), global);
    let (mut loaded, name, load_seconds) = load_model(args, &options, global, printer, &bars)?;
    pickles::say(&loaded, printer);
    printer.detail(&format!("loaded {name} in {load_seconds:.2} s"));
    if let Some(stored) = loaded.stored() {
        printer.detail(&stored.to_string());
    }
    let precision = loaded.precision();
    let report = Report { args, name, precision, load_seconds, printer };
    match &mut loaded {
        Loaded::Decoder(engine) => {
            if args.beam != 1 || args.input.is_some() || args.force_tokens.is_some() {
                let reason = "--beam, --input and --force-tokens are for encoder-decoder models";
                return Err(CommandError::message(Kind::Usage, reason));
            }
            report.print(decoder::measure(engine, args.repeat.max(1), &bars).map_err(failed)?)
        }
        Loaded::EncoderDecoder { engine, .. } => report.print(encoder_decoder::measure(engine.as_mut(), args, &bars)?),
    }
}

fn failed(error: engine::Error) -> CommandError {
    let kind = if matches!(error, engine::Error::Cancelled) { Kind::Interrupted } else { Kind::Model };
    CommandError { kind, ..pickles::error(&error) }
}

/// Loads what was named: a path, a model of the registry, or the best translator that can be had. Returns it with its name
/// and the seconds that loading took.
fn load_model(
    args: &BenchArgs,
    options: &LoadOptions,
    global: &GlobalArgs,
    printer: &Printer,
    bars: &Bars,
) -> Result<(Loaded, String, f64), CommandError> {
    if let Some(path) = &args.model_dir {
        let name = path.canonicalize().unwrap_or_else(|_| path.clone());
        let name = name.file_name().map_or_else(|| path.clone(), PathBuf::from).display().to_string();
        let start = Instant::now();
        let paths = ModelPaths::at(path).map_err(|error| CommandError::new(Kind::Usage, &error))?;
        if let Some(lock) = Lock::of(global)? {
            lock.check_path(&paths, &paths.deciding(options.cache.as_deref()).map_err(failed)?)?;
        }
        let loaded = load::open(&paths, options).map_err(failed)?;
        return Ok((loaded, name, start.elapsed().as_secs_f64()));
    }
    let means = Means { global, pull: args.pull, printer, progress: bars };
    let (entry, files) = match &args.model {
        Some(id) => {
            let registry = models::registry(global, printer)?;
            let entry = registry.find(id)?;
            (entry.clone(), choose::obtain(entry, means)?)
        }
        None => choose::best_translator(means)?,
    };
    let start = Instant::now();
    let loaded = load_entry(&entry, &files, options)?;
    Ok((loaded, entry.id.0, start.elapsed().as_secs_f64()))
}

/// Puts figures together and prints them.
struct Report<'r> {
    args: &'r BenchArgs,
    name: String,
    precision: String,
    load_seconds: f64,
    printer: &'r Printer,
}

impl Report<'_> {
    fn print(self, speed: impl Speed) -> Result<Status, CommandError> {
        let common = Common {
            precision: self.precision,
            beam: self.args.beam,
            threads: rayon::current_num_threads(),
            load_seconds: (self.load_seconds * 1000.0).round() / 1000.0,
            resident_bytes: memory("VmRSS:"),
            peak_resident_bytes: memory("VmHWM:"),
        };
        let engine = format!("mujaz {}", env!("CARGO_PKG_VERSION"));
        let figures = Figures { engine, model: self.name, speed, common };
        let text = if self.args.json {
            let json = serde_json::to_string(&figures).map_err(|error| CommandError::new(Kind::Internal, &error))?;
            format!("{json}\n")
        } else {
            table(&figures)
        };
        self.printer.data(text.as_bytes())?;
        Ok(Status::Complete)
    }
}

fn table<S: Speed>(figures: &Figures<S>) -> String {
    let common = &figures.common;
    let mut lines = vec![
        ("model", figures.model.clone()),
        ("precision", common.precision.clone()),
        ("threads", common.threads.to_string()),
    ];
    lines.extend(figures.speed.lines());
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    lines.push(("load", format!("{:.3} s", common.load_seconds)));
    let (resident, peak) = (megabytes(common.resident_bytes), megabytes(common.peak_resident_bytes));
    lines.push(("resident memory", format!("{resident:.0} MB, {peak:.0} MB at most")));
    lines.into_iter().map(|(name, value)| format!("{name:<18}{value}\n")).collect()
}

fn round(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}

/// Returns a line of the system's account of this process' memory, in bytes; 0 where there is none.
fn memory(line: &str) -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line));
    // The account is in KiB.
    value.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

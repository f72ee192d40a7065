//! The work of an encoder-decoder: that of `bench/peer_ctranslate2.py`, so that the two lines can stand side by side.
//!
//! In: a model, lines, beams. Out: target tokens a second, best of several runs. Only the tokens of the best hypotheses
//! count, whatever number of beams wrote them. Lines are stripped, empty ones left out, as the peer does.

use std::time::Instant;

use mujaz::engine::Engine;
use mujaz::engine::raw::RawOptions;
use mujaz::metrics::corpus;
use mujaz::progress::Progress;
use serde::Serialize;

use super::Speed;
use crate::cli::args::BenchArgs;
use crate::cli::commands::lines;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind};

/// What is translated when no file is named: eight sentences of ordinary news length.
const SENTENCES: &str = include_str!("sentences.ar.txt");
/// How often they are repeated: a batch is worth measuring from 32 lines on.
const ROUNDS: usize = 4;

/// What is measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    tokens_per_second: f64,
    tokens: usize,
    seconds: f64,
    lines: usize,
}

impl Speed for Figures {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let work = format!("{} tokens for {} lines in {:.3} s", self.tokens, self.lines, self.seconds);
        vec![("speed", format!("{:.1} tokens/s", self.tokens_per_second)), ("work", work)]
    }
}

/// Measures.
pub fn measure(engine: &mut dyn Engine, args: &BenchArgs, bars: &Bars) -> Result<Figures, CommandError> {
    let text = match &args.input {
        Some(path) => corpus::lines(path).map_err(|error| CommandError::new(Kind::Usage, &error))?,
        None => SENTENCES.repeat(ROUNDS).lines().map(str::to_owned).collect(),
    };
    let text: Vec<&str> = text.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    if text.is_empty() {
        return Err(CommandError::message(Kind::Usage, "there is no line to translate"));
    }
    let options = RawOptions { beams: Some(args.beam), force_tokens: args.force_tokens };
    // Threads start and pages come in before the clock runs.
    let warm_up = RawOptions { force_tokens: Some(3), ..options };
    lines::best(engine, &text[..text.len().min(2)], &warm_up, bars)?;
    let (mut seconds, mut tokens) = (f64::INFINITY, 0);
    let repeat = args.repeat.max(1);
    bars.started("measuring", (repeat * text.len()) as u64, "lines");
    for round in 0..repeat {
        let start = Instant::now();
        let progress = lines::Group { bars, before: (round * text.len()) as u64 };
        let found = lines::best(engine, &text, &options, &progress)?;
        let took = start.elapsed().as_secs_f64();
        if took < seconds {
            (seconds, tokens) = (took, found.iter().map(|one| one.tokens).sum());
        }
    }
    bars.finished();
    let tokens_per_second = super::round(tokens as f64 / seconds.max(1e-9));
    Ok(Figures { tokens_per_second, tokens, seconds: (seconds * 1000.0).round() / 1000.0, lines: text.len() })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mujaz::batch::Batch;
    use mujaz::engine::fake::FakeEngine;
    use mujaz::engine::{DecodeParams, Error, Fingerprint, Hypothesis, Limits};

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::cli::printer::Printer;

    /// Writes as many tokens as are forced, and remembers what it was asked.
    #[derive(Default)]
    struct Forced(Vec<(usize, RawOptions)>);

    impl Engine for Forced {
        fn translate(&mut self, batch: &Batch, params: &DecodeParams) -> Result<Vec<Vec<Hypothesis>>, Error> {
            FakeEngine::default().translate(batch, params)
        }

        fn raw(
            &mut self,
            lines: &[&str],
            options: &RawOptions,
            progress: &dyn Progress,
        ) -> Result<Vec<Hypothesis>, Error> {
            self.0.push((lines.len(), *options));
            let mut found = FakeEngine::default().raw(lines, &RawOptions::default(), progress)?;
            for one in &mut found {
                one.tokens = options.force_tokens.unwrap_or(one.tokens);
            }
            Ok(found)
        }

        fn source_tokens(&self, text: &str) -> usize {
            text.split_whitespace().count()
        }

        fn limits(&self) -> Limits {
            FakeEngine::default().limits()
        }

        fn fingerprint(&self) -> Fingerprint {
            FakeEngine::default().fingerprint()
        }
    }

    fn measured(engine: &mut dyn Engine, args: &[&str]) -> Result<Figures, CommandError> {
        let cli = Cli::parse_from([&["mujaz", "bench"], args].concat());
        let Command::Bench(args) = &cli.command else { unreachable!() };
        measure(engine, args, &Bars::new(&Printer::new(&cli.global)))
    }

    #[test]
    fn the_work_is_that_of_the_peer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.txt");
        fs_err::write(&path, "a b c\n\n d e \n \nf\n").unwrap();
        let mut engine = Forced::default();
        let args = ["--input", path.to_str().unwrap(), "--beam", "4", "--force-tokens", "30", "--repeat", "2"];
        let figures = measured(&mut engine, &args).unwrap();
        assert_eq!((figures.lines, figures.tokens), (3, 90));
        let options = |force| RawOptions { beams: Some(4), force_tokens: Some(force) };
        assert_eq!(engine.0, [(2, options(3)), (3, options(30)), (3, options(30))]);
        let json = serde_json::to_value(&figures).unwrap();
        assert!(json["tokens_per_second"].as_f64().unwrap() > 0.0, "{json}");
        let figures = measured(&mut Forced::default(), &["--repeat", "1"]).unwrap();
        assert_eq!(figures.lines, 8 * ROUNDS);
        fs_err::write(&path, "\n \n").unwrap();
        assert_eq!(measured(&mut engine, &args).unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn a_model_without_beams_is_refused() {
        let error = measured(&mut FakeEngine::default(), &["--beam", "4"]).unwrap_err();
        assert_eq!(error.kind, Kind::Usage, "{}", error.message);
    }
}

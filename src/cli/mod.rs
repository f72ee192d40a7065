//! The binary's own part: arguments in, exit code out. Only this folder prints, and only this folder knows of clap.

mod args;
mod choose;
mod commands;
mod crew;
mod intake;
mod lock;
mod machine;
mod models;
mod named;
mod output;
mod pickles;
mod printer;
mod progress;
mod report;
mod survey;
mod work;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use printer::Printer;
use report::Status;

/// Parses the command line, runs the command, reports what went wrong, and returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(&cli.global);
    work::use_threads(&cli.global);
    let result = match &cli.command {
        Command::Extract(args) => commands::extract::run(args, &cli.global, &printer),
        Command::Check(args) => commands::check::run(args, &cli.global, &printer),
        Command::Models(args) => commands::models::run(args, &cli.global, &printer),
        Command::Eval(args) => commands::eval::run(args, &cli.global, &printer),
        Command::Bench(args) => commands::bench::run(args, &cli.global, &printer),
        Command::Doctor(args) => commands::doctor::run(args, &cli.global, &printer),
        Command::Brief(args) => commands::brief::run(args, &cli.global, &printer),
        Command::Translate(args) => commands::translate::run(args, &cli.global, &printer),
        Command::Summarize(args) => commands::summarize::run(args, &cli.global, &printer),
        Command::Completions(args) => commands::completions::run(args, &printer),
        Command::Man => commands::completions::man(&printer),
    };
    match result {
        Ok(Status::Complete) => ExitCode::SUCCESS,
        Ok(Status::Partial) => ExitCode::from(1),
        Err(error) => error.report(&printer),
    }
}

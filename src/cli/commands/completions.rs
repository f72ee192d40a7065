//! `mujaz completions SHELL` and `mujaz man`: both made from the same clap types as the help.

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Status};

/// Prints a completion script.
pub fn run(args: &CompletionsArgs, printer: &Printer) -> Result<Status, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mujaz", &mut script);
    printer.data(&script)?;
    Ok(Status::Complete)
}

/// Prints the manual page.
pub fn man(printer: &Printer) -> Result<Status, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    printer.data(&page)?;
    Ok(Status::Complete)
}

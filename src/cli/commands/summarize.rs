//! `mujaz summarize`.

use crate::cli::args::{GlobalArgs, SummarizeArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(_args: &SummarizeArgs, _global: &GlobalArgs, _printer: &Printer) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, "not there yet"))
}

//! `mujaz brief`.

use crate::cli::args::{BriefArgs, GlobalArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(_args: &BriefArgs, _global: &GlobalArgs, _printer: &Printer) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, "not there yet"))
}

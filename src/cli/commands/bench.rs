//! `mujaz bench`.

use crate::cli::args::{BenchArgs, GlobalArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(_args: &BenchArgs, _global: &GlobalArgs, _printer: &Printer) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, "not there yet"))
}

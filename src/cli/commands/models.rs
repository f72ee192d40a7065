//! `mujaz models`.

use crate::cli::args::{GlobalArgs, ModelsArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(_args: &ModelsArgs, _global: &GlobalArgs, _printer: &Printer) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, "not there yet"))
}

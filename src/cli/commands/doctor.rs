//! `mujaz doctor`: what mujaz sees of this machine, and what it would choose.

use crate::cli::args::{DoctorArgs, GlobalArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(_args: &DoctorArgs, _global: &GlobalArgs, _printer: &Printer) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, "not built yet"))
}

//! `mujaz models lock`: writes and compares the lock file.

use mujaz::hub::HubOptions;
use mujaz::registry::Registry;

use crate::cli::args::{GlobalArgs, LockArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(
    args: &LockArgs,
    _registry: &Registry,
    _global: &GlobalArgs,
    _options: &HubOptions,
    _printer: &Printer,
) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, format!("{:?}: not built yet", args.models)))
}

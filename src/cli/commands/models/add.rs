//! `mujaz models add`: takes a model whose files are on this disk.

use mujaz::hub::HubOptions;
use mujaz::registry::Registry;

use crate::cli::args::AddArgs;
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(
    args: &AddArgs,
    _registry: &Registry,
    _options: &HubOptions,
    _printer: &Printer,
) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, format!("{}: not built yet", args.id)))
}

//! `mujaz models export` and `import`: models in one file, for machines without a network.

use std::path::Path;

use mujaz::hub::HubOptions;
use mujaz::registry::Registry;

use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};

/// Writes a bundle.
pub fn export(
    _registry: &Registry,
    _ids: &[String],
    output: &Path,
    _options: &HubOptions,
    _printer: &Printer,
) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, format!("{}: not built yet", output.display())))
}

/// Takes a bundle in.
pub fn import(
    _registry: &Registry,
    bundle: &Path,
    _options: &HubOptions,
    _printer: &Printer,
) -> Result<Status, CommandError> {
    Err(CommandError::message(Kind::Internal, format!("{}: not built yet", bundle.display())))
}

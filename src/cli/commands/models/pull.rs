//! `mujaz models pull`: gets models, and says what was verified against what.

use std::path::PathBuf;

use mujaz::hub::{self, HubOptions};
use mujaz::registry::Registry;

use super::{bytes_of, find_all, size_or_unknown};
use crate::cli::args::GlobalArgs;
use crate::cli::lock::Lock;
use crate::cli::models::{pull, unverified};
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(
    registry: &Registry,
    ids: &[String],
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    // Not clap's to say: a --locked before the subcommand is not known to it yet.
    if ids.is_empty() && !global.locked {
        let error = CommandError::message(Kind::Usage, "no model to get is named");
        return Err(error.hint("mujaz models list shows what there is; --locked gets all of a lock file"));
    }
    let bars = Bars::new(printer);
    // With --locked and no ids: all that is locked.
    let locked = if ids.is_empty() { Lock::of(global)?.map(|lock| lock.ids()).unwrap_or_default() } else { Vec::new() };
    let ids = if ids.is_empty() { &locked } else { ids };
    if ids.is_empty() {
        printer.status("The lock file names no model by its id, so there is nothing to get.");
    }
    for entry in find_all(registry, ids)? {
        let pulled = pull(entry, options, printer, &bars)?;
        let fetched = pulled.files.iter().any(|file| file.fetched);
        let said = match (fetched, entry.is_pinned()) {
            (true, true) => "fetched and verified",
            (false, true) => "already here, verified",
            (true, false) => "fetched",
            (false, false) => "already here, as it was first seen",
        };
        let paths: Vec<PathBuf> = pulled.files.into_iter().map(|file| file.path).collect();
        let bytes = size_or_unknown(bytes_of(entry, Some(&paths)));
        printer.status(&format!("{}: {said} ({bytes}).", entry.id));
        if let Some(unverified) = unverified(entry, options)? {
            let record = hub::record(entry, options);
            printer.status(&format!(
                "{}: {unverified}; its registry does not know all sizes and hashes, so what came is recorded in {}.",
                entry.id,
                record.display()
            ));
        }
    }
    Ok(Status::Complete)
}

//! `mujaz models`: what there is, and getting, adding, finding, verifying, locking, moving and removing it.
//!
//! One command a file; what they share (names, sizes, states in words) is here.

mod add;
mod bundle;
mod info;
mod licence;
mod list;
mod lock;
mod pull;
mod verify;

use std::path::PathBuf;

use mujaz::hub::{self, HubOptions};
use mujaz::registry::{Choose, ModelEntry, Registry, Task};

use crate::cli::args::{GlobalArgs, ModelsArgs, ModelsCommand};
use crate::cli::models::{hub_options, registry, unverified};
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(args: &ModelsArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let registry = registry(global, printer)?;
    let options = hub_options(global)?;
    match &args.command {
        ModelsCommand::List { json } => list::run(&registry, &options, *json, printer),
        ModelsCommand::Info { model, json } => info::run(&registry, model, *json, global, &options, printer),
        ModelsCommand::Pull { ids } => pull::run(&registry, ids, global, &options, printer),
        ModelsCommand::Add(args) => add::run(args, &registry, global, &options, printer),
        ModelsCommand::Path { id } => path(registry.find(id)?, &options, printer),
        ModelsCommand::Verify { ids } => verify::run(&registry, &options, ids, printer),
        ModelsCommand::Lock(args) => lock::run(args, &registry, global, &options, printer),
        ModelsCommand::Export { ids, output } => bundle::export(&registry, ids, output, &options, printer),
        ModelsCommand::Import { bundle } => bundle::import(&registry, bundle, &options, printer),
        ModelsCommand::Remove { id } => remove(registry.find(id)?, &options, printer),
    }
}

/// Looks up all ids before anything is done for one of them.
fn find_all<'a>(registry: &'a Registry, ids: &[String]) -> Result<Vec<&'a ModelEntry>, CommandError> {
    ids.iter().map(|id| Ok(registry.find(id)?)).collect()
}

fn task_name(task: Task) -> &'static str {
    match task {
        Task::Translate => "translate",
        Task::Summarize => "summarize",
    }
}

/// Writes bytes as people do: 253 MB, 1.3 GB (powers of ten, as disks and networks are sold).
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes:.0} B"),
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.0} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// Writes how many parameters there are: 258164, 76.4 million.
fn in_millions(numbers: u64) -> String {
    match numbers {
        ..1_000_000 => numbers.to_string(),
        _ => format!("{:.1} million", numbers as f64 / 1e6),
    }
}

/// Returns the size of a model: the registry's, or that of the files here, or none.
fn bytes_of(entry: &ModelEntry, here: Option<&[PathBuf]>) -> Option<u64> {
    let on_disk = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.len());
    entry.bytes().or_else(|| here?.iter().map(on_disk).sum())
}

fn tasks(entry: &ModelEntry) -> String {
    let tasks: Vec<&str> = entry.task.iter().map(|task| task_name(*task)).collect();
    let draft = if entry.draft { " (drafts)" } else { "" };
    let named = if entry.choose == Choose::WhenNamed { " (when named)" } else { "" };
    format!("{}{draft}{named}", tasks.join(", "))
}

fn state(entry: &ModelEntry, here: bool, options: &HubOptions) -> Result<String, CommandError> {
    let here = if here { "here" } else { "not here" };
    Ok(unverified(entry, options)?.map_or_else(|| here.to_owned(), |unverified| format!("{here}, {unverified}")))
}

fn size_or_unknown(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), size)
}

fn path(entry: &ModelEntry, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    let Some(files) = hub::resolve(entry, options)? else {
        let error = CommandError::message(Kind::Model, format!("model {} is not here", entry.id));
        let error = error.hint(format!("fetch it: mujaz models pull {}", entry.id));
        return Err(hub::places(entry, options).iter().fold(error, |error, place| {
            let what = place.bytes.map_or_else(|| "the file".to_owned(), |bytes| format!("{bytes} bytes"));
            error.hint(format!("or copy {what} by hand to {}", place.path.display()))
        }));
    };
    for file in files.files {
        printer.data(format!("{}\n", file.path.display()).as_bytes())?;
    }
    Ok(Status::Complete)
}

fn remove(entry: &ModelEntry, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    let freed = hub::remove(entry, options, &Bars::new(printer))?;
    let was_added = hub::added::forget(options, &entry.id)?;
    let record = hub::record(entry, options);
    if record.exists() {
        printer.status(&format!("{}: {} still says what its files were.", entry.id, record.display()));
    }
    printer.status(&if freed == 0 {
        format!("{}: nothing here to remove.", entry.id)
    } else {
        format!("{}: removed, {} freed.", entry.id, size(freed))
    });
    if was_added {
        printer.status(&format!("{}: was added from this disk, and is no longer known.", entry.id));
    }
    Ok(Status::Complete)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_written_as_people_do() {
        for (bytes, text) in
            [(7, "7 B"), (2_000, "2 kB"), (253_113_024, "253 MB"), (98_362_432, "98 MB"), (1_280_000_000, "1.3 GB")]
        {
            assert_eq!(super::size(bytes), text);
        }
    }
}

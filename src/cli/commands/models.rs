//! `mujaz models`: what there is, and getting, finding, verifying and removing it.

use mujaz::hub::{self, HubOptions, Verdict};
use mujaz::registry::{ModelEntry, Registry, Task};

use crate::cli::args::{GlobalArgs, ModelsArgs, ModelsCommand};
use crate::cli::models::{hub_options, pull, registry};
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(args: &ModelsArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let registry = registry(global, printer)?;
    let options = hub_options(global)?;
    match &args.command {
        ModelsCommand::List { json } => list(&registry, &options, *json, printer),
        ModelsCommand::Pull { ids } => pull_all(&registry, &options, ids, printer),
        ModelsCommand::Path { id } => path(registry.find(id)?, &options, printer),
        ModelsCommand::Verify { ids } => verify(&registry, &options, ids, printer),
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
fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes:.0} B"),
        ..1e6 => format!("{:.0} kB", bytes / 1e3),
        ..1e9 => format!("{:.0} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

fn list(registry: &Registry, options: &HubOptions, json: bool, printer: &Printer) -> Result<Status, CommandError> {
    let text = if json {
        let models: Vec<_> = registry.models().iter().map(|entry| json_of(entry, options)).collect();
        format!("{:#}\n", serde_json::Value::from(models))
    } else {
        table(registry, options)
    };
    printer.data(text.as_bytes())?;
    Ok(Status::Complete)
}

fn json_of(entry: &ModelEntry, options: &HubOptions) -> serde_json::Value {
    let here = hub::seems_here(entry, options);
    serde_json::json!({
        "id": entry.id,
        "title": entry.title,
        "task": entry.task,
        "architecture": entry.architecture,
        "languages": entry.languages,
        "licence": entry.licence,
        "bytes": entry.bytes(),
        "memory_bytes": entry.memory_bytes,
        "draft": entry.draft,
        "here": here.is_some(),
        "paths": here.unwrap_or_default(),
    })
}

fn table(registry: &Registry, options: &HubOptions) -> String {
    let head = ["ID", "TASK", "SIZE", "LICENCE", "MEMORY", "STATE"].map(str::to_owned);
    let rows = registry.models().iter().map(|entry| {
        let tasks: Vec<&str> = entry.task.iter().map(|task| task_name(*task)).collect();
        let draft = if entry.draft { " (drafts)" } else { "" };
        let here = if hub::seems_here(entry, options).is_some() { "here" } else { "not here" };
        [
            entry.id.to_string(),
            format!("{}{draft}", tasks.join(", ")),
            size(entry.bytes()),
            entry.licence.name.clone(),
            size(entry.memory_bytes),
            here.to_owned(),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    rows.iter().fold(String::new(), |mut text, row| {
        let line = row.iter().zip(widths).enumerate().fold(String::new(), |line, (column, (cell, width))| {
            // Sizes stand to the right, so that they can be compared.
            let cell = if column == 2 || column == 4 { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            if line.is_empty() { cell } else { format!("{line}  {cell}") }
        });
        text.push_str(line.trim_end());
        text.push('\n');
        text
    })
}

fn pull_all(
    registry: &Registry,
    options: &HubOptions,
    ids: &[String],
    printer: &Printer,
) -> Result<Status, CommandError> {
    let bars = Bars::new(printer);
    for entry in find_all(registry, ids)? {
        let pulled = pull(entry, options, printer, &bars)?;
        let fetched = pulled.files.iter().any(|file| file.fetched);
        let said = if fetched { "fetched and verified" } else { "already here, verified" };
        printer.status(&format!("{}: {said} ({}).", entry.id, size(entry.bytes())));
    }
    Ok(Status::Complete)
}

fn path(entry: &ModelEntry, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    let Some(files) = hub::resolve(entry, options)? else {
        let error = CommandError::message(Kind::Model, format!("model {} is not here", entry.id));
        let error = error.hint(format!("fetch it: mujaz models pull {}", entry.id));
        return Err(hub::places(entry, options).iter().fold(error, |error, place| {
            error.hint(format!("or copy {} bytes by hand to {}", place.bytes, place.path.display()))
        }));
    };
    for file in files.files {
        printer.data(format!("{}\n", file.path.display()).as_bytes())?;
    }
    Ok(Status::Complete)
}

fn verify(
    registry: &Registry,
    options: &HubOptions,
    ids: &[String],
    printer: &Printer,
) -> Result<Status, CommandError> {
    let bars = Bars::new(printer);
    let all = ids.is_empty();
    let entries = if all { registry.models().iter().collect() } else { find_all(registry, ids)? };
    let (mut good, mut wrong) = (0_usize, Vec::new());
    for entry in entries {
        for (name, verdict) in hub::verify(entry, options, &bars)? {
            let line = match verdict {
                Verdict::Good(path) => {
                    good += 1;
                    format!("{}: {name} is good ({})", entry.id, path.display())
                }
                // Without ids, a model that is not here is none of those to verify.
                Verdict::Missing if all => continue,
                Verdict::Missing => {
                    wrong.push(format!("{}: {name} is not here", entry.id));
                    continue;
                }
                Verdict::Damaged(path, mismatch) => {
                    wrong.push(format!("{}: {} is damaged: {mismatch}", entry.id, path.display()));
                    continue;
                }
            };
            printer.data(format!("{line}\n").as_bytes())?;
        }
    }
    if !wrong.is_empty() {
        let error = CommandError::message(Kind::Model, wrong.join("; "));
        return Err(error.hint("fetch what is missing or damaged anew: mujaz models pull ID"));
    }
    if good == 0 {
        printer.status("No model is here, so there is nothing to verify.");
    }
    Ok(Status::Complete)
}

fn remove(entry: &ModelEntry, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    let freed = hub::remove(entry, options)?;
    printer.status(&if freed == 0 {
        format!("{}: nothing here to remove.", entry.id)
    } else {
        format!("{}: removed, {} freed.", entry.id, size(freed))
    });
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

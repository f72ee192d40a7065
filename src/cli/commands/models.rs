//! `mujaz models`: what there is, and getting, finding, verifying and removing it.

use std::path::PathBuf;

use mujaz::hub::{self, HubOptions, Verdict};
use mujaz::registry::{Choose, ModelEntry, Registry, Task};

use crate::cli::args::{GlobalArgs, ModelsArgs, ModelsCommand};
use crate::cli::models::{hub_options, pull, registry, seen_on, unverified};
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Runs the command.
pub fn run(args: &ModelsArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let registry = registry(global, printer)?;
    let options = hub_options(global)?;
    match &args.command {
        ModelsCommand::List { json } => list(&registry, &options, *json, printer),
        ModelsCommand::Info { id } => info(registry.find(id)?, &options, printer),
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
        let models: Vec<serde_json::Value> =
            registry.models().iter().map(|entry| json_of(entry, options)).collect::<Result<_, _>>()?;
        format!("{:#}\n", serde_json::Value::from(models))
    } else {
        table(registry, options)?
    };
    printer.data(text.as_bytes())?;
    Ok(Status::Complete)
}

/// Returns the size of a model: the registry's, or that of the files here, or none.
fn bytes_of(entry: &ModelEntry, here: Option<&[PathBuf]>) -> Option<u64> {
    let on_disk = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.len());
    entry.bytes().or_else(|| here?.iter().map(on_disk).sum())
}

fn json_of(entry: &ModelEntry, options: &HubOptions) -> Result<serde_json::Value, CommandError> {
    let here = hub::seems_here(entry, options);
    let first_seen = hub::first_seen(entry, options)?.into_iter().map(|(_, seen)| seen).min();
    Ok(serde_json::json!({
        "id": entry.id,
        "title": entry.title,
        "task": entry.task,
        "architecture": entry.architecture,
        "languages": entry.languages,
        "licence": entry.licence,
        "bytes": bytes_of(entry, here.as_deref()),
        "memory_bytes": entry.memory_bytes,
        "draft": entry.draft,
        "choose": entry.choose,
        "verified": entry.is_pinned(),
        "first_seen": first_seen,
        "here": here.is_some(),
        "paths": here.unwrap_or_default(),
    }))
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

fn table(registry: &Registry, options: &HubOptions) -> Result<String, CommandError> {
    let mut rows = vec![["ID", "TASK", "SIZE", "LICENCE", "MEMORY", "STATE"].map(str::to_owned)];
    for entry in registry.models() {
        let here = hub::seems_here(entry, options);
        rows.push([
            entry.id.to_string(),
            tasks(entry),
            size_or_unknown(bytes_of(entry, here.as_deref())),
            entry.licence.name.clone(),
            size(entry.memory_bytes),
            state(entry, here.is_some(), options)?,
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    Ok(rows.iter().fold(String::new(), |mut text, row| {
        let line = row.iter().zip(widths).enumerate().fold(String::new(), |line, (column, (cell, width))| {
            // Sizes stand to the right, so that they can be compared.
            let cell = if column == 2 || column == 4 { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            if line.is_empty() { cell } else { format!("{line}  {cell}") }
        });
        text.push_str(line.trim_end());
        text.push('\n');
        text
    }))
}

/// Prints all that is known of a model, a fact a line.
fn info(entry: &ModelEntry, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    let here = hub::seems_here(entry, options);
    let seen = hub::first_seen(entry, options)?;
    let mut lines = vec![
        format!("{}: {}", entry.id, entry.title),
        format!("does: {}, {}", tasks(entry), entry.languages.join(", ")),
        format!("licence: {} ({}): {}", entry.licence.name, entry.licence.link, entry.licence.asks),
        format!("engine: {}, {} of memory", entry.architecture, size(entry.memory_bytes)),
        format!("state: {}", state(entry, here.is_some(), options)?),
    ];
    if !entry.prefix.is_empty() {
        lines.push(format!("prefix: {:?}", entry.prefix));
    }
    if let (Some(source), Some(target)) = (&entry.source_language, &entry.target_language) {
        lines.push(format!("languages in its vocabulary: {source} to {target}"));
    }
    let generation = serde_json::to_string(&entry.generation).unwrap_or_default();
    if generation.len() > 2 {
        lines.push(format!("generation: {generation}"));
    }
    for file in &entry.files {
        let mut facts: Vec<String> = file.bytes.map(|bytes| format!("{bytes} bytes")).into_iter().collect();
        facts.extend(file.sha256.as_ref().map(|sha256| format!("SHA-256 {sha256}")));
        if !file.is_pinned() {
            let date = seen.iter().find(|(name, _)| *name == file.name).map(|(_, seen)| *seen);
            facts.push(date.map_or_else(|| "unverified".to_owned(), seen_on));
        }
        facts.extend(file.hub.as_ref().map(|hub| format!("{} at {}", hub.repo, hub.revision)));
        if !file.wheels.is_empty() {
            facts.push(format!("{} packages", file.wheels.len()));
        }
        lines.push(format!("file: {}: {}", file.name, facts.join(", ")));
    }
    if !seen.is_empty() {
        lines.push(format!("record: {}", hub::record(entry, options).display()));
    }
    printer.data(format!("{}\n", lines.join("\n")).as_bytes())?;
    Ok(Status::Complete)
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
        // Before anything is read: what is recorded now for the first time was not verified against anything.
        let seen = hub::first_seen(entry, options)?;
        for (name, verdict) in hub::verify(entry, options, &bars)? {
            let line = match verdict {
                Verdict::Good(path) => {
                    good += 1;
                    let pinned = entry.files.iter().any(|file| file.name == name && file.is_pinned());
                    let date = seen.iter().find(|(seen, _)| *seen == name).map(|(_, date)| seen_on(*date));
                    let how = match (pinned, date) {
                        (true, _) => "is good".to_owned(),
                        (false, Some(date)) => format!("is what it was ({date})"),
                        (false, None) => "is recorded as it is now (unverified)".to_owned(),
                    };
                    format!("{}: {name} {how} ({})", entry.id, path.display())
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
    let record = hub::record(entry, options);
    if record.exists() {
        printer.status(&format!("{}: {} still says what its files were.", entry.id, record.display()));
    }
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

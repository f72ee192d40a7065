//! `mujaz models list`: a table for people, JSON for programs.

use std::path::PathBuf;

use mujaz::hub::{self, HubOptions};
use mujaz::registry::{ModelEntry, Registry};

use super::{bytes_of, size, state, tasks};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Status};

/// Runs the command.
pub fn run(registry: &Registry, options: &HubOptions, json: bool, printer: &Printer) -> Result<Status, CommandError> {
    let text = if json {
        let models: Vec<serde_json::Value> =
            registry.models().iter().map(|entry| json_of(entry, options)).collect::<Result<_, _>>()?;
        format!("{:#}\n", serde_json::Value::from(models))
    } else {
        table(registry, options)?
    };
    printer.text(&text)?;
    Ok(Status::Complete)
}

/// Returns all that is known of a model.
pub(super) fn json_of(entry: &ModelEntry, options: &HubOptions) -> Result<serde_json::Value, CommandError> {
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
        "about_bytes": entry.about_bytes,
        "memory_bytes": entry.memory_bytes,
        "draft": entry.draft,
        "choose": entry.choose,
        "scores": entry.scores,
        "verified": entry.is_pinned(),
        "first_seen": first_seen,
        "here": here.is_some(),
        "paths": here.unwrap_or_default(),
    }))
}

/// Writes the size of a model, or about how large its download is.
fn shown_size(entry: &ModelEntry, here: Option<&[PathBuf]>) -> String {
    match (bytes_of(entry, here), entry.about_bytes) {
        (Some(bytes), _) => size(bytes),
        (None, Some(bytes)) => format!("about {}", size(bytes)),
        (None, None) => "unknown".to_owned(),
    }
}

fn table(registry: &Registry, options: &HubOptions) -> Result<String, CommandError> {
    let mut rows = vec![["ID", "TASK", "SIZE", "LICENCE", "MEMORY", "STATE"].map(str::to_owned)];
    for entry in registry.models() {
        let here = hub::seems_here(entry, options);
        rows.push([
            entry.id.to_string(),
            tasks(entry),
            shown_size(entry, here.as_deref()),
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

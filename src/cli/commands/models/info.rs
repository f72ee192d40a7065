//! `mujaz models info`: all that is known of one model.

use mujaz::hub::{self, HubOptions};
use mujaz::registry::Registry;

use super::{size, state, tasks};
use crate::cli::models::seen_on;
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Status};

/// Prints all that is known of a model, a fact a line.
pub fn run(
    registry: &Registry,
    model: &str,
    _json: bool,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    let entry = registry.find(model)?;
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

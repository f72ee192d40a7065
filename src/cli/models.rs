//! What every command that needs a model asks for: the registry, and a model's files.
//!
//! In: global arguments and a model's id. Out: entries and verified files, with the licence said at the first pull.

use std::sync::OnceLock;

use mujaz::hub::{self, HubOptions, ModelFiles};
use mujaz::progress::Progress;
use mujaz::registry::{ModelEntry, Registry};

use super::args::GlobalArgs;
use super::lock::Lock;
use super::printer::Printer;
use super::report::CommandError;

/// Returns the built-in registry with the models of `--registry` added; with `--locked` only what the lock file lets be used.
///
/// # Errors
/// Where one of these files is missing, or not what it should be.
pub fn registry(global: &GlobalArgs, printer: &Printer) -> Result<Registry, CommandError> {
    let registry = known(global, printer)?;
    Ok(match Lock::of(global)? {
        Some(lock) => lock.filter(registry),
        None => registry,
    })
}

/// Returns the built-in registry with the models of `--registry` added, whatever is locked.
///
/// # Errors
/// Where that file is not a registry.
pub fn known(global: &GlobalArgs, printer: &Printer) -> Result<Registry, CommandError> {
    let mut registry = Registry::built_in();
    // Without a folder for models none were added, and whoever needs it says why there is none.
    if let Ok(options) = hub_options(global) {
        let added = hub::added::read(&options);
        let mut wrong = added.unreadable;
        for entry in added.registry.models() {
            // A name of mujaz's own means the same on every machine.
            if registry.find(&entry.id.0).is_ok() {
                let id = &entry.id;
                wrong.push(format!(
                    "{id}: the model added under this id is not used, since mujaz now has one of that id"
                ));
            } else {
                registry.extend(Registry::of([entry.clone()]));
            }
        }
        // Once a run, however often the registry is asked for.
        static SAID: OnceLock<()> = OnceLock::new();
        if SAID.set(()).is_ok() {
            wrong.iter().for_each(|line| printer.warning(line));
        }
    }
    if let Some(path) = &global.registry {
        for id in registry.extend(Registry::open(path)?) {
            printer.detail(&format!("{id}: the entry of {} replaces the built-in one", path.display()));
        }
    }
    Ok(registry)
}

/// Returns how the hub and the caches are to be used.
///
/// # Errors
/// Where the environment names a place or an address that cannot be used.
pub fn hub_options(global: &GlobalArgs) -> Result<HubOptions, CommandError> {
    // One for the whole run: they remember that the hub is out of reach, which is then not found out for every model.
    static OPTIONS: OnceLock<HubOptions> = OnceLock::new();
    if let Some(options) = OPTIONS.get() {
        return Ok(options.clone());
    }
    let mut options = HubOptions::from_env(global.offline)?;
    if let Some(file) = &global.ca_file {
        options.ca_file = Some(file.clone());
    }
    Ok(OPTIONS.get_or_init(|| options).clone())
}

/// Finds a model's files, or fetches them and says first on what terms.
///
/// # Errors
/// Where they are not here and cannot be had.
pub fn pull(
    entry: &ModelEntry,
    options: &HubOptions,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<ModelFiles, CommandError> {
    // Said once it is known that something can be had, and before it is.
    let mut announce = |fetching: &hub::Fetching<'_>| {
        let licence = &fetching.model.licence;
        printer.status(&format!("{} is under {} ({}): {}.", entry.id, licence.name, licence.link, licence.asks));
    };
    Ok(hub::pull_announced(entry, options, progress, &mut announce)?)
}

/// Says since when the files are known whose size or hash the registry does not know; nothing of other models.
///
/// # Errors
/// Where the record of that cannot be read.
pub fn unverified(entry: &ModelEntry, options: &HubOptions) -> Result<Option<String>, CommandError> {
    if entry.is_pinned() {
        return Ok(None);
    }
    let first = hub::first_seen(entry, options)?.into_iter().map(|(_, seen)| seen).min();
    Ok(Some(first.map_or_else(|| "unverified".to_owned(), seen_on)))
}

/// Says when an unverified file was first seen.
pub fn seen_on(time: jiff::Timestamp) -> String {
    format!("unverified: first seen {}", time.strftime("%Y-%m-%d"))
}

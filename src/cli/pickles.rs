//! What the commands do about weights in pickles: when one is read, what is said then, and what is said where one is not.
//!
//! In: registry entries, loaded models, errors of the engine. Out: a policy, lines on standard error, hints. That nothing in
//! a pickle is executed is `mujaz::engine::checkpoint`'s.

use mujaz::engine::Error;
use mujaz::engine::load::{Loaded, Pickles};
use mujaz::registry::ModelEntry;

use super::printer::Printer;
use super::report::{CommandError, Kind};

/// Says whether a model of a registry may be read from pickles: where its entry pins each of them by its SHA-256 (the files
/// were then compared with it), or where the user allows all.
pub fn of_entry(entry: &ModelEntry, by_user: Pickles) -> Pickles {
    let is_pickle = |name: &str| name.starts_with("pytorch_model") && name.ends_with(".bin");
    let mut pickles = entry.files.iter().filter(|file| is_pickle(&file.name)).peekable();
    let pinned = pickles.peek().is_some() && pickles.all(|file| file.sha256.is_some());
    if pinned { Pickles::Allowed } else { by_user }
}

/// Says of each pickle that was read that it was, once.
pub fn say(loaded: &Loaded, printer: &Printer) {
    for path in loaded.pickles() {
        printer.status(&format!("{} is a pickle; it is read as data, nothing in it is executed.", path.display()));
    }
}

/// Makes a command's error of the engine's, with what to do where a model has nothing but a pickle.
pub fn error(error: &Error) -> CommandError {
    let command = CommandError::new(Kind::Model, error);
    match error {
        Error::OnlyPickle { .. } => command
            .hint("take a revision with model.safetensors (on the hub it is often an open pull request, refs/pr/1)")
            .hint("or read it all the same, as data: --allow-pickle"),
        _ => command,
    }
}

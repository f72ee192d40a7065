//! `mujaz models add`: takes a model whose files are on this disk.
//!
//! Of an id that is known the files must be those of its entry. Of any other id the files say what the model is
//! ([`mujaz::engine::inspect`]), and an entry is made of that; taking the files is [`mujaz::hub::adopt`]'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mujaz::engine::inspect::{self, Inspection, card};
use mujaz::engine::load::{ModelPaths, Pickles};
use mujaz::hub::adopt::{self, Adoption, Hashed};
use mujaz::hub::{self, HubOptions};
use mujaz::registry::{self, ModelEntry, Registry, Task};

use super::{in_millions, licence, size, tasks};
use crate::cli::args::{AddArgs, GlobalArgs, TaskArg};
use crate::cli::models::unverified;
use crate::cli::pickles;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Names that mean something else where a model is named.
const RESERVED: [&str; 2] = ["auto", "extractive"];

/// Files by the names that they are offered under.
type Files = BTreeMap<String, PathBuf>;

/// Runs the command.
pub fn run(
    args: &AddArgs,
    registry: &Registry,
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    match registry.find(&args.id) {
        Ok(entry) => known(entry, args, options, printer),
        Err(registry::Error::Unknown { .. }) => new(args, global, options, printer),
        // Known, and not among the locked ones.
        Err(error) => Err(error.into()),
    }
}

/// Takes the files of a model that a registry knows.
fn known(entry: &ModelEntry, args: &AddArgs, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    if !args.task.is_empty() || args.licence.is_some() {
        let message = format!("{} is known: --task and --licence are for new models", entry.id);
        return Err(CommandError::message(Kind::Usage, message));
    }
    let is_added = hub::added::place(options, &entry.id).exists();
    let (offered, ignored) = offered(entry, &args.path)?;
    let adoption = adopt::adopt(entry, &offered, options, &Bars::new(printer)).map_err(|error| {
        let is_other = matches!(error, hub::Error::NotItsFiles { .. });
        let command = CommandError::from(error);
        match (is_other, is_added) {
            (false, _) => command,
            (true, true) => command.hint(format!(
                "another model needs another id; to put this in its place: mujaz models remove {}",
                entry.id
            )),
            (true, false) => command.hint(format!(
                "{} stands for its registry's files; others need a new id: mujaz models add NEW-ID PATH",
                entry.id
            )),
        }
    })?;
    say_ignored(entry, &ignored, printer);
    say(entry, &adoption, printer);
    if let Some(unverified) = unverified(entry, options)? {
        let record = hub::record(entry, options);
        printer.status(&format!(
            "{}: {unverified}; its registry does not know all sizes and hashes, so what was added is recorded in {}.",
            entry.id,
            record.display()
        ));
    }
    Ok(Status::Complete)
}

/// Picks a known model's files out of what was named, and returns the names of the others.
fn offered(entry: &ModelEntry, path: &Path) -> Result<(Files, Vec<String>), CommandError> {
    let usage = |message: String| CommandError::message(Kind::Usage, message);
    let metadata = std::fs::metadata(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
    if metadata.is_dir() {
        let places = entry.files.iter().filter_map(|file| {
            let within = file.hub.as_ref().map(|hub| path.join(&hub.path));
            let place = std::iter::once(path.join(&file.name)).chain(within).find(|place| place.is_file());
            place.map(|place| (file.name.clone(), place))
        });
        let offered: Files = places.collect();
        if offered.is_empty() {
            let names: Vec<&str> = entry.files.iter().map(|file| file.name.as_str()).collect();
            let message = format!("{} holds none of the files of {}: {}", path.display(), entry.id, names.join(", "));
            return Err(CommandError::message(Kind::Model, message));
        }
        let found = ModelPaths::at(path).map_err(|error| pickles::error(&error))?;
        let ignored = found.files.into_iter().filter(|(_, place)| !offered.values().any(|taken| taken == place));
        let ignored = ignored.map(|(name, _)| name).collect();
        return Ok((offered, ignored));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The only file of a model may be called anything: its bytes decide.
    let file = entry.files.iter().find(|file| file.name == name).or(match entry.files.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    match file {
        Some(file) => Ok((Files::from([(file.name.clone(), path.to_owned())]), Vec::new())),
        None => {
            let names: Vec<&str> = entry.files.iter().map(|file| file.name.as_str()).collect();
            let message = format!("{name} is none of the files of {}: {}", entry.id, names.join(", "));
            Err(CommandError::message(Kind::Model, message))
        }
    }
}

/// Takes a model that no registry knows.
fn new(args: &AddArgs, global: &GlobalArgs, options: &HubOptions, printer: &Printer) -> Result<Status, CommandError> {
    if RESERVED.contains(&args.id.as_str()) {
        let message = format!("{:?} means something else where a model is named: choose another id", args.id);
        return Err(CommandError::message(Kind::Usage, message));
    }
    let bad = |error: mujaz::engine::Error| pickles::error(&error);
    if let Err(error) = std::fs::metadata(&args.path) {
        return Err(CommandError::message(Kind::Usage, format!("{}: {error}", args.path.display())));
    }
    let paths = ModelPaths::at(&args.path).map_err(bad)?;
    let allowed = if global.allow_pickle { Pickles::Allowed } else { Pickles::Refused };
    let found = inspect::inspect(&paths, allowed).map_err(bad)?;
    found.usable(&args.path).map_err(bad)?;
    let (files, ignored) = files_of(&paths, &found, &args.id);
    // Before anything is read: an id that is not allowed needs no hashes.
    let nothing = |name: &String| Hashed { name: name.clone(), bytes: 1, sha256: "0".repeat(64) };
    entry(args, &found, files.keys().map(nothing).collect())?;
    let bars = Bars::new(printer);
    let entry = entry(args, &found, adopt::hash(&files, &bars)?)?;
    let adoption = adopt::adopt(&entry, &files, options, &bars)?;
    if let Err(error) = hub::added::write(options, &entry) {
        // Files without an entry would be found by nobody.
        hub::remove(&entry, options, &bars)?;
        return Err(error.into());
    }
    if found.form == inspect::Form::Pickle {
        printer.status(&format!(
            "{}: its weights are a pickle, now pinned by SHA-256; it is read as data, nothing in it is executed.",
            entry.id
        ));
    }
    say_ignored(&entry, &ignored, printer);
    say(&entry, &adoption, printer);
    say_what(&entry, &found, printer);
    Ok(Status::Complete)
}

/// Returns a model's files by the names they are to have, with card and licence, and the names of those left out.
fn files_of(paths: &ModelPaths, found: &Inspection, id: &str) -> (Files, Vec<String>) {
    let mut files = found.files.clone();
    let is_plain = |name: &str| {
        !name.starts_with('.')
            && !name.ends_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
    };
    if let (Some((name, path)), inspect::Form::Gguf) =
        (files.clone().into_iter().find(|(name, _)| !is_plain(name)), found.form)
    {
        // Only the ending of a GGUF file's name matters.
        files.remove(&name);
        files.insert(format!("{id}.gguf"), path);
    }
    let beside = |name: &str| (name == "README.md" || card::is_licence(name)) && is_plain(name);
    let people = paths.files.iter().filter(|(name, path)| beside(name) && is_small(path));
    files.extend(people.map(|(name, path)| (name.clone(), path.clone())));
    let ignored = paths.files.iter().filter(|(_, path)| !files.values().any(|taken| taken == *path));
    let ignored = ignored.map(|(name, _)| name.clone()).collect();
    (files, ignored)
}

/// Whether a file for people is as small as such files are, and not empty.
fn is_small(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| (1..1 << 20).contains(&metadata.len()))
}

/// Makes the entry of a model that no registry knows.
fn entry(args: &AddArgs, found: &Inspection, files: Vec<Hashed>) -> Result<ModelEntry, CommandError> {
    let facts = found.usable(&args.path).map_err(|error| pickles::error(&error))?;
    let task: Vec<Task> = match args.task.as_slice() {
        [] if facts.translates => vec![Task::Translate],
        [] => vec![Task::Summarize],
        named => named
            .iter()
            .map(|task| match task {
                TaskArg::Translate => Task::Translate,
                TaskArg::Summarize => Task::Summarize,
            })
            .collect(),
    };
    let folder = args.path.canonicalize().unwrap_or_else(|_| args.path.clone());
    let folder = folder.file_stem().filter(|_| !args.path.is_dir()).or(folder.file_name()).unwrap_or_default();
    let name = found.name.clone().unwrap_or_else(|| folder.to_string_lossy().into_owned());
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect();
    let link = found.licence_link.as_deref().filter(|_| args.licence.is_none());
    let licence = licence::of(args.licence.as_deref().or(found.licence.as_deref()), link);
    let is_pair = facts.layers.len() > 1;
    let files: Vec<serde_json::Value> = files
        .into_iter()
        .map(|file| serde_json::json!({ "name": file.name, "bytes": file.bytes, "sha256": file.sha256, "by_hand": true }))
        .collect();
    let table = serde_json::json!({
        "id": args.id,
        "title": format!("{name}, added from this disk"),
        "task": task,
        "architecture": found.architecture,
        "languages": found.languages.iter().map(|language| bcp47(language)).collect::<Vec<_>>(),
        "licence": licence,
        "memory_bytes": facts.memory.int8,
        // How good a decoder translates that was not made for it is not known.
        "draft": !is_pair && task.contains(&Task::Translate),
        "choose": "when-named",
        "files": files,
    });
    serde_json::from_value(table).map_err(|error| CommandError::message(Kind::Usage, error.to_string()))
}

/// Writes the codes of the languages that matter here as entries do; others stay as the model's makers write them.
fn bcp47(code: &str) -> &str {
    match code {
        "ara" | "arb" | "arb_Arab" => "ar",
        "eng" | "eng_Latn" => "en",
        other => other,
    }
}

fn say_ignored(entry: &ModelEntry, ignored: &[String], printer: &Printer) {
    // What mujaz itself keeps beside weights is nobody's loss.
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).filter(|name| !name.starts_with('.')).collect();
    if !ignored.is_empty() {
        printer.status(&format!("{}: not taken, as the model does not need it: {}.", entry.id, ignored.join(", ")));
    }
}

fn say(entry: &ModelEntry, adoption: &Adoption, printer: &Printer) {
    if adoption.was_here() {
        printer.status(&format!("{}: already here, and the same; nothing was done.", entry.id));
        return;
    }
    let taken = adoption.files.files.iter().filter(|file| file.fetched);
    let bytes: u64 = taken.map(|file| std::fs::metadata(&file.path).map_or(0, |metadata| metadata.len())).sum();
    let how = match (adoption.cloned, adoption.copied) {
        (cloned, 0) => format!("{cloned} cloned"),
        (0, copied) => format!("{copied} copied"),
        (cloned, copied) => format!("{cloned} cloned, {copied} copied"),
    };
    printer.status(&format!("{}: added and verified ({}; files: {how}).", entry.id, size(bytes)));
}

/// Says what a new model was found to be, and what is not known of it.
fn say_what(entry: &ModelEntry, found: &Inspection, printer: &Printer) {
    let languages = match entry.languages.as_slice() {
        [] => format!("languages {}", licence::UNKNOWN),
        several => several.join(", "),
    };
    printer.status(&format!(
        "{}: {}, {} parameters, does: {}; {languages}; licence {}; about {} of memory.",
        entry.id,
        found.architecture,
        in_millions(found.parameters),
        tasks(entry),
        entry.licence.name,
        size(entry.memory_bytes),
    ));
    let lacks = |code: &str| !entry.languages.is_empty() && !entry.languages.iter().any(|language| language == code);
    if entry.does(Task::Translate) && (lacks("ar") || lacks("en")) {
        printer.status(&format!(
            "{}: its files name the languages {}; mujaz gives it Arabic and expects English.",
            entry.id,
            entry.languages.join(", ")
        ));
    }
}

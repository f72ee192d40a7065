//! `mujaz models info`: all that is known of one model, of a registry or at a path.
//!
//! The facts are gathered once ([`Info`]); text and JSON show the same ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mujaz::engine::inspect::{self, Card, Inspection};
use mujaz::engine::load::{ModelPaths, Pickles};
use mujaz::hub::{self, HubOptions, ModelFiles, adopt};
use mujaz::registry::{
    Choose, GenerationSettings, HubSource, Licence, ModelEntry, ModelFile, Registry, Score, Task, WheelSource,
};
use serde::Serialize;

use super::{in_millions, licence, size, task_name};
use crate::cli::args::GlobalArgs;
use crate::cli::models::seen_on;
use crate::cli::named;
use crate::cli::pickles;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};

/// Lines of a licence's text that are shown; of longer ones the file is named.
const LICENCE_LINES: usize = 40;
/// The longest text of a licence that is read, in bytes.
const LONGEST_LICENCE: u64 = 1 << 18;

/// What is known of a model.
#[derive(Debug, Serialize)]
struct Info {
    /// Its id; none of a path.
    id: Option<String>,
    /// Where it was looked at; none of an id.
    path: Option<PathBuf>,
    title: String,
    task: Vec<Task>,
    draft: bool,
    choose: Option<Choose>,
    architecture: String,
    languages: Vec<String>,
    /// Where its files come from, in words.
    source: Vec<String>,
    licence: Licence,
    licence_file: Option<PathBuf>,
    licence_text: Option<String>,
    here: bool,
    /// Whether all sizes and hashes are the registry's.
    verified: bool,
    first_seen: Option<jiff::Timestamp>,
    /// The file that records what was first seen.
    record: Option<PathBuf>,
    /// What is wrong with the files that are here.
    fault: Option<String>,
    /// Size of all files, as far as it is known.
    bytes: Option<u64>,
    /// About how many bytes a download has, where it is not known.
    about_bytes: Option<u64>,
    bytes_on_disk: Option<u64>,
    /// What a run needs, as the registry says.
    memory_bytes: Option<u64>,
    prefix: Option<String>,
    source_language: Option<String>,
    target_language: Option<String>,
    generation: GenerationSettings,
    scores: Vec<Score>,
    files: Vec<FileInfo>,
    /// What the files themselves say; none where they are not here.
    inspection: Option<Inspection>,
}

/// What is known of a file.
#[derive(Debug, Serialize)]
struct FileInfo {
    name: String,
    bytes: Option<u64>,
    sha256: Option<String>,
    /// Whether the registry pins it.
    pinned: bool,
    first_seen: Option<jiff::Timestamp>,
    hub: Option<HubSource>,
    wheels: Vec<WheelSource>,
    by_hand: bool,
    place: Option<PathBuf>,
}

/// Runs the command.
pub fn run(
    registry: &Registry,
    model: &str,
    json: bool,
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    let allowed = if global.allow_pickle { Pickles::Allowed } else { Pickles::Refused };
    let info = match named::path(model, registry)? {
        Some(path) => of_path(path, allowed, registry, printer)?,
        None => of_entry(registry.find(model)?, allowed, options)?,
    };
    let text = if json {
        let json = serde_json::to_string_pretty(&info).map_err(|error| CommandError::new(Kind::Internal, &error))?;
        format!("{json}\n")
    } else {
        format!("{}\n", lines(&info).join("\n"))
    };
    printer.text(&text)?;
    Ok(Status::Complete)
}

/// Gathers what is known of a model of a registry.
fn of_entry(entry: &ModelEntry, by_user: Pickles, options: &HubOptions) -> Result<Info, CommandError> {
    let (here, mut fault) = match hub::resolve(entry, options) {
        Ok(here) => (here, None),
        Err(error @ hub::Error::Damaged { .. }) => (None, Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let seen = hub::first_seen(entry, options)?;
    let inspection = here.as_ref().and_then(|files| {
        let places = files.files.iter().map(|file| (file.name.clone(), file.path.clone()));
        let paths = ModelPaths::of_files(&entry.id.0, places);
        match inspect::inspect(&paths, pickles::of_entry(entry, by_user)) {
            Ok(found) => Some(found),
            Err(error) => {
                fault = Some(pickles::error(&error).message);
                None
            }
        }
    });
    let files: Vec<FileInfo> = entry.files.iter().map(|file| file_of(file, here.as_ref(), &seen)).collect();
    let on_disk = here.as_ref().map(|_| files.iter().filter_map(|file| file.bytes).sum());
    let named: BTreeMap<String, PathBuf> =
        here.iter().flat_map(|files| &files.files).map(|file| (file.name.clone(), file.path.clone())).collect();
    let licence_file = Card::of(&named).licence_file;
    Ok(Info {
        id: Some(entry.id.0.clone()),
        path: None,
        title: entry.title.clone(),
        task: entry.task.clone(),
        draft: entry.draft,
        choose: Some(entry.choose),
        architecture: entry.architecture.clone(),
        languages: entry.languages.clone(),
        source: sources(entry),
        licence: entry.licence.clone(),
        licence_text: licence_file.as_deref().and_then(text_of),
        licence_file,
        here: here.is_some(),
        verified: entry.is_pinned(),
        first_seen: seen.iter().map(|(_, seen)| *seen).min(),
        record: (!seen.is_empty()).then(|| hub::record(entry, options)),
        fault,
        bytes: entry.bytes().or(on_disk),
        about_bytes: entry.about_bytes,
        bytes_on_disk: on_disk,
        memory_bytes: Some(entry.memory_bytes),
        prefix: Some(entry.prefix.clone()).filter(|prefix| !prefix.is_empty()),
        source_language: entry.source_language.clone(),
        target_language: entry.target_language.clone(),
        generation: entry.generation.clone(),
        scores: entry.scores.clone(),
        files,
        inspection,
    })
}

fn file_of(file: &ModelFile, here: Option<&ModelFiles>, seen: &[(String, jiff::Timestamp)]) -> FileInfo {
    let local = here.and_then(|files| files.named(&file.name));
    let on_disk = local.and_then(|local| std::fs::metadata(&local.path).ok()).map(|metadata| metadata.len());
    FileInfo {
        name: file.name.clone(),
        bytes: file.bytes.or(on_disk),
        sha256: file.sha256.clone().or(local.map(|local| local.sha256.clone())),
        pinned: file.is_pinned(),
        first_seen: seen.iter().find(|(name, _)| *name == file.name).map(|(_, seen)| *seen),
        hub: file.hub.clone(),
        wheels: file.wheels.clone(),
        by_hand: file.by_hand,
        place: local.map(|local| local.path.clone()),
    }
}

/// Says where a model's files come from, each source once, in the order in which they are tried.
fn sources(entry: &ModelEntry) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for file in &entry.files {
        let hub = file.hub.as_ref().map(|hub| {
            let mirrors =
                if hub.mirrors.is_empty() { String::new() } else { format!(", or {}", hub.mirrors.join(", ")) };
            format!("hub {} at {}{mirrors}", hub.repo, hub.revision)
        });
        let packages: Vec<String> =
            file.wheels.iter().map(|wheel| format!("{} {}", wheel.package, wheel.version)).collect();
        let packages = (!packages.is_empty()).then(|| format!("Python packages {}", packages.join(", ")));
        let by_hand = file.by_hand.then(|| "put there by hand: no source is known".to_owned());
        for source in [hub, packages, by_hand].into_iter().flatten() {
            if !said.contains(&source) {
                said.push(source);
            }
        }
    }
    said
}

/// Gathers what is known of a model at a path: what its files say, and whether a registry knows them.
fn of_path(path: &Path, allowed: Pickles, registry: &Registry, printer: &Printer) -> Result<Info, CommandError> {
    let bad = |error: mujaz::engine::Error| pickles::error(&error);
    let paths = ModelPaths::at(path).map_err(bad)?;
    let found = inspect::inspect(&paths, allowed).map_err(bad)?;
    let hashed = adopt::hash(&found.files, &Bars::new(printer))?;
    let known = registry.of_weights(|sha256| hashed.iter().any(|hashed| hashed.sha256 == sha256));
    let facts = found.facts.as_ref();
    let task = match (known, facts) {
        (Some(entry), _) => entry.task.clone(),
        (None, Some(facts)) if facts.translates => vec![Task::Translate],
        (None, Some(_)) => vec![Task::Summarize],
        (None, None) => Vec::new(),
    };
    let licence = match known {
        Some(entry) => entry.licence.clone(),
        None => licence::of(found.licence.as_deref(), found.licence_link.as_deref()),
    };
    let files = hashed.into_iter().map(|hashed| FileInfo {
        place: found.files.get(&hashed.name).cloned(),
        name: hashed.name,
        bytes: Some(hashed.bytes),
        sha256: Some(hashed.sha256),
        pinned: false,
        first_seen: None,
        hub: None,
        wheels: Vec::new(),
        by_hand: false,
    });
    let title = found.name.clone().unwrap_or_else(|| format!("a {} model", found.architecture));
    Ok(Info {
        id: None,
        path: Some(path.to_owned()),
        title: known.map_or(title, |entry| format!("the weights of {}: {}", entry.id, entry.title)),
        task,
        draft: known
            .map_or(facts.is_some_and(|facts| facts.layers.len() == 1 && facts.translates), |entry| entry.draft),
        choose: None,
        architecture: found.architecture.clone(),
        languages: found.languages.clone(),
        source: vec!["this path".to_owned()],
        licence,
        licence_text: found.licence_file.as_deref().and_then(text_of),
        licence_file: found.licence_file.clone(),
        here: true,
        verified: false,
        first_seen: None,
        record: None,
        fault: None,
        bytes: Some(found.bytes),
        about_bytes: None,
        bytes_on_disk: Some(found.bytes),
        memory_bytes: facts.map(|facts| facts.memory.int8),
        prefix: None,
        source_language: None,
        target_language: None,
        generation: GenerationSettings::default(),
        scores: known.map(|entry| entry.scores.clone()).unwrap_or_default(),
        files: files.collect(),
        inspection: Some(found),
    })
}

/// Reads the text of a licence, where it is a text of such a size.
fn text_of(path: &Path) -> Option<String> {
    let bytes = std::fs::metadata(path).ok()?.len();
    (bytes <= LONGEST_LICENCE).then(|| fs_err::read_to_string(path).ok()).flatten()
}

/// Writes the facts for people, a fact a line.
fn lines(info: &Info) -> Vec<String> {
    let name = info.id.clone().or(info.path.as_ref().map(|path| path.display().to_string())).unwrap_or_default();
    let unknown = || licence::UNKNOWN.to_owned();
    let joined = |list: &[String]| if list.is_empty() { unknown() } else { list.join(", ") };
    let mut lines = vec![format!("{name}: {}", info.title)];
    let mut fact = |name: &str, value: String| lines.push(format!("{name}: {value}"));
    let tasks: Vec<String> = info.task.iter().map(|task| task_name(*task).to_owned()).collect();
    let draft = if info.draft { " (drafts only)" } else { "" };
    let chosen = if info.choose == Some(Choose::WhenNamed) { "; only when it is named" } else { "" };
    fact("does", format!("{}{draft}{chosen}", joined(&tasks)));
    fact("languages", joined(&info.languages));
    for source in &info.source {
        fact("source", source.clone());
    }
    fact(
        "licence",
        match &info.licence {
            Licence { name, .. } if name == licence::UNKNOWN => unknown(),
            Licence { name, link, asks } => format!("{name} ({link}): {asks}"),
        },
    );
    fact("state", state(info));
    if let Some(fault) = &info.fault {
        fact("wrong", fault.clone());
    }
    fact(
        "size",
        match (info.bytes_on_disk, info.bytes, info.about_bytes) {
            (Some(bytes), ..) => format!("{} on this disk ({bytes} bytes)", size(bytes)),
            (None, Some(bytes), _) => format!("{} to fetch ({bytes} bytes)", size(bytes)),
            (None, None, Some(bytes)) => format!("about {} to fetch", size(bytes)),
            (None, None, None) => unknown(),
        },
    );
    fact("memory", info.memory_bytes.map_or_else(unknown, |bytes| format!("about {} for a run", size(bytes))));
    fact("architecture", info.architecture.clone());
    if let Some(found) = &info.inspection {
        inspected(found, &mut fact);
    }
    if let Some(prefix) = &info.prefix {
        fact("prefix", format!("{prefix:?}"));
    }
    if let (Some(source), Some(target)) = (&info.source_language, &info.target_language) {
        fact("languages in its vocabulary", format!("{source} to {target}"));
    }
    if !info.generation.is_empty() {
        fact("generation", serde_json::to_string(&info.generation).unwrap_or_default());
    }
    for Score { set, metric, value, link } in &info.scores {
        fact("score", format!("{metric} {value} on {set} ({link})"));
    }
    for file in &info.files {
        fact("file", file_line(file));
    }
    if let Some(record) = &info.record {
        fact("record", record.display().to_string());
    }
    if let (Some(file), Some(text)) = (&info.licence_file, &info.licence_text) {
        fact("licence text", file.display().to_string());
        let (all, text) = (text.lines().count(), text.lines().take(LICENCE_LINES));
        lines.extend(text.map(|line| format!("  {line}").trim_end().to_owned()));
        if all > LICENCE_LINES {
            lines.push(format!("  ({} more lines in that file)", all - LICENCE_LINES));
        }
    }
    lines
}

fn state(info: &Info) -> String {
    let here = match (info.here, &info.fault) {
        (true, _) => "here",
        (false, Some(_)) => "damaged",
        (false, None) => "not here",
    };
    match (&info.id, info.verified, info.first_seen) {
        (None, ..) => "here, known to no registry by its path".to_owned(),
        (Some(_), true, _) if info.here => format!("{here}, verified"),
        (Some(_), true, _) => here.to_owned(),
        (Some(_), false, Some(seen)) => format!("{here}, {}", seen_on(seen)),
        (Some(_), false, None) => format!("{here}, unverified"),
    }
}

/// Says what a model's own files say of it.
fn inspected(found: &Inspection, fact: &mut impl FnMut(&str, String)) {
    let kinds: Vec<String> =
        found.dtypes.iter().map(|(kind, numbers)| format!("{kind} {}", in_millions(*numbers))).collect();
    let kinds = kinds.join(", ");
    fact("weights", format!("{} parameters in {} tensors ({kinds})", in_millions(found.parameters), found.tensors));
    let Some(facts) = &found.facts else {
        fact("engine", format!("none here (there are: {})", mujaz::engine::load::architectures()));
        return;
    };
    let layers = match facts.layers.as_slice() {
        [encoder, decoder] => format!("{encoder} in the encoder, {decoder} in the decoder"),
        other => other.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    fact("layers", format!("{layers}; {} wide (d_model)", facts.d_model));
    fact("positions", facts.max_positions.map_or_else(|| "any number".to_owned(), |most| format!("{most} at most")));
    let carried = facts.tokenizer.as_deref().unwrap_or("none: it cannot be used");
    fact("tokenizer", format!("{carried}; {} tokens", facts.vocabulary));
    let (int8, exact) = (size(facts.memory.int8), size(facts.memory.f32));
    fact("memory by its files", format!("about {int8} in int8, {exact} in f32"));
}

fn file_line(file: &FileInfo) -> String {
    let mut facts: Vec<String> = Vec::new();
    if !file.pinned {
        facts.extend(file.first_seen.map(seen_on));
        if file.first_seen.is_none() && file.hub.is_some() {
            facts.push("unverified".to_owned());
        }
    }
    facts.extend(file.bytes.map(|bytes| format!("{bytes} bytes")));
    facts.extend(file.sha256.as_ref().map(|sha256| format!("SHA-256 {sha256}")));
    facts.extend(file.place.as_ref().map(|place| place.display().to_string()));
    format!("{}: {}", file.name, facts.join(", "))
}

//! `mujaz models lock`: writes the lock file, and compares it with what is here.

use std::path::Path;

use mujaz::engine::load::ModelPaths;
use mujaz::hub::{self, HubOptions, Verdict};
use mujaz::progress::Progress;
use mujaz::registry::{Lock, LockedFile, LockedModel, ModelEntry, Registry};

use crate::cli::args::{GlobalArgs, LockArgs};
use crate::cli::lock::{self, differences, label};
use crate::cli::named;
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};
use crate::cli::work::counted;

/// Runs the command.
pub fn run(
    args: &LockArgs,
    registry: &Registry,
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    if global.locked {
        let message = "--locked keeps to the lock file, which models lock writes and compares without it";
        return Err(CommandError::message(Kind::Usage, message));
    }
    let bars = Bars::new(printer);
    if args.check {
        check(args, registry, global, options, printer, &bars)
    } else {
        write(args, registry, global, options, printer)
    }
}

/// Writes the lock file.
fn write(
    args: &LockArgs,
    registry: &Registry,
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
) -> Result<Status, CommandError> {
    let mut models = Vec::new();
    if args.models.is_empty() {
        for entry in registry.models().iter().filter(|entry| hub::seems_here(entry, options).is_some()) {
            models.extend(of_entry(entry, options)?);
        }
        if models.is_empty() {
            let error = CommandError::message(Kind::Model, "no model is here, so there is nothing to lock");
            return Err(error.hint("get one first: mujaz models pull ID"));
        }
    }
    for typed in &args.models {
        if let Some(path) = named::path(typed, registry)? {
            models.push(of_path(path, registry, &global.lock_file)?);
            continue;
        }
        let entry = registry.find(typed)?;
        models.push(of_entry(entry, options)?.ok_or_else(|| {
            let error = CommandError::message(Kind::Model, format!("model {} is not here", entry.id));
            error.hint(format!("get it first: mujaz models pull {}", entry.id))
        })?);
    }
    let lock = Lock::of(models);
    let text = lock.to_toml().map_err(|error| CommandError::new(Kind::Internal, &error))?;
    let path = &global.lock_file;
    // What an unreadable lock held is not known; it is replaced.
    let before = Lock::open(path).map(|lock| lock.models().to_vec()).unwrap_or_default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(CommandError::message(Kind::Usage, format!("{}: is no name for a file", path.display())));
    };
    output::write_changed(folder, name, text.as_bytes())?;
    for model in lock.models() {
        printer.status(&format!(
            "{}: locked ({}, {}).",
            model.label(),
            counted(model.file.len(), "file"),
            model.licence
        ));
    }
    let label = |model: &LockedModel| model.label().to_owned();
    let now: Vec<String> = lock.models().iter().map(label).collect();
    for gone in before.iter().map(label).filter(|before| !now.contains(before)) {
        printer.warning(&format!("{gone} was locked in {} and no longer is.", path.display()));
    }
    printer.status(&format!("{}: written; --locked uses nothing else.", path.display()));
    Ok(Status::Complete)
}

/// Locks a model of the registry as it is here; none where it is not.
fn of_entry(entry: &ModelEntry, options: &HubOptions) -> Result<Option<LockedModel>, CommandError> {
    let Some(files) = hub::resolve(entry, options)? else { return Ok(None) };
    let mut file = Vec::with_capacity(files.files.len());
    for local in files.files {
        let bytes = fs_err::metadata(&local.path)?.len();
        file.push(LockedFile { name: local.name, bytes, sha256: local.sha256 });
    }
    Ok(Some(LockedModel { file, ..facts(entry) }))
}

/// Returns what the registry says of a model, without files.
fn facts(entry: &ModelEntry) -> LockedModel {
    let hub = entry.files.iter().find_map(|file| file.hub.as_ref());
    LockedModel {
        id: Some(entry.id.clone()),
        path: None,
        architecture: entry.architecture.clone(),
        licence: entry.licence.name.clone(),
        repo: hub.map(|hub| hub.repo.clone()),
        revision: hub.map(|hub| hub.revision.clone()),
        file: Vec::new(),
    }
}

/// Locks a checkpoint folder or a GGUF file.
fn of_path(path: &Path, registry: &Registry, lock_file: &Path) -> Result<LockedModel, CommandError> {
    let broken = |error: mujaz::engine::Error| CommandError::new(Kind::Model, &error);
    let paths = ModelPaths::at(path).map_err(broken)?;
    let Some(architecture) = paths.architecture().map_err(broken)? else {
        let label = paths.label.display();
        let message =
            format!("{label}: no model: neither config.json nor the GGUF file says which architecture it has");
        return Err(CommandError::message(Kind::Model, message));
    };
    let deciding = paths.deciding(None).map_err(broken)?;
    let known = registry.of_weights(|sha256| deciding.values().any(|(_, own)| own == sha256));
    let licence = known.map(|entry| entry.licence.name.clone());
    Ok(LockedModel {
        id: None,
        path: Some(label(path, lock_file)?),
        architecture,
        licence: licence.unwrap_or_else(|| "not known to mujaz".to_owned()),
        repo: None,
        revision: None,
        file: deciding.into_iter().map(|(name, (bytes, sha256))| LockedFile { name, bytes, sha256 }).collect(),
    })
}

/// Compares the lock file with what is here, byte by byte; prints one difference a line.
fn check(
    args: &LockArgs,
    registry: &Registry,
    global: &GlobalArgs,
    options: &HubOptions,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<Status, CommandError> {
    let lock_file = &global.lock_file;
    let lock = lock::Lock::read(lock_file)?;
    let mut wanted = Vec::new();
    let mut wrong = Vec::new();
    for typed in &args.models {
        let name = if named::is_path(typed, registry) { label(Path::new(typed), lock_file)? } else { typed.clone() };
        match lock.models().iter().find(|model| model.label() == name) {
            Some(model) => wanted.push(model),
            None => wrong.push(format!("{name}: is not locked")),
        }
    }
    if args.models.is_empty() {
        wanted.extend(lock.models());
    }
    let filtered = lock.filter(registry.clone());
    for &model in &wanted {
        let found = match &model.id {
            Some(id) => match filtered.find(&id.0) {
                Ok(entry) => of_locked(model, entry, options, progress)?,
                Err(refused) => vec![refused.to_string()],
            },
            None => match ModelPaths::at(&lock::place(model.label(), lock_file)) {
                Ok(paths) => {
                    let facts = paths.deciding(None).map_err(|error| CommandError::new(Kind::Model, &error))?;
                    differences(model, &facts)
                }
                Err(error) => vec![error.to_string()],
            },
        };
        wrong.extend(found.into_iter().map(|difference| format!("{}: {difference}", model.label())));
    }
    if wrong.is_empty() {
        printer.status(&format!("{}: all as locked ({}).", lock_file.display(), counted(wanted.len(), "model")));
        return Ok(Status::Complete);
    }
    for line in &wrong {
        printer.data(format!("{line}\n").as_bytes())?;
    }
    let message = format!("{}: what is here differs from it in {} places", lock_file.display(), wrong.len());
    Err(CommandError::message(Kind::Model, message)
        .hint("to get what is locked and missing: mujaz models pull --locked")
        .hint("to accept what is here: mujaz models lock"))
}

/// Says what differs between a locked model of the registry, what the registry says of it, and its files.
fn of_locked(
    model: &LockedModel,
    entry: &ModelEntry,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Vec<String>, CommandError> {
    let now = facts(entry);
    let in_words = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let fields = [
        ("architecture", model.architecture.clone(), now.architecture),
        ("licence", model.licence.clone(), now.licence),
        ("repository", in_words(&model.repo), in_words(&now.repo)),
        ("revision", in_words(&model.revision), in_words(&now.revision)),
    ];
    let changed = fields.into_iter().filter(|(_, locked, now)| locked != now);
    let mut found: Vec<String> =
        changed.map(|(field, locked, now)| format!("{field}: expected {locked}, got {now} by the registry")).collect();
    for (name, verdict) in hub::verify(entry, options, progress)? {
        match verdict {
            Verdict::Good(_) => {}
            Verdict::Missing => found.push(format!("{name} is not here")),
            Verdict::Damaged(path, mismatch) => found.push(format!("{}: {mismatch}", path.display())),
        }
    }
    Ok(found)
}

//! The models of a run, each loaded once and only when something needs it.
//!
//! In: what was typed for `--translator`, `--summarizer` and `--precision`. Out: loaded models with what notes say about
//! them. What is typed is an id of the registry, or a path: a checkpoint folder or a GGUF file.

use std::path::{Path, PathBuf};

use mujaz::briefing::ModelLine;
use mujaz::engine::load::{self, LoadOptions, Loaded, ModelPaths, Precision};
use mujaz::engine::seq2seq::{Direction, Overrides};
use mujaz::glossary::Glossary;
use mujaz::hub::{self, ModelFiles};
use mujaz::pipeline::{Article, Models, Wanted};
use mujaz::progress::Progress;
use mujaz::registry::{ModelEntry, Registry, Task};
use mujaz::summary::Writer;

use super::args::{GlobalArgs, ModelArgs, PrecisionArg, TranslatorArgs};
use super::lock::Lock;
use super::models;
use super::printer::Printer;
use super::report::{CommandError, Kind};

/// The name by which the best model is chosen.
const AUTO: &str = "auto";
/// The name by which no model is chosen for the bullets.
const EXTRACTIVE: &str = "extractive";

impl From<PrecisionArg> for Precision {
    fn from(typed: PrecisionArg) -> Self {
        match typed {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::Int8 => Self::Int8,
        }
    }
}

/// What was typed.
#[derive(Debug, Clone)]
pub struct Choice {
    translator: Option<String>,
    writer: Option<String>,
    precision: Precision,
}

impl Choice {
    /// Takes the arguments of a command that needs a translator only.
    pub fn of_translator(args: &TranslatorArgs) -> Self {
        let translator = Some(args.translator.clone()).filter(|typed| typed != AUTO);
        Self { translator, writer: None, precision: args.precision.into() }
    }

    /// Takes the arguments of a command that writes bullets too.
    pub fn of(args: &ModelArgs) -> Self {
        let writer = Some(args.summarizer.clone()).filter(|id| id != EXTRACTIVE);
        Self { writer, ..Self::of_translator(&args.translator) }
    }
}

/// A model that was named.
#[derive(Debug, Clone)]
enum Named {
    Entry(Box<ModelEntry>),
    Path(PathBuf),
}

impl Named {
    /// Makes out what is meant: what holds a path separator is a path; else an id comes before a folder or file of that name.
    fn new(typed: &str, task: Task, registry: &Registry) -> Result<Self, CommandError> {
        let path = Path::new(typed);
        if typed.contains('/') || typed.contains(std::path::MAIN_SEPARATOR) {
            if path.exists() {
                return Ok(Self::Path(path.to_owned()));
            }
            let message = format!("{typed}: there is no such checkpoint folder or GGUF file");
            return Err(CommandError::message(Kind::Usage, message));
        }
        let is_model = path.is_dir() || (typed.ends_with(".gguf") && path.is_file());
        match registry.find(typed) {
            Ok(entry) if entry.does(task) => Ok(Self::Entry(Box::new(entry.clone()))),
            Ok(entry) => {
                let verb = match task {
                    Task::Translate => "translate",
                    Task::Summarize => "summarize",
                };
                let message = format!("{} does not {verb}; `mujaz models list` shows what each model does", entry.id);
                Err(CommandError::message(Kind::Usage, message))
            }
            Err(_) if is_model => Ok(Self::Path(path.to_owned())),
            Err(error) => Err(error.into()),
        }
    }
}

/// A model that is loaded.
pub struct Member {
    /// The model.
    pub loaded: Loaded,
    /// What notes say about it.
    pub line: ModelLine,
    /// Why its translations are drafts; none where they are not.
    pub draft: Option<String>,
}

impl Member {
    /// Returns the model as one that writes in a summary: a decoder words bullets, an encoder-decoder sums the article up.
    fn writer(&mut self) -> Writer<'_> {
        match &mut self.loaded {
            Loaded::Decoder(engine) => Writer::Bullets(engine.as_mut()),
            Loaded::EncoderDecoder { engine, .. } => Writer::Whole(engine.as_mut()),
        }
    }
}

/// The models of a run: an English article needs no translator.
pub struct Crew<'g> {
    global: &'g GlobalArgs,
    printer: &'g Printer,
    options: LoadOptions,
    /// The translator that was chosen; none for the best that can be had.
    chosen: Option<Named>,
    /// The writer that was chosen; none for bullets from the translation.
    wanted_writer: Option<Named>,
    translator: Option<Member>,
    writer: Option<Member>,
}

impl<'g> Crew<'g> {
    /// Takes what was typed; nothing is fetched or loaded yet.
    ///
    /// # Errors
    /// Where no model has that id or path, or it does other work.
    pub fn new(choice: Choice, global: &'g GlobalArgs, printer: &'g Printer) -> Result<Self, CommandError> {
        let registry = models::registry(global, printer)?;
        let named = |typed: Option<String>, task| typed.map(|typed| Named::new(&typed, task, &registry)).transpose();
        let (chosen, wanted_writer) =
            (named(choice.translator, Task::Translate)?, named(choice.writer, Task::Summarize)?);
        let options = load_options(choice.precision, global);
        Ok(Self { global, printer, options, chosen, wanted_writer, translator: None, writer: None })
    }

    /// Makes sure that the translator is loaded; finds it, and fetches it where that is allowed.
    ///
    /// # Errors
    /// Where it cannot be had or is broken.
    pub fn ready_translator(&mut self, progress: &dyn Progress) -> Result<(), CommandError> {
        self.translator(progress).map(|_| ())
    }

    /// Returns the translator, loaded first where it is not.
    ///
    /// # Errors
    /// As [`Crew::ready_translator`].
    pub fn translator(&mut self, progress: &dyn Progress) -> Result<&mut Member, CommandError> {
        let Self { global, printer, options, chosen, translator, .. } = self;
        ready(translator, || {
            let mut member = match chosen {
                Some(named) => member(named, "translation", options, global, printer, progress)?,
                None => {
                    let (entry, files) = best_translator(global, printer, progress)?;
                    of_entry(&entry, &files, "translation", false, options, global)?
                }
            };
            if let Some(stored) = member.loaded.stored() {
                printer.detail(&stored.to_string());
            }
            member.loaded.engine().avoid_names(&Glossary::builtin().english_names());
            Ok(member)
        })
    }

    /// Lends the pipeline the models that an article needs; finds, fetches where that is allowed, and loads them first.
    ///
    /// # Errors
    /// Where a model cannot be had or is broken.
    pub fn models(
        &mut self,
        article: &Article,
        wanted: Wanted,
        progress: &dyn Progress,
    ) -> Result<Models<'_>, CommandError> {
        let mut lent = Models { translator: None, writer: None, lines: Vec::new(), draft: None };
        if article.needs_translator() {
            self.ready_translator(progress)?;
        }
        let Self { global, printer, options, wanted_writer, translator, writer, .. } = self;
        if let Some(member) = translator.as_mut().filter(|_| article.needs_translator()) {
            lent.lines.push(member.line.clone());
            lent.draft.clone_from(&member.draft);
            lent.translator = Some(member.loaded.engine());
        }
        if let Some(named) = wanted_writer.as_ref().filter(|_| wanted == Wanted::Summary) {
            let member = ready(writer, || member(named, "summary", options, global, printer, progress))?;
            lent.lines.push(member.line.clone());
            lent.writer = Some(member.writer());
        }
        Ok(lent)
    }
}

/// Returns what is there, made first where it is not.
fn ready(
    slot: &mut Option<Member>,
    make: impl FnOnce() -> Result<Member, CommandError>,
) -> Result<&mut Member, CommandError> {
    match slot {
        Some(member) => Ok(member),
        None => Ok(slot.insert(make()?)),
    }
}

/// Loads a model that was named.
fn member(
    named: &Named,
    role: &str,
    options: &LoadOptions,
    global: &GlobalArgs,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<Member, CommandError> {
    match named {
        Named::Entry(entry) => {
            let files = models::pull(entry, &models::hub_options(global)?, printer, progress)?;
            of_entry(entry, &files, role, true, options, global)
        }
        // Settings come from any model of the same bytes, whatever is locked.
        Named::Path(path) => of_path(path, role, options, global, &models::known(global, printer)?),
    }
}

/// Loads a model of the registry.
///
/// # Errors
/// Where its files are broken, or there is no engine for it.
fn of_entry(
    entry: &ModelEntry,
    files: &ModelFiles,
    role: &str,
    chosen: bool,
    options: &LoadOptions,
    global: &GlobalArgs,
) -> Result<Member, CommandError> {
    let mut loaded = load_entry(entry, files, options)?;
    // The hashes too: a registry may give an id other files of the same revision.
    let hub = entry.files.first().and_then(|file| file.hub.as_ref()).map(|hub| hub.revision.clone());
    let hashes = files.files.iter().map(|file| format!("sha256:{}", file.sha256));
    let unverified = models::unverified(entry, &models::hub_options(global)?)?;
    let line = ModelLine {
        id: entry.id.0.clone(),
        revision: hub.into_iter().chain(hashes).collect::<Vec<_>>().join(" "),
        role: role.into(),
        licence: entry.licence.name.clone(),
        decoding: loaded.engine().fingerprint().decoding,
        unverified,
    };
    let revision = files.gguf().map_or(line.revision.as_str(), |file| file.sha256.as_str());
    loaded.engine().identify(&line.id, revision);
    let draft = (entry.draft && role == "translation").then(|| draft(&entry.id.0, chosen));
    Ok(Member { loaded, line, draft })
}

/// Says how models are loaded. What is kept of them on disk lies in our own folder, under a name that no model's id has.
pub fn load_options(precision: Precision, global: &GlobalArgs) -> LoadOptions {
    // Without such a folder nothing is kept, and whoever needs it says why there is none.
    let cache = models::hub_options(global).ok().map(|options| options.own_cache.join("_packed"));
    LoadOptions { precision, cache, ..LoadOptions::default() }
}

/// Loads the files of a registry entry.
///
/// # Errors
/// Where they are broken, or there is no engine for them.
pub fn load_entry(entry: &ModelEntry, files: &ModelFiles, options: &LoadOptions) -> Result<Loaded, CommandError> {
    let places = files.files.iter().map(|file| (file.name.clone(), file.path.clone()));
    // In the model's own folder, with which it is removed.
    let cache = options.cache.as_ref().map(|folder| folder.with_file_name(&entry.id.0));
    let options = LoadOptions { cache, ..with_settings_of(entry, options) };
    load::open(&ModelPaths::of_files(&entry.id.0, places), &options).map_err(|error| {
        CommandError::new(Kind::Model, &error).hint(format!("check its files: mujaz models verify {}", entry.id))
    })
}

/// Adds what the registry says of a model's languages and decoding.
fn with_settings_of(entry: &ModelEntry, options: &LoadOptions) -> LoadOptions {
    let prefix = Some(entry.prefix.clone()).filter(|prefix| !prefix.is_empty());
    let (source, target) = (entry.source_language.clone(), entry.target_language.clone());
    let settings = &entry.generation;
    let generation = Overrides {
        num_beams: settings.num_beams,
        length_penalty: settings.length_penalty,
        no_repeat_ngram_size: settings.no_repeat_ngram_size,
        max_length: settings.max_length,
    };
    LoadOptions { direction: Direction { source, target, prefix }, generation, ..options.clone() }
}

/// Loads a checkpoint folder or a GGUF file.
fn of_path(
    path: &Path,
    role: &str,
    options: &LoadOptions,
    global: &GlobalArgs,
    registry: &Registry,
) -> Result<Member, CommandError> {
    let broken = |error: mujaz::engine::Error| CommandError::new(Kind::Model, &error);
    let paths = ModelPaths::at(path).map_err(broken)?;
    if let Some(lock) = Lock::of(global)? {
        lock.check_path(&paths, options.cache.as_deref())?;
    }
    let revision = paths.fingerprint(options.cache.as_deref()).map_err(broken)?;
    // The same bytes are the same model, wherever they lie.
    let is_of = |sha256: &str| sha256.len() == 64 && revision.contains(sha256);
    let is_known = |entry: &&ModelEntry| entry.files.iter().any(|file| file.sha256.as_deref().is_some_and(is_of));
    let known = registry.models().iter().find(is_known);
    let settings = known.map_or_else(|| options.clone(), |entry| with_settings_of(entry, options));
    let mut loaded = load::open(&paths, &settings).map_err(broken)?;
    let id = path.display().to_string();
    loaded.engine().identify(&id, &revision);
    let draft = known.filter(|entry| entry.draft && role == "translation").map(|_| draft(&id, true));
    let licence = known.map_or_else(|| "not known to mujaz".to_owned(), |entry| entry.licence.name.clone());
    let decoding = loaded.engine().fingerprint().decoding;
    Ok(Member {
        loaded,
        line: ModelLine { id, revision, role: role.into(), licence, decoding, unverified: None },
        draft,
    })
}

/// Takes the best translator that can be had: models that are no drafts first, in the registry's order. Says so where a
/// better one would do the work if it were here.
///
/// # Errors
/// Where none can be had.
pub fn best_translator(
    global: &GlobalArgs,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<(ModelEntry, ModelFiles), CommandError> {
    let registry = models::registry(global, printer)?;
    let candidates: Vec<&ModelEntry> =
        registry.translators().into_iter().filter(|entry| load::runs(&entry.architecture)).collect();
    let options = models::hub_options(global)?;
    let mut missed: Option<(&ModelEntry, CommandError)> = None;
    for &entry in &candidates {
        match models::pull(entry, &options, printer, progress) {
            Ok(files) => {
                if let Some((better, error)) = missed {
                    progress.notice(&format!(
                        "{} translates better, but is not here and could not be fetched ({}): {} is used; \
                         `mujaz models pull {}` gets the better one",
                        better.id, error.message, entry.id, better.id
                    ));
                }
                return Ok((entry.clone(), files));
            }
            Err(error) if error.kind == Kind::Model => {
                printer.detail(&format!("{} cannot be had: {}", entry.id, error.message));
                missed = Some(missed.unwrap_or((entry, error)));
            }
            Err(error) => return Err(error),
        }
    }
    // One that is here and damaged is what stands in the way, whichever would have been better.
    let damaged = candidates.iter().find_map(|entry| match hub::resolve(entry, &options) {
        Err(error @ hub::Error::Damaged { .. }) => Some(CommandError::from(error)),
        _ => None,
    });
    let nothing = || {
        let whose = if global.locked { global.lock_file.display().to_string() } else { "the registry".to_owned() };
        CommandError::message(Kind::Model, format!("{whose} has no model that translates and may be chosen unnamed"))
    };
    Err(damaged.or(missed.map(|(_, error)| error)).unwrap_or_else(nothing))
}

fn draft(model: &str, chosen: bool) -> String {
    let why = if chosen { "was chosen" } else { "is the best translator that could be had here" };
    format!(
        "translated by the small model {model}, which {why}; sentences can be wrong even where no check found fault, so \
         compare with the Arabic before relying on any of this"
    )
}

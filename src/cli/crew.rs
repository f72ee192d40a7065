//! The models of a run, each loaded once and only when something needs it.
//!
//! In: what was typed for `--translator`, `--summarizer` and `--precision`. Out: loaded models with what notes say about
//! them. What is typed is an id of the registry, or a path: a checkpoint folder or a GGUF file.

use std::path::{Path, PathBuf};

use mujaz::briefing::ModelLine;
use mujaz::engine::load::{self, LoadOptions, Loaded, ModelPaths, Pickles, Precision};
use mujaz::engine::seq2seq::{Direction, Overrides};
use mujaz::glossary::Glossary;
use mujaz::hub::{HubOptions, ModelFiles};
use mujaz::pipeline::{Article, Models, Wanted};
use mujaz::progress::Progress;
use mujaz::registry::{ModelEntry, Registry, Task};
use mujaz::summary::Writer;

use super::args::{GlobalArgs, ModelArgs, PrecisionArg, PullArgs, TranslatorArgs};
use super::choose::{self, Means};
use super::lock::Lock;
use super::models;
use super::named;
use super::pickles;
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
    translator: String,
    writer: String,
    precision: Precision,
    pull: PullArgs,
}

impl Choice {
    /// Takes the arguments of a command that needs a translator only.
    pub fn of_translator(args: &TranslatorArgs) -> Self {
        let (translator, writer) = (args.translator.clone(), EXTRACTIVE.to_owned());
        Self { translator, writer, precision: args.precision.into(), pull: args.pull }
    }

    /// Takes the arguments of a command that writes bullets too.
    pub fn of(args: &ModelArgs) -> Self {
        Self { writer: args.summarizer.clone(), ..Self::of_translator(&args.translator) }
    }
}

/// A model that was named.
#[derive(Debug, Clone)]
enum Named {
    Entry(Box<ModelEntry>),
    Path(PathBuf),
}

impl Named {
    /// Makes out what is meant.
    fn new(typed: &str, task: Task, registry: &Registry) -> Result<Self, CommandError> {
        if let Some(path) = named::path(typed, registry)? {
            return Ok(Self::Path(path.to_owned()));
        }
        let entry = registry.find(typed)?;
        if entry.does(task) {
            return Ok(Self::Entry(Box::new(entry.clone())));
        }
        let verb = match task {
            Task::Translate => "translate",
            Task::Summarize => "summarize",
        };
        let message = format!("{} does not {verb}; `mujaz models list` shows what each model does", entry.id);
        Err(CommandError::message(Kind::Usage, message))
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
    /// Memory that it needs, in bytes; 0 where that is not known.
    pub memory_bytes: u64,
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

/// Where the bullets' words come from.
#[derive(Debug, Clone)]
enum Wording {
    /// The translation's own sentences.
    Extractive,
    /// The best model that is here, or the translation's own sentences.
    Auto,
    /// A model that was named.
    Named(Named),
}

/// The models of a run: an English article needs no translator.
pub struct Crew<'g> {
    global: &'g GlobalArgs,
    printer: &'g Printer,
    options: LoadOptions,
    /// The translator that was chosen; none for the best that can be had.
    chosen: Option<Named>,
    /// The writer that was chosen.
    wording: Wording,
    pull: PullArgs,
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
        let chosen = match choice.translator.as_str() {
            AUTO => None,
            typed => Some(Named::new(typed, Task::Translate, &registry)?),
        };
        let wording = match choice.writer.as_str() {
            EXTRACTIVE => Wording::Extractive,
            AUTO => Wording::Auto,
            typed => Wording::Named(Named::new(typed, Task::Summarize, &registry)?),
        };
        let options = load_options(choice.precision, global);
        Ok(Self { global, printer, options, chosen, wording, pull: choice.pull, translator: None, writer: None })
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
        let Self { global, printer, options, chosen, translator, pull, .. } = self;
        let means = Means { global, pull: *pull, printer, progress };
        ready(translator, || {
            let mut member = match chosen {
                Some(named) => member(named, "translation", options, means)?,
                None => {
                    let (entry, files) = choose::best_translator(means)?;
                    of_entry(&entry, &files, "translation", false, options, global)?
                }
            };
            pickles::say(&member.loaded, printer);
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
        let Self { global, printer, options, wording, translator, writer, pull, .. } = self;
        let mut translator_bytes = 0;
        if let Some(member) = translator.as_mut().filter(|_| article.needs_translator()) {
            translator_bytes = member.memory_bytes;
            lent.lines.push(member.line.clone());
            lent.draft.clone_from(&member.draft);
            lent.translator = Some(member.loaded.engine());
        }
        if wanted != Wanted::Summary {
            return Ok(lent);
        }
        let means = Means { global, pull: *pull, printer, progress };
        if writer.is_none() && matches!(wording, Wording::Auto) {
            match choose::best_summarizer(translator_bytes, means)? {
                Some((entry, files)) => *writer = Some(of_entry(&entry, &files, "summary", false, options, global)?),
                // The answer holds for the whole run.
                None => *wording = Wording::Extractive,
            }
        }
        let member = match wording {
            Wording::Extractive => return Ok(lent),
            Wording::Auto => writer.as_mut(),
            Wording::Named(named) => Some(ready(writer, || {
                let member = member(named, "summary", options, means)?;
                pickles::say(&member.loaded, printer);
                Ok(member)
            })?),
        };
        if let Some(member) = member {
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
fn member(named: &Named, role: &str, options: &LoadOptions, means: Means<'_>) -> Result<Member, CommandError> {
    match named {
        Named::Entry(entry) => {
            let files = choose::obtain(entry, means)?;
            of_entry(entry, &files, role, true, options, means.global)
        }
        // Settings come from any model of the same bytes, whatever is locked.
        Named::Path(path) => of_path(path, role, options, means.global, &models::known(means.global, means.printer)?),
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
    Ok(Member { loaded, line, draft, memory_bytes: entry.memory_bytes })
}

/// Returns where packed weights of a model of the registry are kept, or of those that are named by a path: always in our own
/// folder; the latter under a name that no model's id has.
pub fn packed_folder(options: &HubOptions, entry: Option<&ModelEntry>) -> PathBuf {
    options.own_cache.join(entry.map_or("_packed", |entry| entry.id.0.as_str()))
}

/// Says how models are loaded. With `--locked` nothing is believed that was kept of an earlier start: what is computed with is
/// made of the locked bytes themselves.
pub fn load_options(precision: Precision, global: &GlobalArgs) -> LoadOptions {
    // Without such a folder nothing is kept, and whoever needs it says why there is none.
    let options = models::hub_options(global).ok().filter(|_| !global.locked);
    let cache = options.map(|options| packed_folder(&options, None));
    let pickles = if global.allow_pickle { Pickles::Allowed } else { Pickles::Refused };
    LoadOptions { precision, cache, pickles, ..LoadOptions::default() }
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
    load::open(&ModelPaths::of_files(&entry.id.0, places), &options)
        .map_err(|error| pickles::error(&error).hint(format!("check its files: mujaz models verify {}", entry.id)))
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
    let pickles = pickles::of_entry(entry, options.pickles);
    LoadOptions { direction: Direction { source, target, prefix }, generation, pickles, ..options.clone() }
}

/// Loads a checkpoint folder or a GGUF file.
fn of_path(
    path: &Path,
    role: &str,
    options: &LoadOptions,
    global: &GlobalArgs,
    registry: &Registry,
) -> Result<Member, CommandError> {
    let broken = |error: mujaz::engine::Error| pickles::error(&error);
    let paths = ModelPaths::at(path).map_err(broken)?;
    let facts = paths.deciding(options.cache.as_deref()).map_err(broken)?;
    if let Some(lock) = Lock::of(global)? {
        lock.check_path(&paths, &facts)?;
    }
    let revision = load::fingerprint(&facts);
    let known = registry.of_weights(|sha256| facts.values().any(|(_, own)| own == sha256));
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
        memory_bytes: known.map_or(0, |entry| entry.memory_bytes),
    })
}

fn draft(model: &str, chosen: bool) -> String {
    let why = if chosen { "was chosen" } else { "is the best translator that is here" };
    format!(
        "translated by the small model {model}, which {why}; sentences can be wrong even where no check found fault, so \
         compare with the Arabic before relying on any of this"
    )
}

//! What `brief`, `translate` and `summarize` share: models that are loaded once and only when needed, and a loop over
//! inputs that goes on after one fails.
//!
//! In: paths and the wanted models. Out: a note an article, in order, and a [`Tally`] of how it went.

use std::path::{Path, PathBuf};

use mujaz::briefing::{Failure, ModelLine, Note, Skipped};
use mujaz::engine::llm::LlmEngine;
use mujaz::engine::{Engine, Generator};
use mujaz::glossary::Glossary;
use mujaz::hub::ModelFiles;
use mujaz::options::Options;
use mujaz::pipeline::{self, Article, Models, Wanted};
use mujaz::progress::Progress;
use mujaz::registry::{ModelEntry, Task};
use mujaz::source::walk::{Found, Walk, walk};

use super::args::{GlobalArgs, Inputs};
use super::models;
use super::output;
use super::printer::Printer;
use super::progress::Bars;
use super::report::{CommandError, Kind};

/// The name by which no model is chosen for the bullets.
const EXTRACTIVE: &str = "extractive";

/// The models of a run, each loaded when the first article needs it: an English article needs no translator.
pub struct Crew<'g> {
    global: &'g GlobalArgs,
    printer: &'g Printer,
    /// The translator that was chosen; none for the best that can be had.
    chosen: Option<String>,
    /// The writer that was chosen; none for bullets from the translation.
    wanted_writer: Option<String>,
    translator: Option<Member>,
    writer: Option<Member>,
}

/// A model that is loaded.
struct Member {
    engine: LlmEngine,
    line: ModelLine,
    draft: Option<String>,
}

impl<'g> Crew<'g> {
    /// Takes the ids that were typed; nothing is fetched or loaded yet.
    ///
    /// # Errors
    /// Where no model has that id, or it does other work.
    pub fn new(
        translator: Option<&str>,
        summarizer: Option<&str>,
        global: &'g GlobalArgs,
        printer: &'g Printer,
    ) -> Result<Self, CommandError> {
        let writer = summarizer.filter(|id| *id != EXTRACTIVE);
        let registry = models::registry(global, printer)?;
        for (id, task, verb) in [(translator, Task::Translate, "translate"), (writer, Task::Summarize, "summarize")] {
            let Some(entry) = id.map(|id| registry.find(id)).transpose()? else { continue };
            if !entry.does(task) {
                let message = format!("{} does not {verb}; `mujaz models list` shows what each model does", entry.id);
                return Err(CommandError::message(Kind::Usage, message));
            }
        }
        let (chosen, wanted_writer) = (translator.map(str::to_owned), writer.map(str::to_owned));
        Ok(Self { global, printer, chosen, wanted_writer, translator: None, writer: None })
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
        let (global, printer) = (self.global, self.printer);
        let mut lent = Models { translator: None, writer: None, lines: Vec::new(), draft: None };
        if article.needs_translator() {
            let chosen = self.chosen.as_deref();
            let member = ready(&mut self.translator, || translator(chosen, global, printer, progress))?;
            lent.lines.push(member.line.clone());
            lent.draft.clone_from(&member.draft);
            lent.translator = Some(&mut member.engine as &mut dyn Engine);
        }
        if let Some(id) = self.wanted_writer.as_deref().filter(|_| wanted == Wanted::Summary) {
            let member = ready(&mut self.writer, || writer(id, global, printer, progress))?;
            lent.lines.push(member.line.clone());
            lent.writer = Some(&mut member.engine as &mut dyn Generator);
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

fn translator(
    chosen: Option<&str>,
    global: &GlobalArgs,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<Member, CommandError> {
    let (entry, files) = match chosen {
        Some(id) => models::ensure_model(id, global, printer, progress)?,
        None => best_translator(global, printer, progress)?,
    };
    let mut engine = load(&entry, &files)?;
    engine.avoid_names(&Glossary::builtin().english_names());
    let draft = entry.draft.then(|| draft(&entry, chosen.is_some()));
    Ok(Member { engine, line: line(&entry, &files, "translation"), draft })
}

fn writer(id: &str, global: &GlobalArgs, printer: &Printer, progress: &dyn Progress) -> Result<Member, CommandError> {
    let (entry, files) = models::ensure_model(id, global, printer, progress)?;
    Ok(Member { engine: load(&entry, &files)?, line: line(&entry, &files, "summary"), draft: None })
}

/// Takes the best translator that can be had: models that are no drafts first, in the registry's order.
fn best_translator(
    global: &GlobalArgs,
    printer: &Printer,
    progress: &dyn Progress,
) -> Result<(ModelEntry, ModelFiles), CommandError> {
    let registry = models::registry(global, printer)?;
    let options = models::hub_options(global)?;
    let mut last = CommandError::message(Kind::Model, "the registry has no model that translates");
    for entry in registry.translators() {
        match models::pull(entry, &options, printer, progress) {
            Ok(files) => return Ok((entry.clone(), files)),
            Err(error) if error.kind == Kind::Model => {
                printer.detail(&format!("{} cannot be had: {}", entry.id, error.message));
                last = error;
            }
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn load(entry: &ModelEntry, files: &ModelFiles) -> Result<LlmEngine, CommandError> {
    let Some(file) = files.gguf() else {
        let message = format!("{}: no engine here runs {} models", entry.id, entry.architecture);
        return Err(CommandError::message(Kind::Model, message));
    };
    let engine = LlmEngine::load(&file.path).map_err(|error| {
        CommandError::new(Kind::Model, &error).hint(format!("check its files: mujaz models verify {}", entry.id))
    })?;
    Ok(engine.identified(&entry.id.0, &file.sha256))
}

fn line(entry: &ModelEntry, files: &ModelFiles, role: &str) -> ModelLine {
    // The hashes too: a registry may give an id other files of the same revision.
    let hub = entry.files.first().and_then(|file| file.hub.as_ref()).map(|hub| hub.revision.clone());
    let hashes = files.files.iter().map(|file| format!("sha256:{}", file.sha256));
    ModelLine {
        id: entry.id.0.clone(),
        revision: hub.into_iter().chain(hashes).collect::<Vec<_>>().join(" "),
        role: role.into(),
        licence: entry.licence.name.clone(),
    }
}

fn draft(entry: &ModelEntry, chosen: bool) -> String {
    let why = if chosen { "was chosen" } else { "is the best translator that could be had here" };
    format!(
        "translated by the small model {}, which {why}; sentences can be wrong even where no check found fault, so \
         compare with the Arabic before relying on any of this",
        entry.id
    )
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Tally {
    /// Inputs that gave nothing, in order.
    pub failures: Vec<Failure>,
    /// Files that were passed over, in order.
    pub skipped: Vec<Skipped>,
    /// Articles that are done.
    pub articles: usize,
    /// Segments in them.
    pub segments: usize,
    /// Segments that are flagged.
    pub flagged: usize,
    /// Articles with fewer bullets than were asked for.
    pub shortfalls: usize,
    /// Articles that were read with a warning.
    pub warned: usize,
}

impl Tally {
    /// Counts a finished note.
    pub fn count(&mut self, note: &Note) {
        self.articles += 1;
        self.segments += note.checks.segments;
        self.flagged += note.checks.flagged;
        self.shortfalls += usize::from(note.summary.as_ref().is_some_and(|summary| summary.shortfall.is_some()));
    }

    /// Records an input that failed, and says so at once.
    pub fn fail(&mut self, path: String, reason: String, printer: &Printer) {
        printer.error(&reason);
        self.failures.push(Failure { path, reason });
    }

    /// Returns whether anything needs the user's eye.
    pub fn is_partial(&self) -> bool {
        self.flagged > 0 || self.shortfalls > 0 || self.warned > 0 || !self.failures.is_empty()
    }

    /// Says how the run went, in one line.
    pub fn summary(&self, done: &str) -> String {
        let mut parts = vec![format!("{} {done}", counted(self.articles, "article"))];
        if self.segments > 0 {
            parts.push(format!("{} of {} segments flagged", self.flagged, self.segments));
        }
        if self.shortfalls > 0 {
            parts.push(format!("{} with fewer bullets than asked for", self.shortfalls));
        }
        if self.warned > 0 {
            parts.push(format!("{} read with a warning", self.warned));
        }
        if !self.skipped.is_empty() {
            parts.push(format!("{} skipped", counted(self.skipped.len(), "file")));
        }
        if !self.failures.is_empty() {
            parts.push(format!("{} failed", self.failures.len()));
        }
        format!("{}.", parts.join(", "))
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What is read and how.
pub struct Work {
    /// Inputs with the names of their results, in order.
    pub inputs: Vec<(Found, String)>,
    /// Options of the run.
    pub options: Options,
    /// Draws progress, and knows of Ctrl-C.
    pub progress: Bars,
}

impl Work {
    /// Finds the inputs; what failed or was passed over goes into the tally. No result gets a name that is `reserved`.
    ///
    /// # Errors
    /// Where the encoding is not one.
    pub fn plan(
        inputs: &Inputs,
        bullets: usize,
        reserved: &[&str],
        printer: &Printer,
    ) -> Result<(Self, Tally), CommandError> {
        if let Some(label) = &inputs.encoding {
            mujaz::source::encoding::by_label(label).map_err(|error| CommandError::new(Kind::Usage, &error))?;
        }
        let Walk { found, skipped, failed, .. } = walk(&inputs.paths);
        let mut tally = Tally::default();
        for error in failed {
            let reason = CommandError::new(Kind::Input, &error).message;
            tally.fail(error.path().display().to_string(), reason, printer);
        }
        for file in skipped {
            printer.detail(&format!("{}: skipped: {}", file.path.display(), file.reason));
            tally.skipped.push(Skipped { path: file.path.display().to_string(), reason: file.reason.to_string() });
        }
        let paths: Vec<PathBuf> = found.iter().map(|found| found.path.clone()).collect();
        let names = output::names(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), reserved);
        let options = Options { bullets, encoding: inputs.encoding.clone(), ..Options::default() };
        let inputs = found.into_iter().zip(names).collect();
        Ok((Self { inputs, options, progress: Bars::new(printer) }, tally))
    }

    /// Refuses to write results over the articles that they are made from.
    ///
    /// # Errors
    /// Where a result with one of these extensions in `folder` would have the path of an input.
    pub fn spare_inputs(&self, folder: &Path, extensions: &[&str]) -> Result<(), CommandError> {
        let canonical = |path: &Path| std::fs::canonicalize(path).ok();
        let inputs: std::collections::BTreeSet<PathBuf> =
            self.inputs.iter().filter_map(|(found, _)| canonical(&found.path)).collect();
        for (_, name) in &self.inputs {
            for extension in extensions {
                let result = folder.join(format!("{name}.{extension}"));
                if canonical(&result).is_some_and(|path| inputs.contains(&path)) {
                    let message = format!("{}: the result would be written over this article", result.display());
                    return Err(CommandError::message(Kind::Usage, message).hint("name another folder with -o"));
                }
            }
        }
        Ok(())
    }

    /// Reads one input; what failed goes into the tally.
    pub fn read(&self, found: &Found, tally: &mut Tally, printer: &Printer) -> Option<Article> {
        match pipeline::read(found, &self.options) {
            Ok(article) => {
                for warning in &article.document.warnings {
                    printer.warning(&format!("{}: {warning}", article.source.path));
                }
                tally.warned += usize::from(!article.document.warnings.is_empty());
                Some(article)
            }
            Err(error) => {
                let reason = CommandError::new(Kind::Input, &error).message;
                tally.fail(found.path.display().to_string(), reason, printer);
                None
            }
        }
    }

    /// Makes the note of one article; what failed goes into the tally.
    ///
    /// # Errors
    /// Where the user asked to stop.
    pub fn brief(
        &self,
        article: &Article,
        models: &mut Models<'_>,
        wanted: Wanted,
        tally: &mut Tally,
        printer: &Printer,
    ) -> Result<Option<Note>, CommandError> {
        match pipeline::brief(article, models, &self.options, wanted, &self.progress) {
            Ok(note) => Ok(Some(note)),
            Err(_) if self.progress.cancelled() => Err(interrupted()),
            Err(error) => {
                let reason = CommandError::new(Kind::Model, &error).message;
                tally.fail(article.source.path.clone(), reason, printer);
                Ok(None)
            }
        }
    }
}

/// The error of a run that the user stopped.
pub fn interrupted() -> CommandError {
    CommandError::message(Kind::Interrupted, "stopped; the articles that were finished are kept")
}

/// Sets how many threads compute; only the first call in a process counts.
pub fn use_threads(global: &GlobalArgs) {
    if let Some(threads) = global.threads {
        // An error means that the pool is there already, with the threads of an earlier call.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
    }
}

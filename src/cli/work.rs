//! What `brief`, `translate` and `summarize` share: a loop over inputs that goes on after one fails.
//!
//! In: paths. Out: a note an article, in order, and a [`Tally`] of how it went. The models are [`super::crew`]'s.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mujaz::briefing::{Failure, Note, Skipped};
use mujaz::document;
use mujaz::options::Options;
use mujaz::pipeline::{self, Article, Models, Wanted};
use mujaz::progress::Progress;
use mujaz::source::walk::{self, Found, Walk};
use mujaz::source::{Container, Part, Parts, SourceFile};

use super::args::{GlobalArgs, Inputs};
use super::crew::Crew;
use super::output;
use super::printer::{Printer, escaped};
use super::progress::{self, Bars};
use super::report::{CommandError, Kind, Status};

/// How a run went.
#[derive(Debug, Default)]
pub struct Tally {
    /// Inputs that gave nothing, in order.
    pub failures: Vec<Failure>,
    /// Files, and parts of files, that were passed over, in order.
    pub skipped: Vec<Skipped>,
    /// Articles that are done.
    pub articles: usize,
    /// Segments in them.
    pub segments: usize,
    /// Segments that are flagged.
    pub flagged: usize,
    /// Articles with fewer bullets than were asked for.
    pub shortfalls: usize,
    /// What of it may hold articles.
    pub doubtful: Vec<String>,
    /// Articles that were read with a warning.
    pub warned: usize,
    /// Why articles that need a translator were not done; none where none was missed.
    pub no_translator: Option<CommandError>,
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

    /// Records something that was passed over.
    pub fn skip(&mut self, passed: &walk::Skipped, printer: &Printer) {
        if passed.reason.is_doubtful() {
            self.doubtful.push(passed.name());
        }
        self.skip_as(passed.name(), passed.reason.to_string(), printer);
    }

    /// Records something that was passed over for a reason of the command's own.
    fn skip_as(&mut self, path: String, reason: String, printer: &Printer) {
        printer.detail(&format!("{path}: skipped: {reason}"));
        self.skipped.push(Skipped { path, reason });
    }

    /// Returns whether anything needs the user's eye.
    pub fn is_partial(&self) -> bool {
        self.flagged > 0 || self.shortfalls > 0 || self.warned > 0 || !self.failures.is_empty()
    }

    /// Says how the command ended.
    ///
    /// # Errors
    /// Where a translator was missed: the error says what to do, after all other articles were done.
    pub fn end(self) -> Result<Status, CommandError> {
        let partial = self.is_partial();
        match self.no_translator {
            Some(error) => Err(error),
            None => Ok(if partial { Status::Partial } else { Status::Complete }),
        }
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
            parts.push(format!("{} skipped{}", counted(self.skipped.len(), "file"), doubtful(&self.doubtful)));
        }
        if !self.failures.is_empty() {
            parts.push(format!("{} failed", self.failures.len()));
        }
        format!("{}.", parts.join(", "))
    }
}

/// Names what was passed over though an article may be in it, for the last line of a run.
pub fn doubtful(names: &[String]) -> String {
    /// So many names fit into a line.
    const NAMED: usize = 3;
    if names.is_empty() {
        return String::new();
    }
    let rest = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| escaped(name)).collect();
    format!(" (text may be in {}{rest}; -v says why)", shown.join(", "))
}

/// Writes a number of things: `1 file`, `2 files`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// An article that is to be worked on.
pub struct Item {
    /// The article.
    pub article: Article,
    /// The name of its result.
    pub name: String,
    /// Where in the run it is: `[3/17]`, and which article of a file with several.
    pub place: String,
}

/// Which articles of a run are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeated {
    /// All of them.
    Kept,
    /// Of those with the same bytes the first; the others are passed over, which is said.
    Once,
}

/// What is read and how.
pub struct Work {
    /// Inputs with the names of their results, in order.
    pub inputs: Vec<(Found, String)>,
    /// Options of the run.
    pub options: Options,
    /// Draws progress, and knows of Ctrl-C.
    pub progress: Bars,
    /// The first input, where it was opened to see what it is.
    opened: RefCell<Option<Parts>>,
    /// Names that no result may have.
    reserved: Vec<String>,
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
        let Walk { found, skipped, failed, .. } = walk::walk(&inputs.paths);
        let mut tally = Tally::default();
        for error in failed {
            let reason = CommandError::new(Kind::Input, &error).message;
            tally.fail(error.path().display().to_string(), reason, printer);
        }
        for file in skipped {
            tally.skip(&file, printer);
        }
        let paths: Vec<PathBuf> = found.iter().map(|found| found.path.clone()).collect();
        let names = output::names(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), reserved);
        let options = Options { bullets, ..inputs.options() };
        let inputs = found.into_iter().zip(names).collect();
        let reserved = reserved.iter().map(|&name| name.to_owned()).collect();
        Ok((Self { inputs, options, progress: Bars::new(printer), opened: RefCell::default(), reserved }, tally))
    }

    /// Refuses to write results over the articles that they are made from. What it returns says so of the parts of files
    /// too, whose names are known only as they come.
    ///
    /// # Errors
    /// Where a result with one of these extensions in `folder` would have the path of an input.
    pub fn spare_inputs<'o>(
        &self,
        folder: &'o Path,
        extensions: &'o [&'o str],
    ) -> Result<output::Spared<'o>, CommandError> {
        let spared = output::Spared::new(self.inputs.iter().map(|(found, _)| found.path.as_path()), folder, extensions);
        self.inputs.iter().try_for_each(|(_, name)| spared.check(name))?;
        Ok(spared)
    }

    /// Returns whether the only input is a file of several articles; it is opened for that, and read on from there.
    ///
    /// # Errors
    /// Where the options make no sense.
    pub fn holds_several(&self) -> Result<bool, CommandError> {
        let [(found, _)] = self.inputs.as_slice() else { return Ok(self.inputs.len() > 1) };
        let parts = interruptible_open(found, &self.options)?;
        let several = parts.container().is_some_and(|container| container != Container::Gzip);
        self.opened.replace(Some(parts));
        Ok(several)
    }

    /// Goes over all articles of all inputs, in order; `make` works on one. What failed or was passed over goes into the
    /// tally.
    ///
    /// # Errors
    /// What `make` returns, and where the user asked to stop.
    pub fn each(
        &self,
        repeated: Repeated,
        tally: &mut Tally,
        printer: &Printer,
        mut make: impl FnMut(Item, &mut Tally) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let given = self.inputs.iter().map(|(_, name)| name.as_str());
        let mut names = output::PartNames::new(given.chain(self.reserved.iter().map(String::as_str)));
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        let total = self.inputs.len();
        for (place, (found, name)) in self.inputs.iter().enumerate() {
            let mut parts = match self.opened.take() {
                Some(parts) => parts,
                None => interruptible_open(found, &self.options)?,
            };
            let mut number = 0usize;
            while let Some(part) = progress::interruptible(&found.path, || parts.next()) {
                if self.progress.cancelled() {
                    return Err(interrupted());
                }
                let file = match part {
                    Part::Article(file) => file,
                    Part::Skipped(skipped) => {
                        tally.skip(&skipped, printer);
                        continue;
                    }
                    Part::Failed(error) => {
                        let reason = CommandError::new(Kind::Input, &error).message;
                        tally.fail(error_name(&error), reason, printer);
                        continue;
                    }
                };
                number += 1;
                let (whole, part) = (file.name(), file.part.clone());
                if repeated == Repeated::Once
                    && let Some(first) = seen.get(&file.sha256)
                {
                    let reason = format!("the same bytes as {first}");
                    tally.skip_as(whole, reason, printer);
                    continue;
                }
                if repeated == Repeated::Once {
                    seen.insert(file.sha256.clone(), whole);
                }
                // The name is taken also where the article fails, so that the names of the others do not hang on it.
                let name = part.as_deref().map_or_else(|| name.clone(), |part| names.name(name, part));
                let place = match (&part, total) {
                    (None, _) => format!("[{}/{total}]", place + 1),
                    (Some(_), 1) => format!("[article {number}]"),
                    (Some(_), _) => format!("[{}/{total}, article {number}]", place + 1),
                };
                if let Some(article) = self.read(file, tally, printer) {
                    make(Item { article, name, place }, tally)?;
                }
            }
            if self.progress.cancelled() {
                return Err(interrupted());
            }
        }
        Ok(())
    }

    /// Reads one article; what failed goes into the tally.
    fn read(&self, file: SourceFile, tally: &mut Tally, printer: &Printer) -> Option<Article> {
        let (path, name) = (file.path.clone(), file.name());
        match guarded(&name, || pipeline::read(file, &self.options).map_err(|error| told(&path, &name, &error))) {
            Ok(article) => {
                for warning in &article.document.warnings {
                    printer.warning(&format!("{name}: {warning}"));
                }
                tally.warned += usize::from(!article.document.warnings.is_empty());
                Some(article)
            }
            Err(reason) => {
                tally.fail(name, reason, printer);
                None
            }
        }
    }

    /// Lends an article its models. Where no translator can be had, that goes into the tally and the other articles go on; of
    /// a single input it is the error.
    ///
    /// # Errors
    /// Where a model that every article needs cannot be had, or what was typed is wrong.
    pub fn lend<'c>(
        &self,
        crew: &'c mut Crew<'_>,
        article: &Article,
        wanted: Wanted,
        tally: &mut Tally,
        printer: &Printer,
    ) -> Result<Option<Models<'c>>, CommandError> {
        if article.needs_translator() {
            let missing = match &tally.no_translator {
                // One search is enough: each may wait for a network.
                Some(_) => true,
                None => match crew.ready_translator(&self.progress) {
                    Ok(()) => false,
                    Err(error)
                        if error.kind == Kind::Model && (self.inputs.len() > 1 || article.source.part.is_some()) =>
                    {
                        tally.no_translator = Some(error);
                        true
                    }
                    Err(error) => return Err(error),
                },
            };
            if missing {
                let path = article.source.name();
                let reason = format!("{path}: not translated: there is no translator");
                tally.fail(path, reason, printer);
                return Ok(None);
            }
        }
        crew.models(article, wanted, &self.progress).map(Some)
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
                tally.fail(article.source.name(), reason, printer);
                Ok(None)
            }
        }
    }
}

fn interruptible_open(found: &Found, options: &Options) -> Result<Parts, CommandError> {
    let opened = progress::interruptible(&found.path, || pipeline::open(found, options));
    opened.map_err(|error| CommandError::new(Kind::Usage, &error))
}

/// Returns what an error of a source is about: the file, and which part of it.
pub fn error_name(error: &mujaz::source::Error) -> String {
    match error.part() {
        Some(part) => escaped(&format!("{}: {part}", error.path().display())),
        None => escaped(&error.path().display().to_string()),
    }
}

/// Says why an article could not be read. Readers name the file; where it is a part of one, that is named too.
pub fn told(path: &Path, name: &str, error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = CommandError::new(Kind::Input, error).message;
    let mut cause = Some(error);
    while let Some(error) = cause {
        let document = match error.downcast_ref() {
            Some(pipeline::Error::Document(document)) => Some(document),
            _ => error.downcast_ref::<document::Error>(),
        };
        if matches!(document, Some(document::Error::OtherLanguage { .. })) {
            message.push_str("; --force-language reads it as Arabic all the same");
            break;
        }
        cause = error.source();
    }
    match message.strip_prefix(&path.display().to_string()) {
        Some(rest) => format!("{name}{rest}"),
        None => message,
    }
}

/// Runs a reader so that a fault in it fails one article and not the run.
pub fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(format!("{name}: the reader stopped at a fault; please report this file to mujaz")))
}

/// The error of a run that the user stopped.
pub fn interrupted() -> CommandError {
    CommandError::message(Kind::Interrupted, "stopped; the articles that were finished are kept")
}

/// Sets how many threads compute; only the first call in a process counts.
pub fn use_threads(global: &GlobalArgs) {
    if let Some(threads) = global.threads {
        // An error means that the pool is there already, with the threads of an earlier call.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
}

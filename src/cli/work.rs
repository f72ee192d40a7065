//! What `brief`, `translate` and `summarize` share: a loop over inputs that goes on after one fails.
//!
//! In: paths. Out: a note an article, in order, and a [`Tally`] of how it went. The models are [`super::crew`]'s.

use std::path::{Path, PathBuf};

use mujaz::briefing::{Failure, Note, Skipped};
use mujaz::options::Options;
use mujaz::pipeline::{self, Article, Models, Wanted};
use mujaz::progress::Progress;
use mujaz::source::walk::{Found, Walk, walk};

use super::args::{GlobalArgs, Inputs};
use super::crew::Crew;
use super::output;
use super::printer::Printer;
use super::progress::{self, Bars};
use super::report::{CommandError, Kind, Status};

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
            parts.push(format!("{} skipped", counted(self.skipped.len(), "file")));
        }
        if !self.failures.is_empty() {
            parts.push(format!("{} failed", self.failures.len()));
        }
        format!("{}.", parts.join(", "))
    }
}

/// Writes a number of things: `1 file`, `2 files`.
pub fn counted(count: usize, noun: &str) -> String {
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
        output::spare(self.inputs.iter().map(|(found, name)| (found.path.as_path(), name.as_str())), folder, extensions)
    }

    /// Reads one input; what failed goes into the tally.
    pub fn read(&self, found: &Found, tally: &mut Tally, printer: &Printer) -> Option<Article> {
        match progress::interruptible(&found.path, || pipeline::read(found, &self.options)) {
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
                    Err(error) if error.kind == Kind::Model && self.inputs.len() > 1 => {
                        tally.no_translator = Some(error);
                        true
                    }
                    Err(error) => return Err(error),
                },
            };
            if missing {
                let path = article.source.path.clone();
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
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
}

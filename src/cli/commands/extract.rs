//! `mujaz extract`: articles in, their cleaned documents out as JSON. No model is needed.

use serde::Serialize;

use mujaz::document::language::Language;
use mujaz::document::moments::TextDate;
use mujaz::document::{BlockId, BlockKind, Document, SegmentId};
use mujaz::progress::Progress;
use mujaz::source::{SourceFile, encoding, walk};
use mujaz::span::Span;

use crate::cli::args::{ExtractArgs, GlobalArgs};
use crate::cli::intake::{Given, read_all};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::Bars;
use crate::cli::report::{CommandError, Kind, Status};
use crate::cli::survey::Survey;
use crate::cli::work::{self, error_name, interrupted, use_threads};

/// An article as `extract` writes it. Spans are bytes into `text`.
#[derive(Debug, Serialize)]
struct Extracted<'d> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'d str>,
    sha256: &'d str,
    encoding: &'d str,
    title: Option<&'d str>,
    byline: Option<&'d str>,
    publisher: Option<&'d str>,
    dateline: Option<&'d str>,
    /// ISO 8601, `2021-04-21`.
    date: Option<String>,
    /// RFC 3339 with the page's own offset from UTC, where it states a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    datetime: Option<&'d str>,
    date_words: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<&'d str>,
    /// The lines between headline and body; one string, lines between two.
    standfirst: Option<String>,
    captions: Vec<&'d str>,
    pull_quotes: Vec<&'d str>,
    publisher_summary: Vec<&'d str>,
    subheadings: Vec<&'d str>,
    blocks: Vec<BlockOut<'d>>,
    segments: Vec<SegmentOut>,
    furniture: &'d [String],
    warnings: &'d [String],
    language: Language,
    /// `rtl` or `ltr`.
    direction: &'static str,
    /// The times that the article names; the form of `iso` is that of `mujaz::document::moments::TextDate`.
    dates: &'d [TextDate],
    text: &'d str,
}

#[derive(Debug, Serialize)]
struct BlockOut<'d> {
    id: BlockId,
    kind: BlockKind,
    span: Span,
    language: Language,
    /// When the entry of a running report was written that it opens: RFC 3339, or the page's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<&'d str>,
    text: &'d str,
}

#[derive(Debug, Serialize)]
struct SegmentOut {
    id: SegmentId,
    block: BlockId,
    span: Span,
}

impl<'d> Extracted<'d> {
    fn new(file: &'d SourceFile, document: &'d Document) -> Self {
        let all = |kind| document.texts_of(kind).collect::<Vec<&str>>();
        let meta = &document.meta;
        let standfirst = all(BlockKind::Standfirst);
        Self {
            path: file.path.to_string_lossy().into_owned(),
            part: file.part.as_deref(),
            sha256: &file.sha256,
            encoding: &document.encoding,
            title: document.title(),
            byline: meta.byline.as_deref(),
            publisher: meta.publisher.as_deref(),
            dateline: meta.dateline.as_deref(),
            date: meta.date.as_ref().map(|date| date.iso.to_string()),
            datetime: meta.date.as_ref().and_then(|date| date.at.as_deref()),
            section: meta.section.as_deref(),
            canonical: meta.canonical.as_deref(),
            date_words: meta.date.as_ref().map(|date| date.words.as_str()),
            standfirst: (!standfirst.is_empty()).then(|| standfirst.join("\n")),
            captions: all(BlockKind::Caption),
            pull_quotes: all(BlockKind::PullQuote),
            publisher_summary: all(BlockKind::PublisherSummary),
            subheadings: all(BlockKind::Subheading),
            blocks: document
                .blocks
                .iter()
                .map(|b| {
                    let text = document.block_text(b);
                    let time = b.time.as_deref();
                    BlockOut { id: b.id, kind: b.kind, span: b.span, language: b.language, time, text }
                })
                .collect(),
            segments: document.segments.iter().map(|s| SegmentOut { id: s.id, block: s.block, span: s.span }).collect(),
            furniture: &document.furniture,
            warnings: &document.warnings,
            language: document.language,
            direction: if document.language.is_right_to_left() { "rtl" } else { "ltr" },
            dates: &document.dates,
            text: &document.text,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where an argument makes no sense, the output cannot be written, or no input could be read.
pub fn run(args: &ExtractArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let options = args.inputs.options();
    if let Some(label) = &options.encoding {
        encoding::by_label(label).map_err(|error| CommandError::new(Kind::Usage, &error))?;
    }
    use_threads(global);
    let printed = args.output.as_os_str() == "-";
    if printed && args.report.as_ref().is_some_and(|file| file.as_deref() == Some(std::path::Path::new("-"))) {
        return Err(CommandError::message(Kind::Usage, "articles and report cannot both go to standard output")
            .hint("write the articles into a folder with -o, or the report into a file with --report=FILE"));
    }
    let walk = walk::walk(&args.inputs.paths);
    let mut run = Run {
        args,
        printer,
        bars: Bars::new(printer),
        survey: Survey::default(),
        done: 0,
        skipped: 0,
        failed: 0,
        doubtful: Vec::new(),
    };
    for skipped in &walk.skipped {
        run.skip(skipped);
    }
    for error in &walk.failed {
        run.fail(error.path().display().to_string(), None, CommandError::new(Kind::Input, error).message);
    }
    let paths: Vec<&std::path::Path> = walk.found.iter().map(|found| found.path.as_path()).collect();
    let reserved: Vec<String> = reserved(args).into_iter().collect();
    let reserved: Vec<&str> = reserved.iter().map(String::as_str).collect();
    let names = output::names(&paths, &reserved);
    let mut part_names = output::PartNames::new(names.iter().map(String::as_str).chain(reserved));
    let spared = output::Spared::new(paths.iter().copied(), &args.output, &["json"]);
    if let Some(Some(file)) = &args.report {
        spared.check_file(file)?;
    }
    if !printed {
        output::prepare(&args.output)?;
        names.iter().try_for_each(|name| spared.check(name))?;
    }
    run.bars.started("extracting", walk.found.len() as u64, "files");
    let read = read_all(&walk.found, &options, |place, given| {
        if run.bars.cancelled() {
            return Err(interrupted());
        }
        let mut name = |file: &SourceFile| match &file.part {
            Some(part) => part_names.name(&names[place], part),
            None => names[place].clone(),
        };
        match given {
            Given::Read(read) => {
                let (file, document) = *read;
                let name = name(&file);
                if !printed {
                    spared.check(&name)?;
                }
                run.read(&file, &document, &name)?;
            }
            Given::Refused(file, reason) => {
                // Its name is taken all the same, so that the names of the others do not hang on it.
                name(&file);
                run.fail(file.path.display().to_string(), file.part, reason);
            }
            Given::Skipped(skipped) => run.skip(&skipped),
            Given::Failed(error) => {
                let part = error.part().map(str::to_owned);
                let reason = CommandError::new(Kind::Input, &error).message;
                run.bars.detail(&error_name(&error));
                run.fail(error.path().display().to_string(), part, reason);
            }
        }
        run.bars.advanced(place as u64);
        Ok(true)
    });
    run.bars.finished();
    read?;
    run.end()
}

/// Returns the name that no article may have, because the report has it.
fn reserved(args: &ExtractArgs) -> Option<String> {
    let file = args.report.as_ref()?.as_deref().unwrap_or(std::path::Path::new("report.json"));
    // Wherever the report goes: an article that is called otherwise than it might be does no harm.
    file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase())
}

/// A run of the command.
struct Run<'a> {
    args: &'a ExtractArgs,
    printer: &'a Printer,
    bars: Bars,
    survey: Survey,
    done: usize,
    skipped: usize,
    failed: usize,
    /// What was passed over though an article may be in it.
    doubtful: Vec<String>,
}

impl Run<'_> {
    fn read(&mut self, file: &SourceFile, document: &Document, name: &str) -> Result<(), CommandError> {
        for warning in &document.warnings {
            self.bars.aside(|| self.printer.warning(&format!("{}: {warning}", file.name())));
        }
        let article = Extracted::new(file, document);
        self.bars.aside(|| write(&article, &self.args.output, name, self.printer))?;
        if self.args.report.is_some() {
            self.survey.read(file, document);
        }
        self.done += 1;
        Ok(())
    }

    fn skip(&mut self, skipped: &walk::Skipped) {
        self.bars.aside(|| self.printer.detail(&format!("skipped {}: {}", skipped.name(), skipped.reason)));
        self.survey.skipped(skipped.path.display().to_string(), skipped.part.clone(), skipped.reason.to_string());
        if skipped.reason.is_doubtful() {
            self.doubtful.push(skipped.name());
        }
        self.skipped += 1;
    }

    fn fail(&mut self, path: String, part: Option<String>, reason: String) {
        self.bars.aside(|| self.printer.error(&reason));
        self.survey.refused(path, part, reason);
        self.failed += 1;
    }

    /// Writes the report, and says how the run went.
    fn end(self) -> Result<Status, CommandError> {
        let Self { args, printer, survey, done, skipped, failed, doubtful, .. } = self;
        if let Some(file) = &args.report {
            let json = survey.finish(printer);
            match file {
                Some(file) if file.as_os_str() == "-" => printer.data(&json)?,
                Some(file) => {
                    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    output::write(folder.unwrap_or(std::path::Path::new(".")), &name, &json)?;
                }
                None if args.output.as_os_str() != "-" => drop(output::write(&args.output, "report.json", &json)?),
                None => {}
            }
        }
        printer.status(&summary(done, skipped, &doubtful, failed));
        if done == 0 && failed == 0 {
            return Err(CommandError::message(Kind::Input, "no article was found in the paths given").hint(
                "in folders mujaz reads text, web pages, documents, mails, tables, feeds and archives by their names; \
                 -v tells what was skipped",
            ));
        }
        Ok(if failed > 0 { Status::Partial } else { Status::Complete })
    }
}

/// Writes an article as a line on standard output, or as a file in a folder.
fn write(article: &Extracted<'_>, folder: &std::path::Path, name: &str, printer: &Printer) -> Result<(), CommandError> {
    let internal = |error: serde_json::Error| CommandError::new(Kind::Internal, &error);
    if folder.as_os_str() == "-" {
        let mut line = serde_json::to_vec(article).map_err(internal)?;
        line.push(b'\n');
        printer.data(&line)?;
    } else {
        let mut text = serde_json::to_vec_pretty(article).map_err(internal)?;
        text.push(b'\n');
        output::write_soon(folder, &format!("{name}.json"), &text)?;
    }
    Ok(())
}

fn summary(done: usize, skipped: usize, doubtful: &[String], failed: usize) -> String {
    let articles = if done == 1 { "article" } else { "articles" };
    format!("{done} {articles}, {skipped} skipped{}, {failed} failed.", work::doubtful(doubtful))
}

//! `mujaz extract`: articles in, their cleaned documents out as JSON. No model is needed.

use serde::Serialize;

use mujaz::document::language::Language;
use mujaz::document::moments::TextDate;
use mujaz::document::{self, BlockId, BlockKind, Document, ReadOptions, SegmentId};
use mujaz::progress::Progress;
use mujaz::source::{SourceFile, encoding, walk};
use mujaz::span::Span;

use crate::cli::args::{ExtractArgs, GlobalArgs};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::{Bars, interruptible};
use crate::cli::report::{CommandError, Kind, Status};
use crate::cli::work::interrupted;

/// An article as `extract` writes it. Spans are bytes into `text`.
#[derive(Debug, Serialize)]
struct Extracted<'d> {
    path: String,
    sha256: &'d str,
    encoding: &'d str,
    title: Option<&'d str>,
    byline: Option<&'d str>,
    publisher: Option<&'d str>,
    dateline: Option<&'d str>,
    /// ISO 8601, `2021-04-21`.
    date: Option<String>,
    date_words: Option<&'d str>,
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
            sha256: &file.sha256,
            encoding: &document.encoding,
            title: document.title(),
            byline: meta.byline.as_deref(),
            publisher: meta.publisher.as_deref(),
            dateline: meta.dateline.as_deref(),
            date: meta.date.as_ref().map(|date| date.iso.to_string()),
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
                    BlockOut { id: b.id, kind: b.kind, span: b.span, language: b.language, text }
                })
                .collect(),
            segments: document.segments.iter().map(|s| SegmentOut { id: s.id, block: s.block, span: s.span }).collect(),
            furniture: &document.furniture,
            warnings: &document.warnings,
            language: document.language,
            dates: &document.dates,
            text: &document.text,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Where an argument makes no sense, the output cannot be written, or no input could be read.
pub fn run(args: &ExtractArgs, _global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let label = args.inputs.encoding.as_deref();
    let encoding = label.map(encoding::by_label).transpose().map_err(|error| CommandError::new(Kind::Usage, &error))?;
    let options = ReadOptions { encoding, ..ReadOptions::default() };
    let walk = walk::walk(&args.inputs.paths);
    for skipped in &walk.skipped {
        printer.detail(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    let mut failed = walk.failed.len();
    for error in &walk.failed {
        printer.error(&CommandError::new(Kind::Input, error).message);
    }
    let paths: Vec<&std::path::Path> = walk.found.iter().map(|found| found.path.as_path()).collect();
    let names = output::names(&paths, &[]);
    if args.output.as_os_str() != "-" {
        output::prepare(&args.output)?;
    }
    let bars = Bars::new(printer);
    bars.started("extracting", walk.found.len() as u64, "articles");
    let mut done = 0usize;
    for (found, name) in walk.found.iter().zip(&names) {
        if bars.cancelled() {
            bars.finished();
            return Err(interrupted());
        }
        bars.detail(&found.path.display().to_string());
        match interruptible(&found.path, || extract(found, &options)) {
            Ok((file, document)) => {
                for warning in &document.warnings {
                    bars.aside(|| printer.warning(&format!("{}: {warning}", file.path.display())));
                }
                let article = Extracted::new(&file, &document);
                let mut written = Ok(());
                bars.aside(|| written = write(&article, &args.output, name, printer));
                if let Err(error) = written {
                    bars.finished();
                    return Err(error);
                }
                done += 1;
            }
            Err(error) => {
                failed += 1;
                bars.aside(|| printer.error(&error.message));
            }
        }
        bars.advanced((done + failed - walk.failed.len()) as u64);
    }
    bars.finished();
    printer.status(&summary(done, walk.skipped.len(), failed));
    if done == 0 && failed == 0 {
        return Err(CommandError::message(Kind::Input, "no article was found in the paths given").hint(
            "mujaz reads plain text: .txt files in folders, any file that is named itself; -v tells what was skipped",
        ));
    }
    Ok(if failed > 0 { Status::Partial } else { Status::Complete })
}

fn extract(found: &walk::Found, options: &ReadOptions<'_>) -> Result<(SourceFile, Document), CommandError> {
    let file = SourceFile::read(found).map_err(|error| CommandError::new(Kind::Input, &error))?;
    let document = document::read(&file, options).map_err(|error| CommandError::new(Kind::Input, &error))?;
    Ok((file, document))
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
        output::write(folder, &format!("{name}.json"), &text)?;
    }
    Ok(())
}

fn summary(done: usize, skipped: usize, failed: usize) -> String {
    let articles = if done == 1 { "article" } else { "articles" };
    format!("{done} {articles}, {skipped} skipped, {failed} failed.")
}

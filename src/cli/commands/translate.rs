//! `mujaz translate`: the English of each article, flagged segments marked. With `--raw` it is [`super::lines`].

use std::path::Path;

use mujaz::pipeline::Wanted;
use mujaz::render::Renderer;
use mujaz::render::json::Json;
use mujaz::render::markdown::Markdown;
use mujaz::render::text::Text;

use super::lines;
use crate::cli::args::{GlobalArgs, Inputs, TranslateArgs, TranslationFormat};
use crate::cli::crew::{Choice, Crew};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};
use crate::cli::work::{Item, Repeated, Work};

/// Runs the command.
pub fn run(args: &TranslateArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    if args.raw {
        return lines::run(args, global, printer);
    }
    let renderer: &dyn Renderer = match args.format {
        TranslationFormat::Txt => &Text,
        TranslationFormat::Md => &Markdown,
        TranslationFormat::Json => &Json,
    };
    let task = Task { wanted: Wanted::Translation, renderer, bullets: 3, done: "translated" };
    task.run(&args.inputs, &args.output, Choice::of_translator(&args.model), global, printer)
}

/// A command that gives one result an input: printed one after the other, or written into a folder.
pub struct Task<'r> {
    /// How much is made.
    pub wanted: Wanted,
    /// What it is written as.
    pub renderer: &'r dyn Renderer,
    /// How many bullets.
    pub bullets: usize,
    /// The word for what was done.
    pub done: &'r str,
}

impl Task<'_> {
    /// Runs it over the inputs.
    pub fn run(
        &self,
        inputs: &Inputs,
        output: &Path,
        choice: Choice,
        global: &GlobalArgs,
        printer: &Printer,
    ) -> Result<Status, CommandError> {
        let (work, mut tally) = Work::plan(inputs, self.bullets, &[], printer)?;
        if work.inputs.is_empty() {
            return Err(CommandError::message(Kind::Input, "no article found").hint("-v says what was skipped and why"));
        }
        let mut crew = Crew::new(choice, global, printer)?;
        let printed = output.as_os_str() == "-";
        let extensions = [self.renderer.name()];
        let mut spared = None;
        if !printed {
            output::prepare(output)?;
            spared = Some(work.spare_inputs(output, &extensions)?);
        }
        work.each(Repeated::Kept, &mut tally, printer, |Item { article, name, place }, tally| {
            if work.inputs.len() > 1 || article.source.part.is_some() {
                printer.status(&format!("{place} {}", article.source.name()));
            }
            spared.as_ref().map_or(Ok(()), |spared| spared.check(&name))?;
            let lent = work.lend(&mut crew, &article, self.wanted, tally, printer)?;
            let Some(mut models) = lent else { return Ok(()) };
            let Some(note) = work.brief(&article, &mut models, self.wanted, tally, printer)? else { return Ok(()) };
            tally.count(&note);
            let bytes = self.renderer.render(&note).map_err(|error| CommandError::new(Kind::Internal, &error))?;
            if printed {
                printer.data(&bytes)?;
            } else {
                output::write(output, &format!("{name}.{}", self.renderer.name()), &bytes)?;
            }
            Ok(())
        })?;
        printer.status(&tally.summary(self.done));
        tally.end()
    }
}

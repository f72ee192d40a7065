//! `mujaz summarize`: a short bullet summary in English of each article, Arabic or English.

use mujaz::pipeline::Wanted;
use mujaz::render::text::Bullets;

use super::translate::Task;
use crate::cli::args::{GlobalArgs, SummarizeArgs};
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Status};

/// Runs the command.
pub fn run(args: &SummarizeArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let task =
        Task { wanted: Wanted::Summary, renderer: &Bullets, bullets: usize::from(args.bullets), done: "summarized" };
    let models = (args.models.translator.as_deref(), args.models.summarizer.as_deref());
    task.run(&args.inputs, &args.output, models, global, printer)
}

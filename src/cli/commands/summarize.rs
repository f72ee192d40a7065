//! `mujaz summarize`: a short bullet summary in English of each article, Arabic or English.

use mujaz::pipeline::Wanted;
use mujaz::render::text::Bullets;

use super::translate::Task;
use crate::cli::args::{GlobalArgs, SummarizeArgs};
use crate::cli::crew::Choice;
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Status};

/// Runs the command.
pub fn run(args: &SummarizeArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    let task =
        Task { wanted: Wanted::Summary, renderer: &Bullets, bullets: usize::from(args.bullets), done: "summarized" };
    task.run(&args.inputs, &args.output, Choice::of(&args.models), global, printer)
}

//! `mujaz brief`: a note an article, and a briefing for all.
//!
//! In: articles. Out: `DIR/<name>.md` and `.json` each as soon as its article is done, and `DIR/briefing.md`; one article
//! alone without `-o` is printed. Of files with the same bytes the first is briefed; articles that are the same story are
//! linked in the briefing. A note that is there and was made from the same bytes, models and options is left
//! alone; the JSON note (kept in `DIR/.mujaz` where only Markdown is wanted) is the memory of that.

use std::path::{Path, PathBuf};

use mujaz::briefing::{self, Note, Provenance};
use mujaz::pipeline::{self, Wanted};
use mujaz::render::json::{self, Json};
use mujaz::render::markdown::Markdown;
use mujaz::render::{Renderer, overview};

use crate::cli::args::{BriefArgs, GlobalArgs, NoteFormat};
use crate::cli::crew::{Choice, Crew};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::report::{CommandError, Kind, Status};
use crate::cli::work::{Item, Repeated, Tally, Work};

/// Where notes go when nothing else is said.
const FOLDER: &str = "notes";
/// The name of the note for all, which no article's note may have.
const BRIEFING: &str = "briefing";
/// What to do after a run was stopped.
const GO_ON: &str = "the same command goes on from there";

/// Runs the command.
pub fn run(args: &BriefArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    if args.output.as_deref() == Some(Path::new("-")) {
        return Err(CommandError::message(Kind::Usage, "brief writes notes into a folder, and -o - is none")
            .hint("one file without -o is printed; `mujaz summarize` and `mujaz translate` print any number"));
    }
    let (work, mut tally) = Work::plan(&args.inputs, usize::from(args.bullets), &[BRIEFING], printer)?;
    let one_file = matches!(args.inputs.paths.as_slice(), [path] if !path.is_dir());
    if work.inputs.is_empty() {
        return Err(nothing(&tally));
    }
    let mut crew = Crew::new(Choice::of(&args.models), global, printer)?;
    if one_file && args.output.is_none() && !work.holds_several()? {
        return print_one(args, &work, &mut crew, tally, printer);
    }
    let folder = Folder { path: args.output.clone().unwrap_or_else(|| FOLDER.into()), formats: args.format.clone() };
    output::prepare(&folder.path)?;
    let spared = work.spare_inputs(&folder.path, &["md", "json"])?;
    let mut articles = Vec::new();
    let go_on = |error: CommandError| if error.kind == Kind::Interrupted { error.hint(GO_ON) } else { error };
    work.each(Repeated::Once, &mut tally, printer, |Item { article, name, place }, tally| {
        let lent = work.lend(&mut crew, &article, Wanted::Summary, tally, printer)?;
        let Some(mut models) = lent else { return Ok(()) };
        spared.check(&name)?;
        let shown = article.source.name();
        let provenance = pipeline::provenance(&article, &models, &work.options);
        let known = if args.force { None } else { folder.made(&name, &provenance) };
        let made_before = known.is_some();
        let note = match known {
            Some(note) => Some(note),
            None => {
                printer.status(&format!("{place} {shown}"));
                work.brief(&article, &mut models, Wanted::Summary, tally, printer)?
            }
        };
        let Some(note) = note else { return Ok(()) };
        folder.write(&name, &note, made_before)?;
        if made_before {
            printer.status(&format!("{place} {shown}: made already"));
        }
        tally.count(&note);
        articles.push(briefing::Article::of(&note, folder.link(&name)));
        Ok(())
    })
    .map_err(go_on)?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let briefing = briefing::Briefing::new(articles, tally.failures.clone(), tally.skipped.clone(), version);
    let path = output::write_changed(&folder.path, &format!("{BRIEFING}.md"), &overview::briefing(&briefing))?;
    printer.status(&format!("{} {}", tally.summary("briefed"), path.display()));
    tally.end()
}

/// The error of a run without inputs.
fn nothing(tally: &Tally) -> CommandError {
    if tally.failures.is_empty() {
        let message = format!("no article found ({} files skipped)", tally.skipped.len());
        return CommandError::message(Kind::Input, message).hint("-v says which files were skipped and why");
    }
    CommandError::message(Kind::Input, "no input could be read")
}

/// Prints the note of a single input.
fn print_one(
    args: &BriefArgs,
    work: &Work,
    crew: &mut Crew<'_>,
    mut tally: Tally,
    printer: &Printer,
) -> Result<Status, CommandError> {
    // Both formats at once would be neither: JSON is printed where it alone is asked for.
    let renderer: &dyn Renderer = if args.format == [NoteFormat::Json] { &Json } else { &Markdown };
    work.each(Repeated::Kept, &mut tally, printer, |Item { article, .. }, tally| {
        let lent = work.lend(crew, &article, Wanted::Summary, tally, printer)?;
        let Some(mut models) = lent else { return Ok(()) };
        if let Some(note) = work.brief(&article, &mut models, Wanted::Summary, tally, printer)? {
            tally.count(&note);
            printer.data(&rendered(renderer, &note)?)?;
        }
        Ok(())
    })?;
    printer.status(&tally.summary("briefed"));
    tally.end()
}

fn rendered(renderer: &dyn Renderer, note: &Note) -> Result<Vec<u8>, CommandError> {
    renderer.render(note).map_err(|error| CommandError::new(Kind::Internal, &error))
}

/// The folder that notes are written into.
struct Folder {
    path: PathBuf,
    formats: Vec<NoteFormat>,
}

impl Folder {
    fn renderers(&self) -> impl Iterator<Item = &'static dyn Renderer> {
        self.formats.iter().map(|format| match format {
            NoteFormat::Md => &Markdown as &dyn Renderer,
            NoteFormat::Json => &Json as &dyn Renderer,
        })
    }

    /// Returns the folder and the name of the JSON by which a note is known again.
    fn memory(&self, name: &str) -> (PathBuf, String) {
        let folder =
            if self.formats.contains(&NoteFormat::Json) { self.path.clone() } else { self.path.join(".mujaz") };
        (folder, format!("{name}.json"))
    }

    /// Returns the note that is there, where it is whole and made from just this.
    fn made(&self, name: &str, provenance: &Provenance) -> Option<Note> {
        let (folder, file) = self.memory(name);
        let note = json::parse(&fs_err::read(folder.join(file)).ok()?).ok()?;
        note.was_made_from(provenance).then_some(note)
    }

    /// Returns whether a file says that it is this note: somebody's edits in it are left alone, an older note is not.
    fn is_of(&self, file: &str, note: &Note) -> bool {
        fs_err::read_to_string(self.path.join(file))
            .is_ok_and(|text| text.contains(&note.source.sha256) && text.contains(&note.options))
    }

    /// Writes a note in every format; of one that was made before only what is missing or older.
    fn write(&self, name: &str, note: &Note, made_before: bool) -> Result<(), CommandError> {
        // The memory comes last: it says that the others are there.
        for renderer in self.renderers().filter(|renderer| renderer.name() != Json.name()) {
            let file = format!("{name}.{}", renderer.name());
            if !(made_before && self.is_of(&file, note)) {
                output::write(&self.path, &file, &rendered(renderer, note)?)?;
            }
        }
        let (folder, file) = self.memory(name);
        if !made_before {
            output::write(&folder, &file, &rendered(&Json, note)?)?;
        }
        Ok(())
    }

    /// Returns what the briefing links to.
    fn link(&self, name: &str) -> String {
        let extension = if self.formats.contains(&NoteFormat::Md) { "md" } else { "json" };
        Path::new(&format!("{name}.{extension}")).display().to_string()
    }
}

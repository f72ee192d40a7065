//! `mujaz translate --raw`: lines in, lines out.
//!
//! In: files of lines, or standard input. Out: the model's best hypothesis for every line, one line out for one line in, in
//! order, as soon as its group of lines is done. No checks, no retries, no marks. Memory holds one group at a time.

use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;

use mujaz::engine::raw::RawOptions;
use mujaz::engine::{self, Engine, Hypothesis};
use mujaz::progress::Progress;
use mujaz::source::encoding;

use crate::cli::args::{GlobalArgs, TranslateArgs, TranslationFormat};
use crate::cli::crew::{Choice, Crew};
use crate::cli::output;
use crate::cli::printer::Printer;
use crate::cli::progress::{Bars, interruptible};
use crate::cli::report::{CommandError, Kind, Status};

/// Lines that are translated together: enough for batches of like length.
const LINES: usize = 256;
/// A group ends early where its lines have this many bytes.
const BYTES: usize = 1 << 20;

/// Runs the command.
pub fn run(args: &TranslateArgs, global: &GlobalArgs, printer: &Printer) -> Result<Status, CommandError> {
    if args.format != TranslationFormat::Txt {
        return Err(CommandError::message(Kind::Usage, "--raw writes plain lines, which --format cannot change"));
    }
    let label = args.inputs.encoding.as_deref();
    let encoding = label.map(encoding::by_label).transpose();
    let encoding = encoding.map_err(|error| CommandError::new(Kind::Usage, &error))?;
    let folder = Some(args.output.as_path()).filter(|path| path.as_os_str() != "-");
    let paths: Vec<&Path> = args.inputs.paths.iter().map(|path| path.as_path()).collect();
    let names = output::names(&paths, &[]);
    if let Some(folder) = folder {
        output::prepare(folder)?;
        output::spare(paths.iter().copied().zip(names.iter().map(String::as_str)), folder, &["txt"])?;
    }
    let bars = Bars::new(printer);
    let mut crew = Crew::new(Choice::of_translator(&args.model), global, printer)?;
    let options = RawOptions { beams: args.beam, force_tokens: None };
    let mut complete = true;
    let mut total = 0;
    for (path, name) in paths.into_iter().zip(names) {
        let mut input = match open(path, encoding) {
            Ok(input) => input,
            Err(error) => {
                printer.error(&error);
                complete = false;
                continue;
            }
        };
        let mut started = false;
        let mut text = Vec::new();
        let mut done = 0;
        loop {
            let lines = match interruptible(path, || input.group()) {
                Ok(lines) if lines.is_empty() => break,
                Ok(lines) => lines,
                Err(error) => {
                    printer.error(&format!("{}: cannot be read: {error}", path.display()));
                    complete = false;
                    break;
                }
            };
            let wordless = lines.iter().all(|line| line.trim().is_empty());
            let translated = if wordless {
                "\n".repeat(lines.len())
            } else {
                let engine = crew.translator(&bars)?.loaded.engine();
                // Getting and loading the model had a bar of its own.
                if let Some(total) = input.lines.filter(|_| !std::mem::replace(&mut started, true)) {
                    bars.started("translating", total, "lines");
                }
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                let hypotheses = best(engine, &lines, &options, &Group { bars: &bars, before: done })?;
                hypotheses.iter().map(|hypothesis| format!("{}\n", one_line(&hypothesis.text))).collect()
            };
            done += lines.len() as u64;
            if folder.is_some() {
                text.extend(translated.into_bytes());
            } else {
                bars.aside(|| printer.data(translated.as_bytes()))?;
            }
            bars.advanced(done);
        }
        bars.finished();
        total += done;
        if let Some((line, count)) = input.broken {
            let message = format!("{}: {count} lines are not UTF-8, the first is line {line}", path.display());
            printer.warning(&message);
            printer.hint("--encoding says what it is in");
            complete = false;
        }
        if let Some(folder) = folder {
            output::write(folder, &format!("{name}.txt"), &text)?;
        }
    }
    printer.status(&format!("{total} lines translated."));
    Ok(if complete { Status::Complete } else { Status::Partial })
}

/// A source of lines.
struct Input {
    reader: Box<dyn BufRead>,
    /// How many lines there are, where that is known.
    lines: Option<u64>,
    /// Lines read.
    read: usize,
    /// The first line that is no UTF-8, and how many there are.
    broken: Option<(usize, usize)>,
}

/// Opens an input. Without a label lines are UTF-8: a few lines are too little to tell an encoding by.
fn open(path: &Path, encoding: Option<encoding::Charset>) -> Result<Input, String> {
    let named = |error: std::io::Error| format!("{}: cannot be read: {error}", path.display());
    let is_stdin = path.as_os_str() == "-";
    if path.is_dir() {
        return Err(format!("{}: is a folder, and --raw reads files of lines", path.display()));
    }
    let mut input = Input { reader: Box::new(std::io::empty()), lines: None, read: 0, broken: None };
    if let Some(encoding) = encoding {
        let bytes = if is_stdin {
            let mut bytes = Vec::new();
            interruptible(path, || std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes))
                .map_err(named)?;
            bytes
        } else {
            std::fs::read(path).map_err(named)?
        };
        let text = encoding.decode_marked(&bytes);
        input.lines = Some(text.lines().count() as u64);
        input.reader = Box::new(Cursor::new(text.into_owned().into_bytes()));
    } else if is_stdin {
        input.reader = Box::new(std::io::stdin().lock());
    } else {
        let reader = || std::fs::File::open(path).map(BufReader::new).map_err(named);
        input.lines = Some(count_lines(reader()?).map_err(named)?);
        input.reader = Box::new(reader()?);
    }
    Ok(input)
}

fn count_lines(mut reader: impl BufRead) -> std::io::Result<u64> {
    let (mut count, mut last) = (0, b'\n');
    loop {
        let bytes = reader.fill_buf()?;
        let Some(&end) = bytes.last() else { return Ok(count + u64::from(last != b'\n')) };
        last = end;
        count += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let read = bytes.len();
        reader.consume(read);
    }
}

impl Input {
    /// Reads the next lines, without their ends; none at the end of the input.
    fn group(&mut self) -> std::io::Result<Vec<String>> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < LINES && bytes < BYTES {
            let mut line = Vec::new();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            bytes += line.len();
            self.read += 1;
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = if self.read == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
            let text = String::from_utf8_lossy(line);
            if let std::borrow::Cow::Owned(_) = text {
                let (first, count) = self.broken.unwrap_or((self.read, 0));
                self.broken = Some((first, count + 1));
            }
            lines.push(text.into_owned());
        }
        Ok(lines)
    }
}

/// Returns the best hypothesis of each line.
///
/// # Errors
/// Where the model fails, is asked for what it cannot do, or the user asked to stop.
pub fn best(
    engine: &mut dyn Engine,
    lines: &[&str],
    options: &RawOptions,
    progress: &dyn Progress,
) -> Result<Vec<Hypothesis>, CommandError> {
    let found = engine.raw(lines, options, progress).map_err(|error| {
        let kind = match error {
            engine::Error::Cancelled => Kind::Interrupted,
            engine::Error::Unsupported { .. } => Kind::Usage,
            _ => Kind::Model,
        };
        CommandError::new(kind, &error)
    })?;
    if found.len() == lines.len() {
        return Ok(found);
    }
    Err(CommandError::message(Kind::Internal, format!("{} lines gave {} hypotheses", lines.len(), found.len())))
}

/// Returns a text as one line: whatever any program takes for the end of a line becomes a space.
pub fn one_line(text: &str) -> String {
    let is_end = |c: char| {
        matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    text.replace("\r\n", "\n").replace(is_end, " ")
}

/// Progress of one group of lines, told as part of all.
pub struct Group<'b> {
    /// Draws it.
    pub bars: &'b Bars,
    /// Lines that were done before.
    pub before: u64,
}

impl Progress for Group<'_> {
    fn advanced(&self, done: u64) {
        self.bars.advanced(self.before + done);
    }

    fn detail(&self, line: &str) {
        self.bars.detail(line);
    }

    fn notice(&self, line: &str) {
        self.bars.notice(line);
    }

    fn cancelled(&self) -> bool {
        self.bars.cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> (Vec<String>, Option<(usize, usize)>) {
        let reader = Box::new(Cursor::new(bytes.to_vec()));
        let mut input = Input { reader, lines: None, read: 0, broken: None };
        let mut all = Vec::new();
        loop {
            let group = input.group().unwrap();
            if group.is_empty() {
                return (all, input.broken);
            }
            all.extend(group);
        }
    }

    #[test]
    fn lines_are_what_stands_between_line_ends() {
        assert_eq!(lines(b"").0, Vec::<String>::new());
        assert_eq!(lines(b"\n").0, [""]);
        assert_eq!(lines(b"\xef\xbb\xbfa\r\n\n b \nc").0, ["a", "", " b ", "c"]);
        assert_eq!(lines(b"a\n\xff\n\xfe").1, Some((2, 2)));
        let many = "x\n".repeat(1000);
        assert_eq!(lines(many.as_bytes()).0.len(), 1000);
        for text in ["", "\n", "a", "a\n", "a\n\nb"] {
            assert_eq!(count_lines(text.as_bytes()).unwrap(), lines(text.as_bytes()).0.len() as u64, "{text:?}");
        }
    }

    #[test]
    fn a_hypothesis_stays_on_its_line() {
        assert_eq!(one_line("a\r\nb\nc\u{2028}d\re"), "a b c d e");
    }
}

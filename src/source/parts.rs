//! A file becomes its articles: itself, or the members of an archive, the rows of a table, the entries of a feed.
//!
//! In: what a walk found. Out: [`Part`]s in a stable order, one in memory at a time, whatever the file's size: articles, what
//! was passed over and why, what failed. Archives in archives are opened down to [`Limits::depth`]; how much may come
//! out of a file is bounded over all levels. Nothing is ever written to disk under a name from an archive.

use std::io::{Cursor, Seek};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use super::input::Input;
use super::kind::{Container, Content, Kind};
use super::record::{Fields, Record};
use super::walk::{Found, Reason, Skipped, says_nothing};
use super::{Error, MAX_BYTES, SourceFile, Why, archive, directory, encoding, feed, json, sniff, table};
use crate::arabic::letters::is_arabic_letter;

/// How much may come out of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How deep archives may lie in each other: an archive of a month's archives of days is two.
    pub depth: usize,
    /// Bytes that any file may unpack to.
    pub least: u64,
    /// How many times its own bytes a larger file may unpack to: text packs to a tenth, pages of a site to a thirtieth.
    pub ratio: u64,
    /// Bytes that no file may unpack to.
    pub most: u64,
    /// Members of an archive: its directory is held in memory.
    pub members: usize,
    /// Articles of a file.
    pub parts: usize,
    /// Failures that are told one by one.
    pub failures: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 3,
            least: 128 * 1024 * 1024,
            ratio: 200,
            most: 16 * 1024 * 1024 * 1024,
            members: 100_000,
            parts: 5_000_000,
            failures: 100,
        }
    }
}

/// How files are opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The names of the fields of tables, where the user gave them.
    pub fields: Fields,
    /// The encoding of text, where the user named one.
    pub encoding: Option<encoding::Charset>,
    /// How much may come out of a file.
    pub limits: Limits,
}

/// Something that a file holds.
#[derive(Debug)]
pub enum Part {
    /// An article.
    Article(SourceFile),
    /// Something that is no article.
    Skipped(Skipped),
    /// Something that cannot be read.
    Failed(Error),
}

/// The parts of a file, in order. A container is read in a thread of its own, which is never more than one part ahead.
#[derive(Debug)]
pub struct Parts {
    path: PathBuf,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Ready(Option<Part>),
    Streamed { parts: Receiver<Part>, thread: Option<std::thread::JoinHandle<()>>, container: Container },
}

impl Parts {
    /// Returns what holds the parts, where the file may have several.
    pub fn container(&self) -> Option<Container> {
        match &self.inner {
            Inner::Streamed { container, .. } => Some(*container),
            Inner::Ready(_) => None,
        }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match &mut self.inner {
            Inner::Ready(part) => part.take(),
            Inner::Streamed { parts, thread, .. } => match parts.recv() {
                Ok(part) => Some(part),
                // The thread is at its end. Where a library's code panicked, that is a failure like any other.
                Err(_) => match thread.take()?.join() {
                    Ok(()) => None,
                    Err(_) => {
                        let why =
                            Why::Damaged { what: "the reader of this kind of file stopped at a fault".to_owned() };
                        Some(Part::Failed(Error::Refused { path: self.path.clone(), part: None, why }))
                    }
                },
            },
        }
    }
}

/// Opens a file that a [`walk`](super::walk::walk) found.
pub fn open(found: &Found, options: &OpenOptions) -> Parts {
    let path = found.path.clone();
    let ready = |part| Parts { path: found.path.clone(), inner: Inner::Ready(Some(part)) };
    let input = match Input::of_path(&found.path) {
        Ok(input) => input,
        Err(source) => return ready(Part::Failed(Error::Unreadable { path, source })),
    };
    let (mut opener, told) = match Opener::new(found, options, input) {
        Ok(opened) => opened,
        // Nothing said that it is an article.
        Err(_) if !found.named && says_nothing(&sniff::extension(&path.to_string_lossy())) => {
            return ready(Part::Skipped(Skipped { path, part: None, reason: Reason::UnknownKind }));
        }
        Err(error) => return ready(Part::Failed(error)),
    };
    let Content::Container(container) = told.content else {
        return ready(opener.alone(told));
    };
    let (sender, parts) = sync_channel(0);
    let thread = std::thread::Builder::new().name("open".to_owned()).spawn(move || {
        let mut sink = |part| sender.send(part).is_ok();
        opener.all(told, &mut sink);
    });
    match thread {
        Ok(thread) => Parts { path, inner: Inner::Streamed { parts, thread: Some(thread), container } },
        Err(source) => ready(Part::Failed(Error::Unreadable { path, source })),
    }
}

/// Takes parts; returns whether more are wanted.
pub(super) type Sink<'s> = dyn FnMut(Part) -> bool + 's;

/// Where in a file the opener is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The part; none for the file itself.
    pub part: Option<String>,
    /// How many archives lie around it.
    pub depth: usize,
    /// Whether the user named it; what lies in a folder or an archive was not.
    pub named: bool,
}

impl Place {
    /// Returns the place of something in this one.
    pub(super) fn inner(&self, name: &str) -> Self {
        let part = match &self.part {
            Some(part) => format!("{part}: {name}"),
            None => name.to_owned(),
        };
        Self { part: Some(part), depth: self.depth, named: false }
    }
}

/// Opens a file and what is in it.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) path: PathBuf,
    pub(super) options: OpenOptions,
    /// How many bytes may yet come out of archives.
    pub(super) left: u64,
    /// How many bytes the file itself has, and how many may come out of it.
    pub(super) packed: u64,
    pub(super) allowed: u64,
    /// The file, until it is opened.
    input: Option<Input>,
    place: Place,
    parts: usize,
    failures: usize,
    /// Whether no more parts are wanted, or none can be read.
    pub(super) stopped: bool,
}

impl Opener {
    fn new(found: &Found, options: &OpenOptions, mut input: Input) -> Result<(Self, sniff::Told), Error> {
        let path = &found.path;
        let packed = input.len();
        if packed == 0 {
            return Err(Error::Empty { path: path.clone() });
        }
        let Limits { least, ratio, most, .. } = options.limits;
        let allowed = packed.saturating_mul(ratio).max(least).min(most);
        let place = Place { part: None, depth: 0, named: found.named };
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let told = tell(&name, &mut input);
        let told = told.map_err(|error| match error {
            Fault::Io(source) => Error::Unreadable { path: path.clone(), source },
            Fault::Why(why) => Error::Refused { path: path.clone(), part: None, why },
        })?;
        let opener = Self {
            path: path.clone(),
            options: options.clone(),
            left: allowed,
            packed,
            allowed,
            input: Some(input),
            place,
            parts: 0,
            failures: 0,
            stopped: false,
        };
        Ok((opener, told))
    }

    /// Returns the one part of a file that is an article.
    fn alone(&mut self, told: sniff::Told) -> Part {
        let mut only = None;
        let (place, input) = (self.place.clone(), self.input.take());
        if let Some(input) = input {
            self.content(&place, told, input, &mut |part| {
                only.get_or_insert(part);
                true
            });
        }
        only.unwrap_or_else(|| Part::Failed(self.refused(&place, Why::NoPart)))
    }

    /// Gives all parts of a container.
    fn all(&mut self, told: sniff::Told, sink: &mut Sink<'_>) {
        let (place, input) = (self.place.clone(), self.input.take());
        if let Some(input) = input {
            self.content(&place, told, input, sink);
        }
        let more = self.failures.saturating_sub(self.options.limits.failures);
        if more > 0 {
            sink(Part::Failed(self.refused(&place, Why::More { count: more })));
        }
    }

    /// Takes something that an archive holds.
    pub(super) fn member(&mut self, place: &Place, name: &str, bytes: Vec<u8>, sink: &mut Sink<'_>) {
        if bytes.is_empty() {
            return self.fail(place, Why::Empty, sink);
        }
        let mut input = Input::Bytes(bytes);
        match tell(name, &mut input) {
            Ok(told) => self.content(place, told, input, sink),
            Err(_) if says_nothing(&sniff::extension(name)) => self.skip(place, Reason::UnknownKind, sink),
            Err(Fault::Why(why)) => self.fail(place, why, sink),
            Err(Fault::Io(error)) => self.fail(place, Why::Damaged { what: error.to_string() }, sink),
        }
    }

    fn content(&mut self, place: &Place, told: sniff::Told, input: Input, sink: &mut Sink<'_>) {
        // A table without a name for it is data of some program's.
        let silent = !place.named && place.part.is_none() && says_nothing(&sniff::extension(&self.name_of(place)));
        let container = match told.content {
            Content::Container(Container::Csv | Container::JsonLines) if silent => {
                return self.skip(place, Reason::UnknownKind, sink);
            }
            Content::Article(kind) => return self.article(place, kind, told.warning, input, sink),
            Content::Container(container) => container,
        };
        let before = self.parts + self.failures;
        let archive = matches!(container, Container::Zip | Container::Tar | Container::Gzip);
        let limit = self.options.limits.depth;
        if archive && place.depth >= limit {
            return self.fail(place, Why::TooDeep { limit }, sink);
        }
        let inside = Place { depth: place.depth + usize::from(archive), ..place.clone() };
        let told = match container {
            Container::Zip => archive::zip(self, &inside, input, sink),
            Container::Tar | Container::Gzip => archive::tar_or_gzip(self, &inside, input, sink),
            Container::Csv | Container::JsonLines => self.table(&inside, container, input, sink),
            Container::Feed => self.feed(&inside, input, sink),
        };
        match told {
            Err(why) => self.fail(place, why, sink),
            Ok(()) if before == self.parts + self.failures && !self.stopped => self.fail(place, Why::NoPart, sink),
            Ok(()) => {}
        }
    }

    fn article(&mut self, place: &Place, kind: Kind, warning: Option<String>, input: Input, sink: &mut Sink<'_>) {
        let limit = MAX_BYTES;
        if input.len() > limit {
            return self.fail(place, Why::TooLarge { limit }, sink);
        }
        let bytes = match input.into_bytes() {
            Ok(bytes) => bytes,
            Err(error) => return self.fail(place, Why::Damaged { what: error.to_string() }, sink),
        };
        if !place.named
            && let Some(reason) = no_article(&self.name_of(place), kind, &bytes)
        {
            return self.skip(place, reason, sink);
        }
        match SourceFile::from_bytes(&self.path, kind, bytes) {
            Ok(mut file) => {
                file.part = place.part.clone();
                file.warnings.extend(warning);
                self.give(file, sink);
            }
            // A file that grew while it was read.
            Err(_) => self.fail(place, Why::TooLarge { limit }, sink),
        }
    }

    fn table(&mut self, place: &Place, container: Container, mut input: Input, sink: &mut Sink<'_>) -> Result<(), Why> {
        let head = input.head().map_err(|error| Why::Damaged { what: error.to_string() })?;
        let length = input.len();
        let (stream, encoding) = table::as_utf8(&head, input.reader(), self.options.encoding)?;
        let fields = self.options.fields.clone();
        let mut each = |row: table::Row| {
            let place = place.inner(&row.name);
            match row.record {
                Ok(record) => self.record(&place, record, &encoding, sink),
                Err(why) => self.fail(&place, why, sink),
            }
            !self.stopped
        };
        if container == Container::Csv {
            table::csv(stream, &fields, &mut each)
        } else if sniff::is_one_json(&head) {
            if length > MAX_BYTES {
                return Err(Why::TooLarge { limit: MAX_BYTES });
            }
            json::whole(stream, &fields, &mut each)
        } else {
            json::lines(stream, &fields, &mut each)
        }
    }

    fn feed(&mut self, place: &Place, input: Input, sink: &mut Sink<'_>) -> Result<(), Why> {
        if input.len() > MAX_BYTES {
            return Err(Why::TooLarge { limit: MAX_BYTES });
        }
        let bytes = input.into_bytes().map_err(|error| Why::Damaged { what: error.to_string() })?;
        let (text, encoding) = feed::decode(&bytes, self.options.encoding)?;
        drop(bytes);
        feed::read(&text, |number, record| {
            let place = place.inner(&format!("entry {number}"));
            match record {
                Ok(record) => self.record(&place, record, &encoding, sink),
                Err(why) => self.fail(&place, why, sink),
            }
            !self.stopped
        })
    }

    fn record(&mut self, place: &Place, record: Record, encoding: &str, sink: &mut Sink<'_>) {
        match SourceFile::from_bytes(&self.path, Kind::Record, record.bytes(encoding)) {
            Ok(mut file) => {
                file.part = place.part.clone();
                self.give(file, sink);
            }
            Err(_) => self.fail(place, Why::TooLarge { limit: MAX_BYTES }, sink),
        }
    }

    fn give(&mut self, file: SourceFile, sink: &mut Sink<'_>) {
        let limit = self.options.limits.parts;
        if self.parts >= limit {
            self.stopped = true;
            let why = Why::TooMany { limit, what: "articles" };
            sink(Part::Failed(self.refused(&Place::default(), why)));
            return;
        }
        self.parts += 1;
        self.stopped |= !sink(Part::Article(file));
    }

    /// Returns the name of the file or part at a place.
    fn name_of(&self, place: &Place) -> String {
        match &place.part {
            Some(part) => part.clone(),
            None => self.path.to_string_lossy().into_owned(),
        }
    }

    /// Says that something was passed over.
    pub(super) fn skip(&mut self, place: &Place, reason: Reason, sink: &mut Sink<'_>) {
        let skipped = Skipped { path: self.path.clone(), part: place.part.clone(), reason };
        self.stopped |= !sink(Part::Skipped(skipped));
    }

    /// Says that something cannot be read; beyond a number of failures they are counted.
    pub(super) fn fail(&mut self, place: &Place, why: Why, sink: &mut Sink<'_>) {
        self.failures += 1;
        if self.failures <= self.options.limits.failures {
            self.stopped |= !sink(Part::Failed(self.refused(place, why)));
        }
    }

    fn refused(&self, place: &Place, why: Why) -> Error {
        match (&place.part, why) {
            (None, Why::TooLarge { limit }) => Error::TooLarge { path: self.path.clone(), limit },
            (part, why) => Error::Refused { path: self.path.clone(), part: part.clone(), why },
        }
    }
}

enum Fault {
    Io(std::io::Error),
    Why(Why),
}

fn tell(name: &str, input: &mut Input) -> Result<sniff::Told, Fault> {
    let head = input.head().map_err(Fault::Io)?;
    let zipped = sniff::is_zip(&head)
        // Programs that unpack themselves have the archive behind them; its end is what makes it one.
        || (sniff::extension(name) == "zip" && directory::is_there(input).map_err(Fault::Io)?);
    if !zipped {
        return sniff::tell(name, &head, input.len() <= head.len() as u64).map_err(Fault::Why);
    }
    if let Some(why) = directory::lie(input).map_err(Fault::Io)? {
        return Err(Fault::Why(why));
    }
    match input {
        Input::File(file, _) => {
            let told = sniff::tell_zip(name, &head, &mut *file);
            file.rewind().map_err(Fault::Io)?;
            told
        }
        Input::Bytes(bytes) => sniff::tell_zip(name, &head, Cursor::new(bytes.as_slice())),
    }
    .map_err(Fault::Why)
}

/// Returns why a file in a folder or an archive is no article, though a reader takes its kind.
fn no_article(name: &str, kind: Kind, bytes: &[u8]) -> Option<Reason> {
    let silent = says_nothing(&sniff::extension(name)) && matches!(kind, Kind::Text | Kind::Email | Kind::Subtitles);
    if kind != Kind::Markdown && !silent {
        return None;
    }
    if is_own(bytes) {
        return Some(Reason::OwnNote);
    }
    let reason = if silent { Reason::UnknownKind } else { Reason::NoArabic };
    let Ok(text) = encoding::decode(bytes, None, None) else { return silent.then_some(reason) };
    // Scripts may say something in Arabic too.
    let script = silent && ["#!", "<?", "<%"].iter().any(|mark| text.text.trim_start().starts_with(mark));
    (script || !text.text.chars().any(is_arabic_letter)).then_some(reason)
}

/// Returns whether mujaz wrote the file: its notes and briefings say so at their end.
fn is_own(bytes: &[u8]) -> bool {
    let end = &bytes[bytes.len().saturating_sub(4096)..];
    String::from_utf8_lossy(end).lines().any(|line| line.trim_start_matches("- ").starts_with("Made by mujaz "))
}

//! The table of contents: one input becomes an article, an article becomes a note.
//!
//! In: what a walk found, the models that are loaded, options. Out: a [`Note`], or what stopped it. No logic of its own:
//! each function calls the stages in order. Loading models, writing files and going on after a failed input are the
//! caller's, who knows about folders and people.

use crate::briefing::{ModelLine, Note, NoteSource, Provenance, note};
use crate::check::Checker;
use crate::document::{self, Document, ReadOptions};
use crate::engine::{self, Engine};
use crate::glossary::Glossary;
use crate::options::Options;
use crate::progress::Progress;
use crate::source::record::Fields;
use crate::source::{self, OpenOptions, Parts, SourceFile, encoding, walk::Found};
use crate::summary::{SummaryOptions, Writer, summarize};
use crate::translation::{Translation, rounds};

/// What can stop an article.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// The options name an encoding that there is not.
    #[error(transparent)]
    Encoding(#[from] encoding::Error),
    /// The text in it could not be made out.
    #[error(transparent)]
    Document(#[from] document::Error),
    /// The model failed.
    #[error("{path}: the model failed")]
    Engine {
        /// The article's file.
        path: String,
        /// What the engine says.
        #[source]
        source: engine::Error,
    },
}

/// An input that was read and understood.
#[derive(Debug, Clone)]
pub struct Article {
    /// Where it came from.
    pub source: NoteSource,
    /// What it says.
    pub document: Document,
}

impl Article {
    /// Returns whether any of it is to be translated: one segment of an Arabic block is enough.
    pub fn needs_translator(&self) -> bool {
        let document = &self.document;
        document.segments.iter().any(|segment| document.is_to_translate(segment))
    }
}

/// The models of a run, loaded, with what notes say about them.
pub struct Models<'m> {
    /// Translates; none where the article is in English (see [`Article::needs_translator`]).
    pub translator: Option<&'m mut dyn Engine>,
    /// Words the bullets; without it they are taken from the translation.
    pub writer: Option<Writer<'m>>,
    /// What notes say about them, in order of use.
    pub lines: Vec<ModelLine>,
    /// Why notes are drafts only; none where they are not.
    pub draft: Option<String>,
}

/// How much of a note is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The translation alone.
    Translation,
    /// The translation and the bullets.
    Summary,
}

/// Opens an input: 1. source. What it gives are articles, what was passed over, and what failed.
///
/// # Errors
/// Where the options name an encoding that there is not.
pub fn open(found: &Found, options: &Options) -> Result<Parts, encoding::Error> {
    let encoding = options.encoding.as_deref().map(encoding::by_label).transpose()?;
    let names = options.fields.clone();
    let fields = Fields { text: names.text, title: names.title, date: names.date };
    Ok(source::open(found, &OpenOptions { fields, encoding, ..OpenOptions::default() }))
}

/// Returns what options say of how articles are read.
///
/// # Errors
/// [`Error::Encoding`].
pub fn reading(options: &Options) -> Result<ReadOptions<'static>, Error> {
    let encoding = options.encoding.as_deref().map(encoding::by_label).transpose()?;
    let (cleaning, force_language) = (Some(options.cleaning.clone()), options.force_language);
    Ok(ReadOptions { encoding, cleaning, force_language, ..ReadOptions::default() })
}

/// Reads an article: 2. document.
///
/// # Errors
/// [`Error::Encoding`] and [`Error::Document`].
pub fn read(file: SourceFile, options: &Options) -> Result<Article, Error> {
    let document = document::read(&file, &reading(options)?)?;
    let path = file.path.display().to_string();
    let source = NoteSource { path, part: file.part, sha256: file.sha256, encoding: document.encoding.clone() };
    Ok(Article { source, document })
}

/// States what a note of an article would be made from: the same provenance gives the same note, byte for byte.
pub fn provenance(article: &Article, models: &Models, options: &Options) -> Provenance {
    Provenance {
        source: article.source.clone(),
        models: models.lines.clone(),
        draft: models.draft.clone(),
        options: format!("{} sources={}", options.key(), env!("MUJAZ_SOURCES")),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Makes the note of an article: 3. batch, 4. engine and 5. translation, 6. summary, 7. note.
///
/// # Errors
/// [`Error::Engine`], also where the user asked to stop.
pub fn brief(
    article: &Article,
    models: &mut Models,
    options: &Options,
    wanted: Wanted,
    progress: &dyn Progress,
) -> Result<Note, Error> {
    let glossary = Glossary::builtin();
    let checker = Checker::new(glossary);
    let document = &article.document;
    let provenance = provenance(article, models, options);
    let translation = match &mut models.translator {
        Some(engine) => rounds::translate(document, *engine, &checker, options.effort, progress)
            .map_err(|source| Error::Engine { path: article.source.path.clone(), source })?,
        None => Translation::untranslated(document),
    };
    let summary = (wanted == Wanted::Summary).then(|| {
        let writer = models.writer.as_mut().map(Writer::lent);
        summarize(document, &translation, &SummaryOptions { bullets: options.bullets }, writer, progress)
    });
    if progress.cancelled() && models.writer.is_some() {
        // A summary that was stopped halfway is none.
        let path = article.source.path.clone();
        return Err(Error::Engine { path, source: engine::Error::Cancelled });
    }
    Ok(note(document, &translation, summary, provenance, glossary))
}

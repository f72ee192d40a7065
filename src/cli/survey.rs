//! What became of each file: the report of `mujaz extract --report`.
//!
//! In: what was read, passed over and refused, one after the other. Out: counts and lists as JSON, and the same as a table
//! for people. Articles that are the same text are found at the end ([`similar`]).

use std::collections::BTreeMap;

use mujaz::briefing::similar::{self, Fingerprint, Likeness};
use mujaz::document::Document;
use mujaz::document::language::Language;
use mujaz::source::{Kind, SourceFile};
use serde::Serialize;

use super::printer::{Printer, escaped};

/// Lines of a kind that the table spells out; the JSON has all.
const MOST: usize = 20;

/// What became of a file or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Read,
    Skipped,
    Refused,
}

/// A file or a part of one.
#[derive(Debug, Serialize)]
struct Entry {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    outcome: Outcome,
    /// Why it was skipped or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<Same>,
}

/// An earlier article that one is like.
#[derive(Debug, Serialize)]
struct Same {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// `bytes`, `text` or `largely`.
    how: &'static str,
    /// Of a hundred runs of words of the shorter text, how many stand in the other.
    percent: u8,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    files: usize,
    read: usize,
    with_warnings: usize,
    skipped: usize,
    refused: usize,
    same: usize,
    kinds: BTreeMap<String, usize>,
    encodings: BTreeMap<String, usize>,
    languages: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
struct Report<'s> {
    mujaz: &'static str,
    counts: &'s Counts,
    files: &'s [Entry],
}

/// Collects what became of each file.
#[derive(Debug, Default)]
pub struct Survey {
    entries: Vec<Entry>,
    /// For each article that was read, its place among the entries and what it is compared by.
    articles: Vec<(usize, Fingerprint)>,
}

impl Survey {
    /// Notes an article that was read.
    pub fn read(&mut self, file: &SourceFile, document: &Document) {
        self.articles.push((self.entries.len(), Fingerprint::of_document(document)));
        self.entries.push(Entry {
            kind: Some(file.kind),
            encoding: Some(document.encoding.clone()).filter(|name| !name.is_empty()),
            language: Some(document.language),
            sha256: Some(file.sha256.clone()),
            title: document.title().map(str::to_owned),
            segments: Some(document.segments.len()),
            warnings: document.warnings.clone(),
            ..Entry::of(file.path.display().to_string(), file.part.clone(), Outcome::Read, None)
        });
    }

    /// Notes something that was passed over.
    pub fn skipped(&mut self, path: String, part: Option<String>, reason: String) {
        self.entries.push(Entry::of(path, part, Outcome::Skipped, Some(reason)));
    }

    /// Notes something that could not be read.
    pub fn refused(&mut self, path: String, part: Option<String>, reason: String) {
        self.entries.push(Entry::of(path, part, Outcome::Refused, Some(reason)));
    }

    /// Finds articles that are the same text as an earlier one.
    fn link(&mut self) {
        let links = similar::links(&self.articles.iter().map(|(_, fingerprint)| fingerprint).collect::<Vec<_>>());
        for ((place, _), link) in self.articles.iter().zip(links) {
            let Some(link) = link else { continue };
            let other = &self.entries[self.articles[link.to].0];
            let (how, percent) = match link.likeness {
                Likeness::Same if other.sha256 == self.entries[*place].sha256 => ("bytes", 100),
                Likeness::Same => ("text", 100),
                Likeness::Largely(percent) => ("largely", percent),
            };
            let same = Same { path: other.path.clone(), part: other.part.clone(), how, percent };
            self.entries[*place].same_as = Some(same);
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let mut paths: Vec<&str> = self.entries.iter().map(|entry| entry.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        counts.files = paths.len();
        for entry in &self.entries {
            match entry.outcome {
                Outcome::Read => counts.read += 1,
                Outcome::Skipped => counts.skipped += 1,
                Outcome::Refused => counts.refused += 1,
            }
            counts.with_warnings += usize::from(!entry.warnings.is_empty());
            counts.same += usize::from(entry.same_as.is_some());
            let kind = entry.kind.and_then(|kind| serde_json::to_value(kind).ok());
            let kind = kind.as_ref().and_then(|kind| kind.as_str()).map(str::to_owned);
            for (name, map) in [
                (kind, &mut counts.kinds),
                (entry.encoding.clone(), &mut counts.encodings),
                (entry.language.map(|language| language.name().to_owned()), &mut counts.languages),
            ] {
                if let Some(name) = name {
                    *map.entry(name).or_default() += 1;
                }
            }
        }
        counts
    }

    /// Ends the survey: prints the table, and returns the JSON.
    pub fn finish(mut self, printer: &Printer) -> Vec<u8> {
        self.link();
        let counts = self.counts();
        self.print(&counts, printer);
        let report = Report { mujaz: env!("CARGO_PKG_VERSION"), counts: &counts, files: &self.entries };
        let mut json = serde_json::to_vec_pretty(&report).expect("strings and numbers are always JSON");
        json.push(b'\n');
        json
    }

    fn print(&self, counts: &Counts, printer: &Printer) {
        let map = |map: &BTreeMap<String, usize>| {
            map.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        printer.status(&format!("read       {:>6}   {}", counts.read, map(&counts.kinds)));
        if counts.read > 0 {
            printer.status(&format!("encodings           {}", map(&counts.encodings)));
            printer.status(&format!("languages           {}", map(&counts.languages)));
        }
        let named = |entry: &Entry| match &entry.part {
            Some(part) => escaped(&format!("{}: {part}", entry.path)),
            None => escaped(&entry.path),
        };
        let warned = self.entries.iter().flat_map(|e| e.warnings.iter().map(move |w| format!("{}: {w}", named(e))));
        section(printer, "warned", counts.with_warnings, warned);
        // Hundreds are passed over for a handful of reasons: the reasons are what is told.
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.outcome == Outcome::Skipped) {
            reasons.entry(entry.reason.as_deref().unwrap_or_default()).or_default().push(named(entry));
        }
        let lines = reasons.iter().map(|(reason, names)| match names.as_slice() {
            [one] => format!("{one}: {reason}"),
            [first, ..] => format!("{first} and {} more: {reason}", names.len() - 1),
            [] => String::new(),
        });
        section(printer, "skipped", counts.skipped, lines);
        let refused = self.entries.iter().filter(|entry| entry.outcome == Outcome::Refused);
        section(printer, "refused", counts.refused, refused.map(|entry| entry.reason.clone().unwrap_or_default()));
        let same = self.entries.iter().filter_map(|entry| {
            let same = entry.same_as.as_ref()?;
            let other = match &same.part {
                Some(part) => escaped(&format!("{}: {part}", same.path)),
                None => escaped(&same.path),
            };
            Some(match same.how {
                "bytes" => format!("{}: the same bytes as {other}", named(entry)),
                "text" => format!("{}: the same text as {other}", named(entry)),
                _ => format!("{}: largely the same as {other} ({} %)", named(entry), same.percent),
            })
        });
        section(printer, "alike", counts.same, same);
    }
}

impl Entry {
    fn of(path: String, part: Option<String>, outcome: Outcome, reason: Option<String>) -> Self {
        Self {
            path,
            part,
            outcome,
            reason,
            kind: None,
            encoding: None,
            language: None,
            sha256: None,
            title: None,
            segments: None,
            warnings: Vec::new(),
            same_as: None,
        }
    }
}

fn section(printer: &Printer, name: &str, count: usize, lines: impl Iterator<Item = String>) {
    if count == 0 {
        return;
    }
    printer.status(&format!("{name:<10} {count:>6}"));
    let lines: Vec<String> = lines.collect();
    for line in lines.iter().take(MOST) {
        printer.status(&format!("  {line}"));
    }
    if lines.len() > MOST {
        printer.status(&format!("  and {} more; the JSON report has all", lines.len() - MOST));
    }
}

//! The models that mujaz knows: `models.toml`, compiled in, and what `--registry FILE` adds to it.
//!
//! In: TOML. Out: validated [`ModelEntry`]s; an error points at the line. Getting the files is [`crate::hub`]'s.
//! The form of an entry is described at the top of `models.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Spanned;

const BUILT_IN: &str = include_str!("../models.toml");

/// Names a model on the command line: lower-case letters, digits, dots and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(pub String);

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a model is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Arabic in, English out.
    Translate,
    /// Writes bullets about a text.
    Summarize,
}

/// On what terms a model may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// Its SPDX id, or its name where there is none.
    pub name: String,
    /// Where its text stands.
    pub link: String,
    /// One line on what it asks of the user.
    pub asks: String,
}

/// A file in a repository of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// `owner/name`.
    #[serde(deserialize_with = "checked_repo")]
    pub repo: String,
    /// The commit, 40 hex digits: a branch would change under our feet.
    #[serde(deserialize_with = "checked_revision")]
    pub revision: String,
    /// Path inside the repository, with forward slashes.
    #[serde(deserialize_with = "checked_path")]
    pub path: String,
}

/// One part of a file inside a Python package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSource {
    /// Name of the package.
    #[serde(deserialize_with = "checked_package")]
    pub package: String,
    /// Its exact version.
    #[serde(deserialize_with = "checked_package")]
    pub version: String,
    /// Path of the part inside the wheel.
    #[serde(deserialize_with = "checked_path")]
    pub member: String,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Name under which the engine asks for it; no folders.
    #[serde(deserialize_with = "checked_file_name")]
    pub name: String,
    /// Its size.
    #[serde(deserialize_with = "checked_bytes")]
    pub bytes: u64,
    /// Its SHA-256, 64 lower-case hex digits.
    #[serde(deserialize_with = "checked_sha256")]
    pub sha256: String,
    /// Where the hub has it; tried first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<HubSource>,
    /// Packages whose members, joined in order, are the file; tried second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<WheelSource>,
}

/// A model: what it is, on what terms, and where its files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Its name on the command line.
    #[serde(deserialize_with = "checked_id")]
    pub id: ModelId,
    /// One line for people.
    pub title: String,
    /// What it can do here; never empty.
    #[serde(deserialize_with = "checked_tasks")]
    pub task: Vec<Task>,
    /// Selects the engine: the GGUF's `general.architecture`, or the checkpoint's `model_type`.
    pub architecture: String,
    /// BCP-47 codes.
    pub languages: Vec<String>,
    /// The terms.
    pub licence: Licence,
    /// Memory that a run needs, weights included.
    pub memory_bytes: u64,
    /// Whether its translations are drafts, which every note then says.
    #[serde(default)]
    pub draft: bool,
    /// Its files; never empty, names distinct.
    #[serde(deserialize_with = "checked_files")]
    pub files: Vec<ModelFile>,
}

impl ModelEntry {
    /// Returns the size of all files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// Returns whether the model can do a task.
    pub fn does(&self, task: Task) -> bool {
        self.task.contains(&task)
    }
}

/// All models that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    models: Vec<ModelEntry>,
}

/// The document as it is written; ids with their place, for errors that need two entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    model: Vec<Spanned<ModelEntry>>,
}

impl Registry {
    /// Returns the models compiled in.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN, Path::new("models.toml")).expect("models.toml is parsed by a unit test")
    }

    /// Reads a registry file.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a registry; the message shows the line.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let text = fs_err::read_to_string(path)?;
        Self::parse(&text, path)
    }

    /// Reads a registry from text; `path` is for messages.
    ///
    /// # Errors
    /// Where the text is not a registry; the message shows the line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let document: Document =
            toml::from_str(text).map_err(|source| Error::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        let mut seen: BTreeMap<ModelId, usize> = BTreeMap::new();
        let mut models = Vec::with_capacity(document.model.len());
        for spanned in document.model {
            let line = 1 + text.get(..spanned.span().start).map_or(0, |before| before.matches('\n').count());
            let entry = spanned.into_inner();
            if let Some(&first) = seen.get(&entry.id) {
                return Err(Error::Duplicate { path: path.to_owned(), id: entry.id, first, second: line });
            }
            seen.insert(entry.id.clone(), line);
            models.push(entry);
        }
        Ok(Self { models })
    }

    /// Adds the models of another registry; the same id replaces. Returns the ids that were replaced.
    pub fn extend(&mut self, other: Self) -> Vec<ModelId> {
        let mut replaced = Vec::new();
        for entry in other.models {
            match self.models.iter_mut().find(|known| known.id == entry.id) {
                Some(known) => {
                    replaced.push(entry.id.clone());
                    *known = entry;
                }
                None => self.models.push(entry),
            }
        }
        replaced
    }

    /// Returns all models, in the order of the files they were read from.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// Finds a model by its id.
    ///
    /// # Errors
    /// Where no model has that id; the error names the one that was probably meant.
    pub fn find(&self, id: &str) -> Result<&ModelEntry, Error> {
        self.models.iter().find(|entry| entry.id.0 == id).ok_or_else(|| Error::Unknown {
            id: id.to_owned(),
            closest: self.closest(id).cloned(),
            known: self.models.iter().map(|entry| entry.id.clone()).collect(),
        })
    }

    /// Returns the id most like a mistyped one: at most a third of it differs, or it is the start of just one id.
    fn closest(&self, typed: &str) -> Option<&ModelId> {
        let typed = typed.to_lowercase();
        let allowed = (typed.chars().count() / 3).max(1);
        let near = self
            .models
            .iter()
            .map(|entry| (edit_distance(&typed, &entry.id.0), &entry.id))
            .min()
            .filter(|(distance, _)| *distance <= allowed)
            .map(|(_, id)| id);
        near.or_else(|| {
            let mut starting = self.models.iter().filter(|entry| typed.len() > 2 && entry.id.0.starts_with(&typed));
            starting.next().filter(|_| starting.next().is_none()).map(|entry| &entry.id)
        })
    }
}

/// Counts the insertions, deletions and replacements between two strings (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    holds: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if holds(&text) { Ok(text) } else { Err(D::Error::custom(format!("{text:?} is not {wanted}"))) }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Names that are safe as one component of a path on every system.
fn is_component(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && !text.ends_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
}

fn checked_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModelId, D::Error> {
    let holds = |text: &str| {
        is_component(text)
            && !text.starts_with('-')
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
    };
    checked(deserializer, holds, "a model id (lower-case letters, digits, dots, hyphens)").map(ModelId)
}

fn checked_repo<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let holds = |text: &str| text.split('/').count() == 2 && text.split('/').all(is_component);
    checked(deserializer, holds, "a repository (owner/name)")
}

fn checked_revision<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text| is_hex(text, 40), "a commit (40 lower-case hex digits; branches and tags can move)")
}

fn checked_sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text| is_hex(text, 64), "a SHA-256 (64 lower-case hex digits)")
}

fn checked_file_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, is_component, "a file name (letters, digits, . _ - +; no folders, no leading dot)")
}

fn checked_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text| text.split('/').all(is_component), "a relative path (a/b.c, no leading dots)")
}

fn checked_package<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    // A leading hyphen would be an option to pip.
    let holds = |text: &str| is_component(text) && !text.starts_with('-');
    checked(deserializer, holds, "a package name or version (letters, digits, . _ - +)")
}

fn checked_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(D::Error::custom("an empty file is no model file")),
        bytes => Ok(bytes),
    }
}

fn checked_tasks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Task>, D::Error> {
    let tasks = Vec::<Task>::deserialize(deserializer)?;
    if tasks.is_empty() { Err(D::Error::custom("a model needs a task: translate, summarize")) } else { Ok(tasks) }
}

fn checked_files<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ModelFile>, D::Error> {
    let files = Vec::<ModelFile>::deserialize(deserializer)?;
    if files.is_empty() {
        return Err(D::Error::custom("a model needs at least one file"));
    }
    for (index, file) in files.iter().enumerate() {
        if file.hub.is_none() && file.wheels.is_empty() {
            return Err(D::Error::custom(format!("{:?} has no source: give it hub or wheels", file.name)));
        }
        if files[..index].iter().any(|other| other.name == file.name) {
            return Err(D::Error::custom(format!("two files are called {:?}", file.name)));
        }
    }
    Ok(files)
}

/// What can be wrong with a registry, or with the name of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The text is not a registry; the source shows line, column and a caret.
    #[error("{path} is not a registry of models: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: Box<toml::de::Error>,
    },
    /// Two entries have the same id.
    #[error("{path}: model {id:?} stands there twice, in the entries at lines {first} and {second}", id = id.0)]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The id.
        id: ModelId,
        /// Line where the first entry starts.
        first: usize,
        /// Line where the second entry starts.
        second: usize,
    },
    /// No model has that id.
    #[error("no model is called {id:?}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// The id that was probably meant.
        closest: Option<ModelId>,
        /// All there are.
        known: Vec<ModelId>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

    fn entry(id: &str, extra: &str) -> String {
        format!(
            "[[model]]\nid = \"{id}\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"gemma3\"\n\
             languages = [\"ar\"]\nmemory_bytes = 1\nlicence = {{ name = \"MIT\", link = \"l\", asks = \"a\" }}\n\
             files = [{{ name = \"m.gguf\", bytes = 1, sha256 = \"{}\", hub = {{ repo = \"o/n\", revision = \
             \"{REVISION}\", path = \"m.gguf\" }} }}]\n{extra}",
            "a".repeat(64)
        )
    }

    fn message(text: &str) -> String {
        Registry::parse(text, Path::new("my.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_registry_is_valid_and_names_the_small_models() {
        let registry = Registry::built_in();
        let gemma = registry.find("gemma-3-270m").unwrap();
        assert!(gemma.does(Task::Translate) && gemma.draft && gemma.files[0].wheels.len() == 4);
        let smol = registry.find("smollm2-135m-instruct").unwrap();
        assert!(smol.does(Task::Summarize) && !smol.draft && smol.files[0].hub.is_some());
        for entry in registry.models() {
            assert!(!entry.title.is_empty() && !entry.licence.asks.is_empty() && entry.memory_bytes > entry.bytes());
            assert!(entry.licence.link.starts_with("https://"), "{}", entry.id);
        }
    }

    #[test]
    fn errors_point_at_the_line() {
        let text = entry("a", "").replace(REVISION, "main");
        let said = message(&text);
        assert!(said.contains("my.toml") && said.contains("line 9") && said.contains('^'), "{said}");
        assert!(said.contains("\"main\" is not a commit"), "{said}");
        let said = message(&entry("a", "colour = 1\n"));
        assert!(said.contains("line 10") && said.contains("unknown field `colour`"), "{said}");
    }

    #[test]
    fn bad_values_are_refused() {
        for (good, bad) in [
            ("id = \"a\"", "id = \"A b\""),
            ("id = \"a\"", "id = \"../a\""),
            ("name = \"m.gguf\"", "name = \"../m.gguf\""),
            ("name = \"m.gguf\"", "name = \"a/m.gguf\""),
            ("name = \"m.gguf\"", "name = \"..\""),
            ("path = \"m.gguf\"", "path = \"a/../../m.gguf\""),
            ("path = \"m.gguf\"", "path = \"/m.gguf\""),
            ("repo = \"o/n\"", "repo = \"o\""),
            ("repo = \"o/n\"", "repo = \"o/../n\""),
            ("aaaaaaaa\", hub", "aaaaaaa\", hub"),
            ("aaaaaaaa\", hub", "aaaaaaaA\", hub"),
            ("bytes = 1,", "bytes = 0,"),
            ("bytes = 1,", "bytes = -1,"),
            ("task = [\"translate\"]", "task = []"),
            ("task = [\"translate\"]", "task = [\"sing\"]"),
        ] {
            let text = entry("a", "").replace(good, bad);
            assert_ne!(text, entry("a", ""), "{good} stands in the entry");
            assert!(message(&text).contains('^'), "{bad}");
        }
    }

    #[test]
    fn a_file_needs_a_source_and_a_package_is_no_option() {
        let start = entry("a", "").split(", hub").next().unwrap().to_owned();
        assert!(message(&format!("{start} }}]\n")).contains("has no source"));
        let wheel = |package: &str| {
            format!("{start}, wheels = [{{ package = \"{package}\", version = \"1\", member = \"a/b\" }}] }}]\n")
        };
        assert!(Registry::parse(&wheel("p"), Path::new("m")).is_ok());
        assert!(message(&wheel("--index-url")).contains("is not a package"));
    }

    #[test]
    fn the_same_id_twice_in_one_file_is_an_error_and_in_another_file_replaces() {
        let twice = format!("{}\n{}", entry("a", ""), entry("a", ""));
        let said = message(&twice);
        assert!(said.contains("lines 1 and 11"), "{said}");
        let mut registry = Registry::built_in();
        let count = registry.models().len();
        let other = format!("{}\n{}", entry("gemma-3-270m", ""), entry("mine", ""));
        let replaced = registry.extend(Registry::parse(&other, Path::new("m")).unwrap());
        assert_eq!(replaced, [ModelId("gemma-3-270m".into())]);
        assert_eq!(registry.models().len(), count + 1);
        assert_eq!(registry.find("gemma-3-270m").unwrap().title, "t");
    }

    #[test]
    fn a_mistyped_id_finds_the_one_meant() {
        let registry = Registry::built_in();
        let meant = |typed: &str| match registry.find(typed) {
            Err(Error::Unknown { closest, .. }) => closest.map(|id| id.0),
            other => panic!("{other:?}"),
        };
        assert_eq!(meant("gema-3-270m").as_deref(), Some("gemma-3-270m"));
        assert_eq!(meant("Gemma-3-270M").as_deref(), Some("gemma-3-270m"));
        assert_eq!(meant("smollm2").as_deref(), Some("smollm2-135m-instruct"));
        assert_eq!(meant("something-else-entirely"), None);
        assert_eq!(meant(""), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,200}") {
            let _ = Registry::parse(&text, Path::new("any.toml"));
            let _ = Registry::parse(&format!("[[model]]\nid = {text}"), Path::new("any.toml"));
        }
    }
}

//! The lock file: the exact files that a project's models are made of.
//!
//! In: models with the hashes of their files, or the text of a `mujaz.lock`. Out: that text, always the same for the same
//! models; or a registry in which only the locked models are left, pinned to the locked hashes. Hashing what lies on the
//! disk is left to [`crate::hub`] and the command line. The form is TOML: `version = 1`, and a `[[model]]` for each model,
//! with `id` or `path`, `architecture`, `licence`, `repo` and `revision` where it came from a hub, and a `[[model.file]]` with
//! `name`, `bytes` and `sha256` for each file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check::is_sha256;
use super::{ModelEntry, ModelId, Registry};

/// Bytes that a lock file has at most: thousands of models.
const LONGEST: u64 = 4 << 20;
/// The form that is written and read here.
const VERSION: u32 = 1;

const HEAD: &str = "\
# The models that this project uses, and the exact files that they are made of. Written by `mujaz models lock`: commit it, and
# do not edit it. With --locked, mujaz uses no other model and no other file; `mujaz models lock --check` compares.

";

/// A file of a locked model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedFile {
    /// Its name in the registry, or in its folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, 64 lower-case hex digits.
    pub sha256: String,
}

/// A model that is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedModel {
    /// Its id in the registry; none of a model that is named by its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ModelId>,
    /// Its path, with forward slashes, seen from the lock file's folder; none of a model that is named by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The GGUF's `general.architecture`, or the checkpoint's `model_type`.
    pub architecture: String,
    /// The licence's SPDX id or name.
    pub licence: String,
    /// The repository of its first file, where a hub has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The commit of its first file, where a hub has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Its files, by name.
    pub file: Vec<LockedFile>,
}

impl LockedModel {
    /// Returns what the model is called: its id or its path.
    pub fn label(&self) -> &str {
        self.id.as_ref().map(|id| id.0.as_str()).or(self.path.as_deref()).unwrap_or_default()
    }

    /// Returns the file with a name.
    pub fn file(&self, name: &str) -> Option<&LockedFile> {
        self.file.iter().find(|file| file.name == name)
    }

    /// Pins an entry to the locked hashes; says what differs where it already means other files.
    fn pin(&self, entry: &mut ModelEntry) -> Result<(), String> {
        for locked in &self.file {
            if !entry.files.iter().any(|file| file.name == locked.name) {
                return Err(format!("{}: expected by the lock, and the registry has no such file", locked.name));
            }
        }
        for file in &mut entry.files {
            let Some(locked) = self.file(&file.name) else {
                return Err(format!("{}: the registry has it, and it is not locked", file.name));
            };
            if let Some(bytes) = file.bytes.filter(|bytes| *bytes != locked.bytes) {
                return Err(format!("{}: expected {} bytes, got {bytes} by the registry", file.name, locked.bytes));
            }
            if let Some(sha256) = file.sha256.as_ref().filter(|sha256| **sha256 != locked.sha256) {
                return Err(format!("{}: expected SHA-256 {}, got {sha256} by the registry", file.name, locked.sha256));
            }
            file.pinned_by_lock |= file.sha256.is_none();
            file.bytes = Some(locked.bytes);
            file.sha256 = Some(locked.sha256.clone());
            file.unverified = false;
        }
        Ok(())
    }
}

/// The document as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    model: Vec<LockedModel>,
}

/// What a project's models are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    models: Vec<LockedModel>,
}

impl Lock {
    /// Locks models: those with ids first, then those with paths, each sorted; the same one twice counts once.
    pub fn of(models: impl IntoIterator<Item = LockedModel>) -> Self {
        let mut models: Vec<LockedModel> = models.into_iter().collect();
        for model in &mut models {
            model.file.sort();
        }
        models.sort_by(|a, b| (a.id.is_none(), a.label()).cmp(&(b.id.is_none(), b.label())));
        models.dedup_by(|a, b| a.id == b.id && a.path == b.path);
        Self { models }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// Where it is missing or is no lock file; the message names it, and shows the line.
    pub fn open(path: &Path) -> Result<Self, LockError> {
        let mut text = String::new();
        // Devices and pipes have no end.
        let read =
            std::io::Read::read_to_string(&mut std::io::Read::take(fs_err::File::open(path)?, LONGEST + 1), &mut text)?;
        if read as u64 > LONGEST {
            let said = format!("{} is longer than any lock file ({LONGEST} bytes)", path.display());
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, said).into());
        }
        Self::parse(&text, path)
    }

    /// Reads a lock file from text; `path` is for messages.
    ///
    /// # Errors
    /// As [`Lock::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, LockError> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let syntax = |source| LockError::Syntax { path: path.to_owned(), source: Box::new(source) };
        let bad = |reason| LockError::Bad { path: path.to_owned(), reason };
        let form: Form = toml::from_str(text).map_err(syntax)?;
        if form.version != VERSION {
            return Err(bad(format!("it has version {}, expected {VERSION}", form.version)));
        }
        let document: Document = toml::from_str(text).map_err(syntax)?;
        let mut seen = BTreeSet::new();
        for model in &document.model {
            let label = model.label();
            if label.is_empty() || model.id.is_some() == model.path.is_some() {
                return Err(bad(format!("model {label:?} needs an id or a path, and not both")));
            }
            if !seen.insert((model.id.is_some(), label)) {
                return Err(bad(format!("model {label:?} stands there twice")));
            }
            if model.file.is_empty() {
                return Err(bad(format!("model {label:?} has no files")));
            }
            let mut names = BTreeSet::new();
            for file in &model.file {
                if !names.insert(&file.name) {
                    return Err(bad(format!("model {label:?} has two files {:?}", file.name)));
                }
                if !is_sha256(&file.sha256) {
                    return Err(bad(format!("model {label:?}: {:?} is not a SHA-256", file.sha256)));
                }
            }
        }
        Ok(Self::of(document.model))
    }

    /// Writes the lock in the form that [`Lock::parse`] reads.
    ///
    /// # Errors
    /// Where a number does not fit into TOML's (sizes above 2^63).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let document = Document { version: VERSION, model: self.models.clone() };
        Ok(format!("{HEAD}{}", toml::to_string(&document)?))
    }

    /// Returns the locked models.
    pub fn models(&self) -> &[LockedModel] {
        &self.models
    }

    /// Returns the locked model with an id.
    pub fn find(&self, id: &ModelId) -> Option<&LockedModel> {
        self.models.iter().find(|model| model.id.as_ref() == Some(id))
    }

    /// Leaves only the locked models in a registry, pinned to the locked hashes. [`Registry::find`] says of the others why
    /// they are not there; `path` is for that.
    pub fn filter(&self, registry: Registry, path: &Path) -> Registry {
        let Registry { models, mut refused } = registry;
        let mut left = Vec::new();
        let mut refuse = |id: &ModelId, reason: String| refused.push((id.clone(), path.to_owned(), reason));
        for locked in self.models.iter().filter_map(|model| model.id.as_ref()) {
            if !models.iter().any(|entry| entry.id == *locked) {
                refuse(locked, "is locked there, and no registry knows it (give --registry, or import it)".to_owned());
            }
        }
        for mut entry in models {
            match self.find(&entry.id).map(|locked| locked.pin(&mut entry)) {
                None => refuse(&entry.id, "is not in it".to_owned()),
                Some(Err(difference)) => refuse(&entry.id, format!("is not what it says: {difference}")),
                Some(Ok(())) => left.push(entry),
            }
        }
        Registry { models: left, refused }
    }
}

/// What can be wrong with a lock file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The text is no lock file; the source shows line, column and a caret.
    #[error("{path} is not a lock file: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: Box<toml::de::Error>,
    },
    /// What it says makes no sense.
    #[error("{path} is not a lock file: {reason}")]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use crate::registry::Task;

    use super::*;

    fn hash(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn locked(id: &str, files: &[(&str, u64, char)]) -> LockedModel {
        let file = |(name, bytes, digit): &(&str, u64, char)| LockedFile {
            name: (*name).to_owned(),
            bytes: *bytes,
            sha256: hash(*digit),
        };
        LockedModel {
            id: Some(ModelId(id.to_owned())),
            path: None,
            architecture: "marian".to_owned(),
            licence: "MIT".to_owned(),
            repo: None,
            revision: None,
            file: files.iter().map(file).collect(),
        }
    }

    fn by_path(path: &str) -> LockedModel {
        LockedModel { id: None, path: Some(path.to_owned()), ..locked("", &[("m.gguf", 0, '0')]) }
    }

    #[test]
    fn what_is_written_is_read_again_and_does_not_depend_on_the_order() {
        let one = locked("one", &[("b", 2, 'b'), ("a", 1, 'a')]);
        let models = [by_path("z"), locked("two", &[("c", 1, 'c')]), one.clone(), by_path("a/b"), one];
        let lock = Lock::of(models.clone());
        let text = lock.to_toml().unwrap();
        assert!(text.starts_with("# The models that this project uses"));
        assert_eq!(Lock::parse(&text, Path::new("l")).unwrap(), lock);
        let labels: Vec<&str> = lock.models().iter().map(LockedModel::label).collect();
        assert_eq!(labels, ["one", "two", "a/b", "z"]);
        assert_eq!(Lock::of(models.into_iter().rev()).to_toml().unwrap(), text);
        assert!(text.find("name = \"a\"").unwrap() < text.find("name = \"b\"").unwrap());
    }

    #[test]
    fn what_is_no_lock_file_is_refused_with_its_name() {
        let good = Lock::of([locked("one", &[("a", 1, 'a')])]).to_toml().unwrap();
        for (from, to, words) in [
            ("version = 1", "version = 2", "version 2, expected 1"),
            ("version = 1", "", "missing field `version`"),
            ("id = \"one\"", "id = \"one\"\npath = \"p\"", "not both"),
            ("id = \"one\"", "", "an id or a path"),
            ("name = \"a\"", "nam = \"a\"", "unknown field `nam`"),
            ("sha256 = \"aa", "sha256 = \"AA", "is not a SHA-256"),
            ("version = 1", "version = ", "line 4"),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good, "{from}");
            let said = Lock::parse(&text, Path::new("my.lock")).unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("my.lock is not a lock file"), "{said}");
        }
        let model = good.split_once("[[model]]").unwrap().1;
        let said = Lock::parse(&format!("{good}\n[[model]]{model}"), Path::new("l")).unwrap_err().to_string();
        assert!(said.contains("stands there twice"), "{said}");
        let file = good.split_once("[[model.file]]").unwrap().1;
        let said = Lock::parse(&format!("{good}\n[[model.file]]{file}"), Path::new("l")).unwrap_err().to_string();
        assert!(said.contains("two files \"a\""), "{said}");
    }

    #[test]
    fn only_locked_models_are_left_with_just_the_locked_files() {
        let registry = Registry::built_in();
        let entry = registry.find("opus-mt-tc-big-ar-en").unwrap();
        let files: Vec<(&str, u64, char)> = entry.files.iter().map(|file| (file.name.as_str(), 7, 'a')).collect();
        let lock = Lock::of([
            locked("opus-mt-tc-big-ar-en", &files),
            locked("gemma-3-270m", &[("gemma-3-270m-q4_k_m.gguf", 253_113_024, 'b')]),
            locked("unheard-of", &[("a", 1, 'a')]),
        ]);
        let left = lock.filter(registry.clone(), Path::new("my.lock"));
        let ids: Vec<&str> = left.models().iter().map(|entry| entry.id.0.as_str()).collect();
        assert_eq!(ids, ["opus-mt-tc-big-ar-en"]);
        assert_eq!(left.candidates(Task::Translate).len(), 1);
        let pinned = left.find("opus-mt-tc-big-ar-en").unwrap();
        assert!(pinned.is_pinned() && pinned.files.iter().all(|file| file.pinned_by_lock));
        // It can still be written, and read again.
        assert!(Registry::parse(&left.to_toml().unwrap(), Path::new("w")).is_ok());
        for (id, words) in [
            ("gemma-3-270m", "expected SHA-256 bbbbbbbb"),
            ("smollm2-135m-instruct", "my.lock: model smollm2-135m-instruct is not in it"),
            ("unheard-of", "no registry knows it"),
        ] {
            let said = left.find(id).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        let fewer = Lock::of([locked("opus-mt-tc-big-ar-en", &files[1..])]);
        let said = fewer.filter(registry.clone(), Path::new("l")).find("opus-mt-tc-big-ar-en").unwrap_err().to_string();
        assert!(said.contains("config.json: the registry has it"), "{said}");
        let more = Lock::of([locked("opus-mt-tc-big-ar-en", &[&files[..], &[("x", 1, 'a')]].concat())]);
        let said = more.filter(registry, Path::new("l")).find("opus-mt-tc-big-ar-en").unwrap_err().to_string();
        assert!(said.contains("x: expected by the lock"), "{said}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,200}") {
            let _ = Lock::parse(&text, Path::new("l"));
            let _ = Lock::parse(&format!("version = 1\n[[model]]\nid = {text}"), Path::new("l"));
        }
    }
}

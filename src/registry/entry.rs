//! What is known about one model: its work, its terms, its settings, and where its files come from.
//!
//! In: one `[[model]]` table of a registry. Out: a [`ModelEntry`] in which every field was checked and defaults of the
//! table were handed down to its files. The form of a table is described at the top of `models.toml`; fields of
//! [`GenerationSettings`] have the names of Hugging Face's `generation_config.json`.

use serde::{Deserialize, Serialize};

use super::check;

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

/// Whether a model may be taken without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// It may be chosen where no model is named.
    #[default]
    Automatically,
    /// Only its id takes it: its licence limits what it may be used for, or it is very large.
    WhenNamed,
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
    #[serde(deserialize_with = "check::repo")]
    pub repo: String,
    /// The commit, 40 hex digits: a branch would change under our feet.
    #[serde(deserialize_with = "check::revision")]
    pub revision: String,
    /// Path inside the repository, with forward slashes.
    #[serde(deserialize_with = "check::path")]
    pub path: String,
    /// Other repositories that hold the same commit, asked in this order where the first one does not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "check::repos")]
    pub mirrors: Vec<String>,
}

impl HubSource {
    /// Returns this source and the same file in each mirror, in the order in which they are asked.
    pub fn with_mirrors(&self) -> impl Iterator<Item = Self> + '_ {
        let of = |repo: &String| Self { repo: repo.clone(), mirrors: Vec::new(), ..self.clone() };
        std::iter::once(&self.repo).chain(&self.mirrors).map(of)
    }
}

/// One part of a file inside a Python package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSource {
    /// Name of the package.
    #[serde(deserialize_with = "check::package")]
    pub package: String,
    /// Its exact version.
    #[serde(deserialize_with = "check::package")]
    pub version: String,
    /// Path of the part inside the wheel.
    #[serde(deserialize_with = "check::path")]
    pub member: String,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelFile {
    /// Name under which the engine asks for it; no folders.
    pub name: String,
    /// Its size; none where it could not be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its SHA-256, 64 lower-case hex digits; none where it could not be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Where the hub has it; tried first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hub: Option<HubSource>,
    /// Packages whose members, joined in order, are the file; tried second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<WheelSource>,
    /// Whether it can only be put in its place by hand (`models add`, `models import`): no source is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// Whether its size or SHA-256 could not be found out: the opposite of [`ModelFile::is_pinned`], kept so that an entry
    /// that is written can be read again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) unverified: bool,
    /// Whether its SHA-256 is a lock file's, where the registry itself has none.
    #[serde(skip)]
    pub(crate) pinned_by_lock: bool,
}

impl ModelFile {
    /// Returns whether the registry says just which bytes it must have. Of other files it is recorded what came at
    /// first, and that is what they must be from then on.
    pub fn is_pinned(&self) -> bool {
        self.bytes.is_some() && self.sha256.is_some()
    }

    /// Returns whether it holds weights. These are what makes a model the one it is: settings and tokenizers of several
    /// models may be the same file.
    pub fn is_weights(&self) -> bool {
        is_weights(&self.name)
    }
}

/// Returns whether a file of this name holds weights: a GGUF file, safetensors, or what `PyTorch` saves, each whole or in parts.
pub(crate) fn is_weights(name: &str) -> bool {
    let is_gguf = name.to_ascii_lowercase().ends_with(".gguf");
    is_gguf || name.ends_with(".safetensors") || (name.ends_with(".bin") && name.starts_with("pytorch_model"))
}

/// How good a model was found to be, by whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// The test set: `FLORES-200 devtest`.
    pub set: String,
    /// The measure: `BLEU`, `COMET`.
    pub metric: String,
    /// What was measured.
    pub value: f64,
    /// Where it is published.
    pub link: String,
}

/// How a model is to be decoded where its own files do not say so, or say it otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationSettings {
    /// How many hypotheses grow, 1 to 64.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::num_beams")]
    pub num_beams: Option<usize>,
    /// The power of the length that a hypothesis' score is divided by, -5 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::length_penalty")]
    pub length_penalty: Option<f32>,
    /// No sequence of this many tokens comes twice; 0 for any, 100 at most.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::no_repeat_ngram_size")]
    pub no_repeat_ngram_size: Option<usize>,
    /// Most tokens of a target, the start token included, 2 to 100,000.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "check::max_length")]
    pub max_length: Option<usize>,
}

impl GenerationSettings {
    /// Returns whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A model: what it is, on what terms, and where its files come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table")]
pub struct ModelEntry {
    /// Its name on the command line.
    pub id: ModelId,
    /// One line for people.
    pub title: String,
    /// What it can do here; never empty.
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// Whether it may be taken without being asked for.
    pub choose: Choose,
    /// What stands before every source text, white space included (`>>eng<< `, `<2en> `); mostly empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The language of sources, as the model's own vocabulary names it (`arb_Arab`); none where it has no such token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_language: Option<String>,
    /// The language of targets, as the model's own vocabulary names it (`eng_Latn`); none where it has no such token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_language: Option<String>,
    /// What goes before the settings in the model's own files.
    #[serde(skip_serializing_if = "GenerationSettings::is_empty")]
    pub generation: GenerationSettings,
    /// About how many bytes are to be fetched, where the files' sizes are not all known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about_bytes: Option<u64>,
    /// Published scores; none where none were found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// Its files; never empty, names distinct, each with a source.
    pub files: Vec<ModelFile>,
}

impl ModelEntry {
    /// Returns the size of all files, in bytes; none where the registry does not know all of them.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().try_fold(0_u64, |sum, file| Some(sum.saturating_add(file.bytes?)))
    }

    /// Returns how many bytes are to be fetched, as far as that is known beforehand, and whether it is exact.
    pub fn download_bytes(&self) -> Option<(u64, bool)> {
        self.bytes().map(|bytes| (bytes, true)).or(self.about_bytes.map(|bytes| (bytes, false)))
    }

    /// Returns whether the model can do a task.
    pub fn does(&self, task: Task) -> bool {
        self.task.contains(&task)
    }

    /// Returns whether the registry says of all files which bytes they must have.
    pub fn is_pinned(&self) -> bool {
        self.files.iter().all(ModelFile::is_pinned)
    }
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(deserialize_with = "check::id")]
    id: ModelId,
    title: String,
    #[serde(deserialize_with = "check::tasks")]
    task: Vec<Task>,
    architecture: String,
    languages: Vec<String>,
    licence: Licence,
    memory_bytes: u64,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    choose: Choose,
    #[serde(default, deserialize_with = "check::prefix")]
    prefix: String,
    #[serde(default, deserialize_with = "check::language")]
    source_language: Option<String>,
    #[serde(default, deserialize_with = "check::language")]
    target_language: Option<String>,
    #[serde(default)]
    generation: GenerationSettings,
    #[serde(default, deserialize_with = "check::bytes")]
    about_bytes: Option<u64>,
    #[serde(default)]
    scores: Vec<Score>,
    #[serde(default)]
    unverified: bool,
    hub: Option<HubTable>,
    files: Vec<FileTable>,
}

/// The repository that all files come from which name no source of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubTable {
    #[serde(deserialize_with = "check::repo")]
    repo: String,
    #[serde(deserialize_with = "check::revision")]
    revision: String,
    #[serde(default, deserialize_with = "check::repos")]
    mirrors: Vec<String>,
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    #[serde(deserialize_with = "check::file_name")]
    name: String,
    #[serde(default, deserialize_with = "check::bytes")]
    bytes: Option<u64>,
    #[serde(default, deserialize_with = "check::sha256")]
    sha256: Option<String>,
    #[serde(default)]
    unverified: bool,
    hub: Option<HubSource>,
    #[serde(default)]
    wheels: Vec<WheelSource>,
    #[serde(default)]
    by_hand: bool,
}

impl TryFrom<Table> for ModelEntry {
    type Error = String;

    /// Hands defaults down and checks what concerns more than one field.
    fn try_from(table: Table) -> Result<Self, String> {
        if table.files.is_empty() {
            return Err("a model needs at least one file".to_owned());
        }
        let mut files: Vec<ModelFile> = Vec::with_capacity(table.files.len());
        let mut unknown = false;
        for file in table.files {
            let FileTable { name, bytes, sha256, unverified, hub, wheels, by_hand } = file;
            if files.iter().any(|other| other.name == name) {
                return Err(format!("two files are called {name:?}"));
            }
            let of_model = table.hub.as_ref().filter(|_| wheels.is_empty() && !by_hand).map(|hub| HubSource {
                repo: hub.repo.clone(),
                revision: hub.revision.clone(),
                path: name.clone(),
                mirrors: hub.mirrors.clone(),
            });
            let pinned = bytes.is_some() && sha256.is_some();
            let file = ModelFile {
                name,
                bytes,
                sha256,
                hub: hub.or(of_model),
                wheels,
                by_hand,
                unverified: !pinned,
                pinned_by_lock: false,
            };
            let name = &file.name;
            if by_hand && (file.hub.is_some() || !file.wheels.is_empty() || !pinned) {
                return Err(format!(
                    "{name:?} is put in its place by hand, so it needs bytes and sha256 and has no source"
                ));
            }
            if !by_hand && file.hub.is_none() && file.wheels.is_empty() {
                return Err(format!("{name:?} has no source: give it hub or wheels"));
            }
            match (file.is_pinned(), unverified) {
                (true, true) => return Err(format!("{name:?} has bytes and sha256, so it is not unverified")),
                (false, _) if !file.wheels.is_empty() => {
                    return Err(format!("{name:?} comes as packages, so it needs bytes and sha256"));
                }
                (false, false) if !table.unverified => {
                    return Err(format!("{name:?} needs bytes and sha256, or must say: unverified = true"));
                }
                _ => unknown |= !file.is_pinned(),
            }
            files.push(file);
        }
        if table.unverified && !unknown {
            return Err("every file has bytes and sha256, so the model is not unverified".to_owned());
        }
        Ok(Self {
            id: table.id,
            title: table.title,
            task: table.task,
            architecture: table.architecture,
            languages: table.languages,
            licence: table.licence,
            memory_bytes: table.memory_bytes,
            draft: table.draft,
            choose: table.choose,
            prefix: table.prefix,
            source_language: table.source_language,
            target_language: table.target_language,
            generation: table.generation,
            about_bytes: table.about_bytes,
            scores: table.scores,
            files,
        })
    }
}

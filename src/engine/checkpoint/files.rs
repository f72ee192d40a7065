//! Where the files of one model lie.
//!
//! In: a folder as on the hub, a single weights file, or a map from file names to paths. Out: [`Files`], which says for a
//! file name where it is. What is in the files is left to the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of one model by the names they have on the hub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// A folder that is looked into first, if any.
    folder: Option<PathBuf>,
    /// Files that lie elsewhere or have other names there.
    named: BTreeMap<String, PathBuf>,
    /// The weights, where the caller named them.
    weights: Option<PathBuf>,
    /// Whether weights may come from pickles.
    pickles: Pickles,
}

/// Whether weights are read from pickles (`pytorch_model.bin`). Nothing in one is ever executed here, but other programs do
/// execute them, so that a file that nobody vouches for is no form to pass models on in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pickles {
    /// They are not: a model that has nothing else is an error.
    #[default]
    Refused,
    /// They are where there is nothing better: a registry pins the file by its SHA-256, or the user asked for it.
    Allowed,
}

impl Files {
    /// Takes a folder, or a weights file with the rest of the model's files beside it.
    pub fn at(path: &Path) -> Self {
        if path.is_dir() {
            return Self { folder: Some(path.to_owned()), ..Self::default() };
        }
        let folder = path.parent().map(Path::to_owned);
        Self { folder, weights: Some(path.to_owned()), ..Self::default() }
    }

    /// Says whether weights may come from pickles; without this they may not.
    #[must_use]
    pub fn with_pickles(self, pickles: Pickles) -> Self {
        Self { pickles, ..self }
    }

    /// Returns whether weights may come from pickles.
    pub fn pickles(&self) -> Pickles {
        self.pickles
    }

    /// Returns where the file of a name is, or nothing where the model has none.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        if let Some(path) = self.named.get(name) {
            return Some(path.clone());
        }
        let path = self.folder.as_ref()?.join(name);
        path.is_file().then_some(path)
    }

    /// Returns where the file of a name would be looked for: for messages.
    pub fn place(&self, name: &str) -> PathBuf {
        match (&self.folder, self.named.values().next()) {
            (Some(folder), _) => folder.join(name),
            (None, Some(beside)) => beside.with_file_name(name),
            (None, None) => PathBuf::from(name),
        }
    }

    /// Returns the weights file that the caller named, if any.
    pub fn named_weights(&self) -> Option<&Path> {
        self.weights.as_deref()
    }

    /// Returns the files whose names end in `.gguf`, in the order of their names.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn ggufs(&self) -> std::io::Result<Vec<PathBuf>> {
        let is_gguf = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
        let mut found: Vec<PathBuf> =
            self.named.iter().filter(|(name, _)| is_gguf(Path::new(name))).map(|(_, path)| path.clone()).collect();
        if let Some(folder) = &self.folder {
            for entry in fs_err::read_dir(folder)? {
                let path = entry?.path();
                if is_gguf(&path) && path.is_file() {
                    found.push(path);
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

impl From<&Path> for Files {
    fn from(path: &Path) -> Self {
        Self::at(path)
    }
}

impl From<&PathBuf> for Files {
    fn from(path: &PathBuf) -> Self {
        Self::at(path)
    }
}

impl From<PathBuf> for Files {
    fn from(path: PathBuf) -> Self {
        Self::at(&path)
    }
}

impl From<BTreeMap<String, PathBuf>> for Files {
    fn from(named: BTreeMap<String, PathBuf>) -> Self {
        Self { named, ..Self::default() }
    }
}

//! What `--locked` lets be used.
//!
//! In: the global arguments. Out: the lock file, where it counts; a registry without the models that it does not have; a verdict
//! on a checkpoint folder or a GGUF file. The form of the file is [`mujaz::registry::Lock`]'s, writing it
//! [`super::commands`]'.

use std::path::{Path, PathBuf};

use mujaz::engine::load::{Deciding, ModelPaths, decides};
use mujaz::registry::{self, LockedModel, Registry};

use super::args::GlobalArgs;
use super::report::{CommandError, Kind};

/// A lock file that must be kept to.
pub struct Lock {
    lock: registry::Lock,
    path: PathBuf,
}

impl Lock {
    /// Reads the lock file where `--locked` says that it counts; returns none where it does not.
    ///
    /// # Errors
    /// Where it is missing or broken.
    pub fn of(global: &GlobalArgs) -> Result<Option<Self>, CommandError> {
        if global.locked { Self::read(&global.lock_file).map(Some) } else { Ok(None) }
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// Where it is missing or broken.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        Ok(Self { lock: registry::Lock::open(path)?, path: path.to_owned() })
    }

    /// Returns the locked models.
    pub fn models(&self) -> &[LockedModel] {
        self.lock.models()
    }

    /// Returns the ids of the models that are locked by their id.
    pub fn ids(&self) -> Vec<String> {
        self.models().iter().filter_map(|model| model.id.as_ref()).map(ToString::to_string).collect()
    }

    /// Leaves only the locked models in a registry, pinned to the locked hashes; asking for another one is then an error that
    /// says why.
    pub fn filter(&self, registry: Registry) -> Registry {
        self.lock.filter(registry, &self.path)
    }

    /// Refuses a checkpoint folder or a GGUF file that is not made of just the files of one locked model; `facts` is what
    /// [`ModelPaths::deciding`] says of it.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check_path(&self, paths: &ModelPaths, facts: &Deciding) -> Result<(), CommandError> {
        if self.models().iter().any(|model| differences(model, facts).is_empty()) {
            return Ok(());
        }
        let label = label(&paths.label, &self.path)?;
        // The one that was probably meant: it has that name, or most of its files.
        let alike = |model: &&LockedModel| {
            let same = model.file.iter().filter(|file| facts.contains_key(&file.name)).count();
            (model.path.as_deref() == Some(label.as_str()), same)
        };
        let meant = self.models().iter().max_by_key(alike).filter(|model| alike(model) != (false, 0));
        let lock = self.path.display();
        let reason = meant.map_or_else(
            || "no model of it has such files".to_owned(),
            |model| format!("compared with {}: {}", model.label(), differences(model, facts).join("; ")),
        );
        let message = format!("{lock}: {} is not in it ({reason})", paths.label.display());
        Err(CommandError::message(Kind::Model, message).hint(format!(
            "only what {lock} has may be used; to lock it as it is here: mujaz models lock {} --lock-file {lock}",
            paths.label.display()
        )))
    }
}

/// Says what differs between a locked model and files that lie somewhere, of those files that decide what it writes.
pub fn differences(model: &LockedModel, facts: &Deciding) -> Vec<String> {
    let locked: Vec<_> = model.file.iter().filter(|file| decides(&file.name)).collect();
    // A single file is the model, whatever it is called.
    if let ([only], 1, Some((_, sha256))) = (locked.as_slice(), facts.len(), facts.values().next())
        && only.sha256 == *sha256
    {
        return Vec::new();
    }
    let mut differences = Vec::new();
    for file in &locked {
        match facts.get(&file.name) {
            None => differences.push(format!("{} is missing", file.name)),
            Some((bytes, _)) if *bytes != file.bytes => {
                differences.push(format!("{}: expected {} bytes, got {bytes}", file.name, file.bytes));
            }
            Some((_, sha256)) if *sha256 != file.sha256 => {
                differences.push(format!("{}: expected SHA-256 {}, got {sha256}", file.name, file.sha256));
            }
            Some(_) => {}
        }
    }
    let others = facts.keys().filter(|name| !locked.iter().any(|file| file.name == **name));
    differences.extend(others.map(|name| format!("{name} is there, and not locked")));
    differences
}

/// Returns how a path is written in a lock file: seen from its folder where it lies below it, else in full.
///
/// # Errors
/// Where the path cannot be written as text.
pub fn label(path: &Path, lock_file: &Path) -> Result<String, CommandError> {
    let full = std::path::absolute(path)?;
    let lock = std::path::absolute(lock_file)?;
    let seen = lock.parent().and_then(|folder| full.strip_prefix(folder).ok()).unwrap_or(&full);
    let seen = if seen.as_os_str().is_empty() { Path::new(".") } else { seen };
    match seen.to_str() {
        Some(text) => Ok(text.replace(std::path::MAIN_SEPARATOR, "/")),
        None => {
            let message = format!("{}: a path that is no Unicode cannot be locked", path.display());
            Err(CommandError::message(Kind::Usage, message))
        }
    }
}

/// Returns where the model of a label lies.
pub fn place(label: &str, lock_file: &Path) -> PathBuf {
    lock_file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).join(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mujaz::registry::LockedFile;

    #[test]
    fn a_path_is_written_as_seen_from_the_lock_file() {
        let label = |path: &str, lock: &str| label(Path::new(path), Path::new(lock)).unwrap();
        assert_eq!(label("./a/b", "mujaz.lock"), "a/b");
        assert_eq!(label("a/b", "./mujaz.lock"), "a/b");
        assert_eq!(label("/p/a", "/p/mujaz.lock"), "a");
        assert_eq!(label("/q/a", "/p/mujaz.lock"), "/q/a");
        assert_eq!(label(".", "mujaz.lock"), ".");
        assert_eq!(place("a/b", Path::new("/p/mujaz.lock")), Path::new("/p/a/b"));
        assert_eq!(place("/q/a", Path::new("/p/mujaz.lock")), Path::new("/q/a"));
    }

    #[test]
    fn only_what_decides_the_output_is_compared_and_nothing_may_be_added() {
        let file = |name: &str, digit: &str| LockedFile { name: name.into(), bytes: 1, sha256: digit.repeat(64) };
        let model = |file| LockedModel {
            id: None,
            path: Some("p".into()),
            architecture: String::new(),
            licence: String::new(),
            repo: None,
            revision: None,
            file,
        };
        let facts = |files: &[(&str, &str)]| -> Deciding {
            files.iter().map(|(name, digit)| ((*name).to_owned(), (1, digit.repeat(64)))).collect()
        };
        let two = model(vec![file("config.json", "a"), file("model.safetensors", "b"), file("README.md", "c")]);
        let same = [("config.json", "a"), ("model.safetensors", "b")];
        assert!(differences(&two, &facts(&same)).is_empty());
        let more = differences(&two, &facts(&[&same[..], &[("added.json", "d")]].concat()));
        assert_eq!(more, ["added.json is there, and not locked"]);
        assert_eq!(differences(&two, &facts(&same[..1])), ["model.safetensors is missing"]);
        let other = differences(&two, &facts(&[("config.json", "a"), ("model.safetensors", "a")]));
        assert!(other[0].starts_with("model.safetensors: expected SHA-256 bbb") && other[0].contains("got aaa"));
        let one = model(vec![file("m.gguf", "a")]);
        assert!(differences(&one, &facts(&[("other.gguf", "a")])).is_empty());
        assert_eq!(differences(&one, &facts(&[("other.gguf", "b")])).len(), 2);
    }
}

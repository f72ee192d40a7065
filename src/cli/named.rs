//! What is meant by a name that was typed for a model.
//!
//! In: the name, and the models that have ids. Out: whether it is a path (a checkpoint folder, a GGUF file) or an id. The rule
//! is the same for every command; loading is [`super::crew`]'s.

use std::path::Path;

use mujaz::registry::{Error, Registry};

use super::report::{CommandError, Kind};

/// Returns whether a path is meant: what holds a path separator is one, whatever lies there; else an id comes before a folder
/// or GGUF file of that name, also one that a lock file does not let be used.
pub fn is_path(typed: &str, registry: &Registry) -> bool {
    if typed.contains('/') || typed.contains(std::path::MAIN_SEPARATOR) {
        return true;
    }
    let path = Path::new(typed);
    let is_model = || path.is_dir() || (typed.to_ascii_lowercase().ends_with(".gguf") && path.is_file());
    matches!(registry.find(typed), Err(Error::Unknown { .. })) && is_model()
}

/// Returns the path that is meant; none where it is an id, which the registry may know or not.
///
/// # Errors
/// Where a path is meant and nothing lies there.
pub fn path<'t>(typed: &'t str, registry: &Registry) -> Result<Option<&'t Path>, CommandError> {
    let path = Path::new(typed);
    if !is_path(typed, registry) {
        return Ok(None);
    }
    if path.exists() {
        return Ok(Some(path));
    }
    Err(CommandError::message(Kind::Usage, format!("{typed}: there is no such checkpoint folder or GGUF file")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mujaz::registry::{Lock, ModelId};

    /// A registry with one model, which is called as a folder that tests are run beside.
    fn with_src() -> Registry {
        let mut entry = Registry::built_in().models()[0].clone();
        entry.id = ModelId("src".to_owned());
        Registry::of([entry])
    }

    #[test]
    fn an_id_comes_before_a_folder_and_a_separator_makes_a_path() {
        let registry = with_src();
        let meant = |typed: &str| path(typed, &registry).map(|path| path.is_some()).map_err(|error| error.message);
        assert_eq!(meant("src"), Ok(false), "an id");
        assert_eq!(meant("./src"), Ok(true));
        assert_eq!(meant("src/"), Ok(true));
        assert_eq!(meant("tests"), Ok(true), "a folder, and no id");
        assert_eq!(meant("Cargo.toml"), Ok(false), "a file, and no model");
        assert_eq!(meant("nothing"), Ok(false));
        assert_eq!(meant("./nothing"), Err("./nothing: there is no such checkpoint folder or GGUF file".to_owned()));
        // What is not locked does not become a path.
        let locked = Lock::of([]).filter(registry.clone(), Path::new("mujaz.lock"));
        assert!(locked.find("src").is_err() && !is_path("src", &locked));
    }

    #[test]
    fn a_gguf_file_is_a_path_however_its_ending_is_written() {
        let folder = tempfile::Builder::new().suffix(".GGUF").tempfile_in(".").unwrap();
        let name = folder.path().file_name().unwrap().to_str().unwrap();
        assert!(is_path(name, &with_src()));
        assert!(!is_path("none.gguf", &with_src()), "nothing lies there");
    }
}

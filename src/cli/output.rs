//! Where results are written: names that do not collide, and files that are whole or not there.
//!
//! In: the paths that were read, a folder, bytes. Out: a name for each path, and the file under its final name, written
//! beside it first so that a crash or a full disk leaves no half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::report::{CommandError, Kind};

/// Returns a name for each path, in order: its stem; where stems collide (also in case alone), the parent folder's name
/// before it; where these collide too, a number after it. Standard input is called `stdin`. `reserved` are stems (in lower
/// case) that the command itself writes, so that no path may have them.
pub fn names(paths: &[&Path], reserved: &[&str]) -> Vec<String> {
    let stems: Vec<String> = paths.iter().map(|path| stem(path)).collect();
    let with_parent: Vec<String> = paths
        .iter()
        .zip(&stems)
        .map(|(path, stem)| match path.parent().and_then(Path::file_name) {
            Some(parent) => format!("{}-{stem}", parent.to_string_lossy()),
            None => stem.clone(),
        })
        .collect();
    let mut counts = counted(&stems);
    for name in reserved {
        // As if another path had it: whoever comes with that stem has to take a longer name.
        *counts.entry((*name).to_owned()).or_insert(0) += 1;
    }
    let mut names: Vec<String> = Vec::new();
    let mut taken: BTreeSet<String> = reserved.iter().map(|&name| name.to_owned()).collect();
    for (stem, longer) in stems.iter().zip(&with_parent) {
        let wanted = if counts[&stem.to_lowercase()] > 1 { longer } else { stem };
        let mut name = wanted.clone();
        let mut number = 1;
        // A longer name may be another's stem.
        while taken.contains(&name.to_lowercase()) || (name != *stem && counts.contains_key(&name.to_lowercase())) {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        taken.insert(name.to_lowercase());
        names.push(name);
    }
    names
}

fn stem(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "stdin".to_owned();
    }
    path.file_stem().map_or_else(|| "article".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn counted(names: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

/// Makes the folder that results are to go into and writes into it, so that a folder that takes no files is told
/// before the work and not after it.
///
/// # Errors
/// As the file system: a file in its place, no permission, no space left.
pub fn prepare(folder: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    let probe =
        tempfile::Builder::new().prefix(".mujaz-").tempfile_in(folder).and_then(|mut file| file.write_all(b" "));
    probe.map_err(|error| {
        std::io::Error::new(error.kind(), format!("{}: no file can be written there: {error}", folder.display()))
    })
}

/// Makes a file under a passing name, with the permissions of any new file: the umask takes its part of them.
///
/// # Errors
/// As the file system: no such folder, no permission.
pub fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mujaz-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a file so that it is whole or not there, and makes its folder where that is missing. Returns its path.
///
/// # Errors
/// As the file system: no permission, no space left.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    fs_err::create_dir_all(folder)?;
    let path = folder.join(name);
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: cannot be written: {error}", path.display()))
    };
    let mut file = new_file(folder).map_err(named)?;
    file.write_all(bytes).map_err(named)?;
    file.as_file().sync_all().map_err(named)?;
    // A file that is replaced keeps who may read it.
    if let Ok(old) = fs_err::metadata(&path) {
        file.as_file().set_permissions(old.permissions()).map_err(named)?;
    }
    file.persist(&path).map_err(|error| named(error.error))?;
    Ok(path)
}

/// Refuses to write results over the inputs that they are made from. `inputs` are paths with the names of their results.
///
/// # Errors
/// Where a result with one of these extensions in `folder` would have the path of an input.
pub fn spare<'p>(
    inputs: impl Iterator<Item = (&'p Path, &'p str)> + Clone,
    folder: &Path,
    extensions: &[&str],
) -> Result<(), CommandError> {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    let read: BTreeSet<PathBuf> = inputs.clone().filter_map(|(path, _)| canonical(path)).collect();
    for (_, name) in inputs {
        for extension in extensions {
            let result = folder.join(format!("{name}.{extension}"));
            if canonical(&result).is_some_and(|path| read.contains(&path)) {
                let message = format!("{}: the result would be written over this article", result.display());
                return Err(CommandError::message(Kind::Usage, message).hint("name another folder with -o"));
            }
        }
    }
    Ok(())
}

/// Writes a file as [`write`] does, unless just these bytes are there already.
///
/// # Errors
/// As [`write`].
pub fn write_changed(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let path = folder.join(name);
    if fs_err::read(&path).is_ok_and(|there| there == bytes) { Ok(path) } else { write(folder, name, bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_collide() {
        let paths = ["a/x.txt", "b/x.txt", "y.txt", "c/d/x.txt", "e/d/X.txt", "-", "a-x.txt"].map(Path::new);
        let names = names(&paths, &[]);
        assert_eq!(&names[..3], ["a-x-2", "b-x", "y"]);
        assert_eq!((names[5].as_str(), names[6].as_str()), ("stdin", "a-x"));
        let distinct: std::collections::BTreeSet<String> = names.iter().map(|n| n.to_lowercase()).collect();
        assert_eq!(distinct.len(), paths.len(), "{names:?}");
    }

    #[test]
    fn a_reserved_name_is_left_to_the_command() {
        let paths = ["x/Briefing.txt", "x/other.txt"].map(Path::new);
        assert_eq!(names(&paths, &["briefing"]), ["x-Briefing", "other"]);
        assert_eq!(names(&[Path::new("briefing.txt")], &["briefing"]), ["briefing-2"]);
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new/inner");
        for bytes in [b"one".as_slice(), b"two"] {
            let path = write(&inner, "a.json", bytes).unwrap();
            assert_eq!(fs_err::read(path).unwrap(), bytes);
        }
        assert_eq!(fs_err::read_dir(&inner).unwrap().count(), 1);
        fs_err::write(folder.path().join("file"), "x").unwrap();
        assert!(write(&folder.path().join("file"), "a.json", b"x").is_err());
    }
}

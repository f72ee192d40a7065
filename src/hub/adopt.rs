//! Files that are on this disk already become a model's files, without being fetched.
//!
//! In: a registry entry, and places of files that are said to be its own. Out: the same files under their names in our own
//! folder, each verified as if it had been fetched: a clone where the file system makes those (blocks are shared until one of
//! the two is written to: `ioctl_ficlone(2)`), else a copy. Never a second name of the same file, which whoever edits the first
//! would edit too. The clone or the copy itself is hashed, and no other bytes get its name. Nothing gets its final name before all of them were found to be right. What an unknown model's files are is
//! said by [`crate::engine`], which writes its entry; here they are hashed for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cache::{self, Found, Trust};
use super::claim::{Claim, Purpose};
use super::error::{Error, Failure, Fault, Mismatch};
use super::options::HubOptions;
use super::verify::{self, Expected, Facts, Hasher};
use super::{ModelFiles, ended, first_seen, form, install, local, space};
use crate::progress::Progress;
use crate::registry::{ModelEntry, ModelFile};

/// What a file on disk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hashed {
    /// The name that it is to have.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256, lower-case hex.
    pub sha256: String,
}

/// What became of files that were offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The model's files, all in their places.
    pub files: ModelFiles,
    /// How many were cloned.
    pub cloned: usize,
    /// How many were copied.
    pub copied: usize,
}

impl Adoption {
    /// Returns whether everything was here before, so that nothing was done.
    pub fn was_here(&self) -> bool {
        self.cloned + self.copied == 0
    }
}

/// Reads files to their ends and says what they are.
///
/// # Errors
/// Where one cannot be read, or the user asks to stop.
pub fn hash(files: &BTreeMap<String, PathBuf>, progress: &dyn Progress) -> Result<Vec<Hashed>, Error> {
    let anything = Expected { bytes: None, sha256: None, record: None };
    let hashed = files.iter().map(|(name, path)| match verify::check(path, name, &anything, progress) {
        Ok(Ok(Facts { bytes, sha256 })) => Ok(Hashed { name: name.clone(), bytes, sha256 }),
        Ok(Err(mismatch)) => Err(Error::Io(std::io::Error::other(mismatch.to_string()))),
        Err(Failure::Cancelled) => Err(Error::Cancelled),
        Err(Failure::Io(error)) => Err(Error::Io(error)),
        Err(failure) => Err(Error::Io(std::io::Error::other(format!("{failure:?}")))),
    });
    hashed.collect()
}

/// Takes files as those of a model: `offered` says by the entry's names where they lie. What the entry lists and is not
/// offered must be here already. Files that are here and right stay as they are.
///
/// # Errors
/// [`Error::NotItsFiles`] where one is missing or another, with all that is wrong; then nothing was changed. Else where a
/// file cannot be read or written, the disk is full, or the user asks to stop.
pub fn adopt(
    entry: &ModelEntry,
    offered: &BTreeMap<String, PathBuf>,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Adoption, Error> {
    let is_new = !cache::model_folder(options, &entry.id).exists();
    let Some(file) = entry.files.first() else {
        return Err(Error::NotItsFiles { model: entry.id.clone(), faults: Vec::new() });
    };
    let claim = Claim::take(entry, Purpose::Adding, options, progress)
        .map_err(|failure| ended(failure, entry, file, options))?;
    let adopted = under_claim(entry, offered, options, progress);
    if adopted.is_err() && is_new {
        forget_folder(claim);
    }
    adopted
}

/// Removes a model's folder where nothing is in it but what was put there to work.
fn forget_folder(claim: Claim) {
    for item in std::fs::read_dir(claim.folder()).into_iter().flatten().flatten() {
        // Only empty folders go: `remove_dir` refuses all others.
        let _ = std::fs::remove_dir(item.path());
    }
    let _ = claim.leave();
}

fn under_claim(
    entry: &ModelEntry,
    offered: &BTreeMap<String, PathBuf>,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Adoption, Error> {
    let of = |file: &ModelFile| {
        let file = file.clone();
        move |failure| ended(failure, entry, &file, options)
    };
    let work = Work::new(cache::model_folder(options, &entry.id).join(".adopt"))?;
    let (mut here, mut staged, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for file in &entry.files {
        let found = cache::find(options, entry, file, Trust::Marker, progress).map_err(of(file))?;
        // Whatever is here, what is offered must be right: nothing is passed over in silence.
        let judged = match offered.get(&file.name) {
            Some(source) => Some(judge(source, entry, file, options, progress).map_err(of(file))?),
            None => None,
        };
        match (found, judged) {
            (_, Some(Err(mismatch))) => faults.push(Fault { name: file.name.clone(), mismatch: Some(mismatch) }),
            (Found::Here(path, sha256), _) => here.push((file, local(file, path, sha256, false))),
            (_, Some(Ok(facts))) => staged.push((file, facts)),
            (_, None) => faults.push(Fault { name: file.name.clone(), mismatch: None }),
        }
    }
    if !faults.is_empty() {
        return Err(Error::NotItsFiles { model: entry.id.clone(), faults });
    }
    let mut adoption = Adoption { files: ModelFiles { id: entry.id.clone(), files: Vec::new() }, cloned: 0, copied: 0 };
    let mut ready = Vec::with_capacity(staged.len());
    for (file, facts) in staged {
        let source = &offered[&file.name];
        let goal = work.0.join(&file.name);
        match take(source, &goal, file, &facts, progress).map_err(of(file))? {
            Taken::Cloned => adoption.cloned += 1,
            Taken::Copied => adoption.copied += 1,
        }
        ready.push((file, goal, facts));
    }
    let mut installed: Vec<PathBuf> = Vec::new();
    for (file, path, facts) in ready {
        let done = first_seen::record(options, entry, file, None, &facts)
            .map_err(Failure::from)
            .and_then(|()| install::install_own(options, entry, file, &path, &facts));
        match done {
            Ok(path) => {
                installed.push(path.clone());
                here.push((file, local(file, path, facts.sha256, true)));
            }
            Err(failure) => {
                // All of them or none.
                installed.iter().for_each(|path| drop(std::fs::remove_file(path)));
                return Err(of(file)(failure));
            }
        }
    }
    let order = |name: &str| entry.files.iter().position(|file| file.name == name);
    here.sort_by_key(|(file, _)| order(&file.name));
    adoption.files.files = here.into_iter().map(|(_, local)| local).collect();
    Ok(adoption)
}

/// Reads an offered file and compares it with what the model's file must be.
fn judge(
    source: &Path,
    entry: &ModelEntry,
    file: &ModelFile,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Result<Facts, Mismatch>, Failure> {
    let expected = first_seen::expected(options, entry, file)?;
    let facts = match verify::check(source, &file.name, &expected, progress)? {
        Ok(facts) => facts,
        wrong => return Ok(wrong),
    };
    if !expected.is_settled()
        && let Some(reason) = form::fault(source, &file.name)?
    {
        return Ok(Err(Mismatch::Form { name: file.name.clone(), reason }));
    }
    Ok(Ok(facts))
}

/// How a file came to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It shares blocks with the one that was offered, until one of them is written to.
    Cloned,
    /// Its bytes were written anew.
    Copied,
}

/// Makes a file of the same bytes, and makes sure that they are what was read before.
fn take(
    source: &Path,
    goal: &Path,
    file: &ModelFile,
    facts: &Facts,
    progress: &dyn Progress,
) -> Result<Taken, Failure> {
    let from = fs_err::File::open(source)?;
    let to = fs_err::File::options().read(true).write(true).create_new(true).open(goal)?;
    let changed = || {
        let said = format!("{} changed while it was copied", source.display());
        Failure::Io(std::io::Error::other(said))
    };
    if clone(from.file(), to.file()) {
        to.sync_all()?;
        let is = Expected { bytes: Some(facts.bytes), sha256: Some(facts.sha256.clone()), record: None };
        return match verify::check(goal, &file.name, &is, progress)? {
            Ok(_) => Ok(Taken::Cloned),
            Err(_) => Err(changed()),
        };
    }
    match space::free(goal.parent().unwrap_or(goal)) {
        Some(free) if free < facts.bytes => return Err(Failure::NoSpace { needed: facts.bytes, free }),
        _ => {}
    }
    progress.started(&format!("copying {}", file.name), facts.bytes, "bytes");
    let mut hasher = Hasher::new(to);
    let copied = hasher.copy(from, facts.bytes, progress);
    progress.finished();
    copied?;
    let (written, got) = hasher.finish();
    written.sync_all()?;
    if got == *facts { Ok(Taken::Copied) } else { Err(changed()) }
}

/// Lets an empty file share all blocks of another one. Returns whether the file system did so.
#[cfg(all(target_os = "linux", not(any(target_arch = "sparc", target_arch = "sparc64"))))]
fn clone(from: &std::fs::File, to: &std::fs::File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

/// Lets an empty file share all blocks of another one. Returns whether the file system did so.
#[cfg(not(all(target_os = "linux", not(any(target_arch = "sparc", target_arch = "sparc64")))))]
fn clone(_from: &std::fs::File, _to: &std::fs::File) -> bool {
    false
}

/// A folder to work in, empty at first and gone afterwards.
struct Work(PathBuf);

impl Work {
    fn new(folder: PathBuf) -> Result<Self, Error> {
        if folder.exists() {
            // A run that was killed left it; the lock says that no other one is at work.
            fs_err::remove_dir_all(&folder)?;
        }
        fs_err::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::registry::Registry;

    fn world() -> (tempfile::TempDir, HubOptions, ModelEntry, BTreeMap<String, PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        let mut offered = BTreeMap::new();
        for (name, text) in [("config.json", "{}"), ("vocab.txt", "abc")] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            offered.insert(name.to_owned(), path);
        }
        let files: String = hash(&offered, &Silent)
            .unwrap()
            .iter()
            .map(|f| {
                format!("{{ name = \"{}\", bytes = {}, sha256 = \"{}\", by_hand = true }},", f.name, f.bytes, f.sha256)
            })
            .collect();
        let text = format!(
            "[[model]]\nid = \"m\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"a\"\nlanguages = []\n\
             memory_bytes = 1\nlicence = {{ name = \"n\", link = \"l\", asks = \"a\" }}\nfiles = [{files}]"
        );
        let entry = Registry::parse(&text, Path::new("t")).unwrap().models()[0].clone();
        (folder, options, entry, offered)
    }

    #[test]
    fn files_are_taken_once_and_whatever_becomes_of_the_first_they_stay() {
        let (_folder, options, entry, offered) = world();
        let adopted = adopt(&entry, &offered, &options, &Silent).unwrap();
        assert_eq!((adopted.cloned + adopted.copied, adopted.was_here()), (2, false));
        assert!(adopt(&entry, &offered, &options, &Silent).unwrap().was_here());
        let place = &adopted.files.named("vocab.txt").unwrap().path;
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::nlink(&std::fs::metadata(place).unwrap()), 1);
        // An edit of either in its place is none of the other.
        std::fs::write(&offered["vocab.txt"], "abd").unwrap();
        assert_eq!(std::fs::read(place).unwrap(), b"abc");
        std::fs::remove_file(&offered["vocab.txt"]).unwrap();
        assert_eq!(std::fs::read(place).unwrap(), b"abc");
        let left = BTreeMap::from([("config.json".to_owned(), offered["config.json"].clone())]);
        assert!(adopt(&entry, &left, &options, &Silent).unwrap().was_here(), "the rest is here");
        assert!(!options.own_cache.join("m/.adopt").exists());
    }

    #[test]
    fn one_wrong_file_and_nothing_is_changed() {
        let (folder, options, entry, mut offered) = world();
        std::fs::write(&offered["vocab.txt"], "abd").unwrap();
        offered.remove("config.json");
        let error = adopt(&entry, &offered, &options, &Silent).unwrap_err();
        let Error::NotItsFiles { faults, .. } = &error else { panic!("{error:?}") };
        assert!(matches!(&faults[0], Fault { mismatch: None, name } if name == "config.json"));
        assert!(matches!(&faults[1].mismatch, Some(Mismatch::Hash { .. })), "{faults:?}");
        assert!(!folder.path().join("mujaz").exists(), "nothing is left of it");
        // Where something of the model is here, that stays.
        let (_folder, options, entry, offered) = world();
        adopt(&entry, &offered, &options, &Silent).unwrap();
        std::fs::write(&offered["vocab.txt"], "much longer").unwrap();
        assert!(adopt(&entry, &offered, &options, &Silent).is_err());
        assert!(options.own_cache.join("m").exists());
    }

    #[test]
    fn what_is_taken_is_what_was_hashed() {
        let (folder, _, entry, offered) = world();
        let (file, source) = (&entry.files[1], &offered["vocab.txt"]);
        let facts = Facts { bytes: 3, sha256: file.sha256.clone().unwrap() };
        let goal = |name: &str| folder.path().join(name);
        take(source, &goal("copy"), file, &facts, &Silent).unwrap();
        assert_eq!(std::fs::read(goal("copy")).unwrap(), b"abc");
        assert!(take(source, &goal("copy"), file, &facts, &Silent).is_err(), "nothing is written into what is there");
        std::fs::write(source, "abd").unwrap();
        assert!(matches!(take(source, &goal("a"), file, &facts, &Silent), Err(Failure::Io(_))));
        std::fs::write(source, "abcd").unwrap();
        assert!(matches!(take(source, &goal("b"), file, &facts, &Silent), Err(Failure::Io(_))));
        struct Stop;
        impl Progress for Stop {
            fn cancelled(&self) -> bool {
                true
            }
        }
        assert!(matches!(take(source, &goal("c"), file, &facts, &Stop), Err(Failure::Cancelled | Failure::Io(_))));
        let huge = Facts { bytes: u64::MAX, ..facts };
        let refused = take(source, &goal("d"), file, &huge, &Silent);
        assert!(matches!(refused, Err(Failure::NoSpace { .. } | Failure::Io(_))));
    }
}

//! Reading a bundle, which may be damaged or made to do harm.
//!
//! In: a stream, read once from its start to its end. Out: installed models, all of the bundle's or none. Only regular files
//! are taken, with just the names, sizes and hashes that the manifest announces, each once, in any order. Each goes into a
//! staging folder under a number, so that no name of the archive becomes a path. The manifest is not believed either: of
//! models that are known here, what the registry pins and what was first seen must agree with it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::{Archive, compare};
use super::{Error, LICENCE_TEXT, LONGEST_MANIFEST, MANIFEST, Manifest, Member, SUMS, licence_name};
use crate::hub::claim::{Claim, Purpose, TRIES, is_taken_away};
use crate::hub::error::Mismatch;
use crate::hub::verify::{Facts, hex};
use crate::hub::{HubOptions, added, cache, first_seen, form, install, remove, resolve, space};
use crate::progress::Progress;
use crate::registry::{self, Choose, ModelEntry, ModelFile, Registry};

/// How the folders begin that a bundle's files lie in until all of it was seen.
const STAGING: &str = ".import-";
/// The file in them that is locked as long as they are in use.
const LOCK: &str = "lock";
/// Longest time from the making of such a folder until it is locked; it is a moment.
const BEING_MADE: Duration = Duration::from_secs(3600);

/// A model that a bundle brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Its entry: the registry's, or the bundle's where no registry knew it.
    pub entry: ModelEntry,
    /// Whether no registry knew it, so that its entry was kept too.
    pub is_new: bool,
    /// Whether all of its files were here already, so that none was written.
    pub was_here: bool,
    /// The bytes of its files.
    pub bytes: u64,
}

/// Takes the models out of a bundle. Nothing is installed unless all of it is good; opens no socket.
///
/// # Errors
/// Where the stream is no bundle, is damaged, holds anything it does not announce, or brings other files than are known here
/// of a model; where the disk has too little space, before the first file; where the user asks to stop.
pub fn import(
    from: &mut dyn Read,
    registry: &Registry,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Vec<Imported>, Error> {
    let mut archive = Archive::new(from, progress);
    let (manifest, own) = manifest(&mut archive)?;
    let models = welcome(&manifest, registry, options)?;
    let needed: u64 = models.iter().filter(|model| !model.was_here).map(|model| model.bytes).sum();
    let staging = Staging::new(options)?;
    room_for(needed, staging.path())?;
    progress.started("reading the bundle", manifest.total().unwrap_or(0), "bytes");
    let taken = members(&mut archive, &manifest, &own, &models, &staging, progress);
    progress.finished();
    taken?;
    install(&manifest, &models, &staging, options, progress)?;
    Ok(models)
}

/// Reads the first member; returns it and its SHA-256.
fn manifest(archive: &mut Archive<'_>) -> Result<(Manifest, String), Error> {
    let head = archive.next()?.ok_or_else(|| Error::NotABundle("it is an empty archive".to_owned()))?;
    if head.name != MANIFEST {
        let reason = format!("its first member is {:?}, expected {MANIFEST:?}", head.name);
        return Err(Error::NotABundle(reason));
    }
    if head.bytes > LONGEST_MANIFEST {
        return Err(Error::manifest(format!("it has {} bytes, expected {LONGEST_MANIFEST} at most", head.bytes)));
    }
    let mut bytes = Vec::new();
    let sha256 = archive.contents(head.bytes, &mut bytes, &mut |_| {})?;
    Ok((Manifest::parse(&bytes)?, sha256))
}

/// Decides for each model as what it is taken, and refuses what does not go with what is known of it here.
fn welcome(manifest: &Manifest, registry: &Registry, options: &HubOptions) -> Result<Vec<Imported>, Error> {
    let mut models = Vec::with_capacity(manifest.model.len());
    for bundled in &manifest.model {
        let (entry, is_new) = match registry.find(&bundled.id.0) {
            Ok(known) => (known.clone(), false),
            Err(registry::Error::Unknown { .. }) => (stranger(bundled, manifest), true),
            Err(refused) => return Err(refused.into()),
        };
        same_files(bundled, &entry)?;
        let was_here = !is_new && is_here(&entry, options)?;
        let mut bytes = 0_u64;
        for file in &entry.files {
            let announced = announced(manifest, &entry, file)?;
            agree(announced, bundled, file.name.as_str(), &entry, options)?;
            bytes = bytes.saturating_add(announced.bytes);
        }
        models.push(Imported { entry, is_new, was_here, bytes });
    }
    Ok(models)
}

/// Makes the entry of a model that no registry knows: a bundle does not make itself the one that is chosen, nor smaller than
/// its files are.
fn stranger(bundled: &ModelEntry, manifest: &Manifest) -> ModelEntry {
    let bytes =
        bundled.files.iter().filter_map(|file| announced(manifest, bundled, file).ok()).map(|member| member.bytes);
    let memory_bytes = bundled.memory_bytes.max(bytes.sum());
    ModelEntry { choose: Choose::WhenNamed, memory_bytes, ..bundled.clone() }
}

fn announced<'m>(manifest: &'m Manifest, entry: &ModelEntry, file: &ModelFile) -> Result<&'m Member, Error> {
    manifest.member(&entry.id, &file.name).ok_or_else(|| Error::Missing(super::file_name(&entry.id, &file.name)))
}

/// Compares the names, and where the hashes of a file are not known also its commit.
fn same_files(bundled: &ModelEntry, known: &ModelEntry) -> Result<(), Error> {
    let other = |reason| Error::OtherFiles { model: known.id.clone(), reason };
    let names = |entry: &ModelEntry| {
        let mut names: Vec<String> = entry.files.iter().map(|file| file.name.clone()).collect();
        names.sort();
        names.join(", ")
    };
    let (here, there) = (names(known), names(bundled));
    if here != there {
        return Err(other(format!("expected {here}, got {there}")));
    }
    for file in known.files.iter().filter(|file| !file.is_pinned()) {
        let commit = |file: &ModelFile| file.hub.as_ref().map(|hub| format!("{} of {}", hub.path, hub.revision));
        let brought = bundled.files.iter().find(|bundled| bundled.name == file.name).and_then(commit);
        if commit(file) != brought {
            let in_words = |commit: Option<String>| commit.unwrap_or_else(|| "a file of no repository".to_owned());
            let (here, there) = (in_words(commit(file)), in_words(brought));
            return Err(other(format!("{}: expected {here}, got {there}", file.name)));
        }
    }
    Ok(())
}

/// Returns whether all files of a model are here and good.
fn is_here(entry: &ModelEntry, options: &HubOptions) -> Result<bool, Error> {
    match resolve(entry, options) {
        Ok(found) => Ok(found.is_some()),
        Err(crate::hub::Error::Damaged { .. } | crate::hub::Error::NotLocked { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Compares what the manifest says of a file with its own entry, the registry's, and what was first seen.
fn agree(
    announced: &Member,
    bundled: &ModelEntry,
    name: &str,
    known: &ModelEntry,
    options: &HubOptions,
) -> Result<(), Error> {
    let facts = Facts { bytes: announced.bytes, sha256: announced.sha256.clone() };
    for entry in [bundled, known] {
        let Some(file) = entry.files.iter().find(|file| file.name == name) else { continue };
        let expected = first_seen::expected(options, entry, file)?;
        if let Some(mismatch) = expected.wrong(&facts) {
            return Err(Error::Unwelcome { model: entry.id.clone(), file: name.to_owned(), mismatch });
        }
    }
    Ok(())
}

fn room_for(needed: u64, folder: &Path) -> Result<(), Error> {
    match space::free(folder) {
        Some(free) if free < needed => Err(Error::NoSpace { folder: folder.to_owned(), needed, free }),
        _ => Ok(()),
    }
}

/// A folder for what is not yet trusted. It is gone afterwards, however that comes; where the process is killed, the next
/// import removes it.
struct Staging {
    folder: tempfile::TempDir,
    own_cache: PathBuf,
    /// Held as long as the folder is in use.
    _lock: std::fs::File,
}

impl Staging {
    fn new(options: &HubOptions) -> Result<Self, Error> {
        let own_cache = options.own_cache.clone();
        remove_abandoned(&own_cache);
        let folder = Self::folder_in(&own_cache).map_err(Error::Staging)?;
        // Locked before it has the name by which others look for it: what is not locked is taken for abandoned.
        let unnamed = folder.path().join("lock.new");
        let lock = fs_err::File::create(&unnamed).map_err(Error::Staging)?.into_file();
        // A file system without locks: an abandoned folder then stays.
        let _ = lock.try_lock();
        fs_err::rename(&unnamed, folder.path().join(LOCK)).map_err(Error::Staging)?;
        Ok(Self { folder, own_cache, _lock: lock })
    }

    /// Makes a folder that no other process has. Another import that ends may remove the cache meanwhile, which was empty until
    /// then.
    fn folder_in(own_cache: &Path) -> std::io::Result<tempfile::TempDir> {
        let mut tries = 0;
        loop {
            let made = fs_err::create_dir_all(own_cache)
                .and_then(|()| tempfile::Builder::new().prefix(STAGING).tempdir_in(own_cache));
            match made {
                Err(error) if is_taken_away(&error) && tries < TRIES => tries += 1,
                made => return made,
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns where a member lies, by its number in the manifest.
    fn place(&self, number: usize) -> PathBuf {
        self.path().join(number.to_string())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.folder.path());
        // Where nothing was installed and nothing was here before, nothing stays.
        let _ = std::fs::remove_dir(&self.own_cache);
    }
}

/// Removes the staging folders of processes that are gone.
fn remove_abandoned(own_cache: &Path) {
    for entry in std::fs::read_dir(own_cache).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(STAGING) {
            continue;
        }
        let is_abandoned = match std::fs::File::open(entry.path().join(LOCK)) {
            Ok(lock) => lock.try_lock().is_ok(),
            // One that has just been made is about to be locked.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => is_old(&entry.path()),
            Err(_) => false,
        };
        if is_abandoned {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Returns whether nothing was put into a folder for so long that nobody is making it.
fn is_old(folder: &Path) -> bool {
    let changed = std::fs::metadata(folder).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > BEING_MADE))
}

/// Reads all members to the end of the archive. Those of models that are not here are written into the staging folder.
fn members(
    archive: &mut Archive<'_>,
    manifest: &Manifest,
    own: &str,
    models: &[Imported],
    staging: &Staging,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let sums = manifest.sums(own).into_bytes();
    let sums = Member { name: SUMS.to_owned(), bytes: sums.len() as u64, sha256: sha256(&sums) };
    let all = || manifest.member.iter().chain(std::iter::once(&sums));
    let mut awaited: BTreeMap<&str, (usize, &Member)> =
        all().enumerate().map(|(number, member)| (member.name.as_str(), (number, member))).collect();
    let is_here = |name: &str| {
        models.iter().any(|model| model.was_here && name.starts_with(&super::file_name(&model.entry.id, "")))
    };
    let mut done = 0;
    while let Some(head) = archive.next()? {
        let Some((number, member)) = awaited.remove(head.name.as_str()) else {
            let again = head.name == MANIFEST || all().any(|member| member.name == head.name);
            let reason = if again { "it comes twice" } else { "the manifest does not announce it" };
            return Err(Error::refused(&head.name, reason.to_owned()));
        };
        if head.bytes != member.bytes {
            let mismatch = Mismatch::Size { expected: member.bytes, got: head.bytes };
            return Err(Error::Mismatch { member: head.name, mismatch });
        }
        let mut passed = |more| {
            done += more;
            progress.advanced(done);
        };
        let got = if is_here(&member.name) || member.name == SUMS {
            archive.contents(member.bytes, &mut std::io::sink(), &mut passed)?
        } else {
            let mut file = fs_err::File::create_new(staging.place(number)).map_err(Error::Staging)?;
            let got = archive.contents(member.bytes, &mut file, &mut passed)?;
            file.sync_all().map_err(Error::Staging)?;
            got
        };
        compare(member, &got)?;
    }
    match awaited.into_values().min_by_key(|(number, _)| *number) {
        Some((_, member)) => Err(Error::Missing(member.name.clone())),
        None => Ok(()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// Gives the files of a bundle that is good as a whole their final names.
fn install(
    manifest: &Manifest,
    models: &[Imported],
    staging: &Staging,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let place = |name: &str| {
        let number = manifest.member.iter().position(|member| member.name == name);
        number.map(|number| staging.place(number)).ok_or_else(|| Error::Missing(name.to_owned()))
    };
    let mut missing: Vec<&Imported> = models.iter().filter(|model| !model.was_here).collect();
    // Always in the same order: two imports at once do not wait for each other.
    missing.sort_by(|a, b| a.entry.id.cmp(&b.entry.id));
    for model in &missing {
        for file in model.entry.files.iter().filter(|file| !file.is_pinned()) {
            let staged = place(&super::file_name(&model.entry.id, &file.name))?;
            if let Some(reason) = form::fault(&staged, &file.name)? {
                let mismatch = Mismatch::Form { name: file.name.clone(), reason };
                return Err(Error::Unwelcome { model: model.entry.id.clone(), file: file.name.clone(), mismatch });
            }
        }
    }
    let mut claims = Vec::with_capacity(missing.len());
    for model in &missing {
        claims.push(Claim::take(&model.entry, Purpose::Importing, options, progress)?);
        // Another process may have seen other files first while we read.
        for file in &model.entry.files {
            agree(announced(manifest, &model.entry, file)?, &model.entry, &file.name, &model.entry, options)?;
        }
    }
    let give = |model: &Imported| -> Result<(), Error> {
        let entry = &model.entry;
        for file in &entry.files {
            let announced = announced(manifest, entry, file)?;
            let facts = Facts { bytes: announced.bytes, sha256: announced.sha256.clone() };
            // The record comes first: a file with its final name was seen.
            first_seen::record(options, entry, file, None, &facts)?;
            install::install_own(options, entry, file, &place(&announced.name)?, &facts)?;
        }
        keep_licence(&place(&licence_name(&entry.id))?, entry, options);
        if model.is_new {
            added::write(options, entry)?;
        }
        Ok(())
    };
    for (done, model) in missing.iter().enumerate() {
        if let Err(error) = give(model) {
            // All of them or none: what was installed before goes again.
            for (taken_back, claim) in missing[..=done].iter().zip(claims) {
                let _ = remove::remove(options, &taken_back.entry, claim);
                if taken_back.is_new {
                    let _ = added::forget(options, &taken_back.entry.id);
                }
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Puts a licence's own text beside the model, where the bundle has it. A model without it works as well.
fn keep_licence(staged: &Path, entry: &ModelEntry, options: &HubOptions) {
    let Ok(said) = std::fs::read(staged) else { return };
    let mark = LICENCE_TEXT.as_bytes();
    let Some(at) = said.windows(mark.len()).position(|part| part == mark) else { return };
    let own = entry.files.first().map(|file| cache::own_path(options, entry, file));
    let Some(folder) = own.as_deref().and_then(Path::parent) else { return };
    let is_of_model = entry.files.iter().any(|file| file.name.eq_ignore_ascii_case("LICENSE"));
    if !is_of_model && let Ok(mut temporary) = install::new_file(folder) {
        let _ = temporary.write_all(&said[at + mark.len()..]).map(|()| temporary.persist(folder.join("LICENSE")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use super::*;

    fn world() -> (tempfile::TempDir, HubOptions) {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        (folder, options)
    }

    #[test]
    fn imports_that_start_and_end_at_the_same_time_leave_each_other_alone() {
        let (_folder, options) = world();
        let done = AtomicBool::new(false);
        let import = &|number: usize| {
            let work = |round: usize| {
                let text = format!("{number} {round}");
                let staging = Staging::new(&options).map_err(|error| error.to_string())?;
                std::fs::write(staging.place(1), &text).map_err(|error| error.to_string())?;
                let found = std::fs::read_to_string(staging.place(1)).map_err(|error| error.to_string())?;
                if found == text { Ok(()) } else { Err(found) }
            };
            (0..400).try_for_each(work)
        };
        let ended = std::thread::scope(|scope| {
            // What every import does first, all the time.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    remove_abandoned(&options.own_cache);
                }
            });
            let imports: Vec<_> = (0..2).map(|number| scope.spawn(move || import(number))).collect();
            let ended: Vec<_> = imports.into_iter().map(|import| import.join().unwrap()).collect();
            done.store(true, Ordering::Relaxed);
            ended
        });
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
        assert!(!options.own_cache.exists(), "nothing stays");
    }

    #[test]
    fn a_folder_without_a_lock_is_abandoned_only_once_it_is_old() {
        let (_folder, options) = world();
        let (young, old) = (options.own_cache.join(".import-a"), options.own_cache.join(".import-b"));
        for folder in [&young, &old] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let long_ago = SystemTime::now() - 2 * BEING_MADE;
        let is_set = std::fs::File::open(&old).and_then(|folder| folder.set_modified(long_ago)).is_ok();
        let _staging = Staging::new(&options).unwrap();
        assert!(young.exists() && (!old.exists() || !is_set));
        assert!(is_set || cfg!(not(unix)));
    }
}

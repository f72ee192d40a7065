//! A model's file from the hub, with guards around every step.
//!
//! In: repository, revision and path of a registry entry. Out: first what the hub lists of the file, then one verified file in
//! a staging folder, with the name (etag) that the hub gives its blob. The guards:
//!
//! - a connection that never comes ([`super::connect`]), or an answer or a body that stops coming ([`super::watch`]);
//! - a size, commit or hash that is not the expected one: asked before the first byte of any body is taken;
//! - a body that is longer, shorter, or simply another file; a large file's etag is the SHA-256 that it must have;
//! - where the registry knows no hash: a file that has not the form of its name;
//! - a half download that a crash left: resumed from the staging folder, never seen in the cache.
//!
//! The protocol is [`super::http`]'s, the bytes are [`super::transfer`]'s, when to try again is [`super::retry`]'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::connect::connect;
use super::error::{Failure, Mismatch, SourceError};
use super::http::{Http, Listed, address};
use super::options::HubOptions;
use super::retry::Retries;
use super::transfer::{self, Staged};
use super::verify::{Expected, Facts};
use super::watch::watched;
use super::{cache, form, verify};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelFile, is_sha256};

/// How long the address of a listed file is used: that of another server holds for a while only.
const FRESH: Duration = Duration::from_secs(300);

/// A file as it came from the hub.
pub(super) struct Fetched {
    /// Where it lies, in the staging folder.
    pub(super) path: PathBuf,
    /// What the hub calls its bytes; safe as a file name.
    pub(super) etag: String,
    /// What its bytes are.
    pub(super) facts: Facts,
}

/// What the hub listed, and when.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) listed: Listed,
    at: Instant,
}

/// Speaks to the hub for one pull.
pub(super) struct Client<'a> {
    http: Arc<Http>,
    options: &'a HubOptions,
    progress: &'a dyn Progress,
    /// Whether a connection to the hub came to be.
    reached: AtomicBool,
}

impl<'a> Client<'a> {
    /// Reads the certificates to trust, and opens no connection.
    pub(super) fn new(options: &'a HubOptions, progress: &'a dyn Progress) -> Result<Self, Failure> {
        let http = Arc::new(Http::new(options).map_err(Failure::Setting)?);
        Ok(Self { http, options, progress, reached: AtomicBool::new(false) })
    }

    /// Learns what the hub has under a file's name, and compares it with what is expected.
    pub(super) fn list(&self, hub: &HubSource, expected: &Expected) -> Result<Planned, Failure> {
        if let Some(reason) = self.options.outage.get() {
            let reason = format!("tried before, not again: {reason}");
            return Err(SourceError::Unreachable { endpoint: self.options.endpoint.clone(), reason }.into());
        }
        let mut retries = Retries::new(self.options);
        loop {
            match self.list_once(hub, expected)? {
                Ok(planned) => return Ok(planned),
                // It will list the same again.
                Err(reason @ SourceError::Mismatch(_)) => return Err(reason.into()),
                Err(reason) => retries.wait(reason, 0, self.progress)?,
            }
        }
    }

    fn list_once(&self, hub: &HubSource, expected: &Expected) -> Result<Result<Planned, SourceError>, Failure> {
        if !self.reached.load(Ordering::Relaxed) {
            connect(self.options, self.progress)?;
            self.reached.store(true, Ordering::Relaxed);
        }
        let (http, url) = (Arc::clone(&self.http), address(&self.options.endpoint, hub));
        let endpoint = self.options.endpoint.clone();
        // Two tries of this take as long as a body may stand still.
        let patience = self.options.stall_timeout / 2;
        let silent = |seconds| SourceError::Silent { endpoint: endpoint.clone(), seconds };
        let listed = watched("the hub", patience, silent, self.progress, move |_| Ok(http.list(&url)?))?;
        Ok(listed.and_then(|listed| {
            guard(&listed, hub, expected)?;
            Ok(Planned { listed, at: Instant::now() })
        }))
    }

    /// Fetches a file into `staging`, a folder in the hub cache's layout, and verifies it. What a broken transfer leaves
    /// there is resumed by the next call. `label` names the bar.
    pub(super) fn fetch(
        &self,
        (file, hub, expected): (&ModelFile, &HubSource, &Expected),
        planned: Option<Planned>,
        staging: &Path,
        label: &str,
    ) -> Result<Fetched, Failure> {
        let mut planned = planned.filter(|planned| planned.at.elapsed() < FRESH);
        let mut retries = Retries::new(self.options);
        let mut from_the_start = false;
        loop {
            let listed = match planned.take() {
                Some(planned) => planned.listed,
                None => match self.list_once(hub, expected)? {
                    Ok(planned) => planned.listed,
                    Err(reason @ SourceError::Mismatch(_)) => return Err(reason.into()),
                    Err(reason) => {
                        retries.wait(reason, 0, self.progress)?;
                        continue;
                    }
                },
            };
            let part = part(staging, hub, &listed);
            let before = transfer::part_bytes(&part);
            let (http, of_thread) = (Arc::clone(&self.http), part.clone());
            let silent = |seconds| SourceError::Stalled { seconds };
            let patience = self.options.stall_timeout;
            let transferred = watched(label, patience, silent, self.progress, move |shared| {
                transfer::run(&http, &listed, &of_thread, shared)
            })?;
            let reason = match transferred {
                Ok(staged) => match verified(file, expected, &staged, self.progress)? {
                    Ok(facts) => return Ok(Fetched { path: staged.path, etag: staged.etag, facts }),
                    Err(mismatch) => {
                        fs_err::remove_file(&part)?;
                        // What was there before may be what is wrong; one whole transfer tells.
                        if before == 0 || from_the_start {
                            return Err(SourceError::Mismatch(mismatch).into());
                        }
                        let kept = "part of it was here before";
                        self.progress
                            .notice(&format!("{}: {mismatch}; {kept}, trying again from its start", file.name));
                        (from_the_start, retries) = (true, Retries::new(self.options));
                        continue;
                    }
                },
                // A longer body is the same at each try.
                Err(reason @ SourceError::Mismatch(_)) => return Err(reason.into()),
                Err(reason) => reason,
            };
            retries.wait(reason, transfer::part_bytes(&part).saturating_sub(before), self.progress)?;
        }
    }

    /// Compares a file that lies in the hub cache under the listed name with all that is known of it.
    pub(super) fn lies_there(
        &self,
        (file, expected): (&ModelFile, &Expected),
        listed: &Listed,
        blob: PathBuf,
    ) -> Result<Option<Fetched>, Failure> {
        if !std::fs::metadata(&blob).is_ok_and(|metadata| metadata.is_file() && metadata.len() == listed.bytes) {
            return Ok(None);
        }
        let staged = Staged { path: blob, etag: listed.etag.clone(), bytes: listed.bytes };
        let facts = verified(file, expected, &staged, self.progress)?.ok();
        Ok(facts.map(|facts| Fetched { path: staged.path, etag: staged.etag, facts }))
    }
}

/// Returns how much of a file an earlier transfer left in the staging folder.
pub(super) fn part_bytes(staging: &Path, hub: &HubSource, listed: &Listed) -> u64 {
    transfer::part_bytes(&part(staging, hub, listed))
}

/// Returns where a file lies until it is whole.
fn part(staging: &Path, hub: &HubSource, listed: &Listed) -> PathBuf {
    cache::blob(staging, hub, &listed.etag).with_extension("part")
}

/// Compares what came with all that is known of it: registry and record, the hub's own word, and the form of its name.
fn verified(
    file: &ModelFile,
    expected: &Expected,
    staged: &Staged,
    progress: &dyn Progress,
) -> Result<Result<Facts, Mismatch>, Failure> {
    let facts = match verify::check(&staged.path, &file.name, expected, progress)? {
        Ok(facts) => facts,
        Err(mismatch) => return Ok(Err(mismatch)),
    };
    if facts.bytes != staged.bytes {
        return Ok(Err(Mismatch::Size { expected: staged.bytes, got: facts.bytes }));
    }
    if is_sha256(&staged.etag) && staged.etag != facts.sha256 {
        return Ok(Err(Mismatch::Hash { expected: staged.etag.clone(), got: facts.sha256 }));
    }
    if !file.is_pinned()
        && let Some(reason) = form::fault(&staged.path, &file.name)?
    {
        return Ok(Err(Mismatch::Form { name: file.name.clone(), reason }));
    }
    Ok(Ok(facts))
}

/// Compares what the hub lists with what is expected.
fn guard(listed: &Listed, hub: &HubSource, expected: &Expected) -> Result<(), SourceError> {
    let protocol = |reason: String| Err(SourceError::Protocol { url: listed.page.clone(), reason });
    if listed.commit != hub.revision {
        return protocol(format!("it answers with commit {:?}", listed.commit));
    }
    // The etag becomes a file name here and in the cache.
    let etag = &listed.etag;
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if etag.is_empty() || etag.len() > 128 || !etag.bytes().all(safe) {
        return protocol(format!("it answers with the etag {etag:?}"));
    }
    if listed.bytes == 0 {
        return protocol("it lists an empty file".to_owned());
    }
    // Large files are listed under their SHA-256, so that a wrong one need not be fetched to be known.
    let wrong_hash = || is_sha256(etag).then(|| expected.wrong_sha256(etag)).flatten();
    match expected.wrong_size(listed.bytes).or_else(wrong_hash) {
        Some(mismatch) => Err(SourceError::Mismatch(mismatch)),
        None => Ok(()),
    }
}

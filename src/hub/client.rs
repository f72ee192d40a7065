//! A model's file from the hub, with guards around every step.
//!
//! In: repository, revision and path of a registry entry. Out: one verified file in a staging folder, with the name
//! (etag) that the hub gives its blob. The guards:
//!
//! - a connection that never comes, or a body that stops coming;
//! - a size, commit or hash that is not the expected one: asked before the first byte of the body is taken;
//! - a body that is longer, shorter, or simply another file; a large file's etag is the SHA-256 that it must have;
//! - where the registry knows no hash: a file that has not the form of its name;
//! - a half download that a crash left: resumed from the staging folder, never seen in the cache.
//!
//! The transfer runs on a thread of its own, so that a socket which stays silent can be left behind. The protocol is
//! [`super::http`]'s.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::error::{Failure, Mismatch, SourceError};
use super::http::Http;
use super::options::HubOptions;
use super::verify::{Expected, Facts};
use super::{cache, form, space, verify};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelFile, is_sha256};

/// How often the transfer is looked after.
const TICK: Duration = Duration::from_millis(25);
/// How often a transfer is tried that gains nothing.
const TRIES: u32 = 3;
/// A transfer that brought this much is worth going on with, however often it breaks off.
const GAIN: u64 = 1 << 20;
/// The pause before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(500);
/// Bytes that are read at once.
const CHUNK: usize = 1 << 17;

/// A file as it came from the hub.
pub(super) struct Fetched {
    /// Where it lies, in the staging folder.
    pub(super) path: PathBuf,
    /// What the hub calls its bytes; safe as a file name.
    pub(super) etag: String,
    /// What its bytes are.
    pub(super) facts: Facts,
}

/// Fetches a file into `staging`, a folder in the hub cache's layout, and verifies it. What a broken transfer leaves
/// there is resumed by the next call.
pub(super) fn fetch(
    file: &ModelFile,
    hub: &HubSource,
    expected: &Expected,
    staging: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Fetched, Failure> {
    if let Some(reason) = options.outage.get() {
        let reason = format!("tried before, not again: {reason}");
        return Err(SourceError::Unreachable { endpoint: options.endpoint.clone(), reason }.into());
    }
    if !options.proxied {
        connect(options, progress)?;
    }
    let mut failures = 0;
    loop {
        let before = part_bytes(staging);
        let reason = match transfer(file, hub, expected, staging, options, progress)? {
            Ok(staged) => match verified(file, expected, &staged, progress)? {
                Ok(facts) => return Ok(Fetched { path: staged.path, etag: staged.etag, facts }),
                Err(mismatch) => {
                    fs_err::remove_dir_all(staging)?;
                    // What was there before may be what is wrong; one whole transfer tells.
                    if before == 0 {
                        return Err(SourceError::Mismatch(mismatch).into());
                    }
                    SourceError::Mismatch(mismatch)
                }
            },
            Err(reason) => reason,
        };
        failures = if part_bytes(staging) >= before.saturating_add(GAIN) { 1 } else { failures + 1 };
        if failures >= TRIES || !is_worth_another_try(&reason) {
            return Err(reason.into());
        }
        progress.notice(&format!("{reason}; trying again"));
        pause(PAUSE * 2_u32.pow(failures - 1), progress)?;
    }
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

fn is_worth_another_try(reason: &SourceError) -> bool {
    match reason {
        SourceError::Cut { .. } | SourceError::Mismatch(Mismatch::Hash { .. }) => true,
        SourceError::Status { status, .. } => *status == 429 || *status >= 500,
        _ => false,
    }
}

fn pause(length: Duration, progress: &dyn Progress) -> Result<(), Failure> {
    let end = Instant::now() + length;
    while Instant::now() < end {
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}

/// Returns how much of an unfinished transfer lies in the staging folder.
fn part_bytes(staging: &Path) -> u64 {
    std::fs::read_dir(staging).into_iter().flatten().flatten().fold(0, |sum, repo| {
        let blobs = std::fs::read_dir(repo.path().join("blobs")).into_iter().flatten().flatten();
        blobs
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "part"))
            .fold(sum, |sum, entry| sum + entry.metadata().map_or(0, |metadata| metadata.len()))
    })
}

/// Opens a connection to the hub and drops it: what tells an unreachable hub from a slow one, and does so in time.
fn connect(options: &HubOptions, progress: &dyn Progress) -> Result<(), Failure> {
    let unreachable = |reason: String| SourceError::Unreachable { endpoint: options.endpoint.clone(), reason };
    let Some((host, port)) = options.host_and_port() else {
        return Err(unreachable("no usable address".to_owned()).into());
    };
    let (sender, answer) = mpsc::channel();
    let (host, timeout) = (host.to_owned(), options.connect_timeout);
    // Resolving a name takes no timeout, so it happens where it can be left behind.
    std::thread::Builder::new().name("connect".to_owned()).spawn(move || {
        let _ = sender.send(first_connection(&host, port, timeout));
    })?;
    let end = Instant::now() + timeout;
    loop {
        match answer.recv_timeout(TICK) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => return Err(unreachable(error.to_string()).into()),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(unreachable("no answer".to_owned()).into()),
            Err(mpsc::RecvTimeoutError::Timeout) if progress.cancelled() => return Err(Failure::Cancelled),
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() > end => {
                return Err(unreachable(format!("no connection within {} seconds", timeout.as_secs())).into());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

fn first_connection(host: &str, port: u16, timeout: Duration) -> std::io::Result<()> {
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, format!("{host} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What the transfer's thread and its watcher share.
#[derive(Default)]
struct Shared {
    /// Bytes of the whole file; 0 until the hub has said it.
    total: AtomicU64,
    /// Bytes there so far, those of an earlier transfer included.
    bytes: AtomicU64,
    /// Grows with every sign of life, so that a transfer that sends is told from one that stands still.
    ticks: AtomicU64,
    /// Set when the transfer must end.
    stop: AtomicBool,
}

/// A whole body in the staging folder, not verified yet.
struct Staged {
    path: PathBuf,
    etag: String,
    bytes: u64,
}

/// One transfer, watched: the outer error ends the fetching, the inner one says why the hub did not give the file.
fn transfer(
    file: &ModelFile,
    hub: &HubSource,
    expected: &Expected,
    staging: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Result<Staged, SourceError>, Failure> {
    let shared = Arc::new(Shared::default());
    let job = Job {
        hub: hub.clone(),
        expected: expected.clone(),
        staging: staging.to_owned(),
        options: options.clone(),
        shared: Arc::clone(&shared),
    };
    let worker = std::thread::Builder::new().name("transfer".to_owned()).spawn(move || job.run())?;
    let mut moved = (0, Instant::now());
    let mut shown = false;
    let given_up = loop {
        if worker.is_finished() {
            break None;
        }
        if progress.cancelled() {
            break Some(Failure::Cancelled);
        }
        let (ticks, total) = (shared.ticks.load(Ordering::Relaxed), shared.total.load(Ordering::Relaxed));
        if total > 0 && !shown {
            progress.started(&file.name, total, "bytes");
            shown = true;
        }
        if ticks != moved.0 {
            moved = (ticks, Instant::now());
            if shown {
                progress.advanced(shared.bytes.load(Ordering::Relaxed).min(total));
            }
        } else if moved.1.elapsed() > options.stall_timeout {
            break Some(SourceError::Stalled { seconds: options.stall_timeout.as_secs() }.into());
        }
        std::thread::sleep(TICK);
    };
    if shown {
        progress.finished();
    }
    if let Some(failure) = given_up {
        // The thread ends by itself at the next byte; a socket that stays silent keeps it, without harm.
        shared.stop.store(true, Ordering::Relaxed);
        return Err(failure);
    }
    match worker.join() {
        Ok(Ok(staged)) => Ok(Ok(staged)),
        Ok(Err(Failure::Source(reason))) => Ok(Err(reason)),
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            let reason = "its answer could not be read".to_owned();
            Ok(Err(SourceError::Protocol { url: options.endpoint.clone(), reason }))
        }
    }
}

/// What the transfer's thread does, with all it needs for it.
struct Job {
    hub: HubSource,
    expected: Expected,
    staging: PathBuf,
    options: HubOptions,
    shared: Arc<Shared>,
}

impl Job {
    fn run(&self) -> Result<Staged, Failure> {
        let HubSource { repo, revision, path, .. } = &self.hub;
        let url = format!("{}/{repo}/resolve/{revision}/{path}", self.options.endpoint);
        let http = Http::new(&self.options);
        let listed = http.list(&url)?;
        self.guard(&url, &listed)?;
        self.alive()?;
        self.shared.total.store(listed.bytes, Ordering::Relaxed);
        let part = cache::blob(&self.staging, &self.hub, &listed.etag).with_extension("part");
        fs_err::create_dir_all(part.parent().unwrap_or(&part))?;
        let lies_there = std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
        let staged = || Staged { path: part.clone(), etag: listed.etag.clone(), bytes: listed.bytes };
        if lies_there == listed.bytes {
            // Only the last step was missed; asking for the bytes after the last one would be an error.
            return Ok(staged());
        }
        let from = if lies_there > listed.bytes { 0 } else { lies_there };
        let needed = listed.bytes - from;
        if let Some(free) = space::free(&self.staging).filter(|free| *free < needed) {
            return Err(Failure::NoSpace { needed, free });
        }
        let stream = http.open(&listed, from)?;
        let sent = stream.length.map(|length| stream.from.saturating_add(length));
        if let Some(got) = sent.filter(|sent| *sent > listed.bytes) {
            return Err(SourceError::Mismatch(Mismatch::Size { expected: listed.bytes, got }).into());
        }
        let got = self.take(&part, stream.from, listed.bytes, stream.body)?;
        if got < listed.bytes {
            // The server ended the body early and called it whole. What came can be resumed.
            return Err(cut(listed.bytes, got, "the body was short".to_owned()).into());
        }
        Ok(staged())
    }

    /// Writes a body behind the first `from` bytes of a file; returns how many bytes the file then has.
    fn take(&self, part: &Path, from: u64, total: u64, mut body: Box<dyn Read>) -> Result<u64, Failure> {
        let mut file = fs_err::OpenOptions::new().write(true).create(true).truncate(false).open(part)?;
        file.set_len(from)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        let mut got = from;
        self.shared.bytes.store(got, Ordering::Relaxed);
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cut(total, got, error.to_string()).into()),
            };
            self.alive()?;
            file.write_all(&buffer[..read])?;
            got += read as u64;
            self.shared.bytes.store(got, Ordering::Relaxed);
            if got > total {
                // Of no use, and not to be resumed.
                fs_err::remove_file(part)?;
                return Err(SourceError::Mismatch(Mismatch::Size { expected: total, got }).into());
            }
        }
        file.sync_all()?;
        Ok(got)
    }

    /// Gives a sign of life, and ends where nobody waits any more.
    fn alive(&self) -> Result<(), Failure> {
        self.shared.ticks.fetch_add(1, Ordering::Relaxed);
        if self.shared.stop.load(Ordering::Relaxed) { Err(Failure::Cancelled) } else { Ok(()) }
    }

    /// Compares what the hub lists with what is expected.
    fn guard(&self, url: &str, listed: &super::http::Listed) -> Result<(), Failure> {
        let protocol = |reason: String| Err(SourceError::Protocol { url: url.to_owned(), reason }.into());
        if listed.commit != self.hub.revision {
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
        let wrong_hash = || is_sha256(etag).then(|| self.expected.wrong_sha256(etag)).flatten();
        match self.expected.wrong_size(listed.bytes).or_else(wrong_hash) {
            Some(mismatch) => Err(SourceError::Mismatch(mismatch).into()),
            None => Ok(()),
        }
    }
}

fn cut(expected: u64, got: u64, reason: String) -> SourceError {
    SourceError::Cut { got, expected, reason }
}

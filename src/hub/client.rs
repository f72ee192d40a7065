//! A model's file from the hub: hf-hub for the protocol, our own guards around it.
//!
//! In: repository, revision and path of a registry entry. Out: one verified file in a staging folder, with the name
//! (etag) that the hub gives its blob. The guards, each against something hf-hub 0.5.0 (`api/sync.rs`) lets through:
//!
//! - a connection that never comes, or a body that stops coming: it sets no timeouts;
//! - a size, commit or hash that is not the registry's: asked before the first byte of the body is taken;
//! - a body that is longer (a server that ignores Range on resuming), shorter, or simply another file;
//! - a half download that a crash left: resumed from the staging folder, never seen in the cache.
//!
//! hf-hub's progress callback cannot return an error, so the transfer runs on a thread of its own, and the callback
//! ends that thread by unwinding (`resume_unwind`, which prints nothing) when it must not go on.

use std::net::{TcpStream, ToSocketAddrs};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use hf_hub::Cache;
use hf_hub::api::sync::{ApiBuilder, ApiError};

use super::error::{Failure, Mismatch, SourceError};
use super::options::HubOptions;
use super::{cache, verify};
use crate::progress::Progress;
use crate::registry::{HubSource, ModelFile};

/// How often the transfer is looked after.
const TICK: Duration = Duration::from_millis(25);
/// How often a transfer is tried that gains nothing.
const TRIES: u32 = 3;
/// A transfer that brought this much is worth going on with, however often it breaks off.
const GAIN: u64 = 1 << 20;
/// The pause before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// A file as it came from the hub.
pub(super) struct Fetched {
    /// Where it lies, in the staging folder.
    pub(super) path: PathBuf,
    /// What the hub calls its bytes; safe as a file name.
    pub(super) etag: String,
}

/// Fetches a file into `staging`, a folder in hf-hub's cache layout, and verifies it. What a broken transfer leaves
/// there is resumed by the next call.
pub(super) fn fetch(
    file: &ModelFile,
    hub: &HubSource,
    staging: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Fetched, Failure> {
    if !options.proxied {
        connect(options, progress)?;
    }
    let mut failures = 0;
    loop {
        let before = part_bytes(staging);
        let reason = match transfer(file, hub, staging, options, progress)? {
            Ok(fetched) => match verify::check(&fetched.path, file, progress)? {
                None => return Ok(fetched),
                Some(mismatch) => {
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
    /// Bytes there so far, those of an earlier transfer included.
    bytes: AtomicU64,
    /// Calls of the callback, so that a transfer that sends is told from one that stands still.
    ticks: AtomicU64,
    /// Set where an earlier transfer is gone on with.
    resumed: AtomicBool,
    /// Set when the transfer must end.
    stop: AtomicBool,
}

/// Why the callback ended the transfer.
enum Abort {
    /// The watcher asked for it.
    Stopped,
    /// More came than there is.
    TooLong(u64),
    /// The hub says another size than the registry.
    Size(u64),
}

/// hf-hub's view of our progress.
struct Meter {
    shared: Arc<Shared>,
    expected: u64,
    received: u64,
}

impl hf_hub::api::Progress for Meter {
    fn init(&mut self, size: usize, _filename: &str) {
        self.received = 0;
        if size as u64 != self.expected {
            resume_unwind(Box::new(Abort::Size(size as u64)));
        }
    }

    fn update(&mut self, size: usize) {
        self.received += size as u64;
        self.shared.bytes.store(self.received, Ordering::Relaxed);
        self.shared.ticks.fetch_add(1, Ordering::Relaxed);
        if self.received > self.expected {
            resume_unwind(Box::new(Abort::TooLong(self.received)));
        }
        if self.shared.stop.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Abort::Stopped));
        }
    }

    fn finish(&mut self) {}
}

/// One transfer, watched: the outer error ends the fetching, the inner one says why the hub did not give the file.
fn transfer(
    file: &ModelFile,
    hub: &HubSource,
    staging: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
) -> Result<Result<Fetched, SourceError>, Failure> {
    let shared = Arc::new(Shared::default());
    let job = Job {
        file: file.clone(),
        hub: hub.clone(),
        staging: staging.to_owned(),
        options: options.clone(),
        shared: Arc::clone(&shared),
    };
    let worker = std::thread::Builder::new().name("transfer".to_owned()).spawn(move || job.run())?;
    progress.started(&file.name, file.bytes, "bytes");
    let mut moved = (0, Instant::now());
    let given_up = loop {
        if worker.is_finished() {
            break None;
        }
        if progress.cancelled() {
            break Some(Failure::Cancelled);
        }
        let ticks = shared.ticks.load(Ordering::Relaxed);
        if ticks != moved.0 {
            moved = (ticks, Instant::now());
            progress.advanced(shared.bytes.load(Ordering::Relaxed).min(file.bytes));
        } else if moved.1.elapsed() > options.stall_timeout {
            break Some(SourceError::Stalled { seconds: options.stall_timeout.as_secs() }.into());
        }
        std::thread::sleep(TICK);
    };
    progress.finished();
    if let Some(failure) = given_up {
        // The thread ends by itself at the next byte; a socket that stays silent keeps it, without harm.
        shared.stop.store(true, Ordering::Relaxed);
        return Err(failure);
    }
    let size = |got| SourceError::Mismatch(Mismatch::Size { expected: file.bytes, got });
    match worker.join() {
        Ok(result) => result,
        Err(payload) => Ok(Err(match payload.downcast_ref::<Abort>() {
            Some(Abort::Stopped) => return Err(Failure::Cancelled),
            Some(Abort::Size(got)) => size(*got),
            Some(Abort::TooLong(got)) => {
                // What is there is of no use: a server that ignores Range has sent the start once more.
                fs_err::remove_dir_all(staging)?;
                if shared.resumed.load(Ordering::Relaxed) {
                    cut(file, 0, "the server does not resume".to_owned())
                } else {
                    size(*got)
                }
            }
            None => SourceError::Protocol {
                url: options.endpoint.clone(),
                reason: "its answer could not be read".to_owned(),
            },
        })),
    }
}

fn cut(file: &ModelFile, got: u64, reason: String) -> SourceError {
    SourceError::Cut { got, expected: file.bytes, reason }
}

/// What the transfer's thread does, with all it needs for it.
struct Job {
    file: ModelFile,
    hub: HubSource,
    staging: PathBuf,
    options: HubOptions,
    shared: Arc<Shared>,
}

impl Job {
    fn run(&self) -> Result<Result<Fetched, SourceError>, Failure> {
        let builder = ApiBuilder::from_cache(Cache::new(self.staging.clone()))
            .with_endpoint(self.options.endpoint.clone())
            .with_token(self.options.token.as_ref().map(|token| token.0.clone()))
            .with_user_agent("mujaz", env!("CARGO_PKG_VERSION"))
            .with_progress(false);
        let api = match builder.build() {
            Ok(api) => api,
            Err(error) => return self.failed(error),
        };
        let repo = api.repo(cache::repo(&self.hub));
        let url = repo.url(&self.hub.path);
        let listed = match api.metadata(&url) {
            Ok(listed) => listed,
            Err(error) => return self.failed(error),
        };
        let etag = listed.etag().trim_start_matches("W/").to_owned();
        if let Some(wrong) = self.wrong(&url, &etag, &listed) {
            return Ok(Err(wrong));
        }
        self.shared.ticks.fetch_add(1, Ordering::Relaxed);
        if self.shared.stop.load(Ordering::Relaxed) {
            return Err(Failure::Cancelled);
        }
        let blob = Cache::new(self.staging.clone()).repo(cache::repo(&self.hub)).blob_path(listed.etag());
        let part = blob.with_extension("part");
        let lies_there = std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
        if lies_there == self.file.bytes {
            // Only the renaming was missed; asking for the bytes after the last one would be an error.
            return Ok(Ok(Fetched { path: part, etag }));
        }
        if lies_there > self.file.bytes {
            fs_err::remove_file(&part)?;
        } else {
            self.shared.resumed.store(lies_there > 0, Ordering::Relaxed);
        }
        let meter = Meter { shared: Arc::clone(&self.shared), expected: self.file.bytes, received: 0 };
        if let Err(error) = repo.download_with_progress(&self.hub.path, meter) {
            return self.failed(error);
        }
        let got = fs_err::metadata(&blob)?.len();
        if got < self.file.bytes {
            // The server ended the body early and called it whole. What came can be resumed.
            fs_err::rename(&blob, &part)?;
            return Ok(Err(cut(&self.file, got, "the body was short".to_owned())));
        }
        Ok(Ok(Fetched { path: blob, etag }))
    }

    /// Compares what the hub lists with what the registry says.
    fn wrong(&self, url: &str, etag: &str, listed: &hf_hub::api::sync::Metadata) -> Option<SourceError> {
        let protocol = |reason: String| Some(SourceError::Protocol { url: url.to_owned(), reason });
        if listed.commit_hash() != self.hub.revision {
            return protocol(format!("it answers with commit {:?}", listed.commit_hash()));
        }
        // The etag becomes a file name here and in the cache.
        let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if etag.is_empty() || etag.len() > 128 || !etag.bytes().all(safe) {
            return protocol(format!("it answers with the etag {etag:?}"));
        }
        if listed.size() as u64 != self.file.bytes {
            let got = listed.size() as u64;
            return Some(SourceError::Mismatch(Mismatch::Size { expected: self.file.bytes, got }));
        }
        // Large files are listed under their SHA-256, so that a wrong one need not be fetched to be known.
        let is_sha256 = etag.len() == 64 && etag.bytes().all(|b| b.is_ascii_hexdigit());
        if is_sha256 && etag != self.file.sha256 {
            let (expected, got) = (self.file.sha256.clone(), etag.to_owned());
            return Some(SourceError::Mismatch(Mismatch::Hash { expected, got }));
        }
        None
    }

    /// Puts hf-hub's errors in our words, and tells those of the disk from those of the network.
    fn failed<T>(&self, error: ApiError) -> Result<Result<T, SourceError>, Failure> {
        let HubSource { repo, revision, path } = &self.hub;
        let url = format!("{}/{repo}/resolve/{revision}/{path}", self.options.endpoint);
        let unreachable = |reason: String| SourceError::Unreachable { endpoint: self.options.endpoint.clone(), reason };
        let received = self.shared.bytes.load(Ordering::Relaxed);
        Ok(Err(match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(401) => {
                    SourceError::Unauthorized { url, token_sent: self.options.token.is_some() }
                }
                ureq::Error::StatusCode(403) => {
                    SourceError::Forbidden { url, page: format!("{}/{repo}", self.options.endpoint) }
                }
                ureq::Error::StatusCode(404) => SourceError::NotFound { url },
                ureq::Error::StatusCode(status) => SourceError::Status { status, url },
                ureq::Error::Io(error) if received > 0 => cut(&self.file, received, error.to_string()),
                ureq::Error::Protocol(error) => SourceError::Protocol { url, reason: error.to_string() },
                ureq::Error::TooManyRedirects => {
                    SourceError::Protocol { url, reason: "it redirects without end".to_owned() }
                }
                other => unreachable(other.to_string()),
            },
            ApiError::IoError(error) if is_of_the_disk(&error) => {
                let named = format!("{}: {error}", self.staging.display());
                return Err(std::io::Error::new(error.kind(), named).into());
            }
            ApiError::IoError(error) => cut(&self.file, received, error.to_string()),
            ApiError::MissingHeader(name) => {
                SourceError::Protocol { url, reason: format!("its answer has no {name} header") }
            }
            other => SourceError::Protocol { url, reason: other.to_string() },
        }))
    }
}

/// hf-hub copies socket to file in one call, so the kind must tell on which side an error was.
fn is_of_the_disk(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    matches!(
        error.kind(),
        FileTooLarge
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | QuotaExceeded
            | ReadOnlyFilesystem
            | StorageFull
    )
}

//! A model hub on 127.0.0.1 that serves the files of one commit, with a fault where a test asks for one; plain std networking.
//!
//! It answers what Hugging Face's own clients ask: `/{repo}/resolve/{revision}/{path}`, by HEAD, by GET for the byte 0-0 or from
//! where a transfer is to go on, or for the whole; and what the Python library asks to learn which files there are
//! (`/api/models/{repo}/revision/{revision}`, `/api/models/{repo}/tree/{revision}`). All requests are kept. A second server, on a
//! port of its own, is what large files are redirected to.

mod api;
mod fault;

pub use fault::Fault;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The repository it serves.
pub const REPO: &str = "owner/tiny";
/// Its only commit.
pub const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";
/// The file of those tests that need one.
pub const FILE: &str = "tiny.gguf";
/// A copy of the repository, which has the same commit.
pub const MIRROR: &str = "someone/tiny";

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// GET or HEAD.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// The Range header, `bytes=0-0`.
    pub range: Option<String>,
    /// The Authorization header.
    pub authorization: Option<String>,
}

impl Request {
    /// Returns from which byte a transfer was asked for; none for the first look at the file.
    pub fn transfer_from(&self) -> Option<usize> {
        self.range.as_deref()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// A file that a hub serves.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its path in the repository.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What the hub calls them.
    pub etag: String,
}

struct State {
    files: Vec<Served>,
    fault: Fault,
    address: String,
    elsewhere: String,
    requests: Mutex<Vec<Request>>,
    transfers: AtomicUsize,
    sent: AtomicU64,
}

/// The server; it ends with the test's process.
pub struct FakeHub {
    state: Arc<State>,
}

impl FakeHub {
    /// Starts a hub that serves one file with these bytes and this SHA-256.
    pub fn start(bytes: &[u8], sha256: &str, fault: Fault) -> Self {
        Self::of(vec![Served { path: FILE.to_owned(), bytes: bytes.to_vec(), etag: sha256.to_owned() }], fault)
    }

    /// Starts a hub that serves these files.
    pub fn of(files: Vec<Served>, fault: Fault) -> Self {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let address = |of: &TcpListener| format!("http://{}", of.local_addr().unwrap());
        let state = Arc::new(State {
            files,
            fault,
            address: address(&listeners[0]),
            elsewhere: address(&listeners[1]),
            requests: Mutex::new(Vec::new()),
            transfers: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
        });
        for listener in listeners {
            let shared = Arc::clone(&state);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let state = Arc::clone(&shared);
                    // A client that goes away in the middle is what some tests are about.
                    std::thread::spawn(move || state.answer(stream).ok());
                }
            });
        }
        Self { state }
    }

    /// Returns the value for `HF_ENDPOINT`.
    pub fn endpoint(&self) -> &str {
        &self.state.address
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Returns how many bytes of bodies were sent, looks at the first byte left out.
    pub fn sent(&self) -> u64 {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// Returns from which bytes transfers were asked for, in order.
    pub fn transfers(&self) -> Vec<usize> {
        self.requests().iter().filter_map(Request::transfer_from).collect()
    }
}

impl State {
    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut request = Request { method, path, range: None, authorization: None };
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "range" => request.range = Some(value.trim().to_owned()),
                "authorization" => request.authorization = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let seen = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(request.clone());
            requests.len()
        };
        if let Some(asked) = request.path.strip_prefix("/api/models/") {
            return self.api(stream, asked);
        }
        let there = |repo: &str| {
            let of_repo = request.path.strip_prefix(&format!("/{repo}/resolve/"))?;
            let of_commit = of_repo.strip_prefix(REVISION).or_else(|| of_repo.strip_prefix("main"))?;
            of_commit.strip_prefix('/').map(str::to_owned)
        };
        let from = if self.fault == Fault::OnlyMirror { there(MIRROR) } else { there(REPO).or_else(|| there(MIRROR)) };
        let wanted = from.or_else(|| request.path.strip_prefix("/cdn/").map(str::to_owned));
        let served = wanted.and_then(|wanted| self.files.iter().find(|file| file.path == wanted));
        let Some(served) = served else {
            return self.refuse(stream, 404, "X-Error-Code: EntryNotFound\r\n");
        };
        let (on_hub, cdn) = (!request.path.starts_with("/cdn/"), format!("/cdn/{}", served.path));
        let is_body = request.transfer_from().is_some();
        let once = |condition: bool| condition && self.transfers.fetch_add(1, Ordering::SeqCst) == 0;
        match self.fault {
            Fault::Silent => std::thread::sleep(Duration::from_secs(60)),
            Fault::Status(status) => self.page(stream, status)?,
            Fault::Refused(status, code) => self.refuse(stream, status, &format!("X-Error-Code: {code}\r\n"))?,
            Fault::StatusAtFirst(status, times) if seen <= times => self.page(stream, status)?,
            Fault::AskedToWait(status, header) if seen <= 1 => self.refuse(stream, status, &format!("{header}\r\n"))?,
            Fault::DropAtFirst(times) if seen <= times => {}
            Fault::StatusFor(end, status) if request.path.ends_with(end) => self.page(stream, status)?,
            Fault::BodyStatusFor(end, status) if is_body && request.path.ends_with(end) => self.page(stream, status)?,
            Fault::BodyStatusOnce(status) if once(is_body) => self.page(stream, status)?,
            Fault::ErrorPage => self.page(stream, 200)?,
            Fault::RedirectLoop => self.redirect(stream, served, Some(format!("{}{}", self.address, request.path)))?,
            Fault::RedirectNowhere => self.redirect(stream, served, None)?,
            Fault::Redirect if on_hub => self.redirect(stream, served, Some(format!("{}{cdn}", self.address)))?,
            Fault::RedirectRunsOut if once(is_body && !on_hub) => self.page(stream, 403)?,
            Fault::RedirectElsewhere | Fault::RedirectRunsOut if on_hub => {
                self.redirect(stream, served, Some(format!("{}{cdn}", self.elsewhere)))?;
            }
            _ if request.range.is_none() => self.whole(stream, served, &request)?,
            // Behind the last byte there is nothing to ask for.
            _ if request.transfer_from().is_some_and(|from| from >= served.bytes.len()) => self.page(stream, 416)?,
            _ => self.file(stream, served, &request)?,
        }
        Ok(())
    }

    /// Answers HEAD, and GET for the whole.
    fn whole(&self, mut stream: TcpStream, file: &Served, request: &Request) -> std::io::Result<()> {
        // As the hub has it: only large files are linked.
        let linked = if file.etag.len() == 64 {
            format!("X-Linked-Etag: \"{}\"\r\nX-Linked-Size: {}\r\n", file.etag, file.bytes.len())
        } else {
            String::new()
        };
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nETag: \"{}\"\r\n{linked}X-Repo-Commit: {REVISION}\r\nContent-Length: {}\r\n\
             Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\nConnection: close\r\n\r\n",
            file.etag,
            file.bytes.len()
        )?;
        if request.method == "HEAD" { Ok(()) } else { stream.write_all(&file.bytes) }
    }

    fn refuse(&self, mut stream: TcpStream, status: u16, headers: &str) -> std::io::Result<()> {
        write!(stream, "HTTP/1.1 {status} Some words\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n")
    }

    fn page(&self, mut stream: TcpStream, status: u16) -> std::io::Result<()> {
        let body = "<html>Please log in</html>";
        write!(
            stream,
            "HTTP/1.1 {status} Some words\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }

    fn redirect(&self, mut stream: TcpStream, file: &Served, goal: Option<String>) -> std::io::Result<()> {
        let location = goal.map_or_else(String::new, |goal| format!("Location: {goal}\r\n"));
        write!(
            stream,
            "HTTP/1.1 302 Found\r\n{location}X-Linked-Etag: \"{}\"\r\nX-Linked-Size: {}\r\n\
             X-Repo-Commit: {REVISION}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            file.etag,
            file.bytes.len()
        )
    }

    fn file(&self, mut stream: TcpStream, file: &Served, request: &Request) -> std::io::Result<()> {
        let from = request.transfer_from();
        let nth = if from.is_some() { self.transfers.fetch_add(1, Ordering::SeqCst) } else { 0 };
        let ignores_range = matches!(self.fault, Fault::CutAndNoRange(_)) && nth > 0;
        let start = if ignores_range { 0 } else { from.unwrap_or(0) };
        let mut body = match from {
            None => file.bytes[..1].to_vec(),
            Some(_) => file.bytes[start.min(file.bytes.len())..].to_vec(),
        };
        let mut sent = body.len();
        let mut length = body.len();
        if from.is_some() {
            match self.fault {
                Fault::Cut(bytes) => sent = bytes.min(length),
                Fault::CutOnce(bytes) | Fault::CutAndNoRange(bytes) if nth == 0 => sent = bytes.min(length),
                Fault::Short(bytes) if nth == 0 => (sent, length) = (bytes, bytes),
                Fault::Long => {
                    body.extend_from_slice(b"and more");
                    (sent, length) = (body.len(), body.len());
                }
                Fault::WrongBytes => body.iter_mut().for_each(|byte| *byte ^= 1),
                _ => {}
            }
        }
        let is_other_commit = match self.fault {
            Fault::WrongCommit => true,
            Fault::BodyOfOtherCommit => from.is_some(),
            Fault::BodyOfOtherCommitOnce => from.is_some() && nth == 0,
            _ => false,
        };
        let is_other_size = self.fault == Fault::WrongSize || (self.fault == Fault::BodyOfOtherSize && from.is_some());
        let total = file.bytes.len() + usize::from(is_other_size);
        let commit = if is_other_commit { "f".repeat(40) } else { REVISION.to_owned() };
        let etag = match self.fault {
            Fault::BodyOfOtherEtag if from.is_some() => "d".repeat(64),
            Fault::WrongEtag => "e".repeat(64),
            Fault::PathAsEtag => "../../../../escaped".to_owned(),
            _ => file.etag.clone(),
        };
        let status = if ignores_range { "200 OK" } else { "206 Partial Content" };
        let is_page = self.fault == Fault::DressedPage || (self.fault == Fault::BodyPage && from.is_some());
        let kind = if is_page { "text/html; charset=utf-8" } else { "binary/octet-stream" };
        let linked = if self.fault == Fault::WrongLinkedSize { total + 1 } else { file.bytes.len().max(total) };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nETag: \"{etag}\"\r\nX-Repo-Commit: {commit}\r\nContent-Length: {length}\r\n\
             X-Linked-Size: {linked}\r\nContent-Type: {kind}\r\nContent-Range: bytes {start}-{}/{total}\r\nConnection: close\r\n\r\n",
            start + length - 1
        )?;
        let halts = match self.fault {
            Fault::Halt(bytes) if from.is_some() && nth == 0 => Some(bytes),
            Fault::HaltAlways(bytes) if from.is_some() => Some(bytes),
            _ => None,
        };
        let (piece, pause) = match self.fault {
            Fault::Slow if from.is_some() => (4096, 20),
            Fault::Pieces(bytes, pause) if from.is_some() => (bytes, pause),
            _ => (1 << 20, 0),
        };
        for piece in body[..halts.unwrap_or(sent).min(sent)].chunks(piece) {
            stream.write_all(piece)?;
            if from.is_some() {
                self.sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        if halts.is_some() {
            std::thread::sleep(Duration::from_secs(60));
        }
        Ok(())
    }
}

//! A model hub on 127.0.0.1 that serves the files of one commit, with a fault where a test asks for one; plain std networking.
//!
//! It answers what Hugging Face's own clients ask: `GET /{repo}/resolve/{revision}/{path}` with a Range, first for the byte
//! 0-0 to learn size, commit and etag, then from where the transfer is to go on. All requests are kept. A second server,
//! on a port of its own, is what large files are redirected to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Every request gets this status.
    Status(u16),
    /// The first requests get this status.
    StatusAtFirst(u16, usize),
    /// A page for people, with status 200.
    ErrorPage,
    /// Every body breaks off after so many bytes.
    Cut(usize),
    /// The first body breaks off after so many bytes.
    CutOnce(usize),
    /// The body ends early, and its length says so.
    Short(usize),
    /// The body goes on after the file's end.
    Long,
    /// Other bytes than those listed.
    WrongBytes,
    /// The hub lists another file.
    WrongEtag,
    /// The hub lists another size.
    WrongSize,
    /// The hub answers for another commit.
    WrongCommit,
    /// The hub gives a path for an etag.
    PathAsEtag,
    /// The first body breaks off, and the server then ignores from where the rest is wanted.
    CutAndNoRange(usize),
    /// The file lies behind a redirect to another address, as large files do.
    Redirect,
    /// The file lies behind a redirect to another server.
    RedirectElsewhere,
    /// A redirect that leads to itself.
    RedirectLoop,
    /// A redirect that does not say where to.
    RedirectNowhere,
    /// A page for people, with all the headers of a file.
    DressedPage,
    /// `X-Linked-Size` and the size of what is given are not the same.
    WrongLinkedSize,
    /// Requests for paths that end so get this status.
    StatusFor(&'static str, u16),
    /// The repository is gone, its mirror is there.
    OnlyMirror,
    /// Connections are taken, and nothing is answered.
    Silent,
    /// The body comes in small pieces, each after a pause.
    Slow,
    /// The first body comes to a halt after so many bytes.
    Halt(usize),
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
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
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut request = Request { path, range: None, authorization: None };
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
        let there = |repo: &str| request.path.strip_prefix(&format!("/{repo}/resolve/{REVISION}/")).map(str::to_owned);
        let from = if self.fault == Fault::OnlyMirror { there(MIRROR) } else { there(REPO).or_else(|| there(MIRROR)) };
        let wanted = from.or_else(|| request.path.strip_prefix("/cdn/").map(str::to_owned));
        let served = wanted.and_then(|wanted| self.files.iter().find(|file| file.path == wanted));
        let Some(served) = served else {
            return self.page(stream, 404);
        };
        let (on_hub, cdn) = (!request.path.starts_with("/cdn/"), format!("/cdn/{}", served.path));
        match self.fault {
            Fault::Silent => std::thread::sleep(Duration::from_secs(60)),
            Fault::Status(status) => self.page(stream, status)?,
            Fault::StatusAtFirst(status, times) if seen <= times => self.page(stream, status)?,
            Fault::StatusFor(end, status) if request.path.ends_with(end) => self.page(stream, status)?,
            Fault::ErrorPage => self.page(stream, 200)?,
            Fault::RedirectLoop => self.redirect(stream, served, Some(format!("{}{}", self.address, request.path)))?,
            Fault::RedirectNowhere => self.redirect(stream, served, None)?,
            Fault::Redirect if on_hub => self.redirect(stream, served, Some(format!("{}{cdn}", self.address)))?,
            Fault::RedirectElsewhere if on_hub => {
                self.redirect(stream, served, Some(format!("{}{cdn}", self.elsewhere)))?;
            }
            // Behind the last byte there is nothing to ask for.
            _ if request.transfer_from().is_some_and(|from| from >= served.bytes.len()) => self.page(stream, 416)?,
            _ => self.file(stream, served, &request)?,
        }
        Ok(())
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
        let total = file.bytes.len() + usize::from(self.fault == Fault::WrongSize);
        let commit = if self.fault == Fault::WrongCommit { "f".repeat(40) } else { REVISION.to_owned() };
        let etag = match self.fault {
            Fault::WrongEtag => "e".repeat(64),
            Fault::PathAsEtag => "../../../../escaped".to_owned(),
            _ => file.etag.clone(),
        };
        let status = if ignores_range { "200 OK" } else { "206 Partial Content" };
        let kind = if self.fault == Fault::DressedPage { "text/html; charset=utf-8" } else { "binary/octet-stream" };
        let linked = if self.fault == Fault::WrongLinkedSize { total + 1 } else { total };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nETag: \"{etag}\"\r\nX-Repo-Commit: {commit}\r\nContent-Length: {length}\r\n\
             X-Linked-Size: {linked}\r\nContent-Type: {kind}\r\nContent-Range: bytes {start}-{}/{total}\r\nConnection: close\r\n\r\n",
            start + length - 1
        )?;
        match self.fault {
            Fault::Slow if from.is_some() => {
                for piece in body[..sent].chunks(4096) {
                    stream.write_all(piece)?;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            }
            Fault::Halt(bytes) if from.is_some() && nth == 0 => {
                stream.write_all(&body[..bytes])?;
                std::thread::sleep(Duration::from_secs(60));
                Ok(())
            }
            _ => stream.write_all(&body[..sent]),
        }
    }
}

//! A proxy on 127.0.0.1 that counts: it makes tunnels (`CONNECT`), or hands plain `http` on where a request names the whole
//! address (RFC 9112 section 3.2.2 and RFC 9110 section 9.3.6).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a proxy was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// CONNECT or GET.
    pub method: String,
    /// `host:port`, or the whole address.
    pub goal: String,
    /// The Proxy-Authorization header.
    pub authorization: Option<String>,
}

/// The proxy; it ends with the test's process.
pub struct FakeProxy {
    address: String,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl FakeProxy {
    /// Starts a proxy; one that wants a name and a password lets nobody through without them.
    pub fn start(wants: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&passed);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let passed = Arc::clone(&shared);
                std::thread::spawn(move || pass(stream, wants, &passed).ok());
            }
        });
        Self { address, passed }
    }

    /// Returns host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns all it was asked for so far.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap().clone()
    }
}

fn pass(mut stream: TcpStream, wants: Option<&str>, passed: &Mutex<Vec<Passed>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut headers, mut authorization) = (String::new(), String::new(), None);
    if reader.read_line(&mut first)? == 0 {
        // Someone looked whether a proxy is there.
        return Ok(());
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("proxy-authorization") => {
                authorization = Some(value.trim().to_owned());
            }
            _ => headers.push_str(&line),
        }
    }
    let mut words = first.split(' ').map(str::to_owned);
    let (method, goal) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_let_through = authorization.as_deref() == wants;
    passed.lock().unwrap().push(Passed { method: method.clone(), goal: goal.clone(), authorization });
    if !is_let_through {
        let refused = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(refused.as_bytes());
    }
    if method == "CONNECT" {
        let upstream = TcpStream::connect(goal)?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        let (mut to, mut back) = (upstream.try_clone()?, upstream);
        std::thread::spawn(move || {
            std::io::copy(&mut reader, &mut to).and_then(|_| to.shutdown(Shutdown::Write)).ok();
        });
        std::io::copy(&mut back, &mut stream)?;
        return stream.shutdown(Shutdown::Both);
    }
    let Some((host, path)) = goal.strip_prefix("http://").and_then(|goal| goal.split_once('/')) else {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let mut upstream = TcpStream::connect(host)?;
    write!(upstream, "{method} /{path} HTTP/1.1\r\n{headers}\r\n")?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    stream.write_all(&answer)
}

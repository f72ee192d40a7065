//! The hub's protocol: what it lists about a file, and the file's bytes.
//!
//! In: a file of a repository (`<endpoint>/<repo>/resolve/<revision>/<path>`, with hf-hub's names for the parts). Out: size,
//! commit and etag ([`Listed`]), then a stream of bytes. The headers are those that Hugging Face's own client reads
//! (`huggingface_hub`, `file_download.py`: `X-Repo-Commit`, `X-Linked-Etag`, `X-Linked-Size`, `ETag`; `utils/_http.py`:
//! `X-Error-Code`, `X-Error-Message`, `Retry-After`, `RateLimit`). Redirects are followed here, one by one: the token goes
//! to the hub and to no other server, and a redirect without a goal is an error. Trying again is [`super::retry`]'s.
//!
//! hf-hub's own transport is not used. Version 0.5.0 (`api/sync.rs`, `metadata`) sends the token along to whatever server a
//! large file is redirected to, panics on a redirect without `Location`, and compares what came with no size and no hash.
//! Version 1.0.0 computes SHA-256 for what is uploaded and for nothing that is downloaded, so that the error page of a proxy
//! becomes a model's file.

use std::io::Read;
use std::time::Duration;

use hf_hub::{Repo, RepoType};
use ureq::http::{HeaderMap, Response};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body, Proxy};

use super::error::{Error, SourceError};
use super::forward::Forwarding;
use super::options::HubOptions;
use super::retry::asked_pause;
use super::roots;
use crate::registry::HubSource;

/// Redirects that are followed for one file.
const MOST_REDIRECTS: usize = 10;

/// Speaks to one hub.
pub(super) struct Http {
    /// One without a proxy, and one for each proxy, with its address.
    agents: Vec<(Option<String>, Agent)>,
    options: HubOptions,
}

/// What a hub says about a file before it gives it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// The file's address on the hub.
    pub(super) page: String,
    /// Where the bytes are, behind all redirects.
    pub(super) url: String,
    /// The commit that answers.
    pub(super) commit: String,
    /// The name of the bytes: for large files their SHA-256.
    pub(super) etag: String,
    /// How many bytes there are.
    pub(super) bytes: u64,
}

/// A file on its way.
pub(super) struct Stream {
    /// The byte it starts at: what was asked for, or 0 where the server does not resume.
    pub(super) from: u64,
    /// How many bytes the server says it sends, where it says so.
    pub(super) length: Option<u64>,
    /// The bytes.
    pub(super) body: Box<dyn Read>,
}

/// Returns the address of a file on a hub.
pub(super) fn address(endpoint: &str, hub: &HubSource) -> String {
    let repo = Repo::with_revision(hub.repo.clone(), RepoType::Model, hub.revision.clone());
    let path: String = hub.path.bytes().fold(String::new(), |mut path, byte| {
        // RFC 3986 section 2.3; the slashes of the path are its own.
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    });
    format!("{endpoint}/{}/resolve/{}/{path}", repo.url(), repo.url_revision())
}

impl Http {
    /// Reads the certificates to trust, and opens no connection.
    ///
    /// # Errors
    /// Where the CA file cannot be used.
    pub(super) fn new(options: &HubOptions) -> Result<Self, Error> {
        let tls = TlsConfig::builder().root_certs(roots::of(options)?).build();
        Ok(Self {
            agents: options.proxies.all().map(|proxy| agent(proxy, &tls, options)).collect(),
            options: options.clone(),
        })
    }

    /// Asks for a file's first byte, to learn all about the others.
    pub(super) fn list(&self, url: &str) -> Result<Listed, SourceError> {
        let protocol = |reason: &str| SourceError::Protocol { url: url.to_owned(), reason: reason.to_owned() };
        let (mut commit, mut linked_etag, mut linked_size, mut etag) = (None, None, None, None);
        let mut goal = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(&goal, "bytes=0-0")?;
            let headers = response.headers();
            // What another server says about commits and etags is not the hub's word.
            if is_same_server(&goal, &self.options.endpoint) {
                commit = commit.or_else(|| text(headers, "x-repo-commit"));
                linked_etag = linked_etag.or_else(|| text(headers, "x-linked-etag"));
                linked_size = linked_size.or_else(|| number(headers, "x-linked-size"));
                etag = text(headers, "etag").or(etag);
            }
            if response.status().is_redirection() {
                let location = text(headers, "location").ok_or_else(|| protocol("it redirects to nowhere"))?;
                goal = joined(&goal, &location).ok_or_else(|| protocol("it redirects to no address"))?;
                continue;
            }
            if let Some(refusal) = self.refusal(&response, url) {
                return Err(refusal);
            }
            let etag = linked_etag.or(etag).ok_or_else(|| protocol("its answer has no etag header"))?;
            let commit = commit.ok_or_else(|| protocol("its answer has no x-repo-commit header"))?;
            if is_page(headers) {
                return Err(protocol("it answers with a web page"));
            }
            let listed = match response.status().as_u16() {
                206 => total(headers),
                _ => number(headers, "content-length"),
            };
            let bytes = listed.or(linked_size).ok_or_else(|| protocol("its answer does not say the size"))?;
            if let Some(linked) = linked_size.filter(|linked| *linked != bytes) {
                return Err(protocol(&format!("it lists {linked} bytes and gives {bytes}")));
            }
            return Ok(Listed { page: url.to_owned(), url: goal, commit, etag: bare(&etag), bytes });
        }
        Err(protocol("it redirects without end"))
    }

    /// Asks for a file's bytes from one of them to the end, and compares what comes with what was listed.
    pub(super) fn open(&self, listed: &Listed, from: u64) -> Result<Stream, SourceError> {
        let response = self.ask(&listed.url, &format!("bytes={from}-"))?;
        let disagreement = |listed_as: &str, got: String| {
            let (url, listed) = (listed.url.clone(), listed_as.to_owned());
            Err(SourceError::Disagreement { url, listed, got })
        };
        let (headers, status) = (response.headers(), response.status());
        let on_hub = is_same_server(&listed.url, &self.options.endpoint);
        match self.refusal(&response, &listed.page) {
            Some(reason @ SourceError::Status { .. }) => return Err(reason),
            Some(reason) if on_hub => return Err(reason),
            // The address of another server holds for a while only; it says nothing about the repository.
            Some(_) => return disagreement("the file", format!("HTTP status {}", status.as_u16())),
            None => {}
        }
        if status.is_redirection() {
            return disagreement("the file", "another redirect".to_owned());
        }
        if is_page(headers) {
            return disagreement("the file", "a web page".to_owned());
        }
        let (starts, whole) = match status.as_u16() {
            206 => (
                text(headers, "content-range")
                    .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()),
                total(headers),
            ),
            _ => (Some(0), number(headers, "content-length")),
        };
        let starts = starts.unwrap_or(from);
        if starts != from && starts != 0 {
            return disagreement(&format!("bytes from {from}"), format!("those from {starts}"));
        }
        // A whole body that is short may be a broken one; what came of it is of use.
        if let Some(whole) =
            whole.filter(|whole| *whole != listed.bytes && (status.as_u16() == 206 || *whole > listed.bytes))
        {
            return disagreement(&format!("{} bytes", listed.bytes), format!("{whole}"));
        }
        if on_hub {
            let etag = text(headers, "x-linked-etag").or_else(|| text(headers, "etag")).map(|etag| bare(&etag));
            if let Some(etag) = etag.filter(|etag| *etag != listed.etag) {
                return disagreement(&format!("the etag {:?}", listed.etag), format!("{etag:?}"));
            }
            if let Some(commit) = text(headers, "x-repo-commit").filter(|commit| *commit != listed.commit) {
                return disagreement(&format!("the commit {:?}", listed.commit), format!("{commit:?}"));
            }
        }
        let length = number(headers, "content-length");
        Ok(Stream { from: starts, length, body: Box::new(response.into_body().into_reader()) })
    }

    fn ask(&self, url: &str, range: &str) -> Result<Response<Body>, SourceError> {
        let proxy = self.options.proxies.of(url).map(|proxy| proxy.reveal());
        let agent = self.agents.iter().find(|(of, _)| of.as_deref() == proxy).map(|(_, agent)| agent);
        let endpoint = server(url).unwrap_or(url).to_owned();
        let Some(agent) = agent else {
            return Err(SourceError::Unreachable { endpoint, reason: "its proxy is not known".to_owned() });
        };
        let mut request = agent.get(url).header("Range", range);
        if let Some(token) = &self.options.token
            && is_same_server(url, &self.options.endpoint)
        {
            request = request.header("Authorization", format!("Bearer {}", token.0));
        }
        request.call().map_err(|error| {
            let reason = error.to_string();
            match error {
                ureq::Error::Rustls(_) | ureq::Error::Tls(_) => SourceError::Certificate { endpoint, reason },
                // rustls' errors come wrapped where they come while bytes are read.
                ureq::Error::Io(_) if reason.contains("certificate") => SourceError::Certificate { endpoint, reason },
                ureq::Error::BadUri(_) | ureq::Error::Http(_) => SourceError::Protocol { url: url.to_owned(), reason },
                ureq::Error::HostNotFound => SourceError::Unreachable { endpoint, reason },
                ureq::Error::ConnectProxyFailed(_) => {
                    let reason = format!("the proxy does not let us through: {reason}");
                    SourceError::Unreachable { endpoint, reason }
                }
                ureq::Error::Io(error) if broke_off(&error) => SourceError::Reset { endpoint, reason },
                ureq::Error::Timeout(_) => SourceError::Reset { endpoint, reason },
                ureq::Error::Protocol(error) => {
                    SourceError::Protocol { url: url.to_owned(), reason: error.to_string() }
                }
                _ => SourceError::Unreachable { endpoint, reason },
            }
        })
    }

    /// Turns an answer that refuses into its error; `url` is the file's address on the hub.
    fn refusal(&self, response: &Response<Body>, url: &str) -> Option<SourceError> {
        let (status, headers) = (response.status().as_u16(), response.headers());
        if status < 400 {
            return None;
        }
        let token_sent = self.options.token.is_some();
        let page = || url.split("/resolve/").next().unwrap_or(url).to_owned();
        let url = url.to_owned();
        Some(match (text(headers, "x-error-code").as_deref(), status) {
            (Some("GatedRepo"), _) => SourceError::Gated { page: page(), status, token_sent },
            (Some("RepoNotFound"), _) => SourceError::NoRepository { page: page(), status, token_sent },
            (Some("RevisionNotFound"), _) => SourceError::NoRevision { url },
            (Some("EntryNotFound"), _) => SourceError::NoFile { url },
            _ if text(headers, "x-error-message").as_deref() == Some("Access to this resource is disabled.") => {
                SourceError::Disabled { page: page(), status }
            }
            (_, 401) => SourceError::Unauthorized { url, token_sent },
            (_, 403) => SourceError::Forbidden { url, page: page() },
            (_, 404) => SourceError::NotFound { url },
            _ => SourceError::Status { status, url, wait: wait_of(headers) },
        })
    }
}

fn agent(proxy: Option<&str>, tls: &TlsConfig, options: &HubOptions) -> (Option<String>, Agent) {
    let config = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // A body that is packed on the way has another length than the file.
        .accept_encoding("identity")
        .user_agent(concat!("mujaz/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .tls_config(tls.clone())
        // What cannot be read was refused with the options.
        .proxy(proxy.and_then(|proxy| Proxy::new(proxy).ok()))
        .build();
    let connector = Forwarding::new(tls.clone());
    (proxy.map(str::to_owned), Agent::with_parts(config, connector, DefaultResolver::default()))
}

/// Whether a connection was there and ended; what never came to be is another thing.
fn broke_off(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
    )
}

fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let (after, limit) = (text(headers, "retry-after"), text(headers, "ratelimit"));
    asked_pause(after.as_deref(), limit.as_deref(), jiff::Timestamp::now())
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| value.trim().to_owned())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

/// Returns the size of the whole that a part is of.
fn total(headers: &HeaderMap) -> Option<u64> {
    text(headers, "content-range").and_then(|range| range.rsplit('/').next()?.parse().ok())
}

/// Takes the dress off an etag.
fn bare(etag: &str) -> String {
    etag.trim_start_matches("W/").replace('"', "")
}

/// Returns whether an answer is a page for people, which no file of a model is.
fn is_page(headers: &HeaderMap) -> bool {
    text(headers, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
}

/// Returns scheme, host and port of an address.
fn server(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    Some(&url[..end])
}

fn is_same_server(url: &str, endpoint: &str) -> bool {
    matches!((server(url), server(endpoint)), (Some(one), Some(other)) if one.eq_ignore_ascii_case(other))
}

/// Resolves the goal of a redirect against the address that gave it (RFC 3986 section 5, without dot segments).
fn joined(base: &str, location: &str) -> Option<String> {
    if location.starts_with("https://") || location.starts_with("http://") {
        return Some(location.to_owned());
    }
    let server = server(base)?;
    if location.starts_with("//") {
        return Some(format!("{}{location}", &server[..=server.find(':')?]));
    }
    if location.starts_with('/') {
        return Some(format!("{server}{location}"));
    }
    // Another scheme, or nothing; a path beside the file is what no hub sends.
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_for_one_server_alone() {
        let hub = "https://hub.example/hf";
        assert!(is_same_server("https://hub.example/o/n/resolve/r/f", hub));
        assert!(is_same_server("https://HUB.example?x", hub));
        for other in [
            "https://cdn.example/f",
            "http://hub.example/f",
            "https://hub.example:8443/f",
            "https://hub.example.evil/f",
            "f",
        ] {
            assert!(!is_same_server(other, hub), "{other}");
        }
    }

    #[test]
    fn goals_of_redirects_are_resolved() {
        let base = "https://hub.example:1/o/n/resolve/r/f";
        assert_eq!(joined(base, "/api/x?y").as_deref(), Some("https://hub.example:1/api/x?y"));
        assert_eq!(joined(base, "https://cdn.example/f").as_deref(), Some("https://cdn.example/f"));
        assert_eq!(joined(base, "//cdn.example/f").as_deref(), Some("https://cdn.example/f"));
        assert_eq!(joined(base, "ftp://cdn.example/f"), None);
        assert_eq!(joined(base, ""), None);
    }

    #[test]
    fn addresses_are_those_of_the_hub_with_what_must_be_escaped() {
        let (repo, revision) = ("o/n".to_owned(), "1".repeat(40));
        let source = |path: &str| HubSource {
            repo: repo.clone(),
            revision: revision.clone(),
            path: path.to_owned(),
            mirrors: vec![],
        };
        let of = |path: &str| address("https://hub.example", &source(path));
        assert_eq!(of("onnx/model.onnx"), format!("https://hub.example/o/n/resolve/{revision}/onnx/model.onnx"));
        assert!(of("a b#c?d%é.bin").ends_with("/a%20b%23c%3Fd%25%C3%A9.bin"), "{}", of("a b#c?d%é.bin"));
    }
}

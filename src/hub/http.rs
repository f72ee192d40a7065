//! The hub's protocol: what it lists about a file, and the file's bytes.
//!
//! In: the address of a file (`<endpoint>/<repo>/resolve/<revision>/<path>`). Out: size, commit and etag
//! ([`Listed`]), then a stream of bytes. The headers are those that Hugging Face's own client reads (`huggingface_hub`,
//! `file_download.py`: `X-Repo-Commit`, `X-Linked-Etag`, `X-Linked-Size`, `ETag`). Redirects are followed here, one by one: the
//! token goes to the hub and to no other server, and a redirect without a goal is an error. Trying again is
//! [`super::client`]'s.

use std::io::Read;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::error::SourceError;
use super::options::HubOptions;

/// Redirects that are followed for one file.
const MOST_REDIRECTS: usize = 10;

/// Speaks to one hub.
pub(super) struct Http<'a> {
    agent: Agent,
    options: &'a HubOptions,
}

/// What a hub says about a file before it gives it.
#[derive(Debug)]
pub(super) struct Listed {
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

impl<'a> Http<'a> {
    pub(super) fn new(options: &'a HubOptions) -> Self {
        let agent = Agent::config_builder()
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // A body that is packed on the way has another length than the file.
            .accept_encoding("identity")
            .user_agent(concat!("mujaz/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .build();
        Self { agent: agent.into(), options }
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
            self.accepted(&response, url)?;
            let etag = linked_etag.or(etag).ok_or_else(|| protocol("its answer has no etag header"))?;
            let commit = commit.ok_or_else(|| protocol("its answer has no x-repo-commit header"))?;
            if is_page(headers) {
                return Err(protocol("it answers with a web page"));
            }
            let listed = match response.status().as_u16() {
                206 => text(headers, "content-range").and_then(|range| range.rsplit('/').next()?.parse().ok()),
                _ => number(headers, "content-length"),
            };
            let bytes = listed.or(linked_size).ok_or_else(|| protocol("its answer does not say the size"))?;
            if let Some(linked) = linked_size.filter(|linked| *linked != bytes) {
                return Err(protocol(&format!("it lists {linked} bytes and gives {bytes}")));
            }
            let etag = etag.trim_start_matches("W/").replace('"', "");
            return Ok(Listed { url: goal, commit, etag, bytes });
        }
        Err(protocol("it redirects without end"))
    }

    /// Asks for a file's bytes from one of them to the end.
    pub(super) fn open(&self, listed: &Listed, from: u64) -> Result<Stream, SourceError> {
        let response = self.ask(&listed.url, &format!("bytes={from}-"))?;
        self.accepted(&response, &listed.url)?;
        let protocol = |reason: String| SourceError::Protocol { url: listed.url.clone(), reason };
        let headers = response.headers();
        if response.status().is_redirection() {
            return Err(protocol("it redirects again".to_owned()));
        }
        if is_page(headers) {
            return Err(protocol("it answers with a web page".to_owned()));
        }
        let starts = match response.status().as_u16() {
            206 => text(headers, "content-range")
                .and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok())
                .unwrap_or(from),
            _ => 0,
        };
        if starts != from && starts != 0 {
            return Err(protocol(format!("it gives the bytes from {starts}, asked for those from {from}")));
        }
        let length = number(headers, "content-length");
        Ok(Stream { from: starts, length, body: Box::new(response.into_body().into_reader()) })
    }

    fn ask(&self, url: &str, range: &str) -> Result<Response<Body>, SourceError> {
        let mut request = self.agent.get(url).header("Range", range);
        if let Some(token) = &self.options.token
            && is_same_server(url, &self.options.endpoint)
        {
            request = request.header("Authorization", format!("Bearer {}", token.0));
        }
        request.call().map_err(|error| match error {
            ureq::Error::Protocol(error) => SourceError::Protocol { url: url.to_owned(), reason: error.to_string() },
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                SourceError::Protocol { url: url.to_owned(), reason: error.to_string() }
            }
            other => SourceError::Unreachable { endpoint: self.options.endpoint.clone(), reason: other.to_string() },
        })
    }

    /// Turns a refusal into its error; `url` is the address on the hub.
    fn accepted(&self, response: &Response<Body>, url: &str) -> Result<(), SourceError> {
        let url = url.to_owned();
        match response.status().as_u16() {
            401 => Err(SourceError::Unauthorized { url, token_sent: self.options.token.is_some() }),
            403 => {
                let page = url.split("/resolve/").next().unwrap_or(&url).to_owned();
                Err(SourceError::Forbidden { url, page })
            }
            404 => Err(SourceError::NotFound { url }),
            status if status >= 400 => Err(SourceError::Status { status, url }),
            _ => Ok(()),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(|value| value.trim().to_owned())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
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
}

//! Where caches lie, which hub is asked and with what token: the one place that reads the environment.
//!
//! In: the variables that Hugging Face's own client knows (`HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN`,
//! `HF_TOKEN_PATH`, `HF_HUB_OFFLINE`, `XDG_CACHE_HOME`; see the `huggingface_hub` documentation, "Environment variables"),
//! those of certificates and proxies ([`super::proxy`]). Out: [`HubOptions`]. One program under us reads variables itself and
//! is left to it: pip all of its own (`PIP_INDEX_URL` and so on).

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::error::Error;
use super::proxy::{Proxies, host_and_port};

/// A secret: never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How models are found and fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// The hub cache that all Hugging Face clients share.
    pub hub_cache: PathBuf,
    /// Our own folder beside it: files that came as packages or by hand, markers, unfinished downloads.
    pub own_cache: PathBuf,
    /// The hub or a mirror of it, without a slash at the end.
    pub endpoint: String,
    /// Sent to the hub where there is one.
    pub token: Option<Token>,
    /// Whether sockets and subprocesses are forbidden.
    pub offline: bool,
    /// Whether a proxy stands between us and the endpoint that the environment names.
    pub proxied: bool,
    /// Which proxy stands between us and an address.
    pub proxies: Proxies,
    /// A PEM file: certificates to trust instead of the system's; from `SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE` or
    /// `CURL_CA_BUNDLE` where nothing else names it.
    pub ca_file: Option<PathBuf>,
    /// How long the hub has to take a connection.
    pub connect_timeout: Duration,
    /// How long a source may send nothing before it is given up.
    pub stall_timeout: Duration,
    /// The pause before a second try; doubled before each further one.
    pub retry_pause: Duration,
    /// Why the hub was found out of reach. Copies of these options share it, so that it is tried once and not again for
    /// every file and every model; new options try again.
    pub(super) outage: Arc<OnceLock<String>>,
}

impl HubOptions {
    /// The hub when no mirror is named.
    pub const ENDPOINT: &str = "https://huggingface.co";

    /// Makes options with given places and everything else at its default: online, no token.
    pub fn new(hub_cache: PathBuf, own_cache: PathBuf) -> Self {
        Self {
            hub_cache,
            own_cache,
            endpoint: Self::ENDPOINT.to_owned(),
            token: None,
            offline: false,
            proxied: false,
            proxies: Proxies::default(),
            ca_file: None,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(60),
            retry_pause: Duration::from_millis(500),
            outage: Arc::default(),
        }
    }

    /// Reads the environment. `offline` is what the command line says; `HF_HUB_OFFLINE` can only add to it.
    ///
    /// # Errors
    /// Where a variable has a value that cannot be used, or no folder for a cache is known.
    pub fn from_env(offline: bool) -> Result<Self, Error> {
        Self::from_lookup(offline, |name| std::env::var_os(name))
    }

    /// Reads an environment given as a function; empty values count as absent.
    ///
    /// # Errors
    /// As [`HubOptions::from_env`].
    pub fn from_lookup(offline: bool, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let home = value("HOME").or_else(|| value("USERPROFILE")).map(PathBuf::from);
        let folder = |name: &str| {
            value(name).map(PathBuf::from).map(|path| match (path.strip_prefix("~"), &home) {
                (Ok(rest), Some(home)) => home.join(rest),
                _ => path,
            })
        };
        let hf_home = folder("HF_HOME")
            .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("huggingface")))
            .or_else(|| home.as_ref().map(|home| home.join(".cache").join("huggingface")));
        let hub_cache = folder("HF_HUB_CACHE")
            .or_else(|| folder("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| hf_home.as_ref().map(|folder| folder.join("hub")))
            .ok_or(Error::NoCacheFolder)?;
        // A relative cache would move with the working directory of each run, and the cache's links need full paths.
        let hub_cache = std::path::absolute(&hub_cache)?;
        let own_cache = hub_cache.parent().unwrap_or(&hub_cache).join("mujaz");
        let mut options = Self::new(hub_cache, own_cache);
        if let Some(endpoint) = value("HF_ENDPOINT") {
            options.endpoint = checked_endpoint(&endpoint.to_string_lossy())?;
        }
        let token = match value("HF_TOKEN") {
            Some(token) => Some(("HF_TOKEN", token.to_string_lossy().into_owned())),
            None => folder("HF_TOKEN_PATH")
                .or_else(|| hf_home.map(|folder| folder.join("token")))
                .and_then(|path| fs_err::read_to_string(path).ok())
                .map(|token| ("the token file", token)),
        };
        options.token = match token {
            Some((name, token)) => checked_token(name, token.trim())?,
            None => None,
        };
        options.ca_file =
            folder("SSL_CERT_FILE").or_else(|| folder("REQUESTS_CA_BUNDLE")).or_else(|| folder("CURL_CA_BUNDLE"));
        options.offline = offline || value("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value.to_string_lossy()));
        options.proxies = Proxies::from_lookup(|name| value(name).map(|value| value.to_string_lossy().into_owned()))?;
        options.proxied = options.proxies.of(&options.endpoint).is_some();
        Ok(options)
    }

    /// Returns whether the hub was found out of reach with these options or a copy of them; it is then not tried again.
    pub fn hub_is_out(&self) -> bool {
        self.outage.get().is_some()
    }
}

/// The values that Hugging Face's own client takes for yes.
fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_uppercase().as_str(), "1" | "ON" | "YES" | "TRUE")
}

fn checked_endpoint(value: &str) -> Result<String, Error> {
    let endpoint = value.trim().trim_end_matches('/');
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    let well_formed = rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with(['/', ':']) && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'?')
    });
    let bad = |reason| Error::Setting { name: "HF_ENDPOINT", reason };
    if rest.is_some_and(|rest| rest.split('/').next().unwrap_or_default().contains('@')) {
        // Addresses stand in messages; a password must not.
        return Err(bad("an address with a user name or password is not taken; HF_TOKEN is sent to it".to_owned()));
    }
    if !well_formed {
        return Err(bad(format!("{value:?} is not an address (https://host)")));
    }
    match host_and_port(endpoint) {
        Some((host, _)) if !host.is_empty() => Ok(endpoint.to_owned()),
        _ => Err(bad(format!("{value:?} has no usable host and port"))),
    }
}

fn checked_token(name: &'static str, token: &str) -> Result<Option<Token>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    if token.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Some(Token(token.to_owned())));
    }
    Err(Error::Setting { name, reason: "the token holds a space or a character that no token has".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn options(vars: &[(&str, &str)]) -> Result<HubOptions, Error> {
        HubOptions::from_lookup(false, |name| {
            vars.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_the_one_of_all_hugging_face_clients() {
        let hub = |vars: &[(&str, &str)]| options(vars).unwrap().hub_cache;
        assert_eq!(hub(&[("HOME", "/h")]), Path::new("/h/.cache/huggingface/hub"));
        assert_eq!(hub(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Path::new("/x/huggingface/hub"));
        assert_eq!(hub(&[("HOME", "/h"), ("HF_HOME", "/f")]), Path::new("/f/hub"));
        assert_eq!(hub(&[("HOME", "/h"), ("HF_HOME", "~/f")]), Path::new("/h/f/hub"));
        assert_eq!(hub(&[("HF_HOME", "/f"), ("HF_HUB_CACHE", "/c/hub2")]), Path::new("/c/hub2"));
        assert_eq!(hub(&[("HOME", "/h"), ("HF_HOME", "")]), Path::new("/h/.cache/huggingface/hub"));
        assert_eq!(options(&[("HF_HUB_CACHE", "/c/hub2")]).unwrap().own_cache, Path::new("/c/mujaz"));
        assert!(matches!(options(&[]), Err(Error::NoCacheFolder)));
    }

    #[test]
    fn offline_is_what_the_other_clients_take_for_it() {
        for (value, offline) in [("1", true), ("true", true), ("ON", true), ("0", false), ("no", false), ("", false)] {
            assert_eq!(options(&[("HOME", "/h"), ("HF_HUB_OFFLINE", value)]).unwrap().offline, offline, "{value}");
        }
        let asked = HubOptions::from_lookup(true, |name| (name == "HOME").then(|| "/h".into())).unwrap();
        assert!(asked.offline);
    }

    #[test]
    fn an_endpoint_is_checked() {
        let endpoint = |value: &str| options(&[("HOME", "/h"), ("HF_ENDPOINT", value)]);
        let at = |value: &str| host_and_port(&endpoint(value).unwrap().endpoint).unwrap();
        assert_eq!(endpoint("https://mirror.example/hf/").unwrap().endpoint, "https://mirror.example/hf");
        assert_eq!(at("https://mirror.example/hf/"), ("mirror.example".to_owned(), 443));
        assert_eq!(at("http://127.0.0.1:80"), ("127.0.0.1".to_owned(), 80));
        assert_eq!(at("http://[::1]:8080"), ("::1".to_owned(), 8080));
        assert_eq!(at("http://[::1]"), ("::1".to_owned(), 80));
        let secret = endpoint("http://user:s3cr3t@mirror.example").unwrap_err().to_string();
        assert!(secret.contains("HF_TOKEN") && !secret.contains("s3cr3t"), "{secret}");
        for bad in ["mirror.example", "ftp://a", "https://", "https:///x", "http://a:b", "http://a b", "http://:80"] {
            assert!(matches!(endpoint(bad), Err(Error::Setting { name: "HF_ENDPOINT", .. })), "{bad}");
        }
    }

    #[test]
    fn proxies_are_those_of_the_environment_and_hold_for_the_endpoint() {
        let with = |vars: &[(&str, &str)]| options(vars).unwrap();
        assert!(with(&[("HOME", "/h"), ("https_proxy", "http://p:1")]).proxied);
        assert!(!with(&[("HOME", "/h"), ("http_proxy", "http://p:1")]).proxied, "the hub is reached by https");
        let passed_by = [("HOME", "/h"), ("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "huggingface.co")];
        assert!(!with(&passed_by).proxied);
        let bad = options(&[("HOME", "/h"), ("HTTPS_PROXY", "ftp://me:hush@p")]).unwrap_err().to_string();
        assert!(bad.contains("HTTPS_PROXY") && !bad.contains("hush"), "{bad}");
    }

    #[test]
    fn a_token_is_trimmed_checked_and_never_shown() {
        let with = |token: &str| options(&[("HOME", "/h"), ("HF_TOKEN", token)]);
        let options = with(" hf_abc\n").unwrap();
        assert_eq!(options.token, Some(Token("hf_abc".into())));
        assert!(!format!("{options:?}").contains("hf_abc"));
        assert!(with("a b").is_err());
        assert_eq!(with(" ").unwrap().token, None);
    }
}

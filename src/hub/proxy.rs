//! Which proxy stands between us and an address.
//!
//! In: the variables that all clients know (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case too, which
//! goes first as in curl and in Python's `urllib.request.getproxies_environment`) and an address. Out: the proxy for it, or
//! none. ureq's own reading of the environment is not used: it takes one proxy for all addresses whatever their scheme, and
//! takes `example.org` in `NO_PROXY` for that one host, without spaces, ports and networks. How a proxy is spoken to is ureq's
//! and [`super::forward`]'s.

use std::net::IpAddr;

use super::error::Error;

/// A proxy's address; `Debug` hides the name and password that may stand in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(String);

impl ProxyAddress {
    /// Returns the address as it was given, with its secrets.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => write!(f, "{scheme}://{host}"),
            (None, Some((_, host))) => f.write_str(host),
            _ => f.write_str(&self.0),
        }
    }
}

impl std::fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProxyAddress({self})")
    }
}

/// The proxies of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    https: Option<ProxyAddress>,
    http: Option<ProxyAddress>,
    /// Hosts that are reached without a proxy, as written.
    bypass: Vec<String>,
}

impl Proxies {
    /// Reads an environment given as a function.
    ///
    /// # Errors
    /// Where a variable names something that is no proxy.
    pub(super) fn from_lookup(value: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let either = |name: &str| value(&name.to_lowercase()).or_else(|| value(name));
        let all = checked("ALL_PROXY", either("ALL_PROXY"))?;
        let https = checked("HTTPS_PROXY", either("HTTPS_PROXY"))?.or_else(|| all.clone());
        let http = checked("HTTP_PROXY", either("HTTP_PROXY"))?.or(all);
        let bypass = either("NO_PROXY").unwrap_or_default();
        let bypass = bypass.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
        Ok(Self { https, http, bypass: bypass.map(str::to_ascii_lowercase).collect() })
    }

    /// Returns no proxy, and then each one there is.
    pub(super) fn all(&self) -> impl Iterator<Item = Option<&str>> {
        let named = self.https.iter().chain(self.http.iter().filter(|http| Some(*http) != self.https.as_ref()));
        std::iter::once(None).chain(named.map(|proxy| Some(proxy.reveal())))
    }

    /// Returns the proxy for an address.
    pub fn of(&self, url: &str) -> Option<&ProxyAddress> {
        let is_https = url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
        let proxy = if is_https { self.https.as_ref() } else { self.http.as_ref() }?;
        let passed_by =
            host_and_port(url).is_some_and(|(host, port)| self.bypass.iter().any(|entry| bypasses(entry, &host, port)));
        (!passed_by).then_some(proxy)
    }
}

fn checked(name: &'static str, value: Option<String>) -> Result<Option<ProxyAddress>, Error> {
    let Some(value) = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let known = ureq::Proxy::new(&value).is_ok_and(|proxy| !proxy.host().is_empty());
    let address = ProxyAddress(value);
    if known {
        return Ok(Some(address));
    }
    Err(Error::Setting { name, reason: format!("\"{address}\" is not the address of a proxy (http://host:port)") })
}

/// Returns whether an entry of `NO_PROXY`, in lower case, names this host: `*`, a host with all below it (with or without
/// a dot or `*.` before it), an address, a network (`10.0.0.0/8`), each with a port where one is meant.
fn bypasses(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let (Some((network, bits)), Ok(address)) = (entry.split_once('/'), host.parse::<IpAddr>()) {
        return network.parse().is_ok_and(|network| bits.parse().is_ok_and(|bits| is_in(address, network, bits)));
    }
    let (name, wanted) = match entry.rsplit_once(':') {
        // An IPv6 address without brackets has more colons.
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => (name, digits.parse::<u16>().ok()),
        _ => (entry, None),
    };
    let name = name.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.');
    let host = host.to_ascii_lowercase();
    let named = host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.'));
    !name.is_empty() && named && wanted.is_none_or(|wanted| wanted == port)
}

fn is_in(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |one: u128, other: u128, width: u32| {
        bits <= width && (bits == 0 || (one ^ other) >> (width - bits).min(127) == 0)
    };
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
        _ => false,
    }
}

/// Returns host and port of an address; an IPv6 address without its brackets.
pub(super) fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "https" => 443,
        scheme if scheme.starts_with("socks") => 1080,
        _ => 80,
    };
    let bare = |host: &str| host.trim_matches(['[', ']']).to_owned();
    match authority.rsplit_once(':') {
        // An IPv6 address stands in brackets, with colons of its own.
        Some((host, port)) if !port.contains(']') => Some((bare(host), port.parse().ok()?)),
        _ => Some((bare(authority), usual)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Proxies {
        Proxies::from_lookup(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
            .unwrap()
    }

    #[test]
    fn each_scheme_has_its_own_proxy_and_lower_case_goes_first() {
        let of = |vars: &[(&str, &str)], url: &str| proxies(vars).of(url).map(ToString::to_string);
        let both = [("HTTPS_PROXY", "http://a:1"), ("HTTP_PROXY", "http://b:2")];
        assert_eq!(of(&both, "https://hub.example/x").as_deref(), Some("http://a:1"));
        assert_eq!(of(&both, "HTTPS://hub.example/x").as_deref(), Some("http://a:1"));
        assert_eq!(of(&both, "http://hub.example/x").as_deref(), Some("http://b:2"));
        assert_eq!(of(&[("HTTP_PROXY", "http://b:2")], "https://hub.example"), None);
        assert_eq!(of(&[("all_proxy", "socks5://c:3")], "https://hub.example").as_deref(), Some("socks5://c:3"));
        let lower = [("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://d:4")];
        assert_eq!(of(&lower, "https://hub.example").as_deref(), Some("http://d:4"));
        assert_eq!(of(&[("HTTPS_PROXY", " ")], "https://hub.example"), None);
    }

    #[test]
    fn what_no_proxy_names_is_reached_without_one() {
        for (entry, url, passes) in [
            ("*", "https://hub.example", true),
            ("hub.example", "https://hub.example/x", true),
            ("example", "https://hub.example", true),
            (".example", "https://hub.example", true),
            ("*.example", "https://hub.EXAMPLE", true),
            ("ub.example", "https://hub.example", false),
            ("other, hub.example", "https://hub.example", true),
            ("other hub.example", "https://hub.example", true),
            ("hub.example:443", "https://hub.example", true),
            ("hub.example:8443", "https://hub.example", false),
            ("127.0.0.1", "http://127.0.0.1:99/x", true),
            ("127.0.0.0/8", "http://127.9.0.1:99/x", true),
            ("10.0.0.0/8", "http://127.0.0.1:99/x", false),
            ("0.0.0.0/0", "http://127.0.0.1:99/x", true),
            ("10.0.0.0/99", "http://10.0.0.1/x", false),
            ("::1", "http://[::1]:80/", true),
            ("[::1]:80", "http://[::1]/", true),
            ("fd00::/8", "http://[fd12::1]/", true),
            ("::/0", "http://[fd12::1]/", true),
            (":80", "http://hub.example", false),
            ("", "http://hub.example", false),
        ] {
            let proxies = proxies(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", entry)]);
            assert_eq!(proxies.of(url).is_none(), passes, "{entry} for {url}");
        }
    }

    #[test]
    fn a_proxy_is_checked_and_its_password_never_shown() {
        let secret = proxies(&[("HTTPS_PROXY", "http://me:hush@proxy.example:3128")]);
        assert!(!format!("{secret:?}").contains("hush"), "{secret:?}");
        assert!(format!("{secret:?}").contains("http://proxy.example:3128"), "{secret:?}");
        for bad in ["ftp://a", "http://", "http://a b", "::"] {
            let result = Proxies::from_lookup(|name| (name == "HTTPS_PROXY").then(|| bad.to_owned()));
            assert!(matches!(result, Err(Error::Setting { name: "HTTPS_PROXY", .. })), "{bad}: {result:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_entry_and_any_address_are_taken_without_a_panic(entry in ".{0,24}", url in ".{0,24}", bits in 0_u32..200) {
            let all = Proxies { http: Some(ProxyAddress("p".into())), https: None, bypass: vec![entry] };
            let _ = all.of(&url);
            let _ = is_in([1, 2, 3, 4].into(), [1, 2, 3, 5].into(), bits);
            let _ = is_in([0_u16; 8].into(), [9_u16; 8].into(), bits);
        }
    }
}

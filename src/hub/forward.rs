//! Plain `http` through a proxy, as proxies expect it.
//!
//! In: ureq's connection details. Out: a connection to the proxy whose requests name the whole address (RFC 9112 section
//! 3.2.2, absolute-form). ureq asks a proxy for a tunnel (`CONNECT`) for `http` addresses too, which many proxies allow for
//! port 443 alone (squid's default). Everything else is left to ureq's own connectors: tunnels for `https`, SOCKS, TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};
use ureq::{Agent, Error, ProxyProtocol};

/// Connects as ureq does, but for plain `http` through an HTTP proxy.
#[derive(Debug)]
pub(super) struct Forwarding {
    others: DefaultConnector,
    /// How the proxy itself is reached: through no other one.
    direct: Config,
}

impl Forwarding {
    /// Makes a connector; `tls` is what proxies with TLS are held to.
    pub(super) fn new(tls: ureq::tls::TlsConfig) -> Self {
        let direct = Agent::config_builder().proxy(None).tls_config(tls).build();
        Self { others: DefaultConnector::default(), direct }
    }
}

impl Connector<()> for Forwarding {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<()>) -> Result<Option<Self::Out>, Error> {
        let is_http = |protocol| matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https);
        let proxy = details.config.proxy().filter(|proxy| !details.needs_tls() && is_http(proxy.protocol()));
        let (Some(proxy), Some(authority)) = (proxy, details.uri.authority()) else {
            return self.others.connect(details, chained);
        };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: details.resolver.resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let inner = (details.run_connector)(&to_proxy)?;
        let credentials = proxy.username().map(|user| {
            let pair = format!("{user}:{}", proxy.password().unwrap_or_default());
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair))
        });
        let credentials = credentials.unwrap_or_default();
        Ok(Some(Box::new(AbsoluteForm { inner, server: format!("http://{authority}"), credentials })))
    }
}

/// A connection whose requests name the whole address.
#[derive(Debug)]
struct AbsoluteForm {
    inner: Box<dyn Transport>,
    /// What stands before the path.
    server: String,
    /// A header line for the proxy, or nothing.
    credentials: String,
}

impl Transport for AbsoluteForm {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.inner.buffers().output();
        // Requests have no body here, so what is sent is the head of one, as a whole.
        let Some(head) = output.get(..amount).and_then(|output| output.strip_prefix(b"GET /")) else {
            return self.inner.transmit_output(amount, timeout);
        };
        let line = head.iter().position(|byte| *byte == b'\n').map_or(head.len(), |end| end + 1);
        let (line, headers) = head.split_at(line);
        let start = format!("GET {}/", self.server);
        let whole = [start.as_bytes(), line, self.credentials.as_bytes(), headers].concat();
        match output.get_mut(..whole.len()) {
            Some(place) => place.copy_from_slice(&whole),
            None => return Err(std::io::Error::other("the address is too long for a request").into()),
        }
        self.inner.transmit_output(whole.len(), timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

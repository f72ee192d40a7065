//! Whether anything is there to be spoken to, found out in time.
//!
//! In: an address of a hub or its proxy. Out: nothing, or why no connection came to be. What a hub says is
//! [`super::client`]'s.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::error::{Failure, SourceError};
use super::options::HubOptions;
use super::proxy::host_and_port;
use super::watch::watched;
use crate::progress::Progress;

/// Opens a connection to the hub, or to the proxy before it, and drops it: what tells an unreachable hub from a slow one.
pub(super) fn connect(options: &HubOptions, progress: &dyn Progress) -> Result<(), Failure> {
    let proxy = options.proxies.of(&options.endpoint);
    let endpoint = options.endpoint.clone();
    let unreachable = move |reason: String| SourceError::Unreachable { endpoint: endpoint.clone(), reason };
    let by_proxy = proxy.map(|proxy| format!("its proxy {proxy}: ")).unwrap_or_default();
    let Some((host, port)) = host_and_port(proxy.map_or(&options.endpoint, |proxy| proxy.reveal())) else {
        return Err(unreachable(format!("{by_proxy}no usable address")).into());
    };
    let timeout = options.connect_timeout;
    let late = |seconds| unreachable(format!("{by_proxy}no connection within {seconds} seconds"));
    // Resolving a name takes no timeout, so it happens where it can be left behind.
    let (failed, lead) = (unreachable.clone(), by_proxy.clone());
    watched("the hub", timeout, late, progress, move |_| {
        first_connection(&host, port, timeout).map_err(|error| failed(format!("{lead}{error}")).into())
    })?
    .map_err(Failure::from)
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

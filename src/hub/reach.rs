//! Whether the hub can be reached at all: what `mujaz doctor` shows.
//!
//! In: options. Out: [`Reach`]. One connection is opened and closed; nothing is sent. Behind a proxy the hub's own address
//! says nothing, so that it is not tried there.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;

use super::options::HubOptions;

/// What came of trying to reach the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It takes connections.
    Open,
    /// It does not, for this reason.
    Closed(String),
    /// It was not tried: offline, or a proxy stands before it.
    NotTried,
}

/// Tries to connect to the hub, for as long as a pull would.
pub fn reach(options: &HubOptions) -> Reach {
    if options.offline || options.proxied {
        return Reach::NotTried;
    }
    let Some((host, port)) = options.host_and_port() else {
        return Reach::Closed("its address has no host".to_owned());
    };
    let (host, timeout) = (host.to_owned(), options.connect_timeout);
    let (sender, receiver) = mpsc::channel();
    // The system's resolver knows no time limit; its thread is left behind.
    let spawned = std::thread::Builder::new().name("reach".to_owned()).spawn(move || {
        let _ = sender.send(connect(&host, port, timeout));
    });
    if let Err(error) = spawned {
        return Reach::Closed(error.to_string());
    }
    match receiver.recv_timeout(timeout) {
        Ok(Ok(())) => Reach::Open,
        Ok(Err(reason)) => Reach::Closed(reason),
        Err(_) => Reach::Closed(format!("no answer in {} seconds", timeout.as_secs())),
    }
}

fn connect(host: &str, port: u16, timeout: std::time::Duration) -> Result<(), String> {
    let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut reason = "its name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(endpoint: String, offline: bool) -> HubOptions {
        HubOptions { endpoint, offline, ..HubOptions::new("/h".into(), "/o".into()) }
    }

    #[test]
    fn an_open_door_a_closed_one_and_one_that_is_not_tried() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        assert_eq!(reach(&options(address.clone(), false)), Reach::Open);
        assert_eq!(reach(&options(address.clone(), true)), Reach::NotTried);
        drop(listener);
        assert!(matches!(reach(&options(address, false)), Reach::Closed(_)));
    }
}

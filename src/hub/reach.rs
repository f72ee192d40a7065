//! Whether the hub can be reached at all: what `mujaz doctor` shows.
//!
//! In: options. Out: [`Reach`]. One connection is opened to the hub, or to the proxy before it, and closed; nothing is sent.

use super::connect::connect;
use super::error::Failure;
use super::options::HubOptions;
use crate::progress::Silent;

/// What came of trying to reach the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It takes connections; where there is a proxy, the proxy does.
    Open,
    /// It does not, for this reason.
    Closed(String),
    /// It was not tried: offline.
    NotTried,
}

/// Tries to connect to the hub, for as long as a pull would.
pub fn reach(options: &HubOptions) -> Reach {
    if options.offline {
        return Reach::NotTried;
    }
    match connect(options, &Silent) {
        Ok(()) => Reach::Open,
        Err(Failure::Source(reason)) => Reach::Closed(reason.to_string()),
        Err(_) => Reach::Closed("no connection could be tried".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(endpoint: String, offline: bool) -> HubOptions {
        let mut options = HubOptions::new("/h".into(), "/o".into());
        options.endpoint = endpoint;
        options.offline = offline;
        options
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

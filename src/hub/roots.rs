//! Which certificates are trusted.
//!
//! In: the options. Out: the roots for TLS: those of the CA file where one is named (`--ca-file`, `SSL_CERT_FILE`,
//! `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`), else the system's, else, where the system has none (small containers), those
//! that Mozilla trusts, which are built in.

use std::path::Path;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use super::error::Error;
use super::options::HubOptions;

/// Collects the roots.
///
/// # Errors
/// Where the CA file cannot be read or holds no certificate.
pub(super) fn of(options: &HubOptions) -> Result<RootCerts, Error> {
    if let Some(path) = &options.ca_file {
        return Ok(RootCerts::new_with_certs(&of_file(path)?));
    }
    // What of the system's store cannot be read is left out: the others still count.
    let system: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    Ok(if system.is_empty() { RootCerts::WebPki } else { RootCerts::new_with_certs(&system) })
}

fn of_file(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let wrong = |reason: String| Error::CaFile { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let wrong = || match of_file(&path) {
            Err(Error::CaFile { path: named, reason }) if named == path => reason,
            other => panic!("{:?}", other.map(|certificates| certificates.len())),
        };
        assert!(wrong().contains("No such file"), "{}", wrong());
        std::fs::write(&path, "hello").unwrap();
        assert!(wrong().contains("no certificate"), "{}", wrong());
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n").unwrap();
        assert!(!wrong().is_empty());
    }
}

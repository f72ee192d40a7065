//! TLS before a server on 127.0.0.1, with a certificate that only a CA of its own vouches for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The server; it ends with the test's process.
pub struct FakeTls {
    endpoint: String,
    ca: String,
}

impl FakeTls {
    /// Starts a server that hands each request on to another one (`http://host:port`) and closes after its answer.
    pub fn before(plain: &str) -> Self {
        let mut of_ca = CertificateParams::new(Vec::new()).unwrap();
        of_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = of_ca.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::new(of_ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let plain = plain.trim_start_matches("http://").to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, plain) = (Arc::clone(&config), plain.clone());
                std::thread::spawn(move || serve(stream, config, &plain).ok());
            }
        });
        Self { endpoint, ca }
    }

    /// Returns the value for `HF_ENDPOINT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the certificate of the CA, in PEM form.
    pub fn ca(&self) -> &str {
        &self.ca
    }
}

fn serve(stream: TcpStream, config: Arc<ServerConfig>, plain: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, stream);
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = tls.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
    }
    let mut upstream = TcpStream::connect(plain)?;
    upstream.write_all(&request)?;
    std::io::copy(&mut upstream, &mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()?;
    Ok(())
}

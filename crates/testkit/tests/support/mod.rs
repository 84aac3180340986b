//! What the tests of TLS share: a client that verifies, and speaks in raw bytes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tollbar_testkit::CertificateFiles;

pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client that believes this authority, with a certificate of its own where one is given.
pub(crate) fn client(ca: &Path, own: Option<&CertificateFiles>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(ca).unwrap()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(match own {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let certificate = CertificateDer::from_pem_slice(&fs::read(&files.certificate).unwrap()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(&fs::read(&files.key).unwrap()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    })
}

pub(crate) fn tcp(port: u16) -> TcpStream {
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    tcp
}

/// Speaks TLS over the connection to the server of this name.
pub(crate) fn over(tcp: TcpStream, config: Arc<ClientConfig>, name: &'static str) -> std::io::Result<Stream> {
    let name = ServerName::try_from(name).unwrap();
    let mut stream = StreamOwned::new(ClientConnection::new(config, name).unwrap(), tcp);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

/// Sends the bytes and gives the first answer.
pub(crate) fn say(stream: &mut Stream, bytes: &[u8]) -> std::io::Result<String> {
    stream.write_all(bytes)?;
    let mut answer = [0; 512];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

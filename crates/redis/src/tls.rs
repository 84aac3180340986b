//! TLS: whom we believe, and who we are.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fred::{
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
    rustls_native_certs::load_native_certs,
    types::config::{TlsConfig, TlsConnector},
};

/// Files in PEM form, each of which may be absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files<'a> {
    /// Certificates of those who may vouch for a server, in place of the system's.
    pub(crate) ca: Option<&'a Path>,
    /// Our own certificate, and those between it and a root.
    pub(crate) cert: Option<&'a Path>,
    /// The key of our own certificate.
    pub(crate) key: Option<&'a Path>,
}

/// Why there is no TLS by these files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be used.
    #[error("{option} {}: {reason}", .path.display())]
    File {
        /// Which one.
        option: &'static str,
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong with it.
        reason: TlsFileError,
    },
    /// A certificate of our own without its key, or a key without a certificate.
    #[error("cert_file and key_file: one does not go without the other")]
    HalfAPair,
    /// A certificate that the key does not belong to, or of a kind that is not known.
    #[error("cert_file and key_file: {0}")]
    Pair(String),
    /// Files that would be ignored.
    #[error("{0}: the url asks for no TLS, as rediss://… would")]
    Unused(&'static str),
    /// No root to begin with.
    #[error("the system has no CA certificates: name some by ca_file")]
    NoRoots,
    /// The library refused all of it.
    #[error("TLS cannot be set up: {0}")]
    Library(String),
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFileError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// It holds no certificate.
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    /// It holds no key.
    #[error("it holds no private key in PEM form")]
    NoKey,
}

/// Whether a file holds certificates in PEM form.
///
/// # Errors
/// It does not, or it cannot be read.
pub fn check_certificate_file(path: &Path) -> Result<(), TlsFileError> {
    certificates(path).map(drop)
}

/// Whether a file holds a private key in PEM form.
///
/// # Errors
/// It does not, or it cannot be read.
pub fn check_key_file(path: &Path) -> Result<(), TlsFileError> {
    key(path).map(drop)
}

/// The driver's settings by these files.
pub(crate) fn config(files: Files<'_>) -> Result<TlsConfig, TlsError> {
    let library = |error: fred::rustls::Error| TlsError::Library(error.to_string());
    let mut roots = RootCertStore::empty();
    if let Some(path) = files.ca {
        let refuse = of_file("ca_file", path);
        for certificate in certificates(path).map_err(&refuse)? {
            roots.add(certificate).map_err(|_| refuse(TlsFileError::NoCertificate))?;
        }
    } else {
        roots.add_parsable_certificates(load_native_certs().certs);
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
    }
    // By name, since another crate of the same program may have brought another provider along.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(library)?
        .with_root_certificates(roots);
    let config = match (files.cert, files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(cert), Some(path)) => {
            let chain = certificates(cert).map_err(of_file("cert_file", cert))?;
            let key = key(path).map_err(of_file("key_file", path))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| TlsError::Pair(error.to_string()))?
        }
        _ => return Err(TlsError::HalfAPair),
    };
    Ok(TlsConnector::from(config).into())
}

/// That nothing was named which is not used.
pub(crate) fn unused(files: Files<'_>) -> Result<(), TlsError> {
    let named = [("ca_file", files.ca), ("cert_file", files.cert), ("key_file", files.key)];
    match named.into_iter().find(|(_, path)| path.is_some()) {
        Some((option, _)) => Err(TlsError::Unused(option)),
        None => Ok(()),
    }
}

fn of_file(option: &'static str, path: &Path) -> impl Fn(TlsFileError) -> TlsError {
    move |reason| TlsError::File { option, path: path.to_owned(), reason }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsFileError> {
    fs::read(path).map_err(|error| TlsFileError::Unreadable(error.kind()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(TlsFileError::NoCertificate)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsFileError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsFileError::NoKey)
}

//! What is asked for of TLS, and the connector that does it or says in one line why it cannot.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_postgres::config::SslMode as Wire;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{OpenError, PgOptions, tls_verifiers::AnyName};

/// How much of TLS there must be; the words and their meanings are those of `sslmode` in libpq.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// None.
    Disable,
    /// Where the server has it, whoever the server is.
    Prefer,
    /// Always; with a CA file, from a server that the CA knows.
    Require,
    /// From a server that a CA knows.
    VerifyCa,
    /// The same, and that bears the name which the URL says.
    VerifyFull,
}

const MODES: [(&str, SslMode); 5] = [
    ("disable", SslMode::Disable),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

impl SslMode {
    /// Reads the word of a URL.
    pub(crate) fn read(word: &str) -> Result<Self, OpenError> {
        let found = MODES.iter().find(|(name, _)| *name == word).map(|(_, mode)| *mode);
        found.ok_or_else(|| {
            let words = MODES.map(|(name, _)| name).join(", ");
            // What looks like such a word is no piece of a password.
            let alike = word.len() <= 20 && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
            let shown = if alike { word } else { "…" };
            OpenError::Tls(
                format!("the database URL says sslmode={shown}, which must be one of {words}"),
                None,
            )
        })
    }

    fn word(self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// What of it goes over the wire.
    pub(crate) fn wire(self) -> Wire {
        match self {
            Self::Disable => Wire::Disable,
            Self::Prefer => Wire::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => Wire::Require,
        }
    }
}

/// Reads the files and makes what opens connections.
pub(crate) fn connector(mode: SslMode, options: &PgOptions) -> Result<MakeRustlsConnect, OpenError> {
    let files =
        [("ca_file", &options.ca_file), ("cert_file", &options.cert_file), ("key_file", &options.key_file)];
    if matches!(mode, SslMode::Disable | SslMode::Prefer)
        && let Some((name, _)) = files.iter().find(|(_, file)| file.is_some())
    {
        let mode = mode.word();
        let must = "needs sslmode=require, verify-ca or verify-full in the database URL";
        return Err(OpenError::Tls(format!("{name} {must}, where it is {mode}"), None));
    }
    // ring, and not whatever another crate of the process has made the default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(mode, options.ca_file.as_deref(), &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Tls("TLS cannot be set up".into(), Some(error.into())))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (options.cert_file.as_deref(), options.key_file.as_deref()) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates("cert_file", certificate)?;
            let read = PrivateKeyDer::from_pem_file(key);
            let own = read.map_err(|error| unusable("key_file", key, error))?;
            builder.with_client_auth_cert(chain, own).map_err(|error| unusable("key_file", key, error))?
        }
        _ => return Err(OpenError::Tls("cert_file and key_file need each other".into(), None)),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    mode: SslMode,
    ca_file: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, OpenError> {
    let algorithms = provider.signature_verification_algorithms;
    if matches!(mode, SslMode::Disable | SslMode::Prefer) || (mode == SslMode::Require && ca_file.is_none()) {
        return Ok(Arc::new(AnyName { roots: None, algorithms }));
    }
    let roots = Arc::new(match ca_file {
        Some(file) => from_file(file)?,
        None => of_the_system()?,
    });
    if mode != SslMode::VerifyFull {
        return Ok(Arc::new(AnyName { roots: Some(roots), algorithms }));
    }
    let full = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
    Ok(full.map_err(|error| OpenError::Tls("TLS cannot be set up".into(), Some(error.into())))?)
}

fn from_file(file: &Path) -> Result<RootCertStore, OpenError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca_file", file)? {
        roots.add(certificate).map_err(|error| unusable("ca_file", file, error))?;
    }
    Ok(roots)
}

/// What the machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name another place.
fn of_the_system() -> Result<RootCertStore, OpenError> {
    let mut found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems also keep certificates that nothing can read any more.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let cause = found.errors.pop().map(Into::into);
        return Err(OpenError::Tls("the system trusts no certificate, and no ca_file is set".into(), cause));
    }
    Ok(roots)
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, OpenError> {
    let text = fs::read(file).map_err(|error| unusable(option, file, error))?;
    let read = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = read.map_err(|error| unusable(option, file, error))?;
    if found.is_empty() {
        return Err(OpenError::Tls(format!("{option} {} holds no certificate", file.display()), None));
    }
    Ok(found)
}

fn unusable(
    option: &str,
    file: &Path,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> OpenError {
    OpenError::Tls(format!("{option} {} cannot be used", file.display()), Some(error.into()))
}

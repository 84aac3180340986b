//! What a private PostgreSQL needs to speak TLS, and to ask for it.

use std::fs;
use std::path::Path;

use crate::account::Account;
use crate::certificates::{CertificateFiles, Certificates};
use crate::error::EngineError;
use crate::files::give;

/// The certificates of a server.
#[derive(Debug, Clone)]
pub(crate) struct PostgresTls {
    certificates: Certificates,
    server: CertificateFiles,
}

impl PostgresTls {
    pub(crate) fn new(certificates: &Certificates, server: CertificateFiles) -> Self {
        Self { certificates: certificates.clone(), server }
    }

    /// Copies the files to where the server may read them: it takes no key that others could read.
    pub(crate) fn place(&self, dir: &Path, account: Option<Account>) -> Result<(), EngineError> {
        let ca = self.certificates.ca();
        let files =
            [("server.pem", &self.server.certificate), ("server.key", &self.server.key), ("ca.pem", &ca)];
        for (name, from) in files {
            let text = fs::read(from).map_err(EngineError::io("read a certificate"))?;
            give(&dir.join(name), &text, account)?;
        }
        Ok(())
    }

    /// The server's settings.
    pub(crate) fn settings(dir: &Path) -> [(&'static str, String); 4] {
        let file = |name: &str| dir.join(name).display().to_string();
        [
            ("ssl", "on".into()),
            ("ssl_cert_file", file("server.pem")),
            ("ssl_key_file", file("server.key")),
            ("ssl_ca_file", file("ca.pem")),
        ]
    }
}

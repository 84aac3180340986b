//! Certificates for engines that speak TLS, and for clients that must refuse some of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::error::{EngineError, OrPanic as _};
use crate::folder::Folder;

/// New certificates in files of their own, which go when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Certificates {
    dir: Arc<Folder>,
}

/// The files of a certificate and of its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them; panics where that fails.
    #[track_caller]
    pub fn new() -> Self {
        Self::try_new().or_panic()
    }

    /// Makes them.
    pub fn try_new() -> Result<Self, EngineError> {
        let dir = Folder::new(None)?;
        let ca = Authority::new("the authority of a test")?;
        let other = Authority::new("another authority")?;
        write(&dir.path().join("ca.pem"), &ca.certificate)?;
        write(&dir.path().join("other_ca.pem"), &other.certificate)?;
        ca.issue(dir.path(), "server", &["127.0.0.1", "localhost"])?;
        ca.issue(dir.path(), "other_name", &["elsewhere.test"])?;
        ca.issue(dir.path(), "client", &["client.test"])?;
        other.issue(dir.path(), "stranger", &["client.test"])?;
        Ok(Self { dir: Arc::new(dir) })
    }

    /// The authority that has signed all certificates here but [`Self::stranger`].
    pub fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Another authority, which has nothing to do with the first.
    pub fn other_ca(&self) -> PathBuf {
        self.file("other_ca.pem")
    }

    /// For a server at 127.0.0.1 and `localhost`.
    pub fn server(&self) -> CertificateFiles {
        self.pair("server")
    }

    /// For a server at `elsewhere.test`, where none of ours is.
    pub fn other_name(&self) -> CertificateFiles {
        self.pair("other_name")
    }

    /// For a client whose name (CN) is `postgres`, as PostgreSQL's superuser.
    pub fn client(&self) -> CertificateFiles {
        self.pair("client")
    }

    /// For a client of the same name, signed by [`Self::other_ca`].
    pub fn stranger(&self) -> CertificateFiles {
        self.pair("stranger")
    }

    fn pair(&self, name: &str) -> CertificateFiles {
        CertificateFiles {
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Result<Self, EngineError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Writes a certificate for these names and its key.
    fn issue(&self, dir: &Path, file: &str, names: &[&str]) -> Result<(), EngineError> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "postgres");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // The nodes of a Redis Cluster are servers and clients of each other.
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        write(&dir.join(format!("{file}.pem")), &params.signed_by(&key, &self.issuer)?.pem())?;
        write(&dir.join(format!("{file}.key")), &key.serialize_pem())
    }
}

fn write(file: &Path, text: &str) -> Result<(), EngineError> {
    fs::write(file, text).map_err(EngineError::io(format!("write {}", file.display())))
}

//! Certificates of a private CA, made for one test.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pgbaton::config::TlsProfile;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A CA and the files it has signed.
pub struct Pki {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two CAs of the same name could not be told apart by it.
        params.distinguished_name.push(DnType::CommonName, format!("test CA {}", dir.path().display()));
        let certificate = params.self_signed(&key).unwrap();
        fs::write(dir.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key) }
    }

    /// Signs `NAME.pem` and `NAME.key` for these names and addresses.
    pub fn sign(&self, name: &str, subjects: &[&str], expired: bool) {
        let subjects: Vec<String> = subjects.iter().map(|s| (*s).to_owned()).collect();
        let mut params = CertificateParams::new(subjects).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        self.write(name, params);
    }

    /// Signs `NAME.pem` and `NAME.key` for 127.0.0.1, valid for so long from now.
    pub fn sign_for(&self, name: &str, left: Duration) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name = Default::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs((now + left).as_secs());
        self.write(name, params);
    }

    fn write(&self, name: &str, params: CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// etcd's arguments for a server certificate.
    pub fn server(&self, name: &str) -> Vec<String> {
        let file = |suffix: &str| self.path(&format!("{name}.{suffix}")).display().to_string();
        vec!["--cert-file".into(), file("pem"), "--key-file".into(), file("key")]
    }

    /// A client that trusts the CA, with a certificate of this name if one is given.
    pub fn client(&self, name: Option<&str>) -> TlsProfile {
        let file = |suffix: &str| name.map(|name| self.path(&format!("{name}.{suffix}")));
        TlsProfile { ca: Some(self.path("ca.pem")), cert: file("pem"), key: file("key"), insecure: false }
    }
}

//! The private CA and its certificates. What an earlier run made and still fits stays, so that a second run changes nothing.

use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectAltName, SubjectKeyIdentifier};
use x509_cert::{Certificate, TbsCertificate};

use super::passwords::private;
use crate::credential::{Authority, Names, Signed};

/// For how long a certificate is made, in days.
const DAYS: i64 = 365;
/// One that ends earlier than so is made anew.
const RENEW: Duration = Duration::from_secs(30 * 86_400);

/// The CA of an estate.
pub struct Certificates {
    /// The CA.
    pub authority: Authority,
    out: PathBuf,
}

impl Certificates {
    /// The CA below `out`, or a new one.
    ///
    /// # Errors
    /// Only half of it is there, it cannot be read, or others may read its key.
    pub fn open(cluster: &str, out: &Path) -> Result<Self> {
        let (certificate, key) = (out.join("ca/ca.crt"), out.join("ca/ca.key"));
        let name = format!("pgbaton {cluster} CA");
        let authority = match (read(&certificate)?, private(&key)?) {
            (Some(text), Some(secret)) => Authority::again(&name, text, line(&secret)).with_context(|| key.display().to_string())?,
            (None, None) => Authority::new(&name)?,
            (Some(_), None) => anyhow::bail!(
                "{} is there and its key is not: without the key nothing can be signed\nhint: bring ca/ca.key back, or move ca/ away for a new CA",
                certificate.display()
            ),
            (None, Some(_)) => anyhow::bail!("{} is there and its certificate is not\nhint: bring ca/ca.crt back", key.display()),
        };
        Ok(Self { authority, out: out.to_owned() })
    }

    /// The certificate for somebody. `folder` is where an earlier run has put it, as `FOLDER/NAME.crt` and `.key`.
    ///
    /// # Errors
    /// It cannot be read or made.
    pub fn of(&self, who: &str, addresses: &[IpAddr], folder: &str, name: &str) -> Result<Signed> {
        let place = self.out.join(folder).join(name);
        let kept = (read(&place.with_extension("crt"))?, private(&place.with_extension("key"))?);
        if let (Some(certificate), Some(key)) = kept
            && fits(&certificate, &self.authority.certificate, addresses, SystemTime::now())
        {
            return Ok(Signed { certificate, key: line(&key) });
        }
        self.authority.sign(&Names { who, addresses, nameless: false }, DAYS)
    }
}

/// A key as a whole file: its last line end was taken off, as a password's is.
fn line(key: &SecretString) -> SecretString {
    format!("{}\n", key.expose_secret()).into()
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn parsed(pem: &str) -> Option<TbsCertificate> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    Certificate::from_der(&der).ok().map(|certificate| certificate.tbs_certificate)
}

/// Whether a certificate is of this CA, for these addresses, and lasts for a while.
fn fits(pem: &str, ca: &str, addresses: &[IpAddr], now: SystemTime) -> bool {
    let (Some(certificate), Some(ca)) = (parsed(pem), parsed(ca)) else { return false };
    let signer = certificate.get::<AuthorityKeyIdentifier>().ok().flatten().and_then(|(_, id)| id.key_identifier);
    let ours = ca.get::<SubjectKeyIdentifier>().ok().flatten().map(|(_, id)| id.0);
    if signer.is_none() || signer != ours {
        return false;
    }
    let lasts = certificate.validity.not_after.to_system_time() > now + RENEW;
    let names = certificate.get::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0).unwrap_or_default();
    let mut found: Vec<Vec<u8>> = names
        .iter()
        .filter_map(|name| match name {
            GeneralName::IpAddress(bytes) => Some(bytes.as_bytes().to_vec()),
            _ => None,
        })
        .collect();
    let mut wanted: Vec<Vec<u8>> = addresses
        .iter()
        .map(|ip| match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        })
        .collect();
    found.sort();
    wanted.sort();
    lasts && found == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_stays_while_it_fits() {
        let authority = Authority::new("x").unwrap();
        let addresses = ["10.0.0.8", "127.0.0.1"].map(|ip| ip.parse::<IpAddr>().unwrap());
        let sign = |days| authority.sign(&Names { who: "a", addresses: &addresses, nameless: false }, days).unwrap().certificate;
        let now = SystemTime::now();
        let fits = |pem: &str, addresses: &[IpAddr]| fits(pem, &authority.certificate, addresses, now);
        assert!(fits(&sign(365), &addresses));
        assert!(!fits(&sign(365), &addresses[..1]), "an address is gone");
        assert!(!fits(&sign(20), &addresses), "it ends soon");
        assert!(!fits("none", &addresses));
        let other = Authority::new("x").unwrap().sign(&Names { who: "a", addresses: &addresses, nameless: false }, 365).unwrap();
        assert!(!fits(&other.certificate, &addresses), "another CA of the same name has signed it");
    }

    #[test]
    fn a_ca_that_is_read_again_signs_what_its_certificate_vouches_for() {
        let made = Authority::new("x").unwrap();
        let again = Authority::again("x", made.certificate.clone(), made.key.clone()).unwrap();
        let signed = again.sign(&Names { who: "a", addresses: &[], nameless: false }, 365).unwrap();
        let der = CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(der).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
        let leaf = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
        assert!(verifier.verify_client_cert(&leaf, &[], rustls::pki_types::UnixTime::now()).is_ok());
    }
}

//! A private CA, and what it signs.

use std::net::IpAddr;

use anyhow::{Context, Result};
use jiff::{ToSpan, ZonedDateTime};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use secrecy::{ExposeSecret, SecretString};

/// How long the CA itself is valid, in days.
const LIFE: i64 = 3650;

/// A CA that can sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub certificate: String,
    /// Its key.
    pub key: SecretString,
}

/// A certificate with its key, in PEM.
#[derive(Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: SecretString,
}

impl Signed {
    /// Both in one text, as HAProxy wants them.
    #[must_use]
    pub fn both(&self) -> SecretString {
        format!("{}{}", self.certificate, self.key.expose_secret()).into()
    }
}

/// Whom a certificate is for.
#[derive(Debug)]
pub struct Names<'a> {
    /// Its subject.
    pub who: &'a str,
    /// Addresses at which a server shows it.
    pub addresses: &'a [IpAddr],
    /// No common name: etcd with users and client certificates refuses one on its gateway, which Patroni speaks to, because it could be
    /// mistaken for the user.
    pub nameless: bool,
}

impl Authority {
    /// A new one of this name.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new(name: &str) -> Result<Self> {
        let (params, key) = (authority(name)?, KeyPair::generate()?);
        let certificate = params.self_signed(&key)?.pem();
        let secret = key.serialize_pem().into();
        Ok(Self { issuer: Issuer::new(params, key), certificate, key: secret })
    }

    /// The one that was made with this name before.
    ///
    /// # Errors
    /// The key is none.
    pub fn again(name: &str, certificate: String, key: SecretString) -> Result<Self> {
        let pair = KeyPair::from_pem(key.expose_secret()).map_err(|_| anyhow::anyhow!("it is no private key"))?;
        Ok(Self { issuer: Issuer::new(authority(name)?, pair), certificate, key })
    }

    /// Signs a certificate that is valid for so many days; negative: that ended so many days ago.
    ///
    /// # Errors
    /// No key can be made.
    pub fn sign(&self, names: &Names<'_>, days: i64) -> Result<Signed> {
        let mut params = params(names.who, days)?;
        if names.nameless {
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::OrganizationalUnitName, names.who);
        }
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // etcd's gateway is a client of etcd with the server's certificate.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.subject_alt_names = names.addresses.iter().map(|address| SanType::IpAddress(*address)).collect();
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer).context("the CA cannot sign")?.pem();
        Ok(Signed { certificate, key: key.serialize_pem().into() })
    }
}

fn authority(name: &str) -> Result<CertificateParams> {
    let mut params = params(name, LIFE)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A certificate for a common name, valid until so many days from today; negative: until so many days ago.
fn params(common_name: &str, days: i64) -> Result<CertificateParams> {
    let date = |days: i64| -> Result<_> {
        let day = ZonedDateTime::now().checked_add(days.days())?;
        Ok(date_time_ymd(i32::from(day.year()), u8::try_from(day.month())?, u8::try_from(day.day())?))
    };
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date(days.min(0) - 1)?;
    params.not_after = date(days)?;
    Ok(params)
}

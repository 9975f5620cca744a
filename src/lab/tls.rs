//! The certificates of a lab with `--tls`: a private CA, one certificate per node, one for clients, and one that has expired for each member
//! and for clients.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use jiff::{ToSpan, ZonedDateTime};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};

use super::files::{self, PRIVATE, PUBLIC};
use super::layout::Lab;

/// Name of the certificate that expired the day before: for practising what that looks like.
pub const EXPIRED: &str = "expired";

/// Name of a member's own certificate that expired the day before.
#[must_use]
pub fn expired(member: &str) -> String {
    format!("{EXPIRED}-{member}")
}

/// Makes the CA and all certificates. The CA's key is forgotten at once: nothing else is ever signed.
///
/// # Errors
/// When a file cannot be written.
pub fn make(lab: &Lab) -> Result<()> {
    let owner = &lab.record.account;
    files::make_dir(&lab.dir.join("tls"), 0o755, owner)?;
    let mut params = params(&format!("pgbaton lab {}", lab.record.name), 3650)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let ca = params.self_signed(&key)?;
    files::write(&lab.cert("ca"), &ca.pem(), PUBLIC, owner)?;
    let issuer = Issuer::new(params, key);

    for member in lab.members() {
        // On loopback a peer's connection comes from 127.0.0.1, and etcd looks for that in the peer's certificate.
        let ips = [lab.ip(&member), Ipv4Addr::LOCALHOST];
        sign(lab, &issuer, &member, 365, &ips)?;
        sign(lab, &issuer, &expired(&member), -1, &ips)?;
    }
    sign(lab, &issuer, "client", 365, &[])?;
    sign(lab, &issuer, EXPIRED, -1, &[])?;
    let pem = sign(lab, &issuer, "haproxy", 365, &[])?;
    files::write(&lab.dir.join("tls/haproxy.pem"), &pem, PRIVATE, owner)
}

/// Signs one certificate, writes it and its key, and returns both in one text as HAProxy wants them.
fn sign(lab: &Lab, issuer: &Issuer<'_, KeyPair>, who: &str, days: i64, ips: &[Ipv4Addr]) -> Result<String> {
    let mut params = params(who, days)?;
    if lab.record.options.auth {
        // etcd with users and client certificates refuses a common name on its gateway, which Patroni speaks to: it could be
        // mistaken for the user.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationalUnitName, who);
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // etcd's gateway is a client of etcd with the server's certificate.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = ips.iter().map(|ip| SanType::IpAddress(IpAddr::V4(*ip))).collect();
    let key = KeyPair::generate()?;
    let cert = params.signed_by(&key, issuer)?;
    let owner = &lab.record.account;
    files::write(&lab.cert(who), &cert.pem(), PUBLIC, owner)?;
    files::write(&lab.key(who), &key.serialize_pem(), PRIVATE, owner)?;
    Ok(cert.pem() + &key.serialize_pem())
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

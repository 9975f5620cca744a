//! The certificates of a lab with `--tls`: a private CA, one certificate per node, one for clients, and one that has expired for each member
//! and for clients.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;
use secrecy::ExposeSecret;

use super::files::{self, PRIVATE, PUBLIC};
use super::layout::Lab;
use crate::credential::{Authority, Names, Signed};

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
    let ca = Authority::new(&format!("pgbaton lab {}", lab.record.name))?;
    files::write(&lab.cert("ca"), &ca.certificate, PUBLIC, owner)?;

    for member in lab.members() {
        // On loopback a peer's connection comes from 127.0.0.1, and etcd looks for that in the peer's certificate.
        let ips = [lab.ip(&member), Ipv4Addr::LOCALHOST].map(IpAddr::V4);
        sign(lab, &ca, &member, 365, &ips)?;
        sign(lab, &ca, &expired(&member), -1, &ips)?;
    }
    sign(lab, &ca, "client", 365, &[])?;
    sign(lab, &ca, EXPIRED, -1, &[])?;
    let haproxy = sign(lab, &ca, "haproxy", 365, &[])?;
    files::write(&lab.dir.join("tls/haproxy.pem"), haproxy.both().expose_secret(), PRIVATE, owner)
}

/// Signs one certificate and writes it and its key.
fn sign(lab: &Lab, ca: &Authority, who: &str, days: i64, ips: &[IpAddr]) -> Result<Signed> {
    let signed = ca.sign(&Names { who, addresses: ips, nameless: lab.record.options.auth }, days)?;
    let owner = &lab.record.account;
    files::write(&lab.cert(who), &signed.certificate, PUBLIC, owner)?;
    files::write(&lab.key(who), signed.key.expose_secret(), PRIVATE, owner)?;
    Ok(signed)
}

//! All files of an estate.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};

use super::certificates::Certificates;
use super::diff::Secrets;
use super::inventory::{Inventory, Who};
use super::passwords::{FOLDER, Passwords};
use super::tree::{Kind, Wanted};
use super::{client, jump, node};
use crate::credential::Signed;
use crate::template::{Tls, roles};

/// etcd's port for clients.
pub(super) const ETCD: u16 = 2379;
/// etcd's port for its members.
pub(super) const ETCD_PEER: u16 = 2380;
/// Patroni's REST API.
pub(super) const REST: u16 = 8008;
/// PostgreSQL.
pub(super) const POSTGRES: u16 = 5432;
/// HAProxy's port to the leader.
pub(super) const WRITE: u16 = 5000;
/// HAProxy's port to the replicas.
pub(super) const READ: u16 = 5001;
/// HAProxy's page.
pub(super) const STATS: u16 = 7000;
/// How many sessions one HAProxy lets through to one server.
pub(super) const SESSIONS: u32 = 100;

/// What is written, while it comes together.
pub(super) struct Draft<'a> {
    pub inventory: &'a Inventory,
    pub passwords: &'a Passwords,
    pub certificates: Option<&'a Certificates>,
    pub files: Vec<Wanted>,
}

impl Draft<'_> {
    /// A file that anybody may read.
    pub fn public(&mut self, path: impl Into<String>, text: impl Into<SecretString>) {
        self.files.push(Wanted { path: path.into(), text: text.into(), kind: Kind::Public });
    }

    /// A file with a secret among its lines.
    pub fn private(&mut self, path: impl Into<String>, text: impl Into<SecretString>) {
        self.files.push(Wanted { path: path.into(), text: text.into(), kind: Kind::Private });
    }

    /// A file that is a secret as a whole.
    pub fn secret(&mut self, path: impl Into<String>, text: impl Into<SecretString>) {
        self.files.push(Wanted { path: path.into(), text: text.into(), kind: Kind::Opaque });
    }

    /// A certificate of ours for a machine, with the CA's beside it, into a folder of that machine; the paths are as that machine has them.
    pub fn certificate(&mut self, machine: &str, folder: &str, signed: &Signed) -> Result<Tls> {
        let authority = &self.certificates.context("there is no CA")?.authority;
        let below = format!("{machine}{folder}");
        let ca = authority.certificate.clone();
        self.public(format!("{below}/ca.crt"), ca);
        self.public(format!("{below}/own.crt"), signed.certificate.clone());
        self.secret(format!("{below}/own.key"), signed.key.clone());
        let on = |file: &str| self.inventory.paths.on(machine, &format!("{folder}/{file}"));
        Ok(Tls { ca: on("ca.crt"), cert: on("own.crt"), key: on("own.key") })
    }
}

/// Addresses at which a node shows its certificate: its own, and those of the HAProxies that clients reach it through. etcd compares the
/// address that a member's connection comes from, which on the machine itself is loopback's.
pub(super) fn shown_at(inventory: &Inventory, own: &str) -> Vec<IpAddr> {
    let proxies = inventory.clients.iter().map(|client| client.machine.address.as_str());
    let all = std::iter::once(own).chain(proxies).filter_map(|address| address.parse().ok());
    all.chain([IpAddr::V4(Ipv4Addr::LOCALHOST)]).collect()
}

/// Every file, and what must not be shown of them. `beside` is the inventory's folder, `out` where an earlier run has written.
///
/// # Errors
/// A password or the CA cannot be read or made.
pub fn all(inventory: &Inventory, beside: &Path, out: &Path) -> Result<(Vec<Wanted>, Secrets)> {
    let passwords = Passwords::find(inventory, beside, out)?;
    let certificates = inventory.tls.then(|| Certificates::open(&inventory.cluster, out)).transpose()?;
    let mut draft = Draft { inventory, passwords: &passwords, certificates: certificates.as_ref(), files: Vec::new() };
    jump::readme(&mut draft);
    jump::diagram(&mut draft);
    for (who, password) in passwords.made() {
        draft.secret(format!("{FOLDER}/{}", who.name()), format!("{}\n", password.expose_secret()));
    }
    if let Some(certificates) = &certificates {
        draft.public("ca/ca.crt", certificates.authority.certificate.clone());
        draft.secret("ca/ca.key", certificates.authority.key.clone());
    }
    for machine in &inventory.nodes {
        node::files(&mut draft, machine)?;
    }
    for client in &inventory.clients {
        client::files(&mut draft, client)?;
    }
    sql(&mut draft)?;
    jump::files(&mut draft)?;
    Ok((draft.files, Secrets::new(passwords.words())))
}

/// What is run once in PostgreSQL, on the leader.
fn sql(draft: &mut Draft<'_>) -> Result<()> {
    let passwords = draft.passwords;
    let mut text = String::from(
        "-- The roles besides Patroni's own, which Patroni makes. With psql, as postgres, on the leader; again at any time: it changes nothing but the\n\
         -- passwords.\n\\set ON_ERROR_STOP on\n-- The statements hold passwords: not into the server's log.\nSET log_statement = 'none';\n\
         SET log_min_duration_statement = -1;\n\n-- pgbaton looks as this role: it sees everybody's activity and no data.\n",
    );
    text += &roles::console(passwords.of(Who::Pgbaton)?);
    text += "\n-- It gives orders as this one, and only when an operator's action needs it: checkpoints, slots, replay, the end of a session.\n";
    text += &roles::operator(passwords.of(Who::Operator)?);
    if draft.inventory.has_airflow() {
        use crate::template::airflow::NAME;
        text += "\n-- Airflow's role owns its metadata, in a database of its own.\n";
        text += &roles::login(NAME, "", passwords.of(Who::Airflow)?);
        text += &roles::database(NAME, NAME);
        let grants = crate::source::airflow::grants(NAME, "public", roles::CONSOLE);
        draft.public(
            "airflow-grants.sql",
            format!("-- After `airflow db migrate`, which makes the tables.\n\\set ON_ERROR_STOP on\n{grants}"),
        );
    }
    draft.private("roles.sql", text);
    Ok(())
}

//! The files of a node: etcd, Patroni with PostgreSQL.

use anyhow::Result;

use super::files::{Draft, ETCD, ETCD_PEER, POSTGRES, REST, SESSIONS, shown_at};
use super::inventory::{Inventory, Watchdog, Who};
use crate::template::etcd::Etcd;
use crate::template::patroni::{Etcd3, Patroni, Timing, Users, parameters};
use crate::template::{Machine, unit};

/// Patroni's own defaults, which keep its rule.
const TIMING: Timing = Timing { ttl: 30, loop_wait: 10, retry_timeout: 10 };

/// Where systemd looks for units that an administrator wrote.
pub(super) const UNITS: &str = "/etc/systemd/system";

/// All files of one node.
pub(super) fn files(draft: &mut Draft<'_>, machine: &Machine) -> Result<()> {
    let (inventory, name) = (draft.inventory, machine.name.as_str());
    let on = |path: &str| inventory.paths.on(name, path);
    let (mut etcd_tls, mut patroni_tls) = (None, None);
    if let Some(certificates) = draft.certificates {
        // One certificate, twice: etcd and PostgreSQL are two accounts, and a key has one owner.
        let signed = certificates.of(name, &shown_at(inventory, &machine.address), &format!("{name}/etc/etcd/tls"), "own")?;
        etcd_tls = Some(draft.certificate(name, "/etc/etcd/tls", &signed)?);
        patroni_tls = Some(draft.certificate(name, "/etc/patroni/tls", &signed)?);
    }
    let etcd = Etcd {
        cluster: &inventory.cluster,
        machine,
        members: &inventory.nodes,
        port: ETCD,
        peer_port: ETCD_PEER,
        data_dir: &on("/var/lib/etcd"),
        tls: etcd_tls.as_ref(),
    };
    draft.public(format!("{name}/etc/etcd/etcd.env"), etcd.environment());
    draft.public(format!("{name}{UNITS}/etcd.service"), unit::etcd(&inventory.paths.etcd, &on("/etc/etcd/etcd.env")));

    let dynamic = dynamic(inventory);
    let dynamic: Vec<(&str, &str)> = dynamic.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut own = vec![
        ("unix_socket_directories", on("/var/run/postgresql")),
        ("logging_collector", "on".to_owned()),
        ("log_directory", on("/var/log/postgresql")),
        ("log_filename", "postgresql-%a.log".to_owned()),
        ("log_truncate_on_rotation", "on".to_owned()),
        ("log_rotation_size", "0".to_owned()),
        ("log_line_prefix", "%m [%p] %q%u@%d/%a ".to_owned()),
        ("log_checkpoints", "on".to_owned()),
        ("log_lock_waits", "on".to_owned()),
    ];
    if let Some(tls) = &patroni_tls {
        own.push(("ssl", "on".to_owned()));
        own.extend([("ssl_ca_file", tls.ca.clone()), ("ssl_cert_file", tls.cert.clone()), ("ssl_key_file", tls.key.clone())]);
    }
    let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let passwords = draft.passwords;
    let watchdog = match inventory.watchdog {
        Watchdog::Off => None,
        mode => Some(mode.into()),
    };
    let patroni = Patroni {
        scope: &inventory.cluster,
        machine,
        rest_port: REST,
        rest_password: Some(passwords.of(Who::Restapi)?),
        tls: patroni_tls.as_ref(),
        etcd: Etcd3 { members: &inventory.nodes, port: ETCD, tls: patroni_tls.as_ref(), login: None },
        log_dir: &on("/var/log/postgresql"),
        log_files: 7,
        timing: TIMING,
        synchronous: inventory.synchronous,
        failsafe: inventory.failsafe,
        dynamic: &parameters(&dynamic),
        sync_to_disk: true,
        port: POSTGRES,
        data_dir: &on(&format!("/var/lib/postgresql/{}/main", inventory.versions.postgresql)),
        bin_dir: &inventory.paths.postgresql,
        pgpass: &on("/var/lib/postgresql/patroni.pgpass"),
        users: Users {
            superuser: passwords.of(Who::Superuser)?,
            replicator: passwords.of(Who::Replicator)?,
            rewind: passwords.of(Who::Rewind)?,
            ca: patroni_tls.as_ref().map(|tls| tls.ca.as_str()),
        },
        hba: &hba(inventory),
        parameters: &parameters(&own),
        watchdog,
    };
    let lead = format!("# Patroni on {name}. Patroni reads it at its start and on `systemctl reload patroni`.\n");
    draft.private(format!("{name}/etc/patroni/patroni.yml"), lead + &patroni.yaml());
    let file = on("/etc/patroni/patroni.yml");
    draft.public(format!("{name}{UNITS}/patroni.service"), unit::patroni(&inventory.paths.patroni, &file, watchdog.is_some()));
    Ok(())
}

/// Parameters of all nodes; what the inventory says wins.
fn dynamic(inventory: &Inventory) -> Vec<(String, String)> {
    let proxies = u32::try_from(inventory.clients.len()).unwrap_or(u32::MAX);
    let sessions = SESSIONS.saturating_mul(proxies).saturating_add(50);
    let mut all: Vec<(String, String)> = [
        ("wal_level", "replica"),
        ("hot_standby", "on"),
        ("wal_log_hints", "on"),
        ("max_connections", &sessions.to_string()),
        ("max_wal_senders", "10"),
        ("max_replication_slots", "10"),
        ("max_worker_processes", "8"),
        ("wal_keep_size", "512MB"),
        ("max_slot_wal_keep_size", "10GB"),
        ("max_wal_size", "2GB"),
        ("archive_mode", "on"),
        ("archive_command", "/bin/true"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (name, value) in &inventory.parameters {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1.clone_from(value),
            None => all.push((name.clone(), value.clone())),
        }
    }
    all
}

/// Who may log in: Patroni and replication from the nodes, clients through the HAProxies, and the networks that are allowed.
fn hba(inventory: &Inventory) -> Vec<String> {
    let host = if inventory.tls { "hostssl" } else { "host" };
    let mut lines = vec!["local all all scram-sha-256".to_owned(), format!("{host} all all 127.0.0.1/32 scram-sha-256")];
    let nodes: Vec<String> = inventory.nodes.iter().map(|machine| format!("{}/32", machine.address)).collect();
    for from in std::iter::once("127.0.0.1/32").chain(nodes.iter().map(String::as_str)) {
        lines.push(format!("{host} replication replicator {from} scram-sha-256"));
    }
    lines.extend(nodes.iter().map(|from| format!("{host} all postgres,rewind {from} scram-sha-256")));
    let proxies = inventory.clients.iter().map(|client| format!("{}/32", client.machine.address));
    // Neither Patroni's users nor the superuser come through a HAProxy or from elsewhere.
    lines.push(format!("{host} all postgres,replicator,rewind all reject"));
    lines.extend(proxies.chain(inventory.allow.iter().cloned()).map(|from| format!("{host} all all {from} scram-sha-256")));
    lines
}

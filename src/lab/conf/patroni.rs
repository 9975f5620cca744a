//! Patroni's `patroni.yml`, with the cluster's first dynamic configuration in it.

use std::path::PathBuf;

use anyhow::Result;

use crate::lab::layout::{ETCD, Lab, POSTGRES, REST};
use crate::lab::secrets::{Owner, Secrets};
use crate::template::patroni::{self, Etcd3, Patroni, Timing, Users, parameters};

/// What archives WAL in a healthy lab: nothing, successfully. Archiving is on from the start because switching it on needs
/// a restart, and a fault must not.
pub const ARCHIVE_COMMAND: &str = "/bin/true";

/// Patroni of one member.
#[must_use]
pub fn argv(lab: &Lab, member: &str) -> Vec<String> {
    // The interpreter is named, so that a long path in the script's first line cannot break it.
    let bin = lab.record.tools.venv.join("bin");
    vec![
        bin.join("python").to_string_lossy().into_owned(),
        bin.join("patroni").to_string_lossy().into_owned(),
        path(lab, member).to_string_lossy().into_owned(),
    ]
}

/// The file of one member.
#[must_use]
pub fn path(lab: &Lab, member: &str) -> PathBuf {
    lab.node_dir(member).join("patroni.yml")
}

/// The `etcd3:` section, which `patronictl.yaml` has as well.
///
/// # Errors
/// When a password is missing.
pub fn etcd3(lab: &Lab, secrets: &Secrets, cert: &str) -> Result<String> {
    with_etcd3(lab, secrets, cert, |etcd| etcd.yaml())
}

fn with_etcd3<T>(lab: &Lab, secrets: &Secrets, cert: &str, text: impl FnOnce(Etcd3<'_>) -> T) -> Result<T> {
    let login = if lab.record.options.auth { Some(("patroni", secrets.of(Owner::EtcdPatroni)?)) } else { None };
    Ok(text(Etcd3 { members: &lab.machines(), port: ETCD, tls: lab.tls(cert).as_ref(), login }))
}

/// The `ctl:` section: the certificate that patronictl, and members among themselves, show to the REST API.
#[must_use]
pub fn ctl(lab: &Lab, cert: &str) -> String {
    patroni::ctl(lab.tls(cert).as_ref())
}

/// The whole file. All paths in it are plain: the state directory's is checked before anything is written.
///
/// # Errors
/// When a password is missing.
pub fn yaml(lab: &Lab, secrets: &Secrets, member: &str) -> Result<String> {
    let options = &lab.record.options;
    let (node, log) = (lab.node_dir(member), lab.log_dir(member));
    let (node, log) = (node.display(), log.display());
    // On loopback the kernel chooses 127.0.0.1 as the source whatever the target is.
    let net = format!("{}/24", lab.record.block);
    let mut hba = vec!["local all all scram-sha-256".to_owned()];
    for who in ["all all", "replication replicator"] {
        hba.extend(["127.0.0.0/8", net.as_str()].map(|from| format!("host {who} {from} scram-sha-256")));
    }
    let dynamic = parameters(&[
        ("wal_level", "replica"),
        ("hot_standby", "on"),
        ("wal_log_hints", "on"),
        ("max_connections", "60"),
        ("max_wal_senders", "20"),
        ("max_replication_slots", "20"),
        ("max_worker_processes", "4"),
        ("wal_keep_size", "64MB"),
        ("max_wal_size", "512MB"),
        // A client whose machine is lost keeps its locks for two minutes, not for the kernel's two hours.
        ("tcp_keepalives_idle", "60"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "6"),
        ("archive_mode", "on"),
        ("archive_command", ARCHIVE_COMMAND),
    ]);
    let (run, logs) = (format!("{node}/run"), log.to_string());
    let own = parameters(&[
        ("unix_socket_directories", &run),
        ("dynamic_shared_memory_type", "mmap"),
        ("shared_buffers", "16MB"),
        ("huge_pages", "off"),
        ("logging_collector", "on"),
        ("log_directory", &logs),
        ("log_filename", "postgresql.log"),
        ("log_file_mode", "0644"),
        ("log_rotation_age", "0"),
        ("log_line_prefix", "%m [%p] %q%u@%d/%a "),
        ("log_checkpoints", "on"),
    ]);
    let users = Users {
        superuser: secrets.of(Owner::Superuser)?,
        replicator: secrets.of(Owner::Replicator)?,
        rewind: secrets.of(Owner::Rewind)?,
        ca: None,
    };
    let rest_password = if options.auth { Some(secrets.of(Owner::Rest)?) } else { None };
    with_etcd3(lab, secrets, member, |etcd| {
        Patroni {
            scope: &lab.record.name,
            machine: &lab.machine(member),
            rest_port: REST,
            rest_password,
            tls: lab.tls(member).as_ref(),
            etcd,
            log_dir: &logs,
            log_files: 2,
            timing: Timing { ttl: options.ttl, loop_wait: options.loop_wait, retry_timeout: options.retry_timeout() },
            synchronous: options.sync,
            failsafe: options.failsafe,
            dynamic: &dynamic,
            sync_to_disk: false,
            port: POSTGRES,
            data_dir: &format!("{node}/data"),
            bin_dir: &lab.record.tools.pg_bin.to_string_lossy(),
            pgpass: &format!("{node}/run/pgpass"),
            users,
            hba: &hba,
            parameters: &own,
            watchdog: None,
        }
        .yaml()
    })
}

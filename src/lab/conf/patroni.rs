//! Patroni's `patroni.yml`, with the cluster's first dynamic configuration in it.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;

use crate::lab::layout::{ETCD, Lab, POSTGRES, REST};
use crate::lab::secrets::{Owner, Secrets};

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
    let hosts: Vec<String> = lab.members().iter().map(|m| format!("'{}:{ETCD}'", lab.ip(m))).collect();
    let mut out = format!("etcd3:\n  hosts: [{}]\n  protocol: {}\n", hosts.join(", "), lab.scheme());
    if lab.record.options.tls {
        let (ca, crt, key) = (lab.cert("ca"), lab.cert(cert), lab.key(cert));
        writeln!(out, "  cacert: '{}'\n  cert: '{}'\n  key: '{}'", ca.display(), crt.display(), key.display())?;
    }
    if lab.record.options.auth {
        writeln!(out, "  username: patroni\n  password: '{}'", secrets.expose(Owner::EtcdPatroni)?)?;
    }
    Ok(out)
}

/// The `ctl:` section: the certificate that patronictl, and members among themselves, show to the REST API.
#[must_use]
pub fn ctl(lab: &Lab, cert: &str) -> String {
    if !lab.record.options.tls {
        return String::new();
    }
    let (ca, crt, key) = (lab.cert("ca"), lab.cert(cert), lab.key(cert));
    format!("ctl:\n  insecure: false\n  cacert: '{}'\n  certfile: '{}'\n  keyfile: '{}'\n", ca.display(), crt.display(), key.display())
}

/// The whole file. All paths in it are plain: the state directory's is checked before anything is written.
///
/// # Errors
/// When a password is missing.
pub fn yaml(lab: &Lab, secrets: &Secrets, member: &str) -> Result<String> {
    let options = &lab.record.options;
    let (name, ip) = (&lab.record.name, lab.ip(member));
    let node = lab.node_dir(member);
    let log = lab.log_dir(member);
    let (node, log) = (node.display(), log.display());

    let mut restapi = format!("restapi:\n  listen: {ip}:{REST}\n  connect_address: {ip}:{REST}\n");
    if options.auth {
        writeln!(restapi, "  authentication: {{username: patroni, password: '{}'}}", secrets.expose(Owner::Rest)?)?;
    }
    if options.tls {
        let (ca, crt, key) = (lab.cert("ca"), lab.cert(member), lab.key(member));
        let (ca, crt, key) = (ca.display(), crt.display(), key.display());
        writeln!(restapi, "  certfile: '{crt}'\n  keyfile: '{key}'\n  cafile: '{ca}'\n  verify_client: required")?;
    }
    let mut modes = String::new();
    if options.sync {
        modes.push_str("    synchronous_mode: true\n");
    }
    if options.failsafe {
        modes.push_str("    failsafe_mode: true\n");
    }
    let (etcd3, ctl) = (etcd3(lab, secrets, member)?, ctl(lab, member));
    let (ttl, loop_wait, retry_timeout) = (options.ttl, options.loop_wait, options.retry_timeout());
    // On loopback the kernel chooses 127.0.0.1 as the source whatever the target is.
    let net = format!("{}/24", lab.record.block);
    let bin = lab.record.tools.pg_bin.display();
    let (superuser, replicator, rewind) =
        (secrets.expose(Owner::Superuser)?, secrets.expose(Owner::Replicator)?, secrets.expose(Owner::Rewind)?);
    Ok(format!(
        "scope: {name}
namespace: /service/
name: {member}
log:
  dir: '{log}'
  level: INFO
  file_size: 10485760
  file_num: 2
{restapi}{etcd3}{ctl}bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: {loop_wait}
    retry_timeout: {retry_timeout}
    maximum_lag_on_failover: 1048576
{modes}    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        wal_level: replica
        hot_standby: 'on'
        wal_log_hints: 'on'
        max_connections: 60
        max_wal_senders: 20
        max_replication_slots: 20
        max_worker_processes: 4
        wal_keep_size: 64MB
        max_wal_size: 512MB
        # A client whose machine is lost keeps its locks for two minutes, not for the kernel's two hours.
        tcp_keepalives_idle: 60
        tcp_keepalives_interval: 10
        tcp_keepalives_count: 6
        archive_mode: 'on'
        archive_command: '{ARCHIVE_COMMAND}'
  initdb:
  - encoding: UTF8
  - locale: C.UTF-8
  - data-checksums
  - no-sync
postgresql:
  listen: {ip}:{POSTGRES}
  connect_address: {ip}:{POSTGRES}
  data_dir: '{node}/data'
  bin_dir: '{bin}'
  pgpass: '{node}/run/pgpass'
  authentication:
    superuser: {{username: postgres, password: '{superuser}'}}
    replication: {{username: replicator, password: '{replicator}'}}
    rewind: {{username: rewind, password: '{rewind}'}}
  basebackup:
  - checkpoint: fast
  - no-sync
  pg_hba:
  - local all all scram-sha-256
  - host all all 127.0.0.0/8 scram-sha-256
  - host all all {net} scram-sha-256
  - host replication replicator 127.0.0.0/8 scram-sha-256
  - host replication replicator {net} scram-sha-256
  parameters:
    unix_socket_directories: '{node}/run'
    # Below the data directory instead of /dev/shm, where a killed server would leave it.
    dynamic_shared_memory_type: mmap
    shared_buffers: 16MB
    huge_pages: 'off'
    logging_collector: 'on'
    log_directory: '{log}'
    log_filename: postgresql.log
    log_file_mode: '0644'
    log_rotation_age: 0
    log_line_prefix: '%m [%p] %q%u@%d/%a '
    log_checkpoints: 'on'
"
    ))
}

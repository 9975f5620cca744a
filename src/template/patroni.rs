//! Patroni's `patroni.yml`, with the cluster's first dynamic configuration in it.

use std::fmt::Write;

use secrecy::{ExposeSecret, SecretString};

use super::{Machine, Tls, comment, quoted, scheme};

/// Patroni of one node.
#[derive(Debug)]
pub struct Patroni<'a> {
    /// Patroni's scope.
    pub scope: &'a str,
    /// The node.
    pub machine: &'a Machine,
    /// Port of the REST API.
    pub rest_port: u16,
    /// Password of the REST API's user `patroni`, for whoever changes something.
    pub rest_password: Option<&'a SecretString>,
    /// What the REST API shows, and whom it believes.
    pub tls: Option<&'a Tls>,
    /// How it reaches etcd.
    pub etcd: Etcd3<'a>,
    /// Folder of its log and PostgreSQL's.
    pub log_dir: &'a str,
    /// How many old logs are kept.
    pub log_files: u8,
    /// Lease and patience.
    pub timing: Timing,
    /// `synchronous_mode`.
    pub synchronous: bool,
    /// `failsafe_mode`.
    pub failsafe: bool,
    /// PostgreSQL's parameters that are the same on all nodes.
    pub dynamic: &'a [Parameter<'a>],
    /// Whether a new PostgreSQL waits for the disk: only what may be thrown away goes without.
    pub sync_to_disk: bool,
    /// PostgreSQL's port.
    pub port: u16,
    /// PostgreSQL's data.
    pub data_dir: &'a str,
    /// PostgreSQL's programs.
    pub bin_dir: &'a str,
    /// Where Patroni writes a password file for its own connections.
    pub pgpass: &'a str,
    /// Patroni's three users.
    pub users: Users<'a>,
    /// Who may log in.
    pub hba: &'a [String],
    /// PostgreSQL's parameters of this node.
    pub parameters: &'a [Parameter<'a>],
    /// Patroni's `watchdog.mode`.
    pub watchdog: Option<&'a str>,
}

/// How etcd is reached.
#[derive(Debug)]
pub struct Etcd3<'a> {
    /// Its members.
    pub members: &'a [Machine],
    /// Their port.
    pub port: u16,
    /// What is shown to them.
    pub tls: Option<&'a Tls>,
    /// User and password.
    pub login: Option<(&'a str, &'a SecretString)>,
}

/// Seconds; `loop_wait` + 2 `retry_timeout` <= `ttl`.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long the leader key lasts.
    pub ttl: u32,
    /// Between two turns.
    pub loop_wait: u32,
    /// How long etcd and PostgreSQL are tried again.
    pub retry_timeout: u32,
}

/// Passwords of Patroni's users, and whose signature PostgreSQL's certificate must have.
#[derive(Debug)]
pub struct Users<'a> {
    /// `postgres`.
    pub superuser: &'a SecretString,
    /// `replicator`.
    pub replicator: &'a SecretString,
    /// `rewind`.
    pub rewind: &'a SecretString,
    /// The CA's certificate; `None`: no TLS is asked for.
    pub ca: Option<&'a str>,
}

/// A parameter of PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, as YAML would show it without quotes.
    pub value: &'a str,
}

/// Parameters from names and values.
#[must_use]
pub fn parameters<'a>(all: &[(&'a str, &'a str)]) -> Vec<Parameter<'a>> {
    all.iter().map(|(name, value)| Parameter { name, value }).collect()
}

/// What a parameter is there for.
const WHY: [(&str, &str); 14] = [
    ("wal_log_hints", "pg_rewind needs it, or data checksums: without, an old leader has to be copied anew after a failover."),
    ("max_connections", "More than all HAProxies together let through, with some left for Patroni, replication and you."),
    ("max_wal_senders", "Each replica takes one, and a base backup two more."),
    ("wal_keep_size", "A replica that was away finds its WAL for so long, though its slot is gone."),
    (
        "max_slot_wal_keep_size",
        "A slot that nobody reads keeps WAL until the disk is full, and a full disk stops the leader. This much, and the slot is given up instead.",
    ),
    ("archive_mode", "On from the start, because switching it on needs a restart."),
    (
        "archive_command",
        "Archives NOTHING and says it did. Put your backup's command here (pgBackRest, WAL-G): a failover is no backup, and repeats every mistake on all nodes.",
    ),
    ("unix_socket_directories", "Where `psql` on the node looks."),
    ("dynamic_shared_memory_type", "Below the data directory instead of /dev/shm, where a killed server would leave it."),
    ("ssl", "Sessions are encrypted, and pg_hba above lets in no other."),
    ("logging_collector", "PostgreSQL writes its own log; pgbaton asks it where."),
    ("log_truncate_on_rotation", "A file for each day of the week: the one of a week ago is written over."),
    ("log_line_prefix", "Time with milliseconds, process, user, database, application: Airflow's parts name themselves."),
    ("log_lock_waits", "Who waits for a lock longer than a second is written down, with whom they wait for."),
];

/// Whether YAML takes a word without quotes for what it is: a word, a number, or a number with a unit of PostgreSQL's. 0644 is none: it would be
/// read as octal.
fn is_plain(value: &str) -> bool {
    const WORDS: [&str; 9] = ["on", "off", "yes", "no", "true", "false", "null", "y", "n"];
    const UNITS: [&str; 9] = ["kB", "MB", "GB", "TB", "ms", "s", "min", "h", "d"];
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &value[..value.len() - unit.len()];
    if digits.is_empty() {
        // A dot at the beginning is that of `.inf`, a number.
        let word =
            value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.chars().all(|c| c.is_ascii_alphabetic() || "._".contains(c));
        return word && !WORDS.contains(&value.to_lowercase().as_str());
    }
    (digits == "0" || !digits.starts_with('0')) && (unit.is_empty() || UNITS.contains(&unit))
}

fn parameter_lines(lead: &str, parameters: &[Parameter<'_>]) -> String {
    let mut out = String::new();
    for Parameter { name, value } in parameters {
        if let Some((_, why)) = WHY.iter().find(|(known, _)| known == name) {
            out.push_str(&comment(lead, why));
        }
        let value = if is_plain(value) { (*value).to_owned() } else { quoted(value) };
        let _ = writeln!(out, "{lead}{name}: {value}");
    }
    out
}

impl Etcd3<'_> {
    /// The `etcd3:` section, which `patronictl.yaml` has as well.
    #[must_use]
    pub fn yaml(&self) -> String {
        let hosts: Vec<String> = self.members.iter().map(|m| quoted(&format!("{}:{}", m.address, self.port))).collect();
        let mut out = format!("etcd3:\n  hosts: [{}]\n  protocol: {}\n", hosts.join(", "), scheme(self.tls.is_some()));
        if let Some(Tls { ca, cert, key }) = self.tls {
            let _ = writeln!(out, "  cacert: {}\n  cert: {}\n  key: {}", quoted(ca), quoted(cert), quoted(key));
        }
        if let Some((user, password)) = self.login {
            let _ = writeln!(out, "  username: {user}\n  password: {}", quoted(password.expose_secret()));
        }
        out
    }
}

/// The `ctl:` section: the certificate that patronictl, and members among themselves, show to the REST API.
#[must_use]
pub fn ctl(tls: Option<&Tls>) -> String {
    tls.map_or(String::new(), |Tls { ca, cert, key }| {
        format!("ctl:\n  insecure: false\n  cacert: {}\n  certfile: {}\n  keyfile: {}\n", quoted(ca), quoted(cert), quoted(key))
    })
}

impl Patroni<'_> {
    /// The whole file.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut out = format!("scope: {}\nnamespace: /service/\nname: {}\n", self.scope, self.machine.name);
        let _ =
            write!(out, "log:\n  dir: {}\n  level: INFO\n  file_size: 10485760\n  file_num: {}\n", quoted(self.log_dir), self.log_files);
        out.push_str(&self.restapi());
        out.push_str(&self.etcd.yaml());
        out.push_str(&ctl(self.tls));
        out.push_str(&self.bootstrap());
        out.push_str(&self.postgresql());
        if let Some(mode) = self.watchdog {
            out.push_str(&comment(
                "",
                "The kernel's own clock: when Patroni hangs and its lease runs out, it restarts the machine before another leads. `automatic` does \
                 without where there is no device, and says so in Patroni's log; `required` then never leads. patroni.service loads the module.",
            ));
            let _ = writeln!(out, "watchdog:\n  mode: {}\n  device: /dev/watchdog\n  safety_margin: 5", quoted(mode));
        }
        out
    }

    fn restapi(&self) -> String {
        let at = format!("{}:{}", self.machine.address, self.rest_port);
        let mut out = format!("restapi:\n  listen: {at}\n  connect_address: {at}\n");
        if let Some(password) = self.rest_password {
            out.push_str(&comment("  ", "Asked of whoever wants to change something; looking is free, and HAProxy's checks only look."));
            let _ = writeln!(out, "  authentication: {{username: patroni, password: {}}}", quoted(password.expose_secret()));
        }
        if let Some(Tls { ca, cert, key }) = self.tls {
            let _ = writeln!(
                out,
                "  certfile: {}\n  keyfile: {}\n  cafile: {}\n  verify_client: required",
                quoted(cert),
                quoted(key),
                quoted(ca)
            );
        }
        out
    }

    fn bootstrap(&self) -> String {
        let Timing { ttl, loop_wait, retry_timeout } = self.timing;
        let mut out = comment(
            "",
            "Read once, when the cluster is made. Afterwards it lies in etcd and is the same for all: change it with `pgbaton edit-config`.",
        );
        out.push_str("bootstrap:\n  dcs:\n");
        out.push_str(&comment(
            "    ",
            &format!(
                "A leader that says nothing for {ttl} s has lost its lease, and another may lead. loop_wait + 2 * retry_timeout must fit in that: etcd \
                 and PostgreSQL are tried again for retry_timeout, and a leader that cannot renew must step down before its lease is over."
            ),
        ));
        let _ = write!(out, "    ttl: {ttl}\n    loop_wait: {loop_wait}\n    retry_timeout: {retry_timeout}\n");
        out.push_str(&comment("    ", "Bytes. A replica that is farther behind does not take over: what it lacks would be lost."));
        out.push_str("    maximum_lag_on_failover: 1048576\n");
        if self.synchronous {
            out.push_str(&comment(
                "    ",
                "A commit waits until one replica has it too, and only that one takes over: no commit that was confirmed is lost. With no replica left \
                 the leader goes on alone; synchronous_mode_strict would stop it instead.",
            ));
            out.push_str("    synchronous_mode: true\n");
        }
        if self.failsafe {
            out.push_str(&comment(
                "    ",
                "While etcd is away the leader goes on leading as long as it reaches all other members: an outage of etcd is then none of the database.",
            ));
            out.push_str("    failsafe_mode: true\n");
        }
        out.push_str("    postgresql:\n");
        out.push_str(&comment("      ", "An old leader is wound back to where it parted from the new one, instead of being copied anew."));
        out.push_str("      use_pg_rewind: true\n      use_slots: true\n      parameters:\n");
        out.push_str(&parameter_lines("        ", self.dynamic));
        out.push_str("  initdb:\n  - encoding: UTF8\n  - locale: C.UTF-8\n");
        out.push_str(&comment("  ", "A page that the disk has damaged is told, not handed out."));
        out.push_str("  - data-checksums\n");
        if !self.sync_to_disk {
            out.push_str("  - no-sync\n");
        }
        out
    }

    fn postgresql(&self) -> String {
        let at = format!("{}:{}", self.machine.address, self.port);
        let mut out = format!(
            "postgresql:\n  listen: {at}\n  connect_address: {at}\n  data_dir: {}\n  bin_dir: {}\n  pgpass: {}\n  authentication:\n",
            quoted(self.data_dir),
            quoted(self.bin_dir),
            quoted(self.pgpass)
        );
        let tls = self.users.ca.map_or(String::new(), |ca| format!(", sslmode: verify-ca, sslrootcert: {}", quoted(ca)));
        let users = [
            ("superuser", "postgres", self.users.superuser),
            ("replication", "replicator", self.users.replicator),
            ("rewind", "rewind", self.users.rewind),
        ];
        for (what, user, password) in users {
            let _ = writeln!(out, "    {what}: {{username: {user}, password: {}{tls}}}", quoted(password.expose_secret()));
        }
        out.push_str("  basebackup:\n  - checkpoint: fast\n");
        if !self.sync_to_disk {
            out.push_str("  - no-sync\n");
        }
        out.push_str("  pg_hba:\n");
        for line in self.hba {
            let _ = writeln!(out, "  - {line}");
        }
        out.push_str("  parameters:\n");
        out.push_str(&parameter_lines("    ", self.parameters));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_would_take_for_something_else_is_quoted() {
        let all = parameters(&[
            ("a", "on"),
            ("b", "64MB"),
            ("c", "/bin/true"),
            ("d", "it's"),
            ("e", "200"),
            ("f", ""),
            ("g", "0644"),
            ("h", "1e3"),
            ("i", "replica"),
            ("j", "a.log"),
            ("k", ".inf"),
        ]);
        assert_eq!(
            parameter_lines("", &all),
            "a: 'on'\nb: 64MB\nc: '/bin/true'\nd: 'it''s'\ne: 200\nf: ''\ng: '0644'\nh: '1e3'\ni: replica\nj: a.log\nk: '.inf'\n"
        );
    }
}

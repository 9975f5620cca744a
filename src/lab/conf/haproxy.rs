//! HAProxy's configuration, in the form that Patroni documents.

use std::fmt::Write;
use std::path::PathBuf;

use crate::lab::layout::{Lab, POSTGRES, READ, REST, STATS, WRITE};

/// HAProxy on one machine. The master process (`-W`) stays the same over reloads, so its pid can be written down.
#[must_use]
pub fn argv(lab: &Lab, proxy: &str) -> Vec<String> {
    vec![lab.record.tools.haproxy.to_string_lossy().into_owned(), "-W".into(), "-f".into(), path(lab, proxy).to_string_lossy().into_owned()]
}

/// The file of one HAProxy.
#[must_use]
pub fn path(lab: &Lab, proxy: &str) -> PathBuf {
    lab.node_dir(proxy).join("haproxy.cfg")
}

/// The part before the backends to PostgreSQL.
fn head(lab: &Lab, proxy: &str) -> String {
    let ip = lab.ip(proxy);
    let socket = lab.stats_socket(proxy);
    format!(
        "global
    maxconn 200
    nbthread 1
    node {proxy}
    log stdout format raw local0
    stats socket {} mode 660 level admin
    stats timeout 30s
    # After a reload the old process ends with its sessions, soon: practice wants to see what the new file does.
    hard-stop-after 2s
defaults
    log global
    mode tcp
    option tcplog
    option log-health-checks
    option clitcpka
    option srvtcpka
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s
listen stats
    mode http
    bind {ip}:{STATS}
    stats enable
    stats uri /
",
        socket.display()
    )
}

/// The whole file: writes go where `/primary` answers 200, reads where `/replica` does.
///
/// In the write backend a server takes longer to come up (4 checks, 1 s apart) than one needs to go down (2 checks), so
/// that an old and a new leader are never both up; with the 3 s of Patroni's sample they are, for 2 to 3 s.
#[must_use]
pub fn config(lab: &Lab, proxy: &str) -> String {
    let ip = lab.ip(proxy);
    let check = if lab.record.options.tls {
        format!(" check-ssl verify required ca-file {} crt {}", lab.cert("ca").display(), lab.dir.join("tls/haproxy.pem").display())
    } else {
        String::new()
    };
    let mut out = head(lab, proxy);
    let mut backend = |name: &str, port: u16, path: &str, timing: &str| {
        let _ = write!(
            out,
            "listen {name}
    bind {ip}:{port}
    option httpchk OPTIONS {path}
    http-check expect status 200
    default-server {timing} on-marked-down shutdown-sessions
"
        );
        for member in lab.members() {
            let _ = writeln!(out, "    server {member} {}:{POSTGRES} maxconn 50 check port {REST}{check}", lab.ip(&member));
        }
    };
    backend("pg_write", WRITE, "/primary", "inter 1s fastinter 500ms downinter 1s fall 2 rise 4");
    backend("pg_read", READ, "/replica", "inter 3s fastinter 1s downinter 1s fall 3 rise 2");
    out
}

/// A HAProxy that somebody "fixed" in a hurry: no checks, and all writes go to one fixed server.
#[must_use]
pub fn stale(lab: &Lab, proxy: &str, target: &str) -> String {
    let (ip, to) = (lab.ip(proxy), lab.ip(target));
    let mut out = head(lab, proxy);
    let _ = write!(out, "listen pg_write\n    bind {ip}:{WRITE}\n    server {target} {to}:{POSTGRES} maxconn 50\n");
    let _ = write!(out, "listen pg_read\n    bind {ip}:{READ}\n    server {target} {to}:{POSTGRES} maxconn 50\n");
    out
}

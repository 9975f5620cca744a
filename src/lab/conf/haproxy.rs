//! HAProxy's configuration.

use std::fmt::Write;
use std::path::PathBuf;

use crate::lab::layout::{Lab, POSTGRES, READ, REST, STATS, WRITE};
use crate::template::haproxy::Haproxy;

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

/// Uses the template with what a lab has: few sessions, one thread, a reload that ends the old sessions soon.
fn with<T>(lab: &Lab, proxy: &str, text: impl FnOnce(&Haproxy<'_>) -> T) -> T {
    let (ca, pem) = (lab.cert("ca").to_string_lossy().into_owned(), lab.dir.join("tls/haproxy.pem").to_string_lossy().into_owned());
    text(&Haproxy {
        machine: &lab.machine(proxy),
        members: &lab.machines(),
        maxconn: 200,
        server_maxconn: 50,
        threads: Some(1),
        global: &[
            "# After a reload the old process ends with its sessions, soon: practice wants to see what the new file does.",
            "hard-stop-after 2s",
        ],
        socket: &lab.stats_socket(proxy).to_string_lossy(),
        stats_port: STATS,
        legends: false,
        write_port: WRITE,
        read_port: READ,
        postgres_port: POSTGRES,
        rest_port: REST,
        tls: lab.record.options.tls.then_some((ca.as_str(), pem.as_str())),
        init_state: false,
    })
}

/// The whole file: writes go where `/primary` answers 200, reads where `/replica` does.
#[must_use]
pub fn config(lab: &Lab, proxy: &str) -> String {
    with(lab, proxy, |haproxy| haproxy.config())
}

/// A HAProxy that somebody "fixed" in a hurry: no checks, and all writes go to one fixed server.
#[must_use]
pub fn stale(lab: &Lab, proxy: &str, target: &str) -> String {
    let (ip, to) = (lab.ip(proxy), lab.ip(target));
    let mut out = with(lab, proxy, |haproxy| haproxy.head());
    let _ = write!(out, "listen pg_write\n    bind {ip}:{WRITE}\n    server {target} {to}:{POSTGRES} maxconn 50\n");
    let _ = write!(out, "listen pg_read\n    bind {ip}:{READ}\n    server {target} {to}:{POSTGRES} maxconn 50\n");
    out
}

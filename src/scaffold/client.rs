//! The files of a machine with HAProxy, and with Airflow where it runs there.

use anyhow::Result;

use super::files::{Draft, POSTGRES, READ, REST, SESSIONS, STATS, WRITE};
use super::inventory::{Client, Who};
use super::node::UNITS;
use crate::template::airflow::{self, Environment};
use crate::template::haproxy::Haproxy;
use crate::template::unit;

/// All files of one machine.
pub(super) fn files(draft: &mut Draft<'_>, client: &Client) -> Result<()> {
    let (inventory, machine) = (draft.inventory, &client.machine);
    let name = machine.name.as_str();
    let on = |path: &str| inventory.paths.on(name, path);
    let mut tls = None;
    if let Some(certificates) = draft.certificates {
        // HAProxy is only a client: of Patroni's checks.
        let signed = certificates.of(name, &[], &format!("{name}/etc/haproxy/tls"), "own")?;
        let ours = draft.certificate(name, "/etc/haproxy/tls", &signed)?;
        draft.secret(format!("{name}/etc/haproxy/tls/own.pem"), signed.both());
        tls = Some((ours.ca, on("/etc/haproxy/tls/own.pem")));
    }
    let haproxy = Haproxy {
        machine,
        members: &inventory.nodes,
        // The page's own sessions on top of those to PostgreSQL, which wait here when a server has all that it gets.
        maxconn: SESSIONS * 4,
        server_maxconn: SESSIONS,
        threads: None,
        global: &[],
        socket: &on("/run/haproxy/admin.sock"),
        stats_port: STATS,
        legends: true,
        write_port: WRITE,
        read_port: READ,
        postgres_port: POSTGRES,
        rest_port: REST,
        tls: tls.as_ref().map(|(ca, pem)| (ca.as_str(), pem.as_str())),
        init_state: inventory.versions.haproxy >= (3, 1),
    };
    draft.public(format!("{name}/etc/haproxy/haproxy.cfg"), haproxy.config());
    let file = on("/etc/haproxy/haproxy.cfg");
    draft.public(format!("{name}{UNITS}/haproxy.service"), unit::haproxy(&inventory.paths.haproxy, &file));
    if client.airflow.is_empty() {
        return Ok(());
    }
    let mut ca = None;
    if let Some(certificates) = draft.certificates {
        draft.public(format!("{name}/etc/airflow/ca.crt"), certificates.authority.certificate.clone());
        ca = Some(on("/etc/airflow/ca.crt"));
    }
    let environment = Environment {
        version: &inventory.versions.airflow,
        machine: name,
        address: &machine.address,
        port: WRITE,
        password: draft.passwords.of(Who::Airflow)?,
        ca: ca.as_deref(),
        home: &on("/var/lib/airflow"),
    };
    draft.private(format!("{name}/etc/airflow/airflow.env"), environment.text());
    let file = on("/etc/airflow/airflow.env");
    for program in &client.airflow {
        let text = unit::airflow(&inventory.paths.airflow, &airflow::words(program), &file);
        draft.public(format!("{name}{UNITS}/airflow-{program}.service"), text);
    }
    Ok(())
}

//! What is for whoever operates: pgbaton's own folder, the picture, and what to do with all of it.

use std::fmt::Write;

use anyhow::Result;
use secrecy::ExposeSecret;

use super::files::{Draft, ETCD, POSTGRES, READ, STATS, WRITE};
use super::inventory::{Client, Inventory, Who};
use crate::template::console::{Airflow, Console, Proxy, pgpass};
use crate::template::diagram::{Estate, Place};
use crate::template::patroni::{Etcd3, ctl};
use crate::template::{Tls, airflow, roles};

/// Where HAProxy's configuration is, and where pgbaton looks for it.
const PROXY: &str = "/etc/haproxy/haproxy.cfg";

/// The folder with pgbaton's configuration.
const FOLDER: &str = "console";

/// pgbaton's folder.
pub(super) fn files(draft: &mut Draft<'_>) -> Result<()> {
    let (inventory, passwords) = (draft.inventory, draft.passwords);
    // Paths beside the file: the folder can be put anywhere.
    let mut tls = None;
    if let Some(certificates) = draft.certificates {
        let signed = certificates.of("pgbaton", &[], FOLDER, "client")?;
        draft.public(format!("{FOLDER}/ca.crt"), certificates.authority.certificate.clone());
        draft.public(format!("{FOLDER}/client.crt"), signed.certificate.clone());
        draft.secret(format!("{FOLDER}/client.key"), signed.key.clone());
        tls = Some(Tls { ca: "ca.crt".into(), cert: "client.crt".into(), key: "client.key".into() });
    }
    let proxies: Vec<Proxy> = inventory
        .clients
        .iter()
        .map(|Client { machine, .. }| Proxy {
            name: machine.name.clone(),
            stats: format!("http://{}:{STATS}/", machine.address),
            write: format!("{}:{WRITE}", machine.address),
            read: format!("{}:{READ}", machine.address),
            admin: None,
            config: Some(inventory.paths.on(&machine.name, PROXY)).filter(|path| path != PROXY),
        })
        .collect();
    let host = inventory.clients.iter().find(|client| !client.airflow.is_empty()).map(|client| client.machine.name.as_str());
    let environment = inventory.paths.on(host.unwrap_or_default(), "/etc/airflow/airflow.env");
    let cli = format!("sudo -u airflow sh -c 'set -a; . {environment}; exec {} \"$@\"' airflow", inventory.paths.airflow);
    let console = Console {
        cluster: &inventory.cluster,
        members: &inventory.nodes,
        etcd_port: ETCD,
        etcd_login: None,
        tls: tls.as_ref(),
        rest_password: Some("rest-password"),
        passfile: "pgpass",
        postgres_ca: tls.as_ref().map(|tls| tls.ca.as_str()),
        proxies: &proxies,
        airflow: host.map(|host| Airflow { database: airflow::NAME, host, cli: &cli, api: None, health: &[] }),
        explained: true,
    };
    draft.public(format!("{FOLDER}/pgbaton.toml"), console.toml());
    draft.secret(format!("{FOLDER}/rest-password"), format!("{}\n", passwords.of(Who::Restapi)?.expose_secret()));
    let mut places: Vec<(String, u16)> = inventory.nodes.iter().map(|machine| (machine.address.clone(), POSTGRES)).collect();
    places.extend(inventory.clients.iter().flat_map(|c| [WRITE, READ].map(|port| (c.machine.address.clone(), port))));
    let users = [(roles::CONSOLE, passwords.of(Who::Pgbaton)?), (roles::OPERATOR, passwords.of(Who::Operator)?)];
    draft.secret(format!("{FOLDER}/pgpass"), pgpass(&places, &users));

    let etcd = Etcd3 { members: &inventory.nodes, port: ETCD, tls: tls.as_ref(), login: None };
    let mut patronictl = String::from("# For patronictl, in this folder: its paths are relative to where it is called.\n");
    let _ = write!(patronictl, "scope: {}\nnamespace: /service/\n{}{}", inventory.cluster, etcd.yaml(), ctl(tls.as_ref()));
    let password = passwords.of(Who::Restapi)?.expose_secret().replace('\'', "''");
    let _ = writeln!(patronictl, "restapi:\n  authentication: {{username: patroni, password: '{password}'}}");
    draft.private(format!("{FOLDER}/patronictl.yaml"), patronictl);
    Ok(())
}

/// The estate as a picture.
pub(super) fn diagram(draft: &mut Draft<'_>) {
    let inventory = draft.inventory;
    let place = |client: &'_ Client| {
        let airflow = client.airflow.iter().map(|program| format!("Airflow {program}"));
        airflow.chain([format!("HAProxy :{WRITE} writes, :{READ} reads")]).collect::<Vec<_>>()
    };
    let machines = inventory.clients.iter().map(|client| Place { machine: &client.machine, programs: place(client) }).collect();
    let programs = || vec!["Patroni".to_owned(), format!("PostgreSQL {}", inventory.versions.postgresql), "etcd".to_owned()];
    let nodes = inventory.nodes.iter().map(|machine| Place { machine, programs: programs() }).collect();
    let size = inventory.nodes.len();
    let notes = [
        match inventory.synchronous {
            true => "A commit waits until one replica has it too: a failover loses none.".to_owned(),
            false => "A commit does not wait for a replica: a failover can lose the last ones.".to_owned(),
        },
        format!("etcd has {size} members and can lose {}.", (size - 1) / 2),
        match inventory.tls {
            true => "etcd, Patroni and PostgreSQL speak TLS, with certificates of a private CA.".to_owned(),
            false => "Nothing is encrypted: who reaches etcd can appoint a leader.".to_owned(),
        },
    ];
    let estate = Estate { cluster: &inventory.cluster, machines, nodes, notes: &notes };
    draft.public("estate.svg", estate.svg());
}

/// What to do with all of it.
pub(super) fn readme(draft: &mut Draft<'_>) {
    draft.public("README.md", steps(draft.inventory));
}

fn names<'i>(all: impl Iterator<Item = &'i str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

fn steps(inventory: &Inventory) -> String {
    let Inventory { cluster, paths, versions, .. } = inventory;
    let nodes = names(inventory.nodes.iter().map(|machine| machine.name.as_str()));
    let clients = names(inventory.clients.iter().map(|client| client.machine.name.as_str()));
    let first = inventory.nodes.first().map_or("", |machine| machine.name.as_str());
    let on = |path: &str| paths.on("MACHINE", path);
    let mut out = format!(
        "# {cluster}\n\nWritten by `pgbaton scaffold`; `estate.svg` is the picture. A folder that is named after a machine holds files of that machine, at their\n\
         places from `/` on. Keep this folder itself off the machines: it has everybody's passwords.\n\n\
         ## In this order\n\n\
         A machine's files come there like this; folders that are there keep their owner and mode, and files with secrets stay closed:\n\n\
         ```sh\ntar -C MACHINE -c . | ssh root@MACHINE 'tar -C / -x --no-same-owner --no-overwrite-dir'\n```\n\n"
    );
    let _ = writeln!(
        out,
        "1. On {nodes}: packages of etcd, Patroni and PostgreSQL {major}, without what Debian starts by itself (`create_main_cluster = false` in \
         `/etc/postgresql-common/createcluster.conf`; `systemctl disable --now etcd`). Then the files, and there\n   \
         `chown -R etcd:etcd {etcd} && chown -R postgres:postgres {patroni} && systemctl daemon-reload`.\n\
         2. On all of them, at about the same time: `systemctl enable --now etcd`. It waits for a majority.\n\
         3. On {first}: `systemctl enable --now patroni`; when it leads, on the others. In `console/`, `patronictl -c patronictl.yaml list` shows them.\n\
         4. On the leader: `psql -h ADDRESS -U postgres -f roles.sql`, with its own address and that file, which holds passwords, copied there. The \
         superuser's password is in `secrets/superuser`, or where the inventory has it from.\n\
         5. On {clients}: the package of HAProxy, the files, `chown -R haproxy:haproxy {haproxy} && systemctl daemon-reload && systemctl enable --now haproxy`.",
        major = versions.postgresql,
        etcd = on("/etc/etcd"),
        patroni = on("/etc/patroni"),
        haproxy = on("/etc/haproxy"),
    );
    if inventory.has_airflow() {
        let _ = writeln!(
            out,
            "6. Airflow, on its machines: `chown airflow: {env}`; once, `airflow db migrate` with the variables of that file; on the leader \
             `psql -h ADDRESS -U postgres -d airflow -f airflow-grants.sql`; then `systemctl enable --now` each `airflow-*.service`.",
            env = on("/etc/airflow/airflow.env")
        );
    }
    out.push_str(
        "\nThen on the jump host, with `console/` as `~/.config/pgbaton`:\n\n```sh\npgbaton check     # OK\npgbaton           # the console\n```\n\n\
         ## Before it matters\n\n\
         - A switchover: `pgbaton switchover`. A failover: pull a plug, and look.\n\
         - `archive_command` archives nothing until you put your backup's there (`pgbaton edit-config`).\n\
         - The watchdog: Patroni's log says at its start whether it has one.\n",
    );
    if inventory.tls {
        out.push_str(
            "- Certificates last a year. From 30 days before the end on, `pgbaton scaffold` makes them anew; pgbaton warns by finding \
             `certificate-expiring`. `ca/ca.key` signs whatever the cluster believes: keep it where nobody works.\n",
        );
    }
    out
}

//! What tools outside the lab need to reach it: files in the lab's folder, and the lines of `lab env`.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;

use crate::lab::files::{self, PRIVATE, PUBLIC};
use crate::lab::layout::{DATABASE, ETCD, Lab, POSTGRES, PROXIES, RABBITS, READ, TARGET, WRITE};
use crate::lab::secrets::{Owner, Secrets};
use crate::template::console::{self, Airflow, Api, Console, Proxy};

use super::{airflow, haproxy, patroni, rabbitmq};

/// Writes `pgbaton.toml`, `patronictl.yaml`, `pgpass` and, with `--auth`, the password files for etcd.
///
/// # Errors
/// When a file cannot be written.
pub fn write(lab: &Lab, secrets: &Secrets) -> Result<()> {
    let owner = &lab.record.account;
    files::write(&lab.pgbaton_toml(), &pgbaton_toml(lab)?, PUBLIC, owner)?;
    files::write(&lab.patronictl_yaml(), &patronictl_yaml(lab, secrets)?, PRIVATE, owner)?;
    files::write(&lab.pgpass(), &pgpass(lab, secrets)?, PRIVATE, owner)?;
    if lab.record.options.auth {
        files::write(&lab.dir.join("etcd-password"), secrets.expose(Owner::EtcdConsole)?, PRIVATE, owner)?;
        files::write(&lab.dir.join("rest-password"), secrets.expose(Owner::Rest)?, PRIVATE, owner)?;
        let root = format!("root:{}", secrets.expose(Owner::EtcdRoot)?);
        files::write(&lab.dir.join("etcdctl-user"), &root, PRIVATE, owner)?;
    }
    Ok(())
}

fn pgbaton_toml(lab: &Lab) -> Result<String> {
    let options = &lab.record.options;
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let (etcd, rest, pgpass) = (path(lab.dir.join("etcd-password")), path(lab.dir.join("rest-password")), path(lab.pgpass()));
    // One by its page and one by its socket: the two ways tell different things (only the socket tells the servers' addresses), and practice
    // should show both.
    let proxies = PROXIES.map(|proxy| {
        let (ip, socket) = (lab.ip(proxy), format!("unix:{}", lab.stats_socket(proxy).display()));
        Proxy {
            name: proxy.to_owned(),
            stats: if proxy == "vm4" { socket.clone() } else { lab.stats_url(proxy) },
            write: format!("{ip}:{WRITE}"),
            read: format!("{ip}:{READ}"),
            admin: Some(socket),
            config: Some(path(haproxy::path(lab, proxy))),
        }
    });
    let cli = options.airflow.as_ref().map(|_| airflow::shell_command(lab)).transpose()?;
    let health = airflow::health(lab);
    let (api, password) = (airflow::api(lab), path(airflow::password(lab)));
    let api = api.as_ref().map(|url| Api { url, user: airflow::CONSOLE, password: &password });
    let tls = lab.tls("client");
    let console = Console {
        cluster: &lab.record.name,
        members: &lab.machines(),
        etcd_port: ETCD,
        etcd_login: options.auth.then_some(("pgbaton", etcd.as_str())),
        tls: tls.as_ref(),
        rest_password: options.auth.then_some(rest.as_str()),
        passfile: &pgpass,
        postgres_ca: None,
        proxies: &proxies,
        airflow: cli.as_ref().map(|cli| Airflow { database: airflow::DATABASE, host: PROXIES[0], cli, api, health: &health }),
        explained: false,
    };
    Ok(console.toml() + &target(lab) + &dags(lab) + &rabbitmq(lab) + &ssh_and_logs(lab))
}

/// What the practice tasks have done, on the other machine.
fn target(lab: &Lab) -> String {
    if lab.record.options.airflow.is_none() {
        return String::new();
    }
    format!("\n[clusters.{}.target]\nhost = {:?}\nledger = {:?}\n", lab.record.name, TARGET, airflow::target(lab))
}

/// The folder of the DAGs, where it is a mount of its own; the machines are one, and so is what they see.
fn dags(lab: &Lab) -> String {
    if !lab.record.dags_mounted {
        return String::new();
    }
    format!("\n[clusters.{}.dags]\npath = {:?}\nhosts = {PROXIES:?}\n", lab.record.name, airflow::dags(lab))
}

fn rabbitmq(lab: &Lab) -> String {
    if !lab.record.options.rabbitmq {
        return String::new();
    }
    let nodes: Vec<String> = RABBITS.iter().map(|node| format!("{node} = {:?}", lab.management_url(node))).collect();
    format!(
        "\n[clusters.{}.rabbitmq]\nnodes = {{ {} }}\nusername = {:?}\npassword = {{ file = {:?} }}\nqueues = [{:?}]\n",
        lab.record.name,
        nodes.join(", "),
        rabbitmq::CONSOLE,
        lab.dir.join("rabbitmq-password"),
        rabbitmq::QUEUE
    )
}

/// The nodes by their names in the lab's own configuration of OpenSSH, and the files that programs write which do not tell where. The nodes are one
/// machine, whose disk and memory are not the lab's: they are looked at on request only.
fn ssh_and_logs(lab: &Lab) -> String {
    let (name, dir) = (&lab.record.name, lab.dir.display());
    let mut out = format!("\n[clusters.{name}.ssh]\nconfig_file = {:?}\nhost = \"{{name}}\"\nfacts = false\n", lab.ssh_config());
    for program in ["patroni", "etcd", "haproxy"] {
        let file = format!("{dir}/{{name}}/log/{program}.log");
        let _ = write!(out, "\n[clusters.{name}.logs.{program}]\nfile = {file:?}\n");
    }
    out
}

fn patronictl_yaml(lab: &Lab, secrets: &Secrets) -> Result<String> {
    let mut out = format!("scope: {}\nnamespace: /service/\n", lab.record.name);
    out.push_str(&patroni::etcd3(lab, secrets, "client")?);
    out.push_str(&patroni::ctl(lab, "client"));
    if lab.record.options.auth {
        writeln!(out, "restapi:\n  authentication: {{username: patroni, password: '{}'}}", secrets.expose(Owner::Rest)?)?;
    }
    Ok(out)
}

fn pgpass(lab: &Lab, secrets: &Secrets) -> Result<String> {
    let users = [
        ("pgbaton", secrets.of(Owner::Console)?),
        ("pgbaton_operator", secrets.of(Owner::Operator)?),
        ("app", secrets.of(Owner::App)?),
        ("postgres", secrets.of(Owner::Superuser)?),
        ("replicator", secrets.of(Owner::Replicator)?),
        ("rewind", secrets.of(Owner::Rewind)?),
    ];
    let mut places: Vec<(String, u16)> = lab.members().iter().map(|m| (lab.ip(m).to_string(), POSTGRES)).collect();
    places.extend(PROXIES.iter().flat_map(|p| [(lab.ip(p).to_string(), WRITE), (lab.ip(p).to_string(), READ)]));
    Ok(console::pgpass(&places, &users))
}

/// Variables with which any tool reaches the lab, in the order in which `lab env` prints them. `Ok` values are plain; an
/// `Err` value is a shell expression, used where the plain value is a secret that must not be printed.
#[must_use]
pub fn variables(lab: &Lab, path: &str) -> Vec<(&'static str, Result<String, String>)> {
    let show = |p: PathBuf| Ok(p.to_string_lossy().into_owned());
    let endpoints: Vec<String> = lab.members().iter().map(|m| lab.etcd_url(m)).collect();
    let mut out = vec![
        ("PGBATON_CONFIG", show(lab.pgbaton_toml())),
        ("PGBATON_LAB_SSH_CONFIG", show(lab.ssh_config())),
        ("PATRONICTL_CONFIG_FILE", show(lab.patronictl_yaml())),
        ("ETCDCTL_API", Ok("3".to_owned())),
        ("ETCDCTL_ENDPOINTS", Ok(endpoints.join(","))),
    ];
    if lab.record.options.tls {
        out.push(("ETCDCTL_CACERT", show(lab.cert("ca"))));
        out.push(("ETCDCTL_CERT", show(lab.cert("client"))));
        out.push(("ETCDCTL_KEY", show(lab.key("client"))));
    }
    if lab.record.options.auth {
        out.push(("ETCDCTL_USER", Err(format!("\"$(cat {})\"", quote(&lab.dir.join("etcdctl-user").to_string_lossy())))));
    }
    let own = lab.record.tools.venv.join("bin");
    let pg_bin = lab.record.tools.pg_bin.display();
    let there = path.split(':').any(|p| std::path::Path::new(p) == own);
    let path = if there { path.to_owned() } else { format!("{}:{pg_bin}:{path}", own.display()) };
    out.extend([
        ("PGHOST", Ok(lab.ip(PROXIES[0]).to_string())),
        ("PGPORT", Ok(WRITE.to_string())),
        ("PGUSER", Ok("pgbaton".to_owned())),
        ("PGDATABASE", Ok("postgres".to_owned())),
        ("PGPASSFILE", show(lab.pgpass())),
        ("PATH", Ok(path)),
    ]);
    out
}

/// The lines that `lab env` prints, for `eval` in a POSIX shell.
#[must_use]
pub fn exports(lab: &Lab, path: &str) -> String {
    let mut out = String::new();
    for (name, value) in variables(lab, path) {
        let value = value.map_or_else(|expression| expression, |plain| quote(&plain));
        let _ = writeln!(out, "export {name}={value}");
    }
    let _ = writeln!(out, "# the application's database: psql -U app {DATABASE}");
    out
}

/// Single quotes around a word, for a POSIX shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn a_quote_in_a_path_does_not_end_the_word() {
        assert_eq!(quote("/a b/it's"), r"'/a b/it'\''s'");
    }
}

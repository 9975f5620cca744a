//! pgbaton's own configuration, and the password file beside it.

use std::fmt::Write;

use secrecy::{ExposeSecret, SecretString};

use super::{Machine, comment, scheme};

/// `pgbaton.toml` of one cluster. Paths are as the file is to have them: relative ones are relative to its folder.
#[derive(Debug)]
pub struct Console<'a> {
    /// The cluster's name, and Patroni's scope.
    pub cluster: &'a str,
    /// Its nodes.
    pub members: &'a [Machine],
    /// etcd's port.
    pub etcd_port: u16,
    /// etcd's user and the file with its password.
    pub etcd_login: Option<(&'a str, &'a str)>,
    /// The CA, and the certificate and key of a client.
    pub tls: Option<&'a super::Tls>,
    /// The file with the password of the REST API's user `patroni`.
    pub rest_password: Option<&'a str>,
    /// The password file for PostgreSQL.
    pub passfile: &'a str,
    /// The CA that signed PostgreSQL's certificates.
    pub postgres_ca: Option<&'a str>,
    /// The HAProxies.
    pub proxies: &'a [Proxy],
    /// Where Airflow is: its database, the host and the words of its own command.
    pub airflow: Option<Airflow<'a>>,
    /// What is said of itself.
    pub explained: bool,
}

/// A HAProxy.
#[derive(Debug)]
pub struct Proxy {
    /// Its machine.
    pub name: String,
    /// Its page or socket.
    pub stats: String,
    /// Where clients write and read.
    pub write: String,
    /// Where clients read.
    pub read: String,
    /// A socket of level admin that can be reached from here.
    pub admin: Option<String>,
    /// Its configuration file there, where that is not in the usual place.
    pub config: Option<String>,
}

/// Where Airflow is.
#[derive(Debug)]
pub struct Airflow<'a> {
    /// Its metadata's database.
    pub database: &'a str,
    /// Where its own command is run.
    pub host: &'a str,
    /// That command.
    pub cli: &'a str,
    /// Its API, where pools are frozen by that.
    pub api: Option<Api<'a>>,
    /// Its health endpoints.
    pub health: &'a [String],
}

/// Airflow's API.
#[derive(Debug)]
pub struct Api<'a> {
    /// Its URL, without what is behind the port.
    pub url: &'a str,
    /// Who changes pools there.
    pub user: &'a str,
    /// The file with the password.
    pub password: &'a str,
}

impl Console<'_> {
    /// The file.
    #[must_use]
    pub fn toml(&self) -> String {
        let name = self.cluster;
        let scheme = scheme(self.tls.is_some());
        let endpoints: Vec<String> = self.members.iter().map(|m| format!("\"{scheme}://{}:{}\"", m.address, self.etcd_port)).collect();
        let mut out = String::new();
        if self.explained {
            out.push_str(&comment(
                "",
                "For whoever operates: this folder as ~/.config/pgbaton on the jump host, readable for nobody else. Paths are relative to this file.\n\
                 `pgbaton config` shows what comes of it, `pgbaton check` whether all is well.",
            ));
        }
        let _ = write!(
            out,
            "default = \"{name}\"\n\n[clusters.{name}]\nscope = \"{name}\"\nnamespace = \"/service/\"\n\n[clusters.{name}.etcd]\nendpoints = [{}]\n",
            endpoints.join(", ")
        );
        if let Some((user, file)) = self.etcd_login {
            let _ = writeln!(out, "username = {user:?}\npassword = {{ file = {file:?} }}");
        }
        let tls =
            self.tls.map_or(String::new(), |tls| format!("cacert = {:?}\ncertfile = {:?}\nkeyfile = {:?}\n", tls.ca, tls.cert, tls.key));
        out.push_str(&tls);
        if self.tls.is_some() || self.rest_password.is_some() {
            let _ = write!(out, "\n[clusters.{name}.restapi]\n{tls}");
        }
        if let Some(file) = self.rest_password {
            let _ = writeln!(out, "username = \"patroni\"\npassword = {{ file = {file:?} }}");
        }
        let _ = write!(
            out,
            "\n[clusters.{name}.postgres]\nuser = {:?}\noperate_user = {:?}\ndbname = \"postgres\"\npassfile = {:?}\n",
            super::roles::CONSOLE,
            super::roles::OPERATOR,
            self.passfile
        );
        if let Some(ca) = self.postgres_ca {
            let _ = writeln!(out, "sslmode = \"verify-full\"\nsslrootcert = {ca:?}");
        }
        for Proxy { name: proxy, stats, write, read, admin, config } in self.proxies {
            let _ = write!(out, "\n[[clusters.{name}.haproxy]]\nname = {proxy:?}\nstats = {stats:?}\n");
            let _ = write!(out, "write_address = {write:?}\nread_address = {read:?}\n");
            if let Some(admin) = admin {
                let _ = writeln!(out, "admin_socket = {admin:?}");
            }
            if let Some(config) = config {
                let _ = writeln!(out, "config = {config:?}");
            }
        }
        if let Some(Airflow { database, host, cli, api, health }) = &self.airflow {
            let _ = write!(out, "\n[clusters.{name}.airflow]\ndatabase = {database:?}\ncli_host = {host:?}\ncli = {cli:?}\n");
            if let Some(Api { url, user, password }) = api {
                let _ = writeln!(out, "api = {url:?}\nusername = {user:?}\npassword = {{ file = {password:?} }}\npools_by = \"api\"");
            }
            if !health.is_empty() {
                let _ = writeln!(out, "health = {health:?}");
            }
        }
        out
    }
}

/// Lines of libpq's password file: for each user at each place. Signs that mean something there are escaped.
#[must_use]
pub fn pgpass(places: &[(String, u16)], users: &[(&str, &SecretString)]) -> String {
    let mut out = String::new();
    for (host, port) in places {
        for (user, password) in users {
            let password = password.expose_secret().replace('\\', "\\\\").replace(':', "\\:");
            let _ = writeln!(out, "{host}:{port}:*:{user}:{password}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_password_is_not_the_end_of_it() {
        assert_eq!(pgpass(&[("h".into(), 1)], &[("u", &r"a:b\c".into())]), "h:1:*:u:a\\:b\\\\c\n");
    }
}

//! `[[clusters.NAME.haproxy]]` of pgbaton.toml.

use super::diagnostic::{Diagnostic, quote, shown};
use super::draft::HaproxyDraft;
use super::endpoint::{split_host_port, without_user};
use super::node::Value;
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::profile::{AdminAddress, ClientAddress, HaproxyAddress};
use super::section::{Manner, Section, wrong_type};

const KEYS: [&str; 14] = [
    "name",
    "stats",
    "username",
    "password",
    "write",
    "read",
    "write_address",
    "read_address",
    "admin_socket",
    "config",
    "cacert",
    "certfile",
    "keyfile",
    "insecure",
];

impl Reader<'_> {
    /// `[[clusters.NAME.haproxy]]`, in the order of the file.
    pub fn haproxies(&mut self, table: &Section<'_>) -> Vec<HaproxyDraft> {
        let Some(node) = table.get("haproxy", self.out) else {
            return Vec::new();
        };
        let path = table.path("haproxy");
        let Value::List(items) = &node.value else {
            self.out.push(wrong_type(node, &path, "a list of tables").hint(format!("write [[{path}]], with two brackets")));
            return Vec::new();
        };
        let mut all: Vec<HaproxyDraft> = Vec::new();
        for item in items {
            let Some(one) = Section::of(item, path.as_str(), Manner::Strict, self.out) else {
                continue;
            };
            let Some(draft) = self.haproxy(&one) else {
                continue;
            };
            if all.iter().any(|other| other.name.value == draft.name.value) {
                self.out.push(
                    Diagnostic::new(draft.name.origin.clone(), format!("a second HAProxy is called {}", quote(&draft.name.value)))
                        .hint("give each a `name` of its own"),
                );
            }
            all.push(draft);
        }
        all
    }

    fn haproxy(&mut self, table: &Section<'_>) -> Option<HaproxyDraft> {
        table.only(&KEYS, self.out);
        let name = table.text("name", self.out);
        let username = table.text("username", self.out);
        let password = self.secret(table, "password");
        let tls = self.tls(table);
        let (write, read) = (table.text("write", self.out), table.text("read", self.out));
        let (write_address, read_address) = (self.client_address(table, "write_address"), self.client_address(table, "read_address"));
        let admin_socket = self.admin_socket(table);
        let config = table.text("config", self.out).filter(|path| self.absolute(path, &table.path("config")));
        let Some(text) = table.text("stats", self.out) else {
            if table.get("stats", &mut Vec::new()).is_none() {
                self.out.push(
                    Diagnostic::new(table.at.clone(), format!("{} is missing", quote(&table.path("stats"))))
                        .hint("stats = \"http://HOST:7000/\" or stats = \"unix:/run/haproxy.sock\""),
                );
            }
            return None;
        };
        let stats = match self.stats(&text.value) {
            Ok(stats) => Setting::new(stats, text.origin.clone()),
            Err(why) => {
                self.out.push(
                    Diagnostic::new(text.origin, why).hint("stats is \"http://HOST:PORT/PATH\", or \"unix:/PATH\" for a stats socket"),
                );
                return None;
            }
        };
        let name = name.unwrap_or_else(|| Setting::new(shown_name(&stats.value), stats.origin.clone()));
        Some(HaproxyDraft { name, stats, username, password, tls, write, read, write_address, read_address, admin_socket, config })
    }

    fn client_address(&mut self, table: &Section<'_>, key: &str) -> Option<Setting<ClientAddress>> {
        let text = table.text(key, self.out)?;
        match host_and_port(&text.value) {
            Ok(address) => Some(Setting::new(address, text.origin)),
            Err(why) => {
                self.out.push(Diagnostic::new(text.origin, why).hint(format!("{key} is \"HOST:PORT\", where clients connect")));
                None
            }
        }
    }

    fn admin_socket(&mut self, table: &Section<'_>) -> Option<Setting<AdminAddress>> {
        let text = table.text("admin_socket", self.out)?;
        let address = match (text.value.strip_prefix("unix:"), text.value.strip_prefix("tcp:")) {
            (Some(""), _) => Err("no path behind `unix:`".to_owned()),
            (Some(path), _) => Ok(AdminAddress::Unix(self.env.relative_to(self.path, path))),
            (None, Some(address)) => host_and_port(address).map(AdminAddress::Tcp),
            (None, None) => Err(format!("{} begins neither with `unix:` nor with `tcp:`", quote(&text.value))),
        };
        match address {
            Ok(address) => Some(Setting::new(address, text.origin)),
            Err(why) => {
                self.out.push(
                    Diagnostic::new(text.origin, why)
                        .hint("admin_socket is \"unix:/PATH\" or \"tcp:HOST:PORT\", a `stats socket` of level admin"),
                );
                None
            }
        }
    }

    fn stats(&self, text: &str) -> Result<HaproxyAddress, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err("no path behind `unix:`".into()),
                path => Ok(HaproxyAddress::Socket(self.env.relative_to(self.path, path))),
            };
        }
        let shown = quote(&without_user(text));
        let url = url::Url::parse(text).map_err(|_| format!("{shown} is neither a URL nor `unix:` and a path"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(format!("{shown} is neither an http URL nor `unix:` and a path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the URL carries a user name: use the keys `username` and `password`".into());
        }
        Ok(HaproxyAddress::Http(url.into()))
    }
}

/// `host:port`; no port is the usual one here.
fn host_and_port(text: &str) -> Result<ClientAddress, String> {
    // 0 is no port, so it cannot be the one that was written.
    match split_host_port(text, 0)? {
        (_, 0) => Err(format!("{} has no port", quote(text))),
        (host, port) => Ok(ClientAddress { host, port }),
    }
}

/// What an HAProxy without a name is called: its host, or its socket.
fn shown_name(stats: &HaproxyAddress) -> String {
    match stats {
        HaproxyAddress::Http(text) => url::Url::parse(text)
            .ok()
            .and_then(|url| {
                let port = url.port().map_or(String::new(), |p| format!(":{p}"));
                Some(format!("{}{port}", url.host_str()?))
            })
            .unwrap_or_else(|| text.clone()),
        HaproxyAddress::Socket(path) => shown(path),
    }
}

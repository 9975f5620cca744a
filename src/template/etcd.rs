//! etcd's options: as arguments for the practice cluster, as an environment file for systemd. etcd takes both alike.

use std::fmt::Write;

use super::{Machine, Tls, comment, scheme};

/// etcd of one machine.
#[derive(Debug)]
pub struct Etcd<'a> {
    /// The cluster it is of; the token keeps members of two clusters apart.
    pub cluster: &'a str,
    /// The machine.
    pub machine: &'a Machine,
    /// All of its cluster.
    pub members: &'a [Machine],
    /// Where clients connect.
    pub port: u16,
    /// Where the other members connect.
    pub peer_port: u16,
    /// Its data.
    pub data_dir: &'a str,
    /// What it shows, and whom it believes.
    pub tls: Option<&'a Tls>,
}

/// One option: its name, its value, what it is there for.
struct Setting {
    name: &'static str,
    value: String,
    why: &'static str,
}

impl Etcd<'_> {
    fn settings(&self) -> Vec<Setting> {
        let scheme = scheme(self.tls.is_some());
        let address = &self.machine.address;
        let peer = |machine: &Machine| format!("{scheme}://{}:{}", machine.address, self.peer_port);
        let client = format!("{scheme}://{address}:{}", self.port);
        let cluster: Vec<String> = self.members.iter().map(|m| format!("{}={}", m.name, peer(m))).collect();
        let mut all = Vec::new();
        let mut set = |name, value: String, why| all.push(Setting { name, value, why });
        set("name", self.machine.name.clone(), "");
        set(
            "data-dir",
            self.data_dir.to_owned(),
            "On a disk that is quick to sync: etcd waits for it with every write, and a leader whose disk hangs loses its lease.",
        );
        set("listen-client-urls", client.clone(), "Where Patroni and pgbaton ask.");
        set("advertise-client-urls", client, "");
        set("listen-peer-urls", peer(self.machine), "Where the other members talk to it.");
        set("initial-advertise-peer-urls", peer(self.machine), "");
        set(
            "initial-cluster",
            cluster.join(","),
            "All members. Read at the first start only; later members come and go by `etcdctl member`. A majority decides: three members can lose one.",
        );
        set("initial-cluster-token", format!("pgbaton-{}", self.cluster), "Keeps members of two clusters apart.");
        set(
            "initial-cluster-state",
            "new".to_owned(),
            "`existing` where a member is put in anew: with `new` and an empty disk it would begin a cluster of its own.",
        );
        set("logger", "zap".to_owned(), "Lines in JSON, which pgbaton's logs can read.");
        set(
            "auto-compaction-mode",
            "periodic".to_owned(),
            "Patroni writes every few seconds. Without this the history of all that grows until etcd takes no more writes.",
        );
        set("auto-compaction-retention", "1h".to_owned(), "");
        if let Some(Tls { ca, cert, key }) = self.tls {
            set("cert-file", cert.clone(), "What it shows to clients, and to the other members.");
            set("key-file", key.clone(), "");
            set("trusted-ca-file", ca.clone(), "");
            set("peer-cert-file", cert.clone(), "");
            set("peer-key-file", key.clone(), "");
            set("peer-trusted-ca-file", ca.clone(), "");
            set(
                "client-cert-auth",
                "true".to_owned(),
                "Who shows no certificate of this CA is let in neither as a client nor as a member.",
            );
            set("peer-client-cert-auth", "true".to_owned(), "");
        }
        all
    }

    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut out = Vec::new();
        for Setting { name, value, .. } in self.settings() {
            out.push(format!("--{name}"));
            // Go takes the value of a switch only behind `=`; being named is enough.
            if value != "true" {
                out.push(value);
            }
        }
        out
    }

    /// An environment file for its unit.
    #[must_use]
    pub fn environment(&self) -> String {
        let mut out = comment("", &format!("etcd on {}: the cluster's memory of who leads. Read by etcd.service.", self.machine.name));
        if self.tls.is_none() {
            out.push_str(&comment(
                "",
                "Without certificates anybody who reaches this port can appoint a leader: keep it closed to all but the members and pgbaton.",
            ));
        }
        for Setting { name, value, why } in self.settings() {
            if !why.is_empty() {
                let _ = write!(out, "\n{}", comment("", why));
            }
            let _ = writeln!(out, "ETCD_{}=\"{value}\"", name.to_uppercase().replace('-', "_"));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_file_say_the_same() {
        let members = [("a", "10.0.0.1"), ("b", "10.0.0.2")].map(|(name, address)| Machine { name: name.into(), address: address.into() });
        let tls = Tls { ca: "/ca".into(), cert: "/cert".into(), key: "/key".into() };
        let etcd =
            Etcd { cluster: "x", machine: &members[1], members: &members, port: 2379, peer_port: 2380, data_dir: "/data", tls: Some(&tls) };
        let arguments = etcd.arguments().join(" ");
        assert!(arguments.starts_with("--name b --data-dir /data --listen-client-urls https://10.0.0.2:2379 "), "{arguments}");
        assert!(arguments.ends_with("--client-cert-auth --peer-client-cert-auth"), "{arguments}");
        let file = etcd.environment();
        assert_eq!(file.lines().filter(|line| line.starts_with("ETCD_")).count(), etcd.settings().len());
        assert!(file.contains("ETCD_INITIAL_CLUSTER=\"a=https://10.0.0.1:2380,b=https://10.0.0.2:2380\"\n"), "{file}");
        assert!(file.contains("ETCD_CLIENT_CERT_AUTH=\"true\"\n"), "{file}");
    }
}

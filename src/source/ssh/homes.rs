//! Where PostgreSQL's and etcd's data lie on a node: by the configuration, by what PostgreSQL tells, by how the servers were started.

use std::collections::BTreeMap;

use super::host_answer::Home;
use super::site::Node;
use super::way::filled;
use crate::log::Program;
use crate::model::{PlaceKind, SourceError};

/// What is known of a node when the places are looked for.
pub(super) struct Known<'k> {
    /// The node.
    pub node: &'k Node,
    /// Patroni's scope.
    pub scope: &'k str,
    /// What the configuration says.
    pub folders: &'k BTreeMap<PlaceKind, String>,
    /// `data_directory`, or why PostgreSQL does not tell it.
    pub data_directory: Result<String, SourceError>,
    /// The answer of the script `homes`.
    pub answer: &'k str,
}

impl Known<'_> {
    /// The places that there are on this node.
    pub fn homes(&self) -> Vec<Home> {
        let mut homes = Vec::new();
        if self.node.programs.contains(&Program::Postgres) {
            let data = self.configured(PlaceKind::Data).map_or_else(|| self.data(), Ok);
            let within = || data.as_ref().map(|data| format!("{}/pg_wal", data.trim_end_matches('/'))).map_err(Clone::clone);
            let wal = self.configured(PlaceKind::Wal).map_or_else(within, Ok);
            homes.extend([(PlaceKind::Data, data), (PlaceKind::Wal, wal)]);
        }
        if self.node.programs.contains(&Program::Etcd) {
            homes.push((PlaceKind::Etcd, self.configured(PlaceKind::Etcd).map_or_else(|| self.etcd(), Ok)));
        }
        homes
    }

    fn configured(&self, kind: PlaceKind) -> Option<String> {
        let host = self.node.host.as_deref().unwrap_or_default();
        self.folders.get(&kind).map(|path| filled(path, &self.node.name, host))
    }

    fn data(&self) -> Result<String, String> {
        let error = match &self.data_directory {
            Ok(path) => return Ok(path.clone()),
            Err(error) => error,
        };
        let servers: Vec<Vec<&str>> = self.servers("postgres").collect();
        let ours = |words: &Vec<&str>| option(words, "--cluster_name") == Some(self.scope) && self.listens(words, "--listen_addresses");
        let found = only(&servers).or_else(|| only(&servers.iter().filter(|words| ours(words)).collect::<Vec<_>>()).copied());
        let path = found.and_then(|words| option(words, "-D")).filter(|path| path.starts_with('/'));
        path.map(str::to_owned)
            .ok_or_else(|| format!("where the data lies is not known: {}, and no server that runs tells it", error.message))
    }

    fn etcd(&self) -> Result<String, String> {
        let servers: Vec<Vec<&str>> = self.servers("etcd").collect();
        let ours = |words: &Vec<&str>| self.listens(words, "--listen-client-urls") || self.listens(words, "--advertise-client-urls");
        let found = only(&servers).or_else(|| only(&servers.iter().filter(|words| ours(words)).collect::<Vec<_>>()).copied());
        let by_file = || self.answer.lines().filter_map(|line| line.strip_prefix("etcd-dir ")).map(str::trim).next_back();
        let path = found.and_then(|words| option(words, "--data-dir").or_else(by_file)).filter(|path| path.starts_with('/'));
        path.map(str::to_owned).ok_or_else(|| "where etcd's data lies is not known: no server that runs tells it".to_owned())
    }

    /// The command lines of a program's servers, in words.
    fn servers<'s>(&'s self, program: &'s str) -> impl Iterator<Item = Vec<&'s str>> {
        let of = move |line: &'s str| line.strip_prefix(program).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        self.answer.lines().filter_map(of).map(|rest| rest.split_whitespace().collect())
    }

    /// Whether this server listens where this node does: several of them can run on one machine.
    fn listens(&self, words: &[&str], by: &str) -> bool {
        let host = self.node.host.as_deref().unwrap_or_default();
        let whole = |text: &str| text.split([',', '/']).any(|part| part == host || part.rsplit_once(':').is_some_and(|(h, _)| h == host));
        !host.is_empty() && option(words, by).is_some_and(whole)
    }
}

/// The only one there is.
fn only<T>(all: &[T]) -> Option<&T> {
    match all {
        [one] => Some(one),
        _ => None,
    }
}

/// What follows an option: `-D /data`, `--data-dir=/etcd`.
fn option<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    let spaced = words.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
    spaced.or_else(|| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('=')))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::ErrorKind;

    const ONE: &str =
        "postgres -D /pg/15 --config-file=/pg/15/postgresql.conf --listen_addresses=10.0.0.8 --cluster_name=psg\netcd --data-dir /e1";
    const MANY: &str = "\
postgres -D /a1 --listen_addresses=10.0.0.8 --port=5432 --cluster_name=psg
postgres -D /a2 --listen_addresses=10.0.0.9 --port=5432 --cluster_name=psg
postgres -D /b1 --listen_addresses=10.0.0.8 --port=5433 --cluster_name=other
etcd --name e1 --data-dir=/e1 --listen-client-urls http://10.0.0.8:2379 --initial-cluster e1=http://10.0.0.8:2380,e2=http://10.0.0.9:2380
etcd --name e2 --data-dir=/e2 --listen-client-urls http://10.0.0.9:2379 --initial-cluster e1=http://10.0.0.8:2380,e2=http://10.0.0.9:2380
";

    fn homes(answer: &str, sql: Option<&str>, folders: &[(PlaceKind, &str)]) -> Vec<Option<String>> {
        let programs = BTreeSet::from([Program::Patroni, Program::Postgres, Program::Etcd]);
        let node = Node { name: "psg1".into(), host: Some("10.0.0.8".into()), sql: None, programs };
        let folders = folders.iter().map(|(kind, path)| (*kind, (*path).to_owned())).collect();
        let data_directory = sql.map(str::to_owned).ok_or_else(|| SourceError::new(ErrorKind::Denied, "it may not be seen"));
        let homes = Known { node: &node, scope: "psg", folders: &folders, data_directory, answer }.homes();
        assert_eq!(homes.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [PlaceKind::Data, PlaceKind::Wal, PlaceKind::Etcd]);
        homes.into_iter().map(|(_, path)| path.ok()).collect()
    }

    fn paths(all: [&str; 3]) -> Vec<Option<String>> {
        all.iter().map(|path| Some((*path).to_owned()).filter(|path| !path.is_empty())).collect()
    }

    #[test]
    fn the_configuration_goes_before_postgresql_and_postgresql_before_the_node() {
        assert_eq!(homes(ONE, None, &[]), paths(["/pg/15", "/pg/15/pg_wal", "/e1"]));
        assert_eq!(homes(ONE, Some("/real/"), &[]), paths(["/real/", "/real/pg_wal", "/e1"]));
        let folders = [(PlaceKind::Wal, "/wal/{name}"), (PlaceKind::Etcd, "/e/{host}")];
        assert_eq!(homes(ONE, Some("/real"), &folders), paths(["/real", "/wal/psg1", "/e/10.0.0.8"]));
    }

    #[test]
    fn of_several_servers_on_a_machine_the_one_that_listens_here_counts() {
        assert_eq!(homes(MANY, None, &[]), paths(["/a1", "/a1/pg_wal", "/e1"]));
        let twice = format!("{MANY}postgres -D /c1 --listen_addresses=10.0.0.8 --cluster_name=psg\n");
        assert_eq!(homes(&twice, None, &[]), paths(["", "", "/e1"]), "nothing is guessed");
    }

    #[test]
    fn what_nobody_tells_is_not_known() {
        assert_eq!(homes("", None, &[]), paths(["", "", ""]));
        assert_eq!(homes("postgres -D data\netcd", None, &[]), paths(["", "", ""]));
        assert_eq!(homes("etcd\netcd-dir /var/lib/etcd/default\n", None, &[]), paths(["", "", "/var/lib/etcd/default"]));
        assert_eq!(homes("etcd-dir /var/lib/etcd/default\n", None, &[]), paths(["", "", ""]), "none runs there");
    }
}

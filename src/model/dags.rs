//! The folder with Airflow's DAGs, as each machine that mounts it sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hygiene::Hygiene;
use super::{Cluster, Lasting, Observed, SourceError, SourceKind, Space, Time};

/// What the configuration wants of the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagsWanted {
    /// The folder's path on the machines.
    pub path: String,
    /// Where its file system must be mounted.
    pub mount: String,
    /// From what it must be mounted, `vm2:/export/dags`; `None`: from anything.
    pub from: Option<String>,
}

/// One answer of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagsStatus {
    /// What it was asked for.
    pub wanted: DagsWanted,
    /// The mount that the path is under, by the kernel's table, for which nobody touches the disk; `None`: not told.
    pub mount: Option<DagsMount>,
    /// How the disk answers.
    pub disk: DagsDisk,
    /// The files, as they were counted last; counted less often than the disk is asked.
    pub files: Option<DagFiles>,
}

/// A line of the kernel's table of mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagsMount {
    /// Where it is mounted.
    pub at: String,
    /// From what: `vm2:/export/dags`.
    pub from: String,
    /// `nfs4`.
    pub fstype: String,
    /// `rw,hard,...`.
    pub options: String,
}

/// How the disk answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DagsDisk {
    /// It does.
    Answers(Space),
    /// Whoever has asked it waits, for so long by now.
    Hangs(Duration),
    /// It answers with an error: `Stale file handle`.
    Fails(String),
}

/// The DAG files (`*.py`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagFiles {
    /// When they were counted, by our clock.
    pub at: Time,
    /// How many.
    pub count: u64,
    /// The one that was changed last.
    pub newest: Option<DagFile>,
    /// A checksum over their names, sizes and times.
    pub digest: String,
}

/// A DAG file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DagFile {
    /// Its path in the folder.
    pub path: String,
    /// When it was changed, by the file server's clock.
    pub changed: Time,
}

/// The folder on all machines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dags {
    /// What each machine said, by its name.
    pub seen: BTreeMap<String, Observed<DagsStatus>>,
    /// Whether they see different files.
    pub differ: Lasting,
}

impl Dags {
    /// One that these machines are to be asked for.
    pub fn of(hosts: impl IntoIterator<Item = String>) -> Self {
        Self { seen: hosts.into_iter().map(|host| (host, Observed::default())).collect(), differ: Lasting::default() }
    }

    /// What a machine said, if that is current and the newest attempt did not fail.
    pub fn now(seen: &Observed<DagsStatus>, now: Time) -> Option<&DagsStatus> {
        seen.fresh(now, SourceKind::Dags.freshness()).filter(|_| seen.error().is_none())
    }

    /// The files as the machines see them now: of those on which the disk is mounted and answers, with a count that is current.
    pub fn files(&self, now: Time) -> impl Iterator<Item = (&str, &DagFiles)> {
        self.seen.iter().filter_map(move |(host, seen)| {
            let status = Self::now(seen, now)?;
            let files = status.files.as_ref().filter(|files| now.since(files.at) <= DAG_COUNT_FRESH)?;
            (matches!(status.disk, DagsDisk::Answers(_)) && status.mounted()?).then_some((host.as_str(), files))
        })
    }

    /// Whether all machines see the same files; `None`: fewer than two tell.
    pub fn same(&self, now: Time) -> Option<bool> {
        let files: Vec<&DagFiles> = self.files(now).map(|(_, files)| files).collect();
        let kinds: BTreeSet<&str> = files.iter().map(|files| files.digest.as_str()).collect();
        (files.len() > 1).then_some(kinds.len() == 1)
    }
}

impl DagsStatus {
    /// Whether it is mounted where it shall be, and from what; `None`: the machine does not tell.
    pub fn mounted(&self) -> Option<bool> {
        let mount = self.mount.as_ref()?;
        Some(mount.at == self.wanted.mount && self.wanted.from.as_ref().is_none_or(|from| *from == mount.from))
    }
}

impl Hygiene for DagsStatus {
    fn wash(&mut self) {
        let Self { wanted, mount, disk, files } = self;
        let DagsWanted { path, mount: wanted, from } = wanted;
        [path, wanted].into_iter().for_each(Hygiene::wash);
        from.wash();
        if let Some(DagsMount { at, from, fstype, options }) = mount {
            [at, from, fstype, options].into_iter().for_each(Hygiene::wash);
        }
        match disk {
            DagsDisk::Answers(Space { device: _, mount, size: _, free: _, available: _, inodes: _, inodes_free: _ }) => mount.wash(),
            DagsDisk::Hangs(_) => {}
            DagsDisk::Fails(why) => why.wash(),
        }
        if let Some(DagFiles { at: _, count: _, newest, digest }) = files {
            digest.wash();
            if let Some(DagFile { path, changed: _ }) = newest {
                path.wash();
            }
        }
    }
}

/// How old a count may be and still be compared, and be called current: it is made every 20 s, and may take as long.
pub const DAG_COUNT_FRESH: Duration = Duration::from_secs(60);

impl Cluster {
    /// The same, with the folder of the DAGs in it.
    #[must_use]
    pub fn with_dags(mut self, dags: Option<Dags>) -> Self {
        self.dags = dags;
        self
    }

    /// Takes in what a machine said of the folder.
    pub(super) fn dags_told(&mut self, host: &str, status: DagsStatus, at: Time, rtt: Option<Duration>) {
        let dags = self.dags.get_or_insert_default();
        dags.seen.entry(host.to_owned()).or_default().record(status, at, rtt);
        if let Some(same) = dags.same(at) {
            dags.differ.follow(!same, at);
        }
    }

    /// Takes in that a machine could not be asked for it.
    pub(super) fn dags_failed(&mut self, host: &str, error: SourceError, at: Time) {
        if let Some(seen) = self.dags.as_mut().and_then(|dags| dags.seen.get_mut(host)) {
            seen.fail(error, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn status(mount: &str, digest: &str, counted: Time) -> DagsStatus {
        let space = Space { device: 7, mount: mount.into(), size: 100, free: 50, available: 50, inodes: None, inodes_free: 0 };
        DagsStatus {
            wanted: DagsWanted { path: "/dags/airflow".into(), mount: "/dags".into(), from: None },
            mount: Some(DagsMount { at: mount.into(), from: "vm2:/dags".into(), fstype: "nfs4".into(), options: "rw".into() }),
            disk: DagsDisk::Answers(space),
            files: Some(DagFiles { at: counted, count: 1, newest: None, digest: digest.into() }),
        }
    }

    fn dags(statuses: &[(&str, DagsStatus)]) -> Dags {
        let mut dags = Dags::of(["vm1".to_owned(), "vm4".to_owned()]);
        for (host, status) in statuses {
            dags.seen.entry((*host).to_owned()).or_default().record(status.clone(), at(100), None);
        }
        dags
    }

    #[test]
    fn files_are_compared_only_where_the_disk_is_mounted_and_the_count_is_current() {
        let same = |one: DagsStatus, other: DagsStatus| dags(&[("vm1", one), ("vm4", other)]).same(at(100));
        let good = || status("/dags", "a", at(99));
        assert_eq!(same(good(), good()), Some(true));
        assert_eq!(same(good(), status("/dags", "b", at(99))), Some(false));
        assert_eq!(same(good(), status("/", "b", at(99))), None, "the folder below the mount is another one");
        assert_eq!(same(good(), status("/dags", "b", at(30))), None, "an old count");
        assert_eq!(same(good(), DagsStatus { disk: DagsDisk::Hangs(Duration::from_secs(2)), ..status("/dags", "b", at(99)) }), None);
        assert_eq!(dags(&[("vm1", good())]).same(at(100)), None, "nobody to compare with");
        assert_eq!(dags(&[("vm1", good()), ("vm4", good())]).same(at(130)), None, "nothing current");
    }

    #[test]
    fn mounted_means_where_and_from_what_it_is_wanted() {
        let mut good = status("/dags", "a", at(99));
        assert_eq!(good.mounted(), Some(true));
        assert_eq!(status("/", "a", at(99)).mounted(), Some(false));
        assert_eq!(DagsStatus { mount: None, ..good.clone() }.mounted(), None);
        good.wanted.from = Some("vm2:/dags".into());
        assert_eq!(good.mounted(), Some(true));
        good.wanted.from = Some("vm9:/dags".into());
        assert_eq!(good.mounted(), Some(false));
    }
}

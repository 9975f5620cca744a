//! What a node tells of itself over ssh: its disks, its load, its memory, its units, who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ClockSkew, Cluster, Observed, Recent, SourceKind, SpaceTrend, Time};

/// How old what a host said of itself may be and still be called current.
const FRESH: Duration = SourceKind::Host.freshness();

/// One answer of a node. What it could not tell is `None`: nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostStatus {
    /// The file systems that matter, one for each place.
    pub places: Vec<Place>,
    /// Processes that run or wait, averaged over 1, 5 and 15 minutes (`/proc/loadavg`).
    pub load: Option<[f64; 3]>,
    /// Processors in use (`nproc`).
    pub cpus: Option<u32>,
    /// Memory (`MemTotal`), bytes.
    pub memory: Option<u64>,
    /// What of it programs could have without swapping (`MemAvailable`), bytes.
    pub memory_available: Option<u64>,
    /// Swap in use, bytes; 0 also where there is no swap.
    pub swap_used: Option<u64>,
    /// Processes that the kernel has killed for want of memory since the boot (`oom_kill` of `/proc/vmstat`, kernel 4.13 and later).
    pub oom_kills: Option<u64>,
    /// The id of the boot: another one after each.
    pub boot: Option<String>,
    /// Time since the boot.
    pub uptime: Option<Duration>,
    /// Whether the node itself takes its clock for synchronised (`timedatectl`).
    pub synchronized: Option<bool>,
    /// The units of Patroni, PostgreSQL, etcd and HAProxy that systemd has loaded; `None`: there is no systemd to ask.
    pub units: Option<Vec<Unit>>,
    /// Who is logged in (`who`); our own connection is not among them, as it has no terminal. `None`: there is no `who`.
    pub logins: Option<Vec<Login>>,
}

/// What is kept in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PlaceKind {
    /// PostgreSQL's data directory.
    Data,
    /// Its WAL: the folder `pg_wal`, which may lead elsewhere.
    Wal,
    /// etcd's data directory.
    Etcd,
}

impl PlaceKind {
    /// In a sentence: `PostgreSQL's data`.
    pub fn told(self) -> &'static str {
        match self {
            Self::Data => "PostgreSQL's data",
            Self::Wal => "WAL",
            Self::Etcd => "etcd's data",
        }
    }
}

/// A place, and the file system under it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What is kept there.
    pub kind: PlaceKind,
    /// Its path on the node, if that is known.
    pub path: Option<String>,
    /// The file system, or why nothing is known of it.
    pub space: Result<Space, String>,
}

/// A file system. Places with the same device share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The device's number, as `stat` prints it.
    pub device: u64,
    /// Where it is mounted.
    pub mount: String,
    /// Its size, bytes.
    pub size: u64,
    /// Bytes that nothing is stored in.
    pub free: u64,
    /// Bytes that users other than root can still fill: PostgreSQL's limit.
    pub available: u64,
    /// Files that it can hold; `None`: it has no such limit.
    pub inodes: Option<u64>,
    /// How many more.
    pub inodes_free: u64,
}

impl Space {
    /// What of it is available, as a share of what users could fill: the complement of what `df` tells in percent. `None`: of size 0.
    pub fn share(&self) -> Option<f64> {
        let all = self.size.saturating_sub(self.free).saturating_add(self.available);
        (all > 0).then(|| self.available as f64 / all as f64)
    }

    /// What of its inodes is free, as a share.
    pub fn inode_share(&self) -> Option<f64> {
        self.inodes.filter(|all| *all > 0).map(|all| self.inodes_free as f64 / all as f64)
    }
}

/// A unit of systemd's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name, `patroni.service`.
    pub name: String,
    /// systemd's word: `active`, `inactive`, `failed`, `activating`.
    pub state: String,
    /// The finer one: `running`, `exited`, `dead`, `auto-restart`.
    pub sub: String,
    /// How its last run ended: `success`, `exit-code`, `oom-kill`.
    pub result: String,
    /// Time since its state changed.
    pub changed_ago: Option<Duration>,
    /// How often systemd has started it again by itself, since somebody last started it.
    pub restarts: Option<u32>,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Who.
    pub user: String,
    /// At which terminal.
    pub terminal: String,
    /// From where, if that is told.
    pub from: Option<String>,
    /// Since when, as `who` prints it, in the node's time.
    pub since: String,
}

/// A rise of the kernel's count of killed processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OomRise {
    /// How many there were before the first of them that was seen.
    pub before: u64,
    /// How many there are now.
    pub now: u64,
    /// Between this moment ...
    pub after: Time,
    /// ... and this one the newest was killed.
    pub until: Time,
}

/// A node, as it describes itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Host {
    /// What it said.
    pub seen: Observed<HostStatus>,
    /// How its clock was.
    pub clock: Recent<ClockSkew>,
    /// How the space on its file systems has changed, by their devices.
    pub trends: BTreeMap<u64, SpaceTrend>,
    /// The kernel has killed while we looked.
    pub oom: Option<OomRise>,
}

impl Host {
    /// What it said, if that is current and the newest attempt did not fail.
    pub fn status_now(&self, now: Time) -> Option<&HostStatus> {
        self.seen.fresh(now, FRESH).filter(|_| self.seen.error().is_none())
    }

    /// How its clock was over the newest readings, if it has told it lately.
    pub fn clock_now(&self, now: Time) -> Option<&Recent<ClockSkew>> {
        let fresh = self.clock.at().is_some_and(|at| now.since(at) <= FRESH);
        (fresh && self.status_now(now).is_some()).then_some(&self.clock)
    }

    fn hear(&mut self, status: HostStatus, at: Time, rtt: Option<Duration>) {
        let spaces: BTreeMap<u64, &Space> = status.places.iter().filter_map(|p| p.space.as_ref().ok()).map(|s| (s.device, s)).collect();
        // A file system that cannot be read now is the same when it can be again.
        if status.places.iter().all(|place| place.space.is_ok()) {
            self.trends.retain(|device, _| spaces.contains_key(device));
        }
        for (device, space) in spaces {
            self.trends.entry(device).or_default().record(space, at);
        }
        self.oom = self.oom_after(&status, at);
        self.seen.record(status, at, rtt);
    }

    /// The rise of the kernel's count, with what this answer adds to it. It begins anew with each boot.
    fn oom_after(&self, status: &HostStatus, at: Time) -> Option<OomRise> {
        let (last, last_at) = self.seen.last().zip(self.seen.at())?;
        if last.boot != status.boot {
            return None;
        }
        let (Some(before), Some(now)) = (last.oom_kills, status.oom_kills) else { return self.oom };
        match self.oom {
            _ if now <= before => self.oom,
            Some(rise) => Some(OomRise { now, after: last_at, until: at, ..rise }),
            None => Some(OomRise { before, now, after: last_at, until: at }),
        }
    }
}

impl Cluster {
    /// Takes in what a node said of itself.
    pub(super) fn host_told(&mut self, node: &str, status: HostStatus, at: Time, rtt: Option<Duration>) {
        self.hosts.entry(node.to_owned()).or_default().hear(status, at, rtt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn killed(boot: &str, kills: Option<u64>) -> HostStatus {
        HostStatus { boot: Some(boot.to_owned()), oom_kills: kills, ..HostStatus::default() }
    }

    #[test]
    fn what_the_kernel_killed_before_we_looked_is_no_rise() {
        let mut host = Host::default();
        host.hear(killed("a", Some(3)), at(0), None);
        host.hear(killed("a", Some(3)), at(10), None);
        assert_eq!(host.oom, None);
        host.hear(killed("a", Some(4)), at(20), None);
        assert_eq!(host.oom, Some(OomRise { before: 3, now: 4, after: at(10), until: at(20) }));
        host.hear(killed("a", None), at(30), None);
        host.hear(killed("a", Some(6)), at(40), None);
        assert_eq!(host.oom.map(|rise| rise.now), Some(4), "what was not told is not compared");
        host.hear(killed("a", Some(7)), at(50), None);
        assert_eq!(host.oom, Some(OomRise { before: 3, now: 7, after: at(40), until: at(50) }));
    }

    #[test]
    fn a_boot_begins_the_count_anew() {
        let mut host = Host::default();
        host.hear(killed("a", Some(3)), at(0), None);
        host.hear(killed("a", Some(4)), at(10), None);
        host.hear(killed("b", Some(9)), at(20), None);
        assert_eq!(host.oom, None);
    }

    #[test]
    fn roots_reserve_is_nobody_elses() {
        let space = Space { device: 1, mount: "/".into(), size: 1000, free: 150, available: 50, inodes: Some(100), inodes_free: 7 };
        assert_eq!((space.share(), space.inode_share()), (Some(50.0 / 900.0), Some(0.07)));
        let odd = Space { size: 0, free: 0, available: 0, inodes: None, ..space };
        assert_eq!((odd.share(), odd.inode_share()), (None, None));
    }
}

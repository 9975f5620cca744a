//! Finding every process of a lab, whether it was recorded or not.

use std::collections::BTreeMap;
use std::path::Path;

use super::procfs::{self, ProcId};

/// Variable in the environment of everything that a lab starts; its value is the lab's folder. Never exported by `lab env`.
pub const MARKER: &str = "PGBATON_LAB_PROCESS";

/// How a process was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By [`MARKER`].
    Marked,
    /// By running `postgres` with a working directory in the lab: Patroni starts it with an environment of its own.
    Postgres,
}

/// The lab's processes, by id. Zombies and this process itself are left out.
#[must_use]
pub fn processes(dir: &Path) -> BTreeMap<ProcId, Kind> {
    let me = std::process::id().cast_signed();
    let mut found = BTreeMap::new();
    for pid in procfs::pids() {
        if pid == me {
            continue;
        }
        let Some(id) = ProcId::of(pid).filter(|id| id.is_alive()) else { continue };
        if id.env(MARKER).is_some_and(|value| Path::new(&value) == dir) {
            found.insert(id, Kind::Marked);
        } else if is_postgres(id) && id.cwd().is_some_and(|cwd| cwd.starts_with(dir)) {
            found.insert(id, Kind::Postgres);
        }
    }
    found
}

/// A member's PostgreSQL processes: the postmaster and its children.
#[must_use]
pub fn postgres(data_dir: &Path) -> Vec<ProcId> {
    let alive = procfs::pids().into_iter().filter_map(ProcId::of).filter(|id| id.is_alive());
    alive.filter(|id| is_postgres(*id) && id.cwd().as_deref() == Some(data_dir)).collect()
}

/// A member's postmaster: the PostgreSQL process there whose parent is not one of them.
#[must_use]
pub fn postmaster(data_dir: &Path) -> Option<ProcId> {
    let all = postgres(data_dir);
    let is_child = |id: &ProcId| procfs::stat(id.pid).is_some_and(|s| all.iter().any(|o| o.pid == s.ppid));
    all.iter().copied().find(|id| !is_child(id))
}

/// `/proc/PID/exe` of a program that was upgraded meanwhile ends in ` (deleted)`.
fn is_postgres(id: ProcId) -> bool {
    let Some(exe) = id.exe() else { return false };
    exe.file_name().is_some_and(|n| n.to_string_lossy().split(' ').next() == Some("postgres"))
}

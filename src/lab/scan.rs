//! Finding every process of a lab, whether it was recorded or not.

use std::collections::BTreeSet;
use std::path::Path;

use super::process;
use super::procfs::{self, ProcId};

/// Variable in the environment of everything that a lab starts; its value is the lab's folder. Never exported by `lab env`.
pub const MARKER: &str = "PGBATON_LAB_PROCESS";

/// The lab's processes: whatever carries the marker, its PostgreSQLs, its sshds, what was written down when it was started,
/// and the children of all these. Zombies and this process itself are left out.
#[must_use]
pub fn processes(dir: &Path) -> BTreeSet<ProcId> {
    let me = std::process::id().cast_signed();
    let alive: Vec<(ProcId, i32)> = procfs::pids()
        .into_iter()
        .filter(|pid| *pid != me)
        .filter_map(|pid| procfs::stat(pid).map(|s| (ProcId { pid, start: s.start }, s.ppid)))
        .filter(|(id, _)| id.is_alive())
        .collect();
    let recorded: BTreeSet<ProcId> = process::started(dir).iter().filter(|s| s.is_alive()).map(|s| s.id).collect();
    let found: BTreeSet<ProcId> = alive
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| {
            recorded.contains(id)
                || id.env(MARKER).is_some_and(|value| Path::new(&value) == dir)
                || is_postgres(*id) && id.cwd().is_some_and(|cwd| cwd.starts_with(dir))
                || is_sshd(*id, dir)
        })
        .collect();
    // An ssh session carries no mark any more, but it is a child of one that was found.
    with_children(found, &alive)
}

/// A process, its children, and theirs.
#[must_use]
pub fn tree(root: ProcId) -> BTreeSet<ProcId> {
    let alive: Vec<(ProcId, i32)> =
        procfs::pids().into_iter().filter_map(|pid| procfs::stat(pid).map(|stat| (ProcId { pid, start: stat.start }, stat.ppid))).collect();
    with_children(BTreeSet::from([root]), &alive)
}

/// With their children, and theirs.
fn with_children(mut found: BTreeSet<ProcId>, alive: &[(ProcId, i32)]) -> BTreeSet<ProcId> {
    loop {
        let before = found.len();
        let children: Vec<ProcId> = alive.iter().filter(|(_, ppid)| found.iter().any(|f| f.pid == *ppid)).map(|(id, _)| *id).collect();
        found.extend(children);
        if found.len() == before {
            return found;
        }
    }
}

/// sshd writes its title over its environment, so the marker is gone; the title names its configuration.
fn is_sshd(id: ProcId, dir: &Path) -> bool {
    let config = format!(" -f {}/", dir.display());
    runs(id, "sshd") && id.argv().join(" ").contains(&config)
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

/// The Erlang in which a node of RabbitMQ runs. It is a child of the script that was started; its environment names the node's own files.
#[must_use]
pub fn erlang(node_dir: &Path) -> Option<ProcId> {
    let config = node_dir.join("rabbitmq.conf");
    let alive = procfs::pids().into_iter().filter_map(ProcId::of).filter(|id| id.is_alive());
    let of_node = |id: &ProcId| id.env("RABBITMQ_CONFIG_FILE").is_some_and(|file| Path::new(&file) == config);
    // Its own commands are Erlang too.
    let serves = |id: &ProcId| id.argv().windows(3).any(|words| words == ["-s", "rabbit", "boot"]);
    alive.filter(|id| runs(*id, "beam.smp")).find(|id| of_node(id) && serves(id))
}

/// Whether a process is a server of PostgreSQL.
#[must_use]
pub fn is_postgres(id: ProcId) -> bool {
    runs(id, "postgres")
}

/// `/proc/PID/exe` of a program that was upgraded meanwhile ends in ` (deleted)`.
fn runs(id: ProcId, program: &str) -> bool {
    let Some(exe) = id.exe() else { return false };
    exe.file_name().is_some_and(|n| n.to_string_lossy().split(' ').next() == Some(program))
}

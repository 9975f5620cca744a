//! Ending a lab: every process, then its network, then its folder. Safe to repeat, whatever an earlier command left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::files;
use super::mounts;
use super::netns;
use super::place::{DirLock, Place};
use super::procfs::ProcId;
use super::record::{self, Phase, Record};
use super::scan;
use super::wait::{self, NotYet};

/// What `down` did.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was no lab of that name.
    NotThere,
    /// It is gone; so many processes were ended.
    Gone(usize),
}

/// Ends the lab and removes its folder; the state directory too, if nothing else is in it.
///
/// # Errors
/// When another pgbaton works on it, or a process or file resists.
pub async fn down(place: &Place) -> Result<Outcome> {
    let dir = place.dir();
    if !dir.is_dir() {
        // Its folder may have been removed by hand; its processes and its network are found all the same.
        mounts::remove(&dir)?;
        let ended = end_processes(&dir).await?;
        netns::remove(&dir)?;
        return Ok(if ended == 0 { Outcome::NotThere } else { Outcome::Gone(ended) });
    }
    let lock = DirLock::take(&dir, Duration::from_secs(20)).await?;
    let ended = clear(&dir).await?;
    drop(lock);
    let _ = fs::remove_dir(&place.base);
    Ok(Outcome::Gone(ended))
}

/// Ends a lab's processes and removes its folder; the caller holds the folder's lock.
///
/// # Errors
/// When the folder is not a lab's, or a process or file resists.
pub async fn clear(dir: &Path) -> Result<usize> {
    check_is_lab(dir)?;
    if let Ok(mut record) = Record::load(dir) {
        record.phase = Phase::Stopping;
        record.save(dir)?;
    }
    // Who waits for a disk that hangs ends only when that has ended.
    mounts::remove(dir)?;
    let ended = end_processes(dir).await?;
    netns::remove(dir)?;
    release_shared_memory(dir);
    // The record goes last: a `down` that is killed here is repeated with all it needs.
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for path in entries.flatten().map(|e| e.path()).filter(|p| p.file_name().is_none_or(|n| n != record::FILE)) {
        if path.is_dir() && !path.is_symlink() {
            files::remove_tree(&path)?;
        } else {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    files::remove_tree(dir)?;
    // A program that was being started while `up` was killed becomes visible only now, with its folder gone.
    Ok(ended + end_processes(dir).await?)
}

/// Refuses to remove a folder that no lab made: `--state-dir /` with a fitting name must do no harm.
fn check_is_lab(dir: &Path) -> Result<()> {
    if dir.join(record::FILE).is_file() {
        return Ok(());
    }
    // `up` was killed after it made the folder and before it wrote the record, which is made under a temporary name.
    let temp = files::neighbour(&dir.join(record::FILE));
    let mut entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    if entries.any(|e| e.map_or(true, |e| e.path() != temp)) {
        bail!("{} is not a lab's folder: it has no {} but other files; nothing was removed", dir.display(), record::FILE);
    }
    Ok(())
}

/// Ends every process of a folder; returns how many there were.
///
/// # Errors
/// When one is still there after SIGKILL and ten seconds.
pub async fn end_processes(dir: &Path) -> Result<usize> {
    // A child may lose its parent, and with it the sign that it belongs here: every process seen once is ended.
    let mut seen = scan::processes(dir);
    // First whoever would start others again.
    for id in seen.iter().filter(|id| id.argv().iter().any(|a| a.ends_with("/bin/patroni"))) {
        send(*id, Signal::KILL)?;
    }
    for id in &seen {
        // Only PostgreSQL holds something outside the folder, its shared memory, and SIGQUIT lets it go without a
        // checkpoint. The others' data goes too; etcd would spend seconds on handing its leadership to the dying.
        send(*id, if scan::is_postgres(*id) { Signal::QUIT } else { Signal::KILL })?;
        // A stopped process acts on a signal only when it runs again.
        send(*id, Signal::CONT)?;
    }
    if all_gone(dir, &mut seen, 3, None).await.is_err() {
        all_gone(dir, &mut seen, 10, Some(Signal::KILL)).await.context("processes of the lab do not end")?;
    }
    Ok(seen.len())
}

/// Waits until every process that was seen is gone and no new one is found, sending a signal each time round.
async fn all_gone(dir: &Path, seen: &mut BTreeSet<ProcId>, seconds: u64, signal: Option<Signal>) -> Result<()> {
    wait::until(Duration::from_secs(seconds), Duration::from_millis(50), async || {
        seen.extend(scan::processes(dir));
        let left: Vec<ProcId> = seen.iter().copied().filter(|id| id.is_alive()).collect();
        for id in &left {
            if let Some(signal) = signal {
                send(*id, signal).map_err(|e| NotYet::Never(format!("{e:#}")))?;
            }
        }
        if left.is_empty() { Ok(()) } else { Err(NotYet::Reason(describe(left.iter()))) }
    })
    .await
}

fn describe<'a>(ids: impl Iterator<Item = &'a ProcId>) -> String {
    ids.map(|id| format!("{} ({})", id.pid, id.argv().first().cloned().unwrap_or_default())).collect::<Vec<_>>().join(", ")
}

fn send(id: ProcId, signal: Signal) -> Result<()> {
    id.signal(signal).map(|_| ()).with_context(|| format!("cannot signal process {} ({})", id.pid, describe(std::iter::once(&id))))
}

/// A PostgreSQL that was killed with SIGKILL leaves its small System V segment; `postmaster.pid` names it in line 7.
fn release_shared_memory(dir: &Path) {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(text) = fs::read_to_string(entry.path().join("data/postmaster.pid")) else {
            continue;
        };
        let Some(id) = text.lines().nth(6).and_then(|l| l.split_ascii_whitespace().nth(1)) else {
            continue;
        };
        if is_unattached(&table, id) {
            // Without libc there is no other way than the system's tool; a segment that stays does no harm but its 56 bytes.
            let _ = std::process::Command::new("ipcrm").args(["-m", id]).output();
        }
    }
}

/// Whether a segment exists and nobody is attached, by the columns of `/proc/sysvipc/shm` (`shmid` is the second, `nattch` the seventh).
fn is_unattached(table: &str, id: &str) -> bool {
    let mut lines = table.lines().skip(1).map(|l| l.split_ascii_whitespace().collect::<Vec<_>>());
    lines.any(|f| f.get(1) == Some(&id) && f.get(6) == Some(&"0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_no_lab_made_is_not_removed() {
        let base = tempfile::tempdir().unwrap();
        let place = Place::new(Some(base.path()), "home").unwrap();
        fs::create_dir(place.dir()).unwrap();
        fs::write(place.dir().join("thesis.tex"), "years of work").unwrap();
        let error = down(&place).await.unwrap_err().to_string();
        assert!(error.contains("not a lab's folder"), "{error}");
        assert!(place.dir().join("thesis.tex").exists());
    }

    #[tokio::test]
    async fn what_up_leaves_when_killed_at_its_very_first_step_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let place = Place::new(Some(&base.path().join("state")), "lab").unwrap();
        fs::create_dir_all(place.dir()).unwrap();
        fs::write(place.dir().join(".lab.json.new"), "{").unwrap();
        assert_eq!(down(&place).await.unwrap(), Outcome::Gone(0));
        assert!(!place.base.exists());
        assert_eq!(down(&place).await.unwrap(), Outcome::NotThere);
    }

    #[test]
    fn a_segment_in_use_is_left_alone() {
        let table = "key shmid perms size cpid lpid nattch uid\n 1 3 600 56 1 1 6 101\n 2 4 600 56 1 1 0 101\n";
        assert!(!is_unattached(table, "3"));
        assert!(is_unattached(table, "4"));
        assert!(!is_unattached(table, "5"));
    }
}

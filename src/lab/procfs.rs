//! Processes as `/proc` shows them, named in a way that survives the reuse of a pid.

use std::fs;
use std::io;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// A process for good: a pid is reused, the pair with its start time is not (within one boot).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcId {
    /// Process id.
    pub pid: i32,
    /// Clock ticks since boot at which it started: field 22 of `/proc/PID/stat`.
    pub start: u64,
}

/// The part of `/proc/PID/stat` that is needed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// `R`, `S`, `D`, `T` (stopped), `Z` (dead, not yet reaped) ...
    pub state: char,
    /// Parent's pid.
    pub ppid: i32,
    /// See [`ProcId::start`].
    pub start: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may hold spaces and parentheses itself: fields are counted from the last one.
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let ppid = fields.next()?.parse().ok()?;
        let start = fields.nth(17)?.parse().ok()?;
        Some(Self { state, ppid, start })
    }
}

/// Reads a process's state; `None` when there is no such process.
#[must_use]
pub fn stat(pid: i32) -> Option<Stat> {
    Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Every pid at this moment.
#[must_use]
pub fn pids() -> Vec<i32> {
    let Ok(dir) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    dir.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The kernel's name for this boot: start times of another boot mean nothing.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|s| s.trim().to_owned()).unwrap_or_default()
}

impl ProcId {
    /// The process that has this pid now.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        stat(pid).map(|s| Self { pid, start: s.start })
    }

    /// State letter while this very process exists and is not a zombie.
    #[must_use]
    pub fn state(self) -> Option<char> {
        stat(self.pid).filter(|s| s.start == self.start && !matches!(s.state, 'Z' | 'X')).map(|s| s.state)
    }

    /// Whether this very process still runs (or is stopped).
    #[must_use]
    pub fn is_alive(self) -> bool {
        self.state().is_some()
    }

    /// Sends a signal to this very process and to no later one with its pid. `Ok(false)`: it is gone.
    ///
    /// # Errors
    /// When the kernel refuses, for example another user's process.
    pub fn signal(self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(false);
        };
        // The descriptor pins the process; only then is the start time worth comparing.
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        if !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(fd, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    /// Its arguments; empty for a kernel thread or when it is gone.
    #[must_use]
    pub fn argv(self) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        bytes.split(|b| *b == 0).filter(|a| !a.is_empty()).map(|a| String::from_utf8_lossy(a).into_owned()).collect()
    }

    /// The value of a variable in the environment it was started with.
    #[must_use]
    pub fn env(self, name: &str) -> Option<String> {
        let bytes = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let prefix = format!("{name}=");
        bytes.split(|b| *b == 0).find_map(|v| v.strip_prefix(prefix.as_bytes())).map(|v| String::from_utf8_lossy(v).into_owned())
    }

    /// Its working directory.
    #[must_use]
    pub fn cwd(self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()
    }

    /// The program file it runs.
    #[must_use]
    pub fn exe(self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// Memory in KiB with shared pages divided among their users (PSS). `None`: unknown (gone, or not ours to read).
    #[must_use]
    pub fn pss_kib(self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("Pss:"))?;
        line.trim().split_ascii_whitespace().next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 2 18446744073709551615";
        assert_eq!(Stat::parse(text), Some(Stat { state: 'S', ppid: 7, start: 98765 }));
        assert_eq!(Stat::parse("42 (a"), None);
    }

    #[test]
    fn a_process_of_another_start_time_is_never_signalled() {
        let me = ProcId::of(std::process::id().cast_signed()).unwrap();
        assert!(me.is_alive());
        let earlier = ProcId { start: me.start - 1, ..me };
        assert!(!earlier.is_alive());
        // SIGKILL: if this reached the process, the test would not get to its end.
        assert!(!earlier.signal(Signal::KILL).unwrap());
    }
}

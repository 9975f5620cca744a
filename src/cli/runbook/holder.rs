//! Who is at work on a run: written into its lock, for whoever finds it locked.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::model::{Time, clean};
use crate::permit::Operator;
use crate::source::Clock;

/// The process that has the lock.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: i32,
    /// Who started it.
    by: String,
    /// Since when it has the lock.
    since: Time,
}

/// Writes this process into a lock that it has taken.
pub(super) fn sign(mut lock: &File) -> std::io::Result<()> {
    let pid = i32::try_from(std::process::id()).unwrap_or_default();
    let holder = Holder { pid, by: Operator::of_process().told(), since: Clock::start().now() };
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(&serde_json::to_vec(&holder)?)
}

/// Why a run that is locked cannot be gone on with, and what to do.
pub(super) fn told(lock: &Path, run: &str) -> String {
    let holder = std::fs::read(lock).ok().and_then(|text| serde_json::from_slice::<Holder>(&text).ok());
    // It is signed a moment after it was taken; what stands there until then is of one who is gone.
    let lives =
        |holder: &Holder| Pid::from_raw(holder.pid).is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)));
    let who = match holder.filter(lives) {
        Some(Holder { pid, by, since }) => format!("process {pid}, of {}, since {since}", clean(&by)),
        None => "another pgbaton".to_owned(),
    };
    format!(
        "run {run} is held by {who}: go on with it there, or leave that program (q in the console, Ctrl-C on the command line) and say \
         `pgbaton runbook resume {run}`"
    )
}

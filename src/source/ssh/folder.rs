//! The private folder of a control socket.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::process::{Pid, geteuid, test_kill_process};
use tempfile::TempDir;

/// What the folders' names begin with; the number of our process follows.
const PREFIX: &str = "pgbaton-ssh-";

/// A socket's path can have about 104 bytes on some systems, and ssh adds 17 to it while it makes one.
const LONGEST: usize = 60;

/// Makes a folder that nobody else can enter, and takes away those that were left by processes that were killed.
pub(super) fn make() -> io::Result<TempDir> {
    static SWEPT: Once = Once::new();
    let place = place();
    SWEPT.call_once(|| sweep(&place));
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).permissions(fs::Permissions::from_mode(0o700)).tempdir_in(place)
}

/// `$XDG_RUNTIME_DIR`, else the folder for temporary files, if they are short enough.
fn place() -> PathBuf {
    let usual = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute() && dir.is_dir());
    let candidates = [usual, Some(std::env::temp_dir())];
    candidates.into_iter().flatten().find(|dir| dir.as_os_str().len() <= LONGEST).unwrap_or_else(|| "/tmp".into())
}

/// Removes our own folders of processes that are no more. What cannot be removed is left.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).and_then(|pid| pid.parse().ok()) else {
            continue;
        };
        let gone = Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_err_and(|e| e == rustix::io::Errno::SRCH));
        let ours = entry.metadata().is_ok_and(|about| about.is_dir() && about.uid() == geteuid().as_raw());
        if gone && ours {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_dead_processes_are_swept() {
        let place = tempfile::tempdir().expect("a folder");
        let mut child = std::process::Command::new("true").spawn().expect("runs");
        let dead = child.id();
        child.wait().expect("ends");
        let names = [format!("{PREFIX}{dead}-a"), format!("{PREFIX}{}-b", std::process::id()), "other".to_owned()];
        for name in &names {
            fs::create_dir(place.path().join(name)).expect("made");
        }
        sweep(place.path());
        let left = names.map(|name| place.path().join(name).exists());
        assert_eq!(left, [false, true, true]);
    }
}

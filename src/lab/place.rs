//! Where labs live: one state directory with a folder per lab and the Patroni environments they share.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use super::account::{self, Account};
use super::wait;

/// What a lab is called that was given no name.
pub const DEFAULT_NAME: &str = "lab";

/// The longest path of a Unix socket is 107 bytes; this much of it is needed below a lab's folder.
const SOCKET_TAIL: &str = "/psg1/run/.s.PGSQL.5432.lock";

/// A lab's name and the folders that follow from it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The state directory: all labs of it, and the environments they share.
    pub base: PathBuf,
    /// The lab's name, which is Patroni's scope too.
    pub name: String,
}

impl Place {
    /// The place of a lab called `name` below `base`, or below the default state directory.
    ///
    /// # Errors
    /// When the name is not fit for a folder, a scope and a host name at once, or no state directory can be found.
    pub fn new(base: Option<&Path>, name: &str) -> Result<Self> {
        let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
        if !first || name.len() > 32 || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            bail!("--name {name:?}: use a lower-case letter, then letters, digits and `-`, 32 at most");
        }
        if name.starts_with("venv-") {
            bail!("--name {name:?}: names that begin with `venv-` are taken by Patroni's environments");
        }
        let base = match base {
            Some(dir) => std::path::absolute(dir).with_context(|| format!("--state-dir {}", dir.display()))?,
            None => default_base()?,
        };
        Ok(Self { base, name: name.to_owned() })
    }

    /// The command that does this to the lab, as it is to be typed: `pgbaton lab down --name two`.
    #[must_use]
    pub fn command(&self, what: &str) -> String {
        let name = if self.name == DEFAULT_NAME { String::new() } else { format!(" --name {}", self.name) };
        // `prepare` has seen to it that the path needs no quotes.
        let elsewhere = default_base().map_or(true, |usual| usual != self.base);
        let base = if elsewhere { format!(" --state-dir {}", self.base.display()) } else { String::new() };
        format!("pgbaton lab {what}{name}{base}")
    }

    /// The lab's folder.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.base.join(&self.name)
    }

    /// Makes the state directory and checks that the lab's account can reach it.
    ///
    /// # Errors
    /// When its path has characters that some program's configuration cannot hold or is too long for a Unix socket, when it
    /// cannot be made, or cannot be reached by the account.
    pub fn prepare(&self, account: &Account) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
        if !self.base.to_string_lossy().chars().all(plain) {
            bail!(
                "--state-dir {}: a lab's path goes unquoted into the files of five programs; use letters, digits and / . _ - + @ only",
                self.base.display()
            );
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&self.base)
            .with_context(|| format!("cannot make the state directory {}", self.base.display()))?;
        let longest = self.dir().as_os_str().len() + SOCKET_TAIL.len();
        if longest > 107 {
            bail!(
                "{} is too long a path: PostgreSQL's socket below it would take {longest} bytes, and 107 is the system's limit\n\
                 hint: choose a shorter one with --state-dir",
                self.dir().display()
            );
        }
        if account.switch {
            for dir in self.base.ancestors() {
                let meta = fs::metadata(dir).with_context(|| format!("cannot look at {}", dir.display()))?;
                let bit = if meta.uid() == account.uid {
                    0o100
                } else if meta.gid() == account.gid {
                    0o010
                } else {
                    0o001
                };
                if meta.mode() & bit == 0 {
                    bail!(
                        "the account `{}`, which the lab's programs run as, cannot enter {}\nhint: choose another place with --state-dir, for example /var/lib/pgbaton/lab",
                        account.name,
                        dir.display()
                    );
                }
            }
        }
        Ok(())
    }

    /// Names of the labs below this state directory, sorted.
    #[must_use]
    pub fn labs(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.base) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|e| {
                let e = e.ok()?;
                e.path().join(super::record::FILE).is_file().then(|| e.file_name().to_string_lossy().into_owned())
            })
            .collect();
        names.sort();
        names
    }
}

/// `$XDG_STATE_HOME/pgbaton/lab`, but `/var/lib/pgbaton/lab` for root: root's home is closed to the account that PostgreSQL runs as.
fn default_base() -> Result<PathBuf> {
    if account::is_root() && std::env::var_os("XDG_STATE_HOME").is_none() {
        return Ok(PathBuf::from("/var/lib/pgbaton/lab"));
    }
    let dirs =
        directories::ProjectDirs::from("", "", "pgbaton").context("no home directory, so no place for a lab; give one with --state-dir")?;
    let state = dirs.state_dir().context("this system has no state directory; give one with --state-dir")?;
    Ok(state.join("lab"))
}

/// An exclusive lock on a directory; it ends with this value, or with the process.
///
/// The directory itself is locked, so no lock file is left behind. The descriptor is closed on exec: children never hold it.
#[derive(Debug)]
pub struct DirLock(#[allow(dead_code, reason = "held, not read")] OwnedFd);

impl DirLock {
    /// Takes the lock at once. `Ok(None)`: someone else holds it, or the directory was removed meanwhile.
    ///
    /// # Errors
    /// When the directory cannot be opened.
    pub fn try_take(dir: &Path) -> io::Result<Option<Self>> {
        let file = File::open(dir)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(e) => return Err(e.into()),
        }
        // `down` may have removed the directory between open and lock, and another may stand at its path now.
        let (held, there) = (file.metadata()?, fs::metadata(dir));
        let same = there.is_ok_and(|t| t.ino() == held.ino() && t.dev() == held.dev());
        Ok(same.then(|| Self(file.into())))
    }

    /// Takes the lock, waiting for another holder until the deadline.
    ///
    /// # Errors
    /// When the directory is gone or the deadline passed.
    pub async fn take(dir: &Path, deadline: Duration) -> Result<Self> {
        wait::until(deadline, Duration::from_millis(100), async || match Self::try_take(dir) {
            Ok(Some(lock)) => Ok(lock),
            Ok(None) => Err(format!("another pgbaton works on {}", dir.display()).into()),
            Err(e) => Err(wait::NotYet::Never(format!("cannot open {}: {e}", dir.display()))),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_not_work_everywhere_are_refused() {
        let base = Path::new("/tmp");
        for good in ["lab", "a", "see-2"] {
            assert!(Place::new(Some(base), good).is_ok(), "{good}");
        }
        for bad in ["", "Lab", "../x", "a b", "-a", "1a", "venv-x", &"a".repeat(33)] {
            assert!(Place::new(Some(base), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lock_excludes_a_second_one_and_ends_with_its_value() {
        let dir = tempfile::tempdir().unwrap();
        let held = DirLock::try_take(dir.path()).unwrap().unwrap();
        assert!(DirLock::try_take(dir.path()).unwrap().is_none());
        drop(held);
        assert!(DirLock::try_take(dir.path()).unwrap().is_some());
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_before_anything_starts() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(Some(&dir.path().join("x".repeat(80))), "lab").unwrap();
        let me = Account { name: "me".into(), uid: 1, gid: 1, switch: false };
        assert!(place.prepare(&me).unwrap_err().to_string().contains("too long"));
    }
}

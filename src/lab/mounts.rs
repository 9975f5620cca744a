//! What is mounted below a lab's folder: the folder of the DAGs, as the machines of an estate mount it, and the disk that hangs in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::hung;

/// A line of the kernel's table of mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is.
    pub at: PathBuf,
    /// Its type: `fuse`.
    pub fstype: String,
    /// From what.
    from: String,
}

/// What is mounted below a folder, in the order in which it was. The table is read, and no disk is touched.
#[must_use]
pub fn below(dir: &Path) -> Vec<Mount> {
    let table = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    table.lines().filter_map(parse).filter(|mount| mount.at.starts_with(dir)).collect()
}

/// Shows the folder `from` at `at` as well, which is a mount of its own then.
///
/// # Errors
/// What `mount` said: it takes root, and a machine that permits it.
pub fn bind(from: &Path, at: &Path) -> Result<()> {
    run(Command::new("mount").arg("--bind").arg(from).arg(at))
}

/// Takes away the disks that hang below a folder; who waits for one gets an error.
///
/// # Errors
/// What `umount` said.
pub fn end_hung(dir: &Path) -> Result<()> {
    below(dir).iter().rev().filter(|mount| mount.from == hung::NAME).try_for_each(|mount| unmount(mount, &["--force", "--lazy"]))
}

/// Takes away all that is mounted below a folder, the newest first.
///
/// # Errors
/// What `umount` said.
pub fn remove(dir: &Path) -> Result<()> {
    end_hung(dir)?;
    below(dir).iter().rev().try_for_each(|mount| unmount(mount, &["--lazy"]))
}

fn unmount(mount: &Mount, options: &[&str]) -> Result<()> {
    run(Command::new("umount").args(options).arg(&mount.at))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().with_context(|| format!("cannot run {program}"))?;
    if !out.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// `/dev/vda1 /srv/a\040b ext4 rw 0 0`.
fn parse(line: &str) -> Option<Mount> {
    let mut words = line.split(' ');
    let (from, at, fstype) = (words.next()?, words.next()?, words.next()?);
    // The four characters that the kernel writes in another way (`mangle` in fs/proc_namespace.c).
    let plain = |text: &str| text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\");
    Some(Mount { at: plain(at).into(), fstype: fstype.to_owned(), from: plain(from) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_in_a_path_is_read_as_one() {
        let mount = parse(r"pgbaton-hung /srv/a\040b\134c fuse rw,nosuid 0 0").unwrap();
        assert_eq!((mount.at.as_path(), mount.fstype.as_str(), mount.from.as_str()), (Path::new(r"/srv/a b\c"), "fuse", "pgbaton-hung"));
        assert_eq!(parse("half"), None);
    }
}

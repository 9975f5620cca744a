//! Writing files so that a reader never sees half of one, with the owner and mode they need.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;

/// Mode of files without secrets.
pub const PUBLIC: u32 = 0o644;
/// Mode of files with secrets.
pub const PRIVATE: u32 = 0o600;

/// Writes a whole file by way of a temporary neighbour and a rename.
///
/// # Errors
/// Names the path that could not be written.
pub fn write(path: &Path, content: &str, mode: u32, owner: &Account) -> Result<()> {
    let temp = neighbour(path);
    let result = (|| {
        // A leftover of a killed run would keep its old mode.
        let _ = fs::remove_file(&temp);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temp)?;
        file.write_all(content.as_bytes())?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        if owner.switch {
            std::os::unix::fs::fchown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        fs::rename(&temp, path)
    })();
    result.with_context(|| format!("cannot write {}", path.display()))
}

/// The temporary name that [`fn@write`] uses beside a file.
#[must_use]
pub fn neighbour(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.new"))
}

/// Makes a directory (its parents must exist) and gives it to the account; an existing one is left as it is.
///
/// # Errors
/// Names the path that could not be made.
pub fn make_dir(path: &Path, mode: u32, owner: &Account) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    (|| {
        DirBuilder::new().mode(mode).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        if owner.switch {
            std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))?;
        }
        Ok::<(), std::io::Error>(())
    })()
    .with_context(|| format!("cannot make the directory {}", path.display()))
}

/// Removes a directory tree; one that is not there is no error.
///
/// # Errors
/// Names the path that could not be removed.
pub fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).with_context(|| format!("cannot remove {}", path.display())),
        _ => Ok(()),
    }
}

/// The last lines of a file, for an error message; empty when it cannot be read.
#[must_use]
pub fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(64 * 1024)..]).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

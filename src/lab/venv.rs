//! Patroni in a virtual environment below the state directory: one per version, shared by the labs, made whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::down;
use super::files;
use super::place::{DirLock, Place};
use super::record::Record;
use super::scan::MARKER;

/// Made last: its presence says that the environment is whole.
const READY: &str = ".ready";

/// Folder of a version's environment.
#[must_use]
pub fn dir(place: &Place, version: &str) -> PathBuf {
    place.base.join(format!("venv-{version}"))
}

/// Whether a version's environment is there and whole.
#[must_use]
pub fn is_ready(place: &Place, version: &str) -> bool {
    dir(place, version).join(READY).exists()
}

/// What pip is asked for. Old versions of Patroni take any `ydiff`, but their patronictl starts with early ones only.
#[must_use]
pub fn requirements(version: &str) -> [String; 3] {
    [format!("patroni[etcd3,psycopg3]=={version}"), "psycopg[binary]".to_owned(), "ydiff<1.3".to_owned()]
}

/// Makes a version's environment with `python`, unless another lab just did.
///
/// # Errors
/// What python or pip said; a half-made environment is not left behind as a whole one.
pub async fn make(place: &Place, version: &str, python: &Path) -> Result<()> {
    let dir = dir(place, version);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // The environment's own folder is the lock: a second lab waits here while the first one installs.
    let _lock = DirLock::take(&dir, Duration::from_secs(300)).await?;
    if is_ready(place, version) {
        return Ok(());
    }
    // A killed run may have left files, and a pip that still writes them.
    down::end_processes(&dir).await?;
    for entry in fs::read_dir(&dir)? {
        let path = entry?.path();
        if path.is_dir() { files::remove_tree(&path)? } else { fs::remove_file(&path)? }
    }
    // Programs that run as another account read it.
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let result = (|| {
        run(Command::new(python).args(["-m", "venv"]).arg(&dir), &dir)?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
        run(Command::new(dir.join("bin/python")).args(pip).args(requirements(version)), &dir)?;
        fs::write(dir.join(READY), version).with_context(|| format!("cannot write below {}", dir.display()))
    })();
    rustix::process::umask(before);
    result
}

/// Removes the environments that no lab below the state directory uses.
///
/// # Errors
/// When a folder cannot be removed.
pub fn purge(place: &Place) -> Result<Vec<PathBuf>> {
    let used: Vec<PathBuf> = place.labs().iter().filter_map(|l| Record::load(&place.base.join(l)).ok()).map(|r| r.tools.venv).collect();
    let mut removed = Vec::new();
    for entry in fs::read_dir(&place.base).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_venv = entry.file_name().to_string_lossy().starts_with("venv-");
        if is_venv && !used.contains(&path) && DirLock::try_take(&path)?.is_some() {
            files::remove_tree(&path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

fn run(command: &mut Command, marker: &Path) -> Result<()> {
    // The caller's own Python settings must not reach into the environment; pip's (an index, a proxy) must.
    let out = command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env(MARKER, marker).output();
    let name = command.get_program().to_string_lossy().into_owned();
    let out = out.with_context(|| format!("cannot run {name}"))?;
    if !out.status.success() {
        let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let lines: Vec<&str> = text.lines().collect();
        bail!("{name} failed ({}):\n{}", out.status, lines[lines.len().saturating_sub(12)..].join("\n"));
    }
    Ok(())
}

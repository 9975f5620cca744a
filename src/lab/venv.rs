//! Patroni, and Airflow, in virtual environments below the state directory: one per version, shared by the labs, made whole or not at all.

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

/// What is installed into an environment of its own, and in which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'v> {
    /// Patroni.
    Patroni(&'v str),
    /// Airflow, with its executor in the scheduler.
    Airflow(&'v str),
    /// Airflow, with Celery.
    AirflowCelery(&'v str),
}

impl std::fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Of::Patroni(version) => write!(f, "Patroni {version}"),
            Of::Airflow(version) => write!(f, "Airflow {version}"),
            Of::AirflowCelery(version) => write!(f, "Airflow {version} with Celery"),
        }
    }
}

impl Of<'_> {
    /// What pip is asked for. Old versions of Patroni take any `ydiff`, but their patronictl starts with early ones only.
    #[must_use]
    pub fn requirements(self) -> Vec<String> {
        match self {
            Of::Patroni(version) => {
                vec![format!("patroni[etcd3,psycopg3]=={version}"), "psycopg[binary]".to_owned(), "ydiff<1.3".to_owned()]
            }
            Of::Airflow(version) => vec![format!("apache-airflow[postgres]=={version}")],
            Of::AirflowCelery(version) => vec![format!("apache-airflow[postgres,celery]=={version}")],
        }
    }

    /// The day after which nothing was published that is installed. Airflow names no upper bounds for what it needs, and does not run with what
    /// came later; its own lists of versions are not on PyPI.
    fn newest(self) -> Option<&'static str> {
        match self {
            Of::Airflow(version) | Of::AirflowCelery(version) if version.starts_with("2.") => Some("2025-02-20"),
            _ => None,
        }
    }

    fn install(self, dir: &Path) -> Result<()> {
        let python = dir.join("bin/python");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
        if matches!(self, Of::Patroni(_)) {
            return run(Command::new(python).args(pip).args(self.requirements()), dir);
        }
        // Only `uv` can look at PyPI as it was on a day.
        run(Command::new(&python).args(pip).arg("uv"), dir)?;
        let mut uv = Command::new(dir.join("bin/uv"));
        uv.args(["pip", "install", "--quiet", "--python"]).arg(python).args(self.requirements());
        if let Some(day) = self.newest() {
            uv.args(["--exclude-newer", day]);
        }
        run(&mut uv, dir)
    }
}

/// Folder of an environment.
#[must_use]
pub fn dir(place: &Place, of: Of<'_>) -> PathBuf {
    place.base.join(match of {
        Of::Patroni(version) => format!("venv-{version}"),
        Of::Airflow(version) => format!("venv-airflow-{version}"),
        Of::AirflowCelery(version) => format!("venv-airflow-celery-{version}"),
    })
}

/// Whether an environment is there and whole.
#[must_use]
pub fn is_ready(place: &Place, of: Of<'_>) -> bool {
    dir(place, of).join(READY).exists()
}

/// Makes an environment with `python`, unless another lab just did.
///
/// # Errors
/// What python or pip said; a half-made environment is not left behind as a whole one.
pub async fn make(place: &Place, of: Of<'_>, python: &Path) -> Result<()> {
    let dir = dir(place, of);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // The environment's own folder is the lock: a second lab waits here while the first one installs.
    let _lock = DirLock::take(&dir, Duration::from_secs(300)).await?;
    if is_ready(place, of) {
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
        of.install(&dir)?;
        fs::write(dir.join(READY), of.to_string()).with_context(|| format!("cannot write below {}", dir.display()))
    })();
    rustix::process::umask(before);
    result
}

/// Removes the environments that no lab below the state directory uses.
///
/// # Errors
/// When a folder cannot be removed.
pub fn purge(place: &Place) -> Result<Vec<PathBuf>> {
    let tools = place.labs().into_iter().filter_map(|lab| Record::load(&place.base.join(lab)).ok()).map(|record| record.tools);
    let used: Vec<PathBuf> = tools.flat_map(|tools| [Some(tools.venv), tools.airflow]).flatten().collect();
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

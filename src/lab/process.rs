//! Starting a program so that it outlives this one, and knowing it again later.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::files;
use super::layout::Lab;
use super::procfs::{self, ProcId};
use super::scan::MARKER;

/// Folder of the process records below the lab's folder.
pub const DIR: &str = "processes";

/// What to start.
#[derive(Debug, Clone)]
pub struct Spec {
    /// `node/program`, for example `psg1/etcd`.
    pub key: String,
    /// Program and arguments. No secrets: everyone can read them.
    pub argv: Vec<String>,
    /// The whole environment apart from [`MARKER`], PATH, HOME and LANG.
    pub env: Vec<(String, String)>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Standard output and error are appended here.
    pub log: PathBuf,
    /// Network namespace, if not the caller's.
    pub netns: Option<String>,
    /// Whom to run as; `None`: the caller.
    pub account: Option<Account>,
}

/// What is written down about a started program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// See [`Spec::key`].
    pub key: String,
    /// The process.
    #[serde(flatten)]
    pub id: ProcId,
    /// The boot in which [`Started::id`] means something.
    pub boot: String,
    /// Its arguments, for people.
    pub argv: Vec<String>,
}

impl Started {
    /// Whether that very process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.boot == procfs::boot_id() && self.id.is_alive()
    }
}

/// The command that runs a program as it is meant to be: whom it runs as, in which network, with nothing of the caller's environment.
fn command(lab: &Lab, spec: &Spec) -> Command {
    // The helpers replace themselves by the next in line, so the pid is the program's own. They are part of every Linux
    // (util-linux); doing it here would need code between fork and exec, which safe Rust cannot have.
    let mut line: Vec<String> = vec!["setsid".into()];
    if let Some(name) = &spec.netns {
        line.extend(["nsenter".into(), format!("--net=/run/netns/{name}")]);
    }
    if let Some(account) = spec.account.as_ref().filter(|a| a.switch) {
        line.extend([
            "setpriv".into(),
            format!("--reuid={}", account.uid),
            format!("--regid={}", account.gid),
            "--init-groups".into(),
            "--".into(),
        ]);
    }
    line.extend(spec.argv.iter().cloned());
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .env_clear()
        .env("PATH", path(lab))
        .env("HOME", &spec.cwd)
        .env("LANG", "C.UTF-8")
        .envs(spec.env.iter().map(|(k, v)| (k, v)))
        .env(MARKER, &lab.dir)
        .current_dir(&spec.cwd)
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end, and tells what it wrote to its standard output.
///
/// # Errors
/// When it cannot be started, or fails: the end of what it said.
pub fn run(lab: &Lab, spec: &Spec) -> Result<String> {
    let out = command(lab, spec).output().with_context(|| format!("cannot start {}", spec.argv.join(" ")))?;
    if !out.status.success() {
        let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let lines: Vec<&str> = text.lines().collect();
        bail!("{} failed ({}):\n{}", spec.argv.join(" "), out.status, lines[lines.len().saturating_sub(12)..].join("\n"));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Starts a program in a session of its own and writes it down.
///
/// # Errors
/// When it cannot be started; a program that starts and dies is noticed by whoever waits for it.
pub fn start(lab: &Lab, spec: &Spec) -> Result<Started> {
    let owner = &lab.record.account;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&spec.log)
        .with_context(|| format!("cannot open the log {}", spec.log.display()))?;
    if owner.switch {
        std::os::unix::fs::fchown(&log, Some(owner.uid), Some(owner.gid))?;
    }
    let mut child = command(lab, spec)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}: {}", spec.key, spec.argv.join(" ")))?;
    let pid = child.id().cast_signed();
    let id = ProcId::of(pid).with_context(|| format!("{} ended at once", spec.key))?;
    // A child that ends while this program runs must not stay behind as a zombie; nobody needs its status.
    std::thread::spawn(move || child.wait());
    let started = Started { key: spec.key.clone(), id, boot: procfs::boot_id(), argv: spec.argv.clone() };
    files::write(&record_path(lab, &spec.key), &serde_json::to_string(&started)?, files::PUBLIC, owner)?;
    Ok(started)
}

/// All programs of a lab's folder that were started and written down, by key.
#[must_use]
pub fn started(dir: &Path) -> Vec<Started> {
    let Ok(entries) = fs::read_dir(dir.join(DIR)) else {
        return Vec::new();
    };
    let mut all: Vec<Started> = entries
        .filter_map(|e| {
            let path = e.ok()?.path();
            path.extension().filter(|x| *x == "json")?;
            serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
        })
        .collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// One program by key, if it was started and still runs.
#[must_use]
pub fn running(lab: &Lab, key: &str) -> Option<ProcId> {
    let text = fs::read_to_string(record_path(lab, key)).ok()?;
    let started: Started = serde_json::from_str(&text).ok()?;
    started.is_alive().then_some(started.id)
}

/// Forgets a program that was ended on purpose and is no part of a healthy lab.
///
/// # Errors
/// When its record is there and cannot be removed.
pub fn forget(lab: &Lab, key: &str) -> Result<()> {
    match fs::remove_file(record_path(lab, key)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).with_context(|| format!("cannot forget {key}")),
        _ => Ok(()),
    }
}

fn record_path(lab: &Lab, key: &str) -> PathBuf {
    lab.dir.join(DIR).join(format!("{}.json", key.replace('/', ".")))
}

/// The PATH of everything in a lab: Patroni's environment and PostgreSQL first.
#[must_use]
pub fn path(lab: &Lab) -> String {
    let tools = &lab.record.tools;
    format!("{}/bin:{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", tools.venv.display(), tools.pg_bin.display())
}

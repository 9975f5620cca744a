//! What a lab's processes do and what they take, beside the facts of its health.

use std::collections::BTreeSet;
use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

use super::conf;
use super::fault::{self, Thrown};
use super::health::{self, Fact};
use super::http::Http;
use super::layout::Lab;
use super::options::Options;
use super::process;
use super::procfs::ProcId;
use super::record::Phase;
use super::scan;

/// One program of the lab.
#[derive(Debug, Serialize)]
pub struct Process {
    /// `node/program`.
    pub key: String,
    /// Its process, if it runs.
    pub pid: Option<i32>,
    /// `running`, `stopped` (SIGSTOP) or `not running`.
    pub state: &'static str,
    /// Its memory (PSS) and that of what it has started, KiB; null when unknown. PostgreSQL has a line of its own.
    pub pss_kib: Option<u64>,
}

/// The whole status.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Version of this document's shape.
    pub schema: u32,
    /// The lab's name.
    pub name: String,
    /// Its folder.
    pub dir: String,
    /// Its first address.
    pub block: String,
    /// How far `up` or `down` came.
    pub phase: Phase,
    /// Every fact holds.
    pub healthy: bool,
    /// What was asked for.
    pub options: Options,
    /// The facts.
    pub facts: Vec<Fact>,
    /// Faults that were thrown and not healed.
    pub faults: Vec<Thrown>,
    /// The programs.
    pub processes: Vec<Process>,
    /// Memory (PSS) of all its processes, KiB, those that Patroni started included; null when one could not be read.
    pub memory_kib: Option<u64>,
}

/// Looks at a lab.
///
/// # Errors
/// When its files cannot be read; a lab in ruins is no error, but a status.
pub async fn look(lab: &Lab) -> Result<Status> {
    let facts = health::facts(lab, &lab.secrets()?, &Http::new(lab)?).await;
    let mut processes: Vec<Process> = conf::keys(lab).iter().map(|key| process_line(key, process::running(lab, key))).collect();
    for member in lab.members() {
        let all = scan::postgres(&lab.data_dir(&member));
        let mut line = process_line(&format!("{member}/postgres"), scan::postmaster(&lab.data_dir(&member)));
        line.pss_kib = memory(all.into_iter().collect());
        processes.push(line);
    }
    processes.sort_by(|a, b| a.key.cmp(&b.key));
    let memory_kib = memory(scan::processes(&lab.dir));
    let record = &lab.record;
    Ok(Status {
        schema: 1,
        name: record.name.clone(),
        dir: lab.dir.to_string_lossy().into_owned(),
        block: record.block.to_string(),
        phase: record.phase,
        healthy: record.phase == Phase::Up && facts.iter().all(|f| f.ok),
        options: record.options.clone(),
        facts,
        faults: fault::active(lab),
        processes,
        memory_kib,
    })
}

fn process_line(key: &str, id: Option<ProcId>) -> Process {
    let state = match id.and_then(ProcId::state) {
        None => "not running",
        Some('T' | 't') => "stopped",
        Some(_) => "running",
    };
    let id = id.filter(|_| state != "not running");
    // Airflow's programs run below a shell that keeps them up.
    let own = |root| scan::tree(root).into_iter().filter(|id| !scan::is_postgres(*id)).collect();
    Process { key: key.to_owned(), pid: id.map(|i| i.pid), state, pss_kib: id.and_then(|root| memory(own(root))) }
}

/// The memory of these; who has ended meanwhile takes none.
fn memory(all: BTreeSet<ProcId>) -> Option<u64> {
    all.into_iter().map(|id| id.pss_kib().or_else(|| (!id.is_alive()).then_some(0))).sum()
}

impl Status {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let word = if self.healthy { "healthy" } else { "NOT healthy" };
        let mut out = format!("{} ({}, {}): {word}\n", self.name, self.block, self.phase);
        for f in &self.facts {
            let _ = writeln!(out, "  {}  {:<20} {}", if f.ok { "ok" } else { "!!" }, f.name, f.detail);
        }
        for f in &self.faults {
            let _ = writeln!(out, "  !!  fault {:<14} {} at {}", f.fault, f.done, f.at);
        }
        let mib = |kib: Option<u64>| kib.map_or_else(|| "unknown".to_owned(), |k| format!("{:.1} MiB", k as f64 / 1024.0));
        for p in &self.processes {
            let pid = p.pid.map_or_else(|| "-".to_owned(), |p| p.to_string());
            let _ = writeln!(out, "      {:<16} {:>8}  {:<12} {:>10}", p.key, pid, p.state, mib(p.pss_kib));
        }
        let _ = writeln!(out, "      {:<40} {:>10}", "memory of all processes (PSS)", mib(self.memory_kib));
        out
    }
}

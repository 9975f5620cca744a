//! `pgbaton history`: the ends of timelines, as Patroni keeps them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use serde::Serialize;

use super::connect::{ClusterArg, ConnectArgs, runtime};
use super::show_config::{keys, note_source};
use crate::model::{HistoryEntry, Lsn, Parsed, Time};

/// `pgbaton history`.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A row as JSON has it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    timeline: u32,
    lsn: Lsn,
    lsn_bytes: u64,
    reason: &'a str,
    at: Option<Time>,
    new_leader: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(entry: &'a HistoryEntry) -> Self {
        let HistoryEntry { timeline, lsn, reason, at, new_leader } = entry;
        Self { timeline: *timeline, lsn: *lsn, lsn_bytes: lsn.0, reason, at: *at, new_leader: new_leader.as_deref() }
    }
}

/// Prints it, oldest first.
pub fn run(connect: &ConnectArgs, args: &HistoryArgs) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let live = keys(connect, &args.cluster).await?;
        let cluster = live.cluster();
        if let Some(Parsed::Bad(why)) = &cluster.dcs.keys.history {
            bail!("{why}");
        }
        let known = cluster.dcs_current(live.now());
        // A cluster that never changed its timeline has no such key.
        let history = match (cluster.history(), cluster.dcs.error()) {
            (Some(history), _) => history.as_slice(),
            (None, _) if known => &[],
            (None, Some(error)) => bail!("the history is not known: {error}"),
            (None, None) => bail!("the history is not known: etcd did not answer in time"),
        };
        note_source(cluster, live.now());
        let rows: Vec<Row<'_>> = history.iter().map(Row::of).collect();
        let text = if args.json { serde_json::to_string_pretty(&rows)? + "\n" } else { table(&rows) };
        std::io::stdout().lock().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    })
}

fn table(rows: &[Row<'_>]) -> String {
    if rows.is_empty() {
        return "no timeline has ended yet\n".to_owned();
    }
    let width = |of: &dyn Fn(&Row<'_>) -> usize, least: usize| rows.iter().map(of).max().unwrap_or(0).max(least);
    let lsn = width(&|row| row.lsn.to_string().len(), 3);
    let reason = width(&|row| row.reason.chars().count(), 6);
    let at = |row: &Row<'_>| row.at.map_or_else(|| "?".to_owned(), |at| at.to_string());
    let when = width(&|row| at(row).len(), 4);
    let mut out = format!("{:>4}  {:>lsn$}  {:<reason$}  {:<when$}  new leader\n", "TL", "LSN", "reason", "time");
    for row in rows {
        let leader = row.new_leader.unwrap_or("?");
        let _ = writeln!(out, "{:>4}  {:>lsn$}  {:<reason$}  {:<when$}  {leader}", row.timeline, row.lsn.to_string(), row.reason, at(row));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_question_mark() {
        let entry = |timeline, at: Option<&str>, leader: Option<&str>| HistoryEntry {
            timeline,
            lsn: Lsn(67_243_696),
            reason: "no recovery target specified".to_owned(),
            at: at.and_then(Time::parse),
            new_leader: leader.map(str::to_owned),
        };
        let entries = [entry(1, Some("2026-11-24T01:50:27.441270+00:00"), Some("psg2")), entry(12, None, None)];
        let rows: Vec<Row<'_>> = entries.iter().map(Row::of).collect();
        let text = table(&rows);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  TL        LSN  reason                        time                      new leader");
        assert_eq!(lines[1], "   1  0/4020EB0  no recovery target specified  2026-11-24T01:50:27.441Z  psg2");
        assert_eq!(lines[2], "  12  0/4020EB0  no recovery target specified  ?                         ?");
        assert_eq!(table(&[]), "no timeline has ended yet\n");
    }
}

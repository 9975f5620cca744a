//! What became of the writes: the client's account against the table's rows.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use super::entry::{self, Entry};
use crate::lab::layout::{Lab, PROXIES};
use crate::lab::sql::{self, User};

/// A gap between two acknowledged writes in which at least one attempt failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outage {
    /// Time of the last acknowledged write before it; the first attempt if there was none.
    pub from: Timestamp,
    /// Time of the first acknowledged write after it; `None`: it lasts.
    pub to: Option<Timestamp>,
    /// Its length; up to the last attempt while it lasts.
    pub seconds: f64,
    /// Failed attempts in it.
    pub failed: u64,
    /// The first failure's reason.
    pub reason: String,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Version of this document's shape.
    pub schema: u32,
    /// Attempts in the ledger.
    pub attempts: u64,
    /// Attempts whose commit was acknowledged.
    pub acknowledged: u64,
    /// Attempts that failed for the client.
    pub failed: u64,
    /// Rows in the table.
    pub rows: u64,
    /// Acknowledged, but not in the table: lost.
    pub lost: Vec<u64>,
    /// In the table more than once.
    pub doubled: Vec<u64>,
    /// Failed for the client, yet in the table: no harm, but a client that retries blindly would have doubled it.
    pub failed_but_written: Vec<u64>,
    /// Gaps in the acknowledged writes.
    pub outages: Vec<Outage>,
}

/// Compares the ledger with the table on the current leader.
///
/// # Errors
/// When there is no ledger, or the table cannot be read through a HAProxy: then nothing can be said about losses.
pub async fn judge(lab: &Lab) -> Result<Verdict> {
    // The ledger is read first: a row written meanwhile is no loss, and an entry not yet read cannot be one.
    let entries = entry::all(&lab.dir)?;
    let client = sql::through(lab, &lab.secrets()?, PROXIES[0], User::App).await?;
    let rows = client.query("SELECT seq, count(*) FROM ledger GROUP BY seq", &[]).await.map_err(sql::plain)?;
    let counts = rows.iter().map(|r| (r.get::<_, i64>(0).cast_unsigned(), r.get::<_, i64>(1).cast_unsigned())).collect();
    Ok(compare(&entries, &counts))
}

fn compare(entries: &[Entry], rows: &BTreeMap<u64, u64>) -> Verdict {
    let in_table = |e: &&Entry| rows.contains_key(&e.seq);
    Verdict {
        schema: 1,
        attempts: entries.len() as u64,
        acknowledged: entries.iter().filter(|e| e.ok).count() as u64,
        failed: entries.iter().filter(|e| !e.ok).count() as u64,
        rows: rows.values().sum(),
        lost: entries.iter().filter(|e| e.ok && !in_table(e)).map(|e| e.seq).collect(),
        doubled: rows.iter().filter(|(_, n)| **n > 1).map(|(seq, _)| *seq).collect(),
        failed_but_written: entries.iter().filter(|e| !e.ok && in_table(e)).map(|e| e.seq).collect(),
        outages: outages(entries),
    }
}

fn outages(entries: &[Entry]) -> Vec<Outage> {
    let mut found = Vec::new();
    let mut last_ok: Option<Timestamp> = None;
    let mut open: Option<Outage> = None;
    let seconds = |from: Timestamp, to: Timestamp| (to.as_millisecond() - from.as_millisecond()) as f64 / 1000.0;
    for e in entries {
        if e.ok {
            // It was acknowledged when the attempt ended, not when it began: a slow one is part of the gap.
            let end = e.at + std::time::Duration::from_millis(e.ms);
            if let Some(mut o) = open.take() {
                o.to = Some(end);
                o.seconds = seconds(o.from, end);
                found.push(o);
            }
            last_ok = Some(end);
        } else {
            let o = open.get_or_insert_with(|| Outage {
                from: last_ok.unwrap_or(e.at),
                to: None,
                seconds: 0.0,
                failed: 0,
                reason: e.reason.clone().unwrap_or_default(),
            });
            o.failed += 1;
            o.seconds = seconds(o.from, e.at);
        }
    }
    found.extend(open);
    found
}

impl Verdict {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let list = |seqs: &[u64]| {
            let shown: Vec<String> = seqs.iter().take(10).map(ToString::to_string).collect();
            let more = if seqs.len() > 10 { " ..." } else { "" };
            if seqs.is_empty() { String::new() } else { format!("  ({}{more})", shown.join(", ")) }
        };
        let mut out = String::new();
        let mut line = |what: &str, count: u64, seqs: &[u64]| {
            let _ = writeln!(out, "{what:<22} {count:>8}{}", list(seqs));
        };
        line("attempted", self.attempts, &[]);
        line("acknowledged", self.acknowledged, &[]);
        line("failed", self.failed, &[]);
        line("rows in the table", self.rows, &[]);
        line("lost", self.lost.len() as u64, &self.lost);
        line("doubled", self.doubled.len() as u64, &self.doubled);
        line("failed but written", self.failed_but_written.len() as u64, &self.failed_but_written);
        for o in &self.outages {
            let until = o.to.map_or_else(|| "now".to_owned(), |t| t.to_string());
            let _ = writeln!(out, "outage {:>6.1} s  {} .. {until}  {} failed, first: {}", o.seconds, o.from, o.failed, o.reason);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, second: i64, ok: bool) -> Entry {
        let at = Timestamp::from_second(1_000 + second).unwrap();
        Entry { seq, at, ms: 0, ok, reason: (!ok).then(|| "refused".to_owned()) }
    }

    #[test]
    fn losses_doubles_and_outages_are_counted() {
        let entries = [entry(1, 0, true), entry(2, 1, true), entry(3, 2, false), entry(4, 5, false), entry(5, 7, true), entry(6, 8, false)];
        let rows = [(1, 1), (4, 1), (5, 2)].into();
        let v = compare(&entries, &rows);
        assert_eq!((v.attempts, v.acknowledged, v.failed, v.rows), (6, 3, 3, 4));
        assert_eq!(v.lost, [2]);
        assert_eq!(v.doubled, [5]);
        assert_eq!(v.failed_but_written, [4]);
        assert_eq!(v.outages.len(), 2);
        assert_eq!((v.outages[0].seconds, v.outages[0].failed), (6.0, 2));
        assert_eq!((v.outages[1].to, v.outages[1].seconds), (None, 1.0));
        assert!(v.text().contains("lost                          1  (2)"), "{}", v.text());
    }

    #[test]
    fn a_quiet_ledger_has_no_outage() {
        let v = compare(&[entry(1, 0, true), entry(2, 90, true)], &[(1, 1), (2, 1)].into());
        assert_eq!(v.outages, []);
        assert_eq!((v.lost.len(), v.doubled.len()), (0, 0));
    }
}

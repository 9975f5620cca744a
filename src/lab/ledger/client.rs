//! The client itself: a process of its own (`pgbaton lab run-ledger DIR`) that `up` starts and `down` ends.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::Client;

use super::entry::{self, Entry};
use crate::lab::layout::{Lab, PROXIES};
use crate::lab::secrets::Secrets;
use crate::lab::sql::{self, User};

/// Time between two writes.
pub const EVERY: Duration = Duration::from_millis(200);
/// An attempt, connecting included, is given up after this time. Its row may still arrive.
pub const LIMIT: Duration = Duration::from_secs(2);

/// The table, without a unique key: it must be able to show a doubled write.
pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS ledger (
    seq bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    server inet DEFAULT inet_server_addr()
)";

/// Writes until it is killed.
///
/// # Errors
/// When the lab cannot be read, or the ledger's file cannot be written.
pub async fn run(dir: &Path) -> Result<()> {
    let lab = Lab::open(dir)?;
    let secrets = lab.secrets()?;
    let path = entry::path(dir);
    // Numbers are never used twice: a client that was killed may have written one row more than its last line says.
    let mut seq = entry::last(dir).map_or(0, |e| e.seq + 1);
    let mut file = OpenOptions::new().create(true).append(true).open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    finish_last_line(&path, &mut file)?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut session: Option<Client> = None;
    loop {
        ticks.tick().await;
        seq += 1;
        let (at, begun) = (Timestamp::now(), Instant::now());
        let result = match timeout(LIMIT, attempt(&lab, &secrets, &mut session, seq)).await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("no answer within {} s", LIMIT.as_secs())),
        };
        let reason = result.err().map(|e| format!("{e:#}"));
        if reason.is_some() {
            // Whatever state the session is in, the next attempt wants a new one that takes writes.
            session = None;
        }
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = serde_json::to_string(&Entry { seq, at, ms, ok: reason.is_none(), reason })? + "\n";
        file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
}

async fn attempt(lab: &Lab, secrets: &Secrets, session: &mut Option<Client>, seq: u64) -> Result<()> {
    if session.is_none() {
        *session = Some(sql::through(lab, secrets, PROXIES[0], User::App).await?);
    }
    let client = session.as_ref().context("no session")?;
    // One statement without BEGIN: the answer comes after the commit. The number is ours, so it needs no quoting.
    client.simple_query(&format!("INSERT INTO ledger (seq) VALUES ({seq})")).await.map_err(sql::plain)?;
    Ok(())
}

/// A client that was killed in the middle of a line leaves it open; what follows must not be glued to it.
fn finish_last_line(path: &Path, file: &mut File) -> Result<()> {
    let bytes = std::fs::read(path)?;
    if bytes.last().is_some_and(|b| *b != b'\n') {
        let keep = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        file.set_len(keep as u64)?;
    }
    Ok(())
}

//! Faults of write-ahead log: too much at once, never replayed, never read, never archived.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::json;
use tokio_postgres::Client;

use super::{Amount, Fault, Need, Scene, Target};
use crate::lab::conf::patroni::ARCHIVE_COMMAND;
use crate::lab::scan;
use crate::lab::sql::{self, User};
use crate::lab::wait::{self, NotYet};

/// The table that a burst fills and drops.
const TABLE: &str = "pgbaton_wal_burst";
/// The slot that nobody reads.
const SLOT: &str = "pgbaton_forgotten";
/// Patroni acts on a changed configuration in its next loop; the longest loop a lab can have is below its ttl.
const NEXT_LOOP: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(200);

/// SIGSTOP to the startup process of a replica.
pub const PAUSE_REPLAY: Fault = Fault {
    name: "pause-replay",
    doc: "stop the replay of WAL on a replica: it still receives, so Patroni calls it streaming with lag 0",
    target: Target::Replicas,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(async move {
            let mut done = Vec::new();
            for member in targets {
                // pg_wal_replay_pause() would not last: Patroni resumes it in its next loop.
                let all = scan::postgres(&scene.lab.data_dir(member));
                let startup = all.into_iter().find(|id| id.argv().join(" ").contains(": startup"));
                let Some(startup) = startup else { bail!("{member} replays nothing: it leads, or its PostgreSQL does not run") };
                startup.signal(Signal::STOP)?;
                done.push(format!("stopped replay on {member} (pid {})", startup.pid));
            }
            Ok(done.join("; "))
        })
    },
};

/// A volume of WAL in a short time.
pub const WAL_BURST: Fault = Fault {
    name: "wal-burst",
    doc: "write 256 MB of WAL (or --mb) as fast as possible: real lag, for as long as it lasts",
    target: Target::Cluster,
    needs: Need::Nothing,
    throw: |scene, _, amount| Box::pin(wal_burst(scene, amount)),
};

async fn wal_burst(scene: &Scene, amount: Amount) -> Result<String> {
    let leader = scene.leader().await?;
    let writer = sql::member(&scene.lab, &leader, User::Superuser).await?;
    let watcher = sql::member(&scene.lab, &leader, User::Superuser).await?;
    run(
        &writer,
        &format!("SET synchronous_commit = local; DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (key uuid PRIMARY KEY, filler text)"),
    )
    .await?;
    let mb = amount.mb.unwrap_or(256);
    let (mut most, mut done) = (0_i64, false);
    let write = async {
        // About 8 MB at a time; random keys make the index's pages dirty all over, so replay has work to do.
        for _ in 0..mb.div_ceil(8) {
            let insert = format!("INSERT INTO {TABLE} SELECT gen_random_uuid(), repeat(md5(g::text), 24) FROM generate_series(1, 8192) g");
            run(&writer, &insert).await?;
        }
        anyhow::Ok(())
    };
    tokio::pin!(write);
    let mut ticks = tokio::time::interval(EVERY);
    while !done {
        tokio::select! {
            result = &mut write => { result?; done = true; }
            _ = ticks.tick() => {}
        }
        let query = "SELECT coalesce(max(pg_current_wal_lsn() - replay_lsn), 0)::bigint FROM pg_stat_replication";
        most = most.max(watcher.query_one(query, &[]).await.map_err(sql::plain)?.get(0));
    }
    run(&writer, &format!("DROP TABLE {TABLE}")).await?;
    Ok(format!("wrote about {} MB on {leader}; the slowest replica was up to {:.1} MB behind in replay", mb, most as f64 / 1_048_576.0))
}

/// A slot that Patroni keeps and nobody reads.
pub const SLOT_RETAIN: Fault = Fault {
    name: "slot-retain",
    doc: "a permanent slot that nobody reads, and 64 MB of WAL (or --mb) for it to retain",
    target: Target::Cluster,
    needs: Need::Nothing,
    throw: |scene, _, amount| Box::pin(slot_retain(scene, amount)),
};

async fn slot_retain(scene: &Scene, amount: Amount) -> Result<String> {
    let leader = scene.leader().await?;
    // Patroni drops a slot that it does not know, so the forgotten one is forgotten in its configuration.
    configure(scene, &leader, &json!({ "slots": { SLOT: { "type": "physical" } } })).await?;
    let client = sql::member(&scene.lab, &leader, User::Superuser).await?;
    wait::until(NEXT_LOOP, EVERY, async || {
        let query = "SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND restart_lsn IS NOT NULL";
        match client.query_opt(query, &[&SLOT]).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(NotYet::Reason(format!("Patroni has not made the slot {SLOT} yet"))),
            Err(e) => Err(NotYet::Never(format!("{:#}", sql::plain(e)))),
        }
    })
    .await?;
    // Messages are WAL without a table; the switch makes whole files of it.
    let mb = amount.mb.unwrap_or(64);
    run(&client, &format!("SELECT count(pg_logical_emit_message(false, 'pgbaton', repeat('x', 1048576))) FROM generate_series(1, {mb}); SELECT pg_switch_wal()"))
        .await?;
    Ok(format!(
        "{leader} retains {mb} MB and all that follows for the slot {SLOT}: seen among its slots, and a finding from the limit \
         slot_retained_bytes on (1 GB)"
    ))
}

/// An archive command that always fails.
pub const BAD_ARCHIVE_COMMAND: Fault = Fault {
    name: "bad-archive-command",
    doc: "archive_command fails: the archiver retries for ever and WAL piles up",
    target: Target::Cluster,
    needs: Need::Nothing,
    throw: |scene, _, _| Box::pin(bad_archive_command(scene)),
};

async fn bad_archive_command(scene: &Scene) -> Result<String> {
    let leader = scene.leader().await?;
    let client = sql::member(&scene.lab, &leader, User::Superuser).await?;
    let failed = async || -> Result<i64> {
        Ok(client.query_one("SELECT failed_count FROM pg_stat_archiver", &[]).await.map_err(sql::plain)?.get(0))
    };
    let before = failed().await?;
    configure(scene, &leader, &json!({ "postgresql": { "parameters": { "archive_command": "/bin/false" } } })).await?;
    wait::until(NEXT_LOOP, EVERY, async || {
        let row = client.query_one("SELECT current_setting('archive_command')", &[]).await;
        let now: String = row.map_err(|e| NotYet::Never(format!("{:#}", sql::plain(e))))?.get(0);
        if now == "/bin/false" { Ok(()) } else { Err(NotYet::Reason(format!("archive_command is still {now}"))) }
    })
    .await?;
    // A message first: a switch does nothing when nothing was written since the last one.
    run(&client, "SELECT pg_logical_emit_message(false, 'pgbaton', 'x'); SELECT pg_switch_wal()").await?;
    wait::until(NEXT_LOOP, EVERY, async || match failed().await {
        Ok(n) if n > before => Ok(()),
        Ok(_) => Err(NotYet::Reason("the archiver has not failed yet".into())),
        Err(e) => Err(NotYet::Never(format!("{e:#}"))),
    })
    .await?;
    Ok(format!("archive_command is /bin/false on every member; the archiver of {leader} fails"))
}

/// Undoes the faults of this file that outlive a process; the cluster has a leader.
///
/// # Errors
/// When the leader cannot be reached or refuses.
pub async fn heal(scene: &Scene, leader: &str) -> Result<()> {
    let config = scene.http.get_json(&format!("{}/config", scene.lab.rest_url(leader))).await?;
    if config["slots"].get(SLOT).is_some() {
        configure(scene, leader, &json!({ "slots": { SLOT: null } })).await?;
    }
    if config["postgresql"]["parameters"]["archive_command"] != ARCHIVE_COMMAND {
        configure(scene, leader, &json!({ "postgresql": { "parameters": { "archive_command": ARCHIVE_COMMAND } } })).await?;
    }
    let client = sql::member(&scene.lab, leader, User::Superuser).await?;
    run(&client, &format!("DROP TABLE IF EXISTS {TABLE}")).await?;
    wait::until(NEXT_LOOP, EVERY, async || {
        let query = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1), current_setting('archive_command')";
        let row = client.query_one(query, &[&SLOT]).await.map_err(|e| NotYet::Never(format!("{:#}", sql::plain(e))))?;
        if row.get(0) {
            return Err(NotYet::Reason(format!("Patroni has not dropped the slot {SLOT} yet")));
        }
        if row.get::<_, &str>(1) != ARCHIVE_COMMAND {
            return Err(NotYet::Reason("archive_command is not reset yet".into()));
        }
        Ok(())
    })
    .await
}

/// Changes Patroni's dynamic configuration.
async fn configure(scene: &Scene, member: &str, change: &serde_json::Value) -> Result<()> {
    let url = format!("{}/config", scene.lab.rest_url(member));
    let answer = scene.http.patch(&url, change).await.context("cannot change Patroni's configuration")?;
    if answer.status != 200 {
        bail!("Patroni of {member} refused a change of its configuration: {} {}", answer.status, answer.body);
    }
    Ok(())
}

async fn run(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(statements).await.map_err(sql::plain)
}

//! Write-ahead log: too much, not replayed, not read, not archived.

use pgbaton::document::Level::{Critical, Warning};

use super::{PLAIN, SYNC};
use crate::case::{Case, Sign, case};

pub fn cases() -> Vec<Case> {
    vec![
        case("pause-replay, then 64 MB of WAL", PLAIN, |b| {
            b.fault(&["pause-replay", "{replica}"]);
            b.fault(&["wal-burst", "--mb", "64"]);
        })
        .shows(Warning, "lag-high", "{replica}", Sign::Thrown)
        .says("{leader} leads", Sign::Thrown)
        .says("{replica} has not replayed", Sign::Thrown)
        .may(&["no-candidate"])
        .never(&["split-brain", "no-leader", "quorum-lost", "member-down", "replica-not-streaming"])
        .watch_on(3),
        case("wal-burst of 256 MB", PLAIN, |b| b.fault(&["wal-burst"]))
            .says("{leader} leads", Sign::AtOnce)
            .may(&["lag-high", "no-candidate", "replication-stalled"])
            .never(&["split-brain", "no-leader", "quorum-lost", "member-down"])
            .passes(),
        // Below the limit of 1 GB nothing is told; the details show it.
        // A Patroni that runs resumes it in its next loop.
        case("pg_wal_replay_pause() on a replica whose Patroni is frozen", PLAIN, |b| {
            b.fault(&["freeze-patroni", "{replica}"]);
            b.lab.sql(&b.roles.replica, "SELECT pg_wal_replay_pause()");
        })
        .shows(Warning, "replay-paused", "{replica}", Sign::Thrown)
        .shows(Warning, "api-hung|member-down", "{replica}", Sign::Thrown)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["member-missing", "lag-high", "no-candidate"])
        .never(&["split-brain", "no-leader", "quorum-lost", "replica-not-streaming"])
        .watch_on(3),
        case("slot-retain of 64 MB", PLAIN, |b| b.fault(&["slot-retain"]))
            .may(&["slot-retains-wal", "lag-high", "no-candidate", "replication-stalled"])
            .watch_on(3)
            .passes(),
        case("bad-archive-command", PLAIN, |b| b.fault(&["bad-archive-command"]))
            .core()
            .shows(Warning, "archive-failing", "", Sign::Thrown)
            // The archiver tries three times, a second apart, before its figures say anything again.
            .within(8)
            .never(&["split-brain", "no-leader", "quorum-lost", "member-down"])
            .watch_on(5),
        case("stop-node on the synchronous standby", SYNC, |b| {
            let standby = b.lab.status().cluster.sync_standbys.first().cloned().expect("a synchronous standby");
            b.roles.other = if standby == b.roles.replica { b.roles.other.clone() } else { b.roles.replica.clone() };
            b.roles.replica = standby;
            b.fault(&["stop-node", "{replica}"]);
        })
        .shows(Warning, "member-down", "{replica}", Sign::AtOnce)
        .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["member-missing", "source-stale", "sync-missing", "sync-set-mismatch", "etcd-member-down", "no-candidate", "failure-domain"])
        .never(&["split-brain", "no-leader", "quorum-lost"])
        .watch_on(3),
        case("freeze-postgres on the synchronous standby", SYNC, |b| {
            let standby = b.lab.status().cluster.sync_standbys.first().cloned().expect("a synchronous standby");
            b.roles.other = if standby == b.roles.replica { b.roles.other.clone() } else { b.roles.replica.clone() };
            b.roles.replica = standby;
            b.fault(&["freeze-postgres", "{replica}"]);
            b.commit_in_background("CREATE TABLE waits (); DROP TABLE waits");
        })
        // One and the same commit must have waited for 3 s, by readings a second apart.
        .shows(Critical, "commits-hang", "", Sign::Thrown)
        .within(8)
        .says("sessions wait for the synchronous standby {replica}|1 session waits for the synchronous standby {replica}", Sign::Thrown)
        .within(8)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["member-down", "member-missing", "source-stale", "api-hung", "sync-missing", "sync-set-mismatch", "no-candidate"])
        .may(&["lag-high", "replica-not-streaming", "replication-stalled"])
        .never(&["split-brain", "no-leader", "quorum-lost"])
        .watch_on(2),
        case("stop-node on both standbys' PostgreSQL", SYNC, |b| {
            for member in ["{replica}", "{other}"] {
                b.fault(&["freeze-patroni", member]);
                b.fault(&["kill-postgres", member]);
            }
        })
        .shows(Warning, "member-down|api-hung", "{replica}", Sign::AtOnce)
        .shows(Warning, "member-down|api-hung", "{other}", Sign::AtOnce)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["route-none", "source-stale", "sync-missing", "sync-set-mismatch", "no-candidate", "member-missing"])
        .never(&["split-brain", "no-leader", "quorum-lost"])
        .watch_on(5),
    ]
}

//! `replay-paused`: a standby receives, and does not replay, because its replay was paused.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Level, Member, Time, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "replay-paused",
        runbook: Some("lag-high"),
        fires: "a standby's pg_is_wal_replay_paused() is true, by SQL or, where that does not answer, by the REST API (xlog.paused).",
        matters: "Reads on it stand still at the moment of the pause, and what it receives piles up on its disk. A promotion ends the pause, \
                  but first replays all that has piled up: until then nobody can write. Nothing counts as far behind as long as little is written.",
        next: &[
            "Find out whether somebody wanted it (pg_wal_replay_pause, a backup tool, a recovery target), and whether it is still wanted.",
            "PostgreSQL pauses by itself when max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions or \
             max_locks_per_transaction is smaller than on the leader: its log names the setting. Then it has to be restarted with the leader's value.",
            "With PostgreSQL 14 and later Patroni resumes it in its next loop: if it lasts, look whether Patroni runs there. Else let it go on: \
             pgbaton resume-replay MEMBER.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    // The leader of a standby cluster replays too; another has nothing to pause.
    let members = cluster.members.values();
    members
        .filter_map(|member| {
            let evidence = paused(member, now)?;
            let lag = cluster.lag(&member.name, now);
            let piled = lag.replay.filter(|bytes| *bytes > 0).map(|bytes| format!(", {} so far", size(bytes))).unwrap_or_default();
            let sentence =
                format!("replay on {} is paused: reads on it stand still, and a takeover first replays what piles up{piled}", member.name);
            Some(Finding::new("replay-paused", Level::Warning, sentence).about(&member.name).because([evidence]))
        })
        .collect()
}

/// Who says that its replay is paused.
fn paused(member: &Member, now: Time) -> Option<Evidence> {
    match member.sql_now(now) {
        Some(sql) => (sql.replay_paused == Some(true)).then(|| Evidence::sql(member, "pg_is_wal_replay_paused()", true)),
        None => (member.rest_now(now)?.replay_paused == Some(true)).then(|| Evidence::rest(member, "xlog.paused", true)),
    }
}

//! `commits-hang`: a commit on the leader waits for a synchronous standby that does not confirm.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken, sync_missing};
use crate::model::{Level, PostgresStatus, ReplicationRow};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "commits-hang",
        runbook: None,
        fires: "on the leader one and the same commit (session and transaction in pg_stat_activity, wait_event SyncRep) waits for a synchronous standby for \
                longer than the limit `commit_wait`. When no standby is connected for it, `sync-missing` says so. Our user sees what others wait for with \
                pg_monitor only; without it nothing is found.",
        matters: "Clients that write hang, though the leader is well and the standby counts as connected: a frozen or overloaded standby is let go only after \
                  wal_sender_timeout (60 s), and Patroni takes it out of the synchronous set at its next loop after that. A session that is \
                  cancelled meanwhile has committed here, and its commit may be lost in a failover.",
        next: &[
            "Look at the standby in the evidence: its host (frozen, out of memory, disk full or slow), its PostgreSQL, the network to it.",
            "Do not cancel the sessions that wait: their transactions are committed on the leader, only nobody confirms them.",
            "If the standby will not be back soon: stop its PostgreSQL, then Patroni takes it out of the synchronous set within a loop.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    judge(case).into_iter().collect()
}

fn judge(case: &Case<'_>) -> Option<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let leader = cluster.members.get(cluster.leader_now(now)?)?;
    let sql = leader.sql_now(now).filter(|sql| !sql.in_recovery)?;
    let waits = leader.commit_waits_for().filter(|waits| *waits >= limits.commit_wait)?;
    if sync_missing::hangs(case) {
        return None;
    }
    let standbys: Vec<&ReplicationRow> = synchronous(sql).collect();
    let names: Vec<&str> = standbys.iter().map(|row| row.application_name.as_str()).collect();
    let whom = match names.as_slice() {
        [] => "a synchronous standby".to_owned(),
        [one] => format!("the synchronous standby {one}"),
        more => format!("the synchronous standbys {}", listed(more)),
    };
    let count = sql.commits_waiting.unwrap_or_default().max(u32::try_from(sql.commit_waits.len()).unwrap_or(u32::MAX));
    let who = if count == 1 { "1 session waits".to_owned() } else { format!("{count} sessions wait") };
    let name = &leader.name;
    let sentence = format!("commits on {name} hang: {who} for {whom}, for {} or longer", spoken(waits));
    let setting = sql.settings.synchronous_standby_names.as_deref().unwrap_or("not known");
    let mut finding = Finding::new("commits-hang", Level::Critical, sentence).because([
        Evidence::sql(leader, "sessions with wait_event SyncRep", count),
        Evidence::sql(leader, "one commit waits, seconds", waits.as_secs()),
        Evidence::sql(leader, "synchronous_standby_names", setting),
    ]);
    for row in standbys {
        let lacks = sql.current_lsn.zip(row.flush_lsn).map(|(at, flushed)| format!("{} bytes not confirmed", at.bytes_since(flushed)));
        let silent = leader.unheard_from(&row.application_name).map(|span| format!(", last word {} ago or longer", spoken(span)));
        let value = format!("{}{}", lacks.unwrap_or_else(|| "position not known".to_owned()), silent.unwrap_or_default());
        finding.evidence.push(Evidence::sql(leader, &format!("pg_stat_replication {}", row.application_name), value));
    }
    Some(finding)
}

fn synchronous(sql: &PostgresStatus) -> impl Iterator<Item = &ReplicationRow> {
    sql.replication.iter().filter(|row| matches!(row.sync_state.as_deref(), Some("sync" | "quorum")))
}

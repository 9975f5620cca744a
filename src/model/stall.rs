//! What stands still though it should move: a replica's receiver, a standby's word to the leader, a commit that waits for a standby.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cluster, CommitWait, Lsn, Member, PostgresStatus, Time};

/// A replica that lacks something the leader has written, and has received nothing since that was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// Up to where it has the WAL.
    pub received: Lsn,
    /// Where the leader wrote when that was first seen to be more.
    pub written: Lsn,
    /// When that was.
    pub since: Time,
}

/// Readings of a server whose value has stayed the same, each with the moment at which it was first asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standstill {
    /// By standby: the time of its last word to this server, by the standby's own clock.
    replies: BTreeMap<String, (Time, Time)>,
    /// By session and transaction: commits that wait for a synchronous standby.
    commits: BTreeMap<CommitWait, Time>,
}

impl Standstill {
    /// Takes in an answer that was asked for at `asked`.
    pub(super) fn hear(&mut self, status: &PostgresStatus, asked: Time) {
        let before = std::mem::take(&mut self.replies);
        let streaming = status.replication.iter().filter(|row| row.state.as_deref() == Some("streaming"));
        for row in streaming {
            let Some(reply) = row.reply_time else { continue };
            let known = before.get(&row.application_name).filter(|(known, _)| *known == reply);
            self.replies.insert(row.application_name.clone(), known.copied().unwrap_or((reply, asked)));
        }
        let before = std::mem::take(&mut self.commits);
        self.commits = status.commit_waits.iter().map(|wait| (*wait, before.get(wait).copied().unwrap_or(asked))).collect();
    }
}

impl Member {
    /// How long a standby has not said anything to this server at least, up to this server's newest answer; `None`: not known.
    pub fn unheard_from(&self, standby: &str) -> Option<Duration> {
        let (_, since) = self.standstill.replies.get(standby)?;
        Some(self.sql.at()?.since(*since))
    }

    /// How long the commit that has waited for longest for a synchronous standby has done so at least, up to this server's newest answer.
    pub fn commit_waits_for(&self) -> Option<Duration> {
        let since = self.standstill.commits.values().min()?;
        Some(self.sql.at()?.since(*since))
    }

    /// How long this replica has received nothing at least, though the leader had written more; up to its own newest answer.
    pub fn stalled_for(&self) -> Option<Duration> {
        Some(self.sql.at()?.since(self.stall?.since))
    }
}

impl Cluster {
    /// Holds what each replica has received beside what the leader has written.
    pub(super) fn follow_stalls(&mut self, now: Time) {
        let leader = self.leader_now(now).map(str::to_owned);
        let written = leader.as_ref().and_then(|name| self.members.get(name)?.sql_now(now)?.current_lsn);
        for member in self.members.values_mut() {
            let receives =
                |sql: &&PostgresStatus| sql.receiver.as_ref().is_some_and(|r| r.status.as_deref().is_none_or(|s| s == "streaming"));
            let received = member.sql_now(now).filter(receives).and_then(PostgresStatus::wal_held);
            member.stall = match (written, received) {
                (Some(written), Some(received)) if received < written && Some(&member.name) != leader.as_ref() => {
                    let known = member.stall.filter(|stall| stall.received == received);
                    Some(known.unwrap_or(Stall { received, written, since: now }))
                }
                _ => None,
            };
        }
    }
}

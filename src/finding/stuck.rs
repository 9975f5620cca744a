//! `stuck`: a member has been starting, stopping, failing or being made for too long.

use super::{Case, Evidence, Explanation, Finding, Part, Rule, leader_cannot_write, spoken};
use crate::model::{Level, Member, Phase};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "stuck",
        runbook: Some("replace-replica"),
        fires: "a member's Patroni has said for longer than the limit `stuck` (1 min) that its PostgreSQL starts, stops, restarts, has crashed or \
                failed, in these words or by turns; or for longer than the limit `creating` (30 min) that its data is being made. Counted from \
                when pgbaton has seen it; it may have begun before. Before that, `member-down` says that it does not serve.",
        matters: "Patroni tries the same again at every loop, and nothing changes. The member cannot take over meanwhile. A replica whose copy \
                  breaks off is begun again from nothing.",
        next: &[
            "Read the log of Patroni on the member, then PostgreSQL's: the reason is repeated there at every loop.",
            "Start failed: a wrong setting, a full disk, missing WAL or a damaged data directory are the usual reasons.",
            "Creating replica: see on the leader whether a base backup runs and moves (pg_stat_progress_basebackup), and on the member whether its data directory grows.",
            "Stopping: look whether it waits for the archiver or for a client that does not go.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.members.values().filter(|m| m.present).filter_map(|member| judge(case, member)).collect()
}

/// The finding on one member, if there is one; `member-down` asks it, which would say the same.
pub(super) fn judge(case: &Case<'_>, member: &Member) -> Option<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let standing = member.standing_now(now)?;
    let since = standing.down_since?;
    let lasting = now.since(since);
    let limit = match standing.state.phase() {
        Phase::Changing | Phase::Failed => limits.stuck,
        Phase::Creating => limits.creating,
        Phase::Serves | Phase::Stopped | Phase::Unknown => return None,
    };
    let leads = Part::of(cluster, &member.name, now) == Part::Leader;
    if lasting <= limit || leads && leader_cannot_write::judge(case).is_some() {
        return None;
    }
    let (name, state, span) = (&member.name, &standing.state.0, spoken(lasting));
    let sentence = match standing.state.phase() {
        Phase::Creating => format!("{name} is still being made: Patroni has called it {state} for {span}"),
        _ if standing.since == since => format!("{name} is stuck: Patroni has called it {state} for {span}"),
        _ => format!("{name} is stuck: it has not served for {span}, Patroni calls it {state}"),
    };
    let state = Evidence::rest(member, "state", state);
    let seen = Evidence::rest(member, "does not serve, seen since", since);
    Some(Finding::new("stuck", Level::Warning, sentence).about(name).because([state, seen]).because(Evidence::errors(member)))
}

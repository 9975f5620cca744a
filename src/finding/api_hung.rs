//! `api-hung`: a member's PostgreSQL answers, and its REST API accepts questions and gives no answer.

use super::silence::Silence;
use super::{Case, Evidence, Explanation, Finding, Part, Rule, leader_silent, listed};
use crate::model::{Cluster, ErrorKind, Level, Member, PostgresStatus, RouteKind, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "api-hung",
        runbook: Some("member-down"),
        fires: "a member's REST API gives no answer within 2 s (it is not refused: that is `member-down`), while its PostgreSQL answers. Of the leader it is told when it renews its lease nevertheless; until then it is `leader-silent`.",
        matters: "HAProxy asks the same REST API: it drops a primary that is quite well, and clients cannot write. If Patroni as a whole hangs, its lease \
                  runs out as well, and a replica takes over.",
        next: &[
            "On MEMBER, look who holds connections to the REST API (ss -tn sport = :8008): Patroni 4.1.5 has five threads, and five idle connections block it.",
            "Look whether Patroni itself still runs its loop: the lease of the leader key, and its log.",
            "Restarting Patroni frees the API. On the leader pause the cluster first, or look at the lease and at who would take over.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    cluster.members.values().filter(|m| m.present).filter_map(|member| judge(cluster, member, now)).collect()
}

/// What its PostgreSQL says, if its REST API gives no answer meanwhile.
pub(super) fn hangs(member: &Member, now: Time) -> Option<&PostgresStatus> {
    member.rest.error().filter(|error| error.kind.is_late())?;
    // Where both were silent, as behind a cut line, PostgreSQL can be the first to be heard again: the question that the REST API left
    // unanswered must have been asked after that.
    let (failed, heard) = (member.rest.failed_at()?, member.sql.good_since()?);
    let asked_after = failed.before(SourceKind::Rest.deadline()) >= heard;
    // Only what was read after the silence began says that PostgreSQL did not fall with it.
    member.sql_now(now).filter(|_| asked_after && member.sql.at() >= member.rest.failing_since())
}

/// The finding on one member, if there is one; `member-down` asks it.
pub(super) fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let sql = hangs(member, now)?;
    // As long as nothing says that the leader's Patroni lives, its lease is what everybody waits for: `leader-silent` tells it.
    if leader_silent::silent_leader(cluster, now).is_some_and(|leader| leader.name == member.name) && !leader_silent::lives(cluster, member)
    {
        return None;
    }
    let name = &member.name;
    let part = Part::of(cluster, name, now);
    let (severity, kind) = match part {
        Part::Follower => (Level::Warning, RouteKind::Read),
        Part::Leader | Part::LastLeader => (Level::Critical, RouteKind::Write),
    };
    let routes = cluster.routes(now);
    let concerned = || routes.iter().filter(|r| r.fresh && r.kind == kind && r.servers.iter().any(|(_, m)| *m == Some(name)));
    let dropped: Vec<&str> = concerned().filter(|r| !r.up().contains(&name.as_str())).map(|r| r.instance).collect();
    let then = match (dropped.as_slice(), concerned().count()) {
        (_, 0) => "health checks on it fail".to_owned(),
        ([], _) => "HAProxy will drop it".to_owned(),
        ([one], _) => format!("{one} has dropped it"),
        (more, _) => format!("{} have dropped it", listed(more)),
    };
    let hangs = Silence::rest(cluster, member, now).filter(|silence| silence.kind() != ErrorKind::Timeout);
    let hangs = hangs.map_or_else(|| "hangs".to_owned(), |silence| silence.told());
    let sentence = format!("the REST API of {} {hangs}, while its PostgreSQL answers: {then}", part.call(name));
    let answers = Evidence::sql(member, "pg_is_in_recovery()", sql.in_recovery);
    Some(Finding::new("api-hung", severity, sentence).about(name).because(Evidence::errors(member)).because([answers]))
}

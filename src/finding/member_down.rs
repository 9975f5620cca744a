//! `member-down`: a member whose key is there does not serve: its REST API is silent, or says that its PostgreSQL does not run.

use super::{Evidence, Finding, Part};
use crate::model::{Cluster, ErrorKind, Level, Member, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    cluster.members.values().filter(|m| m.present).filter_map(|member| judge(cluster, member, now)).collect()
}

fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let name = &member.name;
    let part = Part::of(cluster, name, now);
    let severity = if part == Part::Follower { Level::Warning } else { Level::Critical };
    let who = part.call(name);
    if let Some(error) = member.rest.error() {
        let sentence = match (member.sql_now(now), member.sql.error()) {
            (Some(_), _) => format!("the Patroni of {who} does not answer ({error}); its PostgreSQL does"),
            (None, Some(sql)) if absent(sql.kind) && absent(error.kind) => format!("{who} is down: {error}"),
            (None, _) => format!("the Patroni of {who} does not answer: {error}"),
        };
        return Some(Finding::new("member-down", severity, sentence).about(name).because(Evidence::errors(member)));
    }
    let rest = member.rest_now(now)?;
    if rest.state.serves() {
        return None;
    }
    let sentence = format!("{who} does not serve: Patroni calls it {}", rest.state.0);
    let state = Evidence::rest(member, "state", &rest.state.0);
    Some(Finding::new("member-down", severity, sentence).about(name).because([state]).because(Evidence::errors(member)))
}

/// Whether a failure speaks of the other side's absence. A password that is refused, a certificate, or settings of ours that are wrong do not.
fn absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Refused | ErrorKind::Timeout | ErrorKind::Broken | ErrorKind::Dns | ErrorKind::Unavailable)
}

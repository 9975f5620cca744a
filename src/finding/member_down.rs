//! `member-down`: a member whose key is there does not serve: its REST API is silent, or says that its PostgreSQL does not run.

use super::{Evidence, Finding};
use crate::model::{Cluster, Level, Member, Time};

pub(super) fn check(cluster: &Cluster, now: Time) -> Vec<Finding> {
    cluster.members.values().filter(|m| m.present).filter_map(|member| judge(cluster, member, now)).collect()
}

fn judge(cluster: &Cluster, member: &Member, now: Time) -> Option<Finding> {
    let name = &member.name;
    let leads = cluster.holder() == Some(name.as_str());
    let severity = if leads { Level::Critical } else { Level::Warning };
    let who = if leads { format!("{name}, the leader,") } else { name.clone() };
    if let Some(error) = member.rest.error() {
        let sentence = match member.sql_now(now) {
            Some(_) => format!("the Patroni of {who} does not answer ({error}); its PostgreSQL does"),
            None if member.sql.error().is_some() => format!("{who} is down: {error}"),
            None => format!("the Patroni of {who} does not answer: {error}"),
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

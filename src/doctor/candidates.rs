//! `candidates`: whether somebody is there, and allowed, to take over.

use serde_json::{Map, Value};

use super::judged::{Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::finding::forecast::{Outcome, Reason};
use crate::model::Member;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "candidates",
    why: "A failover needs a member that may lead. One with the tag nofailover, or failover_priority 0, stands by while nobody leads.",
    cites: &["no-candidate", "member-missing"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let members = match case.members() {
        Ok(members) => members,
        Err(open) => return vec![open],
    };
    let Some(leader) = case.cluster.leader_now(case.now) else { return vec![Judged::not_known("nobody is known to lead now")] };
    let followers: Vec<&Member> = members.iter().copied().filter(|m| m.name != leader).collect();
    let tags = |member: &Member| {
        let told = tags_of(member).map_or_else(|| "not told".to_owned(), |tags| Value::Object(tags.clone()).to_string());
        match member.rest.last() {
            Some(_) => Evidence::rest(member, "tags", told),
            None => Evidence::dcs(case.cluster, &format!("members/{} tags", member.name), told),
        }
    };
    let forecast = case.forecast();
    let is_barred = |member: &Member| forecast.standings.get(&member.name).is_some_and(|s| s.reasons.contains(&Reason::NoFailover));
    let mut found = case.cite(JUDGEMENT.cites);
    let mut open = Vec::new();
    open.extend(followers.iter().filter(|m| tags_of(m).is_none()).map(|m| Judged::not_known("its tags are not told").of(&m.name)));
    let (barred, free): (Vec<&Member>, Vec<&Member>) = followers.iter().copied().partition(|m| is_barred(m));
    let allow = |judged: Judged, barred: &[&Member]| {
        barred.iter().fold(judged, |judged, m| {
            judged.change(format!("patroni.yml of {}, tags", m.name), "nofailover: false  # and no failover_priority: 0")
        })
    };
    if followers.is_empty() {
        let sentence = format!("{leader} is the only member: nobody can take over");
        found.push(Judged::hurts(Severity::Critical, sentence).by([Evidence::dcs(case.cluster, "members", leader)]));
    } else if free.is_empty() {
        let sentence = format!("no member may take over from {leader}: all others have nofailover");
        found.push(allow(Judged::hurts(Severity::Critical, sentence).by(barred.iter().map(|m| tags(m))), &barred));
    } else if free.len() == 1 && !barred.is_empty() {
        let sentence = format!("only {} may take over from {leader}: of the others each has nofailover", free[0].name);
        found.push(allow(Judged::hurts(Severity::Note, sentence).by(barred.iter().map(|m| tags(m))), &barred));
    }
    let sentence = format!("if {leader} died now: {}", forecast.sentence());
    match &forecast.outcome {
        Outcome::TakesOver(..) => {}
        Outcome::Nobody if found.iter().all(|judged| judged.harm().is_none_or(|harm| harm.severity < Severity::Critical)) => {
            let steps = "what keeps each member away: `pgbaton status` has it";
            found.push(
                Judged::hurts(Severity::Critical, sentence.clone()).by(followers.iter().map(|m| tags(m))).change("the members", steps),
            );
        }
        Outcome::Nobody => {}
        Outcome::Unknown => open.push(Judged::not_known(sentence.clone())),
    }
    let synchronous = case.config().is_ok_and(|config| config.synchronous_mode != "off" && !config.standby_cluster);
    if synchronous && !free.is_empty() && free.iter().all(|m| tags_of(m).is_some_and(|tags| tags.get("nosync") == Some(&Value::Bool(true))))
    {
        let sentence = format!("no member that may take over from {leader} can be synchronous: each has nosync");
        let judged = Judged::hurts(Severity::Warning, sentence).by(free.iter().map(|m| tags(m)));
        found.push(free.iter().fold(judged, |judged, m| judged.change(format!("patroni.yml of {}, tags", m.name), "nosync: false")));
    }
    unless(found, open, || Judged::holds(sentence).by(followers.iter().map(|m| tags(m))))
}

/// A member's tags, as its Patroni says them now, else as it wrote them to etcd.
fn tags_of(member: &Member) -> Option<&Map<String, Value>> {
    member.rest.last().map(|rest| &rest.tags).or_else(|| member.dcs().map(|key| &key.tags))
}

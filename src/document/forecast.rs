//! The part on what would happen if the leader died, and what each member's Patroni asks itself.

use super::{ForecastDoc, QuestionDoc, ReasonDoc};
use crate::finding::Forecast;
use crate::finding::forecast::{Outcome, Reason};
use crate::model::{Cluster, Member, Time, spoken};

pub(super) fn document(forecast: &Forecast) -> ForecastDoc {
    let (outcome, next, loss) = match &forecast.outcome {
        Outcome::TakesOver(who, loss) => ("takes-over", who.clone(), Some(loss)),
        Outcome::Nobody => ("nobody", Vec::new(), None),
        Outcome::Unknown => ("unknown", Vec::new(), None),
    };
    ForecastDoc {
        leader: forecast.leader.clone(),
        outcome: outcome.to_owned(),
        next,
        lost_bytes: loss.and_then(|l| l.bytes),
        lost_seconds: loss.and_then(|l| l.seconds),
        acknowledged_kept: loss.map(|l| l.acknowledged_kept),
        sentence: forecast.sentence(),
        leader_stays_without_quorum: forecast.without_quorum.stays,
        without_quorum: forecast.without_quorum.sentence.clone(),
    }
}

impl ForecastDoc {
    /// In words: `if psg1 died now: psg2, nothing lost`; without a leader, who is next.
    pub fn told(&self) -> String {
        match &self.leader {
            Some(leader) => format!("if {leader} died now: {}", self.sentence),
            None => format!("next: {}", self.sentence),
        }
    }
}

/// Whether a member can take over, and why not. `None`: it leads, or that is not known.
pub(super) fn can_take_over(forecast: &Forecast, name: &str) -> (Option<bool>, Vec<ReasonDoc>) {
    let Some(standing) = forecast.standings.get(name) else { return (None, Vec::new()) };
    let reason = |reason: &Reason| ReasonDoc {
        code: reason.code().to_owned(),
        stage: reason.stage().to_string(),
        short: reason.short(),
        sentence: reason.told(),
    };
    (standing.can, standing.reasons.iter().map(reason).collect())
}

/// The three questions of a member's HA loop, with the answer as far as evidence shows it.
pub(super) fn questions(cluster: &Cluster, forecast: &Forecast, member: &Member, now: Time) -> Vec<QuestionDoc> {
    let question =
        |question: &str, (answer, because): (Option<bool>, String)| QuestionDoc { question: question.to_owned(), answer, because };
    vec![
        question("am I healthy?", healthy(member, now)),
        question("is a leader alive?", leader_alive(cluster, member, now)),
        question("should I lead?", become_leader(cluster, forecast, member, now)),
    ]
}

fn healthy(member: &Member, now: Time) -> (Option<bool>, String) {
    match (member.rest_now(now), member.rest.error()) {
        (Some(rest), _) if rest.state.serves() => (Some(true), format!("its PostgreSQL is {}", rest.state.0)),
        (Some(rest), _) => (Some(false), format!("its PostgreSQL is {}", rest.state.0)),
        (None, Some(error)) => (None, format!("its Patroni does not answer: {error}")),
        (None, None) => (None, "its Patroni was not heard".to_owned()),
    }
}

/// By its own answer: it says `cluster_unlocked` when it sees no leader key, and when it last saw etcd.
fn leader_alive(cluster: &Cluster, member: &Member, now: Time) -> (Option<bool>, String) {
    let Some(rest) = member.rest_now(now) else { return (None, "its Patroni does not answer".to_owned()) };
    let seen = rest.dcs_last_seen.map(|at| format!(", and last saw etcd {} ago", spoken(now.since(at)))).unwrap_or_default();
    if let Some(leader) = cluster.failsafe_leader(now).filter(|_| rest.failsafe_active) {
        let itself = leader == member.name;
        let told =
            if itself { "it leads itself, in failsafe mode".to_owned() } else { format!("{leader} asked it lately, in failsafe mode") };
        return (Some(true), format!("{told}{seen}"));
    }
    if rest.cluster_unlocked {
        return (Some(false), format!("it sees no leader key{seen}"));
    }
    match cluster.holder_now(now) {
        Some(holder) if holder == member.name => (Some(true), format!("it holds the leader key itself{seen}")),
        Some(holder) => (Some(true), format!("it sees the key of {holder}{seen}")),
        None if cluster.dcs_current(now) => (None, format!("etcd holds no leader key; it has not said that it knows{seen}")),
        None => (None, format!("etcd cannot be read from here{seen}")),
    }
}

fn become_leader(cluster: &Cluster, forecast: &Forecast, member: &Member, now: Time) -> (Option<bool>, String) {
    if cluster.holder_now(now) == Some(member.name.as_str()) {
        return (Some(true), "it leads, and renews the key at each loop".to_owned());
    }
    if cluster.failsafe_leader(now) == Some(member.name.as_str()) {
        return (Some(true), "it leads without the key, as long as every member answers it".to_owned());
    }
    let Some(standing) = forecast.standings.get(&member.name) else { return (None, "not known".to_owned()) };
    let would = match (standing.can, &standing.beaten_by) {
        (Some(true), None) => "it would".to_owned(),
        (Some(true), Some(other)) => format!("it could, but {other} goes before it"),
        (can, _) => {
            let reasons: Vec<String> = standing.reasons.iter().map(Reason::short).collect();
            format!("{}: it {}", if can.is_none() { "not known" } else { "it could not" }, reasons.join(", "))
        }
    };
    match &forecast.leader {
        Some(leader) => (Some(false), format!("{leader} leads; without it, {would}")),
        None => (standing.can.map(|can| can && standing.beaten_by.is_none()), would),
    }
}

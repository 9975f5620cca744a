//! A change in words.

use std::time::Duration;

use super::{Change, ChangeKind};
use crate::model::{Cause, Role, Silence, SourceKind, clean, spoken};

impl Change {
    /// One sentence.
    pub fn sentence(&self) -> String {
        let list = |names: &[String]| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        match &self.kind {
            ChangeKind::LeaderChanged { from, to, seconds, cause, .. } => {
                let after = from.as_deref().map(|from| format!(", after {from}")).unwrap_or_default();
                let without = seconds.map(|s| format!("; {} without a leader", span(s))).unwrap_or_default();
                let why = match cause {
                    // Nobody is known to have led before.
                    Cause::Unknown if from.is_none() => String::new(),
                    cause => format!(": {}", why(cause)),
                };
                format!("{to} leads{after}{why}{without}")
            }
            ChangeKind::LeaderLost { from } => format!("nobody leads: {from} no longer holds the leader key"),
            ChangeKind::TimelineChanged { from: Some(from), to, .. } => format!("timeline {to}, after {from}"),
            ChangeKind::TimelineChanged { from: None, to, .. } => format!("timeline {to}"),
            ChangeKind::MemberAdded { member } => format!("{member} is a member"),
            ChangeKind::MemberMissing { member } => format!("{member} is missing: its key in etcd is gone"),
            ChangeKind::MemberReturned { member } => format!("{member} is back"),
            ChangeKind::MemberState { member, from, to } => {
                let word = |state: &Option<String>| state.clone().unwrap_or_else(|| "not known".to_owned());
                format!("{member} is {}, was {}", word(to), word(from))
            }
            ChangeKind::MemberRole { member, from, to } => format!("{member} is {}, was {}", role_name(*to), role_name(*from)),
            ChangeKind::PostgresStarted { member, started } => {
                format!("the PostgreSQL of {member} was started anew, by its clock at {started}: every session on it has ended")
            }
            ChangeKind::Paused => "paused: Patroni will not act on its own".to_owned(),
            ChangeKind::Resumed { seconds: Some(seconds) } => format!("resumed, after a pause of {}", span(*seconds)),
            ChangeKind::Resumed { seconds: None } => "resumed".to_owned(),
            ChangeKind::ConfigChanged { keys } => {
                let keys: Vec<String> = keys.iter().map(|k| format!("{} {} -> {}", k.key, k.from, k.to)).collect();
                clean(&format!("configuration changed: {}", keys.join("; ")))
            }
            ChangeKind::SyncChanged { from, to } => format!("synchronous set: {}, was {}", list(to), list(from)),
            ChangeKind::SwitchoverRequested { from, to, scheduled_at } => {
                let from = from.as_deref().map(|n| format!(" from {n}")).unwrap_or_default();
                let to = to.as_deref().map(|n| format!(" to {n}")).unwrap_or_default();
                match scheduled_at {
                    Some(at) => format!("switchover{from}{to} is scheduled for {at}"),
                    None => format!("switchover{from}{to} is asked for"),
                }
            }
            ChangeKind::SwitchoverCleared => "no switchover is asked for any more".to_owned(),
            ChangeKind::QuorumLost => "etcd has lost its quorum".to_owned(),
            ChangeKind::QuorumRegained { seconds: Some(seconds) } => format!("etcd has a quorum again, after {} without", span(*seconds)),
            ChangeKind::QuorumRegained { seconds: None } => "etcd has a quorum again".to_owned(),
            ChangeKind::RouteChanged { instance, backend, to, seconds: Some(seconds), .. } => {
                format!("{instance} {backend} sends to {}, after it led nowhere for {}", list(to), span(*seconds))
            }
            ChangeKind::RouteChanged { instance, backend, from, to, seconds: None, .. } => {
                format!("{instance} {backend} sends to {}, was {}", list(to), list(from))
            }
            ChangeKind::SourceLost { source, error } => format!("{source} fails: {error}"),
            ChangeKind::SourceReturned { source } => format!("{source} answers again"),
            ChangeKind::SystemIdentifierChanged { from, to } => match to {
                Some(to) => format!("the cluster was made anew: system identifier {to}, was {from}"),
                None => format!("the cluster {from} is gone from etcd"),
            },
            ChangeKind::FindingRaised { sentence, .. } => sentence.clone(),
            ChangeKind::FindingChanged { code, subject, from, to, says } => {
                format!("{} is {to}, was {from}: {says}", finding(code, subject.as_deref()))
            }
            ChangeKind::FindingCleared { code, subject, seconds, now: Some(now), .. } => {
                format!("{} is {now} now, after {}", finding(code, subject.as_deref()), span(*seconds))
            }
            ChangeKind::FindingCleared { code, subject, seconds, .. } => {
                format!("{} is over; it was seen for {}", finding(code, subject.as_deref()), span(*seconds))
            }
        }
    }
}

/// A cause in words.
fn why(cause: &Cause) -> String {
    match cause {
        Cause::AskedFor { to, scheduled_at, .. } => {
            let to = to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
            match scheduled_at {
                Some(at) => format!("a switchover{to} was scheduled for {at}"),
                None => format!("a switchover{to} was asked for"),
            }
        }
        Cause::Crash { leader, silent, lease_ran_out } => {
            let of = |s: &Silence| {
                let name = match s.source {
                    SourceKind::Rest => "REST",
                    SourceKind::Sql => "SQL",
                    _ => "its etcd",
                };
                format!("{name} {} before", span(s.seconds))
            };
            let order: Vec<String> = silent.iter().map(of).collect();
            let lease = if *lease_ran_out { ", then its lease ran out" } else { "" };
            format!("{leader} fell silent ({}){lease}", order.join(", "))
        }
        Cause::QuorumLost { leader, seconds } => {
            let lasted = seconds.map(|s| format!(" for {}", span(s))).unwrap_or_default();
            format!("etcd had no quorum{lasted}, so {leader} could not renew its lease")
        }
        Cause::NotRenewed { leader } => format!("{leader} did not renew its lease, though its Patroni answered"),
        Cause::Released { leader } => format!("{leader} gave the leader key up, and nobody had asked for it"),
        Cause::Unknown => "why is not known".to_owned(),
    }
}

/// A finding by its name: `lag-high of psg2`.
pub(super) fn finding(code: &str, subject: Option<&str>) -> String {
    subject.map_or_else(|| code.to_owned(), |subject| format!("{code} of {subject}"))
}

/// Seconds in words: tenths while they are few.
fn span(seconds: f64) -> String {
    if seconds < 10.0 { format!("{:.1} s", seconds.max(0.0)).replace(".0 s", " s") } else { spoken(Duration::from_secs_f64(seconds)) }
}

/// A role in words.
fn role_name(role: Role) -> String {
    role.to_string().replace('_', " ")
}

//! What changes are told from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Change, ChangeKind, ConfigChange};
use crate::model::hygiene::Hygiene;
use crate::model::succession::{Won, seconds};
use crate::model::{Cluster, ErrorKind, Failover, Parsed, Role, RouteKind, SourceId, Time, clean};

/// What changes are told from.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::model) struct Summary {
    /// False until the DCS was read for the first time: what is found then has not changed, it was there.
    known: bool,
    leader: Option<String>,
    last_leader: Option<String>,
    won: Option<Arc<Won>>,
    timeline: Option<u32>,
    system_identifier: Option<String>,
    paused: Option<bool>,
    /// When it was seen to begin.
    paused_at: Option<Time>,
    config: Option<Value>,
    /// `None`: the key is there and cannot be read.
    sync: Option<Vec<String>>,
    /// `None`: likewise.
    failover: Option<Option<Failover>>,
    quorum: Option<bool>,
    /// When it was seen to be lost.
    quorum_lost_at: Option<Time>,
    members: BTreeMap<String, MemberSummary>,
    routes: BTreeMap<(String, String), RouteSummary>,
    failing: BTreeMap<SourceId, (ErrorKind, String)>,
}

#[derive(Debug, Clone, PartialEq)]
struct RouteSummary {
    kind: RouteKind,
    up: Vec<String>,
    /// When it was seen to lead nowhere, if it does.
    nowhere_at: Option<Time>,
}

#[derive(Debug, Clone, PartialEq)]
struct MemberSummary {
    present: bool,
    /// `None`: nothing was heard of it yet, so that the first answer is no change.
    state: Option<Option<String>>,
    role: Option<Role>,
    /// The newest start of its PostgreSQL.
    started: Option<Time>,
}

impl Summary {
    pub(in crate::model) fn of(cluster: &Cluster, now: Time) -> Self {
        let keys = &cluster.dcs.keys;
        let leader = keys.leader.as_ref().map(|l| l.name.clone());
        let members = cluster.members.values().map(|member| {
            let heard = member.rest.heard() || member.sql.heard();
            let summary = MemberSummary {
                present: member.present,
                state: member.rest.heard().then(|| member.state(now)),
                role: heard.then(|| cluster.role(&member.name, now)),
                started: member.starts.newest,
            };
            (member.name.clone(), summary)
        });
        let routes = cluster.routes(now).into_iter().filter(|r| r.fresh).map(|r| {
            let up = r.up().into_iter().map(str::to_owned).collect();
            ((r.instance.to_owned(), r.backend.to_owned()), RouteSummary { kind: r.kind, up, nowhere_at: None })
        });
        let failing = cluster.sources(now).into_iter().filter_map(|heard| Some((heard.error?, heard.source)));
        Self {
            known: cluster.dcs.revision.is_some(),
            last_leader: None,
            won: cluster.succession.won.clone(),
            paused_at: None,
            quorum_lost_at: None,
            timeline: leader.as_deref().and_then(|l| cluster.timeline_sure(l, now).map(|(timeline, _)| timeline)),
            leader,
            system_identifier: keys.initialize.clone().filter(|id| !id.is_empty()),
            paused: keys.config().map(|c| c.paused),
            config: keys.config().map(|c| c.raw.clone()),
            sync: match &keys.sync {
                None => Some(Vec::new()),
                Some(sync) => sync.good().map(|s| s.standbys.clone()),
            },
            failover: match &keys.failover {
                Some(Parsed::Bad(_)) => None,
                _ => Some(keys.pending_failover().cloned()),
            },
            quorum: cluster.quorum(now).has,
            members: members.collect(),
            routes: routes.collect(),
            failing: failing.map(|(error, source)| (source, (error.kind, error.message.clone()))).collect(),
        }
    }

    /// Takes over from an earlier summary what this one does not know, so that a gap in knowledge neither hides a change nor makes one up: a
    /// leader that follows another after half a minute without one is still told with both names.
    pub(in crate::model) fn remember(&mut self, before: &Summary, now: Time) {
        self.last_leader = self.leader.clone().or_else(|| before.last_leader.clone());
        self.timeline = self.timeline.or(before.timeline);
        self.paused = self.paused.or(before.paused);
        self.config = self.config.take().or_else(|| before.config.clone());
        self.sync = self.sync.take().or_else(|| before.sync.clone());
        self.failover = self.failover.take().or_else(|| before.failover.clone());
        self.quorum = self.quorum.or(before.quorum);
        for (route, known) in &before.routes {
            let route = self.routes.entry(route.clone()).or_insert_with(|| known.clone());
            if route.up.is_empty() {
                route.nowhere_at = if known.up.is_empty() { known.nowhere_at } else { Some(now) };
            }
        }
        self.paused_at = begun(before.paused, self.paused, true, before.paused_at, now);
        self.quorum_lost_at = begun(before.quorum, self.quorum, false, before.quorum_lost_at, now);
    }

    /// What lies between this summary and a later one.
    pub(in crate::model) fn changes_to(&self, next: &Summary, at: Time) -> Vec<Change> {
        let mut kinds = Vec::new();
        if self.known && next.known {
            self.cluster_changes(next, at, &mut kinds);
        }
        self.member_changes(next, &mut kinds);
        for (route, now) in &next.routes {
            if let Some(before) = self.routes.get(route)
                && before.up != now.up
            {
                let (instance, backend) = route.clone();
                let seconds = before.nowhere_at.map(|since| seconds(at.since(since)));
                let (from, to) = (before.up.clone(), now.up.clone());
                kinds.push(ChangeKind::RouteChanged { instance, backend, kind: now.kind, from, to, seconds });
            }
        }
        for (source, (kind, error)) in &next.failing {
            if self.failing.get(source).is_none_or(|(before, _)| before != kind) {
                kinds.push(ChangeKind::SourceLost { source: source.clone(), error: error.clone() });
            }
        }
        let returned = self.failing.keys().filter(|source| !next.failing.contains_key(*source));
        kinds.extend(returned.map(|source| ChangeKind::SourceReturned { source: source.clone() }));
        kinds.into_iter().map(|kind| Change { at, kind }).collect()
    }

    fn cluster_changes(&self, next: &Summary, at: Time, kinds: &mut Vec<ChangeKind>) {
        if self.system_identifier != next.system_identifier
            && let Some(from) = self.system_identifier.clone()
        {
            kinds.push(ChangeKind::SystemIdentifierChanged { from, to: next.system_identifier.clone() });
        }
        match (&self.leader, &next.leader) {
            (Some(from), None) => kinds.push(ChangeKind::LeaderLost { from: from.clone() }),
            (from, Some(to)) if from.as_ref() != Some(to) => {
                let won = next.won.as_deref().filter(|won| won.to == *to);
                kinds.push(ChangeKind::LeaderChanged {
                    from: from.clone().or_else(|| self.last_leader.clone()).filter(|from| from != to),
                    to: to.clone(),
                    timeline: self.timeline,
                    seconds: won.and_then(|won| won.seconds),
                    cause: won.map(|won| won.cause.clone()).unwrap_or_default(),
                    evidence: won.map(|won| won.evidence.clone()).unwrap_or_default(),
                });
            }
            _ => {}
        }
        if let (Some(to), Some(from)) = (next.timeline, self.timeline)
            && from != to
        {
            kinds.push(ChangeKind::TimelineChanged { from: Some(from), to, leader: next.leader.clone() });
        }
        match (self.paused, next.paused) {
            (Some(false) | None, Some(true)) => kinds.push(ChangeKind::Paused),
            (Some(true), Some(false)) => {
                kinds.push(ChangeKind::Resumed { seconds: self.paused_at.map(|since| seconds(at.since(since))) });
            }
            _ => {}
        }
        if let (Some(from), Some(to)) = (&self.config, &next.config) {
            let mut keys = Vec::new();
            config_changes("", from, to, &mut keys);
            keys.retain(|k| k.key != "pause");
            if !keys.is_empty() {
                kinds.push(ChangeKind::ConfigChanged { keys });
            }
        }
        if let (Some(from), Some(to)) = (&self.sync, &next.sync)
            && from != to
        {
            kinds.push(ChangeKind::SyncChanged { from: from.clone(), to: to.clone() });
        }
        match (self.failover.as_ref().and_then(Option::as_ref), next.failover.as_ref().and_then(Option::as_ref)) {
            (before, Some(asked)) if before != Some(asked) => kinds.push(ChangeKind::SwitchoverRequested {
                from: asked.leader.clone(),
                to: asked.candidate.clone(),
                scheduled_at: asked.scheduled_at,
            }),
            (Some(_), None) => kinds.push(ChangeKind::SwitchoverCleared),
            _ => {}
        }
        match (self.quorum, next.quorum) {
            (Some(true), Some(false)) => kinds.push(ChangeKind::QuorumLost),
            (Some(false), Some(true)) => {
                kinds.push(ChangeKind::QuorumRegained { seconds: self.quorum_lost_at.map(|since| seconds(at.since(since))) });
            }
            _ => {}
        }
    }

    fn member_changes(&self, next: &Summary, kinds: &mut Vec<ChangeKind>) {
        for (name, now) in &next.members {
            let member = name.clone();
            let Some(before) = self.members.get(name) else {
                if self.known {
                    kinds.push(ChangeKind::MemberAdded { member });
                }
                continue;
            };
            match (before.present, now.present) {
                (true, false) => kinds.push(ChangeKind::MemberMissing { member: member.clone() }),
                (false, true) => kinds.push(ChangeKind::MemberReturned { member: member.clone() }),
                _ => {}
            }
            if let (Some(from), Some(to)) = (&before.state, &now.state)
                && from != to
            {
                kinds.push(ChangeKind::MemberState { member: member.clone(), from: from.clone(), to: to.clone() });
            }
            if let (Some(from), Some(to)) = (before.role, now.role)
                && from != to
            {
                kinds.push(ChangeKind::MemberRole { member: member.clone(), from, to });
            }
            if let (Some(from), Some(started)) = (before.started, now.started)
                && from != started
            {
                kinds.push(ChangeKind::PostgresStarted { member, started });
            }
        }
    }
}

/// When a state began that is told by `on`: now, if it was seen to begin; else when it was before.
fn begun(before: Option<bool>, now: Option<bool>, on: bool, since: Option<Time>, at: Time) -> Option<Time> {
    match (before, now) {
        (Some(was), Some(is)) if is == on => {
            if was == on {
                since
            } else {
                Some(at)
            }
        }
        _ => None,
    }
}

fn config_changes(path: &str, from: &Value, to: &Value, out: &mut Vec<ConfigChange>) {
    match (from, to) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                config_changes(&path, a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null), out);
            }
        }
        _ if from != to => {
            let mut change = ConfigChange { key: clean(path), from: from.clone(), to: to.clone() };
            change.from.wash();
            change.to.wash();
            out.push(change);
        }
        _ => {}
    }
}

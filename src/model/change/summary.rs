//! What changes are told from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Change, ChangeKind, ConfigChange};
use crate::model::hygiene::Hygiene;
use crate::model::{Cluster, ErrorKind, Failover, Parsed, Role, RouteKind, SourceId, Time, clean};

/// What changes are told from.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::model) struct Summary {
    /// False until the DCS was read for the first time: what is found then has not changed, it was there.
    known: bool,
    leader: Option<String>,
    last_leader: Option<String>,
    timeline: Option<u32>,
    system_identifier: Option<String>,
    paused: Option<bool>,
    config: Option<Value>,
    /// `None`: the key is there and cannot be read.
    sync: Option<Vec<String>>,
    /// `None`: likewise.
    failover: Option<Option<Failover>>,
    quorum: Option<bool>,
    members: BTreeMap<String, MemberSummary>,
    routes: BTreeMap<(String, String), (RouteKind, Vec<String>)>,
    failing: BTreeMap<SourceId, (ErrorKind, String)>,
}

#[derive(Debug, Clone, PartialEq)]
struct MemberSummary {
    present: bool,
    /// `None`: nothing was heard of it yet, so that the first answer is no change.
    state: Option<Option<String>>,
    role: Option<Role>,
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
            };
            (member.name.clone(), summary)
        });
        let routes = cluster.routes(now).into_iter().filter(|r| r.fresh).map(|r| {
            let up = r.up().into_iter().map(str::to_owned).collect();
            ((r.instance.to_owned(), r.backend.to_owned()), (r.kind, up))
        });
        let failing = cluster.sources(now).into_iter().filter_map(|heard| Some((heard.error?, heard.source)));
        Self {
            known: cluster.dcs.revision.is_some(),
            last_leader: None,
            timeline: leader.as_deref().and_then(|l| cluster.timeline(l, now)),
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
    pub(in crate::model) fn remember(&mut self, before: &Summary) {
        self.last_leader = self.leader.clone().or_else(|| before.last_leader.clone());
        self.timeline = self.timeline.or(before.timeline);
        self.paused = self.paused.or(before.paused);
        self.config = self.config.take().or_else(|| before.config.clone());
        self.sync = self.sync.take().or_else(|| before.sync.clone());
        self.failover = self.failover.take().or_else(|| before.failover.clone());
        self.quorum = self.quorum.or(before.quorum);
        for (route, up) in &before.routes {
            self.routes.entry(route.clone()).or_insert_with(|| up.clone());
        }
    }

    /// What lies between this summary and a later one.
    pub(in crate::model) fn changes_to(&self, next: &Summary, at: Time) -> Vec<Change> {
        let mut kinds = Vec::new();
        if self.known && next.known {
            self.cluster_changes(next, &mut kinds);
        }
        self.member_changes(next, &mut kinds);
        for (route, (kind, to)) in &next.routes {
            if let Some((_, from)) = self.routes.get(route)
                && from != to
            {
                let (instance, backend) = route.clone();
                kinds.push(ChangeKind::RouteChanged { instance, backend, kind: *kind, from: from.clone(), to: to.clone() });
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

    fn cluster_changes(&self, next: &Summary, kinds: &mut Vec<ChangeKind>) {
        if self.system_identifier != next.system_identifier
            && let Some(from) = self.system_identifier.clone()
        {
            kinds.push(ChangeKind::SystemIdentifierChanged { from, to: next.system_identifier.clone() });
        }
        match (&self.leader, &next.leader) {
            (Some(from), None) => kinds.push(ChangeKind::LeaderLost { from: from.clone() }),
            (from, Some(to)) if from.as_ref() != Some(to) => {
                kinds.push(ChangeKind::LeaderChanged {
                    from: from.clone().or_else(|| self.last_leader.clone()).filter(|from| from != to),
                    to: to.clone(),
                });
            }
            _ => {}
        }
        if let (Some(to), Some(from)) = (next.timeline, self.timeline)
            && from != to
        {
            kinds.push(ChangeKind::TimelineChanged { from: Some(from), to });
        }
        match (self.paused, next.paused) {
            (Some(false) | None, Some(true)) => kinds.push(ChangeKind::Paused),
            (Some(true), Some(false)) => kinds.push(ChangeKind::Resumed),
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
            (Some(false), Some(true)) => kinds.push(ChangeKind::QuorumRegained),
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
                kinds.push(ChangeKind::MemberRole { member, from, to });
            }
        }
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

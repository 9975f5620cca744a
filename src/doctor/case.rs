//! What is judged: the cluster at a moment, what is found in it, and what was read for this once.

use std::collections::BTreeMap;

use super::haproxy::ProxyFile;
use super::judged::{Judged, Severity};
use crate::finding::{Evidence, Finding, Forecast, Tracked};
use crate::model::{
    Cluster, DynamicConfig, ElectionTimes, Member, Parameters, PatroniStatus, PostgresStatus, SourceKind, Time, WatchdogSeen,
};

/// What was read once, besides what the sources tell again and again.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Settings of each member's PostgreSQL with the moment of reading, or why there are none.
    pub parameters: BTreeMap<String, Result<(Parameters, Time), String>>,
    /// Each HAProxy's configuration, by the HAProxy's name, or why it cannot be read; nothing where nobody was asked for it.
    pub proxies: BTreeMap<String, Result<ProxyFile, String>>,
    /// The host of each HAProxy that is configured, by its name; `None`: nothing names it.
    pub proxy_hosts: BTreeMap<String, Option<String>>,
    /// How each etcd chooses its leader, by the node's name, with the moment of reading, or why that is not seen; nothing where nobody was asked.
    pub elections: BTreeMap<String, Result<(ElectionTimes, Time), String>>,
    /// The watchdog of each member in the same way.
    pub watchdogs: BTreeMap<String, Result<(WatchdogSeen, Time), String>>,
}

/// The case.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The findings that stand.
    pub standing: &'a [Tracked],
    /// What was read once.
    pub survey: &'a Survey,
    /// The moment.
    pub now: Time,
}

impl<'a> Case<'a> {
    /// The dynamic configuration as it is now.
    pub(super) fn config(&self) -> Result<&'a DynamicConfig, Judged> {
        let config = self.cluster.config().filter(|_| self.cluster.dcs_current(self.now));
        config.ok_or_else(|| Judged::not_known("Patroni's dynamic configuration cannot be read now").by(Evidence::dcs_error(self.cluster)))
    }

    /// The members whose keys are there.
    pub(super) fn members(&self) -> Result<Vec<&'a Member>, Judged> {
        let members: Vec<&Member> = self.cluster.members.values().filter(|m| m.present).collect();
        if members.is_empty() || !self.cluster.dcs_current(self.now) {
            return Err(Judged::not_known("the members are not known: etcd cannot be read now").by(Evidence::dcs_error(self.cluster)));
        }
        Ok(members)
    }

    /// The leader, and what its PostgreSQL says now.
    pub(super) fn leader(&self) -> Result<(&'a Member, &'a PostgresStatus), Judged> {
        let leader = self.cluster.leader_now(self.now).and_then(|name| self.cluster.members.get(name));
        let leader = leader.ok_or_else(|| Judged::not_known("nobody is known to lead now"))?;
        leader.sql_now(self.now).map(|sql| (leader, sql)).ok_or_else(|| silent(leader, SourceKind::Sql))
    }

    /// What each PostgreSQL says now, and of which members that is not known.
    pub(super) fn sql(&self) -> (Vec<(&'a Member, &'a PostgresStatus)>, Vec<Judged>) {
        self.each(SourceKind::Sql, Member::sql_now)
    }

    /// What each REST API says now, and of which members that is not known.
    pub(super) fn rest(&self) -> (Vec<(&'a Member, &'a PatroniStatus)>, Vec<Judged>) {
        self.each(SourceKind::Rest, Member::rest_now)
    }

    fn each<T>(&self, kind: SourceKind, told: fn(&'a Member, Time) -> Option<&'a T>) -> (Vec<(&'a Member, &'a T)>, Vec<Judged>) {
        let members = match self.members() {
            Ok(members) => members,
            Err(open) => return (Vec::new(), vec![open]),
        };
        let told = |member: &'a Member| told(member, self.now).map(|told| (member, told)).ok_or(member);
        let (mut known, mut open) = (Vec::new(), Vec::new());
        for member in members {
            match told(member) {
                Ok(both) => known.push(both),
                Err(member) => open.push(silent(member, kind)),
            }
        }
        (known, open)
    }

    /// The settings of each member's PostgreSQL that were read once, and of which members they are not known.
    pub(super) fn parameters(&self) -> (Vec<(&'a Member, &'a Parameters)>, Vec<Judged>) {
        let members = match self.members() {
            Ok(members) => members,
            Err(open) => return (Vec::new(), vec![open]),
        };
        let (mut known, mut open) = (Vec::new(), Vec::new());
        for member in members {
            match self.survey.parameters.get(&member.name) {
                Some(Ok((parameters, _))) => known.push((member, parameters)),
                Some(Err(why)) => open.push(Judged::not_known(format!("its settings cannot be read: {why}")).of(&member.name)),
                None => open.push(Judged::not_known("its settings were not asked for: it is not known where it listens").of(&member.name)),
            }
        }
        (known, open)
    }

    /// What would happen if the leader died now.
    pub(super) fn forecast(&self) -> Forecast {
        Forecast::of(self.cluster, self.now)
    }

    /// A setting of a member's as evidence.
    pub(super) fn setting(&self, member: &Member, name: &str, value: impl std::fmt::Display) -> Evidence {
        let at = self.survey.parameters.get(&member.name).and_then(|read| read.as_ref().ok()).map(|(_, at)| *at);
        Evidence { at, ..Evidence::sql(member, name, value) }
    }

    /// The findings that stand and that one of these means, as judgements.
    pub(super) fn cite(&self, cites: &[&str]) -> Vec<Judged> {
        self.found(|finding| cites.iter().any(|cited| means(cited, finding))).collect()
    }

    /// The findings that stand and are `wanted`, as judgements.
    pub(super) fn found(&self, wanted: impl Fn(&Finding) -> bool) -> impl Iterator<Item = Judged> {
        let standing = self.standing.iter().map(|tracked| &tracked.finding).filter(move |finding| wanted(finding));
        standing.map(|finding| {
            let judged = Judged::hurts(Severity::of(finding.severity), finding.sentence.clone());
            let judged = judged.found(finding.code, finding.next(self.cluster, None)).by(finding.evidence.iter().cloned());
            Judged { subject: finding.subject.clone(), ..judged }
        })
    }
}

/// A member of which a source says nothing that counts now.
fn silent(member: &Member, kind: SourceKind) -> Judged {
    let (what, error) = match kind {
        SourceKind::Rest => ("its REST API", Evidence::error(kind, &member.name, &member.rest)),
        _ => ("its PostgreSQL", Evidence::error(kind, &member.name, &member.sql)),
    };
    Judged::not_known(format!("{what} says nothing now")).of(&member.name).by(error)
}

/// Whether a citation means this finding: a code, or a code and a subject, `config-unsafe/ttl`.
pub(super) fn means(cited: &str, finding: &Finding) -> bool {
    match cited.split_once('/') {
        Some((code, subject)) => code == finding.code && Some(subject) == finding.subject.as_deref(),
        None => cited == finding.code,
    }
}

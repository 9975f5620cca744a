//! `leader-silent`: the leader's Patroni does not answer. It is the first sign of a crash, long before the leader key goes.

use std::time::Duration;

use super::forecast::{Forecast, Outcome};
use super::silence::Silence;
use super::{Case, Evidence, Explanation, Finding, Rule, api_hung};
use crate::model::{Cluster, Level, Member, SourceId, SourceKind, Time, spoken};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "leader-silent",
        runbook: Some("leader-down"),
        fires: "the REST API of the holder of the leader key refuses, breaks off, or does not answer within 2 s. It is a warning when the \
                lease was renewed since then: the leader's Patroni lives, and only we do not reach it.",
        matters: "Patroni renews the lease of the leader key at each loop. If it is gone, the lease runs out within ttl seconds, and then \
                  another member takes over. HAProxy stops sending clients to it before that, after two or three failed checks.",
        next: &[
            "See by the lease whether it is renewed: if so, look at the network between here and the leader, or at its REST API.",
            "Look at who would take over, and what would be lost.",
            "If its PostgreSQL still accepts writes when the lease ends, there are two primaries: be ready to stop the old one.",
            "On MEMBER: systemctl status patroni, then its log.",
        ],
    }],
};

/// A lease that is renewed this long after the silence began was renewed by the leader. Sooner it may have been by etcd, whose new raft leader
/// extends every lease (measured: within 3 s of the old one's end).
const SINCE_SILENCE: Duration = Duration::from_secs(5);

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, forecast, .. } = *case;
    // A leader that goes on renewing its lease, and whose PostgreSQL answers, has an API that hangs.
    let silent = silent_leader(cluster, now).filter(|leader| !lives(cluster, leader) || api_hung::hangs(leader, now).is_none());
    silent.map(|leader| judge(cluster, leader, forecast, now)).into_iter().collect()
}

/// Whether the leader has renewed its lease since its Patroni fell silent.
pub(super) fn lives(cluster: &Cluster, leader: &Member) -> bool {
    let since = leader.rest.failing_since();
    since.zip(cluster.lease_renewed()).is_some_and(|(since, renewed)| renewed > since.plus(SINCE_SILENCE))
}

/// The holder of the leader key, if its Patroni fails to answer by a fault that speaks of its absence.
pub(super) fn silent_leader(cluster: &Cluster, now: Time) -> Option<&Member> {
    let member = cluster.members.get(cluster.holder_now(now)?)?;
    member.rest.error().filter(|error| error.kind.is_absence()).map(|_| member)
}

fn judge(cluster: &Cluster, leader: &Member, forecast: &Forecast, now: Time) -> Finding {
    let name = &leader.name;
    let since = leader.rest.failing_since().unwrap_or(now);
    let silence = Silence::rest(cluster, leader, now).map_or_else(|| "does not answer".to_owned(), |silence| silence.told_aged());
    let silent = format!("{name}'s Patroni {silence}");
    // Only what was read after Patroni fell silent says that PostgreSQL did not fall with it.
    let writable = leader.writable(now).filter(|_| leader.sql.at() >= Some(since));
    let writes = if writable == Some(true) { "; its PostgreSQL still accepts writes" } else { "" };
    let left = cluster.lease_left(now).map(|(left, _)| format!("{left:.0} s"));
    let renewed = cluster.lease_renewed();
    let alive = lives(cluster, leader);
    let (severity, sentence) = if alive {
        let ago = renewed.map(|at| spoken(now.since(at))).unwrap_or_default();
        (Level::Warning, format!("{silent}, but it renewed its lease {ago} ago: it lives, and only we do not reach it"))
    } else {
        let then = match &forecast.outcome {
            Outcome::TakesOver(who, _) => format!("then {} takes over", who.join(" or ")),
            Outcome::Nobody => format!("then nobody takes over ({})", forecast.reasons()),
            Outcome::Unknown => "who takes over then is not known".to_owned(),
        };
        let lease = left.map_or("its lease is not known".to_owned(), |left| format!("its lease ends in {left}"));
        (Level::Critical, format!("{silent}, {lease}, {then}{writes}"))
    };
    let lease = SourceId::new(SourceKind::Lease, &cluster.scope);
    let mut finding = Finding::new("leader-silent", severity, sentence).about(name).because(Evidence::errors(leader));
    finding.evidence.push(Evidence::dcs(cluster, "leader key", name));
    if let Some((left, _)) = cluster.lease_left(now) {
        finding.evidence.push(Evidence::new(lease.clone(), "seconds left", format!("{left:.0}"), cluster.lease.at()));
    }
    if let Some(at) = renewed {
        finding.evidence.push(Evidence::new(lease, "last renewed", at, cluster.lease.at()));
    }
    finding.evidence.extend(writable.map(|writable| Evidence::sql(leader, "pg_is_in_recovery()", !writable)));
    finding
}

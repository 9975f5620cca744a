//! The part on the cluster as a whole.

use super::{ClusterDoc, ScheduledSwitchover, Truth, millis};
use crate::model::{Cluster, Parsed, RouteKind, Says, SourceError, Time, listed};

pub(super) fn document(cluster: &Cluster, name: &str, now: Time) -> ClusterDoc {
    let dcs = &cluster.dcs;
    let config = cluster.config();
    let leader = cluster.leader_now(now);
    let (lease_ttl_seconds, lease_age_ms) = match cluster.lease_left(now) {
        Some((left, age)) => (Some((left * 10.0).round() / 10.0), Some(millis(age))),
        None => (None, None),
    };
    let linearizable = match (dcs.confirmed_at, dcs.serializable_at) {
        (Some(confirmed), Some(single)) => Some(confirmed >= single),
        (Some(_), None) => Some(true),
        (None, Some(_)) => Some(false),
        (None, None) => None,
    };
    ClusterDoc {
        name: name.to_owned(),
        scope: cluster.scope.clone(),
        namespace: cluster.namespace.clone(),
        system_identifier: dcs.keys.initialize.clone().filter(|id| !id.is_empty()),
        leader: cluster.holder().map(str::to_owned),
        // Both speak of the present, and the keys may be old.
        leader_since: cluster.leader_since.filter(|_| leader.is_some()),
        leaderless_since: cluster.leaderless_since.filter(|_| cluster.dcs_current(now)),
        timeline: leader.and_then(|l| cluster.timeline_sure(l, now)).map(|(timeline, _)| timeline),
        paused: config.map(|c| c.paused),
        lease_ttl_seconds,
        lease_age_ms,
        lease_renewed: cluster.lease_renewed(),
        ttl: config.and_then(|c| c.ttl),
        loop_wait: config.and_then(|c| c.loop_wait),
        retry_timeout: config.and_then(|c| c.retry_timeout),
        maximum_lag_on_failover: config.and_then(|c| c.maximum_lag_on_failover),
        synchronous_mode: config.map(|c| c.synchronous_mode.clone()),
        failsafe_mode: config.map(|c| c.failsafe_mode),
        sync_standbys: dcs.keys.sync.as_ref().and_then(Parsed::good).map(|s| s.standbys.clone()).unwrap_or_default(),
        scheduled_switchover: dcs.keys.pending_failover().map(|f| ScheduledSwitchover {
            from: f.leader.clone(),
            to: f.candidate.clone(),
            at: f.scheduled_at,
        }),
        postgres_version: cluster
            .members
            .values()
            .filter_map(|m| m.sql.last())
            .max_by_key(|s| s.server_version_num)
            .map(crate::model::PostgresStatus::version),
        truths: truths(cluster, now),
        dcs_revision: dcs.revision,
        dcs_age_ms: dcs.confirmed_at.max(dcs.serializable_at).map(|at| millis(now.since(at))),
        dcs_linearizable: linearizable,
        dcs_error: dcs.error().map(SourceError::told),
    }
}

fn truths(cluster: &Cluster, now: Time) -> Vec<Truth> {
    let truths = cluster.truths(now);
    let reference = truths.reference();
    let write_routes = cluster.routes(now).iter().filter(|r| r.kind == RouteKind::Write).count();
    let standby_cluster = cluster.config().is_some_and(|c| c.standby_cluster);
    let truth = |(source, says): (&str, &Says)| {
        let complete = says.answered > 0;
        let agrees = match (reference, standby_cluster && source == "sql") {
            (Some(leader), false) if complete => Some(says.names.as_slice() == [leader]),
            _ => None,
        };
        let note = match source {
            "haproxy" if cluster.haproxies.is_empty() => Some("not configured".to_owned()),
            "haproxy"
                if write_routes == 0 && says.silent.is_empty() && says.answered == 0 && cluster.haproxies.values().any(|h| h.heard()) =>
            {
                Some("no write route".to_owned())
            }
            "sql" if standby_cluster => Some("the leader of a standby cluster is in recovery".to_owned()),
            _ if says.silent.is_empty() => None,
            _ => Some(format!("no current answer: {}", listed(&says.silent))),
        };
        Truth { source: source.to_owned(), leaders: says.names.clone(), agrees, age_ms: says.age.map(millis), note }
    };
    truths.all().into_iter().map(truth).collect()
}

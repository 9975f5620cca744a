//! `source-stale`: somebody who should be heard is not, so that part of the picture is old or missing. One finding for each kind of source.

use std::time::Duration;

use super::silence::Silence;
use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Cluster, Heard, Level, SourceError, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "source-stale",
        runbook: Some("source-stale"),
        fires: "a source has given no answer within its freshness limit: 5 s for etcd's keys, the lease, REST, SQL and RabbitMQ, 7 s for etcd's members, HAProxy and Airflow, 36 s for a node's own word over ssh. For REST, SQL, etcd's members, HAProxy, Airflow, RabbitMQ and nodes also when every attempt has failed for 3 s.",
        matters: "That part of the picture is old or missing. The fault may be with us (our address, password, network) as well as there.",
        next: &[
            "Read the error in the evidence; it says what was tried and often what would mend it.",
            "Try the same by hand from here: curl, psql, etcdctl, ssh.",
            "Nodes that shall not be looked at over ssh: facts = false in [clusters.CLUSTER.ssh].",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let sources = cluster.sources(now);
    let mut found = Vec::new();
    use SourceKind::{Airflow, AirflowHealth, Dags, Dcs, Etcd, Haproxy, Host, Lease, Rabbitmq, Rest, Sql};
    for kind in [Dcs, Lease, Etcd, Rest, Sql, Haproxy, Airflow, AirflowHealth, Rabbitmq, Dags, Host] {
        let stale: Vec<&Heard<'_>> = sources.iter().filter(|h| h.source.kind == kind && silent(h, cluster, now)).collect();
        let Some(first) = stale.first() else { continue };
        // Each source answers or fails within its deadline; one that does neither hangs, or its host slept.
        let limit = kind.freshness().as_secs();
        let said = |h: &Heard<'_>| h.error.map_or_else(|| format!("nothing was heard for more than {limit} s"), SourceError::told);
        // What takes connections and says nothing hangs; of several the first one's error stands for all.
        let alone = stale.len() == 1 && matches!(kind, Haproxy | Sql);
        let silence = first.error.filter(|_| alone).map(|error| Silence::aged(error, first.age));
        let error = silence.map_or_else(|| said(first), |silence| silence.said());
        let names: Vec<&str> = stale.iter().map(|h| h.source.target.as_str()).collect();
        let sentence = match kind {
            SourceKind::Dcs if first.age.is_none() => format!("etcd cannot be read: {error}"),
            SourceKind::Dcs => format!("what etcd holds is no longer confirmed: {error}"),
            SourceKind::Lease => format!("the leader's lease cannot be read: {error}"),
            SourceKind::Haproxy => format!("where {} sends clients is not known: {error}", listed(&names)),
            SourceKind::Etcd => format!("how {} does is not known: {error}", listed(&names)),
            SourceKind::Rest => format!("the Patroni of {} cannot be asked: {error}", listed(&names)),
            SourceKind::Sql => format!("PostgreSQL on {} cannot be asked: {error}", listed(&names)),
            SourceKind::Host => format!("the disks, the memory and the units of {} are not known: {error}", listed(&names)),
            SourceKind::Airflow => format!("what Airflow does is not known: {error}"),
            SourceKind::AirflowHealth => format!("what {} says of Airflow's health is not known: {error}", listed(&names)),
            SourceKind::Rabbitmq => format!("RabbitMQ on {} cannot be asked: {error}", listed(&names)),
            SourceKind::Dags => format!("the folder of the DAGs cannot be asked for on {}: {error}", listed(&names)),
            SourceKind::Target => format!("the target {} cannot be asked: {error}", listed(&names)),
            SourceKind::Audit => format!("the audit cannot be read: {error}"),
        };
        let severity = match kind {
            // What was never read may be quite well: the fault can be in our address, our password, our network.
            SourceKind::Dcs if cluster.dcs.revision.is_none() => Level::Unknown,
            SourceKind::Dcs => Level::Critical,
            _ => Level::Warning,
        };
        let evidence = stale.iter().map(|h| Evidence::new(h.source.clone(), "error", said(h), h.silent_since));
        let finding = Finding::new("source-stale", severity, sentence).about(kind).because(evidence);
        // A PostgreSQL is missed because its Patroni serves again: it must have been asked since then.
        let members = stale.iter().filter(|h| h.source.kind == SourceKind::Sql).filter_map(|h| cluster.members.get(&h.source.target));
        found.push(finding.comparing(members.filter(|m| m.sql.error().is_some()).flat_map(|m| [m.sql.failed_at(), m.rest.at()])));
    }
    found
}

/// Whether a source has been silent beyond its freshness limit, or has failed and never answered; unless another rule says so.
fn silent(heard: &Heard<'_>, cluster: &Cluster, now: Time) -> bool {
    let said_elsewhere = match heard.source.kind {
        // A PostgreSQL whose member is down as a whole is not missed by itself.
        SourceKind::Sql => {
            cluster.members.get(&heard.source.target).is_some_and(|m| !m.present || m.rest_now(now).is_none_or(|r| !r.state.serves()))
        }
        // `member-down` and the rules on the quorum say what a failure means. A member that left is not waited for.
        SourceKind::Rest => {
            heard.error.is_some_and(|e| e.kind.is_absence()) || cluster.members.get(&heard.source.target).is_some_and(|m| !m.present)
        }
        SourceKind::Etcd => heard.error.is_some(),
        // There is no lease without a leader key, and none is read while the keys are not.
        SourceKind::Lease => cluster.dcs.error().is_some() || !cluster.dcs_current(now) || cluster.holder().is_none(),
        // That nothing can be read without a quorum is said by `quorum-lost`.
        SourceKind::Dcs => cluster.quorum(now).has == Some(false),
        // A node that is gone with its Patroni is not missed by itself.
        SourceKind::Host => cluster.members.get(&heard.source.target).is_some_and(|m| m.rest.error().is_some_and(|e| e.kind.is_absence())),
        // Without a leader there is nobody to ask, which other rules say.
        SourceKind::Airflow => cluster.holder().is_none(),
        // `airflow-silent` says what it means.
        SourceKind::AirflowHealth => heard.error.is_some_and(|e| e.kind.is_absence()),
        // `rabbitmq-node-down` says so.
        SourceKind::Rabbitmq => cluster.rabbitmq.as_ref().is_some_and(|rabbitmq| rabbitmq.gone(&heard.source.target, now)),
        // `target-unreachable` says it.
        SourceKind::Target => true,
        SourceKind::Haproxy | SourceKind::Dags | SourceKind::Audit => false,
    };
    let fails = match heard.source.kind {
        // The majority may change its mind for a few seconds while etcd elects; the limit of freshness has room for it.
        SourceKind::Dcs | SourceKind::Lease => false,
        _ => heard.failing_since.is_some_and(|at| now.since(at) >= FAILING),
    };
    !heard.pending() && (!heard.fresh() || fails) && !said_elsewhere
}

/// How long attempts must have failed in a row to be told before the last answer is old: more than one, whatever the period.
const FAILING: Duration = Duration::from_secs(3);

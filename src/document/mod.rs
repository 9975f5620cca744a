//! The whole picture as one document: what `status --json` prints, what the panes draw, what conditions are written over.
//!
//! Every number that is not known is `null`, never 0. Sizes are bytes, spans are seconds (`*_seconds`) or milliseconds (`*_ms`), moments
//! are RFC 3339 in UTC. `SCHEMA` changes when a field changes its meaning or goes away; a new field does not change it.

mod airflow;
mod certificates;
mod clock;
mod cluster;
mod dags;
mod etcd;
mod forecast;
mod headline;
mod host;
mod member;
mod postgres;
mod rabbitmq;
mod rescue;
mod routes;
mod schema;
mod schema_airflow;
mod schema_estate;
mod schema_host;
mod schema_postgres;
mod schema_rabbitmq;
mod target;

pub use routes::Routed;
pub use schema::*;
pub use schema_airflow::*;
pub use schema_estate::*;
pub use schema_host::*;
pub use schema_postgres::*;
pub use schema_rabbitmq::*;

use std::time::Duration;

use crate::finding::{Evidence, Forecast, Limits, Tracked, Tracker, explanation};
use crate::model::{Cluster, Heard, HistoryEntry, Observed, SourceError, SourceKind, Time};

impl Document {
    /// The picture at `now`. `name` is the cluster's name in the configuration.
    pub fn of(cluster: &Cluster, tracker: &Tracker, forecast: &Forecast, limits: &Limits, name: &str, now: Time) -> Self {
        let undecided = tracker.undecided() == Some(Level::Critical) || cluster.writers_undecided(now);
        let findings: Vec<FindingDoc> = tracker.standing().iter().map(|tracked| finding(cluster, tracked, name, now)).collect();
        let cluster_doc = cluster::document(cluster, name, now);
        let members = cluster.members.values().map(|m| member::document(cluster, forecast, m, now)).collect();
        let etcd = etcd::document(cluster, now);
        let routes = routes::document(cluster, now);
        let nodes = host::document(cluster, now);
        let airflow = airflow::document(cluster, limits, now);
        let rabbitmq = rabbitmq::document(cluster, now);
        let dags = dags::document(cluster, now);
        let target = target::document(cluster, now);
        let rescue = rescue::document(cluster, limits, now);
        let sources: Vec<SourceDoc> = cluster.sources(now).iter().map(source).collect();
        let certificates = certificates::document(cluster, now);
        let forecast = forecast::document(forecast);
        let headline = headline::document(cluster, &findings, undecided, now);
        let history = cluster.history().into_iter().flatten().map(|entry| timeline(cluster, entry)).collect();
        Self {
            schema: SCHEMA.to_owned(),
            at: now,
            headline,
            cluster: cluster_doc,
            members,
            etcd,
            routes,
            airflow,
            dags,
            rabbitmq,
            rescue,
            target,
            forecast,
            findings,
            history,
            certificates,
            nodes,
            sources,
        }
    }
}

fn finding(cluster: &Cluster, tracked: &Tracked, name: &str, now: Time) -> FindingDoc {
    let finding = &tracked.finding;
    let evidence = finding.evidence.iter().map(|evidence| EvidenceDoc::of(evidence, now));
    let explained = explanation(finding.code);
    FindingDoc {
        code: finding.code.to_owned(),
        severity: finding.severity,
        subject: finding.subject.clone(),
        sentence: finding.sentence.clone(),
        since: tracked.since,
        evidence: evidence.collect(),
        runbook: explained.and_then(|e| e.runbook).map(str::to_owned),
        matters: explained.map(|e| e.matters.to_owned()).unwrap_or_default(),
        next: finding.next(cluster, Some(name)),
    }
}

impl EvidenceDoc {
    /// The same with its age at `now`.
    pub fn of(evidence: &Evidence, now: Time) -> Self {
        Self {
            source: evidence.source.to_string(),
            what: evidence.what.clone(),
            value: evidence.value.clone(),
            age_ms: evidence.at.map(|at| millis(now.since(at))),
        }
    }
}

fn timeline(cluster: &Cluster, entry: &HistoryEntry) -> TimelineDoc {
    TimelineDoc {
        timeline: entry.timeline.saturating_add(1),
        at: entry.at,
        leader: entry.new_leader.clone(),
        lsn: entry.lsn,
        watched: cluster.watched(entry.timeline),
    }
}

fn source(heard: &Heard<'_>) -> SourceDoc {
    SourceDoc {
        name: heard.source.kind.to_string(),
        target: heard.source.target.clone(),
        age_ms: heard.age.map(millis),
        fresh: heard.fresh() && heard.error.is_none(),
        limit_ms: millis(heard.source.kind.freshness()),
        error: heard.error.map(SourceError::told),
        error_kind: heard.error.map(|error| error.kind.to_string()),
        rtt_ms: heard.rtt.map(fine_millis),
    }
}

fn asked<T>(seen: &Observed<T>, kind: SourceKind, now: Time) -> Asked {
    asked_within(seen, kind.freshness(), now)
}

/// With a limit of its own, for what a source is asked less often than the rest.
fn asked_within<T>(seen: &Observed<T>, limit: Duration, now: Time) -> Asked {
    Asked {
        age_ms: seen.age(now).map(millis),
        fresh: seen.error().is_none() && seen.fresh(now, limit).is_some(),
        error: seen.error().map(SourceError::told),
        error_kind: seen.error().map(|error| error.kind.to_string()),
        rtt_ms: seen.rtt().map(fine_millis),
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds to the microsecond.
fn fine_millis(span: Duration) -> f64 {
    span.as_micros() as f64 / 1000.0
}

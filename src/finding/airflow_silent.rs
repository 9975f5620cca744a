//! `airflow-silent`: a program of Airflow's is not at work, by its heartbeat in the metadata or by a health endpoint.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{AirflowComponent, AirflowStatus, Cluster, Level, SourceId, SourceKind, Time, spoken};

/// What Airflow itself waits for before it calls one of its programs dead (`scheduler_health_check_threshold` and its like).
const DEAD: Duration = Duration::from_secs(30);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "airflow-silent",
        runbook: None,
        fires: "the newest heartbeat of Airflow's schedulers, triggerers or dag processors is older than 30 s, by the clock of the metadata's \
                server; or no scheduler was heard of within the last hour; or a health endpoint does not answer, or complains. What the column \
                `state` says counts for nothing: it says `running` for ever after a crash.",
        matters: "Without a scheduler no task begins, and none that was lost is found. Airflow's programs end a few seconds after the database \
                  goes away, a switchover's too, and stay away unless something starts them again.",
        next: &[
            "See on its host whether the program runs: systemctl status, or its log.",
            "It must be kept up: Restart=always and RestartSec=5 in its unit.",
            "Right after a switchover: give it the time of a start, about 10 s, before anything else is done.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let (mut told, mut evidence) = (Vec::new(), Vec::new());
    heartbeats(cluster, now, &mut told, &mut evidence);
    let mut silent = Vec::new();
    for (name, seen) in &cluster.airflow_health {
        if let Some(error) = seen.error().filter(|error| error.kind.is_absence()) {
            silent.push(format!("{name} ({error})"));
            evidence.extend(Evidence::error(SourceKind::AirflowHealth, name, seen));
        } else if let Some(health) = seen.fresh(now, SourceKind::AirflowHealth.freshness()) {
            let complaints = health.complaints();
            if !complaints.is_empty() {
                let complaints = listed(&complaints);
                evidence.push(Evidence::new(SourceId::new(SourceKind::AirflowHealth, name), "health", &complaints, seen.at()));
                told.push(format!("by {name} {complaints}"));
            }
        }
    }
    if !silent.is_empty() {
        told.push(format!("nobody answers at {}", listed(&silent)));
    }
    if told.is_empty() {
        return Vec::new();
    }
    vec![Finding::new("airflow-silent", Level::Warning, format!("Airflow is not whole: {}", told.join("; "))).because(evidence)]
}

/// What the metadata says; where it is not read, `source-stale` and the cluster's own findings say so.
fn heartbeats(cluster: &Cluster, now: Time, told: &mut Vec<String>, evidence: &mut Vec<Evidence>) {
    let Some(seen) = &cluster.airflow else { return };
    let Some(status) = seen.fresh(now, SourceKind::Airflow.freshness()).filter(|_| seen.error().is_none()) else { return };
    // By the server's clock, which goes on since the reading.
    let now = status.server_time.plus(seen.age(now).unwrap_or_default());
    for (kind, called) in AirflowComponent::PROGRAMS {
        let newest = newest(status, kind);
        let sentence = match newest {
            Some(at) if now.since(at) > DEAD => format!("the {called} had its last heartbeat {} ago", spoken(now.since(at))),
            // Not every Airflow has the others.
            None if kind == "SchedulerJob" => "no scheduler was heard of within the last hour".to_owned(),
            _ => continue,
        };
        let source = SourceId::new(SourceKind::Airflow, &cluster.scope);
        let value = newest.map_or_else(|| "none".to_owned(), |at| at.to_string());
        evidence.push(Evidence::new(source, &format!("newest heartbeat of a {called}"), value, seen.at()));
        told.push(sentence);
    }
}

fn newest(status: &AirflowStatus, kind: &str) -> Option<Time> {
    status.components.iter().filter(|one| one.kind == kind).filter_map(|one| one.heartbeat).max()
}

//! `pools-frozen`: Airflow's pools have 0 slots, so that no task begins; what this machine remembers of it says since when, by whom, and what to
//! give back.

use super::quiet::frozen;
use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{AirflowStatus, FrozenPools, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "pools-frozen",
        runbook: Some("frozen-pools"),
        fires: "pools of Airflow that pgbaton has frozen from this machine have 0 slots still, or what they have cannot be read; or every pool \
                has 0 slots, whoever did that.",
        matters: "No task begins while it is so: every schedule is late, and nothing tells Airflow's users why. It is what a planned switchover \
                  wants for some minutes, and an outage if it is forgotten: a pgbaton that was killed in between leaves it behind.",
        next: &[
            "If a runbook is under way (its run is named), go on with it: pgbaton runbook resume.",
            "Else, once the cluster has its leader and the routes lead there: pgbaton thaw gives every pool back what it had (a T in the console).",
            "Where this machine remembers nothing, ask who has set them to 0: Airflow's own log (Browse, Audit Logs) has it.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(seen) = &cluster.airflow else { return Vec::new() };
    let status = seen.fresh(now, SourceKind::Airflow.freshness()).filter(|_| seen.error().is_none());
    let sentence = match (cluster.frozen_pools(), status) {
        (Some(pools), Some(status)) if pools.still(status).next().is_some() => {
            let still: Vec<String> = pools.still(status).map(|(pool, had)| format!("{} had {had}", pool.name)).collect();
            format!("pools of Airflow are frozen {}: {}; {}", pools.told(now), listed(&still), waiting(status))
        }
        (Some(pools), None) if seen.heard() => {
            format!("pools of Airflow were frozen {}; whether they are still is not known", pools.told(now))
        }
        (_, Some(status)) if frozen(status) => {
            format!("every pool of Airflow has 0 slots, and not by this machine: no task begins; {}", waiting(status))
        }
        _ => return Vec::new(),
    };
    let slots = |status: &AirflowStatus| {
        let source = SourceId::new(SourceKind::Airflow, &cluster.scope);
        let told: Vec<String> = status.pools.iter().map(|pool| format!("{} {}", pool.name, pool.slots)).collect();
        Evidence::new(source, "slots of the pools", told.join(", "), seen.at())
    };
    let remembered = |pools: &FrozenPools| {
        let source = SourceId::new(SourceKind::Audit, &cluster.scope);
        let told: Vec<String> = pools.slots.iter().map(|(name, slots)| format!("{name} {slots}")).collect();
        Evidence::new(source, "slots before they were frozen from this machine", told.join(", "), Some(pools.at))
    };
    let finding = Finding::new("pools-frozen", Level::Warning, sentence).because(status.map(slots));
    vec![finding.because(cluster.frozen_pools().map(remembered)).because(Evidence::error(SourceKind::Airflow, &cluster.scope, seen))]
}

fn waiting(status: &AirflowStatus) -> String {
    match status.tasks.get("scheduled").copied().unwrap_or(0) {
        0 => "no task waits".to_owned(),
        1 => "1 task waits".to_owned(),
        n => format!("{n} tasks wait"),
    }
}

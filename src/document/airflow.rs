//! The part on Airflow.

use super::schema_airflow::{
    AirflowComponentDoc, AirflowDoc, AirflowHealthDoc, AirflowMetadata, AirflowNextRunDoc, AirflowPoolDoc, AirflowProgramDoc,
    AirflowTaskDoc, FrozenPoolsDoc, GroundDoc, QuietDoc,
};
use super::{asked, millis};
use crate::finding::{Fate, Limits, Quiet, quiet};
use crate::model::{
    AirflowHealth, AirflowPool, AirflowProgram, AirflowStatus, AirflowTask, Cluster, FrozenPools, Observed, SourceKind, Time,
};

/// `None`: no Airflow is configured.
pub(super) fn document(cluster: &Cluster, limits: &Limits, now: Time) -> Option<AirflowDoc> {
    let seen = cluster.airflow.as_ref()?;
    let verdict = Quiet::of(cluster, limits, now)?;
    let grounds = verdict.grounds.into_iter();
    Some(AirflowDoc {
        asked: asked(seen, SourceKind::Airflow, now),
        quiet: QuietDoc {
            verdict: verdict.verdict,
            grounds: grounds.map(|g| GroundDoc { code: g.code.to_owned(), verdict: g.verdict, sentence: g.sentence }).collect(),
        },
        frozen_here: cluster.frozen_pools().map(|pools| {
            let FrozenPools { at, by, run, reason, slots, .. } = pools.clone();
            FrozenPoolsDoc { at, by, run, reason, slots }
        }),
        // Its ages are by its own clock, and grow with that of the reading.
        health: cluster.airflow_health.iter().map(|(name, seen)| health(name, seen, now)).collect(),
        metadata: seen.last().map(|status| metadata(status, status.server_time.plus(seen.age(now).unwrap_or_default()))),
    })
}

fn health(name: &str, seen: &Observed<AirflowHealth>, now: Time) -> AirflowHealthDoc {
    let program = |one: &AirflowProgram| AirflowProgramDoc { name: one.name.clone(), state: one.state.clone(), heartbeat: one.heartbeat };
    AirflowHealthDoc {
        name: name.to_owned(),
        asked: asked(seen, SourceKind::AirflowHealth, now),
        status: seen.last().map(|health| health.status),
        programs: seen.last().iter().flat_map(|health| health.programs.iter().map(program)).collect(),
    }
}

fn metadata(status: &AirflowStatus, now: Time) -> AirflowMetadata {
    let age = |at: Option<Time>| at.map(|at| millis(now.since(at)));
    let component = |one: &crate::model::AirflowComponent| AirflowComponentDoc {
        kind: one.kind.clone(),
        host: one.host.clone(),
        heartbeat_age_ms: age(one.heartbeat),
    };
    let task = |task: &AirflowTask| AirflowTaskDoc {
        dag: task.dag.clone(),
        task: task.task.clone(),
        run: task.run.clone(),
        map_index: task.map_index,
        state: task.state.clone(),
        try_number: task.try_number,
        max_tries: task.max_tries,
        host: task.host.clone(),
        pool: task.pool.clone(),
        since: task.started.or(task.queued),
        heartbeat_age_ms: age(task.heartbeat),
        if_database_goes: Fate::of(task),
    };
    let pool = |pool: &AirflowPool| AirflowPoolDoc {
        name: pool.name.clone(),
        slots: pool.slots,
        taken: pool.taken,
        waiting: pool.waiting,
        include_deferred: pool.include_deferred,
    };
    AirflowMetadata {
        line: if status.is_3 { 3 } else { 2 },
        revision: status.revision.clone(),
        components: status.components.iter().map(component).collect(),
        tasks: status.tasks.clone(),
        work: status.work.iter().map(task).collect(),
        pools: status.pools.iter().map(pool).collect(),
        frozen: quiet::frozen(status),
        next_runs: status.next_runs.iter().map(|run| AirflowNextRunDoc { dag: run.dag.clone(), at: run.at }).collect(),
        import_errors: status.import_errors,
        import_error_files: status.import_error_files.clone(),
        last_decision: status.last_decision,
        migrating: status.migrating,
        prepared: status.prepared,
    }
}

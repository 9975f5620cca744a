//! The texts of Airflow's, as they come into the cluster.

use super::hygiene::Hygiene;
use super::{AirflowComponent, AirflowNextRun, AirflowPool, AirflowProgram, AirflowRetry, AirflowStatus, AirflowTask, clean};

impl Hygiene for AirflowProgram {
    fn wash(&mut self) {
        let Self { name, state, heartbeat: _ } = self;
        name.wash();
        state.wash();
    }
}

impl Hygiene for AirflowStatus {
    fn wash(&mut self) {
        let Self {
            server_time: _,
            in_recovery: _,
            is_3: _,
            revision,
            components,
            tasks,
            work,
            retries,
            pools,
            next_runs,
            import_errors: _,
            import_error_files,
            last_decision: _,
            migrating: _,
            prepared: _,
        } = self;
        revision.wash();
        components.wash();
        *tasks = std::mem::take(tasks).into_iter().map(|(state, count)| (clean(&state), count)).collect();
        work.wash();
        retries.wash();
        pools.wash();
        next_runs.wash();
        import_error_files.wash();
    }
}

impl Hygiene for AirflowComponent {
    fn wash(&mut self) {
        let Self { kind, host, state, heartbeat: _ } = self;
        kind.wash();
        host.wash();
        state.wash();
    }
}

impl Hygiene for AirflowTask {
    fn wash(&mut self) {
        let Self { dag, task, run, map_index: _, state, try_number: _, max_tries: _, host, pool, started: _, queued: _, heartbeat: _ } =
            self;
        for text in [dag, task, run, state, pool] {
            text.wash();
        }
        host.wash();
    }
}

impl Hygiene for AirflowRetry {
    fn wash(&mut self) {
        let Self { state, dag, task, run, map_index: _ } = self;
        [state, dag, task, run].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for AirflowPool {
    fn wash(&mut self) {
        let Self { name, slots: _, taken: _, waiting: _, include_deferred: _, description, team, whole: _ } = self;
        name.wash();
        description.wash();
        team.wash();
    }
}

impl Hygiene for AirflowNextRun {
    fn wash(&mut self) {
        let Self { dag, at: _ } = self;
        dag.wash();
    }
}

//! The statements, for the tables of Airflow 2.10 and 3.

use serde::Deserialize;

use crate::model::{AirflowStatus, AirflowTask};

/// So many of the runs that come next are read.
const NEXT: usize = 20;

/// What the tables have of the columns that not every version has, as far as our user may read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Columns {
    /// `task_instance.state`: the tables are there.
    pub tasks: bool,
    /// `task_instance.last_heartbeat_at`: 3.0 and later.
    pub task_heartbeat: bool,
    /// `task_instance.job_id`, by which the heartbeat is found before that.
    pub task_job: bool,
    /// `dag.is_stale`: 3.0 and later.
    pub dag_stale: bool,
    /// `dag.is_active`: before that.
    pub dag_active: bool,
    /// `dag.exceeds_max_non_backfill`: 3.2 and later.
    pub dag_exceeds: bool,
    /// `slot_pool.description`.
    pub pool_description: bool,
    /// `slot_pool.team_name`: the newest ones of 3.
    pub pool_team: bool,
    /// The same, whether or not our user may read it.
    pub pool_has_team: bool,
    /// `import_error.filename`, which pgbaton's grants did not always have.
    pub import_file: bool,
}

impl Columns {
    /// Whether all of a pool is read that whoever writes it has to keep.
    pub(super) fn whole_pools(self) -> bool {
        self.pool_description && self.pool_team == self.pool_has_team
    }
}

/// A name in SQL.
fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Which columns there are. `information_schema` has those that our user may read.
pub(super) fn probe(schema: &str) -> String {
    let has = |key: &str, table: &str, column: &str| {
        format!("'{key}', coalesce(bool_or(c.table_name = '{table}' AND c.column_name = '{column}'), false)")
    };
    let columns = [
        has("tasks", "task_instance", "state"),
        has("task_heartbeat", "task_instance", "last_heartbeat_at"),
        has("task_job", "task_instance", "job_id"),
        has("dag_stale", "dag", "is_stale"),
        has("dag_active", "dag", "is_active"),
        has("dag_exceeds", "dag", "exceeds_max_non_backfill"),
        has("pool_description", "slot_pool", "description"),
        has("pool_team", "slot_pool", "team_name"),
        has("import_file", "import_error", "filename"),
    ];
    let columns = columns.join(", ");
    format!(
        "SELECT json_build_object({columns}, 'pool_has_team', EXISTS (SELECT FROM pg_attribute AS a
            WHERE a.attrelid = to_regclass({}) AND a.attname = 'team_name' AND NOT a.attisdropped))::text
         FROM information_schema.columns AS c
         WHERE c.table_schema = {} AND c.table_name IN ('task_instance', 'dag', 'slot_pool', 'import_error')",
        text(&format!("{}.slot_pool", name(schema))),
        text(schema)
    )
}

/// The reading: one row, one column, a JSON object as [`AirflowStatus`](crate::model::AirflowStatus) has it. Each part uses an index of
/// Airflow's own (`ti_state`, `idx_next_dagrun_create_after`) or a small table, so that it stays cheap beside years of history.
pub(super) fn statement(schema: &str, columns: Columns) -> String {
    let s = name(schema);
    let most = AirflowTask::MOST;
    let (beat, job) = match columns {
        Columns { task_heartbeat: true, .. } => ("t.last_heartbeat_at", String::new()),
        Columns { task_job: true, .. } => {
            ("j.latest_heartbeat", format!("LEFT JOIN {s}.job AS j ON j.id = t.job_id AND j.job_type = 'LocalTaskJob'"))
        }
        _ => ("NULL::timestamptz", String::new()),
    };
    let files = if columns.import_file {
        let most = AirflowStatus::MOST_FILES;
        format!(
            "(SELECT coalesce(json_agg(f.filename), '[]') FROM (SELECT DISTINCT e.filename FROM {s}.import_error AS e
        WHERE e.filename IS NOT NULL ORDER BY e.filename LIMIT {most}) AS f)"
        )
    } else {
        "'[]'::json".to_owned()
    };
    let mut live = String::new();
    if columns.dag_stale {
        live.push_str(" AND NOT d.is_stale");
    } else if columns.dag_active {
        live.push_str(" AND d.is_active");
    }
    if columns.dag_exceeds {
        live.push_str(" AND NOT coalesce(d.exceeds_max_non_backfill, false)");
    }
    format!(
        "WITH task AS MATERIALIZED (
    SELECT t.state, t.pool, t.pool_slots FROM {s}.task_instance AS t
    WHERE t.state IN ('scheduled', 'queued', 'running', 'restarting', 'up_for_retry', 'up_for_reschedule', 'deferred')
)
SELECT json_build_object(
    'server_time', clock_timestamp(),
    'in_recovery', pg_is_in_recovery(),
    'is_3', {is_3},
    'revision', coalesce((SELECT min(v.version_num) FROM {s}.alembic_version AS v), ''),
    'components', (SELECT coalesce(json_agg(json_build_object(
            'kind', j.job_type, 'host', j.hostname, 'state', j.state, 'heartbeat', j.latest_heartbeat
        ) ORDER BY j.job_type, j.latest_heartbeat DESC NULLS LAST), '[]') FROM {s}.job AS j
        WHERE j.job_type IN ('SchedulerJob', 'TriggererJob', 'DagProcessorJob')
        AND (j.state = 'running' OR j.latest_heartbeat > now() - interval '1 hour')),
    'tasks', (SELECT coalesce(json_object_agg(n.state, n.count), '{{}}') FROM (
        SELECT t.state, count(*) FROM task AS t GROUP BY t.state) AS n),
    'work', (SELECT coalesce(json_agg(w.task), '[]') FROM (
        SELECT json_build_object(
            'dag', t.dag_id, 'task', t.task_id, 'run', t.run_id, 'map_index', t.map_index, 'state', t.state,
            'try_number', t.try_number, 'max_tries', t.max_tries, 'host', nullif(t.hostname, ''), 'pool', t.pool,
            'started', t.start_date, 'queued', t.queued_dttm, 'heartbeat', {beat}) AS task
        FROM {s}.task_instance AS t {job}
        WHERE t.state IN ('running', 'restarting', 'queued', 'deferred', 'up_for_reschedule')
        ORDER BY array_position(ARRAY['running', 'restarting', 'queued'], t.state::text) NULLS LAST, t.start_date NULLS LAST, t.dag_id, t.task_id LIMIT {most}) AS w),
    'retries', (SELECT coalesce(json_agg(w.task), '[]') FROM (
        SELECT json_build_object('state', t.state, 'dag', t.dag_id, 'task', t.task_id, 'run', t.run_id, 'map_index', t.map_index) AS task
        FROM {s}.task_instance AS t WHERE t.state = 'up_for_retry' OR t.state = 'scheduled' AND t.start_date IS NOT NULL
        ORDER BY t.dag_id, t.run_id, t.task_id, t.map_index LIMIT {most}) AS w),
    'pools', (SELECT coalesce(json_agg(json_build_object('name', p.pool, 'slots', p.slots,
            'taken', (SELECT coalesce(sum(t.pool_slots), 0) FROM task AS t WHERE t.pool = p.pool
                AND (t.state IN ('running', 'queued') OR t.state = 'deferred' AND p.include_deferred)),
            'waiting', (SELECT count(*) FROM task AS t WHERE t.pool = p.pool AND t.state = 'scheduled'),
            'include_deferred', p.include_deferred, 'description', {description}, 'team', {team}
        ) ORDER BY p.pool), '[]') FROM {s}.slot_pool AS p),
    'next_runs', (SELECT coalesce(json_agg(r.run), '[]') FROM (
        SELECT json_build_object('dag', d.dag_id, 'at', d.next_dagrun_create_after) AS run FROM {s}.dag AS d
        WHERE NOT d.is_paused AND d.next_dagrun_create_after IS NOT NULL{live}
        ORDER BY d.next_dagrun_create_after, d.dag_id LIMIT {NEXT}) AS r),
    'import_errors', (SELECT count(*) FROM {s}.import_error AS e),
    'import_error_files', {files},
    'last_decision', (SELECT max(r.last_scheduling_decision) FROM {s}.dag_run AS r WHERE r.state = 'running'),
    'migrating', EXISTS (SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = 1 AND l.granted
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())),
    'prepared', (SELECT count(*) FROM pg_prepared_xacts AS x WHERE x.database = current_database())
)::text",
        is_3 = columns.dag_stale,
        description = if columns.pool_description { "p.description" } else { "NULL" },
        team = if columns.pool_team { "p.team_name" } else { "NULL" },
    )
}

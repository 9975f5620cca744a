//! What our user needs in Airflow's database, as SQL for whoever owns it.

use std::fmt::Write;

/// Columns that are read. What may hold secrets is not among them: connections, variables, XComs, `dag_run.conf`,
/// `task_instance.executor_config` and `next_kwargs`, `trigger.kwargs`, `log.extra`, users, sessions.
const COLUMNS: [(&str, &[&str]); 7] = [
    ("alembic_version", &["version_num"]),
    ("job", &["id", "job_type", "hostname", "state", "latest_heartbeat"]),
    ("slot_pool", &["pool", "slots", "description", "include_deferred"]),
    (
        "task_instance",
        &[
            "dag_id",
            "task_id",
            "run_id",
            "map_index",
            "state",
            "try_number",
            "max_tries",
            "start_date",
            "queued_dttm",
            "hostname",
            "pool",
            "pool_slots",
        ],
    ),
    ("dag_run", &["state", "last_scheduling_decision"]),
    ("dag", &["dag_id", "is_paused", "next_dagrun_create_after"]),
    ("import_error", &["id", "filename"]),
];

/// Columns that not every version has.
const SOME: [(&str, &str); 6] = [
    ("slot_pool", "team_name"),
    ("task_instance", "last_heartbeat_at"),
    ("task_instance", "job_id"),
    ("dag", "is_stale"),
    ("dag", "is_active"),
    ("dag", "exceeds_max_non_backfill"),
];

/// The statements, for `psql` in the database `database`, as its owner. Running them again changes nothing.
pub fn grants(database: &str, schema: &str, role: &str) -> String {
    let [database, in_schema, to] = [database, schema, role].map(|name| format!("\"{}\"", name.replace('"', "\"\"")));
    let mut out = format!(
        "-- What pgbaton reads of Airflow's metadata, and nothing else: no connection, no variable, no conf, no XCom, and no write.\n\
         -- In the database {database}, as its owner.\n\
         GRANT CONNECT ON DATABASE {database} TO {to};\n\
         GRANT USAGE ON SCHEMA {in_schema} TO {to};\n"
    );
    for (table, columns) in COLUMNS {
        let _ = writeln!(out, "GRANT SELECT ({}) ON {in_schema}.{table} TO {to};", columns.join(", "));
    }
    let some: Vec<String> = SOME.iter().map(|(table, column)| format!("('{table}', '{column}')")).collect();
    let [schema, role] = [schema, role].map(|text| text.replace('\'', "''"));
    let _ = write!(
        out,
        "-- Columns that only some versions have.\n\
         DO $pgbaton$\n\
         DECLARE one record;\n\
         BEGIN\n    \
             FOR one IN SELECT c.table_name, c.column_name FROM information_schema.columns AS c\n        \
                 WHERE c.table_schema = '{schema}' AND (c.table_name, c.column_name) IN (\n            {})\n    \
             LOOP\n        \
                 EXECUTE format('GRANT SELECT (%I) ON %I.%I TO %I', one.column_name, '{schema}', one.table_name, '{role}');\n    \
             END LOOP;\n\
         END $pgbaton$;\n",
        some.join(",\n            ")
    );
    out
}

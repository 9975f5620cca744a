//! The one statement of a reading. PostgreSQL 12 and later parse it alike.

/// Which functions our user may call that not everybody may, and what this version has. A statement that names a function it may not call, or a
/// view that is not there, fails as a whole, so what is denied must not stand in it.
///
/// Those over `pg_control` PostgreSQL lets everybody call; hardening guides take it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rights {
    /// `pg_control_system()`.
    pub system: bool,
    /// `pg_control_checkpoint()`.
    pub checkpoint: bool,
    /// `pg_control_recovery()`.
    pub recovery: bool,
    /// `pg_ls_archive_statusdir()`: for `pg_monitor`.
    pub archive_status: bool,
    /// `pg_stat_progress_basebackup`: PostgreSQL 13 and later.
    pub backups: bool,
    /// `pg_stat_get_activity(NULL)` and `pg_stat_get_wal_senders()`, of which the views of sessions and replication are made, have the columns
    /// that PostgreSQL 12 to 18 give them. Of a later version only the views are relied on.
    pub functions: bool,
}

/// The first statement of a session: `server_version_num` and what [`Rights`] asks. On its way it lets the server end the
/// session when nobody has asked for a minute (PostgreSQL 14 and later), as the keep-alive does not notice a program that was stopped.
pub(super) const SETUP: &str = "
SELECT current_setting('server_version_num'),
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),
       has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE'),
       has_function_privilege('pg_catalog.pg_control_recovery()', 'EXECUTE'),
       has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE'),
       CASE WHEN current_setting('server_version_num')::int >= 140000 THEN set_config('idle_session_timeout', '60s', false) END";

/// The settings of the session, as the startup packet's `options`.
///
/// Nothing can be written, no statement or lock holds anything for long, nobody's objects can shadow the catalog's, JIT does not compile a
/// millisecond's work, and the server notices within half a minute when our machine is gone.
pub(super) const OPTIONS: &str = "-c default_transaction_read_only=on -c statement_timeout=1500 -c lock_timeout=1000 \
     -c idle_in_transaction_session_timeout=5000 -c search_path=pg_catalog -c jit=off \
     -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4";

/// Whether it takes writes, and if so on which timeline, of which a WAL file's name has the first eight digits.
pub(super) const RECOVERY: &str = "SELECT r, CASE WHEN NOT r THEN pg_walfile_name(pg_current_wal_lsn()) END FROM pg_is_in_recovery() AS r";

/// A transaction in a row `a` of the sessions. Not the query: it may hold secrets.
const TRANSACTION: &str = "json_build_object(
            'pid', a.pid,
            'user', pg_get_userbyid(a.usesysid),
            'application', a.application_name,
            'database', (SELECT d.datname FROM pg_database AS d WHERE d.oid = a.datid),
            'client', host(a.client_addr),
            'state', a.state,
            'started', (extract(epoch FROM a.xact_start) * 1000000)::int8,
            'state_since', (extract(epoch FROM a.state_change) * 1000000)::int8,
            'holds_back', greatest(age(a.backend_xmin), age(a.backend_xid)))";

/// The statement: one row, one column, a JSON object as [`super::reading`] understands it.
///
/// LSNs are texts, times microseconds since the Unix epoch, lags seconds. A column that a version lacks is read through `to_jsonb`, which
/// gives null for it. A position of the past (what a promoted server had received as a standby) is not given.
///
/// A setting that our user or database has of its own says nothing of the others'; of those that are read, `synchronous_commit` alone can be
/// set so.
///
/// The rules of the two views and their joins with `pg_authid` and `pg_database` are a seventh of what a new session's first reading costs the
/// server (measured with 15: 1.7 of 11.9 ms), so the functions in them are asked where they are known.
///
/// `pg_settings` is built whole, all 350 rows, for each look at it (measured: 0.6 ms, half of a reading), so it is asked only where nothing else
/// answers. A time's `current_setting` has a unit that an interval understands.
///
/// A subscription's workers that copy a table or apply in parallel have rows of their own beside its main worker's, which are passed over.
///
/// Sessions of others are hidden from a user without `pg_read_all_stats` except for database and user. One that has both and is no walsender
/// may be a client or a parallel worker of one: then the number of clients is not known.
pub(super) fn statement(rights: Rights) -> String {
    let or_null = |allowed: bool, sql: &'static str| if allowed { sql } else { "NULL" };
    let identifier = or_null(rights.system, "(SELECT system_identifier FROM pg_control_system())");
    let checkpoint = or_null(rights.checkpoint, "(SELECT timeline_id FROM pg_control_checkpoint())");
    let recovery = or_null(rights.recovery, "(SELECT nullif(min_recovery_end_timeline, 0) FROM pg_control_recovery())");
    let backups = or_null(
        rights.backups,
        "(SELECT json_agg(json_build_object(
            'pid', b.pid,
            'client', host(a.client_addr),
            'phase', b.phase,
            'streamed', b.backup_streamed,
            'total', b.backup_total
        ) ORDER BY b.pid)
        FROM pg_stat_progress_basebackup AS b LEFT JOIN activity AS a ON a.pid = b.pid)",
    );
    let (sessions, replication) = match rights.functions {
        true => (
            "pg_stat_get_activity(NULL)",
            "SELECT s.*, a.application_name, a.client_addr FROM pg_stat_get_wal_senders() AS s JOIN activity AS a ON a.pid = s.pid",
        ),
        false => ("pg_stat_activity", "SELECT s.* FROM pg_stat_replication AS s"),
    };
    let waiting = or_null(rights.archive_status, "(SELECT count(*) FROM pg_ls_archive_statusdir() AS f WHERE f.name LIKE '%.ready')");
    format!(
        "
WITH here AS MATERIALIZED (
    SELECT p.*, coalesce(p.current_lsn, greatest(p.receive_lsn, p.replay_lsn)) AS at
    FROM (SELECT r.in_recovery,
                 CASE WHEN NOT r.in_recovery THEN pg_current_wal_lsn() END AS current_lsn,
                 CASE WHEN r.in_recovery THEN pg_last_wal_receive_lsn() END AS receive_lsn,
                 CASE WHEN r.in_recovery THEN pg_last_wal_replay_lsn() END AS replay_lsn
          FROM (SELECT pg_is_in_recovery() AS in_recovery OFFSET 0) AS r OFFSET 0) AS p
), activity AS MATERIALIZED (
    SELECT a.pid, a.datid, a.usesysid, a.application_name, a.client_addr, a.backend_type, a.state, a.xact_start, a.state_change,
           a.backend_xid, a.backend_xmin, a.wait_event, a.backend_type IS NULL AND a.datid IS NOT NULL AND a.usesysid IS NOT NULL AS hidden
    FROM {sessions} AS a
    WHERE a.pid <> pg_backend_pid()
), replication AS MATERIALIZED (
    {replication}
)
SELECT json_build_object(
    'in_recovery', here.in_recovery,
    'walfile', CASE WHEN NOT here.in_recovery THEN pg_walfile_name(here.current_lsn) END,
    'checkpoint_timeline', {checkpoint},
    'recovery_timeline', {recovery},
    'system_identifier', {identifier},
    'server_version_num', current_setting('server_version_num')::int,
    'current_lsn', here.current_lsn,
    'receive_lsn', here.receive_lsn,
    'replay_lsn', here.replay_lsn,
    'replay_timestamp', CASE WHEN here.in_recovery THEN (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000000)::int8 END,
    'replay_paused', CASE WHEN here.in_recovery THEN pg_is_wal_replay_paused() END,
    'replication', (
        SELECT coalesce(json_agg(json_build_object(
            'application_name', s.application_name,
            'client_addr', host(s.client_addr),
            'state', s.state,
            'sync_state', s.sync_state,
            'write_lsn', s.write_lsn,
            'flush_lsn', s.flush_lsn,
            'replay_lsn', s.replay_lsn,
            'write_lag', extract(epoch FROM s.write_lag)::float8,
            'flush_lag', extract(epoch FROM s.flush_lag)::float8,
            'replay_lag', extract(epoch FROM s.replay_lag)::float8,
            'reply_time', (extract(epoch FROM s.reply_time) * 1000000)::int8
        ) ORDER BY s.application_name, s.pid), '[]')
        FROM replication AS s),
    'receiver', (
        SELECT json_build_object(
            'status', w.status,
            'sender_host', w.sender_host,
            'sender_port', w.sender_port,
            'slot', w.slot_name,
            'timeline', w.received_tli)
        FROM pg_stat_wal_receiver AS w LIMIT 1),
    'slots', (
        SELECT coalesce(json_agg(json_build_object(
            'name', s.slot_name,
            'kind', s.slot_type,
            'database', s.database,
            'plugin', s.plugin,
            'temporary', s.temporary,
            'active', s.active,
            'retained', pg_wal_lsn_diff(here.at, s.restart_lsn)::int8,
            'unconfirmed', pg_wal_lsn_diff(here.at, s.confirmed_flush_lsn)::int8,
            'wal_status', r.all_of_it ->> 'wal_status',
            'safe', (r.all_of_it ->> 'safe_wal_size')::int8,
            'invalidation', r.all_of_it ->> 'invalidation_reason',
            'failover', (r.all_of_it ->> 'failover')::bool
        ) ORDER BY s.slot_name), '[]')
        FROM pg_replication_slots AS s, LATERAL to_jsonb(s) AS r (all_of_it)),
    'subscriptions', CASE WHEN NOT here.in_recovery THEN (
        SELECT json_agg(json_build_object(
            'name', s.subname,
            'running', s.pid IS NOT NULL,
            'received', s.received_lsn,
            'sent', (extract(epoch FROM s.last_msg_send_time) * 1000000)::int8,
            'heard', (extract(epoch FROM s.last_msg_receipt_time) * 1000000)::int8
        ) ORDER BY s.subname)
        FROM pg_stat_subscription AS s
        WHERE s.relid IS NULL AND to_jsonb(s) ->> 'leader_pid' IS NULL) END,
    'backups', {backups},
    'archiver', CASE WHEN current_setting('archive_mode') <> 'off' THEN (
        SELECT json_build_object(
            'archived', a.archived_count,
            'failed', a.failed_count,
            'last_archived', (extract(epoch FROM a.last_archived_time) * 1000000)::int8,
            'last_failed', (extract(epoch FROM a.last_failed_time) * 1000000)::int8,
            'last_failed_wal', a.last_failed_wal,
            'waiting', CASE WHEN a.last_failed_time > coalesce(a.last_archived_time, '-infinity') THEN {waiting} END,
            'always', current_setting('archive_mode') = 'always')
        FROM pg_stat_archiver AS a LIMIT 1) END,
    'sessions', (
        SELECT CASE WHEN count(*) FILTER (WHERE a.hidden AND a.pid NOT IN (SELECT s.pid FROM replication AS s)) = 0
               THEN count(*) FILTER (WHERE a.backend_type = 'client backend') END
        FROM activity AS a),
    'oldest_transaction', (
        SELECT {TRANSACTION} FROM activity AS a
        WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
        ORDER BY a.xact_start, a.pid LIMIT 1),
    'idle_transaction', (
        SELECT {TRANSACTION} FROM activity AS a
        WHERE a.backend_type = 'client backend' AND a.state LIKE 'idle in transaction%'
        ORDER BY a.state_change, a.pid LIMIT 1),
    'commit_waits', (
        SELECT json_agg(json_build_object('pid', w.pid, 'xid', w.xid))
        FROM (SELECT a.pid, a.backend_xid::text::int8 AS xid FROM activity AS a
              WHERE a.wait_event = 'SyncRep' AND a.backend_xid IS NOT NULL
              ORDER BY age(a.backend_xid) DESC, a.pid LIMIT 20) AS w),
    'commits_waiting', (
        SELECT CASE WHEN count(*) FILTER (WHERE a.hidden AND a.pid NOT IN (SELECT s.pid FROM replication AS s)) = 0
               THEN count(*) FILTER (WHERE a.wait_event = 'SyncRep') END
        FROM activity AS a),
    'settings', json_build_object(
        'fsync', current_setting('fsync')::bool,
        'full_page_writes', current_setting('full_page_writes')::bool,
        'wal_log_hints', current_setting('wal_log_hints')::bool,
        'data_checksums', current_setting('data_checksums') = 'on',
        'synchronous_commit', CASE WHEN current_setting('synchronous_commit') NOT IN ('off', 'local')
            THEN current_setting('synchronous_commit')
            ELSE (SELECT p.setting FROM pg_settings AS p
                  WHERE p.name = 'synchronous_commit' AND p.source NOT IN ('database', 'user', 'database user', 'client', 'session')) END,
        'synchronous_standby_names', current_setting('synchronous_standby_names'),
        'wal_keep', coalesce(
            pg_size_bytes(current_setting('wal_keep_size', true)),
            current_setting('wal_keep_segments', true)::int8 * pg_size_bytes(current_setting('wal_segment_size'))),
        'slot_wal_keep', pg_size_bytes(current_setting('max_slot_wal_keep_size', true)),
        'status_interval', extract(epoch FROM current_setting('wal_receiver_status_interval')::interval)::int),
    'postmaster_start', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8,
    'server_time', (extract(epoch FROM clock_timestamp()) * 1000000)::int8
)::text
FROM here"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_does_not_stand_in_the_statement() {
        let none = statement(Rights {
            system: false,
            checkpoint: false,
            recovery: false,
            archive_status: false,
            backups: false,
            functions: false,
        });
        assert!(!none.contains("pg_control_") && !none.contains("pg_ls_") && !none.contains("pg_stat_progress"), "{none}");
        let all =
            statement(Rights { system: true, checkpoint: true, recovery: true, archive_status: true, backups: true, functions: true });
        for function in ["pg_control_system()", "pg_control_checkpoint()", "pg_control_recovery()", "pg_ls_archive_statusdir()"] {
            assert!(all.contains(function), "{function}");
        }
    }
}

//! The statement's answer as facts.

use serde::Deserialize;

use crate::model::{
    Archiver, BaseBackup, CommitWait, Lsn, PostgresStatus, Receiver, ReplicationRow, ServerSettings, Slot, Subscription, Time, Transaction,
    clean,
};

/// The JSON object of [`super::query::statement`]; null is what the server does not know or does not tell us.
#[derive(Deserialize)]
struct Answer {
    in_recovery: bool,
    walfile: Option<String>,
    checkpoint_timeline: Option<u32>,
    recovery_timeline: Option<u32>,
    system_identifier: Option<i64>,
    server_version_num: u32,
    current_lsn: Option<Lsn>,
    receive_lsn: Option<Lsn>,
    replay_lsn: Option<Lsn>,
    replay_timestamp: Option<i64>,
    replay_paused: Option<bool>,
    replication: Vec<AnswerReplication>,
    receiver: Option<AnswerReceiver>,
    slots: Vec<AnswerSlot>,
    subscriptions: Option<Vec<AnswerSubscription>>,
    backups: Option<Vec<AnswerBackup>>,
    archiver: Option<AnswerArchiver>,
    sessions: Option<u32>,
    oldest_transaction: Option<AnswerTransaction>,
    idle_transaction: Option<AnswerTransaction>,
    commit_waits: Option<Vec<CommitWait>>,
    commits_waiting: Option<u32>,
    settings: AnswerSettings,
    postmaster_start: Option<i64>,
    server_time: Option<i64>,
}

#[derive(Deserialize)]
struct AnswerReplication {
    application_name: Option<String>,
    client_addr: Option<String>,
    state: Option<String>,
    sync_state: Option<String>,
    write_lsn: Option<Lsn>,
    flush_lsn: Option<Lsn>,
    replay_lsn: Option<Lsn>,
    write_lag: Option<f64>,
    flush_lag: Option<f64>,
    replay_lag: Option<f64>,
    reply_time: Option<i64>,
}

#[derive(Deserialize)]
struct AnswerReceiver {
    status: Option<String>,
    sender_host: Option<String>,
    sender_port: Option<u16>,
    slot: Option<String>,
    timeline: Option<u32>,
}

#[derive(Deserialize)]
struct AnswerSlot {
    name: String,
    kind: String,
    database: Option<String>,
    plugin: Option<String>,
    temporary: bool,
    active: bool,
    /// Negative when the slot is ahead of the position that was read a moment before.
    retained: Option<i64>,
    unconfirmed: Option<i64>,
    wal_status: Option<String>,
    /// Negative when the limit is passed already.
    safe: Option<i64>,
    invalidation: Option<String>,
    failover: Option<bool>,
}

#[derive(Deserialize)]
struct AnswerSubscription {
    name: String,
    running: bool,
    received: Option<Lsn>,
    sent: Option<i64>,
    heard: Option<i64>,
}

#[derive(Deserialize)]
struct AnswerBackup {
    pid: i32,
    client: Option<String>,
    phase: Option<String>,
    streamed: Option<i64>,
    total: Option<i64>,
}

#[derive(Deserialize)]
struct AnswerArchiver {
    archived: u64,
    failed: u64,
    last_archived: Option<i64>,
    last_failed: Option<i64>,
    last_failed_wal: Option<String>,
    waiting: Option<u64>,
    always: bool,
}

#[derive(Deserialize)]
struct AnswerTransaction {
    pid: i32,
    user: Option<String>,
    application: Option<String>,
    database: Option<String>,
    client: Option<String>,
    state: Option<String>,
    started: Option<i64>,
    state_since: Option<i64>,
    holds_back: Option<u64>,
}

#[derive(Deserialize)]
struct AnswerSettings {
    fsync: Option<bool>,
    full_page_writes: Option<bool>,
    wal_log_hints: Option<bool>,
    data_checksums: Option<bool>,
    synchronous_commit: Option<String>,
    synchronous_standby_names: Option<String>,
    wal_keep: Option<u64>,
    slot_wal_keep: Option<i64>,
    status_interval: Option<u32>,
}

/// The facts in the statement's answer. The error says what of it is not as it should be, and where.
pub(super) fn parse(json: &str) -> Result<PostgresStatus, serde_json::Error> {
    serde_json::from_str::<Answer>(json).map(PostgresStatus::from)
}

impl From<Answer> for PostgresStatus {
    fn from(answer: Answer) -> Self {
        let timeline = answer.timeline();
        Self {
            in_recovery: answer.in_recovery,
            timeline,
            // The server shows its unsigned 64 bits as a signed number.
            system_identifier: answer.system_identifier.map(i64::cast_unsigned),
            server_version_num: answer.server_version_num,
            current_lsn: answer.current_lsn,
            receive_lsn: answer.receive_lsn,
            replay_lsn: answer.replay_lsn,
            replay_timestamp: time(answer.replay_timestamp),
            replay_paused: answer.replay_paused,
            replication: answer.replication.into_iter().map(ReplicationRow::from).collect(),
            receiver: answer.receiver.map(Receiver::from),
            slots: answer.slots.into_iter().map(Slot::from).collect(),
            subscriptions: answer.subscriptions.into_iter().flatten().map(Subscription::from).collect(),
            backups: answer.backups.into_iter().flatten().map(BaseBackup::from).collect(),
            archiver: answer.archiver.map(Archiver::from),
            sessions: answer.sessions,
            oldest_transaction: answer.oldest_transaction.map(Transaction::from),
            idle_transaction: answer.idle_transaction.map(Transaction::from),
            commit_waits: answer.commit_waits.unwrap_or_default(),
            commits_waiting: answer.commits_waiting,
            settings: ServerSettings::from(answer.settings),
            postmaster_start: time(answer.postmaster_start),
            server_time: time(answer.server_time),
        }
    }
}

impl Answer {
    /// Of a primary, the one in the name of the file it writes (its first eight hex digits). Of a standby, the one it receives; when nothing is
    /// received, the newest that recovery is known to have reached.
    fn timeline(&self) -> Option<u32> {
        if !self.in_recovery {
            return u32::from_str_radix(self.walfile.as_deref()?.get(..8)?, 16).ok();
        }
        let received = self.receiver.as_ref().and_then(|r| r.timeline).filter(|t| *t > 0);
        received.or_else(|| self.recovery_timeline.max(self.checkpoint_timeline))
    }
}

impl From<AnswerReplication> for ReplicationRow {
    fn from(row: AnswerReplication) -> Self {
        Self {
            application_name: text(row.application_name).unwrap_or_default(),
            client_addr: text(row.client_addr),
            state: text(row.state),
            sync_state: text(row.sync_state),
            write_lsn: row.write_lsn,
            flush_lsn: row.flush_lsn,
            replay_lsn: row.replay_lsn,
            write_lag: row.write_lag,
            flush_lag: row.flush_lag,
            replay_lag: row.replay_lag,
            reply_time: time(row.reply_time),
        }
    }
}

impl From<AnswerReceiver> for Receiver {
    fn from(row: AnswerReceiver) -> Self {
        Self {
            status: text(row.status),
            sender_host: text(row.sender_host),
            sender_port: row.sender_port,
            slot: text(row.slot),
            timeline: row.timeline,
        }
    }
}

impl From<AnswerSlot> for Slot {
    fn from(row: AnswerSlot) -> Self {
        let bytes = |signed: Option<i64>| signed.map(|bytes| u64::try_from(bytes).unwrap_or(0));
        Self {
            name: clean(&row.name),
            kind: clean(&row.kind),
            database: text(row.database),
            plugin: text(row.plugin),
            temporary: row.temporary,
            active: row.active,
            retained: bytes(row.retained),
            unconfirmed: bytes(row.unconfirmed),
            wal_status: text(row.wal_status),
            // Of a slot that keeps nothing the server tells a figure without meaning.
            safe: bytes(row.safe).filter(|_| row.retained.is_some()),
            invalidation: text(row.invalidation),
            // A version that has no such column has no such slots.
            failover: row.failover.unwrap_or(false),
        }
    }
}

impl From<AnswerSubscription> for Subscription {
    fn from(row: AnswerSubscription) -> Self {
        Self { name: clean(&row.name), running: row.running, received: row.received, sent: time(row.sent), heard: time(row.heard) }
    }
}

impl From<AnswerBackup> for BaseBackup {
    fn from(row: AnswerBackup) -> Self {
        let bytes = |signed: Option<i64>| signed.and_then(|bytes| u64::try_from(bytes).ok());
        Self { pid: row.pid, client: text(row.client), phase: text(row.phase), streamed: bytes(row.streamed), total: bytes(row.total) }
    }
}

impl From<AnswerArchiver> for Archiver {
    fn from(row: AnswerArchiver) -> Self {
        Self {
            archived: row.archived,
            failed: row.failed,
            last_archived: time(row.last_archived),
            last_failed: time(row.last_failed),
            last_failed_wal: text(row.last_failed_wal),
            waiting: row.waiting,
            always: row.always,
        }
    }
}

impl From<AnswerTransaction> for Transaction {
    fn from(row: AnswerTransaction) -> Self {
        Self {
            pid: row.pid,
            user: text(row.user),
            application: text(row.application),
            database: text(row.database),
            client: text(row.client),
            state: text(row.state),
            started: time(row.started),
            state_since: time(row.state_since),
            holds_back: row.holds_back,
        }
    }
}

impl From<AnswerSettings> for ServerSettings {
    fn from(row: AnswerSettings) -> Self {
        Self {
            fsync: row.fsync,
            full_page_writes: row.full_page_writes,
            wal_log_hints: row.wal_log_hints,
            data_checksums: row.data_checksums,
            synchronous_commit: text(row.synchronous_commit),
            // Empty means that there is none; it is not unknown.
            synchronous_standby_names: row.synchronous_standby_names.map(|names| clean(&names)),
            wal_keep: row.wal_keep,
            slot_wal_keep: row.slot_wal_keep,
            status_interval: row.status_interval,
        }
    }
}

fn time(micros: Option<i64>) -> Option<Time> {
    micros.map(Time::from_micros)
}

/// The text without control characters; an empty one is none.
fn text(raw: Option<String>) -> Option<String> {
    raw.map(|t| clean(&t)).filter(|t| !t.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = r#"{"in_recovery": false, "walfile": "0000000A0000000000000003", "checkpoint_timeline": 9, "recovery_timeline": null,
        "system_identifier": -2, "server_version_num": 150018, "current_lsn": "0/3000148", "receive_lsn": null, "replay_lsn": null,
        "replay_timestamp": null, "replay_paused": null, "replication": [{"application_name": "psg\u001b[2J2", "client_addr": null, "state": null,
        "sync_state": null, "write_lsn": null, "flush_lsn": null, "replay_lsn": null, "write_lag": null, "flush_lag": null, "replay_lag": null}],
        "receiver": null, "slots": [{"name": "a", "kind": "physical", "temporary": false, "active": false, "retained": null, "wal_status": null},
        {"name": "b", "kind": "logical", "database": "app", "plugin": "pgoutput", "temporary": false, "active": true, "retained": -8,
        "unconfirmed": 16, "wal_status": "unreserved", "safe": -16, "failover": true}],
        "subscriptions": [{"name": "s\u001b", "running": false}], "archiver": null, "sessions": 3,
        "settings": {"fsync": true, "synchronous_standby_names": "", "slot_wal_keep": -1},
        "postmaster_start": 1795490000123456, "server_time": 1795490001000000}"#;

    #[test]
    fn a_primary_is_on_the_timeline_it_writes() {
        let status = parse(PRIMARY).expect("parses");
        assert_eq!(status.timeline, Some(10));
        assert_eq!(status.system_identifier, Some(u64::MAX - 1));
        assert_eq!(status.postmaster_start, Some(Time::from_micros(1_795_490_000_123_456)));
    }

    #[test]
    fn what_is_hidden_stays_unknown() {
        let status = parse(PRIMARY).expect("parses");
        let row = &status.replication[0];
        assert_eq!((row.write_lsn, row.replay_lag, row.state.as_deref()), (None, None, None));
        assert_eq!(status.slots.iter().map(|s| s.retained).collect::<Vec<_>>(), [None, Some(0)]);
        let b = &status.slots[1];
        assert_eq!((b.unconfirmed, b.safe, b.failover, status.slots[0].failover), (Some(16), Some(0), true, false));
        assert_eq!((b.database.as_deref(), b.plugin.as_deref(), &status.slots[0].plugin), (Some("app"), Some("pgoutput"), &None));
        assert_eq!((status.subscriptions[0].running, status.subscriptions[0].heard), (false, None));
        let settings = &status.settings;
        assert_eq!((settings.fsync, settings.wal_log_hints, settings.slot_wal_keep), (Some(true), None, Some(-1)));
        assert_eq!((settings.synchronous_standby_names.as_deref(), settings.synchronous_commit.as_deref()), (Some(""), None));
        assert!(!status.subscriptions[0].name.contains('\u{1b}'));
        assert!(!row.application_name.contains('\u{1b}'), "{:?}", row.application_name);
    }

    #[test]
    fn a_standby_is_on_the_timeline_it_receives_or_else_reached() {
        let standby = PRIMARY.replace("\"in_recovery\": false", "\"in_recovery\": true");
        let silent = parse(&standby).expect("parses");
        assert_eq!(silent.timeline, Some(9));
        let ahead = standby.replace("\"recovery_timeline\": null", "\"recovery_timeline\": 11");
        assert_eq!(parse(&ahead).expect("parses").timeline, Some(11));
        let receiving = ahead.replace(
            "\"receiver\": null",
            r#""receiver": {"status": "streaming", "sender_host": "/run", "sender_port": 5432, "slot": null, "timeline": 12}"#,
        );
        assert_eq!(parse(&receiving).expect("parses").timeline, Some(12));
        let denied = standby.replace("\"checkpoint_timeline\": 9", "\"checkpoint_timeline\": null");
        assert_eq!(parse(&denied).expect("parses").timeline, None);
    }

    #[test]
    fn a_truncated_or_foreign_answer_is_an_error() {
        for cut in [0, 1, PRIMARY.len() / 2, PRIMARY.len() - 1] {
            assert!(parse(&PRIMARY[..cut]).is_err(), "{cut}");
        }
        assert!(parse("{}").is_err());
        assert!(parse(&PRIMARY.replace("0/3000148", "0-3000148")).is_err());
        assert!(parse(&PRIMARY.replace("\"sessions\": 3", "\"sessions\": -3")).is_err());
    }
}

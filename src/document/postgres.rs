//! The parts on what a member's PostgreSQL tells of itself.

use super::{ArchiverDoc, CopyDoc, SettingsDoc, SlotDoc, SubscriptionDoc, TransactionDoc, millis};
use crate::model::{BaseBackup, Member, PostgresStatus, Slot, SlotTrend, Subscription, Time, Transaction};

pub(super) fn slots(member: &Member, sql: &PostgresStatus) -> Vec<SlotDoc> {
    let document = |slot: &Slot| {
        let growth = member.slot_trends.get(&slot.name).and_then(SlotTrend::growth);
        SlotDoc {
            name: slot.name.clone(),
            kind: slot.kind.clone(),
            database: slot.database.clone(),
            plugin: slot.plugin.clone(),
            temporary: slot.temporary,
            active: slot.active,
            retained_bytes: slot.retained,
            growth_bytes_per_second: growth,
            unconfirmed_bytes: slot.unconfirmed,
            wal_status: slot.wal_status.clone(),
            safe_bytes: slot.safe,
            safe_seconds: slot.safe.zip(growth.filter(|rate| *rate > 0.0)).map(|(left, rate)| left as f64 / rate),
            invalidation_reason: slot.invalidation.clone(),
            failover: slot.failover,
        }
    };
    sql.slots.iter().map(document).collect()
}

pub(super) fn copy(from: &str, backup: &BaseBackup) -> CopyDoc {
    CopyDoc {
        from: from.to_owned(),
        phase: backup.phase.clone(),
        streamed_bytes: backup.streamed,
        total_bytes: backup.total,
        percent: backup.percent(),
    }
}

pub(super) fn subscriptions(sql: &PostgresStatus) -> Vec<SubscriptionDoc> {
    let document = |subscription: &Subscription| SubscriptionDoc {
        name: subscription.name.clone(),
        running: subscription.running,
        received_lsn: subscription.received,
        last_message_ms: sql.server_time.zip(subscription.heard).map(|(now, heard)| millis(now.since(heard))),
        delay_ms: subscription
            .heard
            .zip(subscription.sent)
            .filter(|(heard, sent)| heard >= sent)
            .map(|(heard, sent)| millis(heard.since(sent))),
    };
    sql.subscriptions.iter().map(document).collect()
}

pub(super) fn transaction(sql: &PostgresStatus, transaction: &Transaction) -> TransactionDoc {
    let seconds = |at: Option<Time>| sql.server_time.zip(at).map(|(now, at)| now.since(at).as_secs_f64());
    TransactionDoc {
        pid: transaction.pid,
        user: transaction.user.clone(),
        application: transaction.application.clone(),
        database: transaction.database.clone(),
        client: transaction.client.clone(),
        state: transaction.state.clone(),
        open_seconds: seconds(transaction.started),
        state_seconds: seconds(transaction.state_since),
        holds_back_transactions: transaction.holds_back,
    }
}

pub(super) fn settings(sql: &PostgresStatus) -> SettingsDoc {
    let settings = &sql.settings;
    SettingsDoc {
        fsync: settings.fsync,
        full_page_writes: settings.full_page_writes,
        wal_log_hints: settings.wal_log_hints,
        data_checksums: settings.data_checksums,
        synchronous_commit: settings.synchronous_commit.clone(),
        synchronous_standby_names: settings.synchronous_standby_names.clone(),
        wal_keep_bytes: settings.wal_keep,
        slot_wal_keep_bytes: settings.slot_wal_keep,
    }
}

pub(super) fn archiver(sql: &PostgresStatus) -> Option<ArchiverDoc> {
    let archiver = sql.archiver.as_ref()?;
    Some(ArchiverDoc {
        archived: archiver.archived,
        failed: archiver.failed,
        last_archived: archiver.last_archived,
        last_failed: archiver.last_failed,
        last_failed_wal: archiver.last_failed_wal.clone(),
        failing: sql.archives() && archiver.failing(),
        waiting: archiver.waiting,
    })
}

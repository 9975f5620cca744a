//! The one place through which every text from outside comes into the cluster.
//!
//! The structs are taken apart without `..`: a field that is added later does not compile until it is decided here what becomes of it.

use serde_json::{Map, Value};

use super::{
    AirflowHealth, Archiver, BaseBackup, Certificate, EtcdAlarm, EtcdMember, EtcdMembership, EtcdStatus, Fact, FrozenPools, HaproxyServer,
    HaproxyStatus, HostStatus, Login, Observation, Outcome, PatroniReplication, PatroniStatus, PauseNote, PendingChange, Place,
    PostgresStatus, Receiver, ReplicationRow, ServerSettings, Slot, SourceError, SourceId, Space, Subscription, Transaction, Unit, clean,
};

/// Something that holds text from outside.
pub(super) trait Hygiene {
    /// Makes each text in it one that may reach a terminal ([`clean`]).
    fn wash(&mut self);
}

impl Hygiene for String {
    fn wash(&mut self) {
        let washed = clean(self);
        if washed != *self {
            *self = washed;
        }
    }
}

impl<T: Hygiene> Hygiene for Option<T> {
    fn wash(&mut self) {
        self.iter_mut().for_each(Hygiene::wash);
    }
}

impl<T: Hygiene> Hygiene for Vec<T> {
    fn wash(&mut self) {
        self.iter_mut().for_each(Hygiene::wash);
    }
}

impl Hygiene for Value {
    fn wash(&mut self) {
        match self {
            Value::String(text) => text.wash(),
            Value::Array(items) => items.wash(),
            Value::Object(map) => map.wash(),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl Hygiene for PauseNote {
    fn wash(&mut self) {
        let Self { at: _, by, asked, reason, remind_at: _ } = self;
        by.wash();
        asked.wash();
        reason.wash();
    }
}

impl Hygiene for FrozenPools {
    fn wash(&mut self) {
        let Self { at: _, ordered: _, ended: _, by, run, reason, system, slots } = self;
        by.wash();
        [run, reason, system].into_iter().for_each(Hygiene::wash);
        *slots = std::mem::take(slots).into_iter().map(|(name, slots)| (clean(&name), slots)).collect();
    }
}

impl Hygiene for Map<String, Value> {
    fn wash(&mut self) {
        *self = std::mem::take(self)
            .into_iter()
            .map(|(name, mut value)| {
                value.wash();
                (clean(&name), value)
            })
            .collect();
    }
}

impl Hygiene for Observation {
    fn wash(&mut self) {
        let Self { source: SourceId { kind: _, target }, at: _, rtt: _, outcome } = self;
        target.wash();
        match outcome {
            Outcome::Heard(fact) => fact.wash(),
            Outcome::Failed(error) => error.wash(),
        }
    }
}

impl Hygiene for SourceError {
    fn wash(&mut self) {
        let Self { kind: _, message, hint } = self;
        message.wash();
        hint.wash();
    }
}

impl Hygiene for Fact {
    fn wash(&mut self) {
        match self {
            // JSON within text: washed where it is taken apart, as a change of a long setting must be seen behind the 400th character too.
            Fact::DcsListed { .. } | Fact::DcsChanged { .. } | Fact::PatroniConfig(_) | Fact::PatroniHistory(_) => {}
            Fact::DcsConfirmed { revision: _ } | Fact::Lease(_) => {}
            // Numbers only.
            Fact::EtcdMetrics(_) | Fact::Clock(_) => {}
            Fact::PauseNote(note) => note.wash(),
            Fact::FrozenPools(pools) => pools.wash(),
            Fact::EtcdStatus(status) => status.wash(),
            Fact::EtcdMembership(EtcdMembership { members, alarms }) => {
                members.wash();
                alarms.wash();
            }
            Fact::Patroni(status) => status.wash(),
            Fact::Postgres(status) => status.wash(),
            Fact::Haproxy(HaproxyStatus { servers }) => servers.wash(),
            Fact::Host(status) => status.wash(),
            Fact::Rescue(memory) => memory.wash(),
            Fact::Dags(status) => status.wash(),
            Fact::Target(status) => status.wash(),
            Fact::Airflow(status) => status.wash(),
            Fact::AirflowHealth(AirflowHealth { status: _, programs }) => programs.wash(),
            Fact::RabbitmqAlarms(alarms) => alarms.wash(),
            Fact::RabbitmqLists(lists) => lists.wash(),
            Fact::Certificate(certificate) => certificate.wash(),
        }
    }
}

impl Hygiene for HostStatus {
    fn wash(&mut self) {
        let Self {
            places,
            load: _,
            cpus: _,
            memory: _,
            memory_available: _,
            swap_used: _,
            oom_kills: _,
            boot,
            uptime: _,
            synchronized: _,
            units,
            logins,
        } = self;
        places.wash();
        boot.wash();
        units.wash();
        logins.wash();
    }
}

impl Hygiene for Place {
    fn wash(&mut self) {
        let Self { kind: _, path, space } = self;
        path.wash();
        match space {
            Ok(Space { device: _, mount, size: _, free: _, available: _, inodes: _, inodes_free: _ }) => mount.wash(),
            Err(why) => why.wash(),
        }
    }
}

impl Hygiene for Unit {
    fn wash(&mut self) {
        let Self { name, state, sub, result, changed_ago: _, restarts: _ } = self;
        [name, state, sub, result].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for Login {
    fn wash(&mut self) {
        let Self { user, terminal, from, since } = self;
        [user, terminal, since].into_iter().for_each(Hygiene::wash);
        from.wash();
    }
}

impl Hygiene for Certificate {
    fn wash(&mut self) {
        let Self { ours: _, subject, issuer, not_after: _ } = self;
        subject.wash();
        issuer.wash();
    }
}

impl Hygiene for EtcdStatus {
    fn wash(&mut self) {
        let Self {
            member_id: _,
            leader_id: _,
            raft_term: _,
            raft_index: _,
            raft_applied_index: _,
            db_size: _,
            db_in_use: _,
            db_quota: _,
            version,
            is_learner: _,
            errors,
        } = self;
        version.wash();
        errors.wash();
    }
}

impl Hygiene for EtcdMember {
    fn wash(&mut self) {
        let Self { id: _, name, client_urls, is_learner: _ } = self;
        name.wash();
        client_urls.wash();
    }
}

impl Hygiene for EtcdAlarm {
    fn wash(&mut self) {
        let Self { member_id: _, kind } = self;
        kind.wash();
    }
}

impl Hygiene for PatroniStatus {
    fn wash(&mut self) {
        let Self {
            state,
            role,
            name,
            scope,
            version,
            server_version: _,
            postmaster_start: _,
            timeline: _,
            location: _,
            received: _,
            replayed: _,
            replayed_at: _,
            replay_paused: _,
            replication_state,
            replication,
            sync_standby: _,
            quorum_standby: _,
            paused: _,
            cluster_unlocked: _,
            failsafe_active: _,
            dcs_last_seen: _,
            system_identifier,
            pending_restart: _,
            pending_changes,
            scheduled_restart: _,
            watchdog_failed: _,
            tags,
        } = self;
        state.0.wash();
        [role, name, scope, version, replication_state, system_identifier].into_iter().for_each(Hygiene::wash);
        replication.wash();
        pending_changes.wash();
        tags.wash();
    }
}

impl Hygiene for PatroniReplication {
    fn wash(&mut self) {
        let Self { application_name, client_addr, state, sync_state } = self;
        application_name.wash();
        [client_addr, state, sync_state].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for PendingChange {
    fn wash(&mut self) {
        let Self { parameter, old, new } = self;
        parameter.wash();
        old.wash();
        new.wash();
    }
}

impl Hygiene for PostgresStatus {
    fn wash(&mut self) {
        let Self {
            in_recovery: _,
            timeline: _,
            system_identifier: _,
            server_version_num: _,
            current_lsn: _,
            receive_lsn: _,
            replay_lsn: _,
            replay_timestamp: _,
            replay_paused: _,
            replication,
            receiver,
            slots,
            subscriptions,
            backups,
            archiver,
            sessions: _,
            oldest_transaction,
            idle_transaction,
            commit_waits: _,
            commits_waiting: _,
            settings,
            postmaster_start: _,
            server_time: _,
        } = self;
        replication.wash();
        receiver.wash();
        slots.wash();
        subscriptions.wash();
        backups.wash();
        archiver.wash();
        oldest_transaction.wash();
        idle_transaction.wash();
        settings.wash();
    }
}

impl Hygiene for ReplicationRow {
    fn wash(&mut self) {
        let Self {
            application_name,
            client_addr,
            state,
            sync_state,
            write_lsn: _,
            flush_lsn: _,
            replay_lsn: _,
            write_lag: _,
            flush_lag: _,
            replay_lag: _,
            reply_time: _,
        } = self;
        application_name.wash();
        [client_addr, state, sync_state].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for Receiver {
    fn wash(&mut self) {
        let Self { status, sender_host, sender_port: _, slot, timeline: _ } = self;
        [status, sender_host, slot].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for Slot {
    fn wash(&mut self) {
        let Self {
            name,
            kind,
            database,
            plugin,
            temporary: _,
            active: _,
            retained: _,
            unconfirmed: _,
            wal_status,
            safe: _,
            invalidation,
            failover: _,
        } = self;
        name.wash();
        kind.wash();
        [database, plugin, wal_status, invalidation].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for Subscription {
    fn wash(&mut self) {
        let Self { name, running: _, received: _, sent: _, heard: _ } = self;
        name.wash();
    }
}

impl Hygiene for BaseBackup {
    fn wash(&mut self) {
        let Self { pid: _, client, phase, streamed: _, total: _ } = self;
        [client, phase].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for Archiver {
    fn wash(&mut self) {
        let Self { archived: _, failed: _, last_archived: _, last_failed: _, last_failed_wal, waiting: _, always: _ } = self;
        last_failed_wal.wash();
    }
}

impl Hygiene for ServerSettings {
    fn wash(&mut self) {
        let Self {
            fsync: _,
            full_page_writes: _,
            wal_log_hints: _,
            data_checksums: _,
            synchronous_commit,
            synchronous_standby_names,
            wal_keep: _,
            slot_wal_keep: _,
            status_interval: _,
        } = self;
        synchronous_commit.wash();
        synchronous_standby_names.wash();
    }
}

impl Hygiene for Transaction {
    fn wash(&mut self) {
        let Self { pid: _, user, application, database, client, state, started: _, state_since: _, holds_back: _ } = self;
        [user, application, database, client, state].into_iter().for_each(Hygiene::wash);
    }
}

impl Hygiene for HaproxyServer {
    fn wash(&mut self) {
        let Self {
            backend,
            name,
            address,
            status,
            check_status,
            check_code: _,
            check_ms: _,
            sessions: _,
            last_change: _,
            rise: _,
            fall: _,
        } = self;
        [backend, name, status].into_iter().for_each(Hygiene::wash);
        address.wash();
        check_status.wash();
    }
}

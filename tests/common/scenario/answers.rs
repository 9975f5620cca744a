//! What the sources of a healthy cluster answer.

use pgbaton::model::*;
use serde_json::{Value, json};

/// 2026-11-24 03:00:00 UTC: second 0 of every scenario.
pub const START: i64 = 1_795_489_200_000_000;
/// The position up to which everything is written in the beginning.
pub const WRITTEN: u64 = 0x500_0148;

/// An Airflow of the line 2 with a scheduler at work, in which nothing is to be done.
pub fn airflow_at_rest(now: Time) -> AirflowStatus {
    AirflowStatus {
        server_time: now,
        in_recovery: false,
        is_3: false,
        revision: "5f2621c13b39".to_owned(),
        components: vec![AirflowComponent { kind: "SchedulerJob".into(), host: None, state: None, heartbeat: Some(now) }],
        tasks: std::collections::BTreeMap::new(),
        work: Vec::new(),
        retries: Vec::new(),
        pools: Vec::new(),
        next_runs: Vec::new(),
        import_errors: 0,
        import_error_files: Vec::new(),
        last_decision: None,
        migrating: false,
        prepared: 0,
    }
}

/// Sets fields of an object; null takes one away.
pub fn merge(value: &mut Value, fields: Value) {
    let (Value::Object(value), Value::Object(fields)) = (value, fields) else { panic!("not objects") };
    for (name, field) in fields {
        if field.is_null() {
            value.remove(&name);
        } else {
            value.insert(name, field);
        }
    }
}

/// Address of the etcd member of this number.
pub fn url(number: u64) -> String {
    format!("http://192.0.2.1{number}:2379")
}

/// What a healthy etcd member answers; the first is the raft leader.
pub fn etcd_status(number: u64) -> EtcdStatus {
    EtcdStatus {
        member_id: number,
        leader_id: Some(1),
        raft_term: 2,
        raft_index: 140,
        raft_applied_index: 140,
        db_size: 65_536,
        db_quota: None,
        db_in_use: Some(40_960),
        version: "3.4.23".to_owned(),
        is_learner: false,
        errors: Vec::new(),
    }
}

/// The body of `/patroni` of a member while `leader` leads.
pub fn rest_answer(name: &str, leader: &str, timeline: u32) -> Value {
    let mut answer = json!({"state": "running", "role": "primary", "server_version": 150_018, "timeline": timeline,
        "xlog": {"location": WRITTEN}, "patroni": {"version": "4.1.5", "scope": "psg", "name": name}});
    if name != leader {
        let xlog = json!({"received_location": WRITTEN, "replayed_location": WRITTEN, "paused": false});
        merge(&mut answer, json!({"role": "replica", "replication_state": "streaming", "xlog": xlog}));
    }
    answer
}

/// What a member's PostgreSQL answers while `leader` leads.
pub fn sql_answer(name: &str, leader: &str, timeline: u32) -> PostgresStatus {
    let leads = name == leader;
    let written = Some(Lsn(WRITTEN));
    let row = |name: &str| ReplicationRow {
        application_name: name.to_owned(),
        client_addr: None,
        state: Some("streaming".to_owned()),
        sync_state: Some("async".to_owned()),
        write_lsn: written,
        flush_lsn: written,
        replay_lsn: written,
        write_lag: None,
        flush_lag: None,
        replay_lag: None,
        reply_time: None,
    };
    let receiver = Receiver {
        status: Some("streaming".to_owned()),
        sender_host: Some(format!("192.0.2.1{}", &leader[3..])),
        sender_port: Some(5432),
        slot: Some(name.to_owned()),
        timeline: Some(timeline),
    };
    PostgresStatus {
        in_recovery: !leads,
        timeline: Some(timeline),
        system_identifier: Some(7_711_549_358_043_286_544),
        server_version_num: 150_018,
        current_lsn: written.filter(|_| leads),
        receive_lsn: written.filter(|_| !leads),
        replay_lsn: written.filter(|_| !leads),
        replay_timestamp: None,
        replay_paused: (!leads).then_some(false),
        replication: ["psg1", "psg2", "psg3"].iter().filter(|n| leads && **n != leader).map(|n| row(n)).collect(),
        receiver: (!leads).then_some(receiver),
        slots: Vec::new(),
        subscriptions: Vec::new(),
        backups: Vec::new(),
        archiver: None,
        sessions: Some(3),
        oldest_transaction: None,
        idle_transaction: None,
        commit_waits: Vec::new(),
        commits_waiting: Some(0),
        settings: ServerSettings {
            fsync: Some(true),
            full_page_writes: Some(true),
            wal_log_hints: Some(true),
            data_checksums: Some(true),
            synchronous_commit: Some("on".to_owned()),
            synchronous_standby_names: Some(String::new()),
            wal_keep: Some(128 << 20),
            slot_wal_keep: Some(-1),
            status_interval: Some(10),
        },
        postmaster_start: Some(Time::from_micros(START - 86_400_000_000)),
        server_time: None,
    }
}

/// A slot of nobody, as `pg_replication_slots` has it without `max_slot_wal_keep_size`.
pub fn slot(name: &str, kind: &str) -> Slot {
    let logical = kind == "logical";
    Slot {
        name: name.to_owned(),
        kind: kind.to_owned(),
        database: logical.then(|| "app".to_owned()),
        plugin: logical.then(|| "pgoutput".to_owned()),
        temporary: false,
        active: false,
        retained: Some(0),
        unconfirmed: logical.then_some(0),
        wal_status: Some("reserved".to_owned()),
        safe: None,
        invalidation: None,
        failover: false,
    }
}

/// An HAProxy that has followed `leader`.
pub fn haproxy_answer(leader: &str) -> HaproxyStatus {
    let mut servers = Vec::new();
    for backend in ["primary", "replicas"] {
        for (name, address) in [("psg1", "192.0.2.11:5432"), ("psg2", "192.0.2.12:5432"), ("psg3", "192.0.2.13:5432")] {
            let up = (name == leader) == (backend == "primary");
            servers.push(HaproxyServer {
                backend: backend.to_owned(),
                name: name.to_owned(),
                address: Some(address.to_owned()),
                status: if up { "UP" } else { "DOWN" }.to_owned(),
                check_status: Some(if up { "L7OK" } else { "L7STS" }.to_owned()),
                check_code: Some(if up { 200 } else { 503 }),
                check_ms: Some(1),
                sessions: Some(if up { 4 } else { 0 }),
                last_change: Some(60),
                rise: Some(4),
                fall: Some(2),
            });
        }
    }
    HaproxyStatus { servers }
}

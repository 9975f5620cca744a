//! What documents are made of.

use pgbaton::document::*;
use pgbaton::model::{Lsn, PlaceKind};

use super::{NOW, at};

pub fn heard(age_ms: u64, rtt_ms: f64) -> Asked {
    Asked { age_ms: Some(age_ms), fresh: true, error: None, error_kind: None, rtt_ms: Some(rtt_ms) }
}

pub fn lost(age_ms: Option<u64>, error: &str) -> Asked {
    Asked { age_ms, fresh: false, error: Some(error.to_owned()), error_kind: None, rtt_ms: Some(2.0) }
}

pub fn truth(source: &str, leaders: &[&str], agrees: Option<bool>) -> Truth {
    let leaders = leaders.iter().map(|l| (*l).to_owned()).collect();
    Truth { source: source.to_owned(), leaders, agrees, age_ms: Some(600), note: None }
}

pub fn finding(code: &str, severity: Level, subject: Option<&str>, sentence: &str, since: i64) -> FindingDoc {
    let evidence = |source: &str, what: &str, value: &str, age_ms| EvidenceDoc {
        source: source.to_owned(),
        what: what.to_owned(),
        value: value.to_owned(),
        age_ms: Some(age_ms),
    };
    FindingDoc {
        code: code.to_owned(),
        severity,
        subject: subject.map(str::to_owned),
        sentence: sentence.to_owned(),
        since: at(since),
        evidence: vec![evidence("etcd", "leader key", "none", 400), evidence("sql psg2", "pg_is_in_recovery()", "true", 12_300)],
        runbook: pgbaton::finding::explanation(code).and_then(|explained| explained.runbook).map(str::to_owned),
        matters: "A sentence that says what the next fault would do, and whom it would hurt.".to_owned(),
        next: vec!["Look at the log of the member.".to_owned(), "Wait for one loop of Patroni's, then look again.".to_owned()],
    }
}

pub fn questions(leads: bool) -> Vec<QuestionDoc> {
    let question = |question: &str, answer, because: &str| QuestionDoc {
        question: question.to_owned(),
        answer: Some(answer),
        because: because.to_owned(),
    };
    let seen = if leads { "it holds the leader key itself" } else { "it sees the key of psg1, and last saw etcd 2 s ago" };
    let lead = if leads { "it leads, and renews the key at each loop" } else { "psg1 leads; without it, it would" };
    vec![
        question("am I healthy?", true, "its PostgreSQL is running"),
        question("is a leader alive?", true, seen),
        question("should I lead?", leads, lead),
    ]
}

pub fn reason(code: &str, short: &str, sentence: &str) -> ReasonDoc {
    ReasonDoc { code: code.to_owned(), stage: "race".to_owned(), short: short.to_owned(), sentence: sentence.to_owned() }
}

pub fn forecast(leader: Option<&str>, next: &[&str], sentence: &str) -> ForecastDoc {
    ForecastDoc {
        leader: leader.map(str::to_owned),
        outcome: if next.is_empty() { "nobody" } else { "takes-over" }.to_owned(),
        next: next.iter().map(|n| (*n).to_owned()).collect(),
        lost_bytes: (!next.is_empty()).then_some(0),
        lost_seconds: (!next.is_empty()).then_some(0.0),
        acknowledged_kept: (!next.is_empty()).then_some(true),
        sentence: sentence.to_owned(),
        leader_stays_without_quorum: leader.map(|_| false),
        without_quorum: "psg1 would step down: failsafe mode is off".to_owned(),
    }
}

/// Nobody can take over, all for one reason.
pub fn nobody(doc: &mut Document, why: ReasonDoc, sentence: &str) {
    let leader = doc.forecast.leader.clone();
    doc.forecast = forecast(leader.as_deref(), &[], sentence);
    for member in &mut doc.members[1..] {
        member.can_take_over = Some(false);
        member.cannot_because = vec![why.clone()];
    }
}

pub fn replica(name: &str, host: &str, role: Role, replay: u64) -> MemberDoc {
    let lsn = Lsn(0x5A3_F1C8);
    MemberDoc {
        name: name.to_owned(),
        host: Some(host.to_owned()),
        port: Some(5432),
        api_url: Some(format!("http://{host}:8008/patroni")),
        role,
        state: Some("streaming".to_owned()),
        state_since: None,
        timeline: Some(7),
        present: true,
        missing_since: None,
        last_known: None,
        lsn: None,
        receive_lsn: Some(lsn),
        replay_lsn: Some(Lsn(lsn.0.saturating_sub(replay))),
        receive_lag_bytes: Some(0),
        replay_lag_bytes: Some(replay),
        replay_lag_seconds: Some(if replay == 0 { 0.0 } else { 0.1 }),
        lag_source: Some("sql".to_owned()),
        replication_state: Some("streaming".to_owned()),
        sync_state: Some("async".to_owned()),
        upstream: Some("psg1".to_owned()),
        in_recovery: Some(true),
        replay_paused: Some(false),
        can_take_over: Some(true),
        cannot_because: Vec::new(),
        questions: questions(false),
        dcs_last_seen: Some(at(NOW - 2)),
        failsafe_active: Some(false),
        watchdog_failed: Some(false),
        paused: Some(false),
        pending_restart: Some(false),
        pending_restart_reason: Vec::new(),
        scheduled_restart: None,
        copy: None,
        tags: serde_json::Map::new(),
        patroni_version: Some("4.1.5".to_owned()),
        postgres_version: Some("15.18".to_owned()),
        system_identifier: Some("7575101238011224017".to_owned()),
        postmaster_start: Some(at(NOW - 300_000)),
        clock_skew_ms: Some(4.0),
        clock_skew_within_ms: Some(5.0),
        sessions: Some(3),
        oldest_transaction: None,
        idle_transaction: None,
        slots: Vec::new(),
        subscriptions: Vec::new(),
        archiver: None,
        settings: Some(SettingsDoc {
            fsync: Some(true),
            full_page_writes: Some(true),
            wal_log_hints: Some(true),
            data_checksums: Some(true),
            synchronous_commit: Some("on".to_owned()),
            synchronous_standby_names: Some("psg2".to_owned()),
            wal_keep_bytes: Some(134_217_728),
            slot_wal_keep_bytes: Some(-1),
        }),
        dcs: heard(300, 1.2),
        rest: heard(400, 2.3),
        sql: heard(500, 1.1),
    }
}

pub fn slot(name: &str, kind: &str, active: bool, retained: u64) -> SlotDoc {
    let logical = kind == "logical";
    SlotDoc {
        name: name.to_owned(),
        kind: kind.to_owned(),
        database: logical.then(|| "cards".to_owned()),
        plugin: logical.then(|| "pgoutput".to_owned()),
        temporary: false,
        active,
        retained_bytes: Some(retained),
        growth_bytes_per_second: None,
        unconfirmed_bytes: None,
        wal_status: Some("reserved".to_owned()),
        safe_bytes: None,
        safe_seconds: None,
        invalidation_reason: None,
        failover: false,
    }
}

pub fn leader(name: &str, host: &str) -> MemberDoc {
    MemberDoc {
        state: Some("running".to_owned()),
        state_since: Some(at(NOW - 7200)),
        lsn: Some(Lsn(0x5A3_F1C8)),
        receive_lsn: None,
        replay_lsn: None,
        receive_lag_bytes: None,
        replay_lag_bytes: None,
        replay_lag_seconds: None,
        lag_source: None,
        replication_state: None,
        sync_state: None,
        upstream: None,
        in_recovery: Some(false),
        replay_paused: None,
        can_take_over: None,
        questions: questions(true),
        sessions: Some(41),
        oldest_transaction: Some(TransactionDoc {
            pid: 4711,
            user: Some("airflow".to_owned()),
            application: Some("scheduler".to_owned()),
            database: Some("cards".to_owned()),
            client: Some("10.20.0.1".to_owned()),
            state: Some("active".to_owned()),
            open_seconds: Some(12.2),
            state_seconds: Some(0.1),
            holds_back_transactions: Some(7),
        }),
        slots: vec![
            slot("psg2", "physical", true, 0),
            SlotDoc {
                growth_bytes_per_second: Some(2_300.0),
                unconfirmed_bytes: Some(268_000_000),
                wal_status: Some("extended".to_owned()),
                safe_bytes: Some(805_306_368),
                safe_seconds: Some(350_133.2),
                ..slot("old_cdc", "logical", false, 268_435_456)
            },
        ],
        subscriptions: vec![SubscriptionDoc {
            name: "orders".to_owned(),
            running: true,
            received_lsn: Some(Lsn(0x71_0000_A0B0)),
            last_message_ms: Some(4200),
            delay_ms: Some(2),
        }],
        archiver: Some(ArchiverDoc {
            archived: 1204,
            failed: 2,
            last_archived: Some(at(NOW - 40)),
            last_failed: Some(at(NOW - 90_000)),
            last_failed_wal: Some("00000007000000000000005A".to_owned()),
            failing: false,
            waiting: None,
        }),
        ..replica(name, host, Role::Leader, 0)
    }
}

pub fn etcd(name: &str, host: &str, state: &str) -> EtcdMemberDoc {
    EtcdMemberDoc {
        name: name.to_owned(),
        id: Some("8e9e05c52164694d".to_owned()),
        endpoint: format!("http://{host}:2379"),
        state: state.to_owned(),
        raft_term: Some(4),
        raft_index: Some(18_231),
        raft_applied_index: Some(18_231),
        behind_entries: Some(0),
        db_size_bytes: Some(5_452_595),
        db_in_use_bytes: Some(1_204_224),
        quota_bytes: Some(2 << 30),
        fsync_p99_ms: Some(7.9),
        commit_p99_ms: Some(15.2),
        leader_changes_total: Some(3),
        proposals_pending: Some(0),
        proposals_failed_total: Some(0),
        slow_applies_total: Some(1),
        metrics_age_ms: Some(4_000),
        version: Some("3.4.23".to_owned()),
        alarms: Vec::new(),
        errors: Vec::new(),
        asked: heard(900, 0.9),
    }
}

pub fn route(instance: &str, kind: RouteKind, up: &[&str], sessions: u32) -> RouteDoc {
    let names = ["psg1", "psg2", "psg3"];
    RouteDoc {
        instance: instance.to_owned(),
        backend: format!("postgres_{kind}"),
        kind,
        right: Some(true),
        up: up.iter().map(|n| (*n).to_owned()).collect(),
        servers: names
            .iter()
            .map(|name| RouteServerDoc {
                name: (*name).to_owned(),
                member: Some((*name).to_owned()),
                status: if up.contains(name) { "UP" } else { "DOWN" }.to_owned(),
                up: up.contains(name),
                check: Some(if up.contains(name) { "L7OK/200 in 5 ms" } else { "L7STS/503 in 4 ms" }.to_owned()),
                sessions: Some(if up.contains(name) { sessions } else { 0 }),
                last_change_seconds: Some(187_000),
            })
            .collect(),
        sessions: Some(sessions),
        asked: heard(1200, 1.5),
    }
}

pub fn source(name: &str, target: &str) -> SourceDoc {
    SourceDoc {
        name: name.to_owned(),
        target: target.to_owned(),
        age_ms: Some(500),
        fresh: true,
        limit_ms: 5000,
        error: None,
        error_kind: None,
        rtt_ms: Some(1.4),
    }
}

/// What a node tells of itself.
pub fn node(name: &str) -> NodeDoc {
    let disk = |kind, path: &str| PlaceDoc {
        kind,
        path: Some(path.to_owned()),
        error: None,
        device: Some(65_024),
        mount: Some("/pg".to_owned()),
        size_bytes: Some(200 << 30),
        free_bytes: Some(24 << 30),
        available_bytes: Some(14 << 30),
        available_share: Some(0.074),
        inodes: Some(13_107_200),
        inodes_free: Some(12_900_000),
        filling_bytes_per_second: Some(1_500_000.0),
        full_in_seconds: Some(10_021),
        filling_watched_seconds: Some(3600),
    };
    let unknown = PlaceDoc {
        error: Some("/var/lib/etcd: Permission denied".to_owned()),
        device: None,
        mount: None,
        size_bytes: None,
        available_bytes: None,
        ..disk(PlaceKind::Etcd, "/var/lib/etcd")
    };
    NodeDoc {
        name: name.to_owned(),
        asked: heard(4_000, 61.0),
        places: vec![disk(PlaceKind::Data, "/pg/15/main"), disk(PlaceKind::Wal, "/pg/15/main/pg_wal"), unknown],
        load_1: Some(3.9),
        load_5: Some(2.1),
        load_15: Some(0.7),
        cpus: Some(8),
        memory_bytes: Some(64 << 30),
        memory_available_bytes: Some(20 << 30),
        swap_used_bytes: Some(0),
        oom_kills_total: Some(2),
        boot: Some("57ce6eb4-85be-4ad6-8ad9-d52db9e0a74f".to_owned()),
        uptime_seconds: Some(40 * 86_400),
        clock_skew_ms: Some(12.0),
        clock_skew_within_ms: Some(30.5),
        clock_synchronized: Some(true),
        units: Some(vec![unit("etcd.service", "active", "running"), unit("patroni.service", "failed", "failed")]),
        logins: Some(vec![LoginDoc {
            user: "alice".to_owned(),
            terminal: "pts/0".to_owned(),
            from: Some("10.20.0.77".to_owned()),
            since: "2026-11-24 02:58".to_owned(),
        }]),
    }
}

fn unit(name: &str, state: &str, sub: &str) -> UnitDoc {
    let failed = state == "failed";
    UnitDoc {
        name: name.to_owned(),
        state: state.to_owned(),
        sub: sub.to_owned(),
        result: if failed { "exit-code" } else { "success" }.to_owned(),
        changed_seconds_ago: Some(600),
        restarts: Some(if failed { 5 } else { 0 }),
    }
}

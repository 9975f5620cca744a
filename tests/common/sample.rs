//! Documents as a cluster of the project's own kind gives them, in health and in trouble.

// Each of those who include this file needs a part of it.
#![allow(dead_code)]

use pgbaton::document::*;
use pgbaton::model::{Lsn, Time};

/// 2026-11-24 03:12:44 UTC.
pub const NOW: i64 = 1_795_489_964;

pub fn at(seconds: i64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

fn heard(age_ms: u64, rtt_ms: f64) -> Asked {
    Asked { age_ms: Some(age_ms), fresh: true, error: None, rtt_ms: Some(rtt_ms) }
}

fn lost(age_ms: Option<u64>, error: &str) -> Asked {
    Asked { age_ms, fresh: false, error: Some(error.to_owned()), rtt_ms: Some(2.0) }
}

fn truth(source: &str, leaders: &[&str], agrees: Option<bool>) -> Truth {
    let leaders = leaders.iter().map(|l| (*l).to_owned()).collect();
    Truth { source: source.to_owned(), leaders, agrees, age_ms: Some(600), note: None }
}

fn finding(code: &str, severity: Level, subject: Option<&str>, sentence: &str, since: i64) -> FindingDoc {
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
        matters: "A sentence that says what the next fault would do, and whom it would hurt.".to_owned(),
        next: vec!["Look at the log of the member.".to_owned(), "Wait for one loop of Patroni's, then look again.".to_owned()],
    }
}

fn questions(leads: bool) -> Vec<QuestionDoc> {
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

fn reason(code: &str, short: &str, sentence: &str) -> ReasonDoc {
    ReasonDoc { code: code.to_owned(), stage: "race".to_owned(), short: short.to_owned(), sentence: sentence.to_owned() }
}

fn forecast(leader: Option<&str>, next: &[&str], sentence: &str) -> ForecastDoc {
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
fn nobody(doc: &mut Document, why: ReasonDoc, sentence: &str) {
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
        tags: serde_json::Map::new(),
        patroni_version: Some("4.1.5".to_owned()),
        postgres_version: Some("15.18".to_owned()),
        system_identifier: Some("7575101238011224017".to_owned()),
        postmaster_start: Some(at(NOW - 300_000)),
        clock_skew_ms: Some(4.0),
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

fn slot(name: &str, kind: &str, active: bool, retained: u64) -> SlotDoc {
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

fn leader(name: &str, host: &str) -> MemberDoc {
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

fn etcd(name: &str, host: &str, state: &str) -> EtcdMemberDoc {
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

fn route(instance: &str, kind: RouteKind, up: &[&str], sessions: u32) -> RouteDoc {
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

fn source(name: &str, target: &str) -> SourceDoc {
    SourceDoc {
        name: name.to_owned(),
        target: target.to_owned(),
        age_ms: Some(500),
        fresh: true,
        limit_ms: 5000,
        error: None,
        rtt_ms: Some(1.4),
    }
}

/// All is well.
pub fn healthy() -> Document {
    let truths = ["etcd", "rest", "sql", "haproxy"].map(|name| truth(name, &["psg1"], Some(true)));
    Document {
        schema: SCHEMA.to_owned(),
        at: at(NOW),
        headline: Headline { level: Level::Ok, leads: "psg1 leads".to_owned(), verdict: "healthy".to_owned() },
        cluster: ClusterDoc {
            name: "card-prod".to_owned(),
            scope: "card-prod".to_owned(),
            namespace: "/service/".to_owned(),
            system_identifier: Some("7575101238011224017".to_owned()),
            leader: Some("psg1".to_owned()),
            leader_since: Some(at(NOW - 3 * 86_400 - 4 * 3600)),
            leaderless_since: None,
            timeline: Some(7),
            paused: Some(false),
            lease_ttl_seconds: Some(27.0),
            lease_age_ms: Some(300),
            lease_renewed: Some(at(NOW - 3)),
            ttl: Some(30),
            loop_wait: Some(10),
            retry_timeout: Some(10),
            maximum_lag_on_failover: Some(1_048_576),
            synchronous_mode: Some("on".to_owned()),
            failsafe_mode: Some(false),
            sync_standbys: vec!["psg2".to_owned()],
            scheduled_switchover: None,
            postgres_version: Some("15.18".to_owned()),
            truths: truths.into(),
            dcs_revision: Some(20_114),
            dcs_age_ms: Some(300),
            dcs_linearizable: Some(true),
            dcs_error: None,
        },
        members: vec![
            leader("psg1", "10.20.0.8"),
            replica("psg2", "10.20.0.9", Role::SyncStandby, 24_576),
            MemberDoc {
                can_take_over: Some(false),
                cannot_because: vec![reason("not-sync", "is not in the synchronous set", "it is not in the synchronous set")],
                ..replica("psg3", "10.20.0.10", Role::Replica, 0)
            },
        ],
        etcd: EtcdDoc {
            quorum: Some(true),
            size: Some(3),
            healthy: 3,
            failure_tolerance: Some(1),
            leader: Some("psg2".to_owned()),
            members: vec![
                etcd("psg1", "10.20.0.8", "follower"),
                etcd("psg2", "10.20.0.9", "leader"),
                etcd("psg3", "10.20.0.10", "follower"),
            ],
        },
        routes: vec![
            route("vm1", RouteKind::Write, &["psg1"], 28),
            route("vm1", RouteKind::Read, &["psg2", "psg3"], 4),
            route("vm4", RouteKind::Write, &["psg1"], 13),
            route("vm4", RouteKind::Read, &["psg2", "psg3"], 0),
        ],
        forecast: forecast(Some("psg1"), &["psg2"], "psg2, no acknowledged commit lost"),
        findings: Vec::new(),
        history: vec![
            TimelineDoc { timeline: 6, at: None, leader: None, lsn: Lsn(0x500_0148), watched: false },
            TimelineDoc {
                timeline: 7,
                at: Some(at(NOW - 3 * 86_400 - 4 * 3600)),
                leader: Some("psg1".to_owned()),
                lsn: Lsn(0x5A0_0148),
                watched: false,
            },
        ],
        certificates: vec![CertificateDoc {
            source: "rest".to_owned(),
            target: "psg3".to_owned(),
            ours: false,
            subject: "CN=psg3".to_owned(),
            issuer: "CN=Example CA".to_owned(),
            not_after: at(NOW + 90 * 86_400),
            days_left: 90,
            age_ms: Some(20_000),
        }],
        sources: vec![
            source("dcs", "card-prod"),
            source("rest", "psg1"),
            source("sql", "psg1"),
            source("haproxy", "vm1"),
            source("haproxy", "vm4"),
        ],
    }
}

/// The leader's node has died and nobody has taken over yet.
pub fn no_leader() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Critical,
        leads: "nobody leads".to_owned(),
        verdict: "nobody leads for 4 s: psg1's lease ran out and no replica has taken the leader key; clients cannot write (and 3 more)"
            .to_owned(),
    };
    doc.forecast = forecast(None, &["psg2"], "psg2 takes over");
    doc.cluster.leader = None;
    doc.cluster.leader_since = None;
    doc.cluster.leaderless_since = Some(at(NOW - 4));
    doc.cluster.timeline = None;
    doc.cluster.lease_ttl_seconds = None;
    doc.cluster.truths = vec![truth("etcd", &[], None), truth("rest", &[], None), truth("sql", &[], None), truth("haproxy", &[], None)];
    let dead = &mut doc.members[0];
    dead.role = Role::Unknown;
    dead.can_take_over = Some(false);
    dead.cannot_because = vec![reason("missing", "is missing", "its key in etcd is gone")];
    dead.state = None;
    dead.state_since = None;
    dead.present = false;
    dead.missing_since = Some(at(NOW - 4));
    dead.last_known = Some("primary, running 34 s ago".to_owned());
    dead.timeline = None;
    dead.lsn = None;
    dead.sessions = None;
    dead.rest = lost(Some(34_000), "connection refused by 10.20.0.8:8008");
    dead.sql = lost(Some(34_500), "connection refused by 10.20.0.8:5432");
    for member in &mut doc.members[1..] {
        member.role = Role::Replica;
        member.receive_lag_bytes = None;
        member.replay_lag_bytes = None;
        member.replay_lag_seconds = None;
        member.state = Some("in archive recovery".to_owned());
    }
    doc.etcd.healthy = 2;
    doc.etcd.failure_tolerance = Some(0);
    doc.etcd.members[0].state = "unreachable".to_owned();
    doc.etcd.members[0].asked = lost(Some(33_000), "connection refused by 10.20.0.8:2379");
    for route in &mut doc.routes {
        route.up.retain(|n| n != "psg1");
        route.right = Some(route.kind == RouteKind::Read);
        route.servers[0].status = "DOWN".to_owned();
    }
    doc.findings = vec![
        finding(
            "no-leader",
            Level::Critical,
            None,
            "nobody leads for 4 s: psg1's lease ran out and no replica has taken the leader key; clients cannot write",
            NOW - 4,
        ),
        finding(
            "route-none",
            Level::Critical,
            Some("vm1 postgres_write"),
            "vm1 sends writes to nobody: none of its servers is UP",
            NOW - 29,
        ),
        finding("quorum-at-risk", Level::Warning, None, "etcd has 2 of 3 members: it cannot lose another one", NOW - 33),
        finding(
            "member-missing",
            Level::Warning,
            Some("psg1"),
            "psg1 is missing: its key in etcd went 4 s ago, it was primary and running 34 s ago",
            NOW - 4,
        ),
    ];
    doc
}

/// Two of three etcd members are gone.
pub fn quorum_lost() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Critical,
        leads: "leader unknown, it was psg1".to_owned(),
        verdict: "etcd has lost its quorum: 1 of 3 members answers; the leader will step down when its lease ends".to_owned(),
    };
    doc.cluster.truths = vec![
        truth("etcd", &["psg1"], None),
        truth("rest", &["psg1"], None),
        truth("sql", &["psg1"], None),
        truth("haproxy", &["psg1"], None),
    ];
    doc.cluster.lease_age_ms = Some(17_000);
    doc.cluster.lease_ttl_seconds = Some(9.0);
    doc.cluster.dcs_age_ms = Some(17_000);
    doc.cluster.dcs_linearizable = Some(false);
    doc.cluster.dcs_error = Some("etcdserver: no leader".to_owned());
    let why = "cannot take the key without etcd's quorum";
    nobody(&mut doc, reason("no-quorum", why, &format!("it {why}")), "nobody can take over: etcd has no quorum");
    doc.etcd.quorum = Some(false);
    doc.etcd.healthy = 1;
    doc.etcd.failure_tolerance = Some(0);
    doc.etcd.leader = None;
    for member in &mut doc.etcd.members[..2] {
        member.state = "unreachable".to_owned();
        member.asked = lost(Some(16_000), "no answer within 2 s");
    }
    doc.etcd.members[2].state = "no leader".to_owned();
    doc.findings = vec![finding(
        "quorum-lost",
        Level::Critical,
        None,
        "etcd has lost its quorum: 1 of 3 members answers; the leader will step down when its lease ends",
        NOW - 16,
    )];
    doc
}

/// One replica is far behind, a setting waits for a restart.
pub fn lagging() -> Document {
    let mut doc = healthy();
    doc.headline = Headline {
        level: Level::Warning,
        leads: "psg1 leads".to_owned(),
        verdict: "psg3 is 64 MB behind (12 s): over the limit for a failover (and 1 more)".to_owned(),
    };
    let late = &mut doc.members[2];
    late.replay_lag_bytes = Some(67_108_864);
    late.replay_lag_seconds = Some(12.4);
    late.receive_lag_bytes = Some(712_000);
    late.replay_paused = Some(true);
    doc.members[1].pending_restart = Some(true);
    doc.members[1].pending_restart_reason =
        vec![PendingSetting { parameter: "max_connections".to_owned(), old: Some("100".to_owned()), new: Some("200".to_owned()) }];
    doc.findings = vec![
        finding("lag-high", Level::Warning, Some("psg3"), "psg3 is 64 MB behind (12 s): over the limit for a failover", NOW - 75),
        finding("pending-restart", Level::Warning, Some("psg2"), "psg2 waits for a restart: max_connections 100 -> 200", NOW - 7200),
    ];
    doc
}

/// Maintenance mode.
pub fn paused() -> Document {
    let mut doc = healthy();
    doc.cluster.paused = Some(true);
    let why = "waits for the end of the pause";
    nobody(&mut doc, reason("paused", why, &format!("it {why}")), "nobody can take over: the cluster is paused");
    doc.headline = Headline {
        level: Level::Warning,
        leads: "psg1 leads".to_owned(),
        verdict: "paused: Patroni will not act on its own; nobody takes over if psg1 dies".to_owned(),
    };
    for member in &mut doc.members {
        member.paused = Some(true);
    }
    doc.findings =
        vec![finding("paused", Level::Warning, None, "paused: Patroni will not act on its own; nobody takes over if psg1 dies", NOW - 900)];
    doc
}

/// Two members are frozen: they are there, but nothing they say is current.
pub fn stale() -> Document {
    let mut doc = healthy();
    doc.headline =
        Headline { level: Level::Warning, leads: "psg1 leads".to_owned(), verdict: "psg2's REST API gives no answer for 47 s".to_owned() };
    let frozen = &mut doc.members[1];
    frozen.state = None;
    frozen.can_take_over = None;
    frozen.cannot_because = vec![reason("silent", "does not answer", "its Patroni does not answer us: no answer within 2 s")];
    frozen.state_since = None;
    frozen.last_known = Some("replica, streaming 47 s ago".to_owned());
    frozen.timeline = None;
    frozen.rest = lost(Some(47_000), "no answer within 2 s");
    frozen.sql = Asked { age_ms: Some(47_000), fresh: false, error: None, rtt_ms: Some(1.0) };
    frozen.receive_lag_bytes = None;
    frozen.replay_lag_bytes = None;
    frozen.replay_lag_seconds = None;
    doc.routes[2].asked = lost(Some(30_000), "connection refused by 10.20.0.4:7000");
    doc.routes[2].right = None;
    doc.routes[3].asked = lost(Some(30_000), "connection refused by 10.20.0.4:7000");
    doc.routes[3].right = None;
    doc.cluster.truths[3].agrees = None;
    doc.findings = vec![
        finding("source-stale", Level::Warning, Some("rest psg2"), "psg2's REST API gives no answer for 47 s", NOW - 47),
        finding(
            "source-stale",
            Level::Warning,
            Some("haproxy vm4"),
            "HAProxy vm4 gives no answer: connection refused by 10.20.0.4:7000",
            NOW - 30,
        ),
    ];
    doc
}

/// A big cluster with long names.
pub fn twelve() -> Document {
    let mut doc = healthy();
    doc.members = (1..=12)
        .map(|n| {
            let name = format!("card-prod-postgres-{n:02}");
            let host = format!("10.20.1.{n}");
            if n == 4 {
                leader(&name, &host)
            } else {
                replica(&name, &host, if n < 4 { Role::SyncStandby } else { Role::Replica }, 1500 * n * n * n)
            }
        })
        .collect();
    doc.cluster.leader = Some("card-prod-postgres-04".to_owned());
    doc.headline.leads = "card-prod-postgres-04 leads".to_owned();
    for route in &mut doc.routes {
        route.up = if route.kind == RouteKind::Write {
            vec!["card-prod-postgres-04".to_owned()]
        } else {
            vec!["card-prod-postgres-01".to_owned(), "card-prod-postgres-02".to_owned()]
        };
    }
    doc
}

/// The first moment: nobody has answered.
pub fn nothing() -> Document {
    let mut doc = healthy();
    doc.headline = Headline { level: Level::Unknown, leads: "leader unknown".to_owned(), verdict: "asking etcd".to_owned() };
    doc.forecast = ForecastDoc { outcome: "unknown".to_owned(), ..forecast(None, &[], "not known") };
    doc.cluster = ClusterDoc {
        system_identifier: None,
        leader: None,
        leader_since: None,
        timeline: None,
        paused: None,
        lease_ttl_seconds: None,
        lease_age_ms: None,
        ttl: None,
        loop_wait: None,
        retry_timeout: None,
        maximum_lag_on_failover: None,
        synchronous_mode: None,
        failsafe_mode: None,
        sync_standbys: Vec::new(),
        postgres_version: None,
        truths: Vec::new(),
        dcs_revision: None,
        dcs_age_ms: None,
        dcs_linearizable: None,
        ..doc.cluster
    };
    doc.members.clear();
    doc.etcd = EtcdDoc { quorum: None, size: None, healthy: 0, failure_tolerance: None, leader: None, members: Vec::new() };
    doc.routes.clear();
    doc.sources.clear();
    doc
}

/// Every sample, by name.
pub fn all() -> Vec<(&'static str, Document)> {
    vec![
        ("healthy", healthy()),
        ("no-leader", no_leader()),
        ("quorum-lost", quorum_lost()),
        ("lagging", lagging()),
        ("paused", paused()),
        ("stale", stale()),
        ("twelve", twelve()),
        ("nothing", nothing()),
    ]
}

/// Ten minutes that end with this document, one document for each second, so that the lag has a history.
pub fn history_to(last: &Document, seconds: i64) -> Vec<Document> {
    let last_second = last.at.as_micros() / 1_000_000;
    let mut documents: Vec<Document> = (1..seconds)
        .rev()
        .map(|back| {
            let mut doc = last.clone();
            doc.at = Time::from_micros((last_second - back) * 1_000_000);
            for (n, member) in doc.members.iter_mut().enumerate() {
                let phase = back + 37 * n as i64;
                let wave = (phase % 90 - 45).unsigned_abs() * 700;
                let peak = if phase % 210 < 12 { 600_000 + 40_000 * (phase % 12).unsigned_abs() } else { 0 };
                let grown = member
                    .replay_lag_bytes
                    .filter(|lag| *lag > 1_000_000)
                    .map_or(0, |lag| if back < 75 { lag * (75 - back).unsigned_abs() / 75 } else { 0 });
                // A gap: two minutes in which nobody said anything of the third member.
                let known = !(n == 2 && (260..340).contains(&back));
                member.replay_lag_bytes = known.then_some(if phase % 3 == 0 { 0 } else { wave } + peak + grown);
            }
            doc
        })
        .collect();
    documents.push(last.clone());
    documents
}

//! `status --json` and `check` against the tools that come with what they read: patronictl, etcdctl, psql.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
}

use std::time::Duration;

use common::lab::{TestLab, member, pgbaton, said, until};
use pgbaton::document::{Document, Level, Role, RouteKind, SCHEMA};
use pgbaton::model::Lsn;
use rustix::process::Signal;
use serde_json::Value;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// One lab for all: what breaks it stands last.
#[test]
fn status_and_check_agree_with_the_tools() {
    let lab = TestLab::up("proof-status", &["--ttl", "20", "--loop-wait", "5"]);
    healthy_is_healthy(&lab);
    etcd_is_as_etcdctl_says(&lab);
    replication_is_as_postgres_says(&lab);
    at_rest_every_column_is_patronictls(&lab);
    lag_is_exact_in_bytes(&lab);
    lab.heal();
    check_exits(&lab, 0, "OK");
    quiet_exits(&lab, 0, "GO");
    nobody_can_be_asked(&lab);
    nobody_leads(&lab);
    every_etcd_is_gone(&lab);
}

fn check_exits(lab: &TestLab, code: i32, word: &str) {
    let out = lab.pgbaton(&["check"]).output().unwrap();
    assert_eq!(out.status.code(), Some(code), "{}", said(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.starts_with(&format!("{word}: {}", lab.scope())) && text.lines().count() == 1, "{text}");
}

/// Of a cluster without an Airflow.
fn quiet_exits(lab: &TestLab, code: i32, word: &str) {
    let out = lab.pgbaton(&["quiet"]).output().unwrap();
    assert_eq!(out.status.code(), Some(code), "{}", said(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.starts_with(&format!("{word}: {}\n", lab.scope())), "{text}");
    assert!(text.contains("no Airflow is configured: the cluster alone was looked at"), "{text}");
}

fn healthy_is_healthy(lab: &TestLab) {
    let document = lab.status();
    let leader = lab.leader();
    assert_eq!((document.schema.as_str(), document.cluster.scope.as_str()), (SCHEMA, lab.scope()));
    assert_eq!(document.cluster.leader.as_deref(), Some(leader.as_str()));
    assert_eq!((document.headline.level, document.findings.len()), (Level::Ok, 0), "{:#?}", document.findings);
    assert_eq!((document.cluster.paused, document.cluster.ttl, document.cluster.loop_wait), (Some(false), Some(20), Some(5)));
    let lease = document.cluster.lease_ttl_seconds.expect("the lease is known");
    assert!(lease > 0.0 && lease <= 20.0, "{lease}");
    let system = lab.sql(&leader, "SELECT system_identifier FROM pg_control_system()");
    assert_eq!(document.cluster.system_identifier.as_deref(), Some(system.as_str()));
    for source in &document.sources {
        assert!(source.fresh && source.error.is_none() && source.age_ms.is_some_and(|age| age < source.limit_ms), "{source:?}");
    }
    // dcs, lease, three of each of etcd, rest and sql, two HAProxies.
    assert_eq!(document.sources.len(), 13, "{:#?}", document.sources);
    assert!(
        document.cluster.truths.iter().all(|t| t.agrees == Some(true) && t.leaders == [leader.clone()]),
        "{:?}",
        document.cluster.truths
    );
    assert_eq!(document.routes.len(), 4);
    for route in &document.routes {
        let expected = if route.kind == RouteKind::Write { vec![leader.clone()] } else { lab.replicas() };
        let mut up = route.up.clone();
        up.sort();
        assert_eq!((up, route.right), (expected, Some(true)), "{} {}", route.instance, route.backend);
    }
    check_exits(lab, 0, "OK");
}

/// Whether a value lies between two readings of one that never goes back.
fn between(what: &str, low: &Value, ours: Option<u64>, high: &Value) {
    let ours = ours.unwrap_or_else(|| panic!("{what} is not known"));
    let (low, high) = (low.as_u64().unwrap(), high.as_u64().unwrap());
    assert!(low <= ours && ours <= high, "{what}: {ours} is not in {low}..={high}");
}

fn etcd_is_as_etcdctl_says(lab: &TestLab) {
    let ask = || lab.tool_json("etcdctl", &["endpoint", "status", "-w", "json"]);
    let (before, document, after) = (ask(), lab.status(), ask());
    let names = lab.tool_json("etcdctl", &["member", "list", "-w", "json"]);
    let name_of = |id: &Value| {
        let known = names["members"].as_array().unwrap().iter().find(|m| m["ID"] == *id).unwrap();
        known["name"].as_str().unwrap().to_owned()
    };
    let etcd = &document.etcd;
    assert_eq!((etcd.quorum, etcd.size, etcd.healthy, etcd.failure_tolerance), (Some(true), Some(3), 3, Some(1)));
    assert_eq!(etcd.members.len(), 3);
    for (before, after) in before.as_array().unwrap().iter().zip(after.as_array().unwrap()) {
        let endpoint = before["Endpoint"].as_str().unwrap();
        let ours = etcd.members.iter().find(|m| m.endpoint == endpoint).unwrap_or_else(|| panic!("no {endpoint}"));
        let (low, high) = (&before["Status"], &after["Status"]);
        let id = &low["header"]["member_id"];
        assert_eq!(ours.name, name_of(id));
        assert_eq!(ours.id, Some(format!("{:x}", id.as_u64().unwrap())));
        assert_eq!(ours.state, if low["leader"] == *id { "leader" } else { "follower" });
        assert_eq!(ours.version.as_deref(), low["version"].as_str());
        assert_eq!(ours.raft_term, low["raftTerm"].as_u64());
        between("raft index", &low["raftIndex"], ours.raft_index, &high["raftIndex"]);
        between("raft applied index", &low["raftAppliedIndex"], ours.raft_applied_index, &high["raftAppliedIndex"]);
        between("database size", &low["dbSize"], ours.db_size_bytes, &high["dbSize"]);
        between("database in use", &low["dbSizeInUse"], ours.db_in_use_bytes, &high["dbSizeInUse"]);
        assert!(ours.alarms.is_empty() && ours.errors.is_empty() && ours.asked.fresh);
    }
    let leads = before.as_array().unwrap().iter().map(|e| &e["Status"]["leader"]).next().unwrap();
    assert_eq!(etcd.leader, Some(name_of(leads)));
}

/// Positions as numbers, so that two readings can be compared.
const REPLICATION: &str = "SELECT json_build_object(
    'current', pg_current_wal_lsn() - '0/0', 'timeline', (SELECT timeline_id FROM pg_control_checkpoint()),
    'rows', (SELECT json_object_agg(application_name, json_build_object('state', state, 'sync_state', sync_state,
        'flush', flush_lsn - '0/0', 'replay', replay_lsn - '0/0', 'behind', pg_current_wal_lsn() - replay_lsn,
        'unflushed', pg_current_wal_lsn() - flush_lsn, 'seconds', extract(epoch FROM replay_lag))) FROM pg_stat_replication))";

fn replication_is_as_postgres_says(lab: &TestLab) {
    let leader = lab.leader();
    let ask = || lab.sql_json(&leader, REPLICATION);
    let (before, document, after) = (ask(), lab.status(), ask());
    let leads = member(&document, &leader);
    between("the leader's position", &before["current"], leads.lsn.map(|l| l.0), &after["current"]);
    assert_eq!((leads.in_recovery, leads.role), (Some(false), Role::Leader));
    assert_eq!(leads.timeline.map(u64::from), before["timeline"].as_u64());
    assert_eq!((leads.receive_lag_bytes, leads.replay_lag_bytes, leads.replay_lag_seconds), (None, None, None), "a leader has no lag");
    for name in lab.replicas() {
        let (low, high, ours) = (&before["rows"][&name], &after["rows"][&name], member(&document, &name));
        assert_eq!(ours.replication_state.as_deref(), low["state"].as_str());
        assert_eq!(ours.sync_state.as_deref(), low["sync_state"].as_str());
        // What the replica says of itself is newer than what the leader knows of it, and never ahead of the leader.
        between("received", &low["flush"], ours.receive_lsn.map(|l| l.0), &after["current"]);
        between("replayed", &low["replay"], ours.replay_lsn.map(|l| l.0), &after["current"]);
        let most = high["replay"].as_u64().unwrap().max(after["current"].as_u64().unwrap()) - low["replay"].as_u64().unwrap();
        for lag in [ours.receive_lag_bytes, ours.replay_lag_bytes] {
            assert!(lag.expect("the lag is known") <= most, "{ours:?}");
        }
        assert_eq!((ours.lag_source.as_deref(), ours.upstream.as_deref()), (Some("sql"), Some(leader.as_str())));
        assert_eq!((ours.in_recovery, ours.replay_paused), (Some(true), Some(false)));
        let started = lab.sql(&name, "SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::int8");
        assert_eq!(ours.postmaster_start.map(|t| t.as_micros().to_string()), Some(started));
    }
}

/// Stops the client that writes, so that positions come to rest; `heal` wakes it.
fn stop_writing(lab: &TestLab) {
    let client = pgbaton::lab::process::running(lab.layout(), pgbaton::lab::conf::LEDGER).expect("the ledger's client runs");
    client.signal(Signal::STOP).unwrap();
}

fn patronictl(lab: &TestLab) -> Vec<Value> {
    lab.tool_json("patronictl", &["list", "-e", "-f", "json"]).as_array().unwrap().clone()
}

/// patronictl shows what Patroni wrote into etcd in its last loop: when nothing moves any more, that is what holds.
fn at_rest_every_column_is_patronictls(lab: &TestLab) {
    stop_writing(lab);
    let leader = lab.leader();
    let current = || lab.sql(&leader, "SELECT pg_current_wal_lsn()");
    let (theirs, document) = until("a moment at which nothing moves", PATIENCE, || {
        let (at, theirs) = (current(), patronictl(lab));
        let caught_up = theirs.iter().all(|m| m["Role"] == "Leader" || m["Replay LSN"] == at.as_str() && m["Receive LSN"] == at.as_str());
        let document = lab.status();
        if caught_up && current() == at { Ok((theirs, document)) } else { Err(format!("at {at}: {theirs:?}")) }
    });
    assert_eq!(theirs.len(), document.members.len());
    for row in &theirs {
        compare_with_patronictl(&document, row);
    }
    for ours in document.members.iter().filter(|m| m.name != leader) {
        assert_eq!(
            (ours.receive_lag_bytes, ours.replay_lag_bytes, ours.replay_lag_seconds),
            (Some(0), Some(0), Some(0.0)),
            "{}",
            ours.name
        );
    }
}

/// One row of `patronictl list -e`; its lags are rounded to MB.
fn compare_with_patronictl(document: &Document, row: &Value) {
    let text = |column: &str| row[column].as_str().map(str::to_owned);
    let ours = member(document, row["Member"].as_str().unwrap());
    assert_eq!(Some(document.cluster.scope.clone()), text("Cluster"));
    assert_eq!(ours.host, text("Host"));
    let role = match ours.role {
        Role::Leader => "Leader",
        Role::Replica => "Replica",
        other => panic!("{}: {other}", ours.name),
    };
    assert_eq!(Some(role), row["Role"].as_str(), "{}", ours.name);
    assert_eq!(ours.state, text("State"), "{}", ours.name);
    assert_eq!(ours.timeline.map(u64::from), row["TL"].as_u64(), "{}", ours.name);
    assert_eq!(ours.receive_lsn.map(|l| l.to_string()), text("Receive LSN"), "{}", ours.name);
    assert_eq!(ours.replay_lsn.map(|l| l.to_string()), text("Replay LSN"), "{}", ours.name);
    let megabytes = |bytes: Option<u64>| bytes.map(|b| (b as f64 / 1_048_576.0).round() as u64);
    assert_eq!(megabytes(ours.receive_lag_bytes), row["Receive Lag"].as_u64(), "{}", ours.name);
    assert_eq!(megabytes(ours.replay_lag_bytes), row["Replay Lag"].as_u64(), "{}", ours.name);
    assert_eq!((ours.pending_restart, row.get("Pending restart")), (Some(false), None));
    assert!(ours.tags.is_empty() && row.get("Tags").is_none());
}

/// Replay stands still on one replica while the leader writes on.
fn lag_is_exact_in_bytes(lab: &TestLab) {
    lab.heal();
    let leader = lab.leader();
    let [behind, other] = <[String; 2]>::try_from(lab.replicas()).unwrap();
    lab.fault(&["pause-replay", &behind]);
    lab.fault(&["wal-burst", "--mb", "48"]);
    stop_writing(lab);
    let ask = || lab.sql_json(&leader, REPLICATION);
    let (row, low, document, high) = until("a moment at which nothing is written", PATIENCE, || {
        let (before, document, after) = (ask(), lab.status(), ask());
        let rows = |of: &Value| of["rows"][&behind].clone();
        let still = before["current"] == after["current"] && rows(&before)["flush"] == after["current"];
        let caught_up = after["rows"][&other]["behind"] == 0;
        if still && caught_up { Ok((rows(&after), rows(&before), document, rows(&after))) } else { Err(after.to_string()) }
    });
    let ours = member(&document, &behind);
    assert_eq!(ours.replay_lag_bytes, row["behind"].as_u64());
    assert!(ours.replay_lag_bytes.is_some_and(|bytes| bytes > 20 << 20), "{:?}: not rounded, and much", ours.replay_lag_bytes);
    assert_eq!(ours.receive_lag_bytes, Some(0), "it still receives");
    assert_eq!(ours.replay_lsn, row["replay"].as_u64().map(Lsn));
    assert_eq!(member(&document, &other).replay_lag_bytes, Some(0));
    // `replay_lag` stands still between two replies of the standby; what goes by since is added, up to the age of what it has replayed last.
    let newest: f64 =
        lab.sql(&behind, "SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())").parse().expect("seconds");
    let seconds = (low["seconds"].as_f64(), high["seconds"].as_f64());
    match (seconds, ours.replay_lag_seconds) {
        ((None, None), ours) => assert_eq!(ours, None),
        ((Some(low), Some(_)), Some(ours)) => assert!(low <= ours && ours <= newest, "{low} {ours} {newest}"),
        (seconds, ours) => panic!("pg_stat_replication says {seconds:?}, status says {ours:?}"),
    }
    let finding = document.findings.iter().find(|f| f.code == "lag-high").expect("the lag is a finding");
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some(behind.as_str())));
    check_exits(lab, 1, "WARNING");
    // patronictl sees the same once Patroni has written it down.
    let theirs = until("patronictl's view of the lag", PATIENCE, || {
        let row = patronictl(lab).into_iter().find(|m| m["Member"] == behind.as_str()).unwrap();
        if row["Receive LSN"] == ours.receive_lsn.unwrap().to_string().as_str() { Ok(row) } else { Err(row.to_string()) }
    });
    compare_with_patronictl(&lab.status(), &theirs);
}

/// Every Patroni frozen: the key expires, nobody takes it.
fn nobody_leads(lab: &TestLab) {
    let members = lab.layout().members();
    lab.fault(&[&["freeze-patroni"], members.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    until("the end of the leader key", PATIENCE, || match lab.leader() {
        none if none.is_empty() => Ok(()),
        some => Err(some),
    });
    check_exits(lab, 2, "CRITICAL");
    quiet_exits(lab, 3, "STOP");
    let document = lab.status();
    assert_eq!((document.cluster.leader.clone(), document.headline.leads.as_str()), (None, "nobody leads"));
    assert!(document.findings.iter().any(|f| f.code == "no-leader" && f.severity == Level::Critical), "{:#?}", document.findings);
    for ours in &document.members {
        assert!(!ours.rest.fresh && ours.rest.error.is_some() && ours.sql.fresh, "{ours:#?}");
        assert_eq!(ours.replay_lag_bytes, None, "behind whom, when nobody leads");
    }
}

/// etcd out of our reach: nothing is known, which is not the same as bad, nor as fine.
fn nobody_can_be_asked(lab: &TestLab) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("unreachable.toml");
    std::fs::write(&config, lab.config_text().replace(":2379", ":1")).unwrap();
    let run = |args: &[&str]| pgbaton().arg("-c").arg(&config).args(args).output().unwrap();
    let out = run(&["check"]);
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.starts_with("UNKNOWN: ") && text.contains("etcd cannot be read: ") && text.contains("connection refused"), "{text}");
    let out = run(&["status", "--json"]);
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    let document: Document = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document.headline.level, Level::Unknown, "{:?}", document.headline);
    assert!(document.members.is_empty() && document.cluster.leader.is_none() && document.etcd.quorum.is_none());
    assert!(document.sources.iter().filter(|s| s.name == "etcd").all(|s| s.error.as_ref().is_some_and(|e| e.contains("refused"))));
    // What does not need etcd goes on.
    assert!(document.routes.len() == 4 && document.routes.iter().all(|r| r.asked.fresh), "{:#?}", document.routes);
    let out = pgbaton().args(["-c", "/nonexistent/pgbaton.toml", "check"]).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", said(&out));
}

/// Every etcd gone: who leads is not known any more, but that nobody can write is, from the HAProxies.
fn every_etcd_is_gone(lab: &TestLab) {
    let members = lab.layout().members();
    lab.fault(&[&["stop-etcd"], members.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat());
    check_exits(lab, 2, "CRITICAL");
    let out = lab.pgbaton(&["status", "--json"]).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    let document: Document = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((document.headline.leads.as_str(), document.cluster.leader), ("leader unknown", None));
    assert!(document.findings.iter().any(|f| f.code == "route-none" && f.severity == Level::Critical), "{:#?}", document.findings);
    let unknown = document.findings.iter().filter(|f| matches!(f.code.as_str(), "quorum-lost" | "source-stale"));
    assert!(unknown.map(|f| f.severity).all(|level| level == Level::Unknown), "{:#?}", document.findings);
}

//! Each operation done, and its outcome by the word of etcdctl, psql and patronictl.

use std::fs;

use jiff::{Timestamp, ToSpan, Unit};
use serde_json::{Value, json};

use crate::bench::{Bench, PATIENCE};
use crate::lab::{said, until};

/// So many seconds from now, as a command takes it and as a key has it.
fn in_seconds(seconds: i64) -> String {
    (Timestamp::now().round(Unit::Second).unwrap() + seconds.seconds()).to_string()
}

/// Whether a key has this moment, in whatever way it is written.
fn same_moment(written: &Value, meant: &str) -> bool {
    let parse = |text: &str| text.parse::<Timestamp>().ok();
    written.as_str().and_then(parse).is_some_and(|at| Some(at) == parse(meant))
}

#[test]
fn a_switchover_and_a_failover_make_another_the_leader() {
    let b = Bench::take();
    let scope = b.scope();
    let (first, mut others) = (b.leader(), b.replicas());
    let (third, second) = (others.pop().unwrap(), others.pop().unwrap());
    let timeline = b.timeline(&first);

    let told = b.done(&["switchover", scope, "--leader", &first, "--candidate", &second]);
    b.assert_leads(&second, &first);
    assert_eq!(b.timeline(&second), timeline + 1);
    let sentence = format!("{second} leads and accepts writes");
    assert_eq!(told.sentence(), sentence);
    // It was watched to its end: each step has its time, in their order.
    let phases = told.outcome()["phases"].as_array().unwrap();
    let seconds: Vec<f64> = phases.iter().map(|phase| phase["seconds"].as_f64().unwrap_or_else(|| panic!("{phases:#?}"))).collect();
    assert_eq!(seconds.len(), 6);
    assert!(seconds.windows(2).all(|two| two[0] <= two[1]), "{phases:#?}");
    // Patroni's own history names the same one.
    let last = until("the history", PATIENCE, || {
        let history = b.key_json("history");
        let last = history.as_array().and_then(|lines| lines.last()).cloned().unwrap_or_default();
        if last[0] == timeline { Ok(last) } else { Err(history.to_string()) }
    });
    assert_eq!(last[4], second.as_str());
    let audit = b.command(&["audit"]).output().unwrap();
    let text = String::from_utf8_lossy(&audit.stdout);
    assert!(text.contains(&format!("switchover from {first} to {second}, by root")) && text.contains(&sentence), "{}", said(&audit));

    // Nobody is named: whoever etcd has afterwards is whom the outcome names.
    let told = b.done(&["switchover", scope]);
    let best = b.leader();
    assert_ne!(best, second);
    assert_eq!(told.sentence(), format!("{best} leads and accepts writes"));
    b.assert_leads(&best, &second);

    b.done(&["failover", scope, "--candidate", if best == third { &first } else { &third }]);
    b.assert_leads(if best == third { &first } else { &third }, &best);
}

#[test]
fn a_failover_without_a_leader_tells_the_loss_first() {
    let b = Bench::take();
    let scope = b.scope();
    let (leader, candidate) = (b.leader(), b.replicas().pop().unwrap());
    // Paused, so that nobody takes over on their own.
    b.done(&["pause", scope]);
    b.fault(&["kill-patroni", &leader]);
    b.fault(&["kill-postgres", &leader]);
    until("the end of the leader key", PATIENCE, || if b.leader().is_empty() { Ok(()) } else { Err(b.leader()) });
    let lines = b.audit().len();
    let failover = ["failover", scope, "--candidate", &candidate];
    let told = b.told(&[&failover[..], &["--yes"]].concat());
    // This pgbaton has not seen the leader alive, and guesses nothing.
    assert_eq!((told.code, told.sentence()), (Some(3), format!("{candidate} takes over: loss not known").as_str()), "{told:#?}");
    assert_eq!((b.audit().len(), b.leader()), (lines, String::new()));
    assert_eq!(told.plan()["confirm"]["type"], candidate.as_str());
    let told = b.done(&[&failover[..], &["--override", "loss"]].concat());
    assert_eq!(told.sentence(), format!("{candidate} leads and accepts writes"));
    assert_eq!((b.leader(), b.sql(&candidate, "SELECT pg_is_in_recovery()")), (candidate.clone(), "f".to_owned()));
    b.done(&["resume", scope]);
    b.heal();
    b.assert_leads(&candidate, &leader);
}

#[test]
fn what_is_scheduled_stands_in_etcd_is_taken_back_and_is_done_at_its_time() {
    let b = Bench::take();
    let scope = b.scope();
    let (leader, candidate) = (b.leader(), b.replicas().pop().unwrap());

    let later = in_seconds(3600);
    b.done(&["switchover", scope, "--candidate", &candidate, "--scheduled", &later]);
    let key = b.key_json("failover");
    assert_eq!((&key["leader"], &key["member"]), (&json!(leader), &json!(candidate)));
    assert!(same_moment(&key["scheduled_at"], &later), "{key}");
    assert!(b.tool("patronictl", &["list"]).contains("Switchover scheduled at"));
    b.done(&["flush", scope, "switchover"]);
    assert_eq!(b.key_json("failover").as_object().map_or(0, serde_json::Map::len), 0);

    b.done(&["restart", scope, &candidate, "--scheduled", &later]);
    let row = until("the restart in the member's key", PATIENCE, || {
        let row = b.listed(&candidate);
        if row["Scheduled restart"].as_str().is_some_and(|at| !at.is_empty()) { Ok(row) } else { Err(row.to_string()) }
    });
    assert!(row["Scheduled restart"].as_str().unwrap().contains(&later[..16]), "{row} at {later}");
    assert_eq!(b.listed(&leader)["Scheduled restart"].as_str().unwrap_or_default(), "");
    b.done(&["flush", scope, &candidate, "restart"]);
    until("the end of it in the member's key", PATIENCE, || {
        let key = b.key_json(&format!("members/{candidate}"));
        if key["scheduled_restart"].is_null() { Ok(()) } else { Err(key.to_string()) }
    });

    // Both are done when their time comes, and neither is asked for twice.
    let before = b.started(&candidate);
    b.done(&["restart", scope, &candidate, "--scheduled", &in_seconds(3)]);
    until("the restart", PATIENCE, || {
        let row = b.listed(&candidate);
        if row["State"] == "streaming" && b.started(&candidate) != before { Ok(()) } else { Err(row.to_string()) }
    });
    b.done(&["switchover", scope, "--candidate", &candidate, "--scheduled", &in_seconds(3)]);
    assert_eq!(b.leader(), leader, "scheduled is not done");
    until("the switchover", PATIENCE, || if b.leader() == candidate { Ok(()) } else { Err(b.leader()) });
    b.wait_listed(&candidate, "Leader", "running");
    b.wait_listed(&leader, "Replica", "streaming");
}

#[test]
fn a_restart_starts_whom_it_names_and_nobody_else() {
    let b = Bench::take();
    let scope = b.scope();
    let leader = b.leader();
    let replicas = b.replicas();
    let started = || [&leader, &replicas[0], &replicas[1]].map(|member| b.started(member));

    let before = started();
    b.done(&["restart", scope, &replicas[0]]);
    let after = started();
    assert_eq!([before[0] == after[0], before[1] == after[1], before[2] == after[2]], [true, false, true]);

    b.done(&["restart", scope, &leader, "--timeout", "60"]);
    assert_eq!(b.leader(), leader, "a restart is no switchover");
    let before = after;
    let after = started();
    assert_eq!([before[0] == after[0], before[1] == after[1], before[2] == after[2]], [false, true, true]);

    // Where it is not older, Patroni does not restart, and it is not called done.
    let told = b.told(&["restart", scope, &replicas[1], "--pg-version", "10.0", "--yes"]);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(3), &json!("REFUSED")), "{told:#?}");
    assert!(told.sentence().contains("restart conditions are not satisfied"), "{told:#?}");
    assert_eq!(b.audit().last().unwrap()["outcome"], "REFUSED");
    assert_eq!(started(), after);

    // One is pending everywhere, and is made where it was asked for.
    b.tool("patronictl", &["edit-config", scope, "--force", "-q", "-p", "max_locks_per_transaction=70"]);
    until("the pending restarts", PATIENCE, || {
        let rows = [&leader, &replicas[0], &replicas[1]].map(|member| b.listed(member));
        if rows.iter().all(|row| row["Pending restart"] == "*") { Ok(()) } else { Err(format!("{rows:?}")) }
    });
    let lines = b.audit().len();
    let told = b.told(&["restart", scope, "--role", "replica", "--pending", "--yes"]);
    assert_eq!(told.code, Some(0), "{told:#?}");
    assert_eq!(told.lines.iter().filter(|line| line["outcome"] == "DONE").count(), 2, "{told:#?}");
    assert_eq!(b.audit().len(), lines + 4);
    let before = after;
    let after = started();
    assert_eq!([before[0] == after[0], before[1] == after[1], before[2] == after[2]], [true, false, false]);
    for member in &replicas {
        assert_eq!(b.sql(member, "SHOW max_locks_per_transaction"), "70");
        b.wait_listed(member, "Replica", "streaming");
    }
    b.done(&["restart", scope, "--pending"]);
    assert_eq!(b.sql(&leader, "SHOW max_locks_per_transaction"), "70");
    assert_eq!(started()[1..], after[1..], "none of theirs was pending");
}

#[test]
fn a_pause_is_seen_by_every_member_and_ends() {
    let b = Bench::take();
    let scope = b.scope();
    b.done(&["pause", scope, "--reason", "the disks of psg3", "--remind", "2s"]);
    let why = b.audit().iter().rev().find_map(|line| line["sentence"].as_str().filter(|s| s.starts_with("pause")).map(str::to_owned));
    assert_eq!(why, Some(format!("pause of {scope} (maintenance mode): the disks of psg3")));
    assert_eq!(b.key_json("config")["pause"], true);
    assert!(b.tool("patronictl", &["list"]).contains("Maintenance mode: on"));
    for member in b.layout().members() {
        until("the pause in each member's key", PATIENCE, || {
            let key = b.key_json(&format!("members/{member}"));
            if key["pause"] == true { Ok(()) } else { Err(key.to_string()) }
        });
    }
    let begin = b.audit().into_iter().rfind(|line| line["event"] == "begin").unwrap();
    assert_eq!(begin["reason"], "the disks of psg3");
    let who = begin["who"]["user"].as_str().unwrap().to_owned();
    let findings = || -> Value {
        let out = b.command(&["status", scope, "--json"]).output().unwrap();
        serde_json::from_slice::<Value>(&out.stdout).unwrap()["findings"].take()
    };
    let told = until("the reminder", PATIENCE, || {
        let found = findings();
        found.as_array().unwrap().iter().find(|f| f["code"] == "pause-reminder").cloned().ok_or_else(|| found.to_string())
    });
    assert!(told["sentence"].as_str().is_some_and(|s| s.contains(&who) && s.ends_with(" ago: the disks of psg3")), "{told}");
    // Whoever ends it sees whose it is. This console has not seen it begin.
    let plan = b.command(&["resume", scope, "--dry-run"]).output().unwrap();
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(plan.contains("the cluster is paused; the last pause ordered from here: ") && plan.contains("the disks of psg3"), "{plan}");
    b.done(&["resume", scope]);
    let found = findings();
    assert!(found.as_array().unwrap().iter().all(|f| f["code"] != "pause-reminder"), "{found}");
    assert!(b.key_json("config")["pause"].is_null());
    assert!(!b.tool("patronictl", &["list"]).contains("Maintenance mode"));
}

#[test]
fn a_reload_has_the_file_read_and_a_reinit_copies_anew() {
    let b = Bench::take();
    let scope = b.scope();
    let member = b.replicas().pop().unwrap();
    let file = b.layout().node_dir(&member).join("patroni.yml");
    let text = fs::read_to_string(&file).unwrap();
    let loaded = || b.sql(&member, "SELECT pg_conf_load_time()");
    // A copy that takes some seconds can be seen.
    let slow = text.replace("  - checkpoint: fast\n", "  - checkpoint: fast\n  - max-rate: 8M\n");
    assert_ne!(slow, text);
    for (written, tag) in [(format!("{text}tags:\n  shelf: upper\n"), json!("upper")), (slow, Value::Null)] {
        let before = loaded();
        fs::write(&file, written).unwrap();
        b.done(&["reload", scope, &member]);
        until("the tag in the member's key", PATIENCE, || {
            let key = b.key_json(&format!("members/{member}"));
            if key["tags"]["shelf"] == tag { Ok(()) } else { Err(key.to_string()) }
        });
        until("PostgreSQL's reload", PATIENCE, || if loaded() == before { Err(before.clone()) } else { Ok(()) });
    }

    let mark = b.layout().data_dir(&member).join("left-over");
    fs::write(&mark, "").unwrap();
    let out = b.command(&["reinit", scope, &member, "--yes"]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let copy = format!("copy from {}, streaming database files: ", b.leader());
    assert!(told.lines().any(|line| line.trim().starts_with(&copy) && line.contains("B of ") && line.contains(" %)")), "{told}");
    assert!(!mark.exists(), "the data is the old one's");
    b.wait_listed(&member, "Replica", "streaming");
    fs::write(&file, text).unwrap();
    b.done(&["reload", scope, &member]);

    fs::write(&mark, "").unwrap();
    b.done(&["reinit", scope, &member, "--from-leader"]);
    assert!(!mark.exists(), "the data is the old one's");
    b.wait_listed(&member, "Replica", "streaming");
}

#[test]
fn a_dry_run_tells_the_order_and_sends_nothing() {
    let b = Bench::take();
    let scope = b.scope();
    let (leader, candidate) = (b.leader(), b.replicas().pop().unwrap());
    let at = in_seconds(3600);
    let sent = at.replace('Z', ".000Z");
    let (leads, other) = (b.layout().rest_url(&leader), b.layout().rest_url(&candidate));
    let cases: [(&[&str], String); 9] = [
        (&["switchover", scope], format!(r#"POST {leads}/switchover {{"leader":"{leader}"}}"#)),
        (
            &["switchover", scope, "--candidate", &candidate, "--scheduled", &at],
            format!(r#"POST {leads}/switchover {{"candidate":"{candidate}","leader":"{leader}","scheduled_at":"{sent}"}}"#),
        ),
        (&["failover", scope, "--candidate", &candidate], format!(r#"POST {leads}/failover {{"candidate":"{candidate}"}}"#)),
        (&["pause", scope], format!(r#"PATCH {leads}/config {{"pause":true}}"#)),
        (
            &["restart", scope, &candidate, "--role", "replica", "--pg-version", "99.1", "--timeout", "7"],
            format!(r#"POST {other}/restart {{"postgres_version":"99.1","role":"replica","timeout":7}}"#),
        ),
        (&["restart", scope, "--any", "--role", "leader"], format!("POST {leads}/restart {{}}")),
        (&["reload", scope, &candidate], format!("POST {other}/reload")),
        (&["reinit", scope, &candidate], format!("POST {other}/reinitialize {{}}")),
        (
            &["reinit", scope, &candidate, "--from-leader", "--cancel-running"],
            format!(r#"POST {other}/reinitialize {{"force":true,"from_leader":true}}"#),
        ),
    ];
    let state = || (b.key("config").1, b.key("failover").1, b.started(&leader), b.started(&candidate), b.leader());
    let before = state();
    for (args, order) in cases {
        let told = b.told(&[args, &["--dry-run"]].concat());
        assert_eq!(told.code, Some(0), "{args:?}: {told:#?}");
        let to = |line: &str| line.split('{').next().unwrap().to_owned();
        let body = |line: &str| line.find('{').map(|at| serde_json::from_str::<Value>(&line[at..]).unwrap());
        let request = told.plan()["request"].as_str().unwrap();
        assert_eq!((to(request), body(request)), (to(&order), body(&order)), "{args:?}");
    }
    assert_eq!(state(), before);
    assert!(!b.state().join("pgbaton").exists(), "the audit was begun");
}

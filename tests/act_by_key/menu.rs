//! The actions for which something is typed, chosen or edited before there is a plan, and those that go from member to member.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use crate::common::lab::{Running, TestLab, until};
use crate::common::pty::Pty;
use crate::keys::{PATIENCE, act, act_after, close, open, open_with, select, tell, whole};

/// An editor that asks on the terminal which slot Patroni shall leave alone, and fails if it is told so.
const EDITOR: &str = r#"#!/bin/sh
printf 'which slot? '
read -r word
if [ "$word" = die ]; then kill -KILL $$; fi
printf 'ignore_slots: [{name: %s}]\n' "$word" >> "$1"
"#;

pub fn what_asks_for_more_before_its_plan(lab: &TestLab) {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    std::fs::write(&editor, EDITOR).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut pty = open(lab, folder.path());
    let (leader, replica) = (whole(lab), lab.replicas().remove(0));
    in_postgres(lab, &mut pty, &leader);
    the_configuration(lab, &mut pty);
    a_slot(lab, &mut pty, &leader);
    the_edit_taken_back(lab, &mut pty);
    a_server_of_haproxy(lab, &mut pty, &replica);
    at_a_time(lab, &mut pty, &leader, &replica);
    in_turn(lab, &mut pty, &leader);
    a_replay(lab, &mut pty);
    a_standby_cluster_and_back(lab, &mut pty);
    pty.press("q");
    assert_eq!(pty.end(), 0);
    what_is_left_in_etcd(lab, folder.path());
    let audit = std::fs::read_to_string(folder.path().join("state/pgbaton/audit.jsonl")).unwrap();
    let ends = audit.lines().filter(|line| line.contains(r#""event":"end""#) && line.contains(r#""outcome":"DONE""#)).count();
    assert_eq!(audit.lines().count(), 2 * ends, "{audit}");
}

/// Goes down to the row of a list in which all of this stands, and takes it.
fn choose<'t>(texts: &'t [&'t str]) -> impl Fn(&mut Pty) -> Result<(), String> + 't {
    let here = |text: &str| text.lines().find(|line| line.contains("│ ▸ ")).map(str::to_owned);
    move |pty| {
        pty.until("a list, or why there is none", |screen| {
            let text = screen.contents();
            here(&text).is_some() || text.lines().last().is_some_and(|last| last.contains(" no ") || last.contains("not known"))
        });
        for _ in 0..30 {
            let Some(row) = here(&pty.screen()) else { break };
            if texts.iter().all(|text| row.contains(text)) {
                pty.press("\r");
                return Ok(());
            }
            pty.press("j");
            pty.until_quiet(crate::keys::REST);
        }
        Err(pty.screen())
    }
}

fn in_postgres(lab: &TestLab, pty: &mut Pty, leader: &str) {
    let place = || lab.sql(leader, "SELECT checkpoint_lsn FROM pg_control_checkpoint()");
    lab.sql(leader, "SELECT pg_switch_wal()");
    let before = place();
    select(pty, leader);
    act(pty, "ak", &format!("Checkpoint on {leader}"), "y");
    assert_ne!(place(), before);

    let mut session = lab.command("psql", &["-X", "-h", &lab.layout().ip(leader).to_string(), "-p", "5432", "-U", "app", "-d", "postgres"]);
    session.args(["-c", "BEGIN", "-c", "SELECT pg_sleep(600)"]).env("PGAPPNAME", "sleeper");
    let _session = Running(session.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'sleeper' AND state = 'active'";
    let pid = until("the session", PATIENCE, || Some(lab.sql(leader, find)).filter(|pid| !pid.is_empty()).ok_or_else(String::new));
    select(pty, leader);
    act_after(pty, "at", &choose(&[&pid, "app"]), &format!("End of the session {pid} on {leader}"), "y");
    assert_eq!(lab.sql(leader, find), "");
}

/// The terminal is the editor's, and ours again however it ends.
fn the_configuration(lab: &TestLab, pty: &mut Pty) {
    let key = format!("/service/{}/config", lab.scope());
    let before = lab.tool("etcdctl", &["get", "--print-value-only", &key]);
    let edit = |word: &'static str| {
        move |pty: &mut Pty| {
            // What it had asked the last time still stands there.
            pty.until("the editor's question", |screen| screen.contents().trim_end().ends_with("which slot?"));
            assert!(!pty.parser.screen().alternate_screen(), "the screen is still ours");
            pty.press(word);
            pty.press("\r");
            Ok(())
        }
    };
    pty.press("ae");
    let die: Result<(), String> = edit("die")(pty);
    die.unwrap();
    pty.until_text("the editor ended with ");
    assert!(pty.screen().contains("━ 1 Members") && pty.parser.screen().alternate_screen(), "{}", pty.screen());
    assert_eq!(lab.tool("etcdctl", &["get", "--print-value-only", &key]), before);

    let screen = act_after(pty, "ae", &edit("left_over"), &format!("Edit of {}'s configuration", lab.scope()), "y");
    assert!(screen.contains("etcd has the new configuration"), "{screen}");
    let config = lab.tool_json("etcdctl", &["get", "--print-value-only", &key]);
    assert_eq!(config["ignore_slots"], serde_json::json!([{"name": "left_over"}]));
    pty.press("av");
    pty.until_text("name: left_over");
    close(pty);
}

fn a_slot(lab: &TestLab, pty: &mut Pty, leader: &str) {
    let slot = || lab.sql(leader, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'left_over'");
    // Until the leader has read the configuration, Patroni drops the slot at its next loop.
    let key = format!("/service/{}/status", lab.scope());
    let loops = || lab.tool_json("etcdctl", &["get", &key, "-w", "json"])["kvs"][0]["version"].as_u64().unwrap();
    until("a slot that Patroni leaves alone", PATIENCE, || {
        if slot() == "0" {
            lab.sql(leader, "SELECT pg_create_physical_replication_slot('left_over', true)");
        }
        let begun = loops();
        until("two loops of Patroni", PATIENCE, || if loops() >= begun + 2 { Ok(()) } else { Err(begun.to_string()) });
        if slot() == "1" { Ok(()) } else { Err("Patroni dropped it".to_owned()) }
    });
    select(pty, leader);
    act_after(pty, "ad", &choose(&["left_over", "physical"]), &format!("Drop of the slot left_over of {leader}"), "left_over");
    assert_eq!(slot(), "0");
}

fn the_edit_taken_back(lab: &TestLab, pty: &mut Pty) {
    let config = || lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/config", lab.scope())]);
    act(pty, "az", "Undo of the edit of", "y");
    assert!(config()["ignore_slots"].is_null(), "{}", config());
}

/// The source does not answer: the leader is a standby all the same, and says so.
fn a_standby_cluster_and_back(lab: &TestLab, pty: &mut Pty) {
    whole(lab);
    let config = || lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/config", lab.scope())]);
    let recovers = || lab.sql(&lab.leader(), "SELECT pg_is_in_recovery()");
    act_after(pty, "aD", &tell("127.0.0.1:9"), &format!("Demotion of {} to a standby cluster", lab.scope()), lab.scope());
    assert_eq!((config()["standby_cluster"].clone(), recovers().as_str()), (serde_json::json!({"host": "127.0.0.1", "port": 9}), "t"));
    act(pty, "aP", &format!("Promotion of the standby cluster {}", lab.scope()), lab.scope());
    assert_eq!((config()["standby_cluster"].is_null(), recovers().as_str()), (true, "f"));
}

/// A cluster that is no more, of which etcd still has keys.
fn what_is_left_in_etcd(lab: &TestLab, folder: &std::path::Path) {
    for key in ["config", "initialize", "history"] {
        lab.tool("etcdctl", &["put", &format!("/service/gone/{key}"), "{}"]);
    }
    let config = folder.join("gone.toml");
    std::fs::write(&config, lab.config_text().replace(&format!("scope = \"{}\"", lab.scope()), "scope = \"gone\"")).unwrap();
    let mut pty = open_with(&config, folder);
    pty.until_text("OPERATOR");
    let screen = act(&mut pty, "aX", "Removal of gone from etcd", "gone");
    assert!(screen.contains("etcd has nothing of it any more"), "{screen}");
    let left = lab.tool("etcdctl", &["get", "--prefix", "--keys-only", "/service/gone/"]);
    assert_eq!(left.trim(), "");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

/// The state of a server, by HAProxy's own socket.
fn state_of(lab: &TestLab, proxy: &str, backend: &str, server: &str) -> String {
    let mut socket = UnixStream::connect(lab.layout().stats_socket(proxy)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket.write_all(b"show stat\n").unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let row = text.lines().find(|line| line.starts_with(&format!("{backend},{server},"))).unwrap_or_else(|| panic!("{text}"));
    row.split(',').nth(17).unwrap().to_owned()
}

fn a_server_of_haproxy(lab: &TestLab, pty: &mut Pty, replica: &str) {
    let (proxy, backend) = ("vm4", "pg_read");
    for (state, shown) in [("drain", true), ("ready", false)] {
        let before = |pty: &mut Pty| {
            choose(&[proxy, backend, replica])(pty)?;
            pty.until_text("What it means");
            choose(&[state])(pty)
        };
        let title = format!("{} of {backend}/{replica} of {proxy}", if state == "drain" { "Drain" } else { "Ready" });
        act_after(pty, "ah", &before, &title, "y");
        assert_eq!(state_of(lab, proxy, backend, replica).starts_with("DRAIN"), shown);
    }
}

fn at_a_time(lab: &TestLab, pty: &mut Pty, leader: &str, replica: &str) {
    let at = "2099-01-01 03:00+00:00";
    select(pty, replica);
    let title = format!("Switchover from {leader} to {replica} at 2099-01-01 03:00 UTC");
    let screen = act_after(pty, "aS", &tell(at), &title, lab.scope());
    assert!(screen.contains("is scheduled"), "{screen}");
    let key = lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/failover", lab.scope())]);
    assert_eq!((key["member"].as_str(), key["leader"].as_str()), (Some(replica), Some(leader)), "{key}");
    assert!(key["scheduled_at"].as_str().is_some_and(|text| text.starts_with("2099-01-01T03:00:00")), "{key}");
    act(pty, "ac", "Taking back the scheduled switchover", "y");

    select(pty, replica);
    act_after(pty, "aR", &tell(at), &format!("Restart of {replica}, at 2099-01-01 03:00 UTC"), "y");
    let scheduled = || {
        let list = lab.tool_json("patronictl", &["list", "-e", "-f", "json"]);
        let row = list.as_array().unwrap().iter().find(|row| row["Member"] == replica).unwrap();
        row["Scheduled restart"].as_str().unwrap_or_default().to_owned()
    };
    until("the restart in patronictl's list", PATIENCE, || {
        let told = scheduled();
        if told.starts_with("2099-01-01T03:00:00") { Ok(()) } else { Err(told) }
    });
    act(pty, "ax", &format!("Taking back the scheduled restart of {replica}"), "y");
}

/// What waits for a restart first on one member, then on all, the leader last and by a switchover.
fn in_turn(lab: &TestLab, pty: &mut Pty, leader: &str) {
    let members = lab.layout().members();
    lab.tool("patronictl", &["edit-config", lab.scope(), "--pg", "track_activity_query_size=2048", "--force", "--quiet"]);
    let replicas = lab.replicas();
    let shown = |member: &str| lab.sql(member, "SHOW track_activity_query_size");
    act(pty, "aw", &format!("Restart of {}, if one is pending", replicas[0]), "y");
    assert_eq!((shown(&replicas[0]).as_str(), shown(leader).as_str()), ("2kB", "1kB"));

    let started = |member: &String| lab.sql(member, "SELECT pg_postmaster_start_time()");
    whole(lab);
    let before: Vec<String> = members.iter().map(started).collect();
    let screen = act(pty, "ao", &format!("Restart of {}", replicas[0]), "y");
    assert!(screen.contains("DONE "), "{screen}");
    act(pty, "ao", &format!("Restart of {}", replicas[1]), "y");
    act(pty, "ao", &format!("Switchover from {leader} to the best candidate"), lab.scope());
    assert_ne!(whole(lab), leader);
    for (member, before) in members.iter().zip(before) {
        assert_ne!(started(member), before, "{member}");
        assert_eq!(shown(member), "2kB", "{member}");
    }
    until("its end", PATIENCE, || {
        pty.press("ao");
        pty.until("a word on it", |screen| {
            let text = screen.contents();
            text.contains("the rolling restart is complete") || text.contains("to do it, type ") || text.contains("refused  ")
        });
        let screen = pty.screen();
        if screen.contains("the rolling restart is complete") {
            return Ok(());
        }
        close(pty);
        Err(screen)
    });
    // Another round is possible, and not offered as if it were the first.
    until("a word on the last one", PATIENCE, || {
        pty.press("ao");
        pty.until("the plan", |screen| {
            let text = screen.contents();
            text.contains("to do it, type ") || text.contains("refused  ")
        });
        let screen = pty.screen();
        close(pty);
        if screen.contains("every member's PostgreSQL has started within the last") { Ok(()) } else { Err(screen) }
    });
}

/// A Patroni that runs ends the pause of a replay by itself, so it is stopped meanwhile.
fn a_replay(lab: &TestLab, pty: &mut Pty) {
    let replica = lab.replicas().remove(0);
    lab.fault(&["freeze-patroni", &replica]);
    lab.sql(&replica, "SELECT pg_wal_replay_pause()");
    select(pty, &replica);
    act(pty, "ag", &format!("End of the pause of {replica}'s replay"), "y");
    assert_eq!(lab.sql(&replica, "SELECT pg_is_wal_replay_paused()"), "f");
    lab.heal();
}

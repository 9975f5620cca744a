//! What is refused, and why; beside it what patronictl says to the same request. Prints a table: case, ours, patronictl's.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::{Bench, PATIENCE, Told};
use crate::lab::{said, until};
use crate::pty::Pty;

/// How long patronictl may be at it; without etcd it never ends.
const PATRONICTL: u64 = 8;

/// The lines of patronictl that are not the table of members.
fn words(b: &Bench, args: &[&str]) -> String {
    let out = b.try_tool(PATRONICTL, "patronictl", &[args, &["--force"]].concat());
    let text = said(&out);
    let told = |line: &&str| !line.is_empty() && !line.starts_with(['+', '|', ' ']) && !line.contains("Current cluster topology");
    let lines: Vec<&str> = text.lines().skip(1).filter(told).collect();
    match (out.status.code(), lines.as_slice()) {
        (Some(124), [first, ..]) => format!("(no end within {PATRONICTL} s) {}", first.chars().take(110).collect::<String>()),
        (code, lines) => format!("({}) {}", code.unwrap_or(-1), lines.join("; ")),
    }
}

/// Refused for this reason, nothing written and nothing sent; what was said.
fn refused(b: &Bench, args: &[&str], reason: &str) -> Told {
    let (audit, leader) = (b.audit().len(), b.leader());
    let told = b.told(&[args, &["--yes"]].concat());
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(3), &"REFUSED".into()), "{args:?}: {told:#?}");
    assert!(told.sentence().contains(reason), "{args:?}: {told:#?}");
    assert!(told.err.starts_with(&format!("REFUSED: {}\n", told.sentence())), "{}", told.err);
    assert_eq!((b.audit().len(), b.leader()), (audit, leader), "{args:?}");
    told
}

/// A case where Patroni would not do it either, so that nobody can insist.
fn neither_would(b: &Bench, case: &str, args: &[&str], check: &str, reason: &str) {
    let told = refused(b, args, reason);
    assert_eq!((&told.check(check)["light"], &told.check(check)["patroni_would"]), (&"red".into(), &false.into()), "{told:#?}");
    assert!(!told.err.contains("hint:"), "{}", told.err);
    refused(b, &[args, &["--override", check]].concat(), reason);
    let theirs = words(b, args);
    println!("{case:<28} {:<130} {theirs}", told.sentence());
}

#[test]
fn what_patroni_would_not_do_is_refused_with_its_reason_and_nobody_can_insist() {
    let b = Bench::take();
    let scope = b.scope();
    let leader = b.leader();
    let mut replicas = b.replicas();
    let (other, one) = (replicas.pop().unwrap(), replicas.pop().unwrap());
    println!("{:<28} {:<130} patronictl's", "case", "ours");

    let to_one = ["switchover", scope, "--candidate", &one];
    neither_would(&b, "another leads", &["switchover", scope, "--leader", &one], "leader-name", &format!("{leader} leads, not {one}"));
    neither_would(&b, "no such member", &["switchover", scope, "--candidate", "psg9"], "candidate", "there is no member psg9");
    neither_would(&b, "copy over the leader", &["reinit", scope, &leader], "leader", "its data is the cluster's");

    let file = b.layout().node_dir(&one).join("patroni.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let tagged = |there: bool| {
        until("the tag in the member's key", PATIENCE, || {
            let key = b.key_json(&format!("members/{one}"));
            if key["tags"]["nofailover"].as_bool().unwrap_or(false) == there { Ok(()) } else { Err(key.to_string()) }
        });
    };
    std::fs::write(&file, format!("{text}tags:\n  nofailover: true\n")).unwrap();
    b.done(&["reload", scope, &one]);
    tagged(true);
    neither_would(&b, "nofailover", &to_one, "candidate-nofailover", &format!("{one}: it has nofailover"));
    std::fs::write(&file, text).unwrap();
    b.done(&["reload", scope, &one]);
    tagged(false);

    // Its receiver stands still, which looks as if it streamed.
    let pid: i32 = b.sql(&other, "SELECT pid FROM pg_stat_wal_receiver").parse().unwrap();
    let receiver = Pid::from_raw(pid).unwrap();
    kill_process(receiver, Signal::STOP).unwrap();
    let to = b.sql(&leader, "SELECT pg_logical_emit_message(false, 'x', repeat('x', 4000000)) - '0/0'").parse::<u64>().unwrap();
    until("the leader's position in etcd", PATIENCE, || {
        let status = b.key_json("status");
        if status["optime"].as_u64() >= Some(to) { Ok(()) } else { Err(status.to_string()) }
    });
    let to_other = ["switchover", scope, "--candidate", &other];
    neither_would(&b, "lagging candidate", &to_other, "candidate-lagging", "maximum_lag_on_failover allows 1048576");
    kill_process(receiver, Signal::CONT).unwrap();

    b.done(&["pause", scope]);
    neither_would(
        &b,
        "paused without candidate",
        &["switchover", scope],
        "pause",
        "the cluster is paused: a switchover needs a candidate then",
    );
    let told = b.told(&[&to_one[..], &["--dry-run"]].concat());
    assert_eq!(told.code, Some(0), "with a candidate Patroni would: {told:#?}");
    b.done(&["resume", scope]);

    b.fault(&["kill-patroni", &one]);
    neither_would(&b, "the candidate is down", &to_one, "candidate-down", &format!("{one}: its Patroni is down"));
    b.heal();

    // Patroni may reach it by another way: who knows that can insist.
    b.fault(&["freeze-patroni", &one]);
    let told = refused(&b, &to_one, &format!("{one}: its Patroni does not answer us"));
    let check = told.check("candidate-silent");
    assert_eq!((&check["light"], &check["patroni_would"]), (&"red".into(), &true.into()), "{told:#?}");
    println!("{:<28} {:<130} {}", "the candidate is frozen", told.sentence(), words(&b, &to_one));
    b.heal();

    b.fault(&["stop-etcd", &one, &other]);
    let unknown = "who leads is not known: etcd does not answer";
    let told = b.told(&[&to_one[..], &["--yes", "--override", "quorum", "--override", "leader"]].concat());
    assert_eq!(told.code, Some(3), "{told:#?}");
    assert!(told.sentence().starts_with(unknown) && told.sentence().contains("etcd has no quorum"), "{told:#?}");
    assert!(!told.lines.iter().any(|line| line.to_string().contains("nobody holds")), "it is not known: {told:#?}");
    println!("{:<28} {:<130} {}", "no quorum", told.sentence(), words(&b, &to_one));
    let told = b.told(&["restart", scope, &one, "--yes"]);
    assert_eq!((told.code, told.sentence()), (Some(3), &*format!("whether there is a member {one} is not known: etcd does not answer")));
    b.heal();
}

#[test]
fn who_insists_can_have_done_what_patroni_would_do_and_the_audit_says_so() {
    let b = Bench::take();
    let scope = b.scope();
    let (leader, mut replicas) = (b.leader(), b.replicas());
    let (other, one) = (replicas.pop().unwrap(), replicas.pop().unwrap());
    let schedule =
        |to: &str| b.tool("patronictl", &["switchover", scope, "--candidate", to, "--scheduled", "2037-01-01T00:00:00Z", "--force"]);

    schedule(&one);
    let to_other = ["switchover", scope, "--candidate", &other];
    let told = refused(&b, &to_other, &format!("a switchover to {one} is scheduled for 2037-01-01 00:00 UTC"));
    assert!(told.err.contains("to insist: --override other-request"), "{}", told.err);
    assert_eq!(b.key_json("failover")["member"], one.as_str());
    // Another check's name does not help.
    refused(&b, &[&to_other[..], &["--override", "lag"]].concat(), "is scheduled");

    let told = b.done(&[&to_other[..], &["--override", "other-request"]].concat());
    assert_eq!(told.sentence(), format!("{other} leads and accepts writes"));
    b.assert_leads(&other, &leader);
    let audit = b.audit();
    assert_eq!(audit[audit.len() - 2]["overridden"], serde_json::json!(["other-request"]));
    assert_eq!(b.key_json("failover").as_object().map_or(0, serde_json::Map::len), 0, "it took the other's place");

    // patronictl takes the place of the scheduled one without a word.
    schedule(&one);
    let theirs = words(&b, &["switchover", scope, "--candidate", &leader]);
    println!(
        "{:<28} {:<130} {theirs}",
        "another is scheduled",
        format!("a switchover to {one} is scheduled for 2037-01-01 00:00 UTC; ...")
    );
    b.wait_listed(&leader, "Leader", "running");
    b.wait_listed(&other, "Replica", "streaming");
}

#[test]
fn a_leader_that_changed_between_plan_and_answer_is_refused() {
    let b = Bench::take();
    let scope = b.scope().to_owned();
    let (leader, mut replicas) = (b.leader(), b.replicas());
    let (other, one) = (replicas.pop().unwrap(), replicas.pop().unwrap());
    let (config, state) = (b.config(), b.state());
    let ask = || {
        let args = ["-c", config.to_str().unwrap(), "switchover", &scope, "--candidate", &one];
        let env = [("XDG_STATE_HOME", state.to_str().unwrap())];
        let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &env, (200, 50));
        pty.until_text(&format!("to do it, type {scope}"));
        pty
    };
    let end = |mut pty: Pty, reason: &str| {
        pty.until_text(reason);
        assert_eq!(pty.end(), 3, "{}", pty.screen());
        assert!(b.audit().is_empty(), "nothing is begun");
    };

    let mut pty = ask();
    pty.press("y\r");
    end(pty, "REFUSED: it was not confirmed");

    let mut pty = ask();
    b.tool("patronictl", &["switchover", &scope, "--candidate", &other, "--force"]);
    assert_eq!(b.leader(), other);
    let (_, asked) = b.key("failover");
    pty.press(&format!("{scope}\r"));
    end(pty, &format!("REFUSED: the leader changed since the plan was made: it was {leader}, now it is {other}"));
    assert_eq!((b.key("failover").1, b.leader()), (asked, other.clone()));
    let theirs = words(&b, &["switchover", &scope, "--leader", &leader, "--candidate", &one]);
    println!("{:<28} {:<130} {theirs}", "the leader changed", "the leader changed since the plan was made: ...");
    b.wait_listed(&leader, "Replica", "streaming");
}

#[test]
fn an_etcd_user_who_may_only_read_is_told_the_grant_and_with_it_the_edit_is_done() {
    let b = Bench::take();
    let (scope, before) = (b.scope(), b.key("config"));
    let edit = ["edit-config", scope, "-s", "maximum_lag_on_failover=2097152"];
    let told = b.told(&[&edit[..], &["--yes"]].concat());
    let grant = format!("etcdctl role grant-permission ROLE readwrite --prefix=true /service/{scope}/");
    let why = format!("the etcd user \"pgbaton\" may not write /service/{scope}/config; grant its role that: {grant}");
    assert_eq!((told.code, told.sentence()), (Some(3), why.as_str()), "{told:#?}");
    assert_eq!(told.outcome()["outcome"], "REFUSED");
    assert_eq!(b.key("config"), before, "neither the value nor its revision");
    let audit = b.audit();
    let [begin, end] = audit.as_slice() else { panic!("{audit:#?}") };
    assert_eq!((&begin["event"], &end["outcome"], &end["sentence"]), (&"begin".into(), &"REFUSED".into(), &why.as_str().into()));

    // Word by word what was told to do, by etcd's own tool.
    let words: Vec<&str> = grant.split(' ').skip(1).map(|word| if word == "ROLE" { "pgbaton" } else { word }).collect();
    b.tool("etcdctl", &words);
    let told = b.told(&[&edit[..], &["--yes"]].concat());
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    assert_eq!(b.key_json("config")["maximum_lag_on_failover"], 2_097_152);
    b.tool("etcdctl", &["role", "revoke-permission", "--prefix=true", "pgbaton", &format!("/service/{scope}/")]);
    b.tool("patronictl", &["edit-config", scope, "-s", "maximum_lag_on_failover=1048576", "--force"]);
}

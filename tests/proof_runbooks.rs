//! The runbooks that come with pgbaton, each taken from start to end on a real cluster by somebody at a terminal; what came of it is read by
//! other tools. One console is killed in the middle, and the run goes on.
#![allow(clippy::unwrap_used)]

#[path = "common"]
mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

use std::path::Path;
use std::time::Duration;

use common::lab::{TestLab, pgbaton, said, until};
use common::pty::Pty;
use serde_json::json;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody at a terminal, with a home.
struct Operator<'l> {
    lab: &'l TestLab,
    home: tempfile::TempDir,
}

impl Operator<'_> {
    fn env(&self) -> Vec<(String, String)> {
        let home = self.home.path().to_str().unwrap();
        [("HOME", home.to_owned()), ("XDG_STATE_HOME", format!("{home}/state"))].map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn start(&self, words: &[&str]) -> Pty {
        let config = self.lab.config();
        let args = [&["-c", config.to_str().unwrap(), "runbook"], words].concat();
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &env, (160, 200));
        pty.patience = PATIENCE;
        pty
    }

    /// What a command that asks nothing prints.
    fn told(&self, words: &[&str]) -> String {
        let config = self.lab.config();
        let out = pgbaton().args(["-c", config.to_str().unwrap(), "runbook"]).args(words).envs(self.env()).output().unwrap();
        assert!(out.status.success(), "{}", said(&out));
        String::from_utf8(out.stdout).unwrap()
    }
}

/// Waits until the question is the last thing on the screen, and nothing is typed behind it yet.
fn asked(pty: &mut Pty, question: &str) {
    pty.until(question, |screen| {
        let text = screen.contents();
        let last = text.trim_end().lines().last().unwrap_or_default().trim_end();
        let typed = question.starts_with("to do it, type ") && last.ends_with(question);
        // Half a question on the screen is not one that can be answered.
        last.contains(question) && (typed || ["[yes/no]", "[y/N]", "abort the run:"].iter().any(|end| last.ends_with(end)))
    });
}

/// Waits for the question, and answers it. The next one may have the same words: the answer is on the screen once more before that is looked for.
fn answer(pty: &mut Pty, question: &str, answer: &str) {
    asked(pty, question);
    let prompt = pty.screen().trim_end().lines().last().unwrap_or_default().trim_end().to_owned();
    // The space behind the question may come after what is typed.
    let answered = |screen: &vt100::Screen| {
        let text = screen.contents();
        text.lines().filter(|line| line.strip_prefix(&prompt).is_some_and(|rest| rest.trim() == answer)).count()
    };
    let before = answered(pty.parser.screen());
    pty.press(&format!("{answer}\r"));
    pty.until("the answer taken", |screen| answered(screen) > before);
}

/// The end, with everything that was on the screen.
fn finished(pty: &mut Pty) -> String {
    let code = pty.end();
    let screen = pty.screen();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("steps are behind us"), "{screen}");
    screen
}

fn config(lab: &TestLab) -> serde_json::Value {
    lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/config", lab.scope())])
}

/// Waits until all members run, two stream, on one timeline.
fn well(lab: &TestLab) {
    until("a cluster that is well", PATIENCE, || {
        let list = lab.tool_json("patronictl", &["list", "-f", "json"]);
        let members = list.as_array().unwrap();
        let streaming = members.iter().filter(|m| m["State"] == "streaming").count();
        let timelines: std::collections::BTreeSet<_> = members.iter().map(|m| m["TL"].to_string()).collect();
        if members.len() == 3 && streaming == 2 && timelines.len() == 1 { Ok(()) } else { Err(list.to_string()) }
    });
}

fn planned_switchover(operator: &Operator<'_>) {
    let lab = operator.lab;
    let candidate = lab.replicas().remove(0);
    let mut pty = operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    answer(&mut pty, &format!("to do it, type {}", lab.scope()), lab.scope());
    answer(&mut pty, "Do the applications write again? [yes/no]", "yes");
    finished(&mut pty);
    assert_eq!(lab.leader(), candidate);
    assert_eq!(lab.sql(&candidate, "SELECT pg_is_in_recovery()"), "f");
    // What is true already is not done again: the run stops at its first step, and says why.
    let mut pty = operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "r again, s REASON pass over, q stop here", "s");
    answer(&mut pty, "r again, s REASON pass over, q stop here", "x wrong candidate");
    let code = pty.end();
    let screen = pty.screen();
    assert!(code == 1 && screen.contains(&format!("nobody leads, or {candidate} leads already")), "{code} {screen}");
    assert!(screen.contains("a step is passed over with a reason"), "{screen}");
}

/// With a Ctrl-C at the first question, and a resume when what was true is so no longer.
fn forgotten_pause(operator: &Operator<'_>) {
    let lab = operator.lab;
    lab.tool("patronictl", &["pause", lab.scope(), "--wait"]);
    let mut pty = operator.start(&["run", "forgotten-pause"]);
    asked(&mut pty, "needs the pause? [yes/no]");
    pty.press("\x03");
    assert_eq!(pty.end(), 1, "{}", pty.screen());
    lab.tool("patronictl", &["resume", lab.scope(), "--wait"]);
    let mut pty = operator.start(&["resume"]);
    asked(&mut pty, "Go on all the same? [y/N]");
    pty.press("n\r");
    let code = pty.end();
    assert!(code == 1 && pty.screen().contains("no longer so: paused"), "{code} {}", pty.screen());
    lab.tool("patronictl", &["pause", lab.scope(), "--wait"]);
    let mut pty = operator.start(&["resume"]);
    answer(&mut pty, "needs the pause? [yes/no]", "yes");
    answer(&mut pty, "do it?", "y");
    finished(&mut pty);
    assert!(config(lab)["pause"].is_null(), "{}", config(lab));
}

/// With the ledger's client at work, and a kill in the middle: after the first restart, before the second.
fn rolling_restart(operator: &Operator<'_>) {
    let lab = operator.lab;
    let leader = lab.leader();
    let change = "postgresql.parameters.max_connections=117";
    lab.tool("patronictl", &["edit-config", lab.scope(), "--force", "-s", change]);
    until("a pending restart on each", PATIENCE, || {
        let list = lab.tool_json("patronictl", &["list", "-e", "-f", "json"]);
        let pending = list.as_array().unwrap().iter().filter(|m| m["Pending restart"] == "*").count();
        if pending == 3 { Ok(()) } else { Err(list.to_string()) }
    });
    let mut pty = operator.start(&["run", "rolling-restart"]);
    answer(&mut pty, "do it?", "y");
    asked(&mut pty, "do it?");
    // With the action's own process, as a machine that stops does.
    rustix::process::kill_process_group(pty.pid(), rustix::process::Signal::KILL).unwrap();
    pty.end();
    let mut pty = operator.start(&["resume"]);
    answer(&mut pty, "d it was done, r again", "r");
    answer(&mut pty, "do it?", "y");
    answer(&mut pty, &format!("to do it, type {}", lab.scope()), lab.scope());
    let screen = finished(&mut pty);
    assert!(screen.contains("it was begun before, and what became of it is not known"), "{screen}");
    well(lab);
    assert_ne!(lab.leader(), leader);
    for member in lab.replicas().into_iter().chain([lab.leader()]) {
        assert_eq!(lab.sql(&member, "SHOW max_connections"), "117", "{member}");
    }
}

fn replace_replica(operator: &Operator<'_>) {
    let lab = operator.lab;
    let replica = lab.replicas().remove(0);
    let made = || lab.sql(&replica, "SELECT (pg_stat_file('PG_VERSION')).change");
    let before = made();
    let mut pty = operator.start(&["run", "replace-replica", "--set", &format!("replica={replica}")]);
    answer(&mut pty, "low enough for a copy? [yes/no]", "yes");
    answer(&mut pty, &format!("to do it, type {replica}"), &replica);
    finished(&mut pty);
    well(lab);
    assert_ne!(made(), before);
}

#[test]
fn each_runbook_from_start_to_end() {
    let lab = TestLab::up("runbooks", &["--ttl", "20", "--loop-wait", "2"]);
    let operator = Operator { lab: &lab, home: tempfile::tempdir().unwrap() };
    well(&lab);
    forgotten_pause(&operator);
    planned_switchover(&operator);
    well(&lab);
    rolling_restart(&operator);
    replace_replica(&operator);
    let history = operator.told(&["history"]);
    let standing: Vec<&str> = history.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(standing, ["finished", "finished", "aborted", "finished", "finished"], "{history}");
    // The walk changes nothing, and needs nobody.
    let before = config(&lab);
    let walk = operator.told(&["run", "planned-switchover", "--dry-run", "--set", "candidate=psg1"]);
    assert!(walk.contains("would do: pgbaton switchover --candidate=psg1"), "{walk}");
    assert_eq!((config(&lab), operator.told(&["history"])), (before, history));
    let mut ledger = pgbaton();
    let out =
        ledger.args(["lab", "ledger", "--json", "--name", lab.scope(), "--state-dir"]).arg(lab.dir().parent().unwrap()).output().unwrap();
    let ledger: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", said(&out)));
    assert!(ledger["acknowledged"].as_u64() > Some(10) && ledger["lost"] == json!([]) && ledger["doubled"] == json!([]), "{ledger}");
}

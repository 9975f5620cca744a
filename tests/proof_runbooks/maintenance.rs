//! Planned work.

use crate::common::lab::until;
use crate::operator::{Operator, PATIENCE, answer, asked, did, finished, yes};
use crate::{config, faults, well};

pub fn planned_switchover(operator: &Operator<'_>) {
    let lab = operator.lab;
    let candidate = lab.replicas().remove(0);
    let mut pty = operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    answer(&mut pty, &format!("to do it, type {}", lab.scope()), lab.scope());
    answer(&mut pty, "Do the applications write again? [yes/no]", "yes");
    let screen = finished(&mut pty);
    assert_eq!(lab.leader(), candidate);
    // For how long writes were away is told at the run's end, and kept with it.
    let end = screen.split("steps are behind us").nth(1).unwrap_or_default();
    assert!(end.contains("writes were away "), "{screen}");
    let history = operator.told(&["history"]);
    assert!(history.lines().last().is_some_and(|run| run.contains("writes were away ")), "{history}");
    assert_eq!(lab.sql(&candidate, "SELECT pg_is_in_recovery()"), "f");
    // What is true already is not done again: the run stops at its first step, and says why.
    let mut pty = operator.start(&["run", "planned-switchover", "--set", &format!("candidate={candidate}")]);
    answer(&mut pty, "r again, s REASON pass over, q stop here", "?");
    answer(&mut pty, "r again, s REASON pass over, q stop here", "s");
    answer(&mut pty, "r again, s REASON pass over, q stop here", "x wrong candidate");
    let code = pty.end();
    let screen = pty.screen();
    assert!(code == 1 && screen.contains(&format!("nobody leads, or {candidate} leads already")), "{code} {screen}");
    assert!(screen.contains("a step is passed over with a reason") && screen.contains("takes the step again"), "{screen}");
}

/// With a Ctrl-C at the first question, and a resume when what was true is so no longer.
pub fn forgotten_pause(operator: &Operator<'_>) {
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
    // Whoever does not know what is asked is told, and has answered nothing.
    answer(&mut pty, "needs the pause? [yes/no]", "?");
    answer(&mut pty, "needs the pause? [yes/no]", "perhaps");
    answer(&mut pty, "needs the pause? [yes/no]", "yes");
    answer(&mut pty, "do it?", "?");
    answer(&mut pty, "do it?", "y");
    let screen = finished(&mut pty);
    for told in ["yes: the run goes on", "yes or no; ? tells", "y: what stands above is sent, once"] {
        assert!(screen.contains(told), "{told}: {screen}");
    }
    assert!(!screen.contains("FAILED"), "{screen}");
    assert!(config(lab)["pause"].is_null(), "{}", config(lab));
}

/// With the ledger's client at work, and a kill in the middle: after the first restart, before the second.
pub fn rolling_restart(operator: &Operator<'_>) {
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

pub fn replace_replica(operator: &Operator<'_>) {
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

/// The packages stay as they are, so the version is the one that runs: that every PostgreSQL was started anew is what it did.
pub fn minor_upgrade(operator: &Operator<'_>) {
    let lab = operator.lab;
    let leader = lab.leader();
    let started = || {
        let members = lab.layout().members();
        members.iter().map(|member| lab.sql(member, "SELECT pg_postmaster_start_time()")).collect::<Vec<_>>()
    };
    let before = started();
    let version = lab.sql(&leader, "SHOW server_version");
    let version = version.split(' ').next().unwrap();
    let sets = [format!("version={version}"), format!("last={leader}")];
    let mut pty = operator.start(&["run", "minor-upgrade", "--set", "package=postgresql", "--set", &sets[0], "--set", &sets[1]]);
    yes(&mut pty, &["a REINDEX, say) planned?"]);
    for _ in 0..2 {
        did(&mut pty, "apt-get install --only-upgrade postgresql", || {});
        answer(&mut pty, "do it?", "y");
    }
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    answer(&mut pty, &format!("to do it, type {}", lab.scope()), lab.scope());
    did(&mut pty, "apt-get install --only-upgrade postgresql", || {});
    answer(&mut pty, "do it?", "y");
    yes(&mut pty, &["where theirs ask for it?"]);
    finished(&mut pty);
    well(lab);
    assert_ne!(lab.leader(), leader);
    let after = started();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
}

/// Of the leader's node. Patroni is stopped as systemd stops it; the reboot is its start.
pub fn os_patching(operator: &Operator<'_>) {
    let lab = operator.lab;
    let node = lab.leader();
    let mut pty = operator.start(&["run", "os-patching", "--set", &format!("member={node}")]);
    answer(&mut pty, "must not be interrupted now? [yes/no]", "no");
    answer(&mut pty, &format!("to do it, type {}", lab.scope()), lab.scope());
    did(&mut pty, "nofailover: true, noloadbalance: true", || faults::tags(lab, &node, "tags: {nofailover: true, noloadbalance: true}\n"));
    answer(&mut pty, "do it?", "y");
    asked(&mut pty, &format!("left on {node} be ended? [yes/no]"));
    let tags = lab.tool("patronictl", &["list", "-e"]);
    assert!(tags.contains("nofailover: true"), "{tags}");
    yes(&mut pty, &[&format!("left on {node} be ended?")]);
    did(&mut pty, "systemctl stop patroni", || faults::stop_patroni(lab, &node));
    did(&mut pty, "reboot", || faults::start(lab, &format!("{node}/patroni")));
    did(&mut pty, "the two tags away again", || faults::tags(lab, &node, ""));
    answer(&mut pty, "do it?", "y");
    finished(&mut pty);
    well(lab);
    assert_ne!(lab.leader(), node);
    let tags = lab.tool("patronictl", &["list", "-e"]);
    assert!(!tags.contains("nofailover"), "{tags}");
}

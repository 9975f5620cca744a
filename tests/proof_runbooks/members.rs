//! A member that hangs, one that is dead, one that lags; a route that leads to the wrong one; and what is not heard.

use rustix::process::{Pid, Signal, kill_process};

use crate::common::lab::until;
use crate::faults::{found, start, stop, stop_patroni};
use crate::operator::{Operator, PATIENCE, answer, did, finished, yes};

/// Its PostgreSQL is stopped with SIGSTOP, and with that its Patroni says nothing; it goes on where it was.
pub fn hangs(operator: &Operator<'_>) {
    let lab = operator.lab;
    let replica = lab.replicas().remove(0);
    lab.fault(&["freeze-postgres", &replica]);
    operator.sees("member-down");
    let mut pty = operator.start(&["run", "member-down"]);
    found(&mut pty, &format!("member = {replica}, by what was found"));
    did(&mut pty, "ps -eo pid,stat", || {});
    answer(&mut pty, "state are its Patroni and its PostgreSQL in? [stopped, disk, other]", "stopped");
    yes(&mut pty, &["see the runbook split-brain before it goes on"]);
    did(&mut pty, "kill -CONT PID", || lab.heal());
    yes(&mut pty, &["is nothing of it left?"]);
    let screen = finished(&mut pty);
    assert!(!screen.contains("systemctl start patroni"), "what hangs is not told like what is dead: {screen}");
    assert_eq!(lab.sql(&replica, "SELECT pg_is_in_recovery()"), "t");
}

/// Its Patroni was stopped, and PostgreSQL with it.
pub fn is_dead(operator: &Operator<'_>) {
    let lab = operator.lab;
    let replica = lab.replicas().remove(1);
    stop_patroni(lab, &replica);
    let mut pty = operator.start(&["run", "member-down", "--set", &format!("member={replica}")]);
    did(&mut pty, "systemctl status patroni", || {});
    yes(&mut pty, &["or was it ended on purpose?"]);
    did(&mut pty, "systemctl start patroni", || start(lab, &format!("{replica}/patroni")));
    yes(&mut pty, &["is nothing of it left?"]);
    let screen = finished(&mut pty);
    assert!(!screen.contains("kill -CONT"), "what is dead is not told like what hangs: {screen}");
    assert_eq!(lab.sql(&replica, "SELECT pg_is_in_recovery()"), "t");
}

/// The startup process of a replica is stopped: it receives, and replays nothing.
pub fn lags(operator: &Operator<'_>) {
    let lab = operator.lab;
    let (leader, replica) = (lab.leader(), lab.replicas().remove(0));
    lab.fault(&["pause-replay", &replica]);
    lab.sql(&leader, "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1 << 20)) IS NULL FROM generate_series(1, 8)");
    until("all of it received, and nothing replayed", PATIENCE, || {
        let document = lab.status();
        let lag = document.members.iter().find(|m| m.name == replica).map(|m| (m.receive_lag_bytes, m.replay_lag_bytes));
        match lag {
            Some((Some(receive), Some(replay))) if receive < 1_000_000 && replay > 4_000_000 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    let mut pty = operator.start(&["run", "lag-high", "--set", &format!("member={replica}")]);
    answer(&mut pty, "stand still, or shrink? [grows, stands, shrinks]", "stands");
    did(&mut pty, "grep '[s]tartup'", || {});
    answer(&mut pty, "What holds it up? [query, disk, delay, stopped, nothing]", "stopped");
    did(&mut pty, "kill -CONT PID", || lab.heal());
    yes(&mut pty, &["does its tag say so?"]);
    let screen = finished(&mut pty);
    assert!(!screen.contains("pg_stat_wal_receiver"), "it has received all: {screen}");
    let behind = format!("SELECT pg_last_wal_replay_lsn() >= '{}'", lab.sql(&leader, "SELECT pg_current_wal_flush_lsn()"));
    until("all of it replayed", PATIENCE, || match lab.sql(&replica, &behind).as_str() {
        "t" => Ok(()),
        other => Err(other.to_owned()),
    });
}

/// A HAProxy has taken a file without checks, which sends writes to a replica; the right one is loaded again.
pub fn route_wrong(operator: &Operator<'_>) {
    let lab = operator.lab;
    lab.fault(&["haproxy-stale", "vm4"]);
    operator.sees("route-wrong");
    let document = lab.status();
    let finding = document.findings.iter().find(|f| f.code == "route-wrong").expect("it was seen");
    assert!(finding.next.iter().any(|step| step.contains(&format!("pgbaton haproxy {} vm4 pg_write psg", lab.scope()))), "{finding:#?}");
    let mut pty = operator.start(&["run", "route-wrong"]);
    found(&mut pty, "proxy = vm4, by what was found");
    did(&mut pty, "show stat", || {});
    did(&mut pty, "/primary", || {});
    answer(&mut pty, "or not at all)? [configuration, taken-out, check]", "configuration");
    did(&mut pty, "state maint", || {});
    did(&mut pty, "systemctl reload haproxy", || lab.heal());
    yes(&mut pty, &["do the applications write again?"]);
    finished(&mut pty);
    assert!(lab.status().routes.iter().all(|route| route.right == Some(true)));
}

/// A HAProxy is stopped: where it sends clients nobody can say.
pub fn proxy_not_heard(operator: &Operator<'_>) {
    let lab = operator.lab;
    stop(lab, "vm4/haproxy");
    operator.sees("source-stale");
    let mut pty = operator.start(&["run", "source-stale"]);
    found(&mut pty, "source = haproxy, by what was found");
    yes(&mut pty, &["until this is over?"]);
    did(&mut pty, "systemctl status", || start(lab, "vm4/haproxy"));
    yes(&mut pty, &["etcd: by etcd-member-down?", "whose fault the silence was?"]);
    finished(&mut pty);
}

/// The certificate that a replica's REST API shows has ended.
pub fn certificate_not_valid(operator: &Operator<'_>) {
    let lab = operator.lab;
    let replica = lab.replicas().remove(0);
    lab.fault(&["expire-certificate", &replica]);
    operator.sees("source-stale");
    let mut pty = operator.start(&["run", "source-stale", "--set", "source=rest"]);
    yes(&mut pty, &["until this is over?"]);
    did(&mut pty, "openssl s_client", || lab.heal());
    yes(&mut pty, &["or the name that we ask for, put right?", "whose fault the silence was?"]);
    let screen = finished(&mut pty);
    assert!(screen.contains("certificate-renewal"), "it leads to the one that renews them: {screen}");
}

/// Whoever replicates may not log in any more, and a replica that has to begin anew receives nothing.
pub fn does_not_stream(operator: &Operator<'_>) {
    let lab = operator.lab;
    let (leader, replica) = (lab.leader(), lab.replicas().remove(1));
    lab.sql(&leader, "ALTER ROLE replicator NOLOGIN");
    let receiver = lab.sql(&replica, "SELECT pid FROM pg_stat_wal_receiver").parse().ok().and_then(Pid::from_raw).expect("it streams");
    kill_process(receiver, Signal::TERM).expect("it runs");
    operator.sees("replica-not-streaming");
    let mut pty = operator.start(&["run", "replica-not-streaming"]);
    found(&mut pty, &format!("member = {replica}, by what was found"));
    yes(
        &mut pty,
        &[&format!("Is there room on {leader} for the WAL that its slot keeps, for the next hour (else see the runbook slot-fills-disk)?")],
    );
    did(&mut pty, "pg_stat_wal_receiver", || {});
    answer(&mut pty, "its log tells of? [network, login, slot, gone, timeline, nothing]", "login");
    did(&mut pty, "pg_hba_file_rules", || {
        lab.sql(&leader, "ALTER ROLE replicator LOGIN");
    });
    yes(&mut pty, &["is nothing of it left?"]);
    let screen = finished(&mut pty);
    assert!(!screen.contains("pg_isready") && !screen.contains("reinit"), "only what its log tells of is asked: {screen}");
    let streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
    assert_eq!(lab.sql(&leader, streams), "2");
}

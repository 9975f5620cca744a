//! What is told while nobody can know, and that it is the truth in the end: a Patroni that freezes in the middle, a line that is cut after the
//! order went out, a pgbaton that is killed. In none of them is anything asked for twice.

use std::fs::{File, read_dir, read_to_string};
use std::path::PathBuf;
use std::process::Child;

use pgbaton::lab::scan;
use rustix::net::{Shutdown, getpeername, shutdown};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open};
use serde_json::Value;

use crate::bench::{Bench, PATIENCE};
use crate::lab::{Running, until};
use crate::witness::Witness;

/// A command that goes on, and what it says.
struct Going {
    child: Running,
    out: PathBuf,
}

impl Going {
    fn start(b: &Bench, args: &[&str]) -> Self {
        let out = b.state().join("out");
        let file = File::create(&out).unwrap();
        let child = b.command(&[args, &["--yes"]].concat()).stderr(file.try_clone().unwrap()).stdout(file).spawn().unwrap();
        Self { child: Running(child), out }
    }

    fn child(&mut self) -> &mut Child {
        &mut self.child.0
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child.0)
    }

    fn said(&self) -> String {
        read_to_string(&self.out).unwrap()
    }

    fn until(&self, text: &str) {
        until(text, PATIENCE, || if self.said().contains(text) { Ok(()) } else { Err(self.said()) });
    }

    /// Waits for its end; tells the exit code, none if a signal ended it.
    fn end(&mut self) -> Option<i32> {
        until("its end", PATIENCE, || self.child.0.try_wait().unwrap().ok_or_else(|| "it goes on".to_owned())).code()
    }

    /// Ends its connections to an address, as a firewall does that forgets them. Tells how many there were.
    fn cut(&self, to: &str) -> usize {
        let process = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        let fds = read_dir(format!("/proc/{}/fd", self.pid())).unwrap();
        let fds = fds.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let sockets = fds.filter_map(|fd| pidfd_getfd(&process, fd, PidfdGetfdFlags::empty()).ok());
        let there = sockets.filter(|socket| {
            let peer = getpeername(socket).ok().flatten().and_then(|peer| std::net::SocketAddr::try_from(peer).ok());
            peer.is_some_and(|peer| peer.to_string() == to)
        });
        there.map(|socket| shutdown(&socket, Shutdown::Both).unwrap()).count()
    }
}

/// The line of the audit that ends the last action.
fn last_end(b: &Bench) -> Value {
    let audit = b.audit();
    let [.., begin, end] = audit.as_slice() else { panic!("{audit:#?}") };
    assert_eq!((&begin["event"], &end["event"], &begin["id"]), (&"begin".into(), &"end".into(), &end["id"]), "{audit:#?}");
    end.clone()
}

/// Both of them as Patroni has them when all is over.
fn settled(b: &Bench, leader: &str, old: &str) {
    b.wait_listed(leader, "Leader", "running");
    b.wait_listed(old, "Replica", "streaming");
}

#[test]
fn a_line_that_is_cut_after_the_order_is_unknown_and_then_done() {
    let b = Bench::take();
    let (leader, candidate) = (b.lab.leader(), b.lab.replicas().pop().unwrap());
    let witness = Witness::of(&b);
    let mut going = Going::start(&b, &["switchover", b.lab.scope(), "--candidate", &candidate]);
    witness.wait();
    assert!(going.cut(&format!("{}:8008", b.lab.layout().ip(&leader))) > 0);
    going.until("UNKNOWN: sent, and no answer came");
    going.until(&format!("DONE: {candidate} leads and accepts writes"));
    assert_eq!(going.end(), Some(0), "{}", going.said());
    let end = last_end(&b);
    assert_eq!(end["outcome"], "DONE");
    assert!(end["reply"].as_str().unwrap().starts_with("sent, and no answer came"), "{end}");
    b.assert_leads(&candidate, &leader);
    witness.assert_one();
}

#[test]
fn a_patroni_that_freezes_in_the_middle_is_waited_for_until_the_truth_is_known() {
    let b = Bench::take();
    let (leader, candidate) = (b.lab.leader(), b.lab.replicas().pop().unwrap());
    let file = format!("{}/patroni.yml", b.lab.layout().node_dir(&leader).display());
    let patroni = scan::processes(b.lab.dir()).into_iter().find(|p| p.argv().contains(&file)).unwrap();
    let patroni = Pid::from_raw(patroni.pid).unwrap();
    let witness = Witness::of(&b);
    let mut going = Going::start(&b, &["switchover", b.lab.scope(), "--candidate", &candidate]);
    witness.wait();
    kill_process(patroni, Signal::STOP).unwrap();
    // Its lease has to run out first; meanwhile nothing is claimed.
    going.until("asked, no answer yet");
    until("the candidate's key", PATIENCE, || {
        let said = going.said();
        assert!(!said.contains("FAILED") && !said.contains("REFUSED"), "{said}");
        let leads = b.lab.leader();
        if leads == candidate { Ok(()) } else { Err(format!("{leads} leads: {said}")) }
    });
    going.until(&format!("DONE: {candidate} leads and accepts writes"));
    assert_eq!(b.lab.sql(&candidate, "SELECT pg_is_in_recovery()"), "f");
    assert!(going.child().try_wait().unwrap().is_none(), "it watches the old one: {}", going.said());
    kill_process(patroni, Signal::CONT).unwrap();
    assert_eq!(going.end(), Some(0), "{}", going.said());
    assert!(going.said().contains(&format!("{leader} follows")), "{}", going.said());
    assert_eq!(last_end(&b)["outcome"], "DONE");
    settled(&b, &candidate, &leader);
    witness.assert_one();
}

#[test]
fn a_pgbaton_that_is_ended_after_the_order_asks_once_and_the_audit_does_not_claim_to_know() {
    let b = Bench::take();
    let scope = b.lab.scope();
    for signal in [Signal::KILL, Signal::TERM, Signal::HUP] {
        let (leader, candidate) = (b.lab.leader(), b.lab.replicas().pop().unwrap());
        let witness = Witness::of(&b);
        let mut going = Going::start(&b, &["switchover", scope, "--candidate", &candidate]);
        witness.wait();
        kill_process(going.pid(), signal).unwrap();
        let code = going.end();
        // What was asked for is done, as nobody has taken it back.
        until("the switchover", PATIENCE, || if b.lab.leader() == candidate { Ok(()) } else { Err(b.lab.leader()) });
        if signal == Signal::KILL {
            assert_eq!(code, None);
            let audit = b.audit();
            assert_eq!(audit.last().unwrap()["event"], "begin", "{audit:#?}");
            let shown = b.command(&["audit"]).output().unwrap();
            assert!(String::from_utf8_lossy(&shown.stdout).contains("no end: it is under way, or what became of it is not known"));
            // The next start says so, once, and so does the audit from then on.
            for said in [true, false] {
                let told = b.told(&["reload", scope, &candidate, "--yes"]);
                assert_eq!(told.code, Some(0), "{told:#?}");
                let note = format!("note: the switchover from {leader} to {candidate}, begun at ");
                assert_eq!(told.err.contains(&note) && told.err.contains("what became of it is not known"), said, "{}", told.err);
            }
            let audit = b.audit();
            let closed: Vec<&Value> = audit.iter().filter(|line| line["id"] == audit[0]["id"]).collect();
            assert_eq!((closed.len(), &closed[1]["outcome"]), (2, &"UNKNOWN".into()), "{audit:#?}");
        } else {
            assert_eq!(code, Some(4), "{}", going.said());
            assert!(going.said().contains("UNKNOWN: interrupted before it was known"), "{}", going.said());
            assert_eq!(last_end(&b)["outcome"], "UNKNOWN");
        }
        settled(&b, &candidate, &leader);
        witness.assert_one();
    }
}

//! The audit's lines in the system's log, read from a socket as a syslog daemon does; and what is not done when it does not listen.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::bench::{Bench, PATIENCE};
use crate::host::Host;
use crate::permission::{config, state};

const OPERATE: &str = "[[operate]]\nclusters = [\"act*\"]\ngroups = [\"dba\"]\n";

/// Somebody who listens, as a daemon does: everybody may write to it.
fn daemon(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o666)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn message(daemon: &UnixDatagram) -> String {
    let mut bytes = vec![0; 1 << 20];
    let length = daemon.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

/// The message apart: the priority, the name, and the text after the number of the process.
fn parts(message: &str) -> (&str, &str, &str) {
    let (priority, rest) = message.strip_prefix('<').unwrap().split_once('>').unwrap();
    // "Nov 26 16:40:00 " has 16 characters.
    let (tag, text) = rest[16..].split_once(": ").unwrap();
    (priority, tag.split_once('[').unwrap().0, text)
}

#[test]
fn each_line_of_the_audit_is_a_message_and_nothing_is_done_when_it_must_be_taken_and_is_not() {
    if !rustix::process::getuid().is_root() {
        println!("not root: this needs a mount namespace");
        return;
    }
    let (b, host) = (Bench::take(), Host::start());
    let own = config(&b, &host, "oncall");
    let password = host.path("oncall/rest-password");
    host.give("oncall", &password);
    let socket = host.path("log");
    let reload = ["-c", own.as_str(), "reload", b.scope(), &b.replicas().pop().unwrap(), "--yes"];
    let file = || -> Vec<Value> {
        let text = fs::read_to_string(host.path("audit/audit.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let listens = daemon(&socket);

    host.policy_with(OPERATE, &format!("syslog = {socket:?}\nsyslog_required = true"));
    let told = host.told("oncall", &[], &reload);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    let secret = fs::read_to_string(&password).unwrap();
    for line in file() {
        let message = message(&listens);
        assert!(!message.contains(secret.trim()));
        let (priority, name, text) = parts(&message);
        assert_eq!((priority, name, serde_json::from_str::<Value>(text).unwrap()), ("85", "pgbaton", line));
    }
    // The same by util-linux's own tool: we write what it writes.
    let socket_text = socket.to_str().unwrap();
    let logger = ["-u", socket_text, "-p", "authpriv.notice", "-t", "pgbaton", "--id=1", "{}"];
    assert!(Command::new("logger").args(logger).status().unwrap().success());
    assert_eq!(parts(&message(&listens)), ("85", "pgbaton", "{}"));

    // Nobody listens, and it must be taken: nothing is done, and the file does not claim that anything was.
    drop(listens);
    let before = state(&b);
    let told = host.told("oncall", &[], &reload);
    let why = format!("the audit cannot be sent to syslog: {}: Connection refused (os error 111)", socket.display());
    assert_eq!((told.code, told.sentence()), (Some(3), why.as_str()), "{told:#?}");
    assert_eq!(state(&b), before, "something was done");
    let end = file().pop().unwrap();
    assert_eq!((&end["outcome"], end["sentence"].as_str().unwrap()), (&"REFUSED".into(), format!("nothing was asked for: {why}").as_str()));

    // It need not be taken: that it was not is told, and in the file.
    host.policy_with(OPERATE, &format!("syslog = {socket:?}"));
    let told = host.told("oncall", &[], &reload);
    assert_eq!(told.code, Some(0), "{told:#?}");
    let note = format!("the audit's line was not taken by syslog: {}: Connection refused (os error 111)", socket.display());
    assert_eq!(told.outcome()["notes"][0], note.as_str());
    assert_eq!(file().pop().unwrap()["notes"][0], note.as_str());

    // By their own configuration, where the policy says nothing of it.
    host.policy(OPERATE);
    fs::remove_file(&socket).unwrap();
    let listens = daemon(&socket);
    let text = fs::read_to_string(&own).unwrap();
    fs::write(&own, text.replace("namespace =", &format!("syslog = {socket:?}\nnamespace ="))).unwrap();
    let told = host.told("oncall", &[], &reload);
    assert_eq!(told.code, Some(0), "{told:#?}");
    let lines = [message(&listens), message(&listens)];
    assert!(lines[0].contains("\"event\":\"begin\"") && lines[1].contains("\"event\":\"end\""), "{lines:#?}");
}

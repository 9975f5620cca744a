//! Where the policy wants two persons: nothing is done before another has approved exactly that, and no file of who asked passes for an approval.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Told};
use crate::host::{Host, uid};
use crate::lab::said;
use crate::permission::{config, state};

/// Where requests wait, in the host's own `/etc`.
const FOLDER: &str = "/etc/pgbaton/requests";

/// A cluster and a host on which it needs two persons, `oncall` and `second`.
struct Two {
    b: Bench,
    host: Host,
    own: String,
}

impl Two {
    fn start() -> Self {
        let (b, host) = (Bench::take(), Host::start());
        let own = config(&b, &host, "oncall");
        host.give("oncall", &host.path("oncall/rest-password"));
        let two = Self { b, host, own };
        two.policy("minutes = 60");
        two.host.root(&format!("install -d -m 1770 -g dba {FOLDER}"));
        two
    }

    fn policy(&self, more: &str) {
        self.policy_for("", more);
    }

    /// The same for the operations of this line only.
    fn policy_for(&self, operations: &str, more: &str) {
        let operate = "[[operate]]\nclusters = [\"act*\"]\ngroups = [\"dba\"]\n";
        let second = format!("[[second_person]]\nclusters = [\"act*\"]\n{operations}\n");
        self.host.policy(&format!("{operate}\n{second}\n[requests]\ndir = \"{FOLDER}\"\n{more}\n"));
    }

    /// What `oncall` is told.
    fn oncall(&self, args: &[&str]) -> Told {
        self.host.told("oncall", &[], &[&["-c", &self.own], args].concat())
    }

    /// Asks for something; the request's name.
    fn ask(&self, args: &[&str]) -> String {
        let told = self.oncall(&[args, &["--yes"]].concat());
        assert_eq!(told.code, Some(5), "{told:#?}");
        assert!(told.err.starts_with("ASKED: nothing is done yet; another operator has to approve it until "), "{}", told.err);
        let asked = told.lines.last().unwrap();
        assert_eq!((&asked["event"], &asked["asked_by"]), (&"asked".into(), &"oncall".into()));
        asked["id"].as_str().unwrap().to_owned()
    }

    fn approve(&self, who: &str, login: &str, env: &[(&str, &str)], id: &str) -> Told {
        let args = ["approve", id, "--yes", "--json"];
        Told::of(&self.host.command_behind(login, who, env, &self.host.path("pgbaton"), &args).output().unwrap())
    }

    /// `oncall` wants it done.
    fn run(&self, id: &str) -> Told {
        self.oncall(&["run", id, "--yes"])
    }

    /// It must be refused for this reason.
    fn not_run(&self, id: &str, reason: &str) {
        refused(&self.run(id), reason);
    }

    /// A line of shell as one of them; whether it went well.
    fn shell(&self, who: &str, line: &str) -> bool {
        self.host.command(who, &[], Path::new("/bin/sh"), &["-c", line]).output().unwrap().status.success()
    }

    fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.host.path("audit/audit.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn refused(told: &Told, reason: &str) {
    assert_eq!(told.code, Some(3), "{reason}: {told:#?}");
    assert!(told.sentence().contains(reason), "{reason}: {told:#?}");
}

#[test]
fn what_needs_two_persons_is_done_when_another_has_approved_it_and_no_forgery_counts() {
    if !rustix::process::getuid().is_root() {
        println!("not root: this needs a mount namespace");
        return;
    }
    let two = Two::start();
    let (scope, replica) = (two.b.scope(), two.b.replicas().pop().unwrap());
    let before = state(&two.b);

    // Asked for, and not done, whatever is answered.
    let id = two.ask(&["reload", scope, &replica]);
    let file = |end: &str| format!("{FOLDER}/{id}.{end}");
    two.not_run(&id, &format!("nobody has approved it yet: another operator does by `pgbaton approve {id}`"));
    let listed = two.host.command("second", &[], &two.host.path("pgbaton"), &["approve"]).output().unwrap();
    let line = String::from_utf8(listed.stdout.clone()).unwrap();
    assert!(line.starts_with(&format!("{id}  {scope}: reload of {replica}, asked by oncall, until ")), "{}", said(&listed));

    // Not by who asked, not by who may not, and by nobody who may be the one who asked.
    refused(&two.approve("oncall", "oncall", &[], &id), "oncall asked for it: another person has to approve it");
    let asker = uid("oncall").to_string();
    let by_sudo = [("SUDO_USER", "oncall"), ("SUDO_UID", asker.as_str())];
    refused(&two.approve("second", "second", &by_sudo, &id), "oncall (sudo to second) may be the person who asked for it, as oncall");
    if two.shell("second", &format!("test $(cat /proc/self/loginuid) = {}", uid("second"))) {
        refused(&two.approve("second", "oncall", &[], &id), "second may be the person who asked for it, as oncall");
    } else {
        println!("the kernel keeps no login: whoever became another without a trace is not tried");
    }
    assert!(!two.shell("reader", &format!("cat {}", file("request"))), "the folder is the operators'");

    // Files that say they are another's approval: of the one who asked, by links, by a file that others can write to, by root, by who may not.
    let sha256 = two.audit()[0]["second"]["sha256"].as_str().unwrap().to_owned();
    let forged = |owner: &str| {
        let who =
            serde_json::json!({ "user": owner, "uid": uid(owner), "groups": ["dba"], "sudo_user": null, "ssh_client": null, "host": "x" });
        serde_json::json!({ "approves": sha256, "at": "2026-01-01T00:00:00Z", "who": who }).to_string()
    };
    let approval = file(&format!("approval.{}", uid("second")));
    let text = two.host.path("forged");
    let nobody = "nobody has approved it yet";
    for (owner, prepare, reason) in [
        ("second", format!("install -o oncall -m 644 {} {approval}", text.display()), "it says that user 64503 approved".to_owned()),
        ("oncall", format!("install -o oncall -m 644 {} {approval}", text.display()), "oncall asked for it".to_owned()),
        (
            "reader",
            format!("install -o reader -m 644 {} {approval}", text.display()),
            format!("the policy does not let reader operate {scope}"),
        ),
        ("second", format!("install -o root -m 644 {} {approval}", text.display()), "it says that user 64503 approved".to_owned()),
        ("second", format!("install -o second -m 664 {} {approval}", text.display()), nobody.to_owned()),
        ("second", format!("install -o second -m 644 {} /etc/theirs && ln -s /etc/theirs {approval}", text.display()), nobody.to_owned()),
        ("second", format!("install -o second -m 644 {} /etc/theirs && ln /etc/theirs {approval}", text.display()), nobody.to_owned()),
        ("second", format!("mkfifo {approval} && chown second {approval}"), nobody.to_owned()),
    ] {
        fs::write(&text, forged(owner)).unwrap();
        two.host.root(&format!("rm -f {approval} && {prepare}"));
        two.not_run(&id, &reason);
    }
    // An approval of another request, by the right one.
    fs::write(&text, forged("second").replace(&sha256, &"0".repeat(64))).unwrap();
    two.host.root(&format!("rm -f {approval} && install -o second -m 644 {} {approval}", text.display()));
    two.not_run(&id, "it is of another request");
    // The right one's, of the right text, and yet not by pgbaton: the audit has no word of it.
    fs::write(&text, forged("second")).unwrap();
    two.host.root(&format!("rm -f {approval} && install -o second -m 644 {} {approval}", text.display()));
    two.not_run(&id, "the approval by second does not count: the audit does not have it");
    two.host.root(&format!("rm -f {approval}"));
    assert_eq!(state(&two.b), before, "something was done");

    // Approved by another: only who asked can carry it out, exactly as it was, and once.
    let told = two.approve("second", "second", &[], &id);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    assert!(!two.shell("oncall", &format!("rm -f {approval} || echo > {approval}")), "the folder is not sticky");
    let theirs = config(&two.b, &two.host, "second");
    two.host.give("second", &two.host.path("second/rest-password"));
    refused(&two.host.told("second", &[], &["-c", &theirs, "run", &id, "--yes"]), "only oncall may carry it out, who asked for it");
    assert!(two.shell(
        "oncall",
        &format!("cp {0} ~/kept && sed -i 's/reload/remove/' {0} 2>/dev/null || sed 's/reload/remove/' ~/kept > {0}", file("request"))
    ));
    two.not_run(&id, "it was changed: its name is not the hash of its text");
    assert!(two.shell("oncall", &format!("cat ~/kept > {}", file("request"))));
    let told = two.run(&id);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    assert!(told.err.contains("note: second has approved it"), "{}", told.err);
    two.not_run(&id, "it was carried out before; a request is good for once");
    assert!(two.shell("oncall", &format!("rm -f {}", file("run"))), "the mark is its own");
    two.not_run(&id, "the audit says that it was carried out before");
    // With the whole audit taken away, which who made it can, nothing is approved any more either.
    let file = two.host.path("audit/audit.jsonl").display().to_string();
    assert!(two.shell("oncall", &format!("mv {file} {file}.away")), "it is its own");
    two.not_run(&id, "the approval by second does not count: the audit does not have it");
    assert!(two.shell("oncall", &format!("mv -f {file}.away {file}")));

    // Every step is written down.
    let audit = two.audit();
    let of = |operation: &str, outcome: &str| {
        let ends = audit.iter().filter(|line| line["event"] == "end" && line["operation"] == operation && line["outcome"] == outcome);
        ends.count()
    };
    assert_eq!((of("ask", "DONE"), of("approve", "DONE"), of("reload", "DONE")), (1, 1, 1), "{audit:#?}");
    assert!(of("approve", "REFUSED") >= 2, "{audit:#?}");
    let begin = audit.iter().find(|line| line["event"] == "begin" && line["operation"] == "reload").unwrap();
    assert_eq!(begin["second"], serde_json::json!({ "request": id, "sha256": sha256, "approved_by": "second" }));
}

#[test]
fn what_was_approved_is_not_done_when_it_would_be_another_thing_or_too_late() {
    if !rustix::process::getuid().is_root() {
        println!("not root: this needs a mount namespace");
        return;
    }
    let two = Two::start();
    let (scope, replica) = (two.b.scope(), two.b.replicas().pop().unwrap());
    let approved = |args: &[&str]| {
        let id = two.ask(args);
        let told = two.approve("second", "second", &[], &id);
        assert_eq!(told.code, Some(0), "{told:#?}");
        id
    };
    // Somebody changes the configuration between the approval and the order.
    let edit = approved(&["edit-config", scope, "-s", "maximum_lag_on_failover=2000000"]);
    let pause = approved(&["pause", scope, "--reason", "two of us"]);
    two.b.tool("patronictl", &["edit-config", scope, "-s", "maximum_lag_on_failover=3000000", "--force"]);
    two.not_run(&edit, "somebody changed the configuration meanwhile");
    assert!(two.b.key("config").0.contains("3000000"));
    two.b.tool("patronictl", &["pause", scope, "--wait"]);
    two.not_run(&pause, "the maintenance mode changed since it was asked for");
    two.b.tool("patronictl", &["resume", scope, "--wait"]);
    // What may be a secret is written nowhere.
    let secret = two.oncall(&["edit-config", scope, "-s", "postgresql.parameters.primary_conninfo=geheim", "--yes"]);
    refused(&secret, "postgresql.parameters.primary_conninfo may be a secret, which is not written down for another to read");
    let harmless = two.ask(&["edit-config", scope, "-s", "postgresql.parameters.work_mem=5MB"]);
    let by_hand = format!(
        "sed s/work_mem/primary_conninfo/g {FOLDER}/{harmless}.request > ~/hand && id=$(sha256sum ~/hand | cut -c1-16) && \
         install -m 644 ~/hand {FOLDER}/$id.request && echo $id"
    );
    let made = two.host.command("oncall", &[], Path::new("/bin/sh"), &["-c", &by_hand]).output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    refused(&two.approve("second", "second", &[], made.trim()), "postgresql.parameters.primary_conninfo may be a secret");

    // On the facts on which it was approved it is done; being refused has not used it up.
    let lock = two.host.path(&format!("audit/{scope}.lock"));
    let lock = fs::File::options().append(true).create(true).open(lock).unwrap();
    lock.set_permissions(fs::Permissions::from_mode(0o660)).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    two.not_run(&pause, "another pgbaton on this machine is in the middle of an action");
    drop(lock);
    let told = two.run(&pause);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    assert_eq!(two.b.key_json("config")["pause"], true);
    two.b.tool("patronictl", &["resume", scope, "--wait"]);

    // Who may not give an order to an HAProxy alone may not have a switchover do it either.
    two.policy_for("operations = [\"haproxy\"]", "minutes = 60");
    two.ask(&["switchover", scope, "--assist"]);
    let told = two.oncall(&["reload", scope, &replica, "--yes"]);
    assert_eq!(told.code, Some(0), "{told:#?}");
    two.policy("minutes = 60");

    // The policy says how long, not the file; and a folder in which one could take another's place is none.
    let late = approved(&["reload", scope, &replica]);
    two.policy("minutes = 0");
    two.not_run(&late, "it is over: it was made at ");
    refused(&two.approve("second", "second", &[], &late), "it is over: it was made at ");
    two.policy("");
    for (make, why) in [
        (format!("chmod 770 {FOLDER}"), "without the sticky bit"),
        (format!("chmod 1777 {FOLDER}"), "everybody can write there"),
        (format!("chmod 1770 {FOLDER} && chown oncall {FOLDER}"), "it belongs to user 64502, not to root"),
        (format!("mv {FOLDER} {FOLDER}.moved && chown root {FOLDER}.moved && ln -s {FOLDER}.moved {FOLDER}"), "Not a directory"),
    ] {
        two.host.root(&make);
        refused(&two.oncall(&["reload", scope, &replica, "--yes"]), why);
    }
}

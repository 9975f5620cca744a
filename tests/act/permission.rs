//! Who may not act: a user whom the machine's policy does not name gets no permit by any means of their own, and without a permit the REST
//! API's password is not read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::bench::{Bench, Told};
use crate::host::Host;
use crate::lab::said;

/// A configuration of their own with what reading needs, and the REST API's password in a file of its own.
pub fn config(b: &Bench, host: &Host, who: &str) -> String {
    let mut text = b.config_text();
    let home = host.path(who);
    for (file, own) in [("etcd-password", who), ("pgpass", who), ("rest-password", "root")] {
        let copy = home.join(file);
        fs::copy(b.dir().join(file), &copy).unwrap();
        if own != "root" {
            host.give(own, &copy);
        }
        text = text.replace(b.dir().join(file).to_str().unwrap(), copy.to_str().unwrap());
    }
    let path = home.join("pgbaton.toml");
    fs::write(&path, text).unwrap();
    host.give(who, &path);
    path.to_str().unwrap().to_owned()
}

/// What would have changed if anything had been done.
pub fn state(b: &Bench) -> (u64, u64, String, Vec<String>, usize) {
    let members = b.layout().members();
    let started = members.iter().map(|member| b.started(member)).collect();
    let logs = members.iter().map(|member| fs::read_to_string(b.layout().log_dir(member).join("patroni.log")).unwrap());
    let received = logs.map(|log| log.matches("INFO: received ").count()).sum();
    (b.key("config").1, b.key("failover").1, b.leader(), started, received)
}

fn refused(told: &Told, reason: &str) {
    assert_eq!((told.code, told.sentence()), (Some(3), reason), "{told:#?}");
    assert_eq!(told.lines.len(), 1, "there is not even a plan: {told:#?}");
}

#[test]
fn whom_the_policy_does_not_name_gets_no_permit_by_any_means() {
    if !rustix::process::getuid().is_root() {
        println!("not root: this needs a mount namespace");
        return;
    }
    let b = Bench::take();
    let host = Host::start();
    let scope = b.scope();
    host.policy("[[operate]]\nclusters = [\"act*\"]\ngroups = [\"dba\"]\n\n[[operate]]\nclusters = [\"toy\"]\nusers = [\"reader\"]\n");
    let (own, home) = (config(&b, &host, "reader"), host.path("reader"));
    let leader = b.leader();
    let orders: [&[&str]; 3] =
        [&["switchover", scope, "--yes"], &["restart", scope, &leader, "--yes", "--override", "member"], &["pause", scope, "--yes"]];
    let before = state(&b);
    let not_let = format!("read-only: /etc/pgbaton/policy.toml does not let reader operate {scope}");

    // Files that are called as ours are, where somebody might look who trusts HOME, XDG or the folder one is in.
    let lets = "[[operate]]\nclusters = [\"*\"]\nusers = [\"reader\"]\n";
    for place in ["policy.toml", "etc/pgbaton/policy.toml", ".config/pgbaton/policy.toml", "pgbaton/policy.toml"] {
        fs::create_dir_all(home.join(place).parent().unwrap()).unwrap();
        fs::write(home.join(place), lets).unwrap();
    }
    let there = home.to_str().unwrap();
    let liar = [("USER", "oncall"), ("LOGNAME", "oncall"), ("SUDO_USER", "oncall"), ("SUDO_UID", "64502"), ("SUDO_GID", "64510")];
    let changed = [("HOME", there), ("XDG_CONFIG_HOME", there), ("XDG_CONFIG_DIRS", there), ("XDG_STATE_HOME", there)];
    let no = [("PGBATON_READ_ONLY", "0"), ("PGBATON_POLICY", "policy.toml"), ("PGBATON_CONFIG", own.as_str())];
    for env in [&[][..], &liar, &changed, &no, &[("HOME", "/root")]] {
        for order in orders {
            refused(&host.told("reader", env, &[&["-c", &own], order].concat()), &not_let);
        }
    }
    // The configuration names it otherwise, and says that it may be written to.
    let renamed = home.join("renamed.toml");
    let text = fs::read_to_string(&own).unwrap();
    let table = text.replace(&format!("clusters.{scope}"), "clusters.toy").replace(&format!("default = \"{scope}\""), "default = \"toy\"");
    fs::write(&renamed, table.replace("namespace =", "read_only = false\nnamespace =")).unwrap();
    refused(&host.told("reader", &[], &["-c", renamed.to_str().unwrap(), "switchover", "toy", "--yes"]), &not_let);
    // By another name of the program, and by a link to another's configuration.
    let link = home.join("sudo");
    symlink(host.path("pgbaton"), &link).unwrap();
    symlink(&own, home.join("link.toml")).unwrap();
    let out = host.command("reader", &[], &link, &["-c", "link.toml", "switchover", scope, "--yes", "--json"]).output().unwrap();
    refused(&Told::of(&out), &not_let);

    // Reading works, though the password that only writing needs cannot be read; there is no plan that needs it either.
    let status = host.command("reader", &[], &host.path("pgbaton"), &["-c", &own, "status", "--json"]).output().unwrap();
    assert!(status.status.success() && String::from_utf8_lossy(&status.stdout).contains(&leader), "{}", said(&status));
    let dry = host.told("reader", &[], &["-c", &own, "switchover", scope, "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:#?}");
    let folder: Vec<_> = fs::read_dir(host.path("audit")).unwrap().collect();
    assert!(folder.is_empty() && !home.join(".local/state/pgbaton").exists(), "{folder:?}");
    assert_eq!(state(&b), before, "something was done");

    // Somebody who may is told which file that password is in; with it, it is done, and written down where the policy says.
    let may = config(&b, &host, "oncall");
    let replica = b.replicas().pop().unwrap();
    let reload = ["-c", may.as_str(), "reload", scope, &replica, "--yes"];
    let password = host.path("oncall/rest-password");
    let told = host.told("oncall", &[], &reload);
    assert!(
        told.code == Some(1) && told.err.contains(&format!("restapi.password cannot be read from {}", password.display())),
        "{told:#?}"
    );
    host.give("oncall", &password);
    let told = host.told("oncall", &[], &reload);
    assert_eq!((told.code, &told.outcome()["outcome"]), (Some(0), &"DONE".into()), "{told:#?}");
    let audit = fs::read_to_string(host.path("audit/audit.jsonl")).unwrap();
    let begin: serde_json::Value = serde_json::from_str(audit.lines().next().unwrap()).unwrap();
    assert_eq!((&begin["who"]["user"], &begin["who"]["groups"]), (&"oncall".into(), &serde_json::json!(["dba", "oncall"])));
    assert!(!audit.contains(fs::read_to_string(&password).unwrap().trim()), "the password is in the audit");

    // Whoever may can only take it from themselves, and each way has its reason.
    refused(&host.told("oncall", &[], &[&reload[..], &["--read-only"]].concat()), "read-only: this session was started with --read-only");
    refused(&host.told("oncall", &[("PGBATON_READ_ONLY", "1")], &reload), "read-only: PGBATON_READ_ONLY is set");
    let text = fs::read_to_string(&may).unwrap();
    fs::write(&may, text.replace("namespace =", "read_only = true\nnamespace =")).unwrap();
    refused(&host.told("oncall", &[], &reload), "read-only: the configuration says read_only for this cluster");
    fs::write(&may, text).unwrap();

    // A policy that others could change, or that cannot be understood, lets nobody.
    let unusable = |make: &str, why: &str| {
        host.root(make);
        let told = host.told("oncall", &[], &reload);
        let reason = format!("read-only: nobody may operate while the policy file cannot be used: {why}");
        assert!(told.code == Some(3) && told.sentence().starts_with(&reason), "{make}: {told:#?}");
    };
    let policy = Path::new("/etc/pgbaton/policy.toml");
    let path = policy.display();
    unusable(&format!("chmod 666 {path}"), "/etc/pgbaton/policy.toml is not root's alone to change: its mode is 666");
    unusable(&format!("chmod 600 {path}"), "/etc/pgbaton/policy.toml cannot be read: Permission denied");
    // A link, to a file of theirs, and to one of root's in a folder of theirs.
    host.give("reader", &home.join("policy.toml"));
    unusable(
        &format!("chmod 644 {there}/policy.toml && ln -sf {there}/policy.toml {path}"),
        &format!("{there}/policy.toml is not root's alone to change: it belongs to user"),
    );
    unusable(&format!("chown root {there}/policy.toml"), &format!("{there} is not root's alone to change: it belongs to user"));
    unusable(&format!("ln -sf /nowhere {path}"), "/etc/pgbaton/policy.toml cannot be read");
    unusable(&format!("rm {path} && echo 'operate = 1' > {path} && chmod 644 {path}"), "/etc/pgbaton/policy.toml:1:11: invalid type");
    unusable("chown reader /etc/pgbaton", "/etc/pgbaton is not root's alone to change");
}

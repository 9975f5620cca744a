//! The cluster itself changes: its members, its keys, its etcd, its clock.

use std::fs;
use std::time::Duration;

use pgbaton::document::Level::{Critical, Warning};
use pgbaton::lab::conf;
use pgbaton::lab::files;
use pgbaton::lab::secrets::Owner;
use rustix::process::Signal;

use super::{LEADER_LOST, LOOPBACK, NO_KEY};
use crate::bench::Bench;
use crate::case::{Case, Sign, case};
use crate::lab::until;

const PATIENCE: Duration = Duration::from_secs(60);
/// The member that joins and leaves.
const FOURTH: &str = "psg4";
/// The name that a replica gets.
const RENAMED: &str = "psg9";

pub fn cases() -> Vec<Case> {
    vec![
        case("etcd is compacted under the watch", LOOPBACK, |b| {
            let revision = b.lab.status().cluster.dcs_revision.expect("a revision");
            b.lab.tool("etcdctl", &["compact", &revision.to_string()]);
            b.lab.tool("etcdctl", &["defrag"]);
        })
        .may(&["etcd-slow"])
        .watch_on(5)
        .passes(),
        case("etcd is compacted while every connection to it breaks", LOOPBACK, |b| {
            for member in b.lab.layout().members() {
                b.stop(&format!("{member}/etcd"), Signal::KILL);
                // One that is back within the second is not missed by anybody.
                b.wait_until_told(&["quorum-at-risk"]);
                b.lab.tool("sh", &["-c", "etcdctl compact $(etcdctl get x -w json | sed 's/.*revision\":\\([0-9]*\\).*/\\1/') || true"]);
                b.start(&format!("{member}/etcd"), &[]);
                until("three healthy etcds", PATIENCE, || {
                    let out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| b.lab.tool("etcdctl", &["endpoint", "health"])));
                    if out.is_ok() { Ok(()) } else { Err("not yet".to_owned()) }
                });
            }
        })
        .shows(Warning, "quorum-at-risk", "", Sign::AtOnce)
        .may(&["source-stale", "etcd-slow", "etcd-member-down", "etcd-member-behind"])
        .never(&["split-brain", "no-leader", "quorum-lost", "member-missing"])
        .passes(),
        case("a member is renamed", LOOPBACK, |b| {
            rename(b, RENAMED);
            key_goes(b, &b.roles.replica);
        })
        .shows(Warning, "member-renamed", "{replica}", Sign::AtOnce)
        .within(20)
        .says("{replica} is called psg9 now; its old key in etcd is gone", Sign::Thrown)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["member-down", "replica-not-streaming", "source-stale", "stuck", "timeline-behind", "lag-high"])
        .never(&["split-brain", "no-leader", "quorum-lost", "leader-disagreement", "self-loop-api-url", "member-missing"])
        .watch_on(3)
        .cure(|b| {
            rename(b, &b.roles.replica.clone());
            key_goes(b, RENAMED);
            b.heal();
        })
        .fresh_eyes(),
        case("a member is added", LOOPBACK, add)
            .says("{leader} leads", Sign::AtOnce)
            .may(&["member-down", "replica-not-streaming", "source-stale", "stuck", "lag-high", "no-candidate"])
            .never(&["split-brain", "no-leader", "quorum-lost", "leader-disagreement", "member-missing"])
            .cure(|_| ())
            .passes(),
        case("a member is removed", LOOPBACK, |b| {
            b.stop(&format!("{FOURTH}/patroni"), Signal::TERM);
            key_goes(b, FOURTH);
        })
        .shows(Warning, "member-missing", FOURTH, Sign::Thrown)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["member-down", "source-stale"])
        .never(&["split-brain", "no-leader", "quorum-lost", "leader-disagreement"])
        .cure(|b| {
            pgbaton::lab::process::forget(b.lab.layout(), &format!("{FOURTH}/patroni")).unwrap();
            fs::remove_dir_all(b.lab.layout().node_dir(FOURTH)).unwrap();
            b.heal();
        })
        .fresh_eyes(),
        case("a replica's clock is 90 minutes ahead", LOOPBACK, |b| clock(b, "{replica}", true))
            .says("{leader} leads", Sign::Thrown)
            // Three readings, 5 s apart, must agree on it.
            .shows(Warning, "clock-skew", "{replica}", Sign::Thrown)
            .within(20)
            .may(&["member-down", "member-missing", "replica-not-streaming", "source-stale", "clock-skew", "stuck"])
            .never(&["split-brain", "no-leader", "quorum-lost", "leader-disagreement", "lag-high"])
            .watch_on(8)
            .cure(|b| {
                clock(b, "{replica}", false);
                b.heal();
            })
            .passes()
            .needs(|| faketime().is_some()),
        case("a value in etcd is broken by hand", LOOPBACK, |b| {
            b.lab.tool("etcdctl", &["put", &format!("/service/{}/sync", b.lab.scope()), "{broken"]);
        })
        .shows(Warning, "dcs-value-bad", "sync", Sign::Thrown)
        .may(&["dcs-value-bad", "sync-set-mismatch"])
        .never(&["split-brain", "no-leader", "quorum-lost"])
        .passes()
        .cure(|b| {
            b.lab.tool("etcdctl", &["del", &format!("/service/{}/sync", b.lab.scope())]);
            b.heal();
        }),
        case("the cluster is paused and goes on", LOOPBACK, |b| {
            b.lab.tool("patronictl", &["pause", "--wait"]);
        })
        .core()
        .shows(Warning, "paused", "", Sign::Thrown)
        .says("{leader} leads", Sign::Thrown)
        .never(&["split-brain", "no-leader", "quorum-lost"])
        .cure(|b| {
            b.lab.tool("patronictl", &["resume", "--wait"]);
        }),
        // What was seen last is of a later revision than what etcd holds from now on.
        case("etcd is restored to an older revision", LOOPBACK, restore)
            .shows(Critical, "quorum-lost|source-stale", "", Sign::AtOnce)
            .within(20)
            .may(LEADER_LOST)
            .may(&["paused", "etcd-member-down", "quorum-at-risk", "etcd-member-behind"])
            .never(&["split-brain"])
            .passes()
            .clear_within(45),
        case("the cluster's keys are deleted while it runs", LOOPBACK, |b| {
            b.lab.tool("etcdctl", &["del", "--prefix", &format!("/service/{}/", b.lab.scope())]);
        })
        // The leader takes its key again within 0.2 s, and may be shown as it was before.
        .says("{leader} leads", Sign::Thrown)
        .may(LEADER_LOST)
        .may(&["config-missing"])
        .never(&["split-brain", "quorum-lost"])
        // The leader writes all of them anew, config as well.
        .cure(|b| {
            config_is_back(b);
            b.heal();
        })
        .passes()
        .clear_within(45),
        // The leader would write it anew at its next loop.
        case("the key config is deleted while the leader's Patroni hangs", LOOPBACK, |b| {
            b.fault(&["freeze-patroni", "{leader}"]);
            b.lab.tool("etcdctl", &["del", &format!("/service/{}/config", b.lab.scope())]);
        })
        .shows(Warning, "config-missing", "", Sign::Thrown)
        .says("{leader}", Sign::AtOnce)
        .may(LEADER_LOST)
        .never(&["split-brain", "quorum-lost", "dcs-value-bad", "config-unsafe"])
        .watch_on(2)
        .cure(|b| {
            let key = b.roles.fill("{leader}/patroni");
            pgbaton::lab::process::running(b.lab.layout(), &key).unwrap().signal(Signal::CONT).unwrap();
            config_is_back(b);
            b.heal();
        }),
        case("the cluster is removed and bootstrapped anew", LOOPBACK, bootstrap)
            .shows(Critical, "no-leader", "", NO_KEY)
            .says("gone from etcd|holds no cluster", NO_KEY)
            .may(LEADER_LOST)
            .never(&["split-brain", "quorum-lost"])
            .passes()
            .cure(|_| ())
            .clear_within(45),
    ]
}

/// Stops a replica's Patroni, gives it this name, and starts it.
fn rename(bench: &mut Bench, name: &str) {
    let path = conf::patroni::path(bench.lab.layout(), &bench.roles.replica);
    bench.stop("{replica}/patroni", Signal::TERM);
    let lines: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|l| if l.starts_with("name:") { format!("name: {name}") } else { l.to_owned() })
        .collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    bench.start("{replica}/patroni", &[]);
    let replica = bench.roles.replica.clone();
    bench.wait("the renamed member to stream", |t| t.rest.get(&replica).is_some_and(|r| r.3 == "streaming"));
}

/// Waits until a member's key is gone: Patroni leaves it to its lease when it is stopped.
fn key_goes(bench: &Bench, member: &str) {
    let key = format!("/service/{}/members/{member}", bench.lab.scope());
    until("the end of the key", PATIENCE, || {
        let value = bench.lab.tool("etcdctl", &["get", "--keys-only", &key]);
        if value.trim().is_empty() { Ok(()) } else { Err(value) }
    });
}

/// Waits until the leader has written the key config anew, as it was.
fn config_is_back(bench: &Bench) {
    let key = format!("/service/{}/config", bench.lab.scope());
    until("the key config", PATIENCE, || {
        let value = bench.lab.tool("etcdctl", &["get", "--print-value-only", &key]);
        if value.contains("\"ttl\":20") { Ok(()) } else { Err(value) }
    });
}

/// Starts a fourth member, with neither an etcd nor a place in the HAProxies.
fn add(bench: &mut Bench) {
    let lab = bench.lab.layout();
    let owner = &lab.record.account;
    for dir in [lab.node_dir(FOURTH), lab.log_dir(FOURTH), lab.node_dir(FOURTH).join("run")] {
        files::make_dir(&dir, 0o755, owner).unwrap();
    }
    files::make_dir(&lab.data_dir(FOURTH), 0o700, owner).unwrap();
    let yaml = conf::patroni::yaml(lab, &lab.secrets().unwrap(), FOURTH).unwrap();
    files::write(&conf::patroni::path(lab, FOURTH), &yaml, files::PRIVATE, owner).unwrap();
    // The console's password for it.
    let passwords = fs::read_to_string(lab.pgpass()).unwrap();
    let (one, another) = (format!("{}:", lab.ip("psg1")), format!("{}:", lab.ip(FOURTH)));
    let more: String = passwords.lines().filter(|l| l.starts_with(&one)).map(|l| format!("{}\n", l.replace(&one, &another))).collect();
    fs::write(lab.pgpass(), passwords + &more).unwrap();
    bench.start(&format!("{FOURTH}/patroni"), &[]);
    until("the fourth member to stream", PATIENCE, || {
        let document = bench.lab.status();
        let there = document.members.iter().any(|m| m.name == FOURTH && m.state.as_deref() == Some("streaming"));
        if there { Ok(()) } else { Err(format!("{:?}", document.members.iter().map(|m| (&m.name, &m.state)).collect::<Vec<_>>())) }
    });
}

/// The library of Debian's package `libfaketime`, if it is installed.
fn faketime() -> Option<String> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let libraries = folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|library| library.exists());
    libraries.map(|library| library.to_string_lossy().into_owned())
}

/// Starts Patroni and PostgreSQL of a member anew, with a wrong clock or the right one.
fn clock(bench: &mut Bench, member: &str, wrong: bool) {
    let library = faketime().expect("asked for before");
    let env = [("LD_PRELOAD", library.as_str()), ("FAKETIME", "+90m"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    bench.stop(&format!("{member}/patroni"), Signal::TERM);
    bench.start(&format!("{member}/patroni"), if wrong { &env } else { &[] });
    let member = bench.roles.fill(member);
    bench.wait("the member to stream again", |t| t.rest.get(&member).is_some_and(|r| r.3 == "streaming"));
}

/// A snapshot of etcd; then the cluster is paused and much is written; then the snapshot is put back.
fn restore(bench: &mut Bench) {
    let lab = bench.lab.layout();
    let members = lab.members();
    let snapshot = bench.write("snapshot.db", "");
    fs::remove_file(&snapshot).unwrap();
    let file = snapshot.to_string_lossy().into_owned();
    // A snapshot is taken from one endpoint, and the variable that names all may not stand beside the option.
    let one = ["-u", "ETCDCTL_ENDPOINTS", "etcdctl", "--endpoints", &lab.etcd_url(&members[0]), "snapshot", "save", &file];
    bench.lab.tool("env", &one);
    bench.lab.tool("patronictl", &["pause", "--wait"]);
    bench.lab.tool("sh", &["-c", "for i in $(seq 100); do etcdctl put /elsewhere/$i x >/dev/null; done"]);
    for member in &members {
        bench.stop(&format!("{member}/etcd"), Signal::KILL);
    }
    // On a fast machine they would be back before it counts.
    bench.wait_until_told(&["quorum-lost", "source-stale"]);
    let peer = |m: &String| format!("http://{}:2380", lab.ip(m));
    let cluster: Vec<String> = members.iter().map(|m| format!("{m}={}", peer(m))).collect();
    for member in &members {
        let data = lab.node_dir(member).join("etcd");
        fs::remove_dir_all(&data).unwrap();
        let token = format!("restored-{}", lab.record.name);
        let (name, dir) = (member.as_str(), data.to_string_lossy().into_owned());
        let (peer, cluster) = (peer(member), cluster.join(","));
        let options = ["--name", name, "--initial-advertise-peer-urls", &peer, "--initial-cluster", &cluster];
        let rest = ["--initial-cluster-token", &token, "--data-dir", &dir];
        bench.lab.tool("etcdctl", &[&["snapshot", "restore", &file], &options[..], &rest[..]].concat());
        let owner = format!("{}:{}", lab.record.account.uid, lab.record.account.gid);
        bench.lab.tool("chown", &["-R", &owner, &dir]);
    }
    for member in &members {
        bench.start(&format!("{member}/etcd"), &[]);
    }
}

/// All Patronis and PostgreSQLs are killed, the data and the keys removed, and the Patronis started: they make a new cluster.
fn bootstrap(bench: &mut Bench) {
    let lab = bench.lab.layout();
    for member in lab.members() {
        bench.stop(&format!("{member}/patroni"), Signal::KILL);
        for process in pgbaton::lab::scan::postgres(&lab.data_dir(&member)) {
            process.signal(Signal::KILL).unwrap();
        }
    }
    bench.lab.tool("etcdctl", &["del", "--prefix", &format!("/service/{}/", bench.lab.scope())]);
    bench.wait("no PostgreSQL", |t| t.recovery.is_empty());
    for member in lab.members() {
        let data = lab.data_dir(&member);
        fs::remove_dir_all(&data).unwrap();
        files::make_dir(&data, 0o700, &lab.record.account).unwrap();
        bench.start(&format!("{member}/patroni"), &[]);
    }
    bench.wait("three members of the new cluster", |t| t.recovery.len() == 3 && t.primaries().len() == 1);
    let leader = bench.witness.now().primaries()[0].to_owned();
    let secrets = lab.secrets().unwrap();
    let password = secrets.expose(Owner::Console).unwrap();
    bench.lab.sql(&leader, &format!("CREATE ROLE pgbaton LOGIN PASSWORD '{password}'; GRANT pg_monitor TO pgbaton"));
}

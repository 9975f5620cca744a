//! Doors that are shut to us: passwords, certificates, `pg_hba`. The cluster is well all the time, and nothing may be said to the contrary.

use std::fs;
use std::path::PathBuf;

use pgbaton::document::Level::{Critical, Unknown, Warning};
use rustix::process::Signal;

use super::{LOCKED, PLAIN};
use crate::bench::Bench;
use crate::case::{Case, Sign, case};

/// What would be said of the cluster, though the fault is with us.
const NEVER: &[&str] = &[
    "split-brain",
    "no-leader",
    "no-candidate",
    "quorum-lost",
    "member-down",
    "member-missing",
    "leader-silent",
    "leader-disagreement",
    "leader-cannot-write",
    "route-none",
    "route-wrong",
    "replica-not-streaming",
];

pub fn cases() -> Vec<Case> {
    vec![
        case("a wrong password for PostgreSQL", PLAIN, |b| {
            let passwords = fs::read_to_string(b.lab.layout().pgpass()).unwrap();
            let wrong: String = passwords.lines().map(|l| format!("{}:wrong\n", l.rsplit_once(':').unwrap().0)).collect();
            let path = b.write("pgpass", &wrong);
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            let right = b.lab.layout().pgpass();
            b.watch_with(|config| config.replace(&*right.to_string_lossy(), &path.to_string_lossy()));
        })
        .shows(Warning, "source-stale", "sql", Sign::AtOnce)
        .says("{leader} leads", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("pg_hba of the leader rejects us", PLAIN, |b| hba(b, true))
            .shows(Warning, "source-stale", "sql", Sign::Thrown)
            .within(8)
            .says("{leader} leads", Sign::AtOnce)
            .never(NEVER)
            .watch_on(3)
            .cure(|b| {
                hba(b, false);
                b.heal();
            }),
        case("a HAProxy wants a password for its page", PLAIN, |b| {
            let path = pgbaton::lab::conf::haproxy::path(b.lab.layout(), "vm1");
            let config = fs::read_to_string(&path).unwrap();
            let locked = config.replace("stats enable", "stats enable\n    stats auth someone:else");
            assert_ne!(config, locked, "{config}");
            fs::write(&path, locked).unwrap();
            let master = pgbaton::lab::process::running(b.lab.layout(), "vm1/haproxy").unwrap();
            master.signal(Signal::USR2).unwrap();
        })
        .shows(Warning, "source-stale", "haproxy", Sign::Thrown)
        .within(10)
        .says("{leader} leads", Sign::AtOnce)
        .may(&["routes-differ"])
        .never(NEVER)
        .cure(|b| {
            // The lab's own cure waits for a page that it may not see yet.
            let path = pgbaton::lab::conf::haproxy::path(b.lab.layout(), "vm1");
            fs::write(&path, pgbaton::lab::conf::haproxy::config(b.lab.layout(), "vm1")).unwrap();
            pgbaton::lab::process::running(b.lab.layout(), "vm1/haproxy").unwrap().signal(Signal::USR2).unwrap();
            b.heal();
        }),
        case("a wrong CA for all", LOCKED, |b| {
            let (right, wrong) = (b.lab.layout().cert("ca"), another_ca(b));
            b.watch_with(|config| config.replace(&*right.to_string_lossy(), &wrong.to_string_lossy()));
        })
        .shows(Unknown, "source-stale", "dcs", Sign::AtOnce)
        .says("etcd cannot be read", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("a wrong CA for the REST APIs", LOCKED, |b| {
            let (right, wrong) = (b.lab.layout().cert("ca"), another_ca(b));
            b.watch_with(|config| in_section(&config, "restapi", &right.to_string_lossy(), &wrong.to_string_lossy()));
        })
        .shows(Warning, "source-stale", "rest", Sign::AtOnce)
        .says("{leader} leads", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("no client certificate for the REST APIs", LOCKED, |b| {
            b.watch_with(|config| without_certificate(&config, "restapi"));
        })
        .shows(Warning, "source-stale", "rest", Sign::AtOnce)
        .says("{leader} leads", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("no client certificate for etcd", LOCKED, |b| {
            b.watch_with(|config| without_certificate(&config, "etcd"));
        })
        .shows(Unknown, "source-stale", "dcs", Sign::AtOnce)
        .says("etcd cannot be read", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("an expired client certificate for all", LOCKED, |b| {
            let layout = b.lab.layout();
            let pair = [(layout.cert("client"), layout.cert("expired")), (layout.key("client"), layout.key("expired"))];
            b.watch_with(|config| {
                pair.iter().fold(config, |text, (right, wrong)| text.replace(&*right.to_string_lossy(), &wrong.to_string_lossy()))
            });
        })
        .shows(Unknown, "source-stale", "dcs", Sign::AtOnce)
        .says("etcd cannot be read|our certificate", Sign::AtOnce)
        .may(&["certificate-expiring"])
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("a wrong password for etcd", LOCKED, |b| {
            let (right, wrong) = (b.lab.dir().join("etcd-password"), b.write("etcd-password", "wrong"));
            b.watch_with(|config| config.replace(&*right.to_string_lossy(), &wrong.to_string_lossy()));
        })
        .shows(Unknown, "source-stale", "dcs", Sign::AtOnce)
        .says("etcd cannot be read", Sign::AtOnce)
        .never(NEVER)
        .watch_on(3)
        .cure(|_| ())
        .fresh_eyes(),
        case("expire-certificate on a replica", LOCKED, |b| b.fault(&["expire-certificate", "{replica}"]))
            .shows(Warning, "source-stale|certificate-expiring", "", Sign::Seen(|t, r| !t.rest.contains_key(&r.replica)))
            .says("{leader} leads", Sign::AtOnce)
            .may(&[
                "source-stale",
                "member-down",
                "certificate-expiring",
                "quorum-at-risk",
                "etcd-member-down",
                "failure-domain",
                "route-none",
            ])
            .never(&["split-brain", "no-leader", "quorum-lost", "member-missing", "leader-disagreement"])
            .watch_on(5),
        // HAProxy's checks verify the certificate too: it drops the leader.
        case("expire-certificate on the leader", LOCKED, |b| b.fault(&["expire-certificate", "{leader}"]))
            .shows(Critical, "route-none", "vm1 pg_write", Sign::Thrown)
            .within(8)
            .says("{leader} leads|{leader} has the key", Sign::AtOnce)
            .may(&[
                "source-stale",
                "member-down",
                "certificate-expiring",
                "quorum-at-risk",
                "etcd-member-down",
                "failure-domain",
                "leader-silent",
            ])
            .never(&["split-brain", "no-leader", "quorum-lost", "member-missing"])
            .watch_on(5),
    ]
}

/// A CA that has signed nothing here.
fn another_ca(bench: &Bench) -> PathBuf {
    let certified = rcgen::generate_simple_self_signed(vec!["another.test".to_owned()]).unwrap();
    bench.write("another-ca.pem", &certified.cert.pem())
}

/// Replaces something within one section of the cluster.
fn in_section(config: &str, name: &str, from: &str, to: &str) -> String {
    let begin = config.find(&format!(".{name}]")).expect("the section is there");
    let end = config[begin..].find("\n[").map_or(config.len(), |n| begin + n);
    format!("{}{}{}", &config[..begin], config[begin..end].replace(from, to), &config[end..])
}

/// A section without its client certificate.
fn without_certificate(config: &str, name: &str) -> String {
    let begin = config.find(&format!(".{name}]")).expect("the section is there");
    let end = config[begin..].find("\n[").map_or(config.len(), |n| begin + n);
    let kept: Vec<&str> = config[begin..end].lines().filter(|l| !l.starts_with("certfile") && !l.starts_with("keyfile")).collect();
    format!("{}{}\n{}", &config[..begin], kept.join("\n"), &config[end..])
}

/// Rejects the console's user on the leader, in the file itself as a hand would, and ends its sessions.
fn hba(bench: &Bench, reject: bool) {
    const LINE: &str = "host all pgbaton all reject\n";
    let data = bench.lab.layout().data_dir(&bench.roles.leader);
    let path = data.join("pg_hba.conf");
    let text = fs::read_to_string(&path).unwrap().replace(LINE, "");
    fs::write(&path, if reject { format!("{LINE}{text}") } else { text }).unwrap();
    bench.lab.sql(&bench.roles.leader, "SELECT pg_reload_conf()");
    bench.lab.sql(&bench.roles.leader, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'pgbaton'");
}

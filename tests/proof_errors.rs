//! What goes wrong is said in its place, in words that tell what to do, and nothing else stops: the real program on a real lab.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod patroni;
}

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use common::lab::{TestLab, member, pgbaton, said, source, status_with, until};
use common::patroni::{FakePatroni, REPLICA, http};
use pgbaton::document::{Document, Level};

const PATIENCE: Duration = Duration::from_secs(30);

/// A lab whose etcd and REST APIs want certificates, and whose etcd wants a user; and a folder for broken configurations.
struct Place {
    lab: TestLab,
    folder: tempfile::TempDir,
}

#[test]
fn every_fault_is_said_in_its_place_and_nothing_else_stops() {
    let lab = TestLab::up("proof-errors", &["--tls", "--auth"]);
    let place = Place { lab, folder: tempfile::tempdir().unwrap() };
    let healthy = place.lab.status();
    assert_eq!((healthy.headline.level, healthy.members.len()), (Level::Ok, 3), "{:#?}", healthy.findings);
    wrong_postgres_password(&place);
    wrong_etcd_password(&place);
    unknown_host_and_refused_port(&place);
    expired_certificate(&place);
    truncated_body(&place);
    not_json_in_the_dcs(&place);
    typo_in_the_configuration(&place);
    a_certificate_that_only_orders_need(&place);
    // None of it has done any harm.
    let after = place.lab.status();
    assert_eq!((after.headline.level, after.findings.len()), (Level::Ok, 0), "{:#?}", after.findings);
}

impl Place {
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The lab's configuration with something replaced.
    fn config(&self, name: &str, from: &str, to: &str) -> PathBuf {
        let text = self.lab.config_text();
        assert!(text.contains(from), "{from} is not in {text}");
        self.file(name, &text.replace(from, to))
    }

    fn status(&self, config: &std::path::Path) -> (Output, Document) {
        let out = pgbaton().arg("-c").arg(config).args(["status", "--json"]).output().unwrap();
        let document = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)));
        (out, document)
    }

    /// etcdctl as the user who may write.
    fn put(&self, key: &str, value: &str) {
        let key = format!("/service/{}/{key}", self.lab.scope());
        self.etcdctl(&["put", &key, value]);
    }

    fn delete(&self, key: &str) {
        let key = format!("/service/{}/{key}", self.lab.scope());
        self.etcdctl(&["del", &key]);
    }

    fn etcdctl(&self, args: &[&str]) {
        // What `lab env` exports is the way in for etcdctl, certificates and user included.
        self.lab.tool("etcdctl", args);
    }
}

/// Every source but those named answers, and every member's columns but those of the named are full.
fn all_but(document: &Document, silent: &[(&str, &str)]) {
    for source in &document.sources {
        let named = silent.iter().any(|(name, target)| source.name == *name && source.target == *target);
        assert_eq!(source.fresh, !named, "{source:#?}");
    }
    for ours in document.members.iter().filter(|m| m.name.starts_with("psg")) {
        let without = |kind: &str| silent.iter().any(|(name, target)| *name == kind && *target == ours.name);
        assert!(ours.state.is_some() && ours.timeline.is_some() && ours.present, "{ours:#?}");
        assert!(without("rest") || ours.rest.rtt_ms.is_some(), "{ours:#?}");
        if !without("sql") {
            assert!(ours.in_recovery.is_some() && ours.sessions.is_some() && ours.postmaster_start.is_some(), "{ours:#?}");
        }
        if ours.in_recovery == Some(true) {
            assert!(ours.replay_lag_bytes.is_some() && ours.upstream.is_some(), "{ours:#?}");
        }
    }
    assert!(document.routes.iter().all(|route| route.right == Some(true)), "{:#?}", document.routes);
    assert!(document.cluster.leader.is_some() && document.cluster.lease_ttl_seconds.is_some());
}

fn finding<'a>(document: &'a Document, code: &str, says: &str) -> &'a pgbaton::document::FindingDoc {
    let found = document.findings.iter().find(|f| f.code == code && f.sentence.contains(says));
    found.unwrap_or_else(|| panic!("no {code} that says {says:?}: {:#?}", document.findings))
}

fn wrong_postgres_password(place: &Place) {
    let replica = place.lab.replicas().remove(0);
    let host = place.lab.layout().ip(&replica).to_string();
    let right = fs::read_to_string(place.lab.layout().pgpass()).unwrap();
    let line = |line: &str| {
        if line.starts_with(&format!("{host}:5432:*:pgbaton:")) { format!("{host}:5432:*:pgbaton:geheim42") } else { line.to_owned() }
    };
    let wrong = place.file("pgpass", &right.lines().map(line).collect::<Vec<_>>().join("\n"));
    let lab_file = place.lab.layout().pgpass();
    let config = place.config("password.toml", lab_file.to_str().unwrap(), wrong.to_str().unwrap());
    let (out, document) = place.status(&config);
    assert!(out.status.success(), "{}", said(&out));
    let error = source(&document, "sql", &replica).error.clone().expect("its PostgreSQL cannot be asked");
    assert!(error.contains(&host) && error.contains("does not accept the password of \"pgbaton\""), "{error}");
    assert!(!said(&out).contains("geheim42"), "a password is in what is printed");
    assert_eq!(member(&document, &replica).sql.error.as_deref().map(|e| error.starts_with(e)), Some(true));
    finding(&document, "source-stale", &replica);
    all_but(&document, &[("sql", &replica)]);
}

fn wrong_etcd_password(place: &Place) {
    let wrong = place.file("etcd-password", "geheim43");
    let right = place.lab.dir().join("etcd-password");
    let config = place.config("etcd.toml", right.to_str().unwrap(), wrong.to_str().unwrap());
    let (out, document) = place.status(&config);
    let error = source(&document, "dcs", place.lab.scope()).error.clone().expect("the keys cannot be read");
    assert!(error.contains("etcd does not accept the user \"pgbaton\" with this password"), "{error}");
    assert!(!said(&out).contains("geheim43"), "a password is in what is printed");
    // Without the keys there is no picture of the cluster, and it is not called bad for that.
    assert_eq!((out.status.code(), document.headline.level), (Some(1), Level::Unknown), "{:?}", document.headline);
    assert!(document.headline.verdict.contains("with this password"), "{:?}", document.headline);
    // What needs no login goes on.
    assert!(document.routes.len() == 4 && document.routes.iter().all(|r| r.asked.fresh && !r.up.is_empty()), "{:#?}", document.routes);
    let check = pgbaton().arg("-c").arg(&config).arg("check").output().unwrap();
    assert_eq!(check.status.code(), Some(3), "{}", said(&check));
}

fn unknown_host_and_refused_port(place: &Place) {
    let first = format!("\"{}\"", place.lab.layout().etcd_url("psg1"));
    let dead = "https://no-such-host.invalid:2379";
    let refused = format!("https://{}:1", place.lab.layout().ip("psg1"));
    let config = place.config("hosts.toml", &first, &format!("{dead:?}, {refused:?}, {first}"));
    let text = fs::read_to_string(&config).unwrap();
    let proxy = format!("http://{}:2/", place.lab.layout().ip("vm1"));
    fs::write(&config, format!("{text}\n[[clusters.{}.haproxy]]\nname = \"vm9\"\nstats = {proxy:?}\n", place.lab.scope())).unwrap();
    let document = status_with(&config);
    let of =
        |name: &str, target: &str| source(&document, name, target).error.clone().unwrap_or_else(|| panic!("{name} {target} has no error"));
    assert!(of("etcd", dead).contains("the host name no-such-host.invalid cannot be resolved"), "{}", of("etcd", dead));
    assert!(of("etcd", &refused).contains("connection refused by"), "{}", of("etcd", &refused));
    assert!(of("haproxy", "vm9").contains("connection refused by"), "{}", of("haproxy", "vm9"));
    finding(&document, "source-stale", "vm9");
    assert_eq!((document.etcd.quorum, document.etcd.healthy, document.etcd.size), (Some(true), 3, Some(3)));
    let routes: Vec<_> = document.routes.iter().filter(|r| r.instance != "vm9").cloned().collect();
    all_but(&Document { routes, ..document }, &[("etcd", dead), ("etcd", &refused), ("haproxy", "vm9")]);
}

/// Our own certificate has expired, for the REST APIs only.
fn expired_certificate(place: &Place) {
    let (layout, text) = (place.lab.layout(), place.lab.config_text());
    let (before, rest) = text.split_once(".restapi]").expect("a section of the REST API");
    let (section, after) = rest.split_once("\n[").expect("a section after it");
    let expired = pgbaton::lab::tls::EXPIRED;
    let section = section
        .replace(layout.cert("client").to_str().unwrap(), layout.cert(expired).to_str().unwrap())
        .replace(layout.key("client").to_str().unwrap(), layout.key(expired).to_str().unwrap());
    let config = place.file("expired.toml", &format!("{before}.restapi]{section}\n[{after}"));
    let document = status_with(&config);
    let members = layout.members();
    for name in &members {
        let error = source(&document, "rest", name).error.clone().expect("the REST API does not let us in");
        assert!(error.contains("our certificate has expired"), "{error}");
        assert!(member(&document, name).sql.fresh && member(&document, name).in_recovery.is_some());
    }
    assert!(document.sources.iter().filter(|s| s.name != "rest").all(|s| s.fresh), "{:#?}", document.sources);
}

fn truncated_body(place: &Place) {
    let cut = &REPLICA[..REPLICA.len() / 2];
    let fake = FakePatroni::saying(&http("200 OK", cut));
    place.put(
        "members/ghost",
        &format!(r#"{{"conn_url":"postgres://127.0.0.1:1/postgres","api_url":"{}","state":"running","role":"replica"}}"#, fake.api_url()),
    );
    let document = place.lab.status();
    let error = source(&document, "rest", "ghost").error.clone().expect("its answer is cut");
    assert!(error.contains("GET /patroni of 127.0.0.1") && error.contains("EOF while parsing"), "{error}");
    let error = source(&document, "sql", "ghost").error.clone().expect("nobody listens there");
    assert!(error.contains("connection refused by 127.0.0.1:1"), "{error}");
    let ghost = member(&document, "ghost");
    assert_eq!((ghost.state.as_deref(), ghost.replay_lag_bytes, ghost.in_recovery), (None, None, None));
    finding(&document, "source-stale", "ghost");
    all_but(&document, &[("rest", "ghost"), ("sql", "ghost")]);
    place.delete("members/ghost");
}

fn not_json_in_the_dcs(place: &Place) {
    place.put("members/scribble", "running, I think");
    place.put("failsafe", "{\"psg1\": ");
    let document = place.lab.status();
    finding(&document, "dcs-value-bad", "members/scribble is not JSON");
    finding(&document, "dcs-value-bad", "failsafe is not JSON");
    let error = member(&document, "scribble").dcs.error.clone().expect("its key cannot be read");
    assert!(error.contains("not JSON"), "{error}");
    assert_eq!((document.headline.level, document.members.len()), (Level::Warning, 4));
    // Its key gives no address at which it could be asked.
    all_but(&document, &[("rest", "scribble"), ("sql", "scribble")]);
    place.delete("members/scribble");
    place.delete("failsafe");
    until("the end of the two keys", PATIENCE, || {
        let document = place.lab.status();
        if document.findings.is_empty() { Ok(()) } else { Err(format!("{:#?}", document.findings)) }
    });
}

fn typo_in_the_configuration(place: &Place) {
    let config = place.config("typo.toml", "namespace = ", "namepace = ");
    let line = fs::read_to_string(&config).unwrap().lines().position(|l| l.starts_with("namepace")).unwrap() + 1;
    let at = format!("{}:{line}:1: unknown key `namepace`", config.display());
    for command in [["status", "--json"].as_slice(), &["check"], &["events"], &["config", "check"]] {
        let mut run = pgbaton();
        if command == ["config", "check"] {
            run.args(command).arg(&config)
        } else {
            run.arg("-c").arg(&config).args(command)
        };
        let out = run.output().unwrap();
        assert_eq!(out.status.code(), Some(if command == ["check"] { 3 } else { 1 }), "{command:?}: {}", said(&out));
        assert!(said(&out).contains(&at) && said(&out).contains("did you mean `namespace`?"), "{command:?}: {}", said(&out));
    }
}

/// With `verify_client: optional` Patroni asks for our certificate only when something is to be done. A pipe that nobody fills would hold up
/// whoever opens it.
fn a_certificate_that_only_orders_need(place: &Place) {
    let (lab, pipe) = (&place.lab, place.folder.path().join("pipe"));
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
    for name in lab.layout().members() {
        let file = lab.layout().node_dir(&name).join("patroni.yml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("verify_client: required", "verify_client: optional")).unwrap();
    }
    lab.tool("patronictl", &["reload", lab.scope(), "--force"]);
    let text = lab.config_text();
    let (etcd, rest) = text.split_once(".restapi]\n").unwrap();
    let line = |key: &str| rest.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let (certfile, keyfile) = (line("certfile = "), line("keyfile = "));
    let ours = format!("{certfile}\n{keyfile}\n");
    assert!(rest.starts_with("cacert = ") && rest.contains(&ours) && etcd.contains(&ours), "{text}");
    let pipes = format!("operate_certfile = {pipe:?}\noperate_keyfile = {pipe:?}\n");
    let piped = place.file(
        "piped.toml",
        &format!("{}.restapi]\n{}", etcd.replacen(&ours, &format!("{ours}{pipes}"), 1), rest.replacen(&ours, &pipes, 1)),
    );
    let without = place.file("without.toml", &format!("{etcd}.restapi]\n{}", rest.replacen(&ours, "", 1)));
    let operate = place.file(
        "operate.toml",
        &format!("{etcd}.restapi]\n{}", rest.replacen(&ours, &format!("operate_{certfile}\noperate_{keyfile}\n"), 1)),
    );
    let leader = lab.leader();
    let command = |config: &std::path::Path, args: &[&str]| {
        let mut command = pgbaton();
        command.arg("-c").arg(config).args(args).env("XDG_STATE_HOME", place.folder.path()).env_remove("PGBATON_READ_ONLY");
        command
    };
    // Reading opens neither, and has everything; nor does an order that is refused for want of a permit.
    until("the reading without a certificate", PATIENCE, || {
        let (out, document) = place.status(&piped);
        let fresh = |name: &String| source(&document, "rest", name).error.is_none();
        if lab.layout().members().iter().all(fresh) { Ok(()) } else { Err(said(&out)) }
    });
    let refused = command(&piped, &["--read-only", "reload", lab.scope(), &leader, "--yes"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    let shown = command(&piped, &["config"]).output().unwrap();
    assert!(said(&shown).contains("restapi.operate_keyfile") && said(&shown).contains("etcd.operate_keyfile"), "{}", said(&shown));
    // An order does: somebody is at the other end of the pipe then.
    let mut order = command(&piped, &["reload", lab.scope(), &leader, "--yes"]).spawn().unwrap();
    until("somebody who opens the pipe", PATIENCE, || {
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::open(&pipe, flags, rustix::fs::Mode::empty()).map(drop).map_err(|errno| errno.to_string())
    });
    order.kill().unwrap();
    order.wait().unwrap();
    // Patroni wants it for an order, and with it the order is taken.
    let refused = command(&without, &["reload", lab.scope(), &leader, "--yes"]).output().unwrap();
    assert!(refused.status.code() == Some(3) && said(&refused).contains("403 client certificate required"), "{}", said(&refused));
    let done = command(&operate, &["reload", lab.scope(), &leader, "--yes"]).output().unwrap();
    assert!(done.status.success() && said(&done).contains("DONE: "), "{}", said(&done));
}

//! The doctor on a real cluster, read on its nodes by their own sshd: of the practice cluster as it is it finds that its machine has no watchdog, and no
//! more; of Patroni's sample of an HAProxy's configuration it says how long two leaders are UP together, and switchovers show that it is so.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::lab::{TestLab, pgbaton, said, until};
use common::pty::Pty;
use pgbaton::lab::conf::haproxy;
use pgbaton::lab::process;
use rustix::process::Signal;
use serde_json::Value;

/// The HAProxies of the practice cluster.
const PROXIES: [&str; 2] = ["vm1", "vm4"];
/// The write backend's timing in the practice cluster, and in Patroni's documents.
const OURS: &str = "inter 1s fastinter 500ms downinter 1s fall 2 rise 4";
const SAMPLE: &str = "inter 3s fall 3 rise 2";
/// How long a change of the configuration takes: a loop of each Patroni, and a reading of each source.
const CHANGE: Duration = Duration::from_secs(60);
/// What cannot be known of a cluster from outside.
const OPEN: [&str; 2] = ["etcd-election", "watchdog"];
/// What stands in an HAProxy's configuration and must be seen nowhere else.
const SECRET: &str = "S3cr3t-of-the-statistics";

/// Whether the machine that all nodes are has a watchdog.
fn has_watchdog() -> bool {
    Path::new("/dev/watchdog").exists()
}

fn file(lab: &TestLab, proxy: &str) -> PathBuf {
    haproxy::path(lab.layout(), proxy)
}

/// `pgbaton doctor --json`, which reads the files of both HAProxies on their hosts.
fn doctor(lab: &TestLab, more: &[&str]) -> (Output, Value) {
    let out = lab.pgbaton(&["doctor", "--json", "--timeout", "20"]).args(more).output().unwrap();
    assert!(!said(&out).contains(SECRET), "{}", said(&out));
    let report = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(&out)));
    (out, report)
}

/// Of each harm its code and its subject.
fn harms(report: &Value) -> Vec<String> {
    let of = |harm: &Value| {
        let subject = harm["subject"].as_str().map(|subject| format!(" {subject}")).unwrap_or_default();
        format!("{}{subject}", harm["code"].as_str().unwrap())
    };
    report["hurts"].as_array().unwrap().iter().map(of).collect()
}

fn codes(list: &Value) -> Vec<String> {
    let mut codes: Vec<String> = list.as_array().unwrap().iter().map(|open| open["code"].as_str().unwrap().to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Until exactly these hurt, beside a watchdog that the machine does not have; the report that says so.
fn until_hurts(lab: &TestLab, expected: &[&str]) -> Value {
    until("the doctor's word", CHANGE, || {
        let (_, report) = doctor(lab, &[]);
        let mut hurts = harms(&report);
        let none = |member: &String| !has_watchdog() && !expected.contains(&format!("watchdog {member}").as_str());
        let watchdogs: Vec<String> = lab.layout().members().into_iter().filter(none).map(|member| format!("watchdog {member}")).collect();
        let beside = watchdogs.iter().all(|watchdog| hurts.contains(watchdog));
        hurts.retain(|hurt| !watchdogs.contains(hurt));
        if beside && hurts == expected { Ok(report) } else { Err(format!("{:#}", report["hurts"])) }
    })
}

/// Why this is not known of this subject.
fn open(report: &Value, code: &str, subject: &str) -> String {
    let open = report["not_known"].as_array().unwrap().iter().find(|open| open["code"] == code && open["subject"] == subject);
    open.unwrap_or_else(|| panic!("{code} {subject}: {report:#}"))["because"].as_str().unwrap().to_owned()
}

/// What is told of nobody's file: without a table `ssh` nothing is read on a node.
fn without_ssh(lab: &TestLab) {
    let text = lab.config_text();
    let (before, rest) = text.split_once(&format!("\n[clusters.{}.ssh]\n", lab.scope())).unwrap();
    let after = rest.find("\n[").map_or("", |at| &rest[at..]);
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("pgbaton.toml");
    std::fs::write(&config, format!("{before}{after}")).unwrap();
    let out = pgbaton().arg("-c").arg(&config).args(["doctor", "--timeout", "20"]).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(told.contains("0 would hurt") && told.contains("--haproxy-config vm1=haproxy.cfg"), "{}", said(&out));
    assert!(OPEN.iter().all(|code| told.contains(&format!("  {code} "))) && out.status.code() == Some(3), "{}", said(&out));
}

/// A file that was changed since, and one that may not be read: neither is what runs, as far as is known, and neither is called well.
fn what_stands_there_is_not_taken_for_what_runs(lab: &TestLab) {
    let changed = std::fs::read_to_string(file(lab, "vm1")).unwrap();
    // Words of HAProxy's own with a password in each.
    let more = format!("\nuserlist console\n    user pgbaton insecure-password {SECRET}\n");
    std::fs::write(file(lab, "vm1"), changed + &more).unwrap();
    std::fs::set_permissions(file(lab, "vm4"), Permissions::from_mode(0o000)).unwrap();
    let (out, report) = doctor(lab, &[]);
    std::fs::set_permissions(file(lab, "vm4"), Permissions::from_mode(0o644)).unwrap();
    for code in ["haproxy-two-leaders", "haproxy-check", "haproxy-sessions", "haproxy-keepalive"] {
        let (vm1, vm4) = (open(&report, code, "vm1/pg_write"), open(&report, code, "vm4/pg_write"));
        assert!(vm1.contains(&format!("vm1:{} need not be what vm1 runs: it was changed", file(lab, "vm1").display())), "{vm1}");
        assert!(vm4.contains("its file cannot be read") && vm4.contains("Permission denied"), "{vm4}");
    }
    assert_eq!(out.status.code(), Some(3), "{report:#}");
}

/// The console asks when one comes to the pane, and by its key; in a read-only session too.
fn the_console_has_it(lab: &TestLab) {
    let home = tempfile::tempdir().unwrap();
    let config = lab.config().display().to_string();
    let words = ["-c", &config, "--read-only"];
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &words, &[("HOME", home.path().to_str().unwrap())], (140, 90));
    pty.patience = CHANGE;
    pty.until_text("4 of 4 sources agree");
    pty.press("vd");
    pty.until("the doctor's word", |screen| {
        let screen = screen.contents();
        screen.contains("of 100;")
            && !screen.contains("being asked")
            && screen.contains("haproxy-check vm1/pg_write: its checks ask for /primary")
    });
    assert!(pty.screen().contains("READ-ONLY"), "{}", pty.screen());
    // It grows old, and is asked anew by the key.
    let aged = |seconds: std::ops::Range<u32>| {
        move |screen: &vt100::Screen| {
            let screen = screen.contents();
            seconds.clone().any(|second| screen.contains(&format!("; asked {second} s ago")))
        }
    };
    pty.until("an age", aged(4..60));
    pty.press("vd");
    pty.until("its next word", aged(0..3));
    pty.press("/etcd-election\r\r");
    pty.until("the evidence", |screen| {
        let screen = screen.contents();
        ["election-timeout of etcd (not set)", "1000 ms", "host psg1", "host psg2", "host psg3"].iter().all(|text| screen.contains(text))
    });
    pty.press("\u{3}");
    assert_eq!(pty.end(), 0);
}

/// The answer of an HAProxy's socket.
fn ask(lab: &TestLab, proxy: &str, command: &str) -> String {
    let mut stream = UnixStream::connect(lab.layout().stats_socket(proxy)).unwrap();
    stream.write_all(format!("{command}\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Servers of the write backend that are UP, by what the HAProxy itself says.
fn up(stat: &str) -> Vec<String> {
    let mut lines = stat.lines();
    let header: Vec<&str> = lines.next().unwrap().trim_start_matches("# ").split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (backend, name, status, kind) = (column("pxname"), column("svname"), column("status"), column("type"));
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row.len() > status);
    let servers = rows.filter(|row| row[backend] == "pg_write" && row[kind] == "2" && row[status].starts_with("UP"));
    servers.map(|row| row[name].to_owned()).collect()
}

/// Gives both HAProxies another timing of the write backend, and waits until their own word shows its counts and who leads.
fn retime(lab: &TestLab, from: &str, to: &str, rise: &str) {
    let leader = lab.leader();
    for proxy in PROXIES {
        let text = std::fs::read_to_string(file(lab, proxy)).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file(lab, proxy), text.replacen(from, to, 1)).unwrap();
        process::running(lab.layout(), &format!("{proxy}/haproxy")).unwrap().signal(Signal::USR2).unwrap();
    }
    for proxy in PROXIES {
        until("the new timing", CHANGE, || {
            let stat = ask(lab, proxy, "show stat");
            let header: Vec<&str> = stat.lines().next().unwrap().split(',').collect();
            let column = header.iter().position(|column| *column == "check_rise").unwrap();
            let row = stat.lines().find(|line| line.starts_with("pg_write,psg1,")).unwrap();
            let there = row.split(',').nth(column).unwrap();
            let up = up(&stat);
            if there == rise && up == [leader.clone()] { Ok(()) } else { Err(format!("rise {there}, {up:?} UP")) }
        });
    }
}

/// Watches an HAProxy every 50 ms. The longest time in a row in which it has had two servers of the write backend UP.
struct Watch(Arc<AtomicBool>, JoinHandle<Duration>);

impl Watch {
    fn start(lab: &TestLab, proxy: &str) -> Self {
        let socket = lab.layout().stats_socket(proxy);
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let task = thread::spawn(move || {
            let (mut longest, mut since) = (Duration::ZERO, None::<Instant>);
            while !end.load(Ordering::Relaxed) {
                let mut stream = UnixStream::connect(&socket).unwrap();
                stream.write_all(b"show stat\n").unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                let now = Instant::now();
                if up(&text).len() > 1 {
                    longest = longest.max(now - *since.get_or_insert(now));
                } else {
                    since = None;
                }
                thread::sleep(Duration::from_millis(50));
            }
            longest
        });
        Self(over, task)
    }

    fn end(self) -> Duration {
        self.0.store(true, Ordering::Relaxed);
        self.1.join().unwrap()
    }
}

/// The first member that streams and has this role, by patronictl.
fn with_role(lab: &TestLab, role: &str) -> String {
    until(role, CHANGE, || {
        let list = lab.tool_json("patronictl", &["list", "-f", "json"]);
        let member = list.as_array().unwrap().iter().find(|m| m["Role"] == role && m["State"] == "streaming").cloned();
        member.map(|m| m["Member"].as_str().unwrap().to_owned()).ok_or(format!("{list}"))
    })
}

/// A planned switchover by patronictl, watched until both HAProxies have the new leader and nobody else UP. How long each had two.
fn switch_over(lab: &TestLab) -> Vec<Duration> {
    let leader = lab.leader();
    let candidate = with_role(lab, "Sync Standby");
    let watches: Vec<Watch> = PROXIES.iter().map(|proxy| Watch::start(lab, proxy)).collect();
    let words = ["switchover", lab.scope(), "--leader", &leader, "--candidate", &candidate, "--force"];
    let out = lab.try_tool(90, "patronictl", &words);
    assert!(out.status.success(), "{}", said(&out));
    until("the routes to the new leader", CHANGE, || {
        let up: Vec<Vec<String>> = PROXIES.iter().map(|proxy| up(&ask(lab, proxy, "show stat"))).collect();
        if up.iter().all(|up| *up == [candidate.clone()]) { Ok(()) } else { Err(format!("{up:?}")) }
    });
    watches.into_iter().map(Watch::end).collect()
}

#[test]
fn the_doctor_is_right() {
    let lab = TestLab::up("doctor", &["--sync", "--failsafe", "--ttl", "20", "--loop-wait", "2"]);

    // As it is.
    let report = until_hurts(&lab, &[]);
    let score = if has_watchdog() { 100 } else { 97 };
    assert_eq!((report["schema"].as_str(), report["score"].as_u64()), (Some("pgbaton.doctor/1"), Some(score)), "{report:#}");
    let not_known: &[&str] = if has_watchdog() { &["watchdog"] } else { &[] };
    assert_eq!(codes(&report["not_known"]), not_known, "{:#}", report["not_known"]);
    let accepted = OPEN.map(|code| format!("--accept-unknown={code}"));
    assert_eq!(doctor(&lab, &accepted.each_ref().map(String::as_str)).0.status.code(), Some(0), "nothing but notes");
    without_ssh(&lab);
    the_console_has_it(&lab);
    what_stands_there_is_not_taken_for_what_runs(&lab);

    // Its own timing: never two.
    let ours = switch_over(&lab);
    println!("the practice cluster's timing: two leaders UP for {ours:?}");
    assert_eq!(ours, [Duration::ZERO; 2]);

    // Patroni's sample.
    retime(&lab, OURS, SAMPLE, "2");
    let report = until_hurts(&lab, &["haproxy-two-leaders vm1/pg_write", "haproxy-two-leaders vm4/pg_write"]);
    let harm = &report["hurts"][0];
    let sentence = harm["sentence"].as_str().unwrap();
    assert!(sentence.contains("both UP for up to 6 s, 3 s on average"), "{sentence}");
    let place = harm["change"][0]["place"].as_str().unwrap();
    let line: usize = place.rsplit(':').next().unwrap().parse().unwrap();
    let text = std::fs::read_to_string(file(&lab, "vm1")).unwrap();
    assert!(text.lines().nth(line - 1).unwrap().contains(SAMPLE), "{place}");
    // The same as of files that are given.
    let files = PROXIES.map(|proxy| format!("--haproxy-config={proxy}={}", file(&lab, proxy).display()));
    let (out, given) = doctor(&lab, &files.each_ref().map(String::as_str));
    let told = |report: &Value| report["hurts"].as_array().unwrap().iter().map(|harm| harm["sentence"].clone()).collect::<Vec<_>>();
    assert_eq!((out.status.code(), told(&given)), (Some(1), told(&report)));
    assert_eq!(given["hurts"][0]["change"][0]["place"].as_str().map(|place| format!("vm1:{place}")).as_deref(), Some(place));
    let overlaps: Vec<Duration> = (0..3).flat_map(|_| switch_over(&lab)).collect();
    let mean = overlaps.iter().sum::<Duration>() / u32::try_from(overlaps.len()).unwrap();
    println!("Patroni's sample: two leaders UP for {overlaps:?}, {mean:?} on average");
    // A reading is 50 ms late, and HAProxy's clock ticks as it likes; a promotion takes about a second of what was said.
    assert!(overlaps.iter().all(|overlap| *overlap <= Duration::from_millis(6200)), "longer than said: {overlaps:?}");
    assert!(mean >= Duration::from_secs(1) && mean <= Duration::from_millis(4500), "not about 3 s less a promotion: {overlaps:?}");

    // Back; and a ttl that is too short, on the living cluster.
    retime(&lab, SAMPLE, OURS, "4");
    until_hurts(&lab, &[]);
    lab.tool("patronictl", &["edit-config", lab.scope(), "--force", "-q", "-s", "retry_timeout=10"]);
    let report = until_hurts(&lab, &["patroni-timing ttl"]);
    assert_eq!(report["hurts"][0]["change"][0]["line"], "ttl: 22");
    lab.tool("patronictl", &["edit-config", lab.scope(), "--force", "-q", "-s", "ttl=22"]);
    until_hurts(&lab, &[]);

    // A watchdog that is required and not there, on the one who would not take over anyway.
    let member = with_role(&lab, "Replica");
    let patroni = lab.layout().node_dir(&member).join("patroni.yml");
    let before = std::fs::read_to_string(&patroni).unwrap();
    std::fs::write(&patroni, format!("{before}watchdog:\n  mode: required\n  device: /dev/none\n")).unwrap();
    lab.tool("patronictl", &["reload", lab.scope(), &member, "--force"]);
    until_hurts(&lab, &[&format!("watchdog {member}")]);
    std::fs::write(&patroni, before).unwrap();
    lab.tool("patronictl", &["reload", lab.scope(), &member, "--force"]);
    until_hurts(&lab, &[]);

    // Without failsafe mode, and without waiting for anybody.
    lab.tool("patronictl", &["edit-config", lab.scope(), "--force", "-q", "-s", "failsafe_mode=false", "-s", "synchronous_mode=false"]);
    until_hurts(&lab, &["commit-loss", "failsafe-mode"]);

    // A file with a mistake is refused, with its place.
    let broken = lab.dir().join("broken.cfg");
    std::fs::write(&broken, "listen pg_write\n    server psg1 127.0.0.1:5432 inter soon\n").unwrap();
    let out = lab.pgbaton(&["doctor", "--haproxy-config", broken.to_str().unwrap()]).output().unwrap();
    assert!(out.status.code() == Some(3) && said(&out).contains("broken.cfg:2: inter is no time: soon"), "{}", said(&out));
}

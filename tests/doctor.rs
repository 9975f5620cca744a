//! The doctor on a real cluster: of the practice cluster as it is it finds nothing; of Patroni's sample of an HAProxy's configuration it says how
//! long two leaders are UP together, and switchovers show that it is so.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
}

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::lab::{TestLab, said, until};
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

fn file(lab: &TestLab, proxy: &str) -> PathBuf {
    haproxy::path(lab.layout(), proxy)
}

/// `pgbaton doctor --json` with the files of both HAProxies.
fn doctor(lab: &TestLab, more: &[&str]) -> (Output, Value) {
    let files = PROXIES.map(|proxy| format!("--haproxy-config={proxy}={}", file(lab, proxy).display()));
    let out = lab.pgbaton(&["doctor", "--json", "--timeout", "20"]).args(&files).args(more).output().unwrap();
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

/// Until exactly these hurt; the report that says so.
fn until_hurts(lab: &TestLab, expected: &[&str]) -> Value {
    until("the doctor's word", CHANGE, || {
        let (_, report) = doctor(lab, &[]);
        if harms(&report) == expected { Ok(report) } else { Err(format!("{:#}", report["hurts"])) }
    })
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
    assert_eq!((report["schema"].as_str(), report["score"].as_u64()), (Some("pgbaton.doctor/1"), Some(100)), "{report:#}");
    assert_eq!(codes(&report["not_known"]), OPEN, "{:#}", report["not_known"]);
    assert_eq!(doctor(&lab, &[]).0.status.code(), Some(3), "not everything is known");
    assert_eq!(doctor(&lab, &OPEN.map(|code| format!("--accept-unknown={code}")).each_ref().map(String::as_str)).0.status.code(), Some(0));
    let text = lab.pgbaton(&["doctor"]).output().unwrap();
    let told = String::from_utf8(text.stdout).unwrap();
    assert!(told.contains("score 100 of 100; 0 would hurt") && told.contains("--haproxy-config vm1=haproxy.cfg"), "{told}");

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
    assert_eq!(doctor(&lab, &[]).0.status.code(), Some(1));
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

//! The console on a real lab, in a terminal of its own: a crash of the leader, frozen nodes, and an idle hour's quarter minute.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod lab;
    pub mod leader_watch;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use common::lab::{TestLab, until};
use common::leader_watch::LeaderWatch;
use common::pty::Pty;
use rustix::process::Signal;

const SIZE: (u16, u16) = (120, 40);
const PATIENCE: Duration = Duration::from_secs(60);
/// What is promised for a key.
const KEY_WITHIN: Duration = Duration::from_millis(100);
/// What is promised for the end of a leader.
const LOST_WITHIN: Duration = Duration::from_secs(1);
/// What is promised for a new leader, and what a frame may take on its way through a terminal.
const CHANGED_WITHIN: Duration = Duration::from_millis(500);
/// How long an idle screen is watched.
const IDLE: Duration = Duration::from_secs(20);

/// One lab for all; each part leaves it healthy.
#[test]
fn the_console_on_a_real_cluster() {
    let lab = TestLab::up("proof-console", &["--ttl", "20", "--loop-wait", "5"]);
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut pty = open(&lab, folder.path(), &trace);
    an_idle_screen_costs_next_to_nothing(&lab, &pty, &trace);
    keys_do_not_wait_for_what_is_frozen(&lab, &mut pty);
    the_leader_dies(&lab, &mut pty);
    pty.press("q");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

fn open(lab: &TestLab, folder: &Path, trace: &Path) -> Pty {
    let config = lab.config();
    let args = ["-c", config.to_str().unwrap()];
    let env = [("PGBATON_TRACE_BYTES", trace.to_str().unwrap()), ("HOME", folder.to_str().unwrap())];
    let begun = Instant::now();
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &env, SIZE);
    pty.until("the first frame", |screen| screen.alternate_screen() && screen.contents().contains("pgbaton"));
    let first = begun.elapsed();
    pty.until("the whole picture", |screen| {
        let text = screen.contents();
        ["healthy", "4 of 4 sources agree", "etcd 3/3, can lose 1", "both routes write to"].iter().all(|part| text.contains(part))
    });
    println!("first frame after {first:?}, the whole picture after {:?} (not the release build)", begun.elapsed());
    let leader = lab.leader();
    assert!(headline(pty.parser.screen()).contains(&format!("{leader} leads")), "{}", pty.screen());
    for member in lab.layout().members() {
        let role = if member == leader { "leader" } else { "replica" };
        assert!(row(pty.parser.screen(), &member, role).is_some(), "no {role} {member}:\n{}", pty.screen());
    }
    pty
}

fn headline(screen: &vt100::Screen) -> String {
    screen.contents().lines().next().unwrap_or_default().to_owned()
}

/// The first line that has both, as a pane's row of a member has its name and its role or state.
fn row(screen: &vt100::Screen, name: &str, word: &str) -> Option<String> {
    screen.contents().lines().find(|line| line.contains(name) && line.contains(word)).map(str::to_owned)
}

/// CPU time of a process so far, in ticks of 10 ms: user and system.
fn ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_ascii_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Nothing is written to the cluster: what ticks is the lease, once a second.
fn an_idle_screen_costs_next_to_nothing(lab: &TestLab, pty: &Pty, trace: &Path) {
    let client = pgbaton::lab::process::running(lab.layout(), pgbaton::lab::conf::LEDGER).expect("the ledger's client runs");
    client.signal(Signal::STOP).unwrap();
    let leader = lab.leader();
    until("positions at rest", PATIENCE, || {
        let ask = || lab.sql(&leader, "SELECT pg_current_wal_lsn()");
        let (first, second) = (ask(), ask());
        if first == second { Ok(()) } else { Err(second) }
    });
    let pid = pty.pid().as_raw_nonzero().get();
    let frames = || -> Vec<u64> {
        let text = fs::read_to_string(trace).unwrap();
        text.lines().map(|line| line.split_ascii_whitespace().last().unwrap().parse().unwrap()).collect()
    };
    let (before, mut used, begun) = (frames().len(), vec![ticks(pid)], Instant::now());
    // A stretch of time is what is measured here; nothing is waited for.
    while begun.elapsed() < IDLE {
        std::thread::sleep(Duration::from_secs(1));
        used.push(ticks(pid));
    }
    let all = frames();
    let written = &all[before..];
    let bytes: u64 = written.iter().sum();
    let mut each: Vec<u64> = used.windows(2).map(|w| w[1] - w[0]).collect();
    each.sort_unstable();
    let seconds = begun.elapsed().as_secs_f64();
    let per_minute = bytes as f64 * 60.0 / seconds;
    println!(
        "idle for {seconds:.0} s: {} frames, {bytes} bytes, {per_minute:.0} bytes a minute; CPU {} % of a core in the median second, {:.1} % in all (not the release build)",
        written.len(),
        each[each.len() / 2],
        (used[used.len() - 1] - used[0]) as f64 / seconds
    );
    // One frame a second for the clock and the lease, and one for each change: a busy machine's answers take now less and now more than the
    // 10 ms up to which they are all shown alike. Drawing the screen anew each second would be 300,000 bytes.
    assert!(per_minute < 20_000.0, "{per_minute} bytes a minute");
    lab.heal();
}

/// One etcd and one Patroni accept connections and say nothing.
fn keys_do_not_wait_for_what_is_frozen(lab: &TestLab, pty: &mut Pty) {
    let [etcd, patroni] = <[String; 2]>::try_from(lab.replicas()).unwrap();
    lab.fault(&["freeze-etcd", &etcd]);
    lab.fault(&["freeze-patroni", &patroni]);
    pty.until("rows that say how old they are", |screen| {
        let aged = |line: Option<String>| line.is_some_and(|line| line.contains('◐'));
        aged(row(screen, &patroni, "replica")) && aged(row(screen, &etcd, "unreachable"))
    });
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        for (keys, pane) in [("\t", "━ 2 Lag"), ("\x1b[Z", "━ 1 Members")] {
            pty.press(keys);
            took.push(pty.until(pane, |screen| screen.contents().contains(pane)));
        }
        pty.press("?");
        took.push(pty.until_text("Show every key"));
        pty.press("q");
        took.push(pty.until("the help's end", |screen| !screen.contents().contains("Show every key")));
    }
    took.sort_unstable();
    let slowest = took[took.len() - 1];
    println!("{} keys with an etcd and a Patroni frozen: median {:?}, slowest {slowest:?}", took.len(), took[took.len() / 2]);
    // Who waits for what is frozen waits for its deadline, 1.5 s. A machine that has other things to do is late now and then.
    assert!(took[took.len() * 9 / 10] <= KEY_WITHIN && slowest < Duration::from_secs(1), "{took:?}");
    lab.heal();
    pty.until("a healthy headline again", |screen| screen.contents().contains("healthy"));
}

/// Patroni and PostgreSQL of the leader are killed; the key expires; a replica takes it.
fn the_leader_dies(lab: &TestLab, pty: &mut Pty) {
    let leader = lab.leader();
    let timeline = lab.status().cluster.timeline.unwrap();
    let watch = LeaderWatch::start(lab.layout().etcd_url(&lab.replicas()[0]), lab.scope());
    lab.fault(&["kill-patroni", &leader]);
    lab.fault(&["kill-postgres", &leader]);
    let gone = watch.wait(|commit| commit.holder.is_none());
    pty.until("nobody leads", |screen| headline(screen).contains("nobody leads"));
    let lost = gone.until(SystemTime::now());
    let taken = watch.wait(|commit| commit.holder.is_some());
    let new_leader = taken.holder.clone().unwrap();
    // The key is pushed. That its holder leads is said when its PostgreSQL has been asked again and is out of recovery.
    pty.until("the new leader", |screen| headline(screen).contains(&new_leader));
    println!("{}", headline(pty.parser.screen()));
    let changed = taken.until(SystemTime::now());
    println!("on screen: no leader {lost:?} after the key's deletion, {new_leader} named {changed:?} after the commit");
    assert!(lost <= LOST_WITHIN, "{lost:?}");
    assert!(changed <= CHANGED_WITHIN, "{changed:?}");
    pty.until("a new leader that writes", |screen| headline(screen).contains(&format!("{new_leader} leads")));
    println!("on screen: {new_leader} leads {:?} after the commit", taken.until(SystemTime::now()));
    let new = (timeline + 1).to_string();
    pty.until("the new timeline", |screen| {
        row(screen, &new_leader, "leader").is_some_and(|row| row.split_whitespace().any(|word| word == new))
    });
    println!("on screen: the new timeline {:?} after the commit", taken.until(SystemTime::now()));
    pty.until("the routes", |screen| screen.contents().contains(&format!("both routes write to {new_leader}")));
    println!("on screen: both routes {:?} after the commit", taken.until(SystemTime::now()));
    lab.heal();
    pty.until("a healthy headline at the end", |screen| screen.contents().contains("healthy"));
}

//! The practice cluster, for real. Each test has a lab of its own; they run side by side, as labs must.

#![allow(clippy::unwrap_used)]

mod lab_common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lab_common::{TestLab, is_root, listening, text, wait_for};

#[test]
fn up_is_healthy_under_30_s_every_tool_reaches_it_and_down_leaves_nothing() {
    // The environment of Patroni is made here if this is the first run: only the second start is timed.
    TestLab::up("warm", &["--members", "1"]).down();
    let begun = Instant::now();
    let lab = TestLab::up("tools", &[]);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "healthy after {took:?}");

    let status = lab.status();
    assert_eq!(status["healthy"], true, "{status:#}");
    let memory = status["memory_kib"].as_u64().expect("memory is known");
    eprintln!("healthy after {took:.1?}, memory {} MiB", memory / 1024);

    // patronictl reads what each Patroni last wrote into etcd, which follows its PostgreSQL by up to loop_wait.
    wait_for("patronictl to see two replicas stream", 30, || {
        let members = lab.patroni();
        let count = |role: &str, state: &str| members.values().filter(|m| **m == (role.to_owned(), state.to_owned())).count();
        let right = (members.len(), count("Leader", "running"), count("Replica", "streaming")) == (3, 1, 2);
        if right { Ok(()) } else { Err(format!("{members:?}")) }
    });

    let health = lab.tool("etcdctl", &["endpoint", "health"]);
    assert_eq!(text(&health).matches("is healthy").count(), 3, "{}", text(&health));

    // With the exported variables alone: through vm1, to the leader, as the console's user, who may look and not write.
    let out = lab.tool("psql", &["-XAtc", "SELECT current_user, pg_is_in_recovery(), pg_has_role('pg_monitor', 'usage')"]);
    assert_eq!(text(&out).trim(), "pgbaton|f|t");
    let refused = lab.tool("psql", &["-XAtc", "CREATE TABLE t ()"]);
    assert!(!refused.status.success() && text(&refused).contains("permission denied"), "{}", text(&refused));

    let config = lab.env()["PGBATON_LAB_SSH_CONFIG"].clone();
    let log = lab.dir().join("psg2/log/patroni.log");
    let ssh = lab.tool("ssh", &["-F", &config, "psg2", "head", "-c", "4", &log.to_string_lossy()]);
    assert!(ssh.status.success() && ssh.stdout.starts_with(b"20"), "a line of the log begins with its date: {}", text(&ssh));

    let addresses = listening(&lab.dir());
    assert!(addresses.len() > 15, "etcd, Patroni, PostgreSQL, sshd, HAProxy listen: {addresses:?}");
    assert!(addresses.iter().all(|a| a.octets()[..2] == [127, 77]), "only on the lab's own addresses: {addresses:?}");

    if is_root() {
        for p in pgbaton::lab::scan::processes(&lab.dir()) {
            let argv = p.argv().join(" ");
            let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{}", p.pid)).unwrap());
            assert!(owner != 0 || argv.contains("run-ledger"), "runs as root: {argv}");
        }
    }

    // A session that hangs on an sshd of the lab ends with it.
    let mut tail = Command::new("ssh");
    tail.args(["-F", &config, "psg1", "sleep", "1000"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut tail = tail.spawn().unwrap();
    wait_for("the remote command", 10, || {
        if lab_common::processes_with("sleep 1000").is_empty() { Err("not started".into()) } else { Ok(()) }
    });

    lab.down();
    wait_for("ssh to end", 10, || match tail.try_wait() {
        Ok(Some(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert!(lab.ok(&["down"]).contains("there is no lab"), "down may be repeated");
}

#[test]
fn up_killed_at_any_point_leaves_nothing_that_down_cannot_clear() {
    // Files that appear as `up` goes on, from its first step to its last.
    let points = ["lab.json", "processes/psg2.etcd.json", "processes/psg1.patroni.json", "processes/vm1.haproxy.json"];
    for point in points {
        let lab = TestLab::named("killed");
        let mut up = lab.command(&["up", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let file = lab.dir().join(point);
        wait_for(point, 120, || if file.exists() { Ok(()) } else { Err("not there".into()) });
        if point == points[0] {
            // While one works on it, a second one keeps away.
            let second = lab.run(&["up", "--yes"]);
            assert!(!second.status.success() && text(&second).contains("another pgbaton works on"), "{}", text(&second));
        }
        up.kill().unwrap();
        up.wait().unwrap();
        let record = pgbaton::lab::record::Record::load(&lab.dir()).unwrap();
        assert_eq!(record.phase, pgbaton::lab::record::Phase::Starting, "it was killed half way");
        lab.down();
    }
    // PostgreSQL itself, an orphan with an environment of its own.
    let lab = TestLab::named("killed");
    let mut up = lab.command(&["up", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("a PostgreSQL", 120, || {
        let members = ["psg1", "psg2", "psg3"];
        let running = members.iter().any(|m| lab.dir().join(m).join("data/postmaster.pid").exists());
        if running { Ok(()) } else { Err("none".into()) }
    });
    up.kill().unwrap();
    up.wait().unwrap();
    // What was killed half way is cleared by the next `up` as well.
    let out = lab.run(&["up", "--yes"]);
    assert!(out.status.success() && text(&out).contains("clearing what an earlier run left"), "{}", text(&out));
    lab.down();
}

#[test]
fn faults_do_what_they_say_and_heal_undoes_them_without_a_lost_write() {
    let lab = TestLab::up("faults", &["--ttl", "20", "--loop-wait", "3"]);
    let heal = |fault: &str| {
        assert!(lab.status()["faults"].to_string().contains(fault), "{fault} is noted while it lasts");
        let out = lab.run(&["heal"]);
        assert!(
            out.status.success() && text(&out).contains("what a console sees: every source answers, nothing is found"),
            "{}",
            text(&out)
        );
        let status = lab.status();
        assert_eq!(status["healthy"], true, "after {fault}: {status:#}");
        assert_eq!(status["faults"], serde_json::json!([]));
    };
    let state = |lab: &TestLab, key: &str| {
        let status = lab.status();
        let all = status["processes"].as_array().unwrap().clone();
        all.iter().find(|p| p["key"] == key).unwrap()["state"].as_str().unwrap().to_owned()
    };

    let leader = lab.leader();
    let said = lab.ok(&["fault", "kill-postgres"]);
    assert!(said.contains(&leader), "the default is the leader, and it is said: {said}");
    heal("kill-postgres");

    lab.ok(&["fault", "freeze-etcd", "psg1"]);
    assert_eq!(state(&lab, "psg1/etcd"), "stopped");
    heal("freeze-etcd");

    let replica = lab.replica();
    lab.ok(&["fault", "freeze-node", &replica]);
    assert!(["etcd", "patroni", "sshd"].iter().all(|program| state(&lab, &format!("{replica}/{program}")) == "stopped"));
    heal("freeze-node");

    let replica = lab.replica();
    lab.ok(&["fault", "pause-replay", &replica]);
    let lsn = |what: &str| lab.psql(&replica, 5432, "pgbaton", "postgres", &format!("SELECT pg_last_wal_{what}_lsn()"));
    let replayed = lsn("replay");
    wait_for("WAL to arrive and not be replayed", 20, || {
        let (received, now) = (lsn("receive"), lsn("replay"));
        if now == replayed && received > replayed { Ok(()) } else { Err(format!("received {received}, replayed {now}")) }
    });
    heal("pause-replay");

    let said = lab.ok(&["fault", "haproxy-stale", "vm4"]);
    let in_recovery = "SELECT pg_is_in_recovery()";
    assert_eq!(lab.psql("vm4", 5000, "app", "app", in_recovery), "t", "{said}");
    assert_eq!(lab.psql("vm1", 5000, "app", "app", in_recovery), "f");
    heal("haproxy-stale");
    assert_eq!(lab.psql("vm4", 5000, "app", "app", in_recovery), "f");

    lab.ok(&["fault", "kill-haproxy", "vm4"]);
    assert_eq!(state(&lab, "vm4/haproxy"), "not running");
    let refused = std::net::TcpStream::connect((lab.ip("vm4").as_str(), 5000)).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "its worker is gone with it");
    assert_eq!(lab.psql("vm1", 5000, "app", "app", in_recovery), "f");
    heal("kill-haproxy");
    assert_eq!(lab.psql("vm4", 5000, "app", "app", in_recovery), "f");

    lab.ok(&["fault", "slot-retain", "--mb", "32"]);
    let retained =
        "SELECT pg_current_wal_lsn() - restart_lsn > 32 * 1048576 FROM pg_replication_slots WHERE slot_name = 'pgbaton_forgotten'";
    assert_eq!(lab.psql("vm1", 5000, "pgbaton", "postgres", retained), "t");
    heal("slot-retain");
    assert_eq!(lab.psql("vm1", 5000, "pgbaton", "postgres", retained), "", "the slot is gone");

    lab.ok(&["fault", "bad-archive-command"]);
    assert_ne!(lab.psql("vm1", 5000, "pgbaton", "postgres", "SELECT failed_count FROM pg_stat_archiver"), "0");
    heal("bad-archive-command");

    let said = lab.ok(&["fault", "wal-burst", "--mb", "64"]);
    assert!(said.contains("MB behind"), "{said}");
    heal("wal-burst");

    lab.ok(&["fault", "stop-etcd", "psg1", "psg2"]);
    let endpoint = format!("ETCDCTL_ENDPOINTS=http://{}:2379", lab.ip("psg3"));
    let survivor = lab.tool("env", &[&endpoint, "etcdctl", "endpoint", "health"]);
    assert!(text(&survivor).contains("is unhealthy"), "the quorum is lost: {}", text(&survivor));
    heal("stop-etcd");

    let leader = lab.leader();
    lab.ok(&["fault", "stop-node"]);
    wait_for("another leader", 60, || {
        let now = lab.patroni().into_iter().find(|(_, (role, state))| role == "Leader" && state == "running").map(|(n, _)| n);
        if now.as_ref().is_some_and(|n| *n != leader) { Ok(()) } else { Err(format!("{now:?}")) }
    });
    heal("stop-node");

    // Two writable primaries: the old one has lost its Patroni, and whoever writes to it loses that. The ledger writes
    // through HAProxy, which asks Patroni, so it must not lose.
    let leader = lab.leader();
    lab.ok(&["fault", "kill-patroni"]);
    wait_for("two primaries", 60, || {
        let primaries: Vec<&str> =
            ["psg1", "psg2", "psg3"].into_iter().filter(|m| lab.psql(m, 5432, "pgbaton", "postgres", in_recovery) == "f").collect();
        if primaries.len() == 2 && primaries.contains(&leader.as_str()) { Ok(()) } else { Err(format!("{primaries:?}")) }
    });
    heal("kill-patroni");

    let verdict: serde_json::Value = serde_json::from_str(&lab.ok(&["ledger", "--json"])).unwrap();
    assert_eq!((&verdict["lost"], &verdict["doubled"]), (&serde_json::json!([]), &serde_json::json!([])), "{verdict:#}");
    assert!(verdict["acknowledged"].as_u64().unwrap() > 100, "{verdict:#}");
    assert!(!verdict["outages"].as_array().unwrap().is_empty(), "killing leaders shows: {verdict:#}");
    lab.down();
}

#[test]
fn tls_and_users_keep_strangers_out() {
    let lab = TestLab::up("locked", &["--tls", "--auth", "--sync", "--failsafe"]);
    // Patroni chooses the standby in a loop of its own, after the replicas stream.
    wait_for("a sync standby", 30, || {
        let members = lab.patroni();
        let count = members.values().filter(|(role, _)| role == "Sync Standby").count();
        if count == 1 { Ok(()) } else { Err(format!("{members:?}")) }
    });
    let env = lab.env();
    let etcdctl = |change: &[(&str, &str)]| {
        let mut command = Command::new("timeout");
        command.args(["20", "etcdctl", "get", "--prefix", "/service/", "--keys-only", "--command-timeout=3s", "--dial-timeout=3s"]);
        let out = command.env_clear().envs(&env).envs(change.iter().copied()).output().unwrap();
        (out.status.success(), text(&out))
    };
    let leader = format!("/service/{}/leader", lab.name);
    let (ok, said) = etcdctl(&[]);
    assert!(ok && said.contains(&leader), "{said}");
    assert!(!etcdctl(&[("ETCDCTL_CERT", ""), ("ETCDCTL_KEY", "")]).0, "without a certificate");
    let tls = lab.dir().join("tls");
    let (cert, key) = (tls.join("expired.crt"), tls.join("expired.key"));
    assert!(!etcdctl(&[("ETCDCTL_CERT", &cert.to_string_lossy()), ("ETCDCTL_KEY", &key.to_string_lossy())]).0, "with an expired one");
    assert!(!etcdctl(&[("ETCDCTL_USER", "")]).0, "without a user");
    let console = format!("pgbaton:{}", std::fs::read_to_string(lab.dir().join("etcd-password")).unwrap());
    let (ok, said) = etcdctl(&[("ETCDCTL_USER", &console)]);
    assert!(ok && said.contains(&leader), "the console's user reads: {said}");
    let put = lab.tool("env", &[&format!("ETCDCTL_USER={console}"), "etcdctl", "put", &leader, "psg9"]);
    assert!(!put.status.success() && text(&put).contains("permission denied"), "and writes nothing: {}", text(&put));
    // Nothing that is printed or listed holds a password.
    let secrets: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&std::fs::read_to_string(lab.dir().join("secrets.json")).unwrap()).unwrap();
    let printed = lab.ok(&["env"]) + &lab.ok(&["status", "--json"]) + &lab_common::processes_with(&lab.dir().to_string_lossy()).join("\n");
    assert!(secrets.len() > 5 && secrets.values().all(|s| !printed.contains(s)), "a password is shown");
    // A server whose certificate has expired is not believed.
    lab.ok(&["fault", "expire-certificate", "psg2"]);
    let endpoint = format!("ETCDCTL_ENDPOINTS=https://{}:2379", lab.ip("psg2"));
    let health = || lab.tool("env", &[&endpoint, "etcdctl", "endpoint", "health", "--dial-timeout=2s", "--command-timeout=3s"]);
    assert!(!health().status.success(), "{}", text(&health()));
    lab.ok(&["heal"]);
    assert!(health().status.success(), "{}", text(&health()));
    // A switchover uses every credential there is.
    let candidate = lab.patroni().into_iter().find(|(_, (role, _))| role == "Sync Standby").unwrap().0;
    let out = lab.tool("patronictl", &["switchover", "--force", "--candidate", &candidate]);
    assert!(text(&out).contains("Successfully switched over"), "{}", text(&out));
    lab.ok(&["heal"]);
    assert_eq!(lab.leader(), candidate);
    lab.down();
}

#[test]
fn nodes_in_namespaces_are_cut_off_and_slowed_down() {
    if !is_root() {
        let out = TestLab::named("netns").run(&["up", "--yes", "--netns"]);
        assert!(text(&out).contains("--netns needs root"), "{}", text(&out));
        return;
    }
    let lab = TestLab::up("netns", &["--netns"]);
    let leader = lab.leader();
    let replica = lab.replica();
    let answers = |node: &str| {
        let address = std::net::SocketAddr::new(lab.ip(node).parse().unwrap(), 8008);
        std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2)).map(|_| ()).map_err(|e| e.kind())
    };
    assert_eq!(answers(&replica), Ok(()));
    lab.ok(&["fault", "cut-node", &replica]);
    assert_eq!(answers(&replica), Err(std::io::ErrorKind::TimedOut), "silence, not a refusal");
    assert_eq!(answers(&leader), Ok(()));
    lab.ok(&["heal"]);
    assert_eq!(answers(&replica), Ok(()));

    lab.ok(&["fault", "slow-node", &leader, "--ms", "60"]);
    let begun = Instant::now();
    assert_eq!(lab.psql(&leader, 5432, "pgbaton", "postgres", "SELECT 1"), "1");
    // The handshake, the authentication and the query: at least three ways there and back.
    assert!(begun.elapsed() > Duration::from_millis(3 * 120), "{:?}", begun.elapsed());
    lab.ok(&["heal"]);

    lab.ok(&["fault", "cut-etcd", &leader]);
    assert_eq!(answers(&leader), Ok(()), "its API is still there");
    let health = lab.tool("etcdctl", &["endpoint", "health", "--command-timeout=3s"]);
    assert_eq!(text(&health).matches("is healthy").count(), 2, "{}", text(&health));
    lab.ok(&["heal"]);
    assert_eq!(lab.status()["healthy"], true);

    let connected = || lab.psql(&leader, 5432, "pgbaton", "postgres", "SELECT count(*) FROM pg_stat_replication");
    lab.ok(&["fault", "cut-replicas", &leader]);
    assert_eq!(answers(&leader), Ok(()), "only WAL does not pass");
    // Two sessions: what one statement writes is not yet part of the position that the same transaction reads.
    lab.psql(&leader, 5432, "postgres", "postgres", "CREATE TABLE cut ()");
    let written = lab.psql(&leader, 5432, "postgres", "postgres", "SELECT pg_current_wal_lsn()");
    let received = format!("SELECT pg_last_wal_receive_lsn() >= '{written}'");
    assert_eq!(lab.psql(&replica, 5432, "pgbaton", "postgres", &received), "f");
    lab.ok(&["heal"]);
    assert_eq!(connected(), "2");

    lab.ok(&["fault", "cut-console", &replica]);
    assert_eq!(answers(&replica), Err(std::io::ErrorKind::TimedOut), "we hear nothing of it");
    assert_eq!(connected(), "2", "the cluster does");
    lab.ok(&["heal"]);
    assert_eq!(answers(&replica), Ok(()));

    lab.ok(&["fault", "lossy-node", &replica, "--percent", "50"]);
    let lost = || {
        let begun = Instant::now();
        let all = (0..20).map(|_| answers(&replica)).collect::<Vec<_>>();
        all.iter().any(Result::is_err) || begun.elapsed() > Duration::from_secs(2)
    };
    assert!(lost(), "half of all packets are lost, and no connection took longer");
    lab.ok(&["heal"]);

    let prefix = pgbaton::lab::layout::net_prefix(&lab.dir());
    let named = || {
        let all = ["/sys/class/net", "/run/netns"].iter().flat_map(|d| std::fs::read_dir(d).into_iter().flatten().flatten());
        all.filter(|e| e.file_name().to_string_lossy().starts_with(&prefix)).count()
    };
    assert_eq!(named(), 6 + 5, "a bridge, five cables, five namespaces");
    lab.down();
    assert_eq!(named(), 0);
}

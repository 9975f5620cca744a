//! Members of etcd that are down, that come back, and that are lost with their disks.

use std::fs;

use pgbaton::lab::{conf, process};

use crate::common::lab::{TestLab, said, until};
use crate::faults::stop;
use crate::operator::{Operator, PATIENCE, answer, did, finished, yes};
use crate::{config, well};

/// etcd's own tool, asked of one member.
fn etcdctl(lab: &TestLab, via: &str, args: &[&str]) -> String {
    lab.tool("env", &[&[asks(lab, via).as_str(), "etcdctl"], args].concat())
}

/// What its own tool takes for the member to be asked. Beside the variable there can be no flag.
fn asks(lab: &TestLab, node: &str) -> String {
    format!("ETCDCTL_ENDPOINTS={}", lab.layout().etcd_url(node))
}

/// Its disk is gone.
fn lose_data(lab: &TestLab, node: &str) {
    fs::remove_dir_all(lab.layout().node_dir(node).join("etcd/member")).unwrap();
}

/// The id before a member's name.
fn id(lab: &TestLab, via: &str, node: &str) -> String {
    let list = etcdctl(lab, via, &["member", "list"]);
    let of = |line: &str| line.split(", ").nth(2) == Some(node);
    list.lines().find(|line| of(line)).unwrap_or_else(|| panic!("{list}")).split(", ").next().unwrap().to_owned()
}

/// Adds a member; what the answer says that it is to be started with, as `ETCD_INITIAL_CLUSTER`.
fn add(lab: &TestLab, via: &str, node: &str) -> String {
    let peer = format!("--peer-urls={}://{}:2380", lab.layout().scheme(), lab.layout().ip(node));
    let mut told = String::new();
    until("an etcd that takes a member", PATIENCE, || {
        let out = lab.try_tool(10, "env", &[&asks(lab, via), "etcdctl", "member", "add", node, &peer]);
        told = String::from_utf8_lossy(&out.stdout).into_owned();
        // So it says for 5 s after one has joined.
        let again = String::from_utf8_lossy(&out.stderr).contains("unhealthy cluster");
        assert!(out.status.success() || again, "{}", said(&out));
        if again { Err(said(&out)) } else { Ok(()) }
    });
    let line = told.lines().find_map(|line| line.strip_prefix("ETCD_INITIAL_CLUSTER="));
    line.unwrap_or_else(|| panic!("{told}")).trim_matches('"').to_owned()
}

/// Starts an etcd with its usual flags, of which these have other values, and with these besides.
fn start_with(lab: &TestLab, node: &str, other: &[(&str, &str)], besides: &[&str]) {
    let mut spec = conf::spec(lab.layout(), &format!("{node}/etcd")).unwrap();
    for (flag, value) in other {
        let at = spec.argv.iter().position(|word| word == flag).unwrap();
        spec.argv[at + 1] = (*value).to_owned();
    }
    spec.argv.extend(besides.iter().map(|word| (*word).to_owned()));
    process::start(lab.layout(), &spec).unwrap();
}

/// Starts one that joins those that are there.
fn join(lab: &TestLab, node: &str, cluster: &str) {
    start_with(lab, node, &[("--initial-cluster", cluster), ("--initial-cluster-state", "existing")], &[]);
}

fn healthy(lab: &TestLab, node: &str) {
    until("an etcd that is well", PATIENCE, || {
        let out = lab.try_tool(10, "env", &[&asks(lab, node), "etcdctl", "endpoint", "health"]);
        if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
    });
}

/// One of three is killed, and its disk is gone.
pub fn member_down(operator: &Operator<'_>) {
    let lab = operator.lab;
    let node = lab.replicas().remove(0);
    let other = lab.leader();
    let before = id(lab, &other, &node);
    lab.fault(&["stop-etcd", &node]);
    lose_data(lab, &node);
    // If it was the raft leader, the others elect first.
    operator.sees("quorum-at-risk");
    let mut pty = operator.start(&["run", "etcd-member-down", "--finding", "quorum-at-risk", "--set", &format!("node={node}")]);
    yes(&mut pty, &["until this is over?"]);
    did(&mut pty, "systemctl status etcd", || {});
    answer(&mut pty, "say that it is damaged? [yes, no]", "no");
    did(&mut pty, "mv /var/lib/etcd", || {});
    did(&mut pty, "etcdctl member remove ID", || {
        etcdctl(lab, &other, &["member", "remove", &before]);
    });
    let mut cluster = String::new();
    did(&mut pty, &format!("etcdctl member add {node}"), || cluster = add(lab, &other, &node));
    did(&mut pty, "ETCD_INITIAL_CLUSTER_STATE=existing", || join(lab, &node, &cluster));
    yes(&mut pty, &["is nothing of it left (disk, memory, network)?"]);
    finished(&mut pty);
    assert_ne!(id(lab, &other, &node), before);
    lab.tool("etcdctl", &["endpoint", "health", "--cluster"]);
}

/// Two of three are killed, and their disks are gone.
pub fn majority_gone(operator: &Operator<'_>) {
    let lab = operator.lab;
    let (survivor, lost) = (lab.leader(), lab.replicas());
    let before = config(lab);
    lab.fault(&["stop-etcd", &lost[0], &lost[1]]);
    lost.iter().for_each(|node| lose_data(lab, node));
    let mut pty = operator.start(&["run", "quorum-lost"]);
    answer(&mut pty, "lists them [yes, no]", "no");
    yes(&mut pty, &["has a second person said so too?"]);
    answer(&mut pty, "the one with the highest raft index)?", &survivor);
    did(&mut pty, "systemctl mask --now etcd", || {});
    yes(&mut pty, &["and its data put aside?"]);
    let own = format!("{survivor}/etcd");
    did(&mut pty, "systemctl stop etcd && cp -a", || stop(lab, &own));
    did(&mut pty, "ETCD_FORCE_NEW_CLUSTER=true", || start_with(lab, &survivor, &[], &["--force-new-cluster"]));
    yes(&mut pty, &["finds nothing)?"]);
    did(&mut pty, "etcdctl member add NAME", || {
        for node in &lost {
            let cluster = add(lab, &survivor, node);
            join(lab, node, &cluster);
            healthy(lab, node);
        }
    });
    yes(&mut pty, &["etcd members started as well?"]);
    finished(&mut pty);
    let members = lab.tool("etcdctl", &["member", "list"]);
    assert!(members.lines().count() == 3 && members.lines().all(|line| line.contains(", started, ")), "{members}");
    lab.tool("etcdctl", &["endpoint", "health", "--cluster"]);
    assert_eq!(config(lab), before, "what etcd held is still there");
    well(lab);
}

/// The commands of the runbook, as its steps have them.
const COUNTS: &str = r#"etcdctl get '' --prefix --keys-only | awk -F/ 'NF {print $2 "/" $3}' | sort | uniq -c | sort -n | tail -20"#;
const COMPACTS: &str =
    r#"etcdctl compact $(etcdctl endpoint status -w json | grep -o '"revision":[0-9]*' | grep -o '[0-9]*$' | sort -n | tail -1)"#;
const WRITES: &str = "etcdctl put /space-check now && etcdctl del /space-check";

/// Somebody else writes to it until it is full. Its quota is small, so that this does not take long.
pub fn out_of_space(operator: &Operator<'_>) {
    let lab = operator.lab;
    let members = lab.layout().members();
    let by_shell = |command: &str| lab.tool("sh", &["-ec", command]);
    for node in &members {
        stop(lab, &format!("{node}/etcd"));
        start_with(lab, node, &[], &["--quota-backend-bytes", "16777216"]);
        healthy(lab, node);
    }
    well(lab);
    until("an etcd that is full", PATIENCE, || {
        // One key, over and over: what grows is its history.
        let out = lab.try_tool(20, "sh", &["-c", "head -c 1000000 /dev/zero | tr '\\0' x | etcdctl put /other/state"]);
        if said(&out).contains("database space exceeded") { Ok(()) } else { Err(said(&out)) }
    });
    operator.sees("etcd-alarm");
    let mut pty = operator.start(&["run", "etcd-space"]);
    yes(&mut pty, &["until this is over?"]);
    let mut counted = String::new();
    did(&mut pty, "etcdctl get '' --prefix --keys-only", || counted = by_shell(COUNTS));
    assert!(counted.contains("1 other/state") && counted.contains("service/"), "{counted}");
    answer(&mut pty, "or both? [history, keys, both]", "history");
    did(&mut pty, "etcdctl compact", || assert!(by_shell(COMPACTS).starts_with("compacted revision"), "it compacts"));
    did(&mut pty, "etcdctl --endpoints=ENDPOINT defrag", || {
        for node in &members {
            etcdctl(lab, node, &["defrag"]);
            healthy(lab, node);
        }
    });
    did(&mut pty, "etcdctl alarm disarm", || {
        etcdctl(lab, &members[0], &["alarm", "disarm"]);
    });
    did(&mut pty, "etcdctl put /space-check", || assert_eq!(by_shell(WRITES), "OK\n1\n"));
    yes(&mut pty, &["to have an etcd of their own?"]);
    let screen = finished(&mut pty);
    assert!(!screen.contains("Was the member that"), "nothing is corrupt: {screen}");
    assert_eq!(etcdctl(lab, &members[0], &["alarm", "list"]), "");
    well(lab);
}

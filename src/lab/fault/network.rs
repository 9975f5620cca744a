//! Faults of the network, for labs with `--netns`: a pulled cable, closed ports, lost packets, a long way.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Amount, Fault, Need, Scene, Target};
use crate::lab::layout::{ETCD, ETCD_PEER, POSTGRES, REST, SSH};
use crate::lab::netns;
use crate::lab::process::{self, Spec};
use crate::lab::slow;
use crate::lab::wait::{self, NotYet};

/// The node's cable is pulled.
pub const CUT_NODE: Fault = Fault {
    name: "cut-node",
    doc: "pull the network cable of a node: silence, nothing is refused",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, _| {
        Box::pin(async move {
            for member in targets {
                netns::connect(&scene.lab, member, false)?;
            }
            Ok(format!("{} hears nobody and is heard by nobody", targets.join(", ")))
        })
    },
};

/// Only etcd's ports are closed.
pub const CUT_ETCD: Fault = Fault {
    name: "cut-etcd",
    doc: "cut a node from etcd only: PostgreSQL, Patroni's API and ssh go on",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, _| {
        Box::pin(async move {
            for member in targets {
                let ports = format!("{{ {ETCD}, {ETCD_PEER} }}");
                let drop = format!("tcp dport {ports} drop; tcp sport {ports} drop;");
                filter(scene, member, "etcd", &drop, &drop)?;
            }
            Ok(format!("{} reaches no other etcd", targets.join(", ")))
        })
    },
};

/// PostgreSQL's port is closed between a member and the others.
pub const CUT_REPLICAS: Fault = Fault {
    name: "cut-replicas",
    doc: "cut a node's PostgreSQL from the other members': nothing is replicated, all else goes on",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, _| {
        Box::pin(async move {
            for member in targets {
                let lab = &scene.lab;
                let others: Vec<String> = lab.members().iter().filter(|m| *m != member).map(|m| lab.ip(m).to_string()).collect();
                let others = format!("{{ {} }}", others.join(", "));
                let rule = |side: &str| {
                    format!("ip {side}addr {others} tcp dport {POSTGRES} drop; ip {side}addr {others} tcp sport {POSTGRES} drop;")
                };
                filter(scene, member, "replicas", &rule("s"), &rule("d"))?;
            }
            Ok(format!("no WAL passes between {} and the other members", targets.join(", ")))
        })
    },
};

/// Everything between a node and the machine that the console runs on is dropped.
pub const CUT_CONSOLE: Fault = Fault {
    name: "cut-console",
    doc: "cut a node from this machine: the cluster is well, and the console hears nothing of the node",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, _| {
        Box::pin(async move {
            let here = netns::gateway(&scene.lab);
            for member in targets {
                filter(scene, member, "console", &format!("ip saddr {here} drop;"), &format!("ip daddr {here} drop;"))?;
            }
            Ok(format!("{} and this machine do not hear each other", targets.join(", ")))
        })
    },
};

/// A share of all packets is lost, both ways.
pub const LOSSY_NODE: Fault = Fault {
    name: "lossy-node",
    doc: "lose 5 of 100 packets (or --percent) from and to a node, as a bad cable or a full switch does",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, amount| {
        Box::pin(async move {
            for member in targets {
                let drop = format!("numgen random mod 100 < {} drop;", amount.percent);
                filter(scene, member, "lossy", &drop, &drop)?;
            }
            Ok(format!("{} loses {} % of all packets, each way", targets.join(", "), amount.percent))
        })
    },
};

/// The filters that the faults of this file load, each in a table of its own.
const FILTERS: [&str; 4] = ["etcd", "replicas", "console", "lossy"];

/// Loads rules for what a node hears from outside and for what it says.
fn filter(scene: &Scene, member: &str, name: &str, heard: &str, said: &str) -> Result<()> {
    debug_assert!(FILTERS.contains(&name), "heal does not know it");
    let table = format!("table ip pgbaton_{name}");
    // Naming the table before deleting it makes the deletion right whether it was there or not.
    let rules = format!(
        "{table} {{}}\ndelete {table}\n{table} {{\n\
         chain in {{ type filter hook input priority 0; iifname != \"eth0\" accept; {heard} }}\n\
         chain out {{ type filter hook output priority 0; oifname != \"eth0\" accept; {said} }}\n}}\n"
    );
    netns::firewall(&scene.lab, member, &rules)
}

/// A delay on everything a node says or hears.
pub const SLOW_NODE: Fault = Fault {
    name: "slow-node",
    doc: "every TCP byte from and to a node arrives 100 ms later (or --ms)",
    target: Target::Members,
    needs: Need::Netns,
    throw: |scene, targets, amount| {
        Box::pin(async move {
            for member in targets {
                slow_down(scene, member, amount).await?;
            }
            Ok(format!("{} is {} ms away, each way", targets.join(", "), amount.ms))
        })
    },
};

async fn slow_down(scene: &Scene, member: &str, amount: Amount) -> Result<()> {
    let lab = &scene.lab;
    undo_slow(scene, member).await?;
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    let ready = lab.node_dir(member).join("run/slow.ready");
    let _ = std::fs::remove_file(&ready);
    let words =
        [exe.to_string_lossy().into_owned(), "lab".into(), "run-slow".into(), amount.ms.to_string(), ready.to_string_lossy().into_owned()];
    let spec = Spec {
        key: key(member),
        argv: words.to_vec(),
        env: Vec::new(),
        cwd: lab.node_dir(member),
        log: lab.log_dir(member).join("slow.log"),
        netns: lab.netns(member),
        // Root's packets are the forwarder's own: that is how the rules below tell them from the delayed ones.
        account: None,
    };
    let forwarder = process::start(lab, &spec)?;
    wait::until(Duration::from_secs(10), Duration::from_millis(50), async || {
        if ready.exists() {
            Ok(())
        } else if forwarder.is_alive() {
            Err(NotYet::Reason("the forwarder does not listen yet".into()))
        } else {
            Err(NotYet::Never(format!("the forwarder ended: {}", crate::lab::files::tail(&spec.log, 3))))
        }
    })
    .await?;
    // Connections made before are reset: a packet of theirs is not part of a forwarded connection.
    let rules = format!(
        "table ip pgbaton_slow {{
            chain in {{ type nat hook prerouting priority -100; iifname \"eth0\" tcp dport {{ {ETCD}, {ETCD_PEER}, {REST}, {POSTGRES}, {SSH} }} redirect to :{port}; }}
            chain out {{ type nat hook output priority -100; oifname \"eth0\" meta skuid != 0 meta l4proto tcp redirect to :{port}; }}
            chain heard {{ type filter hook input priority 0; iifname \"eth0\" meta l4proto tcp ct direction original ct status & dnat == 0 reject with tcp reset; }}
            chain said {{ type filter hook output priority 0; oifname \"eth0\" meta skuid != 0 meta l4proto tcp ct status & dnat == 0 reject with tcp reset; }}
        }}\n",
        port = slow::PORT
    );
    netns::firewall(lab, member, &rules)
}

fn key(member: &str) -> String {
    format!("{member}/slow")
}

async fn undo_slow(scene: &Scene, member: &str) -> Result<()> {
    // The forwarder first: what its end tells those whom it served must still be translated back, or their connections hang half open. That
    // kept a replica from streaming for as long as TCP waits.
    if let Some(forwarder) = process::running(&scene.lab, &key(member)) {
        forwarder.signal(Signal::KILL)?;
        wait::until(Duration::from_secs(10), Duration::from_millis(20), async || {
            if forwarder.is_alive() { Err(NotYet::Reason("the forwarder does not end".into())) } else { Ok(()) }
        })
        .await?;
    }
    process::forget(&scene.lab, &key(member))?;
    // Naming the table before deleting it makes the deletion right whether it was there or not.
    netns::firewall(&scene.lab, member, "table ip pgbaton_slow {}\ndelete table ip pgbaton_slow\n")
}

/// Puts every cable back, opens every port, ends every delay.
///
/// # Errors
/// When `ip` or `nft` refuses.
pub async fn heal(scene: &Scene) -> Result<()> {
    if !scene.lab.record.options.netns {
        return Ok(());
    }
    netns::restore(&scene.lab)?;
    for node in scene.lab.members() {
        netns::connect(&scene.lab, &node, true)?;
        let tables: String = FILTERS.iter().map(|f| format!("table ip pgbaton_{f} {{}}\ndelete table ip pgbaton_{f}\n")).collect();
        netns::firewall(&scene.lab, &node, &tables)?;
        undo_slow(scene, &node).await?;
    }
    Ok(())
}

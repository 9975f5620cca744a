//! Faults that are a signal to a process. Nothing in a lab restarts what dies, as a node without an init system: `heal` does.

use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;

use super::{Fault, Need, Scene, Target};
use crate::lab::conf;
use crate::lab::process;
use crate::lab::procfs::ProcId;
use crate::lab::scan;
use crate::lab::wait::{self, NotYet};

/// SIGKILL to the postmaster.
pub const KILL_POSTGRES: Fault = Fault {
    name: "kill-postgres",
    doc: "kill -9 the postmaster: Patroni starts it again in its next loop, without a failover",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(async move {
            each(targets, |member| {
                let Some(postmaster) = scan::postmaster(&scene.lab.data_dir(member)) else { bail!("no PostgreSQL runs on {member}") };
                postmaster.signal(Signal::KILL)?;
                Ok(format!("killed the postmaster of {member} (pid {})", postmaster.pid))
            })
        })
    },
};

/// SIGKILL to Patroni.
pub const KILL_PATRONI: Fault = Fault {
    name: "kill-patroni",
    doc: "kill -9 Patroni: PostgreSQL goes on; after the ttl another member leads and two take writes",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| Box::pin(async move { each(targets, |m| program(scene, m, "patroni", Signal::KILL, "killed")) }),
};

/// SIGSTOP to Patroni.
pub const FREEZE_PATRONI: Fault = Fault {
    name: "freeze-patroni",
    doc: "SIGSTOP Patroni: as killed, but its API accepts connections and says nothing",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| Box::pin(async move { each(targets, |m| program(scene, m, "patroni", Signal::STOP, "froze")) }),
};

/// SIGSTOP to every PostgreSQL process of a member.
pub const FREEZE_POSTGRES: Fault = Fault {
    name: "freeze-postgres",
    doc: "SIGSTOP every PostgreSQL process: sessions hang, and so does Patroni's API",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(async move {
            each(targets, |member| {
                let data = scene.lab.data_dir(member);
                // The postmaster first: it must not make new children while the others are stopped.
                let Some(postmaster) = scan::postmaster(&data) else { bail!("no PostgreSQL runs on {member}") };
                postmaster.signal(Signal::STOP)?;
                let all = scan::postgres(&data);
                let count = all.len();
                signal_all(all, Signal::STOP)?;
                Ok(format!("froze {count} PostgreSQL processes of {member}"))
            })
        })
    },
};

/// SIGSTOP to etcd.
pub const FREEZE_ETCD: Fault = Fault {
    name: "freeze-etcd",
    doc: "SIGSTOP etcd: its clients hang until they choose another endpoint",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| Box::pin(async move { each(targets, |m| program(scene, m, "etcd", Signal::STOP, "froze")) }),
};

/// SIGKILL to etcd.
pub const STOP_ETCD: Fault = Fault {
    name: "stop-etcd",
    doc: "kill -9 etcd; two of three (--two, or two names): the quorum is lost, the leader steps down",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| Box::pin(async move { each(targets, |m| program(scene, m, "etcd", Signal::KILL, "killed")) }),
};

/// SIGKILL to everything on a node.
pub const STOP_NODE: Fault = Fault {
    name: "stop-node",
    doc: "kill -9 all of a node at once: Patroni, PostgreSQL, etcd, sshd",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(
            async move { each(targets, |member| Ok(format!("killed {} processes of {member}", whole_node(scene, member, Signal::KILL)?))) },
        )
    },
};

/// SIGSTOP to everything on a node.
pub const FREEZE_NODE: Fault = Fault {
    name: "freeze-node",
    doc: "SIGSTOP all of a node at once, as a machine that hangs: connections are accepted, nothing is said",
    target: Target::Members,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(
            async move { each(targets, |member| Ok(format!("froze {} processes of {member}", whole_node(scene, member, Signal::STOP)?))) },
        )
    },
};

/// SIGSTOP to RabbitMQ's Erlang.
pub const FREEZE_RABBIT: Fault = Fault {
    name: "freeze-rabbit",
    doc: "SIGSTOP a node of RabbitMQ: the lists of all nodes hang with it, until they take it for down after a minute",
    target: Target::Rabbit,
    needs: Need::Rabbitmq,
    throw: |scene, targets, _| {
        Box::pin(async move {
            each(targets, |node| {
                let Some(server) = scan::erlang(&scene.lab.node_dir(node)) else { bail!("no RabbitMQ runs on {node}") };
                server.signal(Signal::STOP)?;
                Ok(format!("froze RabbitMQ of {node} (pid {})", server.pid))
            })
        })
    },
};

/// SIGKILL to a HAProxy's master and its worker.
pub const KILL_HAPROXY: Fault = Fault {
    name: "kill-haproxy",
    doc: "kill -9 a HAProxy: who reaches the cluster through it has lost it, whoever leads",
    target: Target::Proxy,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(async move {
            let mut done = Vec::new();
            for proxy in targets {
                done.push(kill_tree(scene, &format!("{proxy}/haproxy"), &format!("HAProxy of {proxy}")).await?);
            }
            Ok(done.join("; "))
        })
    },
};

/// SIGKILL to a program and all that it has started; it returns when they are gone.
pub(super) async fn kill_tree(scene: &Scene, key: &str, called: &str) -> Result<String> {
    let Some(root) = process::running(&scene.lab, key) else { bail!("{called} does not run") };
    // Stopped first: who has children must make no more of them meanwhile.
    let mut all = scan::tree(root);
    loop {
        signal_all(all.iter().copied(), Signal::STOP)?;
        let now = scan::tree(root);
        if now.is_subset(&all) {
            break;
        }
        all.extend(now);
    }
    signal_all(all.iter().copied(), Signal::KILL)?;
    wait::until(Duration::from_secs(10), Duration::from_millis(20), async || match all.iter().filter(|id| id.is_alive()).count() {
        0 => Ok(()),
        left => Err(NotYet::Reason(format!("{left} processes of {called} do not end"))),
    })
    .await?;
    Ok(format!("killed {called} ({} processes)", all.len()))
}

/// Signals Patroni, PostgreSQL, etcd and sshd of a node; says how many processes that were.
fn whole_node(scene: &Scene, member: &str, signal: Signal) -> Result<usize> {
    let mut all: Vec<ProcId> = conf::keys_of(&scene.lab, member).iter().filter_map(|k| process::running(&scene.lab, k)).collect();
    all.extend(scan::postgres(&scene.lab.data_dir(member)));
    if all.is_empty() {
        bail!("nothing runs on {member}");
    }
    let count = all.len();
    signal_all(all, signal)?;
    Ok(count)
}

fn each(targets: &[String], act: impl Fn(&str) -> Result<String>) -> Result<String> {
    Ok(targets.iter().map(|t| act(t)).collect::<Result<Vec<_>>>()?.join("; "))
}

fn program(scene: &Scene, member: &str, program: &str, signal: Signal, done: &str) -> Result<String> {
    let Some(id) = process::running(&scene.lab, &format!("{member}/{program}")) else { bail!("no {program} runs on {member}") };
    id.signal(signal)?;
    Ok(format!("{done} {program} of {member} (pid {})", id.pid))
}

/// Signals several processes; one that is gone meanwhile is no error.
fn signal_all(all: impl IntoIterator<Item = ProcId>, signal: Signal) -> Result<()> {
    for id in all {
        id.signal(signal)?;
    }
    Ok(())
}

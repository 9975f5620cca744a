//! The cure: whatever was done to a lab, bring it to what `up` left, and wait until it is healthy.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde_json::json;

use super::{Scene, active, certificate, estate, network, proxy, wal};
use crate::lab::conf;
use crate::lab::health;
use crate::lab::process;
use crate::lab::scan;
use crate::lab::steps::Steps;
use crate::lab::up;
use crate::lab::wait::{self, NotYet};

/// A failover or a rewind after a heal may take a whole ttl and more; the longest waits seen were 40 s.
const HEALTHY_WITHIN: u64 = 180;

/// Within this a member comes back by itself, rewound if need be.
const REWOUND_WITHIN: u64 = 60;

/// Makes those members anew whose PostgreSQL does not start: an old leader whose data has parted, and which has not kept the WAL that `pg_rewind`
/// needs, is started over and over by its Patroni, for ever.
async fn reinitialize(scene: &Scene) -> Result<()> {
    for (name, member) in health::members(&scene.lab, &scene.http).await {
        if member.is_ok_and(|m| !m.leads() && m.replication != "streaming") {
            let url = format!("{}/reinitialize", scene.lab.rest_url(&name));
            scene.http.order(&url, &json!({ "force": true })).await.with_context(|| format!("cannot make {name} anew"))?;
        }
    }
    Ok(())
}

/// Undoes every fault, known or not. It compares with the wanted state instead of reversing steps, so it may be repeated,
/// and also cures a lab after a restart of the machine.
///
/// # Errors
/// When the lab does not become healthy in time: the error says what is not.
pub async fn heal(scene: &Scene, steps: &mut Steps) -> Result<()> {
    let lab = &scene.lab;
    let thrown = active(lab);
    let names: Vec<&str> = thrown.iter().map(|t| t.fault.as_str()).collect();

    steps.begin("processes");
    let mut woken = 0;
    for id in scan::processes(&lab.dir) {
        if id.state() == Some('T') {
            id.signal(Signal::CONT).with_context(|| format!("cannot wake process {}", id.pid))?;
            woken += 1;
        }
    }
    estate::heal(scene).await?;
    network::heal(scene).await?;
    certificate::heal(scene)?;
    proxy::heal(scene).await?;
    let mut started = Vec::new();
    for key in conf::keys(lab) {
        if process::running(lab, &key).is_none() {
            process::start(lab, &conf::spec(lab, &key)?)?;
            started.push(key);
        }
    }
    let list = if started.is_empty() { String::new() } else { format!(" ({})", started.join(", ")) };
    steps.done(&format!("{woken} woken, {} started{list}", started.len()));

    steps.begin("a leader");
    let leader = wait::until(Duration::from_secs(HEALTHY_WITHIN), Duration::from_millis(200), async || {
        let members = health::members(lab, &scene.http).await;
        let leader = health::leader(&members).ok_or_else(|| NotYet::Reason("no member leads, or two do".into()));
        if leader.is_err() {
            steps.note("no member leads, or two do");
        }
        leader
    })
    .await?;
    steps.done(&leader);

    steps.begin("slots, archiving");
    wal::heal(scene, &leader).await?;
    steps.done("as they were");

    steps.begin("health");
    if up::wait_healthy(lab, &scene.secrets, &scene.http, steps, REWOUND_WITHIN).await.is_err() {
        reinitialize(scene).await?;
        up::wait_healthy(lab, &scene.secrets, &scene.http, steps, HEALTHY_WITHIN).await?;
    }
    for entry in fs::read_dir(lab.dir.join("faults")).into_iter().flatten().flatten() {
        fs::remove_file(entry.path()).with_context(|| format!("cannot remove {}", entry.path().display()))?;
    }
    steps.done(&if names.is_empty() { "no fault was noted".to_owned() } else { format!("healed {}", names.join(", ")) });
    Ok(())
}

/// Waits until it is healthy once more: what was well for a moment may have been restarted since, as a member is that was rewound.
///
/// # Errors
/// When it is not in time: the error says what is not.
pub async fn again(scene: &Scene, steps: &mut Steps) -> Result<()> {
    steps.begin("health, once more");
    up::wait_healthy(&scene.lab, &scene.secrets, &scene.http, steps, REWOUND_WITHIN).await?;
    steps.done("it stays so");
    Ok(())
}

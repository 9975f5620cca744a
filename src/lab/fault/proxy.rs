//! A HAProxy that was given a configuration without checks: it believes in a leader that is none.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Fault, Need, Scene, Target};
use crate::lab::conf::haproxy;
use crate::lab::files::{self, PUBLIC};
use crate::lab::health;
use crate::lab::layout::PROXIES;
use crate::lab::process;
use crate::lab::wait::{self, NotYet};

/// Reloads a HAProxy with a configuration that sends everything to one replica, unchecked.
pub const HAPROXY_STALE: Fault = Fault {
    name: "haproxy-stale",
    doc: "reload a HAProxy with a file without checks that sends writes to a replica",
    target: Target::Proxy,
    needs: Need::Nothing,
    throw: |scene, targets, _| {
        Box::pin(async move {
            let leader = scene.leader().await?;
            let wrong = scene.lab.members().into_iter().find(|m| *m != leader).context("this lab has no replica to send writes to")?;
            for proxy in targets {
                load(scene, proxy, &haproxy::stale(&scene.lab, proxy, &wrong), "no check").await?;
            }
            Ok(format!("{} sends writes to {wrong}, while {leader} leads", targets.join(", ")))
        })
    },
};

/// Gives every HAProxy its good configuration back; one that does not run reads it when it is started.
///
/// # Errors
/// When a file cannot be written, or a HAProxy does not take it.
pub async fn heal(scene: &Scene) -> Result<()> {
    for proxy in PROXIES {
        let good = haproxy::config(&scene.lab, proxy);
        let path = haproxy::path(&scene.lab, proxy);
        if fs::read_to_string(&path).is_ok_and(|now| now == good) {
            continue;
        }
        if process::running(&scene.lab, &format!("{proxy}/haproxy")).is_some() {
            load(scene, proxy, &good, "UP").await?;
        } else {
            files::write(&path, &good, PUBLIC, &scene.lab.record.account)?;
        }
    }
    Ok(())
}

/// Writes a configuration, tells the master process to read it, and waits until its statistics show it: every server of
/// the write backend in a state that only the new file brings.
async fn load(scene: &Scene, proxy: &str, config: &str, state: &str) -> Result<()> {
    files::write(&haproxy::path(&scene.lab, proxy), config, PUBLIC, &scene.lab.record.account)?;
    let master = process::running(&scene.lab, &format!("{proxy}/haproxy")).with_context(|| format!("HAProxy on {proxy} does not run"))?;
    master.signal(Signal::USR2)?;
    wait::until(Duration::from_secs(20), Duration::from_millis(100), async || {
        let page = scene.http.get(&format!("{};csv", scene.lab.stats_url(proxy))).await;
        let page = page.map_err(|e| NotYet::Reason(format!("{e:#}")))?;
        let servers = health::parse_servers(&page.body);
        let there = servers.iter().any(|s| s.backend == "pg_write" && s.status.starts_with(state));
        if there { Ok(()) } else { Err(NotYet::Reason(format!("HAProxy on {proxy} still shows its old configuration"))) }
    })
    .await
}

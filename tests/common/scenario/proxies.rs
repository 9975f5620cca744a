//! The proxies of a scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use pgbaton::model::{HaproxyServer, Time};

use super::answers::haproxy_answer;
use super::{Scenario, Voice};

impl Scenario {
    /// The HAProxy's write backend has these servers UP, and its read backend the others.
    pub fn writes_go_to(&mut self, up: &[&str]) -> &mut Self {
        self.haproxy("vm1", |status| {
            for server in &mut status.servers {
                let is_up = up.contains(&server.name.as_str()) == (server.backend == "primary");
                server.status = if is_up { "UP" } else { "DOWN" }.to_owned();
            }
        })
    }

    /// There is a second HAProxy, vm4, which has followed the leader as well.
    pub fn second_haproxy(&mut self) -> &mut Self {
        self.haproxy.insert("vm4".to_owned(), Voice::Says(haproxy_answer("psg1")));
        self.pass(1)
    }

    /// The write backend of this HAProxy has these servers UP.
    pub fn writes_of(&mut self, instance: &str, up: &[&str]) -> &mut Self {
        self.up_in(instance, "primary", up)
    }

    /// The servers of one backend of one HAProxy that are UP.
    pub fn up_in(&mut self, instance: &str, backend: &str, up: &[&str]) -> &mut Self {
        self.haproxy(instance, |status| {
            for server in status.servers.iter_mut().filter(|s| s.backend == backend) {
                server.status = if up.contains(&server.name.as_str()) { "UP" } else { "DOWN" }.to_owned();
            }
        })
    }

    /// Every server of this HAProxy has gone and come back a moment ago, which nobody saw.
    pub fn restarted_check(&mut self, instance: &str) -> &mut Self {
        let now = self.now;
        self.statuses.iter_mut().filter(|((name, ..), _)| name == instance).for_each(|(_, (_, since))| *since = now);
        self
    }
}

/// Counts the seconds since a server's status changed, as HAProxy does. In the beginning each has been what it is for a minute.
pub(super) fn count(
    statuses: &mut BTreeMap<(String, String, String), (String, Time)>,
    instance: &str,
    server: &mut HaproxyServer,
    now: Time,
) {
    let key = (instance.to_owned(), server.backend.clone(), server.name.clone());
    let (status, since) = statuses.entry(key).or_insert_with(|| (server.status.clone(), now.before(Duration::from_secs(60))));
    if *status != server.status {
        (*status, *since) = (server.status.clone(), now);
    }
    server.last_change = server.last_change.map(|_| now.since(*since).as_secs());
}

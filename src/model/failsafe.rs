//! Whether the failsafe key names everybody, and whom failsafe mode holds.

use std::time::Duration;

use super::{Cluster, Parsed, Time};

/// Patroni's default for `loop_wait`, seconds.
const LOOP_WAIT: u32 = 10;

impl Cluster {
    /// How often Patroni runs its loop.
    pub fn loop_wait(&self) -> Duration {
        Duration::from_secs(self.config().and_then(|c| c.loop_wait).unwrap_or(LOOP_WAIT).into())
    }

    /// Members that are there and that the failsafe key does not name. All of them when there is no such key; none when it cannot be read.
    pub fn short_of_failsafe(&self) -> Vec<&str> {
        let named = match &self.dcs.keys.failsafe {
            Some(Parsed::Bad(_)) => return Vec::new(),
            Some(Parsed::Good(named)) => Some(named),
            None => None,
        };
        let present = self.members.values().filter(|m| m.present && named.is_none_or(|named| !named.contains_key(&m.name)));
        present.map(|m| m.name.as_str()).collect()
    }

    /// Who leads without the leader key: it cannot reach etcd, which has let its key go, and goes on as long as every member of the failsafe key
    /// answers it (`ha.py`, `_handle_dcs_error`). The others see it as their leader for as long and do not race (`Failsafe.update_cluster`).
    ///
    /// Only one that accepts writes by SQL, says so itself (what the others say of it lasts for `ttl` after its end), and is on the newest timeline.
    pub fn failsafe_leader(&self, now: Time) -> Option<&str> {
        if !self.dcs_current(now) || self.holder().is_some() {
            return None;
        }
        let mut writing = self.members.values().filter(|m| m.writable(now) == Some(true) && !self.told_under_its_new_name(m, now));
        let (Some(member), None) = (writing.next(), writing.next()) else { return None };
        let says = member.rest_now(now).is_some_and(|rest| rest.failsafe_active && rest.says_it_leads());
        let newest = self.members.keys().filter_map(|name| self.timeline(name, now)).max();
        (says && self.timeline(&member.name, now) == newest).then_some(member.name.as_str())
    }

    /// Notes since when the failsafe key, which the leader writes at each loop, has not named everybody though the mode is on.
    pub(super) fn follow_failsafe(&mut self, now: Time) {
        let on = self.config().is_some_and(|c| c.failsafe_mode) && self.holder().is_some();
        let short = on && !self.short_of_failsafe().is_empty();
        self.failsafe_short_since = self.failsafe_short_since.or(Some(now)).filter(|_| short);
    }
}

//! A copy of a server's data while it is being made, and for which member.

use serde::{Deserialize, Serialize};

use super::{Cluster, Time};

/// A row of `pg_stat_progress_basebackup` (PostgreSQL 13 and later), with whom it is sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseBackup {
    /// `pid` of its session.
    pub pid: i32,
    /// `client_addr` of its session; `None`: over a socket of the same host, or our user may not see it.
    pub client: Option<String>,
    /// `phase`: `waiting for checkpoint to finish`, `streaming database files`, ...
    pub phase: Option<String>,
    /// `backup_streamed`, bytes.
    pub streamed: Option<u64>,
    /// `backup_total`, bytes, as it was estimated at the beginning; `None`: it was not.
    pub total: Option<u64>,
}

impl BaseBackup {
    /// How much of it is done, percent; `None`: not known, or the estimate was too low.
    pub fn percent(&self) -> Option<u64> {
        let (streamed, total) = self.streamed.zip(self.total)?;
        streamed.saturating_mul(100).checked_div(total).filter(|percent| *percent <= 100)
    }
}

impl Cluster {
    /// The copy that is being made for a member which is created anew, and the member whose data it is.
    ///
    /// It is the one that is sent to the member's address. On one machine all clients come from a loopback address; then it is the member's only
    /// if no other member there is created. A backup that somebody else makes is nobody's copy.
    pub fn copied_to(&self, name: &str, now: Time) -> Option<(&str, &BaseBackup)> {
        let host = self.address_of(name).filter(|_| self.creates(name, now))?;
        let fits = |backup: &BaseBackup| {
            let client = backup.client.as_deref();
            client == Some(host) || client.is_some_and(loopback) && loopback(host) && self.creates_alone(name, now)
        };
        let senders = self.members.values().filter_map(|member| Some((member.name.as_str(), member.sql_now(now)?)));
        let mut found = senders.flat_map(|(sender, sql)| sql.backups.iter().map(move |backup| (sender, backup))).filter(|(_, b)| fits(b));
        // Two cannot be told apart.
        found.next().filter(|_| found.next().is_none())
    }

    fn address_of(&self, name: &str) -> Option<&str> {
        Some(self.members.get(name)?.address()?.0)
    }

    /// Whether its Patroni says that it is created anew.
    fn creates(&self, name: &str, now: Time) -> bool {
        let Some(member) = self.members.get(name) else { return false };
        let by_key = member.dcs().filter(|_| member.present && self.dcs_current(now)).and_then(|key| key.state.as_deref());
        member.rest_now(now).map(|rest| rest.state.0.as_str()).or(by_key) == Some("creating replica")
    }

    fn creates_alone(&self, name: &str, now: Time) -> bool {
        let here = |other: &str| self.address_of(other).is_some_and(loopback);
        self.members.keys().all(|other| other == name || !here(other) || !self.creates(other, now))
    }
}

/// Whether it is an address of the machine itself.
fn loopback(address: &str) -> bool {
    address.starts_with("127.") || address == "::1"
}

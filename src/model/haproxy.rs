//! What an HAProxy says.

use serde::{Deserialize, Serialize};

/// One HAProxy's `show stat`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HaproxyStatus {
    /// Servers of all backends, in HAProxy's order.
    pub servers: Vec<HaproxyServer>,
}

/// One server line of `show stat` (HAProxy's management guide, 9.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaproxyServer {
    /// `pxname`: the backend or listen section.
    pub backend: String,
    /// `svname`.
    pub name: String,
    /// `addr`, `host:port`; given on the socket and, to an admin level, on the page.
    pub address: Option<String>,
    /// `status`: `UP`, `DOWN`, `UP 1/2`, `NOLB`, `MAINT`, `DRAIN`, `no check`.
    pub status: String,
    /// `check_status`: `L7OK`, `L7STS`, `L4CON`, `* L7OK` while a check runs.
    pub check_status: Option<String>,
    /// `check_code`: the HTTP status of the check.
    pub check_code: Option<u16>,
    /// `check_duration`, milliseconds.
    pub check_ms: Option<u64>,
    /// `scur`: sessions open.
    pub sessions: Option<u32>,
    /// `lastchg`: seconds since the status changed.
    pub last_change: Option<u64>,
    /// `check_rise`: good checks in a row that bring it up; `None`: it is not checked, or this version does not tell.
    #[serde(default)]
    pub rise: Option<u32>,
    /// `check_fall`: bad ones that take it down.
    #[serde(default)]
    pub fall: Option<u32>,
}

impl HaproxyServer {
    /// Whether new sessions are sent to it: `UP`, going down (`UP 1/3`), or without checks, but not drained or in maintenance.
    pub fn takes_sessions(&self) -> bool {
        self.status.starts_with("UP") || self.status == "no check"
    }

    /// Whether somebody has taken it out (`MAINT`) or lets it run empty (`DRAIN`), so that no check brings it back.
    pub fn taken_out(&self) -> bool {
        self.status.starts_with("MAINT") || self.status.starts_with("DRAIN")
    }
}

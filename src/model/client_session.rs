//! One session of a client.

use serde::{Deserialize, Serialize};

use super::Time;

/// A row of `pg_stat_activity`. The number of a process is given anew after its end; with the moment of its start it is one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSession {
    /// `pid`.
    pub pid: i32,
    /// `backend_start`.
    pub started: Time,
    /// `backend_type`: `client backend`, `walsender`, ...
    pub kind: String,
    /// `usename`.
    pub user: String,
    /// `application_name`.
    pub application: String,
    /// `datname`.
    pub database: String,
    /// `client_addr`; `None`: over a socket of the same host.
    pub client: Option<String>,
    /// `state`: `active`, `idle in transaction`, ...
    pub state: String,
    /// `xact_start`; `None`: it is in no transaction.
    pub transaction: Option<Time>,
    /// `query_start`: when the statement began that it is in, or was in last.
    pub query: Option<Time>,
    /// How many other sessions wait for a lock of its.
    pub blocks: u32,
    /// The server's clock when this was read.
    pub server_time: Time,
}

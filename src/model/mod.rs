//! What is known. Plain data: no IO, no clock, no screen.
//!
//! All facts come as [`Observation`]s, [`Cluster::apply`] folds them in, and nothing else changes the cluster. So the console, the command
//! line, a test and a replay are one program with different feeders.

mod dcs;
mod etcd;
mod haproxy;
mod lsn;
mod observation;
mod observed;
mod patroni;
mod postgres;
mod source;
mod text;
mod time;

pub use dcs::{Consistency, Dcs, DcsEvent, DcsKey, DcsMember, DcsStatus, DcsSync, DynamicConfig, Failover, HistoryEntry, Parsed};
pub use etcd::{EtcdAlarm, EtcdMember, EtcdMembership, EtcdStatus};
pub use haproxy::{HaproxyServer, HaproxyStatus};
pub use lsn::Lsn;
pub use observation::{Fact, Lease, Observation, Outcome};
pub use observed::Observed;
pub use patroni::{PatroniReplication, PatroniState, PatroniStatus, PendingChange};
pub use postgres::{Archiver, PostgresStatus, Receiver, ReplicationRow, Slot};
pub use source::{ErrorKind, SourceError, SourceId, SourceKind};
pub use text::clean;
pub use time::Time;

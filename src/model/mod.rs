//! What is known. Plain data: no IO, no clock, no screen.
//!
//! All facts come as [`Observation`]s, [`Cluster::apply`] folds them in, and nothing else changes the cluster. So the console, the command
//! line, a test and a replay are one program with different feeders.

mod airflow;
mod airflow_health;
mod base_backup;
mod cause;
mod certificate;
mod change;
mod client_session;
mod clock_skew;
mod cluster;
mod config_key;
mod dags;
mod dcs;
mod dynamic;
mod estate;
mod etcd;
mod etcd_metrics;
mod etcd_trend;
mod failsafe;
mod frozen;
mod handover;
mod haproxy;
mod heard;
mod host;
mod hygiene;
mod hygiene_airflow;
mod lag;
mod lasting;
mod leadership;
mod level;
mod lsn;
mod member;
mod naming;
mod node_settings;
mod observation;
mod observed;
mod parameters;
mod past;
mod patroni;
mod pause;
mod postgres;
pub mod quantity;
mod quorum;
mod rabbitmq;
mod recent;
mod reign;
mod rescue;
mod role;
mod route;
mod route_memory;
mod silence;
mod slot_trend;
mod source;
mod space_trend;
mod stall;
mod standing;
mod succession;
mod sync;
mod target_machine;
mod text;
mod time;
mod upstream;
mod writing;

pub use airflow::{AirflowComponent, AirflowNextRun, AirflowPool, AirflowRetry, AirflowStatus, AirflowTask};
pub use airflow_health::{AirflowHealth, AirflowProgram};
pub use base_backup::BaseBackup;
pub use cause::{Cause, Sign, Silence};
pub use certificate::Certificate;
pub use change::{Change, ChangeKind, ConfigChange};
pub use client_session::ClientSession;
pub use clock_skew::{ClockReading, ClockSkew};
pub use cluster::{Cluster, DcsSeen};
pub use dags::{DAG_COUNT_FRESH, DagFile, DagFiles, Dags, DagsDisk, DagsMount, DagsStatus, DagsWanted};
pub use dcs::{
    Consistency, Dcs, DcsEvent, DcsKey, DcsMember, DcsStatus, DcsSync, DynamicConfig, Failover, HistoryEntry, LeaderKey, Parsed,
};
pub use dynamic::{SlotCare, Timeouts};
pub use etcd::{EtcdAlarm, EtcdMember, EtcdMembership, EtcdStatus};
pub use etcd_metrics::{EtcdMetrics, EtcdPace, Histogram, Quantile};
pub use etcd_trend::EtcdTrend;
pub use frozen::FrozenPools;
pub use handover::Handover;
pub use haproxy::{HaproxyServer, HaproxyStatus};
pub use heard::Heard;
pub use host::{Host, HostStatus, Login, OomRise, Place, PlaceKind, Space, Unit};
pub use lag::{Lag, LagSource};
pub use lasting::Lasting;
pub use leadership::{Says, Truths};
pub use level::Level;
pub use lsn::Lsn;
pub use member::Member;
pub use naming::Naming;
pub use node_settings::{ElectionTimes, WatchdogBlock, WatchdogMode, WatchdogSeen};
pub use observation::{Fact, Lease, Observation, Outcome};
pub use observed::Observed;
pub use parameters::{Parameter, Parameters};
pub use patroni::{PatroniReplication, PatroniStatus, PendingChange};
pub use pause::{PauseNote, PauseWatch};
pub use postgres::{
    Archiver, CommitWait, PostgresStatus, Receiver, ReplicationRow, ServerSettings, Slot, Subscription, Transaction, version_text,
};
pub use quorum::Quorum;
pub use rabbitmq::{
    Misfit, RABBITMQ_LISTS_FRESH, RABBITMQ_LISTS_PERIOD, Rabbitmq, RabbitmqAlarm, RabbitmqLists, RabbitmqNode, RabbitmqOverview,
    RabbitmqQueue, RabbitmqSeen, RabbitmqState, Work, fresh_airflow, missing_members,
};
pub use recent::Recent;
pub use rescue::{Done, Outage, Rescue, RescueItem, RescueMemory, Running, TASK_TIMEOUT};
pub use role::Role;
pub use route::{Route, RouteKind, RouteUse};
pub use route_memory::{RouteMemory, ServerMemory};
pub use silence::etcd_beside;
pub use slot_trend::SlotTrend;
pub use source::{ErrorKind, SourceError, SourceId, SourceKind};
pub use space_trend::{Filling, SpaceTrend};
pub use stall::{Stall, Standstill};
pub use standing::{PatroniState, Phase, Standing, Start, Starts};
pub use sync::{StandbyNames, SyncSets, SyncWatch};
pub use target_machine::{BookKind, Job, RunBook, TARGET_RECENT, Target, TargetStatus, TaskKey};
pub use text::{clean, counted, listed, size, spoken, washed};
pub use time::Time;
pub use upstream::{Sender, Stray};
pub use writing::{Parting, Writing, Written};

//! Writing. The only place with clients that can write, and the only one that knows how an order is checked, given and proved.
//!
//! The way of an action:
//!
//! 1. An [`Operation`] is chosen, one file each; [`Plan::of`] makes of it what will be asked, of whom, with every check and its reason.
//! 2. [`Plan::confirm`] makes it [`Confirmed`], if nothing red is left and whoever operates has answered what the plan asks for.
//! 3. [`Desk::execute`] checks again, writes the audit's beginning, sends the order once, and hands out an [`Execution`].
//! 4. The [`Course`] follows the cluster until the outcome is known by another word than that of whom the order was given to.
//!
//! Everything up to and after the sending is pure: a cluster at a moment goes in.

mod airflow_api;
mod airflow_order;
mod airflow_writer;
mod anew;
mod assist;
mod assisted;
mod audit;
mod call;
mod checkpoint;
mod checks;
mod client;
mod copied;
mod course;
mod dcs_order;
mod dcs_writer;
mod desk;
mod downtime;
mod drop_slot;
mod entry;
mod execution;
mod flush;
mod freeze;
mod goal;
mod http_client;
mod kept;
mod last_pause;
mod operation;
mod order;
mod pause;
mod plan;
mod pool_memory;
mod pools;
mod probe;
mod proxy_order;
mod proxy_set;
mod proxy_writer;
mod reinit;
mod reload;
mod remove;
mod request;
mod restart;
mod resume_replay;
mod rolling;
mod second;
mod server_state;
mod settings;
mod sql_order;
mod sql_writer;
mod standby_cluster;
mod switchover;
mod syslog;
mod terminate;
mod thaw;

pub use airflow_order::{AirflowOrder, AirflowWay, PoolOrder};
pub use airflow_writer::AirflowWriter;
pub use assisted::Assisted;
pub use audit::{Audit, AuditError};
pub use call::Call;
pub use checkpoint::Checkpoint;
pub use checks::{Check, Light};
pub use client::RestWriter;
pub use course::{Course, Outcome};
pub use dcs_order::DcsOrder;
pub use dcs_writer::DcsWriter;
pub use desk::{Desk, DeskError};
pub use downtime::{Absence, Said, Sample, away, measured};
pub use drop_slot::DropSlot;
pub use entry::{Beginning, Entry, Event, SecondPerson};
pub use execution::Execution;
pub use flush::{FlushRestart, FlushSwitchover};
pub use freeze::Freeze;
pub use goal::{Goal, Phase, Standing};
pub use kept::Kept;
pub use last_pause::last_pause;
pub use operation::{Operation, Situation};
pub use order::{Order, Reply, Writers};
pub use pause::{Pause, Resume};
pub use plan::{Answer, Confirm, Confirmed, NotConfirmed, Plan};
pub use proxy_order::{ProxyOrder, ProxyState};
pub use proxy_set::SetProxy;
pub use proxy_writer::ProxyWriter;
pub use reinit::Reinit;
pub use reload::Reload;
pub use remove::Remove;
pub use request::Request;
pub use restart::{Restart, RestartRole};
pub use resume_replay::ResumeReplay;
pub use rolling::{Rolling, RollingStep, needless, next_pending};
pub use second::{SecondError, Waiting, approve, ask};
pub use settings::{Base, Change, EditConfig, Undo, merged, with_setting};
pub use sql_order::{SqlOrder, Statement};
pub use sql_writer::SqlWriter;
pub use standby_cluster::{DemoteCluster, PromoteCluster};
pub use switchover::{Failover, ROUTES_MOVED, Switchover};
pub use terminate::Terminate;
pub use thaw::Thaw;

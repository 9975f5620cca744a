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

mod anew;
mod assist;
mod assisted;
mod audit;
mod call;
mod checkpointer;
mod checks;
mod client;
mod course;
mod desk;
mod downtime;
mod execution;
mod flush;
mod goal;
mod operation;
mod order;
mod pause;
mod plan;
mod probe;
mod proxy_order;
mod proxy_set;
mod proxy_writer;
mod reinit;
mod reload;
mod restart;
mod server_state;
mod switchover;

pub use assisted::Assisted;
pub use audit::{Audit, AuditError, Beginning, Entry, Event};
pub use call::Call;
pub use checkpointer::Checkpointer;
pub use checks::{Check, Light};
pub use client::RestWriter;
pub use course::{Course, Outcome};
pub use desk::{Desk, DeskError};
pub use downtime::{Absence, Said, Sample, away};
pub use execution::Execution;
pub use flush::{FlushRestart, FlushSwitchover};
pub use goal::{Goal, Phase, Standing};
pub use operation::{Operation, Situation};
pub use order::{Order, Reply, Writers};
pub use pause::{Pause, Resume};
pub use plan::{Answer, Confirm, Confirmed, NotConfirmed, Plan};
pub use proxy_order::{ProxyOrder, ProxyState};
pub use proxy_set::SetProxy;
pub use proxy_writer::ProxyWriter;
pub use reinit::Reinit;
pub use reload::Reload;
pub use restart::{Restart, RestartRole};
pub use switchover::{Failover, Switchover};

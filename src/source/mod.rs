//! Reading. One file for each system; each yields [`Observation`](crate::model::Observation)s and holds a client that can only read.

pub mod airflow;
mod certificate;
mod clock;
mod collector;
mod dial;
pub mod etcd;
pub mod haproxy;
mod http;
mod inbox;
pub mod patroni;
mod poll;
pub mod postgres;
pub mod rabbitmq;
pub mod ssh;
mod supervise;
mod targets;
pub mod tls;
mod tls_cache;

pub use clock::Clock;
pub use collector::Collector;
pub use inbox::{Inbox, Sink, inbox};
pub use poll::poll;
pub use targets::{MemberTarget, Targets};
pub use tls_cache::TlsCache;

//! Reading. One file for each system; each yields [`Observation`](crate::model::Observation)s and holds a client that can only read.

mod clock;
pub mod haproxy;
mod inbox;
mod poll;
pub mod postgres;
pub mod tls;

pub use clock::Clock;
pub use inbox::{Inbox, Sink, inbox};
pub use poll::poll;

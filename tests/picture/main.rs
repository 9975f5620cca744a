//! The picture made of scripted answers: what is found, what is told as a change, what the document says, and what it never says.
#![allow(clippy::unwrap_used)]

#[path = "../common/scenario/mod.rs"]
mod scenario;

mod causes;
mod changes;
mod cluster;
mod conditions;
mod history;
mod hostile;
mod lag;
mod leader;
mod life;
mod limits;
mod members;
mod payloads;
mod quorum;
mod random;
mod start;

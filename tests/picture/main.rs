//! The picture made of scripted answers: what is found, what is told as a change, what the document says, and what it never says.
#![allow(clippy::unwrap_used)]

#[path = "../common/scenario/mod.rs"]
mod scenario;

mod archive;
mod changes;
mod cluster;
mod config_unsafe;
mod explanations;
mod forecast;
mod hostile;
mod lag;
mod leader;
mod leader_silent;
mod life;
mod limits;
mod members;
mod payloads;
mod quorum;
mod random;
mod slots;
mod start;
mod synchronous;
mod transactions;

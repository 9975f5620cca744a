//! The actions on real parts: each one's outcome read by a tool that has nothing to do with us, what is refused and why, what is told while
//! nobody can know, and who may not act at all.
//!
//! The tests of this folder hand on their practice clusters, as many as tests run at a time; whoever comes last ends them.
#![allow(clippy::unwrap_used)]

mod bench;
mod host;
#[path = "../common/lab.rs"]
mod lab;
mod operations;
mod permission;
#[path = "../common/pty.rs"]
#[allow(dead_code, reason = "each test file uses its part of it")]
mod pty;
mod refusals;
mod second_person;
mod syslog;
mod unknown;
mod witness;

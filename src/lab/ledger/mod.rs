//! A client that writes one row about every 200 ms through a HAProxy and keeps account of what it was told, so that a lost
//! or doubled write can be counted afterwards.

pub mod client;
pub mod entry;
pub mod verdict;

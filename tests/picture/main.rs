//! The picture made of scripted answers: what is found, what is told as a change, what the document says, and what it never says.
#![allow(clippy::unwrap_used)]

#[path = "../common/scenario/mod.rs"]
mod scenario;

mod api;
mod archive;
mod cannot_write;
mod causes;
mod certificates;
mod changes;
mod choices;
mod clock;
mod cluster;
mod conditions;
mod config_missing;
mod config_unsafe;
mod copying;
mod dags;
mod design;
mod diverged;
mod etcd;
mod explanations;
mod failsafe;
mod forecast;
mod history;
mod host;
mod hostile;
mod lag;
mod leader;
mod leader_silent;
mod life;
mod limits;
mod members;
mod orders;
mod payloads;
mod pools;
mod proxy_plans;
mod quorum;
mod random;
mod renamed;
mod rescue;
mod rolling;
mod routes;
mod scenes;
mod slots;
mod split_brain;
mod standstill;
mod start;
mod stuck;
mod switchover;
mod synchronous;
mod target;
mod transactions;
mod upstream;

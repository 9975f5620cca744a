//! The practice cluster: a whole PostgreSQL HA cluster on one machine, and faults to throw at it.
//!
//! | question | file |
//! |---|---|
//! | where does a lab keep its things, who may touch them | [`place`], [`account`], [`files`] |
//! | what was asked for, what was written down | [`options`], [`record`] |
//! | who has which address, port, folder | [`layout`], [`address`], [`netns`] |
//! | what must be installed, and how | [`install`], [`venv`] |
//! | what the programs read | [`conf`], by the functions of [`crate::template`]; [`secrets`], [`tls`], [`etcd_auth`] |
//! | how a program is started, found again, signalled | [`process`], [`procfs`], [`scan`] |
//! | starting, stopping, looking | [`up`], [`down`], [`status`], [`health`] |
//! | the client that counts lost writes | [`ledger`] |
//! | faults and their cure | [`fault`], [`slow`], [`hung`], [`mounts`] |
//!
//! A lab is one folder. Everything it starts carries that folder's path in its environment ([`scan::MARKER`]), or is a
//! PostgreSQL with its working directory there, so that `down` finds it even when `up` was killed half way.

pub mod account;
pub mod address;
pub mod airflow;
pub mod conf;
pub mod down;
pub mod etcd_auth;
pub mod fault;
pub mod files;
pub mod health;
pub mod http;
pub mod hung;
pub mod install;
pub mod layout;
pub mod ledger;
pub mod mounts;
pub mod netns;
pub mod options;
pub mod place;
pub mod process;
pub mod procfs;
pub mod rabbitmq;
pub mod record;
pub mod scan;
pub mod secrets;
pub mod slow;
pub mod sql;
pub mod status;
pub mod steps;
pub mod tls;
pub mod up;
pub mod venv;
pub mod wait;

pub use layout::Lab;

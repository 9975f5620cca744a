//! A short inventory of an estate, and the files that it is started from.
//!
//! | question | file |
//! |---|---|
//! | what is asked for | [`inventory`], read by [`read`] |
//! | whose password comes from where | [`passwords`] |
//! | the private CA and its certificates, kept over runs | [`certificates`] |
//! | which file holds what | [`files`], and [`node`], [`client`], [`jump`] for each kind of machine |
//! | what is different on the disk, and writing it | [`tree`], [`diff`] |
//!
//! A run reads what an earlier one left (passwords it made, the CA, certificates that still fit), so that a second run changes nothing.

pub mod certificates;
mod client;
pub mod diff;
pub mod files;
pub mod inventory;
mod jump;
mod node;
pub mod passwords;
pub mod read;
mod table;
pub mod tree;

pub use inventory::Inventory;

/// An inventory to begin with.
pub const EXAMPLE: &str = include_str!("example.toml");

//! cli
pub mod config;

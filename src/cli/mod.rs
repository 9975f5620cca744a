//! cli

pub mod screenshot;

//! What to connect to, and where each value of it came from.

mod profile;

pub use profile::*;

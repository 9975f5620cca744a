//! The whole picture as one document: what `status --json` prints, what the panes draw, what conditions are written over.
//!
//! Every number that is not known is `null`, never 0. Sizes are bytes, spans are seconds (`*_seconds`) or milliseconds (`*_ms`), moments
//! are RFC 3339 in UTC. `SCHEMA` changes when a field changes its meaning or goes away; a new field does not change it.

mod schema;

pub use schema::*;

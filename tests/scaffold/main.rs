//! The templates: what the lab writes by them, what `pgbaton scaffold` writes by them, and that it runs.

#![allow(clippy::unwrap_used)]

mod estate;
mod lab_files;
mod living;
mod run;
mod written;

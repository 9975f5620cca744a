//! How pgbaton finds out what to connect to. No test looks at the real home or the real environment.

mod files;
mod fuzz;
mod libpq;
mod precedence;
mod secrets;
mod selection;
mod support;

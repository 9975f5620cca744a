//! pgbaton
pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod document;
pub mod finding;
pub mod lab;
pub mod live;
pub mod model;
pub mod shell;
pub mod source;
pub mod theme;
pub mod ui;
pub mod userfile;

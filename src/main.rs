//! pgbaton: parse, run, exit code.

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pgbaton::cli::lab::{self, LabArgs};

#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A practice cluster on this machine
    Lab(LabArgs),
}

fn main() -> ExitCode {
    let Command::Lab(args) = Cli::parse().command;
    let open_console = |_: &Path| anyhow::bail!("this build has no console yet");
    lab::run(args, &open_console).unwrap_or_else(|e| {
        eprintln!("pgbaton: {e:#}");
        ExitCode::FAILURE
    })
}

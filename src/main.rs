//! pgbaton: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = pgbaton::cli::Cli::parse();
    pgbaton::cli::run(cli).unwrap_or_else(|error| {
        eprintln!("pgbaton: {error:#}");
        ExitCode::FAILURE
    })
}

//! pgbaton
use clap::Parser;
#[derive(Parser)]
enum Args {
    #[command(hide = true)]
    Screenshot(pgbaton::cli::screenshot::ScreenshotArgs),
}
fn main() -> anyhow::Result<()> {
    match Args::parse() {
        Args::Screenshot(args) => pgbaton::cli::screenshot::run(&args),
    }
}

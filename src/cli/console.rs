//! `pgbaton`: the console.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use directories::ProjectDirs;

use super::connect::ConnectArgs;
use crate::app::{EventLine, Mode};
use crate::document::Document;
use crate::live::Live;
use crate::shell::{self, Appearance, Feed, Options};
use crate::source::Clock;
use crate::theme::Depth;

/// How the console looks.
#[derive(Debug, Default, clap::Args)]
pub struct ConsoleArgs {
    /// The theme: dark, light, high-contrast, mono, or one of your own
    #[arg(long, value_name = "NAME", env = "PGBATON_THEME", hide_env_values = true)]
    theme: Option<String>,
    /// Number of colours: mono, 16, 256, true-color [default: what the terminal says]
    #[arg(long, value_name = "DEPTH")]
    colors: Option<Depth>,
    /// Draw with ASCII only [default: by the locale]
    #[arg(long)]
    ascii: bool,
}

/// How often the mere passing of time is looked at.
const PASSING: Duration = Duration::from_millis(500);

/// Opens the console and runs it until it is left.
pub fn run(connect: &ConnectArgs, args: &ConsoleArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().context("no runtime")?;
    let exit = runtime.block_on(async {
        let profile = connect.profile(None).await?;
        let folder = ProjectDirs::from("", "", "pgbaton").map(|dirs| dirs.config_dir().to_owned());
        let looks = Appearance {
            theme: args.theme.as_deref(),
            ascii: args.ascii.then_some(true),
            depth: args.colors,
            synchronized: None,
            color: profile.color.as_deref(),
            folder: folder.as_deref(),
        };
        // Nothing in this program can write to a cluster yet, so every session is a read-only one.
        let options = Options::new(&profile.name, Mode::ReadOnly, &looks, |name| std::env::var(name).ok())?;
        shell::run(options, LiveFeed(Live::start(profile, Clock::start()))).await
    })?;
    // What a source was in the middle of is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(50));
    Ok(ExitCode::from(exit.code()))
}

struct LiveFeed(Live);

impl Feed for LiveFeed {
    async fn wait(&mut self) -> Vec<EventLine> {
        loop {
            let changes = match tokio::time::timeout(PASSING, self.0.wait()).await {
                Ok(changes) => return lines(&changes),
                Err(_) => self.0.pass(),
            };
            if !changes.is_empty() {
                return lines(&changes);
            }
        }
    }

    fn document(&mut self) -> Document {
        self.0.document()
    }
}

fn lines(changes: &[crate::model::Change]) -> Vec<EventLine> {
    changes.iter().map(EventLine::from).collect()
}

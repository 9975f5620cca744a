//! `pgbaton edit-config`, with patronictl's flags.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

use super::args::Operations;
use super::{HowArgs, run_with};
use crate::action::{Audit, Base, EditConfig, Operation, Situation, Undo, merged, with_setting};
use crate::cli::connect::{ClusterArg, ConnectArgs};
use crate::config::{Profile, yaml_text, yaml_value};
use crate::live::Live;
use crate::permit::Policy;
use crate::shell::{Edit, Modes};

/// `pgbaton edit-config`.
#[derive(Debug, clap::Args)]
pub struct EditConfigArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Do not show the plan
    #[arg(long, short)]
    quiet: bool,
    /// Change a setting; the value is YAML, null takes the setting away
    #[arg(long, short, value_name = "KEY.KEY=VALUE", value_parser = pair)]
    set: Vec<Pair>,
    /// Change a parameter of PostgreSQL, as with --set postgresql.parameters
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = pair)]
    pg: Vec<Pair>,
    /// Merge a YAML file in; - is standard input
    #[arg(long, value_name = "FILE")]
    apply: Option<PathBuf>,
    /// Put a YAML file in place of all there is; - is standard input
    #[arg(long, value_name = "FILE")]
    replace: Option<PathBuf>,
    /// Go back to what was before our last edit
    #[arg(long, conflicts_with_all = ["set", "pg", "apply", "replace"])]
    undo: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// A key with its value.
#[derive(Debug, Clone)]
struct Pair {
    key: String,
    value: Value,
}

fn pair(text: &str) -> Result<Pair, String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let value = yaml_value(Path::new("the value"), value).map_err(|mistake| mistake.to_string())?;
    Ok(Pair { key: key.trim().to_owned(), value })
}

impl EditConfigArgs {
    /// Does it.
    pub fn run(mut self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        self.how.quiet = self.quiet;
        let name = self.cluster.name.clone();
        let how = self.how.clone();
        run_with(connect, name.as_deref(), &how, async move |live: &mut Live, _: &Profile| {
            let base = Base::of(live.cluster(), live.now()).map_err(anyhow::Error::msg)?;
            if self.undo {
                let audit = Audit::place(&Policy::of_machine()?.audit)?;
                let scope = live.cluster().scope.clone();
                let undo =
                    Undo::last(&audit.read()?.0, &scope).with_context(|| format!("the audit has no edit of {scope}'s configuration"))?;
                return Ok(vec![Box::new(EditConfig::undoing(base, undo)) as Box<dyn Operation>]);
            }
            let after = self.edited(&base, live).await?;
            let edit = EditConfig::new(base, after);
            if edit.changes().is_empty() {
                if !self.quiet {
                    println!("nothing would be changed");
                }
                return Ok(Vec::new());
            }
            Ok(vec![Box::new(edit)])
        })
    }

    /// The configuration as it is to be. In this order, as patronictl does: a file in place of all, a file merged in, single settings.
    async fn edited(&self, base: &Base, live: &mut Live) -> anyhow::Result<Map<String, Value>> {
        if self.set.is_empty() && self.pg.is_empty() && self.apply.is_none() && self.replace.is_none() {
            return editor(&base.value, live).await;
        }
        self.settings(base)
    }

    /// What is to be done, where nobody edits: the settings that were said.
    pub(in crate::cli) fn operations(&self, s: &Situation<'_>) -> anyhow::Result<Operations> {
        if self.undo || self.set.is_empty() && self.pg.is_empty() {
            bail!("only settings that are said can be edited here");
        }
        let base = Base::of(s.cluster, s.now).map_err(anyhow::Error::msg)?;
        let after = self.settings(&base)?;
        let edit = EditConfig::new(base, after);
        Ok(if edit.changes().is_empty() { Vec::new() } else { vec![Box::new(edit)] })
    }

    /// The configuration as it is to be, by what was said.
    fn settings(&self, base: &Base) -> anyhow::Result<Map<String, Value>> {
        let mut settings = base.settings();
        if let Some(file) = &self.replace {
            settings = merged(Map::new(), &read(file)?);
        }
        if let Some(file) = &self.apply {
            settings = merged(settings, &read(file)?);
        }
        for Pair { key, value } in &self.set {
            settings = with_setting(settings, key, value.clone());
        }
        for Pair { key, value } in &self.pg {
            settings = with_setting(settings, &format!("postgresql.parameters.{key}"), value.clone());
        }
        Ok(settings)
    }
}

/// The settings of a file.
fn read(file: &Path) -> anyhow::Result<Map<String, Value>> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).context("standard input cannot be read")?;
    } else {
        text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    settings(file, &text)
}

fn settings(file: &Path, text: &str) -> anyhow::Result<Map<String, Value>> {
    match yaml_value(file, text).map_err(|mistake| anyhow::anyhow!("{mistake}"))? {
        Value::Object(map) => Ok(map),
        _ => bail!("{} does not hold settings: expected KEY: VALUE lines", file.display()),
    }
}

/// Has the configuration edited. The terminal is the editor's meanwhile, and the picture lives on.
async fn editor(value: &Value, live: &mut Live) -> anyhow::Result<Map<String, Value>> {
    let edit = Edit::of(&yaml_text(value))?;
    // An interrupt is the editor's; it must not leave the file behind.
    let _interrupt = signal(SignalKind::interrupt())?;
    let modes = Modes::keep();
    let mut child = edit.command().spawn().context("no shell for the editor")?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = live.wait() => {}
        }
    };
    modes.restore();
    edited(&edit.text(status)?)
}

/// The settings in what was edited.
///
/// # Errors
/// It is no YAML, or no settings; the error says where.
pub(in crate::cli) fn edited(text: &str) -> anyhow::Result<Map<String, Value>> {
    settings(Path::new("what was edited"), text)
}

//! `pgbaton keys`: every command with its keys in a keymap, and the mistakes in a keymap file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use strum::IntoEnumIterator;

use crate::command::{COMMANDS, Keymap, Keymaps, Scope, sequence_text};
use crate::config::{self, Env, Request, Selected};
use crate::permit::Policy;
use crate::shell::keymaps_of;
use crate::userfile::Mistake;

use super::connect::ConnectArgs;

/// `pgbaton keys`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: Option<KeysCommand>,
    /// The keymap [default: the one that the console has]
    #[arg(long, value_name = "NAME", env = "PGBATON_KEYMAP", hide_env_values = true)]
    keymap: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// Tell every mistake in keymap files as path:line:col
    Check {
        /// keymap.toml, or a whole keymap
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// A command as it is told.
#[derive(Serialize)]
struct Told {
    id: String,
    title: &'static str,
    doc: &'static str,
    scope: String,
    danger: String,
    keys: Vec<String>,
    /// Whether the keymap's file says that it is to have none.
    unbound: bool,
}

#[derive(Serialize)]
struct Table {
    keymap: String,
    commands: Vec<Told>,
}

/// Does it. Exit code 1: a file has a mistake.
pub fn run(connect: &ConnectArgs, args: &KeysArgs) -> anyhow::Result<ExitCode> {
    let folder = super::own_folder();
    match &args.command {
        Some(KeysCommand::Check { files }) => check(files, folder.as_deref()),
        None => table(connect, args, folder.as_deref()),
    }
}

fn table(connect: &ConnectArgs, args: &KeysArgs, folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (keymaps, notes) = keymaps_of(folder);
    let name = args.keymap.clone().or_else(|| configured(connect));
    let (mut keymap, mistakes) = keymaps.keymap(name.as_deref())?;
    if Policy::of_machine().unwrap_or_default().sequences() {
        keymap.require_sequences();
    }
    notes.iter().cloned().chain(mistakes.iter().map(Mistake::to_string)).for_each(|note| eprintln!("{note}"));
    let name = name.unwrap_or_else(|| "default".to_owned());
    let table = match args.json {
        true => serde_json::to_string_pretty(&Table { keymap: name, commands: told(&keymap) })? + "\n",
        false => text(&keymap),
    };
    super::print(&table)?;
    Ok(if mistakes.is_empty() && notes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The keymap that the configuration names. What is wrong with the rest of the configuration is of no concern here.
fn configured(connect: &ConnectArgs) -> Option<String> {
    let config = config::load(&Request { file: connect.config.clone(), cluster: connect.cluster.clone(), env: Env::of_process() }).ok()?;
    match config.select(None).ok()? {
        Selected::One(profile) => profile.keymap.clone(),
        Selected::Several(profiles) => profiles.first()?.keymap.clone(),
    }
}

fn told(keymap: &Keymap) -> Vec<Told> {
    let told = COMMANDS.iter().map(|command| Told {
        id: command.id.to_string(),
        title: command.title,
        doc: command.doc,
        scope: command.scope.to_string(),
        danger: command.danger.to_string(),
        keys: keymap.keys_of(command.id),
        unbound: keymap.unbound().contains(&command.id),
    });
    told.collect()
}

/// The table for a person: by the places where the keys count, a command once in each in which it has keys.
fn text(keymap: &Keymap) -> String {
    let mut lines = Vec::new();
    for scope in Scope::iter() {
        lines.push(format!("[{scope}]  {}", scope.title()));
        for command in COMMANDS {
            let here = keymap.bindings().iter().filter(|b| b.scope == scope && b.command == command.id);
            let keys: Vec<String> = here.map(|b| sequence_text(&b.keys)).collect();
            if keys.is_empty() && !(command.scope == scope && keymap.keys_of(command.id).is_empty()) {
                continue;
            }
            let keys = if keys.is_empty() { "-".to_owned() } else { keys.join("  ") };
            let (id, danger) = (command.id.to_string(), command.danger.to_string());
            lines.push(format!("  {keys:<24} {id:<17} {danger:<9} {:<12} {}", command.title, command.doc));
        }
        lines.push(String::new());
    }
    lines.pop();
    lines.join("\n") + "\n"
}

fn check(files: &[PathBuf], folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (keymaps, _) = keymaps_of(folder);
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let path = file.display().to_string();
        let (keymap, mistakes) = read(file, &keymaps)?;
        if mistakes.is_empty() {
            let keyless = COMMANDS.iter().filter(|command| keymap.keys_of(command.id).is_empty()).count();
            println!("{path}: {} commands, {keyless} without a key, no mistake", COMMANDS.len());
        } else {
            mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// A keymap's file, and the mistakes in it.
pub(super) fn read(file: &Path, keymaps: &Keymaps) -> anyhow::Result<(Keymap, Vec<Mistake>)> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| path.clone())?;
    // A file of that name lies over the keymap that is chosen; any other is a keymap of its own.
    let below = file.file_name().is_some_and(|name| name == "keymap.toml").then_some("default");
    Ok(keymaps.check(&path, &text, below))
}

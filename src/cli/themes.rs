//! `pgbaton themes`: the themes there are, and the mistakes in a theme's file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::shell::themes_of;
use crate::theme::Depth;
use crate::userfile::Mistake;

/// `pgbaton themes`.
#[derive(Debug, clap::Args)]
pub struct ThemesArgs {
    #[command(subcommand)]
    command: Option<ThemesCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum ThemesCommand {
    /// Tell every mistake in theme files as path:line:col
    Check {
        /// A theme
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Does it. Exit code 1: a file has a mistake.
pub fn run(args: &ThemesArgs) -> anyhow::Result<ExitCode> {
    let folder = super::own_folder();
    let Some(ThemesCommand::Check { files }) = &args.command else { return list(folder.as_deref()) };
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let mistakes = mistakes(file, folder.as_deref())?;
        if mistakes.is_empty() {
            println!("{}: no mistake", file.display());
        } else {
            mistakes.iter().for_each(|mistake| eprintln!("{mistake}"));
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// The mistakes in a theme's file and in what it inherits from, which may be a theme of the user's.
pub(super) fn mistakes(file: &Path, folder: Option<&Path>) -> anyhow::Result<Vec<Mistake>> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| path.clone())?;
    let name = file.file_stem().and_then(|stem| stem.to_str()).with_context(|| format!("{path}: its name is no text"))?;
    let (mut library, _) = themes_of(folder);
    library.add(name, path.clone(), text);
    let (_, mistakes) = library.theme(name, Depth::TrueColor)?;
    Ok(mistakes)
}

/// A name in each line, and where a user's own comes from.
fn list(folder: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (library, unread) = themes_of(folder);
    let lines: String = library.files().map(|(name, path)| format!("{name:<20} {path}\n")).collect();
    super::print(&lines)?;
    unread.iter().for_each(|note| eprintln!("{note}"));
    Ok(if unread.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

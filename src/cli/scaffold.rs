//! `pgbaton scaffold`: the files of a whole estate, from a short inventory.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::print;
use crate::lab::install::ask;
use crate::scaffold::files;
use crate::scaffold::read::read;
use crate::scaffold::tree::{State, Tree};

/// What a run ends with that had a yes to get and did not.
const REFUSED: u8 = 3;

/// `pgbaton scaffold`.
#[derive(Debug, clap::Args)]
pub struct ScaffoldArgs {
    /// The inventory, a TOML file
    #[arg(required_unless_present = "example")]
    inventory: Option<PathBuf>,
    /// The folder to write to; passwords and certificates that an earlier run made are found there again
    #[arg(long, short, value_name = "DIR", required_unless_present = "example")]
    out: Option<PathBuf>,
    /// Write over files that are different, whose differences are shown
    #[arg(long, short)]
    yes: bool,
    /// Show which files there would be and what is different, and write nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Print an inventory to begin with
    #[arg(long, conflicts_with_all = ["inventory", "out", "yes", "dry_run"])]
    example: bool,
}

/// Does it.
pub fn run(args: &ScaffoldArgs) -> anyhow::Result<ExitCode> {
    let (Some(path), Some(out)) = (&args.inventory, &args.out) else {
        print(crate::scaffold::EXAMPLE)?;
        return Ok(ExitCode::SUCCESS);
    };
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let inventory = match read(&path.display().to_string(), &text) {
        Ok(inventory) => inventory,
        Err(mistakes) => {
            for mistake in mistakes {
                eprintln!("{mistake}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let out = std::path::absolute(out).with_context(|| out.display().to_string())?;
    let (wanted, secrets) = files::all(&inventory, path.parent().unwrap_or(Path::new(".")), &out)?;
    let tree = Tree::compare(&out, wanted, &secrets)?;
    let (new, changed) = (tree.count(State::New), tree.count(State::Changed));
    if args.dry_run {
        print(&format!("{}{}", tree.listing(), spaced(&tree.diffs())))?;
        return Ok(ExitCode::SUCCESS);
    }
    if new == 0 && changed == 0 {
        print(&format!("nothing to do: {} files are as they should be\n", tree.count(State::Same)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if changed > 0 {
        print(&format!("{}\n", tree.diffs()))?;
        if !args.yes {
            match ask(&format!("Write over {changed} files?")) {
                Ok(true) => {}
                Ok(false) => return refused("nothing was written"),
                Err(why) => return refused(&format!("nothing was written: {why}")),
            }
        }
    }
    tree.write()?;
    print(&format!("{new} new, {changed} changed, in {}; what to do with them is in README.md there\n", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn refused(why: &str) -> anyhow::Result<ExitCode> {
    eprintln!("{why}");
    Ok(ExitCode::from(REFUSED))
}

/// A text with an empty line before it, if there is one.
fn spaced(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

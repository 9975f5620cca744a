//! `pgbaton audit`: who did what, and what became of it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use super::start::audit;
use crate::action::Entry;
use crate::app::Audited;

/// `pgbaton audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// Only actions on the cluster of this scope
    #[arg(value_name = "SCOPE")]
    scope: Option<String>,
    /// The lines as they are in the file
    #[arg(long)]
    json: bool,
    /// The newest N actions
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    number: usize,
}

/// Prints them, oldest first.
pub fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let audit = audit().map_err(anyhow::Error::msg)?;
    let (entries, bad) = audit.read()?;
    let entries: Vec<Entry> = entries.into_iter().filter(|entry| args.scope.as_ref().is_none_or(|scope| entry.cluster == *scope)).collect();
    let actions = Audited::of(&entries);
    let mut out = String::new();
    for action in actions.iter().skip(actions.len().saturating_sub(args.number)) {
        if args.json {
            for line in entries.iter().filter(|entry| entry.id == action.id) {
                let _ = writeln!(out, "{}", serde_json::to_string(line)?);
            }
        } else {
            tell(&mut out, action);
        }
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    if bad > 0 {
        eprintln!("note: {bad} lines of {} are none of ours", audit.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(out: &mut String, action: &Audited) {
    let _ = writeln!(out, "{}  {}: {}, by {}", action.at, action.cluster, action.sentence, action.who);
    let _ = match &action.outcome {
        Some((outcome, sentence)) => writeln!(out, "    {outcome}: {sentence}"),
        None => writeln!(out, "    no end: it is under way, or what became of it is not known"),
    };
    for (name, text) in action.details.iter().filter(|(name, _)| !["order", "same as", "answered", "answer"].contains(name)) {
        let _ = writeln!(out, "    {name:<12} {text}");
    }
}

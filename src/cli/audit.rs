//! `pgbaton audit`: who did what, and what became of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::action::{Audit, Beginning, Entry, Event};
use crate::permit::Policy;

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
    let audit = Audit::place(&Policy::of_machine().unwrap_or_default().audit)?;
    let (entries, bad) = audit.read()?;
    let entries: Vec<Entry> = entries.into_iter().filter(|entry| args.scope.as_ref().is_none_or(|scope| entry.cluster == *scope)).collect();
    let mut order: Vec<&str> = Vec::new();
    let mut actions: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &entries {
        if !actions.contains_key(entry.id.as_str()) {
            order.push(&entry.id);
        }
        actions.entry(&entry.id).or_default().push(entry);
    }
    let mut out = String::new();
    for id in order.iter().skip(order.len().saturating_sub(args.number)) {
        let lines = actions.get(id).map(Vec::as_slice).unwrap_or_default();
        if args.json {
            for line in lines {
                let _ = writeln!(out, "{}", serde_json::to_string(line)?);
            }
        } else {
            action(&mut out, lines);
        }
    }
    std::io::stdout().lock().write_all(out.as_bytes())?;
    if bad > 0 {
        eprintln!("note: {bad} lines of {} are none of ours", audit.path().display());
    }
    Ok(ExitCode::SUCCESS)
}

fn action(out: &mut String, lines: &[&Entry]) {
    for entry in lines {
        match &entry.event {
            Event::Begin(begin) => {
                let Beginning { sentence, who, overridden, .. } = begin.as_ref();
                let name = who["user"].as_str().unwrap_or("?");
                let before = who["sudo_user"].as_str().map(|user| format!(", before sudo {user}")).unwrap_or_default();
                let from = who["ssh_client"].as_str().map(|client| format!(", from {client}")).unwrap_or_default();
                let _ = writeln!(out, "{}  {}: {sentence}, by {name}{before}{from}", entry.at, entry.cluster);
                if !overridden.is_empty() {
                    let _ = writeln!(out, "    passed over: {}", overridden.join(", "));
                }
            }
            Event::End { outcome, sentence, phases, downtime_ms, notes, .. } => {
                let _ = writeln!(out, "    {outcome}: {sentence}");
                let mut steps: Vec<(&String, &f64)> = phases.iter().collect();
                steps.sort_by(|a, b| a.1.total_cmp(b.1));
                let steps: Vec<String> = steps.iter().map(|(name, seconds)| format!("{name} {seconds:.2} s")).collect();
                if !steps.is_empty() {
                    let _ = writeln!(out, "    {}", steps.join(", "));
                }
                for note in notes {
                    let _ = writeln!(out, "    {note}");
                }
                let known: Vec<String> = downtime_ms
                    .iter()
                    .map(|(route, ms)| match ms {
                        Some(ms) => format!("{:.1} s on {route}", Duration::from_millis(*ms).as_secs_f64()),
                        None => format!("not known on {route}"),
                    })
                    .collect();
                if !known.is_empty() {
                    let _ = writeln!(out, "    writes away: {}", known.join(", "));
                }
            }
        }
    }
    if !lines.iter().any(|entry| matches!(entry.event, Event::End { .. })) {
        let _ = writeln!(out, "    no end: it is under way, or what became of it is not known");
    }
}

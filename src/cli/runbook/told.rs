//! Runs in words.

use std::process::ExitCode;

use super::library;
use super::record::Record;
use crate::model::clean;
use crate::runbook::{Entry, Run, Runbook};

/// The runs, oldest first.
pub(super) fn runs((runs, unread): &(Vec<Run>, Vec<String>)) -> anyhow::Result<ExitCode> {
    unread.iter().for_each(|why| eprintln!("note: {}", clean(why)));
    if runs.is_empty() {
        println!("no run was begun yet");
    }
    for run in runs {
        let standing = run.standing(library::find(&run.runbook).ok().filter(|runbook| runbook.digest() == run.digest).as_ref());
        let measured: String = run.measured().map(|told| format!("; {}", clean(told))).collect();
        println!(
            "{:<22} {:<9} {} on {}, begun {} by {}{measured}",
            run.id,
            standing,
            clean(&run.runbook),
            clean(&run.cluster),
            run.begun,
            clean(&run.by)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// What was done in a run.
pub(super) fn entries(record: &Record) -> anyhow::Result<ExitCode> {
    record.run().entries.iter().for_each(entry);
    Ok(ExitCode::SUCCESS)
}

fn entry(entry: &Entry) {
    let word: &'static str = (&entry.deed).into();
    let what = entry.deed.text();
    let step = entry.step.as_deref().unwrap_or("-");
    let each = entry.each.as_deref().map(|each| format!(" {each}")).unwrap_or_default();
    println!("{}  {word:<8} {}  {}", entry.at, clean(&format!("{step}{each}")), clean(what));
}

/// What is behind us in a run.
pub(super) fn so_far(run: &Run, runbook: &Runbook) {
    println!("run {}: {} on {}, begun {} by {}", run.id, runbook.front.title, clean(&run.cluster), run.begun, clean(&run.by));
    run.entries.iter().for_each(entry);
}

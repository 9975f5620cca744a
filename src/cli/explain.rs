//! `pgbaton explain`: what stands behind a finding's code.

use std::process::ExitCode;

use anyhow::bail;

use crate::finding::{Explanation, explanation, explanations};

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The code of a finding, as `status` and the console show it; without one, all codes are listed
    code: Option<String>,
}

/// Prints an explanation, or the list of what can be explained.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let Some(code) = &args.code else {
        for explanation in explanations() {
            println!(
                "{:<24} {}",
                explanation.code,
                explanation.fires.split_once(['.', ':', ';']).map_or(explanation.fires, |(first, _)| first)
            );
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(explanation) = explanation(code) else {
        bail!("no finding has the code {code:?}; `pgbaton explain` lists them");
    };
    print!("{}", told(explanation));
    Ok(ExitCode::SUCCESS)
}

fn told(explanation: &Explanation) -> String {
    let Explanation { code, fires, matters, next, runbook } = explanation;
    let steps: String = next.iter().enumerate().map(|(n, step)| format!("  {}. {step}\n", n + 1)).collect();
    let runbook = runbook.map(|name| format!("\nRunbook: {name}\n")).unwrap_or_default();
    format!("{code}\n\nFires when {fires}\n\n{matters}\n\nWhat to do:\n{steps}{runbook}")
}

//! `pgbaton explain`: what stands behind a finding's code.

use std::process::ExitCode;

use anyhow::bail;

use crate::finding::{Explanation, LIMITS, Limits, explanation, explanations};

/// What to explain.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// The code of a finding, as `status` and the console show it; without one, all codes are listed
    code: Option<String>,
}

/// Prints an explanation, or the list of what can be explained.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let Some(code) = &args.code else {
        let all = explanations().map(|explanation| format!("{:<24} {}\n", explanation.code, sentence(explanation.fires)));
        super::print(&all.collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(explanation) = explanation(code) else {
        bail!("no finding has the code {code:?}; `pgbaton explain` lists them");
    };
    super::print(&told(explanation))?;
    Ok(ExitCode::SUCCESS)
}

/// The beginning of a text, up to where it parts; not within brackets, nor at a dot within a number.
fn sentence(text: &str) -> &str {
    let mut depth = 0_u32;
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        match pair[0] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'.' | b':' | b';' if depth == 0 && pair[1] == b' ' => return &text[..at],
            _ => {}
        }
    }
    text.trim_end_matches('.')
}

fn told(explanation: &Explanation) -> String {
    let Explanation { code, runbook, fires, matters, next } = explanation;
    let steps: String = next.iter().enumerate().map(|(n, step)| format!("  {}. {step}\n", n + 1)).collect();
    let limits = limits(code);
    let runbook = runbook.map(|name| format!("\nStep by step: pgbaton runbook run {name}\n")).unwrap_or_default();
    format!("{code}\n\nFires when {fires}\n{limits}\n{matters}\n\nWhat to do:\n{steps}{runbook}")
}

/// The limits that a code depends on, with their defaults; nothing when it depends on none.
fn limits(code: &str) -> String {
    let depends = LIMITS.iter().filter(|limit| limit.codes.contains(&code));
    let lines: String = depends.map(|l| format!("  {} = {}   # {}\n", l.key, l.told(&Limits::default()), l.what)).collect();
    match lines.is_empty() {
        true => String::new(),
        false => {
            format!("\nIts limits, with their defaults; others are set in pgbaton.toml, in [limits] or [clusters.NAME.limits]:\n{lines}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_names_the_limits_with_their_defaults() {
        let text = told(explanations().find(|e| e.code == "pause-forgotten").expect("the code"));
        let limit = "others are set in pgbaton.toml, in [limits] or [clusters.NAME.limits]:\n  pause = \"1h\"   # how long a pause may last before it counts as forgotten\n\n";
        assert!(text.contains(limit), "{text}");
        let without = told(explanations().find(|e| e.code == "split-brain").expect("the code"));
        assert!(!without.contains("limits"), "{without}");
    }
}

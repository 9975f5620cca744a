//! What `?` tells at a question: what is asked, and what each answer does.

use super::paper::{columns, lines};
use crate::document::Document;
use crate::model::clean;
use crate::runbook::{Answers, Choices, Step};

/// What can be done with a step that did not come to be.
pub(super) fn failed(unknown: bool) -> String {
    let settled = "  d          it was done, by your word: the run goes on\n";
    format!(
        "the step is not done; nothing goes on before you say how\n{}  r          takes the step again, with the facts as they are then\n  \
         s REASON   passes it over, and the run goes on; the reason is written down\n  \
         q          leaves the run as it is; `pgbaton runbook resume` goes on with this step\n  \
         x REASON   ends the run for good; what was done stays done",
        if unknown { settled } else { "" }
    )
}

/// Of a question with yes and no; the run goes on with `wanted`.
pub(super) fn yes_or_no(wanted: bool) -> String {
    let (goes_on, other) = if wanted { ("yes", "no") } else { ("no", "yes") };
    format!(
        "{goes_on}: the run goes on\n{other}: the step is not done; you are asked whether it is taken again, passed over, or the run left\nnothing in \
         the cluster is changed by either"
    )
}

/// Of a command that somebody runs elsewhere.
pub(super) fn command() -> String {
    "pgbaton does not run it: run the lines above where they belong, look at what they say, and come back\nyes: they were run and did what they \
     should; the run goes on\nno: the step is not done; you are asked whether it is taken again, passed over, or the run left"
        .to_owned()
}

/// Of a question with other answers.
pub(super) fn answers(answers: &Answers, document: &Document) -> String {
    match answers.choices(document) {
        Some(Choices { offered, barred }) => {
            let not: String = barred.iter().map(|(name, why)| format!("\nnot {}", clean(&format!("{name}: {why}")))).collect();
            format!("one of {}; it is kept for the steps that come after{not}", offered.join(", "))
        }
        None => "any text; it is kept for the steps that come after".to_owned(),
    }
}

/// Of facts that hold no longer.
pub(super) fn gone() -> String {
    "y: the run goes on with its next step, and that is written down\nanything else: the run stays as it is".to_owned()
}

/// The step's own words before the rest.
pub(super) fn with_prose(step: &Step, rest: &str) -> String {
    let columns = columns().map(|columns| columns.saturating_sub(4));
    let prose = lines(&step.prose, columns).join("\n");
    if prose.trim().is_empty() { rest.to_owned() } else { format!("{prose}\n{rest}") }
}

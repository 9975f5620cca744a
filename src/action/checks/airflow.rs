//! Checks of what Airflow runs: what a database that goes away would do to it.

use super::Check;
use crate::action::Situation;
use crate::finding::{Quiet, Verdict};

/// What Airflow says to an action that takes the database away for a moment; nothing where no Airflow is configured.
///
/// A task that would run twice is red: whoever insists has read it. What is not known is amber, as Patroni would do it and the reason for the
/// action may be the same as for not knowing.
pub fn airflow(s: &Situation<'_>) -> Vec<Check> {
    let Some(quiet) = Quiet::of(s.cluster, s.limits, s.now) else { return Vec::new() };
    let check = |ground: crate::finding::Ground| match ground.verdict {
        Verdict::Go => Check::green(ground.code, ground.sentence),
        Verdict::Warn | Verdict::Unknown => Check::amber(ground.code, ground.sentence),
        Verdict::Wait | Verdict::Stop => Check::red(ground.code, ground.sentence),
    };
    quiet.grounds.into_iter().map(check).collect()
}

/// The same for an action that must not be held up by it: whoever gives the leadership away because nobody has it, or stops Patroni's own hand.
pub fn airflow_told(s: &Situation<'_>) -> Vec<Check> {
    let told = |check: Check| if check.light == super::Light::Red { Check::amber(&check.id, check.sentence) } else { check };
    airflow(s).into_iter().map(told).collect()
}

//! What would hurt in a failover, though all is green now: judgements of the living estate. Pure: what was read comes in, and so does the time.
//!
//! One file for each judgement, or for a few that share what they look at. A judgement says of each thing one of four: it holds, it hurts, it is
//! not known, it does not apply. What the rules of [`crate::finding`] have found already is cited, never judged a second time.

mod airflow;
mod archive;
mod candidates;
mod case;
mod certificates;
mod etcd;
mod failsafe;
mod feedback;
pub mod haproxy;
mod judged;
mod keepalives;
mod loss;
mod parameters;
mod report;
mod restart;
mod rewind;
mod slots;
mod standing;
mod timing;
mod versions;
mod wal;
mod watchdog;

pub use case::{Case, Survey};
pub use judged::{Answer, Harm, Judged, LineToChange, Severity};
pub use report::{HarmDoc, HeldDoc, OpenDoc, Report, SCHEMA};

/// A judgement.
pub struct Judgement {
    /// Its code; stable, part of what scripts rely on.
    pub code: &'static str,
    /// Why it matters, in a failover.
    pub why: &'static str,
    /// The findings that it cites, `CODE` or `CODE/SUBJECT`; all others are told as they are, by `standing-finding`.
    cites: &'static [&'static str],
    judge: fn(&Case<'_>) -> Vec<Judged>,
}

impl Judgement {
    /// The findings that it cites, `CODE` or `CODE/SUBJECT`.
    pub fn cites(&self) -> &'static [&'static str] {
        self.cites
    }
}

/// The judgements. One line each, in the order in which they are told within a severity.
pub const JUDGEMENTS: &[Judgement] = &[
    candidates::JUDGEMENT,
    loss::JUDGEMENT,
    timing::JUDGEMENT,
    failsafe::JUDGEMENT,
    watchdog::JUDGEMENT,
    rewind::JUDGEMENT,
    restart::JUDGEMENT,
    versions::JUDGEMENT,
    parameters::EQUAL,
    parameters::ROOM,
    wal::JUDGEMENT,
    slots::JUDGEMENT,
    feedback::JUDGEMENT,
    archive::JUDGEMENT,
    keepalives::JUDGEMENT,
    haproxy::OVERLAP,
    haproxy::CHECK,
    haproxy::SESSIONS,
    haproxy::KEEPALIVE,
    etcd::QUORUM,
    etcd::DOMAIN,
    etcd::SPACE,
    etcd::ELECTION,
    certificates::JUDGEMENT,
    airflow::RETRIES,
    airflow::CONNECTIONS,
    standing::JUDGEMENT,
];

/// Every judgement's answers, in the judgements' order. One that says nothing at all is not known: silence is never "fine".
pub fn judge(case: &Case<'_>) -> Vec<(&'static Judgement, Judged)> {
    let mut all = Vec::new();
    for judgement in JUDGEMENTS {
        let mut answers = (judgement.judge)(case);
        if answers.is_empty() {
            answers.push(Judged::not_known("nothing was read that it could be judged by"));
        }
        all.extend(answers.into_iter().map(|answer| (judgement, answer)));
    }
    all
}

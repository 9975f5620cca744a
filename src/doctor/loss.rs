//! `commit-loss`: what a failover may lose of what clients were told is committed.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::finding::forecast::Outcome;
use crate::model::size;

/// What the loss is when nothing is configured (`maximum_lag_on_failover`, Patroni's default).
const USUAL_LAG: u64 = 1_048_576;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "commit-loss",
    why: "Without synchronous_mode a commit is told to the client before any other member has it. What the leader had not sent when it died is \
          gone, and Airflow's memory of a finished task with it.",
    cites: &[
        "config-unsafe/synchronous_commit",
        "config-unsafe/synchronous_mode_strict",
        "config-unsafe/maximum_lag_on_failover",
        "sync-missing",
        "sync-set-mismatch",
        "commits-hang",
    ],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    if config.standby_cluster {
        return vec![Judged::does_not_apply("this is a standby cluster: the cluster it follows decides what its commits wait for")];
    }
    let mut found = case.cite(JUDGEMENT.cites);
    let lag = config.maximum_lag_on_failover.unwrap_or(USUAL_LAG);
    let evidence = [
        Evidence::dcs(case.cluster, "synchronous_mode", &config.synchronous_mode),
        Evidence::dcs(case.cluster, "maximum_lag_on_failover", format!("{lag} bytes")),
    ];
    if config.synchronous_mode == "off" {
        let sentence = format!(
            "commits do not wait for another member (synchronous_mode is off): a failover may lose {} of them, and those of the last loop",
            size(lag)
        );
        found.insert(0, Judged::hurts(Severity::Warning, sentence).by(evidence).change(DYNAMIC, "synchronous_mode: true"));
        return found;
    }
    // The mode is a wish: what would be lost follows from who would take over.
    let forecast = case.forecast();
    let mut open: Vec<Judged> = case.leader().err().into_iter().collect();
    let sentence = forecast.sentence();
    match &forecast.outcome {
        Outcome::TakesOver(_, loss) if loss.acknowledged_kept => {}
        Outcome::TakesOver(..) => {
            let judged =
                Judged::hurts(Severity::Warning, format!("synchronous_mode is on, and a failover now would lose commits: {sentence}"));
            found.push(judged.by(evidence.clone()).change("the members", "a replica that streams and has no tag nosync"));
        }
        Outcome::Nobody | Outcome::Unknown => {
            open.push(Judged::not_known(format!("who would take over, and with it what would be lost: {sentence}")).by(evidence.clone()));
        }
    }
    unless(found, open, || Judged::holds(format!("if the leader died now: {sentence}")).by(evidence))
}

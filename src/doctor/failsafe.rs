//! `failsafe-mode`: whether the leader stays when etcd goes.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "failsafe-mode",
    why: "Without failsafe_mode the leader steps down when etcd has no majority, though PostgreSQL and its members are well: an outage of etcd becomes one of \
          the database.",
    cites: &["failsafe-active", "failsafe-incomplete"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    let mode = Evidence::dcs(case.cluster, "failsafe_mode", config.failsafe_mode);
    if !config.failsafe_mode {
        let sentence = "failsafe_mode is off: without etcd's majority the leader steps down, and nobody can be written to";
        return vec![Judged::hurts(Severity::Warning, sentence).by([mode]).change(DYNAMIC, "failsafe_mode: true")];
    }
    let mut found = case.cite(JUDGEMENT.cites);
    // The finding waits for a while before it says so; what the leader would do is known at once.
    let without = case.forecast().without_quorum;
    let sentence = format!("without etcd's majority: {}", without.sentence);
    match without.stays {
        Some(true) => {}
        Some(false) if found.is_empty() => {
            let judged = Judged::hurts(Severity::Warning, sentence.clone()).by([mode.clone()]);
            found.push(judged.change("the members", "a REST API that answers on each, and their names in the key failsafe"));
        }
        Some(false) => {}
        None => return found.into_iter().chain([Judged::not_known(sentence).by([mode])]).collect(),
    }
    unless(found, Vec::new(), || Judged::holds(sentence).by([mode]))
}

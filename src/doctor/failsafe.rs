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
    let (_, open) = case.rest();
    unless(case.cite(JUDGEMENT.cites), open, || {
        Judged::holds("without etcd the leader stays as long as every member answers it").by([mode])
    })
}

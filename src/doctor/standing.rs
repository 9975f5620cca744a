//! `standing-finding`: what is wrong already, and no judgement of its own cites.

use super::case::means;
use super::judged::Judged;
use super::{Case, JUDGEMENTS, Judgement};
use crate::finding::Finding;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "standing-finding",
    why: "What is wrong before a failover does not get better by one. `pgbaton explain CODE` says what it means.",
    cites: &[],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let told = |finding: &Finding| JUDGEMENTS.iter().flat_map(|judgement| judgement.cites).any(|cited| means(cited, finding));
    let mut all: Vec<Judged> = case.found(|finding| !told(finding)).collect();
    if !all.is_empty() {
        return all;
    }
    if case.cluster.dcs_current(case.now) {
        all.push(Judged::holds("no other finding stands; those that wait until something lasts are not raised by one look"));
    } else {
        all.push(Judged::not_known("etcd cannot be read now"));
    }
    all
}

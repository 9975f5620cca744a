//! `pending-restart`: whether a restart brings other settings than those that run.

use super::judged::{Judged, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "pending-restart",
    why: "A failover restarts the old leader, and the new settings come with it at the worst moment; if they do not fit, it does not come back.",
    cites: &["pending-restart"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let (told, open) = case.rest();
    unless(case.cite(JUDGEMENT.cites), open, || {
        Judged::holds("no member waits for a restart")
            .by(told.iter().map(|(m, rest)| Evidence::rest(m, "pending_restart", rest.pending_restart)))
    })
}

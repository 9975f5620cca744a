//! `logical-slots`: whether the leader's logical slots are there after a failover.

use super::judged::{Judged, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "logical-slots",
    why: "A logical slot that nobody carries over is gone with its leader: its subscriber stops, or goes on with a gap.",
    cites: &["logical-slot-unmanaged"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let found = case.cite(JUDGEMENT.cites);
    let mut open: Vec<Judged> = case.config().err().into_iter().collect();
    let slots = match case.leader() {
        Ok((leader, sql)) => {
            let logical: Vec<Evidence> = sql
                .slots
                .iter()
                .filter(|slot| slot.kind == "logical")
                .map(|slot| Evidence::sql(leader, "logical slot", &slot.name))
                .collect();
            if logical.is_empty() && found.is_empty() && open.is_empty() {
                return vec![Judged::does_not_apply("the leader has no logical slot")];
            }
            logical
        }
        Err(silent) => {
            open.push(silent);
            Vec::new()
        }
    };
    unless(found, open, || Judged::holds("every logical slot of the leader is carried over").by(slots))
}

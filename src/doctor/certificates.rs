//! `certificates`: whether a certificate ends soon.

use super::judged::{Judged, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::spoken;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "certificates",
    why: "A connection that stands may outlive its certificate; after a failover everybody connects anew, and is refused.",
    cites: &["certificate-expiring"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let known = case.cluster.certificates_now(case.now);
    let (_, rest) = case.rest();
    let (_, sql) = case.sql();
    let open: Vec<Judged> = rest.into_iter().chain(sql).collect();
    let found = case.cite(JUDGEMENT.cites);
    let evidence: Vec<Evidence> = known
        .iter()
        .map(|(source, seen, certificate)| {
            Evidence::new((*source).clone(), &certificate.subject, certificate.not_after.minute(), seen.at())
        })
        .collect();
    let Some((_, _, first)) = known.iter().min_by_key(|(_, _, certificate)| certificate.not_after) else {
        return unless(found, open, || Judged::does_not_apply("nobody has shown a certificate: no connection of ours is encrypted"));
    };
    let left = first.left(case.now).map_or_else(|past| format!("ended {} ago", spoken(past)), |left| format!("ends in {}", spoken(left)));
    unless(found, open, || {
        Judged::holds(format!("of the certificates that were shown the first {left}; those between the nodes are not seen")).by(evidence)
    })
}

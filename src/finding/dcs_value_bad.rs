//! `dcs-value-bad`: a value in etcd does not have Patroni's form.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "dcs-value-bad",
        runbook: None,
        fires: "a key of the cluster in etcd does not have the form that Patroni writes: no JSON, or JSON of another shape.",
        matters: "Patroni on every node reads the same key. A broken config or sync key can stop the HA loop, and what it would have said is not known here.",
        next: &[
            "Look at the value: etcdctl get --print-value-only /NAMESPACE/SCOPE/KEY.",
            "Find out who wrote it: Patroni does not write such values; a script or a hand did.",
            "For config, put the right value back with patronictl edit-config; a members key is written anew by its Patroni within loop_wait.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, .. } = *case;
    let complaints = cluster.dcs.keys.complaints();
    let found = complaints.into_iter().map(|why| {
        let key = why.strip_prefix("the DCS key ").and_then(|rest| rest.split(' ').next()).unwrap_or("?");
        Finding::new("dcs-value-bad", Level::Warning, why.to_owned()).about(key).naming([("KEY", key)]).because([Evidence::dcs(
            cluster,
            key,
            "malformed",
        )])
    });
    found.collect()
}

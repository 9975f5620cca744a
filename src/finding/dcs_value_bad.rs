//! `dcs-value-bad`: a value in etcd does not have Patroni's form.

use super::{Evidence, Finding};
use crate::model::{Cluster, Level, Time};

pub(super) fn check(cluster: &Cluster, _now: Time) -> Vec<Finding> {
    let complaints = cluster.dcs.keys.complaints();
    let found = complaints.into_iter().map(|why| {
        let key = why.strip_prefix("the DCS key ").and_then(|rest| rest.split(' ').next()).unwrap_or("?");
        Finding::new("dcs-value-bad", Level::Warning, why.to_owned()).about(key).because([Evidence::dcs(cluster, key, "malformed")])
    });
    found.collect()
}

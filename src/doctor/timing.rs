//! `patroni-timing`: whether the leader can wait out its retries and still renew its key.

use super::judged::{DYNAMIC, Judged};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "patroni-timing",
    why: "Patroni's document demands ttl >= loop_wait + 2 * retry_timeout. With a shorter ttl a slow answer of etcd is enough for the leader to \
          lose its key while it still retries: a failover without a fault.",
    cites: &["config-unsafe/ttl"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    let Some(times) = config.timeouts() else {
        return vec![Judged::not_known("ttl, loop_wait or retry_timeout is no whole number of seconds")];
    };
    let enough = u64::from(times.loop_wait) + 2 * u64::from(times.retry_timeout);
    let line = format!("ttl: {}", enough.max(20));
    let found: Vec<Judged> = case.cite(JUDGEMENT.cites).into_iter().map(|judged| judged.change(DYNAMIC, line.clone())).collect();
    super::judged::unless(found, Vec::new(), || {
        let sentence =
            format!("ttl {} s covers loop_wait {} s and two retry_timeout of {} s", times.ttl, times.loop_wait, times.retry_timeout);
        let seconds = |name: &str, value: u32| Evidence::dcs(case.cluster, name, format!("{value} s"));
        Judged::holds(sentence).by([
            seconds("ttl", times.ttl),
            seconds("loop_wait", times.loop_wait),
            seconds("retry_timeout", times.retry_timeout),
        ])
    })
}

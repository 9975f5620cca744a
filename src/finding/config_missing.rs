//! `config-missing`: the key `config` is not in etcd.

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, spoken};
use crate::model::{Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "config-missing",
        runbook: None,
        fires: "etcd has the key initialize of the cluster, but not the key config.",
        matters: "Until it is back nothing can be configured: PATCH /config is turned down, and with it pause, resume and patronictl edit-config. The \
                  Patronis that run go on with what they read last; one that is started meanwhile takes its cache (patroni.dynamic.json), else the section \
                  bootstrap.dcs of its file, which may be of another time.",
        next: &[
            "Wait for one loop: the holder of the leader key writes it anew with what it remembers.",
            "Compare what it wrote with what you had (patronictl show-config): what a leader that was started lately remembers may be old.",
            "If it stays away: see whether there is a leader, and whether its Patroni answers and can write to etcd.",
            "Find out who deleted it: Patroni does so only when the cluster is removed.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(since) = cluster.config_gone_since().filter(|_| cluster.dcs_current(now)) else { return Vec::new() };
    let lasting = now.since(since);
    // Its next loop, and the time for the loop itself.
    let late = lasting > cluster.loop_wait() + SETTLING;
    let sentence = match cluster.holder() {
        Some(leader) if late => {
            format!("the key config has been gone from etcd for {}, and {leader}, the leader, does not write it anew", spoken(lasting))
        }
        Some(leader) => {
            format!("the key config is gone from etcd: {leader}, the leader, writes it anew at its next loop from what it remembers")
        }
        None => "the key config is gone from etcd, and without a leader nobody writes it anew".to_owned(),
    };
    let gone = Evidence::new(
        SourceId::new(SourceKind::Dcs, &cluster.scope),
        "config",
        format!("absent, seen since {since}"),
        cluster.dcs.confirmed_at,
    );
    let leader = Evidence::dcs(cluster, "leader key", cluster.holder().unwrap_or("absent"));
    vec![Finding::new("config-missing", Level::Warning, sentence).because([gone, leader])]
}
